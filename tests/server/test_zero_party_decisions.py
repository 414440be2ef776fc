"""What wishes about being reached mean for a decision: channels, quiet hours, a pause."""

from typing import Any

from freezegun import freeze_time

from tests.server.questionnaire import NIGHT, prefer
from tests.server.worlds import World


async def ask(world: World, subject: str, purpose: str = "marketing.email", **context: Any) -> dict[str, Any]:
    body = {
        "subject": {"type": "service", "id": "mailer"},
        "action": {"name": "use"},
        "resource": {"type": "contact.email", "id": subject},
        "context": {"purpose": purpose, **context},
    }
    pep = await world.key(f"pep{id(body)}", "pep")
    answer = await pep.post("/access/v1/evaluation", json=body)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_a_channel_that_is_off_denies_and_service_messages_go_on(tea: World) -> None:
    subject = await tea.person()
    await tea.key("mailer", "sender")
    await tea.choose(subject)
    await tea.admin.put(f"/v1/subjects/{subject}/relations/o-1", json={"kind": "contract"})
    assert (await ask(tea, subject, channel="email"))["decision"] is True
    await prefer(tea, subject, {"channels": {"email": False}})
    denied = await ask(tea, subject, channel="email")
    assert (denied["decision"], denied["context"]["reason"]) == (False, "channel")
    assert (await ask(tea, subject, channel="sms"))["decision"] is True
    assert (await ask(tea, subject))["decision"] is True, "who names no channel reaches nobody by it"
    assert (await ask(tea, subject, "orders", channel="email"))["decision"] is True
    await prefer(tea, subject, {"channels": {"email": {"marketing.email": True}}})
    assert (await ask(tea, subject, channel="email"))["decision"] is True


async def test_a_channel_that_the_purpose_does_not_use_denies(tea: World) -> None:
    subject = await tea.person()
    await tea.key("mailer", "sender")
    await tea.choose(subject)
    assert (await ask(tea, subject, channel="post"))["context"]["reason"] == "channel"
    unknown = await ask(tea, subject, channel="e-mail")
    assert (unknown["context"]["reason"], unknown["context"]["nearest"]) == ("unknown_name", "email")


async def test_in_quiet_hours_and_pauses_the_answer_is_later(tea: World) -> None:
    subject = await tea.person()
    await tea.key("mailer", "sender")
    await tea.choose(subject)
    await prefer(tea, subject, {"quiet_hours": NIGHT})
    with freeze_time("2027-01-10T22:00:00Z", real_asyncio=True):
        night = await ask(tea, subject, channel="email")
        assert night["context"]["reason"] == "later"
        assert night["context"]["retry_after"] == "2027-01-11T08:00:00.000000Z"
        assert (await ask(tea, subject))["decision"] is True
    with freeze_time("2027-01-11T08:00:00Z", real_asyncio=True):
        assert (await ask(tea, subject, channel="email"))["decision"] is True
        await prefer(tea, subject, {"pause_until": "2027-03-28T03:00:00Z"})
        paused = await ask(tea, subject, channel="email")
        # The pause ends in the night, in which summer time began: eight o'clock is seven by then.
        assert paused["context"]["retry_after"] == "2027-03-28T07:00:00.000000Z"


async def test_a_refusal_is_told_before_a_channel(tea: World) -> None:
    subject = await tea.person()
    await tea.key("mailer", "sender")
    await prefer(tea, subject, {"channels": {"email": True}})
    assert (await ask(tea, subject, channel="email"))["context"]["reason"] == "no_consent"
