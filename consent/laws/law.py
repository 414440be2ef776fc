"""What the laws that may apply to a person make of a purpose: terms, re-asking, default state. Pure.

Where several laws are known the answer holds under all of them; where none is known, under the strictest row (design
6.2).
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

from consent.catalogue.purpose import Purpose
from consent.laws.jurisdictions import REGIMES, ROOT, Regime
from consent.model import Jurisdiction
from sayso.kernel import add_duration

DefaultState = Literal["off", "on", "always"]
"""Before any choice: `off` until agreed, `on` until refused, `always` where no choice is asked."""

_STRICTEST = (REGIMES[ROOT],)


def laws(known: Iterable[Jurisdiction]) -> tuple[Regime, ...]:
    """The rows of the jurisdictions known of a person; the strictest row where none is."""
    return tuple(REGIMES[each.code] for each in known if each.code in REGIMES) or _STRICTEST


def grant_ends(purpose: Purpose, given_at: int, known: Iterable[Jurisdiction]) -> int:
    """When a grant given at this instant ends; 0 for never.

    The purpose's own term, and for device storage the sooner of it and what each law admits (CNIL, TCF policies).
    """
    ends = add_duration(given_at, purpose.expires_after) if purpose.expires_after else 0
    if purpose.device_storage is not None:
        codes = tuple([each.code for each in known])
        latest = min([add_duration(given_at, term) for term in _device_terms(codes)])
        return min(ends, latest) if ends else latest
    return ends


def reask_at(purpose: Purpose, said_at: int, known: Iterable[Jurisdiction]) -> int:
    """Until when nobody asks again after a no said at this instant: the latest of the purpose's term and each law's."""
    terms = {law.refusal_valid_for for law in laws(known)}
    if purpose.refusal_valid_for is not None:
        terms.add(purpose.refusal_valid_for)
    return max(add_duration(said_at, term) for term in terms)


def default_state(basis: str) -> DefaultState:
    """What a legal basis means before any choice."""
    if basis == "consent":
        return "off"
    return "on" if basis in ("notice", "legitimate_interest") else "always"


@lru_cache(maxsize=1_024)
def _device_terms(codes: tuple[str, ...]) -> tuple[str, ...]:
    rows = [REGIMES[code] for code in codes if code in REGIMES] or _STRICTEST
    return tuple({row.device_grant_valid_for for row in rows})
