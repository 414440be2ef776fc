"""Builders: small catalogues, submissions and histories of choices."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from consent import (
    Act,
    Catalogue,
    Moment,
    Notice,
    PersonState,
    Purpose,
    decide,
)

TREE = ("a", "a.b", "a.b.c", "a.b.d", "a.e", "f")


class Deed(NamedTuple):
    """One submission in a made-up history: when it arrived, when it is claimed to be from, how surely, what was
    chosen.
    """

    at: int
    acts: Mapping[str, Act]
    rank: int = 3
    claimed: int | None = None
    shown: tuple[str, ...] = ()


def a_purpose(name: str, **changes: object) -> Purpose:
    return Purpose(name, **{"version": 1, "title": {"en": name.title()}, **changes})  # type: ignore[arg-type]


def a_catalogue(
    names: Iterable[str] = TREE, *, marketing: Iterable[str] = (), terms: Mapping[str, str] | None = None
) -> Catalogue:
    flagged = set(marketing)
    purposes = [
        a_purpose(name, direct_marketing=name in flagged, expires_after=(terms or {}).get(name)) for name in names
    ]
    notice = Notice("web", 1, tuple(names), {"en": "Say so.", "zh-CN": "请说。"})
    return Catalogue(purposes, [notice], [])


def after(catalogue: Catalogue, deeds: Iterable[Deed], state: PersonState | None = None) -> PersonState:
    """The state after a history."""
    state = state or PersonState()
    for number, deed in enumerate(deeds):
        claimed = deed.at if deed.claimed is None else min(deed.claimed, deed.at)
        moment = Moment(deed.at, claimed, deed.rank, bytes([number]) * 16, "web", 1, deed.shown)
        _, state = decide(state, deed.acts, catalogue, moment)
    return state
