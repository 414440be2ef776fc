"""Every statement about rights requests. Rows become Structs here, and nothing else leaves."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from msgspec import Struct, msgpack
from msgspec.structs import replace
from sqlalchemy import Delete, Select, bindparam, case, delete, func, literal, or_, select, tuple_

from rights.codes import Check
from rights.deadlines import local_date
from rights.model import Kind, RightsRequest, State
from rights.reminders import scheduled
from rights.tables import rights_check, rights_register, rights_request, rights_unfinal
from rights.wanted import Correction, LegalGround
from sayso.kernel import Get, Key, NotFound, Prepared, Query, Rows, Tx, Work, bucket_in, bucket_of, raw, text

REQUEST = Rows(rights_request)
REGISTER = Rows(rights_register)
CHECK = Rows(rights_check)
UNFINAL = Rows(rights_unfinal)
COLLECTION = "rights"
_PERSONS, _TENANTS = b"p", b"t"
_VALUES = ("version", "subject", "kind", "state", "due_on", "body", "private", "certificate")
_LIVE = tuple(state.value for state in State if not state.closed)
_of = rights_request.c
_OWN = _of.bucket == bindparam("bucket"), _of.subject == bindparam("subject")
_LIVE_OF = Prepared(
    select(_of.request)
    .where(*_OWN, _of.kind == bindparam("kind"), _of.state.in_([literal(state) for state in _LIVE]))
    .order_by(_of.request),
    brief=True,
)
_REQUESTS_OF = Prepared(
    select(_of.request, *(_of[name] for name in _VALUES)).where(*_OWN).order_by(_of.request), brief=True
)

_encode = msgpack.Encoder().encode
_body = msgpack.Decoder(RightsRequest).decode


class RequestNotFound(NotFound):
    """No request of that id in this tenant."""

    def __init__(self) -> None:
        super().__init__("not-found", "There is no such request.")


class Private(Struct, frozen=True, array_like=True):
    """What a request holds that says something about its person. Sealed under their key; gone with it."""

    purposes: tuple[str, ...] = ()
    statements: tuple[tuple[str, str], ...] = ()
    """(step, what was said with it), in order."""
    check: Check | None = None
    agent: str = ""
    """Who asks for the person, as they named themselves."""
    corrections: tuple[Correction, ...] = ()
    """What a rectification is about."""
    grounds: tuple[LegalGround, ...] = ()
    statement: str = ""
    """What one officer proposed with a fulfilment: what an erasure keeps, and words."""


NOTHING = Private()
_private = msgpack.Decoder(Private).decode


class Stored(NamedTuple):
    """A request with what its row holds besides. `was` guards the next change."""

    request: RightsRequest
    claims: bytes | None
    was: tuple[Any, ...]
    raw_id: bytes

    @property
    def version(self) -> int:
        return int(self.was[0])

    def private(self, tenant_key: Key, person_key: Key | None) -> Private:
        """The sealed part; empty when there is none, or when the person's key is gone."""
        sealed: bytes | None = self.was[-2]
        if sealed is None:
            return NOTHING
        key = person_key if sealed[:1] == _PERSONS else tenant_key
        if key is None:
            return NOTHING
        return _private(key.open(COLLECTION, self.request.id, sealed[1:], self.version))


def request_at(tx: Tx, request: str) -> Get:
    """The read of one request. Raises `Invalid` (`malformed-id`)."""
    raw_id = raw(request, "rrq")
    return tx.get(REQUEST, raw_id, bucket=bucket_in(raw_id))


def load(tx: Tx, request: str) -> Work[Stored]:
    """One request. Raises `RequestNotFound`, `Invalid`."""
    (row,) = yield (request_at(tx, request),)
    if row is None:
        raise RequestNotFound
    return stored(raw(request), row)


def live_of(tx: Tx, subject: bytes, kind: Kind) -> Query:
    """Ids of the person's requests of this kind that are not closed, oldest first."""
    return tx.query(_LIVE_OF, bucket=bucket_of(tx.context.tenant, subject), subject=subject, kind=kind)


def oldest(rows: list[Any]) -> str:
    """The first id in the answer of `live_of`, empty when there is none."""
    return text("rrq", bytes(rows[0][0])) if rows else ""


def requests_of(tx: Tx, subject: bytes) -> Query:
    """All rows that still name the person, oldest first."""
    return tx.query(_REQUESTS_OF, bucket=bucket_of(tx.context.tenant, subject), subject=subject)


def all_stored(rows: list[Any]) -> list[Stored]:
    """The answer of `requests_of`."""
    return [stored(bytes(row[0]), tuple(row[1:])) for row in rows]


def old_checks(before: int) -> Delete:
    """Deletes the counts of a day that began before an instant."""
    return delete(rights_check).where(rights_check.c.since < before)


def insert(tx: Tx, request: RightsRequest, private: Private, tenant_key: Key, person_key: Key | None) -> None:
    """A new request. Its private part is sealed under the person's key, or the tenant's when the person is unknown."""
    request = _settled(request)
    sealed = _sealed(private, tenant_key, person_key, request.id, 1)
    tx.insert(REQUEST, raw(request.id), *_columns(request, 1, sealed, None))
    tx.insert(REGISTER, raw(request.id), *_line(request, 1))


