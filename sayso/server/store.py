"""SQL of the server's own tables."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Delete, Select, Update, bindparam, delete, select, update

from sayso.kernel import Prepared, Rows
from sayso.server import tables

TENANT = Rows(tables.tenants)
CLIENT = Rows(tables.clients)
KEY = Rows(tables.keys)
MANIFEST = Rows(tables.manifests)
PROPOSAL = Rows(tables.proposals)
VERDICT = Rows(tables.verdicts)
IDEMPOTENCY = Rows(tables.idempotency)
SESSION = Rows(tables.sessions)
RESTORE = Rows(tables.restores)


def all_tenants() -> Select[Any]:
    """Name, controller, region, created of each brand, oldest first."""
    table = tables.tenants
    return select(table.c.name, table.c.controller, table.c.region, table.c.created).order_by(
        table.c.created, table.c.name
    )


def all_clients() -> Select[Any]:
    """Id, name, profile, created of each client of the tenant, oldest first."""
    table = tables.clients
    return select(table.c.client, table.c.name, table.c.profile, table.c.created).order_by(
        table.c.created, table.c.client
    )


def all_keys() -> Select[Any]:
    """Fingerprint, client, created, until, revoked, person, maker of each key of the tenant, oldest first."""
    table = tables.keys
    columns = (table.c.fingerprint, table.c.client, table.c.created, table.c.until, table.c.revoked, table.c.person)
    return select(*columns, table.c.maker).order_by(table.c.created, table.c.fingerprint)


def latest_manifest() -> Select[Any]:
    """Version, hash, content, at, policy, shipped of the live manifest."""
    table = tables.manifests
    columns = (table.c.version, table.c.hash, table.c.content, table.c.at, table.c.policy, table.c.shipped)
    return select(*columns).order_by(table.c.version.desc()).limit(1)


def manifests_until(at: int) -> Select[Any]:
    """Version, hash, content, at of every manifest that was live before an instant, newest first."""
    table = tables.manifests
    columns = (table.c.version, table.c.hash, table.c.content, table.c.at)
    return select(*columns).where(table.c.at < at).order_by(table.c.version.desc())


def versions_before(version: int, limit: int) -> Select[Any]:
    """Version, hash, author, at, approver, made, restores, glass of versions below `version`, newest first."""
    table = tables.manifests
    columns = (table.c.version, table.c.hash, table.c.author, table.c.at, table.c.approver)
    more = (table.c.made, table.c.restores, table.c.glass)
    return select(*columns, *more).where(table.c.version < version).order_by(table.c.version.desc()).limit(limit)


def manifests_of(policies: Sequence[str], limit: int) -> Select[Any]:
    """Policy and content of the versions with these rules, newest first."""
    table = tables.manifests
    chosen = select(table.c.policy, table.c.content).where(table.c.policy.in_(policies))
    return chosen.order_by(table.c.version.desc()).limit(limit)


def proposals_before(proposal: bytes, limit: int) -> Select[Any]:
    """Proposal, base, hash, author, client, at, restores, forced, report of those before `proposal`, newest first."""
    table = tables.proposals
    columns = (table.c.proposal, table.c.base, table.c.hash, table.c.author, table.c.client, table.c.at)
    found = select(*columns, table.c.restores, table.c.forced, table.c.report).where(table.c.proposal < proposal)
    return found.order_by(table.c.proposal.desc()).limit(limit)


def proposals_like(base: int, hash_: str, author: bytes) -> Select[Any]:
    """The proposals of one content that one author made from version `base`, oldest first."""
    table = tables.proposals
    same = (table.c.base == base, table.c.hash == hash_, table.c.author == author)
    return select(table.c.proposal).where(*same).order_by(table.c.proposal)


def verdicts_on(proposals: Sequence[bytes]) -> Select[Any]:
    """Proposal, outcome, decider, at, became, words of those of these proposals that were decided."""
    table = tables.verdicts
    columns = (table.c.proposal, table.c.outcome, table.c.decider, table.c.at, table.c.became, table.c.words)
    return select(*columns).where(table.c.proposal.in_(proposals))


def key_revoked(fingerprint: bytes, at: int) -> Update:
    """One key ends; a second time changes nothing."""
    table = tables.keys
    return update(table).where(table.c.fingerprint == fingerprint, table.c.revoked == 0).values(revoked=at)


def key_confirmed(fingerprint: bytes, *, person: bytes, maker: bytes) -> Update:
    """Whom the key counts as from now on, for changes and for values; nothing for its own client."""
    table = tables.keys
    return update(table).where(table.c.fingerprint == fingerprint).values(person=person, maker=maker)


def expired_answers(at: int) -> Delete:
    """Idempotent answers past their term."""
    table = tables.idempotency
    return delete(table).where(table.c.until <= at)


def expired_sessions(at: int) -> Delete:
    """Cookies and links past their term."""
    table = tables.sessions
    return delete(table).where(table.c.until <= at)


WITHOUT_SESSIONS_OF = Prepared(delete(tables.sessions).where(tables.sessions.c.ref == bindparam("of")))
"""Every cookie and link of one person or client goes: of."""


def restores_under_way() -> Select[Any]:
    """Backup and instant of restores that were begun and are not through."""
    c = tables.restores.c
    return select(c.backup, c.at).where(c.state != "done")
