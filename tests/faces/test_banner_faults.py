"""The banner where things go wrong: tags that hang, slow networks, wrong clocks, hostile texts, no script."""

import time
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from sayso.server.pages import BannerPurpose

from .conftest import Visitor, awaited
from .test_banner import cookie_of, sent_cookie, submissions, until, waiting
from .test_banner_blocking import BANNER, FRAMES, SCRIPT, a_page, ran, tag

pytestmark = pytest.mark.browser

QUESTION = "Your say about your data"


def question(page: Page) -> Any:
    return page.get_by_role("region", name=QUESTION)


@pytest.fixture
def tags(visitor: Visitor) -> Visitor:
    for name in "abc":
        visitor.site.pages[f"/{name}.js"] = f"(window.ran ??= []).push('{name}'); window.{name} = performance.now()"
        visitor.site.headers[f"/{name}.js"] = SCRIPT
    return visitor


def test_a_tag_that_hangs_holds_up_the_later_ones_for_a_while_only(tags: Visitor) -> None:
    tags.site.pages["/page"] = a_page(tag("a", "ads") + tag("hangs", "ads") + tag("b", "ads") + tag("c", "ads"))
    page = tags.opens("/page")
    held: list[Route] = []
    page.route("**/hangs.js", lambda route: held.append(route))
    page.get_by_role("button", name="Accept all").click()
    until(page, "window.ran?.length === 3")
    assert ran(page) == ["a", "b", "c"]
    assert page.evaluate("b - a") > 500, "what follows waits its turn at first"
    tags.forgives_failed_requests = True
    held[0].abort()


def test_a_tag_that_comes_after_its_time_runs_all_the_same(tags: Visitor) -> None:
    def late(route: Route) -> None:
        held.append(route)

    held: list[Route] = []
    tags.site.pages["/page"] = a_page(tag("a", "ads") + tag("b", "ads"))
    page = tags.opens("/page")
    page.route("**/a.js", late)
    page.get_by_role("button", name="Accept all").click()
    until(page, "window.ran?.length === 1")
    held[0].continue_()
    until(page, "window.ran?.length === 2")
    assert ran(page) == ["b", "a"]


def test_a_purpose_that_became_wider_under_the_same_notice_is_asked_again(visitor: Visitor) -> None:
    news, ads = BannerPurpose(name="news", title="News", since=1), BannerPurpose(name="ads", title="Ads", since=1)
    visitor.site.banner = {"purposes": (news, ads)}
    page = visitor.opens()
    page.get_by_role("button", name="Accept all").click()
    submissions(visitor, 1, page)
    sent_cookie(page)
    wider = BannerPurpose(name="ads", title="Ads", since=3.000086401)
    visitor.site.banner = {"purposes": (news, wider), "notice_version": 3.000086401}
    again = visitor.again(page.context)
    expect(question(again)).to_contain_text("Changed since you last answered: Ads.")
    assert again.evaluate("sayso.get()") == {"news": "granted", "ads": "unasked"}
    again.get_by_role("button", name="Accept all").click()
    _, sent = submissions(visitor, 2, again)
    assert sent["notice_version"] == 3, "the server knows whole versions"
    assert cookie_of(again).startswith("web:3.000086401|")
    third = visitor.again(page.context)
    until(third, "!!window.sayso")
    assert third.evaluate("sayso.get()") == {"news": "granted", "ads": "granted"}
    expect(question(third)).to_have_count(0)


def test_on_a_slow_network_the_page_works_and_nothing_runs_until_the_banner_is_there(tags: Visitor) -> None:
    tags.site.pages["/page"] = a_page("<a href='#end'>To the end</a>" + tag("a", "ads") + "<p id='end'>The end</p>")
    page = tags.opens("/demo/")

    def slow(route: Route) -> None:
        time.sleep(1.5)
        route.continue_()

    page.route("**/banner.js", slow)
    page.goto(tags.site.address + "/page", wait_until="commit")
    page.get_by_role("link", name="To the end").click()
    assert page.url.endswith("#end")
    assert ran(page) == []
    page.get_by_role("button", name="Accept all").click()
    until(page, "window.ran?.length === 1")


def test_a_server_that_goes_away_after_the_page_loaded_gets_the_choice_once_when_it_is_back(visitor: Visitor) -> None:
    page = visitor.opens()
    page.route("**/choices", lambda route: route.abort())
    page.get_by_role("button", name="Refuse all").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    until(page, "localStorage.length === 1")
    assert page.evaluate("sayso.get().ads") == "refused"
    visitor.forgives_failed_requests = True
    page.unroute("**/choices")
    again = visitor.again(page.context)
    submissions(visitor, 1, again)
    until(again, "localStorage.length === 0")
    third = visitor.again(page.context)
    until(third, "!!window.sayso")
    third.wait_for_timeout(300)
    submissions(visitor, 1, third)


@pytest.mark.parametrize("now", ["0", "4102444800000"])
def test_a_clock_that_is_decades_off_loses_no_choice(visitor: Visitor, now: str) -> None:
    visitor.site.status = [503]
    wrong = f"{{ const shift = {now} - Date.now(), now = Date.now; Date.now = () => now() + shift }}"
    page = visitor.opens(script=wrong)
    page.get_by_role("button", name="Accept all").click()
    submissions(visitor, 1, page)
    visitor.forgives_failed_requests = True
    assert len(waiting(page)) == 1
    again = visitor.again(page.context)
    first, second = submissions(visitor, 2, again)
    assert first == second
    assert again.evaluate("sayso.has('ads')") is True


