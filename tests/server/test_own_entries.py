"""What a person can check about themselves: all entries with proofs, and the key that finds them in the whole log."""

import json
import re
import zipfile
from pathlib import Path

from audit import offline, verify
from tests.server.test_exports import busy
from tests.server.test_preferences import enter, post
from tests.server.worlds import World


async def the_log(world: World, tmp_path: Path) -> Path:
    folder = tmp_path / "log"
    await world.services.integrate()
    await world.services.audit.export(world.services.database, "default", folder)
    return folder


async def test_a_person_takes_all_their_entries_with_proofs_and_no_names_of_staff(lite: World, tmp_path: Path) -> None:
    people = await busy(lite)
    await lite.services.integrate()
    browser, _ = await enter(lite, people[0])
    assert "/p/you/uses/evidence" in (await browser.get("/p/you/uses")).text
    file = tmp_path / "mine.zip"
    file.write_bytes((await browser.get("/p/you/uses/evidence")).content)
    assert verify(file).code == 0, verify(file).report
    with zipfile.ZipFile(file) as held:
        openings = [json.loads(line) for line in held.read("openings.jsonl").splitlines()]
        entries = [json.loads(line) for line in held.read("entries.jsonl").splitlines()]
    assert {each["type"] for each in entries} >= {"consent.choice.recorded", "access.permitted", "access.denied"}
    about = {each["entry"] for each in openings if each["compartment"] == "s"}
    assert about == {each["id"] for each in entries}
    assert {json.loads(each["payload"])["subject"] for each in openings if each["compartment"] == "s"} == {people[0]}
    assert "mailer" not in str([each for each in openings if each["compartment"] == "a"])


async def test_the_tag_key_finds_exactly_the_persons_entries_in_the_exported_log(world: World, tmp_path: Path) -> None:
    people = await busy(world)
    answer = await world.admin.post(f"/v1/subjects/{people[1]}/tag-key")
    assert answer.status_code == 200, answer.text
    key = tmp_path / "key.json"
    key.write_bytes(answer.content)
    await world.services.integrate()
    bundle = await world.admin.post(f"/v1/subjects/{people[1]}/entries/bundle")
    file = tmp_path / "theirs.zip"
    file.write_bytes(bundle.content)
    assert verify(file).code == 0
    with zipfile.ZipFile(file) as held:
        listed = [json.loads(line)["index"] for line in held.read("proofs.jsonl").splitlines()]
        entries = [json.loads(line) for line in held.read("entries.jsonl").splitlines()]
    assert "audit.tag_key.handed_out" in {each["type"] for each in entries}
    verdict = offline.verify(await the_log(world, tmp_path), tag_key=key)
    line = next(line for line in verdict.lines if "bear the tag" in line)
    found = [int(number) for number in re.findall(r"\d+", line.partition(":")[2])]
    # Making the bundle was an entry about the person too, after the head that the bundle stands on.
    assert found[: len(listed)] == sorted(listed)
    assert len(found) - len(listed) == 1


async def test_the_tag_key_comes_with_a_form_of_the_page_alone_and_is_an_entry(lite: World) -> None:
    people = await busy(lite)
    browser, csrf = await enter(lite, people[0])
    assert (await post(browser, "/p/you/uses/key", csrf="wrong")).status_code == 403
    answer = await post(browser, "/p/you/uses/key", csrf=csrf)
    assert answer.json()["subject"] == people[0]
    await lite.services.integrate()
    found = await lite.admin.get("/v1/audit/entries", params={"type": "audit.tag_key.handed_out"})
    assert len(found.json()["entries"]) == 1


async def test_only_officers_ask_for_somebody_else(lite: World) -> None:
    people = await busy(lite)
    for role in ("auditor", "recorder", "vault_writer", "pep"):
        client = await lite.key(f"one-{role}", role)
        assert (await client.post(f"/v1/subjects/{people[0]}/tag-key")).status_code == 403
        assert (await client.post(f"/v1/subjects/{people[0]}/entries/bundle")).status_code == 403


async def test_after_an_erasure_nothing_is_found_and_old_bundles_still_hold(lite: World, tmp_path: Path) -> None:
    people = await busy(lite)
    await lite.services.integrate()
    file = tmp_path / "before.zip"
    file.write_bytes((await lite.admin.post(f"/v1/subjects/{people[0]}/entries/bundle")).content)
    opened = await lite.admin.post("/v1/rights/requests", json={"subject": people[0], "kind": "erasure", "law": "gdpr"})
    request = opened.json()["request"]
    await lite.admin.post(f"/v1/rights/requests/{request}/verify", json={"method": "officer"})
    assert (await lite.admin.post(f"/v1/rights/requests/{request}/fulfil", json={})).status_code == 200
    assert (await lite.admin.post(f"/v1/subjects/{people[0]}/tag-key")).status_code in (403, 404)
    assert (await lite.admin.post(f"/v1/subjects/{people[0]}/entries/bundle")).status_code in (403, 404)
    assert verify(file).code == 0
