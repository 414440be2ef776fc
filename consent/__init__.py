"""The consent registry: what each person was told, what they chose, and every fact about them that decides.

Read `registry.py` first: it tells the package's story. `fold.py` and `standing.py` hold the rules (design 6.1 to
6.3), pure; `catalogue.py` and `jurisdictions.py` what people can be asked and under which law;
docs/formats/consent.md the formats.
"""

from consent.answers import (
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
from consent.declarations import Declarations, parse
from consent.errors import (
    Held,
    LinkUnusable,
    NoRecord,
    NoSubject,
    PurposeNotInNotice,
    StaleNotice,
    UnknownJurisdiction,
    UnknownLocale,
    UnknownNotice,
    UnknownPurpose,
)
from consent.fold import Change, Moment, advance, decide, path
from consent.forgetting import Capsule, Forgotten, ProofChoice
from consent.jurisdictions import BASES, BLOCKABLE, REGIMES, Regime, chain
from consent.model import (
    NOES,
    RANK,
    Act,
    Assurance,
    Choice,
    Cover,
    Evidence,
    Identifier,
    Jurisdiction,
    PersonState,
    Relation,
    Standing,
    Status,
    Submission,
    pack,
    unpack,
)
from consent.publication import Publication, publish
from consent.receipt import Issuer
from consent.record import Payload
from consent.recording import METHODS, IssuerOf
from consent.registry import ConsentRegistry
from consent.standing import standing
from consent.store import PERSON

__all__ = [
    "BASES",
    "BLOCKABLE",
    "METHODS",
    "NOES",
    "PERSON",
    "RANK",
    "REGIMES",
    "Act",
    "Assurance",
    "Capsule",
    "Catalogue",
    "Change",
    "Choice",
    "ConsentRegistry",
    "Cover",
    "Declarations",
    "Evidence",
    "Forgotten",
    "Held",
    "HistoryItem",
    "HistoryPage",
    "Identifier",
    "Issuer",
    "IssuerOf",
    "Jurisdiction",
    "Link",
    "LinkUnusable",
    "Moment",
    "NoRecord",
    "NoSubject",
    "Notice",
    "Payload",
    "PersonState",
    "ProofChoice",
    "Publication",
    "Purpose",
    "PurposeNotInNotice",
    "PurposeState",
    "Recorded",
    "Regime",
    "Relation",
    "RelationState",
    "Resolved",
    "Shown",
    "StaleNotice",
    "Standing",
    "Status",
    "SubjectState",
    "Submission",
    "UnknownJurisdiction",
    "UnknownLocale",
    "UnknownNotice",
    "UnknownPurpose",
    "advance",
    "chain",
    "decide",
    "pack",
    "parse",
    "path",
    "publish",
    "standing",
    "unpack",
]
