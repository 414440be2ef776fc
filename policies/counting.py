"""Counts what is permitted against the caps of the people it is about, in the unit of work that writes the entry.

A permit to `use` data over a channel is one message. A person's row is written only if they capped that channel, and
only from a single read, which holds it to what it was: of racing questions each sees what the one before it was given.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from consent import PERSON, Contact, PersonState, Use, counted, given_back, ids_of, rewrite, unpack
from policies.decide import Inquiry
from policies.people import Person, state_at
from policies.questions import Decision
from sayso.kernel import Tx, Values, Work


class _Held(Struct):
    """A person whose messages are counted: one of their ids, its row, and the state as counted so far."""

    subject: bytes
    row: Values
    state: PersonState
    touched: bool = False


class Uses:
    """The counting of one entry: `read` people first, `count` in the order of the questions, `write` at the end."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._root: dict[bytes, bytes] = {}
        self._aid: dict[bytes, int] = {}
        self._held: dict[bytes, _Held] = {}

    def read(self, subjects: Iterable[bytes]) -> Work[None]:
        """Read people so that their rows may be written. Two ids of one person are one person here."""
        wanted = [each for each in dict.fromkeys(subjects) if each not in self._root]
        rows = yield tuple(self._tx.get(PERSON, each) for each in wanted)
        for subject, row in zip(wanted, rows, strict=True):
            self.hold(subject, row)

    def hold(self, subject: bytes, row: Values | None) -> None:
        """Somebody whose row the caller has read, by a single read."""
        state = unpack(row[3]) if row is not None else None
        root = self._root[subject] = subject if state is None else ids_of(subject, state)[0]
        if row is not None and state is not None:
            self._aid[subject] = row[1]
            self._held.setdefault(root, _Held(subject, row, state))

    def __contains__(self, subject: bytes) -> bool:
        return subject in self._root

    def person(self, subject: bytes) -> Person | None:
        """Somebody who was read, as counted so far; None for one who is gone."""
        held = self._held.get(self._root[subject])
        return None if held is None or held.state.erased_at else Person(self._aid[subject], held.state)

    def count(self, subject: bytes, channel: str, client: str) -> None:
        """One message more for somebody who was read."""
        held = self._held[self._root[subject]]
        contact = held.state.contact
        assert contact is not None
        # The entry has no id before everything is decided: `write` puts it in.
        use = Use(self._tx.context.at, b"", client)
        held.state, held.touched = replace(held.state, contact=counted(contact, channel, use)), True

    def restart(self) -> None:
        """Nobody was counted yet: the questions are gone through anew."""
        for held in self._held.values():
            held.state, held.touched = unpack(held.row[3]), False

    def write(self, entry: bytes) -> Work[None]:
        """Keep what was counted, as permitted by this entry (16 bytes)."""
        for held in self._held.values():
            contact = held.state.contact
            if held.touched and contact is not None:
                state = replace(held.state, contact=_named(contact, entry))
                yield from rewrite(self._tx, held.subject, held.row, state)


def capped_among(
    inquiry: Inquiry, subjects: Sequence[bytes | None], rows: Sequence[Values | None], decisions: Sequence[Decision]
) -> list[tuple[int, bytes, str]]:
    """Those of many who are permitted and have a cap on the channel: place, id, channel."""
    if not inquiry.may_count:
        return []
    found = []
    for place, (subject, row, decision) in enumerate(zip(subjects, rows, decisions, strict=True)):
        state = state_at(row, ()) if decision.allowed else None
        channel = inquiry.counts(state) if state is not None else None
        if subject is not None and channel is not None:
            found.append((place, subject, channel))
    return found


def give_back(tx: Tx, subjects: Iterable[bytes], entry: bytes, client: str | None) -> Work[int]:
    """Count what an entry permitted no longer, for these people; returns for how many of them it was counted.

    `client`: only what was permitted to this one; None: to anybody.
    """
    found = 0
    seen: set[bytes] = set()
    wanted = list(dict.fromkeys(subjects))
    rows = yield tuple(tx.get(PERSON, each) for each in wanted)
    for subject, row in zip(wanted, rows, strict=True):
        state = unpack(row[3]) if row is not None else None
        if row is None or state is None or state.contact is None:
            continue
        root = ids_of(subject, state)[0]
        contact = given_back(state.contact, entry, client)
        if contact is not None and root not in seen:
            yield from rewrite(tx, subject, row, replace(state, contact=contact))
            found += 1
        seen.add(root)
    return found


def _named(contact: Contact, entry: bytes) -> Contact:
    uses = {
        channel: tuple(use if use.entry else replace(use, entry=entry) for use in held)
        for channel, held in contact.uses.items()
    }
    return replace(contact, uses=uses)
