"""What receipts may say, and of what kind it is: the terms of the Data Privacy Vocabulary 2.3 that Sayso uses.

A table of names, written by hand after reading the vocabulary (release 2.3 of February 2026); none of its text is here.
`python -m tests.consent.dpv FOLDER` asks a real copy of DPV 2.3 whether each name exists and is of that kind.
"""

import sys
from pathlib import Path

from rdflib import RDF, RDFS, BNode, Graph, Namespace, URIRef
from rdflib.namespace import SH, SKOS

from consent.laws.jurisdictions import REGIMES
from consent.receipts.terms import PREFIXES

DPV = Namespace(PREFIXES["dpv"])
BASE = "https://w3id.org/dpv"

KINDS = {
    "ConsentStatus": """ConsentGiven RenewedConsentGiven ConsentRequested ConsentRefused ConsentWithdrawn ConsentUnknown
        ConsentExpired ConsentInvalidated""",
    "LegitimateInterestStatus": "LegitimateInterestObjected LegitimateInterestNotObjected",
    "LegalBasis": """Consent ExpressedConsent ExplicitlyExpressedConsent Contract LegalObligation VitalInterest
        PublicInterest LegitimateInterest LegalBasis eu-gdpr:A6-1-a eu-gdpr:A6-1-b eu-gdpr:A6-1-c eu-gdpr:A6-1-d
        eu-gdpr:A6-1-e eu-gdpr:A6-1-f eu-gdpr:A9-2-a eu-gdpr:A45-3 eu-gdpr:A46-2-b eu-gdpr:A46-2-c eu-gdpr:A46-2-f
        eu-gdpr:A49-1-a""",
    "Purpose": """Purpose Advertising CustomerCare DirectMarketing Marketing PersonalisedAdvertising
        ServicePersonalisation SellDataToThirdParties ServiceProvision ServiceUsageAnalytics SocialMediaMarketing
        TargetedAdvertising""",
    "PersonalData": """PersonalData SensitivePersonalData pd:Age pd:Behavioural pd:Biometric pd:BirthDate
        pd:BrowsingBehaviour pd:Contact pd:DeviceBased pd:EmailAddress pd:Financial pd:Gender pd:Genetic pd:Health
        pd:IPAddress pd:Interest pd:Language pd:Location pd:Name pd:PhysicalAddress pd:Preference pd:Purchase
        pd:TelephoneNumber pd:Transactional""",
    "Processing": "Collect Use Share Transfer",
    "Necessity": "Required Optional",
    "DataSource": "DataSubjectDataSource ThirdPartyDataSource",
    "Right": "ActiveRight DataSubjectRight eu-gdpr:A7-3 eu-gdpr:A15 eu-gdpr:A17 eu-gdpr:A21",
    "Law": "Law legal/eu#law-GDPR legal/gb#law-GDPR legal/in#law-DPDP legal/us#law-CA-CPRA",
    "Location": "Location " + " ".join(f"loc:{code.upper()}" for code in REGIMES if code != "any"),
    "Duration": "TemporalDuration UntilTimeDuration IndeterminateDuration",
    "StorageCondition": "StorageLocation StorageDuration",
    "RecordsOfActivities": "ConsentRecord ConsentReceipt",
    "Notice": "ConsentNotice RightExerciseNotice",
    "RightExerciseNotice": "RightExerciseNotice",
    "ConsentControl": "WithdrawConsent",
    "Entity": "DataController DataProcessor DataProtectionOfficer Authority Recipient ThirdParty DataSubject "
    "GuardianOfDataSubject",
    "Recipient": "Recipient DataProcessor",
    "DataController": "DataController",
    "DataSubject": "DataSubject",
    "Representative": "DataProtectionOfficer",
    "Authority": "Authority",
    "Process": "Process",
}
"""What each name is. A name may be several things."""

