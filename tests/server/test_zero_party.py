"""Preferences over HTTP: typed, versioned, with where they come from, and for whom."""

from typing import Any

import pytest

from tests.server.questionnaire import MANIFEST, NIGHT, prefer, preferences
from tests.server.worlds import World


async def test_what_is_told_is_kept_with_where_it_comes_from(tea: World) -> None:
    subject = await tea.person()
    nothing = await preferences(tea, subject)
    assert (nothing["version"], nothing["values"], nothing["provenance"]) == (0, {}, {})
    values = {
        "topics": ["white", "green"],
        "cups": 3,
        "brewing": "pot",
        "samples": False,
        "since": "1999-12-31",
        "wish": "  more\r\ntea ",
        "channels": {"sms": False, "email": {"marketing.email": True}},
        "frequency": {"email": {"most": 1, "per": "week"}},
        "quiet_hours": NIGHT,
    }
    told = await prefer(tea, subject, values, method="preference_centre")
    assert told.status_code == 200, told.text
    found = await preferences(tea, subject)
    week = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    assert found["values"] == {
        **values,
        "topics": ["green", "white"],
        "wish": "more\ntea",
        "channels": {"sms": False, "email": True},
        "quiet_hours": {**NIGHT, "days": week},
    }
    origin = found["provenance"]["topics"]
    assert (origin["how"], origin["method"], origin["assurance"]) == ("declared", "preference_centre", "session")
    assert origin["entry"] == told.json()["entry"]
    assert {"channels.sms", "frequency.email", "quiet_hours"} <= found["provenance"].keys()
    again = await prefer(tea, subject, found["values"], method="preference_centre")
    assert again.json()["version"] == 1, "what is told can be told back, and saying it twice writes nothing"
    assert "entry" not in again.json()


async def test_staff_and_imports_are_told_apart(tea: World) -> None:
    subject = await tea.person()
    await prefer(tea, subject, {"cups": 2}, method="phone", assurance="staff")
    await prefer(tea, subject, {"brewing": "cup"}, method="import", source="old shop 2019")
    origins = (await preferences(tea, subject))["provenance"]
    assert origins["cups"]["how"] == "recorded"
    assert (origins["brewing"]["how"], origins["brewing"]["source"]) == ("imported", "old shop 2019")


async def test_a_change_leaves_the_rest_and_null_takes_back(tea: World) -> None:
    subject = await tea.person()
    await prefer(tea, subject, {"cups": 2, "wish": "tea", "channels": {"sms": False}})
    await prefer(tea, subject, {"wish": None, "channels": {"sms": None}})
    assert (await preferences(tea, subject))["values"] == {"cups": 2}
    history = (await tea.admin.get(f"/v1/subjects/{subject}/preferences/history")).json()["items"]
    assert [item["values"] for item in history] == [
        {"wish": None, "channels.sms": None},
        {"cups": 2, "wish": "tea", "channels.sms": False},
    ]


async def test_history_comes_in_pages_for_officers(tea: World) -> None:
    subject = await tea.person()
    for cups in range(5):
        await prefer(tea, subject, {"cups": cups})
    path = f"/v1/subjects/{subject}/preferences/history"
    officer = await tea.key("dpo", "officer")
    first = (await officer.get(path, params={"limit": 3})).json()
    rest = (await officer.get(path, params={"limit": 3, "cursor": first["next"]})).json()
    assert [item["values"]["cups"] for item in first["items"] + rest["items"]] == [4, 3, 2, 1, 0]
    assert rest["next"] is None
    assert (await officer.get(path, params={"cursor": "x y"})).status_code == 400
    recorder = await tea.key("shop", "recorder")
    assert (await recorder.get(path)).status_code == 403
    assert (await officer.get(path.replace(subject, "sub_" + "0" * 32))).status_code == 404


