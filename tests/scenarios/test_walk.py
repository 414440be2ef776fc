"""One click, end to end: a visitor in a real browser, the brand's services over HTTP, an outsider with the log."""

import asyncio
import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import asyncpg
import httpx
import pytest
from playwright.sync_api import Page, Response, expect, sync_playwright

from tests.builders.served import HOST, Served
from tests.faces.conftest import FLAGS
from tests.server.worlds import SUBJECT

pytestmark = pytest.mark.browser

EMAIL = "mei.lindqvist@example.net"


class Demo(Served):
    """`sayso demo`, served; with the keys of the brand's services."""

    def __enter__(self) -> Self:
        self._command = ["demo", "--data", str(self.data), "--host", HOST, "--port", str(self.port), *self._database]
        self.start()
        keys = json.loads((self.folder / "data.keys" / "demo-keys.json").read_text())
        self.admin_key = keys["admin"]
        self.keys: dict[str, str] = keys
        return self


@pytest.fixture(params=["sqlite", "postgres"])
def demo(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Demo]:
    database = request.getfixturevalue("postgres_url") if request.param == "postgres" else None
    with Demo(tmp_path, database) as demo:
        yield demo


@pytest.fixture
def page(chromium: str, demo: Demo) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        context = browser.new_context(locale="en", viewport={"width": 1280, "height": 800})
        yield context.new_page()
        browser.close()


class Services:
    """What the brand's services see."""

    def __init__(self, demo: Demo, stack: ExitStack) -> None:
        self.demo = demo
        self.officer = stack.enter_context(demo.admin)
        self.shop = stack.enter_context(demo.client(demo.keys["shop"]))
        self.mailer = stack.enter_context(demo.client(demo.keys["mailer"]))

    def resolve(self, device: str) -> httpx.Response:
        body = {"identifier": {"type": "device", "value": device}, "create": False}
        return self.officer.post("/v1/subjects/resolve", json=body)

    def may_write_to(self, subject: str) -> tuple[bool, str]:
        body = {
            "subject": {"type": "service", "id": "mailer"},
            "action": {"name": "use"},
            "resource": {"type": "contact.email", "id": subject},
            "context": {"purpose": "marketing.email"},
        }
        answer = self.mailer.post("/access/v1/evaluation", json=body).json()
        return answer["decision"], answer["context"]["reason"]

    def store(self, subject: str) -> str:
        body = {"subject": subject, "collection": "customers", "fields": {"email": EMAIL}}
        answer = self.shop.post("/v1/vault/records", json=body)
        assert answer.status_code == 201, answer.text
        token: str = answer.json()["tokens"]["email"]
        return token

    def reveal(self, token: str) -> dict[str, Any]:
        body = {"items": [{"token": token}], "purpose": "marketing.email", "reason": "the monthly letter"}
        (result,) = self.mailer.post("/v1/vault/reveal", json=body).json()["results"]
        result.pop("entry")
        return result  # type: ignore[no-any-return]


@pytest.fixture
def services(demo: Demo) -> Iterator[Services]:
    with ExitStack() as stack:
        yield Services(demo, stack)


