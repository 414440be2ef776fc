"""A choice follows the visitor from one site of a brand to another: two hosts, a whole Sayso, a real browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.server.processes import initialised, sayso, serving
from tests.server.worlds import MANIFEST

from .site import Site
from .test_banner import until

pytestmark = pytest.mark.browser

QUESTION = "Your say about your data"
DEVICE = "d" * 22


class Two:
    """Two sites of one brand, on 127.0.0.1 and on localhost, and the Sayso of both."""

    def __init__(self, site: Site, sayso: str, context: BrowserContext) -> None:
        self.site, self.sayso, self.context = site, sayso, context
        self.here = site.address
        self.there = site.address.replace("127.0.0.1", "localhost")
        self.complaints: list[str] = []

    def page(self, path: str, name: str, body: str = "", **headers: str) -> None:
        head = f'<title>{name}</title><link rel="icon" href="data:,">'
        head += f'<script async src="{self.sayso}/v1/sites/{name}/banner.js"></script>'
        self.site.pages[path] = f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>'
        policy = (
            f"default-src 'none'; script-src {self.sayso}; connect-src {self.sayso}; img-src data:; "
            "require-trusted-types-for 'script'; trusted-types 'none'"
        )
        plain = {"referrer-policy": "strict-origin-when-cross-origin", "content-security-policy": policy}
        self.site.headers[path] = plain | headers

    def link(self, target: str = "/there", **attributes: str) -> None:
        extra = "".join(f' {name}="{value}"' for name, value in attributes.items())
        self.page("/here", "shop", f'<h1>Here</h1><a id="over" href="{self.there}{target}"{extra}>Over there</a>')

    def open(self, url: str) -> Page:
        page = self.context.new_page()
        page.on("console", lambda each: self.complaints.append(each.text) if each.type == "error" else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(url)
        until(page, "!!window.sayso")
        return page

    def crossed(self, answer: str, target: str = "/there") -> Page:
        """A visitor who answers here and follows the link. The banner gives the server a moment only, and no more than
        that may be asked of this machine: here it waits as long as it takes.
        """
        self.context.add_init_script("AbortSignal.timeout = () => new AbortController().signal")
        self.link(target)
        page = self.open(self.here + "/here")
        page.get_by_role("button", name=answer).click()
        page.get_by_text("Saved.").wait_for()
        page.click("#over")
        page.wait_for_url("**/there**")
        until(page, "!!window.sayso")
        return page


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, Path]]:
    data = tmp_path_factory.mktemp("hand-over") / "data"
    key = initialised(data)
    with serving(data) as server:
        yield server.url, key, data


@pytest.fixture
def two(site: Site, running: tuple[str, str, Path], browser: Browser, tmp_path: Path) -> Iterator[Two]:
    url, _, data = running
    context = browser.new_context(locale="en", reduced_motion="reduce")
    made = Two(site, url, context)
    manifest = tmp_path / "sites.yaml"
    manifest.write_text(
        MANIFEST.read_text("utf-8").partition("sites:")[0]
        + f'sites:\n  shop: {{origins: ["{made.here}"], notice: web, hands_over_to: [there]}}\n'
        + f'  there: {{origins: ["{made.there}"], notice: web}}\n',
        "utf-8",
    )
    done = sayso("apply", manifest, "--data", data)
    assert done.returncode == 0, done.stderr
    made.page("/there", "there", f'<h1>There</h1>{"<br>" * 150}<h2 id="place">The place</h2>')
    yield made
    context.close()
    assert made.complaints == []


def cookie(page: Page, host: str, name: str) -> str:
    found = [each for each in page.context.cookies() if each["name"] == name and each["domain"] == host]
    return found[0]["value"] if found else ""


def test_a_yes_goes_along_with_its_device_and_the_address_is_clean(two: Two, running: Any) -> None:
    page = two.crossed("Accept all")
    until(page, "sayso.has('marketing.email')")
    assert page.url == two.there + "/there"
    expect(page.get_by_role("region", name=QUESTION)).to_have_count(0)
    assert cookie(page, "localhost", "sayso_there") == cookie(page, "127.0.0.1", "sayso_shop")
    device = cookie(page, "localhost", "sayso_there").split("|")[1]
    expect(page.get_by_role("button", name="Your data choices")).to_be_visible()
    page.go_back()
    page.go_forward()
    assert "#" not in page.url, "the code is not in the history"
    # It is the same person to services, who may take the yes back on either site.
    url, key, _ = running
    body = {"identifier": {"type": "device", "value": device}, "create": False}
    known = httpx.post(f"{url}/v1/subjects/resolve", json=body, headers={"authorization": f"Bearer {key}"})
    assert known.status_code == 200


def test_a_no_goes_along_and_names_nobody(two: Two) -> None:
    page = two.crossed("Refuse all")
    until(page, "sayso.get()['marketing.email'] === 'refused'")
    assert cookie(page, "localhost", "sayso_there") == "web:1||-marketing.email"
    expect(page.get_by_role("region", name=QUESTION)).to_have_count(0)


def test_the_place_that_the_link_named_is_reached(two: Two) -> None:
    page = two.crossed("Refuse all", "/there#place")
    until(page, "sayso.get()['marketing.email'] === 'refused'")
    assert page.url == two.there + "/there#place"
    until(page, "scrollY > 300")


def test_a_code_that_somebody_else_sends_grants_nothing(two: Two) -> None:
    """A yes of one browser in the address that another opens, or opens without coming from the first site."""
    two.link()
    page = two.open(two.here + "/here")
    page.get_by_role("button", name="Accept all").click()
    page.get_by_text("Saved.").wait_for()
    choice = cookie(page, "127.0.0.1", "sayso_shop")
    code = page.evaluate(
        """async ([base, to, choice]) => {
            const { token } = await (await fetch(base + "banner.json")).json();
            const body = JSON.stringify({ token, to, choice });
            const headers = { "content-type": "application/json" };
            return (await (await fetch(base + "hand-overs", { method: "POST", headers, body })).json()).code;
        }""",
        [two.sayso + "/v1/sites/shop/", two.there, choice],
    )
    assert code
    victim = two.open(f"{two.there}/there#sayso={code}")
    expect(victim.get_by_role("region", name=QUESTION)).to_be_visible()
    assert victim.url == two.there + "/there"
    assert victim.evaluate("sayso.has('marketing.email')") is False


def test_nothing_that_stands_there_is_loosened(two: Two) -> None:
    two.context.add_cookies([{"name": "sayso_there", "value": "web:1||-marketing.email", "url": two.there}])
    page = two.crossed("Accept all")
    page.wait_for_timeout(500)
    assert page.evaluate("sayso.get()") == {"marketing.email": "refused"}


def test_a_no_takes_back_a_yes_that_stands_there(two: Two) -> None:
    two.context.add_cookies([{"name": "sayso_there", "value": f"web:1|{DEVICE}|+marketing.email", "url": two.there}])
    page = two.crossed("Refuse all")
    until(page, "sayso.get()['marketing.email'] === 'refused'")
    said, _, _ = cookie(page, "localhost", "sayso_there").partition("|!")
    assert said == f"web:1|{DEVICE}|-marketing.email", "besides the word that it waits to be sent"


def test_a_yes_of_another_device_is_asked_for_again(two: Two) -> None:
    two.context.add_cookies([{"name": "sayso_there", "value": f"web:0|{DEVICE}|+marketing.email", "url": two.there}])
    page = two.crossed("Accept all")
    expect(page.get_by_role("region", name=QUESTION)).to_be_visible()
    assert page.evaluate("sayso.has('marketing.email')") is False


@pytest.mark.parametrize("how", ["noreferrer", "unanswered", "foreign"])
def test_a_link_is_a_plain_link_where_nothing_goes_along(two: Two, how: str) -> None:
    asked: list[str] = []
    two.context.on("request", lambda each: asked.append(each.url) if "/hand-overs" in each.url else None)
    two.link(**({"rel": "noreferrer"} if how == "noreferrer" else {}))
    if how == "foreign":
        two.page("/here", "shop", f'<a id="over" href="{two.here}/there">Elsewhere</a>')
    page = two.open(two.here + "/here")
    if how != "unanswered":
        page.get_by_role("button", name="Refuse all").click()
        page.get_by_text("Saved.").wait_for()
    page.click("#over")
    page.wait_for_url("**/there")
    assert asked == []


def test_a_server_that_is_down_delays_the_visitor_a_moment_only(two: Two) -> None:
    two.link()
    page = two.open(two.here + "/here")
    page.get_by_role("button", name="Refuse all").click()
    page.get_by_text("Saved.").wait_for()
    held: list[Route] = []
    page.route("**/hand-overs", lambda route: held.append(route))
    page.click("#over")
    page.wait_for_url("**/there")
    expect(page.get_by_role("region", name=QUESTION)).to_be_visible()
    held[0].abort()


def test_what_hand_overs_need_is_loaded_only_by_sites_that_declare_them(two: Two) -> None:
    asked: list[str] = []
    two.context.on("request", lambda each: asked.append(each.url))
    page = two.open(two.there + "/there")
    page.get_by_role("region", name=QUESTION).wait_for()
    until(page, "performance.getEntriesByType('resource').length >= 2")
    files = [url.partition("?")[0].rpartition("/")[2] for url in asked if url.startswith(two.sayso)]
    assert files == ["banner.js", "hand-over.js"]
