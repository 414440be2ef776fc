"""The page that verifies in a browser: it agrees with the Python file on every damaged input, and asks no network."""

import importlib.util
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from audit import offline, verify
from audit.trust import print_trust
from tests.audit.bundles import (
    KEYS,
    SIGNER_KEY,
    damages,
    of_several,
    signed,
    signed_of_several,
    some_files,
    zipped,
)
from tests.audit.directories import KEY
from tests.audit.test_verify import RECEIPT, RECEIPT_KEY, SYSTEMS_CHANGED, a_certificate, a_jws, a_proof, with_systems

pytestmark = pytest.mark.browser

PAGE = Path(offline.__file__).with_name("verify.html")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    page = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(PAGE.as_uri())
    yield page
    assert set(asked) == {PAGE.as_uri()}
    assert complaints == []
    context.close()


def judged(page: Page, file: Path, trust: Path | None = None) -> tuple[int, int | None, str]:
    page.reload() if page.locator("#verdict").inner_text() else None
    if trust is not None:
        page.set_input_files("#trust", trust)
    page.set_input_files("#file", file)
    shown = page.locator("#verdict[data-code]")
    shown.wait_for()
    index = shown.get_attribute("data-index")
    return int(shown.get_attribute("data-code") or "9"), int(index) if index else None, shown.inner_text()


def test_it_agrees_with_the_file_on_bundles(page: Page, tmp_path: Path) -> None:
    trust = tmp_path / "trust.json"
    trust.write_bytes(print_trust(KEYS, [SIGNER_KEY]))
    for number, (name, (files, code, index)) in enumerate(damages().items()):
        bundle = zipped(files, tmp_path / f"{number}.zip")
        found = judged(page, bundle, trust)
        assert found[:2] == (code, index), (name, found)
        assert found[2].splitlines()[-1].split(":")[0] == verify(bundle, trust).lines[-1].split(":")[0], name


def test_it_agrees_with_the_file_on_receipts_certificates_and_proofs(page: Page, tmp_path: Path) -> None:
    trust = tmp_path / "trust.json"
    trust.write_bytes(print_trust([KEY], [RECEIPT_KEY]))
    proof = a_proof().print().decode()
    draw = random.Random(3)
    contents = [
        RECEIPT,
        f"{RECEIPT}\n{proof}",
        proof,
        a_certificate(),
        a_certificate(certificate={"gone": ["more"], "stage": "shredded"}),
        with_systems(),
        *(with_systems(**changes) for changes in SYSTEMS_CHANGED),
        f"{RECEIPT}\n{a_proof(42).print().decode()}",
        a_jws({"receipt": {}}, alg="none"),
        RECEIPT[:-1],
        "hello",
        "{}",
        "",
    ]
    for text in (RECEIPT, proof):
        for at in draw.sample(range(30, len(text)), 10):
            contents.append(text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :])
    for number, content in enumerate(contents):
        file = tmp_path / f"{number}"
        file.write_text(content, newline="")
        expected = verify(file, trust)
        assert judged(page, file, trust)[:2] == (expected.code, expected.index), (content, expected.report)


def test_without_trusted_keys_it_says_so_first(page: Page, tmp_path: Path) -> None:
    code, _, report = judged(page, zipped(signed(some_files()), tmp_path / "bundle.zip"))
    assert code == 0
    assert report.startswith("KEY NOT CHECKED")


def test_it_tells_of_several_logs_what_the_file_tells(page: Page, tmp_path: Path) -> None:
    bundle = zipped(signed_of_several(of_several()), tmp_path / "bundle.zip")
    assert judged(page, bundle)[2].splitlines()[1:] == list(verify(bundle).lines[1:])


def test_what_was_read_is_told_by_number_where_it_does_not_print(page: Page, tmp_path: Path) -> None:
    files = signed(some_files(), export="exp_\x1b\u202eDNUOS\nSOUND")
    bundle = zipped(files, tmp_path / "bundle.zip")
    code, _, report = judged(page, bundle)
    assert code == 0
    assert "exp_\\u{1b}\\u{202e}DNUOS\\u{a}SOUND" in report
    assert report.splitlines()[1:] == list(verify(bundle).lines[1:])


def test_a_zip_that_claims_or_holds_more_than_a_page_can_is_refused(page: Page, tmp_path: Path) -> None:
    bomb = zipped({**signed(some_files()), "bomb": bytes(40 << 20)}, tmp_path / "bomb.zip")
    raw = bytearray(bomb.read_bytes())
    place = raw.rindex(b"PK\1\2")
    for stated, told in ((1_000, "bomb is damaged"), (600 << 20, "more than this page can hold")):
        raw[place + 24 : place + 28] = stated.to_bytes(4, "little")
        bomb.write_bytes(raw)
        assert told in judged(page, bomb)[2]


def test_it_may_not_ask_the_network(browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(PAGE.as_uri())
    refused = """async () => {
        const blocked = new Promise((done) => {
            document.addEventListener("securitypolicyviolation", (event) => done(event.effectiveDirective));
        });
        fetch("https://example.com/").catch(() => {});
        return await blocked;
    }"""
    assert page.evaluate(refused) == "connect-src"
    context.close()


def test_its_policy_names_the_hashes_of_its_own_script_and_style() -> None:
    source = Path(__file__).parents[2] / "web" / "pin_verifier.py"
    loaded = importlib.util.spec_from_file_location("pin_verifier", source)
    assert loaded is not None
    assert loaded.loader is not None
    module = importlib.util.module_from_spec(loaded)
    loaded.loader.exec_module(module)
    assert module.pinned(PAGE.read_text("utf-8")) == PAGE.read_text("utf-8")
