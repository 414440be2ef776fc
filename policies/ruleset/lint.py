"""Lint: what a set of rules must not contain. An error refuses the manifest, a warning is listed.

Most of these are ways in which Casbin, given something slightly else than its author meant, answers yes. The parser
(`rules`) refuses malformed text; here stands what only the whole can tell.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from policies.obligations import GUARDS, MASKS
from policies.ruleset.grounds import Grounds
from policies.ruleset.rules import NEEDS, NONE, SYSTEM_RULES, Rule
from policies.ruleset.trees import (
    BUILT_IN_ROLES,
    MOST_ANCESTORS,
    RIGHTS,
    ROOT,
    Cycle,
    TooDeep,
    Tree,
    Trees,
    with_built_in,
)
from sayso.kernel import Problem, nearest

SYSTEM_PREFIX: Final = "sayso."

_GUARDED: Final = ("reveal", "read", ROOT)

_WORLDLY: Final = frozenset(
    ("health", "genetics", "biometrics", "religion", "ethnicity", "politics", "union", "sex_life")
)


class Findings(Struct):
    """What lint found. The manifest is refused if there is any error."""

    errors: list[Problem] = []
    warnings: list[Problem] = []

    def error(self, rule: Rule, message: str, hint: str | None = None) -> None:
        self.errors.append(Problem(rule.file, rule.line, f"{rule.id}: {message}", hint))

    def warn(self, rule: Rule, message: str) -> None:
        self.warnings.append(Problem(rule.file, rule.line, f"{rule.id}: {message}"))


def role_tree(
    declared: dict[str, tuple[str, ...]], place: Callable[[str], tuple[str, int]], errors: list[Problem]
) -> Tree:
    """The roles as a tree. Undeclared parents, built-in ones and cycles are errors at `place(role)` (file, line)."""
    sound: dict[str, tuple[str, ...]] = {}
    for role, parents in declared.items():
        for parent in parents:
            if parent in BUILT_IN_ROLES:
                errors.append(Problem(*place(role), f"The role {role!r} may not inherit the built-in role {parent!r}."))
            elif parent not in declared:
                message = f"The role {role!r} names an undeclared parent, {parent!r}."
                errors.append(Problem(*place(role), message, nearest(parent, declared)))
        sound[role] = tuple(parent for parent in parents if parent in declared)
    try:
        return Tree(with_built_in(sound))
    except (Cycle, TooDeep) as unsound:
        role = unsound.args[0]
        wrong = "is its own ancestor" if isinstance(unsound, Cycle) else f"inherits more than {MOST_ANCESTORS} roles"
        errors.append(Problem(*place(role), f"The role {role!r} {wrong}."))
        return Tree(with_built_in(dict.fromkeys(declared, ())))


def lint(rules: Sequence[Rule], trees: Trees, grounds: Grounds, tenant: str) -> Findings:
    """Everything wrong or doubtful in a manifest's own rules, which have been read already."""
    findings = Findings()
    _ids(rules, findings)
    for rule in rules:
        if _names(rule, trees, findings):
            if rule.effect == "allow":
                _allow(rule, trees, grounds, findings)
            else:
                _deny(rule, findings)
        if rule.tenant not in (ROOT, tenant):
            findings.warn(rule, f"it names the tenant {rule.tenant!r} and never matches in {tenant!r}.")
    _repeated(rules, findings)
    if not findings.errors:
        _dead(rules, trees, findings)
        _unasked(rules, trees, findings)
    return findings


def _ids(rules: Sequence[Rule], findings: Findings) -> None:
    seen: dict[str, Rule] = {}
    for rule in rules:
        if rule.id.lower().startswith(SYSTEM_PREFIX):
            findings.error(
                rule, f"ids that begin with {SYSTEM_PREFIX!r} are those of the {len(SYSTEM_RULES)} shipped rules."
            )
        elif "sub_" in rule.id:
            findings.error(rule, "an id with 'sub_' in it would look like a person's in the log.")
        elif rule.id in seen:
            findings.error(rule, f"the id is taken by the rule in line {seen[rule.id].line}.")
        seen.setdefault(rule.id, rule)


