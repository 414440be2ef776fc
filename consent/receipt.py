"""The consent receipt: what a person takes home. A compact JWS (RFC 7515) that verifies with the server off.

Header: `alg` Ed25519 (RFC 9864), `kid` (RFC 7638), `typ`, and the public key as `jwk`. Outer claims are final:
`iss iat jti sub v receipt`; what stands inside `receipt` is versioned by `v` (docs/formats/consent.md).
"""

from base64 import urlsafe_b64encode
from typing import Final, NamedTuple

import msgspec
from msgspec import UNSET, Struct, UnsetType

from consent.catalogue import Catalogue, Shown
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


class ShownNotice(Struct, frozen=True):
    """What the person was shown: `hash` names the whole version, `text_hash` the text in `locale`. SHA-256, hex."""

    hash: str
    locale: str
    name: str
    text_hash: str
    version: int


class Chosen(Struct, frozen=True, omit_defaults=True):
    """One purpose as the person reads it: its title in the language shown, and what was chosen."""

    choice: str
    purpose: str
    title: str
    version: int
    expires_at: str | UnsetType = UNSET
    ignored: str | UnsetType = UNSET


class Body(Struct, frozen=True):
    """`receipt` in version 1. Fields stand in sorted order, which makes the JSON canonical."""

    assurance: str
    at: str
    choices: list[Chosen]
    controller: str
    entry: str
    method: str
    notice: ShownNotice | UnsetType
    record: str


class _Claims(Struct, frozen=True):
    iat: int
    iss: str
    jti: str
    receipt: Body
    sub: str
    v: int


_encode = msgspec.json.Encoder().encode


class ReceiptPress:
    """Signs receipts. One per process; headers are written once per key."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._headers: dict[str, bytes] = {}

    def sign(self, tenant: str, issuer: Issuer, sub: str, at: int, body: Body) -> str:
        """The compact JWS over `body`. `at` is the record's instant."""
        claims = _Claims(at // SECOND, issuer.url, body.record, body, sub, VERSION)
        signed = self._header(tenant) + b"." + _base64url(_encode(claims))
        return (signed + b"." + _base64url(self._signer.sign(tenant, "receipt", signed))).decode()

    def _header(self, tenant: str) -> bytes:
        kid = self._signer.kid(tenant, "receipt")
        header = self._headers.get(kid)
        if header is None:
            x = _base64url(self._signer.public_key(tenant, "receipt")).decode()
            fields = {"alg": "Ed25519", "jwk": {"crv": "Ed25519", "kty": "OKP", "x": x}, "kid": kid, "typ": TYPE}
            header = self._headers[kid] = _base64url(msgspec.json.encode(fields))
        return header


def sub_for(key: Key, subject: str, actor_kind: str) -> str:
    """Whom the receipt names. Services know the person by `sub_…`; a browser or the person gets a name of its own.

    That name is derived from the person's log key: stable, joined to nothing else, and meaningless once the key is destroyed.
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
        iso(at),
        [_chosen(catalogue, change, shown.locale) for change in changes],
        controller,
        entry,
        method,
        notice,
        record,
    )


def _chosen(catalogue: Catalogue, change: Change, locale: str) -> Chosen:
    purpose = catalogue.purposes.get(change.purpose)
    titles = purpose.title if purpose else {}
    title = titles.get(locale) or next(iter(titles.values()), change.purpose)
    expires_at: str | UnsetType = iso(change.expires_at) if change.expires_at else UNSET
    return Chosen(change.act, change.purpose, title, change.version, expires_at, change.ignored or UNSET)


def _base64url(raw: bytes) -> bytes:
    return urlsafe_b64encode(raw).rstrip(b"=")
