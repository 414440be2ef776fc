"""What changes between two sets of rules: the questions of names that are answered differently, grouped to be read.

Cells (role, action, category, purpose, jurisdiction) can be a billion, so none is looked at alone. Rules are bits of a
number; a coordinate falls into the few classes of names that the same rules of both sides reach, one coordinate after
the other, and whatever no changed rule, name or law touches is left behind at once. What remains are boxes of cells
with one answer before and one after. Pure.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from math import prod
from typing import Final, Literal, NamedTuple, TypeVar

from msgspec import Struct

from policies.ruleset.grounds import Grounds
from policies.ruleset.rules import NONE, Rule
from policies.ruleset.snapshot import Snapshot
from policies.ruleset.trees import RIGHTS, ROOT, Tree, Trees

N = TypeVar("N", int, str)

MOST_GROUPS: Final = 200
"""Groups that a difference tells; the rest is counted."""

MOST_STEPS: Final = 200_000
"""Classes of names looked at before the rest is given up; only rules that all touch each other come near it."""

_MOST_NAMES: Final = 24
_FORMS: Final = ("role", "action", "category", "purpose", "jurisdiction")
_UPWARD: Final = ("category", "purpose", "jurisdiction")
"""Where a deny reaches up as well."""

Kind = Literal["permitted", "denied", "terms"]
KINDS: Final[tuple[Kind, ...]] = ("permitted", "denied", "terms")


class Names(Struct, frozen=True):
    """Names of one tree: `contact.*` is `contact` with all below it, `any` all there are. `more` are not written."""

    names: tuple[str, ...]
    more: int = 0

    def __str__(self) -> str:
        return ", ".join(self.names) + (f" and {self.more:,} more" if self.more else "")


class Group(Struct, frozen=True):
    """Cells whose answer changes in one way: every role of `roles` with every action of `actions` and so on.

    `permitted`: denied before and permitted now; `denied`: the other way round; `terms`: permitted both times, on other
    bases, needs or obligations. `before` and `after` are those terms as written in rules, in their order, and the rules
    behind each answer; of a deny, the rules that deny.
    """

    change: Kind
    roles: Names
    actions: Names
    categories: Names
    purposes: Names
    jurisdictions: Names
    cells: int
    before: tuple[str, ...]
    after: tuple[str, ...]
    rules_before: tuple[str, ...]
    rules_after: tuple[str, ...]


class RuleChange(Struct, frozen=True):
    """One rule, by its id. `moved`: it stands elsewhere in the order, which may change the basis that is named."""

    id: str
    change: Literal["added", "removed", "changed", "moved"]


class Difference(Struct, frozen=True):
    """All that changes from the version `old` to the version `new`.

    `cells` counts by kind. Cells name one role and a leaf purpose; a caller in several roles has the allows and the
    denies of all. `more` groups are not listed. Not `complete`: so much touches each other that the rest was not looked
    at, and the counts are lower bounds.
    """

    old: str
    new: str
    rules: tuple[RuleChange, ...]
    cells: dict[Kind, int]
    groups: tuple[Group, ...]
    more: int = 0
    complete: bool = True


class _Answer(NamedTuple):
    """What a caller is told under one law, and by which rules."""

    permitted: bool
    terms: tuple[str, ...]
    rules: tuple[str, ...]


_Way = tuple[Kind, _Answer, _Answer]
_Place = tuple[frozenset[str], ...]
"""Names of some coordinates, in the order of `_FORMS`."""


class _Exhausted(Exception):
    """Too many classes."""


def diff(old: Snapshot, new: Snapshot) -> Difference:
    """The difference. Neither side's remembered cells are touched: this may run beside live decisions."""
    comparison = _Comparison(old, new)
    complete = True
    try:
        comparison.run()
    except _Exhausted:
        complete = False
    groups = [comparison.group(place, way) for place, way in _joined(comparison.found)]
    groups.sort(key=lambda group: (KINDS.index(group.change), -group.cells, group.roles.names, group.purposes.names))
    cells = {kind: sum(group.cells for group in groups if group.change == kind) for kind in KINDS}
    return Difference(
        old.version,
        new.version,
        tuple(rule_changes(old.rules, new.rules)),
        cells,
        tuple(groups[:MOST_GROUPS]),
        max(0, len(groups) - MOST_GROUPS),
        complete,
    )


def rule_changes(old: Sequence[Rule], new: Sequence[Rule]) -> Iterator[RuleChange]:
    """Rules by their ids: what is new, different, or only elsewhere, in the new order; then what is gone."""
    before = {rule.id: rule.row() for rule in old}
    kept = {rule.id for rule in new}
    moved = set(_moved([rule.id for rule in old if rule.id in kept], [r.id for r in new if r.id in before]))
    for rule in new:
        if rule.id not in before:
            yield RuleChange(rule.id, "added")
        elif before[rule.id] != rule.row():
            yield RuleChange(rule.id, "changed")
        elif rule.id in moved:
            yield RuleChange(rule.id, "moved")
    for rule in old:
        if rule.id not in kept:
            yield RuleChange(rule.id, "removed")


