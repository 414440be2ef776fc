"""Who comes back: asked again only about what changed and told what that is, in two windows, from the cache of visited
pages, and where a page may store nothing."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from sayso.server.pages import CONTENT_SECURITY_POLICY, BannerPurpose

from .conftest import FLAGS, Visitor
from .test_banner import cookie_of, sent_cookie, submissions, until

pytestmark = pytest.mark.browser

QUESTION = "Your say about your data"
NEWS = BannerPurpose(name="marketing.email", title="News by e-mail", since=1)
ADS = BannerPurpose(name="ads", title="Advertising", since=1)
VIDEO = BannerPurpose(name="video", title="Films", since=4)


def answered(visitor: Visitor, *purposes: BannerPurpose) -> Page:
    visitor.site.banner = {"purposes": purposes}
    page = visitor.opens()
    page.get_by_role("button", name="Accept all").click()
    submissions(visitor, 1, page)
    return page


def question(page: Page) -> Any:
    return page.get_by_role("region", name=QUESTION)


def test_who_is_asked_again_reads_what_is_new_and_what_changed(visitor: Visitor) -> None:
    page = answered(visitor, NEWS, ADS)
    visitor.site.banner = {"notice_version": 4, "purposes": (NEWS, replace_since(ADS, 4), VIDEO)}
    again = visitor.again(page.context)
    expect(question(again)).to_contain_text("New since you last answered: Films.")
    expect(question(again)).to_contain_text("Changed since you last answered: Advertising.")
    assert again.evaluate("sayso.get()") == {"marketing.email": "granted", "ads": "unasked", "video": "unasked"}
    again.get_by_role("button", name="Choose").click()
    expect(again.get_by_role("checkbox", checked=True)).to_have_count(1)
    again.get_by_role("button", name="Save my choice").click()
    _, sent = submissions(visitor, 2, again)
    assert sent["choices"] == {"marketing.email": "granted", "ads": "refused", "video": "refused"}
    assert sent["notice_version"] == 4


def test_a_first_visitor_is_told_of_no_change(visitor: Visitor) -> None:
    visitor.site.banner = {"notice_version": 4, "purposes": (NEWS, replace_since(ADS, 4), VIDEO)}
    expect(question(visitor.opens())).not_to_contain_text("since you last answered")


def test_a_new_version_that_asks_the_same_asks_nobody_again(visitor: Visitor) -> None:
    page = answered(visitor, NEWS, ADS)
    visitor.site.banner = {"notice_version": 4, "purposes": (NEWS, ADS)}
    again = visitor.again(page.context)
    expect(again.get_by_role("button", name="Your data choices")).to_be_visible()
    expect(question(again)).to_have_count(0)
    assert again.evaluate("sayso.has('ads')") is True


def test_an_answer_in_one_window_holds_in_the_other_at_once(visitor: Visitor) -> None:
    page = visitor.opens()
    page.evaluate("() => { window.heard = []; sayso.on('change', choices => heard.push(choices)) }")
    # What the browser says to a window that is left for another; under Playwright each believes that it has the focus.
    page.evaluate("() => void dispatchEvent(new Event('blur'))")
    other = visitor.again(page.context)
    other.get_by_role("button", name="Accept all").click()
    expect(question(page)).to_have_count(0)
    expect(page.locator("[data-running] [data-now=running]")).to_have_count(2)
    assert page.evaluate("heard.length") == 1
    submissions(visitor, 1, page)
    other.evaluate("sayso.open()")
    other.locator("dialog").get_by_role("button", name="Refuse all").click()
    until(page, "heard.length === 2")
    assert page.evaluate("sayso.has('ads')") is False
    submissions(visitor, 2, page)


def test_a_no_in_one_window_holds_in_one_that_nobody_sees(visitor: Visitor) -> None:
    """Its tags run on in the background: they hear of the no when it is said, not when somebody looks."""
    page = answered(visitor, NEWS, ADS)
    page.evaluate("() => void dispatchEvent(new Event('blur'))")
    page.evaluate("Object.defineProperty(document, 'hidden', { get: () => true })")
    page.evaluate("() => { window.heard = []; sayso.on('change', choices => heard.push(choices.ads)) }")
    other = visitor.again(page.context)
    refused_in(other)
    until(page, "heard.length")
    assert page.evaluate("[...heard, sayso.has('ads')]") == ["refused", False]


def test_a_no_said_before_a_window_in_the_background_listens_is_heard_when_it_does(visitor: Visitor) -> None:
    page = answered(visitor, NEWS, ADS)
    behind = visitor.again(page.context)
    until(behind, "sayso.has('ads')")
    behind.add_init_script(
        "window.idle = []; requestIdleCallback = act => idle.push(act); Document.prototype.hasFocus = () => false"
    )
    behind.reload()
    until(behind, "window.idle?.length && window.sayso && sayso.has('ads')")
    refused_in(page)
    until(page, "!sayso.has('ads')")
    behind.evaluate("() => void idle.splice(0).forEach(act => act())")
    until(behind, "!sayso.has('ads')")


def refused_in(page: Page) -> None:
    page.evaluate("sayso.open()")
    page.locator("dialog").get_by_role("button", name="Refuse all").click()


def test_a_page_from_the_cache_of_visited_pages_knows_what_was_said_since(visitor: Visitor) -> None:
    page = visitor.opens()
    question(page).wait_for()
    page.evaluate("window.kept = true")
    # What the browser does to a page that it keeps: the answer is given elsewhere while its scripts stand still.
    page.context.add_cookies(
        [{"name": "sayso_shop", "value": "web:3||-marketing.email|-analytics|-ads", "url": visitor.site.address}]
    )
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect(question(page)).to_have_count(0)
    assert page.evaluate("[kept, sayso.get().ads]") == [True, "refused"]


def test_a_page_that_the_browser_kept_is_brought_up_to_date(visitor: Visitor, browser: Browser, chromium: str) -> None:
    visitor.site.headers["/demo/"] = {"cache-control": "no-cache"}
    keeping = browser.browser_type.launch(
        executable_path=chromium, args=FLAGS, ignore_default_args=["--disable-back-forward-cache"]
    )
    page = keeping.new_context(locale="en", reduced_motion="reduce").new_page()
    page.goto(f"{visitor.site.address}/demo/")
    question(page).wait_for()
    page.evaluate("window.kept = true")
    page.evaluate("location.href = '/p/'")
    page.wait_for_url("**/p/")
    page.evaluate("document.cookie = 'sayso_shop=web:3||-marketing.email|-analytics|-ads; path=/'")
    page.evaluate("history.back()")
    page.wait_for_url("**/demo/", wait_until="commit")
    until(page, "window.sayso?.get().ads === 'refused'")
    assert page.evaluate("window.kept === true"), "the page was built anew: something keeps it out of the cache"
    expect(question(page)).to_have_count(0)
    keeping.close()


# A window that begins without the focus, or is given it again, looks once more: walks take it from each other.
UNDISTURBED = """Document.prototype.hasFocus = () => true;
    for (const event of ['focus', 'visibilitychange'])
        addEventListener(event, told => told.stopImmediatePropagation(), true);"""
# No script of its own that asks the banner early, as the shop's has.
PLAIN = (
    '<!doctype html><html lang="en"><head><title>Tea</title><link rel="icon" href="data:,">'
    '<script src="/v1/sites/shop/banner.js" async></script>'
    '<script type="text/plain" data-purpose="ads" src="/adverts.js"></script></head><body></body></html>'
)
HELD = """window.left = [];
    const get = CookieStore.prototype.get;
    CookieStore.prototype.get = async function (name) {
        const found = await get.call(this, name);
        await new Promise(resolve => left.push(resolve));
        return found;
    };"""


def test_a_page_that_was_left_while_its_cookie_was_read_goes_by_what_was_said_since(visitor: Visitor) -> None:
    """The answer to its first reading comes when the browser lets its scripts run again, and is of before."""
    visitor.site.pages |= {"/plain": PLAIN, "/adverts.js": "window.adverts = true"}
    visitor.site.headers["/adverts.js"] = {"content-type": "text/javascript"}
    page = answered(visitor, NEWS, ADS)
    kept = page.context.new_page()
    kept.add_init_script(HELD + UNDISTURBED)
    kept.goto(f"{visitor.site.address}/plain")
    until(kept, "left.length")
    page.context.add_cookies(
        [{"name": "sayso_shop", "value": "web:3||-marketing.email|-ads", "url": visitor.site.address}]
    )
    kept.evaluate("() => { dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })); left.pop()() }")
    expect(kept.get_by_role("button", name="Your data choices")).to_be_visible()
    kept.wait_for_timeout(100)
    assert kept.evaluate("[window.adverts, sayso.get().ads]") == [None, "refused"]


def test_a_frame_that_may_store_nothing_still_takes_an_answer(visitor: Visitor) -> None:
    policy = CONTENT_SECURITY_POLICY + "; sandbox allow-scripts"
    visitor.site.headers["/demo/"] = {"content-security-policy": policy.replace("'self'", visitor.site.address)}
    page = visitor.opens()
    page.get_by_role("button", name="Accept all").click()
    assert page.evaluate("sayso.has('ads')") is True
    visitor.forgives_failed_requests = True
    visitor.complaints.clear()


def test_who_answered_gets_no_question_built(visitor: Visitor) -> None:
    page = answered(visitor, NEWS)
    visitor.site.banner = {"purposes": (NEWS,), "reopen": False}
    again = visitor.again(page.context)
    until(again, "!!window.sayso")
    again.wait_for_timeout(300)
    assert again.locator("sayso-say").count() == 0
    assert cookie_of(again)


ACCEPT = "document.querySelector('sayso-say').shadowRoot.querySelector('.card .row button + button').click()"
COUNTING = (
    """window.asked = { cookie: 0, storage: 0 };
    const told = Object.getOwnPropertyDescriptor(Document.prototype, 'cookie');
    const get = function () { asked.cookie++; return told.get.call(this) };
    Object.defineProperty(Document.prototype, 'cookie', { ...told, get });
    const item = Storage.prototype.getItem;
    Storage.prototype.getItem = function (name) { asked.storage++; return item.call(this, name) };
