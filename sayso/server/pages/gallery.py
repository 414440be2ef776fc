"""The gallery at `/gallery`: every component of the design system once, for those who build and those who check."""

from msgspec import Struct

from .differing import Piece
from .environment import render
from .frame import Flash, Frame
from .locales import translate
from .person import PurposeCard, RecordLine

MORNING = 1_795_250_700_000_000  # an instant like any other: the gallery shows no clock


class GalleryPage(Struct, frozen=True, kw_only=True):
    """The gallery needs nothing but a frame."""

    frame: Frame


class Samples(Struct, frozen=True, kw_only=True):
    """What the components are shown with."""

    at: int
    flashes: tuple[Flash, ...]
    purposes: tuple[PurposeCard, ...]
    record: RecordLine
    difference: tuple[Piece, ...]


def render_gallery(page: GalleryPage) -> str:
    """The gallery page."""
    return render("pages/gallery.html", page.frame, page=page, samples=_samples(page.frame.locale))


def _samples(locale: str) -> Samples:
    news, orders = translate(locale, "News by e-mail"), translate(locale, "Your orders")
    return Samples(
        at=MORNING,
        flashes=(Flash("saved", MORNING), Flash("stale")),
        purposes=(
            PurposeCard(
                name="marketing.email", title=news, basis="consent", status="granted", since=MORNING, expires_at=MORNING
            ),
            PurposeCard(name="orders", title=orders, basis="contract", status="granted", can_refuse=False),
        ),
        record=RecordLine(
            record=f"cns_{'0' * 32}",
            entry="ent_0193a5c47b1e7c5f9a27b4b0c9d8e7f6",
            at=MORNING,
            method="banner",
            notice="web",
            notice_version=3,
            locale=locale,
            choices=((news, "granted"), (orders, "refused")),
            index=1283,
            checkpoint=1284,
        ),
        difference=(Piece("same", orders + ". "), Piece("removed", orders), Piece("added", news)),
    )
