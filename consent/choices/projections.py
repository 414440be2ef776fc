"""What tags of other firms are told: Google Consent Mode v2, Microsoft UET, Microsoft Clarity. Pure mappers of a state.

A projection is never stored and never read back: it is made from where the person stands, each time. Every key rests
on purposes; it is `granted` when there is one at least and all of them are allowed, and `denied` otherwise.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal

from msgspec import Struct

from consent.catalogue.catalogue import Catalogue
from consent.catalogue.purpose import Purpose
from consent.choices.directives import opt_outs_of
from consent.choices.standing import standing
from consent.laws.jurisdictions import BLOCKABLE
from consent.model import PersonState
from sayso.kernel import Invalid, nearest

Word = Literal["granted", "denied"]

KEYS: Final = (
    "ad_storage",
    "ad_user_data",
    "ad_personalization",
    "analytics_storage",
    "functionality_storage",
    "personalization_storage",
    "security_storage",
)
"""The keys of Google Consent Mode v2, from which those of the others follow."""

NAMES: Final = ("google_consent_mode", "microsoft_uet", "microsoft_clarity")

Modes = Mapping[str, tuple[str, ...]]
"""Which purposes each key rests on."""

_STORED_AND_SHARED = ("ad_storage", "ad_user_data")
_PERSONAL = (*_STORED_AND_SHARED, "ad_personalization")
BY_DPV: Final[dict[str, tuple[str, ...]]] = {
    "Advertising": _STORED_AND_SHARED,
    "PersonalisedAdvertising": _PERSONAL,
    "TargetedAdvertising": _PERSONAL,
    "ServiceUsageAnalytics": ("analytics_storage",),
    "ServiceOptimisation": ("functionality_storage",),
    "ServiceProvision": ("functionality_storage",),
    "RequestedServiceProvision": ("functionality_storage",),
    "Personalisation": ("personalization_storage",),
    "ServicePersonalisation": ("personalization_storage",),
    "UserInterfacePersonalisation": ("personalization_storage",),
    "EnforceSecurity": ("security_storage",),
    "FraudPreventionAndDetection": ("security_storage",),
    "IdentityAuthentication": ("security_storage",),
}
_BY_NAME: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(("analytics", "statistics", "measurement"), ("analytics_storage",)),
    **dict.fromkeys(("functional", "functionality"), ("functionality_storage",)),
    **dict.fromkeys(("personalisation", "personalization"), ("personalization_storage",)),
    "security": ("security_storage",),
}


class Projection(Struct, frozen=True):
    """What one tag is told. `default` is for before any tag, `update` how the person stands; `call` how to say it."""

    projection: str
    call: list[str]
    default: dict[str, Word]
    update: dict[str, Word]


def default_modes(catalogue: Catalogue) -> dict[str, tuple[str, ...]]:
    """The keys and the purposes that they rest on where a site says nothing: by what each purpose does (DPV), and for
    one that nobody has described by its name.
    """
    found: dict[str, list[str]] = {key: [] for key in KEYS}
    for name, purpose in catalogue.purposes.items():
        if not purpose.implied:
            for key in _keys_of(purpose):
                found[key].append(name)
    return {key: tuple(names) for key, names in found.items()}


def allowed(state: PersonState, catalogue: Catalogue, at: int) -> Callable[[str], bool]:
    """Whether tags may serve a purpose for this person. Nothing, while processing is restricted.

    On consent: granted. After notice, where an opt-out law applies: not objected to. What no no can block: yes. On
    legitimate interest: never, because tags store on the device, for which ePrivacy 5(3) knows no such ground.
    """

    def may(purpose: str) -> bool:
        if purpose not in catalogue.purposes or state.erased_at or state.restricted_at:
            return False
        found = standing(state, purpose, catalogue, at)
        if found.legal_basis not in BLOCKABLE:
            return True
        if state.suppressed_until > at or found.no or found.objected:
            return False
        return found.status == "granted" or found.legal_basis == "notice"

    return may


def words(modes: Modes, may: Callable[[str], bool]) -> dict[str, Word]:
    """Google's seven keys, each `granted` or `denied`."""
    return {key: _word(modes.get(key, ()), may) for key in KEYS}


def google_consent_mode(spoken: Mapping[str, Word]) -> dict[str, Word]:
    """`gtag('consent', 'update', …)`: all seven."""
    return {key: spoken[key] for key in KEYS}


def microsoft_uet(spoken: Mapping[str, Word]) -> dict[str, Word]:
    """`uetq.push('consent', 'update', …)`: one key."""
    return {"ad_storage": spoken["ad_storage"]}


def microsoft_clarity(spoken: Mapping[str, Word]) -> dict[str, Word]:
    """`clarity('consentv2', …)`: two keys, with a capital S; both are required."""
    return {"ad_Storage": spoken["ad_storage"], "analytics_Storage": spoken["analytics_storage"]}


def project(name: str, modes: Modes, may: Callable[[str], bool]) -> Projection:
    """One projection by name. Raises `Invalid` for one there is not."""
    if name not in _MAPPERS:
        hint = nearest(name, NAMES)
        raise Invalid(
            "unknown-projection",
            "There is no such projection.",
            projections=list(NAMES),
            **({"nearest": hint} if hint else {}),
        )
    call, mapper = _MAPPERS[name]
    # Before a tag has heard anything it hears no.
    return Projection(name, list(call), mapper(dict.fromkeys(KEYS, "denied")), mapper(words(modes, may)))


def _word(purposes: Iterable[str], may: Callable[[str], bool]) -> Word:
    answers = [may(purpose) for purpose in purposes]
    return "granted" if answers and all(answers) else "denied"


def _keys_of(purpose: Purpose) -> set[str]:
    if purpose.dpv:
        return set(BY_DPV.get(purpose.dpv.rpartition(":")[2], ()))
    found = {key for part in purpose.name.split(".") for key in _BY_NAME.get(part, ())}
    return found | set(_PERSONAL) if "targeted_ads" in opt_outs_of(purpose) else found


_MAPPERS: Final[dict[str, tuple[tuple[str, ...], Callable[[Mapping[str, Word]], dict[str, Word]]]]] = {
    "google_consent_mode": (("gtag", "consent", "update"), google_consent_mode),
    "microsoft_uet": (("uetq.push", "consent", "update"), microsoft_uet),
    "microsoft_clarity": (("clarity", "consentv2"), microsoft_clarity),
}
