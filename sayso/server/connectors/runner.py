"""`Connectors`: does the tasks of systems that we work on ourselves, off the hot path.

A task is taken under a lease, so that a worker that was killed is followed by another. Its statements are one
transaction of the customer's database, committed only while the lease is still the worker's own and before it can have
ended. What was committed before the answer was written down is done again, and finds nothing left to do. A processor
(OpenDSR) is told once, and then asked now and then, until it says, or calls back, that it is done; what it found for
somebody who asked to see it is fetched then.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from rights import OURS, READING, Answered, Leased, System, TaskView, UnknownTask
from sayso.kernel import (
    SECOND,
    SYSTEM,
    Conflict,
    Context,
    Denied,
    Invalid,
    NotFound,
    TooLarge,
    Tx,
    Work,
    new_id,
    now,
)
from sayso.server.connectors.checking import CheckedSystem, looked_at
from sayso.server.connectors.failures import Refused
from sayso.server.connectors.opendsr import Heard, read, request_id
from sayso.server.connectors.processor import Processor
from sayso.server.connectors.secrets import url_of
from sayso.server.connectors.store import ENDS_S, Ran, carry_out
from sayso.server.feed import next_try
from sayso.server.feed.outgoing import Outgoing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sayso.server.wiring import Services

EVERY: Final = 2.0
"""Seconds between two looks whether there is something to do."""

ASK_EVERY_S: Final = 3_600
"""Seconds between two questions how far a processor is: it calls back, so this is for callbacks that never came."""

_AWAITED: Final = frozenset(("open", "failed"))
"""States of a task whose answer still counts."""

_TURN_S: Final = 10.0
"""Seconds after which a system begins no further task until the others had their turn."""

_LEASE_S: Final = 2 * ENDS_S
"""Seconds for which nobody else takes a task: twice as long as anything about it can be under way."""


class UnknownSystemName(NotFound):
    """No system of that name in the manifest."""


class ForgedCallback(Denied):
    """Nobody whom we asked said this: unknown, not signed by that system's certificate, or not by now."""

    def __init__(self) -> None:
        super().__init__("forged-callback", "This callback is not a system's that was asked.")


