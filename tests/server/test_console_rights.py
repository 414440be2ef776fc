"""Rights requests in the console: an officer works through them with forms that need no script."""

import io
import zipfile
from typing import Any

import httpx
from freezegun import freeze_time

from audit import verify
from tests.server.test_console import key_of, sign_in
from tests.server.test_preferences import post
from tests.server.worlds import World

PATH = "/v1/rights/requests"
TWO = "rights: {two_officers: [erasure]}\n"
EMAIL = "linden.baum@example.com"


async def opened(world: World, kind: str, law: str = "gdpr", value: str = "c-1", **more: Any) -> str:
    subject = await world.person(value)
    body = {"subject": subject, "kind": kind, "law": law, "country": "DE", "timezone": "Europe/Berlin"} | more
    answer = await world.admin.post(PATH, json=body)
    assert answer.status_code == 201, answer.text
    found: str = answer.json()["request"]
    return found


async def stored(world: World, value: str = "c-1", email: str = EMAIL) -> dict[str, str]:
    subject = await world.person(value)
    body = {"subject": subject, "collection": "customers", "fields": {"email": email}}
    answer = await world.admin.post("/v1/vault/records", json=body)
    assert answer.status_code == 201, answer.text
    tokens: dict[str, str] = answer.json()["tokens"]
    return tokens


async def step(browser: httpx.AsyncClient, csrf: str, request: str, name: str, **fields: str) -> httpx.Response:
    return await post(browser, f"/console/rights/{request}/{name}", csrf=csrf, **fields)


async def shown(browser: httpx.AsyncClient, request: str) -> str:
    answer = await browser.get(f"/console/rights/{request}")
    assert answer.status_code == 200, answer.text
    return answer.text


async def status(world: World, request: str) -> dict[str, Any]:
    found: dict[str, Any] = (await world.admin.get(f"{PATH}/{request}")).json()
    return found


async def test_the_list_is_filtered_by_kind_law_state_and_day(world: World) -> None:
    await world.smallest()
    erasure, access = await opened(world, "erasure"), await opened(world, "access", "ccpa", "c-2")
    refused = await opened(world, "restriction", "pipl", "c-3")
    browser, csrf = await sign_in(world, await key_of(world, "ines", "officer"))
    await step(browser, csrf, refused, "refuse", reason="no_match", statement="We do not know you.")
    everything = (await browser.get("/console/rights")).text
    assert everything.index(erasure) < everything.index(access)
    assert refused not in everything
    for query, expected in (
        ("kind=access", {access}),
        ("law=gdpr", {erasure}),
        ("status=denied", {refused}),
        ("due=late", set()),
        ("kind=access&law=gdpr", set()),
    ):
        page = (await browser.get(f"/console/rights?{query}")).text
        assert {each for each in (erasure, access, refused) if each in page} == expected, query
    assert (await browser.get("/console/rights?law=nowhere")).status_code == 400
    chinese = (await browser.get("/console/rights", headers={"accept-language": "zh-CN"})).text
    assert "Rights requests" not in chinese


async def test_an_erasure_from_receipt_to_its_certificate(world: World) -> None:
    await world.smallest()
    await stored(world)
    request = await opened(world, "erasure")
    browser, csrf = await sign_in(world, await key_of(world, "ines", "officer"))
    page = await shown(browser, request)
    assert "Erasure plan" in page
    assert "GDPR 12(3)" in page
    assert "Erase now" not in page
    early = await step(browser, csrf, request, "fulfil")
    assert (early.status_code, "Nothing was done." in early.text) == (409, True)
    assert (await step(browser, csrf, request, "verify")).status_code == 303
    wrong = await step(browser, csrf, request, "fulfil", **{"class": "nothing", "ground": "A law."})
    assert wrong.status_code == 409
    assert (await step(browser, csrf, request, "fulfil")).status_code == 303
    done = await shown(browser, request)
    assert "rights.erasure.completed" in done
    assert "Erasure plan" not in done
    jws = await browser.get(f"/console/rights/{request}/certificate")
    assert jws.headers["content-disposition"].startswith("attachment")
    assert jws.text.count(".") == 2


