"""The consent receipt: what a person takes home. A compact JWS (RFC 7515) that verifies with the server off.

Header: `alg` Ed25519 (RFC 9864), `kid` (RFC 7638), `typ`, and the public key as `jwk`. Outer claims are final:
`iss iat jti sub v receipt`; what stands inside `receipt` is versioned by `v` (docs/formats/consent.md).
"""

from binascii import b2a_base64
from functools import lru_cache
from hashlib import sha256
from typing import Final, NamedTuple

import msgspec
from msgspec import UNSET, Struct, UnsetType

from consent.catalogue import Catalogue, Purpose, Shown
from consent.fold import Change
from sayso.kernel import SECOND, Key, Signer, iso

TYPE: Final = "consent-receipt+jwt"
VERSION: Final = 1
NOBODY: Final = "nobody"
"""`sub` of a receipt for a choice that names nobody."""

_SUB_LABEL: Final = "sayso.consent.receipt.sub.v1"


class Issuer(NamedTuple):
    """Who gives receipts: the address of this Sayso, and the controller's legal name and country."""

    url: str
    controller: str


class ShownNotice(Struct, frozen=True, gc=False):
    """What the person was shown: `hash` names the whole version, `text_hash` the text in `locale`. SHA-256, hex."""

    hash: str
    locale: str
    name: str
    text_hash: str
    version: int


class Chosen(Struct, frozen=True, gc=False):
    """One purpose as the person reads it: its title in the language shown, and what was chosen."""

    choice: str
    expires_at: str | UnsetType
    ignored: str | UnsetType
    purpose: str
    title: str
    version: int


class Body(Struct, frozen=True, gc=False):
    """`receipt` in version 1. Fields stand in sorted order, which makes the JSON canonical."""

    assurance: str
    at: str
    choices: list[Chosen]
    controller: str
    entry: str
    method: str
    notice: ShownNotice | UnsetType
    record: str


class _Claims(Struct, frozen=True, gc=False):
    iat: int
    iss: str
    jti: str
    receipt: Body
    sub: str
    v: int


_encode = msgspec.json.Encoder().encode
_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")

printed = lru_cache(maxsize=4_096)(iso)
"""`iso`, remembered: the purposes of one record share a few instants, and printing one costs microseconds."""


class SignedReceipt(Struct, frozen=True, array_like=True, gc=False):
    """A receipt as it is kept: public key (32 bytes), claims (JSON), signature (64). `compact` gives the JWS back,
    byte for byte.
    """

    public_key: bytes
    claims: bytes
    signature: bytes

    def compact(self) -> str:
        """The compact JWS."""
        return b".".join((_header(self.public_key), _base64url(self.claims), _base64url(self.signature))).decode()


class ReceiptPress:
    """Signs receipts."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def sign(self, tenant: str, issuer: Issuer, sub: str, at: int, body: Body) -> tuple[SignedReceipt, str]:
        """The receipt over `body`, and its compact JWS. `at` is the record's instant."""
        public_key = self._signer.public_key(tenant, "receipt")
        claims = _encode(_Claims(at // SECOND, issuer.url, body.record, body, sub, VERSION))
        signed = _header(public_key) + b"." + _base64url(claims)
        signature = self._signer.sign(tenant, "receipt", signed)
        return SignedReceipt(public_key, claims, signature), (signed + b"." + _base64url(signature)).decode()


def sub_for(key: Key, subject: str, actor_kind: str) -> str:
    """Whom the receipt names. Services know the person by `sub_…`; a browser or the person gets a name of its own.

    That name is derived from the person's log key: stable, joined to nothing else, and meaningless once the key is
    destroyed.
    """
    if actor_kind in ("service", "user", "system"):
        return subject
    return "person_" + _base64url(key.derive(_SUB_LABEL)[:16]).decode()


def body_of(
    catalogue: Catalogue,
    shown: Shown,
    changes: tuple[Change, ...],
    *,
    record: str,
    entry: str,
    at: int,
    method: str,
    assurance: str,
    controller: str,
) -> Body:
    """What a person can read of one record."""
    notice: ShownNotice | UnsetType = UNSET
    if shown.notice:
        notice = ShownNotice(shown.hash, shown.locale, shown.notice, shown.text_hash, shown.version)
    return Body(
        assurance,
        printed(at),
        [_chosen(catalogue.purposes, change, shown.locale) for change in changes],
        controller,
        entry,
        method,
        notice,
        record,
    )


def _chosen(purposes: dict[str, Purpose], change: Change, locale: str) -> Chosen:
    name, ends = change.purpose, change.expires_at
    purpose = purposes.get(name)
    titles = purpose.title if purpose is not None else {}
    title = titles.get(locale) or next(iter(titles.values()), name)
    return Chosen(change.act, printed(ends) if ends else UNSET, change.ignored or UNSET, name, title, change.version)


@lru_cache(maxsize=256)
def _header(public_key: bytes) -> bytes:
    """The protected header of every receipt under this key."""
    jwk = {"crv": "Ed25519", "kty": "OKP", "x": _base64url(public_key).decode()}
    # RFC 7638, section 3.2: the thumbprint is of just these members, sorted.
    kid = _base64url(sha256(msgspec.json.encode(jwk)).digest()).decode()
    return _base64url(msgspec.json.encode({"alg": "Ed25519", "jwk": jwk, "kid": kid, "typ": TYPE}))


def _base64url(raw: bytes) -> bytes:
    return b2a_base64(raw, newline=False).translate(_URL_SAFE).rstrip(b"=")
