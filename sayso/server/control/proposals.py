"""A change that waits for a second person: proposed, approved by another, rejected, withdrawn, or overtaken.

A proposal is the whole next manifest, made from one version. It is open while that version is live; whatever becomes
live in between makes it `stale`, since nobody has seen what both come to. What it is made of never changes, and what
became of it is one row, so of two who decide at once one comes too late.
"""

from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from audit import AuditEvent
from policies import failures_of
from sayso.kernel import (
    TENANT_OWNER,
    Conflict,
    Denied,
    Invalid,
    Key,
    ManifestError,
    Map,
    NotFound,
    Tx,
    Work,
    iso,
    new_raw,
    raw,
    text,
)
from sayso.server import events, store
from sayso.server.callers.auth import Principal
from sayso.server.control.activation import Origin, Version, activate, demand_enough
from sayso.server.manifests import manifest
from sayso.server.manifests.building import build
from sayso.server.wiring import Services

PREFIX: Final = "chg"
LONGEST_WORDS: Final = 2_000
PAGE: Final = 100
_LAST: Final = b"\xff" * 16
_SEALED: Final = "server_verdict"

Outcome = Literal["approved", "rejected", "withdrawn"]
State = Literal["open", "stale", "approved", "rejected", "withdrawn"]


class UnknownProposal(NotFound):
    """No proposal of that id in this brand."""


class Decided(Conflict):
    """Somebody was faster: the proposal was approved, rejected or withdrawn."""


class Overtaken(Conflict):
    """Another version became live since this was proposed."""


class SamePerson(Denied):
    """Who proposed it cannot be who approves it."""


class NotTheAuthor(Denied):
    """Only who proposed it may take it back."""


class Person(Struct, frozen=True):
    """Somebody as they count where two are needed: the id that entries bear, and the client's name."""

    id: str
    name: str


class Draft(Struct, frozen=True, kw_only=True):
    """What is proposed: a whole manifest made from version `base`. `report` is JSON for whoever decides."""

    base: int
    hash: str
    content: bytes
    report: bytes
    restores: int = 0
    forced: bool = False


