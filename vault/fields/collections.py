"""Collections and their fields, as a manifest declares them, each field on a line of its own:

email: {type: email, category: contact.email, index: [exact]}
phone: {type: phone, category: contact.phone, region: CN}
notes: {type: text, category: contact, pad: 256, retention: service}
birthday: {type: date, category: identity, facts: [year, "age_over:18"]}
"""

import re
from collections.abc import Collection as Names
from typing import Final

from msgspec import Struct

from sayso.kernel import Invalid, ManifestError, Map, Node, Problem, Scalar, Seq, nearest, problem
from vault.ciphers.blob import BUCKET, LARGEST_BUCKET
from vault.ciphers.index import EXACT
from vault.fields.facts import NAMES as FACTS
from vault.fields.facts import fact_of, fits
from vault.fields.normalise import NORMALISERS
from vault.fields.planner import RESIDENT, adds_up, refusal
from vault.opening.guarding import GUARDS
from vault.tokens.terms import TokenTerms, read_terms

DATA: Final = "data"
"""The retention class of a field that names none."""

RESERVED_CLASSES: Final = ("log", "proof")
"""Classes of keys that belong to the log and to proof capsules; no field may be kept under them."""

INDEXES: Final = (EXACT,)
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
_REGION: Final = re.compile(r"[A-Z]{2}")
_OF_BIRTH: Final = (RESIDENT, "date")
_FIELD_MEMBERS: Final = ("type", "category", "index", "retention", "pad", "region", "facts", "token", "guard")


class Field(Struct, frozen=True):
    """One kind of identity data. `pad` is the bucket in bytes that its values are padded to before sealing; `facts` are
    what may be told of a value to who may not see it, `token` what its tokens are like, `guards` what
    must stand beside a permit (`guarding.py`).
    """

    name: str
    type: str
    category: str
    indexes: tuple[str, ...] = ()
    retention: str = DATA
    pad: int = BUCKET
    region: str | None = None
    facts: tuple[str, ...] = ()
    token: TokenTerms = TokenTerms()
    guards: tuple[str, ...] = ()

    @property
    def held_back(self) -> bool:
        """Whether nobody opens its values on the way to something else: a guard stands before each, or few may."""
        return bool(self.guards) or self.token.limited


class Collection(Struct, frozen=True):
    """Fields that are stored together."""

    name: str
    fields: dict[str, Field]

    def field(self, name: str) -> Field:
        """The declared field of that name. Raises `UnknownField`."""
        found = self.fields.get(name)
        if found is None:
            raise UnknownField(self.name, nearest(name, self.fields))
        return found


Collections = dict[str, Collection]


class UnknownCollection(Invalid):
    def __init__(self, near: str | None) -> None:
        super().__init__("unknown-collection", "There is no such collection.", nearest=near)


class UnknownField(Invalid):
    def __init__(self, collection: str, near: str | None) -> None:
        super().__init__("unknown-field", "The collection has no such field.", collection=collection, nearest=near)


def collection_of(collections: Collections, name: str) -> Collection:
    """The declared collection of that name. Raises `UnknownCollection`."""
    found = collections.get(name)
    if found is None:
        raise UnknownCollection(nearest(name, collections))
    return found


def parse(section: Node | None, categories: Names[str]) -> Collections:
    """The section `collections`. `categories` are all declared ones, parents included.

    Raises `ManifestError` with every problem found, each at its line.
    """
    if section is None:
        return {}
    reading = _Reading(categories)
    found = reading.collections(section)
    if reading.problems:
        raise ManifestError(reading.problems)
    return found


