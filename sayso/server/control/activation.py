"""A version becomes live: checked against the one before, stored, published and entered in the log, in one commit."""

from typing import Final

from msgspec import Struct

from audit import AuditEvent
from policies import SYSTEM_RULES, Policy, Rule
from sayso.kernel import Conflict, Tx, Work
from sayso.server import events, store
from sayso.server.manifests.building import Built
from sayso.server.manifests.self_check import shipped_by_us
from sayso.server.wiring import Services

MOST_LOST: Final = 0.2
"""The share of the live rules that a version may lose."""

FEW: Final = 10
"""With fewer live rules than this a share says nothing, and only the last allow is guarded."""


class RulesLost(Conflict):
    """A version that would take away so many rules that it is more likely a mistake."""


class Origin(Struct, frozen=True, kw_only=True):
    """How a version comes about: persons as they count where two are needed (ids), when it was made, from what.

    `approver` is empty where one person is enough. `restores` is the version that a rollback goes back to. `glass`: one
    person did what takes two.
    """

    author: str
    made: int
    approver: str = ""
    proposal: str = ""
    restores: int = 0
    forced: bool = False
    glass: bool = False
    asked_again: int | None = None


class Version(Struct, frozen=True):
    """What is to become live: its number, its content as canonical JSON with the hash of that, and what it comes to."""

    number: int
    content: bytes
    hash: str
    built: Built


def activate(services: Services, tx: Tx, version: Version, origin: Origin) -> Work[None]:
    """Manifest, published versions and entry: one commit. Every node reads them before it decides again."""
    context, policy = tx.context, version.built.policy
    yield from services.registry.publish(tx, version.built.declared)
    tx.insert(
        store.MANIFEST,
        version.number,
        version.hash,
        version.content,
        origin.author.encode(),
        context.at,
        origin.approver.encode(),
        origin.made,
        origin.restores,
        int(origin.glass),
        policy.version,
        shipped_by_us(context.tenant),
    )
    services.audit.append(tx, AuditEvent(events.MANIFEST_APPLIED, "ok", _told(version, origin)), None)
    if origin.restores:
        res = {"version": str(version.number), "restores": str(origin.restores), "hash": version.hash}
        services.audit.append(tx, AuditEvent(events.MANIFEST_ROLLED_BACK, "ok", res), None)
    tx.configure()


def loss(live: Policy, following: Policy) -> str:
    """What speaks against following `live` with these rules, in a sentence; empty for nothing."""
    before, after = _own(live), _own(following)
    if any(rule.effect == "allow" for rule in before) and not any(rule.effect == "allow" for rule in after):
        return "No rule would be left that allows anything."
    kept = {rule.id for rule in after}
    lost = sum(1 for rule in before if rule.id not in kept)
    if len(before) >= FEW and lost > MOST_LOST * len(before):
        return f"{lost} of {len(before)} rules would be gone."
    return ""


def demand_enough(live: Policy, following: Policy, *, forced: bool) -> None:
    """Raises `RulesLost` for what is more likely a mistake, unless it is forced."""
    found = loss(live, following)
    if found and not forced:
        raise RulesLost("rules-lost", f"{found} If that is meant, force it.")


def _own(policy: Policy) -> list[Rule]:
    return [rule for rule in policy.snapshot.rules if rule not in SYSTEM_RULES]


def _told(version: Version, origin: Origin) -> dict[str, str]:
    res = {"version": str(version.number), "hash": version.hash}
    if origin.asked_again is not None:
        res["asked_again"] = str(origin.asked_again)
    if origin.proposal:
        res["proposal"] = origin.proposal
    if origin.restores:
        res["restores"] = str(origin.restores)
    if origin.forced:
        res["forced"] = "yes"
    return res