class ProposalView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A proposal without its content. `base` is the version it was made from, `restores` the one it goes back to;
    `became` is the version that it is now. So many `changes` are in its report. `reason` is what was said when it was
    rejected.
    """

    proposal: str
    state: State
    base: int
    hash: str
    author: Person
    proposed_at: str
    changes: int
    restores: int | None = None
    forced: bool = False
    decided_by: Person | None = None
    decided_at: str | None = None
    became: int | None = None
    reason: str = ""


class Held(Struct, frozen=True):
    """A stored proposal."""

    id: bytes
    base: int
    hash: str
    content: bytes
    author: str
    client: str
    at: int
    restores: int
    forced: bool
    report: bytes

    def is_by(self, principal: Principal) -> bool:
        """Whether this is who proposed it: the same person, or the same client whoever that counted as then."""
        return bool({self.author, self.client} & {principal.counts_as, principal.actor.id})


def propose(services: Services, tx: Tx, principal: Principal, draft: Draft) -> Work[str]:
    """Store a proposal; returns its id. The same, from the same author and version, while it is open, is that one."""
    author = principal.counts_as
    (same,) = yield (tx.select(store.proposals_like(draft.base, draft.hash, author.encode())),)
    known = [bytes(row[0]) for row in same]
    (ended,) = (yield (tx.select(store.verdicts_on(known)),)) if known else ([],)
    decided = {bytes(row[0]) for row in ended}
    standing = next((each for each in known if each not in decided), None)
    if standing is not None:
        return text(PREFIX, standing)
    proposal = new_raw()
    tx.insert(
        store.PROPOSAL,
        proposal,
        draft.base,
        draft.hash,
        draft.content,
        author.encode(),
        principal.actor.id.encode(),
        tx.context.at,
        draft.restores,
        int(draft.forced),
        draft.report,
    )
    res = {"proposal": text(PREFIX, proposal), "base": str(draft.base), "hash": draft.hash}
    res |= {"restores": str(draft.restores)} if draft.restores else {}
    res |= {"forced": "yes"} if draft.forced else {}
    services.audit.append(tx, AuditEvent(events.MANIFEST_PROPOSED, "ok", res), None)
    return text(PREFIX, proposal)


def approve(services: Services, tx: Tx, proposal: str, principal: Principal) -> Work[ProposalView]:
    """The proposal becomes live, in the commit that says who approved it. Cold.

    Raises `SamePerson` to its author, `Decided`, `Overtaken`, `UnknownProposal`, and what a manifest raises that can no
    longer be applied (`ManifestError`, `RulesLost`).
    """
    held, live = yield from _open(tx, proposal)
    if held.is_by(principal):
        raise SamePerson("four-eyes", "Another person than the one who proposed this must approve it.")
    approver = principal.counts_as
    if live != held.base:
        raise Overtaken("stale-proposal", "Another version became live since; propose it again.", live=live)
    tree = manifest.node_of(manifest.decode(held.content))
    assert isinstance(tree, Map)
    built = yield from build(services.registry, tree, tx)
    if problems := failures_of(built.policy, built.suite):
        raise ManifestError(problems)
    current = services.configurations.of(tx.context.tenant)
    demand_enough(current.policy, built.policy, forced=held.forced)
    origin = Origin(
        author=held.author,
        made=held.at,
        approver=approver,
        proposal=proposal,
        restores=held.restores,
        forced=held.forced,
        asked_again=_asked_again(held.report),
    )
    version = Version(live + 1, held.content, held.hash, built)
    res = {"proposal": proposal, "version": str(version.number), "hash": held.hash}
    _end(services, tx, held, "approved", approver, became=version.number)
    services.audit.append(tx, AuditEvent(events.MANIFEST_APPROVED, "ok", res), None)
    yield from activate(services, tx, version, origin)
    return (yield from _shown(services, tx, held, "approved", approver, became=version.number))


def reject(services: Services, tx: Tx, proposal: str, principal: Principal, reason: str) -> Work[ProposalView]:
    """The proposal is turned down, with a reason that is kept sealed. Cold. Who made it withdraws it instead.

    Raises `SamePerson`, `Decided`, `UnknownProposal`, `Invalid` (`invalid-reason`).
    """
    said = said_why(reason)
    held, _ = yield from _open(tx, proposal)
    if held.is_by(principal):
        raise SamePerson("four-eyes", "Who proposed this cannot reject it; withdraw it instead.")
    decider = principal.counts_as
    res = {"proposal": proposal, "hash": held.hash}
    _end(services, tx, held, "rejected", decider, words=said)
    services.audit.append(tx, AuditEvent(events.MANIFEST_REJECTED, "ok", res, None, {"said": said}), None)
    return (yield from _shown(services, tx, held, "rejected", decider, words=said))


def withdraw(services: Services, tx: Tx, proposal: str, principal: Principal) -> Work[ProposalView]:
    """Its author takes the proposal back. Cold. Raises `NotTheAuthor`, `Decided`, `UnknownProposal`."""
    held, _ = yield from _open(tx, proposal)
    if not held.is_by(principal):
        raise NotTheAuthor("not-the-author", "Only the person who proposed this may withdraw it; reject it instead.")
    _end(services, tx, held, "withdrawn", held.author)
    res = {"proposal": proposal, "hash": held.hash}
    services.audit.append(tx, AuditEvent(events.MANIFEST_WITHDRAWN, "ok", res), None)
    return (yield from _shown(services, tx, held, "withdrawn", held.author))


def list_proposals(services: Services, tx: Tx) -> Work[list[ProposalView]]:
    """The newest hundred, newest first. Cold."""
    (rows,) = yield (tx.select(store.proposals_before(_LAST, PAGE)),)
    ids = [bytes(row[0]) for row in rows]
    (ended,) = (yield (tx.select(store.verdicts_on(ids)),)) if ids else ([],)
    verdicts = {bytes(row[0]): row[1:] for row in ended}
    found: list[ProposalView] = []
    for proposal, base, hashed, *rest in rows:
        held = _held(bytes(proposal), (base, hashed, b"", *rest))
        found.append(_view(services, tx, held, verdicts.get(held.id)))
    return found


def one_proposal(services: Services, tx: Tx, proposal: str) -> Work[tuple[ProposalView, Held]]:
    """One proposal, and what is stored of it. Raises `UnknownProposal`, `Invalid` (`malformed-id`)."""
    wanted = raw(proposal, PREFIX)
    row, verdict = yield (tx.get(store.PROPOSAL, wanted), tx.get(store.VERDICT, wanted))
    if row is None:
        raise UnknownProposal("not-found", "There is no such proposal.")
    held = _held(wanted, row)
    ended = (verdict[0], verdict[2], verdict[3], verdict[4], verdict[5]) if verdict is not None else None
    return _view(services, tx, held, ended), held


def said_why(reason: str) -> str:
    """The words behind a step, trimmed. Raises `Invalid` (`invalid-reason`) for none and for too many."""
    said = reason.strip()
    if not 0 < len(said) <= LONGEST_WORDS:
        raise Invalid("invalid-reason", f"A reason has 1 to {LONGEST_WORDS} characters.", limit=LONGEST_WORDS)
    return said


def named(services: Services, tenant: str, person: str) -> Person:
    """Somebody by the id that they count as, with the name of their client."""
    registered = services.configurations.of(tenant).registered.values()
    return Person(person, next((each.name for each in registered if each.id == person), person))


def _open(tx: Tx, proposal: str) -> Work[tuple[Held, int]]:
    """The undecided proposal of that id and the number of the live version."""
    wanted = raw(proposal, PREFIX)
    row, verdict, latest = yield (
        tx.get(store.PROPOSAL, wanted),
        tx.get(store.VERDICT, wanted),
        tx.select(store.latest_manifest()),
    )
    if row is None:
        raise UnknownProposal("not-found", "There is no such proposal.")
    if verdict is not None:
        raise Decided("proposal-decided", "This proposal is decided already.", state=verdict[0])
    return _held(wanted, row), latest[0][0]


def _held(wanted: bytes, row: tuple[Any, ...]) -> Held:
    base, hashed, content, author, client, at, restores, forced, report = row
    by, through = bytes(author).decode(), bytes(client).decode()
    return Held(wanted, base, hashed, bytes(content), by, through, at, restores, bool(forced), bytes(report))


def _end(
    services: Services, tx: Tx, held: Held, outcome: Outcome, decider: str, *, became: int = 0, words: str = ""
) -> None:
    sealed = _key(services, tx).seal(_SEALED, text(PREFIX, held.id), words.encode(), 1) if words else b""
    at = tx.context.at
    tx.insert(store.VERDICT, held.id, outcome, held.author.encode(), decider.encode(), at, became, sealed)


def _shown(
    services: Services, tx: Tx, held: Held, outcome: Outcome, decider: str, *, became: int = 0, words: str = ""
) -> Work[ProposalView]:
    """The proposal as it stands once this is committed."""
    yield ()
    shown = _view(services, tx, held, (outcome, decider.encode(), tx.context.at, became, b""))
    return msgspec.structs.replace(shown, reason=words)


def _view(services: Services, tx: Tx, held: Held, verdict: Any) -> ProposalView:
    tenant, proposal = tx.context.tenant, text(PREFIX, held.id)
    live = services.configurations.of(tenant)
    newest = live.lag.version if live.lag is not None else live.version
    view = ProposalView(
        proposal=proposal,
        state="open" if held.base == newest else "stale",
        base=held.base,
        hash=held.hash,
        author=named(services, tenant, held.author),
        proposed_at=iso(held.at),
        changes=len(_said(held.report).changes),
        restores=held.restores or None,
        forced=held.forced,
    )
    if verdict is None:
        return view
    outcome, decider, at, became, words = verdict
    said = _key(services, tx).open(_SEALED, proposal, bytes(words), 1).decode() if words else ""
    return msgspec.structs.replace(
        view,
        state=outcome,
        decided_by=named(services, tenant, bytes(decider).decode()),
        decided_at=iso(at),
        became=became or None,
        reason=said,
    )


def _key(services: Services, tx: Tx) -> Key:
    return services.keyring.standing(tx.context.tenant, TENANT_OWNER)


class _Counted(Struct):
    people: int


class _Report(Struct):
    changes: list[msgspec.Raw]
    asked_again: _Counted | None = None


_said = msgspec.json.Decoder(_Report).decode


def _asked_again(report: bytes) -> int | None:
    counted = _said(report).asked_again
    return counted.people if counted is not None else None
