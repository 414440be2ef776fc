"""The registry's sections of a manifest, read with the place of everything that is wrong: `categories`, `languages`,
`controller`, `recipients`, `purposes`, `notices`.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from consent.catalogue.catalogue import Notice, Purpose, with_parents
from consent.catalogue.completeness import check_complete
from consent.catalogue.declared_notices import read_notices
from consent.catalogue.declared_purposes import read_purposes
from consent.catalogue.fairness import check_fairness
from consent.catalogue.parties import ROLES, Controller, Recipient
from consent.catalogue.reader import Places, Reader
from consent.people.identifier_kinds import read_kinds
from sayso.kernel import ManifestError, Map, Node, Problem, Scalar, Seq

SECTIONS: Final = ("categories", "languages", "controller", "recipients", "identifiers", "purposes", "notices")
"""The sections read here, in the order in which they build on each other."""

_CONTROLLER: Final = ("name", "country", "contact", "dpo", "representatives", "authority")
_RECIPIENT: Final = ("title", "role", "country", "contact")


class Declarations(Struct, frozen=True):
    """What a manifest declares of consent, before it has versions. `places` tells where each member stands; `doubts`
    are what the fairness lint doubts and does not refuse.
    """

    categories: tuple[str, ...] = ()
    purposes: dict[str, Purpose] = {}
    notices: dict[str, Notice] = {}
    places: Places = {}
    languages: tuple[str, ...] = ()
    controller: Controller = Controller()
    recipients: dict[str, Recipient] = {}
    doubts: tuple[Problem, ...] = ()
    identifiers: dict[str, str] = {}


def parse(manifest: Map) -> Declarations:
    """The registry's sections of a whole manifest. Raises `ManifestError` with everything that is wrong in them."""
    reader = Reader()
    categories = _categories(reader, manifest.get("categories"))
    languages = _languages(reader, manifest.get("languages"))
    controller = _controller(reader, manifest.get("controller"))
    recipients = _recipients(reader, manifest.get("recipients"))
    identifiers = read_kinds(reader, manifest.get("identifiers"))
    special = _special(manifest.get("special_categories"))
    purposes = {
        name: replace(purpose, sensitive=True) if _touches(purpose.categories, special) else purpose
        for name, purpose in read_purposes(
            reader, manifest.get("purposes"), _with_prefixes(categories), recipients
        ).items()
    }
    notices = read_notices(reader, manifest.get("notices"), with_parents(purposes.values()))
    declared = Declarations(categories, purposes, notices, reader.places, languages, controller, recipients)
    # What is told of completeness and fairness rests on members that could be read.
    doubts = () if reader.problems else (*check_complete(declared, reader), *check_fairness(declared, reader))
    if reader.problems:
        raise ManifestError(reader.problems)
    return Declarations(
        categories, purposes, notices, reader.places, languages, controller, recipients, doubts, identifiers
    )


def _categories(reader: Reader, section: Node | None) -> tuple[str, ...]:
    match section:
        case None:
            return ()
        case Seq():
            named = (_category(reader, node) for node in section)
            return tuple(name for name in named if name is not None)
        case _:
            reader.wrong(section, "'categories' is a list of names.")
            return ()


def _category(reader: Reader, node: Node) -> str | None:
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        reader.wrong(node, "A category is named by a word.")
        return None
    return node.value if reader.good_name(node.value, "category", node.file, node.line) else None


def _languages(reader: Reader, section: Node | None) -> tuple[str, ...]:
    found = reader.names(section, "language", None)
    if isinstance(section, Seq):
        for node in section:
            if isinstance(node, Scalar) and isinstance(node.value, str) and not reader.locale(node.value):
                reader.wrong(node, f"{node.value!r} is no locale (BCP 47).")
    return found


def _controller(reader: Reader, section: Node | None) -> Controller:
    if section is None:
        return Controller()
    if not isinstance(section, Map):
        reader.wrong(section, "'controller' is a mapping.")
        return Controller()
    reader.known(section, _CONTROLLER)
    if missing := [member for member in ("name", "country", "contact") if member not in section]:
        reader.wrong(section, f"A controller has a {missing[0]}.")
    representatives = section.get("representatives")
    if representatives is not None and not isinstance(representatives, Map):
        reader.wrong(representatives, "Representatives are given per jurisdiction: {eea: {name: …}}.")
    by_code = representatives.items() if isinstance(representatives, Map) else ()
    dpo, authority = section.get("dpo"), section.get("authority")
    return Controller(
        reader.word(section.get("name"), "A name"),
        reader.country(section.get("country")),
        reader.contact(section.get("contact")),
        reader.contact(dpo) if dpo is not None else None,
        {
            code: reader.contact(child)
            for code, child in by_code
            if isinstance(representatives, Map) and reader.jurisdiction(representatives, code)
        },
        reader.contact(authority) if authority is not None else None,
    )


def _recipients(reader: Reader, section: Node | None) -> dict[str, Recipient]:
    found: dict[str, Recipient] = {}
    for name, line, node in reader.members(section, "recipients"):
        if not reader.good_name(name, "recipient", node.file, line):
            continue
        reader.known(node, _RECIPIENT)
        for member in ("role", "country"):
            if member not in node:
                reader.wrong(node, f"A recipient has a {member}.")
        found[name] = Recipient(
            name,
            reader.one_of(node.get("role"), "role of a recipient", ROLES),
            reader.country(node.get("country")),
            reader.texts(node.get("title")),
            reader.contact(node.get("contact")),
        )
    return found


def _special(section: Node | None) -> frozenset[str]:
    """The categories that policies reads, and complains about, as special: purposes that use one are sensitive."""
    words = section if isinstance(section, Seq) else ()
    return frozenset(node.value for node in words if isinstance(node, Scalar) and isinstance(node.value, str))


def _touches(categories: Iterable[str], special: frozenset[str]) -> bool:
    return any(
        f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")
        for one in categories
        for other in special
    )


def _with_prefixes(names: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for name in names:
        parts = name.split(".")
        found.update(".".join(parts[:length]) for length in range(1, len(parts) + 1))
    return found