class _Side:
    """One snapshot as bits: which rules reach a name of a tree."""

    def __init__(self, snapshot: Snapshot, bits: Mapping[tuple[str, ...], int]) -> None:
        self.trees = snapshot.trees
        self.grounds: Grounds = snapshot.grounds
        self.rules: dict[int, Rule] = {}
        self.place: dict[int, int] = {}
        self.allows = 0
        for place, rule in enumerate(snapshot.rules):
            bit = bits[rule.row()[1:]]
            # Of two rules that say the same the first is the one that is named.
            if rule.tenant in (ROOT, snapshot.tenant) and bit not in self.rules:
                self.rules[bit], self.place[bit] = rule, place
                if rule.effect == "allow":
                    self.allows |= bit
        self.reached = [self._reached(form) for form in _FORMS]

    def _reached(self, form: str) -> dict[str, int]:
        tree = tree_of(self.trees, form)
        said: dict[str, int] = {}
        upward: dict[str, int] = {}
        for bit, rule in self.rules.items():
            name = getattr(rule, form)
            said[name] = said.get(name, 0) | bit
            if rule.effect == "deny" and form in _UPWARD:
                upward[name] = upward.get(name, 0) | bit
        found: dict[str, int] = {}
        for name in tree:
            # Nobody acts in the role `any` or does it, and a question names a leaf purpose.
            if name == ROOT if form in ("role", "action") else form == "purpose" and not tree.leaf(name):
                continue
            reached = 0
            for above in tree.up[name] & said.keys():
                reached |= said[above]
            for below in tree.down[name] & upward.keys():
                reached |= upward[below]
            found[name] = reached & self.allows if form == "purpose" and name == RIGHTS else reached
        return found

    def answer(self, mask: int, purpose: str, jurisdiction: str) -> _Answer:
        """What the rules of `mask` come to, which all match."""
        matched = [self.rules[bit] for bit in sorted(_bits(mask), key=self.place.__getitem__)]
        denies = tuple(rule.id for rule in matched if rule.effect == "deny")
        admitted = [] if denies else [r for r in matched if self.grounds.admits(r.basis, purpose, jurisdiction)]
        if not admitted:
            return _Answer(False, (), denies)
        terms = tuple(dict.fromkeys(written(rule) for rule in admitted))
        return _Answer(True, terms, tuple(rule.id for rule in admitted))


class _Comparison:
    """Walks both sides at once, a coordinate a step, and collects boxes of cells in `found`."""

    def __init__(self, old: Snapshot, new: Snapshot) -> None:
        rows = [rule.row()[1:] for snapshot in (old, new) for rule in snapshot.rules]
        bits = {row: 1 << place for place, row in enumerate(dict.fromkeys(rows))}
        self.old, self.new = _Side(old, bits), _Side(new, bits)
        self.found: list[tuple[_Place, _Way]] = []
        self._steps = 0
        self._allows = self.old.allows | self.new.allows
        self._all = sum(self.old.rules.keys() | self.new.rules.keys())
        unsettled = sum(_moved(list(self.old.rules), list(self.new.rules)))
        self._unsettled = [unsettled]
        """By coordinate: the rules whose cells may differ because of what a later coordinate names."""
        for depth in range(len(_FORMS) - 1, 0, -1):
            unsettled |= self._differing(depth)
            self._unsettled.insert(0, unsettled)

    def run(self) -> None:
        """Raises `_Exhausted`."""
        self._walk((), self._all, self._all)

    def _walk(self, place: _Place, old: int, new: int) -> None:
        depth = len(place)
        for names, before, after in self._classes(depth, place, old, new):
            self._steps += 1
            if self._steps > MOST_STEPS:
                raise _Exhausted
            here = (*place, names)
            if self._untouched(here, before, after):
                continue
            if depth + 1 < len(_FORMS):
                self._walk(here, before, after)
            else:
                self._compare(here, before, after)

    def _classes(self, depth: int, place: _Place, old: int, new: int) -> Iterator[tuple[frozenset[str], int, int]]:
        """Names that nothing tells apart: the same rules of either side reach them, under the same law."""
        told = self._told_apart(depth, place)
        mine, theirs = self.old.reached[depth], self.new.reached[depth]
        found: dict[tuple[object, ...], list[str]] = {}
        for name in mine.keys() | theirs.keys():
            key = (old & mine.get(name, 0), new & theirs.get(name, 0), told(name))
            found.setdefault(key, []).append(name)
        for (before, after, _), names in found.items():
            assert isinstance(before, int)
            assert isinstance(after, int)
            yield frozenset(names), before, after

    def _told_apart(self, depth: int, place: _Place) -> Callable[[str], object]:
        """What else a class has in common: a purpose's declared basis; a law's bases, and that of the purpose there."""
        if _FORMS[depth] == "purpose":
            return self._declared
        if _FORMS[depth] == "jurisdiction":
            (purpose, *_) = place[-1]
            sides = (self.old.grounds, self.new.grounds)
            return lambda code: tuple((each.laws.get(code), each.declared(purpose, code)) for each in sides)
        return lambda name: None

    def _declared(self, purpose: str) -> tuple[object, object]:
        return _basis(self.old.grounds, purpose), _basis(self.new.grounds, purpose)

    def _differing(self, depth: int) -> int:
        """The rules that reach a name on one side only, or a name that means something else there."""
        mine, theirs = self.old.reached[depth], self.new.reached[depth]
        found = 0
        for name in mine.keys() | theirs.keys():
            before, after = mine.get(name, 0), theirs.get(name, 0)
            found |= before | after if self._means_other(_FORMS[depth], name) else before ^ after
        return found

    def _means_other(self, form: str, name: str) -> bool:
        if form == "purpose":
            was, now = self._declared(name)
            return was != now
        return form == "jurisdiction" and self.old.grounds.laws.get(name) != self.new.grounds.laws.get(name)

    def _untouched(self, here: _Place, before: int, after: int) -> bool:
        """Whether the answers to all questions of these names are the same on both sides."""
        if not (before | after) & self._allows:
            return True
        if before != after or before & self._unsettled[len(here) - 1]:
            return False
        return all(not self._means_other(form, next(iter(names))) for form, names in zip(_FORMS, here, strict=False))

    def _compare(self, place: _Place, before: int, after: int) -> None:
        (purpose, *_), (jurisdiction, *_) = place[3:]
        was, now = self.old.answer(before, purpose, jurisdiction), self.new.answer(after, purpose, jurisdiction)
        if was.permitted != now.permitted:
            self.found.append((place, ("permitted" if now.permitted else "denied", was, now)))
        elif was.terms != now.terms:
            self.found.append((place, ("terms", was, now)))

    def group(self, place: _Place, way: _Way) -> Group:
        kind, was, now = way
        side = self.old if kind == "denied" else self.new
        roles, actions, categories, purposes, jurisdictions = (
            _short(names, tree_of(side.trees, form), frozenset(side.reached[depth]))
            for depth, (form, names) in enumerate(zip(_FORMS, place, strict=True))
        )
        return Group(
            kind,
            roles,
            actions,
            categories,
            purposes,
            jurisdictions,
            prod(len(names) for names in place),
            was.terms,
            now.terms,
            was.rules,
            now.rules,
        )


