"""The console's report: who used which category for which purpose, by day and service, with what proves it."""

from typing import Literal

from msgspec import Struct

from .console import Operator
from .environment import render
from .frame import Frame


class UsesLine(Struct, frozen=True, kw_only=True):
    """A row of the report; `actor` is the client's name, or the class of those who have none, `log` is empty where all
    rows are of one.
    """

    day: str
    actor: str
    category: str
    purpose: str
    action: str
    permitted: int
    refused: int
    entries: int
    first_index: int
    last_index: int
    log: str = ""


class MadeReport(Struct, frozen=True, kw_only=True):
    """A report in the list. `share` is how much of it is made, 0 to 1."""

    export: str
    at: int
    state: Literal["queued", "running", "done", "failed", "expired"]
    share: float
    span: str


class ShownHead(Struct, frozen=True, kw_only=True):
    """A signed head under which so many entries were counted; `log` is empty where there is one."""

    entries: int
    size: int
    root: str
    log: str = ""


class ShownReport(Struct, frozen=True, kw_only=True):
    """The report that the address names: its rows, how many there are in all, and the signed heads they stand under."""

    export: str
    rows: tuple[UsesLine, ...]
    count: int
    heads: tuple[ShownHead, ...]


class ConsoleUsesPage(Struct, frozen=True, kw_only=True):
    """The form, the newest reports, and one of them. `problem` names what of the form could not be understood."""

    frame: Frame
    operator: Operator
    reports: tuple[MadeReport, ...] = ()
    shown: ShownReport | None = None
    from_: str = ""
    to: str = ""
    problem: Literal["from", "to", "gone"] | None = None


def render_console_uses(page: ConsoleUsesPage) -> str:
    """The report and those made before."""
    return render("pages/console_uses.html", page.frame, page=page)
