"""Errors on the wire: the one file that turns what went wrong into a problem document (RFC 9457).

The domain knows kinds (`sayso.kernel.errors`); this file knows statuses. Nothing that a caller sent is ever repeated:
no path, no query, no body value, no unknown member's name. What is not ours answers 500 without a word of detail.
"""

import re
from typing import TYPE_CHECKING, Any

import msgspec

from sayso.kernel import (
    Conflict,
    Denied,
    Gone,
    Invalid,
    NotFound,
    SaysoError,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
    Unprocessable,
)
from sayso.server.limits import body_too_large

if TYPE_CHECKING:
    from litestar import Request, Response

MEDIA_TYPE = "application/problem+json"

STATUSES: dict[type[SaysoError], tuple[int, str]] = {
    Invalid: (400, "The request is not valid"),
    Unauthenticated: (401, "Not authenticated"),
    Denied: (403, "Not allowed"),
    NotFound: (404, "Not found"),
    Gone: (410, "Gone"),
    Conflict: (409, "It contradicts what stands"),
    TooLarge: (413, "Too large"),
    Unprocessable: (422, "It contradicts an earlier request"),
    TooMany: (429, "Too many requests"),
    Unavailable: (503, "Not available now"),
}

_FRAMEWORK = {
    400: ("malformed", "The request is not valid", "The request cannot be read."),
    401: ("unauthenticated", "Not authenticated", "A credential is needed."),
    403: ("not-allowed", "Not allowed", "This caller may not."),
    404: ("not-found", "Not found", "There is nothing here."),
    405: ("method-not-allowed", "Method not allowed", "This address does not take that method."),
    415: ("unsupported-media-type", "Unsupported media type", "This call takes application/json."),
    429: ("too-many-requests", "Too many requests", "Ask again later."),
}

_QUOTED = re.compile(r"'[^']*'")
_UNKNOWN_FIELD = re.compile(r"unknown field `[^`]*`")
_KEY = re.compile(r" - at `(?:key in )?\$?([^`]*)`$")


class Malformed(Invalid):
    """The body or a parameter is not of the declared shape. `at` is the place in the declared shape, never a value."""

    def __init__(self, message: str, at: str = "") -> None:
        super().__init__("malformed", message, **({"at": at} if at else {}))


