"""The page of an unsubscribe address: a button that says no, and for a while one that takes it back."""

from typing import Literal

from msgspec import Struct

from .environment import render
from .frame import Brand, Frame


class UnsubscribePage(Struct, frozen=True, kw_only=True):
    """`list` is the title of what is mailed. `state`: `on` the list, `off` it, `back` as before an undone no, `nowhere`
    for an address that leads to nobody.

    `undo_until` is the instant until which the no can be taken back here, 0 where it cannot. `late`: an undo that came
    too late was just refused.
    """

    frame: Frame
    brand: Brand
    state: Literal["on", "off", "back", "nowhere"]
    list: str = ""
    undo_until: int = 0
    late: bool = False


def render_unsubscribe(page: UnsubscribePage) -> str:
    """The page with its form."""
    return render("pages/unsubscribe.html", page.frame, page=page)
