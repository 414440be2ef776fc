"""The preference centre where things go wrong or are different: no script, 400 % zoom, no colour, no motion, a wrong
clock, the keyboard alone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from .conftest import Visitor
from .log import Log
from .test_journeys import with_records

pytestmark = pytest.mark.browser

PAGES = ["/p/", "/p/you", "/p/you?withdrawn", "/p/you/history", "/p/you/uses", "/p/you/data", "/p/?late", "/p/?sign-in"]
EMBEDDED = ["/p/embed/shop/choices", "/p/embed/shop/reach", "/p/embed/shop/uses"]
TABS = 150

COVERED = """element => {
    const box = element.getBoundingClientRect();
    const at = document.elementFromPoint(box.x + box.width / 2, box.y + Math.min(box.height / 2, innerHeight / 2));
    return !at || !(element.contains(at) || at.contains(element) || at.closest('label')?.contains(element));
}"""

MARKED = """element => [element, element.parentElement].map(each => getComputedStyle(each))
    .some(style => style.outlineStyle !== 'none' || style.boxShadow !== 'none')"""
NAME = "element => element.outerHTML.slice(0, 160)"


def focused(page: Page) -> Locator:
    return page.locator(":focus")


def walk(page: Page) -> Iterator[Locator]:
    """Everything that the Tab key reaches, once each: a date has several stops, and the window itself is one."""
    seen: list[str] = []
    for _ in range(TABS):
        page.keyboard.press("Tab")
        if focused(page).count() == 0:
            continue
        mark = focused(page).evaluate("element => (element.dataset.walked ??= Math.random().toString())")
        if mark in seen and mark != seen[-1]:
            return
        if mark not in seen:
            seen.append(mark)
            yield focused(page)
    raise AssertionError("the keyboard found no end")


@pytest.mark.parametrize("path", PAGES + EMBEDDED)
def test_at_400_percent_nothing_runs_off_and_focus_is_never_hidden(visitor: Visitor, path: str) -> None:
    """A window of 1280 by 1024 points at 400 %: WCAG 2.2, 1.4.10 (reflow) and 2.4.11 (focus not obscured)."""
    page = visitor.opens(path, width=320, height=256)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    for element in walk(page):
        assert not element.evaluate(COVERED), element.evaluate(NAME)


@pytest.mark.parametrize("path", PAGES + EMBEDDED)
def test_the_keyboard_reaches_everything_that_can_be_changed_and_shows_where_it_is(visitor: Visitor, path: str) -> None:
    page = visitor.opens(path)
    for summary in page.locator("details > summary").all():
        summary.click()
    for element in walk(page):
        assert element.evaluate(MARKED), element.evaluate(NAME)
    missed = page.evaluate(
        """() => [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')]
            .filter(each => each.checkVisibility() && !each.dataset.walked && !each.closest('[hidden]'))
            .filter(each => each.type !== 'radio').map(each => each.outerHTML.slice(0, 120))"""
    )
    assert missed == []


@pytest.mark.parametrize("path", PAGES + EMBEDDED)
def test_every_form_is_sent_without_script(visitor: Visitor, path: str) -> None:
    page = visitor.opens(path, javascript=False)
    for summary in page.locator("details > summary").all():
        summary.click()
    forms = page.locator("form[method=post]:visible")
    for at in range(forms.count()):
        form = page.locator("form[method=post]:visible").nth(at)
        action = form.get_attribute("action")
        for field in form.locator("input[required]:visible").all():
            field.fill("a@b.example" if field.get_attribute("type") == "email" else "word")
        before = len(visitor.site.received)
        button = form.locator("button:not([form]):visible").first
        if not button.count():
            continue
        with page.expect_navigation():
            button.click()
        sent = visitor.sent(page, before + 1)[-1]
        assert sent.path == action
        if path.startswith("/p/you") and action != "/settings":
            assert "csrf=form-token" in sent.body
        if path.startswith("/p/embed"):
            assert "session=form-secret" in sent.body
        page.goto(f"{visitor.site.address}{path}{'&' if '?' in path else '?'}lang=en")
        for summary in page.locator("details > summary").all():
            summary.click()


@pytest.mark.parametrize("path", ["/p/you", "/p/you/history", "/p/you/uses", "/p/you/data", *EMBEDDED])
def test_without_colour_every_state_has_its_word_and_every_control_its_edge(visitor: Visitor, path: str) -> None:
    page = visitor.opens(path)
    page.emulate_media(forced_colors="active")
    for pill in page.locator(".pill").all():
        assert pill.inner_text().strip() != ""
    bare = page.evaluate(
        """() => [...document.querySelectorAll('button.button, input:not([type=hidden]), select')]
            .filter(each => each.checkVisibility()).filter(each => {
                const style = getComputedStyle(each);
                const native = style.appearance !== 'none' && /checkbox|radio/.test(each.type);
                return !native && (style.borderStyle === 'none' || style.borderWidth === '0px');
            }).map(each => each.outerHTML.slice(0, 120))"""
    )
    assert bare == []


@pytest.mark.parametrize("reduced", [True, False])
def test_who_wants_no_motion_gets_none(visitor: Visitor, reduced: bool) -> None:
    page = visitor.opens("/p/you", reduced=reduced)
    # In one breath: a moment later nothing moves any more.
    moving = page.locator(".switch input").first.evaluate("e => (e.click(), document.getAnimations().length)")
    assert moving == 0 if reduced else moving > 0
    with_records(visitor, Log(11))
    page.goto(f"{visitor.site.address}/p/you/history")
    page.get_by_text("Proof", exact=True).click()
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_text("Verified on this device")).to_be_visible()
    if reduced:
        assert page.evaluate("document.getAnimations().length") == 0


@pytest.mark.parametrize("now", ["1999-12-31T23:59:00Z", "2061-07-28T12:00:00Z"])
def test_a_wrong_clock_changes_neither_what_is_sent_nor_what_is_proved(visitor: Visitor, now: str) -> None:
    with_records(visitor, Log(11))
    page = visitor.opens("/p/#the-code")
    page.clock.set_fixed_time(now)
    page.goto(f"{visitor.site.address}/p/you/history?lang=en")
    page.get_by_text("Proof", exact=True).click()
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_text("Verified on this device")).to_be_visible()
    page.goto(f"{visitor.site.address}/p/you?lang=en")
    page.get_by_role("checkbox", name="Advertising").check()
    page.get_by_role("button", name="Save my choices").click()
    assert "granted=ads" in visitor.sent(page)[0].body


def test_a_form_with_changes_is_not_lost_without_a_question(visitor: Visitor) -> None:
    page = visitor.opens("/p/you")
    page.get_by_role("checkbox", name="Advertising").check()
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.get_by_role("link", name="History").click()
    page.wait_for_url("**/p/you/history**")
    assert asked == ["beforeunload"]
