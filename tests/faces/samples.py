"""View models with believable content, for the rendering tests and for the pages that a browser opens."""

from typing import Any, Literal

from sayso.server import pages
from sayso.server.brand.texts import Foreign
from sayso.server.pages import (
    BannerConfiguration,
    BannerPurpose,
    Brand,
    Cell,
    Channel,
    Frame,
    Hours,
    Less,
    MailroomPage,
    Party,
    PreferencesPage,
    PrivacyPage,
    PurposeCard,
    Question,
    QueuedLetter,
    Reaching,
    RecordLine,
    ShopPage,
    Tag,
    country,
)

from .foreign_words import FOREIGN

AT = 1_795_302_330_123_456  # 21 Nov 2026, 23:05:30.123456 UTC
DAY = 86_400_000_000
ENTRY = "ent_0193a5c47b1e7c5f9a27b4b0c9d8e7f6"
SUBJECT = "sub_0193a5c47b1e7c5f9a27b4b0c9d8e7aa"

WORDS = {
    "en": {
        "news": "News by e-mail",
        "news_text": "We write to you about new pickings, four times a year.",
        "profile": "Recommendations",
        "profile_text": "We look at your orders to suggest teas you may like.",
        "analytics": "Shop statistics",
        "analytics_text": "We count visits to see which pages help and which do not.",
        "ads": "Advertising",
        "ads_text": "Partners show you our teas on other sites.",
        "orders": "Your orders",
        "orders_text": "We need your address to send you what you buy.",
        "email": "e-mail address",
        "behaviour": "pages you visited",
        "address": "postal address",
        "teas": "Teas you like",
        "teas_gives": "So the letter tells of these harvests, not of the others.",
        "green": "Green",
        "white": "White",
        "oolong": "Oolong",
        "samples": "A small sample with each order",
        "cups": "Cups a day in your house",
        "since": "Drinking tea since",
        "allergies": "What must not be in your tea",
        "allergies_gives": "So no blend that holds it is ever packed for you.",
        "allergies_value": "Hibiscus",
        "wish": "Which tea do you miss here?",
        "wish_text": "A name or a taste, as you remember it.",
        "origin": "Where your favourite comes from",
        "notice": "We use data about you only where you say so. "
        "You decide for each purpose, and you can change your mind whenever you like.",
    },
}


def words(locale: str) -> dict[str, str]:
    """In this language; what it lacks is in English and says so, as on a real page."""
    if locale in FOREIGN:
        return {name: FOREIGN[locale].get(name) or Foreign(text, "en") for name, text in WORDS["en"].items()}
    return WORDS["en"]


def a_frame(locale: str = "en", **changes: Any) -> Frame:
    return Frame(**{"locale": locale, "path": "/p/you", "csrf": "form-token", **changes})


def a_brand() -> Brand:
    return Brand(
        name="Huangshan & Hale",
        controller="Huangshan & Hale Tea Ltd, York",
        contact="privacy@hale.example",
        privacy_url="/demo/",
    )


def purposes(locale: str = "en") -> tuple[PurposeCard, ...]:
    word = words(locale)
    return (
        PurposeCard(
            name="marketing.email",
            title=word["news"],
            description=word["news_text"],
            categories=(word["email"],),
            basis="consent",
            status="granted",
            since=AT - 40 * DAY,
            expires_at=AT + 690 * DAY,
            keeps="P24M",
            sources=("zero_party",),
            parties=(
                Party(title="Letterbox", role="processor", country=country("ie", locale), ground="adequacy"),
                Party(title="Panorama", role="joint_controller", country=country("us", locale), ground="consent"),
            ),
            places=(country("gb", locale), country("ie", locale)),
            retention="P24M",
            marketing=True,
            asked_again_after="P24M",
            less=(Less(channel="email", cap="3/week", caps=("2/month", "1/month")),),
        ),
        PurposeCard(
            name="marketing.profile",
            title=word["profile"],
            description=word["profile_text"],
            categories=(word["behaviour"],),
            basis="consent",
            status="refused",
            since=AT - 40 * DAY,
            keeps="P12M",
        ),
        PurposeCard(
            name="analytics",
            title=word["analytics"],
            description=word["analytics_text"],
            categories=(word["behaviour"],),
            basis="consent",
            status="withdrawn",
            since=AT - 2 * DAY,
        ),
        PurposeCard(
            name="ads",
            title=word["ads"],
            description=word["ads_text"],
            categories=(word["behaviour"],),
            basis="consent",
            status="unasked",
        ),
        PurposeCard(
            name="orders",
            title=word["orders"],
            description=word["orders_text"],
            categories=(word["address"], word["email"]),
            basis="contract",
            status="granted",
            can_refuse=False,
        ),
    )


