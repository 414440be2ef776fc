"""Rules tested, compared and simulated over HTTP, and the tests that guard what goes live."""

from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest

from policies.comparing import simulation
from sayso.server.manifests import simulating
from tests.server.worlds import MANIFEST, World

ASKED = {"action": "use", "category": "contact.email", "purpose": "marketing.email"}
SUITE = """policy_tests:
  - id: news-to-a-subscriber
    ask: {role: marketing_sender, action: use, category: contact.email, purpose: marketing.email}
    person: {grants: [marketing.email]}
    expect: permitted
"""
ROW = "use,marketing_sender,contact.email,marketing.email,permit\n"
HEADER = "action,role,category,purpose,expect\n"


def live_rules(change: Callable[[str], str] = lambda text: text) -> str:
    """The rules and roles of the live manifest, changed."""
    text = MANIFEST.read_text("utf-8")
    return change(text[text.index("rules:\n") : text.index("sites:\n")])


def without_r010(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if "id: R010" not in line)


def file(name: str, content: str) -> list[dict[str, str]]:
    return [{"name": name, "content": content}]


async def post(world: World, path: str, **body: Any) -> dict[str, Any]:
    answer = await world.admin.post(path, json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_tests_run_against_the_live_rules_and_against_a_draft(world: World) -> None:
    await world.smallest()
    rows = file("t.csv", HEADER + ROW)
    assert (await post(world, "/v1/policy/test", files=rows))["failed"] == []
    draft = file("draft.yaml", live_rules(without_r010))
    (failed,) = (await post(world, "/v1/policy/test", files=rows, draft=draft))["failed"]
    assert (failed["file"], failed["line"], failed["got"]) == ("t.csv", 2, "deny by none")
    covered = await post(world, "/v1/policy/test", files=rows, coverage=True)
    assert [rule["rule"] for rule in covered["rules"] if rule["covered"]] == ["R010"]
    assert covered["percent"] == 25
    assert (await post(world, "/v1/policy/test", files=rows))["failed"] == []


async def test_tests_beside_the_rules_guard_what_goes_live(world: World) -> None:
    await world.smallest()
    assert (await world.apply(SUITE)).status_code == 200
    assert (await post(world, "/v1/policy/test"))["tests"] == 1
    refused = await world.apply(live_rules(without_r010), prune=True)
    assert refused.status_code == 400, refused.text
    (problem,) = refused.json()["problems"]
    assert problem["file"] == "(live)"
    assert "'news-to-a-subscriber' fails: expected permit, got deny (no_rule)" in problem["message"]
    unreadable = await world.apply(SUITE.replace("marketing_sender", "marketing_sendr"))
    assert unreadable.json()["problems"][0]["nearest"] == "marketing_sender"
    both = live_rules(without_r010) + SUITE.replace("expect: permitted", "expect: no_rule")
    assert (await world.apply(both, prune=True)).status_code == 200


async def test_what_cannot_be_read_is_refused_and_only_officers_and_auditors_may_ask(world: World) -> None:
    await world.smallest()
    service = await world.key("crm", "marketing_sender")
    rows = file("t.csv", HEADER + ROW)
    wrong: list[tuple[str, dict[str, Any], str]] = [
        ("test", {"files": []}, "no-tests"),
        ("test", {"files": file("t.csv", HEADER + ROW.replace("permit", "maybe"))}, "manifest-refused"),
        ("test", {"files": rows, "draft": file("d.yaml", "rules: [")}, "manifest-refused"),
        ("simulate", {"draft": [], "since": "yesterday"}, "invalid-time"),
        ("simulate", {"draft": [], "since": "P1Y"}, "invalid-time"),
        ("simulate", {"draft": [], "since": "2999-01-01T00:00:00Z"}, "invalid-time"),
        ("diff", {"old": {"version": 1, "files": rows}}, "one-side"),
        ("diff", {"old": {"version": 9}}, "not-found"),
    ]
    for path, body, slug in wrong:
        answer = await world.admin.post(f"/v1/policy/{path}", json=body)
        assert answer.json()["type"].partition("#")[2] == slug, body
        assert answer.status_code == (404 if slug == "not-found" else 400)
        assert (await world.nobody.post(f"/v1/policy/{path}", json=body)).status_code == 401
        assert (await service.post(f"/v1/policy/{path}", json=body)).status_code == 403


async def test_versions_and_files_are_compared(world: World) -> None:
    await world.smallest()
    assert (await world.apply(live_rules(without_r010), prune=True)).status_code == 200
    (group,) = (await post(world, "/v1/policy/diff", old={"version": 1}))["groups"]
    assert (group["change"], group["rules_before"]) == ("denied", ["R010"])
    draft = {"files": file("draft.yaml", live_rules())}
    (back,) = (await post(world, "/v1/policy/diff", new=draft))["groups"]
    assert (back["change"], back["roles"]["names"]) == ("permitted", ["marketing_sender"])
    assert (await post(world, "/v1/policy/diff"))["groups"] == []


async def decided(world: World) -> dict[str, str]:
    """Decisions of three clients about two people; returns an entry of each kind."""
    await world.smallest()
    mailer, agent = await world.key("mailer", "marketing_sender"), await world.key("agent", "support_agent")
    yes, never = await world.person("c-1"), await world.person("c-2")
    assert (await world.choose(yes)).status_code == 201

    async def ask(client: Any, subject: str, name: str) -> str:
        body = {
            "subject": {"type": "service", "id": name},
            "action": {"name": "use"},
            "resource": {"type": "contact.email", "id": subject},
            "context": {"purpose": "marketing.email"},
        }
        answer = await client.post("/access/v1/evaluation", json=body)
        assert answer.status_code == 200, answer.text
        entry: str = answer.json()["context"]["entry"]
        return entry

    entries = {
        "permitted": await ask(mailer, yes, "mailer"),
        "denied": await ask(mailer, never, "mailer"),
        "no_rule": await ask(agent, yes, "agent"),
    }
    listed = {"purpose": "marketing.email", "action": "use", "category": "contact.email", "subjects": [yes, never]}
    assert (await mailer.post("/v1/audiences/filter", json=listed)).status_code == 200
    await world.services.settle()
    return entries


async def test_a_draft_is_weighed_by_what_was_decided(world: World) -> None:
    entries = await decided(world)
    draft = file("draft.yaml", live_rules(without_r010))
    found = await post(world, "/v1/policy/simulate", draft=draft)
    result = found["result"]
    assert (result["decisions"], result["entries"], found["complete"]) == (5, 4, True)
    assert (result["denied"], result["permitted"], result["undetermined"], result["same"]) == (2, 0, 0, 3)
    (group,) = result["groups"]
    assert (group["client"], group["verdict"], group["decisions"]) == ("mailer", "denied", 2)
    assert entries["permitted"] in group["examples"]
    entry = (await world.admin.get(f"/v1/audit/entries/{found['entry']}")).json()
    assert (entry["type"], entry["res"]["denied"]) == ("server.rules.simulated", "2")
    # What turns on a person is undetermined, and no person is opened.
    wider = live_rules(lambda text: text.replace("id: R010, role: marketing_sender", "id: R010, role: any"))
    result = (await post(world, "/v1/policy/simulate", draft=file("draft.yaml", wider)))["result"]
    assert (result["undetermined"], result["missing"]) == (1, {"consent": 1})
    (group,) = result["groups"]
    assert (group["client"], group["examples"]) == ("agent", [entries["no_rule"]])
    assert "sub_" not in str(result)


async def test_older_rules_are_those_that_answered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await decided(world)
    assert (await world.apply(live_rules(without_r010), prune=True)).status_code == 200
    live = await post(world, "/v1/policy/simulate", draft=[])
    assert (live["result"]["denied"], live["result"]["same"]) == (2, 3)
    back = await post(world, "/v1/policy/simulate", draft=file("draft.yaml", live_rules()))
    assert (back["result"]["same"], back["result"]["denied"]) == (5, 0)
    # A bounded one says what it left out.
    with monkeypatch.context() as patched:
        patched.setattr(simulating, "PAGE", 1)
        patched.setattr(simulating, "MOST_ENTRIES", 2)
        found = await post(world, "/v1/policy/simulate", draft=[])
        assert (found["complete"], found["result"]["entries"]) == (False, 2)
    monkeypatch.setattr(simulation, "MOST_ANSWERS", 1)
    few = (await post(world, "/v1/policy/simulate", draft=[]))["result"]
    assert few["not_replayed"] > 0
    assert few["not_replayed"] + few["same"] + few["denied"] == few["decisions"] == 5


def test_the_retailers_rules_lie_in_the_package() -> None:
    assert {each.name for each in files("policies").joinpath("retailer").iterdir()} == {
        "retailer.yaml",
        "tests.csv",
        "tests.yaml",
    }
