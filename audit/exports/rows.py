"""Entries as rows for other programs. Only `jsonl` is the log itself, byte for byte; the rest is a view of it.

OCSF (https://schema.ocsf.io) 1.6: decisions and vault operations are Datastore Activity (6005), consent and policy are
Entity Management (3004), the rest is API Activity (6003). CloudEvents 1.0, JSON format, one event a line, with the
extension `sequence`.
"""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from audit.exports.content import Content
from audit.leaf.entry import Leaf, Opening
from audit.reading.opening import Indexed
from audit.tlog.merkle import leaf_hash
from sayso.kernel import Unavailable, iso, text

MEDIA: Final = {
    "jsonl": "application/x-ndjson",
    "ocsf": "application/x-ndjson",
    "cloudevents": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "bundle": "application/zip",
    "pdf": "application/pdf",
    "json": "application/json",
}

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_UNNAMED: Final = "-"
_ROW_GROUP: Final = 8_192

_encode = msgspec.json.Encoder(order="deterministic").encode


class ParquetMissing(Unavailable):
    """The optional library is not installed here."""

    def __init__(self) -> None:
        super().__init__("parquet-missing", "Parquet needs the optional part: pip install 'sayso[parquet]'.")


class Row(Struct, frozen=True):
    """An entry in columns: `index` is its place in `log`. What is not there, or may not be shown, is empty."""

    log: str
    index: int
    entry: str
    at: str
    type: str
    outcome: str
    actor_class: str
    actor: str
    actor_id: str
    subject: str
    purpose: str
    category: str
    action: str
    reason: str
    rule: str
    policy: str
    res: str
    leaf_hash: str


COLUMNS: Final = Row.__struct_fields__


def row_of(each: Indexed, opened: Sequence[Opening], log: str, *, people: bool) -> Row:
    """The row of an entry. `log` is the origin of its log; `people` says whether ids of people may stand in it."""
    leaf = each.decoded()
    actor: dict[str, Any] = next((msgspec.json.decode(one.payload) for one in opened if one.compartment == "a"), {})
    named = {name: "" if value == _UNNAMED else value for name, value in leaf.res.items()}
    return Row(
        log=log,
        index=each.index,
        entry=each.id,
        at=iso(leaf.ts),
        type=leaf.type,
        outcome=leaf.out,
        actor_class=leaf.actor_class,
        actor=str(actor.get("name", "")),
        actor_id=str(actor.get("id", "")),
        subject=text("sub", each.subject) if people and each.subject is not None else "",
        purpose=named.get("purpose", ""),
        category=named.get("category", ""),
        action=named.get("action", ""),
        reason=named.get("reason", ""),
        rule=named.get("rule", ""),
        policy=leaf.pol if isinstance(leaf.pol, str) else "",
        res=_encode(leaf.res).decode(),
        leaf_hash=leaf_hash(each.leaf).hex(),
    )


def written(content: Content) -> AsyncIterator[bytes]:
    """The entries in the format that was ordered."""
    form = content.order.format
    if form == "bundle":
        from audit.exports.bundle import zipped

        return zipped(content)
    if form == "jsonl":
        return _lines(content)
    if form == "csv":
        return _csv(content)
    if form == "parquet":
        return _parquet(content)
    return _mapped(content, ocsf if form == "ocsf" else cloudevent)


def csv_lines(rows: Sequence[Sequence[object]]) -> bytes:
    """Rows as CSV (RFC 4180). No cell is a formula: one that would begin like it has an apostrophe in front."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([[safe(cell) for cell in row] for row in rows])
    return out.getvalue().encode()


def safe(cell: object) -> object:
    """A cell that no spreadsheet calculates."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


async def _lines(content: Content) -> AsyncIterator[bytes]:
    async for page in content.pages():
        yield b"".join(each.leaf + b"\n" for each in page)


async def _rows(content: Content) -> AsyncIterator[list[tuple[Indexed, Row]]]:
    people = content.order.people
    async for page, opened in content.opened():
        yield [
            (each, row_of(each, parts, content.name_of(each.log), people=people))
            for each, parts in zip(page, opened, strict=True)
        ]


async def _csv(content: Content) -> AsyncIterator[bytes]:
    yield csv_lines([COLUMNS])
    async for rows in _rows(content):
        yield csv_lines([[getattr(row, name) for name in COLUMNS] for _, row in rows])


