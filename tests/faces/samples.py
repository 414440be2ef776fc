"""View models with believable content, for every page.

Used by the rendering tests and by the pages that a browser opens.
"""

from dataclasses import dataclass
from typing import Any

from sayso.server import pages
from sayso.server.pages import (
    BannerConfiguration,
    BannerPurpose,
    Brand,
    ConsoleLogin,
    DocsPage,
    DoorPage,
    EntriesPage,
    EntryDetails,
    EntryFilter,
    EntryRow,
    ErasureRequest,
    Flash,
    Frame,
    GalleryPage,
    LogHealth,
    Operator,
    PeoplePage,
    PersonPage,
    PreferencesPage,
    PurposeCard,
    RecordLine,
    ShopPage,
    SignedUp,
    Tag,
)

AT = 1_795_302_330_123_456  # 21 Nov 2026, 23:05:30.123456 UTC
DAY = 86_400_000_000
ENTRY = "ent_0193a5c47b1e7c5f9a27b4b0c9d8e7f6"
SUBJECT = "sub_0193a5c47b1e7c5f9a27b4b0c9d8e7aa"

WORDS = {
    "en": {
        "news": "News by e-mail",
        "news_text": "We write to you about new pickings, four times a year.",
        "profile": "Recommendations",
        "profile_text": "We look at what you ordered to suggest teas you may like.",
        "analytics": "Shop statistics",
        "analytics_text": "We count visits to see which pages help and which do not.",
        "ads": "Advertising",
        "ads_text": "Partners show you our teas on other sites.",
        "orders": "Your orders",
        "orders_text": "We need your address to send you what you buy.",
        "email": "e-mail address",
        "behaviour": "pages you visited",
        "address": "postal address",
        "notice": "We use data about you only where you say so. "
        "You decide for each purpose, and you can change your mind whenever you like.",
    },
    "zh-CN": {
        "news": "邮件资讯",
        "news_text": "新茶上市时给您写信，每年四封。",
        "profile": "个性推荐",
        "profile_text": "根据您的订单，推荐您可能喜欢的茶。",
        "analytics": "店铺统计",
        "analytics_text": "统计访问量，看看哪些页面有用。",
        "ads": "广告",
        "ads_text": "合作伙伴在其他网站向您展示我们的茶。",
        "orders": "您的订单",
        "orders_text": "我们需要您的地址，才能寄送您买的茶。",
        "email": "电子邮箱",
        "behaviour": "浏览过的页面",
        "address": "邮寄地址",
        "notice": "只有经您同意，我们才会使用您的数据。每个用途由您决定，您随时可以改变主意。",
    },
}


def words(locale: str) -> dict[str, str]:
    return WORDS.get(locale, WORDS["en"])


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


def a_preferences_page(locale: str = "en", **changes: Any) -> PreferencesPage:
    return PreferencesPage(
        **{
            "frame": a_frame(locale),
            "brand": a_brand(),
            "notice": "web",
            "notice_version": 3,
            "notice_text": words(locale)["notice"],
            "purposes": purposes(locale),
            "records": records(locale),
            **changes,
        }
    )


def an_operator() -> Operator:
    return Operator(name="Officer Lin", roles=("officer",), tenant="default")


def some_rows() -> tuple[EntryRow, ...]:
    kinds: tuple[tuple[str, str, str, tuple[tuple[str, str], ...]], ...] = (
        ("consent.recorded", "ok", "browser", (("notice", "web"), ("version", "3"))),
        (
            "access.permitted",
            "permit",
            "service",
            (("action", "use"), ("category", "contact.email"), ("purpose", "marketing.email")),
        ),
        (
            "access.denied",
            "deny",
            "service",
            (("action", "reveal"), ("category", "contact.email"), ("purpose", "ads"), ("reason", "refused")),
        ),
        ("vault.revealed", "permit", "service", (("field", "email"), ("purpose", "marketing.email"))),
        ("rights.erasure.completed", "ok", "user", (("law", "gdpr"),)),
        ("policy.applied", "ok", "user", (("version", "12"),)),
        ("external.mail.sent", "fail", "service", (("campaign", "spring-picking"),)),
    )
    return tuple(
        EntryRow(
            entry=f"ent_0193a5c47b1e7c5f9a27b4b0c9d8{1283 - at:04x}",
            at=AT - at * 47_113_000,
            type=kind,
            outcome=outcome,
            actor=actor,  # type: ignore[arg-type]
            facts=facts,
            index=None if at < 2 else 1283 - at,
            proof="pending" if at < 2 else "verified",
        )
        for at in range(21)
        for kind, outcome, actor, facts in (kinds[at % len(kinds)],)
    )


def an_entries_page(locale: str = "en", **changes: Any) -> EntriesPage:
    return EntriesPage(
        **{
            "frame": a_frame(locale, path="/console/"),
            "operator": an_operator(),
            "health": LogHealth(
                origin="sayso.example/log/default.main",
                size=1284,
                pending=2,
                checkpoint_size=1284,
                checkpoint_at=AT,
                root="9f2c41d7aa0be83c5e77f1206b4d9a3e9f2c41d7aa0be83c5e77f1206b4d9a3e",
                vkey="sayso.example/log/default.main+1f2e3d4c+AWJh",
            ),
            "rows": some_rows(),
            "types": tuple(sorted({row.type for row in some_rows()})),
            "older": "abc",
            **changes,
        }
    )


