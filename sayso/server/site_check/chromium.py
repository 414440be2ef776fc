"""A browser to look with: Playwright is an extra (`sayso[check]`), since no server needs it."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from sayso.kernel import Invalid

if TYPE_CHECKING:
    from playwright.async_api import Browser

T = TypeVar("T")

INSTALL = "pip install 'sayso[check]' && playwright install chromium"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_CLOSING_S = 10


class CannotCheck(Invalid):
    """The page could not be looked at: no browser, no answer, or no page. Nothing is known of it then."""


@asynccontextmanager
async def chromium(*, sandbox: bool) -> AsyncIterator["Browser"]:
    """Chromium without a window: the one that `CHROMIUM` names, one of this machine, or Playwright's own.

    Root cannot use Chromium's sandbox, so it runs without there; elsewhere only when asked to. Raises `CannotCheck`.
    """
    try:
        from playwright.async_api import Error, async_playwright
    except ImportError:
        raise CannotCheck("no-browser", f"Checking a site needs a browser: {INSTALL}") from None
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    async with async_playwright() as playwright:
        try:
            browser = await playwright.chromium.launch(
                executable_path=path,
                chromium_sandbox=sandbox and os.geteuid() != 0,
                args=["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"],
            )
        except Error as error:
            if path is None and "Executable doesn't exist" in error.message:
                raise CannotCheck("no-browser", f"Checking a site needs a browser: {INSTALL}") from None
            why = "Chromium did not start; where it may use no sandbox (some containers), add --no-sandbox."
            raise CannotCheck("no-browser", why) from error
        try:
            yield browser
        finally:
            # A page that hangs must not keep the command: the driver ends the process when it goes.
            await within(_CLOSING_S, browser.close())


async def within(seconds: float, work: Awaitable[T]) -> T | None:
    """What `work` gives, or None when the page does not answer in time, or no more."""
    from playwright.async_api import Error

    try:
        return await asyncio.wait_for(work, seconds)
    except (TimeoutError, Error):
        return None
