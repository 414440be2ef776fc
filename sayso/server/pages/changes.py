"""The console's pages about changes of the rules: what waits for a second person, what was live, and the way back."""

from typing import Literal

from msgspec import Struct

from .console import Operator
from .differing import Piece
from .environment import render
from .frame import Frame

ProposalState = Literal["open", "stale", "approved", "rejected", "withdrawn"]
ChangeProblem = Literal[
    "four-eyes", "proposal-decided", "stale-proposal", "not-the-author", "invalid-reason", "rules-lost", "refused"
]


class ProposalLine(Struct, frozen=True, kw_only=True):
    """One proposal in the list. `restores` is the version that it goes back to; `decider` is empty while it is open."""

    proposal: str
    state: ProposalState
    author: str
    at: int
    base: int
    changes: int
    restores: int = 0
    decider: str = ""
    own: bool = False


class VersionLine(Struct, frozen=True, kw_only=True):
    """One version in the list. `approver` is empty where one person was enough, or broke the glass (`glass`)."""

    version: int
    hash: str
    author: str
    at: int
    live: bool
    approver: str = ""
    restores: int = 0
    glass: bool = False


class ChangesPage(Struct, frozen=True, kw_only=True):
    """The list. `two`: changes take two people. `lag` is the newest version where this node cannot load it, else 0.
    `older` is the `before` of the next page of versions.
    """

    frame: Frame
    operator: Operator
    two: bool
    waiting: tuple[ProposalLine, ...]
    decided: tuple[ProposalLine, ...]
    versions: tuple[VersionLine, ...]
    older: int | None = None
    lag: int = 0
    stale: bool = False
    problem: ChangeProblem | None = None


class MemberLine(Struct, frozen=True, kw_only=True):
    """One member of the manifest that changes, as it is written: what goes and what comes."""

    section: str
    name: str
    change: Literal["added", "changed", "removed"]
    pieces: tuple[Piece, ...]


class AnswerLine(Struct, frozen=True, kw_only=True):
    """Questions that are answered differently: their names, how many there are, and the terms before and after."""

    change: Literal["permitted", "denied", "terms"]
    roles: str
    actions: str
    categories: str
    purposes: str
    jurisdictions: str
    cells: int
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


class ChangePage(Struct, frozen=True, kw_only=True):
    """One proposal with its report. `asked_again` is None where nobody is; `more` answers are not listed, and not
    `complete` means that there may be others. `live` is the version in force now.
    """

    frame: Frame
    operator: Operator
    line: ProposalLine
    live: int
    members: tuple[MemberLine, ...]
    answers: tuple[AnswerLine, ...]
    warnings: tuple[str, ...] = ()
    asked_again: int | None = None
    exact: bool = True
    kept: tuple[str, ...] = ()
    loss: str = ""
    tests: int = 0
    reason: str = ""
    more: int = 0
    complete: bool = True
    problem: ChangeProblem | None = None


def render_changes(page: ChangesPage) -> str:
    """What waits, what was decided, and every version."""
    return render("pages/changes.html", page.frame, page=page)


def render_change(page: ChangePage) -> str:
    """One proposal, to be decided on."""
    return render("pages/change.html", page.frame, page=page)
