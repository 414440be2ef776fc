"""Every statement about rights requests. Rows become Structs here, and nothing else leaves."""

from typing import Any, NamedTuple

from msgspec import Struct, msgpack
from sqlalchemy import or_, select

from rights.model import Kind, RightsRequest, State
from rights.tables import rights_request, rights_unfinal
from sayso.kernel import Get, Key, NotFound, Query, Rows, Tx, Work, bucket_in, bucket_of, raw, text

REQUEST = Rows(rights_request)
UNFINAL = Rows(rights_unfinal)
COLLECTION = "rights"
_PERSONS, _TENANTS = b"p", b"t"
_VALUES = ("version", "subject", "kind", "state", "due_on", "body", "private", "certificate")
_LIVE = tuple(state.value for state in State if not state.closed)

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
    return _stored(raw(request), row)


def live_of(tx: Tx, subject: bytes, kind: Kind) -> Query:
    """Ids of the person's requests of this kind that are not closed, oldest first."""
    c = rights_request.c
    return tx.select(
        select(c.request)
        .where(c.bucket == bucket_of(tx.context.tenant, subject), c.subject == subject)
        .where(c.kind == kind, c.state.in_(_LIVE))
        .order_by(c.request)
    )


def oldest(rows: list[Any]) -> str:
    """The first id in the answer of `live_of`, empty when there is none."""
    return text("rrq", bytes(rows[0][0])) if rows else ""


def requests_of(tx: Tx, subject: bytes) -> Query:
    """All rows that still name the person, oldest first."""
    c = rights_request.c
    return tx.select(
        select(c.request, *(c[name] for name in _VALUES))
        .where(c.bucket == bucket_of(tx.context.tenant, subject), c.subject == subject)
        .order_by(c.request)
    )


def all_stored(rows: list[Any]) -> list[Stored]:
    """The answer of `requests_of`."""
    return [_stored(bytes(row[0]), tuple(row[1:])) for row in rows]


def insert(tx: Tx, request: RightsRequest, private: Private, tenant_key: Key, person_key: Key | None) -> None:
    """A new request. Its private part is sealed under the person's key, or the tenant's when the person is unknown."""
    sealed = _sealed(private, tenant_key, person_key, request.id, 1)
    tx.insert(REQUEST, raw(request.id), *_columns(request, 1, sealed, None))


def put(
    tx: Tx, before: Stored, request: RightsRequest, private: Private, tenant_key: Key, person_key: Key | None
) -> None:
    """The request in place of what was read. One whose person was erased has nothing private any more."""
    version = before.version + 1
    sealed = None
    if request.subject is not None:
        sealed = _sealed(private, tenant_key, person_key, request.id, version)
    _put(tx, before, _columns(request, version, sealed, before.claims))


def put_erased(tx: Tx, before: Stored, request: RightsRequest, claims: bytes | None = None) -> None:
    """The request without its person and without anything private; with a certificate's claims if it has one."""
    _put(tx, before, _columns(request, before.version + 1, None, claims or before.claims))


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


def _stored(raw_id: bytes, row: tuple[Any, ...]) -> Stored:
    return Stored(_body(row[-3]), row[-1], row, raw_id)


def _put(tx: Tx, before: Stored, columns: tuple[Any, ...]) -> None:
    tx.put(REQUEST, (before.raw_id,), columns, was=before.was, bucket=bucket_in(before.raw_id))


def _columns(request: RightsRequest, version: int, private: bytes | None, claims: bytes | None) -> tuple[Any, ...]:
    body = _encode(request)
    return (version, request.subject, request.kind, request.state.value, request.deadline, body, private, claims)


def _sealed(private: Private, tenant_key: Key, person_key: Key | None, request: str, version: int) -> bytes:
    """Bound to the request and to the version of its row. The first byte tells whose key it is."""
    plain = _encode(private)
    if person_key is None:
        return _TENANTS + tenant_key.seal(COLLECTION, request, plain, version)
    return _PERSONS + person_key.seal(COLLECTION, request, plain, version)
