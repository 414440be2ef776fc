"""One call as a conversation, without a network: what to send, when to wait, what an answer means.

`converse` is a generator. It yields `Send`, `Pause` and `Do`; whoever drives it does that and sends back what came of
it. The blocking and the asynchronous client are two such drivers, and everything that must be right stands here: tries,
their one Idempotency-Key, waiting as `Retry-After` says, the deadline over all of it, and that no answer is a no.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from time import monotonic, time
from typing import Any, Final, Generic, TypeVar

import msgspec

from sayso_client.errors import SaysoError, Unreachable, problem_of, unreachable

T = TypeVar("T")

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 5.0
_LONGEST_REST: Final = 30.0


@dataclass(frozen=True)
class Call(Generic[T]):
    """A call: what goes out, how the answer is read, and how long it may take.

    `read` turns the body of a 2xx into the answer; what it raises as `ValueError` makes the answer unreadable.
    `denied`, where there is one, is the answer when Sayso does not give one. `after` lists what is to be done before
    it is given. A `quick` call has the time of a decision, a `longer` one so many seconds more than usual.
    """

    method: str
    path: str
    read: Callable[[bytes], T]
    body: bytes | None = field(default=None, repr=False)
    query: tuple[tuple[str, str], ...] = ()
    idempotency_key: str | None = None
    quick: bool = False
    longer: float = 0.0
    denied: Callable[[], T] | None = None
    after: Callable[[T], tuple[Callable[[], Any], ...]] | None = None


@dataclass(frozen=True)
class Send:
    """Send this; answered with a `Reply`, or None when none came within `within` seconds or the connection broke."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: dict[str, str]
    body: bytes | None = field(repr=False)
    within: float


@dataclass(frozen=True)
class Pause:
    """Wait so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Do:
    """Call this, and wait for it if it is a coroutine. What it raises ends the call."""

    act: Callable[[], Any]


@dataclass(frozen=True)
class Reply:
    """An answer, whole."""

    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Patience:
    """Seconds for a whole call and for a decision, all tries together, and how often a call is tried again."""

    timeout: float = 5.0
    decide_within: float = 1.0
    retries: int = 2

    def __post_init__(self) -> None:
        if not (self.timeout > 0 and self.decide_within > 0 and self.retries >= 0):
            raise ValueError("timeout and decide_within are positive, retries is not negative")


Step = Send | Pause | Do
Conversation = Generator[Step, "Reply | None", T]


def converse(call: Call[T], patience: Patience, saw: Callable[[str], None]) -> Conversation[T]:
    """The whole of one call. Raises `SaysoError`; for a call with `denied` only where the question itself is wrong.

    `saw` is told the position of the registry that the head of an answer names.
    """
    try:
        answer = yield from _asked(call, patience, saw)
    except SaysoError as error:
        if call.denied is None or not _is_no_answer(error):
            raise
        answer = call.denied()
    for act in call.after(answer) if call.after is not None else ():
        yield Do(act)
    return answer


def _asked(call: Call[T], patience: Patience, saw: Callable[[str], None]) -> Conversation[T]:
    until = monotonic() + (patience.decide_within if call.quick else patience.timeout) + call.longer
    headers = _headers(call)
    tried = 0
    while True:
        left = until - monotonic()
        reply = None
        if left > 0:
            reply = yield Send(call.method, call.path, call.query, headers, call.body, left)
        if reply is not None and 200 <= reply.status < 300:
            saw(reply.headers.get("sayso-registry-seq", ""))
            return _understood(call, reply)
        error = unreachable() if reply is None else problem_of(reply.status, reply.body)
        wait = _pause(tried, reply)
        # Waiting beyond the deadline would only tell the caller later.
        if not _worth_repeating(error) or tried >= patience.retries or monotonic() + wait >= until:
            raise error
        tried += 1
        yield Pause(wait)


def _headers(call: Call[Any]) -> dict[str, str]:
    headers = {"accept": "application/json"}
    if call.body is not None:
        headers["content-type"] = "application/json"
    if call.method == "POST":
        # One key for all tries: what was done, though its answer was lost, is not done again.
        headers["idempotency-key"] = call.idempotency_key or str(uuid.uuid4())
    return headers


def _understood(call: Call[T], reply: Reply) -> T:
    try:
        # The decoder skips what it does not look for; what is no text at all is nobody's answer.
        reply.body.decode()
        return call.read(reply.body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        pass
    # Raised here, not above: the decoder's error holds what it could not read.
    raise Unreachable("unreadable", reply.status, "What answered did not answer as Sayso does.")


def _is_no_answer(error: SaysoError) -> bool:
    """What is down, late, busy or not Sayso denies. A wrong question or a wrong key is a mistake to be seen."""
    return error.status < 400 or error.status == 429 or error.status >= 500


def _worth_repeating(error: SaysoError) -> bool:
    return error.status in (0, 429, 503) or error.slug == "idempotency-key-running"


def _pause(tried: int, reply: Reply | None) -> float:
    """Seconds until the next try: twice as long each time, half of it by chance, and never less than was asked for."""
    return max(min(_FIRST_PAUSE * 2.0**tried, _LONGEST_PAUSE) * _chance(), _retry_after(reply))


def resting(error: SaysoError, failed: int) -> float:
    """Seconds to rest before a stream that broke with this error is taken up again. Raises what rest does not mend."""
    if not _is_no_answer(error):
        raise error
    return min(_FIRST_PAUSE * 2.0 ** min(failed, 10), _LONGEST_REST) * _chance()


def _chance() -> float:
    """A half to one and a half, so that clients which failed together do not come back together."""
    return 0.5 + secrets.randbelow(1_000) / 1_000


def _retry_after(reply: Reply | None) -> float:
    """Seconds (RFC 9110, section 10.2.3); 0 for none and for what is no such header."""
    said = reply.headers.get("retry-after", "") if reply is not None else ""
    if said.isdecimal():
        return float(said[:9])
    try:
        return max(0.0, parsedate_to_datetime(said).timestamp() - time())
    except (ValueError, TypeError, OverflowError):
        return 0.0
