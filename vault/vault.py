"""The vault: identity data in, tokens out, and back again only against a permit.

`store` seals a person's values under the person's own keys and answers with tokens. `locate` finds what a token points
at, `reveal` opens it for a permit that was minted for exactly that. `search` finds people by value without showing any.
`shred` destroys the keys. Each is a generator, to be run as a unit of work; each adds its entry to the log.
"""

from collections.abc import Collection as Several
from collections.abc import Sequence

from audit import AuditLog
from sayso.kernel import Permit, Tx, Work
from vault.fields.collections import Collection, Collections
from vault.keys.keyring import Keyring
from vault.opening import bulk, canaries, grants, reveal, search
from vault.opening.grants import Grant
from vault.opening.reveal import ANY, Ask, Located, Revealed, Unresolvable
from vault.opening.search import MOST_FOUND, Hits, Sought, Term
from vault.records import portable, storing
from vault.records import values as opening
from vault.records.portable import Portable
from vault.records.storing import Stored, SubjectFacts
from vault.records.values import Opened
from vault.shredding import shred
from vault.shredding.shred import Held, Place, Tombstone
from vault.tokens import issuing, presentable
from vault.tokens import rows as tokens
from vault.writing import redacting
from vault.writing.finding import Finding
from vault.writing.redacting import Redacted


