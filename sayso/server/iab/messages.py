"""The framework's three tokens (compact JWS, RFC 7515 and 7519): what a person asked of whom (idJWT), the request that
carries it to us (rqJWT), and our receipt (acJWT). Pure.

Checked in this order: three parts, the claims that must be there, who it is from, that party's key and no other, the
signature; then whom it is for, the version, the times; then the same of the idJWT within; then the identifier. Until
the signature of the rqJWT holds, nothing is signed in return.

What the framework leaves open is decided in decision 0033: a request counts for an hour, an identity for 45 days.
"""

from base64 import urlsafe_b64encode
from hmac import digest
from typing import Any, Final

import msgspec
from msgspec import Struct

from sayso.kernel import SECOND, Invalid, Signer, new_id
from sayso.server.callers.jwks import decoded
from sayso.server.iab.declared import Accepted, Deletions, Party

LONGEST: Final = 16_384
"""Characters of a request."""

WINDOW_S: Final = 3_600
"""For how long a request counts: each is remembered until then, and taken once."""

ORIGIN_S: Final = 45 * 86_400
"""How old what a person asked a publisher may be when it reaches us: as long as the longest first term of a law."""

CLOCKS_APART_S: Final = 60
USE: Final = "receipt"
VERSION: Final = "1.0"

ACCEPTED, MALFORMED, SIGNATURE, TOKEN, TYPE, FORMAT, TIME = range(7)
"""The framework's result codes."""

_LONGEST_VALUE: Final = 512
_LONGEST_ID: Final = 256
_HEX: Final = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128}


class DeletionRefused(Invalid):
    """A request that is not taken. `code` is the framework's."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__("deletion-refused", message, raResultCode=code)
        self.code = code


class DeletionReplayed(Invalid):
    """This very request was taken before: it stands for one transaction. The framework knows no answer but 400."""

    def __init__(self) -> None:
        self.code = TOKEN
        super().__init__("deletion-replayed", "This request was taken before; sign a new one.", raResultCode=TOKEN)


class Named(Struct, frozen=True, rename="camel"):
    """The identifier that is meant, as the one who says it writes it."""

    identifier_type: str
    identifier_value: str
    identifier_format: str = ""

    def __repr__(self) -> str:
        return f"Named({self.identifier_type}, {self.identifier_format})"


class Identity(Struct, frozen=True, kw_only=True):
    """What an idJWT says. What else stands in it is not ours to refuse, but for what RFC 7519 binds us to."""

    version: str
    jti: str
    iss: str
    sub: Named | str
    """The framework's table says text, its examples show the object: JSON in a text is taken as well."""
    iat: float
    aud: str | list[str] | None = None
    exp: float | None = None
    nbf: float | None = None


class Request(Identity, frozen=True, kw_only=True, rename={"identity": "idJWT"}):
    """What a rqJWT says besides."""

    identity: str


class Opened(Struct, frozen=True):
    """A request whose signature holds: by whom, and the token itself."""

    token: str
    claims: Request
    requester: Party


class Deletion(Struct, frozen=True):
    """A request that counts. `named` is the identifier as the first party wrote it; `value` is the requester's for the
    same person, which may be another, and is the one that is looked for. `once` is remembered of the request until
    `until`, `origin` of what the person asked for until `origin_until` (32 bytes; instants): it may come by several
    ways and is one request.
    """

    requester: Party
    first_party: Party
    reference: str
    named: Named
    accepted: Accepted
    value: str
    once: bytes
    until: int
    origin: bytes
    origin_until: int


class _Header(Struct, frozen=True):
    alg: str
    kid: str = ""
    typ: str = "JWT"
    crit: list[str] | None = None


def opened(token: str, declared: Deletions) -> Opened:
    """A request from somebody known. Raises `DeletionRefused`."""
    claims, party = _verified(token, Request, declared)
    return Opened(token, claims, party)


def checked(request: Opened, declared: Deletions, audiences: frozenset[str], secret: bytes, at: int) -> Deletion:
    """What an opened request asks for. What is remembered of it is made under `secret`, which is the brand's own: a
    value that somebody guesses cannot be held against it. Raises `DeletionRefused`.
    """
    claims = request.claims
    _demand_current(claims, audiences, at, WINDOW_S)
    identity, first_party = _verified(claims.identity, Identity, declared)
    # An idJWT is written once for everybody it is passed on to, so it is for nobody in particular.
    _demand_current(identity, None, at, ORIGIN_S)
    if identity.iat > claims.iat + CLOCKS_APART_S:
        raise DeletionRefused(TIME, "The idJWT is younger than the request that carries it.")
    accepted, value = _identifier(_named(claims.sub), declared)
    origin = (first_party.domain, identity.jti, accepted.type, accepted.format, value)
    return Deletion(
        requester=request.requester,
        first_party=first_party,
        reference=identity.jti,
        named=_named(identity.sub),
        accepted=accepted,
        value=value,
        once=_digest(secret, "request", request.requester.domain, claims.jti),
        until=_end(claims.iat, WINDOW_S),
        origin=_digest(secret, "origin", *origin),
        origin_until=_end(identity.iat, ORIGIN_S),
    )


