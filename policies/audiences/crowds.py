"""One question about very many people: decided from columns that are proven fresh, or read row by row.

The columns of a tenant (`columns.py`) are made when the first large question comes, beside the questions. From then on
every question first asks the feed, on the primary, what changed behind the columns' position, and reads those people
anew; positions have no gaps, so a missing one means that the feed no longer reaches back and the columns are made anew.
While there are none, people are read in chunks: slower, and bounded in memory just so.

Nothing here writes. Who may count messages towards somebody's limit has to be decided again in the unit that writes the
entry: those are handed back as `capped`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from consent import PERSON, PersonState, given_back, quiet_edges
from policies.audiences.aids import Aids
from policies.audiences.columns import NOBODY, READ, Codes, Columns, Places, Row
from policies.audiences.judged import TERM, Answers, Judged
from policies.audiences.reads import as_row, changes, head, owners, people, persons
from policies.audiences.store import PEOPLE_BETWEEN
from policies.audiences.turning import first_turn
from policies.decide import Inquiry
from policies.engine import PolicyEngine
from policies.people import state_at
from policies.policy import Policy
from policies.questions import Decision, Question
from sayso.kernel import BUCKETS, SECOND, SYSTEM, Context, Tx, Unit, Work, new_id, now

logger = logging.getLogger("sayso.crowds")

Look = Callable[[Context, Unit[Any]], Awaitable[Any]]
"""Runs a unit that only reads."""

CHUNK: Final = 2_048
"""People read at a time."""

WORTH_COLUMNS: Final = 5_000
"""From so many people asked about, columns are worth having."""

MOST_BRANDS: Final = 8
"""Brands of which columns are kept; of one more, those asked about longest ago go."""

_PAGE: Final = 2_000
_EXAMINED: Final = 1_000
_BACK: Final = 5 * SECOND
_NOBODY: Final = bytes(16)


class _Held:
    """What is kept of one tenant. Whoever reads or changes the columns holds `lock`."""

    __slots__ = ("building", "columns", "lock")

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.columns: Columns | None = None
        self.building: asyncio.Task[None] | None = None


class Crowds:
    """Answers about many people for all tenants of one process."""

    def __init__(self, engine: PolicyEngine, look: Look) -> None:
        self._engine = engine
        self._look = look
        self._held: dict[str, _Held] = {}

    async def judge(
        self,
        context: Context,
        policy: Policy,
        question: Question,
        aids: Aids,
        *,
        unknown: int = 0,
        but: bytes | None = None,
    ) -> Judged:
        """The decision for each of these people, as of now and no older than the call. `unknown`: so many more are
        nobody. `but`: as if nothing had been counted by this entry (16 bytes).
        """
        held = self._of(context.tenant)
        async with held.lock:
            columns = await self._fresh(context, policy, held)
            if columns is not None:
                return replace(await self._from_columns(context, policy, question, aids, columns, but), unknown=unknown)
        if aids.size >= WORTH_COLUMNS:
            self.prepare(context.tenant, policy)
        return replace(await self._from_rows(context, policy, question, aids, but), unknown=unknown)

    def judge_here(
        self, tx: Tx, policy: Policy, question: Question, subjects: Sequence[bytes | None]
    ) -> Work[tuple[Judged, NDArray[np.uint64]]]:
        """The decision for each of a few people, read in the unit that writes the answer; and the number of each, 0 of
        somebody unknown.
        """
        (rows,) = yield (tx.get_each(PERSON, [subject or _NOBODY for subject in subjects]),)
        read = [as_row(subject or _NOBODY, row) for subject, row in zip(subjects, rows, strict=True)]
        numbers = np.array([row[1] if row is not None else 0 for row in read], np.uint64)
        known = np.argsort(numbers)[np.count_nonzero(numbers == 0) :]
        judged = self._answers(policy, question, numbers[known], tx.context.at)
        named = [read[nth] for nth in known.tolist()]
        here = [row[0] for row in named if row is not None]
        self._read(judged, policy.inquiry(question), np.arange(known.size), here, named)
        return judged.whole(tx.head.position, None, len(subjects) - known.size), numbers

    def judge_span(
        self, tx: Tx, policy: Policy, question: Question, first: int, last: int
    ) -> Work[tuple[Judged, dict[int, bytes]]]:
        """The decision for everybody in buckets `first` to `last` - 1; and the id behind each number. Cold."""
        (rows,) = yield (tx.query(PEOPLE_BETWEEN, first=first, last=last),)
        known = sorted((aid, bytes(subject), bytes(state)) for subject, aid, state in rows if aid)
        aids = np.array([aid for aid, _, _ in known], np.uint64)
        judged = self._answers(policy, question, aids, tx.context.at)
        subjects = [subject for _, subject, _ in known]
        read: list[Row | None] = [(subject, aid, state) for aid, subject, state in known]
        self._read(judged, policy.inquiry(question), np.arange(aids.size), subjects, read)
        return judged.whole(tx.head.position, None), dict(zip(aids.tolist(), subjects, strict=True))

    async def numbers(self, context: Context, policy: Policy, subjects: Sequence[bytes | None]) -> NDArray[np.uint64]:
        """The number of each of many people, 0 of somebody unknown."""
        held, named = self._of(context.tenant), [subject or _NOBODY for subject in subjects]
        async with held.lock:
            columns = await self._fresh(context, policy, held)
            if columns is not None:
                return await asyncio.to_thread(columns.numbers_of, named)
        found = np.zeros(len(named), np.uint64)
        for first in range(0, len(named), CHUNK):
            rows = await self._rows(context, named[first : first + CHUNK])
            found[first : first + CHUNK] = [row[1] if row is not None else 0 for row in rows]
            await asyncio.sleep(0)
        return found

    async def changed(self, judged: Judged, tenant: str, position: int, at: int) -> NDArray[np.bool_]:
        """Who of them may have changed behind a position and an instant; everybody where nobody can tell."""
        held = self._of(tenant)
        async with held.lock:
            if judged.places is None or held.columns is None:
                return np.ones(judged.aids.size, np.bool_)
            return held.columns.changed_after(judged.places, position, at)

    def prepare(self, tenant: str, policy: Policy) -> "asyncio.Task[None] | None":
        """Begin to make the columns for questions to come; None where there are some."""
        held = self._of(tenant)
        if held.columns is None and (held.building is None or held.building.done()):
            held.building = asyncio.create_task(self._build(tenant, policy, held), name="sayso-columns")
        return held.building if held.columns is None else None

    @property
    def nbytes(self) -> int:
        """Bytes that all columns take."""
        return sum(held.columns.nbytes for held in self._held.values() if held.columns is not None)

    async def follow(self) -> None:
        """Bring what is kept up to date, so that nobody stays in it for long who is gone."""
        for tenant, held in list(self._held.items()):
            async with held.lock:
                if held.columns is not None and not await self._caught_up(_context(tenant), held.columns):
                    held.columns = None

    async def close(self) -> None:
        """Leave what is being made."""
        for held in self._held.values():
            if held.building is not None:
                held.building.cancel()
                await asyncio.gather(held.building, return_exceptions=True)

    def _of(self, tenant: str) -> _Held:
        held = self._held.pop(tenant, None) or _Held()
        self._held[tenant] = held
        if len(self._held) > MOST_BRANDS:
            oldest = next(iter(self._held))
            if not self._held[oldest].lock.locked():
                del self._held[oldest]
        return held

    # freshness

    async def _fresh(self, context: Context, policy: Policy, held: _Held) -> Columns | None:
        """The columns as new as the call, or None where there are none that can be."""
        columns = held.columns
        if columns is None:
            return None
        # A clock that was set back would find terms ended that are not.
        fits = columns.purposes == purposes_of(policy) and columns.clock - context.at < _BACK
        if fits and await self._caught_up(context, columns):
            return columns
        held.columns = None
        return None

    async def _caught_up(self, context: Context, columns: Columns) -> bool:
        """Take in what changed behind the columns; False when the feed no longer tells all of it."""
        while True:
            position = columns.position
            head, rows = await self._look(context, changes(position))
            if head < position or (rows[0][0] if rows else head + 1) != position + 1:
                return False
            if not rows:
                return True
            subjects = list(dict.fromkeys(bytes(subject) for _, subject in rows if subject))
            columns.replace(subjects, await self._rows(context, subjects), context.at, rows[-1][0])
            columns.position = rows[-1][0]
            if columns.position >= head:
                return True

    async def _build(self, tenant: str, policy: Policy, held: _Held) -> None:
        try:
            await self._read_everybody(tenant, policy, held)
        except Exception as error:  # noqa: BLE001 - nobody waits for it; the next large question begins anew
            logger.warning("columns could not be made: %s", type(error).__name__)

    async def _read_everybody(self, tenant: str, policy: Policy, held: _Held) -> None:
        """A page after the other, with rests: whoever asks meanwhile is served."""
        start = await self._look(_context(tenant), head)
        columns = Columns(purposes_of(policy), start)
        first, span = 0, 1
        while first < BUCKETS:
            context = _context(tenant)
            last = min(BUCKETS, first + span)
            rows = await self._look(context, people(first, last))
            began = asyncio.get_running_loop().time()
            await asyncio.to_thread(columns.add, rows, context.at)
            await asyncio.sleep(asyncio.get_running_loop().time() - began)
            first, span = last, max(1, min(2 * span, span * _PAGE // max(1, len(rows))))
        async with held.lock:
            # What changed while this went on lies behind `start`, so it is read again.
            if await self._caught_up(_context(tenant), columns):
                held.columns = columns

    # answers

    async def _from_columns(
        self,
        context: Context,
        policy: Policy,
        question: Question,
        aids: Aids,
        columns: Columns,
        but: bytes | None,
    ) -> Judged:
        at = max(context.at, columns.clock)
        places = await asyncio.to_thread(columns.places, aids)
        ended = columns.ended(places, at)
        for first in range(0, len(ended), CHUNK):
            part = ended[first : first + CHUNK]
            columns.replace(part, await self._rows(context, part), at, 0)
        if ended:
            places = columns.places(aids)
        inquiry = policy.inquiry(question)

        def decide(person: PersonState | None) -> Decision:
            return self._engine.decide(policy, person, question, at)

        found = await asyncio.to_thread(columns.decide, question, places, decide)
        # Nothing of a shape ends by itself but quiet hours; of these there are few.
        quiet = {each.contact.quiet for each in found.shapes if each.contact is not None and each.contact.quiet}
        turning = {each for each in quiet if question.channel is not None and quiet_edges(each, at, at + TERM)}
        shapes = [each for each in found.shapes if each.contact is not None and each.contact.quiet in turning]
        until = min((self._turn(policy, inquiry, each, at) for each in shapes), default=at + TERM)
        until = min(until, await self._next_turn(context, policy, inquiry, columns, places, at, until))
        unshaped = np.flatnonzero(found.codes == READ)
        judged = Answers(policy, question, aids, found, at)
        judged.until = min(judged.until, until)
        subjects = columns.subjects(places[unshaped])
        for first in range(0, len(subjects), CHUNK):
            part = subjects[first : first + CHUNK]
            self._read(judged, inquiry, unshaped[first : first + CHUNK], part, await self._rows(context, part), but)
        return judged.whole(columns.position, places)

    async def _from_rows(
        self, context: Context, policy: Policy, question: Question, aids: Aids, but: bytes | None
    ) -> Judged:
        inquiry = policy.inquiry(question)
        judged = self._answers(policy, question, aids, context.at)
        position = await self._look(context, head)
        for first in range(0, aids.size, CHUNK):
            keys = [aid.to_bytes(8, "big") for aid in aids[first : first + CHUNK].tolist()]
            found = await self._look(context, owners(keys))
            known = [place for place, owner in enumerate(found) if owner is not None]
            subjects = [bytes(found[place][0]) for place in known]
            await asyncio.sleep(0)
            nth = np.array(known, np.int64) + first
            self._read(judged, inquiry, nth, subjects, await self._rows(context, subjects), but)
        return judged.whole(position, None)

    def _read(
        self,
        judged: Answers,
        inquiry: Inquiry,
        nth: Places,
        subjects: Sequence[bytes],
        rows: Sequence[Row | None],
        but: bytes | None = None,
    ) -> None:
        """Decide about people one by one, from their rows."""
        at = judged.at
        for place, subject, row in zip(nth.tolist(), subjects, rows, strict=True):
            state = state_at((0, row[1], 0, row[2]), inquiry.above) if row is not None else None
            if but is not None and state is not None and state.contact is not None:
                contact = given_back(state.contact, but, None)
                state = replace(state, contact=contact) if contact is not None else state
            decision = self._engine.decide(judged.policy, state, judged.question, at)
            judged.put(place, decision)
            if state is None:
                continue
            judged.until = min(judged.until, self._turn(judged.policy, inquiry, state, at))
            channel = inquiry.counts(state) if decision.allowed else None
            if channel is not None:
                judged.capped.append((place, subject, channel))

    async def _rows(self, context: Context, subjects: Sequence[bytes]) -> list[Row | None]:
        rows = await self._look(context, persons(subjects)) if subjects else []
        return [as_row(subject, row) for subject, row in zip(subjects, rows, strict=True)]

    def _answers(self, policy: Policy, question: Question, aids: Aids, at: int) -> Answers:
        """Of everybody that nobody knows them."""
        nobody = self._engine.decide(policy, None, question, at)
        return Answers(policy, question, aids, Codes(np.full(aids.size, NOBODY, np.uint16), [nobody, nobody], []), at)

    # until when

    def _turn(self, policy: Policy, inquiry: Inquiry, person: PersonState, at: int) -> int:
        return first_turn(
            lambda state, then: inquiry.decide(state, then).allowed,
            person,
            inquiry.question.channel,
            policy.catalogue,
            at,
            at + TERM,
        )

    async def _next_turn(
        self, context: Context, policy: Policy, inquiry: Inquiry, columns: Columns, places: Places, at: int, until: int
    ) -> int:
        """The first moment at which an answer turns because a shape ends."""
        soon = columns.next_end(places, until)
        for first in range(0, min(soon.size, _EXAMINED), CHUNK):
            part = soon[first : first + CHUNK]
            rows = await self._rows(context, columns.subjects(part))
            for place, row in zip(part.tolist(), rows, strict=True):
                if columns.end_of(place) >= until:
                    return until
                state = state_at((0, row[1], 0, row[2]), inquiry.above) if row is not None else None
                if state is not None:
                    until = min(until, self._turn(policy, inquiry, state, at))
        # So many end so soon that it is not worth asking of each what that changes.
        return until if soon.size <= _EXAMINED else min(until, columns.end_of(int(soon[_EXAMINED])))


def purposes_of(policy: Policy) -> tuple[str, ...]:
    """The purposes that questions can be about, and on which people have a stand of their own."""
    catalogue = policy.catalogue
    return tuple(sorted(name for name in catalogue.purposes if catalogue.leaf(name)))


def _context(tenant: str) -> Context:
    return Context(tenant, SYSTEM, now(), new_id("crowd"))
