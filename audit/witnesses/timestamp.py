"""Time stamps of checkpoints (RFC 3161): an authority says at what time it was shown a head of the log.

Once a day a checkpoint is stamped whole, with its signature: what the log held, and that its key had signed it, is
older than the stamp, whoever has the key by then. A bundle carries the stamp that says most about it.
"""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from audit import store
from audit.errors import TimestampRefused
from audit.offline import sayso_verify as offline
from audit.tree import proving
from audit.witnesses import timestamp_store
from audit.witnesses.timestamp_store import Stamped
from sayso.kernel import DAY, SECOND, Context, Database, Instant, Tx, Work

Ask = Callable[[bytes], Awaitable[bytes]]
"""Has an authority stamp these bytes; its answer (TimeStampResp, DER), checked. Raises `TimestampRefused`."""


class StampedHead(NamedTuple):
    """A stamped head for a bundle under another head of the same log, and the proof that one begins with the other."""

    stamped: Stamped
    proof: list[bytes]


class Timestamping:
    """Has the newest checkpoint of each day stamped."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def round(self, database: Database, context: Context, log: str) -> Instant | None:
        """Have the newest checkpoint of a log stamped, unless one was today (UTC) or it has not grown since.

        Returns up to when all of it is known to be stamped; None for a log without entries. Raises `TimestampRefused`.
        """
        head, newest = await database.look(context, lambda tx: _heads(tx, log))
        if head is None:
            return None
        if newest is not None and newest.size >= head.size:
            return context.at
        if newest is not None and newest.at // DAY >= context.at // DAY:
            return newest.at
        response = await self._ask(head.note)
        stamped = Stamped(head.size, head.root, head.note, response, read(head.note, response))
        await database.run_alone(context, lambda tx: _keep(tx, log, stamped))
        return stamped.at


def read(note: bytes, response: bytes) -> Instant:
    """The time in an answer over these bytes. Raises `TimestampRefused` on one that verifiers could not read."""
    try:
        stamp = offline.read_timestamp(response)
        offline.check_stamped(stamp, note)
    except offline.Malformed as error:
        raise TimestampRefused(str(error)) from error
    return Instant(stamp.seconds * SECOND)


def best(tx: Tx, log: str, size: int) -> Work[StampedHead | None]:
    """The stamp that says most about the first `size` entries: the earliest over all of them, else the last before."""
    later, earlier = yield timestamp_store.first_from(tx, log, size), timestamp_store.last_before(tx, log, size)
    stamped = timestamp_store.stamped_from(later) or timestamp_store.stamped_from(earlier)
    if stamped is None:
        return None
    low, high = sorted((size, stamped.size))
    return StampedHead(stamped, (yield from proving.consistency_proof(tx, log, low, high)))


def _heads(tx: Tx, log: str) -> Work[tuple[store.Signed | None, Stamped | None]]:
    """The newest head, unless it is empty, and the newest stamp."""
    rows, found = yield store.last_signed(tx, log), timestamp_store.newest(tx, log)
    head = store.signed_from(rows)
    return head if head is not None and head.size else None, timestamp_store.stamped_from(found)


def _keep(tx: Tx, log: str, stamped: Stamped) -> Work[None]:
    (rows,) = yield (timestamp_store.newest(tx, log),)
    newest = timestamp_store.stamped_from(rows)
    # Another node may have been faster.
    if newest is None or newest.size < stamped.size:
        timestamp_store.keep(tx, log, stamped)
