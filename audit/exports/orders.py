"""What an export is: the order, where it stands, and how far it came."""

from typing import Final, Literal, NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from audit.reading.selection import Selection, milliseconds
from audit.retention.classes import MAIN
from sayso.kernel import DAY, Conflict, Gone, Instant, Invalid, NotFound, Values, text

Status = Literal["queued", "running", "done", "failed", "expired"]

TERM: Final = 7 * DAY
"""How long an export may be fetched, and keeps the entries that it found from being pruned."""

FORMATS: Final = ("jsonl", "csv", "parquet", "bundle", "ocsf", "cloudevents")
"""Formats of `what: entries`; a report names its own."""


class ExportNotFound(NotFound):
    """No export of that id in this tenant."""

    def __init__(self) -> None:
        super().__init__("not-found", "There is no such export.")


class ExportNotReady(Conflict):
    """It is still being made. `retry_after` is in seconds."""

    retry_after = 1

    def __init__(self, status: str) -> None:
        super().__init__("export-not-ready", "The export is not made yet; ask for its status.", status=status)


class ExportGone(Gone):
    """Its term is over."""

    def __init__(self) -> None:
        super().__init__("export-gone", "The export's term is over; order it again.")


class FormatUnknown(Invalid):
    """What is asked for cannot be had in this format."""

    def __init__(self, what: str, formats: tuple[str, ...]) -> None:
        super().__init__("export-format", f"{what} can be had as {', '.join(formats)}.", formats=list(formats))


class LogHead(NamedTuple):
    """A signed head under which entries are selected and proven: of which log, its size and note, and how many entries
    of the export stand under it.
    """

    log: str
    size: int
    note: bytes
    hits: int


class LogPlace(NamedTuple):
    """Where an entry stands: the log by its name, and its index there."""

    log: str
    leaf: int


class Order(Struct, frozen=True, array_like=True):
    """Who ordered what, of which logs. `parts` are the compartments that may be opened; `people` says whether ids of
    people may be shown. `entry` is the log entry of the order itself. `told` is what the filter said, in the asker's
    words.
    """

    what: str
    format: str
    selection: Selection
    by: str
    entry: str
    parts: str = ""
    people: bool = False
    told: dict[str, str] = {}
    locale: str = "en"
    logs: tuple[str, ...] = (MAIN,)


class Export(Struct, frozen=True):
    """An export as it stands; `size` is what its logs hold together. Times are instants."""

    key: bytes
    version: int
    status: Status
    order: Order
    size: int
    cursor: bytes
    first: bytes
    hits: int
    parts: int
    error: str
    made_at: int
    until: int

    @property
    def id(self) -> str:
        return text("exp", self.key)

    @classmethod
    def of(cls, key: bytes, values: Values) -> "Export":
        """The export in a row."""
        version, status, asked, *rest = values
        return cls(key, version, status, msgspec.msgpack.decode(asked, type=Order), *rest)

    def values(self, **changes: object) -> Values:
        """The row with these changes, one version on."""
        new = replace(self, **changes, version=self.version + 1)
        asked = msgspec.msgpack.encode(new.order)
        rest = (new.size, new.cursor, new.first, new.hits, new.parts, new.error, new.made_at, new.until)
        return (new.version, new.status, asked, *rest)

    def share(self, at: Instant) -> float:
        """How much of the selecting lies behind, 0 to 1, by the time that the last entry looked at was made."""
        if self.status != "running" or not self.first:
            return 0.0 if self.status in ("queued", "running") else 1.0
        start = milliseconds(self.first)
        end = min(self.made_at, self.order.selection.until or self.made_at) // 1000
        return min(max(milliseconds(self.cursor) - start, 0) / max(end - start, 1), 0.999)
