"""What the banner makes of a browser's opt-out signal, and what it tells tags, in a real browser."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from sayso.server.pages import BannerPurpose

from .conftest import Visitor
from .test_banner import sent_cookie, submissions, until

pytestmark = pytest.mark.browser

SIGNAL = "Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })"
HONOURED = "Your browser's opt-out signal was honoured."
PURPOSES = (
    BannerPurpose(name="analytics", title="Shop statistics"),
    BannerPurpose(name="ads", title="Advertising", gpc=True),
)
MODES = {"ad_storage": ("ads",), "ad_user_data": ("ads",), "analytics_storage": ("analytics",), "security_storage": ()}


def told(page: Page) -> list[Any]:
    """What Google's library would read: the words of each call."""
    calls: list[Any] = page.evaluate("(window.dataLayer ?? []).map((words) => [...words])")
    return calls


def test_accepting_all_does_not_reach_what_the_signal_says_no_to(visitor: Visitor) -> None:
    visitor.site.banner = {"purposes": PURPOSES}
    page = visitor.opens(script=SIGNAL)
    page.get_by_role("button", name="Accept all").click()
    (sent,) = submissions(visitor, 1, page)
    assert sent["choices"] == {"analytics": "granted"}
    assert (sent["gpc"], sent["conflict_shown"]) == (True, True)
    assert sent_cookie(page) == f"web:3|{sent['device']}|+analytics|-ads|~gpc"
    expect(page.get_by_text(HONOURED)).to_be_visible()
    assert page.evaluate("sayso.get()") == {"analytics": "granted", "ads": "refused"}


def test_a_box_ticked_by_itself_is_a_yes_against_the_signal(visitor: Visitor) -> None:
    visitor.site.banner = {"purposes": PURPOSES}
    page = visitor.opens(script=SIGNAL)
    page.get_by_role("button", name="Choose").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text(HONOURED)).to_be_visible()
    dialog.get_by_label("Advertising").check()
    dialog.get_by_role("button", name="Save my choice").click()
    (sent,) = submissions(visitor, 1, page)
    assert sent["choices"] == {"analytics": "refused", "ads": "granted"}
    assert sent["conflict_shown"] is True
    assert sent_cookie(page) == f"web:3|{sent['device']}|-analytics|*ads|~gpc"
    assert page.evaluate("sayso.has('ads')") is True


def test_a_signal_that_comes_later_stops_what_was_granted_and_is_sent_once(visitor: Visitor) -> None:
    visitor.site.banner = {"purposes": PURPOSES}
    page = visitor.opens()
    page.get_by_role("button", name="Accept all").click()
    (first,) = submissions(visitor, 1, page)
    sent_cookie(page)
    page.context.add_init_script(SIGNAL)
    again = visitor.again(page.context)
    assert again.evaluate("sayso.get()") == {"analytics": "granted", "ads": "refused"}
    expect(again.get_by_text(HONOURED)).to_be_visible()
    _, signal = submissions(visitor, 2, again)
    assert signal == {"token": "site-token", "device": first["device"], "gpc": True}
    assert visitor.site.received[1].path == "/v1/sites/shop/signals"
    sent_cookie(again)
    third = visitor.again(page.context)
    until(third, "!!window.sayso")
    assert sent_cookie(third) == f"web:3|{first['device']}|+analytics|+ads|~gpc"
    submissions(visitor, 2, third)


def test_the_server_may_see_a_signal_that_no_script_does(visitor: Visitor) -> None:
    visitor.site.banner = {"purposes": PURPOSES, "gpc": True}
    page = visitor.opens()
    expect(page.get_by_text(HONOURED)).to_be_visible()
    page.get_by_role("button", name="Accept all").click()
    (sent,) = submissions(visitor, 1, page)
    assert "ads" not in sent["choices"]


def test_tags_are_told_before_and_after_a_choice(visitor: Visitor) -> None:
    visitor.site.banner = {"purposes": PURPOSES, "modes": MODES}
    page = visitor.opens(script="window.said = []; window.clarity = (...words) => said.push(words)")
    denied = dict.fromkeys(MODES, "denied")
    assert told(page) == [["consent", "default", denied]]
    page.get_by_role("button", name="Accept all").click()
    granted = denied | dict.fromkeys(("ad_storage", "ad_user_data", "analytics_storage"), "granted")
    until(page, "dataLayer.length > 1")
    assert told(page)[1:] == [["consent", "update", granted]]
    assert page.evaluate("uetq") == [
        *("consent", "default", {"ad_storage": "denied"}),
        *("consent", "update", {"ad_storage": "granted"}),
    ]
    assert page.evaluate("said") == [
        ["consentv2", {"ad_Storage": "denied", "analytics_Storage": "denied"}],
        ["consentv2", {"ad_Storage": "granted", "analytics_Storage": "granted"}],
    ]
    # Who comes back is known before any tag runs.
    again = visitor.again(page.context)
    assert told(again) == [["consent", "default", granted]]


def test_a_site_that_named_no_modes_tells_nobody(visitor: Visitor) -> None:
    visitor.site.banner = {"purposes": PURPOSES}
    page = visitor.opens()
    page.get_by_role("button", name="Accept all").click()
    submissions(visitor, 1, page)
    assert page.evaluate("[window.dataLayer, window.uetq]") == [None, None]
