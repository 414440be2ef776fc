"""What people can be asked: purposes, the notices that ask, categories of data. One immutable value per
configuration.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from consent.catalogue.demands import Demands
from consent.catalogue.notice import Notice
from consent.catalogue.parties import Controller, Recipient
from consent.catalogue.purpose import OnMerge, Purpose, Texts
from consent.choices.directives import opt_outs_of
from consent.errors import StaleNotice, UnknownNotice, UnknownPurpose
from consent.laws.jurisdictions import BLOCKABLE, REGIMES, ROOT, Regime, chain
from consent.laws.law import DefaultState, default_state, grant_ends, reask_at
from consent.model import PersonState
from sayso.kernel import nearest

__all__ = ["Catalogue", "Notice", "Purpose", "Shown", "Texts", "with_parents"]

_NOTHING: Final[frozenset[str]] = frozenset()
_NEVER: Final = 2**62
"""The version of a purpose that is not declared: no grant reaches it."""

_NOBODY: Final = Controller()


class Shown(Struct, frozen=True):
    """A notice in one locale, as records and receipts name it. Empty strings where nothing was shown, or nobody
    knows.
    """

    notice: str = ""
    version: int = 0
    hash: str = ""
    locale: str = ""
    text_hash: str = ""
    purposes: tuple[str, ...] = ()


class Catalogue:
    """All declared purposes and published notices of one tenant. Immutable; swapped as a whole."""

    __slots__ = (
        "_bases",
        "_below",
        "_history",
        "_older",
        "_opt_outs",
        "_shown",
        "categories",
        "controller",
        "demands",
        "direct_marketing",
        "drafts",
        "notices",
        "purposes",
        "recipients",
        "regimes",
    )

    def __init__(
        self,
        purposes: Iterable[Purpose],
        notices: Iterable[Notice],
        categories: Iterable[str],
        history: Iterable[Purpose] = (),
        *,
        drafts: Iterable[Notice] = (),
        recipients: Iterable[Recipient] = (),
        controller: Controller = _NOBODY,
    ) -> None:
        """`notices` are all versions ever published, `history` all published versions of purposes, `drafts` the
        notices that are declared and not published yet.
        """
        self.purposes: dict[str, Purpose] = with_parents(purposes)
        self.categories = frozenset(_prefixes(categories))
        self.regimes: Mapping[str, Regime] = REGIMES
        self.recipients = {each.name: each for each in recipients}
        self.controller = controller
        self.drafts = {each.name: each for each in drafts}
        self.notices: dict[str, Notice] = {}
        self._older: dict[tuple[str, int], Notice] = {}
        for notice in notices:
            self._older[notice.name, notice.version] = notice
            newest = self.notices.get(notice.name)
            if newest is None or notice.version > newest.version:
                self.notices[notice.name] = notice
        self._history = tuple(history)
        # What is told where nobody knows the law: by far the most frequent question.
        self._bases = {name: self.basis(name) for name in self.purposes}
        self._shown: dict[tuple[str, int, str], Shown] = {}
        below: dict[str, list[str]] = {name: [] for name in self.purposes}
        for name in self.purposes:
            for above in _prefixes_above(name):
                below[above].append(name)
        self._below = {name: tuple(sorted(names)) for name, names in below.items()}
        does = {name: opt_outs_of(each) for name, each in self.purposes.items() if self.blockable(name)}
        self._opt_outs = {
            name: frozenset().union(*(does.get(each, ()) for each in (name, *_prefixes_above(name)))) for name in does
        }
        flagged = [name for name, purpose in self.purposes.items() if purpose.direct_marketing]
        self.direct_marketing = frozenset(below for name in flagged for below in (name, *self._below[name]))
        self.demands = Demands(self.purposes, self._opt_outs, self.regimes)

    # purposes

    def purpose(self, name: str) -> Purpose:
        """Raises `UnknownPurpose` with the nearest declared name."""
        found = self.purposes.get(name)
        if found is None:
            raise UnknownPurpose(nearest(name, self.purposes))
        return found

    def version(self, purpose: str) -> int:
        """The purpose's present version; for one that is not declared a version that no grant has."""
        found = self.purposes.get(purpose)
        return found.version if found else _NEVER

    def ancestors(self, purpose: str) -> tuple[str, ...]:
        """Those above a purpose, nearest first, without the root `any`."""
        return _prefixes_above(purpose)

    def below(self, purpose: str) -> tuple[str, ...]:
        """All purposes below this one, at any depth, sorted."""
        return self._below.get(purpose, ())

    def leaf(self, purpose: str) -> bool:
        """Whether nothing stands below the purpose."""
        return not self._below.get(purpose)

    def expiry(self, purpose: str, given_at: int, state: PersonState) -> int:
        """When a grant given at this instant ends; 0 when it has no term. Counted from the claimed time."""
        found = self.purposes.get(purpose)
        return grant_ends(found, given_at, state.jurisdictions) if found is not None else 0

    def reask_at(self, purpose: str, said_at: int, state: PersonState) -> int:
        """Until when nobody asks this person again after a no said at this instant."""
        return reask_at(self.purpose(purpose), said_at, state.jurisdictions)

    def default_state(self, purpose: str, jurisdiction: str = ROOT) -> DefaultState:
        """Where the purpose stands before any choice."""
        return default_state(self.basis(purpose, jurisdiction))

    def blockable(self, purpose: str) -> bool:
        """Whether a no can block this purpose under some law. An implied one is, when all below it are."""
        found = self.purposes[purpose]
        if found.implied:
            return all(self.blockable(name) for name in self._below[purpose] if not self.purposes[name].implied)
        basis = found.legal_basis
        return basis in BLOCKABLE if isinstance(basis, str) else any(each in BLOCKABLE for each in basis.values())

    def opt_outs(self, purpose: str) -> frozenset[str]:
        """Which opt-outs reach this purpose: by what it does, or one above it. None reaches what no no can block."""
        return self._opt_outs.get(purpose, _NOTHING)

    def on_merge(self, purpose: str) -> OnMerge:
        """How the answers of two people who turn out to be one are joined here (`merging.py`)."""
        found = self.purposes.get(purpose)
        return found.on_merge if found else "least_permissive"

    # legal bases

    def declared_basis(self, purpose: str, jurisdiction: str) -> str | None:
        """The basis that the purpose declares there: its own, or that of the nearest jurisdiction above; None for
        none.
        """
        found = self.purposes.get(purpose)
        if found is None or found.implied:
            return None
        if isinstance(found.legal_basis, str):
            return found.legal_basis
        return next((found.legal_basis[code] for code in chain(jurisdiction) if code in found.legal_basis), None)

    def basis(self, purpose: str, jurisdiction: str = ROOT) -> str:
        """The basis that notices and receipts tell: the declared one where the law knows it, else consent."""
        declared = self.declared_basis(purpose, jurisdiction)
        regime = self.regimes.get(jurisdiction) or self.regimes[ROOT]
        return declared if declared is not None and declared in regime.bases else "consent"

    def basis_of(self, purpose: str, state: PersonState) -> str:
        """The basis for this person: where the known jurisdictions disagree it is consent, and so it is where none is
        known.
        """
        if not state.jurisdictions:
            return self._bases.get(purpose, "consent")
        bases = {self.basis(purpose, each.code) for each in state.jurisdictions}
        return bases.pop() if len(bases) == 1 else "consent"

    # notices

    def notice(self, name: str) -> Notice:
        """The published version. Raises `UnknownNotice` with the nearest name."""
        found = self.notices.get(name)
        if found is None:
            raise UnknownNotice(nearest(name, self.notices))
        return found

    def older(self, name: str, version: int) -> Notice | None:
        """Any version ever published."""
        return self._older.get((name, version))

    def beyond_a_click(self) -> dict[str, str]:
        """Published notices that one click of "accept all" cannot answer, each with the purpose that forbids it: its
        consent is to be explicit (sensitive data), or to stand alone beside no other.
        """
        found: dict[str, str] = {}
        for name, notice in self.notices.items():
            asked = {each for above in notice.purposes for each in (above, *self.below(above))}
            asked = {each for each in asked if each in self.purposes and not self.purposes[each].implied}
            apart = asked & self.demands.sensitive or (asked & self.demands.separate if len(asked) > 1 else set())
            if apart:
                found[name] = min(apart)
        return found

    def versions(self, name: str) -> list[Notice]:
        """Every published version of a notice, newest first."""
        found = (notice for notice in self._older.values() if notice.name == name)
        return sorted(found, key=lambda notice: notice.version, reverse=True)

    def shown(self, name: str, version: int, locale: str, *, granting: bool) -> Shown:
        """The notice that a choice names. Grants need the published version; a no is taken on any.

        Raises `UnknownNotice`, `StaleNotice`, `UnknownLocale`.
        """
        found = self._shown.get((name, version, locale))
        if found is not None and (not granting or self.notices[name].version == version):
            return found
        published = self.notice(name)
        if version != published.version:
            if granting:
                raise StaleNotice(name, submitted=version, published=published.version)
            older = self.older(name, version)
            if older is None or locale not in older.text:
                return Shown(name, version, older.hash() if older else "", locale)
            published = older
        known = published.locale(locale)
        shown = Shown(name, version, published.hash(), known, published.text_hash(known), published.purposes)
        # Remembered only under a locale that the notice has: callers must not fill memory with spellings.
        if known == locale:
            self._shown[name, version, locale] = shown
        return shown

    # time travel

    def at(self, instant: int) -> "Catalogue":
        """The catalogue with every purpose in the version it had at `instant`; for reads `as_of`."""
        was: dict[str, Purpose] = {}
        for purpose in sorted(self._history, key=lambda each: (each.version, each.revision)):
            if (purpose.revised_at or purpose.published_at) <= instant and purpose.name in self.purposes:
                was[purpose.name] = replace(
                    self.purposes[purpose.name], version=purpose.version, legal_basis=purpose.legal_basis
                )
        kept = [was.get(name, purpose) for name, purpose in self.purposes.items()]
        return Catalogue(
            kept,
            self._older.values(),
            self.categories,
            self._history,
            drafts=self.drafts.values(),
            recipients=self.recipients.values(),
            controller=self.controller,
        )


def with_parents(purposes: Iterable[Purpose]) -> dict[str, Purpose]:
    """The purposes and the implied ones above them, by name."""
    found = {purpose.name: purpose for purpose in purposes}
    for name in list(found):
        for above in _prefixes_above(name):
            found.setdefault(above, Purpose(above, implied=True))
    return dict(sorted(found.items()))


def _prefixes_above(name: str) -> tuple[str, ...]:
    parts = name.split(".")
    return tuple(".".join(parts[:length]) for length in range(len(parts) - 1, 0, -1))


def _prefixes(names: Iterable[str]) -> set[str]:
    return {each for name in names for each in (name, *_prefixes_above(name))}
