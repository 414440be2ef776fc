"""The person's own page: how they may be reached and what they told, by plain forms without any script."""

import re
from typing import Any

import httpx
import pytest

from tests.server.questionnaire import MANIFEST, prefer, preferences
from tests.server.test_preferences import enter, post
from tests.server.worlds import World

REACH, TOLD = "/p/you/reach", "/p/you/told"


@pytest.fixture
async def tea(world: World) -> World:
    applied = await world.apply(MANIFEST)
    assert applied.status_code == 200, applied.text
    return world


def reach_form(html: str) -> dict[str, Any]:
    """What a browser would send of the first form when nothing is touched."""
    form = html[html.index(f'action="{REACH}"') : html.index(f'action="{TOLD}"')]
    fields: dict[str, Any] = {"csrf": re.findall(r'name="csrf" value="([^"]+)"', form)[0]}
    fields["version"] = re.findall(r'name="version" value="(\d+)"', form)[0]
    fields["shown"] = re.findall(r'name="shown" value="([^"]+)"', form)
    fields["on"] = re.findall(r'name="on" value="([^"]+)"[^>]* checked>', form)
    for name, body in re.findall(r'<select (?:id="\S+" )?name="([\w.]+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.findall(r'<option value="([^"]*)" selected>', body)
        fields[name] = chosen[0] if chosen else ""
    for name in ("from", "until"):
        fields[name] = re.findall(rf'name="{name}" value="([^"]+)"', form)[0]
    fields["days"] = re.findall(r'name="days" value="([^"]+)" checked', form)
    fields["pause"] = re.findall(r'name="pause" value="([^"]+)" checked', form)[0]
    if re.search(r'name="quiet" value="on"[^>]* checked', form):
        fields["quiet"] = "on"
    return fields


async def come_in(world: World, subject: str) -> tuple[httpx.AsyncClient, dict[str, Any]]:
    browser, _ = await enter(world, subject)
    return browser, reach_form((await browser.get("/p/you")).text)


async def test_a_form_that_was_not_touched_changes_nothing(tea: World) -> None:
    subject = await tea.person()
    browser, form = await come_in(tea, subject)
    assert form["on"] == [
        "email/marketing.email",
        "sms/marketing.email",
        "sms/marketing.calls",
        "phone/marketing.calls",
    ]
    assert (await post(browser, REACH, **form)).headers["location"] == "/p/you?unchanged=1"
    values = {
        "quiet_hours": {"from": "20:15", "until": "07:00", "zone": "America/Port-au-Prince", "days": ["fri"]},
        "frequency": {"email": {"most": 5, "per": "day"}},
        "channels": {"sms": {"marketing.calls": False}, "phone": False},
        "pause_until": "2999-01-01T00:00:00Z",
    }
    await prefer(tea, subject, values)
    form = reach_form((await browser.get("/p/you")).text)
    assert (form["often.email"], form["zone"], form["days"]) == ("5/day", "America/Port-au-Prince", ["fri"])
    assert form["on"] == ["email/marketing.email", "sms/marketing.email"]
    assert (form["pause"], form["version"]) == ("keep", "1")
    assert (await post(browser, REACH, **form)).headers["location"] == "/p/you?unchanged=1"
    assert (await preferences(tea, subject))["version"] == 1


async def test_channels_frequency_hours_and_a_pause_are_saved(tea: World) -> None:
    subject = await tea.person()
    browser, form = await come_in(tea, subject)
    form |= {
        "on": ["email/marketing.email", "sms/marketing.email"],
        "often.email": "1/week",
        "quiet": "on",
        "from": "22:00",
        "until": "06:30",
        "zone": "Asia/Shanghai",
        "days": ["mon", "sun"],
        "pause": "P30D",
    }
    saved = await post(browser, REACH, **form)
    assert saved.headers["location"] == "/p/you?saved=1", saved.text
    found = await preferences(tea, subject)
    assert found["values"]["channels"] == {
        "sms": {"marketing.email": True, "marketing.calls": False},
        "phone": False,
    }
    assert found["values"]["frequency"] == {"email": {"most": 1, "per": "week"}}
    assert found["values"]["quiet_hours"]["zone"] == "Asia/Shanghai"
    assert "pause_until" in found["values"]
    origin = found["provenance"]["quiet_hours"]
    assert (origin["how"], origin["method"], origin["assurance"]) == ("declared", "preference_centre", "link")
    form = reach_form((await browser.get("/p/you")).text)
    form |= {"pause": "none", "on": form["shown"], "often.email": ""}
    del form["quiet"]
    assert (await post(browser, REACH, **form)).headers["location"] == "/p/you?saved=1"
    assert (await preferences(tea, subject))["values"] == {"channels": {"sms": True, "phone": True}}


