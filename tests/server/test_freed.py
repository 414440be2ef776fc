"""What a request held is freed when it is answered: a collector that has to find it stops everybody for a moment."""

import asyncio
import gc
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from sayso.server.whole import WholeProtocol
from tests.server.worlds import World


@asynccontextmanager
async def served(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """The application behind the protocol that `serve` uses, on a socket."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(world.app, http=WholeProtocol, lifespan="off", log_config=None))
    running = asyncio.create_task(server.serve([listener]))
    headers = {"authorization": f"Bearer {world.admin_key}"}
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    try:
        async with httpx.AsyncClient(base_url=url, headers=headers) as client:
            yield client
    finally:
        server.should_exit = True
        await running


@pytest.mark.parametrize("path", ["/access/v1/evaluation", "/v1/purposes"], ids=["a hot call", "another"])
async def test_an_answered_request_leaves_nothing_behind(lite: World, path: str) -> None:
    await lite.smallest()
    subject = await lite.person()
    question = {
        "subject": {"type": "service", "id": "mailer"},
        "action": {"name": "use"},
        "resource": {"type": "contact.email", "id": subject},
        "context": {"purpose": "marketing.email"},
    }
    async with served(lite) as client:
        gc.collect()
        gc.disable()
        try:
            for _ in range(20):
                answer = await (client.post(path, json=question) if "evaluation" in path else client.get(path))
                assert answer.status_code == 200, answer.text
            held = [each for each in gc.get_objects() if isinstance(each, RequestResponseCycle)]
        finally:
            gc.enable()
    assert len(held) <= 2, "the connection keeps its last request; every other one is to be gone"
