"""Why: everything that a decision rested on, for whoever writes rules or answers for them. Pure, and never hot.

For each law under which the question is asked: the rules that matched, each with the names by which it did, and every
basis they offer with what the person's state says to it. Where no rule permits, those that would if one name of the
question were another.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from consent import PersonState
from policies.decide import Inquiry
from policies.questions import Decision, Reason
from policies.ruleset.rules import Rule
from policies.ruleset.snapshot import Snapshot
from policies.ruleset.trees import ROOT, Tree

NEAR_MISSES: Final = 20
"""How many rules are named that nearly match."""

_MATCHED: Final = ("role", "action", "category", "purpose", "jurisdiction")
_REACHED_UP: Final = ("category", "purpose", "jurisdiction")
"""Where a deny also matches what stands above it."""


class Match(Struct, frozen=True):
    """A rule that matched. `by` has both names where the rule says another than the question: one that stands above it,
    or below it where a deny reaches up.
    """

    rule: str
    effect: str
    by: dict[str, str]


class Basis(Struct, frozen=True):
    """A legal basis that a matching rule offers. `failed` is why it does not hold for this person, empty where it does
    or nobody was named; `admitted` whether the purpose may rest on it under that law at all.
    """

    rule: str
    basis: str
    need: str
    admitted: bool
    failed: str


class UnderLaw(Struct, frozen=True):
    """The question under one law: `any` where none is known of the person."""

    jurisdiction: str
    denied_by: tuple[str, ...]
    matches: tuple[Match, ...]
    bases: tuple[Basis, ...]


class NearMiss(Struct, frozen=True):
    """An allow that would match if `member` of the question were `wanted`, or below it."""

    rule: str
    member: str
    asked: str
    wanted: str


class Explanation(Struct, frozen=True):
    """A decision with its grounds. `facts` are what it read of the person: outcomes and ids, no data."""

    decision: Decision
    policy: str
    laws: tuple[UnderLaw, ...]
    near_misses: tuple[NearMiss, ...]
    facts: dict[str, object]


def explain(inquiry: Inquiry, person: PersonState | None, at: int) -> Explanation:
    """The decision about one person (None: unknown, or nobody was named), and why."""
    decision, facts = inquiry.examine(person, at)
    snapshot = inquiry.snapshot
    if inquiry.refusal is not None:
        return Explanation(decision, snapshot.version, (), (), facts)
    living = None if person is None or person.erased_at else person
    laws = tuple(_under(inquiry, code, living, at) for code in inquiry.laws(living))
    permitted = any(match.effect == "allow" for law in laws for match in law.matches)
    near = () if permitted else tuple(_near_misses(inquiry))
    return Explanation(decision, snapshot.version, laws, near, facts)


def _under(inquiry: Inquiry, code: str, person: PersonState | None, at: int) -> UnderLaw:
    snapshot = inquiry.snapshot
    cell = snapshot.cell(*inquiry.name(code))
    rules = {rule.id: rule for rule in snapshot.rules}
    matched = [rules[name] for name in (*cell.denied, *cell.allowed)]
    admitted = {alternative.rule: alternative for alternative in cell.alternatives}
    bases = []
    for rule in (rules[name] for name in cell.allowed):
        alternative = admitted.get(rule.id)
        reason: Reason | None = None
        if alternative is not None and person is not None:
            reason = inquiry.failing(alternative, person, at)
        bases.append(Basis(rule.id, rule.basis, rule.need, alternative is not None, reason or ""))
    names = _names(inquiry, code)
    matches = tuple(Match(rule.id, rule.effect, _by(snapshot, rule, names)) for rule in matched)
    return UnderLaw(code, cell.denied, matches, tuple(bases))


def _by(snapshot: Snapshot, rule: Rule, names: dict[str, tuple[str, ...]]) -> dict[str, str]:
    found = {}
    for member, tree in _trees(snapshot):
        said = getattr(rule, member)
        # A caller in several roles is asked about each; the first that the rule reaches is the one named.
        reaching = [name for name in names[member] if _reaches(tree, rule, member, name)]
        if reaching and said not in names[member]:
            found[member] = f"{reaching[0]} → {said}"
    return found


def _near_misses(inquiry: Inquiry) -> Iterator[NearMiss]:
    """Allows of this tenant that differ from the question in one name."""
    snapshot, left = inquiry.snapshot, NEAR_MISSES
    names = _names(inquiry, inquiry.question.jurisdiction or ROOT)
    for rule in snapshot.rules:
        if rule.effect != "allow" or rule.tenant not in (ROOT, snapshot.tenant):
            continue
        wrong = [
            member
            for member, tree in _trees(snapshot)
            if not any(_reaches(tree, rule, member, name) for name in names[member])
        ]
        if len(wrong) == 1 and left:
            left -= 1
            asked = ", ".join(names[wrong[0]])
            yield NearMiss(rule.id, wrong[0], asked, getattr(rule, wrong[0]))


def _reaches(tree: Tree, rule: Rule, member: str, name: str) -> bool:
    said = getattr(rule, member)
    if said in tree.up.get(name, ()):
        return True
    return rule.effect == "deny" and member in _REACHED_UP and said in tree.down.get(name, ())


def _names(inquiry: Inquiry, jurisdiction: str) -> dict[str, tuple[str, ...]]:
    roles, action, category, purpose, code = inquiry.name(jurisdiction)
    known = tuple(sorted(role for role in roles if role in inquiry.snapshot.trees.roles))
    return dict(zip(_MATCHED, (known, (action,), (category,), (purpose,), (code,)), strict=True))


def _trees(snapshot: Snapshot) -> list[tuple[str, Tree]]:
    trees = snapshot.trees
    return list(
        zip(_MATCHED, (trees.roles, trees.actions, trees.categories, trees.purposes, trees.jurisdictions), strict=True)
    )
