"""`ConsentRegistry`: what people were told, what they chose, and who they are to us.

The story: a manifest is `publish`ed into a catalogue; people are `resolve`d from identifiers; what they choose is
`record`ed (`choose` when a browser says so, `withdraw` and `object_to` when there is no notice); `state` and
`history` tell it again; `forget` erases it.

Every method that takes `tx` is a unit of work, or part of one: `await database.run(context, lambda tx:
registry.record(tx, …))`. Unless said it is hot: point reads and rows only. Ids of people and records are their 16 raw
bytes here.
"""

from collections.abc import Collection, Sequence
from typing import Literal

from audit import AuditEvent, AuditLog
from consent import events, store
from consent.answers import HistoryPage, Link, Recorded, RelationState, Resolved, SubjectState
from consent.catalogue.catalogue import Catalogue, Shown
from consent.catalogue.declarations import Declarations
from consent.catalogue.publishing import Publisher
from consent.choices.confirmations import Confirmations
from consent.choices.expiry import Expiry
from consent.choices.past import Past
from consent.choices.record import Payload
from consent.choices.recording import IssuerOf, Recorder, acts_on, check_form, check_notice, refuses_all
from consent.choices.signals import Signals
from consent.choices.undoing import Undoing
from consent.choices.unsubscribing import Unsubscribing
from consent.errors import NoSubject
from consent.laws.minority import demand_guardian
from consent.model import Act, Assurance, Evidence, Identifier, PersonState, Submission
from consent.packing import unpack
from consent.people.census import Census
from consent.people.codes import Codes
from consent.people.doubting import Doubting
from consent.people.facts import Facts
from consent.people.forgetting import Forgetter, Forgotten
from consent.people.guardians import as_recorded
from consent.people.identifier_kinds import KindsOf, built_in_kinds
from consent.people.identities import Identities
from consent.people.links import Links
from consent.people.people import People, Person, ids_of
from consent.people.remains import Remains
from consent.people.unlinking import Unlinking
from consent.preferences.preferences import PreferenceBook
from consent.receipts.receipt import ReceiptPress
from sayso.kernel import Indexer, Invalid, Permit, Sealer, Signer, Tx, Work, text


