"""Everybody's shape in columns: the read model that answers for a million people at once.

A row is a person: number (`aid`), id, frame, a stand for each purpose, the instant until which these hold. A question
is decided once for each pair of a frame and a stand that occurs among those asked about, by the very engine that
decides for one person, and then looked up for each.

The columns know no database and no clock of their own: `crowds.py` keeps them as new as the question wants.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from consent import PersonState, path, unpack
from policies.audiences.aids import Aids
from policies.audiences.shapes import FAR, StandKey, framed, joined, shape, stood
from policies.questions import Decision, Question

Places = NDArray[np.int64]
"""Rows of the columns; -1 for somebody who has none."""

Row = tuple[bytes, int, bytes]
"""Subject, number, packed state."""

NOBODY: Final = 0
"""The code of whoever has no row."""

READ: Final = 1
"""The code of whoever has to be read: their row says more than their shape."""

_FEW: Final = 1 << 22
"""Pairs of a frame and a stand up to which they are counted in a table; above, they are sorted."""

_MOST_SHAPES: Final = 65_535
_UNSHAPED: Final = 0
_FIRST_ROOM: Final = 1_024
_COLUMNS: Final = ("_aid", "_subject", "_until", "_changed", "_moved", "_frame", "_stand")
_MOST_FRESH: Final = 65_536
_SUBJECT: Final = np.dtype("V16")


class Codes(Struct, frozen=True):
    """What came of a question: for each person asked about a number that stands for a decision in `table`."""

    codes: NDArray[np.uint16]
    table: list[Decision]
    shapes: list[PersonState]
    """One person for each shape that was decided."""


class _Shapes:
    """Shapes by number; 0 is none."""

    def __init__(self, build: Callable[[Any], PersonState]) -> None:
        self._numbers: dict[Any, int] = {}
        self._build = build
        self.states: list[PersonState] = [PersonState()]

    def number(self, key: Any) -> int:
        """The number of a shape, given now if it is new. 0 when there are too many."""
        found = self._numbers.get(key)
        if found is None:
            if len(self.states) > _MOST_SHAPES:
                return _UNSHAPED
            found = self._numbers[key] = len(self.states)
            self.states.append(self._build(key))
        return found


class Columns:
    """The columns of one tenant, for the purposes that were declared when they were made.

    `position` is that of the feed up to which every change is in them, `clock` the newest instant at which anybody was
    looked at: what is asked about an earlier one has no answer here. Rows are added and replaced in the event loop;
    `decide` may run beside it in a thread as long as nobody changes them (`Crowds` holds a lock).
    """

    def __init__(self, purposes: Iterable[str], position: int) -> None:
        self.purposes = tuple(purposes)
        self.position = position
        self.clock = 0
        self._paths = tuple(path(purpose) for purpose in self.purposes)
        self._column = {purpose: place for place, purpose in enumerate(self.purposes)}
        self._frames = _Shapes(framed)
        self._stands = tuple(_Shapes(_builder(nodes)) for nodes in self._paths)
        self._size = 0
        self._aid = np.zeros(0, np.uint64)
        self._subject = np.zeros(0, _SUBJECT)
        self._until = np.zeros(0, np.int64)
        self._changed = np.zeros(0, np.int64)
        self._moved = np.zeros(0, np.int64)
        self._frame = np.zeros(0, np.uint16)
        self._stand = np.zeros((len(self._paths), 0), np.uint16)
        self._by_aid = _Sorted()
        self._by_subject = _Sorted()

    def __len__(self) -> int:
        return len(self._by_aid)

    @property
    def nbytes(self) -> int:
        """Bytes that the columns take."""
        held: list[NDArray[Any]] = [getattr(self, name) for name in _COLUMNS]
        return sum(each.nbytes for each in held) + self._by_aid.nbytes + self._by_subject.nbytes

    # rows

    def add(self, rows: Iterable[Row], at: int) -> None:
        """Rows of people who are not in the columns yet."""
        self.clock = max(self.clock, at)
        for subject, aid, packed in rows:
            state = unpack(packed)
            if aid and not state.erased_at:
                self._enter(subject, aid, state, at)

    def replace(self, subjects: Sequence[bytes], rows: Sequence[Row | None], at: int, position: int) -> None:
        """People as they are now, known or not; None and erased people leave. `position`: where the feed tells of it;
        0 where it was time that changed them.
        """
        self.clock = max(self.clock, at)
        for place, subject, row in zip(self.places_of(subjects).tolist(), subjects, rows, strict=True):
            state = unpack(row[2]) if row is not None else None
            gone = row is None or state is None or state.erased_at
            if place >= 0 and (gone or row[1] != self._aid[place]):  # type: ignore[index]
                self._leave(place)
                place = -1
            if gone:
                continue
            assert row is not None
            assert state is not None
            if place < 0:
                place = self._enter(subject, row[1], state, at)
            else:
                self._put(place, state, at)
            if position:
                self._changed[place] = position
            else:
                self._moved[place] = at

    def ended(self, among: Places, at: int) -> list[bytes]:
        """Those among these people whose shape no longer holds at an instant."""
        known = among[among >= 0]
        return self.subjects(known[self._until[known] <= at])

    # finding

    def places(self, aids: Aids) -> Places:
        """The rows of people by ascending numbers."""
        keys, rows = self._by_aid.settled()
        if not keys.size:
            return np.full(aids.size, -1, np.int64)
        found = np.minimum(np.searchsorted(keys, aids), keys.size - 1)
        return np.where(keys[found] == aids, rows[found], -1)

    def places_of(self, subjects: Sequence[bytes]) -> Places:
        """The rows of people by their ids, in any order."""
        places = np.full(len(subjects), -1, np.int64)
        keys, rows = self._by_subject.settled()
        if not keys.size or not subjects:
            return places
        asked = _halves(np.frombuffer(b"".join(subjects), _SUBJECT))
        # The low half of an id is random: nearly always one person has it, and the high half says if it is that one.
        low = asked[:, 1].astype(np.uint64)
        turn = np.argsort(low)
        found = np.empty(len(subjects), np.int64)
        found[turn] = np.searchsorted(keys, low[turn])
        left = np.flatnonzero(found < keys.size)
        while left.size:
            left = left[keys[found[left]] == low[left]]
            here = rows[found[left]]
            hit = _halves(self._subject[here])[:, 0] == asked[left, 0]
            places[left[hit]] = here[hit]
            left = left[~hit]
            found[left] += 1
            left = left[found[left] < keys.size]
        return places

    def numbers_of(self, subjects: Sequence[bytes]) -> NDArray[np.uint64]:
        """The number of each of these people, 0 of somebody unknown."""
        places = self.places_of(subjects)
        if not self._size:
            return np.zeros(places.size, np.uint64)
        return np.where(places >= 0, self._aid[places], np.uint64(0))

    def everybody(self) -> Aids:
        """The numbers of all people, ascending."""
        return self._by_aid.settled()[0]

    def subjects(self, places: Places) -> list[bytes]:
        """The ids of people by their rows."""
        raw = self._subject[places].tobytes()
        return [raw[first : first + 16] for first in range(0, len(raw), 16)]

    def changed_after(self, places: Places, position: int, at: int) -> NDArray[np.bool_]:
        """Whose row changed behind a position of the feed, or whose shape time may have changed after an instant.
        Somebody without a row or without a shape changed in any case.
        """
        if not self._size:
            return np.ones(places.size, np.bool_)
        unshaped: NDArray[np.bool_] = self._frame[places] == _UNSHAPED
        unshaped = unshaped | (self._stand[:, places] == _UNSHAPED).any(axis=0)
        return (places < 0) | unshaped | (self._changed[places] > position) | (self._moved[places] > at)

    def next_end(self, places: Places, until: int) -> Places:
        """Those among these whose shape ends before an instant, the first to end first."""
        known = places[places >= 0]
        ends = self._until[known]
        soon = ends < until
        return known[soon][np.argsort(ends[soon], kind="stable")]

    def end_of(self, place: int) -> int:
        """The instant until which a person's shape holds."""
        return int(self._until[place])

    # deciding

    def decide(self, question: Question, places: Places, decide: Callable[[PersonState | None], Decision]) -> Codes:
        """The decision for each of these people; `decide` is asked once for each of their shapes."""
        table = [decide(None), Decision(False, "no_subject")]
        column = self._column.get(question.purpose or "")
        if not self._size or not places.size:
            return Codes(np.zeros(places.size, np.uint16), table, [])
        shapes: list[PersonState] = []
        stand = self._stand[column] if column is not None else None
        width = len(self._stands[column].states) if column is not None else 1
        pairs = self._frame[places].astype(np.int64) * width
        if stand is not None:
            pairs += stand[places]
        pairs += width
        pairs[places < 0] = 0
        space = (len(self._frames.states) + 1) * width
        if space <= max(_FEW, places.size):
            present = np.flatnonzero(np.bincount(pairs, minlength=space))
            found = np.zeros(space, np.uint16)
            found[present] = self._outcomes(present, width, column, question, table, shapes, decide)
            return Codes(found[pairs], table, shapes)
        present, turn = np.unique(pairs, return_inverse=True)
        found = self._outcomes(present, width, column, question, table, shapes, decide)
        return Codes(found[turn], table, shapes)

    def _outcomes(
        self,
        present: Places,
        width: int,
        column: int | None,
        question: Question,
        table: list[Decision],
        shapes: list[PersonState],
        decide: Callable[[PersonState | None], Decision],
    ) -> NDArray[np.uint16]:
        """A code for each pair; a decision that the table lacks is added to it."""
        known: dict[tuple[object, ...], int] = {}
        codes = np.zeros(present.size, np.uint16)
        for nth, pair in enumerate(present.tolist()):
            frame, stand = divmod(pair - width, width)
            if pair < width:
                continue
            if frame == _UNSHAPED or (column is not None and stand == _UNSHAPED):
                codes[nth] = READ
                continue
            person = self._frames.states[frame]
            if column is not None:
                person = joined(person, self._stands[column].states[stand])
            if person.contact is not None and question.channel in person.contact.caps:
                codes[nth] = READ
                continue
            shapes.append(person)
            decision = decide(person)
            name = (decision.allowed, decision.reason, decision.rule, decision.basis)
            if name not in known:
                known[name] = len(table)
                table.append(decision)
            codes[nth] = known[name]
        return codes

    # the columns themselves

    def _enter(self, subject: bytes, aid: int, state: PersonState, at: int) -> int:
        if self._size == self._aid.size:
            self._grow()
        place = self._size
        self._size += 1
        self._aid[place] = aid
        self._subject[place] = np.void(subject)
        self._changed[place] = self.position
        # Nobody saw what time did to them before.
        self._moved[place] = at
        self._by_aid.add(aid, place)
        self._by_subject.add(int.from_bytes(subject[8:], "big"), place)
        self._put(place, state, at)
        return place

    def _put(self, place: int, state: PersonState, at: int) -> None:
        found = shape(state, self._paths, at)
        if found is None:
            self._frame[place], self._until[place] = _UNSHAPED, FAR
            return
        self._frame[place], self._until[place] = self._frames.number(found.frame), found.until
        for column, key in enumerate(found.stands):
            self._stand[column, place] = self._stands[column].number(key)

    def _leave(self, place: int) -> None:
        self._by_aid.drop(place)
        self._by_subject.drop(place)
        self._aid[place] = 0
        self._subject[place] = np.void(bytes(16))
        self._until[place] = FAR

    def _grow(self) -> None:
        room = max(_FIRST_ROOM, self._size + self._size // 8)
        for name in _COLUMNS:
            held = getattr(self, name)
            grown = np.zeros((*held.shape[:-1], room), held.dtype)
            grown[..., : self._size] = held
            setattr(self, name, grown)


class _Sorted:
    """Keys in order, each with its place in the columns. What comes and goes is worked in when somebody looks."""

    __slots__ = ("_fresh", "_gone", "_keys", "_places")

    def __init__(self) -> None:
        self._keys = np.zeros(0, np.uint64)
        self._places = np.zeros(0, np.int64)
        self._fresh: dict[int, int] = {}
        self._gone: set[int] = set()

    def __len__(self) -> int:
        return int(self._keys.size) + len(self._fresh) - len(self._gone)

    @property
    def nbytes(self) -> int:
        return self._keys.nbytes + self._places.nbytes

    def add(self, key: int, place: int) -> None:
        self._fresh[place] = key
        if len(self._fresh) == _MOST_FRESH:
            self.settled()

    def drop(self, place: int) -> None:
        if self._fresh.pop(place, None) is None:
            self._gone.add(place)

    def settled(self) -> tuple[NDArray[np.uint64], Places]:
        """The keys, ascending, and their places."""
        if self._gone:
            kept = ~np.isin(self._places, np.fromiter(self._gone, np.int64))
            self._keys, self._places = self._keys[kept], self._places[kept]
            self._gone.clear()
        if self._fresh:
            places = np.fromiter(self._fresh, np.int64)
            keys = np.fromiter(self._fresh.values(), np.uint64)
            order = np.argsort(keys)
            keys, places = keys[order], places[order]
            where = np.searchsorted(self._keys, keys)
            self._keys, self._places = np.insert(self._keys, where, keys), np.insert(self._places, where, places)
            self._fresh.clear()
        return self._keys, self._places


def _builder(nodes: tuple[str, ...]) -> Callable[[StandKey], PersonState]:
    return lambda key: stood(key, nodes)


def _halves(subjects: NDArray[Any]) -> NDArray[np.uint64]:
    return np.ascontiguousarray(subjects).view(">u8").reshape(-1, 2)
