"""View models with believable content, for every page.

Used by the rendering tests and by the pages that a browser opens.
"""

from typing import Any

from sayso.server import pages
from sayso.server.pages import (
    BannerConfiguration,
    BannerPurpose,
    Brand,
    Frame,
    PreferencesPage,
    PurposeCard,
    RecordLine,
    ShopPage,
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