"""
    + UNDISTURBED
)


def test_a_first_visit_waits_for_no_other_process_of_the_browser(visitor: Visitor) -> None:
    """Reading `document.cookie` or what a site stored does."""
    visitor.site.pages["/plain"] = PLAIN
    page = visitor.opens("/plain", script=COUNTING)
    question(page).wait_for()
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(200)
    assert page.evaluate("[sayso.has('ads'), asked.cookie, asked.storage]") == [False, 0, 0]
    heard = page.evaluate(f"() => {{ {ACCEPT}; return [sayso.has('ads'), asked.cookie] }}")
    assert heard == [True, 0], "nor does a click"


def test_a_later_visit_looks_into_what_the_site_stored_only_if_something_was_left_to_send(visitor: Visitor) -> None:
    page = visitor.opens(script=COUNTING)
    question(page).get_by_role("button", name="Accept all").click()
    submissions(visitor, 1, page)
    assert "!" not in sent_cookie(page)
    page.reload()
    page.get_by_role("button", name="Your data choices").wait_for()
    page.wait_for_timeout(200)
    assert page.evaluate("[sayso.has('ads'), asked.storage]") == [True, 0]
    visitor.forgives_failed_requests = True
    page.context.set_offline(True)
    refused_in(page)
    until(page, "localStorage.length === 1")
    assert cookie_of(page).endswith("|!" + visitor.site.address.removeprefix("http://"))
    context = page.context
    page.close()
    context.set_offline(False)
    again = visitor.again(context)
    submissions(visitor, 2, again)
    assert "!" not in sent_cookie(again)


def test_a_page_that_asks_before_the_cookie_was_read_is_answered_rightly(visitor: Visitor) -> None:
    visitor.site.pages["/early"] = (
        '<!doctype html><html lang="en"><head><title>Tea</title><link rel="icon" href="data:,">'
        '<script src="/v1/sites/shop/banner.js"></script><script src="/early.js"></script></head><body></body></html>'
    )
    visitor.site.pages["/early.js"] = "window.early = [sayso.has('ads'), sayso.get().ads]"
    visitor.site.headers["/early.js"] = {"content-type": "text/javascript"}
    page = answered(visitor, NEWS, ADS)
    again = visitor.again(page.context, "/early")
    assert again.evaluate("early") == [True, "granted"]
    expect(again.get_by_role("button", name="Your data choices")).to_be_visible()
    expect(question(again)).to_have_count(0)


def test_a_browser_without_a_store_of_cookies_remembers_too(visitor: Visitor) -> None:
    page = visitor.opens(script="delete window.cookieStore; delete Window.prototype.cookieStore;")
    question(page).get_by_role("button", name="Accept all").click()
    until(page, "sayso.has('ads')")
    again = visitor.again(page.context)
    until(again, "window.sayso?.has('ads')")
    assert again.evaluate("window.cookieStore") is None
    expect(again.get_by_role("button", name="Your data choices")).to_be_visible()
    expect(question(again)).to_have_count(0)


def test_the_choice_stands_at_once_and_the_rest_of_the_answer_waits_for_the_frame(visitor: Visitor) -> None:
    page = visitor.opens()
    question(page).wait_for()
    page.evaluate("() => { window.heard = 0; sayso.on('change', () => heard++) }")
    now = page.evaluate(
        f"""() => {{
            {ACCEPT};
            const card = document.querySelector('sayso-say').shadowRoot.querySelector('.card');
            return [card, sayso.has('ads'), document.cookie.includes('+ads'), heard, localStorage.length]
        }}"""
    )
    assert now == [None, True, True, 0, 0]
    until(page, "heard === 1")
    submissions(visitor, 1, page)


def test_an_answer_given_as_the_page_is_left_is_kept_and_sent(visitor: Visitor) -> None:
    page = visitor.opens()
    question(page).wait_for()
    leave = f"() => {{ {ACCEPT}; dispatchEvent(new PageTransitionEvent('pagehide')); return localStorage.length }}"
    assert page.evaluate(leave) == 1
    submissions(visitor, 1, page)


def replace_since(purpose: BannerPurpose, since: int) -> BannerPurpose:
    return BannerPurpose(name=purpose.name, title=purpose.title, since=since)
