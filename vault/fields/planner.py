"""Which kinds of value may be indexed, and which facts told side by side: a value hides among others, so many must be
left.

A blind index hides a value among the others of its kind.
Equal values have equal tags. Who reads the tables counts them; among two values, or twelve, the counts alone tell which
tag is which. The estimates are those of `NORMALISERS`: the base-2 logarithm of how many values a kind really takes
among a brand's people, which is less than its spelling would allow (a post code, a birthday).
"""

from collections.abc import Sequence
from typing import Final

from vault.fields.facts import Fact, shown
from vault.fields.normalise import NORMALISERS

LEAST_BITS: Final = 18
"""A quarter of a million values: more than most brands have people, so that most tags stand for one."""


def refusal(kind: str) -> str | None:
    """Why no field of this kind is to be indexed, as a sentence for the author of a manifest; None where it may be."""
    bits = NORMALISERS[kind].bits
    if bits >= LEAST_BITS:
        return None
    if not bits:
        return f"A field of type {kind!r} is not to be indexed: nobody looks up free text by the whole of it."
    about = f"{2**bits:,}"
    return (
        f"A field of type {kind!r} is not to be indexed: it takes about {about} values, so its tags would tell its "
        f"values to whoever counts them. An index needs {2**LEAST_BITS:,} or more; find people by another field."
    )


LEAST_LEFT_BITS: Final = 13
"""Eight thousand: among so many numbers at least one must still hide from who was told every fact of it."""

RESIDENT: Final = "cn_resident_id"
"""The one number of which a person has no second, and that their date of birth stands in."""

_DIGIT: Final = 3.32
_BITS: Final = {
    # GB 11643: some three thousand areas, a century of births, a day of the year, the order of the day, ISO 7064.
    RESIDENT: (2.5, 2.5, 1.8, 1.8, 1.5, 1.5, 0.0, 0.3, 3.0, 3.0, 1.8, 1.8, 2.4, 2.5, *[_DIGIT] * 3, 3.46),
    # ISO 13616, the shortest there is (NO, 15): what is behind country and check digits, one of which checks the rest.
    "iban": (0.0, 0.0, _DIGIT, _DIGIT, *[_DIGIT] * 10, _DIGIT),
    # ISO/IEC 7812: a few thousand issuers, nine digits of theirs, Luhn.
    "card": (*[2.0] * 6, *[_DIGIT] * 9, _DIGIT),
}
"""How much each character of a number tells, in bits. A check digit tells of the others what it tells itself."""

_CHECKS: Final = {RESIDENT: 3.46, "iban": 3 * _DIGIT, "card": _DIGIT}
"""How much of it all is told twice, because check digits follow from the rest."""

_YEAR: Final = slice(6, 10)


def adds_up(kind: str, facts: Sequence[Fact]) -> str | None:
    """Why these facts may not stand side by side, as a sentence for the author of a manifest; None where they may.

    Whoever may ask for one may ask for all of them, today or next year: together they must not name the number.
    """
    bits = _BITS.get(kind)
    if bits is None or len(facts) < 2:
        return None
    told = {place for fact in facts for place in shown(fact, len(bits))}
    left = sum(bits) - _CHECKS[kind] - sum(bits[place] for place in told)
    if kind == RESIDENT:
        # Each age asked about halves what is not known of the year.
        unknown = sum(bits[place] for place in range(18)[_YEAR] if place not in told)
        left -= min(unknown, sum(fact.name == "age_over" for fact in facts))
    if left >= LEAST_LEFT_BITS:
        return None
    about = max(1, round(2 ** max(left, 0.0)))
    return (
        f"These facts add up: who is told all of them has about {about:,} numbers of type {kind!r} left to guess from, "
        f"and {2**LEAST_LEFT_BITS:,} should be. Leave one out, or tell a shorter prefix."
    )