def tree_of(trees: Trees, form: str) -> Tree:
    """The tree of a rule's member."""
    return {
        "role": trees.roles,
        "action": trees.actions,
        "category": trees.categories,
        "purpose": trees.purposes,
        "jurisdiction": trees.jurisdictions,
    }[form]


def written(rule: Rule) -> str:
    """The terms of an allow in one line: `consent explicit mask_last4|log`."""
    *_, basis, need, obligations = rule.row()
    return " ".join(part for part in (basis, need, obligations) if part != NONE)


def _basis(grounds: Grounds, purpose: str) -> object:
    facts = grounds.purposes.get(purpose)
    if facts is None:
        return purpose if purpose == RIGHTS else None
    basis = facts.legal_basis
    return basis if isinstance(basis, str) else tuple(sorted(basis.items()))


def _moved(old: Sequence[N], new: Sequence[N]) -> Iterator[N]:
    """Those of `new` that stand in another order there than in `old`."""
    kept = set(old)
    shared = [each for each in new if each in kept]
    for tag, _, _, start, end in SequenceMatcher(None, old, shared, autojunk=False).get_opcodes():
        if tag != "equal":
            yield from shared[start:end]


def _joined(found: Iterable[tuple[_Place, _Way]]) -> list[tuple[_Place, _Way]]:
    """Boxes with one way of changing, joined along a coordinate wherever the other four are the same."""
    boxes = list(found)
    for depth in (4, 3, 2, 1, 0):
        side_by_side: dict[tuple[object, ...], set[str]] = {}
        for place, way in boxes:
            key = (place[:depth], place[depth + 1 :], way)
            side_by_side.setdefault(key, set()).update(place[depth])
        boxes = [
            ((*key[0], frozenset(names), *key[1]), key[2])  # type: ignore[misc]
            for key, names in side_by_side.items()
        ]
    return boxes


def _short(names: frozenset[str], tree: Tree, asked: frozenset[str]) -> Names:
    """Names as one would write them: whole branches by their top. `asked` are the names that there could be."""
    if names == asked:
        return Names((ROOT,))
    whole: list[str] = []
    covered: set[str] = set()
    for name in sorted(tree, key=lambda each: (-len(tree.down[each]), each)):
        below = tree.down[name] & asked
        if name != ROOT and name not in covered and len(below) > 1 and below <= names:
            whole.append(f"{name}.*")
            covered |= tree.down[name]
    short = sorted([*whole, *(names - covered)])
    return Names(tuple(short[:_MOST_NAMES]), max(0, len(short) - _MOST_NAMES))


def _bits(mask: int) -> Iterator[int]:
    while mask:
        lowest = mask & -mask
        yield lowest
        mask ^= lowest
