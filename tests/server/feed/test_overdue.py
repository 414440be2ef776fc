"""Who did not hear of the last no is listed, counted, and may be given no more."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from sayso.server.feed import office
from tests.builders.served import HOST
from tests.server.feed.conftest import Fed, fed_of
from tests.server.feed.receivers import Receiver, with_status
from tests.server.worlds import MANIFEST, a_world, until

EMAIL = "category: contact.email, purpose: marketing.email"
RULES = f"""
  - {{id: R012, role: marketing_sender, action: share, {EMAIL}, effect: allow, basis: consent}}
  - {{id: LATE, role: overdue, action: share, category: any, purpose: any, effect: deny}}
"""


@pytest_asyncio.fixture
async def strict(tmp_path: Path, database_url: str) -> AsyncIterator[Fed]:
    """An installation where a client is behind after a second, with a rule for those."""
    async with a_world(tmp_path, database_url, webhook_hosts=(HOST,), webhook_overdue=1) as world:
        fed = await fed_of(world)
        text = MANIFEST.read_text("utf-8")
        section = "rules:" + text.partition("\nrules:")[2].partition("\nsites:")[0] + RULES
        applied = await world.apply(section)
        assert applied.status_code == 200, applied.text
        yield fed


async def shared(fed: Fed, subject: str) -> tuple[bool, str]:
    body = {
        "subject": {"type": "service", "id": "mailer"},
        "action": {"name": "share"},
        "resource": {"type": "contact.email", "id": subject},
        "context": {"purpose": "marketing.email"},
    }
    answer = (await fed.mailer.post("/access/v1/evaluation", json=body)).json()
    return answer["decision"], answer["context"]["reason"]


async def test_a_client_that_is_behind_is_listed_and_given_no_more(
    strict: Fed, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(office, "_SURVEY", 0.3)
    fed = strict
    receiver.answer = with_status(500)
    subject = await fed.world.person()
    await fed.grant(subject)
    assert await shared(fed, subject) == (True, "permitted")
    made = await fed.subscribe(receiver.url)
    await fed.grant(subject)
    await receiver.count(1)

    async def until_it_is(decision: bool) -> str:
        async def it_is() -> str:
            found, reason = await shared(fed, subject)
            return reason if found == decision else ""

        return await until(it_is)

    assert await until_it_is(False) == "rule_denied"
    many = {"purpose": "marketing.email", "action": "share", "category": "contact.email", "subjects": [subject]}
    audience = (await fed.mailer.post("/v1/audiences/filter", json=many)).json()
    assert audience["counts"] == {"rule_denied": 1}
    overdue = (await fed.world.admin.get("/v1/webhooks/overdue")).json()["overdue"]
    assert [(each["client"], each["webhook"], each["waiting"]) for each in overdue] == [("mailer", made["id"], 1)]
    metrics = (await fed.world.admin.get("/metrics")).text
    assert "sayso_clients_overdue 1.0" in metrics
    receiver.answer = with_status(200)
    body = {"since": "2026-01-01T00:00:00Z", "status": "waiting"}
    assert (await fed.mailer.post(f"/v1/webhooks/{made['id']}/redeliveries", json=body)).json()["queued"] == 1
    assert await until_it_is(True) == "permitted"
    assert (await fed.world.admin.get("/v1/webhooks/overdue")).json() == {"overdue": []}


async def test_no_key_can_have_the_role(fed_lite: Fed) -> None:
    refused = await fed_lite.world.admin.post("/v1/keys", json={"name": "sly", "roles": ["overdue"]})
    assert refused.status_code == 400
    names = "{overdue: [], marketing_sender: [], support_agent: [], support_lead: [support_agent]}"
    declared = await fed_lite.world.apply(f"roles: {names}")
    assert declared.status_code == 400
