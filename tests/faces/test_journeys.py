"""The preference page and the console in a real browser: the code, the proof, the form, and life without script."""

import pytest
from msgspec.structs import replace
from playwright.sync_api import expect

from sayso.server.pages import render_entries, render_history

from .conftest import Visitor
from .console_samples import an_entries_page, some_details
from .log import Log, b64url
from .person_samples import a_history_page
from .samples import ENTRY, records

pytestmark = pytest.mark.browser


def with_records(visitor: Visitor, log: Log, index: int = 3) -> None:
    """Put the log's entry under the newest record of the preference page."""
    record = replace(records()[0], entry=log.id(index))
    visitor.site.log = log
    visitor.site.proof = log.bundle(index)
    visitor.site.pages["/p/you/history"] = render_history(a_history_page(records=(record,)))


def test_the_code_goes_from_the_fragment_into_the_form_and_out_of_the_address(visitor: Visitor) -> None:
    page = visitor.opens("/p/#one-time-code")
    assert "#" not in page.url
    assert visitor.site.received == [], "opening the page consumes nothing"
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/p/you")
    assert visitor.site.received[0].path == "/p/session"
    assert visitor.site.received[0].body == "code=one-time-code"


def test_without_script_the_code_is_typed(visitor: Visitor) -> None:
    page = visitor.opens("/p/", javascript=False)
    page.get_by_label("The code from your link").fill("typed")
    page.get_by_role("button", name="Continue").click()
    assert visitor.sent(page)[0].body == "code=typed"


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no-script"])
def test_choices_are_saved_by_a_plain_form(visitor: Visitor, javascript: bool) -> None:
    page = visitor.opens("/p/you", javascript=javascript)
    page.get_by_role("checkbox", name="Advertising").check()
    page.get_by_role("checkbox", name="News by e-mail", exact=True).uncheck()
    if javascript:
        expect(page.get_by_text("2 changes, not saved yet")).to_be_visible()
    page.get_by_role("button", name="Save my choices").click()
    (sent,) = visitor.sent(page)
    assert sent.path == "/p/you/choices"
    assert sent.body == (
        "csrf=form-token&notice=web&notice_version=3&decide=changed&shown=marketing.email&shown=marketing.profile&shown=analytics&shown=ads&granted=ads"
    )


def test_everything_is_withdrawn_in_one_step(visitor: Visitor) -> None:
    page = visitor.opens("/p/you", javascript=False)
    page.get_by_role("button", name="Withdraw everything").click()
    (sent,) = visitor.sent(page)
    assert (sent.path, sent.body) == ("/p/you/withdraw", "csrf=form-token")


def test_an_erasure_asks_for_the_word(visitor: Visitor) -> None:
    page = visitor.opens("/p/you/data", javascript=False)
    page.get_by_text("I want my data erased").click()
    page.get_by_label("Type the word “erase” to confirm").fill("erase")
    page.get_by_role("button", name="Erase my data").click()
    assert visitor.sent(page)[0].body == "csrf=form-token&confirm=erase"


def test_a_record_is_verified_on_this_device(visitor: Visitor) -> None:
    with_records(visitor, Log(11))
    page = visitor.opens("/p/you/history")
    page.get_by_text("Proof", exact=True).click()
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_text("Verified on this device: position 3 in a log of 11 entries.")).to_be_visible()
    assert page.locator(".proof .path li").count() == 5


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        ("receipt", "Not verified: the signature of the receipt does not hold."),
        ("leaf", "Not verified: the entry is not in the tree that was signed."),
        ("vkey", "Not verified: the signature of the checkpoint does not hold."),
    ],
)
def test_a_proof_that_does_not_hold_says_what_does_not(visitor: Visitor, part: str, sentence: str) -> None:
    log = Log(11)
    with_records(visitor, log)
    assert visitor.site.proof
    other = Log(11, seed=b"\x09" * 32).bundle(3)
    if part == "receipt":
        visitor.site.proof["receipt"] = ".".join(
            [*visitor.site.proof["receipt"].split(".")[:2], other["receipt"].split(".")[2]]
        )
    elif part == "leaf":
        visitor.site.proof["leaf"] = b64url(log.leaves[3] + b" ")
    else:
        visitor.site.proof["vkey"] = other["vkey"]
    page = visitor.opens("/p/you/history")
    page.get_by_text("Proof", exact=True).click()
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_text(sentence)).to_be_visible()


def test_a_record_that_is_not_integrated_yet_says_so(visitor: Visitor) -> None:
    with_records(visitor, Log(11))
    visitor.site.proof = {"pending": True, "receipt": None, "leaf": None, "proof": None, "vkey": None}
    page = visitor.opens("/p/you/history")
    page.get_by_text("Proof", exact=True).click()
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_text("the signed checkpoint follows within seconds")).to_be_visible()


def test_a_browser_that_cannot_check_signatures_says_so_and_what_to_do(visitor: Visitor) -> None:
    with_records(visitor, Log(11))
    no_ed25519 = "SubtleCrypto.prototype.importKey = () => Promise.reject(new DOMException('no', 'NotSupportedError'))"
    page = visitor.opens("/p/you/history", script=no_ed25519)
    page.get_by_text("Proof", exact=True).click()
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_text("Download the receipt and run “sayso audit verify”.")).to_be_visible()


def test_an_entry_is_verified_in_the_console(visitor: Visitor) -> None:
    log = Log(11)
    visitor.site.log, visitor.site.proof = log, {**log.bundle(3), "receipt": None}
    details = some_details(entry=log.id(3))
    visitor.site.pages["/console/?entry=" + ENTRY] = render_entries(an_entries_page(details=details))
    page = visitor.opens("/console/?entry=" + ENTRY)
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_text("Verified on this device: position 3 in a log of 11 entries.")).to_be_visible()


def test_the_reference_is_searched_in_the_page(visitor: Visitor) -> None:
    page = visitor.opens("/docs")
    page.get_by_label("Search").fill("reveal")
    expect(page.get_by_text("1 found")).to_be_visible()
    assert page.locator("details:visible").count() == 1


def test_the_theme_and_the_language_are_changed_by_forms(visitor: Visitor) -> None:
    page = visitor.opens("/p/you", javascript=False)
    page.get_by_role("button", name="Night").click()
    (sent,) = visitor.sent(page)
    assert (sent.path, sent.body) == ("/settings", "back=%2Fp%2Fyou&theme=dark")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_chosen_theme_wins_over_the_systems(visitor: Visitor, theme: str) -> None:
    visitor.site.theme = theme
    page = visitor.opens("/p/", scheme="dark" if theme == "light" else "light")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(251, 250, 247)", "dark": "rgb(18, 20, 23)"}[theme]
