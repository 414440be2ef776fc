"""The banner in a real browser, on the demo shop, under the strict policy."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from sayso.server.pages import LOCALES

from .conftest import Visitor, awaited

pytestmark = pytest.mark.browser

DEVICE = re.compile(r"[A-Za-z0-9_-]{22,}")


def cookie_of(page: Page) -> str:
    return next((cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "sayso_shop"), "")


def sent_cookie(page: Page) -> str:
    """The cookie once nothing waits to be sent. Another window that opens before that may send it as well."""
    assert awaited(page, lambda: "!" not in cookie_of(page)), cookie_of(page)
    return cookie_of(page)


def submissions(visitor: Visitor, count: int, page: Page) -> list[dict[str, Any]]:
    """The submissions that the site received, waited for."""
    return [received.json for received in visitor.sent(page, count)]


def until(page: Page, condition: str) -> None:
    """Wait for a condition in the page. Playwright's own wait evaluates text there, which the policy forbids."""
    assert awaited(page, lambda: page.evaluate(condition)), f"never came true: {condition}"


def waiting(page: Page) -> list[dict[str, Any]]:
    return json.loads(page.evaluate("localStorage.getItem('sayso.queue.shop') ?? '[]'"))  # type: ignore[no-any-return]


def test_refusing_takes_one_click_and_leaves_no_device(visitor: Visitor) -> None:
    page = visitor.opens()
    page.get_by_role("button", name="Refuse all").click()
    (sent,) = submissions(visitor, 1, page)
    assert DEVICE.fullmatch(sent.pop("device"))
    assert sent == {
        "token": "site-token",
        "notice": "web",
        "notice_version": 3,
        "locale": "en",
        "method": "banner",
        "choices": {"marketing.email": "refused", "analytics": "refused", "ads": "refused"},
        "interface": "banner",
        "steps_shown": 1,
    }
    assert sent_cookie(page) == "web:3||-marketing.email|-analytics|-ads"
    assert visitor.site.received[0].headers["idempotency-key"]
    assert "cookie" not in visitor.site.received[0].headers
    assert page.evaluate("localStorage.length") == 0


def test_accepting_keeps_the_device_and_releases_the_tags_in_order(visitor: Visitor) -> None:
    page = visitor.opens()
    assert page.locator("[data-running] [data-now=waiting]").count() == 2
    page.get_by_role("button", name="Accept all").click()
    expect(page.locator("[data-running] [data-now=running]")).to_have_count(2)
    (sent,) = submissions(visitor, 1, page)
    assert f"|{sent['device']}|" in cookie_of(page)
    root = page.locator("html")
    assert int(root.get_attribute("data-demo-statistics") or 0) <= int(root.get_attribute("data-demo-adverts") or 0)


def test_only_the_tags_of_a_purpose_that_was_granted_run(visitor: Visitor) -> None:
    page = visitor.opens()
    page.get_by_role("button", name="Choose").click()
    assert page.get_by_role("checkbox", checked=True).count() == 0, "nothing may be ticked beforehand"
    assert page.locator("dialog").get_by_role("checkbox").count() == 3, "a fact is no box to tick"
    page.get_by_role("checkbox", name="Shop statistics").check()
    page.get_by_role("button", name="Save my choice").click()
    expect(page.locator("[data-tag=demo-statistics]")).to_have_attribute("data-now", "running")
    (sent,) = submissions(visitor, 1, page)
    assert sent["choices"] == {"marketing.email": "refused", "analytics": "granted", "ads": "refused"}
    assert (sent["interface"], sent["steps_shown"]) == ("choices", 2)
    assert page.locator("[data-tag=demo-adverts]").get_attribute("data-now") == "waiting"


def test_both_answers_weigh_the_same(visitor: Visitor) -> None:
    page = visitor.opens()
    refuse, accept = (page.get_by_role("button", name=name) for name in ("Refuse all", "Accept all"))
    look = """e => {
        const s = getComputedStyle(e)
        return [s.color, s.backgroundColor, s.fontSize, s.fontWeight, s.borderColor, e.offsetWidth, e.offsetHeight]
    }"""
    assert refuse.evaluate(look) == accept.evaluate(look)
    box = refuse.bounding_box()
    assert box
    assert box["height"] >= 44


def test_a_visitor_who_answered_is_not_asked_again_and_can_open_the_choices(visitor: Visitor) -> None:
    page = visitor.opens()
    page.get_by_role("button", name="Accept all").click()
    expect(page.locator("[data-running] [data-now=running]")).to_have_count(2)
    sent_cookie(page)
    again = visitor.again(page.context)
    expect(again.locator("[data-running] [data-now=running]")).to_have_count(2)
    expect(again.get_by_role("button", name="Your data choices")).to_be_visible()
    assert again.get_by_role("region", name="Your say about your data").count() == 0
    again.get_by_role("button", name="Your data choices").click()
    expect(again.get_by_role("checkbox", checked=True)).to_have_count(3)
    again.locator("dialog").get_by_role("button", name="Refuse all").click()
    expect(again.get_by_role("status").filter(has_text="Saved")).to_contain_text(
        "What already runs on this page stops when you leave it."
    )
    first, second = submissions(visitor, 2, again)
    assert second["device"] == first["device"]
    assert cookie_of(again).startswith(f"web:3|{first['device']}|-")


