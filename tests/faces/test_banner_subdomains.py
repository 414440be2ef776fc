"""One answer for all sub-domains of a site, and the oldest double of a cookie does no harm."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from .conftest import FLAGS
from .site import Site
from .test_banner import until

pytestmark = pytest.mark.browser


@pytest.fixture
def context(browser: Browser, chromium: str) -> Iterator[BrowserContext]:
    """A browser for which every host below tea.example is this machine."""
    rules = "--host-resolver-rules=MAP *.tea.example 127.0.0.1"
    own = browser.browser_type.launch(executable_path=chromium, args=[*FLAGS, rules])
    yield own.new_context(locale="en", reduced_motion="reduce")
    own.close()


def refused_on_the_shop(site: Site, context: BrowserContext) -> Page:
    """The blog, opened after everything was refused on the shop."""
    port = site.address.rpartition(":")[2]
    page = context.new_page()
    page.goto(f"http://shop.tea.example:{port}/demo/")
    page.get_by_role("button", name="Refuse all").click()
    page.get_by_text("Saved.").wait_for()
    page.goto(f"http://blog.tea.example:{port}/demo/")
    return page


def test_an_answer_on_one_subdomain_holds_on_the_others(site: Site, context: BrowserContext) -> None:
    site.banner = {"cookie_domain": "tea.example"}
    page = refused_on_the_shop(site, context)
    until(page, "window.sayso?.get().ads === 'refused'")
    expect(page.get_by_role("button", name="Your data choices")).to_be_visible()
    assert [(each["name"], each["domain"]) for each in context.cookies()] == [("sayso_shop", ".tea.example")]


def test_without_a_domain_each_host_asks_for_itself(site: Site, context: BrowserContext) -> None:
    page = refused_on_the_shop(site, context)
    expect(page.get_by_role("region", name="Your say about your data")).to_be_visible()
