"""The guide to sign-in, embedded parts and the brand's own domain, followed in a browser: two hosts, no cookie."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, expect

from .account import Account, an_account, block
from .conftest import awaited
from .test_accessibility import findings

pytestmark = pytest.mark.browser

SILENT = ("Failed to load resource",)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with an_account(tmp_path_factory.mktemp("account")) as made:
        made.pages = {
            "/account": made.told(block("html", 1)),
            "/send": made.told(block("html", 0)).join(("<!doctype html><html lang=en><title>Shop</title>", "")),
            "/elsewhere": "<!doctype html><html lang=en><title>Shop</title><h1>Elsewhere</h1>",
        }
        yield made


@pytest.fixture
def window(browser: Browser, account: Account) -> Iterator[BrowserContext]:
    """A window at 360 pixels; nothing in it may break a policy or throw."""
    context = browser.new_context(viewport={"width": 360, "height": 800}, reduced_motion="reduce", locale="en")
    complaints: list[str] = []
    context.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    yield context
    context.close()
    assert [text for text in complaints if not text.startswith(SILENT)] == []


def part(page: Page, name: str) -> FrameLocator:
    return page.frame_locator(f"sayso-{name} iframe")


def opened(window: BrowserContext, account: Account, path: str = "/account") -> Page:
    page = window.new_page()
    page.goto(account.address + path)
    return page


def test_a_person_chooses_inside_the_brands_page_and_no_cookie_is_set(window: BrowserContext, account: Account) -> None:
    account.customer = "c-embed"
    page = opened(window, account)
    page.evaluate("addEventListener('change', event => (window.told = event.target.localName))")
    choices = part(page, "choices")
    for name in ("choices", "reach", "uses"):
        expect(part(page, name).locator("body[data-framed=open]")).to_be_attached()
    # By keys: frames take their heights one after the other, and a pointer would meet what has just moved there.
    choices.get_by_role("checkbox", name="News by e-mail").press("Space")
    choices.get_by_role("button", name="Save my choices").press("Enter")
    expect(choices.get_by_role("status").filter(has_text="Saved at")).to_be_visible()
    assert account.status() == "granted"
    assert page.evaluate("window.told") == "sayso-choices"
    expect(part(page, "reach").get_by_role("heading", name="Quiet hours")).to_be_visible()
    expect(part(page, "uses").get_by_text("Nobody yet")).to_be_visible()
    assert window.cookies() == []
    titles = page.locator("sayso-choices, sayso-reach, sayso-uses").evaluate_all(
        "all => all.map(each => each.shadowRoot.querySelector('iframe').title)"
    )
    assert titles == ["Your choices – Tea House", "How we reach you – Tea House", "Who used my data – Tea House"]

    # The frame is as high as what it shows, once it has told.
    def fits() -> bool:
        tall = page.locator("sayso-choices").bounding_box()
        inside = choices.locator("body").evaluate("body => body.scrollHeight")
        return tall is not None and abs(tall["height"] - inside) <= 2

    assert awaited(page, fits)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    account.asks("GET", "/health/ready")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_axe_finds_nothing_inside_and_around(
    window: BrowserContext, account: Account, language: str, scheme: str
) -> None:
    html = account.pages["/account"].replace('<html lang="en">', f'<html lang="{language}">')
    # A policy with Trusted Types keeps a test's own tools out as well.
    account.pages["/open"] = (
        html.replace(html[html.index("<meta http") : html.index("<title>")], "")
        .replace("<body>", f'<body class="{scheme}"><main>')
        .replace("<title>", f'<meta name="color-scheme" content="{scheme}"><link rel="icon" href="data:,"><title>')
    )
    page = opened(window, account, "/open")
    for name in ("choices", "reach", "uses"):
        expect(part(page, name).locator("body[data-framed=open]")).to_be_attached()
    assert findings(page) == ""
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        for frame in page.frames[1:]:
            assert frame.evaluate("document.documentElement.lang") == language
            assert frame.evaluate("document.documentElement.dataset.theme") == scheme
            assert frame.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_keyboard_alone_goes_through_the_frame(window: BrowserContext, account: Account) -> None:
    account.customer = "c-keys"
    page = opened(window, account)
    choices = part(page, "choices")
    switch = choices.get_by_role("checkbox", name="News by e-mail")
    expect(switch).to_be_attached()
    for _ in range(20):
        page.keyboard.press("Tab")
        if switch.evaluate("each => each === document.activeElement && document.hasFocus()"):
            break
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    said = choices.get_by_role("status").filter(has_text="Saved at")
    expect(said).to_be_visible()
    expect(said).to_be_focused()
    assert account.status() == "granted"


def test_a_token_on_the_element_is_used_once_and_a_used_one_says_what_to_do(
    window: BrowserContext, account: Account
) -> None:
    spent = account.token()
    account.pages["/once"] = account.pages["/account"].replace('token-url="/account/sayso-token"', f'token="{spent}"')
    page = opened(window, account, "/once")
    for name in ("choices", "reach", "uses"):
        expect(part(page, name).locator("body[data-framed]:not([data-framed=waiting])")).to_be_attached()
    states = [frame.evaluate("document.body.dataset.framed") for frame in page.frames[1:]]
    assert sorted(states) == ["open", "refused", "refused"]
    refused = next(frame for frame in page.frames[1:] if frame.evaluate("document.body.dataset.framed") == "refused")
    assert refused.get_by_role("alert").inner_text().startswith("This could not be opened here. Load the page again")


def test_a_page_that_is_not_the_brands_cannot_show_a_part(browser: Browser, account: Account) -> None:
    context = browser.new_context()
    page = context.new_page()
    account.pages["/strange"] = account.pages["/account"]
    page.goto(account.address.replace("shop.localhost", "strange.localhost") + "/strange")
    page.wait_for_timeout(500)
    assert all("privacy" not in frame.url for frame in page.frames), "the browser shows its own error"
    context.close()


def test_where_sayso_is_not_reached_and_without_script_the_page_speaks_for_itself(
    browser: Browser, account: Account
) -> None:
    for settings in ({"java_script_enabled": False}, {}):
        context = browser.new_context(**settings)
        context.route("**/p/embed/**", lambda route: route.abort())
        page = context.new_page()
        page.goto(account.address + "/account")
        expect(page.get_by_role("link", name="Your privacy choices")).to_be_visible()
        context.close()


def test_a_form_of_the_brands_page_lands_signed_in_on_its_own_domain(window: BrowserContext, account: Account) -> None:
    page = opened(window, account, "/send")
    page.get_by_role("button", name="Your privacy choices").click()
    page.wait_for_url(f"{account.portal}/p/you")
    assert page.title() == "Your say – Tea House"
    (cookie,) = window.cookies()
    assert (cookie["domain"], cookie["path"], cookie["httpOnly"], cookie["sameSite"]) == (
        "privacy.localhost",
        "/p",
        True,
        "Lax",
    )


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_link_asks_for_one_press_and_works_without_script(browser: Browser, account: Account, script: bool) -> None:
    context = browser.new_context(java_script_enabled=script, locale="en")
    page, token = context.new_page(), account.token()
    for _ in range(2):  # a scanner, then the person
        page.goto("about:blank")
        page.goto(f"{account.portal}/p/#{token}")
    if not script:
        page.get_by_label("The code from your link").fill(token)
    assert script == ("#" not in page.url)
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{account.portal}/p/you")
    context.close()


def test_a_used_link_says_what_to_do(browser: Browser, account: Account) -> None:
    token = account.token()
    for landed in ("/p/you", "/p/session"):
        context = browser.new_context(locale="en")
        page = context.new_page()
        page.goto(f"{account.portal}/p/#{token}")
        page.get_by_role("button", name="Continue").click()
        page.wait_for_url(account.portal + landed)
        if landed == "/p/session":
            expect(page.get_by_role("alert")).to_contain_text("Go back to the site that sent you here")
        context.close()


def test_the_browser_finds_the_page_on_the_brands_domain_installable(browser: Browser, account: Account) -> None:
    context = browser.new_context(locale="en")
    page = context.new_page()
    page.goto(f"{account.portal}/p/")
    chromium = context.new_cdp_session(page)
    manifest = chromium.send("Page.getAppManifest")
    assert manifest["errors"] == []
    assert manifest["url"] == f"{account.portal}/p/look/default.shop.webmanifest"
    assert '"name":"Tea House"' in manifest["data"]
    found = chromium.send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert [each["errorId"] for each in found if each["errorId"] != "in-incognito"] == []
    context.close()
