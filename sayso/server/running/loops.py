"""What `serve` does by itself, off the hot path: integrate the log, forget what is past its term."""

import asyncio
from collections.abc import Awaitable, Callable

from sayso.kernel import SYSTEM, Context, Tx, Work, now
from sayso.server import feed, mail, store
from sayso.server.connectors import runner as connectors
from sayso.server.drp import callbacks as agents
from sayso.server.logkeeping import timestamping
from sayso.server.running import keykeeping
from sayso.server.running.workers import WORK_EVERY
from sayso.server.taken import store as taken
from sayso.server.wiring import Services

TIDY_EVERY = 60.0
"""Seconds between two rounds of forgetting."""

WEIGH_EVERY = 1.0
"""Seconds between two looks at how much waits to be integrated."""

RECEIPT_PARTS_EVERY = 2.0
"""Seconds between two looks at what receipts have in common and nobody has stored yet."""

CROWDS_EVERY = 30.0
"""Seconds between two looks at who changed among those kept in memory for audiences."""

INTEGRATE_REST = 0.5
"""Seconds between two looks at the log's queue at most: so long an entry of a quiet hour waits to be in the log."""

RELOAD_EVERY = 5.0
"""Seconds between two tries to load rules that could not be loaded."""

FOLLOW_EVERY = 0.25
"""Seconds between two looks at what other nodes changed of the configuration."""


class Loops:
    """The loops of one process. Each survives its own errors: it reports them and goes on."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()

    def start(self) -> None:
        settings = self._services.settings
        self._every(settings.integrate_every, self._services.integrate, "integrate", rest=INTEGRATE_REST)
        self._every(WEIGH_EVERY, self._services.weigh, "weigh")
        self._every(TIDY_EVERY, self._tidy, "tidy")
        self._every(RECEIPT_PARTS_EVERY, self._services.keep_receipt_parts, "receipts")
        self._every(feed.EVERY, self._services.feed.round, "feed")
        self._every(mail.EVERY, self._services.carrier.round, "mail")
        self._every(WORK_EVERY, self._services.workers.round, "jobs")
        self._every(connectors.EVERY, self._services.connectors.round, "connectors")
        self._every(agents.EVERY, self._services.callbacks.round, "agents")
        self._every(keykeeping.EVERY, self._services.key_keeper.round, "keys")
        self._every(CROWDS_EVERY, self._services.crowds.follow, "crowds")
        self._every(RELOAD_EVERY, self._services.configurations.retry, "reload")
        if self._services.publishing.configured:
            self._every(self._services.publishing.every, self._services.publishing.round, "publish")
        if self._services.timestamps.timestamping is not None:
            self._every(timestamping.EVERY, self._services.timestamps.round, "timestamp")
        if self._services.witnesses.witnessing is not None:
            self._tasks.append(asyncio.get_running_loop().create_task(self._witness(), name="sayso-witness"))
        if not settings.embedded:
            # The embedded database has one process, which needs to be told nothing.
            self._every(FOLLOW_EVERY, self._services.configurations.follow, "follow")

    async def stop(self) -> None:
        """Let each loop end its round."""
        self._stopping.set()
        self._services.workers.stop()
        self._services.connectors.stop()
        for task in self._tasks:
            await task

    def _every(
        self, seconds: float, work: Callable[[], Awaitable[bool | None]], name: str, *, rest: float = 0.0
    ) -> None:
        """Do `work` over and over. With `rest` the pause doubles up to it while `work` says that nothing was done."""
        loop = self._loop(seconds, work, name, max(rest, seconds))
        self._tasks.append(asyncio.get_running_loop().create_task(loop, name=f"sayso-{name}"))

    async def _loop(self, seconds: float, work: Callable[[], Awaitable[bool | None]], name: str, rest: float) -> None:
        wait = seconds
        while not await self._ended(wait):
            try:
                wait = min(wait * 2, rest) if await work() is False else seconds
            except Exception as error:  # noqa: BLE001 - a loop outlives what goes wrong in a round
                self._services.log.error("loop failed", error, loop=name)
                wait = min(max(wait, 0.1) * 2, 30.0)

    async def _witness(self) -> None:
        witnesses = self._services.witnesses
        while not self._stopping.is_set():
            try:
                await witnesses.round()
            except Exception as error:  # noqa: BLE001 - a loop outlives what goes wrong in a round
                self._services.log.error("loop failed", error, loop="witness")
            await witnesses.pause(self._stopping)

    async def _ended(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def _tidy(self) -> None:
        """Forget answers, cookies, links, changes and messages past their term."""
        services = self._services

        def unit(tx: Tx) -> Work[None]:
            at = tx.context.at
            tx.execute(store.expired_answers(at))
            tx.execute(store.expired_sessions(at))
            services.registry.codes.tidy(tx)
            services.desk.identity.tidy(tx)
            tx.execute(taken.expired(at))
            services.desk.tasks.answers.tidy(tx)
            yield from services.packages.tidy(tx)
            services.outbox.tidy(tx)
            yield from services.vault.tidy_tokens(tx)

        for tenant in services.configurations.tenants():
            await services.database.run_alone(Context(tenant, SYSTEM, now(), "tidy"), unit)
            await services.feed.tidy(tenant)
