"""The words of receipts: what ours are called in the Data Privacy Vocabulary (DPV 2.3). Tables and look-ups, pure.

Every term here exists in DPV 2.3 and fits the range of the property it is used with. What the vocabulary has no word
for (PIPL, a mechanism of its own) is told in ours, under `urn:sayso:receipt:`.
"""

from collections.abc import Iterable
from typing import Final

from consent.choices.fold import Change
from consent.laws.jurisdictions import ROOT, chain

PREFIXES: Final = {
    "dct": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "loc": "https://w3id.org/dpv/loc#",
    "pd": "https://w3id.org/dpv/pd#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "sayso": "urn:sayso:receipt:",
    "schema": "https://schema.org/",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}

TIMES: Final = ("dct:created", "dct:date", "dpv:isIndicatedAtTime")

PROFILE: Final = "https://w3id.org/dpv/schema/dpv-27560#"
"""Profiles of ISO/IEC TS 27560 in DPV: `record`, `receipt`, and each with `-eu-gdpr`."""

STATUS: Final[dict[str, str]] = {
    "granted": "ConsentGiven",
    "renewed": "RenewedConsentGiven",
    "requested": "ConsentRequested",
    "refused": "ConsentRefused",
    "withdrawn": "ConsentWithdrawn",
    "objected": "ConsentWithdrawn",
    "reconsidered": "ConsentUnknown",
    "expired": "ConsentExpired",
    "undone": "ConsentUnknown",
    "ignored": "ConsentInvalidated",
    "directive": "ConsentRefused",
}
"""What an act did, to the event state of ISO/IEC TS 27560. Only given and renewed permit anything. A grant that was
recorded and ignored is void; an opt-out (GPC, a link) is a refusal of everything of its kind. A withdrawal undone
renews what it had ended, and where nothing had been granted leaves nothing said.
"""

BESIDE: Final[dict[str, str]] = {
    "objected": "LegitimateInterestObjected",
    "directive": "LegitimateInterestObjected",
    "reconsidered": "LegitimateInterestNotObjected",
}
"""What stands beside the state: an objection (GDPR Art. 21), or its being taken back."""

_BASES: Final[dict[str, tuple[str, str]]] = {
    "consent": ("dpv:Consent", "eu-gdpr:A6-1-a"),
    "contract": ("dpv:Contract", "eu-gdpr:A6-1-b"),
    "legal_obligation": ("dpv:LegalObligation", "eu-gdpr:A6-1-c"),
    "vital_interest": ("dpv:VitalInterest", "eu-gdpr:A6-1-d"),
    "public_task": ("dpv:PublicInterest", "eu-gdpr:A6-1-e"),
    "legitimate_interest": ("dpv:LegitimateInterest", "eu-gdpr:A6-1-f"),
    "notice": ("dpv:LegalBasis", "dpv:LegalBasis"),
}
EXPLICIT: Final = ("dpv:ExplicitlyExpressedConsent", "eu-gdpr:A9-2-a")
"""Consent to sensitive data."""

TRANSFERS: Final[dict[str, str]] = {
    "adequacy": "eu-gdpr:A45-3",
    "standard_clauses": "eu-gdpr:A46-2-c",
    "binding_rules": "eu-gdpr:A46-2-b",
    "certification": "eu-gdpr:A46-2-f",
    "consent": "eu-gdpr:A49-1-a",
}
"""What a transfer out of the EEA rests on. Other mechanisms are told by our own name for them."""

SOURCES: Final[dict[str, str]] = {
    "zero_party": "dpv:DataSubjectDataSource",
    "first_party": "dpv:DataSubjectDataSource",
    "second_party": "dpv:ThirdPartyDataSource",
    "third_party": "dpv:ThirdPartyDataSource",
}

ROLES: Final[dict[str, tuple[str, ...]]] = {
    "processor": ("dpv:DataProcessor", "dpv:Recipient"),
    "joint_controller": ("dpv:DataController", "dpv:Recipient"),
    "third_party": ("dpv:Recipient", "dpv:ThirdParty"),
    "authority": ("dpv:Authority", "dpv:Recipient"),
}
"""Who else gets the data. `Recipient` stands in each: `ThirdParty` alone does not fit the range of `hasRecipient`."""

