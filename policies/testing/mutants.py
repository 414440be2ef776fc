"""How much the tests say of the rules: rules are spoilt one at a time, and a test must notice.

A rule dropped, turned round, lifted one level in each tree, made easier. A rule none of whose mutants is noticed could
as well say something else: no test covers it. Only the tests that a mutant can touch are run, over the places where the
untouched rules match, so that hundreds of rules take seconds. (DeMillo, Lipton, Sayward: Hints on test data selection,
Computer, 1978; of access rules: Martin, Xie: A fault model and mutation testing of access control policies, WWW 2007.)
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from policies.comparing.differ import tree_of
from policies.decide import Inquiry
from policies.policy import Policy
from policies.ruleset.grounds import Grounds
from policies.ruleset.lint import SYSTEM_PREFIX
from policies.ruleset.rules import NONE, Rule
from policies.ruleset.snapshot import Snapshot
from policies.ruleset.trees import RIGHTS, ROOT, Tree, Trees
from policies.testing.proving import passes
from policies.testing.suite import Case

_Name = tuple[str, str, str, str, str]
"""Role, action, category, purpose, jurisdiction."""

_LIFTED: Final = ("role", "action", "category", "purpose", "jurisdiction")


class Mutant(Struct, frozen=True):
    """A rule spoilt in one way, in words; `rule` is what it would be, None where it is dropped."""

    of: str
    change: str
    rule: Rule | None


class Covered(Struct, frozen=True):
    """One rule: how many mutants it has, and those that no test noticed."""

    rule: str
    file: str
    line: int
    mutants: int
    survivors: tuple[str, ...]

    @property
    def covered(self) -> bool:
        """Whether a test noticed any of them."""
        return len(self.survivors) < self.mutants


class Coverage(Struct, frozen=True):
    """What the tests say of a brand's own rules, in their order. The shipped ones are not counted."""

    rules: tuple[Covered, ...]

    @property
    def percent(self) -> float:
        """Rules that are covered, of 100; 100 where there are none."""
        return 100 * sum(each.covered for each in self.rules) / len(self.rules) if self.rules else 100.0


class _Base:
    """The untouched rules: where they match, remembered, and which cells each test asks for."""

    def __init__(self, policy: Policy, cases: Sequence[Case]) -> None:
        self.snapshot, self.catalogue = policy.snapshot, policy.catalogue
        self._places: dict[_Name, tuple[int, ...]] = {}
        self.cases = [(case, tuple(self._names(case))) for case in cases]

    def places(self, name: _Name) -> tuple[int, ...]:
        """Where the rules that match one role's question stand."""
        found = self._places.get(name)
        if found is None:
            found = self._places[name] = tuple(self.snapshot.places(*name))
        return found

    def touched(self, place: int, rule: Rule | None) -> Iterator[Case]:
        """The tests whose answer may be another when the rule at `place` is replaced."""
        known: dict[_Name, bool] = {}
        for case, names in self.cases:
            for name in names:
                touches = known.get(name)
                if touches is None:
                    new = rule is not None and self.snapshot.matches(rule, *name)
                    touches = known[name] = new or place in self.places(name)
                if touches:
                    yield case
                    break

    def _names(self, case: Case) -> Iterator[_Name]:
        inquiry = Inquiry(self.snapshot, self.catalogue, case.question)
        if inquiry.refusal is not None:
            return
        # Of somebody unknown the rules are asked under every law.
        known = case.person
        codes = [case.jurisdiction] if case.alone else inquiry.laws(known)
        for code in self.snapshot.trees.jurisdictions if known is None and not case.alone else codes:
            roles, *rest = inquiry.name(code)
            for role in roles:
                yield (role, *rest)  # type: ignore[misc]  # four names


class _Variant(Snapshot):
    """The rules with one of them replaced, or dropped; everything else is that of the rules it was made from."""

    def __init__(self, base: _Base, place: int, rule: Rule | None) -> None:
        origin = base.snapshot
        self.tenant, self.trees, self.grounds = origin.tenant, origin.trees, origin.grounds
        self.version, self.reference = origin.version, origin.reference
        self.rules = origin.rules if rule is None else (*origin.rules[:place], rule, *origin.rules[place + 1 :])
        self._memo, self._guesses = {}, {}
        self._base, self._place, self._rule = base, place, rule

    def places(self, role: str, action: str, category: str, purpose: str, jurisdiction: str) -> list[int]:
        name = (role, action, category, purpose, jurisdiction)
        found = [place for place in self._base.places(name) if place != self._place]
        if self._rule is not None and self._base.snapshot.matches(self._rule, *name):
            found.append(self._place)
        return found


