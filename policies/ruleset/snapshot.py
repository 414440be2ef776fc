"""A snapshot: one tenant's rules and trees, ready to answer. Never changed after it is built; swapped as a whole.

A question about names (roles, action, category, purpose, jurisdiction) is answered by a `Cell`. The first time, the
compiled matcher walks the few rules that can match; after that the cell is remembered. Casbin's stock Enforcer is
loaded with the same rules and is the judge of both (`agrees`).
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from policies.ruleset.grounds import Grounds
from policies.ruleset.matcher import Matcher, compile_matcher
from policies.ruleset.reference import MODEL_TEXT, TREES, Reference, final_effect, read_model
from policies.ruleset.rules import LONGEST_NAME, Rule
from policies.ruleset.trees import ROOT, Tree, Trees
from sayso.kernel import Obligation, nearest

MEMO_LIMIT: Final = 65_536
"""Cells kept. Names are finite, so this is met only by a manifest of hundreds of roles and purposes."""

GUESS_LIMIT: Final = 1_024
"""Unknown names whose likeness is remembered. They come from outside, so they are forgotten all at once."""

_MATCHED: Final = ("id", "ten", "act", "rol", "cat", "pur", "jur", "eft")


CellName = tuple[frozenset[str], str, str, str, str]
"""Roles, action, category, purpose, jurisdiction."""


class Alternative(Struct, frozen=True):
    """One way in which the cell may be permitted: the rule, and what it asks of the person's state."""

    rule: str
    basis: str
    need: str
    obligations: tuple[Obligation, ...]


class Cell(Struct, frozen=True):
    """What the rules say about one question of names, before any person is looked at.

    `denied` are the denies that matched, `allowed` all allows that matched, `alternatives` those of them whose basis is
    admissible there; each in file order.
    """

    denied: tuple[str, ...]
    allowed: tuple[str, ...]
    alternatives: tuple[Alternative, ...]

    @property
    def permitted(self) -> bool:
        """The answer of the rules alone, which is what Casbin answers."""
        return final_effect(bool(self.allowed), bool(self.denied))


class _Index:
    """Rules by action and role, then by category, so that ten thousand of them cost like ten."""

    __slots__ = ("_places",)

    def __init__(self) -> None:
        self._places: dict[tuple[str, str], dict[str, list[int]]] = {}

    def add(self, rule: Rule, place: int) -> None:
        self._places.setdefault((rule.action, rule.role), {}).setdefault(rule.category, []).append(place)

    def at(self, actions: Iterable[str], roles: Sequence[str], categories: frozenset[str]) -> list[int]:
        found: list[int] = []
        for action in actions:
            for role in roles:
                by_category = self._places.get((action, role))
                if by_category is None:
                    continue
                smaller, larger = sorted((by_category.keys(), categories), key=len)
                for category in smaller:
                    if category in larger:
                        found += by_category[category]
        return found


