"""A site that serves the rendered samples, the built files and the banner under the real headers, and notes what it is
sent."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from sayso.server.pages import BANNER_HEADERS, MEDIA_TYPES, PAGE_HEADERS, STATIC, STATIC_HEADERS, assets, banner_script

from .log import Log
from .sample_pages import all_pages
from .samples import a_banner


@dataclass
class Received:
    """One request with a body."""

    path: str
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> dict[str, Any]:
        decoded: dict[str, Any] = json.loads(self.body)
        return decoded


@dataclass
class Site:
    """What the server answers, changeable while it runs.

    `status` is the answer to submissions, first to last, then 201. `headers` of a path stand over the usual ones.
    """

    address: str = ""
    received: list[Received] = field(default_factory=list)
    status: list[int] = field(default_factory=list)
    banner: dict[str, Any] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    theme: str = "system"
    log: Log = field(default_factory=Log)
    proof: dict[str, Any] | None = None

    def page(self, target: str, locale: str) -> str | None:
        if target in self.pages:
            return self.pages[target]
        return _rendered(locale, self.theme).get(target)

    def answer(self, target: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body for a GET."""
        url = urlsplit(target)
        query = parse_qs(url.query, keep_blank_values=True)
        locale = query.get("lang", ["en"])[0]
        if url.path.startswith("/static/"):
            return _static(url.path.removeprefix("/static/"))
        if url.path.startswith("/v1/sites/shop/banner."):
            return self._banner(url.path, query.get("locale", ["en"])[0])
        if url.path.endswith("/proof"):
            return 200, JSON, json.dumps(self.proof or self.log.bundle(3)).encode()
        if url.path == "/.well-known/jwks.json":
            return 200, JSON, json.dumps({"keys": [self.log.jwk]}).encode()
        html = self.page(target.replace(f"lang={locale}", "").rstrip("?&"), locale)
        headers = PAGE_HEADERS | self.headers.get(url.path, {})
        return (404, {}, b"") if html is None else (200, headers, html.encode())

    def _banner(self, path: str, locale: str) -> tuple[int, dict[str, str], bytes]:
        if path.endswith(".js"):
            return 200, {**BANNER_HEADERS, "cache-control": "no-store"}, banner_script(a_banner(locale, **self.banner))
        fresh = a_banner(locale, **{**self.banner, "token": "fresh-token"})
        return 200, JSON, msgspec.json.encode(fresh)


JSON = {"content-type": "application/json"}


@cache
def _rendered(locale: str, theme: str) -> dict[str, str]:
    """Every sample by its path. Rendered once: they are the same each time, and there are many."""
    frame = {} if theme == "system" else {"theme": theme}
    return {sample.path: sample.html for sample in all_pages(locale, **frame)}


def _static(name: str) -> tuple[int, dict[str, str], bytes]:
    if name not in assets().values():
        return 404, {}, b""
    media = MEDIA_TYPES[name[name.rindex(".") :]]
    return 200, {**STATIC_HEADERS, "content-type": media}, (STATIC / name).read_bytes()


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """The tests speak for themselves."""

        def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self.answer(*site.answer(self.path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0"))).decode()
            site.received.append(
                Received(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            )
            if self.path.endswith(("/choices", "/signals")) and self.path.startswith("/v1/"):
                status = site.status.pop(0) if site.status else 201
                recorded = {"record": "cns_1", "receipt": "a.b.c", "entry": "ent_1"}
                self.answer(status, JSON, json.dumps(recorded).encode())
            else:
                self.answer(303, {"location": "/p/you"}, b"")

    return Handler


@contextmanager
def serving() -> Iterator[Site]:
    """The site on a free port of this machine."""
    site = Site()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(site))
    server.daemon_threads = True
    site.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
