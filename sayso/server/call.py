"""One call, as a route sees it: who, for which brand, and three ways to have a unit of work run."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, TypeVar

import msgspec

from sayso.kernel import Context, Tx, Unit, Work
from sayso.server import idempotency
from sayso.server.callers.auth import Principal, no_credential
from sayso.server.idempotency import Answer
from sayso.server.manifests.configuration import Configuration
from sayso.server.wiring import Services

T = TypeVar("T")

_encode = msgspec.json.Encoder().encode


class Call:
    """What the door knows about one request. Made once, after the caller was admitted."""

    __slots__ = ("context", "idempotency_key", "operation", "principal", "services")

    def __init__(
        self, services: Services, principal: Principal, request: str, operation: str, idempotency_key: str | None = None
    ) -> None:
        self.services = services
        self.principal = principal
        self.context: Context = principal.context(request)
        self.operation = operation
        self.idempotency_key = idempotency_key

    def later(self) -> Call:
        """The same call at the present instant: each part of an answer that a slow reader draws out is decided anew."""
        return Call(self.services, self.principal, self.context.request, self.operation)

    @property
    def tenant(self) -> str:
        return self.context.tenant

    @property
    def configuration(self) -> Configuration:
        """The brand's configuration. Read it inside a unit: there it is as new as what the unit reads."""
        return self.services.configurations.of(self.context.tenant)

    def run(self, unit: Unit[T]) -> Awaitable[T]:
        """Hot: in a shared flush."""
        return self.services.database.run(self.context, self._checked(unit))

    async def alone(self, unit: Unit[T]) -> T:
        """Cold: in a transaction of its own. What it changed of the configuration is in force here when it returns."""
        done = await self.services.database.run_alone(self.context, self._checked(unit))
        await self.services.configurations.refresh(self.tenant)
        return done

    async def look(self, unit: Unit[T]) -> T:
        """Read only."""
        return await self.services.database.look(self.context, self._checked(unit))

    async def create(self, unit: Unit[Any], body: bytes, *, status: int = 201, alone: bool = False) -> Answer:
        """Run a unit that creates something, once per Idempotency-Key, and encode what it answers."""

        def work(tx: Tx) -> Work[Answer]:
            made = yield from unit(tx)
            return made if isinstance(made, Answer) else Answer(status, _encode(made))

        ran: list[Tx] = []

        def noted(unit: Unit[Answer]) -> Unit[Answer]:
            def noting(tx: Tx) -> Work[Answer]:
                ran.append(tx)
                return unit(tx)

            return noting

        run = self.alone if alone else self.run
        services = self.services
        client, route = self.principal.actor.id, self.operation
        place = idempotency.slot(services.keyring, self.tenant, client, route, self.idempotency_key, body)
        if place is None:
            return self._told(await run(noted(work)), ran[-1])
        services.running.enter(place)
        try:
            return self._told(await run(noted(idempotency.once(place, work))), ran[-1])
        finally:
            services.running.leave(place)

    def _told(self, answer: Answer, tx: Tx) -> Answer:
        """With its position, for whoever holds a key. How many changes a brand sees is no visitor's to know."""
        return answer.at(tx.seq) if self.principal.fingerprint else answer

    def _checked(self, unit: Unit[T]) -> Unit[T]:
        """`unit`, refused when the caller's key was revoked since it was admitted."""
        principal, principals = self.principal, self.services.principals

        def checked(tx: Tx) -> Work[T]:
            if not principals.still(principal):
                raise no_credential()
            return unit(tx)

        return checked
