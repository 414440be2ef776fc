"""The page in place of one that could not be shown."""

from msgspec import Struct

from .environment import render
from .frame import Brand, Frame


class ProblemPage(Struct, frozen=True, kw_only=True):
    """Why there is no page, in the reader's words.

    `slug` and `detail` are those of the problem document, `request` the id of the request in the log. The detail is for
    operators (`console`): it is in English and speaks of roles and rules. `brand` is who speaks to everybody else.
    """

    frame: Frame
    status: int
    slug: str
    request: str
    detail: str = ""
    brand: Brand
    console: bool = False


def render_problem(page: ProblemPage) -> str:
    """What happened, what to do, and where to go on."""
    return render("pages/problem.html", page.frame, page=page)
