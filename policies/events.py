"""What the policies tell the log: every decision, permitted or denied, alone or as a list.

Only declared names stand in the leaf. What the caller wrote where a name was wanted may be anything, an address too, so
it goes to the sealed part, cut short.
"""

from collections.abc import Sequence
from typing import Any, Final

from audit import AuditEvent, declare
from policies.lists import Decided, pack_list
from policies.policy import Policy
from policies.questions import Decision, Question
from policies.rules import LONGEST_NAME

_NAMES: Final = ("action", "category", "purpose", "reason", "rule")

PERMITTED: Final = declare("access.permitted", *_NAMES)
DENIED: Final = declare("access.denied", *_NAMES)
LIST_DECIDED: Final = declare("access.list.decided", "count", "permitted")

UNNAMED: Final = "-"
"""Stands in a leaf for a name that is not declared, or that was not given."""


def decided(
    policy: Policy, question: Question, decision: Decision, subject: bytes | None, client: str, facts: dict[str, object]
) -> AuditEvent:
    """One decision about one person. `client` is the client it was asked for, if a PEP asked for another."""
    trees = policy.snapshot.trees
    res = {
        "action": question.action if question.action in trees.actions else UNNAMED,
        "category": question.category if question.category in trees.categories else UNNAMED,
        "purpose": question.purpose if question.purpose and question.purpose in trees.purposes else UNNAMED,
        "reason": decision.reason,
        "rule": decision.rule or UNNAMED,
    }
    detail: dict[str, Any] = {"facts": facts} if facts else {}
    if decision.basis:
        detail["basis"] = decision.basis
    if client:
        detail["client"] = client[:LONGEST_NAME]
    claims = _claims(question, UNNAMED in res.values())
    if claims:
        detail["claims"] = claims
    if decision.allowed:
        return AuditEvent(PERMITTED, "permit", res, subject, detail, policy.version)
    return AuditEvent(DENIED, "deny", res, subject, detail, policy.version)


def list_decided(policy: Policy, decided: Sequence[Decided]) -> AuditEvent:
    """Many decisions in one entry. The list is its detail: sealed under the tenant's key, bound by a commitment."""
    permitted = sum(one.decision.allowed for one in decided)
    res = {"count": str(len(decided)), "permitted": str(permitted)}
    detail = {"list": pack_list(decided)}
    return AuditEvent(LIST_DECIDED, "permit" if permitted else "deny", res, None, detail, policy.version)


def _claims(question: Question, unnamed: bool) -> dict[str, str]:
    """What the caller said beside the names, and the names too if one of them is none."""
    said = {
        "jurisdiction": question.jurisdiction,
        "channel": question.channel,
        "relation": question.relation,
        "case": question.case,
    }
    if unnamed:
        said.update(action=question.action, category=question.category, purpose=question.purpose)
    return {member: text[:LONGEST_NAME] for member, text in said.items() if text}
