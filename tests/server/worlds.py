"""A whole Sayso in this process: a real store, the real application, clients that speak HTTP to it."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx
import pytest
from litestar.types import ASGIApp

from sayso.server import mail
from sayso.server.app import assemble, running
from sayso.server.connectors import runner
from sayso.server.door import OperatorDoor
from sayso.server.drp import callbacks
from sayso.server.logkeeping import timestamping
from sayso.server.running.founding import NewTenant, found
from sayso.server.settings import Settings
from sayso.server.wiring import Services, wire
from vault import SealedFile

MANIFEST = Path(__file__).parent.parent / "server" / "manifest.yaml"


SUBJECT = re.compile("sub_[0-9a-f]{8}")
"""A person's id as it may not leave. What is signed is random letters among which the first four may stand."""

T = TypeVar("T")


class World:
    """One running installation. `admin` speaks for the brand's administrator, `operator` through the local door."""

    def __init__(self, services: Services, app: ASGIApp, stack: AsyncExitStack, admin_key: str) -> None:
        self.services = services
        self.app = app
        self._stack = stack
        self.admin_key = admin_key
        self.admin: httpx.AsyncClient
        self.operator: httpx.AsyncClient
        self.nobody: httpx.AsyncClient

    async def enter(self) -> Self:
        self.admin = await self.client(self.admin_key)
        self.nobody = await self.client(None)
        self.operator = await self._client(OperatorDoor(self.app), {"sayso-tenant": "default"})
        return self

    async def client(self, key: str | None, **headers: str) -> httpx.AsyncClient:
        """A client with this API key."""
        named = {"authorization": f"Bearer {key}"} if key is not None else {}
        return await self._client(self.app, named | headers)

    async def key(self, name: str, *roles: str, **more: Any) -> httpx.AsyncClient:
        """A new API client in these roles."""
        response = await self.admin.post("/v1/keys", json={"name": name, "roles": roles, **more})
        assert response.status_code == 201, response.text
        return await self.client(response.json()["key"])

    async def apply(self, content: str, *, client: httpx.AsyncClient | None = None, **more: bool) -> httpx.Response:
        """Apply one file."""
        body = {"files": [{"name": "test.yaml", "content": content}], **more}
        return await (client or self.admin).post("/v1/manifest", json=body)

    async def smallest(self) -> None:
        """The contract's smallest manifest, live."""
        response = await self.apply(MANIFEST.read_text("utf-8"))
        assert response.status_code == 200, response.text

    async def person(self, value: str = "c-1", kind: str = "customer_id") -> str:
        """A person behind an identifier."""
        body = {"identifier": {"type": kind, "value": value}, "create": True}
        response = await self.admin.post("/v1/subjects/resolve", json=body)
        assert response.status_code == 200, response.text
        subject: str = response.json()["subject"]
        return subject

    async def choose(self, subject: str, **more: Any) -> httpx.Response:
        """Record a choice on the notice `web`."""
        body = {
            "subject": subject,
            "notice": "web",
            "notice_version": 1,
            "locale": "en",
            "choices": {"marketing.email": "granted"},
            "method": "api",
        }
        return await self.admin.post("/v1/consents", json=body | more)

    async def _client(self, app: ASGIApp, headers: dict[str, str]) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
        client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080", headers=headers)
        return await self._stack.enter_async_context(client)


async def until(condition: Callable[[], Awaitable[T]], seconds: float = 60) -> T:
    """What it answers, once that is true."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not (found := await condition()):
        assert loop.time() < end, "it never came true"
        await asyncio.sleep(0.03)
    return found


def settings_for(folder: Path, database_url: str, **more: Any) -> Settings:
    """Settings of an installation in `folder`."""
    data = folder / "data"
    data.mkdir(exist_ok=True)
    return Settings(data=str(data), keys=str(folder / "keys"), database=database_url, origin="test.example", **more)


@asynccontextmanager
async def a_world(folder: Path, database_url: str, **more: Any) -> AsyncIterator[World]:
    """A fresh installation with the brand `default`.

    What carries letters, tells systems and agents and has logs stamped does a round when a test says so, and none by
    itself: else it would now and then be under way with the very thing when the test's own round looks for it.
    """
    settings = settings_for(folder, database_url, **more)
    SealedFile.create(settings.key_folder, None)
    services = wire(settings)
    async with AsyncExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for place in (mail, runner, callbacks, timestamping):
            patch.setattr(place, "EVERY", 3_600.0)
        await stack.enter_async_context(running(services))
        made = await found(services, NewTenant("default", "Huangshan & Hale Ltd, Ireland"))
        yield await World(services, assemble(services), stack, made.admin_key).enter()
