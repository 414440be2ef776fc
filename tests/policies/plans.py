"""A small interpreter of query plans: what a plan says of one person, read from its JSON alone, as any service would.

The facts are worked out here from the person's state anew, not by the code that decides.
"""

import msgspec

from consent import PersonState, Reach, path, reachable, standing
from policies import Condition, Plan, Policy, Question
from policies.ruleset.trees import RIGHTS


def plan_says(plan: Plan, policy: Policy, person: PersonState | None, question: Question, at: int) -> bool:
    """Whether the person is one of those whom the plan lets through."""
    tree = msgspec.json.decode(msgspec.json.encode(plan.condition))
    return plan.plan == "conditional" and holds(tree, policy, person, question, at)


def condition_says(condition: Condition, policy: Policy, person: PersonState, question: Question, at: int) -> bool:
    """Whether one condition holds for somebody."""
    return holds(msgspec.json.decode(msgspec.json.encode(condition)), policy, person, question, at)


def holds(tree: dict, policy: Policy, person: PersonState | None, question: Question, at: int) -> bool:  # type: ignore[type-arg]
    def each(part: dict) -> bool:  # type: ignore[type-arg]
        return holds(part, policy, person, question, at)

    match tree:
        case {"op": "all", "of": parts}:
            return all(each(part) for part in parts)
        case {"op": "any", "of": parts}:
            return any(each(part) for part in parts)
        case {"op": "not", "of": part}:
            return not each(part)
        case {"op": "is", "fact": "known"}:
            return person is not None and not person.erased_at
    if person is None or person.erased_at:
        return False
    match tree:
        case {"op": "is", "fact": fact}:
            return facts(policy, person, question, at)[fact]
        case {"op": "status", "among": among}:
            return status(policy, person, question, at).status in among
        case {"op": "law", "among": among}:
            declared = policy.snapshot.trees.jurisdictions
            return bool(({j.code if j.code in declared else "any" for j in person.jurisdictions} or {"any"}) & {*among})
        case {"op": "related", **named}:
            return any(
                relation.live(at)
                and (not relation.purposes or {*relation.purposes} & {*path(question.purpose or ""), "any"})
                and (not named.get("kinds") or relation.kind in named["kinds"])
                and (not named.get("ref") or relation.ref == named["ref"])
                for relation in person.relations
            )
    raise ValueError(tree)


def status(policy: Policy, person: PersonState, question: Question, at: int):  # type: ignore[no-untyped-def]
    purpose = question.purpose or ""
    asked = person if purpose != RIGHTS else PersonState()
    return standing(asked, purpose, policy.catalogue, at)


def facts(policy: Policy, person: PersonState, question: Question, at: int) -> dict[str, bool]:
    purpose, channel = question.purpose or "", question.channel or ""
    stood = status(policy, person, question, at)
    own = person.choices.get(purpose)
    contact = person.contact

    def only(**kept: object) -> Reach:
        bare = msgspec.structs.replace(contact, off={}, caps={}, quiet=(), pause_until=0)  # type: ignore[type-var]
        return reachable(msgspec.structs.replace(bare, **kept), channel, purpose, at)  # type: ignore[type-var]

    return {
        "held": person.held > 0,
        "restricted": person.restricted_at > 0,
        "suppressed": person.suppressed_until > at,
        "objected": stood.objected,
        "said_no": stood.no,
        "young": stood.young,
        "explicit": own is not None and own.status == "granted" and own.assurance >= 2,
        "chosen_since_restriction": stood.since > person.restricted_at,
        "channel_off": contact is not None and only(off=contact.off).verdict == "off",
        "paused": contact is not None and only(pause_until=contact.pause_until).verdict == "later",
        "capped": contact is not None and only(caps=contact.caps).verdict == "later",
        "quiet": contact is not None and only(quiet=contact.quiet).verdict == "later",
    }
