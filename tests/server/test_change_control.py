"""Changes of the rules under four eyes: proposed by one person, live by another, and never by the same."""

import asyncio
from typing import Any

import httpx
import pytest

from sayso.kernel import ManifestError, load
from sayso.server.manifests.manifest import merge
from tests.server.worlds import MANIFEST, World

WHOLE = MANIFEST.read_text("utf-8")
TWO = "approval: two\n" + WHOLE


def rules(*more: str) -> str:
    """The rules of the smallest manifest, and these."""
    lines = WHOLE.splitlines()
    start = lines.index("rules:")
    end = next(n for n in range(start + 1, len(lines)) if lines[n] and not lines[n][0].isspace())
    return "\n".join([*lines[start:end], *more]) + "\n"


ONE_MORE = rules(
    "  - {id: R040, role: support_lead, action: use, category: behaviour, purpose: ads, effect: allow, basis: consent}"
)
ANOTHER = rules(
    "  - {id: R041, role: support_lead, action: read, category: behaviour, purpose: ads, effect: allow, basis: consent}"
)


async def under_two(world: World) -> tuple[httpx.AsyncClient, httpx.AsyncClient]:
    """Two officers, and the smallest manifest under four eyes."""
    first, second = await world.key("ada", "admin"), await world.key("bea", "officer")
    applied = await world.apply(TWO)
    assert applied.status_code == 200, applied.text
    return first, second


async def proposed(world: World, author: httpx.AsyncClient, content: str = ONE_MORE, **more: bool) -> dict[str, Any]:
    answer = await world.apply(content, client=author, **more)
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    assert found["status"] == "proposed"
    return found


async def live(world: World) -> int:
    version: int = (await world.admin.get("/v1/manifest")).json()["version"]
    return version


async def approve(client: httpx.AsyncClient, proposal: str) -> httpx.Response:
    return await client.post(f"/v1/manifest/proposals/{proposal}/approve")


def slug(response: httpx.Response) -> str:
    found: str = response.json()["type"].rpartition("#")[2]
    return found


async def types(world: World) -> list[str]:
    await world.services.settle()
    entries = (await world.admin.get("/v1/audit/entries", params={"limit": 100})).json()["entries"]
    return [entry["type"] for entry in entries]


async def test_a_change_waits_for_another_person_and_is_then_live(world: World) -> None:
    ada, bea = await under_two(world)
    waiting = await proposed(world, ada)
    assert waiting["changes"] == [{"section": "rules", "name": "R040", "change": "added"}]
    assert waiting["difference"]["cells"]["permitted"] > 0
    assert await live(world) == 1
    done = await approve(bea, waiting["proposal"])
    assert done.status_code == 200, done.text
    assert (done.json()["state"], done.json()["became"]) == ("approved", 2)
    assert (done.json()["author"]["name"], done.json()["decided_by"]["name"]) == ("ada", "bea")
    assert await live(world) == 2
    held = (await world.admin.get("/v1/policy/rules")).json()["rules"]
    assert "R040" in {rule["id"] for rule in held}
    assert {"server.manifest.proposed", "server.manifest.approved", "server.manifest.applied"} <= set(
        await types(world)
    )


async def test_the_author_is_refused_under_every_name_of_theirs(lite: World) -> None:
    ada, _ = await under_two(lite)
    waiting = await proposed(lite, ada)
    again = await ada.post("/v1/keys", json={"name": "ada", "roles": ["admin"]})
    second_key = await lite.client(again.json()["key"])
    other = await ada.post("/v1/keys", json={"name": "ada2", "roles": ["officer"]})
    second_client = await lite.client(other.json()["key"])
    borrowed = await ada.post("/v1/keys", json={"name": "bea", "roles": ["officer"]})
    as_bea = await lite.client(borrowed.json()["key"])
    grown = await second_key.post("/v1/keys", json={"name": "ada3", "roles": ["officer"]})
    grandchild = await lite.client(grown.json()["key"])
    for client in (ada, second_key, second_client, as_bea, grandchild):
        refused = await approve(client, waiting["proposal"])
        assert (refused.status_code, slug(refused)) == (403, "four-eyes")
    # Nor the other way round: what a key of hers proposes is hers.
    through = await proposed(lite, second_key, ANOTHER)
    assert slug(await approve(ada, through["proposal"])) == "four-eyes"
    assert await live(lite) == 1


