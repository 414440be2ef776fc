"""A browser and a site for the tests of the pages."""

import time
from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from .site import Received, Site, serving

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync "
    # Letters are drawn alike whatever the machine's own settings are: screens are compared by their pixels.
    "--font-render-hinting=none --disable-lcd-text --force-color-profile=srgb "
    # A new window of Chromium loads two pages of its own for its address bar, which cost it more than ours do. Of this
    # flag the last one counts, so what Playwright turns off is named again.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,AimEnabled,AvoidCorsURLLoaderRestartOnRedirect,"
    "AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsFirstBalancedModeAutoEnable,HttpsUpgrades,"
    "LensOverlay,MediaRouter,NetworkTimeServiceQuerying,OptimizationHints,PaintHolding,PreconnectToSearch,"
    "ThirdPartyStoragePartitioning"
).split()


PATIENCE_S = 30
"""How long anything may take that is waited for: what is wrong is wrong after that too, what is slow has come."""

expect.set_options(timeout=PATIENCE_S * 1000)


def awaited(page: Page, met: Callable[[], object]) -> bool:
    """Whether it is met within `PATIENCE_S`; the browser goes on meanwhile."""
    until = time.monotonic() + PATIENCE_S
    while not met():
        if time.monotonic() > until:
            return False
        page.wait_for_timeout(20)
    return True


@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    """The machine's Chromium. Scoped to this package: while it lives, no event loop can run beside it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


class Visitor:
    """A visitor with windows of their own; everything that a page complains about is kept."""

    def __init__(self, browser: Browser, site: Site) -> None:
        self._browser = browser
        self.site = site
        self.complaints: list[str] = []
        self.forgives_failed_requests = False
        self.contexts: list[BrowserContext] = []

    def opens(
        self,
        path: str = "/demo/",
        *,
        locale: str = "en",
        width: int = 1280,
        height: int = 800,
        scheme: Literal["light", "dark"] = "light",
        script: str = "",
        reduced: bool = True,
        javascript: bool = True,
    ) -> Page:
        context = self._browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            locale=locale,
            reduced_motion="reduce" if reduced else "no-preference",
            java_script_enabled=javascript,
        )
        self.contexts.append(context)
        if script:
            context.add_init_script(script)
        return self.again(context, path, locale)

    def again(self, context: BrowserContext, path: str = "/demo/", locale: str = "en") -> Page:
        page = context.new_page()
        page.on(
            "console",
            lambda message: self.complaints.append(message.text) if message.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        target, _, fragment = path.partition("#")
        mark = "&" if "?" in target else "?"
        page.goto(f"{self.site.address}{target}{mark}lang={locale}{'#' + fragment if fragment else ''}")
        return page

    def sent(self, page: Page, count: int = 1) -> list[Received]:
        """What the site was sent, once there are so many; there must not be more."""
        awaited(page, lambda: len(self.site.received) >= count)
        assert len(self.site.received) == count
        return self.site.received


@pytest.fixture
def visitor(browser: Browser, site: Site) -> Iterator[Visitor]:
    """A visitor; the test fails when any page broke the policy or threw."""
    visitor = Visitor(browser, site)
    yield visitor
    for context in visitor.contexts:
        context.close()
    # The browser reports requests that the test itself made fail, and whenever it likes.
    failed = ("Failed to load resource", "Access to fetch") if visitor.forgives_failed_requests else ()
    assert [text for text in visitor.complaints if not text.startswith(failed)] == []
