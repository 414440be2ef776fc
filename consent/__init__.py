"""The consent registry: what each person was told, what they chose, and every fact about them that decides.

Read `registry.py` first: it tells the package's story. Its rooms:

- `catalogue/`   what people can be asked, and how a manifest says so
- `laws/`        the jurisdictions as data, and what they make of a purpose and of a child
- `choices/`     choices recorded, folded into state, read again; `fold.py` and `standing.py` hold the rules, pure
- `people/`      who is meant: identifiers, codes, merges, facts, erasure
- `preferences/` what people volunteer: channels, frequency, quiet hours, answers
- `receipts/`    the proof a person is given

`model.py` and `packing.py` are the state that decides, as Structs and as bytes; docs/formats/consent.md the formats.
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
from consent.catalogue.catalogue import Catalogue, Notice, Purpose, Shown
from consent.catalogue.declarations import Declarations, parse
from consent.catalogue.impact import BUCKETS, MOST_READ, AskedAgain, Tally, asked_again, next_width
from consent.catalogue.parties import Controller, Recipient
from consent.catalogue.publication import Publication, Staged, publish
from consent.catalogue.purpose import CHANNELS, Transfer
from consent.choices.directives import KINDS as DIRECTIVES
from consent.choices.directives import direct, given, reached
from consent.choices.expiry import ended, terms_of
from consent.choices.fold import Change, Moment, advance, decide, path
from consent.choices.projections import KEYS as CONSENT_MODE_KEYS
from consent.choices.projections import Projection, allowed, default_modes, project
from consent.choices.record import Payload
from consent.choices.recording import METHODS, IssuerOf
from consent.choices.signals import Directed
from consent.choices.standing import standing
from consent.choices.unsubscribing import Unsubscription
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
    NotAList,
    NothingToUndo,
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
    UnknownUnsubscribe,
    UnpublishedNotice,
)
from consent.events import PERSON_FORGOTTEN
from consent.laws.jurisdictions import BASES, BLOCKABLE, REGIMES, Regime, chain
from consent.laws.minority import birthdays
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
)
from consent.packing import Packed, pack, unpack, unpack_at
from consent.people.census import touched_at
from consent.people.codes import Codes, Issued, Redeemed, Wrong
from consent.people.doubting import AT_ONCE as DOUBTED_AT_ONCE
from consent.people.doubting import of_many, restricts, speaks
from consent.people.forgetting import Capsule, Forgotten, ProofChoice
from consent.people.identifier_kinds import IdentifierKinds
from consent.people.identities import IdentifierState, IdentityEvent, Lifted, Linked
from consent.people.known import SubjectFacts
from consent.people.merging import Ruled
from consent.people.people import ids_of, rewrite
from consent.people.remains import Left
from consent.people.unlinking import Unlinked
from consent.people.walking import Mark, Met, walk
from consent.preferences.answers import Asked, ChangePage, PreferenceChange, Preferences, asked_in, locked_reason
from consent.preferences.contact import UNTIMED, WINDOWS, Cap, Contact, Use
from consent.preferences.declarations import parse_preferences
from consent.preferences.preference import Preference, Questionnaire, carried, in_language
from consent.preferences.preferences import Serving
from consent.preferences.quiet import Quiet, quiet_edges
from consent.preferences.reach import Reach, reachable
from consent.preferences.telling import Telling
from consent.preferences.uses import counted, given_back, live_uses
from consent.receipts.reading import ReadPurpose, ReceiptReading, read_receipt
from consent.receipts.sheet import Issuer
from consent.registry import ConsentRegistry
from consent.store import AID, PERSON

__all__ = [
    "AID",
    "BASES",
    "BLOCKABLE",
    "BUCKETS",
    "CHANNELS",
    "CONSENT_MODE_KEYS",
    "DIRECTIVES",
    "DOUBTED_AT_ONCE",
    "METHODS",
    "MOST_READ",
    "NOES",
    "PERSON",
    "PERSON_FORGOTTEN",
    "RANK",
    "REGIMES",
    "UNTIMED",
    "WINDOWS",
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
    "Left",
    "Lifted",
    "Link",
    "LinkUnusable",
    "Linked",
    "Mark",
    "Met",
    "Minority",
    "Moment",
    "NoAdvertising",
    "NoFact",
    "NoRecord",
    "NoSubject",
    "NotAGuardian",
    "NotAList",
    "NotTheirIdentifier",
    "NothingToUndo",
    "NothingWaits",
    "Notice",
    "Packed",
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
    "Serving",
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
    "UnknownUnsubscribe",
    "Unlinked",
    "UnpublishedNotice",
    "Unsubscription",
    "Use",
    "Waiting",
    "Wrong",
    "advance",
    "allowed",
    "asked_again",
    "asked_in",
    "birthdays",
    "carried",
    "chain",
    "counted",
    "decide",
    "default_modes",
    "direct",
    "ended",
    "given",
    "given_back",
    "ids_of",
    "in_language",
    "live_uses",
    "locked_reason",
    "next_width",
    "of_many",
    "pack",
    "parse",
    "parse_preferences",
    "path",
    "project",
    "publish",
    "quiet_edges",
    "reachable",
    "reached",
    "read_receipt",
    "restricts",
    "rewrite",
    "speaks",
    "standing",
    "terms_of",
    "touched_at",
    "unpack",
    "unpack_at",
    "walk",
]
