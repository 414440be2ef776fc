"""The brand's own domain: a second host name that is the brand's alone, and what makes its page installable."""

import struct
from typing import Any

import httpx
import pytest

from tests.builders.sign_in import JWKS, a_sign_in
from tests.server.test_preferences import a_link, post
from tests.server.test_tenants import another
from tests.server.worlds import MANIFEST, World

HOST = "privacy.tea.example"
SITES = f"""
clients:
  shop: {{roles: [recorder], sign_in: {JWKS}}}
sites:
  shop: {{origins: ["https://tea.example"], notice: web, portal: "https://{HOST}",
    look: {{name: Tea House, accent: "#3d5a2a"}}}}
  till: {{origins: ["https://till.example"], notice: web, look: {{name: 茶室, accent: "#7a1f3d"}}}}
"""


async def brands(world: World) -> tuple[str, httpx.AsyncClient]:
    """Two brands, of which the older has a host of its own; a person of it and the other's administrator."""
    manifest = MANIFEST.read_text("utf-8").partition("sites:")[0] + SITES
    applied = await world.apply(manifest)
    assert applied.status_code == 200, applied.text
    acme = await another(world)
    assert (await world.apply(MANIFEST.read_text("utf-8"), client=acme)).status_code == 200
    return await world.person(), acme


async def on(world: World, host: str) -> httpx.AsyncClient:
    return await world.client(None, host=host, origin=f"https://{host}")


async def test_links_lead_to_the_brands_host_and_open_it_with_a_cookie_of_its_own(lite: World) -> None:
    subject, _ = await brands(lite)
    made = (await lite.admin.post(f"/v1/subjects/{subject}/links", json={})).json()
    assert made["url"].startswith(f"https://{HOST}/p/#default.")
    person = await on(lite, HOST)
    entered = await post(person, "/p/session", code=made["code"])
    kept = entered.headers["set-cookie"].lower()
    assert (entered.status_code, "secure" in kept, "domain" in kept) == (303, True, False)
    strange = await lite.admin.post(f"/v1/subjects/{subject}/links", json={"site": "none"})
    assert strange.status_code == 404


async def test_on_the_brands_host_no_other_brand_comes_in(lite: World) -> None:
    subject, acme = await brands(lite)
    theirs = (
        await acme.post(
            "/v1/subjects/resolve", json={"identifier": {"type": "email", "value": "a@b.de"}, "create": True}
        )
    ).json()["subject"]
    code = (await acme.post(f"/v1/subjects/{theirs}/links", json={})).json()["code"]
    here = await on(lite, HOST)
    assert (await post(here, "/p/session", code=code)).status_code == 400
    ours = await lite.client(None)
    entered = await post(ours, "/p/session", code=code)
    assert entered.status_code == 303, "the try spent nothing"
    here.headers["cookie"] = entered.headers["set-cookie"].partition(";")[0]
    assert (await here.get("/p/you")).headers["location"] == "/p/"
    del here.headers["cookie"]
    assert (await post(here, "/p/session", code=await a_link(lite, subject))).status_code == 303
    assert (await post(await on(lite, HOST), "/p/session", code=a_sign_in())).status_code == 303


async def test_the_door_speaks_for_the_brand_of_the_host_and_others_for_the_first(lite: World) -> None:
    await brands(lite)
    for host, name in ((HOST, "Tea House"), (HOST.upper(), "Tea House"), ("127.0.0.1:8080", "Tea House")):
        assert name in (await (await on(lite, host)).get("/p/")).text
    forms = await on(lite, HOST)
    forms.headers["origin"] = "https://elsewhere.example"
    assert (await post(forms, "/p/session", code="x")).status_code == 403, "a form comes from the host that it goes to"


def size_of(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


@pytest.mark.parametrize(
    ("site", "name", "colour"),
    [("", "Tea House", "#3d5a2a"), (".shop", "Tea House", "#3d5a2a"), (".till", "茶室", "#7a1f3d")],
)
async def test_the_page_is_installable_with_name_colour_and_icon(
    lite: World, site: str, name: str, colour: str
) -> None:
    await brands(lite)
    answer = await lite.nobody.get(f"/p/look/default{site}.webmanifest")
    assert answer.headers["content-type"] == "application/manifest+json"
    told: dict[str, Any] = answer.json()
    assert (told["name"], told["theme_color"], told["start_url"], told["scope"]) == (name, colour, "/p/", "/p/")
    for icon in told["icons"]:
        made = await lite.nobody.get(icon["src"])
        assert "x".join(map(str, size_of(made.content))) == icon["sizes"]
    assert {icon["purpose"] for icon in told["icons"]} == {"any", "maskable"}
    assert size_of((await lite.nobody.get(f"/p/look/default{site}-180.png")).content) == (180, 180)
    for strange in ("nobody.webmanifest", "nobody-192.png", "default-999.png", "default.webmanifest.exe"):
        assert (await lite.nobody.get(f"/p/look/{strange}")).status_code == 404


async def test_the_door_names_what_makes_it_installable(lite: World) -> None:
    await brands(lite)
    door = (await (await on(lite, HOST)).get("/p/")).text
    assert '<link rel="manifest" href="/p/look/default.shop.webmanifest">' in door
    assert '<link rel="apple-touch-icon" href="/p/look/default.shop-180.png">' in door
    assert '<meta name="theme-color" content="#3d5a2a" media="(prefers-color-scheme: light)">' in door


@pytest.mark.parametrize(
    ("portal", "says"),
    [
        ("http://privacy.tea.example", "by https"),
        ("https://privacy.tea.example/page", "is no origin"),
        ("privacy.tea.example", "is no origin"),
        ("[1]", "is text"),
    ],
)
async def test_a_portal_that_does_not_fit_is_refused(lite: World, portal: str, says: str) -> None:
    await brands(lite)
    wrong = SITES.replace(f'"https://{HOST}"', portal if portal.startswith("[") else f'"{portal}"')
    refused = await lite.apply(wrong)
    assert (refused.status_code, says in refused.text) == (400, True), refused.text


async def test_two_sites_cannot_have_one_portal(lite: World) -> None:
    await brands(lite)
    refused = await lite.apply(
        SITES.replace("notice: web, look: {name: 茶", f'notice: web, portal: "https://{HOST}", look: {{name: 茶')
    )
    assert "have the same portal" in refused.text
