"""Rights requests: what people may ask for, by when it is answered, and erasure with its proof.

Read `desk.py` first: it tells the package's story. `model.py` is the states, `laws.py` and `deadlines.py` the terms,
all pure; `erasure.py` plans and carries out, `certificate.py` tells the outside (docs/formats/certificate.md).
`retention/` is the end of data that nobody asked for, and legal holds.
"""

from rights.again import Again
from rights.certificate import NotShredded
from rights.codes import Sent
from rights.deadlines import Calendar, Due, NoExtension, due
from rights.desk import RightsDesk
from rights.erasure import USUAL_TERMS, ErasurePlan, Facts, LegalGround, NothingToKeep, Terms, plan
from rights.figures import Figures, as_csv, figures
from rights.finality import Finals
from rights.identity import LIGHT, TooManyCodes
from rights.model import (
    KINDS,
    LAWS,
    METHODS,
    REFUSALS,
    ClockRefused,
    DocumentNeeded,
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
from rights.opening import Opening
from rights.register import RequestPage, Wanted
from rights.register import page as register_page
from rights.register import versions as register_versions
from rights.retention import Retention
from rights.retention.holds import HoldDesk, HoldView, HoldWanted
from rights.retention.reckoning import Rules
from rights.retention.terms import EndTerms, parse_end_terms
from rights.retention.views import DataEnds, PersonEnds
from rights.store import RequestNotFound
from rights.systems import (
    OURS,
    READING,
    Answered,
    Handed,
    Leased,
    Reach,
    Statement,
    System,
    Systems,
    TaskPage,
    TaskState,
    TaskView,
    UnknownTask,
    parse_systems,
    regulation_of,
    statement_refusal,
    statement_words,
)
from rights.view import RequestView

__all__ = [
    "KINDS",
    "LAWS",
    "LIGHT",
    "METHODS",
    "OURS",
    "READING",
    "REFUSALS",
    "USUAL_TERMS",
    "Again",
    "Answered",
    "Calendar",
    "ClockRefused",
    "DataEnds",
    "DocumentNeeded",
    "Due",
    "EndTerms",
    "ErasurePlan",
    "Facts",
    "Figures",
    "Finals",
    "Handed",
    "HoldDesk",
    "HoldView",
    "HoldWanted",
    "ImpossibleStep",
    "Kind",
    "Law",
    "Leased",
    "LegalGround",
    "Method",
    "NoExtension",
    "NotShredded",
    "NothingToKeep",
    "Opening",
    "PersonEnds",
    "Reach",
    "Refusal",
    "RequestNotFound",
    "RequestPage",
    "RequestView",
    "Retention",
    "RightsDesk",
    "RightsRequest",
    "Rules",
    "Sent",
    "State",
    "Statement",
    "System",
    "Systems",
    "TaskPage",
    "TaskState",
    "TaskView",
    "Terms",
    "TooManyCodes",
    "UnknownTask",
    "Wanted",
    "advance",
    "as_csv",
    "due",
    "figures",
    "kind_named",
    "law_named",
    "method_named",
    "parse_end_terms",
    "parse_systems",
    "plan",
    "refusal_named",
    "register_page",
    "register_versions",
    "regulation_of",
    "statement_refusal",
    "statement_words",
]
