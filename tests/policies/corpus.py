"""Rules and questions that several engines are asked, and the mistakes in a matcher that they must bring to light."""

import random

from policies.ruleset.grounds import Grounds
from policies.ruleset.rules import BASES, Rule
from policies.ruleset.trees import ACTION_TREE, Tree, Trees, dotted, with_built_in

TREES = Trees(
    roles=Tree(
        with_built_in({"lead": ("agent",), "agent": ("staff",), "staff": (), "mailer": (), "both": ("lead", "mailer")})
    ),
    categories=Tree(dotted(["contact.email", "contact.phone", "contact.phone.mobile", "health.dna", "behaviour"])),
    purposes=Tree(
        dotted(["marketing.email.news", "marketing.email.similar", "marketing.sms", "ads.targeting", "support", "dsar"])
    ),
    jurisdictions=Tree({"eea": (), "de": ("eea",), "fr": ("eea",), "us": (), "us-ca": ("us",), "cn": ()}),
    actions=ACTION_TREE,
)
EVERYWHERE = Grounds({}, lambda purpose, jurisdiction: None, {name: frozenset(BASES) for name in TREES.jurisdictions})


def some_rules(count: int, seed: int) -> list[Rule]:
    """Half of the denies are carved out of an allow, one level down, as real ones are; a quarter is about requests."""
    chance = random.Random(seed)

    def pick(tree: Tree, *likely: str) -> str:
        return chance.choice(likely) if likely and chance.random() < 0.7 else chance.choice(sorted(tree))

    rules: list[Rule] = []
    while len(rules) < count:
        effect = "deny" if chance.random() < 0.25 else "allow"
        names = {
            "action": pick(TREES.actions, "use", "read"),
            "role": pick(TREES.roles, "staff", "mailer"),
            "category": pick(TREES.categories, "contact", "contact.phone"),
            "purpose": pick(TREES.purposes, "marketing", "marketing.email", "dsar"),
            "jurisdiction": pick(TREES.jurisdictions, "eea", "us"),
        }
        allows = [rule for rule in rules if rule.effect == "allow"]
        if effect == "deny" and allows and chance.random() < 0.5:
            allow = chance.choice(allows)
            names = {
                "action": allow.action,
                "role": allow.role,
                "category": chance.choice(sorted(TREES.categories.down[allow.category])),
                "purpose": chance.choice(sorted(TREES.purposes.down[allow.purpose] | {"any"})),
                "jurisdiction": chance.choice(sorted(TREES.jurisdictions.down[allow.jurisdiction])),
            }
        tenant = chance.choice(["any", "acme", "globex"])
        rules.append(Rule(id=f"R{len(rules)}", effect=effect, tenant=tenant, basis="consent", **names))
    return rules


MUTANTS = {
    "a deny does not reach up the purposes": (
        "&& (g3(r.pur, p.pur) || (p.eft == 'deny' && g3(p.pur, r.pur)))",
        "&& g3(r.pur, p.pur)",
    ),
    "a deny does not reach up the categories": (
        "&& (g2(r.cat, p.cat) || (p.eft == 'deny' && g2(p.cat, r.cat)))",
        "&& g2(r.cat, p.cat)",
    ),
    "a deny does not reach up the jurisdictions": (
        "&& (g4(r.jur, p.jur) || (p.eft == 'deny' && g4(p.jur, r.jur)))",
        "&& g4(r.jur, p.jur)",
    ),
    "a deny never matches": ("(p.eft == 'allow' || r.pur != 'dsar')", "p.eft == 'allow'"),
    "a deny reaches dsar": ("&& (p.eft == 'allow' || r.pur != 'dsar') ", ""),
    "the jurisdiction does not count": ("&& (g4(r.jur, p.jur) || (p.eft == 'deny' && g4(p.jur, r.jur))) ", ""),
    "the role does not count": ("&& g(r.rol, p.rol) ", ""),
    "the tenant does not count": ("(p.ten == r.ten || p.ten == 'any') && ", ""),
    "the action does not count": ("&& g5(r.act, p.act) ", ""),
}
