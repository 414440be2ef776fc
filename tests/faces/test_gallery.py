"""The gallery holds every component of the design system, and each of them is accessible by itself."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page

from sayso.server.pages import GalleryPage, render_gallery
from tests.source import ROOT

from .axe import findings
from .conftest import Visitor
from .samples import a_frame

TEMPLATES = ROOT / "sayso" / "server" / "templates"
MACROS = sorted(path.name for path in (TEMPLATES / "components").glob("*.html"))
STYLES = sorted(path.name for path in (ROOT / "web" / "css" / "components").glob("*.css"))

COMPOSED = {"acts.html"}
"""Whole sections of the preference page: made of components that have their entries, and seen there."""

_USED = re.compile(r'{% (?:from|extends|import) "([\w./]+)"')


def the_gallery() -> str:
    return render_gallery(GalleryPage(frame=a_frame(path="/gallery")))


def components(html: str) -> list[str]:
    return re.findall(r'data-component="([\w-]+)"', html)


def used_by(template: Path) -> set[str]:
    """Every template that this one is made of."""
    found: set[str] = set()
    waiting = [template]
    while waiting:
        for name in _USED.findall(waiting.pop().read_text(encoding="utf-8")):
            if name not in found:
                found.add(name)
                waiting.append(TEMPLATES / name)
    return found


def test_every_macro_has_an_entry() -> None:
    shown = {Path(name).name for name in used_by(TEMPLATES / "pages" / "gallery.html")}
    assert set(MACROS) - shown - COMPOSED == set()


@pytest.mark.parametrize("name", STYLES)
def test_every_style_of_a_component_is_seen(name: str) -> None:
    classes = set(re.findall(r"\.([a-z][\w-]*)", (ROOT / "web" / "css" / "components" / name).read_text("utf-8")))
    worn = {word for value in re.findall(r'class="([^"]*)"', the_gallery()) for word in value.split()}
    assert classes & worn


def test_the_rail_leads_to_every_entry() -> None:
    html = the_gallery()
    assert len(components(html)) == len(set(components(html))) >= 20
    assert set(components(html)) <= set(re.findall(r'href="#([\w-]+)"', html))


@pytest.mark.browser
def test_axe_finds_nothing_in_any_component_by_itself(visitor: Visitor) -> None:
    page = visitor.opens("/gallery")
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    found = {name: findings(page, f'[data-component="{name}"]') for name in components(the_gallery())}
    assert {name: text for name, text in found.items() if text} == {}


@pytest.mark.browser
def test_the_keyboard_reaches_every_control_of_every_component(visitor: Visitor) -> None:
    page = visitor.opens("/gallery")
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    for name in components(the_gallery()):
        assert unreached(page, name) == [], name


def unreached(page: Page, component: str) -> list[str]:
    """Controls of a component that the Tab key never comes to. Of radio buttons, one of a group is enough."""
    page.evaluate(
        """(name) => {
          const shelf = document.querySelector(`[data-component="${name}"]`);
          const controls = "a[href], button, input:not([type=hidden]), select, textarea, summary";
          const usable = (each) => each.checkVisibility() && !each.disabled;
          window.left = new Set([...shelf.querySelectorAll(controls)].filter(usable));
          document.querySelector("#main").focus();
          const start = document.createElement("a");
          start.tabIndex = -1;
          shelf.prepend(start);
          start.focus();
        }""",
        component,
    )
    for _ in range(80):
        page.keyboard.press("Tab")
        inside = page.evaluate(
            """(name) => {
              const at = document.activeElement;
              const alike = (each) => each.type === "radio" && at.type === "radio" && each.name === at.name;
              for (const each of [...left]) if (each === at || alike(each)) left.delete(each);
              return left.size > 0 && !!at.closest(`[data-component="${name}"]`);
            }""",
            component,
        )
        if not inside:
            break
    left: list[str] = page.evaluate("[...left].map((each) => each.outerHTML.slice(0, 100))")
    return left
