"""`ExportDesk`: exports are ordered, selected by a job in small committed steps, and written out when they are fetched.

A step looks at a few thousand entries and keeps the indexes of those that fit, all under the head that was signed when
the first step ran. A killed worker's export goes on where its last commit left it. Nothing is copied: fetching reads
the entries, the proofs and the openings anew, so that what was erased meanwhile is not in it, and no file lies about.
"""

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from audit import store as log_store
from audit.exports import store
from audit.exports.orders import TERM, Export, ExportGone, ExportNotFound, ExportNotReady, FormatUnknown, Order
from audit.exports.reports import Plain, Report
from audit.exports.tables import EXPORT, PART
from audit.opening import Indexed
from audit.proving import signed
from audit.selection import Selection, before, first_id, packed
from sayso.kernel import TENANT_OWNER, Done, Job, Sealer, Try, Tx, Work, new_raw, raw

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
        fresh = Export(new_raw(), 0, "queued", order, 0, b"", b"", b"", 0, 0, "", at, at + TERM)
        tx.insert(EXPORT, fresh.key, *fresh.values())
        return fresh.id

    def status(self, tx: Tx, export: str) -> Work[Export]:
        """How far it is. Raises `ExportNotFound`."""
        return (yield from self._find(tx, raw(export, "exp")))

    def finished(self, tx: Tx, export: str) -> Work[Export]:
        """The export, if it may be fetched. Raises `ExportNotFound`, `ExportNotReady`, `ExportGone`."""
        found = yield from self.status(tx, export)
        if found.status == "expired" or found.until <= tx.context.at:
            raise ExportGone
        if found.status != "done":
            raise ExportNotReady(found.status)
        return found

    def newest(self, tx: Tx, limit: int = 50) -> Work[list[Export]]:
        """The newest exports."""
        (rows,) = yield (store.listed(tx, limit),)
        return [Export.of(row[0], tuple(row[1:])) for row in rows]

    def gathered(self, tx: Tx, export: Export, number: int) -> Work[tuple[bytes, bytes]]:
        """What one step selected: packed indexes, and what the report counted of them."""
        (row,) = yield (tx.get(PART, export.key, number),)
        if row is None:
            raise ExportGone
        leaves, counted = row
        if counted:
            key = self._sealer.standing(tx.context.tenant, TENANT_OWNER)
            counted = key.open(_COLLECTION, f"{export.id}/{number}", counted)
        return leaves, counted

    # the job

    def _pending(self, tx: Tx, _: bytes) -> Work[bool]:
        due, over = yield (store.unfinished(tx), store.past(tx, tx.context.at))
        return bool(due or over)

    def step(self, tx: Tx, tried: Try, scanned: int = SCANNED) -> Work[Done]:
        """One step: forget an export whose term is over, or look at up to `scanned` entries for the oldest order."""
        over, due = yield (store.past(tx, tx.context.at), store.unfinished(tx))
        if over:
            yield from self._expire(tx, over[0][0])
            return Done(b"", 1, more=True, deleted=True)
        if not due:
            return Done(b"")
        export = yield from self._find(tx, due[0][0])
        if tried.failures >= _GIVEN_UP:
            self._put(tx, export, status="failed", error="failed")
            return Done(b"", 1, more=True)
        looked = yield from self._select(tx, export, scanned)
        return Done(b"", looked, export.share(tx.context.at), more=True)

    def _select(self, tx: Tx, export: Export, scanned: int) -> Work[int]:
        """Look at the next entries; how many there were."""
        selection = export.order.selection
        size, note = export.size, export.note
        if export.status == "queued":
            head = yield from signed(tx, selection.log)
            size, note = head.size, head.note
        low, high = selection.bounds()
        end = before(high, first_id(export.made_at + 60_000_000))
        after = export.cursor or _just_before(low)
        (rows,) = yield (store.rows_after(tx, selection.log, after, end, scanned),)
        hits = yield from self._fitting(tx, export, size, rows)
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
            tx.insert(PART, export.key, parts, packed(hit.index for hit in hits), counted)
            parts += 1
        self._put(
            tx,
            export,
            status="running" if left or len(rows) == scanned else "done",
            size=size,
            note=note,
            cursor=rows[-1][0] if rows else after,
            first=export.first or (rows[0][0] if rows else b""),
            hits=export.hits + len(hits),
            parts=parts,
        )
        return len(rows)

    def _fitting(self, tx: Tx, export: Export, size: int, rows: list[store.IndexRow]) -> Work[list[Indexed]]:
        selection, report = export.order.selection, self.reports[export.order.what]
        # Entries that came after the head was fixed may bear earlier ids; they are not in this export.
        fitting = [row for row in rows if row[1] < size and selection.admits(row[2], row[3], row[4], row[5])]
        if not fitting or not (selection.reads_leaves or report.reads_leaves):
            return [Indexed(entry, leaf, b"", subject, actor) for entry, leaf, _, _, subject, actor in fitting]
        leaves = yield from log_store.leaves_at(tx, selection.log, [row[1] for row in fitting])
        return [
            Indexed(entry, leaf, leaves[leaf], subject, actor)
            for entry, leaf, _, _, subject, actor in fitting
            if not selection.reads_leaves or selection.admits_leaf(leaves[leaf])
        ]

    def _expire(self, tx: Tx, key: bytes) -> Work[None]:
        export = yield from self._find(tx, key)
        store.forget_parts(tx, key)
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


def _just_before(low: bytes) -> bytes:
    """An id below all from `low` on."""
    return (int.from_bytes(low, "big") - 1).to_bytes(16, "big") if any(low) else b""
