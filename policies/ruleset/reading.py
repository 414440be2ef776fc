"""A manifest's sections `roles`, `rules` and `special_categories` become a policy, or are refused with every reason."""

from consent import Catalogue
from policies.policy import Policy
from policies.ruleset.grounds import grounds_of, jurisdiction_tree
from policies.ruleset.lint import lint, role_tree
from policies.ruleset.rules import SYSTEM_RULES, parse_roles, parse_rules
from policies.ruleset.snapshot import Snapshot
from policies.ruleset.trees import ACTION_TREE, RIGHTS, ROOT, Tree, Trees, dotted
from sayso.kernel import ManifestError, Map, Node, Problem, Scalar, Seq, nearest, problem


def read_policy(manifest: Map, catalogue: Catalogue, tenant: str) -> tuple[Policy, list[Problem]]:
    """The policy that a whole manifest declares for a tenant, and lint's warnings. Raises `ManifestError`.

    `catalogue` is what consent made of the same manifest: its purposes, categories and jurisdictions are the trees.
    """
    problems: list[Problem] = []
    declared = parse_roles(manifest.get("roles"), problems)
    rules = parse_rules(manifest.get("rules"), problems)
    special = _special(manifest.get("special_categories"), catalogue.categories, problems)
    section = manifest.get("roles")

    def place(role: str) -> tuple[str, int]:
        return (section.file, section.lines.get(role, section.line)) if isinstance(section, Map) else ("", 0)

    trees = Trees(
        roles=role_tree(declared, place, problems),
        categories=Tree(dotted(catalogue.categories)),
        purposes=Tree({**dotted(catalogue.purposes), RIGHTS: ()}),
        jurisdictions=jurisdiction_tree(catalogue),
        actions=ACTION_TREE,
    )
    grounds = grounds_of(catalogue, special)
    findings = lint(rules, trees, grounds, tenant)
    if problems or findings.errors:
        raise ManifestError([*problems, *findings.errors])
    return Policy(Snapshot(tenant, [*SYSTEM_RULES, *rules], trees, grounds), catalogue), findings.warnings


def _special(section: Node | None, categories: frozenset[str], problems: list[Problem]) -> list[str]:
    if section is None:
        return []
    if not isinstance(section, Seq):
        problems.append(problem(section, "special_categories: a list of categories."))
        return []
    special: list[str] = []
    for node in section:
        name = node.text if isinstance(node, Scalar) else ""
        if name in categories and name != ROOT:
            special.append(name)
        else:
            message = f"The category {name!r} is not declared."
            problems.append(problem(node, message, nearest=nearest(name, categories)))
    return special
