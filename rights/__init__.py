"""Rights requests: what people may ask for, by when it is answered, and erasure with its proof.

Read `desk.py` first: it tells the package's story. `model.py` is the states, `laws.py` and `deadlines.py` the terms,
all pure; `erasure.py` plans and carries out, `certificate.py` tells the outside (docs/formats/certificate.md).
`retention/` is the end of data that nobody asked for, and legal holds.
"""

from rights.again import Again
from rights.approval import AnswerRules, parse_answer_rules
from rights.beside import AppealRefused, ClockRefused, PauseReason, ProposalRefused
from rights.certificate import NotShredded
from rights.clock import may_rest, source_of
from rights.codes import Sent
from rights.deadlines import Calendar, Due, NoExtension, appeal_due, due
from rights.desk import RightsDesk
from rights.erasure import USUAL_TERMS, ErasurePlan, Facts, NothingToKeep, Terms, plan
from rights.events import EVIDENCE
from rights.figures import Figures, as_csv, figures
from rights.finality import Finals
from rights.identity import LIGHT, TooManyCodes
from rights.laws import Row, row_of
from rights.model import (
    KINDS,
    LAWS,
    METHODS,
    REFUSALS,
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
    refusal_named,
)
from rights.opening import OPENED, Opening
from rights.planning import NothingPlanned, Plan
from rights.register import STATUSES, Awaited, RequestPage, Wanted, awaited
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
    RESULT_LIMIT,
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
    encoded_result,
    parse_systems,
    regulation_of,
    statement_refusal,
    statement_words,
)
from rights.view import RequestView
from rights.wanted import Correction, InvalidCorrection, LegalGround

__all__ = [
    "EVIDENCE",
    "KINDS",
    "LAWS",
    "LIGHT",
    "METHODS",
    "OPENED",
    "OURS",
    "READING",
    "REFUSALS",
    "RESULT_LIMIT",
    "STATUSES",
    "USUAL_TERMS",
    "Again",
    "AnswerRules",
    "Answered",
    "AppealRefused",
    "Awaited",
    "Calendar",
    "ClockRefused",
    "Correction",
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
    "InvalidCorrection",
    "Kind",
    "Law",
    "Leased",
    "LegalGround",
    "Method",
    "NoExtension",
    "NotShredded",
    "NothingPlanned",
    "NothingToKeep",
    "Opening",
    "PauseReason",
    "PersonEnds",
    "Plan",
    "ProposalRefused",
    "Reach",
    "Refusal",
    "RequestNotFound",
    "RequestPage",
    "RequestView",
    "Retention",
    "RightsDesk",
    "RightsRequest",
    "Row",
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
    "appeal_due",
    "as_csv",
    "awaited",
    "due",
    "encoded_result",
    "figures",
    "kind_named",
    "law_named",
    "may_rest",
    "parse_answer_rules",
    "parse_end_terms",
    "parse_systems",
    "plan",
    "refusal_named",
    "register_page",
    "register_versions",
    "regulation_of",
    "row_of",
    "source_of",
    "statement_refusal",
    "statement_words",
]
