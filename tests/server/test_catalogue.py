"""The catalogue over HTTP and by command: the guide's own manifest, what a plan tells, and what was published."""

import asyncio
import re
from hashlib import sha256
from pathlib import Path

from tests.server.processes import initialised, sayso
from tests.server.worlds import MANIFEST, World

GUIDE = (Path(__file__).parent.parent.parent / "docs" / "guides" / "model-your-purposes.md").read_text("utf-8")
SHOP, SECOND = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
SMALLEST = MANIFEST.read_text("utf-8")


async def grant(world: World, name: str, *purposes: str, notice: str = "web") -> str:
    person = await world.person(name)
    choices = dict.fromkeys(purposes, "granted")
    answer = await world.choose(person, notice=notice, choices=choices)
    assert answer.status_code == 201, answer.text
    return person


async def status(world: World, person: str, purpose: str) -> str:
    found: str = (await world.admin.get(f"/v1/subjects/{person}/consents")).json()["purposes"][purpose]["status"]
    return found


async def test_the_guides_shop_can_be_applied_and_lint_has_nothing_to_doubt(world: World) -> None:
    done = await world.apply(SHOP)
    assert done.status_code == 200, done.text
    told = [each["message"] for each in done.json()["warnings"]]
    assert [each for each in told if "skin" not in each and "abroad" not in each] == []
    purposes = {each["purpose"]: each for each in (await world.admin.get("/v1/purposes")).json()}
    assert purposes["analytics"]["default_state"] == {"any": "off", "eea": "off", "cn": "off", "us": "on"}
    assert purposes["orders"]["default_state"] == {"any": "always"}
    assert purposes["skin_advice"]["sensitive"]
    assert purposes["ads"]["transfers"] == [{"to": "us", "mechanism": "adequacy", "recipient": "panorama"}]


async def test_a_plan_tells_who_is_asked_again_and_apply_does_that(world: World) -> None:
    await world.apply(SHOP)
    agreed = await grant(world, "c-1", "ads", "analytics")
    await grant(world, "c-2", "analytics")
    planned = (await world.apply(SECOND, dry_run=True)).json()
    assert planned["asked_again"] == {"people": 1, "exact": True, "read": 2, "purposes": {"ads": 1}}
    assert planned["purposes"] == [{"purpose": "ads", "version": 2, "revision": 0, "because": ["web 2"]}]
    (notice,) = planned["notices"]
    assert (notice["notice"], notice["version"], notice["stage"], notice["material"]) == (
        "web",
        2,
        "published",
        ["ads"],
    )
    assert await status(world, agreed, "ads") == "granted"
    applied = (await world.apply(SECOND)).json()
    assert applied["asked_again"] == planned["asked_again"]
    assert await status(world, agreed, "ads") == "stale"
    assert await status(world, agreed, "analytics") == "granted"
    await world.services.settle()
    entries = (await world.admin.get("/v1/audit/entries", params={"type": "server.manifest.applied"})).json()["entries"]
    assert "1" in {entry["res"].get("asked_again") for entry in entries}
    again = (await world.apply(SECOND)).json()
    assert (again["changes"], again["asked_again"]) == ([], None)


async def test_a_draft_is_shown_and_not_asked_on(world: World) -> None:
    await world.smallest()
    person = await world.person()
    drafted = SMALLEST.replace(
        "version: 1", "version: 2, status: draft" if "{version" in SMALLEST else "version: 2\n    status: draft"
    )
    done = (await world.apply(drafted)).json()
    assert [(each["version"], each["stage"]) for each in done["notices"]] == [(2, "draft")]
    refused = await world.choose(person, notice_version=2)
    assert (refused.status_code, refused.json()["published_version"]) == (409, 1)
    assert (await world.choose(person)).status_code == 201
    listed = (await world.admin.get("/v1/notices")).json()
    assert [(each["version"], each["stage"]) for each in listed] == [(2, "draft"), (1, "published")]
    skipped = await world.apply(drafted.replace("status: draft", "status: published"))
    assert skipped.status_code == 400
    assert "reviewed first" in skipped.json()["problems"][0]["message"]
    await world.apply(drafted.replace("status: draft", "status: reviewed"))
    await world.apply(drafted.replace("status: draft", "status: published"))
    listed = (await world.admin.get("/v1/notices")).json()
    assert [(each["version"], each["stage"]) for each in listed] == [(2, "published"), (1, "superseded")]
    steps = (await world.admin.get("/v1/notices/web/steps")).json()
    assert [(each["version"], each["stage"]) for each in steps] == [
        (1, "published"),
        (2, "draft"),
        (2, "reviewed"),
        (2, "published"),
    ]
    assert all(each["actor"].startswith("key_") for each in steps)