async def _mapped(content: Content, event: Any) -> AsyncIterator[bytes]:
    async for rows in _rows(content):
        yield b"".join(_encode(event(each.decoded(), row)) + b"\n" for each, row in rows)


async def _parquet(content: Content) -> AsyncIterator[bytes]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise ParquetMissing from None
    schema = pa.schema([(name, pa.int64() if name == "index" else pa.string()) for name in COLUMNS])
    sink, waiting = Drain(), list[Row]()
    writer = parquet.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd")

    def group() -> None:
        writer.write_table(pa.Table.from_pylist([msgspec.to_builtins(row) for row in waiting], schema))
        waiting.clear()

    async for rows in _rows(content):
        waiting += [row for _, row in rows]
        if len(waiting) >= _ROW_GROUP:
            await asyncio.to_thread(group)
            yield sink.taken()
    if waiting:
        await asyncio.to_thread(group)
    await asyncio.to_thread(writer.close)
    yield sink.taken()


class Drain(io.RawIOBase):
    """A file that is emptied as it fills, and still knows how long it is: a footer names places in the whole."""

    def __init__(self) -> None:
        self._held: list[bytes] = []
        self._length = 0

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        raw = bytes(piece)
        self._held.append(raw)
        self._length += len(raw)
        return len(raw)

    def tell(self) -> int:
        return self._length

    def taken(self) -> bytes:
        """What was written since the last time."""
        held = b"".join(self._held)
        self._held.clear()
        return held


def cloudevent(leaf: Leaf, row: Row) -> dict[str, Any]:
    """An entry as a CloudEvent: what happened, never the person's data."""
    event = {
        "specversion": "1.0",
        "id": row.entry,
        "source": f"//{row.log}",
        "type": f"sayso.{row.type}",
        "time": row.at,
        "sequence": f"{row.index:020d}",
        "datacontenttype": "application/json",
        "data": {"outcome": row.outcome, "res": leaf.res, "leaf_hash": row.leaf_hash, **_actor(row)},
    }
    return event | ({"subject": row.subject} if row.subject else {})


def _actor(row: Row) -> dict[str, Any]:
    named = {name: value for name, value in (("name", row.actor), ("id", row.actor_id)) if value}
    return {"actor": {"class": row.actor_class, **named}}


_DATASTORE: Final = {"access": 1, "vault.value": 10, "vault.record": 6, "vault.index": 4, "vault.key": 7}
_ENTITY: Final = ("consent.", "policy.", "server.manifest.")


def ocsf(leaf: Leaf, row: Row) -> dict[str, Any]:
    """An entry as an OCSF event."""
    datastore = next((activity for name, activity in _DATASTORE.items() if row.type.startswith(name)), None)
    kind, activity = (6005, datastore) if datastore else (3004, 3) if row.type.startswith(_ENTITY) else (6003, 99)
    user = {"name": row.actor or row.actor_class, "uid": row.actor_id, "type": row.actor_class}
    event: dict[str, Any] = {
        "activity_id": activity,
        "actor": {"user": user},
        "category_uid": kind // 1000,
        "class_uid": kind,
        "message": row.type,
        "metadata": {
            "log_name": row.log,
            "product": {"name": "Sayso", "vendor_name": "Sayso"},
            "sequence": row.index,
            "uid": row.entry,
            "version": "1.6.0",
        },
        "severity_id": 1,
        "status_id": 2 if row.outcome in ("deny", "fail") else 1,
        "time": leaf.ts // 1000,
        "type_uid": kind * 100 + activity,
        "unmapped": {"leaf_hash": row.leaf_hash, "outcome": row.outcome, "res": leaf.res, "subject": row.subject},
    }
    if kind == 6005:
        event["databucket"] = {"name": row.category or leaf.res.get("collection", row.type), "type": "personal data"}
        event["src_endpoint"] = {"svc_name": row.actor or row.actor_class}
    elif kind == 3004:
        event["entity"] = {"name": leaf.res.get("notice", row.purpose) or row.type, "type": row.type.split(".")[1]}
    else:
        event["api"] = {"operation": row.type}
        event["src_endpoint"] = {"svc_name": row.actor or row.actor_class}
    return event