HOSTILE = "<img src=x onerror='window.hit = 1'></script><script>window.hit = 2</script>{purposes}$&"


def test_what_an_editor_writes_is_text_and_nothing_else(visitor: Visitor) -> None:
    visitor.site.banner = {
        "title": HOSTILE,
        "text": HOSTILE,
        "lead": HOSTILE,
        "purposes": (
            BannerPurpose(name="ads", title=HOSTILE, description=HOSTILE, recipients=((HOSTILE, "ie"),)),
            BannerPurpose(name="\"']<b>", title="Odd"),
        ),
    }
    page = visitor.opens()
    card = page.locator("sayso-say .card")
    expect(card.get_by_role("heading")).to_have_text(HOSTILE)
    page.get_by_role("button", name="Choose").click()
    dialog = page.locator("sayso-say dialog")
    expect(dialog.get_by_role("checkbox")).to_have_count(2)
    dialog.get_by_role("checkbox", name="Odd").check()
    dialog.get_by_role("button", name="Save my choice").click()
    expect(page.get_by_role("status").filter(has_text="Saved")).to_contain_text(HOSTILE)
    assert page.locator("sayso-say :is(img, script)").count() == 0
    assert page.evaluate("window.hit") is None
    (sent,) = submissions(visitor, 1, page)
    assert sent["choices"]["\"']<b>"] == "granted"


@pytest.mark.parametrize("text", ["%", "web:3", "web:3|x|+ads", "web:99||+ads", "other:3||+ads", "web:3e9||+ads", "💥"])
def test_a_cookie_that_is_damaged_or_made_up_grants_nothing_it_should_not(visitor: Visitor, text: str) -> None:
    page = visitor.opens()
    question(page).wait_for()
    page.evaluate("(text) => { document.cookie = `sayso_shop=${text}; path=/` }", text)
    again = visitor.again(page.context)
    expect(question(again)).to_be_visible()
    assert again.evaluate("sayso.get().analytics") == "unasked"


def test_in_a_frame_of_another_host_that_may_keep_no_cookie_the_answer_holds_for_the_visit(tags: Visitor) -> None:
    inner = tags.site.address.replace("127.0.0.1", "localhost")
    tags.site.pages["/inner"] = a_page(tag("a", "ads"))
    tags.site.headers["/inner"] = {"content-security-policy": f"frame-ancestors {tags.site.address}"}
    frame = f'<iframe title="Inside" src="{inner}/inner" width="900" height="500"></iframe>'
    tags.site.pages["/outer"] = a_page(frame).replace(BANNER, "")
    tags.site.headers["/outer"] = {"content-security-policy": f"frame-src {inner}"}
    page = tags.opens("/outer")
    inside = page.frame_locator("iframe")
    inside.get_by_role("button", name="Accept all").click()
    framed = page.frames[1]
    assert awaited(page, lambda: framed.evaluate("window.ran ?? []") == ["a"])
    assert framed.evaluate("[sayso.has('ads'), document.cookie, ran]") == [True, "", ["a"]]
    (sent,) = submissions(tags, 1, page)
    assert sent["choices"]["ads"] == "granted"


def test_where_a_blocker_hides_the_banner_the_page_stays_usable_and_nothing_runs(tags: Visitor) -> None:
    """As hide lists do: by generic names, which we do not use, and by ours, which somebody may add."""
    lists = """[id*=cookie i], [class*=cookie i], [id*=consent i], [class*=consent i], [id*=gdpr i], [class*=gdpr i],
        [id*=privacy i], [class*=banner i], [id*=banner i] { display: none !important }"""
    tags.site.pages["/page"] = a_page(tag("a", "ads") + "<p style='height: 300vh'></p><button>Buy</button>")
    tags.site.headers["/page"] = {"content-security-policy": "frame-ancestors 'none'"}
    page = tags.opens("/page")
    page.add_style_tag(content=lists)
    expect(question(page)).to_be_visible()
    page.evaluate("document.querySelector('sayso-say').style.setProperty('visibility', 'hidden', 'important')")
    page.evaluate("document.querySelector('sayso-say').remove()")
    page.get_by_role("button", name="Buy").click()
    assert page.evaluate("scrollY") > 0
    assert page.evaluate("getComputedStyle(document.documentElement).overflow") == "visible"
    assert ran(page) == []


def test_where_a_blocker_keeps_the_file_away_nothing_runs_and_nothing_breaks(tags: Visitor) -> None:
    tags.site.pages["/page"] = a_page(
        tag("a", "ads") + "<iframe title='Map' data-purpose='ads' data-src='/map'></iframe>"
    )
    page = tags.opens("/demo/")
    tags.forgives_failed_requests = True
    page.route("**/banner.js", lambda route: route.abort())
    page.goto(tags.site.address + "/page")
    page.wait_for_timeout(200)
    assert ran(page) == []
    assert page.evaluate(FRAMES) == ["about:blank"]


def test_without_script_nothing_runs_and_the_page_can_be_read(tags: Visitor) -> None:
    tags.site.pages["/page"] = a_page(tag("a", "ads") + f'<template data-purpose="ads">{tag("b")}</template><p>Tea</p>')
    page = tags.opens("/page", javascript=False)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    expect(page.get_by_text("Tea", exact=True)).to_be_visible()
    assert [url for url in asked if url.endswith(".js")] == []
    assert page.locator("sayso-say").count() == 0
