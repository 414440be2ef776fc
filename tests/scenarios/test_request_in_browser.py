"""One erasure in a real browser: asked for on the person's page, answered in the console, its certificate checked with
the server off.
"""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.builders.served import Served
from tests.faces.conftest import FLAGS

pytestmark = pytest.mark.browser

MANIFEST = Path(__file__).parent.parent / "server" / "manifest.yaml"


def a_customer(served: Served) -> str:
    """A person with a stored value; the address of their page."""
    with served.admin as admin:
        body = {"identifier": {"type": "customer_id", "value": "c-1"}, "create": True}
        subject = admin.post("/v1/subjects/resolve", json=body).json()["subject"]
        values = {"subject": subject, "collection": "customers", "fields": {"email": "linden@example.com"}}
        assert admin.post("/v1/vault/records", json=values).status_code == 201
        code = admin.post(f"/v1/subjects/{subject}/links", json={"ttl_s": 600}).json()["url"].partition("#")[2]
    return served.url(f"/p/#{code}")


def ask(browser: Browser, address: str, served: Served) -> Page:
    page = browser.new_context(locale="en").new_page()
    page.goto(address)
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/p/you")
    page.goto(served.url("/p/you/data"))
    page.get_by_text("I want my data erased").click()
    page.get_by_label("to confirm").fill("erase")
    page.get_by_role("button", name="Erase my data").click()
    expect(page.get_by_text("was received.")).to_be_visible()
    return page


def test_from_the_preference_page_to_the_certificate(tmp_path: Path, chromium: str) -> None:
    with Served(tmp_path) as served, sync_playwright() as playwright:
        served.apply(MANIFEST)
        address = a_customer(served)
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        ask(browser, address, served)
        # The officer's part without script, by the keyboard where a form begins.
        officer = browser.new_context(locale="en", java_script_enabled=False).new_page()
        officer.goto(served.url("/console/"))
        officer.get_by_label("API key").fill(served.admin_key)
        officer.get_by_label("API key").press("Enter")
        officer.get_by_role("link", name="Rights requests").click()
        officer.get_by_role("link", name="Erasure").click()
        expect(officer.get_by_role("heading", name="Erasure plan")).to_be_visible()
        officer.get_by_role("button", name="I made sure who asks").press("Enter")
        expect(officer.get_by_text("an officer made sure")).to_be_visible()
        officer.get_by_role("button", name="Erase now").click()
        with officer.expect_download() as downloading:
            officer.get_by_role("link", name="Download the certificate").click()
        downloading.value.save_as(tmp_path / "certificate.jws")
        with officer.expect_download() as downloading:
            officer.get_by_role("button", name="Download the proof").click()
        downloading.value.save_as(tmp_path / "evidence.zip")
        browser.close()
        served.stop()
        for name in ("certificate.jws", "evidence.zip"):
            served.sayso("audit", "verify", str(tmp_path / name))