def _names(rule: Rule, trees: Trees, findings: Findings) -> bool:
    """Whether every name that the rule uses is declared."""
    unknown = [
        (kind, name, tree)
        for kind, name, tree in (
            ("role", rule.role, trees.roles),
            ("action", rule.action, trees.actions),
            ("category", rule.category, trees.categories),
            ("purpose", rule.purpose, trees.purposes),
            ("jurisdiction", rule.jurisdiction, trees.jurisdictions),
        )
        if name not in tree
    ]
    for kind, name, tree in unknown:
        findings.error(rule, f"the {kind} {name!r} is not declared.", nearest(name, tree))
    return not unknown


def _deny(rule: Rule, findings: Findings) -> None:
    if rule.basis != NONE or rule.need != NONE or rule.obligations:
        findings.error(rule, "a deny has no basis, need or obligations: nothing makes an exception to it.")
    if rule.purpose == RIGHTS:
        findings.error(
            rule, f"no deny reaches {RIGHTS!r}, where people's own requests are answered; only a legal hold does."
        )


def _allow(rule: Rule, trees: Trees, grounds: Grounds, findings: Findings) -> None:
    if rule.basis == NONE:
        findings.error(rule, "an allow names the legal basis it stands on.")
        return
    if rule.need != NONE and rule.basis not in NEEDS[rule.need]:
        findings.error(
            rule, f"the need {rule.need!r} goes with {' or '.join(NEEDS[rule.need])}, not with {rule.basis!r}."
        )
    if rule.category == ROOT and rule.purpose == ROOT:
        findings.error(rule, "it allows every category for every purpose.")
    if sum(obligation.type in MASKS for obligation in rule.obligations) > 1:
        findings.error(rule, "one mask at most: the weaker of two would never be applied.")
    if any(each.type in GUARDS for each in rule.obligations) and rule.action not in _GUARDED:
        findings.warn(
            rule,
            f"Sayso asks for the second person where it opens values (reveal, and facts under read); whoever is to"
            f" {rule.action} has to say that it supports that, or is denied.",
        )
    _ground(rule, trees, grounds, findings)
    _special(rule, trees, grounds, findings)
    _doubts(rule, trees, grounds, findings)


def _ground(rule: Rule, trees: Trees, grounds: Grounds, findings: Findings) -> None:
    """A rule may always ask for consent; any other basis must be what the purpose declares in that jurisdiction."""
    where = "" if rule.jurisdiction == ROOT else f" in {rule.jurisdiction!r}"
    if rule.jurisdiction != ROOT and not grounds.lawful(rule.basis, rule.jurisdiction):
        findings.error(rule, f"the law{where} does not know the basis {rule.basis!r}.")
    elif rule.purpose == RIGHTS:
        if rule.basis != "legal_obligation":
            findings.error(rule, f"the purpose {RIGHTS!r} stands on legal_obligation.")
    elif rule.basis != "consent":
        for purpose in sorted(trees.purposes.down[rule.purpose] & grounds.purposes.keys()):
            declared = grounds.declared(purpose, rule.jurisdiction)
            if declared != rule.basis:
                stands = f"stands on {declared!r}" if declared else "declares no single basis"
                findings.error(
                    rule, f"the purpose {purpose!r} {stands}{where}, so a rule may ask for that or for consent."
                )
                return


def _special(rule: Rule, trees: Trees, grounds: Grounds, findings: Findings) -> None:
    """GDPR Art. 9, PIPL Art. 29: special categories need explicit consent or a legal duty."""
    touched = (trees.categories.down[rule.category] | trees.categories.up[rule.category]) & grounds.special
    explicit = rule.basis == "consent" and rule.need == "explicit"
    if touched and rule.purpose != RIGHTS and not explicit and rule.basis not in ("legal_obligation", "vital_interest"):
        named = min(touched)
        findings.error(
            rule, f"{named!r} is a special category: it needs consent with 'need: explicit', or a legal duty."
        )


