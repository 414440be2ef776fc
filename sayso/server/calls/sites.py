"""What browsers of visitors ask and send, without a key: the bodies and the units, and the two calls that are hot.

A short-lived token, the page's origin and rate limits stand in for a credential (design 6, rule 7).
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b, sha256
from typing import Annotated, Any, Final, NamedTuple
from urllib.parse import parse_qsl

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from consent import Act, DirectiveState, Evidence, Identifier, Signal, Submission
from sayso.kernel import Actor, Denied, NotFound, SaysoError, Tx, Work, now
from sayso.server import store
from sayso.server.brand.browsers import Browser
from sayso.server.brand.opting import GPC
from sayso.server.call import Call
from sayso.server.callers import site_token
from sayso.server.callers.auth import Principal
from sayso.server.callers.sessions import NONCE
from sayso.server.door import HEADERS
from sayso.server.idempotency import Answer
from sayso.server.manifests.configuration import Configuration
from sayso.server.manifests.sites import Site
from sayso.server.pages import BANNER_HEADERS
from sayso.server.tenancy import DEFAULT
from sayso.server.wiring import Services

Word = Annotated[str, Meta(max_length=128)]
_LONGEST_QUERY: Final = 100


class UnknownSite(NotFound):
    """No site of that name, in any brand."""


class ForeignOrigin(Denied):
    """The page that asks is not one of the site's."""


class SiteChoices(Struct, frozen=True, forbid_unknown_fields=True):
    """What a visitor chose. `device` is random and made by the browser: 22 or more base64url characters.

    `interface` (`banner`, `choices`, `embed`, `hand_over`) and `steps_shown` are kept as evidence, behind the wording's
    mark.
    """

    token: Annotated[str, Meta(max_length=512)]
    device: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{22,128}$")]
    notice: Word
    notice_version: int
    locale: Annotated[str, Meta(max_length=35)]
    choices: dict[Word, Act]
    method: Word = "banner"
    gpc: bool = False
    conflict_shown: bool = False
    interface: Annotated[str, Meta(max_length=128)] = ""
    steps_shown: Annotated[int, Meta(ge=0, le=1_000)] = 0


class Honoured(Struct, frozen=True):
    """The signal is honoured: `purposes` are those it says no to now, `lifted` those granted against it since."""

    purposes: list[str]
    lifted: list[str]
    status: str = "honoured"


class SiteRecorded(Struct, frozen=True):
    """Proof for the visitor. No person's id goes to a browser."""

    record: str
    receipt: str
    entry: str
    gpc: Honoured | UnsetType = UNSET


class Visit(NamedTuple):
    """One request of a browser at a site of a brand."""

    services: Services
    configuration: Configuration
    site: Site
    browser: Browser

    def cors(self) -> dict[str, str]:
        """Headers for the site's own pages; any other page gets none that let it read the answer."""
        varying = {"vary": "origin, sec-gpc"}
        own = self.browser.origin in self.site.origins
        return {"access-control-allow-origin": self.browser.origin} | varying if own else varying

    def demand_origin(self) -> dict[str, str]:
        """The same. Raises `ForeignOrigin` for every other page and for none."""
        if self.browser.origin not in self.site.origins:
            raise ForeignOrigin("foreign-origin", "This page is not one of the site's.")
        return self.cors()

    def demand_rate(self) -> None:
        """Raises `TooFast` for a site or a network that sends too much."""
        tenant, site = self.configuration.tenant, self.site.name
        limiter, settings, at = self.services.limiter, self.services.settings, now()
        limiter.take(f"site {tenant} {site}", settings.site_rate, at)
        limiter.take(f"site {tenant} {site} {self.browser.network}", settings.prefix_rate, at)

    def call(self, operation: str, request: str, idempotency_key: str | None = None) -> Call:
        """The call of whoever sits in front of the browser."""
        visitor = visitor_of(self.configuration.tenant, self.site.name)
        return Call(self.services, visitor, request, operation, idempotency_key)


def visit(services: Services, name: str, scope: Any) -> Visit:
    """The visit behind an ASGI request at the site of this public name. Raises `UnknownSite`."""
    configuration, site = site_of(services, name)
    return Visit(services, configuration, site, Browser(scope, services.settings.trusted_proxies))


def site_of(services: Services, name: str) -> tuple[Configuration, Site]:
    """A site by its public name: `shop` of the brand `default`, `acme.shop` of `acme`. Raises `UnknownSite`."""
    tenant, _, site = name.rpartition(".")
    try:
        configuration = services.configurations.of(tenant or DEFAULT)
    except SaysoError:
        raise _unknown() from None
    found = configuration.sites.get(site)
    if found is None:
        raise _unknown()
    return configuration, found


@lru_cache(maxsize=1024)
def visitor_of(tenant: str, site: str) -> Principal:
    """Whoever sits in front of a browser on this site."""
    mark = blake2b(site.encode(), digest_size=16, person=b"sayso.site").hexdigest()
    return Principal(tenant, Actor(f"site_{mark}", f"site:{site}", "browser", frozenset({"site"}), assurance="device"))


def banner_lines(mark: str, max_age: int, packed: bool) -> dict[str, str]:
    """The headers of a banner's file, compressed or not."""
    # The token inside is one browser's: shared caches must not hand it on. What is compressed is another file with
    # the same meaning (RFC 9110, 8.8.1).
    private = {"etag": f"W/{mark}" if packed else mark, "cache-control": f"private, max-age={max_age}"}
    return {name: value for name, value in BANNER_HEADERS.items() if name != "content-type"} | private