async def test_two_officers_where_the_manifest_asks_for_them(world: World) -> None:
    await world.smallest()
    ada, bea = await key_of(world, "ada", "admin"), await key_of(world, "bea", "officer")
    assert (await world.apply(TWO)).status_code == 200
    await stored(world)
    request = await opened(world, "erasure")
    browser, csrf = await sign_in(world, ada)
    other, other_csrf = await sign_in(world, bea)
    await step(browser, csrf, request, "verify")
    kept = {"class": "standard", "ground": "Section 147 AO: invoices", "until": "2036-12-31"}
    assert (await step(browser, csrf, request, "fulfil", **kept)).status_code == 303
    waiting = await status(world, request)
    assert (waiting["status"], waiting["proposal"]["grounds"][0]["class"]) == ("in_progress", "standard")
    assert "for a second officer" in (await browser.get("/console/rights")).text
    mine = await shown(browser, request)
    assert "/approve" not in mine
    assert (await step(browser, csrf, request, "approve")).status_code == 409
    # A key that she made for herself is she.
    made = await (await world.client(ada)).post("/v1/keys", json={"name": "ada2", "roles": ["officer"]})
    twin, twin_csrf = await sign_in(world, made.json()["key"])
    refused = await step(twin, twin_csrf, request, "approve")
    assert (refused.status_code, "Another officer than the one who proposed" in refused.text) == (409, True)
    # No way round by the API either.
    again = await world.admin.post(f"{PATH}/{request}/fulfil", json={})
    assert (again.status_code, again.json()["type"].rpartition("#")[2]) == (409, "proposal-waits")
    assert "Section 147 AO" in await shown(other, request)
    assert (await step(other, other_csrf, request, "decline", reason="Invoices are elsewhere.")).status_code == 303
    assert "proposal" not in await status(world, request)
    assert (await step(other, other_csrf, request, "approve")).status_code == 409
    await step(browser, csrf, request, "fulfil")
    assert (await step(other, other_csrf, request, "approve")).status_code == 303
    assert (await status(world, request))["status"] == "fulfilled"


async def test_what_is_proposed_to_be_corrected_is_what_is_approved(lite: World) -> None:
    await lite.smallest()
    ada, bea = await lite.key("ada", "officer"), await lite.key("bea", "officer")
    assert (await lite.apply("rights: {two_officers: [rectification]}\n")).status_code == 200
    await stored(lite)
    right = {"collection": "customers", "field": "email", "value": EMAIL}
    at = f"{PATH}/{await opened(lite, 'rectification', corrections=[right])}"
    await ada.post(f"{at}/verify", json={"method": "officer"})
    assert (await ada.post(f"{at}/fulfil", json={})).status_code == 200
    for officer in (ada, bea):
        other = await officer.put(f"{at}/corrections", json={"corrections": [right | {"value": "x@example.com"}]})
        assert (other.status_code, other.json()["type"].rpartition("#")[2]) == (409, "proposal-waits")
    assert (await bea.get(f"{at}/corrections")).json() == {"corrections": [right]}
    assert (await bea.post(f"{at}/approve")).json()["status"] == "fulfilled"


async def test_the_clock_rests_is_extended_and_an_appeal_has_its_own(world: World) -> None:
    await world.smallest()
    browser, csrf = await sign_in(world, await key_of(world, "ines", "officer"))
    request = await opened(world, "access")
    await world.services.settle()
    await step(browser, csrf, request, "pause", reason="clarification")
    assert "Let the clock run again" in await shown(browser, request)
    await step(browser, csrf, request, "resume")
    assert (await step(browser, csrf, request, "extend", reason="")).status_code == 409
    await step(browser, csrf, request, "extend", reason="Many systems are concerned.")
    extended = await status(world, request)
    assert extended["due_on"] == extended["extension"]["until"]
    assert "Many systems are concerned." in await shown(browser, request)
    assert (await step(browser, csrf, request, "appeal")).status_code == 409
    await step(browser, csrf, request, "refuse", reason="claim_not_covered", statement="It is not yours.")
    await step(browser, csrf, request, "appeal", statement="It is mine.")
    appealed = await status(world, request)
    assert (appealed["status"], "outcome" in appealed["appeal"]) == ("denied", False)
    assert request in (await browser.get("/console/rights")).text
    assert request in (await browser.get("/console/rights?status=appealed")).text
    assert (await step(browser, csrf, request, "decide", outcome="perhaps", statement="x")).status_code == 409
    await step(browser, csrf, request, "decide", outcome="overturned", statement="You are right.")
    decided = await status(world, request)
    assert decided["appeal"]["outcome"] == "overturned"
    queue = (await world.admin.get(PATH)).json()["requests"]
    assert [(each["kind"], each["related"]) for each in queue] == [("access", request)]
    assert (await step(browser, csrf, request, "appeal")).status_code == 409


