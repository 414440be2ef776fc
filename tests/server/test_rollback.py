"""The way back: a new version that says what an older one said, by as many people as a change takes."""

import json
from typing import Any

import httpx

from tests.server.test_change_control import ANOTHER, ONE_MORE, TWO, WHOLE, approve, live, slug, types, under_two
from tests.server.worlds import World

RAISED = WHOLE.replace("version: 1", "version: 2").replace("only if you say so", "only if you said so")


async def back(client: httpx.AsyncClient, version: int, **more: Any) -> httpx.Response:
    return await client.post("/v1/manifest/rollbacks", json={"version": version, **more})


async def content(world: World, version: int) -> dict[str, Any]:
    answer = await world.admin.get(f"/v1/manifest/versions/{version}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_rollback_is_a_new_version_that_says_the_same(world: World) -> None:
    await world.smallest()
    assert (await world.apply(ONE_MORE)).json()["version"] == 2
    planned = await back(world.admin, 1, dry_run=True)
    assert (planned.json()["status"], planned.json()["changes"][0]["change"]) == ("planned", "removed")
    done = await back(world.admin, 1)
    assert (done.status_code, done.json()["status"], done.json()["version"]) == (200, "live", 3), done.text
    assert done.json()["kept"] == []
    first, third = await content(world, 1), await content(world, 3)
    assert first["manifest"] == third["manifest"]
    assert first["version"]["hash"] == third["version"]["hash"]
    assert (third["version"]["restores"], third["version"]["parent"], third["version"]["state"]) == (1, 2, "live")
    assert {rule["id"] for rule in (await world.admin.get("/v1/policy/rules")).json()["rules"]} >= {"R010"}
    listed = (await world.admin.get("/v1/manifest/versions", params={"limit": 2})).json()
    assert [each["version"] for each in listed["versions"]] == [3, 2]
    rest = (await world.admin.get("/v1/manifest/versions", params={"before": listed["next"]})).json()
    assert [each["version"] for each in rest["versions"]] == [1]
    assert "server.manifest.rolled_back" in await types(world)
    same = await back(world.admin, 1)
    assert (same.json()["version"], same.json()["changes"]) == (3, [])


async def test_a_published_notice_stays_as_it_was_last_published(lite: World) -> None:
    await lite.smallest()
    assert (await lite.apply(RAISED)).status_code == 200
    assert (await lite.apply(ONE_MORE)).status_code == 200
    done = (await back(lite.admin, 1)).json()
    assert (done["status"], done["kept"]) == ("live", ["notices.web"])
    held = (await content(lite, done["version"]))["manifest"]
    assert held["notices"]["web"]["version"] == 2
    assert held["rules"] == (await content(lite, 1))["manifest"]["rules"]
    subject = await lite.person()
    assert (await lite.choose(subject, notice_version=2)).status_code == 201


async def test_what_a_kept_notice_names_comes_along(lite: World) -> None:
    await lite.smallest()
    wider = RAISED.replace(
        "purposes:\n",
        "purposes:\n  surveys:\n    title: {en: Surveys, zh-CN: 调查}\n    categories: [contact.post]\n",
    ).replace("purposes: [marketing.email]", "purposes: [marketing.email, surveys]")
    wider = wider.replace("contact.phone, behaviour", "contact.phone, contact.post, behaviour")
    assert (await lite.apply(wider)).status_code == 200, (await lite.apply(wider)).text
    done = (await back(lite.admin, 1)).json()
    assert set(done["kept"]) == {"notices.web", "purposes.surveys", "categories.contact.post"}, done
    assert "surveys" in (await content(lite, 3))["manifest"]["purposes"]


async def test_a_notice_that_was_removed_since_comes_back_in_its_newest_words(lite: World) -> None:
    await lite.smallest()
    await lite.apply(RAISED)
    gone = WHOLE[: WHOLE.index("notices:")] + "notices: {}\n" + WHOLE[WHOLE.index("collections:") :]
    gone = gone[: gone.index("sites:")] + "sites: {}\n"
    assert (await lite.apply(gone, prune=True)).status_code == 200
    done = (await back(lite.admin, 1)).json()
    assert done["kept"] == ["notices.web"]
    assert (await content(lite, 4))["manifest"]["notices"]["web"]["version"] == 2


async def test_a_rollback_takes_two_people_where_a_change_does(lite: World) -> None:
    ada, bea = await under_two(lite)
    waiting = (await lite.apply(ONE_MORE, client=ada)).json()["proposal"]
    await approve(bea, waiting)
    asked = await back(ada, 1)
    assert (asked.status_code, asked.json()["status"], asked.json()["restores"]) == (202, "proposed", 1)
    assert await live(lite) == 2
    assert slug(await approve(ada, asked.json()["proposal"])) == "four-eyes"
    assert (await approve(bea, asked.json()["proposal"])).json()["became"] == 3
    view = (await content(lite, 3))["version"]
    assert (view["author"]["name"], view["approver"]["name"], view["restores"]) == ("ada", "bea", 1)
    assert "break_glass" not in view


async def test_one_person_breaks_the_glass_and_everybody_hears_of_it(world: World, capfd: Any) -> None:
    ada, bea = await under_two(world)
    await approve(bea, (await world.apply(ONE_MORE, client=ada)).json()["proposal"])
    assert slug(await back(ada, 1, break_glass=" ")) == "invalid-reason"
    done = await back(ada, 1, break_glass="Leads saw what they must not, and Bea cannot be reached.")
    assert (done.status_code, done.json()["status"], done.json()["version"]) == (200, "live", 3)
    view = (await content(world, 3))["version"]
    assert view["break_glass"] is True
    assert "approver" not in view
    events = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith("{")]
    assert {"level": "error", "event": "glass broken", "version": 3, "restores": 1}.items() <= next(
        each for each in events if each["event"] == "glass broken"
    ).items()
    assert not any("Bea" in json.dumps(each) for each in events)
    assert "server.manifest.glass_broken" in await types(world)
    told = (await world.admin.get("/v1/changes")).json()
    assert "sayso.server.manifest.glass_broken" in {event["type"] for event in told["events"]}


