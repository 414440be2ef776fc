"""The demo shop of a fictional tea brand: a page that a brand would own, with the banner on it."""

from typing import Literal

from msgspec import Struct

from .environment import render
from .frame import Brand, Frame


class SignedUp(Struct, frozen=True, kw_only=True):
    """What the shop's server got back after a sign-up: a token in place of the address, and the entry of the choice."""

    token: str
    entry: str
    news: bool


class Tag(Struct, frozen=True, kw_only=True):
    """A third-party tag of the shop that waits for a purpose.

    `title` is the purpose's, `script` one of our demo tags.
    """

    purpose: str
    title: str
    script: Literal["demo-statistics.js", "demo-adverts.js"]


class ShopPage(Struct, frozen=True, kw_only=True):
    """The shop.

    `banner_src` is the address of the site's banner, `news_title` the title of the purpose behind the sign-up form.
    """

    frame: Frame
    brand: Brand
    banner_src: str
    tags: tuple[Tag, ...]
    news_title: str
    signed_up: SignedUp | None = None
    problem: Literal["email"] | None = None


def render_shop(page: ShopPage) -> str:
    """The shop's one page."""
    return render("pages/shop.html", page.frame, page=page)
