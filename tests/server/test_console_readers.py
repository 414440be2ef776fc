"""Rights requests and holds in the console as an auditor sees them: what the API tells them, and nothing to act by."""

import httpx

from sayso.server.routes.console_rights import STEPS
from tests.server.test_console import key_of, sign_in
from tests.server.test_console_rights import opened, shown, status, step, stored
from tests.server.test_preferences import post
from tests.server.worlds import World


def forms(page: str) -> list[str]:
    """What the page sends anywhere, but for signing out and the look of it."""
    found = [each.partition(">")[0] for each in page.split("<form")[1:]]
    own = ("/console/leave", "/settings")
    return [each for each in found if 'method="post"' in each and not any(name in each for name in own)]


async def an_auditor(world: World) -> tuple[httpx.AsyncClient, str]:
    return await sign_in(world, await key_of(world, "rev", "auditor"))


async def test_an_auditor_reads_register_request_and_holds_and_is_shown_no_form(world: World) -> None:
    await world.smallest()
    await stored(world)
    erasure = await opened(world, "erasure")
    by_agent = await opened(world, "access", agent="Kanzlei Ahorn")
    hold = {"matter": "Linden v. Hale", "people": [await world.person()], "reason": "Claim."}
    assert (await world.admin.post("/v1/holds", json=hold)).status_code == 201
    officer, csrf = await sign_in(world, await key_of(world, "ines", "officer"))
    await step(officer, csrf, erasure, "refuse", reason="other", statement="We think not.")
    auditor, _ = await an_auditor(world)
    register = await auditor.get("/console/rights")
    assert (register.status_code, by_agent in register.text) == (200, True)
    assert 'href="/console/rights"' in (await auditor.get("/console/")).text
    waits = await shown(auditor, by_agent)
    assert "Kanzlei Ahorn" in await shown(officer, by_agent)
    assert "Kanzlei Ahorn" not in waits
    assert "rights.request.opened" in waits
    assert "Evidence for this request" in waits
    refused = await shown(auditor, erasure)
    assert "We think not." in refused
    holds = (await auditor.get("/console/holds")).text
    assert "Linden v. Hale" in holds
    for page in (register.text, waits, refused, holds):
        assert forms(page) == []
    assert forms(await shown(officer, by_agent))


async def test_an_auditor_sees_what_came_of_an_erasure_and_the_plan_is_for_officers(world: World) -> None:
    await world.smallest()
    await stored(world)
    request = await opened(world, "erasure")
    officer, csrf = await sign_in(world, await key_of(world, "ines", "officer"))
    auditor, _ = await an_auditor(world)
    assert "Erasure plan" in await shown(officer, request)
    assert "Erasure plan" not in await shown(auditor, request)
    await step(officer, csrf, request, "verify")
    await step(officer, csrf, request, "fulfil")
    done = await shown(auditor, request)
    assert "rights.erasure.completed" in done
    certificate = await auditor.get(f"/console/rights/{request}/certificate")
    assert (certificate.status_code, certificate.text.count(".")) == (200, 2)


async def test_whatever_an_auditor_posts_is_refused_and_changes_nothing(lite: World) -> None:
    await lite.smallest()
    request = await opened(lite, "access")
    wanted = {"matter": "Linden v. Hale", "people": [await lite.person()], "reason": "Claim."}
    hold = (await lite.admin.post("/v1/holds", json=wanted)).json()["hold"]
    auditor, csrf = await an_auditor(lite)
    before = await status(lite, request)
    for name in (*STEPS, "evidence", "values"):
        assert (await step(auditor, csrf, request, name)).status_code == 403, name
    for path in ("", *(f"/{hold}/{each}" for each in ("approve", "decline", "release"))):
        assert (await post(auditor, f"/console/holds{path}", csrf=csrf, matter="x")).status_code == 403, path
    assert (await auditor.get(f"/console/rights/{request}/package")).status_code == 403
    assert await status(lite, request) == before
    assert (await lite.admin.get(f"/v1/holds/{hold}")).json()["state"] == "proposed"