def packing_lines(packed: bool) -> dict[str, str]:
    """What is said of a body that is compressed."""
    return {"content-encoding": "gzip"} if packed else {}


def still_has(asked: str, mark: str) -> bool:
    """Whether `If-None-Match` names this ETag, compared weakly (RFC 9110, 13.1.2): proxies that compress weaken it."""
    return bool(asked) and mark in {each.strip().removeprefix("W/") for each in asked.split(",")}


def banner(services: Services, name: str, scope: Any) -> tuple[int, bytes, bytes] | None:
    """`GET /v1/sites/{site}/banner.js`: status, header lines and body. None for whatever the framework shall answer."""
    wanted = _query(scope["query_string"]) if len(scope["query_string"]) <= _LONGEST_QUERY else None
    if wanted is None:
        return None
    try:
        visited = visit(services, name, scope)
    except UnknownSite:
        return None
    max_age, packed = services.settings.banner_max_age, visited.browser.unpacks
    asked, found = services.asking.of(visited.configuration, visited.site, visited.browser, *wanted)
    had = b",".join(value for name, value in scope["headers"] if name == b"if-none-match")
    if had and still_has(had.decode("latin-1"), found.mark):
        return 304, _lines(found.mark, max_age, 304, packed), b""
    token = services.asking.token(visited.configuration, visited.site, asked)
    body = found.packed_with(token) if packed else found.script_with(token)
    return 200, _lines(found.mark, max_age, 200, packed), body


async def chosen(
    services: Services, name: str, scope: Any, key: str | None, request: str, body: bytes, told: dict[str, str]
) -> Answer:
    """`POST /v1/sites/{site}/choices`, from the body's bytes to the answer's. A browser that refuses everything and is
    unknown stays unknown.

    `told` gets the headers of the answer, whether it is one or an error.
    """
    visited = visit(services, name, scope)
    told |= visited.demand_origin()
    visited.demand_rate()
    data = _choices(body)
    call = visited.call("sites.choose", request, key)
    site = visited.site
    token = site_token.check(services.keyring, call.tenant, site.name, data.token, call.context.at)
    signals = signals_of(visited, data.gpc, data.device)
    # The wording as the token says, not the browser: the token was made for the words that were sent.
    shown = site.wording(token.wording)
    interface = f"{shown.mark(data.locale)}/{data.interface}"[:128] if shown is not None else data.interface
    seen = visited.browser.evidence(interface, data.steps_shown)
    return await call.create(lambda tx: _chosen(call, token, data, signals, seen, tx), body)


def signals_of(visited: Visit, script: bool, device: str) -> tuple[Signal, ...]:
    """The browser's opt-out signal, if it sends one: in the header, or as its script read it."""
    source = "header" if visited.browser.gpc else "script" if script else None
    if source is None:
        return ()
    return (Signal(GPC, source, device.encode(), only_required=visited.site.gpc == "required"),)


def bind(tx: Tx, token: site_token.SiteToken, name: str) -> Work[None]:
    """A token belongs to the device that used it first. Raises `TokenRefused` for any other."""
    device = sha256(name.encode()).digest()[:16]
    mark = site_token.nonce_mark(token)
    (bound,) = yield (tx.get(store.SESSION, mark),)
    if bound is None:
        tx.insert(store.SESSION, mark, NONCE, device, "device", token.until)
    elif bound[1] != device:
        raise site_token.refused()


def gpc_of(directives: list[DirectiveState] | UnsetType) -> Honoured | UnsetType:
    """What a browser is told of its signal: that it is honoured, and for what."""
    for each in directives or []:
        if each.kind == GPC:
            return Honoured(each.purposes, each.lifted)
    return UNSET


def _chosen(
    call: Call, token: site_token.SiteToken, data: SiteChoices, signals: tuple[Signal, ...], seen: Evidence, tx: Tx
) -> Work[SiteRecorded]:
    """Bind the token to the device that uses it first, then record."""
    yield from bind(tx, token, data.device)
    submission = Submission(
        choices=data.choices,
        notice=data.notice,
        notice_version=data.notice_version,
        locale=data.locale,
        method=data.method,
        assurance="device",
        identifier=Identifier("device", data.device),
        evidence=seen,
        signals=signals,
        conflict_shown=data.conflict_shown,
    )
    made = yield from call.services.registry.choose(tx, call.configuration.catalogue, submission)
    return SiteRecorded(made.record, made.receipt, made.entry, gpc_of(made.directives))


_choices = msgspec.json.Decoder(SiteChoices).decode


@lru_cache(maxsize=1024)
def _query(raw: bytes) -> tuple[str | None, str] | None:
    """Language and wording of a query, or None where a name comes twice or an escape is broken."""
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError:
        return None
    named = dict(pairs)
    return (named.get("locale"), named.get("wording", "")) if len(named) == len(pairs) else None


@lru_cache(maxsize=1024)
def _lines(mark: str, max_age: int, status: int, packed: bool) -> bytes:
    body = {"content-type": BANNER_HEADERS["content-type"]} | packing_lines(packed) if status == 200 else {}
    named = body | banner_lines(mark, max_age, packed)
    lines = [f"{name}: {value}\r\n".encode() for name, value in named.items()]
    return b"".join(lines + [b"%s: %s\r\n" % line for line in HEADERS if line[0].decode() not in named])


def _unknown() -> UnknownSite:
    return UnknownSite("not-found", "There is no such site.")
