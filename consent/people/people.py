"""Who is meant: a person by id or by identifier, with the state and the key that every call about them needs.

Identifiers are kept only as blind tags. The first sight of one claims its tag with a ready-made `sub_`; of racing first
sights the tag's primary key lets one through, and the others are run again and find it.
"""

import os

from msgspec import Struct

from consent.errors import NoSubject
from consent.events import PERSON_CHANGED
from consent.model import Identifier, PersonState
from consent.packing import pack, unpack
from consent.people.identifier_kinds import KindsOf, built_in_kinds
from consent.store import AID, IDENTIFIER, IDENTIFIER_OF, PERSON, SUPPRESSION
from sayso.kernel import Indexer, Key, Sealer, Tx, Values, Work, bucket_of, new_raw


class Other(Struct, frozen=True):
    """Another id of the same person, and its stored row."""

    subject: bytes
    bucket: int
    row: Values


class Person(Struct, frozen=True):
    """A living person, as read in this unit. `row` is the stored row, None for one who was first seen just now.

    Of people who were merged (`identities.py`) each keeps the id, the key and the records that they came with, so that
    merging can be undone: `subject`, `key` and `row` are of the id that was named, `others` the rows of the rest. The
    state is that of all.
    """

    subject: bytes
    bucket: int
    key: Key
    aid: int
    since: int
    state: PersonState
    row: Values | None
    others: tuple[Other, ...] = ()

    @property
    def root(self) -> bytes:
        """The id that stands for the person: the named one, or of those merged the one that stayed."""
        return self.state.family.root if self.state.family is not None else self.subject

    @property
    def root_aid(self) -> int:
        """The number of that id in audience lists."""
        return next((other.row[1] for other in self.others if other.subject == self.root), self.aid)

    @property
    def ids(self) -> tuple[bytes, ...]:
        """Every id of the person, the one that stands for them first."""
        return ids_of(self.subject, self.state)

    @property
    def new(self) -> bool:
        return self.row is None

    def as_other(self) -> Other:
        """The named id's own row, as the others are held. Not of somebody new."""
        assert self.row is not None
        return Other(self.subject, self.bucket, self.row)

    def next_since(self, at: int) -> int:
        """The instant of this person's next choice: now, and later than the last by a microsecond at least."""
        return max(at, self.since + 1)


