"""A notice: what people are shown when they choose. One immutable version, a text per locale."""

import hashlib
from typing import Final, Literal

import msgspec
from msgspec import Struct

from consent.catalogue.purpose import Texts
from consent.errors import UnknownLocale

Stage = Literal["draft", "reviewed", "published", "superseded"]
"""Where a version stands. Only `published` is asked on; `superseded` was, until a newer one was published."""

MANDATORY: Final = ("method", "timing", "storage", "participation", "complaints", "risks")
"""What ISO/IEC 29184 has a notice tell and no other section of the manifest says: how data are collected and used, when
and where, where they lie and under which law, how to access, correct and withdraw, whom to complain to, and the risks.
Purposes, data, basis, recipients, transfers and retention stand with the purposes, the controller in its section.
"""

STANDARDS: Final = ("iso-29184",)
"""Standards that a notice can claim to meet; a claim that does not hold is refused."""

_canonical = msgspec.json.Encoder(order="sorted").encode


class Steps(Struct, frozen=True, omit_defaults=True):
    """How many steps each takes where this notice is shown: no more to refuse or withdraw than to accept."""

    accept: int = 1
    refuse: int = 1
    withdraw: int = 1


class Notice(Struct, frozen=True, omit_defaults=True):
    """One version of a notice; immutable once published. `text`, `title` and the ISO/IEC 29184 members are what is
    shown, one per locale.

    `material` is the author's decision whether the version changes what people are asked: for all its purposes, for
    those named, or not at all; None where nobody decided, which asks nobody again.
    """

    name: str
    version: int
    purposes: tuple[str, ...]
    text: Texts
    title: Texts = {}
    published_at: int = 0
    status: Stage = "published"
    material: bool | tuple[str, ...] | None = None
    standard: str = ""
    method: Texts = {}
    timing: Texts = {}
    storage: Texts = {}
    participation: Texts = {}
    complaints: Texts = {}
    risks: Texts = {}
    steps: Steps | None = None

    def asks_again(self) -> tuple[str, ...]:
        """The purposes about which this version makes people be asked again."""
        return self.purposes if self.material is True else self.material or ()

    def content(self) -> bytes:
        """The canonical bytes of the whole version (JSON, keys sorted): what immutability and `hash` are about."""
        told = {member: texts for member in MANDATORY if (texts := getattr(self, member))}
        return _canonical(
            {
                "name": self.name,
                "purposes": self.purposes,
                "text": self.text,
                "title": self.title,
                "version": self.version,
                **told,
                **({"material": self.material} if self.material is not None else {}),
                **({"standard": self.standard} if self.standard else {}),
                **({"steps": self.steps} if self.steps else {}),
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
        told = {member: texts[locale] for member in MANDATORY if locale in (texts := getattr(self, member))}
        return hashlib.sha256(_canonical({**shown, **told})).hexdigest()

    def locale(self, wanted: str) -> str:
        """The locale of this notice that answers `wanted` by RFC 4647, lookup. Raises `UnknownLocale`."""
        known = {name.lower(): name for name in self.text}
        tag = wanted.lower()
        while tag:
            if tag in known:
                return known[tag]
            tag = tag.rpartition("-")[0]
        raise UnknownLocale(self.name, sorted(self.text))
