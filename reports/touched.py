"""Blast radius: who and what an actor, a key or a period touched, and whom the laws want told, by when.

The list of people is written by merging what each step counted, so that memory does not grow with the entries. People
in lists are found by their `aid`; those who were erased since are counted, and no longer named.
"""

import heapq
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from audit import Content, Indexed, csv_lines, written
from consent import AID, PERSON, unpack
from policies import Audiences
from reports.clocks import Due, due_under
from reports.lists import LIST, groups, opened
from sayso.kernel import Instant, Sealer, Tx, Work, iso, parse_instant, text

COLUMNS: Final = ("subject", "entries", "first_at", "last_at", "categories", "jurisdictions")
_UNNAMED: Final = "-"
_LINES: Final = 2_048


class _Leaf(Struct, gc=False):
    """What of a leaf is counted."""

    type: str
    ts: int
    res: dict[str, str]


_leaf = msgspec.json.Decoder(_Leaf).decode


class _Person(Struct, array_like=True):
    """What one step counted of a person. Times in milliseconds."""

    subject: bytes
    entries: int
    first: int
    last: int
    categories: list[str]
    places: list[str]


class _Step(Struct, array_like=True):
    """What one step counted: people by id, entry types, and how many people in lists nobody knows any more."""

    people: list[_Person]
    types: dict[str, int]
    gone: int


class Touched(Struct, frozen=True):
    """The summary. `people` counts persons who are still known; `gone` those in lists who were erased since; both also
    by category and by jurisdiction (`unknown` where none is known). `clocks` are the duties, soonest first, reckoned
    from `noticed_at`.
    """

    filter: dict[str, str]
    log: str
    size: int
    entries: int
    types: dict[str, int]
    people: int
    gone: int
    categories: dict[str, int]
    jurisdictions: dict[str, int]
    first_at: str
    last_at: str
    noticed_at: str
    clocks: list[Due]
    export: str


