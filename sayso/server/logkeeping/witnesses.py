"""Witnesses as this installation has them: those that cosign its logs, and what it cosigns for others.

Both are the operator's: files that the settings name, read once at the start.
"""

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from audit import (
    Answer,
    Head,
    Lap,
    Quorum,
    WitnessDesk,
    Witnessing,
    WitnessKey,
    by_origin,
    read_quorum,
)
from sayso.kernel import SYSTEM, Context, Invalid, now
from sayso.server.settings import Settings
from sayso.server.tenancy import DEFAULT

if TYPE_CHECKING:
    from sayso.server.wiring import Services

COSIGNED = "cosigned"
"""Outside the database, in the key folder: remembers which heads of others' logs this installation cosigned."""

LONGEST_ANSWER = 1 << 16
"""Bytes of a witness's answer that are read."""


class Witnesses:
    """The witnesses of our logs. Without a policy there are none, and nothing is asked."""

    def __init__(self, services: "Services") -> None:
        self._services = services
        settings = services.settings
        self.desk = _desk(services)
        self._client: httpx.AsyncClient | None = None
        self._timeout = float(settings.witness_timeout)
        self._hurry = asyncio.Event()
        self._met_at: float | None = None
        self._refusals = 0
        self._done: set[tuple[str, str]] = set()
        policy = _policy(settings)
        self.witnessing = Witnessing(policy, self._submit) if policy is not None else None
        if self.witnessing is not None:
            services.audit.remember_by(self._remembered)

    async def round(self) -> None:
        """Have the newest checkpoint of each log cosigned."""
        if self.witnessing is None:
            return
        for tenant in self._services.configurations.tenants():
            context = Context(tenant, SYSTEM, now(), "witness")
            for log, ended in await self._services.database.look(context, self._services.audit.shown):
                if (tenant, log) in self._done:
                    continue
                lap = await self.witnessing.round(self._services.database, context, log)
                if lap is not None:
                    await self._report(tenant, lap)
                elif ended:
                    # A closed log has its last checkpoint, and that has its witnesses.
                    self._done.add((tenant, log))

    async def pause(self, ended: asyncio.Event) -> None:
        """Until the next round: `witness_every` seconds, less when somebody waits."""
        hurry, end = (asyncio.ensure_future(event.wait()) for event in (self._hurry, ended))
        seconds = self._services.settings.witness_every
        try:
            await asyncio.wait((hurry, end), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._hurry.clear()
            hurry.cancel()
            end.cancel()

    def hurry(self) -> None:
        """Somebody waits for witnesses."""
        self._hurry.set()

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    @property
    def keys(self) -> list[WitnessKey]:
        """The keys of the witnesses in our policy."""
        return [each.key for each in self.witnessing.quorum.witnesses] if self.witnessing is not None else []

    @property
    def lag(self) -> float:
        """Seconds since a checkpoint last met the quorum, or was first refused it; 0 without witnesses."""
        return time.monotonic() - self._met_at if self._met_at is not None else 0.0

    @property
    def refusals(self) -> float:
        """How often a witness refused a checkpoint of ours: it saw another history, or does not know the log."""
        return float(self._refusals)

    async def _report(self, tenant: str, lap: Lap) -> None:
        if lap.met or self._met_at is None:
            self._met_at = time.monotonic()
        for refused in lap.refused:
            self._refusals += 1
            self._services.log.warning(
                "a witness refused a checkpoint",
                tenant=tenant,
                witness=refused.witness,
                reason=refused.reason,
                size=lap.size,
            )
        if lap.refused:
            # What it saw instead counts when our own key signed it: then the next round compares, and stops the log.
            for head in await self._shown(tenant, lap.log):
                self._services.audit.observed(tenant, lap.log, head)

    async def _submit(self, address: str, body: bytes | None) -> Answer | None:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=self._timeout, follow_redirects=False)
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._client.stream("GET" if body is None else "POST", address, content=body) as response,
            ):
                content = b""
                async for piece in response.aiter_bytes():
                    content += piece
                    if len(content) > LONGEST_ANSWER:
                        return None
                return Answer(response.status_code, content, response.headers.get("content-type", ""))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError):
            return None

    async def _remembered(self, tenant: str, log: str) -> Head | None:
        return max(await self._shown(tenant, log), default=None)

    async def _shown(self, tenant: str, log: str) -> list[Head]:
        """The heads of a log that its witnesses show. Also of a log that this database does not know: a database that
        lost it must not begin it anew.
        """
        services, context = self._services, Context(tenant, SYSTEM, now(), "witness")
        keys = await services.database.look(context, lambda tx: services.audit.keys_of(tx, log))
        return await self.witnessing.shown(keys) if self.witnessing is not None else []


def _policy(settings: Settings) -> Quorum | None:
    if not settings.witness_policy:
        return None
    try:
        return read_quorum(Path(settings.witness_policy).read_bytes())
    except (OSError, ValueError) as error:
        raise Invalid("invalid-setting", f"The policy in witness_policy cannot be used: {_why(error)}.") from None


def _desk(services: "Services") -> WitnessDesk:
    settings, lines = services.settings, list[str]()
    try:
        if settings.witness_logs:
            lines = Path(settings.witness_logs).read_text("utf-8").splitlines()
        trusted = by_origin(lines)
    except (OSError, ValueError) as error:
        raise Invalid("invalid-setting", f"The keys in witness_logs cannot be used: {_why(error)}.") from None
    name, anchor = f"{settings.log_origin}/witness", settings.key_folder / COSIGNED
    return WitnessDesk(services.keyring, DEFAULT, name, trusted, anchor)


def _why(error: Exception) -> str:
    return "the file cannot be read" if isinstance(error, OSError) else str(error)
