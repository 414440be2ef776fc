"""Every statement about agents' requests."""

from typing import Any, Final, NamedTuple

from msgspec import msgpack
from sqlalchemy import select

from sayso.kernel import Key, Query, Tx, Values, Work, raw, text
from sayso.kernel.rows import Rows
from sayso.server.drp.messages import DrpForbidden, DrpReplayed
from sayso.server.drp.tables import drp_request
from sayso.server.taken import store as taken

REQUEST: Final = Rows(drp_request)

_c = drp_request.c
_COLLECTION: Final = "server_drp"
_SAID: Final = msgpack.Decoder(tuple[str, str])


class Waiting(NamedTuple):
    """A request whose agent is to be told of steps: the version told last, and when a failed try is repeated."""

    request: str
    agent: str
    told: int
    again: int


class Brought(NamedTuple):
    """A request that an agent brought; `was` guards the next change."""

    request: str
    agent: str
    reference: str
    callback: str
    told: int
    tries: int
    again: int
    was: Values


def take(tx: Tx, digest: bytes, until: int) -> Work[None]:
    """Remember a message until it expires. Raises `DrpReplayed`."""
    if (yield from taken.known(tx, digest)):
        raise DrpReplayed
    taken.remember(tx, digest, until)


def insert(tx: Tx, key: Key, request: str, agent: str, reference: str, callback: str) -> None:
    """A request of an agent. Its first version is told by the answer itself. `key` is the tenant's."""
    said = key.seal(_COLLECTION, request, msgpack.encode((reference, callback)))
    tx.insert(REQUEST, raw(request, "rrq"), 1, agent, said, int(bool(callback)), 1, 0, 0)


def of_agent(tx: Tx, key: Key, request: str, agent: str) -> Work[Brought]:
    """A request that this very agent brought. Any other is as forbidden as one that nobody has: `DrpForbidden`."""
    raw_id = raw(request, "rrq")
    (row,) = yield (tx.get(REQUEST, raw_id),)
    if row is None or row[1] != agent:
        raise DrpForbidden("This agent brought no such request.")
    return _brought(key, raw_id, row)


def waiting(tx: Tx, after: bytes, most: int) -> Query:
    """Requests whose agents are to be told of steps, by id."""
    chosen = select(_c.request, _c.agent, _c.told, _c.again).where(_c.waits == 1, _c.request > after)
    return tx.select(chosen.order_by(_c.request).limit(most))


def all_waiting(rows: list[Any]) -> list[Waiting]:
    """The answer of `waiting`."""
    return [Waiting(text("rrq", bytes(request)), *rest) for request, *rest in rows]


def put(tx: Tx, before: Brought, *, waits: bool, told: int, tries: int, again: int) -> None:
    """What was told, and when a failed try is repeated."""
    version, agent, said, *_ = before.was
    columns = (int(version) + 1, agent, said, int(waits), told, tries, again)
    tx.put(REQUEST, (raw(before.request, "rrq"),), columns, was=before.was)


def _brought(key: Key, raw_id: bytes, row: Values) -> Brought:
    request = text("rrq", raw_id)
    _, agent, said, _, told, tries, again = row
    reference, callback = _SAID.decode(key.open(_COLLECTION, request, bytes(said)))
    return Brought(request, agent, reference, callback, told, tries, again, row)
