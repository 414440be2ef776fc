"""What the policies tell the log: every decision, permitted or denied, alone or as a list.

Only declared names stand in the leaf. What the caller wrote where a name was wanted may be anything, an address too, so
it goes to the sealed part, cut short.
"""

from collections.abc import Sequence
from typing import Any, Final

from audit import AuditEvent, declare
from policies.decide import Inquiry, Told
from policies.lists import Decided, pack_group, pack_groups, pack_list
from policies.policy import Policy
from policies.questions import Decision, Question
from policies.ruleset.rules import LONGEST_NAME

_NAMES: Final = ("action", "category", "purpose", "reason", "rule")

PERMITTED: Final = declare("access.permitted", *_NAMES)
DENIED: Final = declare("access.denied", *_NAMES)
LIST_DECIDED: Final = declare("access.list.decided", "count", "permitted")
UNUSED: Final = declare("access.unused", "count")
AUDIENCE_KEPT: Final = declare("access.audience.kept", "count")
AUDIENCE_DROPPED: Final = declare("access.audience.dropped", "count")
EXPLAINED: Final = declare("access.explained", *_NAMES)
PLANNED: Final = declare("access.planned", "action", "category", "purpose", "plan", "reason")

_TOLD_LIMIT: Final = 256

UNNAMED: Final = "-"
"""Stands in a leaf for a name that is not declared, or that was not given."""


def decided(
    inquiry: Inquiry, decision: Decision, subject: bytes | None, client: str, facts: dict[str, object]
) -> AuditEvent:
    """One decision about one person. `client` is the client it was asked for, if a PEP asked for another."""
    # Decisions are few and people many: an inquiry gives the same value for all with the same outcome.
    told = inquiry.told.get(id(decision))
    if told is None:
        if len(inquiry.told) >= _TOLD_LIMIT:
            inquiry.told.clear()
        told = inquiry.told[id(decision)] = _told(inquiry, decision)
    detail: dict[str, Any] = {"facts": facts} if facts else {}
    if decision.basis:
        detail["basis"] = decision.basis
    if client:
        detail["client"] = client[:LONGEST_NAME]
    if told.claims:
        detail["claims"] = told.claims
    return AuditEvent(told.type, told.out, told.res, subject, detail, inquiry.snapshot.version)


def list_decided(policy: Policy, decided: Sequence[Decided]) -> AuditEvent:
    """Many decisions in one entry. The list is its detail: sealed under the tenant's key, bound by a commitment."""
    return _listed(policy, [one.decision for one in decided], pack_list(decided))


def group_decided(
    policy: Policy, question: Question, client: str, aids: Sequence[int], decisions: Sequence[Decision]
) -> AuditEvent:
    """The same for one question about many people: `decisions` stand beside their `aids`."""
    return _listed(policy, decisions, pack_group(client, question, aids, decisions))


def groups_decided(
    policy: Policy, client: str, groups: Sequence[tuple[Question, Sequence[int], Sequence[Decision]]]
) -> AuditEvent:
    """The same for several questions, each with its aids and its decisions."""
    return _listed(policy, [each for _, _, found in groups for each in found], pack_groups(client, groups))


def audience_decided(policy: Policy, count: int, permitted: int, detail: dict[str, Any]) -> AuditEvent:
    """The same for an audience, whose list lies beside the log: `detail` has its digest."""
    res = {"count": str(count), "permitted": str(permitted)}
    return AuditEvent(LIST_DECIDED, "permit" if permitted else "deny", res, None, detail, policy.version)


def explained(inquiry: Inquiry, decision: Decision, subject: bytes | None) -> AuditEvent:
    """Somebody was told why a question about this person is answered as it is."""
    told = _told(inquiry, decision)
    return AuditEvent(EXPLAINED, "ok", told.res, subject, {}, inquiry.snapshot.version)


def planned(inquiry: Inquiry, kind: str, reason: str) -> AuditEvent:
    """Somebody was told of which people a question is answered with yes."""
    question, trees = inquiry.question, inquiry.snapshot.trees
    named = (
        ("action", question.action, trees.actions),
        ("category", question.category, trees.categories),
        ("purpose", question.purpose or "", trees.purposes),
    )
    res = {member: name if name in tree else UNNAMED for member, name, tree in named}
    claims = _claims(question, UNNAMED in res.values())
    detail = {"claims": claims} if claims else {}
    told = {"plan": kind, "reason": reason or UNNAMED}
    return AuditEvent(PLANNED, "ok", {**res, **told}, None, detail, inquiry.snapshot.version)


def unused(entry: str, count: int, subject: bytes | None) -> AuditEvent:
    """What an entry permitted did not happen to so many people; `subject` when that is one."""
    return AuditEvent(UNUSED, "ok", {"count": str(count)}, subject, {"entry": entry})


def _listed(policy: Policy, decisions: Sequence[Decision], packed: bytes) -> AuditEvent:
    permitted = sum([decision.allowed for decision in decisions])
    res = {"count": str(len(decisions)), "permitted": str(permitted)}
    return AuditEvent(LIST_DECIDED, "permit" if permitted else "deny", res, None, {"list": packed}, policy.version)


def _told(inquiry: Inquiry, decision: Decision) -> Told:
    trees, question = inquiry.snapshot.trees, inquiry.question
    res = {
        "action": question.action if question.action in trees.actions else UNNAMED,
        "category": question.category if question.category in trees.categories else UNNAMED,
        "purpose": question.purpose if question.purpose and question.purpose in trees.purposes else UNNAMED,
        "reason": decision.reason,
        "rule": decision.rule or UNNAMED,
    }
    claims = _claims(question, UNNAMED in res.values())
    if decision.allowed:
        return Told(decision, PERMITTED, "permit", res, claims)
    return Told(decision, DENIED, "deny", res, claims)


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
