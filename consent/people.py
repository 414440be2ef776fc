"""Who is meant: a person by id or by identifier, with the state and the key that every call about them needs.

Identifiers are kept only as blind tags. The first sight of one claims its tag with a ready-made `sub_`; of racing first
sights the tag's primary key lets one through, and the others are run again and find it.
"""

import os

from msgspec import Struct

from consent.errors import NoSubject
from consent.model import Identifier, PersonState, pack, unpack
from consent.store import AID, IDENTIFIER, IDENTIFIER_OF, PERSON, SUPPRESSION
from sayso.kernel import Indexer, Key, Sealer, Tx, Values, Work, bucket_of, new_raw


class Person(Struct, frozen=True):
    """A living person, as read in this unit. `row` is the stored row, None for one who was first seen just now."""

    subject: bytes
    bucket: int
    key: Key
    aid: int
    since: int
    state: PersonState
    row: Values | None

    @property
    def new(self) -> bool:
        return self.row is None

    def next_since(self, at: int) -> int:
        """The instant of this person's next choice: now, and later than the last by a microsecond at least."""
        return max(at, self.since + 1)


class People:
    """Finds people and makes new ones. Everything here is part of a caller's unit of work."""

    def __init__(self, sealer: Sealer, indexer: Indexer) -> None:
        self._sealer = sealer
        self._indexer = indexer

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
        return Person(subject, bucket, key, row[1], row[2], state, row)

    def known(self, tx: Tx, identifier: Identifier) -> Work[Person | None]:
        """The person behind an identifier, or None. Raises `Invalid` for a value that is none of its type."""
        tag = self._indexer.tag(tx.context.tenant, identifier.type, identifier.value)
        (claimed,) = yield (tx.get(IDENTIFIER, tag),)
        return None if claimed is None else (yield from self.find(tx, claimed[0]))

    def first_sight(self, tx: Tx, identifier: Identifier) -> Work[Person]:
        """A new person behind an identifier that nobody has. To be `save`d by the caller.

        The identifier may be one of someone erased: then no grant counts until that suppression ends.
        """
        tenant, at = tx.context.tenant, tx.context.at
        tag = self._indexer.tag(tenant, identifier.type, identifier.value)
        suppression = self._indexer.tag(tenant, identifier.type, identifier.value, "suppression")
        (suppressed,) = yield (tx.get(SUPPRESSION, suppression),)
        until = suppressed[2] if suppressed is not None else 0
        subject = new_raw()
        aid = int.from_bytes(os.urandom(8), "big") >> 1
        tx.insert(IDENTIFIER, tag, subject, identifier.type, at)
        tx.insert(IDENTIFIER_OF, subject, tag, identifier.type, suppression)
        tx.insert(AID, aid.to_bytes(8, "big"), subject)
        key = self._sealer.create(tx, subject)
        state = PersonState(suppressed_until=until if until > at else 0)
        return Person(subject, bucket_of(tenant, subject), key, aid, 0, state, None)

    def of(self, tx: Tx, identifier: Identifier) -> Work[Person]:
        """The person behind an identifier, made if need be."""
        person = yield from self.known(tx, identifier)
        return person if person is not None else (yield from self.first_sight(tx, identifier))

    def save(self, tx: Tx, person: Person, state: PersonState, since: int) -> None:
        """The person's row with a new state."""
        version = person.row[0] + 1 if person.row is not None else 1
        tx.put(
            PERSON, (person.subject,), (version, person.aid, since, pack(state)), was=person.row, bucket=person.bucket
        )