def put(
    tx: Tx, before: Stored, request: RightsRequest, private: Private, tenant_key: Key, person_key: Key | None
) -> None:
    """The request in place of what was read. One whose person was erased has nothing private any more."""
    version, request = before.version + 1, _settled(request)
    sealed = None
    if request.subject is not None:
        sealed = _sealed(private, tenant_key, person_key, request.id, version)
    _put(tx, before, request, _columns(request, version, sealed, before.claims))


def put_erased(tx: Tx, before: Stored, request: RightsRequest, claims: bytes | None = None) -> None:
    """The request without its person and without anything private; with a certificate's claims if it has one."""
    request = _settled(request)
    _put(tx, before, request, _columns(request, before.version + 1, None, claims or before.claims))


def await_final(tx: Tx, request: str, epochs: tuple[int, ...], at: int) -> None:
    """Note that the certificate of a request is to become final once the newest of `epochs` is destroyed, or later."""
    if epochs:
        tx.insert(UNFINAL, raw(request), max(epochs), at)


def unfinal(tx: Tx, epoch: int, before: int, limit: int) -> Query:
    """Requests whose certificates can become final: keys under epochs up to `epoch`, or erased before an instant."""
    c = rights_unfinal.c
    return tx.select(
        select(c.request, c.epoch, c.at).where(or_(c.epoch <= epoch, c.at < before)).order_by(c.request).limit(limit)
    )


def stored(raw_id: bytes, row: tuple[Any, ...]) -> Stored:
    """A request from its row."""
    return Stored(_body(row[-3]), row[-1], row, raw_id)


def _settled(request: RightsRequest) -> RightsRequest:
    """The request with what follows from it: when something is to be told next, and all of its entries."""
    if request.entry and request.entry not in request.entries:
        request = replace(request, entries=(*request.entries, request.entry))
    return scheduled(request)


def _put(tx: Tx, before: Stored, request: RightsRequest, columns: tuple[Any, ...]) -> None:
    tx.put(REQUEST, (before.raw_id,), columns, was=before.was, bucket=bucket_in(before.raw_id))
    was = _line(before.request, before.version)
    tx.put(REGISTER, (before.raw_id,), _line(request, before.version + 1), was=was)


def _line(request: RightsRequest, version: int) -> tuple[Any, ...]:
    """The request in the register. It follows from the request alone, so it is never read before it is replaced."""
    return (
        version,
        int(request.waits),
        request.next_due,
        request.next_at,
        request.kind,
        request.law,
        request.state.value,
        request.received_at,
        request.closed_at,
        int(bool(request.closed_at) and local_date(request.closed_at, request.zone).isoformat() > request.deadline),
    )


def _columns(request: RightsRequest, version: int, private: bytes | None, claims: bytes | None) -> tuple[Any, ...]:
    body = _encode(request)
    return (version, request.subject, request.kind, request.state.value, request.next_due, body, private, claims)


def _sealed(private: Private, tenant_key: Key, person_key: Key | None, request: str, version: int) -> bytes:
    """Bound to the request and to the version of its row. The first byte tells whose key it is."""
    plain = _encode(private)
    if person_key is None:
        return _TENANTS + tenant_key.seal(COLLECTION, request, plain, version)
    return _PERSONS + person_key.seal(COLLECTION, request, plain, version)


# the register


def listed(
    live: int,
    limit: int,
    *,
    states: Sequence[str] = (),
    kind: str | None = None,
    law: str | None = None,
    due_before: str = "",
    after: tuple[str, bytes] | None = None,
) -> Select[Any]:
    """Requests in the order of the index on (live, due_on, request): request, due_on."""
    c = rights_register.c
    found = select(c.request, c.due_on).where(c.live == live).order_by(c.due_on, c.request)
    if states:
        found = found.where(c.state.in_(states))
    if kind is not None:
        found = found.where(c.kind == kind)
    if law is not None:
        found = found.where(c.law == law)
    if due_before:
        found = found.where(c.due_on < due_before)
    if after is not None:
        # The first condition is what both engines look up in the index; the second leaves out what was shown.
        found = found.where(c.due_on >= after[0], tuple_(c.due_on, c.request) > after)
    return found.limit(limit)


def versions(requests: Sequence[bytes]) -> Select[Any]:
    """The version in which each of these requests stands: request, version."""
    c = rights_register.c
    return select(c.request, c.version).where(c.request.in_(requests))


def awaited(today: str, soon: str) -> Select[Any, Any, Any]:
    """How many requests wait for an answer, how many of them past their day, how many due by `soon` (ISO dates)."""
    c = rights_register.c
    late, near = case((c.due_on < today, 1), else_=0), case((c.due_on <= soon, 1), else_=0)
    return select(func.count(), func.sum(late), func.sum(near)).where(c.live == 1)


def to_be_told(at: int, limit: int) -> Select[Any]:
    """The requests of which something is to be told by an instant, the oldest first: request."""
    c = rights_register.c
    return select(c.request).where(c.next_at <= at).order_by(c.next_at).limit(limit)


def received_in(since: int, until: int) -> Select[Any]:
    """What the figures count, by the index on (received_at): kind, law, state, received_at, closed_at, late, due_on."""
    c = rights_register.c
    chosen = select(c.kind, c.law, c.state, c.received_at, c.closed_at, c.late, c.due_on)
    return chosen.where(c.received_at >= since, c.received_at < until)
