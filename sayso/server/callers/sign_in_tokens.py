"""Sign-in tokens: a client's signed word that the person in front of the browser is signed in with the brand.

A compact JWS (RFC 7515) under one of the keys that the manifest declares for the client (`jwks.py`). Header: `alg` and
`kid`. Claims: `iss` the client's name, `aud` the word `sign-in:` and the tenant, `sub` a person's id (`sub_…`) or in
its place `identifier` {type, value}, `iat`, `exp` (five minutes at most) and `jti` (16 to 128 characters): each token
signs in once. Clocks may differ by half a minute.

A browser carries it behind `#` or in the body of a form, so that no address and no log holds it. Why one is refused is
for the log of the program, never for the browser.
"""

import re
from typing import Final, Literal

import msgspec
from msgspec import Struct

from sayso.kernel import SECOND, Invalid
from sayso.server.callers.auth import Profile
from sayso.server.callers.jwks import decoded
from sayso.server.callers.link_tokens import Named

LONGEST: Final = 4_096
LONGEST_TERM_S: Final = 300
CLOCKS_APART_S: Final = 30

AUDIENCE: Final = "sign-in:"

_JTI = re.compile(r"[\x21-\x7e]{16,128}")

Why = Literal[
    "malformed",
    "client",
    "key",
    "algorithm",
    "signature",
    "audience",
    "early",
    "expired",
    "term",
    "jti",
    "used",
    "person",
]


class SignInRefused(Invalid):
    """A sign-in that does not hold. `why` is told to whoever runs the server, and to nobody else."""

    def __init__(self, *, why: Why) -> None:
        super().__init__("sign-in-refused", "This sign-in cannot be used, or not any more.")
        self.why = why


class SignIn(Struct, frozen=True):
    """What a token says. Times are seconds since the epoch (RFC 7519, NumericDate)."""

    iss: str
    aud: str
    iat: int
    exp: int
    jti: str
    sub: str = ""
    identifier: Named | None = None
    nbf: int = 0


class _Header(Struct, frozen=True):
    alg: str
    kid: str
    typ: str = "JWT"
    crit: list[str] | None = None


class _Addressed(Struct, frozen=True):
    aud: str


def is_token(code: str) -> bool:
    """Whether this has the form of a token: three parts. A one-time code has two."""
    return code.count(".") == 2


def addressed_to(token: str) -> str:
    """The tenant that a token names. Nothing is checked yet. Raises `SignInRefused`."""
    try:
        audience = msgspec.json.decode(decoded(token.split(".")[1]), type=_Addressed).aud
    except (msgspec.MsgspecError, ValueError, IndexError):
        raise SignInRefused(why="malformed") from None
    if not audience.startswith(AUDIENCE):
        raise SignInRefused(why="audience")
    return audience.removeprefix(AUDIENCE)


def read_sign_in_token(token: str, clients: dict[str, Profile], tenant: str, at: int) -> SignIn:
    """The claims of a token that holds at this instant. Raises `SignInRefused`."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > LONGEST:
        raise SignInRefused(why="malformed")
    try:
        header = msgspec.json.decode(decoded(parts[0]), type=_Header)
        claims = msgspec.json.decode(decoded(parts[1]), type=SignIn)
        signature = decoded(parts[2])
    except (msgspec.MsgspecError, ValueError):
        raise SignInRefused(why="malformed") from None
    if header.crit or header.typ.upper() != "JWT":
        raise SignInRefused(why="malformed")
    client = clients.get(claims.iss)
    if client is None or not client.sign_in:
        raise SignInRefused(why="client")
    key = next((each for each in client.sign_in if each.kid == header.kid), None)
    if key is None:
        raise SignInRefused(why="key")
    # The key says which algorithm it is for (RFC 8725, 3.1): "none" and an HMAC under public bytes have no way in.
    if header.alg not in key.algorithms:
        raise SignInRefused(why="algorithm")
    if not key.holds(signature, f"{parts[0]}.{parts[1]}".encode()):
        raise SignInRefused(why="signature")
    if claims.aud != AUDIENCE + tenant:
        raise SignInRefused(why="audience")
    _demand_time(claims, at // SECOND)
    if not _JTI.fullmatch(claims.jti):
        raise SignInRefused(why="jti")
    if bool(claims.sub) == (claims.identifier is not None):
        raise SignInRefused(why="person")
    return claims


def _demand_time(claims: SignIn, second: int) -> None:
    if not 0 < claims.exp - claims.iat <= LONGEST_TERM_S:
        raise SignInRefused(why="term")
    if max(claims.iat, claims.nbf) > second + CLOCKS_APART_S:
        raise SignInRefused(why="early")
    if second >= claims.exp + CLOCKS_APART_S:
        raise SignInRefused(why="expired")
