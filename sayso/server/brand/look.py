"""A brand's own look: its name and its colour on the pages that people see, kept readable whatever colour it is.

    sites:
      shop: {…, look: {name: Huangshan & Hale, accent: "#3d5a2a", accent_dark: "#b5cf97"}}

The accent is used for what can be pressed. One that cannot be read on our paper, or that our text cannot be read on, is
refused with the contrast it has (WCAG 2.2, 1.4.3: 4.5 to 1). Without `accent_dark` the same hue is taken, as light as
the dark page needs.
"""

import re
from typing import Final

from msgspec import Struct

from sayso.kernel import Map, Node, Problem, Scalar, nearest, problem

READABLE: Final = 4.5
LONGEST_NAME: Final = 80

_MEMBERS: Final = ("name", "accent", "accent_dark")
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_PAPER, _NIGHT = "#fbfaf7", "#121417"
_WHITE, _INK = "#ffffff", "#0d1512"

Rgb = tuple[int, int, int]


class Look(Struct, frozen=True):
    """Name and colours (`#rrggbb`); empty where the brand did not say."""

    name: str = ""
    accent: str = ""
    accent_dark: str = ""


def parse_look(node: Node | None, problems: list[Problem]) -> Look | None:
    """The member `look` of a site. What is wrong is added to `problems`."""
    if node is None:
        return None
    if not isinstance(node, Map):
        problems.append(problem(node, "'look' is a mapping of name, accent and accent_dark."))
        return None
    for member in node:
        if member not in _MEMBERS:
            hint = nearest(member, _MEMBERS)
            problems.append(Problem(node.file, node.lines[member], f"{member!r} is not known here.", hint))
    found = {member: _text(node, member, problems) for member in _MEMBERS}
    if len(found["name"]) > LONGEST_NAME:
        problems.append(problem(node.get("name") or node, f"A name has {LONGEST_NAME} characters at most."))
    accent = _colour(node, "accent", found["accent"], _PAPER, _WHITE, problems)
    dark = _colour(node, "accent_dark", found["accent_dark"], _NIGHT, _INK, problems)
    return Look(found["name"], accent, dark or (_lightened(accent) if accent else ""))


def style_of(look: Look | None) -> str:
    """The style sheet that puts the brand's colours over ours; empty when it has none."""
    if look is None or not look.accent:
        return ""
    light, dark = look.accent, look.accent_dark
    return (
        f":root{{--accent:light-dark({light},{dark});"
        f"--accent-hover:light-dark({_mixed(light, '#000000', 0.2)},{_mixed(dark, _WHITE, 0.25)});"
        f"--accent-soft:light-dark({_mixed(light, _WHITE, 0.88)},{_mixed(dark, _NIGHT, 0.82)});"
        f"--on-accent:light-dark({_WHITE},{_INK})}}\n"
    )


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _colour(node: Map, member: str, text: str, page: str, on: str, problems: list[Problem]) -> str:
    if not text:
        return ""
    at = node.get(member) or node
    colour = text.lower()
    if not _COLOUR.fullmatch(colour):
        problems.append(problem(at, f'{text!r} is no colour: write it as in "#0f5c5c".'))
        return ""
    least = min(contrast(colour, page), contrast(colour, on))
    if least < READABLE:
        message = f"{text} cannot be read: its contrast is {least:.1f} to 1, and {READABLE} are needed."
        problems.append(problem(at, message))
        return ""
    return colour


def _text(node: Map, member: str, problems: list[Problem]) -> str:
    child = node.get(member)
    if child is None:
        return ""
    if isinstance(child, Scalar) and isinstance(child.value, str):
        return child.value.strip()
    problems.append(problem(child, f"{member!r} is text."))
    return ""


def _lightened(colour: str) -> str:
    """The colour, mixed with white until it is easily read on the dark page."""
    return next(
        (lighter for step in range(10) if contrast(lighter := _mixed(colour, _WHITE, step / 10), _NIGHT) >= 7), _WHITE
    )


def _mixed(colour: str, other: str, share: float) -> str:
    parts = (round(a + (b - a) * share) for a, b in zip(_rgb(colour), _rgb(other), strict=True))
    return "#" + "".join(f"{part:02x}" for part in parts)


def _luminance(colour: str) -> float:
    parts = [part / 255 for part in _rgb(colour)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _rgb(colour: str) -> Rgb:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