class ConsentRegistry:
    """The registry of all tenants."""

    def __init__(
        self,
        audit: AuditLog,
        sealer: Sealer,
        indexer: Indexer,
        signer: Signer,
        issuer: IssuerOf,
        kinds: KindsOf = built_in_kinds,
    ) -> None:
        """For a tenant, `issuer` tells in whose name receipts are given, `kinds` which types of identifiers there
        are.
        """
        self._audit = audit
        self.publisher = Publisher(audit)
        self._people = People(sealer, indexer, kinds)
        self.receipts = ReceiptPress(signer)
        self._recorder = Recorder(audit, sealer, self._people, self.receipts, issuer)
        self.signals = Signals(self._people, self._recorder)
        self.preferences = PreferenceBook(audit, sealer, self._people)
        self._past = Past(audit, sealer, self._people)
        self.facts = Facts(audit, self._people)
        self.undoing = Undoing(self._past, self._people, self._recorder)
        self.unsubscribing = Unsubscribing(sealer, self._people, self._recorder, self.undoing)
        self._forgetter = Forgetter(audit, sealer, self._people)
        self.expiry = Expiry(audit, self._people)
        self.census = Census()
        self.doubting = Doubting(audit, sealer)
        self.remains = Remains(audit)
        self.codes = Codes(self._people)
        self.identities = Identities(audit, sealer, self._people, self.codes)
        self.unlinking = Unlinking(audit, sealer, self._people)
        self.confirmations = Confirmations(audit, self._people, self.codes, self._recorder)
        self._links = Links(audit, self._people, self.codes)

    # the catalogue

    def publish(self, tx: Tx, declared: Declarations) -> Work[Catalogue]:
        """What a manifest leads to; new versions are written and entered in the log. A cold unit of `sayso apply`.

        Raises `ManifestError` when it would change what is published. Plans and counts: `self.publisher`.
        """
        return (yield from self.publisher.publish(tx, declared)).catalogue

    # people

    def resolve(self, tx: Tx, identifier: Identifier, *, create: bool) -> Work[Resolved]:
        """The person behind an identifier; on first sight a new one, if `create`. Raises `NoSubject`."""
        person = yield from self._seen(tx, identifier, create)
        return Resolved(text("sub", person.root), str(person.root_aid))

    def ids(self, tx: Tx, subject: bytes) -> Work[tuple[bytes, ...]]:
        """Every id of the person, the one that stands for them first; none for one unknown or erased."""
        state = yield from self.person(tx, subject)
        return ids_of(subject, state) if state is not None and not state.erased_at else ()

    def person(self, tx: Tx, subject: bytes) -> Work[PersonState | None]:
        """The state that decides, a tombstone for one erased, None for one unknown."""
        (row,) = yield (tx.get(store.PERSON, subject),)
        return unpack(row[3]) if row is not None else None

    # choices

    def record(self, tx: Tx, catalogue: Catalogue, submission: Submission) -> Work[Recorded]:
        """Record choices on a notice. An identifier nobody has makes a new person.

        Raises `Invalid` (`UnknownPurpose`, `PurposeNotInNotice`, `UnknownNotice`, `UnknownLocale`), `StaleNotice`,
        `TooLarge`, `NoSubject`.
        """
        shown = _checked(catalogue, submission, tx.context.at)
        person = yield from self._whose(tx, submission)
        if submission.indicated_by or person.state.minority is not None:
            submission = yield from as_recorded(tx, person.state, submission)
            demand_guardian(person.state, submission, tx.context.at, catalogue)
        return self._recorder.enter(tx, catalogue, person, submission, shown, events.RECORDED)

    def choose(self, tx: Tx, catalogue: Catalogue, submission: Submission) -> Work[Recorded]:
        """As `record`, for a browser that names its device: one that refuses everything and is unknown stays unknown.

        Record and receipt then name nobody (design 6.7).
        """
        shown = _checked(catalogue, submission, tx.context.at)
        if submission.identifier is None:
            raise Invalid("no-device", "A browser names its device.")
        person = yield from self._people.known(tx, submission.identifier)
        if person is None and not refuses_all(submission):
            person = yield from self._people.first_sight(tx, submission.identifier)
        if person is not None and person.state.minority is not None:
            demand_guardian(person.state, submission, tx.context.at, catalogue)
        return self._recorder.enter(tx, catalogue, person, submission, shown, events.RECORDED)

    def withdraw(
        self,
        tx: Tx,
        catalogue: Catalogue,
        subject: bytes,
        purposes: Sequence[str] | Literal["all"],
        *,
        method: str = "api",
        assurance: Assurance = "session",
        occurred_at: int | None = None,
        evidence: Evidence | None = None,
        indicated_by: bytes = b"",
        undoable: bool = False,
    ) -> Work[Recorded]:
        """Withdraw from purposes, asked or not. `"all"`: every purpose that a no can block. `undoable`: for a day the
        person can take it back (`undoing`). `indicated_by` is the recorded guardian who said it for a child. Raises
        `UnknownPurpose`, `NotAGuardian`.
        """
        how = (method, assurance, occurred_at, evidence, indicated_by)
        act = self._act(tx, catalogue, subject, purposes, "withdrawn", events.WITHDRAWN, how, undoable=undoable)
        return (yield from act)

    def object_to(
        self,
        tx: Tx,
        catalogue: Catalogue,
        subject: bytes,
        purposes: Sequence[str] | Literal["all"],
        *,
        method: str = "api",
        assurance: Assurance = "session",
        occurred_at: int | None = None,
        evidence: Evidence | None = None,
        indicated_by: bytes = b"",
    ) -> Work[Recorded]:
        """Object (GDPR, Art. 21). As `withdraw`, and kept beside the status until `reconsider`."""
        how = (method, assurance, occurred_at, evidence, indicated_by)
        return (yield from self._act(tx, catalogue, subject, purposes, "objected", events.OBJECTED, how))

    def reconsider(
        self,
        tx: Tx,
        catalogue: Catalogue,
        subject: bytes,
        purposes: Sequence[str] | Literal["all"],
        *,
        method: str = "api",
        assurance: Assurance = "session",
        indicated_by: bytes = b"",
    ) -> Work[Recorded]:
        """Take objections back, at these purposes and below. Gives no consent; a refusal said before stands again."""
        how = (method, assurance, None, None, indicated_by)
        return (yield from self._act(tx, catalogue, subject, purposes, "reconsidered", events.RECONSIDERED, how))

    # reading

    def state(
        self, tx: Tx, catalogue: Catalogue, subject: bytes, as_of: int | None = None, known_at: int | None = None
    ) -> Work[SubjectState]:
        """Where the person stands on every purpose; with a time, a cold unit. See `past.py`."""
        return (yield from self._past.state(tx, catalogue, subject, as_of, known_at))

    def history(
        self, tx: Tx, subject: bytes, permit: Permit | None = None, *, cursor: str | None = None, limit: int = 50
    ) -> Work[HistoryPage]:
        """A page of opened records, newest first. Cold; writes an entry when a person reads their own without a
        permit.
        """
        return (yield from self._past.history(tx, subject, permit, cursor=cursor, limit=limit))

    def receipt(self, tx: Tx, record: bytes) -> Work[str]:
        """The receipt of a record (compact JWS). Raises `NoRecord`."""
        return (yield from self._past.receipt(tx, record))

    def opened(self, tx: Tx, record: bytes) -> Work[tuple[Payload, bytes | None]]:
        """One record, opened, and the person it is about, if it names one. Raises `NoRecord`."""
        return (yield from self._past.opened(tx, record))

    # facts that decide

    def relate(
        self,
        tx: Tx,
        catalogue: Catalogue,
        subject: bytes,
        ref: str,
        kind: Literal["contract", "case", "public_task"],
        purposes: Sequence[str] = (),
        start: int | None = None,
        until: int | None = None,
        source: str = "",
    ) -> Work[RelationState]:
        """Record or replace a relation, on which the bases contract and public task rest."""
        return (yield from self.facts.relate(tx, catalogue, subject, ref, kind, purposes, start, until, source))

    def place(self, tx: Tx, subject: bytes, code: str, source: str) -> Work[str]:
        """Record a jurisdiction of the person and how it is known; returns the entry."""
        return (yield from self.facts.place(tx, subject, code, source))

    def restrict(self, tx: Tx, subject: bytes, *, on: bool) -> Work[str]:
        """Place or lift the restriction of processing; returns the entry."""
        return (yield from self.facts.restrict(tx, subject, on=on))

    def hold(
        self, tx: Tx, subject: bytes, *, on: bool, ids: Collection[bytes] | None = None
    ) -> Work[tuple[bytes, ...]]:
        """Add or end one legal hold over the person, by default under every id of theirs; returns those ids."""
        return (yield from self.facts.hold(tx, subject, on=on, ids=ids))

    # erasure, links

    def forget(
        self, tx: Tx, subject: bytes, permit: Permit, *, suppress_until: int | None, proof_until: int
    ) -> Work[Forgotten]:
        """Erase the person from the registry; to be followed by the shredding of their keys but `proof`. Cold.

        `suppress_until` None: nobody asked for it, so no identifier is suppressed.
        """
        return (
            yield from self._forgetter.forget(
                tx, subject, permit, suppress_until=suppress_until, proof_until=proof_until
            )
        )

    def forget_again(self, tx: Tx, subject: bytes, *, suppress_until: int) -> Work[bool]:
        """Erase once more somebody who was erased, whom a restored copy of the database shows again. Cold. False for
        someone unknown or erased.
        """
        return self._forgetter.forget_again(tx, subject, suppress_until)

    def create_link(self, tx: Tx, subject: bytes, ttl_s: int, assurance: Assurance = "link") -> Work[Link]:
        """A one-time code for the preference page. `session`: whoever asks for it has the person signed in."""
        return (yield from self._links.create(tx, subject, ttl_s, assurance))

    def redeem_link(self, tx: Tx, code: str) -> Work[tuple[bytes, Assurance]]:
        """The person behind a code, once, and what the code vouches for. Raises `LinkUnusable`."""
        return (yield from self._links.redeem(tx, code))

    def sign_in(self, tx: Tx, who: bytes | Identifier, client: str, *, create: bool = False) -> Work[bytes]:
        """A client of the brand vouches that this person is signed in there. Raises `NoSubject`."""
        person = yield from self._people.find(tx, who) if isinstance(who, bytes) else self._seen(tx, who, create)
        self._audit.append(
            tx, AuditEvent(events.PERSON_SIGNED_IN, "ok", {"client": client}, person.subject), person.key
        )
        return person.subject

    def _seen(self, tx: Tx, identifier: Identifier, create: bool) -> Work[Person]:
        person = yield from self._people.known(tx, identifier)
        if person is None:
            if not create:
                raise NoSubject
            person = yield from self._people.first_sight(tx, identifier)
            self._people.save(tx, person, person.state, person.since)
            event = AuditEvent(events.PERSON_CREATED, "ok", {"kind": identifier.type}, person.subject)
            self._audit.append(tx, event, person.key)
            tx.publish(events.PERSON_CREATED, person.subject, b"")
        return person

    def _whose(self, tx: Tx, submission: Submission) -> Work[Person]:
        if submission.subject is not None:
            return (yield from self._people.find(tx, submission.subject))
        if submission.identifier is None:
            raise NoSubject
        return (yield from self._people.of(tx, submission.identifier))

    def _act(
        self,
        tx: Tx,
        catalogue: Catalogue,
        subject: bytes,
        purposes: Sequence[str] | Literal["all"],
        act: Act,
        event: str,
        how: tuple[str, Assurance, int | None, Evidence | None, bytes],
        *,
        undoable: bool = False,
    ) -> Work[Recorded]:
        person = yield from self._people.find(tx, subject)
        method, assurance, occurred_at, evidence, indicated_by = how
        submission = Submission(
            choices=acts_on(catalogue, person.state, purposes, act),
            method=method,
            assurance=assurance,
            subject=subject,
            occurred_at=occurred_at,
            evidence=evidence or {},
            indicated_by=indicated_by,
            undoable=undoable,
        )
        check_form(submission, tx.context.at)
        if indicated_by:
            submission = yield from as_recorded(tx, person.state, submission)
            demand_guardian(person.state, submission, tx.context.at, catalogue)
        return self._recorder.enter(tx, catalogue, person, submission, Shown(), event)


def _checked(catalogue: Catalogue, submission: Submission, at: int) -> Shown:
    if any(act not in ("granted", "refused") for act in submission.choices.values()):
        raise Invalid("invalid-choice", "A choice on a notice is granted or refused.")
    return check_notice(catalogue, submission, at)
