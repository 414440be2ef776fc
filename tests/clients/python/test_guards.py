"""Guards of Litestar, Starlette and FastAPI: without a permit the handler does not run."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
import pytest
import pytest_asyncio
from fastapi import Depends, FastAPI
from litestar import Litestar
from litestar import Request as LitestarRequest
from litestar import get as litestar_get
from sayso_client import AsyncSayso, Decision, Identifier, Notify, RecordConsent, Relation
from sayso_client import litestar as for_litestar
from sayso_client import starlette as for_starlette
from sayso_client.asking import from_header, from_path, from_query
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.clients.python.conftest import Shop

PHONE = {
    "action": "reveal",
    "category": "contact.phone",
    "purpose": "support",
    "subject": from_path("person"),
    "case": from_query("case"),
}
NEWS = {
    "action": "use",
    "category": "contact.email",
    "purpose": "marketing.email",
    "subject": from_header("x-person"),
    "channel": "email",
}
ran: list[str] = []


def shown(permit: Decision) -> dict[str, Any]:
    ran.append(permit.entry)
    return {"reason": permit.reason, "entry": permit.entry}


def litestar_app(say: AsyncSayso, *, installed: bool = True) -> Any:
    @litestar_get("/people/{person:str}/phone", guards=[for_litestar.requires(**PHONE)], sync_to_thread=False)
    def phone(request: LitestarRequest[Any, Any, Any]) -> dict[str, Any]:
        return shown(for_litestar.decision_of(request))

    @litestar_get("/news", guards=[for_litestar.requires(**NEWS)], sync_to_thread=False)
    def news(request: LitestarRequest[Any, Any, Any]) -> dict[str, Any]:
        return shown(for_litestar.decision_of(request))

    return Litestar([phone, news], plugins=[for_litestar.SaysoPlugin(say)] if installed else [], logging_config=None)


def starlette_app(say: AsyncSayso, *, installed: bool = True) -> Any:
    @for_starlette.requires(**PHONE).endpoint
    async def phone(request: Request) -> JSONResponse:
        return JSONResponse(shown(for_starlette.decision_of(request)))

    @for_starlette.requires(**NEWS).endpoint
    async def news(request: Request) -> JSONResponse:
        return JSONResponse(shown(for_starlette.decision_of(request)))

    app = Starlette(routes=[Route("/people/{person}/phone", phone), Route("/news", news)])
    if installed:
        for_starlette.install(app, say)
    return app


def fastapi_app(say: AsyncSayso, *, installed: bool = True) -> Any:
    app = FastAPI()
    if installed:
        for_starlette.install(app, say)

    @app.get("/people/{person}/phone")
    async def phone(
        person: str, permit: Annotated[Decision, Depends(for_starlette.requires(**PHONE))]
    ) -> dict[str, Any]:
        return shown(permit)

    @app.get("/news", dependencies=[Depends(for_starlette.requires(**NEWS))])
    async def news(request: Request) -> dict[str, Any]:
        return shown(for_starlette.decision_of(request))

    return app


APPS = {"litestar": litestar_app, "starlette": starlette_app, "fastapi": fastapi_app}


@pytest_asyncio.fixture
async def agent(small_shop: Shop) -> AsyncIterator[AsyncSayso]:
    ran.clear()
    yield await small_shop.say("desk", "care_agent", "newsletter", handlers={Notify: lambda _duty, _question: None})


def client(app: Any) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://desk.example")


async def test_a_handler_runs_with_a_permit_and_with_nothing_else(small_shop: Shop, agent: AsyncSayso) -> None:
    admin = await small_shop.say("admin")
    subject = (await admin.resolve(Identifier("customer_id", "c-1"), create=True)).subject
    for name, made in APPS.items():
        ran.clear()
        case = f"case-{name}"
        async with client(made(agent)) as desk:
            address = f"/people/{subject}/phone"
            refused = await desk.get(address, params={"case": case})
            assert (refused.status_code, ran) == (403, []), name
            assert refused.headers["content-type"] == "application/problem+json"
            assert refused.json()["reason"] == "no_relation"
            assert refused.json()["status"] == 403
            assert subject not in refused.text
            await admin.relate(subject, case, Relation("case", ("support",)))
            let_in = await desk.get(address, params={"case": case})
            assert (let_in.status_code, let_in.json()["reason"]) == (200, "permitted"), name
            assert ran == [let_in.json()["entry"]]
            other = await desk.get(address, params={"case": "another"})
            assert (other.status_code, other.json()["reason"]) == (403, "no_relation")
            assert (await desk.get("/people/c-1/phone", params={"case": case})).json()["reason"] == "no_subject"


async def test_a_channel_is_part_of_what_is_asked(small_shop: Shop, agent: AsyncSayso) -> None:
    admin = await small_shop.say("admin")
    subject = (await admin.resolve(Identifier("customer_id", "c-1"), create=True)).subject
    yes = {"marketing.email": "granted"}
    await admin.record(RecordConsent(subject=subject, notice="web", notice_version=1, locale="en", choices=yes))
    for name, made in APPS.items():
        async with client(made(agent)) as desk:
            assert (await desk.get("/news", headers={"x-person": subject})).status_code == 200, name
            assert (await desk.get("/news")).json()["reason"] == "no_subject", name


async def test_without_an_answer_without_a_client_without_a_handler_nothing_runs(
    small_shop: Shop, agent: AsyncSayso
) -> None:
    admin = await small_shop.say("admin")
    subject = (await admin.resolve(Identifier("customer_id", "c-1"), create=True)).subject
    await admin.relate(subject, "case-1", Relation("case", ("support",)))
    address = f"/people/{subject}/phone?case=case-1"
    nowhere = AsyncSayso("http://127.0.0.1:9", "sk_x", name="desk", retries=0)
    careless = await small_shop.say("careless", "care_agent")
    for name, made in APPS.items():
        async with client(made(nowhere)) as desk:
            answer = await desk.get(address)
            assert (answer.status_code, answer.json()["reason"]) == (403, "unreachable"), name
        async with client(made(careless)) as desk:
            assert (await desk.get(address)).json()["reason"] == "unsupported_obligation", name
        async with client(made(agent, installed=False)) as desk:
            assert (await desk.get(address)).status_code == 500, name
    await nowhere.aclose()
    assert ran == []


def test_a_route_that_requires_nothing_has_no_decision() -> None:
    with pytest.raises(LookupError):
        for_starlette.decision_of(Request({"type": "http", "state": {}}))
