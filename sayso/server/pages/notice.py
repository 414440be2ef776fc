"""The page of a notice: what it says, every version there was, and what changed from one to another, in words."""

from msgspec import Struct

from .differing import Piece
from .environment import render
from .frame import Brand, Frame
from .locales import direction, own_name


class NoticeText(Struct, frozen=True, kw_only=True):
    """A version in one language. `told` are the further members (ISO/IEC 29184) by name; `hash` is the SHA-256 of what
    is shown in it.
    """

    locale: str
    text: str
    title: str = ""
    told: dict[str, str] = {}
    hash: str = ""

    @property
    def language(self) -> str:
        """The language in its own words."""
        return own_name(self.locale)

    @property
    def dir(self) -> str:
        return direction(self.locale)


class NoticeVersion(Struct, frozen=True, kw_only=True):
    """A published version: its content's hash, the titles of its purposes, those about which it asked people again, and
    its text in every language.
    """

    version: int
    published_at: int
    hash: str
    purposes: tuple[str, ...]
    asks_again: tuple[str, ...] = ()
    texts: tuple[NoticeText, ...]

    def text_in(self, locale: str) -> NoticeText | None:
        """The text in that very language."""
        return next((each for each in self.texts if each.locale == locale), None)


class NoticeDifference(Struct, frozen=True, kw_only=True):
    """What changed between two versions: by member (`title`, `text` …), and purposes that came and went."""

    earlier: int
    later: int
    members: dict[str, tuple[Piece, ...]]
    came: tuple[str, ...] = ()
    went: tuple[str, ...] = ()


class NoticePage(Struct, frozen=True, kw_only=True):
    """`versions` newest first; `shown` is the one in full, `locale` the language of its text, one of the notice's."""

    frame: Frame
    brand: Brand
    name: str
    versions: tuple[NoticeVersion, ...]
    shown: NoticeVersion
    locale: str
    difference: NoticeDifference | None = None

    @property
    def text(self) -> NoticeText:
        found = self.shown.text_in(self.locale)
        assert found is not None, "the page is made for a language of the version"
        return found

    @property
    def newest(self) -> bool:
        return self.shown is self.versions[0]


def render_notice(page: NoticePage) -> str:
    """The page, for anyone."""
    return render("pages/notice.html", page.frame, page=page)
