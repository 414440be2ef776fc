"""The jurisdictions that ship with Sayso, read from `jurisdictions.toml`: what each law starts from.

The tree: `any` above all, `eea` above its members, `us` and `ca` above states and provinces. A row inherits what it
does not say; nothing known means the strictest row. Every row names its source.
"""

from functools import lru_cache
from importlib.resources import files
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from consent.catalogue.purpose import SEPARATE
from sayso.kernel import Invalid, parse_duration

ROOT: Final = "any"

BASES: Final = (
    "consent",
    "contract",
    "legal_obligation",
    "vital_interest",
    "public_task",
    "legitimate_interest",
    "notice",
)
"""Legal bases by name. `notice` is that of opt-out regimes: told, and not objected to."""

BLOCKABLE: Final = frozenset({"consent", "legitimate_interest", "notice"})
"""Bases that a person's no blocks (design 6.1)."""

Opt = Literal["in", "out"]


class Regime(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one law starts from. `opt` is the state before any choice, `sensitive` the same for sensitive data.

    Ages are years: below `child_below` somebody else must consent, below `opt_in_below` the person is asked first even
    under an opt-out, below `no_advertising_below` nobody can agree to advertising. Durations are ISO 8601:
    `device_grant_valid_for` bounds a yes to device storage, `refusal_valid_for` is how long nobody asks again.
    `languages` has one in which a notice must exist. `source` says where the row comes from.
    """

    code: str
    parent: str | None
    opt: Opt
    sensitive: Opt
    bases: frozenset[str]
    child_below: int
    opt_in_below: int
    no_advertising_below: int
    device_grant_valid_for: str
    refusal_valid_for: str
    gpc: Literal["required", "honoured"]
    gpc_shown: bool
    double_opt_in: bool
    separate_consent: frozenset[str]
    languages: frozenset[str]
    source: str


class UnreadableRow(ValueError):
    """A row of the data file that cannot be meant; the message names it."""


def read(content: bytes) -> dict[str, Regime]:
    """The rows of a data file by code, parents before children. Raises `UnreadableRow`, `msgspec.DecodeError`."""
    found: dict[str, Regime] = {}
    for row in msgspec.toml.decode(content, type=dict[Literal["row"], list[dict[str, Any]]])["row"]:
        codes, parent = row.pop("codes", None), row.get("parent")
        if not isinstance(codes, list) or not codes:
            raise UnreadableRow(f"a row without codes: {row}")
        if parent is None and found:
            raise UnreadableRow(f"{codes[0]}: only the first row has no parent")
        if parent is not None and parent not in found:
            raise UnreadableRow(f"{codes[0]}: its parent {parent!r} stands below it or nowhere")
        if not str(row.get("source", "")).strip():
            raise UnreadableRow(f"{codes[0]}: a row names its source")
        inherited = msgspec.to_builtins(found[parent]) if parent is not None else {}
        for code in codes:
            if code in found:
                raise UnreadableRow(f"{code}: it has two rows")
            found[code] = _sound(inherited | {"parent": None} | row | {"code": code})
    return found


def _sound(members: dict[str, Any]) -> Regime:
    code = members["code"]
    try:
        row = msgspec.convert(members, Regime)
        durations = [parse_duration(row.device_grant_valid_for), parse_duration(row.refusal_valid_for)]
    except (msgspec.ValidationError, Invalid) as error:
        raise UnreadableRow(f"{code}: {error}") from None
    if not all(any(each) for each in durations):
        raise UnreadableRow(f"{code}: a term of nothing")
    if unknown := (row.bases - set(BASES)) | (row.separate_consent - set(SEPARATE)):
        raise UnreadableRow(f"{code}: there is no {min(unknown)!r}")
    return row


REGIMES: Final[dict[str, Regime]] = read(files("consent.laws").joinpath("jurisdictions.toml").read_bytes())
"""Every shipped jurisdiction by its code, `any` first."""


@lru_cache(maxsize=1_024)
def chain(code: str) -> tuple[str, ...]:
    """The jurisdiction and those above it, nearest first, `any` last. Empty for a code that is not shipped."""
    found: list[str] = []
    row = REGIMES.get(code)
    while row is not None:
        found.append(row.code)
        row = REGIMES.get(row.parent) if row.parent else None
    return tuple(found)
