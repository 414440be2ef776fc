"""The preference page: the door that takes a one-time code, and "Your say" behind it."""

from functools import partial
from typing import Literal

from msgspec import Struct

from .environment import render
from .frame import Brand, Frame
from .reaching import CAPS, DAYS, Question, Reaching, city, places

Status = Literal["granted", "refused", "withdrawn", "expired", "unasked", "pending", "objected", "stale"]
Basis = Literal[
    "consent", "contract", "legal_obligation", "vital_interest", "public_task", "legitimate_interest", "notice"
]


class DoorPage(Struct, frozen=True, kw_only=True):
    """The page at `/p/`. `problem` is "code" after a code that could not be used, whatever the reason was, and
    "sign_in" after a brand's word for the person that did not hold.

    `mail`: a link can be sent to whoever types in their address. `code`: what the brand's page sent along, unspent.
    """

    frame: Frame
    brand: Brand
    problem: Literal["code", "sign_in"] | None = None
    mail: bool = False
    code: str = ""


class LatePage(Struct, frozen=True, kw_only=True):
    """A form that came too late. The frame's flash says why, `next` is where to go on."""

    frame: Frame
    brand: Brand
    next: str


class ConfirmPage(Struct, frozen=True, kw_only=True):
    """The page at `/p/confirm`: the second yes of a double opt-in. `confirmed` are the titles of what counts now."""

    frame: Frame
    brand: Brand
    problem: bool = False
    confirmed: tuple[str, ...] = ()


class Party(Struct, frozen=True, kw_only=True):
    """Who else gets the data: name, what they are to the controller, the country, and what a transfer there rests on.

    `role` and `ground` are names of `consent` (`ROLES`, `MECHANISMS`); both texts are in the page's locale.
    """

    title: str
    role: str = ""
    country: str = ""
    ground: str = ""


class Less(Struct, frozen=True, kw_only=True):
    """Less instead of never: the channel of a purpose that has a yes, and the caps that are fewer than now."""

    channel: str
    cap: str = ""
    caps: tuple[str, ...] = ()


class PurposeCard(Struct, frozen=True, kw_only=True):
    """One purpose as the person sees it. Texts are in the page's locale; instants in microseconds.

    `can_refuse` is false where a no does not block (contract, legal obligation, vital interest, public task).
    `sources` are where the data come from, `parties` who else gets them, `places` where they lie, `retention` how long
    they stay; `reason` is the brand's word on why the service needs it. `stored_here`: something is kept on the device.
    """

    name: str
    title: str
    description: str = ""
    categories: tuple[str, ...] = ()
    basis: Basis
    status: Status
    since: int | None = None
    expires_at: int | None = None
    keeps: str | None = None
    can_refuse: bool = True
    asked_in_notice: bool = True
    sources: tuple[str, ...] = ()
    parties: tuple[Party, ...] = ()
    places: tuple[str, ...] = ()
    retention: str | None = None
    reason: str = ""
    marketing: bool = False
    stored_here: bool = False
    asked_again_after: str | None = None
    less: tuple[Less, ...] = ()


class RecordLine(Struct, frozen=True, kw_only=True):
    """One recorded choice. `choices` are (title of the purpose, status chosen); "unasked" is a no taken back.

    `entry` its log entry, `index` once integrated; `notice` and `locale` are empty where no notice was shown. `told` is
    the text that was shown then, where it is still known.
    """

    record: str
    entry: str
    at: int
    method: str
    notice: str
    notice_version: int
    locale: str
    choices: tuple[tuple[str, Status], ...]
    ignored: tuple[tuple[str, Literal["late", "weaker", "suppressed", "signal"]], ...] = ()
    directives: tuple[str, ...] = ()
    index: int | None = None
    checkpoint: int | None = None
    told: str = ""


class HonouredDirective(Struct, frozen=True, kw_only=True):
    """A directive that stands: its kind (`gpc opt_out limit_sensitive`), the instant at which it was last given, the
    titles of the purposes that it says no to, and of those granted against it since.
    """

    kind: str
    since: int
    purposes: tuple[str, ...]
    lifted: tuple[str, ...] = ()


class PreferencesPage(Struct, frozen=True, kw_only=True):
    """The page at `/p/you`: the notice in force, a card per purpose, the newest records first.

    `notice_address` leads to the page of that notice, `told_version` is that of the person's preferences, `unfit` the
    one whose answer was refused just now.
    """

    frame: Frame
    brand: Brand
    notice: str
    notice_version: int
    notice_text: str
    purposes: tuple[PurposeCard, ...]
    suppressed: bool = False
    undo: str = ""
    undo_until: int = 0
    notice_address: str = ""
    told_version: int = 0
    reaching: Reaching | None = None
    questions: tuple[Question, ...] = ()
    unfit: str = ""
    directives: tuple[HonouredDirective, ...] = ()


class HistoryPage(Struct, frozen=True, kw_only=True):
    """The page at `/p/you/history`: records, newest first; `older` is the cursor of the next page."""

    frame: Frame
    brand: Brand
    records: tuple[RecordLine, ...]
    older: str = ""


class ProofBundle(Struct, frozen=True, kw_only=True):
    """What a browser needs to verify a record by itself; nulls while the entry is not integrated.

    `receipt` compact JWS; `leaf` base64url of the raw leaf; `proof` tlog-proof text (C2SP tlog-proof@v1); `vkey` one
    line (C2SP signed-note).
    """

    pending: bool
    receipt: str | None = None
    leaf: str | None = None
    proof: str | None = None
    vkey: str | None = None


class Say(Struct, frozen=True):
    """The three sentences of truth: titles of what the person allows, refuses, and was never asked."""

    yes: tuple[str, ...]
    no: tuple[str, ...]
    unasked: tuple[str, ...]


NO: frozenset[Status] = frozenset({"refused", "withdrawn", "objected"})


def say(purposes: tuple[PurposeCard, ...]) -> Say:
    """Sort the purposes that a no can block into yes, no and not asked; an expired or stale yes is no yes."""
    free = [card for card in purposes if card.can_refuse]
    return Say(
        yes=tuple(card.title for card in free if card.status == "granted"),
        no=tuple(card.title for card in free if card.status in NO),
        unasked=tuple(card.title for card in free if card.status != "granted" and card.status not in NO),
    )


def render_door(page: DoorPage) -> str:
    """The door: a form for the one-time code."""
    return render("pages/door.html", page.frame, page=page)


def render_late(page: LatePage) -> str:
    """What is said of a form that came too late."""
    return render("pages/late.html", page.frame, page=page)


def render_confirm(page: ConfirmPage) -> str:
    """The form that spends a confirmation's code, or what it confirmed."""
    return render("pages/confirm.html", page.frame, page=page)


def render_preferences(page: PreferencesPage) -> str:
    """The page "Your say": the standing choices, less instead of never, and the way out."""
    return render(
        "pages/preferences.html",
        page.frame,
        page=page,
        say=say(page.purposes),
        places=places(page.frame.locale) if page.reaching is not None else (),
        caps=CAPS,
        days=DAYS,
        city=partial(city, locale=page.frame.locale),
    )


def render_history(page: HistoryPage) -> str:
    """What the person said, with proofs and receipts."""
    return render("pages/history.html", page.frame, page=page)
