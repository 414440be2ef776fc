"""Built files, the visitor's settings, and the API reference: what needs no account and holds no data."""

import asyncio
import gzip
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath

from sayso.kernel import NotFound
from sayso.server.openapi import described
from sayso.server.packing import accepts_gzip
from sayso.server.pages import (
    LOCALES,
    MEDIA_TYPES,
    STATIC,
    STATIC_HEADERS,
    DocsPage,
    assets,
    render_docs,
    safe_back,
)
from sayso.server.routes.gate import public, services_of
from sayso.server.routes.html import LOCALE_COOKIE, THEME_COOKIE, first, form, frame, html, see

YEAR = 365 * 24 * 3600


class NoSuchFile(NotFound):
    """No built file of that name."""


@get("/static/{file:str}", opt=public("scripts, styles and fonts"), operation_id="static.file", include_in_schema=False)
async def static(request: Request[Any, Any, Any], file: FromPath[str]) -> Response[bytes]:
    """A built file. Its name carries the hash of its content, so it may be kept for ever."""
    content = _files().get(file)
    if content is None:
        raise NoSuchFile("not-found", "There is no such file.")
    kind = MEDIA_TYPES.get(Path(file).suffix, "application/octet-stream").removesuffix("; charset=utf-8")
    packed = _packed().get(file) if accepts_gzip(request.headers.get("accept-encoding", "").encode("latin-1")) else None
    headers = STATIC_HEADERS | ({"content-encoding": "gzip"} if packed else {})
    return Response(packed or content, media_type=kind, headers=headers)


@get("/", opt=public("it shows nothing and leads on"), operation_id="pages.start", include_in_schema=False)
async def start(request: Request[Any, Any, Any]) -> Response[None]:
    """To the demo's shop, else to the preference page."""
    return see("/demo/" if services_of(request).settings.demo else "/p/")


@get("/favicon.ico", opt=public("browsers ask for it"), operation_id="static.favicon", include_in_schema=False)
async def favicon() -> Response[None]:
    """The mark."""
    return see(f"/static/{assets()['mark.svg']}")


@post(
    "/settings",
    opt=public("language and light of the pages, kept in the visitor's own browser"),
    operation_id="pages.settings",
    include_in_schema=False,
    dto=None,
)
async def settings(request: Request[Any, Any, Any]) -> Response[None]:
    """Language and light of the pages."""
    values = await form(request)
    theme, locale = first(values, "theme"), first(values, "locale")
    cookies: list[Cookie] = []
    if theme in ("light", "dark", "system"):
        cookies.append(_choice(THEME_COOKIE, theme if theme != "system" else ""))
    if locale in LOCALES:
        cookies.append(_choice(LOCALE_COOKIE, locale))
    return see(safe_back(first(values, "back")), cookies=cookies)


@get("/docs", opt=public("what can be called is no secret"), operation_id="docs.page", include_in_schema=False)
async def docs(request: Request[Any, Any, Any]) -> Response[str]:
    """The API reference."""
    base = services_of(request).settings.base_url
    spec = await asyncio.to_thread(described)
    return html(render_docs(DocsPage(frame=frame(request), spec=spec, base_url=base)))


@get(
    "/docs/openapi.json",
    opt=public("what can be called is no secret"),
    operation_id="docs.openapi",
    include_in_schema=False,
)
async def openapi() -> Response[bytes]:
    """The API as OpenAPI 3.1."""
    return Response(msgspec.json.encode(await asyncio.to_thread(described)), media_type="application/json")


@get(
    "/docs/problems", opt=public("problem documents point here"), operation_id="docs.problems", include_in_schema=False
)
async def problems() -> Response[None]:
    """What a problem's `type` leads to: the reference, where each call lists how it fails."""
    return see("/docs")


def _choice(name: str, value: str) -> Cookie:
    return Cookie(key=name, value=value, path="/", max_age=YEAR if value else 0, samesite="lax", httponly=True)


@cache
def _files() -> dict[str, bytes]:
    return {name: (STATIC / name).read_bytes() for name in assets().values()}


@cache
def _packed() -> dict[str, bytes]:
    """Those that become shorter: fonts are compressed already."""
    made = {name: gzip.compress(content, 9, mtime=0) for name, content in _files().items()}
    return {name: packed for name, packed in made.items() if len(packed) < len(_files()[name])}


handlers: list[BaseRouteHandler] = [start, static, favicon, settings, docs, openapi, problems]