def test_a_new_version_of_the_notice_is_asked_again_and_old_grants_do_not_run(visitor: Visitor) -> None:
    page = visitor.opens()
    page.get_by_role("button", name="Accept all").click()
    submissions(visitor, 1, page)
    visitor.site.banner = {"notice_version": 4}
    again = visitor.again(page.context)
    expect(again.get_by_role("region", name="Your say about your data")).to_be_visible()
    assert again.evaluate("sayso.has('ads')") is False
    assert again.locator("[data-running] [data-now=waiting]").count() == 2


def test_the_region_does_not_take_the_focus_and_is_reached_by_the_first_tab(visitor: Visitor) -> None:
    page = visitor.opens()
    expect(page.get_by_role("region", name="Your say about your data")).to_be_visible()
    assert page.evaluate("document.activeElement === document.body")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.localName") == "sayso-say"


def test_everything_can_be_done_with_the_keyboard_alone(visitor: Visitor) -> None:
    page = visitor.opens()

    def focused() -> str:
        """The text of what has the focus, or its name."""
        inner = "document.activeElement.shadowRoot?.activeElement ?? document.activeElement"
        return str(page.evaluate(f"(e => e.textContent || e.name)({inner})"))

    def tab_to(text: str) -> None:
        for _ in range(12):
            page.keyboard.press("Tab")
            if focused() == text:
                return
        pytest.fail(f"the keyboard does not reach {text}")

    page.get_by_role("button", name="Choose").wait_for()
    tab_to("Choose")
    page.keyboard.press("Enter")
    expect(page.locator("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    assert focused() == "Choose", "the focus comes back to what opened the dialog"
    page.keyboard.press("Enter")
    expect(page.locator("dialog")).to_be_visible()
    tab_to("analytics")
    page.keyboard.press("Space")
    tab_to("Save my choice")
    page.keyboard.press("Enter")
    (sent,) = submissions(visitor, 1, page)
    assert sent["choices"]["analytics"] == "granted"


def test_the_confirmation_is_said_politely_and_can_be_closed(visitor: Visitor) -> None:
    page = visitor.opens()
    status = page.locator("sayso-say [role=status]")
    assert status.inner_text() == ""
    page.get_by_role("button", name="Refuse all").click()
    expect(status).to_contain_text(
        "Saved. Takes effect at once. You said no to: News by e-mail, Shop statistics and Advertising."
    )
    page.get_by_role("button", name="Close").click()
    expect(status).to_be_empty()
    expect(page.get_by_role("button", name="Your data choices")).to_be_visible()


def test_the_focus_goes_back_to_where_it_was(visitor: Visitor) -> None:
    page = visitor.opens()
    page.get_by_label("E-mail address").focus()
    page.get_by_role("button", name="Refuse all").click()
    assert page.evaluate("document.activeElement.name") == "email"


def test_the_browsers_opt_out_signal_is_shown(visitor: Visitor) -> None:
    page = visitor.opens(script="Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })")
    expect(page.get_by_text("Your browser's opt-out signal was honoured.")).to_be_visible()
    assert visitor.opens().get_by_text("Your browser's opt-out signal was honoured.").count() == 0


def test_a_choice_made_while_the_server_is_down_is_sent_once_later(visitor: Visitor) -> None:
    visitor.site.status = [503]
    page = visitor.opens()
    page.get_by_role("button", name="Accept all").click()
    submissions(visitor, 1, page)
    visitor.forgives_failed_requests = True  # the browser itself reports the 503
    assert len(waiting(page)) == 1
    again = visitor.again(page.context)
    first, second = submissions(visitor, 2, again)
    assert first == second
    keys = {received.headers["idempotency-key"] for received in visitor.site.received}
    assert len(keys) == 1
    until(again, "localStorage.length === 0")


def test_a_choice_made_offline_is_sent_when_the_network_is_back(visitor: Visitor) -> None:
    page = visitor.opens()
    page.context.set_offline(True)
    page.get_by_role("button", name="Accept all").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.wait_for_timeout(100)
    assert visitor.site.received == []
    page.context.set_offline(False)
    submissions(visitor, 1, page)
    visitor.forgives_failed_requests = True  # the browser itself reports the network


def test_a_token_that_ended_is_renewed_once(visitor: Visitor) -> None:
    visitor.site.status = [401]
    page = visitor.opens()
    page.get_by_role("button", name="Accept all").click()
    first, second = submissions(visitor, 2, page)
    assert (first["token"], second["token"]) == ("site-token", "fresh-token")
    assert first["device"] == second["device"]
    until(page, "localStorage.length === 0")
    visitor.forgives_failed_requests = True


def test_a_choice_about_a_notice_that_was_replaced_is_dropped_and_asked_again(visitor: Visitor) -> None:
    visitor.site.status = [409]
    page = visitor.opens()
    visitor.site.banner = {"notice_version": 4}
    page.get_by_role("button", name="Accept all").click()
    until(page, "localStorage.length === 0")
    submissions(visitor, 1, page)
    visitor.forgives_failed_requests = True
    expect(visitor.again(page.context).get_by_role("region", name="Your say about your data")).to_be_visible()


def test_a_page_can_ask_and_listen(visitor: Visitor) -> None:
    page = visitor.opens()
    assert page.evaluate("sayso.get()") == {"marketing.email": "unasked", "analytics": "unasked", "ads": "unasked"}
    page.evaluate(
        """() => {
            window.heard = []
            sayso.on('change', choices => heard.push(choices))
            sayso.on('recorded', recorded => heard.push(recorded.entry))
        }"""
    )
    page.evaluate("sayso.open()")
    page.locator("dialog").get_by_role("button", name="Accept all").click()
    until(page, "heard.length === 2")
    assert page.evaluate("heard") == [{"marketing.email": "granted", "analytics": "granted", "ads": "granted"}, "ent_1"]
    assert page.evaluate("sayso.has('ads')") is True
    assert page.evaluate("sayso.has('orders')") is False


def test_blocked_storage_breaks_nothing(visitor: Visitor) -> None:
    blocked = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('', 'SecurityError') } })"
    page = visitor.opens(script=blocked)
    page.get_by_role("button", name="Accept all").click()
    submissions(visitor, 1, page)
    expect(page.locator("[data-running] [data-now=running]")).to_have_count(2)