class People:
    """Finds people and makes new ones. Everything here is part of a caller's unit of work."""

    def __init__(self, sealer: Sealer, indexer: Indexer, kinds: KindsOf = built_in_kinds) -> None:
        self._sealer = sealer
        self._indexer = indexer
        self._kinds = kinds

    def find(self, tx: Tx, subject: bytes) -> Work[Person]:
        """The person. Raises `NoSubject` for one unknown or erased."""
        bucket = bucket_of(tx.context.tenant, subject)
        row, wrapped = yield (tx.get(PERSON, subject, bucket=bucket), self._sealer.read(tx, subject))
        if row is None:
            raise NoSubject
        state = unpack(row[3])
        key = self._sealer.unwrap(tx.context.tenant, subject, "log", wrapped)
        if state.erased_at or key is None:
            raise NoSubject
        others = (yield from self._others(tx, subject, state)) if state.family is not None else ()
        return Person(subject, bucket, key, row[1], row[2], state, row, others)

    def _others(self, tx: Tx, subject: bytes, state: PersonState) -> Work[tuple[Other, ...]]:
        """The rows of the other ids. One that is missing was split off while this unit read: its row will say so."""
        ids = [each for each in ids_of(subject, state) if each != subject]
        rows = yield tuple(tx.get(PERSON, each) for each in ids)
        tenant = tx.context.tenant
        return tuple(
            Other(each, bucket_of(tenant, each), row) for each, row in zip(ids, rows, strict=True) if row is not None
        )

    def known(self, tx: Tx, identifier: Identifier) -> Work[Person | None]:
        """The person behind an identifier, or None. Raises `Invalid` for a value that is none of its type."""
        (claimed,) = yield (tx.get(IDENTIFIER, self.tag(tx.context.tenant, identifier)),)
        return None if claimed is None else (yield from self.find(tx, claimed[0]))

    def first_sight(self, tx: Tx, identifier: Identifier) -> Work[Person]:
        """A new person behind an identifier that nobody has. To be `save`d by the caller.

        The identifier may be one of someone erased: then no grant counts until that suppression ends.
        """
        tenant, at = tx.context.tenant, tx.context.at
        tag, suppression = self.tags(tenant, identifier)
        (suppressed,) = yield (tx.get(SUPPRESSION, suppression),)
        until = suppressed[2] if suppressed is not None else 0
        return self.fresh(
            tx, tag, identifier.type, suppression, PersonState(suppressed_until=until if until > at else 0)
        )

    def fresh(self, tx: Tx, tag: bytes, kind: str, suppression: bytes, state: PersonState) -> Person:
        """A new person to whom the identifier of this tag leads. To be `save`d by the caller."""
        tenant, subject = tx.context.tenant, new_raw()
        aid = int.from_bytes(os.urandom(8), "big") >> 1
        tx.insert(IDENTIFIER, tag, subject, kind, tx.context.at)
        tx.insert(IDENTIFIER_OF, subject, tag, kind, suppression)
        tx.insert(AID, aid.to_bytes(8, "big"), subject)
        key = self._sealer.create(tx, subject)
        return Person(subject, bucket_of(tenant, subject), key, aid, 0, state, None)

    def tag(self, tenant: str, identifier: Identifier) -> bytes:
        """The tag that the identifier is found by. Raises `Invalid` as `tags` does."""
        kind, scope = self._kinds(tenant).place(identifier.type)
        return self._indexer.tag(tenant, kind, identifier.value, f"identifier{scope}")

    def tags(self, tenant: str, identifier: Identifier) -> tuple[bytes, bytes]:
        """The tag that the identifier is found by, and the one that stands in its place after an erasure.

        Raises `Invalid` for a type that is not known here, or a value that is none of its type.
        """
        kind, scope = self._kinds(tenant).place(identifier.type)
        tag = self.tag(tenant, identifier)
        return tag, self._indexer.tag(tenant, kind, identifier.value, f"suppression{scope}")

    def of(self, tx: Tx, identifier: Identifier) -> Work[Person]:
        """The person behind an identifier, made if need be."""
        person = yield from self.known(tx, identifier)
        return person if person is not None else (yield from self.first_sight(tx, identifier))

    def save(self, tx: Tx, person: Person, state: PersonState, since: int) -> None:
        """The person's row with a new state, and with it the row of every other id of theirs."""
        version = person.row[0] + 1 if person.row is not None else 1
        packed = pack(state)
        tx.put(PERSON, (person.subject,), (version, person.aid, since, packed), was=person.row, bucket=person.bucket)
        for other in person.others:
            row = other.row
            tx.put(PERSON, (other.subject,), (row[0] + 1, row[1], since, packed), was=row, bucket=other.bucket)
            # Whoever knows the person by that id learns of the change as well.
            tx.publish(PERSON_CHANGED, other.subject, person.subject)


def rewrite(tx: Tx, subject: bytes, row: Values, state: PersonState) -> Work[None]:
    """A person's row with another state and the same choices, and with it the row of every other id of theirs.

    For what is nobody's news: nothing is published. `row` is what this unit read by a single read.
    """
    packed = pack(state)
    tx.put(PERSON, (subject,), (row[0] + 1, row[1], row[2], packed), was=row)
    ids = [each for each in ids_of(subject, state) if each != subject]
    others = (yield tuple(tx.get(PERSON, each) for each in ids)) if ids else ()
    for each, other in zip(ids, others, strict=True):
        if other is not None:
            tx.put(PERSON, (each,), (other[0] + 1, other[1], other[2], packed), was=other)


def held_by(subject: bytes, state: PersonState) -> dict[bytes, int]:
    """How many legal holds are over each id of the person that `subject` names; ids without any are left out."""
    if state.family is not None:
        return dict(state.family.held)
    return {subject: state.held} if state.held else {}


def ids_of(subject: bytes, state: PersonState) -> tuple[bytes, ...]:
    """Every id of the person that `subject` names, the one that stands for them first."""
    family = state.family
    return (family.root, *family.aliases) if family is not None else (subject,)
