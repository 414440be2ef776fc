"""One subscription's messages on their way: spread from the feed, sent, settled. One process at a time.

The lease is held by acting: every step raises the courier row's version. A process that sees the version stand still
for `TERM` seconds of its own clock, with work waiting, takes over; one that has not raised it for a while sends
nothing more. No two clocks are ever compared.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, TypeVar

from sayso.kernel import SYSTEM, Conflict, Context, Tx, Unit, Work, new_id, now
from sayso.server.feed.attempts import TIMEOUT, Message, Outcome
from sayso.server.feed.cloudevents import Teller
from sayso.server.feed.ledger import Glance, LeaseLost, Ledger
from sayso.server.feed.messages import Delivery, signed
from sayso.server.feed.subscriptions import Subscription, Subscriptions

if TYPE_CHECKING:
    from sayso.server.wiring import Services

T = TypeVar("T")

TERM: Final = 20.0
"""Seconds after which a silent process has lost its lease."""

_BEAT: Final = 3.0
_SAFE: Final = TERM - TIMEOUT - _BEAT
"""Seconds after its last sign of life in which a process may still begin an attempt: it ends before the term does."""

FLYING: Final = 32
"""Attempts of one subscription at a time."""

_PAUSE: Final = 0.1
_PARTING: Final = 1.0

Send = Callable[[str, str, Message, int], Awaitable[Outcome]]
"""(address, tenant, message, instant) to what came of it."""


class Courier:
    """Carries the messages of one subscription until none is due. Set `stopping` to have it end its round early."""

    def __init__(
        self,
        services: Services,
        teller: Teller,
        subscriptions: Subscriptions,
        send: Send,
        tenant: str,
        subscription: bytes,
        holder: bytes,
    ) -> None:
        self._services = services
        self._teller = teller
        self._subscriptions = subscriptions
        self._send = send
        self._tenant = tenant
        self._ledger = Ledger(services, teller, subscriptions, subscription, holder)
        self._flying: dict[asyncio.Task[Outcome | None], Delivery] = {}
        self._renewed = 0.0
        self.stopping = False

    async def work(self, seen: int) -> int | None:
        """Carry what is due; returns when the next message will be, None when there is none or none may be sent.

        `seen` is the version of the courier's row on which this process decided that the lease is its own or free.

        Raises `LeaseLost`; what was under way is then sent again by whoever has the lease.
        """
        if not await self._alone(lambda tx: self._ledger.take(tx, seen)):
            raise LeaseLost
        try:
            while not self.stopping:
                glance = await self._look(lambda tx: self._ledger.glance(tx, FLYING))
                if glance.left:
                    await self._alone(self._ledger.adopt)
                elif glance.behind:
                    await self._alone(self._ledger.spread)
                begun = await self._begin(glance)
                if not (begun or glance.left or glance.behind or self._flying):
                    return None if glance.due else glance.next_due
                await self._land()
        finally:
            await self._part()
        return None

    async def release(self) -> None:
        """Leave the subscription to others at once."""
        await self._alone(self._ledger.release)

    async def _begin(self, glance: Glance) -> bool:
        """Send off what is due and not under way. False when nothing could be."""
        client = self._subscriptions.actor_of(self._tenant, glance.subscription.client)
        if glance.subscription.content.status != "active" or client is None:
            return False
        if not self._services.principals.alive(self._tenant, client.id):
            # A client without a live key has been shut out: it is told nothing more until it has one.
            return False
        under_way = {each.change.position for each in self._flying.values()}
        fresh = [each for each in glance.due if each.change.position not in under_way][: FLYING - len(self._flying)]
        if not fresh:
            return False
        if not self._safe():
            await self._alone(self._ledger.beat)
        for delivery in fresh:
            task = asyncio.create_task(self._attempt(glance.subscription, delivery))
            self._flying[task] = delivery
        return True

    async def _attempt(self, found: Subscription, delivery: Delivery) -> Outcome | None:
        at = now()
        try:
            message = await self._look(lambda tx: self._told(tx, found, delivery, at))
        except Exception as error:  # noqa: BLE001 - one message that cannot be told must not hold up the others
            self._services.log.error("message untold", error)
            return Outcome(at, "untold", 0)
        # Reading may have taken long; an attempt that might outlive the lease is left to who has it then.
        return await self._send(found.content.url, self._tenant, message, at) if self._safe() else None

    def _safe(self) -> bool:
        return asyncio.get_running_loop().time() - self._renewed < _SAFE

    def _told(self, tx: Tx, found: Subscription, delivery: Delivery, at: int) -> Work[Message]:
        client = self._subscriptions.actor_of(self._tenant, found.client)
        assert client is not None
        event = yield from self._teller.event(tx, delivery.change, client, found.content.filter)
        return signed(found, self._services.keyring, self._tenant, event, delivery.change.position, at)

    async def _land(self) -> None:
        """Wait for an attempt to end, not longer than a pause, and write down all that ended."""
        if self._flying:
            await asyncio.wait(self._flying, timeout=_PAUSE, return_when=asyncio.FIRST_COMPLETED)
        ended = [task for task in self._flying if task.done()]
        if ended:
            landed = [(self._flying.pop(task).change.position, task.result()) for task in ended]
            outcomes = [(position, outcome) for position, outcome in landed if outcome is not None]
            await self._alone(lambda tx: self._ledger.settle(tx, outcomes))
        elif self._flying and asyncio.get_running_loop().time() - self._renewed > _BEAT:
            await self._alone(self._ledger.beat)

    async def _part(self) -> None:
        """Give what is under way a moment, drop the rest (it is sent again), and write down what ended."""
        if not self._flying:
            return
        _, late = await asyncio.wait(self._flying, timeout=_PARTING)
        for task in late:
            task.cancel()
            self._flying.pop(task)
        await asyncio.gather(*late, return_exceptions=True)
        try:
            await self._land()
        except LeaseLost:
            pass

    async def _alone(self, unit: Unit[T]) -> T:
        """A unit that renews the lease. Another process that was faster makes it lose its lease."""
        begun = asyncio.get_running_loop().time()
        try:
            done = await self._services.database.run_alone(self._context(), unit)
        except Conflict as error:
            raise LeaseLost from error
        self._renewed = begun
        return done

    async def _look(self, unit: Unit[T]) -> T:
        return await self._services.database.look(self._context(), unit)

    def _context(self) -> Context:
        return Context(self._tenant, SYSTEM, now(), new_id("req"))
