"""The access package: what stands in it, who may fetch it, and that making it survives whatever happens."""

import io
import zipfile
from typing import Any

import httpx
import msgspec
from freezegun import freeze_time
from sqlalchemy import select

from audit import AuditEvent
from rights import Reach
from sayso.kernel import SYSTEM, Actor, Context, Tx, Work, new_id, now, raw
from sayso.server.packages.tables import package
from sayso.server.tables import sessions
from tests.server.test_preferences import post
from tests.server.test_rights_identity import a_request, verify
from tests.server.worlds import World

EMAIL = "linden.baum@example.com"
PATH = "/v1/rights/requests"
OFFICER = Actor(new_id("key"), "ines", "service", frozenset({"officer"}))


async def a_person(world: World) -> str:
    await world.smallest()
    subject = await world.person()
    await world.choose(subject)
    await world.choose(subject, choices={"marketing.email": "refused"})
    body = {"subject": subject, "collection": "customers", "fields": {"email": EMAIL, "phone": "+353851234567"}}
    assert (await world.admin.post("/v1/vault/records", json=body)).status_code == 201
    return subject


async def asked(world: World, subject: str, kind: str = "access", locale: str = "en") -> str:
    request = await a_request(world, subject, kind)
    assert (await verify(world, request, method="officer")).status_code == 200
    made = await world.admin.post(f"{PATH}/{request}/package", json={"locale": locale})
    assert (made.status_code, made.json()["state"]) == (202, "making"), made.text
    return request


async def work(world: World) -> None:
    for _ in range(50):
        if not await world.services.workers.jobs.work("default", at_once=True):
            return


async def files(world: World, request: str, client: httpx.AsyncClient | None = None) -> dict[str, bytes]:
    response = await (client or world.admin).get(f"{PATH}/{request}/package")
    assert (response.status_code, response.headers["content-type"]) == (200, "application/zip"), response.text
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


async def types(world: World) -> list[str]:
    await world.services.settle()
    found = (await world.admin.get("/v1/audit/entries", params={"limit": 200})).json()
    return [each["type"] for each in found["entries"]]


async def test_a_package_holds_everything_to_read_and_for_machines(world: World) -> None:
    subject = await a_person(world)
    request = await asked(world, subject)
    early = await world.admin.get(f"{PATH}/{request}/package")
    assert early.status_code in (200, 409)
    await world.services.settle()
    await work(world)
    state = (await world.admin.get(f"{PATH}/{request}/package/state")).json()
    assert (state["state"], state["progress"]) == ("ready", 1.0)
    found = await files(world, request)
    told: dict[str, Any] = msgspec.json.decode(found["data.json"])
    assert told["format"] == "sayso.person.v2"
    assert told["values"] == {"customers.email": EMAIL, "customers.phone": "+353851234567"}
    assert [item["choices"] for item in told["history"]] == [
        {"marketing.email": "refused"},
        {"marketing.email": "granted"},
    ]
    assert [each["type"] for each in told["identifiers"]] == ["customer_id"]
    assert [each["request"] for each in told["requests"]] == [request]
    assert told["state"]["purposes"]["marketing.email"]["status"] == "refused"
    receipts = [name for name in found if name.endswith(".jws")]
    assert sorted(receipts) == sorted(f"receipts/{item['record']}.jws" for item in told["history"])
    page = found["data.html"].decode()
    assert EMAIL in page
    assert page.count("<h1>") == 1
    assert page.rstrip().endswith("</html>")
    assert {"rights.package.made", "rights.package.fetched"} <= set(await types(world))


async def test_a_portable_copy_is_for_machines_and_a_chinese_one_is_chinese(world: World) -> None:
    subject = await a_person(world)
    portable = await asked(world, subject, "portability")
    chinese = await asked(world, subject, "access", "zh-CN")
    await work(world)
    assert "data.html" not in await files(world, portable)
    assert '<html lang="zh-CN"' in (await files(world, chinese))["data.html"].decode()


