"""Which kinds of value may be indexed: a blind index hides a value among the others of its kind, so there must be many.

Equal values have equal tags. Who reads the tables counts them; among two values, or twelve, the counts alone tell which
tag is which. The estimates are those of `NORMALISERS`: the base-2 logarithm of how many values a kind really takes
among a brand's people, which is less than its spelling would allow (a post code, a birthday).
"""

from typing import Final

from vault.normalise import NORMALISERS

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
