"""The readable part of an access package: one page that needs nothing beside it, made a piece at a time."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from .environment import render
from .frame import Frame
from .person_data import Use
from .plain_words import category


def opening(locale: str, told: Any, titles: Mapping[str, str], called: Mapping[str, str]) -> str:
    """Head, and what is stored, known, chosen and asked. `told` is what `data.json` says, `titles` are purposes',
    `called` how people know other systems.
    """
    places = [(each.category, f"{each.collection}.{each.field}") for each in told.stored]
    values = [(category(what, locale), told.values.get(at, ""), at in told.withheld) for what, at in places]
    systems = [
        (called.get(name, name), msgspec.json.format(msgspec.json.encode(found)).decode())
        for name, found in told.systems.items()
    ]
    return _piece(locale, "opening", told=told, titles=titles, values=values, systems=systems)


def history_rows(locale: str, items: Sequence[Any]) -> str:
    """A page of what the person chose, newest first."""
    return _piece(locale, "history", items=items)


def use_rows(locale: str, uses: Sequence[Use], *, first: bool) -> str:
    """A page of who used the data; the first has the heading."""
    return _piece(locale, "uses", uses=uses, first=first)


def ending() -> str:
    """The end of the page."""
    return "</main></body></html>\n"


def _piece(locale: str, piece: str, **values: object) -> str:
    return render("pages/package.html", Frame(locale=locale, path="/"), piece=piece, **values)
