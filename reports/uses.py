"""Who used which category of data for which purpose, by day: counted from every decision and every reveal.

A single decision counts once, an entry about a list once for each person in it. The bundle of the same export holds
each entry that was counted, with its proof.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from audit import Content, Indexed, csv_lines, written
from reports.lists import LIST, actor_in, counted, fitting, opened
from sayso.kernel import Document, Renderer, Sealer, TooLarge, Tx, Work, iso

MOST_ROWS: Final = 50_000
_UNNAMED: Final = "-"
_KEY: Final = 7
_DAY: Final = 10

Key = tuple[str, str, str, str, str, str, str]
Sums = list[int]


class UseRow(Struct, frozen=True):
    """One row: a day (UTC), who, with what, what for, how often. `first_index` and `last_index` are entries in `log`
    between which the row's entries stand; what lies in two logs comes to two rows.
    """

    day: str
    service: str
    actor_class: str
    category: str
    purpose: str
    action: str
    permitted: int
    refused: int
    entries: int
    first_index: int
    last_index: int
    log: str


COLUMNS: Final = UseRow.__struct_fields__


class UsesHead(Struct, frozen=True):
    """A signed head under which rows were counted, of so many entries."""

    log: str
    size: int
    entries: int
    checkpoint: str

    @property
    def root(self) -> str:
        """The third line of a checkpoint."""
        return self.checkpoint.split("\n")[2]


class UsesTable(Struct, frozen=True):
    """The report: its rows, sorted, and the signed heads of the logs under which they were counted."""

    rows: list[UseRow]
    filter: dict[str, str]
    logs: list[UsesHead]
    made_at: int
    export: str
    entries: int


class ReportTooLarge(TooLarge):
    """More rows than a report may have; ask for fewer days."""

    def __init__(self) -> None:
        super().__init__("report-too-large", "The report has too many rows; ask for fewer days.", most=MOST_ROWS)


class UsesReport:
    """`what: "access"`. `document` lays the table out for paper, in a language."""

    formats: tuple[str, ...] = ("csv", "pdf", "json", "bundle")
    reads_leaves: bool = True
    types: tuple[str, ...] = (
        "access.permitted",
        "access.denied",
        LIST,
        "vault.value.revealed",
        "vault.value.refused",
    )

    def __init__(
        self, sealer: Sealer, renderer: Renderer, document: Callable[[UsesTable, str, bytes], Document]
    ) -> None:
        self._sealer = sealer
        self._renderer = renderer
        self._document = document

    def fitting(self, hits: Sequence[Indexed]) -> int:
        """How many of these entries one step may take: lists count by the people in them."""
        return fitting(hits)

    def gather(self, tx: Tx, hits: Sequence[Indexed]) -> Work[bytes]:
        """The rows that these entries come to."""
        parts = yield from opened(self._sealer, tx, hits)
        sums: dict[Key, Sums] = {}
        for hit, each in zip(hits, parts, strict=True):
            leaf = hit.decoded()
            actor = actor_in(each)
            who = (iso(leaf.ts)[:_DAY], str(actor.get("name", "")), leaf.actor_class)
            if leaf.type == LIST:
                for category, purpose, action, permitted, refused in counted(each):
                    _add(sums, (*who, category, purpose, action, hit.log), permitted, refused, hit.index)
            else:
                denied = leaf.out == "deny" or leaf.type == "vault.value.refused"
                action = leaf.res.get("action", "reveal")
                names = (leaf.res.get("category", _UNNAMED), leaf.res.get("purpose", _UNNAMED), action)
                _add(sums, (*who, *names, hit.log), int(not denied), int(denied), hit.index)
        return msgspec.msgpack.encode([(*key, *found) for key, found in sums.items()])

    async def table(self, content: Content) -> UsesTable:
        """The whole report. Raises `ReportTooLarge`."""
        sums: dict[Key, Sums] = {}
        async for _, step in content.parts():
            for row in msgspec.msgpack.decode(step) if step else ():
                key: Key = tuple(row[:_KEY])
                permitted, refused, entries, first, last = row[_KEY:]
                held = _add(sums, key, permitted, refused, first, entries)
                held[4] = max(held[4], last)
            if len(sums) > MOST_ROWS:
                raise ReportTooLarge
        export = content.export
        return UsesTable(
            rows=[_row(key, found, content.name_of(key[-1])) for key, found in sorted(sums.items())],
            filter=content.order.told,
            logs=[UsesHead(content.name_of(log), size, hits, note.decode()) for log, size, note, hits in content.heads],
            made_at=export.made_at,
            export=export.id,
            entries=export.hits,
        )

    async def files(self, content: Content) -> AsyncIterator[tuple[str, bytes]]:
        """The report beside its entries."""
        table = await self.table(content)
        yield "report.csv", _csv(table)
        yield "report.json", _json(table)

    async def written(self, content: Content) -> AsyncIterator[bytes]:
        """The report in the format that was ordered."""
        form = content.order.format
        if form == "bundle":
            async for piece in written(content):
                yield piece
            return
        table = await self.table(content)
        makers: dict[str, Callable[[], Awaitable[bytes]]] = {"pdf": lambda: self._pdf(table, content.order.locale)}
        yield await makers[form]() if form in makers else (_csv if form == "csv" else _json)(table)

    async def _pdf(self, table: UsesTable, locale: str) -> bytes:
        return await self._renderer.pdf(self._document(table, locale, _csv(table)))


def _add(sums: dict[Key, Sums], key: Key, permitted: int, refused: int, index: int, entries: int = 1) -> Sums:
    held = sums.setdefault(key, [0, 0, 0, index, index])
    held[0] += permitted
    held[1] += refused
    held[2] += entries
    held[3] = min(held[3], index)
    held[4] = max(held[4], index)
    return held


def _row(key: Key, found: Sums, log: str) -> UseRow:
    names = dict(zip(COLUMNS, (*key[:-1], *found), strict=False))
    return msgspec.convert({**names, "log": log}, UseRow)


def _csv(table: UsesTable) -> bytes:
    head: Iterable[Sequence[object]] = [(*COLUMNS, "log_size", "root", "export")]
    under = {each.log: (each.size, each.root, table.export) for each in table.logs}
    rows = ((*(_named(getattr(row, name)) for name in COLUMNS), *under[row.log]) for row in table.rows)
    return csv_lines([*head, *rows])


def _named(value: object) -> object:
    return "" if value == _UNNAMED else value


def _json(table: UsesTable) -> bytes:
    return msgspec.json.format(msgspec.json.encode(table), indent=2)
