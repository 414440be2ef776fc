"""Approvals: what one person asks to open, another one grants, once and for a short time.

A grant is bound to the very request by a digest over who asks, for which purpose, and for which tokens, so that what
was approved is what is opened. Why it is asked stands sealed under the tenant's key: a reason may name somebody.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import Any, Final

import msgspec
from msgspec import Struct

from audit import AuditLog
from sayso.kernel import SECOND, TENANT_OWNER, Conflict, Denied, Instant, NotFound, Tx, Work, iso, new_raw, raw, text
from vault import events, store
from vault.ciphers.derive import parts
from vault.keys.keyring import Keyring
from vault.tokens.rows import token_in

WAITS: Final = 24 * 3600 * SECOND
"""How long a request waits for its second person."""

OPEN: Final = 15 * 60 * SECOND
"""How long what was approved may be opened."""

MOST_LISTED: Final = 200
MOST_STANDING: Final = 2_000
WAITING, APPROVED, REFUSED, USED = "waiting", "approved", "refused", "used"
_COLLECTION: Final = "grant"


class NoGrant(NotFound):
    def __init__(self) -> None:
        super().__init__("no-grant", "There is no such request.")


class OwnGrant(Denied):
    """Who asked does not approve."""

    def __init__(self) -> None:
        super().__init__("own-grant", "Another person than the one who asked decides on this.")


class GrantDecided(Conflict):
    def __init__(self, state: str = "over") -> None:
        super().__init__("grant-decided", "This request was decided on already, or its time is over.", state=state)


class Said(Struct, frozen=True):
    """What the requester said: sealed."""

    reason: str
    ticket: str
    count: int
    name: str


class Grant(Struct, frozen=True):
    """One request as its two people see it. `state` is waiting, approved, refused, used, or over."""

    grant: str
    state: str
    purpose: str
    reason: str
    ticket: str
    tokens: int
    asked_by: str
    decided_by: str
    asked_at: str
    until: str


class _Row(Struct, frozen=True):
    version: int
    state: str
    actor: str
    person: str
    client: str
    digest: bytes
    purpose: str
    said: bytes
    decided_by: str
    at: Instant
    ends_at: Instant

    @property
    def values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self.__struct_fields__)


def digest(actor: str, purpose: str, tokens: Iterable[str]) -> bytes:
    """What a grant is bound to: 32 bytes. The order of the tokens does not matter, nor does naming one twice."""
    named = sorted({token_in(token) or token for token in tokens})
    return sha256(parts(b"sayso.grant.v1", actor.encode(), purpose.encode(), *(one.encode() for one in named))).digest()


def ask(
    keyring: Keyring, audit: AuditLog, tx: Tx, person: str, purpose: str, tokens: list[str], reason: str, ticket: str
) -> Work[Grant]:
    """Ask for a second person. A cold unit. `person` is whom the caller's key counts as."""
    yield ()
    actor, fresh, at = tx.context.actor, new_raw(), tx.context.at
    said = Said(reason, ticket, len(set(tokens)), actor.name)
    sealed = keyring.standing(tx.context.tenant, TENANT_OWNER).seal(_COLLECTION, fresh.hex(), msgspec.json.encode(said))
    bound = digest(actor.name, purpose, tokens)
    row = _Row(1, WAITING, actor.name, person, actor.id, bound, purpose, sealed, "", at, Instant(at + WAITS))
    tx.insert(store.GRANT, fresh, *row.values)
    audit.append(tx, events.grant_asked(text("gnt", fresh), purpose, said.count), None)
    return _view(keyring, tx, fresh, row)


def decide(keyring: Keyring, audit: AuditLog, tx: Tx, person: str, grant: str, *, approve: bool) -> Work[Grant]:
    """Approve or refuse what another person asked for. A cold unit. Raises `NoGrant`, `OwnGrant`, `GrantDecided`."""
    row = yield from _read(tx, grant)
    name, at = tx.context.actor.name, tx.context.at
    if {row.person, row.client} & {person, tx.context.actor.id}:
        raise OwnGrant
    if row.state != WAITING or row.ends_at <= at:
        raise GrantDecided(_state(row, at))
    state, ends_at = (APPROVED, Instant(at + OPEN)) if approve else (REFUSED, row.ends_at)
    changed = msgspec.structs.replace(row, version=row.version + 1, state=state, decided_by=name, ends_at=ends_at)
    tx.put(store.GRANT, (raw(grant, "gnt"),), changed.values, was=row.values)
    audit.append(tx, events.grant_decided(grant, row.purpose, approved=approve), None)
    return _view(keyring, tx, raw(grant, "gnt"), changed)


def take(tx: Tx, grant: str | None, purpose: str, tokens: list[str]) -> Work[bool]:
    """Use a grant up for just this request; whether it held. Two that race for it cannot both commit. Hot."""
    if grant is None:
        return False
    try:
        row = yield from _read(tx, grant)
    except NoGrant:
        return False
    fits = row.digest == digest(tx.context.actor.name, purpose, tokens)
    if row.state != APPROVED or row.ends_at <= tx.context.at or not fits:
        return False
    spent = msgspec.structs.replace(row, version=row.version + 1, state=USED)
    tx.put(store.GRANT, (raw(grant, "gnt"),), spent.values, was=row.values)
    return True


def one(keyring: Keyring, tx: Tx, grant: str) -> Work[Grant]:
    """One request. Raises `NoGrant`."""
    row = yield from _read(tx, grant)
    return _view(keyring, tx, raw(grant, "gnt"), row)


def newest(keyring: Keyring, tx: Tx) -> Work[list[Grant]]:
    """The newest requests first, a page of them. Cold."""
    (rows,) = yield (tx.select(store.grants(MOST_LISTED)),)
    return [_view(keyring, tx, bytes(found[0]), _Row(*found[1:])) for found in rows]


def standing(keyring: Keyring, tx: Tx, purpose: str, tokens: list[str]) -> Work[list[Grant]]:
    """What was asked for just these tokens, whoever asked, and waits or was approved: the newest first. Cold."""
    (rows,) = yield (tx.select(store.standing_grants(purpose, tx.context.at, MOST_STANDING)),)
    found = [(bytes(each[0]), _Row(*each[1:])) for each in rows]
    return [
        _view(keyring, tx, fresh, row)
        for fresh, row in found
        if row.state in (WAITING, APPROVED) and row.digest == digest(row.actor, purpose, tokens)
    ]


def _read(tx: Tx, grant: str) -> Work[_Row]:
    (values,) = yield (tx.get(store.GRANT, raw(grant, "gnt")),)
    if values is None:
        raise NoGrant
    return _Row(*values)


def _state(row: _Row, at: Instant) -> str:
    return "over" if row.state in (WAITING, APPROVED) and row.ends_at <= at else row.state


def _view(keyring: Keyring, tx: Tx, fresh: bytes, row: _Row) -> Grant:
    sealed = keyring.standing(tx.context.tenant, TENANT_OWNER).open(_COLLECTION, fresh.hex(), bytes(row.said))
    said = msgspec.json.decode(sealed, type=Said)
    return Grant(
        text("gnt", fresh),
        _state(row, tx.context.at),
        row.purpose,
        said.reason,
        said.ticket,
        said.count,
        row.actor,
        row.decided_by,
        iso(row.at),
        iso(row.ends_at),
    )
