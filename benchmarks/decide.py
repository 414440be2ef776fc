"""What one decision costs inside the process: `python -m benchmarks.decide`, or `figures()` for the whole report.

A policy of any number of rules over 63 roles, 248 categories, 85 purposes and the shipped jurisdictions; questions by
turns below a rule, a near miss of one, and anything at all. People are packed rows, as the registry keeps them.
"""

import random
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from msgspec import Struct

from consent import (
    Choice,
    Jurisdiction,
    PersonState,
    Purpose,
    pack,
    unpack,
)
from consent.catalogue.catalogue import Catalogue
from policies import Policy, Question, Rule, Snapshot
from policies.ruleset.grounds import grounds_of, jurisdiction_tree
from policies.ruleset.rules import SYSTEM_RULES
from policies.ruleset.snapshot import CellName
from policies.ruleset.trees import ACTIONS, RIGHTS, Tree, Trees, dotted, with_built_in

T = TypeVar("T")

AT = 1_800_000_000_000_000


class Figure(Struct, frozen=True):
    """One measurement beside its budget; less is better."""

    name: str
    value: float
    budget: float
    unit: str


def figures() -> list[Figure]:
    """All of them, in about ten seconds. Processor time, so that neighbours on the machine do not count."""
    found: list[Figure] = []
    for count in (10, 1_000, 10_000):
        found += _figures(count)
    return found


def _figures(count: int) -> list[Figure]:
    rules, trees, catalogue = a_policy(count)
    started = time.process_time()
    snapshot = Snapshot("default", rules, trees, grounds_of(catalogue))
    built = (time.process_time() - started) * 1e3
    cells = questions(rules, trees, 3_000)

    def cell(name: CellName) -> object:
        return snapshot.cell(*name)

    first = sorted(_each(cell, cells))
    return [
        Figure(f"snapshot of {count:,} rules", built, 300, "ms"),
        Figure(f"first-seen cell at {count:,} rules, p99", first[int(len(first) * 0.99)], 1_000, "us"),
        Figure(f"cell hit at {count:,} rules", _mean(cell, cells * 20), 1, "us"),
        *_decisions(Policy(snapshot, catalogue), cells, count),
    ]


def _decisions(policy: Policy, cells: Sequence[CellName], count: int) -> list[Figure]:
    """Only questions that the rules permit: the others end before the person is looked at."""
    leaf, cell = policy.snapshot.trees.purposes.leaf, policy.snapshot.cell
    asked = [name for name in cells if leaf(name[3]) and cell(*name[:4], "de").permitted]
    rows = [pack(a_person(policy, number)) for number in range(500)]

    def single(pair: tuple[CellName, bytes]) -> object:
        # The question is built anew, as a request does.
        (roles, action, category, purpose, _), row = pair
        question = Question(roles=roles, action=action, category=category, purpose=purpose)
        return policy.inquiry(question).decide(unpack(row), AT)

    chance = random.Random(5)
    pairs = [(name, chance.choice(rows)) for name in asked] * 20
    _mean(single, pairs)
    roles, action, category, purpose, _ = asked[0]
    batch = policy.inquiry(Question(roles=roles, action=action, category=category, purpose=purpose))
    people = [unpack(row) for row in rows] * 40
    return [
        Figure(f"decide alone, row unpacked, at {count:,} rules", _mean(single, pairs), 6, "us"),
        Figure(
            f"decide in a list, at {count:,} rules", _mean(lambda person: batch.decide(person, AT), people), 3, "us"
        ),
    ]


