"""The console's pages about rights requests: the due queue, and one request with all that may be done about it."""

from typing import Literal
from urllib.parse import urlencode

from msgspec import Struct

from .console import Operator
from .environment import render
from .frame import Frame

Due = Literal["late", "soon", "later", "done"]


class RequestLine(Struct, frozen=True, kw_only=True):
    """One request in the list. `law` is as it is called, `days` are left until the day; `due_on` is an ISO date.

    `status` is a state of the Data Rights Protocol, or `appealed`.
    """

    request: str
    kind: str
    law: str
    status: str
    received_at: int
    due_on: str
    due: Due
    days: int
    verified: bool = False
    paused: bool = False
    agent: bool = False
    proposed: bool = False


class RequestFilter(Struct, frozen=True, kw_only=True):
    """The filter as given. `due` is `late`, `soon` (within a week) or empty."""

    kind: str = ""
    law: str = ""
    status: str = ""
    due: str = ""

    def query(self, **more: str | None) -> str:
        """The filter as a query string with its leading "?"; empty members are left out."""
        members = {"kind": self.kind, "law": self.law, "status": self.status, "due": self.due, **more}
        named = {name: value for name, value in members.items() if value}
        return f"?{urlencode(named)}" if named else "?"


class RequestsPage(Struct, frozen=True, kw_only=True):
    """The due queue. `laws` are (code, as it is called); `older` is the cursor of those that are due later."""

    frame: Frame
    operator: Operator
    rows: tuple[RequestLine, ...]
    waiting: int
    late: int
    soon: int
    kinds: tuple[str, ...]
    laws: tuple[tuple[str, str], ...]
    statuses: tuple[str, ...]
    filter: RequestFilter = RequestFilter()
    older: str | None = None


class Rest(Struct, frozen=True, kw_only=True):
    """The clock rested from `since` to `until` (0: it still does)."""

    reason: str
    since: int
    until: int = 0


class SystemLine(Struct, frozen=True, kw_only=True):
    """One system's part. `by_hand`: an officer does it there and says so here."""

    task: str
    title: str
    status: str
    due_at: int
    late: bool = False
    settled_at: int = 0
    why: str = ""
    by_hand: bool = False


class KeptLine(Struct, frozen=True, kw_only=True):
    """What an erasure leaves: what, how many, on which ground, until when (0: see the ground)."""

    what: str
    count: int
    ground: str
    until: int = 0


class PlanView(Struct, frozen=True, kw_only=True):
    """What an erasure would do: (retention class, values), what stays, systems, and holds that stop it now."""

    goes: tuple[tuple[str, int], ...]
    stays: tuple[KeptLine, ...]
    identifiers: int
    systems: tuple[str, ...]
    holds: int = 0
    known: bool = True


class StepLine(Struct, frozen=True, kw_only=True):
    """One step: its entry in the log, what it was (the entry's type) and when."""

    entry: str
    type: str
    at: int


class GrantLine(Struct, frozen=True, kw_only=True):
    """Somebody asked that what is guarded stands in the package: whether another agreed, and until when that counts.
    `own`: the operator asked.
    """

    grant: str
    asked_by: str
    reason: str
    until: int
    approved: bool = False
    own: bool = False


class RequestPage(Struct, frozen=True, kw_only=True):
    """One request, with what may be done about it now. Instants are 0 and dates empty where there is none.

    `share` of the time has passed. `source` is where the law says so. `grounds` of a proposal are (class, ground).
    `values` are the corrections laid open by this very answer: (field, value). `two`: it takes two officers.
    `withheld` are the guarded values that the package leaves out. `problem` is why the last step was not taken.
    """

    frame: Frame
    operator: Operator
    line: RequestLine
    subject: str
    source: str
    granted_by_law: bool
    share: float
    target_on: str
    verified_at: int = 0
    verified_by: str = ""
    agent: str = ""
    related: str = ""
    purposes: tuple[str, ...] = ()
    corrects: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    fields: tuple[str, ...] = ()
    extension: str = ""
    extendable_to: str = ""
    rests: tuple[Rest, ...] = ()
    may_rest: tuple[str, ...] = ()
    appealed_at: int = 0
    appeal_outcome: str = ""
    reason: str = ""
    statements: tuple[tuple[str, str], ...] = ()
    closed_at: int = 0
    served: bool = False
    systems: tuple[SystemLine, ...] = ()
    plan: PlanView | None = None
    two: bool = False
    proposed_at: int = 0
    own_proposal: bool = False
    grounds: tuple[tuple[str, str], ...] = ()
    package: str = ""
    packaged: bool = False
    withheld: tuple[str, ...] = ()
    grants: tuple[GrantLine, ...] = ()
    certificate: bool = False
    steps: tuple[StepLine, ...] = ()
    refusals: tuple[str, ...] = ()
    mail: bool = False
    problem: str = ""


def render_requests(page: RequestsPage) -> str:
    """The due queue under a filter."""
    return render("pages/requests.html", page.frame, page=page)


def render_request(page: RequestPage) -> str:
    """One request."""
    return render("pages/request.html", page.frame, page=page)