async def test_what_was_said_more_surely_is_not_loosened_from_a_link(tea: World) -> None:
    subject = await tea.person()
    await prefer(tea, subject, {"channels": {"email": False}})
    browser, form = await come_in(tea, subject)
    form["on"] = form["shown"]
    form["often.sms"] = "1/month"
    answer = await post(browser, REACH, **form)
    assert answer.headers["location"] == "/p/you?weaker=1"
    assert "here you can always ask for less" in (await browser.get("/p/you?weaker=1")).text
    values = (await preferences(tea, subject))["values"]
    assert values == {"channels": {"email": False}, "frequency": {"sms": {"most": 1, "per": "month"}}}


async def test_a_form_that_was_overtaken_is_shown_again(tea: World) -> None:
    subject = await tea.person()
    browser, form = await come_in(tea, subject)
    await prefer(tea, subject, {"cups": 2})
    late = await post(browser, REACH, **(form | {"pause": "P90D"}))
    assert late.status_code == 409
    assert "changed elsewhere" in late.text
    assert reach_form(late.text)["version"] == "1"
    assert (await post(browser, REACH, **(form | {"pause": "P90D", "version": "x"}))).status_code == 409
    assert "pause_until" not in (await preferences(tea, subject))["values"]


@pytest.mark.parametrize(
    ("changes", "marked"),
    [
        ({"quiet": "on", "zone": ""}, "Choose the place whose clock counts."),
        ({"quiet": "on", "zone": "UTC", "from": "", "until": "08:00"}, "Give two different times"),
        ({"quiet": "on", "zone": "UTC", "days": []}, "Give two different times"),
        ({"often.email": "x/week"}, "Nothing was saved"),
        ({"often.email": "1/year"}, "Nothing was saved"),
    ],
)
async def test_hours_that_mean_nothing_are_marked(lite: World, changes: dict[str, Any], marked: str) -> None:
    await lite.apply(MANIFEST)
    subject = await lite.person()
    browser, form = await come_in(lite, subject)
    refused = await post(browser, REACH, **(form | changes))
    assert refused.status_code == 400
    assert marked in refused.text
    assert (await preferences(lite, subject))["version"] == 0


async def test_questions_are_answered_changed_and_taken_back(tea: World) -> None:
    subject = await tea.person()
    browser, form = await come_in(tea, subject)
    asked = ["topics", "cups", "brewing", "samples", "since", "wish", "allergy"]
    fields: dict[str, Any] = {"csrf": form["csrf"], "version": "0", "asked": asked}
    answers = {
        "q.topics": ["black", "green"],
        "q.cups": "3",
        "q.brewing": "pot",
        "q.samples": "no",
        "q.since": "1999-01-31",
        "q.wish": "Tie Guan Yin",
        "q.allergy": "nuts",
    }
    assert (await post(browser, TOLD, **fields, **answers)).headers["location"] == "/p/you?saved=1"
    found = await preferences(tea, subject, sensitive=True)
    assert found["values"] == {
        "topics": ["green", "black"],
        "cups": 3,
        "brewing": "pot",
        "samples": False,
        "since": "1999-01-31",
        "wish": "Tie Guan Yin",
        "allergy": "nuts",
    }
    page = (await browser.get("/p/you")).text
    assert page.count("You told us on") == 7
    assert ">nuts</textarea>" in page, "the person sees their own sensitive answer"
    fields["version"] = "1"
    assert (await post(browser, TOLD, **fields, **answers)).headers["location"] == "/p/you?unchanged=1"
    answers |= {"q.wish": " ", "q.samples": "", "q.topics": []}
    assert (await post(browser, TOLD, **fields, **answers)).headers["location"] == "/p/you?saved=1"
    values = (await preferences(tea, subject))["values"]
    assert values.keys() == {"cups", "brewing", "since"}


async def test_an_answer_that_does_not_fit_is_marked_and_not_repeated(lite: World) -> None:
    await lite.apply(MANIFEST)
    subject = await lite.person()
    browser, form = await come_in(lite, subject)
    for name, value in (("cups", "many"), ("cups", "nan"), ("cups", "-1"), ("wish", "x" * 21), ("samples", "perhaps")):
        fields = {"csrf": form["csrf"], "version": "0", "asked": [name], f"q.{name}": value}
        refused = await post(browser, TOLD, **fields)
        assert refused.status_code == 400, (name, value)
        assert refused.text.count("This answer does not fit.") == 1
    assert (await post(browser, TOLD, **{**fields, "csrf": "x"})).status_code == 403
    assert (await post(await lite.client(None), TOLD, **fields)).status_code in (401, 403)


async def test_a_brand_that_asks_nothing_shows_nothing_of_it(lite: World) -> None:
    await lite.smallest()
    browser, _ = await enter(lite, await lite.person())
    page = (await browser.get("/p/you")).text
    assert REACH not in page
    assert TOLD not in page
