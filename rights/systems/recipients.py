"""Who was given data of a person: the ledger of disclosures is the log itself (GDPR Art. 19).

A value that was revealed, a use permitted for `export` or `share`: each stands in the log with who asked. When the data
are corrected, erased or restricted, every such client is told, by its own name for the person.
"""

from collections.abc import Collection, Iterable
from typing import Final

from msgspec import Struct, json

from audit import AuditLog, Leaf, decode_leaf
from policies import RIGHTS
from rights import events
from rights.model import Kind
from sayso.kernel import Tx, Work, raw

TOLD_OF: Final[dict[Kind, str]] = {
    "erasure": events.RECIPIENT_TOLD["erased"],
    "rectification": events.RECIPIENT_TOLD["corrected"],
    "restriction": events.RECIPIENT_TOLD["restricted"],
}
"""The kinds of requests of which recipients are told, and what they hear."""

_HANDED_OUT: Final = frozenset(("reveal", "export", "share"))
_PAGE: Final = 200


class Recipient(Struct, frozen=True, order=True):
    """A client that was given data: its name, and its id (16 raw bytes)."""

    name: str
    client: bytes


class _Actor(Struct, frozen=True):
    id: str
    kind: str
    name: str


def disclosed_to(audit: AuditLog, tx: Tx, ids: Iterable[bytes]) -> Work[tuple[Recipient, ...]]:
    """Every client that was given data of a person, by any of their ids. Cold; reads all entries about them once."""
    found: set[Recipient] = set()
    seen: set[bytes] = set()
    for subject in ids:
        cursor: str | None = None
        while True:
            page = yield from audit.entries_about(tx, subject, cursor, _PAGE)
            for each in page.entries:
                leaf = decode_leaf(each.leaf)
                tag = leaf.t.a if isinstance(leaf.t.a, bytes) else b""
                if not _discloses(leaf) or tag in seen:
                    continue
                actor = yield from _actor(audit, tx, each.id)
                if actor is not None and actor.kind == "service" and actor.id.startswith("key_"):
                    seen.add(tag)
                    found.add(Recipient(actor.name, raw(actor.id, "key")))
            cursor = page.next
            if cursor is None:
                break
    return tuple(sorted(found))


def others(recipients: Iterable[Recipient], clients: Collection[str]) -> tuple[Recipient, ...]:
    """Those who do not have a task of their own."""
    return tuple(each for each in recipients if each.name not in clients)


def _discloses(leaf: Leaf) -> bool:
    if leaf.type == "vault.value.revealed":
        return leaf.res.get("purpose") != RIGHTS
    return (
        leaf.type == "access.permitted" and leaf.res.get("action") in _HANDED_OUT and leaf.res.get("purpose") != RIGHTS
    )


def _actor(audit: AuditLog, tx: Tx, entry: str) -> Work[_Actor | None]:
    for each in (yield from audit.openings(tx, entry)):
        if each.compartment == "a":
            return json.decode(each.payload, type=_Actor)
    return None