class Snapshot:
    """The compiled policy of one tenant."""

    def __init__(self, tenant: str, rules: Sequence[Rule], trees: Trees, grounds: Grounds) -> None:
        """`rules` have passed the lint."""
        self.tenant = tenant
        self.rules = tuple(rules)
        self.trees = trees
        self.version = _version(tenant, self.rules, trees, grounds)
        self.reference = Reference(self.rules, trees)
        self.grounds = grounds
        self._matches = _matcher(trees)
        self._rows = [rule.row()[: len(_MATCHED)] for rule in self.rules]
        self._allows, self._denies = _Index(), _Index()
        for place, rule in enumerate(self.rules):
            if rule.tenant in (ROOT, tenant):
                (self._allows if rule.effect == "allow" else self._denies).add(rule, place)
        self._memo: dict[CellName, Cell] = {}
        self._guesses: dict[tuple[int, str], str | None] = {}

    def __len__(self) -> int:
        return len(self.rules)

    @property
    def remembered(self) -> int:
        """How many cells are remembered now."""
        return len(self._memo)

    def cell(self, roles: frozenset[str], action: str, category: str, purpose: str, jurisdiction: str) -> Cell:
        """What the rules say to a caller with these roles: any deny of any role counts, allows are united.

        All names but the roles must be names of their trees; a role that is none matches nothing.
        """
        key = (roles, action, category, purpose, jurisdiction)
        cell = self._memo.get(key)
        if cell is None:
            cell = self._united(
                [self.places(role, action, category, purpose, jurisdiction) for role in roles], purpose, jurisdiction
            )
            if len(self._memo) >= MEMO_LIMIT:
                # The oldest goes. Another thread may have been faster, which is as good.
                self._memo.pop(next(iter(self._memo)), None)
            self._memo[key] = cell
        return cell

    def noticed(self, purpose: str) -> bool:
        """Whether a published notice tells people of this purpose."""
        facts = self.grounds.purposes.get(purpose)
        return facts is not None and facts.noticed

    def nearest(self, name: str, tree: Tree) -> str | None:
        """The name of `tree` most like `name`. Remembered, because likeness is slow to work out and mistakes repeat."""
        if len(name) > LONGEST_NAME:
            return None
        key = (id(tree), name)
        if key not in self._guesses:
            if len(self._guesses) >= GUESS_LIMIT:
                self._guesses.clear()
            self._guesses[key] = nearest(name, tree)
        return self._guesses[key]

    def agrees(self, roles: frozenset[str], action: str, category: str, purpose: str, jurisdiction: str) -> bool:
        """Whether Casbin's stock Enforcer, asked role by role, says what `cell` says. Costs microseconds per rule."""
        places: list[list[int]] = []
        for role in roles:
            if role in self.trees.roles:
                found = self.places(role, action, category, purpose, jurisdiction)
                places.append(found)
                ours = self._united([found], purpose, jurisdiction).permitted
                if self.reference.permits((self.tenant, action, role, category, purpose, jurisdiction)) != ours:
                    return False
        return self._united(places, purpose, jurisdiction) == self.cell(roles, action, category, purpose, jurisdiction)

    def matches(self, rule: Rule, role: str, action: str, category: str, purpose: str, jurisdiction: str) -> bool:
        """Whether a rule, of this snapshot or none, matches a question of these names."""
        question = (self.tenant, action, role, category, purpose, jurisdiction)
        return role in self.trees.roles and self._matches(*question, *rule.row()[: len(_MATCHED)])

    def places(self, role: str, action: str, category: str, purpose: str, jurisdiction: str) -> list[int]:
        """Where the matching rules of one role stand in `rules`, in any order."""
        trees = self.trees
        if role not in trees.roles:
            return []
        actions, roles = trees.actions.up[action], tuple(trees.roles.up[role])
        above = trees.categories.up[category]
        candidates = self._allows.at(actions, roles, above)
        candidates += self._denies.at(actions, roles, above | trees.categories.down[category])
        question = (self.tenant, action, role, category, purpose, jurisdiction)
        matches, rows = self._matches, self._rows
        return [place for place in candidates if matches(*question, *rows[place])]

    def _united(self, places: Iterable[list[int]], purpose: str, jurisdiction: str) -> Cell:
        matched = [self.rules[place] for place in sorted({place for found in places for place in found})]
        allowed = [rule for rule in matched if rule.effect == "allow"]
        return Cell(
            denied=tuple(rule.id for rule in matched if rule.effect == "deny"),
            allowed=tuple(rule.id for rule in allowed),
            alternatives=tuple(
                Alternative(rule.id, rule.basis, rule.need, rule.obligations)
                for rule in allowed
                if self.grounds.admits(rule.basis, purpose, jurisdiction)
            ),
        )


def _matcher(trees: Trees) -> Matcher:
    model = read_model()
    asked = model["r"]["r"].tokens
    named = [f"p_{name}" for name in _MATCHED]
    if model["p"]["p"].tokens[: len(named)] != named:
        raise ValueError("the model defines its policy in another order")
    ancestors = (trees.roles, trees.categories, trees.purposes, trees.jurisdictions, trees.actions)
    return compile_matcher(
        model["m"]["m"].value, [*asked, *named], {name: tree.up for name, tree in zip(TREES, ancestors, strict=True)}
    )


def _version(tenant: str, rules: Sequence[Rule], trees: Trees, grounds: Grounds) -> str:
    """SHA-256, in hex, of all that answers: model, trees, purposes, laws and rows.

    Purposes and laws count because they decide which alternatives are admissible. The order of the rows counts, because
    it names the basis.
    """
    links = [
        tree.links() for tree in (trees.roles, trees.categories, trees.purposes, trees.jurisdictions, trees.actions)
    ]
    rows = [rule.row() for rule in rules]
    content = [tenant, MODEL_TEXT, links, grounds.purposes, grounds.laws, grounds.special, rows]
    return hashlib.sha256(_encoder.encode(content)).hexdigest()


_encoder: Final = msgspec.json.Encoder(order="deterministic")