async def test_broken_glass_does_not_turn_four_eyes_off(lite: World) -> None:
    await lite.smallest()
    ada, bea = await lite.key("ada", "admin"), await lite.key("bea", "officer")
    assert (await lite.apply("approval: two\n")).json()["version"] == 2
    await approve(bea, (await lite.apply(ONE_MORE, client=ada)).json()["proposal"])
    done = (await back(ada, 1, break_glass="now")).json()
    assert (done["status"], done["kept"]) == ("live", ["approval"])
    assert (await lite.apply(ANOTHER, client=ada)).json()["status"] == "proposed"
    # Two people may.
    await approve(bea, (await back(ada, 1)).json()["proposal"])
    assert (await lite.apply(ANOTHER, client=ada)).json()["status"] == "live"


async def test_there_is_no_way_back_to_a_version_that_never_was(lite: World) -> None:
    await lite.smallest()
    assert [(await back(lite.admin, version)).status_code for version in (9, 0, -1)] == [404, 400, 400]


async def test_a_version_that_would_lose_the_rules_takes_force(lite: World) -> None:
    assert (
        await lite.apply(WHOLE.replace(WHOLE[WHOLE.index("rules:") : WHOLE.index("sites:")], "rules: []\n"))
    ).status_code == 200
    assert (await lite.apply(TWO.removeprefix("approval: two\n"))).status_code == 200
    assert slug(await back(lite.admin, 1)) == "rules-lost"
    assert (await back(lite.admin, 1, dry_run=True)).json()["loss"]
    assert (await back(lite.admin, 1, force=True)).json()["version"] == 3


async def test_many_rules_do_not_go_at_once(lite: World) -> None:
    many = "".join(
        f"  - {{id: X{number:02}, role: support_lead, action: use, category: behaviour, purpose: ads, "
        f"effect: allow, basis: consent, jurisdiction: {place}}}\n"
        for number, place in enumerate(["de", "fr", "it", "es", "pl", "nl"])
    )
    whole = WHOLE.replace("sites:", many + "sites:")
    assert (await lite.apply(whole)).status_code == 200
    few = whole.replace(many, "".join(many.splitlines(keepends=True)[:4]))
    fewer = whole.replace(many, "".join(many.splitlines(keepends=True)[:3]))
    assert slug(await lite.apply(fewer, prune=True)) == "rules-lost"
    assert (await lite.apply(few, prune=True)).status_code == 200
