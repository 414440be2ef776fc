"""The opt-out pages of a site: "Do not sell or share" and "Limit the use", for anyone, without script or sign-in."""

from typing import Final, Literal

from msgspec import Struct

from .environment import render
from .frame import Brand, Frame

Link = Literal["do-not-sell-or-share", "limit-sensitive"]

LINKS: Final[dict[Link, str]] = {"do-not-sell-or-share": "opt_out", "limit-sensitive": "limit_sensitive"}
"""The two links (11 CCR 7013, 7014) and the directive that each gives."""


class PrivacyPage(Struct, frozen=True, kw_only=True):
    """One or both forms of a site. `reached` are the titles of the purposes that each link says no to.

    `here`: a browser that reaches this page is the one that shows the banner, so the form needs nothing but a click.
    `done` is the link just used, `held` the links that this browser holds, `gpc` whether it sends its own signal.
    """

    frame: Frame
    brand: Brand
    site: str
    links: tuple[Link, ...]
    reached: dict[str, tuple[str, ...]]
    here: bool
    done: Link | None = None
    held: tuple[Link, ...] = ()
    gpc: bool = False
    problem: Literal["identifier"] | None = None


def render_privacy(page: PrivacyPage) -> str:
    """The page with its forms."""
    return render("pages/privacy.html", page.frame, page=page)
