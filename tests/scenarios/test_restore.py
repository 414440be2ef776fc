"""docs/operations/backup.md, tried as it is written: a store is backed up, goes on, is lost and is put back."""

import json
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.builders.postgres import PostgresServer
from tests.builders.served import Served
from tests.scenarios.conftest import MANIFEST

PAGE = Path(__file__).parents[2] / "docs" / "operations" / "backup.md"
COMMANDS = [
    line
    for block in re.findall(r"^```\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]


class Shop:
    """A store in a folder, and what people say to it."""

    def __init__(self, folder: Path, database: str | None) -> None:
        self.folder = folder
        self.served = Served(folder, database)

    def run(self, command: str, *more: str, expect: int = 0, **places: Path) -> str:
        """A command of the page, with its words in capitals put in place."""
        assert command in COMMANDS, f"the page does not say: {command}"
        named = {"DATA": self.served.data, "BACKUP": self.folder / "backup", "TABLES": self.folder / "tables", **places}
        words = [str(named.get(word, word)) for word in shlex.split(command)[1:]]
        return self.served.sayso(*words, *more, expect=expect)

    def say(self, customer: str, status: str = "granted") -> str:
        body = {
            "subject": {"identifier": {"type": "customer_id", "value": customer}},
            "notice": "web",
            "notice_version": 1,
            "locale": "en",
            "choices": {"marketing.email": status},
            "method": "api",
        }
        with self.served.admin as admin:
            answer = admin.post("/v1/consents", json=body)
        assert answer.status_code == 201, answer.text
        subject: str = answer.json()["subject"]
        return subject

    def tell(self, path: str, body: Any) -> Any:
        with self.served.admin as admin:
            answer = admin.post(path, json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def store(self, subject: str) -> str:
        body = {"subject": subject, "collection": "customers", "fields": {"email": "bob@example.org"}}
        token: str = self.tell("/v1/vault/records", body)["tokens"]["email"]
        return token

    def erase(self, subject: str) -> None:
        request = self.tell("/v1/rights/requests", {"subject": subject, "kind": "erasure", "law": "gdpr"})["request"]
        self.tell(f"/v1/rights/requests/{request}/verify", {"method": "officer"})
        self.tell(f"/v1/rights/requests/{request}/fulfil", {})

    def may(self, mailer: str, subject: str) -> tuple[bool, str]:
        question = {
            "subject": {"type": "service", "id": "mailer"},
            "action": {"name": "use"},
            "resource": {"type": "contact.email", "id": subject},
            "context": {"purpose": "marketing.email"},
        }
        with self.served.client(mailer) as client:
            answer = client.post("/access/v1/evaluation", json=question).json()
        return answer["decision"], answer["context"]["reason"]

    def reveal(self, mailer: str, token: str) -> str | None:
        body = {"items": [{"token": token}], "purpose": "marketing.email", "reason": "news"}
        with self.served.client(mailer) as client:
            (shown,) = client.post("/v1/vault/reveal", json=body).json()["results"]
        value: str | None = shown.get("value")
        return value


def lose(shop: Shop) -> None:
    """The machine's disk with the data is gone. The key folder lay on another."""
    shop.served.stop()
    shutil.rmtree(shop.served.data)


@pytest.fixture(params=["sqlite", "postgres"])
def places(request: pytest.FixtureRequest) -> Callable[[str], str | None]:
    """A database of this name on the engine; None for the embedded one."""
    if request.param == "sqlite":
        return lambda _: None
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return lambda name: server.create(f"restored_{name}")


@pytest.mark.slow
def test_a_store_that_was_lost_comes_back_and_revives_nobody(
    places: Callable[[str], str | None], tmp_path: Path
) -> None:
    shop = Shop(tmp_path, places("before"))
    with shop.served as served:
        served.apply(MANIFEST)
        mailer = served.key("mailer", "marketing_sender")
        ada, bob, cid = (shop.say(name) for name in ("ada", "bob", "cid"))
        token = shop.store(bob)
        assert [shop.may(mailer, each) for each in (ada, bob, cid)] == [(True, "permitted")] * 3

        made = json.loads(shop.run("sayso backup --data DATA --out BACKUP --key-tables TABLES", "--json"))
        assert made["keys"].keys() == {"default"}
        data = (tmp_path / "backup" / "data.rows").read_bytes()
        assert not any(name.startswith("vault_key") for name in made["rows"])
        assert b"sayso-key-table" not in data

        shop.tell(f"/v1/subjects/{ada}/withdrawals", {"purposes": "all", "method": "api"})
        shop.erase(bob)
        with served.admin as admin:
            head = admin.get("/v1/audit/logs").json()["logs"][0]["size"]
        served.stop()
        served.at("audit", "export", "--out", str(tmp_path / "copy"))
        lose(shop)

        database = places("after")
        where = ["--database", database] if database else []
        restore = "sayso restore BACKUP --key-tables TABLES --data DATA --from COPY --json"
        # Without a word about the log, whose later heads the anchor knows, nothing is served.
        served.sayso(
            *("restore", str(tmp_path / "backup"), "--key-tables", str(tmp_path / "tables")),
            *("--data", str(served.data), *where),
            expect=1,
        )
        served.sayso("serve", "--data", str(served.data), expect=1)
        done = json.loads(shop.run(restore, *where, COPY=tmp_path / "copy"))
        brand = done["brands"]["default"]
        assert (brand["erased"], brand["doubted"]["extent"], brand["doubted"]["people"]) == (1, "touched", 1)
        assert brand["doubted"]["lost"]["consent.choice.withdrawn"] == 1
        assert brand["logs"]["default.main"] > head
        assert "start" in shop.run("sayso doctor --data DATA")
        shop.run(restore, *where, expect=1, COPY=tmp_path / "copy")

        served.start()
        assert shop.may(mailer, ada) == (False, "stale_notice")
        assert shop.may(mailer, bob) == (False, "no_subject")
        assert shop.may(mailer, cid) == (True, "permitted")
        assert shop.reveal(mailer, token) is None
        with served.admin as admin:
            facts = admin.get(f"/v1/subjects/{ada}/facts").json()
            assert facts["unsure_at"] is not None
            state = admin.get(f"/v1/subjects/{ada}/consents").json()
            assert state["purposes"]["marketing.email"]["status"] == "stale"
        # Whoever says yes again is asked no more; what the world had seen of the log is in it.
        shop.say("ada")
        assert shop.may(mailer, ada) == (True, "permitted")
        served.at("audit", "export", "--out", str(tmp_path / "copy"))
        served.sayso("audit", "verify", str(tmp_path / "copy"))


@pytest.mark.slow
def test_without_a_copy_everybody_is_in_doubt_and_a_store_moves_to_another_database(
    postgres_server: PostgresServer, tmp_path: Path
) -> None:
    shop = Shop(tmp_path, None)
    served = shop.served
    served.lay()
    served.apply(MANIFEST)
    mailer = served.key("mailer", "marketing_sender")
    served.start()
    ada = shop.say("ada")
    served.stop()
    upgraded = json.loads(shop.run("sayso upgrade --data DATA --json"))
    assert upgraded["before"] == upgraded["after"]
    moved = tmp_path / "moved"
    shop.run(
        "sayso backup --data DATA --out MOVED --key-tables MOVED.keys",
        **{"MOVED": moved, "MOVED.keys": tmp_path / "moved.keys"},
    )
    command = "sayso restore MOVED --key-tables MOVED.keys --data NEW --keys DATA.keys --complete"
    new = tmp_path / "new"
    places = {"MOVED": moved, "MOVED.keys": tmp_path / "moved.keys", "NEW": new, "DATA.keys": tmp_path / "data.keys"}
    told = shop.run(command, "--database", postgres_server.create("moved"), **places)
    assert "every grant stands" in told
    served.data, old = new, served.data
    served._command[2] = str(new)
    served.start()
    assert shop.may(mailer, ada) == (True, "permitted")
    shop.tell(f"/v1/subjects/{ada}/withdrawals", {"purposes": "all", "method": "api"})
    served.stop()

    # Then that database is lost, and of the log there is no copy.
    shutil.rmtree(old)
    shutil.rmtree(new)
    for name in ("anchor", "erased", "epochs.keys", "root.key"):
        assert (tmp_path / "data.keys" / name).exists() or name == "erased"
    words = ("restore", str(moved), "--key-tables", str(tmp_path / "moved.keys"), "--data", str(old))
    served.sayso(*words, expect=1)
    told = served.sayso(*words, "--new-epoch")
    assert "the grants of all 1 people are stale" in told
    served.data = old
    served._command[2] = str(old)
    served.start()
    assert shop.may(mailer, ada) == (False, "stale_notice")
    shop.say("ada")
    assert shop.may(mailer, ada) == (True, "permitted")
    served.stop()


def test_every_command_of_the_page_is_tried() -> None:
    tried = Path(__file__).read_text("utf-8")
    # `sayso serve --data DATA` is what `Served` starts.
    assert [command for command in COMMANDS if command not in tried] == []