def test_an_answer_in_another_tab_takes_the_question_away(visitor: Visitor) -> None:
    page = visitor.opens()
    other = visitor.again(page.context)
    other.get_by_role("button", name="Refuse all").click()
    submissions(visitor, 1, other)
    page.bring_to_front()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))")
    expect(page.get_by_role("region", name="Your say about your data")).to_have_count(0)


def test_two_tags_on_one_page_are_one_banner(visitor: Visitor) -> None:
    html = visitor.site.page("/demo/", "en")
    assert html
    tag = '<script async src="/v1/sites/shop/banner.js?locale=en"></script>'
    visitor.site.pages["/twice"] = html.replace(tag, tag + tag.replace("?locale=en", ""))
    page = visitor.opens("/twice")
    page.wait_for_load_state("networkidle")
    assert page.locator("sayso-say").count() == 1


def test_the_banner_adds_one_node_to_the_page(visitor: Visitor) -> None:
    page = visitor.opens()
    expect(page.get_by_role("region", name="Your say about your data")).to_be_visible()
    assert page.evaluate("document.body.firstElementChild.localName") == "sayso-say"
    assert page.evaluate("document.querySelectorAll('sayso-say, sayso-say *').length") == 1


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("width", [320, 1280])
def test_nothing_is_cut_off(visitor: Visitor, width: int, locale: str) -> None:
    page = visitor.opens(width=width, height=640, locale=locale)
    page.locator("sayso-say .card").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate("sayso.open()")
    box = page.locator("dialog").bounding_box()
    assert box
    assert box["width"] <= width
    assert box["height"] <= 640
    assert page.locator("dialog").evaluate("e => e.scrollWidth <= e.clientWidth")


def test_the_accessibility_tree_reads_like_a_question_and_its_answers(visitor: Visitor) -> None:
    page = visitor.opens()
    expect(page.get_by_role("region", name="Your say about your data")).to_match_aria_snapshot("""
      - region "Your say about your data":
        - heading "Your say about your data" [level=2]
        - paragraph: /We use data about you only where you say so/
        - paragraph: "We ask for: News by e-mail, Shop statistics and Advertising."
        - paragraph:
          - link "Read the full notice"
          - link "Your preference page"
        - button "Refuse all"
        - button "Accept all"
        - button "Choose"
    """)
    page.get_by_role("button", name="Choose").click()
    expect(page.get_by_role("dialog", name="Choose what we may do")).to_match_aria_snapshot("""
      - dialog "Choose what we may do":
        - heading "Choose what we may do" [level=2]
        - button "Close"
        - paragraph: /We use data about you only where you say so/
        - paragraph:
          - link "Read the full notice"
          - link "Your preference page"
        - list "Choose what we may do":
          - listitem:
            - text: News by e-mail
            - checkbox "News by e-mail"
            - paragraph: We write to you about new pickings, four times a year.
            - text: Only with your consent; a yes ends after 24 months
          - listitem:
            - text: Shop statistics
            - checkbox "Shop statistics"
            - paragraph: We count visits to see which pages help and which do not.
            - text: Only with your consent
          - listitem:
            - text: Advertising
            - checkbox "Advertising"
            - paragraph: Partners show you our teas on other sites.
            - text: /Who gets the data. Panorama .United States. and Letterbox .Ireland.$/
          - listitem:
            - paragraph: Your orders
            - emphasis: Always on
        - button "Refuse all"
        - button "Accept all"
        - button "Save my choice"
    """)