def a_policy(count: int, seed: int = 7) -> tuple[list[Rule], Trees, Catalogue]:
    """Rules, most of them allows; half of the denies carved out of an allow."""
    chance = random.Random(seed)
    purposes = _paths("pqr", (5, 4, 3))
    catalogue = Catalogue([Purpose(name, 1) for name in purposes], [], _paths("cdf", (8, 5, 5)))
    roles = {name: (name.rpartition(".")[0],) if "." in name else () for name in _paths("abe", (3, 4, 4))}
    trees = Trees(
        Tree(with_built_in(roles)),
        Tree(dotted(catalogue.categories)),
        Tree({**dotted(catalogue.purposes), RIGHTS: ()}),
        jurisdiction_tree(catalogue),
        Tree(dict.fromkeys(ACTIONS, ())),
    )
    pools = [sorted(names) for names in (roles, catalogue.categories, purposes, trees.jurisdictions)]
    rules = list(SYSTEM_RULES)
    for number in range(count):
        role, category, purpose, jurisdiction = (chance.choice(pool) for pool in pools)
        action, deny = chance.choice(ACTIONS), chance.random() < 0.15
        if deny and len(rules) > len(SYSTEM_RULES) and chance.random() < 0.5:
            allow = chance.choice(rules[len(SYSTEM_RULES) :])
            role, action, jurisdiction, category = allow.role, allow.action, allow.jurisdiction, allow.category
            purpose = chance.choice(sorted(trees.purposes.down[allow.purpose]))
        rules.append(
            Rule(
                id=f"R{number}",
                role=role,
                action=action,
                category=category,
                purpose=purpose,
                jurisdiction=chance.choice(("any", jurisdiction)),
                effect="deny" if deny else "allow",
                basis="-" if deny else "consent",
            )
        )
    return rules, trees, catalogue


def questions(rules: Sequence[Rule], trees: Trees, count: int) -> list[CellName]:
    """Cells worth asking: three in four at or below a rule, half of those with one name replaced."""
    chance = random.Random(11)
    order = (trees.roles, trees.actions, trees.categories, trees.purposes, trees.jurisdictions)
    names = [sorted(tree) for tree in order]
    found = []
    for turn in range(count):
        rule = chance.choice(rules)
        named = (rule.role, rule.action, rule.category, rule.purpose, rule.jurisdiction)
        one = [chance.choice(sorted(tree.down[name])) for tree, name in zip(order, named, strict=True)]
        for place in range(5) if turn % 4 == 3 else (chance.randrange(5),) if turn % 2 else ():
            one[place] = chance.choice(names[place])
        found.append((frozenset((one[0],)), one[1], one[2], one[3], one[4]))
    return found


def a_person(policy: Policy, number: int) -> PersonState:
    """Five choices and one known law."""
    chance = random.Random(number)
    purposes = chance.sample(sorted(policy.catalogue.purposes), 5)
    statuses = ("granted", "granted", "granted", "refused", "withdrawn")
    choices = {
        purpose: Choice(status, AT - chance.randrange(10**9), "web", 1, 1, record=bytes(16), expires_at=AT + 1)
        for purpose, status in zip(purposes, statuses, strict=True)
    }
    return PersonState(
        choices=choices, jurisdictions=(Jurisdiction(chance.choice(("de", "fr", "us-ca", "cn")), "site", AT),)
    )


def _paths(letters: str, widths: Sequence[int], above: str = "") -> list[str]:
    if not widths:
        return []
    found: list[str] = []
    for place in range(widths[0]):
        name = f"{above}{'.' if above else ''}{letters[0]}{place}"
        found += [name, *_paths(letters[1:], widths[1:], name)]
    return found


def _each(call: Callable[[T], object], items: Iterable[T]) -> list[float]:
    taken = []
    for item in items:
        started = time.perf_counter_ns()
        call(item)
        taken.append((time.perf_counter_ns() - started) / 1e3)
    return taken


def _mean(call: Callable[[T], object], items: Sequence[T]) -> float:
    started = time.process_time()
    for item in items:
        call(item)
    return (time.process_time() - started) / len(items) * 1e6


if __name__ == "__main__":
    for figure in figures():
        verdict = "ok  " if figure.value <= figure.budget else "OVER"
        print(f"{verdict} {figure.name}: {figure.value:.2f} {figure.unit} (budget {figure.budget:g})")
