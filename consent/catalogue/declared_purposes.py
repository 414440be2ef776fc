"""The section `purposes` of a manifest."""

from collections.abc import Collection, Mapping
from typing import Final

from consent.catalogue.parties import Recipient
from consent.catalogue.purpose import (
    CHANNELS,
    MECHANISMS,
    ON_MERGE,
    OPT_OUTS,
    SEPARATE,
    SOURCES,
    STORAGE,
    OnMerge,
    Purpose,
    Transfer,
)
from consent.catalogue.reader import Reader
from consent.catalogue.vocabulary import DPV_PURPOSES
from consent.laws.jurisdictions import BLOCKABLE, REGIMES
from sayso.kernel import Map, Node, Scalar, Seq

_MEMBERS: Final = (
    "title",
    "description",
    "dpv",
    "legal_basis",
    "categories",
    "sources",
    "recipients",
    "retention",
    "storage_locations",
    "transfers",
    "sensitive",
    "separate_consent",
    "required_for_service",
    "justification",
    "device_storage",
    "channels",
    "direct_marketing",
    "double_opt_in",
    "expires_after",
    "refusal_valid_for",
    "on_merge",
    "opt_out",
)
_TRANSFER: Final = ("to", "mechanism", "recipient")


def read_purposes(
    reader: Reader, section: Node | None, categories: Collection[str], recipients: Mapping[str, Recipient]
) -> dict[str, Purpose]:
    """The purposes by name. What is wrong is added to the reader's problems."""
    found: dict[str, Purpose] = {}
    for name, line, node in reader.members(section, "purposes"):
        if reader.good_name(name, "purpose", node.file, line):
            reader.known(node, _MEMBERS)
            found[name] = _purpose(reader, name, node, categories, recipients)
    return found


def _purpose(
    reader: Reader, name: str, node: Map, categories: Collection[str], recipients: Mapping[str, Recipient]
) -> Purpose:
    named = reader.names(node.get("categories"), "category", categories)
    receiving = reader.names(node.get("recipients"), "recipient", recipients)
    transfers = _transfers(reader, node.get("transfers"), receiving)
    return Purpose(
        name,
        title=reader.texts(node.get("title")),
        description=reader.texts(node.get("description")),
        dpv=reader.one_of(node.get("dpv"), "purpose of the Data Privacy Vocabulary", DPV_PURPOSES),
        legal_basis=(basis := reader.legal_basis(node.get("legal_basis"))),
        categories=named,
        sources=_sources(reader, node.get("sources"), named),
        recipients=receiving,
        parties={each: recipients[each].party() for each in receiving},
        retention=reader.duration(node.get("retention")),
        storage_locations=_countries(reader, node.get("storage_locations")),
        transfers=transfers,
        sensitive=reader.flag(node.get("sensitive")),
        separate_consent=reader.one_of(node.get("separate_consent"), "ground of a separate consent", SEPARATE) or None,
        required_for_service=reader.flag(node.get("required_for_service")),
        justification=reader.texts(node.get("justification")),
        device_storage=reader.one_of(node.get("device_storage"), "ground of storage on a device", STORAGE) or None,
        channels=reader.names(node.get("channels"), "channel", CHANNELS),
        direct_marketing=reader.flag(node.get("direct_marketing")),
        double_opt_in=_double_opt_in(reader, node.get("double_opt_in")),
        expires_after=reader.duration(node.get("expires_after")),
        refusal_valid_for=reader.duration(node.get("refusal_valid_for")),
        on_merge=_on_merge(reader, node.get("on_merge")),
        opt_out=_opt_out(reader, node.get("opt_out"), basis),
    )


def _on_merge(reader: Reader, node: Node | None) -> OnMerge:
    said = reader.one_of(node, "rule of merging", ON_MERGE)
    return next((rule for rule in ON_MERGE if rule == said), ON_MERGE[0])


def _opt_out(reader: Reader, node: Node | None, basis: str | dict[str, str]) -> tuple[str, ...] | None:
    """Which opt-outs reach the purpose; None leaves it to what the purpose does."""
    if node is None:
        return None
    found = reader.names(node, "opt-out", OPT_OUTS)
    if found and BLOCKABLE.isdisjoint((basis,) if isinstance(basis, str) else basis.values()):
        reader.wrong(node, "No no can block a purpose on this legal basis: nobody can opt out of it.")
    return found


def _sources(reader: Reader, node: Node | None, categories: Collection[str]) -> dict[str, str]:
    if node is None:
        return {}
    if not isinstance(node, Map):
        reader.wrong(node, "Sources are given per category: {contact.email: zero_party}.")
        return {}
    reader.known(node, categories)
    told = {category: reader.one_of(child, "source", SOURCES) for category, child in node.items()}
    return {category: source for category, source in told.items() if source}


def _transfers(reader: Reader, node: Node | None, recipients: Collection[str]) -> tuple[Transfer, ...]:
    if node is None:
        return ()
    if not isinstance(node, Seq):
        reader.wrong(node, "Transfers are a list: [{to: us, mechanism: standard_clauses}].")
        return ()
    found: list[Transfer] = []
    for child in node:
        if not isinstance(child, Map):
            reader.wrong(child, "A transfer is a mapping: {to: us, mechanism: standard_clauses}.")
            continue
        reader.known(child, _TRANSFER)
        if missing := [member for member in ("to", "mechanism") if member not in child]:
            reader.wrong(child, f"A transfer names its {missing[0]!r}.")
        to = reader.country(child.get("to"))
        mechanism = reader.one_of(child.get("mechanism"), "transfer mechanism", MECHANISMS)
        recipient = reader.one_of(child.get("recipient"), "recipient of this purpose", recipients)
        found.append(Transfer(to, mechanism, recipient))
    return tuple(found)


def _countries(reader: Reader, node: Node | None) -> tuple[str, ...]:
    if node is None:
        return ()
    if not isinstance(node, Seq):
        reader.wrong(node, "This is a list of countries.")
        return ()
    return tuple(dict.fromkeys(code for child in node if (code := reader.country(child))))


def _double_opt_in(reader: Reader, node: Node | None) -> bool | tuple[str, ...] | None:
    if node is None:
        return None
    if isinstance(node, Seq):
        return reader.names(node, "jurisdiction", REGIMES)
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return node.value
    reader.wrong(node, "This is true, false, or a list of jurisdictions.")
    return None
