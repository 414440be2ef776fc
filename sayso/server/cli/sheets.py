"""Rows of a table in a file: CSV, or Parquet where its library is installed. One row at a time, values as text."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from sayso.kernel import Invalid

_BATCH = 2_000


class UnreadableTable(Invalid):
    def __init__(self, message: str) -> None:
        super().__init__("unreadable-table", message)


class TableFile(Struct, frozen=True):
    """`rows` are the columns by name, what is empty left out."""

    columns: tuple[str, ...]
    count: int
    rows: Iterator[dict[str, str]]


@contextmanager
def opened(path: Path) -> Iterator[TableFile]:
    """The table in a file. Raises `UnreadableTable`."""
    if path.suffix.lower() == ".parquet":
        yield _parquet(path)
        return
    # A spreadsheet writes a mark in front, which is none of the first column's name.
    with path.open(encoding="utf-8-sig", newline="") as stream:
        try:
            count = sum(1 for _ in csv.reader(stream, strict=True)) - 1
            stream.seek(0)
            reader = csv.DictReader(stream, strict=True)
            columns = tuple(reader.fieldnames or ())
        except (UnicodeDecodeError, csv.Error):
            raise UnreadableTable("The file is no CSV in UTF-8.") from None
        if not columns or len(set(columns)) != len(columns):
            raise UnreadableTable("The first line names the columns, each once.")
        yield TableFile(columns, count, (_texts(row) for row in reader))


def _parquet(path: Path) -> TableFile:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise UnreadableTable("Parquet needs a library: pip install 'sayso[parquet]'.") from None
    try:
        file = parquet.ParquetFile(path)
    except (ArrowException, OSError):
        raise UnreadableTable("The file is no Parquet.") from None
    batches = file.iter_batches(batch_size=_BATCH)
    rows = (_texts(row) for batch in batches for row in batch.to_pylist())
    return TableFile(tuple(file.schema_arrow.names), file.metadata.num_rows, rows)


def _texts(row: dict[Any, Any]) -> dict[str, str]:
    """Dates come as ISO 8601, numbers as they are written; a row that is too long has its rest under None."""
    named = {name: "" if value is None else str(value).strip() for name, value in row.items() if name is not None}
    return {name: value for name, value in named.items() if value}