def receipt(signer: Signer, tenant: str, domain: str, request: str, code: int, message: str, at: int) -> str:
    """The acJWT: that this very request arrived, and whether it is taken. It says nothing of any person."""
    header = {"typ": "JWT", "alg": "EdDSA", "kid": signer.kid(tenant, USE)}
    claims = {
        "version": VERSION,
        "rqJWT": request,
        "jti": new_id("rcp"),
        "iss": domain,
        "iat": at // SECOND,
        "raResultCode": code,
        "raResultString": message,
    }
    signed = ".".join(_encoded(msgspec.json.encode(each)) for each in (header, claims))
    return f"{signed}.{_encoded(signer.sign(tenant, USE, signed.encode()))}"


def _verified(token: str, kind: type[Any], declared: Deletions) -> tuple[Any, Party]:
    """The claims of a token and who made it, once its signature holds."""
    parts = token.split(".")
    try:
        if len(parts) != 3 or len(token) > LONGEST:
            raise ValueError
        header = msgspec.json.decode(decoded(parts[0]), type=_Header)
        payload, signature = decoded(parts[1]), decoded(parts[2])
        if header.crit or header.typ.upper() != "JWT":
            raise ValueError
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise DeletionRefused(TOKEN, "This is no signed token of the framework.") from None
    try:
        claims = msgspec.json.decode(payload, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise DeletionRefused(MALFORMED, "A claim is missing, or is not what the framework describes.") from None
    party = declared.parties.get(claims.iss)
    key = next((each for each in party.keys if each.kid == header.kid), None) if party is not None else None
    # The key says which algorithm it is for (RFC 8725, 3.1): "none" and an HMAC under public bytes have no way in.
    trusted = key is not None and header.alg in key.algorithms
    if not trusted or party is None or key is None or not key.holds(signature, f"{parts[0]}.{parts[1]}".encode()):
        raise DeletionRefused(SIGNATURE, "It is not signed by a party and key that are known here.")
    return claims, party


def _demand_current(claims: Identity, audiences: frozenset[str] | None, at: int, term_s: int) -> None:
    if claims.aud is not None and audiences is not None:
        named = {claims.aud} if isinstance(claims.aud, str) else set(claims.aud)
        if not named & audiences:
            # RFC 7519, 4.1.3: who does not find itself in it must not take it.
            raise DeletionRefused(TOKEN, "The request is for somebody else.")
    if claims.version.partition(".")[0] != VERSION.partition(".")[0]:
        raise DeletionRefused(MALFORMED, "This version of the framework is not spoken here: it is 1.0.")
    if not 0 < len(claims.jti) <= _LONGEST_ID:
        raise DeletionRefused(MALFORMED, "A token has an id of its own, of 256 characters at most.")
    second = at / SECOND
    if max(claims.iat, claims.nbf or 0) > second + CLOCKS_APART_S:
        raise DeletionRefused(TIME, "The token is from the future: a clock is wrong.")
    if second >= claims.iat + term_s or (claims.exp is not None and second >= claims.exp + CLOCKS_APART_S):
        raise DeletionRefused(TIME, "The token has expired.")


def _named(said: Named | str) -> Named:
    if isinstance(said, Named):
        return said
    try:
        return msgspec.json.decode(said, type=Named)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise DeletionRefused(MALFORMED, "'sub' is an identifier: its type, value and format.") from None


def _identifier(named: Named, declared: Deletions) -> tuple[Accepted, str]:
    """Which of the declared ones it is, and its value in one spelling."""
    types = [each for each in declared.identifiers if each.type == named.identifier_type]
    if not types:
        raise DeletionRefused(TYPE, "Identifiers of this type are not taken.")
    accepted = next((each for each in types if each.format == named.identifier_format), None)
    value, digits = named.identifier_value.strip(), _HEX.get(named.identifier_format, 0)
    if digits:
        value = value.lower()
    fits = not digits or (len(value) == digits and set(value) <= set("0123456789abcdef"))
    if accepted is None or not 0 < len(value) <= _LONGEST_VALUE or not fits:
        raise DeletionRefused(FORMAT, "The identifier is not in a format that is taken.")
    return accepted, value


def _digest(secret: bytes, *parts: str) -> bytes:
    return digest(secret, msgspec.json.encode(parts), "sha256")


def _end(iat: float, term_s: int) -> int:
    return (int(iat) + term_s + 1) * SECOND


def _encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
