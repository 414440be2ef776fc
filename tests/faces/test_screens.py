"""Thirteen screens, pixel for pixel, and the banner as a screen reader meets it, against what was agreed on."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from . import screens
from .screens import BROWSER, FOLDER, SCREENS, Screen
from .site import Site

pytestmark = pytest.mark.browser

SAME_BROWSER, ANOTHER_BROWSER = 0.001, 0.02
"""The share of pixels that may differ. A new major version of Chromium draws letters and shadows a little otherwise."""


@pytest.mark.parametrize("screen", SCREENS, ids=[screen.name for screen in SCREENS])
def test_a_screen_looks_as_it_did(browser: Browser, site: Site, screen: Screen, tmp_path: Path) -> None:
    agreed = (FOLDER / f"{screen.name}.png").read_bytes()
    taken = screens.picture(browser, site.address, screen)
    share, where = screens.difference(browser, agreed, taken)
    allowed = SAME_BROWSER if BROWSER.read_text().strip() == screens.major(browser) else ANOTHER_BROWSER
    if share > allowed:
        (tmp_path / "taken.png").write_bytes(taken)
        (tmp_path / "difference.png").write_bytes(where)
        pytest.fail(f"{share:.2%} of the pixels differ, {allowed:.1%} may: look at {tmp_path}, then make screens")


def test_a_change_of_a_few_letters_is_seen(browser: Browser, site: Site) -> None:
    """The comparison itself: blind to nothing that a person would notice."""
    screen = next(each for each in SCREENS if each.name == "door-narrow")
    before = screens.picture(browser, site.address, screen)
    with screens.showing(browser, site.address, screen) as page:
        page.evaluate("document.querySelector('h1').textContent += '.'")
        after = page.screenshot(animations="disabled", caret="hide", scale="css")
    assert screens.difference(browser, before, before)[0] == 0
    assert 0 < screens.difference(browser, before, after)[0] < 0.01


def test_a_screen_reader_meets_the_banner_as_it_did(browser: Browser, site: Site) -> None:
    """Roles, names and states of both layers and of the confirmation. `make screens` writes them anew."""
    assert screens.tree(browser, site.address) == screens.TREE.read_text(encoding="utf-8")


def test_the_pictures_are_few_and_small() -> None:
    files = list(FOLDER.glob("*.png"))
    assert sorted(path.stem for path in files) == sorted(screen.name for screen in SCREENS)
    assert sum(path.stat().st_size for path in files) <= 1_000_000
