"""Rules: the manifest's sections `roles` and `rules`, read strictly, and the rules that Sayso ships.

A rule speaks of finite names only, never of a person, a time or an amount. What the parser takes is one scalar per
member: a list, a comma or a bracket in a value is how a rule silently means something else once Casbin splits it.
"""

import re
from typing import Final

from msgspec import Struct

from consent import BASES
from policies.obligations import PARAMETERS, TYPES, either
from policies.ruleset.trees import BUILT_IN_ROLES, RIGHTS, ROOT
from sayso.kernel import Map, Node, Obligation, Problem, Scalar, Seq, nearest, problem

NONE: Final = "-"

NEEDS: Final = {"opt_in": ("consent",), "explicit": ("consent",), "case": ("legal_obligation", "vital_interest")}
"""A basis's strength, and the bases that can have it. `opt_in` is what consent means anyway."""

EFFECTS: Final = ("allow", "deny")

_CLOSED: Final = {"effect": EFFECTS, "basis": BASES, "need": tuple(NEEDS)}
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)*")
_ID: Final = re.compile(r"[A-Za-z0-9_.-]+")
LONGEST_NAME: Final = 128
"""Characters of a name."""

_REQUIRED: Final = ("id", "role", "action", "category", "purpose", "effect")
_OPTIONAL: Final = ("basis", "need", "obligations", "tenant", "jurisdiction")
_MEMBERS: Final = (*_REQUIRED, *_OPTIONAL)


class Rule(Struct, frozen=True, kw_only=True):
    """One row of the policy. Names reach down their trees; a deny also reaches up. `line` is where it stands."""

    id: str
    role: str
    action: str
    category: str
    purpose: str
    effect: str
    basis: str = NONE
    need: str = NONE
    obligations: tuple[Obligation, ...] = ()
    tenant: str = ROOT
    jurisdiction: str = ROOT
    file: str = ""
    line: int = 0

    def row(self) -> tuple[str, ...]:
        """The row as Casbin holds it, in the order of `policy_definition` in model.conf."""
        written = "|".join(
            "-".join((o.type, *(str(value) for value in o.properties.values()))) for o in self.obligations
        )
        return (
            self.id,
            self.tenant,
            self.action,
            self.role,
            self.category,
            self.purpose,
            self.jurisdiction,
            self.effect,
            self.basis,
            self.need,
            written or NONE,
        )


def _shipped() -> tuple[Rule, ...]:
    def rule(number: str, role: str, action: str, *log: str) -> Rule:
        return Rule(
            id=f"sayso.{number}",
            role=role,
            action=action,
            category=ROOT,
            purpose=RIGHTS,
            effect="allow",
            basis="legal_obligation",
            obligations=tuple(Obligation(f"sayso.{number}.{kind}", kind, {}) for kind in log),
            file="shipped with Sayso",
        )

    officers = [
        rule(f"{role}.{action}", role, action, "log_full")
        for role in ("officer", "admin")
        for action in ("read", "reveal", "export", "erase")
    ]
    return (rule("self.read", "self", "read", "log"), *officers)


SYSTEM_RULES: Final = _shipped()
"""People read their own; officers and administrators answer people's requests. Shown, and never deleted."""


def is_name(text: str) -> bool:
    """Whether `text` is a dotted path of lower-case words: the only form a name has here."""
    return len(text) <= LONGEST_NAME and _NAME.fullmatch(text) is not None


def parse_roles(section: Node | None, problems: list[Problem]) -> dict[str, tuple[str, ...]]:
    """Each role's parents, as the section `roles` declares them: `{support_lead: [support_agent]}`."""
    if section is None:
        return {}
    if not isinstance(section, Map):
        problems.append(problem(section, "roles: a mapping of each role to the list of its parents."))
        return {}
    roles: dict[str, tuple[str, ...]] = {}
    for name, node in section.items():
        if not is_name(name):
            problems.append(Problem(section.file, section.lines[name], f"{name!r} is no name: {_WHAT_A_NAME_IS}"))
        elif name == ROOT or name in BUILT_IN_ROLES:
            problems.append(Problem(section.file, section.lines[name], f"The role {name!r} is built in."))
        else:
            roles[name] = tuple(_parents(node, problems))
    return roles


def _parents(node: Node, problems: list[Problem]) -> list[str]:
    if isinstance(node, Scalar) and node.value is None:
        return []
    if not isinstance(node, Seq):
        problems.append(problem(node, "A role's parents are a list, perhaps an empty one: []."))
        return []
    parents = [_scalar(item, "A parent", problems) for item in node]
    return [parent for parent in parents if parent is not None and parent != ROOT]


