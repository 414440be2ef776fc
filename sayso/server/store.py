"""SQL of the server's own tables."""

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Delete, Select, Update, delete, select, update

from sayso.kernel.rows import Rows
from sayso.server import tables

TENANT = Rows(tables.tenants)
CLIENT = Rows(tables.clients)
KEY = Rows(tables.keys)
MANIFEST = Rows(tables.manifests)
IDEMPOTENCY = Rows(tables.idempotency)
SESSION = Rows(tables.sessions)


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
    """Fingerprint, client, created, until, revoked of each key of the tenant, oldest first."""
    table = tables.keys
    return select(table.c.fingerprint, table.c.client, table.c.created, table.c.until, table.c.revoked).order_by(
        table.c.created, table.c.fingerprint
    )


def latest_manifest() -> Select[Any]:
    """Version, hash, content, at of the live manifest."""
    table = tables.manifests
    columns = (table.c.version, table.c.hash, table.c.content, table.c.at)
    return select(*columns).order_by(table.c.version.desc()).limit(1)


def key_revoked(fingerprint: bytes, at: int) -> Update:
    """One key ends; a second time changes nothing."""
    table = tables.keys
    return update(table).where(table.c.fingerprint == fingerprint, table.c.revoked == 0).values(revoked=at)


def expired_answers(at: int) -> Delete:
    """Idempotent answers past their term."""
    table = tables.idempotency
    return delete(table).where(table.c.until <= at)


def expired_sessions(at: int) -> Delete:
    """Cookies and links past their term."""
    table = tables.sessions
    return delete(table).where(table.c.until <= at)


def sessions_of(ref: bytes) -> Delete:
    """Every cookie and link of one person or client."""
    table = tables.sessions
    return delete(table).where(table.c.ref == ref)


def copy_embedded(source: Path, target: Path) -> None:
    """The embedded database as it is at one moment, beside whoever writes to it."""
    reading = sqlite3.connect(f"file:{source}?mode=ro", uri=True)
    writing = sqlite3.connect(target)
    try:
        reading.backup(writing)
    finally:
        writing.close()
        reading.close()
