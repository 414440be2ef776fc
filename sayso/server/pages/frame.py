"""What every page shares: who speaks, in which language and light, and the short message after a form."""

from typing import Literal

from msgspec import Struct

Theme = Literal["system", "light", "dark"]
THEMES: tuple[Theme, ...] = ("system", "light", "dark")


class Brand(Struct, frozen=True, kw_only=True):
    """The controller in whose name a page speaks, with the addresses where it can be reached.

    `style` is the address of the brand's own colours; empty where it has none. `app` is the address, without what comes
    behind its name, of all that makes the page installable, `accents` its colour by day and by night.
    """

    name: str
    controller: str
    contact: str | None = None
    privacy_url: str | None = None
    style: str = ""
    app: str = ""
    accents: tuple[str, str] = ("", "")


class Flash(Struct, frozen=True):
    """The outcome of the form that led here; `kind` picks the sentence (`templates/components/flash.html`)."""

    kind: Literal[
        "saved",
        "withdrawn",
        "undone",
        "undo_late",
        "asked",
        "erasure",
        "erase_word",
        "confirm_wrong",
        "confirm_ended",
        "confirmed",
        "stale",
        "unchanged",
        "left",
        "unknown",
        "csrf",
        "moved",
        "weaker",
        "unfit",
        "link_asked",
        "ended",
    ]
    at: int | None = None


class Way(Struct, frozen=True):
    """Where the forms of a page go, and what they carry to be believed: the token of the session whose cookie comes
    along, or where no cookie does (in a frame on another site) the session itself.
    """

    base: str
    field: str
    value: str
    query: str = ""

    def to(self, act: str) -> str:
        """The address of an act."""
        return f"{self.base}/{act}{self.query}"


class Frame(Struct, frozen=True, kw_only=True):
    """The frame of one page.

    Locale, theme, own address (for the switches to return to) and the form token of the session. `embedded`: the page
    is a part of one of the brand's own, and its forms go another way.
    """

    locale: str
    path: str
    theme: Theme = "system"
    csrf: str = ""
    flash: Flash | None = None
    demo: bool = False
    embedded: Way | None = None

    @property
    def way(self) -> Way:
        """Where the forms of the page go."""
        return self.embedded or Way("/p/you", "csrf", self.csrf)


def theme_of(cookie: str | None) -> Theme:
    """The theme that the cookie `sayso_theme` names; anything unknown follows the system."""
    return next((theme for theme in THEMES if theme == cookie), "system")


def safe_back(address: str | None) -> str:
    """`address` when it is a path of this site, else "/": a form may not send a visitor elsewhere.

    A second slash or a backslash after the first would start a host name in browsers (WHATWG URL, "path or authority").
    """
    if not address or not address.startswith("/") or address[1:2] in ("/", "\\"):
        return "/"
    return "/" if any(ord(char) < 0x21 or char == "\\" for char in address) else address
