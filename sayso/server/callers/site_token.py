"""The token that a banner's configuration carries: leave for a browser to send choices to one site for half an hour.

It binds site, notice version and a nonce; the first choice sent with it binds the device, and no other device may use
it then (design 6, rule 7). It is made and checked without a row: base64url of `payload | HMAC-SHA256(payload)[:16]`.
"""

import base64
import hmac
import os
from hashlib import sha256

import msgspec

from sayso.kernel import SECOND, TENANT_OWNER, Denied, Sealer

TERM = 1800 * SECOND
_LABEL = "site-token"
_MAC = 16


class SiteToken(msgspec.Struct, frozen=True, array_like=True):
    """What a token says. `until` is an instant, `wording` what the browser was shown of several."""

    site: str
    notice: str
    version: int
    nonce: bytes
    until: int
    wording: str = ""


class TokenRefused(Denied):
    """No token of this site, or one past its term, or one that another device used."""


def mint(sealer: Sealer, tenant: str, site: str, notice: str, version: int, at: int, wording: str = "") -> str:
    """A fresh token for one browser."""
    payload = msgspec.msgpack.encode(SiteToken(site, notice, version, os.urandom(12), at + TERM, wording))
    return base64.urlsafe_b64encode(payload + _mac(sealer, tenant, payload)).rstrip(b"=").decode()


def check(sealer: Sealer, tenant: str, site: str, token: str, at: int) -> SiteToken:
    """What a token says. Raises `TokenRefused`, the same for every cause."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        payload, mac = raw[:-_MAC], raw[-_MAC:]
        if hmac.compare_digest(mac, _mac(sealer, tenant, payload)):
            found = msgspec.msgpack.decode(payload, type=SiteToken)
            if found.site == site and found.until > at:
                return found
    except (ValueError, msgspec.DecodeError):
        pass
    raise refused()


def refused() -> TokenRefused:
    """The one answer to every token that does not hold."""
    return TokenRefused("token-refused", "The banner's token has ended; fetch the configuration again.")


def nonce_mark(token: SiteToken) -> bytes:
    """Where the device that used a token first is remembered."""
    return sha256(b"sayso.site-token\0" + token.nonce).digest()


def _mac(sealer: Sealer, tenant: str, payload: bytes) -> bytes:
    key = sealer.standing(tenant, TENANT_OWNER).derive(_LABEL)
    return hmac.digest(key, payload, "sha256")[:_MAC]