class BlastRadius:
    """`what: "blast_radius"`."""

    formats: tuple[str, ...] = ("json", "csv", "bundle")
    reads_leaves: bool = True
    types: tuple[str, ...] = ()

    def __init__(self, sealer: Sealer, audiences: Audiences) -> None:
        self._sealer = sealer
        self._audiences = audiences

    def gather(self, tx: Tx, hits: Sequence[Indexed]) -> Work[bytes]:
        """The people that these entries touch."""
        types: Counter[str] = Counter()
        people: dict[bytes, _Person] = {}
        lists = []
        for hit in hits:
            leaf = _leaf(hit.leaf)
            types[leaf.type] += 1
            if hit.subject is not None:
                _touch(people, hit.subject, leaf.ts // 1000, leaf.res.get("category", ""))
            elif leaf.type == LIST:
                lists.append((hit, leaf.ts // 1000))
        gone = yield from self._listed(tx, [hit for hit, _ in lists], [at for _, at in lists], people)
        yield from _place(tx, people)
        step = _Step([people[key] for key in sorted(people)], dict(types), gone)
        return msgspec.msgpack.encode(step)

    def _listed(self, tx: Tx, hits: Sequence[Indexed], times: Sequence[int], people: dict[bytes, _Person]) -> Work[int]:
        parts = yield from opened(self._sealer, tx, hits)
        found: list[tuple[int, str, int]] = []
        for hit, each, at in zip(hits, parts, times, strict=True):
            listed = yield from groups(tx, hit, each, self._audiences)
            found += [
                (aid, group.category, at)
                for group in listed
                for aid, (reason, _, _) in group.rows()
                if reason == "permitted"
            ]
        known = list(dict.fromkeys(aid for aid, _, _ in found if aid))
        (rows,) = yield (tx.get_each(AID, [aid.to_bytes(8, "big") for aid in known]),)
        subjects = {aid: row[0] for aid, row in zip(known, rows, strict=True) if row is not None}
        for aid, category, at in found:
            if aid in subjects:
                _touch(people, subjects[aid], at, category)
        return len({aid for aid, _, _ in found} - subjects.keys())

    async def summary(self, content: Content) -> Touched:
        """Counts over all people, each once."""
        types: Counter[str] = Counter()
        categories: Counter[str] = Counter()
        places: Counter[str] = Counter()
        count = gone = last = 0
        first = 1 << 62
        steps = await _steps(content)
        for step in steps:
            types.update(step.types)
            gone += step.gone
        for person in _merged(steps):
            count += 1
            first, last = min(first, person.first), max(last, person.last)
            categories.update(person.categories)
            places.update(person.places or ["unknown"])
        export, told = content.export, content.order.told
        noticed = parse_instant(told["noticed_at"]) if "noticed_at" in told else export.made_at
        return Touched(
            filter=told,
            log=content.vkey.name,
            size=export.size,
            entries=export.hits,
            types=dict(sorted(types.items())),
            people=count,
            gone=gone,
            categories=dict(sorted(categories.items())),
            jurisdictions=dict(sorted(places.items())),
            first_at=iso(first * 1000) if count else "",
            last_at=iso(last * 1000) if count else "",
            noticed_at=iso(noticed),
            clocks=due_under(dict(places), Instant(noticed)),
            export=export.id,
        )

    async def files(self, content: Content) -> AsyncIterator[tuple[str, bytes]]:
        """Summary and list beside the entries; the bundle's signed list of files covers both."""
        yield "touched.json", msgspec.json.format(msgspec.json.encode(await self.summary(content)), indent=2)
        yield "touched.csv", b"".join([piece async for piece in self._list(content)])

    async def written(self, content: Content) -> AsyncIterator[bytes]:
        """The report in the format that was ordered."""
        form = content.order.format
        if form == "json":
            yield msgspec.json.format(msgspec.json.encode(await self.summary(content)), indent=2)
            return
        async for piece in written(content) if form == "bundle" else self._list(content):
            yield piece

    async def _list(self, content: Content) -> AsyncIterator[bytes]:
        """One line for each person, by id; ids only for whoever may see them."""
        yield csv_lines([COLUMNS])
        if not content.order.people:
            return
        waiting: list[Sequence[object]] = []
        for person in _merged(await _steps(content)):
            named = (text("sub", person.subject), person.entries, iso(person.first * 1000), iso(person.last * 1000))
            waiting.append((*named, " ".join(person.categories), " ".join(person.places)))
            if len(waiting) >= _LINES:
                yield csv_lines(waiting)
                waiting.clear()
        yield csv_lines(waiting)


async def _steps(content: Content) -> list[_Step]:
    """What all steps counted, as packed people: some 60 bytes for each person and step."""
    return [msgspec.msgpack.decode(counted, type=_Step) async for _, counted in content.parts() if counted]


def _merged(steps: Sequence[_Step]) -> Iterator[_Person]:
    """Each person once, by id."""
    held: _Person | None = None
    for one in heapq.merge(*(step.people for step in steps), key=lambda person: person.subject):
        if held is None or one.subject != held.subject:
            if held is not None:
                yield held
            held = msgspec.structs.replace(one)
            continue
        held.entries += one.entries
        held.first, held.last = min(held.first, one.first), max(held.last, one.last)
        held.categories = sorted({*held.categories, *one.categories})
        held.places = sorted({*held.places, *one.places})
    if held is not None:
        yield held


def _touch(people: dict[bytes, _Person], subject: bytes, at: int, category: str) -> None:
    person = people.get(subject)
    if person is None:
        person = people[subject] = _Person(subject, 0, at, at, [], [])
    person.entries += 1
    person.first, person.last = min(person.first, at), max(person.last, at)
    if category and category != _UNNAMED and category not in person.categories:
        person.categories = sorted([*person.categories, category])


def _place(tx: Tx, people: dict[bytes, _Person]) -> Work[None]:
    """Where each of them lives, as far as the registry knows."""
    ids = list(people)
    (rows,) = yield (tx.get_each(PERSON, ids),)
    for subject, row in zip(ids, rows, strict=True):
        if row is not None:
            people[subject].places = sorted({each.code for each in unpack(row[3]).jurisdictions})