async def test_only_what_was_verified_and_is_answered_by_a_package_has_one(lite: World) -> None:
    subject = await a_person(lite)
    unverified, erasure = await a_request(lite, subject, "access"), await a_request(lite, subject, "erasure")
    await verify(lite, erasure, method="officer")
    assert (await lite.admin.post(f"{PATH}/{unverified}/package", json={})).status_code == 409
    assert (await lite.admin.post(f"{PATH}/{erasure}/package", json={})).status_code == 404
    assert (await lite.admin.get(f"{PATH}/{unverified}/package")).status_code == 404
    request = await asked(lite, subject)
    auditor = await lite.key("auditor", "auditor")
    assert (await auditor.get(f"{PATH}/{request}/package")).status_code == 403


async def test_a_package_ends_and_goes_with_the_person(world: World) -> None:
    subject = await a_person(world)
    with freeze_time("2026-12-01T10:00:00Z", real_asyncio=True) as clock:
        request = await asked(world, subject)
        await work(world)
        await files(world, request)
        clock.move_to("2026-12-16T10:00:00Z")
        assert (await world.admin.get(f"{PATH}/{request}/package")).status_code == 404
        again = await asked(world, subject)
        await work(world)
        erasure = await a_request(world, subject, "erasure")
        await verify(world, erasure, method="officer")
        assert (await world.admin.post(f"{PATH}/{erasure}/fulfil", json={})).status_code == 200
        assert (await world.admin.get(f"{PATH}/{again}/package")).status_code == 404


async def test_an_erasure_while_a_package_is_made_leaves_nothing(lite: World) -> None:
    subject = await a_person(lite)
    request = await asked(lite, subject)
    erasure = await a_request(lite, subject, "erasure")
    await verify(lite, erasure, method="officer")
    assert (await lite.admin.post(f"{PATH}/{erasure}/fulfil", json={})).status_code == 200
    await work(lite)
    assert (await lite.admin.get(f"{PATH}/{request}/package")).status_code == 404


async def test_an_erasure_leaves_no_row_that_names_the_person_under_any_id_of_theirs(world: World) -> None:
    """In the erasure's own commit: whoever is killed a moment later leaves nothing either."""
    subject = await a_person(world)
    other, merged = await world.person("c-2"), await world.person("ann@example.org", "email")
    kept, gone = raw(subject, "sub"), raw(merged, "sub")
    await asked(world, merged)
    await asked(world, other)
    await asked(world, subject)
    body = {"identifier": {"type": "email", "value": "ann@example.org"}}
    joined = await world.admin.post(f"/v1/subjects/{subject}/identifiers", json=body)
    assert joined.json()["merged"] == merged, joined.text
    erasure = await a_request(world, subject, "erasure")
    await verify(world, erasure, method="officer")

    def unit(tx: Tx) -> Work[Any]:
        desk, live = world.services.desk, world.services.configurations.of("default")
        return desk.fulfilled(tx, live.policy, erasure, (), "", Reach())

    context = Context("default", OFFICER, now(), "test")
    await world.services.database.run_alone(context, unit)

    def left(tx: Tx) -> Work[list[bytes]]:
        (packages, open_pages) = yield (tx.select(select(package.c.subject)), tx.select(select(sessions.c.ref)))
        return [bytes(row[0]) for row in (*packages, *open_pages)]

    named = await world.services.database.look(context, left)
    assert raw(other, "sub") in named
    assert not {kept, gone} & set(named)


async def test_a_person_fetches_their_own_package_and_nobody_elses(lite: World) -> None:
    from tests.server.test_preferences import enter

    subject = await a_person(lite)
    request = await asked(lite, subject)
    await work(lite)
    passed_on, _ = await enter(lite, subject)
    assert f"/p/you/requests/{request}/package" not in (await passed_on.get("/p/you/data")).text
    assert (await passed_on.get(f"/p/you/requests/{request}/package")).status_code == 404
    browser, csrf = await enter(lite, subject, signed_in=True)
    assert f"/p/you/requests/{request}/package" in (await browser.get("/p/you/data")).text
    mine = await browser.get(f"/p/you/requests/{request}/package")
    assert (mine.status_code, mine.headers["content-type"]) == (200, "application/zip")
    other, _ = await enter(lite, await lite.person("c-2"))
    assert (await other.get(f"/p/you/requests/{request}/package")).status_code == 404
    assert (await post(browser, f"/p/you/requests/{request}/package", csrf=csrf)).status_code == 405


