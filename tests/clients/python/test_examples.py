"""The examples, each as a program of its own against a real server, and the blocking client that they are made of."""

import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import httpx
import pytest
from sayso_client import AsyncSayso, Identifier, RecordConsent, Relation, Sayso, Tell

from tests.builders.served import Served, free_port
from tests.clients.python.conftest import EXAMPLES
from tests.source import ROOT

PEOPLE = ("c-1", "c-2", "c-3")


@pytest.fixture(scope="module")
def admin(served: Served) -> Iterator[Sayso]:
    with Sayso(served.url(""), served.admin_key, name="admin", timeout=30, decide_within=30) as say:
        yield say


@pytest.fixture
def people(admin: Sayso) -> dict[str, str]:
    """Customers as each test finds them: everybody said yes to letters, and set no limit."""
    found = {}
    for number in PEOPLE:
        subject = found[number] = admin.resolve(Identifier("customer_id", number), create=True).subject
        yes = {"marketing.email": "granted"}
        admin.record(RecordConsent(subject=subject, notice="web", notice_version=1, locale="en", choices=yes))
        admin.tell(subject, Tell(values={"frequency": None}))
    return found


def run(served: Served, key: str, name: str, *arguments: str, url: str | None = None) -> str:
    """What an example prints."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        env={**os.environ, "SAYSO_URL": url or served.url(""), "SAYSO_KEY": key},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_crm_shows_each_field_as_far_as_it_may_be_seen(
    served: Served, admin: Sayso, people: dict[str, str]
) -> None:
    for number in ("c-1", "c-3"):
        admin.relate(people[number], "shop", Relation("contract", ("support",)))
    admin.withdraw(people["c-1"], ["marketing.email"])
    assert run(served, served.key("crm", "crm_user"), "crm.py").splitlines() == [
        "c-1 name: Ada  phone: ****0011  birthday: 1984",
        "c-2 name: (no_relation)  phone: (no_relation)  birthday: (no_relation)",
        "c-3 name: Cai  phone: ****0033  birthday: 1977",
        "may be written to: Bo, Cai",
    ]


@pytest.fixture
def letters(admin: Sayso, people: dict[str, str]) -> list[dict[str, str]]:
    found = []
    for number, name in zip(PEOPLE, ("ada", "gone", "cai"), strict=True):
        token = admin.store(people[number], "customers", {"email": f"{name}@example.org"}).tokens["email"]
        found.append({"customer": number, "token": token})
    return found


def test_the_mailer_sends_to_whom_it_may_and_gives_back_what_bounced(
    served: Served, admin: Sayso, people: dict[str, str], letters: list[dict[str, str]], tmp_path: Path
) -> None:
    for subject in people.values():
        admin.tell(subject, Tell(values={"frequency": {"email": {"most": 1, "per": "week"}}}))
    file = tmp_path / "letters.json"
    file.write_text(json.dumps(letters))
    key = served.key("mailer", "newsletter")
    first = run(served, key, "mailer.py", str(file))
    assert first.splitlines() == ["asked: 3 permitted", "c-1 sent", "c-2 not sent", "c-3 sent", "given back: 1"]
    # Who had a letter has had theirs of the week; whose letter bounced has not.
    again = run(served, key, "mailer.py", str(file))
    assert again.splitlines() == ["asked: 2 later, 1 permitted", "c-2 not sent", "given back: 1"]
    assert "@" not in first + again


async def test_the_mailer_drops_whoever_leaves_while_it_sends(
    served: Served,
    admin: Sayso,
    people: dict[str, str],
    letters: list[dict[str, str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    sent = []

    async def send(address: str) -> bool:
        sent.append(address)
        admin.withdraw(people["c-3"])
        return True

    key = served.key("mailer-2", "newsletter")
    async with AsyncSayso(served.url(""), key, name="mailer-2", timeout=30) as say:
        await example("mailer").campaign(say, letters, send)
    assert sent == ["ada@example.org", "gone@example.org"]
    assert capsys.readouterr().out.splitlines()[-1] == "given back: 0", "nobody had set a limit"


def test_the_call_centre_opens_a_number_for_a_case_and_tells_the_watch(
    served: Served, admin: Sayso, people: dict[str, str]
) -> None:
    subject, port = people["c-2"], str(free_port())
    token = admin.store(subject, "customers", {"phone": "+44 1632 960022"}).tokens["phone"]
    environment = {**os.environ, "SAYSO_URL": served.url(""), "SAYSO_KEY": served.key("desk", "care_agent")}
    desk = subprocess.Popen([sys.executable, str(EXAMPLES / "call_centre.py"), port], env=environment)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as screen:
            for _ in range(600):
                try:
                    screen.get("/watch")
                    break
                except httpx.TransportError:
                    time.sleep(0.05)
            address, case = f"/people/{subject}/phone/{token}", {"case": "case-17"}
            assert screen.get(address).json()["reason"] == "no_relation"
            assert screen.get(address, params=case).status_code == 403
            admin.relate(subject, "case-17", Relation("case", ("support",)))
            assert screen.get(address, params=case).json()["phone"] == "+44 1632 960022"
            assert screen.get("/watch").json() == ["reveal contact.phone for case-17"]
            other = screen.get(f"/people/{people['c-1']}/phone/{token}", params=case)
            assert other.json()["reason"] == "no_relation", "the case is another person's"
    finally:
        desk.terminate()
        assert desk.wait(30) in (0, -15)


def test_the_till_shows_one_field_for_one_purpose_and_nothing_offline(
    served: Served, admin: Sayso, people: dict[str, str]
) -> None:
    subject, key = people["c-2"], served.key("till", "till")
    stored = admin.store(subject, "customers", {"card": "55512345678", "email": "bo@example.org"}).tokens
    no_points = "No points: please show your card.\n"
    assert run(served, key, "till.py", stored["card"]) == no_points
    admin.relate(subject, "membership", Relation("contract", ("checkout",)))
    assert run(served, key, "till.py", stored["card"]) == "Points go to the card ****5678.\n"
    assert run(served, key, "till.py", stored["email"]) == no_points
    assert run(served, key, "till.py", stored["card"], url=f"http://127.0.0.1:{free_port()}") == no_points


def test_the_guide_names_every_example() -> None:
    guide = (ROOT / "docs" / "guides" / "python-client.md").read_text("utf-8")
    for path in sorted(EXAMPLES.glob("*.py")):
        assert f"clients/python/examples/{path.name}" in guide
