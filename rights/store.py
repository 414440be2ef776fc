"""Every statement about rights requests. Rows become Structs here, and nothing else leaves."""

from typing import Any, NamedTuple

from msgspec import Struct, msgpack
from sqlalchemy import select

from rights.model import Kind, RightsRequest, State
from rights.tables import rights_request
from sayso.kernel import Get, Key, NotFound, Query, Rows, Tx, Work, bucket_in, bucket_of, raw

REQUEST = Rows(rights_request)
COLLECTION = "rights"
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


_private = msgpack.Decoder(Private).decode


class Stored(NamedTuple):
    """A request with what its row holds besides. `was` guards the next change."""

    request: RightsRequest
    sealed: bytes | None
    statement: bytes | None
    was: tuple[Any, ...]

    @property
    def version(self) -> int:
        return int(self.was[0])

    def private(self, key: Key | None) -> Private:
        """The sealed part; empty when there is none, or nobody's key opens it any more."""
        if self.sealed is None or key is None:
            return Private()
        return _private(key.open(COLLECTION, self.request.id, self.sealed, self.version))


def request_at(tx: Tx, request: str) -> Get:
    """The read of one request. Raises `Invalid` (`malformed-id`)."""
    raw_id = raw(request, "rrq")
    return tx.get(REQUEST, raw_id, bucket=bucket_in(raw_id))


def stored(row: tuple[Any, ...] | None) -> Stored:
    """The answer of `request_at`. Raises `RequestNotFound`."""
    if row is None:
        raise RequestNotFound
    _, _, _, _, _, body, private, certificate = row
    return Stored(_body(body), private, certificate, row)


def load(tx: Tx, request: str) -> Work[Stored]:
    """One request. Raises `RequestNotFound`, `Invalid`."""
    (row,) = yield (request_at(tx, request),)
    return stored(row)


def live_of(tx: Tx, subject: bytes, kind: Kind) -> Query:
    """Ids of the person's requests of this kind that are not closed, oldest first."""
    c = rights_request.c
    return tx.select(
        select(c.request)
        .where(c.bucket == bucket_of(tx.context.tenant, subject), c.subject == subject)
        .where(c.kind == kind, c.state.in_(_LIVE))
        .order_by(c.request)
    )


def requests_of(tx: Tx, subject: bytes) -> Query:
    """All requests that still name the person: body rows, oldest first."""
    c = rights_request.c
    return tx.select(
        select(c.body)
        .where(c.bucket == bucket_of(tx.context.tenant, subject), c.subject == subject)
        .order_by(c.request)
    )


def bodies(rows: list[tuple[bytes]]) -> list[RightsRequest]:
    """The answer of `requests_of`."""
    return [_body(row[0]) for row in rows]


def insert(tx: Tx, request: RightsRequest, private: Private, key: Key) -> None:
    """A new request, its private part sealed under `key`."""
    tx.insert(REQUEST, raw(request.id), *_columns(request, 1, seal(private, key, request.id, 1), None))


def put(tx: Tx, before: Stored, request: RightsRequest, private: Private, key: Key | None) -> None:
    """The request in place of what was read. Without a key there is nothing private any more."""
    version = before.version + 1
    sealed = None if key is None else seal(private, key, request.id, version)
    _put(tx, before, _columns(request, version, sealed, before.statement))


def put_erased(tx: Tx, before: Stored, request: RightsRequest, statement: bytes | None) -> None:
    """The request without its person and without anything private; with a certificate's claims if it has one."""
    _put(tx, before, _columns(request, before.version + 1, None, statement or before.statement))


def seal(private: Private, key: Key, request: str, version: int) -> bytes:
    """The private part as a blob bound to the request and the row's version."""
    return key.seal(COLLECTION, request, _encode(private), version)


def _put(tx: Tx, before: Stored, columns: tuple[Any, ...]) -> None:
    raw_id = raw(before.request.id)
    tx.put(REQUEST, (raw_id,), columns, was=before.was, bucket=bucket_in(raw_id))


def _columns(request: RightsRequest, version: int, private: bytes | None, certificate: bytes | None) -> tuple[Any, ...]:
    body = _encode(request)
    return (version, request.subject, request.kind, request.state.value, request.deadline, body, private, certificate)