class Vault:
    """Identity data of all tenants."""

    def __init__(self, keyring: Keyring, audit: AuditLog) -> None:
        self._keyring = keyring
        self._audit = audit

    def store(
        self,
        tx: Tx,
        collections: Collections,
        facts: SubjectFacts,
        collection: str,
        fields: dict[str, str],
        audience: str = ANY,
    ) -> Work[Stored]:
        """Seal values and answer with their tokens: the same value for the same audience has the same token.

        Hot. `audience` is the name of an API client, or `any`. A value that is there already is replaced; tokens that
        point at its field then show the new one. Raises `UnknownCollection`, `UnknownField`, `InvalidValue` and, for a
        person whom nobody knows or who was erased, `UnknownSubject`.
        """
        return storing.store_record(self._keyring, self._audit, tx, collections, facts, collection, fields, audience)

    def issue(
        self,
        tx: Tx,
        collections: Collections,
        facts: SubjectFacts,
        collection: str,
        fields: Sequence[str],
        audience: str = ANY,
        *,
        ttl: str = "",
        uses: int = 0,
    ) -> Work[Stored]:
        """Tokens for values that are stored already; none for what is not. Hot.

        `ttl` (ISO 8601) and `uses` bound them more narrowly than the field does: such tokens are new each time. Raises
        as `store` does, and `InvalidTerms`.
        """
        return issuing.issue(
            self._keyring, self._audit, tx, collections, facts, collection, fields, audience, ttl, uses
        )

    def redact(
        self,
        tx: Tx,
        text: str,
        findings: list[Finding],
        *,
        facts: SubjectFacts | None = None,
        collection: Collection | None = None,
        audience: str = ANY,
    ) -> Work[Redacted]:
        """`text` with tokens where identity data stood: `findings` are what `find` found in it. Warm.

        `facts` is whom the text is with; `collection` where their values are stored, so that those get their fields'
        tokens. Raises `UnknownSubject`.
        """
        return redacting.redact(self._keyring, self._audit, tx, text, findings, facts, collection, audience)

    def tidy_tokens(self, tx: Tx) -> Work[int]:
        """Forget tokens whose time is over, some at a time; returns how many. Cold."""
        return tokens.tidy(tx)

    def locate(self, tx: Tx, collections: Collections, token: str) -> Work[Located]:
        """Where `token` points, for the actor of this request. Hot. Never fails: see `Located`.

        Unknown, mistyped, another client's and tampered tokens all get an invented person.
        """
        return reveal.locate(self._keyring, tx, collections, token)

    def locate_each(self, tx: Tx, collections: Collections, named: Sequence[str | None]) -> Work[list[Located]]:
        """The same for many tokens, in order, with one read. They come as `token_in` reads them: None is none."""
        return reveal.locate_each(self._keyring, tx, collections, named)

    def reveal(self, tx: Tx, located: Located, permit: Permit | None, ask: Ask) -> Work[Revealed | Unresolvable]:
        """The value behind a located token, masked as the permit's obligations and `ask.transform` say. Hot.

        `permit` None is the policies' refusal: it is written down with `ask.why` and looks like any other. Raises
        `Denied` (`permit-mismatch`) for a permit minted for something else, `Invalid` (`unknown-transform`).
        """
        return reveal.reveal(self._keyring, self._audit, tx, located, permit, ask)

    def reveal_many(
        self, tx: Tx, asked: Sequence[tuple[Located, Permit | None, Ask]]
    ) -> Work[tuple[list[str | None], str]]:
        """As so many reveals, side by side and with one entry: the values in order, None for unresolvable; the entry.

        Warm: for a chunk of a list, at least one. No token may come twice; all are asked for one purpose and reason.
        """
        return bulk.reveal_many(self._keyring, self._audit, tx, asked)

    def export(
        self, tx: Tx, collections: Collections, subject: bytes, permit: Permit, reason: str, *, approved: bool
    ) -> Work[Portable]:
        """Everything stored of a person, opened. Cold. `permit` is one for action `export` over the person whole.

        What is guarded is withheld unless a second person `approved`.
        """
        return portable.collect(self._keyring, self._audit, tx, collections, subject, permit, reason, approved=approved)

    def ask_grant(
        self, tx: Tx, person: str, purpose: str, tokens: list[str], reason: str, ticket: str = ""
    ) -> Work[Grant]:
        """Ask a second person to let just these tokens be opened for just this purpose. Cold.

        `person` is whom the caller's key counts as where two people are needed.
        """
        return grants.ask(self._keyring, self._audit, tx, person, purpose, tokens, reason, ticket)

    def decide_grant(self, tx: Tx, person: str, grant: str, *, approve: bool) -> Work[Grant]:
        """Answer what another one asked. Cold. Raises `NoGrant`, `OwnGrant`, `GrantDecided`."""
        return grants.decide(self._keyring, self._audit, tx, person, grant, approve=approve)

    def take_grant(self, tx: Tx, grant: str | None, purpose: str, tokens: list[str]) -> Work[bool]:
        """Use a grant up, if it is one for this actor, purpose and tokens; whether it was. Hot."""
        return grants.take(tx, grant, purpose, tokens)

    def grant(self, tx: Tx, grant: str) -> Work[Grant]:
        """One request for a second person. Raises `NoGrant`."""
        return grants.one(self._keyring, tx, grant)

    def grants(self, tx: Tx) -> Work[list[Grant]]:
        """The newest requests first. Cold."""
        return grants.newest(self._keyring, tx)

    def standing_grants(self, tx: Tx, purpose: str, tokens: list[str]) -> Work[list[Grant]]:
        """What was asked for just these tokens and waits or was approved, whoever asked. Cold."""
        return grants.standing(self._keyring, tx, purpose, tokens)

    def plant(self, tx: Tx, facts: SubjectFacts) -> Work[None]:
        """Make a person a canary: whoever opens their data raises an alarm. Cold. Raises `UnknownSubject`."""
        known = facts.known and not facts.erased
        return canaries.plant(self._keyring, self._audit, tx, facts.subject, known=known)

    def lift(self, tx: Tx, subject: bytes) -> Work[None]:
        """Take that back. Cold."""
        return canaries.lift(self._keyring, self._audit, tx, subject)

    def planted(self, tx: Tx) -> Work[list[bytes]]:
        """The canaries, newest first. Cold."""
        return canaries.planted(tx)

    def sought(
        self, tenant: str, collections: Collections, collection: str, terms: Sequence[Term], limit: int = MOST_FOUND
    ) -> Sought:
        """What a search asks for: people whose stored values equal every term, at most `limit` of them.

        Raises `UnknownCollection`, `UnknownField`, `NotIndexed`, `InvalidValue`, `Invalid` (`invalid-search`).
        """
        return search.sought(self._keyring, tenant, collections, collection, terms, limit)

    def having(self, tx: Tx, searches: Sequence[Sought]) -> Work[list[list[bytes]]]:
        """Who may be found, for each of the searches, by the blind index alone. Read only: one look for many searches
        goes before the units that answer them.
        """
        return search.having(tx, searches)

    def search(self, tx: Tx, asked: Sought, candidates: Sequence[bytes], *, purpose: str, reason: str) -> Work[Hits]:
        """Those of the candidates whose stored values are what is sought. Hot.

        The caller asks the policies about each of them, for each of `Hits.categories`, before anyone learns of it.
        """
        return search.find(self._keyring, self._audit, tx, asked, candidates, purpose=purpose, reason=reason)

    def tokens(self, tx: Tx, collections: Collections, subject: bytes, audience: str) -> Work[dict[str, list[str]]]:
        """The person's tokens that `audience` may present, by `collection.field`; none of an erased person. Cold, read
        only.
        """
        return presentable.tokens_for(self._keyring, tx, collections, subject, audience)

    def values(
        self,
        tx: Tx,
        collections: Collections,
        subject: bytes,
        permit: Permit,
        places: Several[str] | None = None,
        *,
        approved: bool = False,
    ) -> Work[Opened]:
        """What is stored of a person at `places` (`collection.field`, None for all), opened. Cold.

        `permit` is one for action `export` over the person whole: its decision is the entry. What is held back stays
        closed, and is named, unless a second person `approved`. Raises `Denied`, `BrokenSeal`.
        """
        return opening.values(self._keyring, self._audit, tx, collections, subject, permit, places, approved=approved)

    def held(self, tx: Tx, subject: bytes) -> Work[tuple[Held, ...]]:
        """What is stored of a person, without the values. Cold, read only."""
        return shred.held(tx, subject)

    def shred(self, tx: Tx, subject: bytes, permit: Permit, classes: Several[str] | None = None) -> Work[Tombstone]:
        """Destroy a person's data keys of `classes`, with the records, tags and tokens under them. Cold.

        `classes` None means all but `proof`, the log's key included: a full erasure. `permit` is one for action `erase`
        over the person whole. Twice is no error; the second tombstone lists nothing. After the commit the caller awaits
        `database.tidy()`, so that no file of the store holds the wrapped key.
        """
        return shred.shred(self._keyring, self._audit, tx, subject, permit, classes)

    def shred_again(self, tx: Tx, subject: bytes, classes: Several[str]) -> Work[Tombstone]:
        """Destroy what a restored copy of the database has brought back: the keys of `classes`, which were destroyed
        before, and values whose key is not there any more. Cold. As `shred`, and without a permit: it was given then.
        """
        return shred.again(self._keyring, self._audit, tx, subject, classes)

    def shred_proof(self, tx: Tx, subject: bytes) -> Work[Tombstone]:
        """Destroy the key of an erased person's proof capsule, because its term is over. Cold. As `shred`, and without
        a permit: nobody asks for this, it was due when the erasure was made.
        """
        return shred.shred_proof(self._audit, tx, subject)

    def expire(self, tx: Tx, subject: bytes, places: Several[Place], ground: str) -> Work[Tombstone]:
        """Delete the values at `places` (collection, field) because nothing allows keeping them. Cold.

        A class that is left without a value loses its key too. `ground` is a short non-personal word for the log.
        """
        return shred.expire(self._keyring, self._audit, tx, subject, places, ground)
