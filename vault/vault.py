"""The vault: identity data in, tokens out, and back again only against a permit.

`store` seals a person's values under the person's own keys and answers with tokens. `locate` finds what a token points
at, `reveal` opens it for a permit that was minted for exactly that. `search` finds people by value without showing any.
`shred` destroys the keys. Each is a generator, to be run as a unit of work; each adds its entry to the log.
"""

from collections.abc import Collection as Several
from collections.abc import Sequence

from audit import AuditLog
from sayso.kernel import Permit, Tx, Work
from vault import presentable, reveal, search, shred, storing
from vault.fields import Collections
from vault.keyring import Keyring
from vault.reveal import ANY, Ask, Located, Revealed, Unresolvable
from vault.search import MOST_FOUND, Hits, Term
from vault.shred import Held, Place, Tombstone
from vault.storing import Stored, SubjectFacts


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

    def locate(self, tx: Tx, collections: Collections, token: str) -> Work[Located]:
        """Where `token` points, for the actor of this request. Hot. Never fails: see `Located`.

        Unknown, mistyped, another client's and tampered tokens all get an invented person.
        """
        return reveal.locate(self._keyring, tx, collections, token)

    def reveal(self, tx: Tx, located: Located, permit: Permit | None, ask: Ask) -> Work[Revealed | Unresolvable]:
        """The value behind a located token, masked as the permit's obligations and `ask.transform` say. Hot.

        `permit` None is the policies' refusal: it is written down with `ask.why` and looks like any other. Raises
        `Denied` (`permit-mismatch`) for a permit minted for something else, `Invalid` (`unknown-transform`).
        """
        return reveal.reveal(self._keyring, self._audit, tx, located, permit, ask)

    def search(
        self,
        tx: Tx,
        collections: Collections,
        collection: str,
        terms: Sequence[Term],
        *,
        purpose: str,
        reason: str,
        limit: int = MOST_FOUND,
    ) -> Work[Hits]:
        """People whose stored values equal every term, at most `limit`. Cold.

        The caller asks the policies about each of them, for each of `Hits.categories`, before anyone learns of it.
        Raises `UnknownCollection`, `UnknownField`, `NotIndexed`, `InvalidValue`, `Invalid` (`invalid-search`).
        """
        return search.find(
            self._keyring,
            self._audit,
            tx,
            collections,
            collection,
            terms,
            purpose=purpose,
            reason=reason,
            limit=limit,
        )

    def tokens(self, tx: Tx, collections: Collections, subject: bytes, audience: str) -> Work[dict[str, list[str]]]:
        """The person's tokens that `audience` may present, by `collection.field`; none of an erased person. Cold, read
        only.
        """
        return presentable.tokens_for(self._keyring, tx, collections, subject, audience)

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