async def test_the_bytes_of_a_notice_have_the_hash_that_records_name(world: World) -> None:
    await world.smallest()
    person = await world.person()
    await world.choose(person)
    content = await world.admin.get("/v1/notices/web/versions/1/content")
    history = (await world.admin.get(f"/v1/subjects/{person}/history")).json()
    assert history["items"][0]["notice_hash"] == sha256(content.content).hexdigest()
    assert content.json()["name"] == "web"
    for missing in ("web/versions/2/content", "wen/versions/1/content", "wen/steps"):
        answer = await world.admin.get(f"/v1/notices/{missing}")
        assert (answer.status_code, answer.json()["type"].rpartition("#")[2]) == (404, "unpublished-notice")


async def test_every_jurisdiction_is_shown_with_its_source(lite: World) -> None:
    rows = {each["code"]: each for each in (await lite.admin.get("/v1/jurisdictions")).json()}
    assert rows["us-ca"]["gpc"] == "required"
    assert all(each["source"] for each in rows.values())


async def test_what_is_unfair_is_refused_with_its_line_and_nothing_changes(lite: World) -> None:
    refused = await lite.apply(SHOP.replace("refuse: 1", "refuse: 2"))
    assert refused.status_code == 400
    (problem,) = refused.json()["problems"]
    assert "steps" in SHOP.splitlines()[problem["line"] - 1]
    assert "refuse takes 2" in problem["message"]
    assert (await lite.admin.get("/v1/purposes")).json() == []


async def test_a_banner_shows_no_notice_that_one_click_cannot_answer(lite: World) -> None:
    refused = await lite.apply(SHOP.replace('cn.lantern.example"], notice: web', 'cn.lantern.example"], notice: skin'))
    assert refused.status_code == 400
    (problem,) = refused.json()["problems"]
    assert "'skin_advice' needs a consent that is explicit" in problem["message"]
    assert "cn.lantern.example" in refused.request.content.decode().split("\\n")[problem["line"] - 1]
    bundled = SHOP.replace("purposes: [analytics, ads, news.email]", "purposes: [analytics, abroad]")
    assert "'abroad' needs a consent" in (await lite.apply(bundled)).text


async def test_thirty_who_apply_the_same_at_once_publish_it_once(world: World) -> None:
    answers = await asyncio.gather(*(world.apply(SMALLEST) for _ in range(30)))
    assert {(each.status_code, each.json()["version"]) for each in answers} == {(200, 1)}
    assert {each["version"] for each in (await world.admin.get("/v1/purposes")).json()} == {1}
    assert len((await world.admin.get("/v1/notices/web/steps")).json()) == 1


def test_the_commands_print_what_the_guide_says(data_dir: Path, tmp_path: Path) -> None:
    initialised(data_dir)
    shop, second = tmp_path / "shop.yaml", tmp_path / "second.yaml"
    shop.write_text(SHOP, "utf-8")
    second.write_text(SECOND, "utf-8")
    assert sayso("apply", shop, "--data", data_dir).returncode == 0
    planned = sayso("plan", second, "--data", data_dir)
    assert planned.returncode == 0, planned.stderr
    assert planned.stdout.splitlines() == [
        "~ notices.web",
        "notice web 2: published, material for ads",
        "purpose ads 2: web 2 (asks 0 again)",
        "People who will be asked again: 0.",
    ]
    applied = sayso("apply", second, "--data", data_dir)
    assert applied.stdout.splitlines()[-2:] == ["People who will be asked again: 0.", "Version 2 is live."]
