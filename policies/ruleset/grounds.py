"""What the rules need to know of the law and of the purposes: which basis may carry what, where.

A rule may always ask for consent. Any other basis must be the one that the purpose itself declares for that
jurisdiction (it is what notices and receipts tell people), and the jurisdiction's law must know it.
"""

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct

from consent import Catalogue
from policies.ruleset.trees import RIGHTS, Tree


class PurposeFacts(Struct, frozen=True):
    """What a manifest declares of one purpose, as far as rules depend on it.

    `noticed` says whether a published notice names the purpose or one above it.
    """

    legal_basis: str | dict[str, str] = "consent"
    categories: frozenset[str] = frozenset()
    direct_marketing: bool = False
    noticed: bool = False


class Grounds(Struct, frozen=True):
    """`laws` maps each jurisdiction to the bases it knows; `any`, where nobody knows which law it is, is the strictest.

    `declared` answers the legal basis that a purpose declares for a jurisdiction, or None. `special` are the categories
    that need explicit consent or a legal duty.
    """

    purposes: Mapping[str, PurposeFacts]
    declared: Callable[[str, str], str | None]
    laws: Mapping[str, frozenset[str]]
    special: frozenset[str] = frozenset()

    def lawful(self, basis: str, jurisdiction: str) -> bool:
        """Whether the law there knows `basis`."""
        return basis in self.laws[jurisdiction]

    def admits(self, basis: str, purpose: str, jurisdiction: str) -> bool:
        """Whether data may be used for a leaf purpose on this basis in this jurisdiction."""
        if purpose == RIGHTS:
            return basis == "legal_obligation"
        return self.lawful(basis, jurisdiction) and (
            basis == "consent" or self.declared(purpose, jurisdiction) == basis
        )


def grounds_of(catalogue: Catalogue, special: Iterable[str] = ()) -> Grounds:
    """What a catalogue says."""
    noticed = {
        name
        for notice in catalogue.notices.values()
        for named in notice.purposes
        for name in (named, *catalogue.below(named))
    }
    return Grounds(
        {
            name: PurposeFacts(
                purpose.legal_basis, frozenset(purpose.categories), name in catalogue.direct_marketing, name in noticed
            )
            for name, purpose in catalogue.purposes.items()
            if not purpose.implied
        },
        catalogue.declared_basis,
        {code: regime.bases for code, regime in catalogue.regimes.items()},
        frozenset(special),
    )


def jurisdiction_tree(catalogue: Catalogue) -> Tree:
    """The jurisdictions that the catalogue knows, as a tree."""
    return Tree({code: (regime.parent,) for code, regime in catalogue.regimes.items() if regime.parent is not None})
