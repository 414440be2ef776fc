"""Masks: what is left of a value when an obligation says that not all of it may be shown.

Pure functions. Several masks on one value give the strongest of them; a mask that is not known here, or that does not
fit the value, redacts it.
"""

from collections.abc import Callable, Iterable
from typing import Final

from sayso.kernel import Invalid, Obligation, nearest
from vault.ciphers.derive import hmac_sha256, parts

HIDDEN: Final = "****"
"""What stands for what is not shown. Always four stars: the length of a value is part of it."""

_SHOWN: Final = 4
_SHORTEST_SHOWN: Final = 8
_PREFIXES: Final = ("mask", "redact")

STRENGTH: Final = {"mask_last4": 1, "mask_year": 2, "mask_hash": 3, "redact": 4}


def required(obligations: Iterable[Obligation], asked: str | None = None) -> str | None:
    """The mask to apply, or None: the strongest among the obligations and what the caller asks of itself.

    Raises `Invalid` (`unknown-transform`) when `asked` names no mask.
    """
    if asked is not None and asked not in STRENGTH:
        raise Invalid("unknown-transform", "There is no such transform.", nearest=nearest(asked, STRENGTH))
    hiding = (item.type for item in obligations if item.type.startswith(_PREFIXES))
    names = [name if name in STRENGTH else "redact" for name in hiding]
    if asked is not None:
        names.append(asked)
    return max(names, key=STRENGTH.__getitem__, default=None)


def masked(mask: str | None, kind: str, value: str, canonical: str, hash_key: bytes) -> str:
    """`value` as far as `mask` lets it be seen. `canonical` is its normalised form, `hash_key` the reader's own."""
    if mask is None:
        return value
    apply = _MASKS.get(mask)
    return HIDDEN if apply is None else apply(kind, canonical, hash_key)


def _last4(_kind: str, canonical: str, _key: bytes) -> str:
    """Four stars and the last four characters; nothing of a value so short that four are most of it."""
    return HIDDEN + canonical[-_SHOWN:] if len(canonical) >= _SHORTEST_SHOWN else HIDDEN


def _year(kind: str, canonical: str, _key: bytes) -> str:
    return canonical[:4] if kind in {"date", "year"} else HIDDEN


def _hash(kind: str, canonical: str, key: bytes) -> str:
    """32 hex digits, equal for equal values and this reader, unrelated for another reader."""
    return hmac_sha256(key, parts(kind.encode()) + canonical.encode())[:16].hex()


_MASKS: Final[dict[str, Callable[[str, str, bytes], str]]] = {
    "mask_last4": _last4,
    "mask_year": _year,
    "mask_hash": _hash,
}
