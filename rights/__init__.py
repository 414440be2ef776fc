"""Rights requests: what people may ask for, by when it is answered, and erasure with its proof.

Read `desk.py` first: it tells the package's story. `model.py` is the states, `laws.py` and `deadlines.py` the terms,
all pure; `erasure.py` plans and carries out, `certificate.py` tells the outside (docs/formats/certificate.md).
"""

from rights.certificate import NotShredded
from rights.deadlines import Calendar, Due, NoExtension, due
from rights.desk import Opening, RightsDesk
from rights.erasure import ErasurePlan, Facts, LegalGround, NothingToKeep, Terms, plan
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
from rights.store import RequestNotFound
from rights.view import RequestView

__all__ = [
    "KINDS",
    "LAWS",
    "METHODS",
    "REFUSALS",
    "Calendar",
    "ClockRefused",
    "Due",
    "ErasurePlan",
    "Facts",
    "ImpossibleStep",
    "Kind",
    "Law",
    "LegalGround",
    "Method",
    "NoExtension",
    "NotShredded",
    "NothingToKeep",
    "Opening",
    "Refusal",
    "RequestNotFound",
    "RequestView",
    "RightsDesk",
    "RightsRequest",
    "State",
    "Terms",
    "advance",
    "due",
    "kind_named",
    "law_named",
    "method_named",
    "plan",
    "refusal_named",
]
