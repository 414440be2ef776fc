"""What waits for a yes in a real browser: tags, templates and frames of others, at first and when the page adds them
later."""

import re

import pytest
from playwright.sync_api import Page, expect

from sayso.server.pages import CONTENT_SECURITY_POLICY

from .conftest import Visitor
from .test_accessibility import findings
from .test_banner import sent_cookie, submissions, until

pytestmark = pytest.mark.browser

BANNER = '<script async src="/v1/sites/shop/banner.js"></script>'
SCRIPT = {"content-type": "text/javascript"}
FRAMING = {"content-security-policy": CONTENT_SECURITY_POLICY.replace("default-src 'none'", "frame-src 'self'")}
FRAMED = {
    "content-security-policy": CONTENT_SECURITY_POLICY.replace("ancestors 'none'", "ancestors 'self'"),
    "cross-origin-opener-policy": "unsafe-none",
}


def a_page(body: str) -> str:
    head = f'<title>A page</title><link rel="icon" href="data:,">{BANNER}'
    return f'<!doctype html><html lang="en"><head>{head}</head><body><main><h1>A page</h1>{body}</main></body></html>'


def tag(name: str, purpose: str = "") -> str:
    """A tag that writes its name down when it runs."""
    held = f' type="text/plain" data-purpose="{purpose}"' if purpose else ""
    return f'<script{held} src="/{name}.js"></script>'


@pytest.fixture
def tags(visitor: Visitor) -> Visitor:
    for name in "abcd":
        visitor.site.pages[f"/{name}.js"] = f"(window.ran ??= []).push('{name}')"
        visitor.site.headers[f"/{name}.js"] = SCRIPT
    visitor.site.pages["/map"] = "<!doctype html><html lang='en'><title>Map</title><main><h1>The map</h1></main></html>"
    visitor.site.headers["/map"] = FRAMED
    visitor.site.headers["/page"] = FRAMING
    return visitor


def ran(page: Page) -> list[str]:
    return page.evaluate("window.ran ?? []")  # type: ignore[no-any-return]


def test_scripts_and_templates_run_in_the_order_of_the_page_one_per_task(tags: Visitor) -> None:
    template = f'<template data-purpose="ads"><p>An offer</p>{tag("b")}{tag("c")}</template>'
    tags.site.pages["/page"] = a_page(tag("a", "ads") + template + tag("d", "ads"))
    page = tags.opens("/page")
    page.get_by_role("button", name="Accept all").wait_for()
    assert ran(page) == []
    assert page.get_by_text("An offer").count() == 0
    page.get_by_role("button", name="Accept all").click()
    until(page, "window.ran?.length === 4")
    assert ran(page) == ["a", "b", "c", "d"]
    expect(page.get_by_text("An offer")).to_be_visible()


def test_what_nobody_agreed_to_stays_where_it_is(tags: Visitor) -> None:
    tags.site.pages["/page"] = a_page(
        tag("a", "ads") + f'<template data-purpose="analytics">{tag("b")}</template>' + tag("c", "nobody.knows")
    )
    page = tags.opens("/page")
    page.get_by_role("button", name="Choose").click()
    page.get_by_role("checkbox", name="Shop statistics").check()
    page.get_by_role("button", name="Save my choice").click()
    until(page, "window.ran?.length === 1")
    page.wait_for_timeout(200)
    assert ran(page) == ["b"]


