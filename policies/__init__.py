"""The policy engine: who may do what with which category of whose data, for which purpose, today.

Read `decide.py` first: one question from its names to its answer. `snapshot.py` is what the rules say, `bases.py` what
the person's state says, `engine.py` writes the entry and mints the permit, `authzen.py` is the wire. `lint.py` and
`rules.py` read manifests; `docs/formats/policies.md` has the formats and the traps.
"""

from policies.authzen import (
    MOST_EVALUATIONS,
    Alike,
    Batch,
    Clients,
    Evaluation,
    EvaluationAnswer,
    EvaluationsAnswer,
    Malformed,
    Several,
    answered,
    answered_alike,
    answered_several,
    asked,
    asked_alike,
    asked_several,
    read_alike,
    read_evaluation,
    read_evaluations,
    readable,
)
from policies.engine import (
    Access,
    AccessDenied,
    Answer,
    Crowd,
    CrowdAnswer,
    Locate,
    Place,
    PolicyEngine,
    mint,
    rights_question,
)
from policies.explain import Basis, Explanation, Match, NearMiss, UnderLaw
from policies.lists import Group, MalformedList, unpack_list
from policies.liveness import Life, life
from policies.matcher import ForbiddenMatcher
from policies.obligations import merge
from policies.policy import Policy
from policies.questions import Decision, Question, Reason
from policies.reading import read_policy
from policies.reference import ForbiddenModel, WrongCasbin
from policies.rules import SYSTEM_RULES, Rule
from policies.snapshot import Cell, Snapshot
from policies.trees import ACTIONS, BUILT_IN_ROLES, OVERDUE, RIGHTS

__all__ = [
    "ACTIONS",
    "BUILT_IN_ROLES",
    "MOST_EVALUATIONS",
    "OVERDUE",
    "RIGHTS",
    "SYSTEM_RULES",
    "Access",
    "AccessDenied",
    "Alike",
    "Answer",
    "Basis",
    "Batch",
    "Cell",
    "Clients",
    "Crowd",
    "CrowdAnswer",
    "Decision",
    "Evaluation",
    "EvaluationAnswer",
    "EvaluationsAnswer",
    "Explanation",
    "ForbiddenMatcher",
    "ForbiddenModel",
    "Group",
    "Life",
    "Locate",
    "Malformed",
    "MalformedList",
    "Match",
    "NearMiss",
    "Place",
    "Policy",
    "PolicyEngine",
    "Question",
    "Reason",
    "Rule",
    "Several",
    "Snapshot",
    "UnderLaw",
    "WrongCasbin",
    "answered",
    "answered_alike",
    "answered_several",
    "asked",
    "asked_alike",
    "asked_several",
    "life",
    "merge",
    "mint",
    "read_alike",
    "read_evaluation",
    "read_evaluations",
    "read_policy",
    "readable",
    "rights_question",
    "unpack_list",
]
