"""What is no preference is refused, whole and by name: answers, bodies, manifests."""

from typing import Any

import pytest

from tests.server.questionnaire import MANIFEST, NIGHT, prefer, preferences
from tests.server.worlds import World


@pytest.mark.parametrize(
    ("values", "member"),
    [
        ({"topics": "green"}, "topics"),
        ({"topics": ["green", "green"]}, "topics"),
        ({"topics": ["green", "black", "white"]}, "topics"),
        ({"topics": ["red"]}, "topics"),
        ({"cups": True}, "cups"),
        ({"cups": 2.5}, "cups"),
        ({"cups": 41}, "cups"),
        ({"cups": "3"}, "cups"),
        ({"brewing": "jug"}, "brewing"),
        ({"samples": 1}, "samples"),
        ({"since": "2026-02-30"}, "since"),
        ({"since": "20260201"}, "since"),
        ({"since": "1899-12-31"}, "since"),
        ({"wish": ""}, "wish"),
        ({"wish": "x" * 21}, "wish"),
        ({"wish": "a\u0000b"}, "wish"),
        ({"wish": ["x"]}, "wish"),
        ({"channels": True}, "channels"),
        ({"channels": {"sms": "no"}}, "channels.sms"),
        ({"channels": {"email": {"orders": False}}}, "channels.email"),
        ({"frequency": {"email": 3}}, "frequency.email"),
        ({"frequency": {"email": {"most": 0, "per": "day"}}}, "frequency.email"),
        ({"frequency": {"email": {"most": 1, "per": "year"}}}, "frequency.email"),
        ({"frequency": {"email": {"most": True, "per": "day"}}}, "frequency.email"),
        ({"quiet_hours": "night"}, "quiet_hours"),
        ({"quiet_hours": {**NIGHT, "from": "24:00"}}, "quiet_hours.from"),
        ({"quiet_hours": {**NIGHT, "until": "21:00"}}, "quiet_hours.until"),
        ({"quiet_hours": {**NIGHT, "zone": "Europe/Dublim"}}, "quiet_hours.zone"),
        ({"quiet_hours": {**NIGHT, "zone": "../../etc/passwd"}}, "quiet_hours.zone"),
        ({"quiet_hours": {**NIGHT, "days": []}}, "quiet_hours.days"),
        ({"quiet_hours": {**NIGHT, "days": ["mon", "mon"]}}, "quiet_hours.days"),
        ({"pause_until": "2020-01-01T00:00:00Z"}, "pause_until"),
        ({"pause_until": "tomorrow"}, "pause_until"),
        ({"pause_until": "2030-01-01T00:00:00"}, "pause_until"),
        ({"pause_until": 5}, "pause_until"),
    ],
)
async def test_what_does_not_fit_is_refused_whole_and_by_name(lite: World, values: Any, member: str) -> None:
    await lite.apply(MANIFEST)
    subject = await lite.person()
    refused = await prefer(lite, subject, {"cups": 1, **values})
    assert refused.status_code == 400, refused.text
    problem = refused.json()
    assert (problem["type"].rpartition("#")[2], problem["member"]) == ("unfit-preference", member)
    assert (await preferences(lite, subject))["version"] == 0


@pytest.mark.parametrize(
    ("values", "nearest"),
    [
        ({"topic": ["green"]}, "topics"),
        ({"channels": {"smss": False}}, "sms"),
        ({"channels": {"post": False}}, None),
        ({"channels": {"email": {"marketing.emial": False}}}, "marketing.email"),
        ({"quiet_hours": {**NIGHT, "zones": "x"}}, "zone"),
        ({"colour": None}, None),
    ],
)
async def test_unknown_names_are_refused_with_the_nearest(lite: World, values: Any, nearest: str | None) -> None:
    await lite.apply(MANIFEST)
    refused = await prefer(lite, await lite.person(), values)
    assert refused.status_code == 400, refused.text
    assert refused.json()["type"].endswith("#unknown-preference")
    assert refused.json().get("nearest") == nearest


async def test_a_body_without_a_change_is_refused(lite: World) -> None:
    await lite.apply(MANIFEST)
    subject = await lite.person()
    assert (await prefer(lite, subject, {})).status_code == 400
    assert (await prefer(lite, subject, {"cups": 1}, colour="red")).status_code == 400
    assert (await prefer(lite, subject, {"cups": 1}, method="guess")).status_code == 400
    assert (await prefer(lite, subject, {"cups": 1}, occurred_at="2999-01-01T00:00:00Z")).status_code == 400
    assert (await prefer(lite, subject, {"cups": None}, method="import")).status_code == 400
    assert (await prefer(lite, "sub_" + "0" * 32, {"cups": 1})).status_code == 404


async def test_a_manifest_says_where_a_preference_is_wrong(lite: World) -> None:
    refused = await lite.apply(
        MANIFEST.replace("type: number", "type: numbr")
        .replace("longest: 20", "longest: 20000")
        .replace("most: 2", "most: 9")
        .replace('earliest: "1900-01-01"', 'earlyest: "1900-01-01"')
    )
    assert refused.status_code == 400
    said = refused.json()["problems"]
    assert [(each["line"], each["nearest"]) for each in said] == [
        (24, None),
        (25, "number"),
        (28, "earliest"),
        (29, None),
    ]