def coverage(policy: Policy, cases: Sequence[Case], step: Callable[[], None] | None = None) -> Coverage:
    """What these tests say of the brand's own rules. Tests that fail anyway say nothing: they are left out.

    `step` is called once for each rule.
    """
    sound = [case for case in cases if passes(policy.snapshot, policy.catalogue, case)]
    base = _Base(policy, sound)
    found = []
    for place, rule in enumerate(policy.snapshot.rules):
        if rule.id.startswith(SYSTEM_PREFIX) or rule.tenant not in (ROOT, policy.snapshot.tenant):
            continue
        spoilt = list(mutants(rule, policy.snapshot.trees, policy.snapshot.grounds))
        lived = tuple(mutant.change for mutant in spoilt if not _noticed(base, place, mutant))
        found.append(Covered(rule.id, rule.file, rule.line, len(spoilt), lived))
        if step is not None:
            step()
    return Coverage(tuple(found))


def mutants(rule: Rule, trees: Trees, grounds: Grounds) -> Iterator[Mutant]:
    """The ways in which a rule is spoilt, but for those that come to the same."""
    yield Mutant(rule.id, "dropped", None)
    if rule.effect == "allow":
        yield Mutant(rule.id, "turned into a deny", replace(rule, effect="deny", basis=NONE, need=NONE, obligations=()))
    else:
        # An allow on consent is admissible everywhere; on any other basis it might never permit.
        yield Mutant(rule.id, "turned into an allow", replace(rule, effect="allow", basis="consent"))
    for member in _LIFTED:
        name, tree = getattr(rule, member), tree_of(trees, member)
        for above in _parents(tree, name):
            lifted = replace(rule, **{member: above})
            if _says_more(rule, lifted, member, trees, grounds):
                yield Mutant(rule.id, f"{member} {name} lifted to {above}", lifted)
    if rule.effect == "allow":
        yield from _easier(rule, trees, grounds)


def _says_more(rule: Rule, lifted: Rule, member: str, trees: Trees, grounds: Grounds) -> bool:
    """Whether a lifted rule can answer a question that the rule leaves alone: a leaf purpose, and of an allow a law
    under which that purpose may stand on its basis. Otherwise no test could ever tell the two apart.
    """
    if member not in ("purpose", "jurisdiction"):
        return True
    purposes, codes = _leaves(trees.purposes, lifted.purpose), trees.jurisdictions.down[lifted.jurisdiction]
    if member == "purpose":
        purposes -= _leaves(trees.purposes, rule.purpose)
    else:
        codes -= trees.jurisdictions.down[rule.jurisdiction]
    if rule.effect == "deny":
        return bool(purposes and codes)
    return any(grounds.admits(rule.basis, purpose, code) for purpose in purposes for code in codes)


def _easier(rule: Rule, trees: Trees, grounds: Grounds) -> Iterator[Mutant]:
    """Mutants of what an allow asks for. `opt_in` is what consent means anyway, so that nothing is lost with it."""
    if rule.need not in (NONE, "opt_in"):
        yield Mutant(rule.id, f"need {rule.need} dropped", replace(rule, need=NONE))
    for basis in _other_bases(rule, trees, grounds):
        yield Mutant(rule.id, f"basis {rule.basis} made {basis}", replace(rule, basis=basis, need=NONE))
    for place, obligation in enumerate(rule.obligations):
        left = (*rule.obligations[:place], *rule.obligations[place + 1 :])
        yield Mutant(rule.id, f"obligation {obligation.type} dropped", replace(rule, obligations=left))


def _other_bases(rule: Rule, trees: Trees, grounds: Grounds) -> list[str]:
    """Consent instead of another basis; instead of consent, those that a purpose below declares somewhere."""
    if rule.basis != "consent":
        return ["consent"] if rule.purpose != RIGHTS else []
    declared = {
        grounds.declared(purpose, code)
        for purpose in _leaves(trees.purposes, rule.purpose)
        for code in trees.jurisdictions.down[rule.jurisdiction]
    }
    return sorted(basis for basis in declared if basis not in (None, "consent"))


def _noticed(base: _Base, place: int, mutant: Mutant) -> bool:
    variant = _Variant(base, place, mutant.rule)
    return any(not passes(variant, base.catalogue, case) for case in base.touched(place, mutant.rule))


def _parents(tree: Tree, name: str) -> list[str]:
    """The names right above: those ancestors that are no ancestor of another one."""
    above = tree.up[name] - {name}
    return sorted(each for each in above if not any(each in tree.up[other] for other in above if other != each))


def _leaves(tree: Tree, name: str) -> frozenset[str]:
    return frozenset(each for each in tree.down[name] if tree.leaf(each))
