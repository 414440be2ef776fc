"""The pages that stand by themselves: a notice with its versions, and an unsubscribe address."""

from typing import Any

from consent import Catalogue, Notice, Purpose
from sayso.server.pages import Frame, NoticePage, UnsubscribePage
from sayso.server.views.notice import notice_page

from .samples import AT, DAY, a_brand, a_frame, words


def an_unsubscribe_page(locale: str = "en", **changes: Any) -> UnsubscribePage:
    return UnsubscribePage(
        **{
            "frame": a_frame(locale, path="/u/default.AQ"),
            "brand": a_brand(),
            "state": "on",
            "list": words(locale)["news"],
            **changes,
        }
    )


def a_notice_page(locale: str = "en", *, frame: Frame | None = None, newest: int = 3) -> NoticePage:
    """The page of a notice with up to three versions, in two languages."""
    texts = (
        {"en": "We write to you only if you say so.", "zh-CN": "只有经您同意，我们才会给您写信。"},
        {
            "en": "We write to you at most twice a month, and only if you say so.",
            "zh-CN": "只有经您同意，我们每月最多给您写两封信。",
        },
        {
            "en": "We write to you at most twice a month, and only if you say so.\nTo choose, we look at your orders.",
            "zh-CN": "只有经您同意，我们每月最多给您写两封信。\n为挑选内容，我们会查看您的订单。",
        },
    )
    purposes = [
        Purpose(name, 1, {code: words(code)[word] for code in ("en", "zh-CN")})
        for name, word in (("marketing.email", "news"), ("marketing.profile", "profile"))
    ]
    complaints = {"en": "The data protection commission of your country.", "zh-CN": "您所在国家的数据保护机构。"}
    notices = [
        Notice(
            "web",
            number,
            ("marketing.email", "marketing.profile") if number == 3 else ("marketing.email",),
            texts[number - 1],
            title={"en": "News from us", "zh-CN": "我们的资讯"},
            published_at=AT + number * 30 * DAY,
            material=("marketing.profile",) if number == 3 else None,
            complaints=complaints if number > 1 else {},
        )
        for number in range(newest, 0, -1)
    ]
    return notice_page(
        Catalogue(purposes, notices, []),
        notices,
        frame or a_frame(locale, path="/notices/default/web"),
        a_brand(),
        earlier=1,
        later=3,
    )
