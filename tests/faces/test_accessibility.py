"""axe finds nothing, and nothing is cut off, on every page and on the banner, in every width, light and language."""

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from sayso.server.pages.locales import PSEUDO

from .conftest import Visitor
from .sample_pages import all_pages

pytestmark = pytest.mark.browser

NAMES = [sample.name for sample in all_pages()]
PATHS = {sample.name: sample.path for sample in all_pages()}
Light = Literal["light", "dark"]
LIGHTS: list[tuple[int, Light]] = [(360, "light"), (360, "dark"), (1280, "light"), (1280, "dark")]


def findings(page: Page) -> str:
    violations = Axe().run(page).response["violations"]
    return "\n".join(
        f"{found['id']} ({found['impact']}): {node['html'][:160]}" for found in violations for node in found["nodes"]
    )


@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_nothing(visitor: Visitor, name: str) -> None:
    page = visitor.opens(PATHS[name])
    for summary in page.locator("details > summary").all():
        summary.click()
    for width, scheme in LIGHTS:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        assert findings(page) == "", f"{width} {scheme}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    "name", ["preferences", "entry", "shop", "unsubscribe-on", "unsubscribe-off", "notice", "history", "uses", "data"]
)
def test_axe_finds_nothing_in_chinese(visitor: Visitor, name: str) -> None:
    assert findings(visitor.opens(PATHS[name], locale="zh-CN")) == ""


@pytest.mark.parametrize(("width", "scheme"), LIGHTS, ids=[f"{width}-{scheme}" for width, scheme in LIGHTS])
def test_axe_finds_nothing_in_the_dialog_and_in_the_confirmation(visitor: Visitor, width: int, scheme: Light) -> None:
    page = visitor.opens(width=width, scheme=scheme)
    page.get_by_role("button", name="Choose").click()
    assert findings(page) == ""
    page.get_by_role("button", name="Save my choice").click()
    page.locator("sayso-say .said").wait_for()
    assert findings(page) == ""


@pytest.mark.parametrize("name", NAMES)
def test_words_four_tenths_longer_still_fit_a_narrow_window(visitor: Visitor, name: str) -> None:
    page = visitor.opens(PATHS[name], width=320, locale=PSEUDO)
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