async def test_a_correction_goes_through_the_vault_and_is_seen_only_with_an_entry(world: World) -> None:
    await world.smallest()
    token = (await stored(world, email="wrong@example.com"))["email"]
    request = await opened(world, "rectification")
    browser, csrf = await sign_in(world, await key_of(world, "ines", "officer"))
    await step(browser, csrf, request, "verify")
    bad = await step(browser, csrf, request, "correct", field="customers.email", value="nobody")
    assert (bad.status_code, "nobody" in bad.text.partition("Nothing was done.")[2][:200]) == (409, False)
    await step(browser, csrf, request, "correct", field="customers.email", value=EMAIL)
    page = await shown(browser, request)
    assert "customers.email" in page
    assert EMAIL not in page
    assert EMAIL not in (await world.admin.get(f"{PATH}/{request}")).text
    laid_open = await step(browser, csrf, request, "values")
    assert EMAIL in laid_open.text
    assert (await step(browser, csrf, request, "fulfil")).status_code == 303
    await world.services.settle()
    entries = (await world.admin.get("/v1/audit/entries", params={"type": "rights.rectification.*"})).json()["entries"]
    assert [each["type"].rpartition(".")[2] for each in entries] == ["completed", "read", "named"]
    sender = await world.key("sender", "marketing_sender")
    await world.choose(await world.person())
    body = {"items": [{"token": token}], "purpose": "marketing.email", "reason": "test"}
    assert (await sender.post("/v1/vault/reveal", json=body)).json()["results"][0]["value"] == EMAIL
    assert (await world.admin.get(f"{PATH}/{request}/corrections")).status_code == 400


async def test_what_a_guarded_field_should_be_is_laid_open_to_nobody_alone(lite: World) -> None:
    await lite.smallest()
    fields = (
        "email: {type: email, category: contact.email, guard: [second_person]},"
        " phone: {type: phone, category: contact.phone}"
    )
    assert (await lite.apply(f"collections: {{customers: {{fields: {{{fields}}}}}}}\n")).status_code == 200
    said = [
        {"collection": "customers", "field": name, "value": value}
        for name, value in (("email", EMAIL), ("phone", "+4930123456"))
    ]
    request = await opened(lite, "rectification", corrections=said)
    browser, csrf = await sign_in(lite, await key_of(lite, "ines", "officer"))
    shown_ = await step(browser, csrf, request, "values")
    assert (EMAIL in shown_.text, "4930123456" in shown_.text) == (False, True)
    assert (await lite.admin.get(f"{PATH}/{request}/corrections")).json() == {"corrections": said[1:]}
    await step(browser, csrf, request, "verify")
    assert (await step(browser, csrf, request, "fulfil")).status_code == 303


