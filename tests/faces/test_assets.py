"""The built files: as small as promised, named by their content, licensed, and in step with their manifest."""

import gzip
import hashlib
import subprocess

import pytest
from playwright._impl._driver import compute_driver_executable

from sayso.server.packing import gapped
from sayso.server.pages import LOCALES, STATIC, assets, banner_parts, banner_script, manifest
from tests.source import ROOT

from .sample_pages import all_pages
from .samples import a_banner

WEB = ROOT / "web"


def gzipped(data: bytes) -> int:
    return len(gzip.compress(data, 9))


@pytest.mark.parametrize("locale", LOCALES)
def test_the_banner_with_its_text_is_at_most_eight_kilobytes(locale: str) -> None:
    """As the server sends it; the token, which nothing compresses, apart."""
    *parts, tail = banner_parts(banner_script(a_banner(locale, token="")))
    assert len(gapped(tuple(parts), tail, 0).filled(b"")) <= 8_000


def test_the_style_sheet_is_at_most_fourteen_kilobytes() -> None:
    assert manifest()["site.css"].gzip <= 14_000


def test_the_script_for_the_brands_own_pages_is_at_most_two_kilobytes() -> None:
    assert manifest()["embed.js"].gzip <= 2_000


def test_the_islands_are_at_most_six_kilobytes() -> None:
    assert manifest()["site.js"].gzip <= 6_000


@pytest.mark.parametrize("locale", LOCALES)
def test_every_page_of_the_preference_centre_is_at_most_sixty_kilobytes_with_all_that_it_loads(locale: str) -> None:
    loads = ("site.css", "site.js", "inter.woff2", "source-serif-4.woff2", "mark.svg")
    shared = sum(manifest()[name].gzip for name in loads)
    weights = {each.name: gzipped(each.html.encode()) for each in all_pages(locale) if each.path.startswith("/p/")}
    assert weights
    assert {name: shared + own for name, own in weights.items() if shared + own > 60_000} == {}


def test_the_manifest_names_exactly_the_files_that_are_there() -> None:
    assert {path.name for path in STATIC.iterdir()} == {*assets().values(), "manifest.json"}


def test_every_name_carries_the_hash_of_the_content() -> None:
    for asset in manifest().values():
        data = (STATIC / asset.file).read_bytes()
        assert hashlib.sha256(data).hexdigest() == asset.sha256
        assert asset.sha256[:10] in asset.file
        assert len(data) == asset.bytes


def test_what_is_committed_is_what_the_sources_give() -> None:
    """By the digest that the build left; by building again where the pinned toolchain is installed (npm ci in web/)."""
    paths = ["build.mjs", "package-lock.json"]
    for folder in ("banner", "css", "embed", "fonts", "images", "islands"):
        paths += [path.relative_to(WEB).as_posix() for path in (WEB / folder).rglob("*") if path.is_file()]
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.encode() + b"\0" + hashlib.sha256((WEB / path).read_bytes()).digest())
    assert digest.hexdigest() == (WEB / "built.sha256").read_text().strip(), "run npm run build in web/"
    if (WEB / "node_modules" / "esbuild").exists():
        node, _ = compute_driver_executable()
        done = subprocess.run([node, "build.mjs", "--check"], cwd=WEB, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_fonts_come_with_their_licence() -> None:
    for name in ("inter-licence.txt", "source-serif-4-licence.txt"):
        assert "SIL OPEN FONT LICENSE" in (STATIC / assets()[name]).read_text().upper()


def test_nothing_built_fetches_from_another_host() -> None:
    for name in ("banner.js", "hand-over.js", "site.js", "site.css", "shop.css"):
        text = (STATIC / assets()[name]).read_text()
        assert "http:" not in text.replace("http://www.w3.org", "")
        assert "https:" not in text.replace('"https:"', "")


def test_the_banner_neither_parses_html_nor_evaluates_text() -> None:
    code = (STATIC / assets()["banner.js"]).read_text()
    for sink in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        "DOMParser",
    ):
        assert sink not in code