def parse_rules(section: Node | None, problems: list[Problem]) -> list[Rule]:
    """The section `rules`, in file order. What cannot be read is a problem and is left out."""
    if section is None:
        return []
    if not isinstance(section, Seq):
        problems.append(problem(section, "rules: a list of rules, each a mapping."))
        return []
    rules: list[Rule] = []
    for node in section:
        before = len(problems)
        rule = _rule(node, problems)
        if rule is not None and len(problems) == before:
            rules.append(rule)
    return rules


def _rule(node: Node, problems: list[Problem]) -> Rule | None:
    if not isinstance(node, Map):
        problems.append(problem(node, "A rule is a mapping: {id: …, role: …, action: …, …}."))
        return None
    for member in node:
        if member not in _MEMBERS:
            message = f"A rule has no member {member!r}."
            problems.append(Problem(node.file, node.lines[member], message, nearest(member, _MEMBERS)))
    given: dict[str, str] = {}
    for member, child in node.items():
        if member in _MEMBERS and member != "obligations":
            text = _member(child, member, problems)
            if text is not None:
                given[member] = text
    problems += [problem(node, f"A rule needs its {member!r}.") for member in _REQUIRED if member not in node]
    if not all(member in given for member in _REQUIRED):
        return None
    wanted = node.get("obligations")
    obligations = [] if wanted is None else _obligations(wanted, given["id"], problems)
    return Rule(**given, obligations=tuple(obligations), file=node.file, line=node.line)


def _member(node: Node, member: str, problems: list[Problem]) -> str | None:
    words = _CLOSED.get(member)
    if words is None:
        return _scalar(node, f"A rule's {member}", problems, _ID if member == "id" else _NAME)
    text = node.text if isinstance(node, Scalar) else ""
    if text in words:
        return text
    # Casbin takes any text here, and "Deny" or "deny # gdpr" then forbids nothing.
    problems.append(
        problem(node, f"A rule's {member} is exactly one of: {', '.join(words)}.", nearest=nearest(text, words))
    )
    return None


def _obligations(node: Node, rule: str, problems: list[Problem]) -> list[Obligation]:
    if not isinstance(node, Seq):
        problems.append(problem(node, "Obligations are a list: [mask_last4, log, {aggregate: {k: 20}}]."))
        return []
    return either([obligation for item in node for obligation in _obligation(item, rule, problems)], rule)


def _obligation(node: Node, rule: str, problems: list[Problem]) -> list[Obligation]:
    body: Node | None = None
    if isinstance(node, Map) and len(node) == 1:
        ((name, body),) = node.items()
    elif isinstance(node, Scalar) and isinstance(node.value, str):
        name = node.value
    else:
        problems.append(problem(node, "An obligation is a name, or one name with its number: {aggregate: {k: 20}}."))
        return []
    if name not in TYPES:
        problems.append(problem(node, f"{name!r} is no obligation.", nearest=nearest(name, TYPES)))
        return []
    properties = _properties(node, name, body, problems)
    return [] if properties is None else [Obligation(f"{rule}.{name}", name, properties)]


def _properties(node: Node, name: str, body: Node | None, problems: list[Problem]) -> dict[str, str | int] | None:
    parameter = PARAMETERS.get(name)
    if parameter is None:
        if body is None:
            return {}
        problems.append(problem(node, f"{name} takes no number."))
        return None
    member, least = parameter
    number = body.get(member) if isinstance(body, Map) and len(body) == 1 else None
    value = number.value if isinstance(number, Scalar) else None
    if type(value) is not int or value < least:
        problems.append(
            problem(node, f"{name} needs its number: {{{name}: {{{member}: {max(least, 20)}}}}}, at least {least}.")
        )
        return None
    return {member: value}


_WHAT_A_NAME_IS: Final = (
    "lower-case letters, digits, '_' and '-', its parts joined by single dots, 128 characters at most."
)


def _scalar(node: Node, what: str, problems: list[Problem], form: re.Pattern[str] = _NAME) -> str | None:
    """The node's text if it is of `form`. A number is taken as it was written: `id: 10` names the rule 10."""
    if not isinstance(node, Scalar):
        problems.append(problem(node, f"{what} is one name, not a list: write a rule for each."))
    elif len(node.text) > LONGEST_NAME or form.fullmatch(node.text) is None:
        problems.append(problem(node, f"{what} is malformed: {_WHAT_A_NAME_IS}"))
    else:
        return node.text
    return None
