"""A manifest as values: every section read, held against the others, and refused whole where one of them is wrong."""

from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct

from audit import Classes, parse_logs
from consent import ConsentRegistry, Declarations, IdentifierKinds, Publication, Questionnaire, parse_preferences
from consent import parse as parse_consent
from policies import Case, Policy, read_policy, read_suite
from rights import AnswerRules, EndTerms, Systems, parse_answer_rules, parse_end_terms, parse_systems
from sayso.kernel import ManifestError, Map, Problem, Tx, Work
from sayso.server.callers.auth import Profile
from sayso.server.drp.declared import Network, parse_drp
from sayso.server.iab.declared import Deletions, parse_deletions
from sayso.server.manifests.doubts import masks_that_add_up
from sayso.server.manifests.sites import Declared, Site, parse_clients, parse_sites
from vault import Collections
from vault import parse as parse_collections

T = TypeVar("T")


class Built(Struct, frozen=True):
    """What a manifest comes to, before it is live."""

    declared: Declarations
    publication: Publication
    collections: Collections
    policy: Policy
    questionnaire: Questionnaire
    end_terms: EndTerms
    systems: Systems
    answering: AnswerRules
    sites: dict[str, Site]
    clients: dict[str, Profile]
    logs: Classes
    drp: Network
    deletions: Deletions
    suite: tuple[Case, ...] = ()
    """The manifest's own tests of its rules: they are run before it goes live, and by each node before it swaps."""
    warnings: tuple[Problem, ...] = ()


def build(registry: ConsentRegistry, tree: Map, tx: Tx) -> Work[Built]:
    """A manifest as values; part of a cold unit that has written nothing yet.

    Raises `ManifestError` with every problem of every section, in file order.
    """
    declared = parse_consent(tree)
    publication = yield from registry.publisher.plan(tx, declared)
    catalogue = publication.catalogue
    problems: list[Problem] = []
    collections = _collect(problems, lambda: parse_collections(tree.get("collections"), catalogue.categories))
    read = _collect(problems, lambda: read_policy(tree, catalogue, tx.context.tenant))
    suite = read_suite(tree.get("policy_tests"), read[0], problems) if read is not None else []
    roles = read[0].snapshot.trees.roles.up if read is not None else ()
    questionnaire = parse_preferences(tree.get("preferences"), catalogue, problems)
    end_terms = _collect(problems, lambda: parse_end_terms(tree.get("data_ends")))
    systems = _collect(problems, lambda: parse_systems(tree.get("systems"), catalogue.categories, collections or {}))
    answering = _collect(problems, lambda: parse_answer_rules(tree.get("rights")))
    locales = {name: tuple(notice.text) for name, notice in catalogue.notices.items()}
    names = Declared(catalogue.notices, catalogue.purposes, roles, catalogue.beyond_a_click(), locales)
    sites = parse_sites(tree.get("sites"), names, problems)
    clients = parse_clients(tree.get("clients"), names, problems)
    drp = parse_drp(tree.get("drp"), problems)
    deletions = parse_deletions(tree.get("iab_deletion"), IdentifierKinds(declared.identifiers), problems)
    logs = _collect(problems, lambda: parse_logs(tree.get("logs")))
    if problems or collections is None or read is None or end_terms is None or systems is None:
        raise ManifestError(problems)
    if answering is None or logs is None:
        raise ManifestError(problems)
    doubts = masks_that_add_up(collections, read[0].snapshot)
    warnings = (*declared.doubts, *publication.doubts, *read[1], *doubts)
    rest = (questionnaire, end_terms, systems, answering, sites, clients, logs, drp, deletions, tuple(suite), warnings)
    return Built(declared, publication, collections, read[0], *rest)


def _collect(problems: list[Problem], step: Callable[[], T]) -> T | None:
    try:
        return step()
    except ManifestError as error:
        problems += error.problems
        return None
