"""What a banner asks whom: which answers still count under a new version, who gets the data, and in which words."""

import re
import secrets
from typing import Any

import pytest

from sayso.server.manifests.wordings import unfair
from tests.server.test_catalogue import SHOP
from tests.server.test_sites import ORIGIN, configuration, known, send
from tests.server.worlds import MANIFEST, World

SMALLEST = MANIFEST.read_text("utf-8")
WORDS = """
    wordings:
      usual: {}
      short:
        title: {en: "News from us?", zh-CN: "接收我们的资讯吗？"}
        lead: {en: "Agree or refuse, either is fine.", zh-CN: "同意或拒绝都可以。"}
"""


def with_wordings(words: str) -> str:
    line = '  shop: {origins: ["http://127.0.0.1:8080"], notice: web}'
    assert line in SMALLEST
    return SMALLEST.replace(line, f'  shop:\n    origins: ["http://127.0.0.1:8080"]\n    notice: web{words}')


def grown(version: int, purposes: str, material: str) -> str:
    text = SMALLEST.replace(
        "version: 1\n    purposes: [marketing.email]", f"version: {version}\n    purposes: {purposes}"
    )
    return text.replace("notices:\n  web:\n", f"notices:\n  web:\n    material: {material}\n")


async def since(world: World) -> dict[str, int]:
    return {each["name"]: each["since"] for each in (await configuration(world))["purposes"]}


async def test_an_answer_counts_until_a_version_is_material_for_its_purpose(lite: World) -> None:
    await lite.smallest()
    assert await since(lite) == {"marketing.email": 1}
    assert (await lite.apply(grown(2, "[marketing.email, ads]", "false"))).status_code == 200
    assert await since(lite) == {"marketing.email": 1, "ads": 2}
    assert (await lite.apply(grown(3, "[marketing.email, ads]", "[ads]"))).status_code == 200
    assert await since(lite) == {"marketing.email": 1, "ads": 3}


async def test_what_the_banner_says_still_counts_is_what_decisions_take(lite: World) -> None:
    await lite.smallest()
    device = secrets.token_urlsafe(16)
    assert (await send(lite, (await configuration(lite))["token"], device)).status_code == 201
    person = (await known(lite, device)).json()["subject"]
    for version, material, status in ((2, "false", "granted"), (3, "true", "stale")):
        assert (await lite.apply(grown(version, "[marketing.email]", material))).status_code == 200
        state = (await lite.admin.get(f"/v1/subjects/{person}/consents")).json()
        holds = state["purposes"]["marketing.email"]["status"] == "granted"
        assert holds == (status == "granted")
        assert ((await since(lite))["marketing.email"] <= 1) == holds


async def test_the_second_layer_names_who_gets_the_data(lite: World) -> None:
    assert (await lite.apply(SHOP)).status_code == 200
    site = re.search(r"^sites:\n  (\w+):", SHOP, re.M)
    assert site
    shown = (await lite.nobody.get(f"/v1/sites/{site[1]}/banner.json?locale=en")).json()
    assert any("Who gets the data: " in each.get("who", "") for each in shown["purposes"])


async def test_each_browser_is_shown_one_wording_and_the_record_says_which(world: World) -> None:
    assert (await world.apply(with_wordings(WORDS))).status_code == 200
    seen = {(await configuration(world)).get("wording") for _ in range(40)}
    assert seen == {"usual", "short"}
    shown: dict[str, Any] = (await world.nobody.get("/v1/sites/shop/banner.json?wording=short", headers=ORIGIN)).json()
    assert (shown["title"], shown["lead"]) == ("News from us?", "Agree or refuse, either is fine.")
    assert shown["text"] == "We write to you only if you say so.", "the notice is the same for everybody"
    device = secrets.token_urlsafe(16)
    sent = await send(world, shown["token"], device, interface="banner", steps_shown=1)
    assert sent.status_code == 201, sent.text
    person = (await known(world, device)).json()["subject"]
    (record,) = (await world.admin.get(f"/v1/subjects/{person}/history")).json()["items"]
    assert re.fullmatch(r"short:[0-9a-f]{16}/banner", record["evidence"]["interface"])


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        ("wordings: {a: {}}", "name 2 to 4"),
        ("wordings: {a: {}, b: {accept: {en: x}}}", "only 'title' and 'lead' may vary"),
        ("wordings: {a: {}, b: {title: {en: News}}}", "missing in 'zh-CN'"),
        ('wordings: {a: {}, b: {title: {en: "Please accept", zh-CN: 资讯}}}', "name both answers or neither"),
        ('wordings: {a: {}, b: {title: {en: "News", zh-CN: 请同意}}}', "name both answers or neither"),
        ('wordings: {a: {}, b: {title: {en: "Do not miss out", zh-CN: 资讯}}}', "presses people"),
        ('wordings: {a: {}, b: {title: {en: "News!", zh-CN: 资讯}}}', "without raising your voice"),
    ],
)
async def test_a_wording_that_leans_to_one_answer_is_refused(lite: World, words: str, wrong: str) -> None:
    refused = await lite.apply(with_wordings(f"\n    {words}\n"))
    assert refused.status_code == 400, refused.text
    assert wrong in refused.text


@pytest.mark.parametrize(
    ("text", "locale"),
    [
        ("You may agree or refuse.", "en"),
        ("您可以同意，也可以拒绝。", "zh-CN"),
        ("Ja oder Nein, beides geht.", "de"),
        ("We will not sell your data.", "en"),
        ("A word", "xx"),
    ],
)
def test_a_wording_that_names_both_answers_or_none_is_fair(text: str, locale: str) -> None:
    assert list(unfair(text, locale, 240)) == []


async def test_the_types_name_the_purposes_of_the_site(lite: World) -> None:
    await lite.apply(grown(2, "[marketing.email, ads, support]", "false"))
    types = await lite.nobody.get("/v1/sites/shop/banner.d.ts")
    assert types.status_code == 200
    assert 'type Purpose = "marketing.email" | "ads";' in types.text, "what cannot be refused is not asked"
    assert (await lite.nobody.get("/v1/sites/nobody/banner.d.ts")).status_code == 404
