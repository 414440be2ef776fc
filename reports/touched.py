"""Blast radius: who and what an actor, a key or a period touched, and whom the laws want told, by when.

A step writes down whom its entries touched as sorted runs of fixed records (`runs.py`); the report merges the runs of
all steps, so that little is in memory at a time however long the lists are. Who somebody is now (known, where they
live, erased) is looked up when the report is written: people erased by then are counted, and not named.
"""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from audit import Content, Indexed, csv_lines, written
from consent import PERSON, unpack
from policies import Audiences
from reports.clocks import Due, due_under
from reports.lists import LIST, fitting, listed_in
from reports.runs import Gathered, Person, Runs, merged
from sayso.kernel import Instant, Sealer, Tx, Work, iso, parse_instant, text

COLUMNS: Final = ("subject", "entries", "first_at", "last_at", "categories", "jurisdictions")
_UNNAMED: Final = "-"
_UNKNOWN: Final = "unknown"


class _Tags(Struct, gc=False):
    s: str = ""


class _Leaf(Struct, gc=False):
    """What of a leaf is counted."""

    type: str
    ts: int
    res: dict[str, str]
    t: _Tags


_leaf = msgspec.json.Decoder(_Leaf).decode


class _Step(Struct, array_like=True):
    """What one step counted: whom it touched, entry types, entries about nobody known, lists that are not kept any
    more, and how many people were permitted in those, by category.
    """

    people: Gathered
    types: dict[str, int]
    unnamed: int
    lost: int
    lost_in: dict[str, int]


class Touched(Struct, frozen=True):
    """The summary. `logs` are those that entries were found in, each with the size that it was looked into under;
    `people` counts persons who are still known; `gone` those who were erased since; both also by category and by
    jurisdiction (`unknown` where none is known).

    `unnamed` are entries about persons who were unknown, or erased before the report was made. `lists_gone` are lists
    that are not kept any more, and `in_lists_gone` says by category how many people at most they add: each list counts
    its own. `clocks` are the duties, soonest first, reckoned from `noticed_at`.
    """

    filter: dict[str, str]
    logs: dict[str, int]
    entries: int
    types: dict[str, int]
    people: int
    gone: int
    unnamed: int
    lists_gone: int
    in_lists_gone: dict[str, int]
    categories: dict[str, int]
    jurisdictions: dict[str, int]
    first_at: str
    last_at: str
    noticed_at: str
    clocks: list[Due]
    export: str


class _Now(Struct, frozen=True):
    """Somebody who was touched, as they stand when the report is written; `places` is None for one who was erased."""

    person: Person
    places: list[str] | None


class BlastRadius:
    """`what: "blast_radius"`."""

    formats: tuple[str, ...] = ("json", "csv", "bundle")
    reads_leaves: bool = True
    types: tuple[str, ...] = ()

    def __init__(self, sealer: Sealer, audiences: Audiences) -> None:
        self._sealer = sealer
        self._audiences = audiences

    def fitting(self, hits: Sequence[Indexed]) -> int:
        """How many of these entries one step may take: lists count by the people in them."""
        return fitting(hits)

    def gather(self, tx: Tx, hits: Sequence[Indexed]) -> Work[bytes]:
        """The people that these entries touch."""
        types: Counter[str] = Counter()
        lost: Counter[str] = Counter()
        runs = Runs()
        unnamed = lists_gone = 0
        for hit in hits:
            leaf = _leaf(hit.leaf)
            types[leaf.type] += 1
            if hit.subject is not None:
                category = leaf.res.get("category", "")
                runs.touch(hit.subject, leaf.ts // 1000, "" if category == _UNNAMED else category)
            elif leaf.type == LIST:
                category, found = yield from listed_in(tx, self._sealer, self._audiences, hit, leaf.ts // 1000, runs)
                missing = int(leaf.res.get("permitted", "0")) - found
                lists_gone += missing > 0
                lost[category or _UNKNOWN] += max(missing, 0)
            else:
                unnamed += bool(leaf.t.s)
        return msgspec.msgpack.encode(_Step(runs.done(), dict(types), unnamed, lists_gone, dict(+lost)))

    async def summary(self, content: Content) -> Touched:
        """Counts over all people, each once."""
        types, categories, places, lost = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
        people = gone = unnamed = lists_gone = last = 0
        first = 1 << 62
        steps = await _steps(content)
        for step in steps:
            types.update(step.types)
            lost.update(step.lost_in)
            unnamed += step.unnamed
            lists_gone += step.lost
        async for page in _people(content, steps):
            known = sum(each.places is not None for each in page)
            people, gone = people + known, gone + len(page) - known
            for each in page:
                first, last = min(first, each.person.first), max(last, each.person.last)
                categories.update(each.person.categories)
                places.update(each.places or [_UNKNOWN])
        export, told = content.export, content.order.told
        noticed = parse_instant(told["noticed_at"]) if "noticed_at" in told else export.made_at
        owed = places + Counter({_UNKNOWN: lost.total()})
        return Touched(
            filter=told,
            logs={content.name_of(head.log): head.size for head in content.heads},
            entries=export.hits,
            types=dict(sorted(types.items())),
            people=people,
            gone=gone,
            unnamed=unnamed,
            lists_gone=lists_gone,
            in_lists_gone=dict(sorted(lost.items())),
            categories=dict(sorted(categories.items())),
            jurisdictions=dict(sorted(places.items())),
            first_at=iso(first * 1000) if last else "",
            last_at=iso(last * 1000) if last else "",
            noticed_at=iso(noticed),
            clocks=due_under(dict(owed), Instant(noticed)),
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
        """One line for each person who is still known, by id; ids only for whoever may see them."""
        yield csv_lines([COLUMNS])
        if not content.order.people:
            return
        async for page in _people(content, await _steps(content)):
            yield csv_lines([_row(each.person, each.places) for each in page if each.places is not None])


def _row(person: Person, places: list[str]) -> Sequence[object]:
    named = (text("sub", person.key), person.entries, iso(person.first * 1000), iso(person.last * 1000))
    return (*named, " ".join(person.categories), " ".join(places))


async def _steps(content: Content) -> list[_Step]:
    """What all steps counted, as packed people: some 40 bytes for each person and step."""
    return [msgspec.msgpack.decode(counted, type=_Step) async for _, counted in content.parts() if counted]


async def _people(content: Content, steps: Sequence[_Step]) -> AsyncIterator[list[_Now]]:
    """Everybody once, as they stand now, page by page."""
    async for page in merged([step.people for step in steps]):
        ids = [person.key for person in page if not person.erased]
        found = dict(zip(ids, await content.look(lambda tx: _places(tx, ids)), strict=True))  # noqa: B023
        yield [_Now(person, found.get(person.key)) for person in page]


def _places(tx: Tx, ids: Sequence[bytes]) -> Work[list[list[str] | None]]:
    """Where each of them lives, as far as the registry knows; None for one who was erased."""
    (rows,) = yield (tx.get_each(PERSON, ids),)
    found: list[list[str] | None] = []
    for row in rows:
        state = unpack(row[3]) if row is not None else None
        if state is None or state.erased_at:
            found.append(None)
        else:
            found.append(sorted({each.code for each in state.jurisdictions}))
    return found
