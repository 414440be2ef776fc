"""A brand's own name and colours: on its pages, under the strict policy, and never so that they cannot be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.kernel import Map, Problem, load
from sayso.server.brand.look import READABLE, Look, contrast, parse_look, style_of
from tests.server.worlds import World

MANIFEST = """
categories: [contact.email]
controller: {name: Huangshan & Hale Ltd, country: gb, contact: {email: privacy@tea.example, url: "https://tea.example"}}
purposes:
  news: {title: {en: News}, legal_basis: consent, categories: [contact.email]}
notices:
  web: {version: 1, purposes: [news], text: {en: Only if you agree.}}
sites:
  shop: {origins: ["https://tea.example"], notice: web, look: {name: Tea House, accent: "#3d5a2a"}}
"""


def parsed(text: str) -> tuple[Look | None, list[Problem]]:
    tree = load([("test.yaml", f"look: {text}".encode())])
    assert isinstance(tree, Map)
    problems: list[Problem] = []
    return parse_look(tree.get("look"), problems), problems


async def test_pages_carry_the_brands_name_colours_and_addresses(lite: World) -> None:
    applied = await lite.apply(MANIFEST)
    assert applied.status_code == 200, applied.text
    door = await lite.nobody.get("/p/")
    assert "Tea House" in door.text
    assert "privacy@tea.example" in door.text
    assert '<link rel="stylesheet" href="/p/look/default.css?' in door.text
    style = await lite.nobody.get("/p/look/default.css")
    assert style.headers["content-type"].startswith("text/css")
    assert "--accent:light-dark(#3d5a2a," in style.text
    assert (await lite.nobody.get("/p/look/nobody.css")).text == ""


async def test_a_brand_without_a_look_has_ours(lite: World) -> None:
    await lite.smallest()
    assert ".css?" not in (await lite.nobody.get("/p/")).text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{accent: "#eeeeee"}', "cannot be read"),
        ('{accent: "#0f5c5c", accent_dark: "#222222"}', "cannot be read"),
        ("{accent: red}", "is no colour"),
        ('{accent: "#0f5c5c;}body{display:none"}', "is no colour"),
        ('{acent: "#0f5c5c"}', "is not known here"),
        ("[1]", "is a mapping"),
        ("{name: 7}", "is text"),
    ],
)
def test_a_look_that_does_not_fit_is_refused(text: str, says: str) -> None:
    _, problems = parsed(text)
    assert says in problems[0].message


@given(st.integers(0, 0xFFFFFF))
def test_whatever_is_taken_can_be_read_in_light_and_dark(number: int) -> None:
    look, problems = parsed(f'{{accent: "#{number:06x}"}}')
    if problems:
        return
    assert look is not None
    assert contrast(look.accent, "#fbfaf7") >= READABLE
    assert contrast(look.accent_dark, "#121417") >= READABLE
    assert look.accent in style_of(look)