def test_one_click_end_to_end(services: Services, demo: Demo, page: Page, oracle: Path, tmp_path: Path) -> None:
    nobody = "sub_" + "0" * 32

    # The visitor refuses everything: nobody is known, nothing is kept.
    device = click(page, demo, "Refuse all")
    assert services.resolve(device).status_code == 404
    assert services.may_write_to(nobody) == (False, "no_subject")

    # The visitor thinks again and wants the letter.
    page.get_by_role("button", name="Your data choices").click()
    page.get_by_role("checkbox", name="News by e-mail", exact=True).check()
    device = submitted(page, lambda: page.get_by_role("button", name="Save my choice").click())
    subject = services.resolve(device).json()["subject"]
    token = services.store(subject)
    assert services.may_write_to(subject) == (True, "permitted")
    assert services.reveal(token) == {"value": EMAIL}

    # The same person sees the choice, checks its proof in the browser, and withdraws.
    open_preferences(page, demo)
    page.get_by_role("link", name="History", exact=True).click()
    page.get_by_text("Proof", exact=True).first.click()
    page.get_by_role("button", name="Verify").first.click()
    expect(page.get_by_text("Verified on this device").first).to_be_visible()
    page.get_by_role("link", name="Choices", exact=True).click()
    with page.expect_navigation():
        page.get_by_role("button", name="Withdraw everything").click()
    assert services.may_write_to(subject) == (False, "withdrawn")
    assert services.reveal(token) == {"code": "unresolvable"}

    # The person asks to be erased; an officer fulfils it.
    page.get_by_role("link", name="My data", exact=True).click()
    page.get_by_text("I want my data erased").click()
    page.get_by_label("Type the word “erase” to confirm").fill("erase")
    with page.expect_navigation():
        page.get_by_role("button", name="Erase my data").click()
    opened = demo.entries(type="rights.*", limit=200)
    request = services.officer.post(
        "/v1/rights/requests", json={"subject": subject, "kind": "erasure", "law": "gdpr"}
    ).json()
    assert request["related"], opened
    asked = request["related"] if isinstance(request["related"], str) else request["related"][0]
    steps = f"/v1/rights/requests/{asked}"
    assert services.officer.post(f"{steps}/verify", json={"method": "officer"}).status_code in (200, 409)
    fulfilled = services.officer.post(f"{steps}/fulfil", json={})
    assert (fulfilled.status_code, fulfilled.json()["status"]) == (200, "fulfilled"), fulfilled.text
    assert services.reveal(token) == {"code": "unresolvable"}
    assert services.may_write_to(subject) == (False, "no_subject")
    assert services.resolve(device).status_code == 404

    # An outsider verifies: the log, with two implementations, and the certificate.
    certificate = tmp_path / "certificate.jws"
    certificate.write_bytes(services.officer.get(f"{steps}/certificate").content)
    metrics = services.officer.get("/metrics").text
    export = tmp_path / "export"
    demo.at("audit", "export", "--out", str(export))
    demo.sayso("audit", "verify", str(export))
    demo.sayso("audit", "verify", str(certificate))
    answer = subprocess.run([oracle, export], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr

    # Nothing clear of the person lies anywhere.
    page.context.browser.close()  # type: ignore[union-attr]
    demo.stop()
    words = [EMAIL.encode(), b"mei.lindqvist", device.encode()]
    held = [path for folder in (demo.data, export) for path in folder.rglob("*") if path.is_file()]
    for path in [*held, demo.log, certificate]:
        content = path.read_bytes()
        assert not [word for word in words if word in content], path
    assert EMAIL not in metrics
    if demo._database:
        dumped = dump(demo._database[1])
        assert not [word for word in words if word in dumped or word.hex().encode() in dumped]


def click(page: Page, demo: Demo, name: str) -> str:
    """Open the shop and press a button of the banner; the device that was sent."""
    page.goto(demo.url("/demo/"))
    return submitted(page, lambda: page.get_by_role("button", name=name).click())


def submitted(page: Page, act: Any) -> str:
    """Do `act`, wait for the choice that it sends to be taken, and return its device."""

    def taken(response: Response) -> bool:
        # A token is used once: the banner fetches a new one when it is told so, and sends the choice again.
        return response.url.endswith("/choices") and response.request.method == "POST" and response.status == 201

    with page.expect_response(taken) as sent:
        act()
    response = sent.value
    assert not SUBJECT.search(response.text())
    device: str = response.request.post_data_json["device"]
    return device


def open_preferences(page: Page, demo: Demo) -> None:
    """From the shop to the preference page, by its one-time link."""
    page.goto(demo.url("/demo/"))
    page.get_by_role("button", name="My preference page").click()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/p/you")


def dump(url: str) -> bytes:
    """Every row of the database as text: bytes are in hex."""

    async def rows() -> bytes:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        parts = [await connection.fetch(f'SELECT t::text FROM "{table[0]}" t') for table in tables]
        await connection.close()
        return "\n".join(row[0] for part in parts for row in part).encode()

    # The browser's driver keeps an event loop in this thread.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(rows())).result()
