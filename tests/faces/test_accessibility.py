"""axe finds nothing, and nothing is cut off, on every page and on the banner, in every width, light and script."""

from collections.abc import Iterable
from typing import Literal

import pytest
from playwright.sync_api import Page

from sayso.server.pages.locales import PSEUDO, translate

from .axe import COLOURS, findings
from .conftest import Visitor
from .sample_pages import all_pages

pytestmark = pytest.mark.browser

NAMES = [sample.name for sample in all_pages()]
PATHS = {sample.name: sample.path for sample in all_pages()}
Light = Literal["light", "dark"]
SCRIPTS = ("en", "ar", "zh-CN")
"""Languages of three writings: Latin, from right to left, and without spaces."""


LIGHTS: tuple[tuple[int, Light], ...] = ((360, "light"), (360, "dark"), (1280, "light"), (1280, "dark"))
USUAL: dict[str, tuple[tuple[int, Light], ...]] = {
    "en": ((360, "light"), (1280, "dark")),
    "ar": ((360, "dark"), (1280, "light")),
    "zh-CN": (),
}
"""What every run looks at: each width, light and direction of writing with each other once, as pages are made of the
same elements in every language. `make thorough` looks at the rest.
"""


def clean(page: Page, lights: Iterable[tuple[int, Light]]) -> None:
    """Nothing to find in any of these widths and lights. In the dark only the rules that see colours are asked."""
    for width, scheme in lights:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        only = COLOURS if scheme == "dark" else None
        assert findings(page, None, only) == "", f"{width} {scheme}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{width} {scheme}"


@pytest.mark.parametrize("locale", [each for each in SCRIPTS if USUAL[each]])
@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_nothing(visitor: Visitor, name: str, locale: str) -> None:
    clean(page_of(visitor, name, locale), USUAL[locale])


@pytest.mark.thorough
@pytest.mark.parametrize("locale", SCRIPTS)
@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_nothing_in_the_other_lights(visitor: Visitor, name: str, locale: str) -> None:
    clean(page_of(visitor, name, locale), [each for each in LIGHTS if each not in USUAL[locale]])


def page_of(visitor: Visitor, name: str, locale: str) -> Page:
    page = visitor.opens(PATHS[name], locale=locale)
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    return page


@pytest.mark.parametrize("locale", SCRIPTS)
def test_axe_finds_nothing_in_any_layer_of_the_banner(visitor: Visitor, locale: str) -> None:
    page = visitor.opens(locale=locale)
    banner = page.locator("sayso-say")
    banner.get_by_role("region").wait_for()
    clean(page, LIGHTS)
    banner.get_by_role("button", name=translate(locale, "Choose"), exact=True).click()
    banner.get_by_role("dialog").wait_for()
    clean(page, LIGHTS)
    banner.get_by_role("button", name=translate(locale, "Save my choice")).click()
    # While it is looked at, it stays.
    banner.get_by_role("status").get_by_role("button").focus()
    clean(page, LIGHTS)
    banner.get_by_role("status").get_by_role("button").press("Enter")
    banner.get_by_role("button", name=translate(locale, "Your data choices")).wait_for()
    clean(page, LIGHTS)


@pytest.mark.parametrize("name", NAMES)
def test_words_four_tenths_longer_and_words_without_spaces_fit_a_narrow_window(visitor: Visitor, name: str) -> None:
    page = visitor.opens(PATHS[name], width=320, locale=PSEUDO)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.goto(f"{visitor.site.address}{PATHS[name]}{'&' if '?' in PATHS[name] else '?'}lang=zh-CN")
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("name", ["preferences", "history", "uses", "data", "entries", "shop"])
def test_everything_that_is_pressed_is_large_enough(visitor: Visitor, name: str) -> None:
    page = visitor.opens(PATHS[name], width=360)
    small = page.evaluate(
        """() => [...document.querySelectorAll('button, input:not([type=hidden]), select, summary, .button, nav a')]
            .filter(e => e.checkVisibility()).map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
            .filter(([, box]) => box.height < 24 || box.width < 24).map(([html]) => html)"""
    )
    assert small == []


def test_the_pages_hold_in_forced_colours(visitor: Visitor) -> None:
    page = visitor.opens("/p/you")
    page.emulate_media(forced_colors="active")
    assert findings(page) == ""
    assert page.locator(".switch input").first.evaluate("e => getComputedStyle(e).appearance") != "none"
    edges = page.locator(".tabs a").evaluate_all("all => all.map(e => getComputedStyle(e).borderBottomWidth)")
    assert edges == ["3px", "0px", "0px", "0px"], "where one is stands out without a colour"


@pytest.mark.parametrize("locale", ["de", "ar"])
def test_every_way_through_the_console_is_in_sight_in_a_narrow_window(visitor: Visitor, locale: str) -> None:
    page = visitor.opens("/console/systems", width=360, locale=locale)
    ways = page.locator(".rail nav a").evaluate_all("all => all.map(e => e.getBoundingClientRect().toJSON())")
    assert len(ways) == 7
    assert all(way["left"] >= 0 and way["right"] <= 360 for way in ways)
