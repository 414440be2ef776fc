"""`Connectors`: does the tasks of systems with connector `sql`, one after another, off the hot path.

A task is taken under a lease, so that a worker that was killed is followed by another. Its statements are one
transaction of the customer's database; what was done before the answer was written down is done again, and finds
nothing left to do.
"""

from __future__ import annotations

import secrets as randomness
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from rights import READING, Answered, System, TaskView, UnknownTask
from sayso.kernel import SYSTEM, Conflict, Context, NotFound, TooLarge, Tx, Work, new_id, now
from sayso.server.connectors.secrets import url_of
from sayso.server.connectors.store import TIMEOUT_S, Ran, Refused, carry_out
from sayso.server.feed import next_try

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sayso.server.wiring import Services

EVERY: Final = 2.0
"""Seconds between two looks whether there is something to do."""

_AT_ONCE: Final = 4
_LEASE_S: Final = TIMEOUT_S * (_AT_ONCE + 1)


class UnknownSystemName(NotFound):
    """No system of that name in the manifest."""


class CheckedStatement(Struct, frozen=True, omit_defaults=True):
    """What a dry run of one statement came to: the rows it would touch, or a word for why it cannot be run."""

    kind: str
    statement: str
    rows: int = 0
    error: str = ""


class CheckedSystem(Struct, frozen=True, omit_defaults=True):
    """What is the matter with a system; `problems` is empty when nothing is. Nothing was changed there."""

    system: str
    connector: str
    problems: list[str]
    statements: list[CheckedStatement] = []


class Connectors:
    """The SQL systems of every brand, as one process works on them."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._stopping = False

    def stop(self) -> None:
        """End after the task under way."""
        self._stopping = True

    async def round(self) -> bool:
        """Do what waits; False when nothing did."""
        busy = False
        for tenant in self._services.configurations.tenants():
            busy = await self._work(tenant) or busy
        return busy

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
        problems: list[str] = []
        if system.client and live.client(system.client) is None:
            problems.append("no-client")
        if system.connector != "sql":
            return CheckedSystem(name, system.connector, problems)
        url = self._url(tenant, name)
        if url is None:
            return CheckedSystem(name, system.connector, [*problems, "no-secret"])
        try:
            await carry_out(url, (), {}, reads=True, most_rows=1)
        except Refused as refused:
            return CheckedSystem(name, system.connector, [*problems, refused.word])
        checked = await self._dry(system, url, names) if dry_run else []
        problems += dict.fromkeys(each.error for each in checked if each.error)
        return CheckedSystem(name, system.connector, problems, checked)

    async def _dry(self, system: System, url: str, names: Mapping[str, Sequence[str]]) -> list[CheckedStatement]:
        everybody = {name: names.get(name) or (randomness.token_hex(16),) for name in system.identify}
        checked = []
        for kind, statements in system.statements.items():
            for each in statements:
                reads, most = kind in READING, system.most_rows
                try:
                    ran = await carry_out(url, (each,), everybody, reads=reads, most_rows=most, dry_run=True)
                    checked.append(CheckedStatement(kind, each.name, ran.count))
                except Refused as refused:
                    checked.append(CheckedStatement(kind, each.name, error=refused.word))
        return checked

    async def _work(self, tenant: str) -> bool:
        services, context = self._services, _context(tenant)
        systems = services.configurations.of(tenant).systems
        tasks = services.desk.tasks
        if self._stopping or not await services.database.look(context, lambda tx: tasks.waiting(tx, systems)):
            return False
        taken = await services.database.run_alone(context, lambda tx: tasks.take(tx, systems, _AT_ONCE, _LEASE_S))
        for task in taken:
            await self._one(tenant, systems[task.system], task)
        return bool(taken)

    async def _one(self, tenant: str, system: System, task: TaskView) -> None:
        reads = task.kind in READING
        try:
            url = self._url(tenant, system.name)
            if url is None:
                raise Refused("no-secret", passing=True)
            statements = system.statements.get(task.kind, ())
            if not statements:
                # The manifest changed since the task was made. Nothing done must not read as done.
                raise Refused("no-statement")
            ran = await carry_out(url, statements, task.identify, reads=reads, most_rows=system.most_rows)
        except Refused as refused:
            self._services.log.info("system refused", system=system.name, why=refused.word)
            await self._refused(tenant, task, refused)
            return
        await self._answer(tenant, task, ran, reads=reads)

    async def _answer(self, tenant: str, task: TaskView, ran: Ran, *, reads: bool) -> None:
        services = self._services
        answer = Answered(request=task.request, count=ran.count, data=ran.found if reads else None)

        def unit(tx: Tx) -> Work[TaskView]:
            systems = services.configurations.of(tenant).systems
            return services.desk.tasks.answers.done(tx, systems, task.task, answer)

        try:
            await services.database.run_alone(_context(tenant), unit)
        except TooLarge:
            await self._refused(tenant, task, Refused("too-much-data"))
        except (UnknownTask, Conflict):
            # An officer closed without it meanwhile; what was done there stays done.
            return
        await services.database.tidy()

    async def _refused(self, tenant: str, task: TaskView, refused: Refused) -> None:
        services, context = self._services, _context(tenant)
        again = next_try(task.attempts, context.at) if refused.passing else None
        answer = Answered(request=task.request, reason=" ".join(filter(None, (refused.word, refused.statement))))

        def unit(tx: Tx) -> Work[None]:
            systems = services.configurations.of(tenant).systems
            if again is not None:
                yield from services.desk.tasks.put_off(tx, task.task, again)
            else:
                yield from services.desk.tasks.answers.failed(tx, systems, task.task, answer)

        try:
            await services.database.run_alone(context, unit)
        except (UnknownTask, Conflict):
            return

    def _url(self, tenant: str, system: str) -> str | None:
        return url_of(tenant, system, self._services.settings.key_folder)


def _context(tenant: str) -> Context:
    return Context(tenant, SYSTEM, now(), new_id("req"))
