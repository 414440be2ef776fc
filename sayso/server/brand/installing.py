"""What makes the preference centre installable as the brand's own: its web app manifest and its icons.

The manifest follows the W3C's Web Application Manifest. An icon is the first letter of the brand's name on its colour,
set with the same compiler and font as documents are. There is no service worker: pages about a person are never stored,
and without them it could show nothing that browsers do not say by themselves when offline.
"""

import asyncio
import unicodedata
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import msgspec

from sayso.server.brand.look import Look

ACCENT: Final = "#0f5c5c"
ACCENT_DARK: Final = "#6fc7c2"
"""Ours, where a brand has no colour of its own."""

SIZES: Final = (180, 192, 512)
"""In pixels: the first for home screens that read no manifest."""

_PAPER: Final = "#fbfaf7"
_INK: Final = "#ffffff"
_TEMPLATE: Final = Path(__file__).parent.parent / "templates" / "icon.typ"
_SCRIPTS: Final = ("LATIN", "GREEK", "CYRILLIC", "CJK", "HIRAGANA", "KATAKANA", "HANGUL", "DIGIT")
_turn: Final = asyncio.Semaphore(1)


def accents(look: Look | None) -> tuple[str, str]:
    """The brand's colour by day and by night."""
    return (look.accent, look.accent_dark) if look is not None and look.accent else (ACCENT, ACCENT_DARK)


def app_manifest(name: str, look: Look | None, locale: str, stem: str) -> bytes:
    """The web app manifest. `stem` is the address of the icons without their size."""
    icons = [
        {"src": f"{stem}-{size}.png", "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
        for size in SIZES[1:]
        for purpose in ("any", "maskable")
    ]
    return msgspec.json.encode(
        {
            "id": "/p/",
            "name": name,
            "short_name": name if len(name) <= 12 else name.split(maxsplit=1)[0][:12],
            "lang": locale,
            "dir": "auto",
            "start_url": "/p/",
            "scope": "/p/",
            "display": "standalone",
            "theme_color": accents(look)[0],
            "background_color": _PAPER,
            "icons": icons,
        }
    )


async def icon(name: str, look: Look | None, size: int) -> bytes:
    """The brand's icon as PNG. Set once, then kept."""
    async with _turn:
        return await asyncio.to_thread(_icon, _letter(name), accents(look)[0], size)


def _letter(name: str) -> str:
    """The first letter or digit, if the font has its script."""
    found = next((each for each in name if each.isalnum()), "").upper()[:1]
    return found if found and unicodedata.name(found, "").startswith(_SCRIPTS) else ""


@lru_cache(maxsize=256)
def _icon(letter: str, ground: str, size: int) -> bytes:
    told = {"letter": letter, "ground": ground, "ink": _INK, "size": size}
    made: bytes = _compiler().compile(format="png", ppi=72.0, sys_inputs={"icon": msgspec.json.encode(told).decode()})
    return made


@lru_cache(maxsize=1)
def _compiler() -> Any:
    # Half a second and some megabytes, which a server that nobody installs from should not spend.
    import typst

    font = str(files("noto_cjk_sans_otc"))
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[font])
    return typst.Compiler(_TEMPLATE, font_paths=fonts, ignore_system_fonts=True)
