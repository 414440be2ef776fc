"""What is answered about preferences, as it goes on the wire."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import UNSET, Struct, UnsetType

from consent.catalogue.catalogue import Catalogue
from consent.preferences.contact import PERIODS
from consent.preferences.preference import Preference, Questionnaire, in_language
from consent.preferences.telling import Answer
from sayso.kernel import iso

_IMPORTED: Final = frozenset({"import"})
_RECORDED: Final = frozenset({"staff", "phone", "paper"})


class Provenance(Struct, frozen=True, kw_only=True):
    """Where an answer comes from: `declared` by the person, `recorded` by staff who heard it, or `imported`."""

    how: str
    at: str
    method: str
    assurance: str
    actor: str
    entry: str
    source: str | UnsetType = UNSET
    occurred_at: str | UnsetType = UNSET


class Preferences(Struct, frozen=True, kw_only=True):
    """A person's preferences. `values` has the shape that a change takes; `version` is what the next one names.

    `withheld` tells which answers exist and are not told, and why: `sensitive` (needs a permit), `outdated` (the
    question has changed since), or where the person stands on the purpose that the answer serves. `ignored` tells
    which part of a change changed nothing: `weaker`, `late`, `declared`. `entry` is the change's.
    """

    subject: str
    version: int
    as_of: str
    values: dict[str, Any]
    provenance: dict[str, Provenance]
    withheld: dict[str, str] | UnsetType = UNSET
    entry: str | UnsetType = UNSET
    ignored: dict[str, str] | UnsetType = UNSET
    asked: "Asked | UnsetType" = UNSET


class PreferenceChange(Struct, frozen=True, kw_only=True):
    """One change. `values` by name, null where an answer was taken back; `channels.sms` is said of that channel."""

    version: int
    at: str
    how: str
    values: dict[str, Any]
    method: str
    assurance: str
    actor: str
    entry: str
    source: str | UnsetType = UNSET
    occurred_at: str | UnsetType = UNSET
    ignored: dict[str, str] | UnsetType = UNSET


class ChangePage(Struct, frozen=True):
    """Changes, newest first. `next` is the cursor of the following page, None at the end."""

    items: list[PreferenceChange]
    next: str | None


class AskedPreference(Struct, frozen=True, kw_only=True, omit_defaults=True, rename={"kind": "type"}):
    """One question in one language, with what may be answered."""

    kind: str
    title: str
    description: str = ""
    gives: str = ""
    purpose: str = ""
    purpose_title: str = ""
    sensitive: bool = False
    options: dict[str, str] = {}
    most: int = 0
    min: float | None = None
    max: float | None = None
    whole: bool = False
    earliest: str = ""
    latest: str = ""
    longest: int | UnsetType = UNSET


class Locked(Struct, frozen=True):
    """Messages that belong to the service: they cannot be switched off, because of `reason` or on the `basis`."""

    title: str
    basis: str
    reason: str


class AskedChannel(Struct, frozen=True):
    """What a channel is used for: titles of the purposes that may be switched off there, and those that may not."""

    purposes: dict[str, str]
    locked: dict[str, Locked]


class Asked(Struct, frozen=True):
    """All that a brand asks, in one language."""

    locale: str
    channels: dict[str, AskedChannel]
    periods: tuple[str, ...]
    preferences: dict[str, AskedPreference]


def how(method: str) -> str:
    """How what reached us by a method came to be known: `declared`, `recorded` or `imported`."""
    return "imported" if method in _IMPORTED else "recorded" if method in _RECORDED else "declared"


def provenance(answer: Answer) -> Provenance:
    """Where an answer comes from, in words."""
    return Provenance(
        how=how(answer.method),
        at=iso(answer.at),
        method=answer.method,
        assurance=answer.assurance,
        actor=answer.actor,
        entry=answer.entry,
        source=answer.source or UNSET,
        occurred_at=iso(answer.occurred_at) if answer.occurred_at else UNSET,
    )


def asked_in(asked: Questionnaire, catalogue: Catalogue, locale: str) -> Asked:
    """What is asked, in the language that answers `locale`."""

    def title(purpose: str) -> str:
        found = catalogue.purposes.get(purpose)
        return in_language(found.title, locale, purpose) if found is not None else purpose

    def locked(purpose: str) -> Locked:
        return Locked(title(purpose), catalogue.basis(purpose), locked_reason(catalogue, purpose, locale))

    channels = {
        name: AskedChannel({each: title(each) for each in way.offered}, {each: locked(each) for each in way.locked})
        for name, way in asked.channels.items()
    }
    questions = {name: _question(each, locale, title(each.purpose)) for name, each in asked.preferences.items()}
    return Asked(locale, channels, PERIODS, questions)


def locked_reason(catalogue: Catalogue, purpose: str, locale: str) -> str:
    """Why messages for a purpose cannot be switched off: its justification, else what it is for."""
    found = catalogue.purposes[purpose]
    return in_language(found.justification, locale) or in_language(found.description, locale)


def _question(each: Preference, locale: str, purpose_title: str) -> AskedPreference:
    return AskedPreference(
        kind=each.type,
        title=in_language(each.title, locale, each.name),
        description=in_language(each.description, locale),
        gives=in_language(each.gives, locale),
        purpose=each.purpose,
        purpose_title=purpose_title,
        sensitive=each.sensitive,
        options=options_in(each.options, locale),
        most=each.most,
        min=each.min,
        max=each.max,
        whole=each.whole,
        earliest=each.earliest,
        latest=each.latest,
        longest=each.longest if each.type == "text" else UNSET,
    )


def options_in(options: Mapping[str, Mapping[str, str]], locale: str) -> dict[str, str]:
    """The options of a question in one language."""
    return {name: in_language(texts, locale, name) for name, texts in options.items()}
