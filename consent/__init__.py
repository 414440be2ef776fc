"""The consent registry: what each person was told, what they chose, and every fact about them that decides.

Read `registry.py` first: it tells the package's story. `fold.py` and `standing.py` hold the rules (design 6.1 to
6.3), pure; `catalogue.py` and `jurisdictions.py` what people can be asked and under which law;
docs/formats/consent.md the formats.
"""

from consent.answers import (
    DirectiveState,
    HistoryItem,
    HistoryPage,
    Link,
    PurposeState,
    Recorded,
    RelationState,
    Resolved,
    SubjectState,
)
from consent.catalogue import Catalogue, Notice, Purpose, Shown
from consent.census import touched_at
from consent.codes import Codes, Issued, Redeemed, Wrong
from consent.contact import Cap, Contact
from consent.declarations import Declarations, parse
from consent.directives import KINDS as DIRECTIVES
from consent.directives import reached
from consent.errors import (
    CodeUnusable,
    ExplicitMethodNeeded,
    GuardianNeeded,
    GuardianOfTheOther,
    Held,
    LastIdentifier,
    LinkUnusable,
    NoAdvertising,
    NoFact,
    NoRecord,
    NoSubject,
    NotAGuardian,
    NothingWaits,
    NotTheirIdentifier,
    PurposeNotInNotice,
    SeparateConsentNeeded,
    StaleNotice,
    StalePreferences,
    TooManyIds,
    UnfitPreference,
    UnknownJurisdiction,
    UnknownLocale,
    UnknownNotice,
    UnknownPreference,
    UnknownPurpose,
    UnpublishedNotice,
)
from consent.expiry import ended, terms_of
from consent.fold import Change, Moment, advance, decide, path
from consent.forgetting import Capsule, Forgotten, ProofChoice
from consent.identifier_kinds import IdentifierKinds
from consent.identities import IdentifierState, IdentityEvent, Lifted, Linked
from consent.impact import BUCKETS, MOST_READ, AskedAgain, Tally, asked_again, next_width
from consent.jurisdictions import BASES, BLOCKABLE, REGIMES, Regime, chain
from consent.known import SubjectFacts
from consent.merging import Ruled
from consent.model import (
    NOES,
    RANK,
    Act,
    AgeBand,
    Assurance,
    Choice,
    Cover,
    Directive,
    DoubleOptIn,
    Evidence,
    Guardian,
    Identifier,
    Jurisdiction,
    Minority,
    PersonState,
    Relation,
    Signal,
    Standing,
    Status,
    Submission,
    Waiting,
    pack,
    unpack,
)
from consent.parties import Controller, Recipient
from consent.preference import Preference, Questionnaire, carried, in_language
from consent.preference_answers import Asked, ChangePage, PreferenceChange, Preferences, asked_in, locked_reason
from consent.preference_declarations import parse_preferences
from consent.projections import KEYS as CONSENT_MODE_KEYS
from consent.projections import Projection, allowed, default_modes, project
from consent.publication import Publication, Staged, publish
from consent.purpose import CHANNELS, Transfer
from consent.quiet import Quiet
from consent.reach import Reach, reachable
from consent.receipt_reading import ReadPurpose, ReceiptReading, read_receipt
from consent.receipt_sheet import Issuer
from consent.record import Payload
from consent.recording import METHODS, IssuerOf
from consent.registry import ConsentRegistry
from consent.signals import Directed
from consent.standing import standing
from consent.store import PERSON
from consent.telling import Telling
from consent.unlinking import Unlinked

__all__ = [
    "BASES",
    "BLOCKABLE",
    "BUCKETS",
    "CHANNELS",
    "CONSENT_MODE_KEYS",
    "DIRECTIVES",
    "METHODS",
    "MOST_READ",
    "NOES",
    "PERSON",
    "RANK",
    "REGIMES",
    "Act",
    "AgeBand",
    "Asked",
    "AskedAgain",
    "Assurance",
    "Cap",
    "Capsule",
    "Catalogue",
    "Change",
    "ChangePage",
    "Choice",
    "CodeUnusable",
    "Codes",
    "ConsentRegistry",
    "Contact",
    "Controller",
    "Cover",
    "Declarations",
    "Directed",
    "Directive",
    "DirectiveState",
    "DoubleOptIn",
    "Evidence",
    "ExplicitMethodNeeded",
    "Forgotten",
    "Guardian",
    "GuardianNeeded",
    "GuardianOfTheOther",
    "Held",
    "HistoryItem",
    "HistoryPage",
    "Identifier",
    "IdentifierKinds",
    "IdentifierState",
    "IdentityEvent",
    "Issued",
    "Issuer",
    "IssuerOf",
    "Jurisdiction",
    "LastIdentifier",
    "Lifted",
    "Link",
    "LinkUnusable",
    "Linked",
    "Minority",
    "Moment",
    "NoAdvertising",
    "NoFact",
    "NoRecord",
    "NoSubject",
    "NotAGuardian",
    "NotTheirIdentifier",
    "NothingWaits",
    "Notice",
    "Payload",
    "PersonState",
    "Preference",
    "PreferenceChange",
    "Preferences",
    "Projection",
    "ProofChoice",
    "Publication",
    "Purpose",
    "PurposeNotInNotice",
    "PurposeState",
    "Questionnaire",
    "Quiet",
    "Reach",
    "ReadPurpose",
    "ReceiptReading",
    "Recipient",
    "Recorded",
    "Redeemed",
    "Regime",
    "Relation",
    "RelationState",
    "Resolved",
    "Ruled",
    "SeparateConsentNeeded",
    "Shown",
    "Signal",
    "Staged",
    "StaleNotice",
    "StalePreferences",
    "Standing",
    "Status",
    "SubjectFacts",
    "SubjectState",
    "Submission",
    "Tally",
    "Telling",
    "TooManyIds",
    "Transfer",
    "UnfitPreference",
    "UnknownJurisdiction",
    "UnknownLocale",
    "UnknownNotice",
    "UnknownPreference",
    "UnknownPurpose",
    "Unlinked",
    "UnpublishedNotice",
    "Waiting",
    "Wrong",
    "advance",
    "allowed",
    "asked_again",
    "asked_in",
    "carried",
    "chain",
    "decide",
    "default_modes",
    "ended",
    "in_language",
    "locked_reason",
    "next_width",
    "pack",
    "parse",
    "parse_preferences",
    "path",
    "project",
    "publish",
    "reachable",
    "reached",
    "read_receipt",
    "standing",
    "terms_of",
    "touched_at",
    "unpack",
]