@pytest.mark.parametrize("place", ["version", "if_match"])
async def test_a_change_made_on_an_older_version_is_refused(tea: World, place: str) -> None:
    subject = await tea.person()
    named: Any = {"version": 0} if place == "version" else {"if_match": '"0"'}
    assert (await prefer(tea, subject, {"cups": 1}, **named)).status_code == 200
    stale = await prefer(tea, subject, {"cups": 2}, **named)
    assert (stale.status_code, stale.json()["version"]) == (409, 1)
    assert stale.json()["type"].endswith("#stale-preferences")
    assert (await preferences(tea, subject))["values"] == {"cups": 1}
    assert (await prefer(tea, subject, {"cups": 3}, version=1, if_match='"1"')).status_code == 200
    assert (await prefer(tea, subject, {"cups": 4}, version=1, if_match='"2"')).status_code == 400
    assert (await prefer(tea, subject, {"cups": 4}, if_match="W/x")).status_code == 400


async def test_questions_come_in_the_language_that_is_wanted(tea: World) -> None:
    subject = await tea.person()
    assert "asked" not in await preferences(tea, subject)
    asked = (await preferences(tea, subject, locale="zh-CN"))["asked"]
    topics = asked["preferences"]["topics"]
    assert (topics["type"], topics["title"], topics["options"]["green"]) == ("multi", "您喝什么茶", "绿茶")
    assert topics["options"]["black"] == "Black", "what is not translated is told in English"
    assert asked["channels"]["sms"]["purposes"] == {"marketing.email": "邮件资讯", "marketing.calls": "Calls"}
    assert asked["channels"]["email"]["locked"]["orders"] == {
        "title": "您的订单",
        "basis": "contract",
        "reason": "We tell you when your tea is on its way.",
    }
    refused = await tea.admin.get(f"/v1/subjects/{subject}/preferences", params={"locale": "../x"})
    assert refused.status_code == 400


async def test_a_sensitive_answer_is_told_with_a_permit_alone(tea: World) -> None:
    subject = await tea.person()
    said = await prefer(tea, subject, {"allergy": "nuts", "cups": 1})
    assert said.json()["values"]["allergy"] == "nuts"
    quiet = await preferences(tea, subject)
    assert (quiet["values"], quiet["withheld"]) == ({"cups": 1}, {"allergy": "sensitive"})
    assert "allergy" not in (await prefer(tea, subject, {"cups": 2})).json()["values"]
    ignored = (await prefer(tea, subject, {"allergy": "none"}, assurance="device")).json()
    assert (ignored["ignored"], ignored["withheld"]) == ({"allergy": "weaker"}, {"allergy": "sensitive"})
    opened = await preferences(tea, subject, sensitive=True)
    assert opened["values"]["allergy"] == "nuts"
    shop = await tea.key("shop", "recorder")
    refused = await shop.get(f"/v1/subjects/{subject}/preferences", params={"sensitive": True})
    assert refused.status_code == 403


async def test_who_only_uses_answers_is_given_those_whose_purpose_stands(tea: World) -> None:
    subject = await tea.person()
    await prefer(tea, subject, {"topics": ["green"], "cups": 1})
    sender = await tea.key("mailer", "sender")
    path = f"/v1/subjects/{subject}/preferences"
    unasked = (await sender.get(path)).json()
    assert (unasked["values"], unasked["withheld"]) == ({"cups": 1}, {"topics": "unasked"})
    await tea.choose(subject)
    assert (await sender.get(path)).json()["values"] == {"topics": ["green"], "cups": 1}
    await tea.admin.post(f"/v1/subjects/{subject}/withdrawals", json={"purposes": ["marketing.email"]})
    assert (await sender.get(path)).json()["withheld"] == {"topics": "withdrawn"}
    assert (await sender.put(path, json={"values": {"cups": 2}})).status_code == 403


async def test_an_answer_to_another_question_is_not_told(tea: World) -> None:
    subject = await tea.person()
    await prefer(tea, subject, {"cups": 30, "wish": "tea"})
    changed = MANIFEST.replace("max: 40", "max: 20").replace(
        "Your wish}, purpose: orders", "W}, purpose: marketing.email"
    )
    assert (await tea.apply(changed)).status_code == 200
    found = await preferences(tea, subject)
    assert (found["values"], found["withheld"]) == ({}, {"cups": "outdated", "wish": "outdated"})
