"""Receipts are ISO/IEC TS 27560 in DPV 2.3: whole without the network, in known words, with every mandatory field.

PyLD reads them as any reader of linked data would, pyshacl checks what they say.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyld import jsonld
from pyshacl import validate
from rdflib import RDF, Graph, URIRef

from consent import Identifier, Submission
from tests.consent.conftest import BROWSER, Store, claims_of
from tests.consent.dpv import BASE, known, range_shapes, vocabulary

SHAPES = Path(__file__).parent.parent / "vectors" / "consent" / "receipt-shapes.ttl"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:rdflib", "ignore::DeprecationWarning:pyshacl")

MANIFEST = """
controller:
  name: Tannenhof Tee GmbH
  country: de
  contact: {email: privacy@tee.example, address: "Lange Straße 1, Berlin", url: "https://tee.example"}
  dpo: {name: Data protection, email: dpo@tee.example}
recipients:
  post: {role: processor, country: us, title: {en: Post Office}}
  partner: {role: third_party, country: de, title: {en: Partner}}
categories: [contact.email, behaviour, health]
purposes:
  ads:
    title: {en: Advertising, zh-CN: 广告}
    categories: [behaviour]
    recipients: [partner]
    dpv: TargetedAdvertising
  letters:
    title: {en: News by e-mail, zh-CN: 邮件资讯}
    categories: [contact.email]
    recipients: [post]
    transfers: [{to: us, mechanism: standard_clauses, recipient: post}]
    sources: {contact.email: zero_party}
    retention: P24M
    storage_locations: [ie]
    direct_marketing: true
    expires_after: P24M
  similar: {title: {en: Similar goods}, legal_basis: legitimate_interest, categories: [contact.email]}
notices:
  shop:
    version: 1
    purposes: [letters, ads]
    text: {en: "We write to you only if you say so.", zh-CN: "只有经您同意，我们才会给您写信。"}
"""


def refused(url: str, _: Any = None) -> Any:
    raise AssertionError(f"a receipt needs {url} to be read")


def graph_of(receipt: dict[str, Any]) -> Graph:
    """The receipt's triples, read without the network."""
    graph = Graph()
    # One graph only, so its N-Quads are N-Triples.
    graph.parse(data=jsonld.to_rdf(receipt, {"format": "application/n-quads", "documentLoader": refused}), format="nt")
    return graph


def strange(graph: Graph) -> set[str]:
    """Terms in the vocabulary's name that are not in the table."""
    used = {each for triple in graph for each in triple if isinstance(each, URIRef) and str(each).startswith(BASE)}
    return {str(each) for each in used - known() if "/schema/dpv-27560#" not in str(each)}


