"""Erasing a person: first the plan, which is pure and says what goes and what stays on which ground; then doing it.

Everything happens in one unit of work: consent forgets, the vault shreds, the log's openings go, and the entry that
answers for it is written. Either all of it is committed or nothing. Design 6.4: outside the person's keys stay a
suppression entry for each identifier, a proof capsule under a key of its own, and what a legal ground names.
"""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from audit import AuditEvent, AuditLog
from consent import ConsentRegistry, Forgotten
from msgspec import Struct, field
from vault import PROOF, Held, Tombstone, Vault

from rights import certificate, events
from rights.certificate import Claims, Finality, Gone, Kept, ShreddedKey, Statement
from rights.model import RightsRequest
from sayso.kernel import LOG, SECOND, Invalid, Permit, Tx, Work, iso

_NEVER_KEPT: Final = frozenset((LOG, PROOF))
"""The log's key always goes; the capsule's stays by itself."""


class LegalGround(Struct, frozen=True, forbid_unknown_fields=True):
    """A retention class that a law makes the controller keep: which, why, and until when (RFC 3339; empty: no date)."""

    retention: str = field(name="class")
    ground: str
    until: str = ""


class Facts(Struct, frozen=True):
    """What a plan is made from: how many values are stored in each retention class, and what must be kept."""

    values: dict[str, int]
    grounds: tuple[LegalGround, ...] = ()


class ErasurePlan(Struct, frozen=True):
    """What goes and what stays of a person's stored values, by retention class.

    `classes` are those to shred: None means every one there is but the capsule's. What goes whole in any case: identifiers,
    `aid`, choices and state, the keys of consent records, receipts and log openings, and the requests' private parts.
    """

    goes: dict[str, int]
    stays: tuple[Kept, ...]
    classes: frozenset[str] | None


class NothingToKeep(Invalid):
    """A legal ground names a class in which nothing of this person is stored, or one that is never kept."""

    def __init__(self, stored: Iterable[str]) -> None:
        message = "A legal ground names a retention class that this person has values in."
        super().__init__("nothing-to-keep", message, stored=sorted(stored))


def plan(facts: Facts) -> ErasurePlan:
    """What goes and what stays. Raises `NothingToKeep`: a ground that keeps nothing is a mistake worth stopping for."""
    kept = {ground.retention: ground for ground in facts.grounds}
    if not kept.keys() <= facts.values.keys() - _NEVER_KEPT:
        raise NothingToKeep(facts.values)
    return ErasurePlan(
        goes={name: count for name, count in sorted(facts.values.items()) if name not in kept},
        stays=tuple(
            Kept(facts.values[name], ground.ground, name, ground.until, "records") for name, ground in sorted(kept.items())
        ),
        classes=(facts.values.keys() | {LOG}) - kept.keys() if kept else None,
    )


def facts_of(held: Sequence[Held], grounds: tuple[LegalGround, ...]) -> Facts:
    """The facts in what the vault holds of a person."""
    return Facts(dict(Counter(value.cls for value in held)), grounds)
