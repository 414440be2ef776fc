"""A message: a change on its way to one subscription, from the row it lies in to the bytes that leave."""

from __future__ import annotations

from typing import Final, Literal

import msgspec
from msgspec import Struct

from sayso.kernel import SECOND, Sealer, Values
from sayso.server.feed.attempts import Message, Outcome
from sayso.server.feed.cloudevents import Change, CloudEvent, encode
from sayso.server.feed.schedule import next_try
from sayso.server.feed.signing import signatures
from sayso.server.feed.subscriptions import Subscription

ID: Final = "msg"
REMEMBERED: Final = 20
"""Attempts that a message's log keeps."""

Status = Literal["waiting", "queued", "delivered", "dead"]

_decode = msgspec.msgpack.Decoder(tuple[Outcome, ...]).decode
_encode = msgspec.msgpack.Encoder().encode


class Delivery(Struct, frozen=True):
    """The row of a message. Times are instants, 0 for never."""

    version: int
    change: Change
    status: Status
    due: int
    attempts: int = 0
    delivered: int = 0
    log: tuple[Outcome, ...] = ()

    def values(self) -> Values:
        """The row's columns behind its key."""
        change = self.change
        ahead = (self.version, change.kind, change.subject, change.ref, change.at)
        return (*ahead, self.status, self.due, self.attempts, self.delivered, _encode(self.log))

    def tried(self, outcome: Outcome) -> Delivery:
        """After one more attempt."""
        log = (*self.log, outcome)[-REMEMBERED:]
        attempts, version = self.attempts + 1, self.version + 1
        done = outcome.at + outcome.ms * 1000
        if outcome.delivered:
            return Delivery(version, self.change, "delivered", 0, attempts, done, log)
        due = next_try(attempts, done)
        if due is None:
            return Delivery(version, self.change, "dead", 0, attempts, 0, log)
        return Delivery(version, self.change, "waiting", due, attempts, 0, log)

    def again(self, at: int) -> Delivery | None:
        """To be delivered once more, from the beginning of its schedule, behind what is under way for its person; at
        once if it is the first of those. None: its turn comes anyway.
        """
        if self.status == "waiting":
            return Delivery(self.version + 1, self.change, "waiting", at, self.attempts, 0, self.log)
        if self.status == "queued":
            return None
        return Delivery(self.version + 1, self.change, "queued", 0, 0, 0, self.log)

    def first(self, at: int) -> Delivery:
        """At the head of its person's messages."""
        return Delivery(self.version + 1, self.change, "waiting", at, self.attempts, self.delivered, self.log)


def stored(position: int, values: Values) -> Delivery:
    """The row at `position`."""
    version, kind, subject, ref, at, status, due, attempts, delivered, log = values
    change = Change(position, kind, bytes(subject), bytes(ref), at)
    return Delivery(version, change, status, due, attempts, delivered, _decode(log))


def id_of(subscription: bytes, position: int) -> str:
    """The message's id: the same at every attempt, so that a receiver knows what it has seen."""
    return f"{ID}_{position:016x}{subscription[8:].hex()}"


def position_in(raw_id: bytes, subscription: bytes) -> int | None:
    """The position behind an id (16 bytes) of this subscription's; None for another's."""
    return int.from_bytes(raw_id[:8], "big") if raw_id[8:] == subscription[8:] else None


def signed(found: Subscription, sealer: Sealer, tenant: str, event: CloudEvent, position: int, at: int) -> Message:
    """The message that leaves now."""
    body: bytes = encode(event)
    message, seconds = id_of(found.id, position), at // SECOND
    signature = signatures(found.secrets(sealer, tenant, at), message, seconds, body)
    return Message(message, seconds, signature, event.type, body)
