"""Who may change what was told: a weaker word, an import, a late one."""

from typing import Any

import pytest
from freezegun import freeze_time

from tests.server.questionnaire import MANIFEST, NIGHT, prefer, preferences
from tests.server.worlds import World


@pytest.mark.parametrize(
    ("said", "loosened"),
    [
        ({"channels": {"sms": False}}, {"channels": {"sms": True}}),
        ({"channels": {"sms": False}}, {"channels": {"sms": None}}),
        ({"channels": {"sms": False}}, {"channels": {"sms": {"marketing.email": True}}}),
        ({"channels": {"email": {"marketing.email": False}}}, {"channels": {"email": True}}),
        ({"frequency": {"email": {"most": 1, "per": "week"}}}, {"frequency": {"email": {"most": 1, "per": "day"}}}),
        ({"frequency": {"email": {"most": 1, "per": "week"}}}, {"frequency": {"email": None}}),
        ({"quiet_hours": NIGHT}, {"quiet_hours": {**NIGHT, "from": "22:00"}}),
        ({"quiet_hours": NIGHT}, {"quiet_hours": {**NIGHT, "zone": "Europe/Paris"}}),
        ({"quiet_hours": NIGHT}, {"quiet_hours": None}),
        ({"pause_until": "2999-01-01T00:00:00Z"}, {"pause_until": "2998-01-01T00:00:00Z"}),
        ({"pause_until": "2999-01-01T00:00:00Z"}, {"pause_until": None}),
    ],
)
async def test_a_weaker_word_never_loosens_a_stronger_one(lite: World, said: Any, loosened: Any) -> None:
    await lite.apply(MANIFEST)
    subject = await lite.person()
    await prefer(lite, subject, said)
    before = (await preferences(lite, subject))["values"]
    weak = await prefer(lite, subject, loosened, assurance="link")
    assert weak.status_code == 200
    assert list(weak.json()["ignored"].values()) == ["weaker"]
    assert (await preferences(lite, subject))["values"] == before
    strong = await prefer(lite, subject, loosened, assurance="code")
    assert "ignored" in strong.json()
    assert "ignored" not in (await prefer(lite, subject, loosened)).json()
    assert (await preferences(lite, subject))["values"] != before


async def test_a_weaker_word_may_tighten(lite: World) -> None:
    await lite.apply(MANIFEST)
    subject = await lite.person()
    await prefer(lite, subject, {"frequency": {"email": {"most": 2, "per": "week"}}, "quiet_hours": NIGHT})
    tighter = {
        "frequency": {"email": {"most": 2, "per": "month"}},
        "quiet_hours": {**NIGHT, "from": "20:00"},
        "channels": {"email": False},
        "pause_until": "2999-01-01T00:00:00Z",
    }
    assert "ignored" not in (await prefer(lite, subject, tighter, assurance="device")).json()


async def test_an_import_does_not_overwrite_the_persons_word(lite: World) -> None:
    await lite.apply(MANIFEST)
    subject = await lite.person()
    with freeze_time("2026-05-01", real_asyncio=True):
        await prefer(lite, subject, {"cups": 2, "channels": {"sms": False}})
    imported = await prefer(lite, subject, {"cups": 9, "wish": "x", "channels": {"sms": True}}, method="import")
    assert imported.json()["ignored"] == {"cups": "declared", "channels.sms": "declared"}
    assert imported.json()["values"] == {"cups": 2, "wish": "x", "channels": {"sms": False}}
    older = await prefer(lite, subject, {"cups": 9}, method="import", occurred_at="2026-04-01T00:00:00Z")
    assert older.json()["ignored"] == {"cups": "late"}
    newer = await prefer(lite, subject, {"cups": 9}, method="import", occurred_at="2026-06-01T00:00:00Z")
    assert newer.json()["values"]["cups"] == 9
