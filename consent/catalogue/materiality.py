"""When a changed purpose is another one: the rule which of its members people agreed to. Pure.

People are asked again when something of this became wider (PIPL Art. 14, 22, 23; GDPR Art. 13(3), rec. 42; LGPD Art. 8
par. 6): the data and where they come from, who gets them and where, what for, how people are reached, for how long data
are kept, on which basis. Taking something away asks nobody: they agreed to more. Words, terms of a choice and
justifications change freely; each change is kept as a revision. A change of words that changes what people understand
is for a notice to declare `material`.
"""

from collections.abc import Callable, Iterator
from typing import Final

from consent.catalogue.purpose import Purpose
from consent.laws.jurisdictions import REGIMES, chain
from sayso.kernel import add_duration

_NEARNESS: Final = {"zero_party": 0, "first_party": 1, "second_party": 2, "third_party": 3}


def widened(before: Purpose, after: Purpose) -> tuple[str, ...]:
    """The members that ask for more than before, in a fixed order; none where every earlier grant still holds."""
    return tuple(member for member, wider in _RULES if wider(before, after))


def _categories(before: Purpose, after: Purpose) -> bool:
    return not set(after.categories) <= set(before.categories)


def _sources(before: Purpose, after: Purpose) -> bool:
    """Data now come from farther away than people were told."""
    return any(
        _NEARNESS[source] > _NEARNESS[before.sources[category]]
        for category, source in after.sources.items()
        if category in before.sources
    )


def _recipients(before: Purpose, after: Purpose) -> bool:
    """Somebody new, or somebody who became another party: a processor turned third party, or in another country."""
    return not after.parties.items() <= before.parties.items() or not set(after.recipients) <= set(before.recipients)


def _transfers(before: Purpose, after: Purpose) -> bool:
    known = {(transfer.to, transfer.recipient) for transfer in before.transfers}
    return any((transfer.to, transfer.recipient) not in known for transfer in after.transfers)


def _legal_basis(before: Purpose, after: Purpose) -> bool:
    """Somewhere it no longer rests on consent."""
    return any(_basis(before, code) == "consent" != _basis(after, code) for code in REGIMES)


def _dpv(before: Purpose, after: Purpose) -> bool:
    return bool(before.dpv) and before.dpv != after.dpv


def _channels(before: Purpose, after: Purpose) -> bool:
    return bool(before.channels) and not set(after.channels) <= set(before.channels)


def _retention(before: Purpose, after: Purpose) -> bool:
    if before.retention is None:
        return False
    return after.retention is None or add_duration(0, after.retention) > add_duration(0, before.retention)


def _device_storage(before: Purpose, after: Purpose) -> bool:
    return after.device_storage is not None and after.device_storage != before.device_storage


_RULES: Final[tuple[tuple[str, Callable[[Purpose, Purpose], bool]], ...]] = (
    ("dpv", _dpv),
    ("categories", _categories),
    ("sources", _sources),
    ("recipients", _recipients),
    ("transfers", _transfers),
    ("legal_basis", _legal_basis),
    ("channels", _channels),
    ("retention", _retention),
    ("device_storage", _device_storage),
    ("sensitive", lambda before, after: after.sensitive and not before.sensitive),
    ("separate_consent", lambda before, after: after.separate_consent not in (None, before.separate_consent)),
    ("direct_marketing", lambda before, after: after.direct_marketing and not before.direct_marketing),
)


def _basis(purpose: Purpose, code: str) -> str:
    """What the purpose rests on there, as `Catalogue.basis` tells it."""
    declared = purpose.legal_basis
    if not isinstance(declared, str):
        declared = next((declared[each] for each in chain(code) if each in declared), "consent")
    return declared if declared in REGIMES[code].bases else "consent"


def reworded(before: Purpose, after: Purpose) -> Iterator[str]:
    """The members that differ at all."""
    for member in Purpose.__struct_fields__:
        if member not in _NUMBERS and getattr(before, member) != getattr(after, member):
            yield member


_NUMBERS: Final = frozenset({"version", "revision", "published_at", "revised_at", "implied"})