def complaints(graph: Graph) -> str:
    """What the shapes say against it; empty when nothing."""
    checks = ((graph + vocabulary(), range_shapes()), (graph, Graph().parse(SHAPES)))
    reports = [validate(data, shacl_graph=shapes, ont_graph=vocabulary()) for data, shapes in checks]
    return "".join(text for conforms, _, text in reports if not conforms)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What a receipt says does not depend on the engine."""
    return sqlite_url


@pytest.fixture
async def told(store: Store) -> dict[str, dict[str, Any]]:
    """Receipts of every kind of act, by name."""
    store.catalogue = await store.apply(MANIFEST)
    person = await store.person()
    made: dict[str, Any] = {
        "granted": await store.record(person, notice="shop", choices={"letters": "granted", "ads": "refused"})
    }
    made["renewed"] = await store.record(person, notice="shop", choices={"letters": "granted"}, locale="zh-CN")
    made["late"] = await store.record(
        person, notice="shop", choices={"ads": "granted"}, occurred_at=1_700_000_000_000_000
    )
    for code in ("de", "cn"):
        await store.hot(lambda tx, code=code: store.registry.place(tx, person, code, "declared"))
    made["mixed laws"] = await store.record(person, notice="shop", choices={"letters": "granted"})
    made["withdrawn"] = await store.withdraw(person, ["letters"])
    made["objected"] = await store.hot(
        lambda tx: store.registry.object_to(tx, store.catalogue, person, ["letters"], method="api")
    )
    anonymous = Submission(
        notice="shop",
        notice_version=1,
        locale="en",
        choices={"letters": "refused", "ads": "refused"},
        method="banner",
        identifier=Identifier("device", "d" * 22),
    )
    made["nobody"] = await store.hot(lambda tx: store.registry.choose(tx, store.catalogue, anonymous), BROWSER)
    return {name: claims_of(each.receipt)["receipt"] for name, each in made.items()}


async def test_every_receipt_says_what_the_standard_asks_in_words_that_exist(told: dict[str, Any]) -> None:
    for name, receipt in told.items():
        graph = graph_of(receipt)
        assert strange(graph) == set(), name
        assert complaints(graph) == "", name


async def test_acts_become_the_states_of_the_standard(told: dict[str, Any]) -> None:
    def states(name: str) -> list[list[str]]:
        records = told[name]["dpv:hasRecordOfActivity"]
        return [[each.removeprefix("dpv:") for each in record["dpv:hasConsentStatus"]["@type"]] for record in records]

    assert states("granted") == [["ConsentRefused", "ExpressedConsent"], ["ConsentGiven", "ExpressedConsent"]]
    assert states("renewed") == [["RenewedConsentGiven", "ExpressedConsent"]]
    assert states("late") == [["ConsentInvalidated", "ExpressedConsent"]]
    assert states("withdrawn") == [["ConsentWithdrawn", "ExpressedConsent"]]
    assert states("objected") == [["ConsentWithdrawn", "LegitimateInterestObjected"]]
    assert states("nobody") == [["ConsentRefused", "ExpressedConsent"]]


async def test_a_no_without_a_notice_names_the_one_on_which_the_choice_was_made(told: dict[str, Any]) -> None:
    (record,) = told["withdrawn"]["dpv:hasRecordOfActivity"]
    assert [notice["@id"] for notice in record["dpv:hasNotice"]] == ["urn:sayso:notice:default:shop:1"]


async def test_nothing_in_a_receipt_is_lost_when_it_is_read_as_linked_data(told: dict[str, Any]) -> None:
    for receipt in told.values():
        read = set(_texts(jsonld.expand(receipt, {"documentLoader": refused})))
        assert set(_texts({name: each for name, each in receipt.items() if name != "@context"})) == read


def _texts(node: Any) -> list[str]:
    """All plain texts below a node."""
    if isinstance(node, dict):
        if "@value" in node:
            return [str(node["@value"])]
        return [text for name, each in node.items() if not name.startswith("@") for text in _texts(each)]
    if isinstance(node, list):
        return [text for each in node for text in _texts(each)]
    return [str(node)]


Damage = Callable[[dict[str, Any]], Any]


def _record(receipt: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = receipt["dpv:hasRecordOfActivity"][0]
    return found


@pytest.mark.parametrize(
    "damage",
    [
        lambda it: _record(it)["dpv:hasConsentStatus"].update({"@type": ["dpv:ConsentTerminated", "dpv:Consent"]}),
        lambda it: _record(it)["dpv:hasProcess"][0].update({"dpv:hasLegalBasis": {"@id": "dpv:Collect"}}),
        lambda it: _record(it)["dpv:hasProcess"][0].pop("dpv:hasStorageCondition"),
        lambda it: _record(it).pop("dpv:hasNotice"),
        lambda it: it.pop("dpv:hasIdentifier"),
        lambda it: _record(it)["dpv:hasProcess"][0].update({"dpv:hasDataStorageCondition": {"@type": "dpv:Purpose"}}),
    ],
)
async def test_the_checks_find_what_is_wrong(told: dict[str, Any], damage: Damage) -> None:
    receipt = json.loads(json.dumps(told["granted"]))
    damage(receipt)
    graph = graph_of(receipt)
    assert strange(graph) or complaints(graph)


async def test_the_context_says_what_each_record_is(told: dict[str, Any]) -> None:
    graph = graph_of(told["granted"])
    kinds = [str(kind) for _, _, kind in graph.triples((None, RDF.type, None))]
    assert kinds.count("https://w3id.org/dpv#ConsentRecord") == 2
