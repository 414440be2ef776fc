"""One stranger's window: everything that it asks of the network, and everything that is stored in it, step by step."""

from time import time
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from sayso.server.site_check.chromium import CannotCheck, within
from sayso.server.site_check.report import (
    Asked,
    Cookie,
    Kind,
    Seen,
    Stored,
    address_of,
    counted,
    host_of,
    is_own,
    is_pixel,
    party_of,
)

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Frame, Page, Request, Response, WebSocket

_WORD_S = 3
_SMALL = 2_000
_KINDS: dict[str, Kind] = {
    "script": "script",
    "stylesheet": "style",
    "image": "image",
    "ping": "beacon",
    "font": "font",
    "document": "frame",
    "xhr": "data",
    "fetch": "data",
    "eventsource": "data",
    "websocket": "socket",
    "media": "media",
}
_STORAGE = """async () => ({
  localStorage: Object.keys(localStorage),
  sessionStorage: Object.keys(sessionStorage),
  indexedDB: (await indexedDB.databases()).map(({ name }) => name),
})"""


class Window:
    """A fresh context with one page in it. Windows that the page opens are closed at once."""

    def __init__(self, context: "BrowserContext", page: "Page") -> None:
        self._context = context
        self._requests: list[Request] = []
        self._responses: dict[Request, Response] = {}
        self._sockets: list[str] = []
        self.page = page
        self.final_url = ""
        self.redirects: list[str] = []
        self.notes: list[str] = []
        context.on("request", self._asked)
        context.on("response", self._answered)
        context.on("page", self._opened)
        page.on("websocket", self._connected)

    @classmethod
    async def of(cls, context: "BrowserContext") -> Self:
        """The window of a fresh context."""
        return cls(context, await context.new_page())

    async def visit(self, url: str, seconds: int) -> None:
        """Go to a page. Raises `CannotCheck` when there is none."""
        from playwright.async_api import Error

        try:
            response = await self.page.goto(url, wait_until="commit", timeout=seconds * 1000)
        except Error as error:
            raise CannotCheck("site-not-checked", _why(error.message, seconds)) from None
        if response is None or response.status >= 400:
            status = response.status if response else "nothing"
            raise CannotCheck("site-not-checked", f"The page answered {status}.")
        try:
            await self.page.wait_for_load_state("load", timeout=seconds * 1000)
        except Error:
            self.notes.append(f"The page was not loaded after {seconds} seconds; what came until then counts.")
        self.final_url = response.url
        request = response.request.redirected_from
        while request is not None:
            self.redirects.insert(0, address_of(request.url))
            request = request.redirected_from

    def settled(self) -> None:
        """Note where the page's own script or markup has forwarded the visitor meanwhile."""
        if self.page.url.partition("#")[0] != self.final_url.partition("#")[0]:
            self.redirects.append(address_of(self.final_url))
        self.final_url = self.page.url

    def next_step(self) -> None:
        """What was asked for until now belongs to the step before."""
        self._requests.clear()
        self._sockets.clear()

    async def seen(self, sayso: str) -> Seen:
        """What came in this step. What the banner itself does (`sayso`: where its calls go) is left out."""
        asked: list[Asked] = []
        tried: list[Cookie] = []
        for request in list(self._requests):
            if urlsplit(request.url).scheme not in ("http", "https") or (sayso and request.url.startswith(sayso)):
                continue
            if self._is_page(request):
                continue
            kind, foreign = await self._kind(request), not is_own(host_of(request.url), self._host)
            if foreign or kind in ("beacon", "pixel"):
                asked.append(Asked(host_of(request.url), address_of(request.url), kind, foreign))
            if foreign:
                tried += await self._offered(request)
        for url in self._sockets:
            if not is_own(host_of(url), self._host):
                asked.append(Asked(host_of(url), address_of(url), "socket", foreign=True))
        kept = await self._cookies()
        held = {(each.name, each.domain.lstrip(".")) for each in kept}
        refused = {each: None for each in tried if (each.name, each.domain) not in held}
        return Seen(counted(asked), (*kept, *refused), await self._storage())

    async def script_with(self, mark: bytes) -> tuple[str, bytes] | None:
        """Address and text of the loaded script that holds a mark."""
        for request, response in list(self._responses.items()):
            if request.resource_type == "script":
                body = await within(_WORD_S, response.body())
                if body and mark in body:
                    return request.url, body
        return None

    async def ask(self, url: str, seconds: int) -> dict[str, Any] | None:
        """The JSON object at an address, if there is one; asked for beside the page."""
        answer = await within(seconds, self._context.request.get(url, timeout=seconds * 1000))
        if answer is None or not answer.ok:
            return None
        try:
            found = await answer.json()
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    async def close(self) -> None:
        """Away with all of it."""
        await within(_WORD_S, self._context.close())

    @property
    def _host(self) -> str:
        return host_of(self.final_url)

    def _is_page(self, request: "Request") -> bool:
        """Whether this is the page itself, or what forwarded to it."""
        from playwright.async_api import Error

        try:
            return request.is_navigation_request() and request.frame == self.page.main_frame
        except Error:
            return False  # asked for by a service worker, which has no frame

    async def _kind(self, request: "Request") -> Kind:
        kind = _KINDS.get(request.resource_type, "other")
        response = self._responses.get(request)
        if kind != "image" or response is None:
            return kind
        stated = response.headers.get("content-length", "")
        length = int(stated) if stated.isdecimal() else None
        small = length is None or length <= _SMALL
        body = await within(_WORD_S, response.body()) if small and response.status != 204 else b""
        return "pixel" if is_pixel(response.status, length, body or b"") else kind

    async def _offered(self, request: "Request") -> list[Cookie]:
        """Cookies that a foreign host tried to set, whether or not the browser took them."""
        response = self._responses.get(request)
        headers = await within(_WORD_S, response.headers_array()) if response is not None else None
        found = []
        for header in headers or ():
            if header["name"].lower() == "set-cookie":
                for line in header["value"].split("\n"):
                    name = line.partition(";")[0].partition("=")[0].strip()
                    found.append(Cookie(name, host_of(request.url), "third", None, kept=False))
        return found

    async def _cookies(self) -> tuple[Cookie, ...]:
        now = time()
        found = []
        for each in await within(_WORD_S, self._context.cookies()) or ():
            name, domain, ends = each.get("name", ""), each.get("domain", ""), each.get("expires", -1)
            if not name.startswith("sayso_"):
                lasts = None if ends < 0 else max(0, round(ends - now))
                found.append(Cookie(name, domain, party_of(domain, self._host), lasts))
        return tuple(found)

    async def _storage(self) -> tuple[Stored, ...]:
        found: dict[Stored, None] = {}
        for frame in self.page.frames:
            held = await within(_WORD_S, self._held(frame))
            for place, names in (held or {}).items():
                for name in names:
                    if not name.startswith("sayso."):
                        found[Stored(place, host_of(frame.url), name)] = None
        return tuple(found)

    async def _held(self, frame: "Frame") -> dict[Any, list[str]]:
        held: dict[Any, list[str]] = await frame.evaluate(_STORAGE)
        return held

    def _asked(self, request: "Request") -> None:
        self._requests.append(request)

    def _answered(self, response: "Response") -> None:
        self._responses[response.request] = response

    def _connected(self, socket: "WebSocket") -> None:
        self._sockets.append(socket.url)

    async def _opened(self, page: "Page") -> None:
        if page is not self.page:
            await within(_WORD_S, page.close())


def _why(message: str, seconds: int) -> str:
    """What a browser says of an address it cannot open, without the address."""
    if "Timeout" in message:
        return f"The page did not answer within {seconds} seconds."
    if "ERR_HTTP_RESPONSE_CODE_FAILURE" in message:
        return "The page answered an error and nothing else."
    if "Download is starting" in message:
        return "The address is a file to download, not a page."
    code = next((word.strip(" ;,.") for word in message.split() if word.startswith("net::")), "an error")
    return f"The browser could not open the page ({code})."
