"""What the preference page shows of a person's data: who used them, what there is, and the requests about them."""

from typing import Literal

from msgspec import Struct

from .environment import render
from .frame import Brand, Frame
from .locales import translate

Asked = Literal["access", "rectification", "restriction", "portability"]
ASKED: tuple[Asked, ...] = ("access", "rectification", "restriction", "portability")
"""What a person asks for here with one press. An erasure has its own form, an objection is a switch."""


class Use(Struct, frozen=True, kw_only=True):
    """One time at which somebody asked for the person's data. Texts are in the page's locale.

    `outcome`: `used`, `refused`. `action` is an action of the policies; `what` and `purpose` are in words, empty where
    no declared name was given. `who` are roles, in words; never a name. `why` is the basis, or the reason of a refusal.
    """

    entry: str
    at: int
    outcome: Literal["used", "refused"]
    action: str
    category: str
    what: str
    purpose: str
    who: tuple[str, ...]
    why: str = ""
    mask: str = ""
    index: int | None = None


class UsesPage(Struct, frozen=True, kw_only=True):
    """The page at `/p/you/uses`. `kinds` are (category, in words) that occur, `of` the one that is shown alone."""

    frame: Frame
    brand: Brand
    uses: tuple[Use, ...]
    kinds: tuple[tuple[str, str], ...] = ()
    of: str = ""
    older: str = ""


class Known(Struct, frozen=True, kw_only=True):
    """An identifier that leads to the person: its kind, and since when. Never its value."""

    kind: str
    since: int


class HeldField(Struct, frozen=True, kw_only=True):
    """A value that is kept: what it is in words, since when, and where: `collection.field`, empty if not declared."""

    what: str
    at: int
    place: str = ""


class AskedFor(Struct, frozen=True, kw_only=True):
    """A request of the person. `share` is the part of the time that has passed, 0 to 1; dates are ISO.

    `may_confirm`: nobody has shown yet whose it is, and a code can do it; `code_sent`: one was sent.
    `systems` are the others who have a part in it, by title, and whether each has answered.
    """

    request: str
    kind: str
    received_at: int
    due_on: str
    status: str
    share: float = 0.0
    verified: bool = False
    may_confirm: bool = False
    code_sent: bool = False
    package: Literal["", "making", "ready", "failed"] = ""
    paused: bool = False
    extended: bool = False
    systems: tuple[tuple[str, bool], ...] = ()
    closed_at: int = 0
    reason: str = ""


class DataPage(Struct, frozen=True, kw_only=True):
    """The page at `/p/you/data`. `laws` are jurisdictions in words, `relations` kinds of contract with their reference.

    `may_ask` are the requests that are not open already.
    """

    frame: Frame
    brand: Brand
    identifiers: tuple[Known, ...] = ()
    held: tuple[HeldField, ...] = ()
    laws: tuple[str, ...] = ()
    relations: tuple[tuple[str, str, int], ...] = ()
    requests: tuple[AskedFor, ...] = ()
    may_ask: tuple[Asked, ...] = ASKED
    erasing: bool = False


def erase_word(locale: str) -> str:
    """The word that a person types to confirm an erasure, in their language."""
    return translate(locale, "erase")


def confirms_erasure(typed: str, locale: str) -> bool:
    """Whether the person typed the word, in any case and with any space around it."""
    return typed.strip().casefold() == erase_word(locale).casefold()


def render_uses(page: UsesPage) -> str:
    """Who used the person's data, when and for what."""
    return render("pages/uses.html", page.frame, page=page)


def render_data(page: DataPage) -> str:
    """What is kept of the person, and what they can ask for."""
    return render("pages/data.html", page.frame, page=page, word=erase_word(page.frame.locale))
