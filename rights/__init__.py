"""Rights requests: what people may ask for, by when it is answered, and erasure with its proof.

Read `desk.py` first: it tells the package's story. `model.py` is the states, `laws.py` and `deadlines.py` the terms,
all pure; `erasure.py` plans and carries out, `certificate.py` tells the outside (docs/formats/certificate.md).
`retention/` is the end of data that nobody asked for, and legal holds.
"""

from rights.again import Again
from rights.certificate import NotShredded
from rights.deadlines import Calendar, Due, NoExtension, due
from rights.desk import Opening, RightsDesk
from rights.erasure import USUAL_TERMS, ErasurePlan, Facts, LegalGround, NothingToKeep, Terms, plan
from rights.finality import Finals
from rights.model import (
    KINDS,
    LAWS,
    METHODS,
    REFUSALS,
    ClockRefused,
    ImpossibleStep,
    Kind,
    Law,
    Method,
    Refusal,
    RightsRequest,
    State,
    advance,
    kind_named,
    law_named,
    method_named,
    refusal_named,
)
from rights.retention import Retention
from rights.retention.holds import HoldDesk, HoldView, HoldWanted
from rights.retention.reckoning import Rules
from rights.retention.terms import EndTerms, parse_end_terms
from rights.retention.views import DataEnds, PersonEnds
from rights.store import RequestNotFound
from rights.view import RequestView

__all__ = [
    "KINDS",
    "LAWS",
    "METHODS",
    "REFUSALS",
    "USUAL_TERMS",
    "Again",
    "Calendar",
    "ClockRefused",
    "DataEnds",
    "Due",
    "EndTerms",
    "ErasurePlan",
    "Facts",
    "Finals",
    "HoldDesk",
    "HoldView",
    "HoldWanted",
    "ImpossibleStep",
    "Kind",
    "Law",
    "LegalGround",
    "Method",
    "NoExtension",
    "NotShredded",
    "NothingToKeep",
    "Opening",
    "PersonEnds",
    "Refusal",
    "RequestNotFound",
    "RequestView",
    "Retention",
    "RightsDesk",
    "RightsRequest",
    "Rules",
    "State",
    "Terms",
    "advance",
    "due",
    "kind_named",
    "law_named",
    "method_named",
    "parse_end_terms",
    "plan",
    "refusal_named",
]
