"""Facts: what can be told of a value without showing it: its last four, domain, year, country, prefix, age_over.

A field declares the facts that may be asked of it; a caller asks for one where it would have asked for the value, and
needs no right to see the value for it: the policies are asked about the action `read` instead of `reveal`.

Pure functions. A mask that an obligation puts on the answer stands above a fact: what would show more than the mask
does is hidden.
"""

import re
from collections.abc import Callable
from datetime import date
from typing import Final

import phonenumbers
from msgspec import Struct

from sayso.kernel import Invalid, nearest
from vault.fields.masks import HIDDEN, STRENGTH

_SHOWN: Final = 4
_SHORTEST: Final = 8
_OLDEST: Final = 120
_LONGEST_PREFIX: Final = 6
_NUMBERED: Final = re.compile(r"(prefix|age_over):([1-9][0-9]{0,2})")


class _Kind(Struct, frozen=True):
    """`kinds` are the types of fields that have the fact, `under` the masks that show at least as much."""

    kinds: frozenset[str]
    under: frozenset[str]
    derive: Callable[[str, str, int, date], str]
    most: int = 0


class Fact(Struct, frozen=True):
    """One fact, as in `age_over:18`."""

    name: str
    number: int = 0

    def __str__(self) -> str:
        return f"{self.name}:{self.number}" if self.number else self.name


def fact_of(text: str) -> Fact | None:
    """The fact of that name, or None when there is none: an unknown name, a number missing or too large."""
    numbered = _NUMBERED.fullmatch(text)
    if numbered is not None:
        name, number = numbered[1], int(numbered[2])
        return Fact(name, number) if number <= _KINDS[name].most else None
    kind = _KINDS.get(text)
    return Fact(text) if kind is not None and not kind.most else None


def asked(transform: str | None) -> Fact | None:
    """The fact that a transform names; None for a mask, and for none. Raises `Invalid` (`unknown-transform`)."""
    if transform is None or transform in STRENGTH:
        return None
    found = fact_of(transform)
    if found is None:
        near = nearest(transform, (*STRENGTH, *NAMES))
        raise Invalid("unknown-transform", "There is no such transform.", nearest=near)
    return found


def action_for(transform: str | None) -> str:
    """What the policies are to be asked about: to be told a fact is to `read`, to see a value is to `reveal`.

    Raises `Invalid` (`unknown-transform`).
    """
    return "reveal" if asked(transform) is None else "read"


def fits(fact: Fact, kind: str) -> bool:
    """Whether a field of this type has such a fact."""
    return kind in _KINDS[fact.name].kinds


def shown(fact: Fact, length: int) -> range:
    """Which characters of a value so long the fact shows; of the year, those of a resident number."""
    match fact.name:
        case "last4":
            return range(length - _SHOWN, length)
        case "prefix":
            return range(fact.number)
        case "country":
            return range(2)
        case "year":
            return range(6, 10)
    return range(0)


def told(fact: Fact, mask: str | None, kind: str, canonical: str, today: date) -> str:
    """The fact about a value whose normalised form is `canonical`, as far as `mask` lets it be told.

    `today` is the day in UTC. What the value does not have (a prefix longer than half of it) is hidden too.
    """
    about = _KINDS[fact.name]
    if kind not in about.kinds or (mask is not None and mask not in about.under):
        return HIDDEN
    if mask == "mask_year" and kind != "date":
        # Of anything but a date that mask shows nothing.
        return HIDDEN
    return about.derive(kind, canonical, fact.number, today)


def _last4(_kind: str, value: str, _number: int, _today: date) -> str:
    return value[-_SHOWN:] if len(value) >= _SHORTEST else HIDDEN


def _domain(_kind: str, value: str, _number: int, _today: date) -> str:
    return value.rpartition("@")[2]


def _year(kind: str, value: str, _number: int, _today: date) -> str:
    return value[6:10] if kind == "cn_resident_id" else value[:4]


def _country(kind: str, value: str, _number: int, _today: date) -> str:
    if kind == "iban":
        return value[:2]
    # ISO 3166; 001 for numbers of no country, as phonenumbers has it.
    return phonenumbers.region_code_for_number(phonenumbers.parse(value)) or HIDDEN


def _prefix(_kind: str, value: str, number: int, _today: date) -> str:
    return value[:number] if number * 2 <= len(value) else HIDDEN


def _age_over(kind: str, value: str, number: int, today: date) -> str:
    text = f"{value[6:10]}-{value[10:12]}-{value[12:14]}" if kind == "cn_resident_id" else value
    born = date.fromisoformat(text)
    # Who was born on 29 February is a year older on 1 March where there is no such day: never too early.
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return "true" if age >= number else "false"


_KINDS: Final = {
    "last4": _Kind(
        frozenset({"phone", "card", "iban", "cn_resident_id", "customer_id"}), frozenset({"mask_last4"}), _last4
    ),
    "domain": _Kind(frozenset({"email"}), frozenset(), _domain),
    "year": _Kind(frozenset({"date", "cn_resident_id"}), frozenset({"mask_year"}), _year),
    "country": _Kind(frozenset({"phone", "iban"}), frozenset(), _country),
    "prefix": _Kind(frozenset({"postcode", "cn_resident_id", "card", "iban"}), frozenset(), _prefix, _LONGEST_PREFIX),
    "age_over": _Kind(frozenset({"date", "cn_resident_id"}), frozenset(), _age_over, _OLDEST),
}
NAMES: Final = tuple(f"{name}:{6 if name == 'prefix' else 18}" if kind.most else name for name, kind in _KINDS.items())
"""Examples of every fact, to suggest from."""