async def test_what_was_turned_down_is_handed_to_nobody(lite: World) -> None:
    subject = await a_person(lite)
    request = await asked(lite, subject)
    await work(lite)
    refused = await lite.admin.post(f"/v1/rights/requests/{request}/refuse", json={"reason": "suspected_fraud"})
    assert refused.status_code == 200, refused.text
    assert (await lite.admin.get(f"/v1/rights/requests/{request}/package")).status_code == 404
    assert (await lite.admin.post(f"/v1/rights/requests/{request}/package", json={})).status_code == 404


async def test_many_pages_of_entries_are_packed(lite: World) -> None:
    subject = await a_person(lite)
    services = lite.services
    context = Context("default", SYSTEM, now(), "test")

    def unit(tx: Tx) -> Work[None]:
        (row,) = yield (services.keyring.read(tx, raw(subject)),)
        key = services.keyring.unwrap("default", raw(subject), "log", row)
        for _ in range(250):
            res = {"action": "use", "category": "contact.email", "purpose": "marketing.email", "rule": "R010"}
            services.audit.append(tx, AuditEvent("access.permitted", "permit", res, raw(subject)), key)

    for _ in range(2):
        await services.database.run_alone(context, unit)
    await services.settle()
    request = await asked(lite, subject)
    started = now()
    await work(lite)
    print(f"a package of 500 entries: {(now() - started) / 1e6:.1f} s")
    told = msgspec.json.decode((await files(lite, request))["data.json"])
    assert len(told["uses"]) >= 500


GUARDED = """
collections:
  customers:
    fields:
      email: {type: email, category: contact.email, index: [exact], guard: second_person}
      phone: {type: phone, category: contact.phone}
"""


async def test_guarded_values_are_left_out_until_a_second_person_agrees(lite: World) -> None:
    subject = await a_person(lite)
    assert (await lite.apply(GUARDED)).status_code == 200
    assert (await lite.admin.post("/v1/vault/canaries", json={"subject": subject})).status_code == 201
    request = await asked(lite, subject)
    await work(lite)
    found = await files(lite, request)
    told = msgspec.json.decode(found["data.json"])
    assert (told["values"], told["withheld"]) == ({"customers.phone": "+353851234567"}, ["customers.email"])
    assert EMAIL not in found["data.html"].decode()
    assert "a second person has to agree" in found["data.html"].decode()
    state = (await lite.admin.get(f"{PATH}/{request}/package/state")).json()
    assert (state["state"], state["withheld"]) == ("ready", ["customers.email"])
    assert "vault.alarm.raised" in await types(lite)

    body = {"tokens": [request], "purpose": "dsar", "reason": "the person proved who they are"}
    grant = (await lite.admin.post("/v1/vault/grants", json=body)).json()["grant"]
    path = f"{PATH}/{request}/package"
    early = await lite.admin.post(path, json={"grant": grant})
    assert (early.status_code, early.json()["type"].rpartition("#")[2]) == (404, "no-grant")
    assert (await lite.operator.post(f"/v1/vault/grants/{grant}/approve")).status_code == 200
    other = await asked(lite, subject, "portability")
    assert (await lite.admin.post(f"{PATH}/{other}/package", json={"grant": grant})).status_code == 404
    assert (await lite.admin.post(path, json={"grant": grant})).json()["state"] == "making"
    await work(lite)
    told = msgspec.json.decode((await files(lite, request))["data.json"])
    assert (told["values"]["customers.email"], told["withheld"]) == (EMAIL, [])
