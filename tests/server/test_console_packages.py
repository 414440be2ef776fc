"""Guarded values in an access package, by the console alone: asked for there, agreed to there, used once."""

import re
from typing import NamedTuple

import httpx
import msgspec

from tests.server.test_console import sign_in
from tests.server.test_console_rights import shown, step
from tests.server.test_rights_packages import EMAIL, GUARDED, a_person, asked, files, work
from tests.server.worlds import World


async def officer(world: World, name: str, role: str = "admin") -> str:
    """A key of somebody who counts as themselves: another person than its maker said whose it is."""
    made = (await world.admin.post("/v1/keys", json={"name": name, "roles": [role]})).json()
    assert (await world.operator.post(f"/v1/keys/{made['id']}/confirm")).status_code == 204
    key: str = made["key"]
    return key


def grant_in(page: str) -> str:
    """The one grant that a form of the page carries."""
    (found,) = set(re.findall(r'name="grant" value="([^"]+)"', page))
    return found


class Desk(NamedTuple):
    """A request whose package holds a guarded value, and two officers signed in at it, each with their form's token."""

    subject: str
    ada: str
    request: str
    browser: httpx.AsyncClient
    csrf: str
    other: httpx.AsyncClient
    other_csrf: str


async def a_desk(world: World) -> Desk:
    subject = await a_person(world)
    ada, bea = await officer(world, "ada"), await officer(world, "bea", "officer")
    assert (await world.apply(GUARDED)).status_code == 200
    request = await asked(world, subject)
    await work(world)
    return Desk(subject, ada, request, *(await sign_in(world, ada)), *(await sign_in(world, bea)))


async def test_two_officers_put_guarded_values_into_a_package_by_forms(lite: World) -> None:
    subject, ada, request, browser, csrf, other, other_csrf = await a_desk(lite)
    page = await shown(browser, request)
    assert "customers.email" in page
    assert 'name="grant"' not in page
    assert (await step(browser, csrf, request, "ask", reason=" ")).status_code == 409
    assert (await step(browser, csrf, request, "ask", reason="They showed who they are.")).status_code == 303
    mine = await shown(browser, request)
    assert 'name="grant"' not in mine
    assert "Ask another person" not in mine
    theirs = await shown(other, request)
    assert "They showed who they are." in theirs
    grant = grant_in(theirs)

    # Not by who asked or a key of hers, not on another request's page, not without a word.
    elsewhere = await asked(lite, subject, "portability")
    own = (await (await lite.client(ada)).post("/v1/keys", json={"name": "ada2", "roles": ["officer"]})).json()["key"]
    twin, twin_csrf = await sign_in(lite, own)
    assert grant not in await shown(other, elsewhere)
    for who, token, at, said in (
        (browser, csrf, request, "yes"),
        (twin, twin_csrf, request, "yes"),
        (other, other_csrf, elsewhere, "yes"),
        (other, other_csrf, request, "perhaps"),
    ):
        assert (await step(who, token, at, "agree", grant=grant, agree=said)).status_code == 409
    # Before it is approved it opens nothing.
    early = await step(browser, csrf, request, "package", grant=grant)
    assert (early.status_code, "Nothing was done." in early.text) == (409, True)

    assert (await step(other, other_csrf, request, "agree", grant=grant, agree="yes")).status_code == 303
    assert grant_in(await shown(browser, request)) == grant
    assert 'name="grant"' not in await shown(other, request)
    # Approved for ada, so it is no one else's to use.
    assert (await step(other, other_csrf, request, "package", grant=grant)).status_code == 409
    assert (await step(browser, csrf, request, "package", grant=grant)).status_code == 303
    await work(lite)
    told = msgspec.json.decode((await files(lite, request))["data.json"])
    assert (told["values"]["customers.email"], told["withheld"]) == (EMAIL, [])
    again = await step(browser, csrf, request, "package", grant=grant)
    assert (again.status_code, grant in again.text) == (409, False)


async def test_what_another_person_turned_down_can_be_asked_for_again(lite: World) -> None:
    _, _, request, browser, csrf, other, other_csrf = await a_desk(lite)
    await step(browser, csrf, request, "ask", reason="They asked.")
    grant = grant_in(await shown(other, request))
    assert (await step(other, other_csrf, request, "agree", grant=grant, agree="no")).status_code == 303
    assert 'name="grant"' not in await shown(other, request)
    assert "Ask another person" in await shown(browser, request)
    assert (await step(browser, csrf, request, "package", grant=grant)).status_code == 409
