"""Byun and Li's rule as sets, independent of any engine, and questions that are worth asking.

An allow reaches down its trees; a deny reaches down and, in category, purpose and jurisdiction, up as well; deny
overrides; nothing is permitted unless allowed; no deny reaches `dsar`. (Byun, Li: Purpose based access control, VLDB
Journal 2008.)
"""

import random
from collections.abc import Sequence

from policies.ruleset.rules import Rule
from policies.ruleset.trees import Tree, Trees

Asked = tuple[str, str, str, str, str]
"""Action, role, category, purpose, jurisdiction."""


def matches(rule: Rule, tenant: str, asked: Asked, trees: Trees) -> bool:
    action, role, category, purpose, jurisdiction = asked
    if rule.tenant not in ("any", tenant) or (rule.effect == "deny" and purpose == "dsar"):
        return False

    def reached(tree: Tree, name: str, named: str, both_ways: bool) -> bool:
        return named in tree.up[name] or (both_ways and rule.effect == "deny" and name in tree.up[named])

    return (
        reached(trees.actions, action, rule.action, False)
        and reached(trees.roles, role, rule.role, False)
        and reached(trees.categories, category, rule.category, True)
        and reached(trees.purposes, purpose, rule.purpose, True)
        and reached(trees.jurisdictions, jurisdiction, rule.jurisdiction, True)
    )


def permitted(rules: Sequence[Rule], tenant: str, asked: Asked, trees: Trees) -> bool:
    effects = {rule.effect for rule in rules if matches(rule, tenant, asked, trees)}
    return effects == {"allow"}


def worth_asking(rules: Sequence[Rule], trees: Trees, count: int, chance: random.Random) -> list[Asked]:
    """By turns: below a rule, a near miss of one (one name replaced), at or above a deny, and anything at all.

    Uniform questions alone let mutants of the upward reach and of the jurisdiction live.
    """
    order = (trees.actions, trees.roles, trees.categories, trees.purposes, trees.jurisdictions)
    names = [sorted(tree) for tree in order]
    denies = [rule for rule in rules if rule.effect == "deny"] or list(rules)

    def named(rule: Rule) -> Asked:
        return rule.action, rule.role, rule.category, rule.purpose, rule.jurisdiction

    def below(rule: Rule) -> list[str]:
        return [chance.choice(sorted(tree.down[name])) for tree, name in zip(order, named(rule), strict=True)]

    def above(rule: Rule) -> list[str]:
        down = below(rule)
        reach = [chance.choice(sorted(tree.up[name])) for tree, name in zip(order[2:], named(rule)[2:], strict=True)]
        return [*down[:2], *reach]

    asked: list[list[str]] = []
    for turn in range(count):
        if rules and turn % 4 != 3:
            one = above(chance.choice(denies)) if turn % 4 == 1 else below(chance.choice(rules))
            if turn % 4 == 2:
                place = chance.randrange(5)
                one[place] = chance.choice(names[place])
        else:
            one = [chance.choice(part) for part in names]
        asked.append(one)
    return [(one[0], one[1], one[2], one[3], one[4]) for one in asked]