def records(locale: str = "en") -> tuple[RecordLine, ...]:
    word = words(locale)
    return (
        RecordLine(
            record="cns_0193a5c47b1e7c5f9a27b4b0c9d80003",
            entry=ENTRY,
            at=AT - 2 * DAY,
            method="preference_centre",
            notice="web",
            notice_version=3,
            locale=locale,
            choices=((word["analytics"], "withdrawn"),),
            index=1283,
            checkpoint=1284,
        ),
        RecordLine(
            record="cns_0193a5c47b1e7c5f9a27b4b0c9d80002",
            entry=ENTRY[:-1] + "5",
            at=AT - 30 * DAY,
            method="import",
            notice="web",
            notice_version=3,
            locale=locale,
            choices=((word["profile"], "granted"),),
            ignored=((word["profile"], "late"),),
        ),
        RecordLine(
            record="cns_0193a5c47b1e7c5f9a27b4b0c9d80001",
            entry=ENTRY[:-1] + "4",
            at=AT - 40 * DAY,
            method="banner",
            notice="web",
            notice_version=3,
            locale=locale,
            choices=((word["news"], "granted"), (word["analytics"], "granted"), (word["profile"], "refused")),
            index=702,
            checkpoint=1284,
        ),
    )


def reaching(locale: str = "en", **changes: Any) -> Reaching:
    """Channels of which some are off, one purpose that the person refused, one that belongs to the service."""
    word = words(locale)
    titles = {"marketing.email": word["news"], "marketing.profile": word["profile"], "orders": word["orders"]}
    states: dict[str, tuple[Literal["on", "off", "locked", "none"], ...]] = {
        "email": ("on", "on", "locked"),
        "sms": ("off", "none", "locked"),
        "phone": ("off", "none", "none"),
        "wechat": ("on", "on", "none"),
    }
    return Reaching(
        **{
            "channels": tuple(
                Channel(
                    name=name,
                    cells=tuple(
                        Cell(purpose=purpose, title=title, state=state, counts=purpose != "marketing.profile")
                        for (purpose, title), state in zip(titles.items(), row, strict=True)
                    ),
                    cap={"email": "2/month", "wechat": "5/day"}.get(name, ""),
                )
                for name, row in states.items()
            ),
            "locked": ((word["orders"], word["orders_text"]),),
            "hours": Hours(on=True, start="21:30", end="08:00", zone="Europe/Dublin", days=("mon", "tue", "sun")),
            "pause_until": AT + 20 * DAY,
            **changes,
        }
    )