RANGES = {
    "hasApplicableLaw": "Law",
    "hasAuthority": "Authority",
    "hasConsentControl": "ConsentControl",
    "hasConsentStatus": "ConsentStatus",
    "hasCountry": "Location",
    "hasDataController": "DataController",
    "hasDataSource": "DataSource",
    "hasDataSubject": "DataSubject",
    "hasDuration": "Duration",
    "hasEntity": "Entity",
    "hasJurisdiction": "Location",
    "hasLegalBasis": "LegalBasis",
    "hasLocation": "Location",
    "hasNecessity": "Necessity",
    "hasNotice": "Notice",
    "hasPersonalData": "PersonalData",
    "hasProcess": "Process",
    "hasProcessing": "Processing",
    "hasPurpose": "Purpose",
    "hasRecipient": "Recipient",
    "hasRecordOfActivity": "RecordsOfActivities",
    "hasRepresentative": "Representative",
    "hasRight": "Right",
    "hasStorageCondition": "StorageCondition",
    "isExercisedAt": "RightExerciseNotice",
    "isIndicatedBy": "Entity",
}
"""The kind that each property points to."""

TEXTS = "hasAddress hasContact hasIdentifier hasIndicationMethod hasName isIndicatedAtTime"
"""Properties whose values are texts or times."""

_APART = {"hasCountry": "Country"}
"""Where the vocabulary asks for a narrower kind than the table, the table's is enough to find a slip."""


def term(name: str) -> URIRef:
    """`DirectMarketing`, `pd:Name` or `legal/eu#law-GDPR` as a whole name."""
    if "#" in name:
        return URIRef(f"{BASE}/{name}")
    prefix, _, local = name.rpartition(":")
    return URIRef(PREFIXES[prefix or "dpv"] + local)


def known() -> set[URIRef]:
    """Every term that a receipt may use."""
    named = {term(name) for names in KINDS.values() for name in names.split()}
    return named | {term(name) for name in (*RANGES, *TEXTS.split())}


def vocabulary() -> Graph:
    """The table as triples: each name is of its kinds, and below them."""
    graph = Graph()
    for kind, names in KINDS.items():
        for name in names.split():
            graph.add((term(name), RDF.type, DPV[kind]))
            graph.add((term(name), RDFS.subClassOf, DPV[kind]))
    return graph


def range_shapes() -> Graph:
    """SHACL: what a property points to is of its kind."""
    graph = Graph()
    for name, kind in RANGES.items():
        shape, part = BNode(), BNode()
        graph.add((shape, RDF.type, SH.NodeShape))
        graph.add((shape, SH.targetSubjectsOf, DPV[name]))
        graph.add((shape, SH.property, part))
        graph.add((part, SH.path, DPV[name]))
        graph.add((part, SH["class"], DPV[kind]))
    return graph


def faults(folder: Path) -> list[str]:
    """What of the table a copy of DPV 2.3 (the folder that holds `dpv/dpv.ttl`) says otherwise."""
    real = Graph()
    for path in sorted(folder.rglob("*.ttl")):
        if "-owl" not in path.name:
            real.parse(path)
    missing = [f"undefined: {each}" for each in sorted(known()) if (each, None, None) not in real]
    wrong = [
        f"{name} is no {kind}"
        for kind, names in KINDS.items()
        for name in names.split()
        if DPV[kind] not in _above(real, term(name))
    ]
    ranges = [
        f"{name} points to {' or '.join(sorted(wanted))}"
        for name, kind in RANGES.items()
        if (wanted := {str(each) for each in real.objects(DPV[name], URIRef("http://purl.org/dc/dcam/rangeIncludes"))})
        and str(DPV[_APART.get(name, kind)]) not in wanted
    ]
    return missing + wrong + ranges


def _above(graph: Graph, start: URIRef) -> set[URIRef]:
    seen: set[URIRef] = set()
    todo = [start]
    while todo:
        each = todo.pop()
        if each not in seen:
            seen.add(each)
            todo += [up for rel in (RDF.type, RDFS.subClassOf, SKOS.broader) for up in graph.objects(each, rel)]
    return seen


if __name__ == "__main__":
    found = faults(Path(sys.argv[1]))
    print("\n".join(found) or "the table holds")
    sys.exit(bool(found))