def test_what_the_page_adds_later_runs_only_after_a_yes(tags: Visitor) -> None:
    tags.site.pages["/page"] = a_page("")
    # The page's own policy vouches for the address; the banner never makes one.
    policy = FRAMING["content-security-policy"].replace("trusted-types 'none'", "trusted-types site")
    tags.site.headers["/page"] = {"content-security-policy": policy}
    page = tags.opens("/page")
    until(page, "!!window.sayso")
    page.evaluate(
        """() => {
            const policy = trustedTypes.createPolicy('site', { createScriptURL: name => `/${name}.js` })
            window.add = name => {
                const script = document.createElement('script')
                script.type = 'text/plain'
                script.dataset.purpose = 'ads'
                script.src = policy.createScriptURL(name)
                document.body.append(script)
            }
        }"""
    )
    page.evaluate("add('a')")
    page.wait_for_timeout(200)
    assert ran(page) == []
    page.get_by_role("button", name="Accept all").click()
    until(page, "window.ran?.length === 1")
    page.evaluate("add('b')")
    until(page, "window.ran?.length === 2")
    assert ran(page) == ["a", "b"]


FRAMES = "() => Array.from(frames, (each) => each.location.href)"
FRAME = '<iframe title="Where we grow" data-purpose="ads" data-src="/map" width="480" height="320"></iframe>'


def test_a_frame_waits_behind_a_card_that_asks_for_its_purpose_alone(tags: Visitor) -> None:
    tags.site.pages["/page"] = a_page(FRAME)
    page = tags.opens("/page")
    card = page.get_by_role("region", name="Where we grow")
    expect(card).to_contain_text("This part comes from elsewhere. It loads when you say yes to: Advertising.")
    assert page.evaluate(FRAMES) == ["about:blank"]
    assert findings(page) == ""
    card.get_by_role("button", name="Say yes and show it").press("Enter")
    expect(page.frame_locator("iframe").get_by_role("heading", name="The map")).to_be_visible()
    assert page.evaluate("document.activeElement.localName") == "iframe", "the keyboard stays in the place"
    expect(card).to_have_count(0)
    (sent,) = submissions(tags, 1, page)
    assert sent["choices"] == {"ads": "granted"}
    assert re.fullmatch(r"web:3\|[\w-]{24}\|\+ads", sent_cookie(page))
    expect(page.get_by_role("region", name="Your say about your data")).to_be_visible()
    assert page.evaluate("sayso.get()") == {"marketing.email": "unasked", "analytics": "unasked", "ads": "granted"}


def test_a_frame_goes_when_the_yes_does(tags: Visitor) -> None:
    tags.site.pages["/page"] = a_page(FRAME)
    page = tags.opens("/page")
    page.get_by_role("button", name="Accept all").click()
    expect(page.frame_locator("iframe").get_by_role("heading", name="The map")).to_be_visible()
    page.evaluate("sayso.open()")
    page.locator("dialog").get_by_role("button", name="Refuse all").click()
    expect(page.get_by_role("region", name="Where we grow")).to_be_visible()
    expect(page.locator("iframe")).not_to_be_visible()
    assert page.locator("iframe").get_attribute("src") is None


def test_a_page_that_takes_its_frame_away_takes_the_card_along(tags: Visitor) -> None:
    """As single-page applications do, which know nothing of the card."""
    tags.site.pages["/page"] = a_page("<div id='room'></div>")
    page = tags.opens("/page")
    until(page, "!!window.sayso")
    page.evaluate(
        """() => {
            const frame = document.createElement('iframe')
            frame.dataset.purpose = 'ads'
            frame.dataset.src = '/map'
            frame.title = 'Where we grow'
            document.querySelector('#room').append(frame)
        }"""
    )
    expect(page.get_by_role("region", name="Where we grow")).to_be_visible()
    page.evaluate("document.querySelector('iframe').remove()")
    expect(page.locator("sayso-embed")).to_have_count(0)


def test_a_style_sheet_that_shows_every_frame_does_not_show_a_blocked_one(tags: Visitor) -> None:
    tags.site.pages["/page"] = a_page(FRAME).replace("</head>", '<link rel="stylesheet" href="/frames.css"></head>')
    tags.site.pages["/frames.css"] = "iframe { display: block }"
    tags.site.headers["/frames.css"] = {"content-type": "text/css"}
    page = tags.opens("/page")
    page.get_by_role("region", name="Where we grow").wait_for()
    expect(page.locator("iframe")).not_to_be_visible()