async def test_a_key_counts_as_its_maker_until_another_person_confirms_it(lite: World) -> None:
    ada, bea = await under_two(lite)
    made = (await ada.post("/v1/keys", json={"name": "cleo", "roles": ["officer"]})).json()
    cleo = await lite.client(made["key"])
    listed = {key["id"]: key for key in (await ada.get("/v1/keys")).json()["keys"]}
    ada_id = next(key["client"] for key in listed.values() if key["name"] == "ada")
    assert listed[made["id"]]["counts_as"] == ada_id
    for own in (ada, cleo):
        assert slug(await own.post(f"/v1/keys/{made['id']}/confirm")) == "four-eyes"
    assert (await bea.post(f"/v1/keys/{made['id']}/confirm")).status_code == 204
    waiting = await proposed(lite, ada)
    assert (await approve(cleo, waiting["proposal"])).status_code == 200
    assert "server.key.confirmed" in await types(lite)


async def test_a_key_that_is_confirmed_later_does_not_approve_what_it_proposed(lite: World) -> None:
    ada, bea = await under_two(lite)
    made = (await ada.post("/v1/keys", json={"name": "cleo", "roles": ["admin"]})).json()
    cleo = await lite.client(made["key"])
    waiting = await proposed(lite, cleo)
    await bea.post(f"/v1/keys/{made['id']}/confirm")
    for each in (ada, cleo):
        assert slug(await approve(each, waiting["proposal"])) == "four-eyes"


async def test_where_nobody_is_left_the_operators_key_counts_as_a_person(lite: World) -> None:
    await under_two(lite)
    with_somebody = (await lite.operator.post("/v1/keys", json={"name": "new", "roles": ["admin"]})).json()
    keys = (await lite.operator.get("/v1/keys")).json()["keys"]
    assert next(key for key in keys if key["id"] == with_somebody["id"])["counts_as"] == "operator"
    for key in keys:
        await lite.operator.delete(f"/v1/keys/{key['id']}")
    first = await lite.operator.post("/v1/keys", json={"name": "first", "roles": ["admin"]})
    assert "counts_as" not in first.json()
    person = await lite.client(first.json()["key"])
    waiting = await proposed(lite, lite.operator)
    assert (await approve(lite.operator, waiting["proposal"])).status_code == 403
    assert (await approve(person, waiting["proposal"])).status_code == 200


async def test_of_two_proposals_the_second_is_overtaken(lite: World) -> None:
    ada, bea = await under_two(lite)
    one, other = await proposed(lite, ada), await proposed(lite, ada, ANOTHER)
    assert (await approve(bea, one["proposal"])).status_code == 200
    late = await approve(bea, other["proposal"])
    assert (late.status_code, slug(late)) == (409, "stale-proposal")
    listed = {each["proposal"]: each for each in (await bea.get("/v1/manifest/proposals")).json()["proposals"]}
    assert (listed[one["proposal"]]["state"], listed[other["proposal"]]["state"]) == ("approved", "stale")
    assert (await bea.post(f"/v1/manifest/proposals/{other['proposal']}/reject", json={"reason": "too late"})).json()[
        "state"
    ] == "rejected"