def questions(locale: str = "en") -> tuple[Question, ...]:
    """A question of each type, answered and not, declared, recorded and imported."""
    word = words(locale)
    return (
        Question(
            name="teas",
            type="multi",
            title=word["teas"],
            gives=word["teas_gives"],
            purpose=word["news"],
            options=(("green", word["green"], True), ("white", word["white"], False), ("oolong", word["oolong"], True)),
            most=4,
            answered=True,
            told_at=AT - 3 * DAY,
        ),
        Question(name="samples", type="boolean", title=word["samples"], purpose=word["orders"]),
        Question(
            name="cups",
            type="number",
            title=word["cups"],
            purpose=word["orders"],
            value="4",
            low="0",
            high="60",
            whole=True,
            answered=True,
            how="imported",
            source="ledger 2019",
            told_at=AT - 300 * DAY,
        ),
        Question(name="since", type="date", title=word["since"], low="1950-01-01", high="2026-12-31", unfit=True),
        Question(
            name="allergies",
            type="text",
            title=word["allergies"],
            gives=word["allergies_gives"],
            purpose=word["orders"],
            value=str(word["allergies_value"]),
            longest=120,
            sensitive=True,
            answered=True,
            how="recorded",
            told_at=AT - 9 * DAY,
        ),
        Question(name="wish", type="text", title=word["wish"], description=word["wish_text"], longest=500),
        Question(
            name="origin",
            type="choice",
            title=word["origin"],
            options=tuple((name.lower(), name, False) for name in "Fujian Yunnan Anhui Assam Uji Ceylon".split()),
        ),
    )


def a_preferences_page(locale: str = "en", **changes: Any) -> PreferencesPage:
    return PreferencesPage(
        **{
            "frame": a_frame(locale),
            "brand": a_brand(),
            "notice": "web",
            "notice_version": 3,
            "notice_text": words(locale)["notice"],
            "purposes": purposes(locale),
            "told_version": 4,
            "reaching": reaching(locale),
            "questions": questions(locale),
            **changes,
        }
    )


def a_privacy_page(locale: str = "en", **changes: Any) -> PrivacyPage:
    return PrivacyPage(
        **{
            "frame": a_frame(locale, path="/privacy/shop"),
            "brand": a_brand(),
            "site": "shop",
            "links": ("do-not-sell-or-share", "limit-sensitive"),
            "reached": {"do-not-sell-or-share": (words(locale)["ads"],), "limit-sensitive": ()},
            "here": True,
            "gpc": True,
            **changes,
        }
    )


def a_banner(locale: str = "en", **changes: Any) -> BannerConfiguration:
    word = words(locale)
    return pages.banner_configuration(
        **{
            "site": "shop",
            "token": "site-token",
            "notice": "web",
            "notice_version": 3,
            "locale": locale,
            "text": word["notice"],
            "purposes": (
                BannerPurpose(
                    name="marketing.email", title=word["news"], description=word["news_text"], expires="P24M"
                ),
                BannerPurpose(name="analytics", title=word["analytics"], description=word["analytics_text"]),
                BannerPurpose(
                    name="ads",
                    title=word["ads"],
                    description=word["ads_text"],
                    expires="P12M",
                    recipients=(("Panorama", "us"), ("Letterbox", "ie")),
                ),
                BannerPurpose(
                    name="orders", title=word["orders"], description=word["orders_text"], basis="contract", ask=False
                ),
            ),
            "notice_url": "/p/",
            "preferences_url": "/p/",
            **changes,
        }
    )


def a_mailroom_page(locale: str = "en", **changes: Any) -> MailroomPage:
    return MailroomPage(
        **{
            "frame": a_frame(locale, path="/demo/mailer"),
            "brand": a_brand(),
            "letters": (
                QueuedLetter(token="tok_" + "a" * 28, queued_at=AT),
                QueuedLetter(token="tok_" + "b" * 28, queued_at=AT, dropped_at=AT + 1_000_000),
            ),
            **changes,
        }
    )


def a_shop_page(locale: str = "en", **changes: Any) -> ShopPage:
    word = words(locale)
    return ShopPage(
        **{
            "frame": a_frame(locale, path="/demo/"),
            "brand": a_brand(),
            "banner_src": f"/v1/sites/shop/banner.js?locale={locale}",
            "tags": (
                Tag(purpose="analytics", title=word["analytics"], script="demo-statistics.js"),
                Tag(purpose="ads", title=word["ads"], script="demo-adverts.js"),
            ),
            "news_title": word["news"],
            **changes,
        }
    )
