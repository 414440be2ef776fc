"""The gallery at `/gallery`: every component of the design system once, for those who build and those who check."""

from typing import Literal

from msgspec import Struct

from .differing import Piece
from .environment import render
from .frame import Flash, Frame
from .locales import translate
from .person import PurposeCard, RecordLine
from .person_data import Use
from .reaching import Cell, Channel, Hours, Question
from .rights import KeptLine, PlanView

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
    uses: tuple[Use, ...]
    channels: tuple[Channel, ...]
    hours: Hours
    questions: tuple[Question, ...]
    plan: PlanView


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
        uses=(_use("used", news, locale), _use("refused", news, locale)),
        channels=(
            Channel(name="email", cells=_cells(news, orders, "on"), cap="1/month"),
            Channel(name="phone", cells=_cells(news, orders, "off")),
        ),
        hours=Hours(days=("sat", "sun")),
        questions=(
            Question(name="known", type="boolean", title=news, value="yes"),
            Question(
                name="often",
                type="multi",
                title=translate(locale, "How often"),
                options=(("news", news, True), ("orders", orders, False)),
            ),
            Question(name="other", type="text", title=translate(locale, "Text"), longest=80, unfit=True),
        ),
        plan=PlanView(
            goes=(("standard", 7),),
            stays=(KeptLine(what="suppression", count=1, ground="GDPR 21(3)", until=MORNING),),
            identifiers=2,
            systems=(news,),
            holds=1,
        ),
    )


def _use(outcome: Literal["used", "refused"], purpose: str, locale: str) -> Use:
    return Use(
        entry="ent_0193a5c47b1e7c5f9a27b4b0c9d8e7f6",
        at=MORNING,
        outcome=outcome,
        action="use",
        category="contact.email",
        what=translate(locale, "your e-mail address"),
        purpose=purpose,
        who=(translate(locale, "Customer records"),),
        why="consent" if outcome == "used" else "withdrawn",
        index=1283,
    )


def _cells(news: str, orders: str, state: Literal["on", "off"]) -> tuple[Cell, ...]:
    return (
        Cell(purpose="marketing.email", title=news, state=state),
        Cell(purpose="orders", title=orders, state="locked"),
    )
