"""Finding people by a value, without showing any: by blind index, and checked against what is sealed."""

import logging
from collections.abc import Sequence
from itertools import chain
from typing import Final

from msgspec import Struct

from audit import AuditLog
from sayso.kernel import Invalid, Tx, Work, nearest, together
from vault import events, store
from vault.ciphers.index import EXACT, IndexKeys
from vault.ciphers.suite import BrokenSeal
from vault.fields.collections import Collections, Field, collection_of
from vault.fields.normalise import InvalidValue, canonical
from vault.keys.keyring import Keyring
from vault.opening import canaries
from vault.records import stored as records
from vault.records.stored import Given

MOST_TERMS: Final = 5
MOST_FOUND: Final = 50
_MOST_CANDIDATES: Final = 500
_SCOPE: Final = "field"

log = logging.getLogger("sayso.vault")


class NotIndexed(Invalid):
    def __init__(self, collection: str, field: str, near: str | None) -> None:
        message = "The field has no such index."
        super().__init__("not-indexed", message, collection=collection, field=field, nearest=near)


class Term(Struct, frozen=True, forbid_unknown_fields=True):
    """One condition of a search."""

    field: str
    value: str
    index: str = EXACT

    def __repr__(self) -> str:
        return f"<Term {self.field}>"


class Hits(Struct, frozen=True):
    """Who was found. `categories` are those of the fields asked about: the caller must be permitted to use each."""

    subjects: tuple[bytes, ...]
    categories: tuple[str, ...]
    entry: str


def tag_of(index: IndexKeys, collection: str, item: Given, name: str) -> bytes:
    """The blind tag of a value in one field's index."""
    place = f"{collection}.{item.field.name}"
    return index.tag_of_canonical(_SCOPE, place, item.field.type, item.canonical, index=name)


class Sought(Struct, frozen=True):
    """A search as it was asked for, with the blind tag of each term."""

    collection: str
    wanted: tuple[Given, ...]
    tags: tuple[bytes, ...]
    limit: int


def sought(
    keyring: Keyring, tenant: str, collections: Collections, collection: str, terms: Sequence[Term], limit: int
) -> Sought:
    """See `Vault.sought`."""
    declared = collection_of(collections, collection)
    if not 1 <= len(terms) <= MOST_TERMS or not 1 <= limit <= MOST_FOUND:
        raise Invalid("invalid-search", f"A search has 1 to {MOST_TERMS} terms and a limit of 1 to {MOST_FOUND}.")
    wanted = tuple(_wanted(declared.field(term.field), collection, term) for term in terms)
    index = keyring.of(tenant).index
    tags = tuple(tag_of(index, collection, item, term.index) for item, term in zip(wanted, terms, strict=True))
    return Sought(collection, wanted, tags, limit)


def having(tx: Tx, searches: Sequence[Sought]) -> Work[list[list[bytes]]]:
    """See `Vault.having`."""
    asked = sorted({tag for each in searches for tag in each.tags})
    found: dict[bytes, set[bytes]] = {tag: set() for tag in asked}
    statements = store.subjects_having(tx.context.tenant, asked, _MOST_CANDIDATES)
    for rows in (yield tuple(tx.query(statement, **named) for statement, named in statements)):
        for tag, subject in rows:
            found[bytes(tag)].add(bytes(subject))
    return [sorted(set.intersection(*(found[tag] for tag in each.tags))) for each in searches]


def find(
    keyring: Keyring, audit: AuditLog, tx: Tx, asked: Sought, candidates: Sequence[bytes], *, purpose: str, reason: str
) -> Work[Hits]:
    """See `Vault.search`."""
    found: list[bytes] = []
    first = 0
    while first < len(candidates) and len(found) < asked.limit:
        # Side by side, and no more of them than can still be told of.
        some = candidates[first : first + asked.limit - len(found)]
        held = yield from together(_holds(keyring, tx, subject, asked) for subject in some)
        found += [subject for subject, holds in zip(some, held, strict=True) if holds]
        first += len(some)
    if not candidates:
        keyring.of(tx.context.tenant).decoy.open()
    planted = yield tuple(canaries.read(tx, subject) for subject in found)
    for subject, canary in zip(found, planted, strict=True):
        if canary is not None:
            canaries.sound(audit, tx, subject, None, purpose)
    names = [item.field.name for item in asked.wanted]
    event = events.searched(asked.collection, names, len(found), purpose=purpose, reason=reason)
    categories = tuple(sorted({item.field.category for item in asked.wanted}))
    return Hits(tuple(found), categories, audit.append(tx, event, None))


def _holds(keyring: Keyring, tx: Tx, subject: bytes, asked: Sought) -> Work[bool]:
    """Whether the person's sealed values are those. What an index row claims does not count: it can be re-pointed."""
    collection = asked.collection
    reads = (records.reads(tx, keyring, subject, collection, item.field) for item in asked.wanted)
    rows = yield tuple(chain.from_iterable(reads))
    for place, item in enumerate(asked.wanted):
        field, (record, key_row) = item.field, rows[2 * place : 2 * place + 2]
        try:
            value = yield from records.opened(tx, keyring, subject, collection, field, record, key_row)
            if value is None or canonical(field.type, value, field.region) != item.canonical:
                return False
        except (BrokenSeal, InvalidValue):
            log.critical("an index leads to a value that does not open: it was damaged or moved")
            return False
    return True


def _wanted(field: Field, collection: str, term: Term) -> Given:
    if term.index not in field.indexes:
        raise NotIndexed(collection, field.name, nearest(term.index, field.indexes))
    return records.given(field, term.value)
