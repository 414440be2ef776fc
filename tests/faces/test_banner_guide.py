"""The guide's plain site, copied as it stands and visited."""

import re

import pytest
from playwright.sync_api import expect

from tests.source import ROOT

from .conftest import Visitor
from .test_banner import submissions, until
from .test_banner_blocking import FRAMED, SCRIPT, ran

pytestmark = pytest.mark.browser

GUIDE = (ROOT / "docs" / "guides" / "banner.md").read_text("utf-8")
(PLAIN,) = re.findall(r"```html\n(.*?)```", GUIDE, re.DOTALL)


def test_the_plain_site_of_the_guide_does_what_the_guide_says(visitor: Visitor) -> None:
    site = visitor.site
    site.pages["/page"] = PLAIN.replace("https://consent.example", "").replace(
        "<title>", '<link rel="icon" href="data:,"><title>'
    )
    site.headers["/page"] = {"content-security-policy": "frame-src 'self'"}
    for name in ("statistics", "offers"):
        site.pages[f"/{name}.js"] = f"(window.ran ??= []).push('{name}')"
        site.headers[f"/{name}.js"] = SCRIPT
    site.pages["/map"] = "<!doctype html><html lang='en'><title>Map</title><h1>The map</h1></html>"
    site.headers["/map"] = FRAMED
    page = visitor.opens("/page")
    expect(page.get_by_role("region", name="Where we grow")).to_be_visible()
    assert ran(page) == []
    page.locator("body > button").click()
    page.get_by_role("checkbox", name="Shop statistics").check()
    page.get_by_role("button", name="Save my choice").click()
    until(page, "window.ran?.length === 1")
    assert ran(page) == ["statistics"]
    page.get_by_role("region", name="Where we grow").get_by_role("button", name="Say yes and show it").click()
    until(page, "window.ran?.length === 2")
    expect(page.get_by_text("Offers for you")).to_be_visible()
    expect(page.frame_locator("iframe").get_by_role("heading", name="The map")).to_be_visible()
    first, second = submissions(visitor, 2, page)
    assert (first["interface"], second["interface"]) == ("choices", "embed")
    assert first["choices"]["ads"] == "refused"
    assert second["choices"] == {"ads": "granted"}


def test_the_guide_names_the_members_that_the_banner_has(visitor: Visitor) -> None:
    page = visitor.opens()
    until(page, "!!window.sayso")
    assert set(re.findall(r"^\| `sayso\.(\w+)\(", GUIDE, re.M)) == set(page.evaluate("Object.keys(sayso)"))