def _doubts(rule: Rule, trees: Trees, grounds: Grounds, findings: Findings) -> None:
    below = [grounds.purposes[name] for name in trees.purposes.down[rule.purpose] if name in grounds.purposes]
    marketing = any(purpose.direct_marketing for purpose in below) or rule.purpose.partition(".")[0] == "marketing"
    if marketing and rule.jurisdiction == ROOT:
        findings.warn(rule, "it allows marketing under every law; name the jurisdiction it was thought for.")
    if rule.role == ROOT:
        findings.warn(rule, "it allows every caller, whatever its roles.")
    declared = frozenset().union(*(purpose.categories for purpose in below))
    if declared and rule.category != ROOT and not trees.categories.up[rule.category] & declared:
        findings.warn(rule, f"no purpose under {rule.purpose!r} tells people that it uses {rule.category!r}.")
    if rule.category.partition(".")[0] in _WORLDLY and not trees.categories.up[rule.category] & grounds.special:
        findings.warn(rule, f"{rule.category!r} sounds like a special category but is not declared as one.")
    if rule.basis == "notice" and any(not purpose.noticed for purpose in below):
        findings.warn(rule, "it stands on a notice, but no published notice names every purpose it allows.")


def _repeated(rules: Iterable[Rule], findings: Findings) -> None:
    seen: dict[tuple[str, ...], str] = {}
    for rule in rules:
        first = seen.setdefault(rule.row()[1:], rule.id)
        if first != rule.id:
            findings.warn(rule, f"it says what {first} says.")


def _dead(rules: Sequence[Rule], trees: Trees, findings: Findings) -> None:
    """Allows that one deny covers whole. Under deny-override an exception is made by not forbidding."""
    denies: dict[tuple[str, str], list[Rule]] = {}
    for rule in rules:
        if rule.effect == "deny":
            denies.setdefault((rule.action, rule.role), []).append(rule)
    for rule in rules:
        if rule.effect == "allow" and rule.purpose != RIGHTS:
            cover = next((deny for deny in _near(rule, denies, trees) if _covers(deny, rule, trees)), None)
            if cover is not None:
                findings.warn(
                    rule, f"it can never permit: {cover.id} forbids all of it, and a deny knows no exception."
                )


def _unasked(rules: Sequence[Rule], trees: Trees, findings: Findings) -> None:
    """Rules that ask for a second person behind one that permits the same without: the first that fits decides."""
    open_before: dict[tuple[str, str], list[Rule]] = {}
    for rule in (*SYSTEM_RULES, *rules):
        if rule.effect != "allow":
            continue
        if not any(each.type in GUARDS for each in rule.obligations):
            open_before.setdefault((rule.action, rule.role), []).append(rule)
            continue
        found = next((each for each in _near(rule, open_before, trees) if _covers(each, rule, trees)), None)
        if found is not None:
            findings.warn(
                rule, f"it may never ask for anybody: {found.id} stands before it and permits all of it without."
            )


def _near(rule: Rule, denies: dict[tuple[str, str], list[Rule]], trees: Trees) -> Iterator[Rule]:
    for action in trees.actions.up[rule.action]:
        for role in trees.roles.up[rule.role]:
            yield from denies.get((action, role), ())


def _covers(deny: Rule, rule: Rule, trees: Trees) -> bool:
    return (
        deny.category in trees.categories.up[rule.category]
        and deny.purpose in trees.purposes.up[rule.purpose]
        and deny.jurisdiction in trees.jurisdictions.up[rule.jurisdiction]
        and deny.tenant in (ROOT, rule.tenant)
    )
