"""What people can be asked: purposes, the notices that ask, categories of data. One immutable value per
configuration.
"""

import hashlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from consent.errors import StaleNotice, UnknownLocale, UnknownNotice, UnknownPurpose
from consent.jurisdictions import BLOCKABLE, REGIMES, ROOT, Regime, chain
from consent.model import PersonState
from sayso.kernel import add_duration, nearest

Texts = dict[str, str]
"""One text per locale (BCP 47 tag)."""

_NEVER: Final = 2**62
"""The version of a purpose that is not declared: no grant reaches it."""

_canonical = msgspec.json.Encoder(order="sorted").encode


class Purpose(Struct, frozen=True, omit_defaults=True):
    """One purpose in its newest published version. `legal_basis` is one basis, or one per jurisdiction.

    `implied` purposes exist because something below them was declared; nobody has described them, their version is 0.
    """

    name: str
    version: int = 0
    title: Texts = {}
    description: Texts = {}
    legal_basis: str | dict[str, str] = "consent"
    categories: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    expires_after: str | None = None
    direct_marketing: bool = False
    implied: bool = False
    published_at: int = 0

    def material(self) -> tuple[object, ...]:
        """What people agreed to. A change of it is a new version, which makes every earlier grant stale."""
        return (sorted(self.categories), self.legal_basis, sorted(self.recipients))


class Notice(Struct, frozen=True, omit_defaults=True):
    """One published version of a notice: immutable. `text` and `title` are what is shown, one per locale."""

    name: str
    version: int
    purposes: tuple[str, ...]
    text: Texts
    title: Texts = {}
    published_at: int = 0

    def content(self) -> bytes:
        """The canonical bytes of the whole version (JSON, keys sorted): what immutability and `hash` are about."""
        return _canonical(
            {
                "name": self.name,
                "purposes": self.purposes,
                "text": self.text,
                "title": self.title,
                "version": self.version,
            }
        )

    def hash(self) -> str:
        """SHA-256 of `content`, hex."""
        return hashlib.sha256(self.content()).hexdigest()

    def text_hash(self, locale: str) -> str:
        """SHA-256, hex, of the canonical bytes of what is shown in one locale."""
        shown = {
            "locale": locale,
            "name": self.name,
            "purposes": self.purposes,
            "text": self.text[locale],
            "title": self.title.get(locale, ""),
            "version": self.version,
        }
        return hashlib.sha256(_canonical(shown)).hexdigest()

    def locale(self, wanted: str) -> str:
        """The locale of this notice that answers `wanted` by RFC 4647, lookup. Raises `UnknownLocale`."""
        known = {name.lower(): name for name in self.text}
        tag = wanted.lower()
        while tag:
            if tag in known:
                return known[tag]
            tag = tag.rpartition("-")[0]
        raise UnknownLocale(self.name, sorted(self.text))


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
        "_shown",
        "categories",
        "direct_marketing",
        "notices",
        "purposes",
        "regimes",
    )

    def __init__(
        self,
        purposes: Iterable[Purpose],
        notices: Iterable[Notice],
        categories: Iterable[str],
        history: Iterable[Purpose] = (),
    ) -> None:
        """`notices` are all versions ever published, `history` all published versions of purposes."""
        self.purposes: dict[str, Purpose] = with_parents(purposes)
        self.categories = frozenset(_prefixes(categories))
        self.regimes: Mapping[str, Regime] = REGIMES
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
        flagged = [name for name, purpose in self.purposes.items() if purpose.direct_marketing]
        self.direct_marketing = frozenset(below for name in flagged for below in (name, *self._below[name]))

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

    def expiry(self, purpose: str, given_at: int) -> int:
        """When a grant given at this instant ends; 0 when it has no term. Counted from the claimed time."""
        found = self.purposes.get(purpose)
        return _ends(given_at, found.expires_after) if found and found.expires_after else 0

    def blockable(self, purpose: str) -> bool:
        """Whether a no can block this purpose under some law. An implied one is, when all below it are."""
        found = self.purposes[purpose]
        if found.implied:
            return all(self.blockable(name) for name in self._below[purpose] if not self.purposes[name].implied)
        basis = found.legal_basis
        return basis in BLOCKABLE if isinstance(basis, str) else any(each in BLOCKABLE for each in basis.values())

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
        for purpose in sorted(self._history, key=lambda each: each.version):
            if purpose.published_at <= instant and purpose.name in self.purposes:
                was[purpose.name] = replace(
                    self.purposes[purpose.name], version=purpose.version, legal_basis=purpose.legal_basis
                )
        kept = [was.get(name, purpose) for name, purpose in self.purposes.items()]
        return Catalogue(kept, self._older.values(), self.categories, self._history)


# The purposes of one submission are given at one instant, mostly for one term.
_ends = lru_cache(maxsize=1_024)(add_duration)


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
