"""The banner under hostile page styles, in a small window, without colour, in forced colours, without motion."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from .axe import findings
from .conftest import Visitor
from .test_banner import submissions

pytestmark = pytest.mark.browser

HOSTILE = """
* { all: unset !important; display: block !important; color: #fefefe !important; font: 3px/1 fantasy !important;
    opacity: .05 !important; visibility: hidden !important; pointer-events: none !important;
    filter: blur(9px) !important; letter-spacing: 2em !important; text-transform: uppercase !important }
html { font-size: 900px !important; overflow: hidden !important }
button, section, dialog, h2, input { display: none !important; width: 1px !important }
sayso-say { display: none !important; height: 0 !important; overflow: hidden !important;
    transform: scale(0) !important }
"""
LOOK = """(one) => {
  const style = getComputedStyle(one), box = one.getBoundingClientRect();
  return [style.color, style.fontSize, style.letterSpacing, style.textTransform, style.visibility, style.pointerEvents,
    style.fontWeight, Math.round(box.width), Math.round(box.height), style.borderTopWidth];
}"""


def answers(page: Page) -> Any:
    return page.locator("sayso-say .card button")


def test_the_pages_style_sheets_stop_at_the_banners_door(visitor: Visitor) -> None:
    visitor.site.headers["/demo/"] = {"content-security-policy": "frame-ancestors 'none'"}
    page = visitor.opens()
    answers(page).first.wait_for()
    before = answers(page).evaluate_all(f"(all) => all.map({LOOK})")
    page.add_style_tag(content=HOSTILE)
    after = answers(page).evaluate_all(f"(all) => all.map({LOOK})")
    # The size of the page's text is the page's to choose, within bounds; the rest is not.
    assert [look[:1] + look[2:7] + look[9:] for look in after] == [look[:1] + look[2:7] + look[9:] for look in before]
    assert all(15 <= float(look[1].removesuffix("px")) <= 30 for look in after)
    assert all(look[8] >= 44 for look in after)
    page.get_by_role("button", name="Choose").click()
    page.locator("sayso-say dialog").get_by_role("button", name="Refuse all").click()
    (sent,) = submissions(visitor, 1, page)
    assert set(sent["choices"].values()) == {"refused"}


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
def test_at_four_hundred_percent_all_can_be_reached(visitor: Visitor, locale: str) -> None:
    """A window of 1280 by 1024 points at 400 %: WCAG 2.2, 1.4.10 (reflow), 2.4.11 (focus not obscured)."""
    page = visitor.opens(width=320, height=256, locale=locale)
    answers(page).first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert page.locator("sayso-say .card").evaluate("(card) => card.scrollWidth <= card.clientWidth")
    for place in (answers(page), page.locator("sayso-say dialog button, sayso-say dialog input")):
        if not place.count():
            page.evaluate("sayso.open()")
        for index in range(place.count()):
            one = place.nth(index)
            one.focus()
            one.scroll_into_view_if_needed()
            box = one.bounding_box()
            assert box
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 320
            assert box["y"] >= 0
            assert box["y"] + box["height"] <= 256
    page.locator("sayso-say dialog").get_by_role("button").last.click()
    submissions(visitor, 1, page)


def test_the_end_of_the_page_is_reached_above_the_banner_and_no_room_is_left_when_it_goes(visitor: Visitor) -> None:
    page = visitor.opens(width=360, height=640)
    answers(page).first.wait_for()
    page.wait_for_function("document.documentElement.style.paddingBlockEnd")
    last = page.locator("footer button:visible").last
    seen = last.evaluate(
        """(one) => {
            one.scrollIntoView({block: "nearest"});
            const box = one.getBoundingClientRect();
            return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2) === one;
        }"""
    )
    assert seen
    answers(page).first.click()
    page.locator("sayso-say .said").wait_for()
    assert page.evaluate("document.documentElement.style.cssText") == ""


def test_in_forced_colours_every_button_has_an_edge_and_both_answers_the_same(visitor: Visitor) -> None:
    page = visitor.opens()
    page.emulate_media(forced_colors="active")
    answers(page).first.wait_for()
    edges = answers(page).evaluate_all(
        """(all) => all.map((one) => {
            const style = getComputedStyle(one);
            return [style.borderTopStyle, style.borderTopWidth, style.borderTopColor === style.backgroundColor];
        })"""
    )
    assert edges[0] == edges[1] == ["solid", "2px", False]
    assert edges[2] == ["solid", "1px", False]
    page.keyboard.press("Tab")
    for _ in range(8):
        if page.evaluate("document.activeElement.shadowRoot?.activeElement?.localName") == "button":
            break
        page.keyboard.press("Tab")
    outline = "getComputedStyle(document.activeElement.shadowRoot.activeElement).outlineStyle"
    assert page.evaluate(outline) == "solid"
    assert findings(page, "sayso-say") == ""


def test_nothing_is_told_by_colour_alone(visitor: Visitor) -> None:
    """What can be ticked is a checkbox, what cannot is said in words, what is a link is underlined."""
    page = visitor.opens()
    page.get_by_role("button", name="Choose").click()
    dialog = page.locator("sayso-say dialog")
    expect(dialog.get_by_text("Always on")).to_be_visible()
    lines = dialog.locator("a").evaluate_all("(all) => all.map((one) => getComputedStyle(one).textDecorationLine)")
    assert set(lines) == {"underline"}
    box = dialog.get_by_role("checkbox").first
    box.check()
    assert box.is_checked()
    assert box.evaluate("(one) => getComputedStyle(one).appearance") == "auto", "the tick is the browser's own"


def test_nothing_moves_for_anybody(visitor: Visitor) -> None:
    page = visitor.opens(reduced=False)
    card = page.locator("sayso-say .card")
    card.wait_for()
    assert card.evaluate("(card) => getComputedStyle(card).animationName") == "none"
    assert answers(page).first.evaluate("(one) => getComputedStyle(one).transitionDuration") == "0s"