OPT_OUTS: Final[dict[str, str]] = {
    "sale": "dpv:SellDataToThirdParties",
    "share": "dpv:PersonalisedAdvertising",
    "targeted_ads": "dpv:TargetedAdvertising",
    "sensitive": "dpv:Purpose",
}
"""What a directive reaches. California's `share` is cross-context behavioural advertising."""

_DATA: Final[dict[str, str]] = {
    "address": "pd:PhysicalAddress",
    "age": "pd:Age",
    "behaviour": "pd:Behavioural",
    "behavior": "pd:Behavioural",
    "biometric": "pd:Biometric",
    "birthdate": "pd:BirthDate",
    "browsing": "pd:BrowsingBehaviour",
    "contact": "pd:Contact",
    "device": "pd:DeviceBased",
    "email": "pd:EmailAddress",
    "financial": "pd:Financial",
    "gender": "pd:Gender",
    "genetic": "pd:Genetic",
    "health": "pd:Health",
    "interests": "pd:Interest",
    "ip": "pd:IPAddress",
    "language": "pd:Language",
    "location": "pd:Location",
    "name": "pd:Name",
    "phone": "pd:TelephoneNumber",
    "preferences": "pd:Preference",
    "purchases": "pd:Purchase",
    "transactions": "pd:Transactional",
}

_LAWS: Final[dict[str, str]] = {
    "eea": "https://w3id.org/dpv/legal/eu#law-GDPR",
    "gb": "https://w3id.org/dpv/legal/gb#law-GDPR",
    "in": "https://w3id.org/dpv/legal/in#law-DPDP",
    "us-ca": "https://w3id.org/dpv/legal/us#law-CA-CPRA",
}

PIPL: Final[dict[str, object]] = {
    "@type": "dpv:Law",
    "dct:title": [
        {"@language": "zh-CN", "@value": "中华人民共和国个人信息保护法"},
        {"@language": "en", "@value": "Personal Information Protection Law of the People's Republic of China"},
    ],
}
"""DPV has no extension for China."""


def state_of(change: Change, *, renewed: bool) -> str:
    """The key into `STATUS` for what one act did. `renewed`: a grant stood before it."""
    if change.ignored:
        return "ignored"
    if change.act == "undone":
        was = change.stood.choices.get(change.purpose) if change.stood is not None else None
        return "renewed" if was is not None and was.status == "granted" else change.act
    return "renewed" if renewed and change.act == "granted" else change.act


def basis_term(basis: str, codes: Iterable[str], *, explicit: bool) -> str:
    """The legal basis: the GDPR's article where all known laws are the EEA's, else the general word."""
    general, european = EXPLICIT if explicit and basis == "consent" else _BASES[basis]
    return european if in_eea(codes) else general


def data_term(category: str) -> str | None:
    """The kind of personal data that a category's name, or the name above it, says; None for one nobody else knows."""
    return next((_DATA[part] for part in reversed(category.split(".")) if part in _DATA), None)


def purpose_term(declared: str, *, direct_marketing: bool) -> str:
    """The DPV purpose, as declared or, where nothing is, what the purpose does."""
    if declared:
        return declared if ":" in declared else f"dpv:{declared}"
    return "dpv:DirectMarketing" if direct_marketing else "dpv:Purpose"


def place_term(code: str) -> str:
    """A country or region: `de` is `loc:DE`, `us-ca` is `loc:US-CA`, `eea` is `loc:EEA`."""
    return f"loc:{code.upper()}"


def law_term(code: str) -> object | None:
    """The privacy law of a jurisdiction, as far as the vocabulary or we have a name for it."""
    if code == "cn":
        return PIPL
    return next((_LAWS[each] for each in chain(code) if each in _LAWS), None)


def in_eea(codes: Iterable[str]) -> bool:
    """Whether the laws that may apply are known, and all of them are of the EEA."""
    known = tuple(codes)
    return bool(known) and all("eea" in chain(code) for code in known if code != ROOT)