class _Reading:
    """One pass over the section that collects problems instead of stopping at the first."""

    def __init__(self, categories: Names[str]) -> None:
        self.categories = categories
        self.problems: list[Problem] = []
        self._of_birth: dict[str, list[tuple[str, Field, Node]]] = {}
        """Fields that tell facts of a resident number or of a date, by category."""

    def collections(self, section: Node) -> Collections:
        found = {}
        for name, node in self._named(section, "The section collections"):
            members = dict(self._members(node, f"Collection {name!r}", ("fields",)))
            if "fields" not in members:
                self._refuse(node, f"Collection {name!r} needs fields.")
                continue
            fields = self._named(members["fields"], f"The fields of {name!r}")
            made = [(self._field(field, child), child) for field, child in fields]
            found[name] = Collection(name, {field.name: field for field, _ in made})
            for field, child in made:
                if field.facts and field.type in _OF_BIRTH:
                    self._of_birth.setdefault(field.category, []).append((f"{name}.{field.name}", field, child))
        for alike in self._of_birth.values():
            self._refuse_what_adds_up(alike)
        return found

    def _refuse_what_adds_up(self, fields: list[tuple[str, Field, Node]]) -> None:
        """Refuse facts of several fields of one category that together nearly name a number: whoever may read one of
        them may read them all. A person has one resident number, wherever it is stored, and their date of birth is in
        it; of other numbers they may have several.
        """
        if all(field.type != RESIDENT for _, field, _ in fields):
            return
        told: dict[str, None] = {}
        before: list[str] = []
        for place, field, node in fields:
            told.update(dict.fromkeys(field.facts))
            why = adds_up(RESIDENT, [fact for name in told if (fact := fact_of(name)) is not None]) if before else None
            if why is not None:
                self._refuse(node, f"{place} stands in one category with {' and '.join(before)}. {why}")
                return
            before.append(place)

    def _field(self, name: str, node: Node) -> Field:
        members = dict(self._members(node, f"Field {name!r}", _FIELD_MEMBERS))
        if not isinstance(node, Map):
            return Field(name, "text", "any")
        kind = self._text(members, node, name, "type")
        category = self._text(members, node, name, "category")
        if kind is not None and kind not in NORMALISERS:
            self._refuse(members["type"], f"There is no type {kind!r}.", nearest(kind, NORMALISERS))
        if category is not None and category not in self.categories:
            near = nearest(category, self.categories)
            self._refuse(members["category"], f"Category {category!r} is not declared.", near)
        return Field(
            name,
            kind or "text",
            category or "any",
            self._indexes(members.get("index"), kind),
            self._retention(members.get("retention")),
            self._pad(members.get("pad")),
            self._region(members.get("region"), kind),
            self._facts(members.get("facts"), kind),
            self._token(members.get("token"), kind),
            self._guards(members.get("guard")),
        )

    def _indexes(self, node: Node | None, kind: str | None) -> tuple[str, ...]:
        if node is None:
            return ()
        if not isinstance(node, Seq):
            self._refuse(node, "index is a list, as in [exact].")
            return ()
        found: list[str] = []
        for item in node:
            index = item.value if isinstance(item, Scalar) else None
            if not isinstance(index, str) or index not in INDEXES:
                self._refuse(item, f"There is no index {index!r}.", nearest(str(index), INDEXES))
            elif index in found:
                self._refuse(item, f"Index {index!r} is named twice.")
            else:
                found.append(index)
        why = refusal(kind) if kind in NORMALISERS and found else None
        if why is not None:
            self._refuse(node, why)
        return tuple(found)

    def _facts(self, node: Node | None, kind: str | None) -> tuple[str, ...]:
        if node is None:
            return ()
        if not isinstance(node, Seq):
            self._refuse(node, 'facts is a list, as in [year, "age_over:18"].')
            return ()
        found: list[str] = []
        for item in node:
            text = item.text if isinstance(item, Scalar) else ""
            fact = fact_of(text)
            if fact is None:
                self._refuse(item, f"There is no fact {text!r}.", nearest(text, FACTS))
            elif kind in NORMALISERS and not fits(fact, str(kind)):
                self._refuse(item, f"A field of type {kind!r} has no {fact.name}.")
            else:
                found.append(text)
        names = tuple(dict.fromkeys(found))
        why = adds_up(str(kind), [fact for name in names if (fact := fact_of(name)) is not None])
        if why is not None:
            self._refuse(node, why)
        return names

    def _token(self, node: Node | None, kind: str | None) -> TokenTerms:
        if node is None:
            return TokenTerms()
        terms, wrong, near = read_terms(node, kind)
        if wrong is not None:
            self._refuse(node, wrong, near)
        return terms

    def _guards(self, node: Node | None) -> tuple[str, ...]:
        if node is None:
            return ()
        items = list(node) if isinstance(node, Seq) else [node]
        names = [item.text if isinstance(item, Scalar) else "" for item in items]
        for item, name in zip(items, names, strict=True):
            if name not in GUARDS:
                self._refuse(item, f"There is no guard {name!r}.", nearest(name, GUARDS))
        return tuple(dict.fromkeys(names))

    def _retention(self, node: Node | None) -> str:
        if node is None:
            return DATA
        name = node.value if isinstance(node, Scalar) else None
        if not isinstance(name, str) or not _NAME.fullmatch(name) or name in RESERVED_CLASSES:
            self._refuse(node, "retention names a class of your own, in lower case; log and proof are taken.")
            return DATA
        return name

    def _pad(self, node: Node | None) -> int:
        if node is None:
            return BUCKET
        size = node.value if isinstance(node, Scalar) else None
        if not isinstance(size, int) or isinstance(size, bool) or size % BUCKET or not BUCKET <= size <= LARGEST_BUCKET:
            self._refuse(node, f"pad is a multiple of {BUCKET} bytes, at most {LARGEST_BUCKET}.")
            return BUCKET
        return size

    def _region(self, node: Node | None, kind: str | None) -> str | None:
        if node is None:
            return None
        code = node.value if isinstance(node, Scalar) else None
        if kind not in ("phone", "postcode") or not isinstance(code, str) or not _REGION.fullmatch(code):
            said = "region is the two-letter country of post codes, or of telephone numbers written without one: CN."
            self._refuse(node, said)
            return None
        return code

    def _text(self, members: dict[str, Node], node: Node, field: str, member: str) -> str | None:
        found = members.get(member)
        if found is None:
            self._refuse(node, f"Field {field!r} needs a {member}.")
            return None
        if not isinstance(found, Scalar) or not isinstance(found.value, str):
            self._refuse(found, f"{member} is a name.")
            return None
        return found.value

    def _named(self, node: Node, what: str) -> list[tuple[str, Node]]:
        """The members of a mapping whose keys are names of the author's choice."""
        if not isinstance(node, Map):
            self._refuse(node, f"{what} must be a mapping.")
            return []
        for name in node:
            if not _NAME.fullmatch(name):
                message = f"{name!r} is no name here: lower-case letters, digits and underscores, a letter first."
                self.problems.append(Problem(node.file, node.lines[name], message))
        return list(node.items())

    def _members(self, node: Node, what: str, allowed: tuple[str, ...]) -> list[tuple[str, Node]]:
        """The members of a mapping whose keys are ours."""
        if not isinstance(node, Map):
            self._refuse(node, f"{what} must be a mapping.")
            return []
        for name in node:
            if name not in allowed:
                message = f"{what} has no member {name!r}."
                self.problems.append(Problem(node.file, node.lines[name], message, nearest(name, allowed)))
        return list(node.items())

    def _refuse(self, node: Node, message: str, near: str | None = None) -> None:
        self.problems.append(problem(node, message, nearest=near))
