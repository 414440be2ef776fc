"""The policy engine: who may do what with which category of whose data, for which purpose, today.

Read `decide.py` first: one question from its names to its answer. `snapshot.py` is what the rules say, `bases.py` what
the person's state says, `engine.py` writes the entry and mints the permit, `authzen.py` is the wire. `lint.py` and
`rules.py` read manifests; `docs/formats/policies.md` has the formats and the traps.
"""

from policies.audiences.aids import MEDIA_TYPE as AIDS_MEDIA_TYPE
from policies.audiences.aids import MOST_AIDS, Aids, read_aids, sorted_aids, write_aids
from policies.audiences.answers import MOST_CAPPED, AudienceAnswer, Audiences, ListUse, NoAudience
from policies.audiences.crowds import WORTH_COLUMNS, Crowds
from policies.audiences.judged import TERM, Judged
from policies.audiences.kept import LONGEST_TERM, USUAL_TERM, KeptLists
from policies.audiences.kept import Named as KeptList
from policies.comparing.differ import Difference, diff, rule_changes
from policies.comparing.simulation import TYPES as SIMULATED_TYPES
from policies.comparing.simulation import Simulation, Tally
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
from policies.obligations import GUARDS, merge
from policies.plan import Condition, Plan, Way
from policies.policy import Policy
from policies.questions import Decision, Question, Reason
from policies.ruleset.matcher import ForbiddenMatcher
from policies.ruleset.reading import read_policy
from policies.ruleset.reference import ForbiddenModel, WrongCasbin
from policies.ruleset.rules import SYSTEM_RULES, Rule
from policies.ruleset.snapshot import Cell, Snapshot
from policies.ruleset.trees import ACTIONS, BUILT_IN_ROLES, OVERDUE, RIGHTS
from policies.testing.mutants import Coverage, Covered, coverage
from policies.testing.proving import Outcome, failures_of, prove
from policies.testing.suite import Case, read_files, read_suite
from policies.wire.authzen import (
    MOST_EVALUATIONS,
    Action,
    Alike,
    Batch,
    Clients,
    Entity,
    Evaluation,
    EvaluationAnswer,
    EvaluationsAnswer,
    Malformed,
    Reading,
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
from policies.wire.authzen import people as people_named
from policies.wire.batches import Columns, ColumnsAnswer, answers_of, evaluate_table, read_table
from policies.wire.searching import (
    ActionSearch,
    ActionSearchAnswer,
    Behind,
    Named,
    NamedAction,
    PageAnswer,
    ResourceSearch,
    SearchAnswer,
    SearchContext,
    SubjectSearch,
    begun,
    find,
    read_action_search,
    read_resource_search,
    read_subject_search,
    sealed_token,
)

__all__ = [
    "ACTIONS",
    "AIDS_MEDIA_TYPE",
    "BUILT_IN_ROLES",
    "GUARDS",
    "LONGEST_TERM",
    "MOST_AIDS",
    "MOST_CAPPED",
    "MOST_EVALUATIONS",
    "OVERDUE",
    "RIGHTS",
    "SIMULATED_TYPES",
    "SYSTEM_RULES",
    "TERM",
    "USUAL_TERM",
    "WORTH_COLUMNS",
    "Access",
    "AccessDenied",
    "Action",
    "ActionSearch",
    "ActionSearchAnswer",
    "Aids",
    "Alike",
    "Answer",
    "AudienceAnswer",
    "Audiences",
    "Basis",
    "Batch",
    "Behind",
    "Case",
    "Cell",
    "Clients",
    "Columns",
    "ColumnsAnswer",
    "Condition",
    "Coverage",
    "Covered",
    "Crowd",
    "CrowdAnswer",
    "Crowds",
    "Decision",
    "Difference",
    "Entity",
    "Evaluation",
    "EvaluationAnswer",
    "EvaluationsAnswer",
    "Explanation",
    "ForbiddenMatcher",
    "ForbiddenModel",
    "Group",
    "Judged",
    "KeptList",
    "KeptLists",
    "Life",
    "ListUse",
    "Locate",
    "Malformed",
    "MalformedList",
    "Match",
    "Named",
    "NamedAction",
    "NearMiss",
    "NoAudience",
    "Outcome",
    "PageAnswer",
    "Place",
    "Plan",
    "Policy",
    "PolicyEngine",
    "Question",
    "Reading",
    "Reason",
    "ResourceSearch",
    "Rule",
    "SearchAnswer",
    "SearchContext",
    "Several",
    "Simulation",
    "Snapshot",
    "SubjectSearch",
    "Tally",
    "UnderLaw",
    "Way",
    "WrongCasbin",
    "answered",
    "answered_alike",
    "answered_several",
    "answers_of",
    "asked",
    "asked_alike",
    "asked_several",
    "begun",
    "coverage",
    "diff",
    "evaluate_table",
    "failures_of",
    "find",
    "life",
    "merge",
    "mint",
    "people_named",
    "prove",
    "read_action_search",
    "read_aids",
    "read_alike",
    "read_evaluation",
    "read_evaluations",
    "read_files",
    "read_policy",
    "read_resource_search",
    "read_subject_search",
    "read_suite",
    "read_table",
    "readable",
    "rights_question",
    "rule_changes",
    "sealed_token",
    "sorted_aids",
    "unpack_list",
    "write_aids",
]