async def test_of_two_who_approve_at_once_one_does(world: World) -> None:
    ada, bea = await under_two(world)
    cleo = await world.operator.post("/v1/keys", json={"name": "cleo", "roles": ["officer"]})
    operator_made = await world.client(cleo.json()["key"])
    waiting = await proposed(world, ada)
    answers = await asyncio.gather(
        *(approve(client, waiting["proposal"]) for client in (bea, operator_made, bea, world.admin))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert {slug(answer) for answer in answers if answer.status_code == 409} == {"proposal-decided"}
    assert await live(world) == 2


async def test_approval_and_rejection_at_once_come_to_one_end(world: World) -> None:
    ada, bea = await under_two(world)
    waiting = (await proposed(world, ada))["proposal"]
    answers = await asyncio.gather(
        approve(bea, waiting),
        world.admin.post(f"/v1/manifest/proposals/{waiting}/reject", json={"reason": "no"}),
        ada.post(f"/v1/manifest/proposals/{waiting}/withdraw"),
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    end = next(answer.json()["state"] for answer in answers if answer.status_code == 200)
    assert (await live(world) == 2) == (end == "approved")


async def test_a_rejection_says_why_and_only_the_author_withdraws(lite: World) -> None:
    ada, bea = await under_two(lite)
    waiting = (await proposed(lite, ada))["proposal"]
    address = f"/v1/manifest/proposals/{waiting}"
    assert slug(await bea.post(f"{address}/withdraw")) == "not-the-author"
    assert slug(await ada.post(f"{address}/reject", json={"reason": "x"})) == "four-eyes"
    assert slug(await bea.post(f"{address}/reject", json={"reason": "  "})) == "invalid-reason"
    rejected = await bea.post(f"{address}/reject", json={"reason": "Leads need no behaviour."})
    assert rejected.json()["reason"] == "Leads need no behaviour."
    assert (await ada.get(address)).json()["proposal"]["reason"] == "Leads need no behaviour."
    assert slug(await approve(bea, waiting)) == "proposal-decided"
    own = (await proposed(lite, ada))["proposal"]
    assert own != waiting
    assert (await ada.post(f"/v1/manifest/proposals/{own}/withdraw")).json()["state"] == "withdrawn"
    assert await live(lite) == 1


async def test_proposing_the_same_again_is_the_same_proposal(lite: World) -> None:
    ada, _ = await under_two(lite)
    assert (await proposed(lite, ada))["proposal"] == (await proposed(lite, ada))["proposal"]
    assert (await proposed(lite, lite.admin))["proposal"] != (await proposed(lite, ada))["proposal"]
    nothing = await lite.apply(WHOLE, client=ada)
    assert (nothing.status_code, nothing.json()["status"], nothing.json()["changes"]) == (200, "live", [])


async def test_turning_four_eyes_off_takes_four_eyes(lite: World) -> None:
    ada, bea = await under_two(lite)
    waiting = await proposed(lite, ada, "approval: one\n")
    assert waiting["changes"] == [{"section": "approval", "name": "one", "change": "changed"}]
    assert slug(await approve(ada, waiting["proposal"])) == "four-eyes"
    assert (await approve(bea, waiting["proposal"])).status_code == 200
    assert (await lite.apply(ONE_MORE, client=ada)).json()["status"] == "live"


@pytest.mark.parametrize("value", ["three", "[two]", "{two: 1}", "{}", "2", "null"])
def test_approval_is_one_or_two(value: str) -> None:
    with pytest.raises(ManifestError) as refused:
        merge({}, load([("test.yaml", f"approval: {value}\n".encode())]))
    assert [(each.file, each.line) for each in refused.value.problems] == [("test.yaml", 1)]


async def test_what_would_be_refused_cannot_be_proposed(lite: World) -> None:
    ada, _ = await under_two(lite)
    unsound = ONE_MORE.replace("support_lead, action: use", "nobody, action: use")
    assert (await lite.apply(unsound, client=ada)).status_code == 400
    assert (await lite.apply("rules: []\n", client=ada)).status_code == 400
    assert slug(await lite.apply("rules: []\n", client=ada, prune=True)) == "rules-lost"
    forced = await proposed(lite, ada, "rules: []\n", prune=True, force=True)
    assert forced["loss"] == "No rule would be left that allows anything."
    assert (await lite.admin.get("/v1/manifest/proposals")).json()["proposals"][0]["forced"] is True


async def test_who_may_decide_is_an_officer_of_this_brand(lite: World) -> None:
    ada, _ = await under_two(lite)
    waiting = (await proposed(lite, ada))["proposal"]
    auditor = await lite.key("rev", "auditor")
    for step in ("approve", "withdraw"):
        assert (await auditor.post(f"/v1/manifest/proposals/{waiting}/{step}")).status_code == 403
    assert (await auditor.get("/v1/manifest/proposals")).status_code == 200
    founded = await lite.operator.post("/v1/tenants", json={"name": "other", "controller": "Other, France"})
    stranger = await lite.client(founded.json()["admin_key"])
    made_up = f"chg_{'0' * 32}"
    foreign, unknown = await approve(stranger, waiting), await approve(stranger, made_up)
    assert foreign.status_code == 404
    assert foreign.content == unknown.content
    assert (await stranger.get("/v1/manifest/proposals")).json() == {"proposals": []}


async def test_the_manifests_own_tests_run_before_it_is_proposed(lite: World) -> None:
    ada, bea = await under_two(lite)
    ask = "ask: {role: support_lead, action: use, category: behaviour, purpose: ads}"
    failing = f"policy_tests:\n  - {{id: leads, {ask}, person: {{}}, expect: permit}}\n"
    refused = await lite.apply(ONE_MORE + failing, client=ada)
    assert refused.status_code == 400
    assert "leads" in refused.text
    waiting = await proposed(lite, ada, ONE_MORE + failing.replace("permit", "deny"))
    assert waiting["tests"] == 1
    assert (await bea.get(f"/v1/manifest/proposals/{waiting['proposal']}")).json()["report"]["tests"] == 1
    assert (await approve(bea, waiting["proposal"])).status_code == 200
