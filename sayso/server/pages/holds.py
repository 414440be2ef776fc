"""The console's page of legal holds: what must not be destroyed, placed and lifted by two officers."""

from msgspec import Struct

from .console import Operator
from .environment import render
from .frame import Frame


class HoldStepLine(Struct, frozen=True, kw_only=True):
    """One step of a hold: `step` as the desk names it, who took it and what they said."""

    step: str
    actor: str
    at: int
    said: str = ""


class HoldCard(Struct, frozen=True, kw_only=True):
    """One hold. `until` 0: until it is released. `own`: the caller proposed what waits now."""

    hold: str
    state: str
    matter: str
    people: int
    categories: tuple[str, ...]
    until: int
    steps: tuple[HoldStepLine, ...]
    own: bool = False


class HoldsPage(Struct, frozen=True, kw_only=True):
    """All holds, what waits for a second officer first.

    `kinds` are types of identifiers, `fields` what people may be searched by (`collection.field`).
    """

    frame: Frame
    operator: Operator
    waiting: tuple[HoldCard, ...]
    standing: tuple[HoldCard, ...]
    over: tuple[HoldCard, ...]
    categories: tuple[str, ...]
    kinds: tuple[str, ...]
    fields: tuple[str, ...] = ()
    problem: str = ""


def render_holds(page: HoldsPage) -> str:
    """Legal holds, and the form that proposes one."""
    return render("pages/holds.html", page.frame, page=page)