async def test_the_evidence_of_a_request_verifies_and_says_what_was_done(world: World, tmp_path: Any) -> None:
    await world.smallest()
    await stored(world)
    request = await opened(world, "erasure")
    browser, csrf = await sign_in(world, await key_of(world, "ines", "officer"))
    for name in ("verify", "fulfil"):
        await step(browser, csrf, request, name)
    pack = await step(browser, csrf, request, "evidence")
    assert (pack.status_code, pack.headers["content-type"]) == (200, "application/zip"), pack.text
    path = tmp_path / "pack.zip"
    path.write_bytes(pack.content)
    verdict = verify(path)
    assert verdict.code == 0, verdict
    with zipfile.ZipFile(io.BytesIO(pack.content)) as archive:
        assert {"request.json", "law.json", "systems.json", "certificate.jws", "REQUEST.txt"} <= set(archive.namelist())
        entries = archive.read("entries.jsonl").decode()
        (tmp_path / "certificate.jws").write_bytes(archive.read("certificate.jws"))
    assert verify(tmp_path / "certificate.jws").code == 0
    for event in ("request.opened", "request.verified", "erasure.completed", "evidence.exported"):
        assert f'"rights.{event}"' in entries
    assert len(entries.splitlines()) == 4
    assert EMAIL.encode() not in pack.content
    # A byte changed anywhere is found.
    broken = pack.content.replace(b'"gdpr"', b'"ccpa"') if b'"gdpr"' in pack.content else pack.content[:-1]
    path.write_bytes(broken)
    assert verify(path).code != 0


async def test_holds_are_proposed_by_name_and_by_search_and_take_two(world: World) -> None:
    await world.smallest()
    await stored(world)
    await world.person("ann@example.org", "email")
    request = await opened(world, "erasure")
    browser, csrf = await sign_in(world, await key_of(world, "ada", "officer"))
    other, other_csrf = await sign_in(world, await key_of(world, "bea", "officer"))
    fields = {"matter": "Case 12", "kind": "email", "people": "ann@example.org", "categories": "contact.email"}
    nobody = await post(browser, "/console/holds", csrf=csrf, **(fields | {"people": "ann@example.org\nx@example.org"}))
    assert (nobody.status_code, "Line 2" in nobody.text, "x@example.org" in nobody.text) == (409, True, False)
    searched = fields | {"field": "customers.email", "value": EMAIL}
    assert (await post(browser, "/console/holds", csrf=csrf, **searched)).status_code == 303
    (hold,) = (await world.admin.get("/v1/holds")).json()["holds"]
    assert (len(hold["people"]), hold["state"]) == (2, "proposed")
    assert "/approve" not in (await browser.get("/console/holds")).text
    assert (await post(browser, f"/console/holds/{hold['hold']}/approve", csrf=csrf)).status_code == 409
    assert (await post(other, f"/console/holds/{hold['hold']}/approve", csrf=other_csrf)).status_code == 303
    await step(other, other_csrf, request, "verify")
    assert "A legal hold stands over this person" in await shown(other, request)
    assert (await step(other, other_csrf, request, "fulfil")).status_code == 409
    assert (await post(other, f"/console/holds/{hold['hold']}/release", csrf=other_csrf)).status_code == 303
    assert (await post(browser, f"/console/holds/{hold['hold']}/approve", csrf=csrf)).status_code == 303
    assert (await step(other, other_csrf, request, "fulfil")).status_code == 303


async def test_forms_without_the_sessions_token_and_other_roles_do_nothing(lite: World) -> None:
    await lite.smallest()
    request = await opened(lite, "access")
    browser, _ = await sign_in(lite, await key_of(lite, "ines", "officer"))
    auditor, csrf = await sign_in(lite, await key_of(lite, "rev", "auditor"))
    stranger = await lite.client(None)
    for name in ("verify", "evidence", "values", "fulfil"):
        assert (await step(browser, "made-up", request, name)).status_code == 403
        assert (await step(auditor, csrf, request, name)).status_code == 403
    for path in ("/console/rights", f"/console/rights/{request}", "/console/holds"):
        assert (await stranger.get(path)).headers["location"] == "/console/"
    assert (await step(browser, _, request, "nothing")).status_code == 404
    assert (await status(lite, request))["status"] == "open"


async def test_a_request_past_its_day_is_late_in_the_list(lite: World) -> None:
    await lite.smallest()
    with freeze_time("2026-12-01T10:00:00Z", real_asyncio=True) as clock:
        request = await opened(lite, "access")
        await lite.services.settle()
        clock.move_to("2027-01-20T10:00:00Z")
        browser, _ = await sign_in(lite, await key_of(lite, "ines", "officer"))
        page = (await browser.get("/console/rights?due=late", headers={"accept-language": "en"})).text
        assert request in page
        assert "late by" in page
