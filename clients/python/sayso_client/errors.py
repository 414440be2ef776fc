"""What can go wrong, as types. `SaysoError` is all of it.

`slug` names the problem and never changes its meaning: docs/problems.md of Sayso lists every one. Nothing here holds a
key, a body or a value that came from a person.
"""

from __future__ import annotations

from typing import Any

import msgspec

Facts = dict[str, Any]


class SaysoError(Exception):
    """An answer other than success. `status` is 0 where there was no answer; `problem` is the problem document."""

    def __init__(self, slug: str, status: int, message: str, problem: Facts | None = None) -> None:
        super().__init__(message)
        self.slug = slug
        self.status = status
        self.message = message
        self.problem: Facts = problem or {}

    def __str__(self) -> str:
        return f"{self.slug}: {self.message}"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.slug, self.status, self.message, self.problem)


class Invalid(SaysoError):
    """400: the question cannot mean anything there. `nearest` in `problem` may name what was meant."""


class Unauthenticated(SaysoError):
    """401: the key is unknown, expired or revoked."""


class NotAllowed(SaysoError):
    """403: the key is known and its roles do not allow this call."""


class NotFound(SaysoError):
    """404: nothing of that name is visible to this key."""


class Conflict(SaysoError):
    """409: it contradicts what stands now."""


class Gone(SaysoError):
    """410: it was there. On `changes`, slug `cursor-too-old`: `problem["latest"]` is a cursor to go on from."""


class TooLarge(SaysoError):
    """413: more than one call takes."""


class Unprocessable(SaysoError):
    """422: this Idempotency-Key came before with another body."""


class TooManyRequests(SaysoError):
    """429, also after waiting and asking again."""


class Unavailable(SaysoError):
    """5xx, also after waiting and asking again where that helps."""


class Unreachable(SaysoError):
    """Nothing answered in time, or what answered is not Sayso. For a question it is never raised: it is a denial."""


_KINDS: dict[int, type[SaysoError]] = {
    400: Invalid,
    401: Unauthenticated,
    403: NotAllowed,
    404: NotFound,
    409: Conflict,
    410: Gone,
    413: TooLarge,
    422: Unprocessable,
    429: TooManyRequests,
}


def problem_of(status: int, body: bytes) -> SaysoError:
    """The error behind an answer. AuthZEN's errors are a bare string; without a problem document: slug `unknown`."""
    try:
        said = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        said = None
    problem = said if isinstance(said, dict) else {}
    slug = str(problem.get("type") or "").partition("#")[2] or "unknown"
    detail = said if isinstance(said, str) else str(problem.get("detail") or f"Sayso answered {status}.")
    kind = _KINDS.get(status) or (Unavailable if status >= 500 else Unreachable if status < 400 else SaysoError)
    return kind(slug, status, detail, problem)


def unreachable(why: str = "Sayso did not answer in time.") -> Unreachable:
    """No answer."""
    return Unreachable("unreachable", 0, why)