class Problem(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A problem document (RFC 9457, section 3.1). Further members name facts of the problem, none of them personal."""

    type: str
    title: str
    status: int
    detail: str
    at: str = ""


def status_of(error: SaysoError) -> tuple[int, str]:
    """Status and title of an error, by its kind."""
    for kind, answer in STATUSES.items():
        if isinstance(error, kind):
            return answer
    return 500, "Something went wrong"


def document(error: SaysoError) -> dict[str, object]:
    """The problem document of a typed error."""
    status, title = status_of(error)
    facts = {name: value for name, value in error.facts.items() if value is not None}
    return {"type": f"/docs/problems#{error.slug}", "title": title, "status": status, "detail": error.message, **facts}


def understood(error: BaseException) -> SaysoError | None:
    """`error` as one of our kinds: decoding errors and bottomless nesting are the caller's. None: it is our fault."""
    if isinstance(error, SaysoError):
        return error
    if isinstance(error, msgspec.ValidationError):
        return Malformed(*_shape(str(error)))
    if isinstance(error, (msgspec.DecodeError, UnicodeDecodeError)):
        return Malformed("The body is not JSON.")
    if isinstance(error, RecursionError):
        return Malformed("The body is nested too deep.")
    return None


def respond(error: BaseException) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer to `error`: the same for Litestar and the dispatcher in front of it."""
    known = understood(error)
    if known is None:
        return 500, {"content-type": MEDIA_TYPE}, _UNEXPECTED
    headers = {"content-type": MEDIA_TYPE}
    if isinstance(known, (TooMany, Unavailable)):
        headers["retry-after"] = str(known.retry_after)
    if isinstance(known, Unauthenticated):
        headers["www-authenticate"] = "Bearer"
    return status_of(known)[0], headers, msgspec.json.encode(document(known))


def authzen(error: BaseException) -> tuple[int, dict[str, str], bytes]:
    """The same for AuthZEN calls: 400, 401, 403 and 500 carry a string (Authorization API 1.0, section 12.1)."""
    known = understood(error)
    message = "Something went wrong." if known is None else known.message
    status, headers, _ = respond(error)
    return status, {**headers, "content-type": "application/json"}, msgspec.json.encode(message)


def drp(error: BaseException) -> tuple[int, dict[str, str], bytes]:
    """The same for the Data Rights Protocol 1.0, section 3.06: the status as text, a sentence, whether it is final."""
    known = understood(error)
    status, headers, _ = respond(error)
    said = {"code": str(status), "message": "Something went wrong." if known is None else known.message}
    fatal = {"fatal": True} if known is not None and known.facts.get("fatal") else {}
    return status, {**headers, "content-type": "application/json"}, msgspec.json.encode(said | fatal)


def from_framework(error: Any) -> SaysoError | None:
    """A Litestar `HTTPException` as one of our kinds, without the framework's words: they repeat paths and values."""
    status = int(error.status_code)
    slug, _, detail = _FRAMEWORK.get(status, (None, "", ""))
    if slug is None:
        return None
    extra = getattr(error, "extra", None)
    if status == 400 and isinstance(extra, list) and extra and isinstance(extra[0], dict):
        message, _ = _shape(str(extra[0].get("message", detail)))
        return Malformed(
            message, str(extra[0].get("key", "")) if extra[0].get("source") in ("query", "header", "path") else ""
        )
    kinds: dict[int, type[SaysoError]] = {401: Unauthenticated, 403: Denied, 404: NotFound, 429: TooMany}
    return kinds.get(status, Invalid)(slug, detail)


def handle(request: "Request[Any, Any, Any]", error: Exception) -> "Response[bytes]":
    """Litestar's exception handler for everything."""
    from litestar import Response
    from litestar.exceptions import HTTPException

    from sayso.server.door import SERVICES

    speak = next((each for start, each in _OWN_WORDS if request.url.path.startswith(start)), respond)
    if isinstance(error, HTTPException):
        known = body_too_large(_limit(request)) if error.status_code == 413 else from_framework(error)
        status, headers, body = speak(known if known is not None else error)
        if error.status_code in (405, 415):
            status = error.status_code
            body = msgspec.json.encode(_framework_document(status))
    else:
        status, headers, body = speak(error)
    if status == 500:
        request.scope[SERVICES].log.error("unexpected", error)  # type: ignore[literal-required]
    kind = headers.pop("content-type")
    return Response(body, status_code=status, media_type=kind, headers=headers)


def _framework_document(status: int) -> dict[str, object]:
    slug, title, detail = _FRAMEWORK[status]
    return {"type": f"/docs/problems#{slug}", "title": title, "status": status, "detail": detail}


def _shape(message: str) -> tuple[str, str]:
    """A msgspec message as (sentence, place): values and undeclared names are taken out, declared places stay."""
    at = ""
    found = _KEY.search(message)
    if found:
        at = found.group(1).removeprefix(".")
        message = message[: found.start()]
    message = _UNKNOWN_FIELD.sub("a member that this call does not know", message)
    return _QUOTED.sub("a value", message).replace("`", "").rstrip(".") + ".", at


_OWN_WORDS = (("/access/v1/", authzen), ("/v1/data-rights-request", drp), ("/v1/agent/", drp))
"""Addresses whose standard has errors of its own."""

_UNEXPECTED = msgspec.json.encode(
    {
        "type": "/docs/problems#unexpected",
        "title": "Something went wrong",
        "status": 500,
        "detail": "The server failed to do this. Nothing was answered that is not stored.",
    }
)


def _limit(request: "Request[Any, Any, Any]") -> int:
    """Bytes that the route takes: a body is read only where one was found."""
    return request.route_handler.resolve_request_max_body_size() or 0
