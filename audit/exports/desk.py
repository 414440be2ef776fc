"""`ExportDesk`: exports are ordered, selected by a job in small committed steps, and written out when they are fetched.

The first step fixes the signed heads of all logs that an order looks into. Each other looks at a few thousand entries
and keeps the places of those that fit under these heads, by the time they were made. A killed worker's export goes on
where its last commit left it. Nothing is copied: fetching reads the entries, the proofs and the openings anew, so that
what was erased meanwhile is not in it, and no file lies about.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from audit import store as log_store
from audit.errors import LogNotFound
from audit.exports import store
from audit.exports.orders import (
    TERM,
    Export,
    ExportGone,
    ExportNotFound,
    ExportNotReady,
    FormatUnknown,
    LogHead,
    LogPlace,
    Order,
)
from audit.exports.reports import Plain, Report
from audit.exports.tables import EXPORT, HEAD, PART
from audit.reading.opening import Indexed
from audit.reading.selection import Selection, before, first_id, packed, unpacked
from audit.retention import prune_store
from audit.retention.classes import MAIN
from audit.tree import proving
from sayso.kernel import DAY, TENANT_OWNER, Done, Job, Sealer, Try, Tx, Work, new_raw, raw

SCANNED: Final = 2_048
"""Entries that one step looks at."""

_EVERY: Final = 0.5
_REST: Final = 1
"""Somebody waits for an export: half of the time is theirs."""
_COLLECTION: Final = "audit_export"


class ExportDesk:
    """Takes orders, works on them, and hands out what was selected."""

    def __init__(self, sealer: Sealer, reports: Mapping[str, Report] | None = None) -> None:
        self._sealer = sealer
        self.reports: dict[str, Report] = {"entries": Plain(), **(reports or {})}
        self.job = Job("exports", _EVERY, self._pending, self.step, _REST)

    def order(self, tx: Tx, order: Order) -> str:
        """Take an order; returns the export's id. Raises `FormatUnknown`."""
        report = self.reports[order.what]
        if order.format not in report.formats:
            raise FormatUnknown(order.what, report.formats)
        at = tx.context.at
        fresh = Export(new_raw(), 0, "queued", order, 0, b"", b"", 0, 0, "", at, at + TERM)
        tx.insert(EXPORT, fresh.key, *fresh.values())
        return fresh.id

    def status(self, tx: Tx, export: str) -> Work[Export]:
        """How far it is. Raises `ExportNotFound`."""
        return (yield from self._find(tx, raw(export, "exp")))

    def finished(self, tx: Tx, export: str) -> Work[Export]:
        """The export, if it may be fetched. Raises `ExportNotFound`, `ExportNotReady`, `ExportGone`, and `EntryPruned`
        if what it found is not there any more: before the first byte, and not in mid-stream.
        """
        found = yield from self.status(tx, export)
        if found.status == "expired" or found.until <= tx.context.at:
            raise ExportGone
        if found.status != "done":
            raise ExportNotReady(found.status)
        (lowest,) = yield (store.lowest_of(tx, found.key),)
        # What is pruned goes from the lowest index on.
        yield from log_store.leaves_in(tx, lowest)
        return found

    def newest(self, tx: Tx, limit: int = 50) -> Work[list[Export]]:
        """The newest exports."""
        (rows,) = yield (store.listed(tx, limit),)
        return [Export.of(row[0], tuple(row[1:])) for row in rows]

    def heads(self, tx: Tx, export: Export) -> Work[list[LogHead]]:
        """The signed heads that the export stands under, in the order in which places name them."""
        (rows,) = yield (store.heads_of(tx, export.key),)
        return [LogHead(*row) for row in rows]

    def under(self, tx: Tx, places: Iterable[tuple[str, int]]) -> Work[tuple[list[LogHead], list[LogPlace]]]:
        """The newest signed heads of the logs of these places, and those of the places that they cover. For no places
        the head of `main`. Raises `LogNotFound`.
        """
        asked = [LogPlace(*each) for each in places]
        signed = {}
        for log in dict.fromkeys(place.log for place in asked) or (MAIN,):
            signed[log] = yield from proving.signed(tx, log)
        held = [place for place in asked if place.leaf < signed[place.log].size]
        hits = Counter(place.log for place in held)
        return [LogHead(log, head.size, head.note, hits[log]) for log, head in signed.items()], held

    def gathered(
        self, tx: Tx, export: Export, heads: Sequence[LogHead], number: int
    ) -> Work[tuple[list[LogPlace], bytes]]:
        """What one step selected: places under the export's heads, and what the report counted of them."""
        (row,) = yield (tx.get(PART, export.key, number),)
        if row is None:
            raise ExportGone
        places, counted = row
        if counted:
            key = self._sealer.standing(tx.context.tenant, TENANT_OWNER)
            counted = key.open(_COLLECTION, f"{export.id}/{number}", counted)
        return [LogPlace(heads[head].log, leaf) for head, leaf in unpacked(places)], counted

    # the job

    def _pending(self, tx: Tx, _: bytes) -> Work[bool]:
        due, over = yield (store.unfinished(tx), store.past(tx, tx.context.at - _READ_OUT))
        return bool(due or over)

    def step(self, tx: Tx, tried: Try, scanned: int = SCANNED) -> Work[Done]:
        """One step: forget an export whose term is over, or look at up to `scanned` entries for the oldest order."""
        over, due = yield (store.past(tx, tx.context.at - _READ_OUT), store.unfinished(tx))
        if over:
            yield from self._expire(tx, over[0][0])
            return Done(b"", 1, more=True, deleted=True)
        if not due:
            return Done(b"")
        export = yield from self._find(tx, due[0][0])
        if tried.failures >= _GIVEN_UP:
            self._put(tx, export, status="failed", error="failed")
            return Done(b"", 1, more=True)
        if export.status == "queued":
            yield from self._begin(tx, export)
            return Done(b"", 1, more=True)
        looked = yield from self._select(tx, export, scanned)
        return Done(b"", looked, export.share(tx.context.at), more=True)

    def _begin(self, tx: Tx, export: Export) -> Work[None]:
        """Fix the heads. A log that has none yet had nothing in it when the order was taken."""
        logs = export.order.logs
        rows = yield tuple(log_store.last_signed(tx, log) for log in logs)
        found = [(log, log_store.signed_from(row)) for log, row in zip(logs, rows, strict=True)]
        heads = [(log, head) for log, head in found if head is not None]
        if not heads:
            raise LogNotFound
        for number, (log, head) in enumerate(heads):
            tx.insert(HEAD, export.key, number, log, head.size, head.note, 0, head.size)
        self._put(tx, export, status="running", size=sum(head.size for _, head in heads))

    def _select(self, tx: Tx, export: Export, scanned: int) -> Work[int]:
        """Look at the next entries; how many there were."""
        heads = {head.log: (number, head.size) for number, head in enumerate((yield from self.heads(tx, export)))}
        low, high = export.order.selection.bounds()
        end = before(high, first_id(export.made_at + 60_000_000))
        after = export.cursor or _just_before(low)
        pruned, rows = yield prune_store.all_pruned(tx), store.rows_after(tx, heads, after, end, scanned)
        below = {log: index for log, index, *_ in pruned}
        # Entries that are said to be pruned go any moment. Those that came after the heads were fixed may bear earlier
        # ids; they are not in this export.
        there = [row for row in rows if below.get(row[6], 0) <= row[1] < heads[row[6]][1]]
        hits = yield from self._fitting(tx, export, there)
        report = self.reports[export.order.what]
        left = hits[report.fitting(hits) :]
        if left:
            # What is too much for one step is for the next, which begins behind the last row that this one took.
            hits = hits[: -len(left)]
            rows = [row for row in rows if row[0] < left[0].entry]
        parts = export.parts
        if hits:
            counted = yield from report.gather(tx, hits)
            if counted:
                key = self._sealer.standing(tx.context.tenant, TENANT_OWNER)
                counted = key.seal(_COLLECTION, f"{export.id}/{parts}", counted)
            places = [(heads[hit.log][0], hit.index) for hit in hits]
            tx.insert(PART, export.key, parts, packed(places), counted)
            for number in {number for number, _ in places}:
                store.count_hits(tx, export.key, number, [leaf for head, leaf in places if head == number])
            parts += 1
        self._put(
            tx,
            export,
            status="running" if left or len(rows) == scanned else "done",
            cursor=rows[-1][0] if rows else after,
            first=export.first or (rows[0][0] if rows else b""),
            hits=export.hits + len(hits),
            parts=parts,
        )
        return len(rows)

    def _fitting(self, tx: Tx, export: Export, rows: list[store.IndexRow]) -> Work[list[Indexed]]:
        selection, report = export.order.selection, self.reports[export.order.what]
        fitting = [row for row in rows if selection.admits(*row[2:6])]
        if not fitting or not (selection.reads_leaves or report.reads_leaves):
            return [
                Indexed(entry, log, leaf, b"", subject, actor) for entry, leaf, _, _, subject, actor, log in fitting
            ]
        leaves = yield from log_store.leaves_in(tx, [(row[6], row[1]) for row in fitting])
        return [
            Indexed(entry, log, leaf, leaves[log, leaf], subject, actor)
            for entry, leaf, _, _, subject, actor, log in fitting
            if not selection.reads_leaves or selection.admits_leaf(leaves[log, leaf])
        ]

    def _expire(self, tx: Tx, key: bytes) -> Work[None]:
        export = yield from self._find(tx, key)
        store.forget(tx, key)
        # Whom it was about goes too: an id must not outlast the person here.
        bare = replace(export.order, selection=Selection(), told={})
        self._put(tx, export, status="expired", order=bare)

    def _find(self, tx: Tx, key: bytes) -> Work[Export]:
        (row,) = yield (tx.get(EXPORT, key),)
        if row is None:
            raise ExportNotFound
        return Export.of(key, row)

    @staticmethod
    def _put(tx: Tx, export: Export, **changes: object) -> None:
        was = (export.version, *export.values()[1:])
        tx.put(EXPORT, (export.key,), export.values(**changes), was=was)


_GIVEN_UP: Final = 5

_READ_OUT: Final = DAY // 24
"""What somebody began to fetch within its term is still read to its end: an hour later it is forgotten."""


def _just_before(low: bytes) -> bytes:
    """An id below all from `low` on."""
    return (int.from_bytes(low, "big") - 1).to_bytes(16, "big") if any(low) else b""