def some_details(entry: str = ENTRY, leaf: str = '{"id":"…"}') -> EntryDetails:
    row = EntryRow(
        entry=entry,
        at=AT,
        type="access.denied",
        outcome="deny",
        actor="service",
        index=1283,
        proof="verified",
        facts=(("action", "reveal"), ("category", "contact.email"), ("purpose", "ads"), ("reason", "refused")),
    )
    return EntryDetails(row=row, leaf=leaf, leaf_hash="c3" * 32)


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
                BannerPurpose(name="ads", title=word["ads"], description=word["ads_text"], expires="P12M"),
                BannerPurpose(
                    name="orders", title=word["orders"], description=word["orders_text"], basis="contract", ask=False
                ),
            ),
            "notice_url": "/p/",
            "preferences_url": "/p/",
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


SPEC: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Sayso", "version": "0.1.0", "description": "Consent, policy, vault and audit log."},
    "tags": [{"name": "Consent", "description": "What people were told and what they chose."}],
    "paths": {
        "/v1/consents": {
            "post": {
                "tags": ["Consent"],
                "summary": "Record a choice",
                "description": "Writes the choice and its log entry together.",
                "parameters": [
                    {
                        "name": "Idempotency-Key",
                        "in": "header",
                        "schema": {"type": "string"},
                        "description": "Same key, same answer.",
                    }
                ],
                "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Submission"}}}
                },
                "responses": {
                    "201": {
                        "description": "Recorded",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Recorded"}}},
                    },
                    "409": {"description": "The notice changed"},
                },
            }
        },
        "/v1/subjects/{subject}/history": {
            "get": {
                "tags": ["Consent"],
                "summary": "Records, newest first",
                "parameters": [{"name": "subject", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {"200": {"description": "A page of records"}},
            }
        },
        "/v1/vault/reveal": {
            "post": {"tags": ["Vault"], "summary": "Reveal values", "responses": {"200": {"description": "In order"}}}
        },
    },
    "components": {
        "schemas": {
            "Submission": {
                "type": "object",
                "required": ["notice", "choices"],
                "properties": {
                    "notice": {"type": "string", "description": "Name of the notice."},
                    "choices": {
                        "type": "object",
                        "additionalProperties": {"type": "string", "enum": ["granted", "refused"]},
                    },
                    "evidence": {"anyOf": [{"$ref": "#/components/schemas/Evidence"}, {"type": "null"}]},
                },
            },
            "Evidence": {
                "type": "object",
                "properties": {"page": {"type": "string"}, "before": {"$ref": "#/components/schemas/Evidence"}},
            },
            "Recorded": {
                "type": "object",
                "required": ["record"],
                "properties": {"record": {"type": "string"}, "receipt": {"type": "string"}},
            },
        }
    },
}


@dataclass(frozen=True)
class Sample:
    name: str
    path: str
    html: str


def all_pages(locale: str = "en", **frame: Any) -> list[Sample]:
    """Every page in every state that looks different."""
    brand, operator = a_brand(), an_operator()

    def at(path: str, **more: Any) -> Frame:
        return a_frame(locale, path=path, **frame, **more)

    details = some_details(
        leaf='{"actor_class":"service","id":"0193a5c4-7b1e-7c5f-9a27-b4b0c9d8e7f6","out":"deny","type":"access.denied","v":1}'
    )
    person = PersonPage(
        frame=at("/console/people/x"),
        operator=operator,
        subject=SUBJECT,
        purposes=purposes(locale),
        records=records(locale),
    )
    erasure = ErasureRequest(
        request="rrq_0193a5c47b1e7c5f9a27b4b0c9d8e7aa", received_at=AT, due_on="2026-12-21", status="open"
    )
    signed_up = SignedUp(token="tok_4Jx0mXfVY3q7l1mZ7Qv9Ew", entry=ENTRY, news=True)
    return [
        Sample("door", "/p/", pages.render_door(DoorPage(frame=at("/p/"), brand=brand))),
        Sample("door-problem", "/p/?bad", pages.render_door(DoorPage(frame=at("/p/"), brand=brand, problem="code"))),
        Sample(
            "preferences",
            "/p/you",
            pages.render_preferences(a_preferences_page(locale, frame=at("/p/you", flash=Flash("saved", AT)))),
        ),
        Sample(
            "preferences-new",
            "/p/you?new",
            pages.render_preferences(
                a_preferences_page(
                    locale, frame=at("/p/you", flash=Flash("erase_word")), purposes=purposes(locale)[3:], records=()
                )
            ),
        ),
        Sample(
            "preferences-erasing",
            "/p/you?erasing",
            pages.render_preferences(a_preferences_page(locale, frame=at("/p/you"), erasure=erasure)),
        ),
        Sample(
            "login", "/console/login", pages.render_console_login(ConsoleLogin(frame=at("/console/"), problem="key"))
        ),
        Sample("entries", "/console/", pages.render_entries(an_entries_page(locale, frame=at("/console/")))),
        Sample(
            "entry",
            "/console/?entry=" + ENTRY,
            pages.render_entries(
                an_entries_page(locale, frame=at("/console/"), details=details, filter=EntryFilter(outcome="deny"))
            ),
        ),
        Sample(
            "entries-none",
            "/console/?none",
            pages.render_entries(an_entries_page(locale, frame=at("/console/"), rows=(), problem="from")),
        ),
        Sample(
            "people",
            "/console/people",
            pages.render_people(PeoplePage(frame=at("/console/people"), operator=operator, problem="unknown")),
        ),
        Sample("person", "/console/people/x", pages.render_person(person)),
        Sample("shop", "/demo/", pages.render_shop(a_shop_page(locale, frame=at("/demo/")))),
        Sample(
            "shop-signed-up",
            "/demo/?signed",
            pages.render_shop(a_shop_page(locale, frame=at("/demo/"), signed_up=signed_up)),
        ),
        Sample("docs", "/docs", pages.render_docs(DocsPage(frame=at("/docs"), spec=SPEC))),
        Sample("gallery", "/gallery", pages.render_gallery(GalleryPage(frame=at("/gallery")))),
    ]