class Connectors:
    """The SQL systems and processors of every brand, as one process works on them."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._stopping = False
        self._outgoing = Outgoing(services.settings.inside_hosts)

    def stop(self) -> None:
        """End after the task under way."""
        self._stopping = True

    async def close(self) -> None:
        """Close what is open to others."""
        await self._outgoing.close()

    async def round(self) -> bool:
        """Do what waits; False when nothing did. Systems side by side, and none has more than its turn: one that hangs
        holds up itself.
        """
        configurations = self._services.configurations
        ours = [
            (tenant, system.name)
            for tenant in configurations.tenants()
            for system in configurations.of(tenant).systems.values()
            if system.connector in OURS
        ]
        done = await asyncio.gather(*(self._work(*each) for each in ours), return_exceptions=True)
        for each in done:
            if isinstance(each, BaseException):
                raise each
        return any(done)

    async def check(
        self, tenant: str, name: str, names: Mapping[str, Sequence[str]], *, dry_run: bool
    ) -> CheckedSystem:
        """Whether a system can be reached and understood. With `dry_run` every statement is run for `names` (for nobody
        where one is not given) and taken back. Raises `UnknownSystemName`.
        """
        live = self._services.configurations.of(tenant)
        system = live.systems.get(name)
        if system is None:
            raise UnknownSystemName("not-found", "There is no such system.")
        url = self._url(tenant, name) if system.connector in OURS else None
        found = await looked_at(system, url, names, self._processor, dry_run=dry_run)
        if system.client and live.client(system.client) is None:
            found = replace(found, problems=["no-client", *found.problems])
        return found

    async def _work(self, tenant: str, name: str) -> bool:
        """The tasks of one system, one after another."""
        busy, loop = False, asyncio.get_running_loop()
        until = loop.time() + _TURN_S
        while not self._stopping and loop.time() < until:
            system = self._services.configurations.of(tenant).systems.get(name)
            leased = await self._taken(tenant, system) if system is not None else None
            if system is None or leased is None:
                break
            busy = True
            await self._one(tenant, system, leased)
        return busy

    async def _taken(self, tenant: str, system: System) -> Leased | None:
        """The next task, leased. A look first: taking is a write, and mostly there is nothing."""
        database, tasks, only = self._services.database, self._services.desk.tasks, {system.name: system}
        if not await database.look(_context(tenant), lambda tx: tasks.waiting(tx, only)):
            return None
        return await database.run_alone(_context(tenant), lambda tx: tasks.take(tx, only, _LEASE_S))

    async def _one(self, tenant: str, system: System, leased: Leased) -> None:
        task, reads = leased.task, leased.task.kind in READING
        try:
            url = self._url(tenant, system.name)
            if url is None:
                raise Refused("no-secret", passing=True)
            if system.connector == "opendsr":
                heard = await self._processor(url, system).told(task, self._callback(tenant, task.task))
                await self._heard(tenant, system, leased, heard)
                return
            ran = await self._ran(tenant, url, system, leased)
        except Refused as refused:
            self._services.log.info("system refused", system=system.name, why=refused.word)
            await self._refused(tenant, leased, refused)
            return
        await self._answer(
            tenant, leased, Answered(request=task.request, count=ran.count, data=ran.found if reads else None)
        )

    async def _ran(self, tenant: str, url: str, system: System, leased: Leased) -> Ran:
        task = leased.task

        async def fence() -> bool:
            desk = self._services.desk
            return await self._services.database.look(_context(tenant), lambda tx: desk.tasks.holds(tx, leased))

        statements = system.statements.get(task.kind, ())
        if not statements:
            # The manifest changed since the task was made. Nothing done must not read as done.
            raise Refused("no-statement")
        reads = task.kind in READING
        return await carry_out(url, statements, task.identify, reads=reads, most_rows=system.most_rows, fence=fence)

    async def _heard(self, tenant: str, system: System, leased: Leased, heard: Heard) -> None:
        """What a processor said when it was asked. Raises `Refused` when it gave up."""
        task = leased.task
        if heard.request_status == "cancelled":
            raise Refused("cancelled")
        if heard.request_status == "completed":
            data = await self._brought(tenant, system, task, heard)
            await self._answer(tenant, leased, Answered(request=task.request, count=heard.count, data=data))
            return
        tasks, context = self._services.desk.tasks, _context(tenant)
        until = context.at + ASK_EVERY_S * SECOND

        def unit(tx: Tx) -> Work[None]:
            if (yield from tasks.holds(tx, leased)):
                yield from tasks.put_off(tx, task.task, until, heard=True)

        await self._services.database.run_alone(context, unit)

    async def called_back(self, tenant: str, task: str, headers: Mapping[str, str], body: bytes) -> None:
        """A processor says how far it is. Twice is once. Raises `ForgedCallback`, `Invalid`, `TaskSettled`."""
        services, context = self._services, _context(tenant)
        if tenant not in services.configurations.tenants():
            raise ForgedCallback
        systems, tasks = services.configurations.of(tenant).systems, services.desk.tasks
        try:
            found = await services.database.look(context, lambda tx: tasks.task(tx, systems, task))
        except (UnknownTask, Invalid):
            raise ForgedCallback from None
        system = systems.get(found.system)
        if system is None or system.connector != "opendsr":
            raise ForgedCallback
        try:
            heard = read(body, headers, system.certificate, context.at)
        except Refused as refused:
            if refused.word == "garbled":
                raise Invalid("malformed", "The callback is not what OpenDSR describes.") from None
            services.log.info("callback refused", system=system.name, why=refused.word)
            raise ForgedCallback from None
        if heard.subject_request_id != request_id(found) or heard.status_callback_url != self._callback(tenant, task):
            raise Invalid("wrong-request", "The callback is about another request.")
        if heard.request_status == "completed":
            # Told a second time, there is nothing more to fetch.
            data = await self._brought(tenant, system, found, heard) if found.status in _AWAITED else None
            answer = Answered(request=found.request, count=heard.count, data=data)
            await services.database.run_alone(context, lambda tx: tasks.answers.done(tx, systems, task, answer))
            await services.database.tidy()
        elif heard.request_status == "cancelled":
            no = Answered(request=found.request, reason="cancelled")
            await services.database.run_alone(context, lambda tx: tasks.answers.failed(tx, systems, task, no))

    async def _brought(self, tenant: str, system: System, task: TaskView, heard: Heard) -> dict[str, Any] | None:
        """What a finished access found: fetched now, or where it lies and why it was not fetched."""
        if task.kind not in READING or not heard.results_url:
            return None
        try:
            address = self._url(tenant, system.name)
            if address is None:
                raise Refused("no-secret")
            return {"results": await self._processor(address, system).results(heard.results_url)}
        except Refused as refused:
            self._services.log.info("results not fetched", system=system.name, why=refused.word)
            return {**heard.where, "not_fetched": refused.word}

    async def _answer(self, tenant: str, leased: Leased, answer: Answered) -> None:
        services, task = self._services, leased.task

        def unit(tx: Tx) -> Work[TaskView]:
            systems = services.configurations.of(tenant).systems
            return services.desk.tasks.answers.done(tx, systems, task.task, answer)

        try:
            await services.database.run_alone(_context(tenant), unit)
        except TooLarge:
            await self._refused(tenant, leased, Refused("too-much-data"))
        except (UnknownTask, Conflict):
            # An officer closed without it meanwhile; what was done there stays done.
            return
        await services.database.tidy()

    async def _refused(self, tenant: str, leased: Leased, refused: Refused) -> None:
        services, context, task = self._services, _context(tenant), leased.task
        again = next_try(task.attempts, context.at) if refused.passing else None
        answer = Answered(request=task.request, reason=" ".join(filter(None, (refused.word, refused.statement))))

        def unit(tx: Tx) -> Work[None]:
            systems = services.configurations.of(tenant).systems
            if not (yield from services.desk.tasks.holds(tx, leased)):
                # Somebody else has it now, and says what comes of it.
                return
            if again is not None:
                yield from services.desk.tasks.put_off(tx, task.task, again)
            else:
                yield from services.desk.tasks.answers.failed(tx, systems, task.task, answer)

        try:
            await services.database.run_alone(context, unit)
        except (UnknownTask, Conflict):
            return

    def _processor(self, url: str, system: System) -> Processor:
        return Processor(self._outgoing, url, system, self._services.settings.inside_hosts)

    def _callback(self, tenant: str, task: str) -> str:
        return f"{self._services.settings.base_url}/t/{tenant}/opendsr/{task}"

    def _url(self, tenant: str, system: str) -> str | None:
        return url_of(tenant, system, self._services.settings.key_folder)


def _context(tenant: str) -> Context:
    return Context(tenant, SYSTEM, now(), new_id("req"))
