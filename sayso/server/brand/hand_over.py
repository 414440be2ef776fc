"""Handing a choice over: what a visitor said on one site of a brand goes with them to another site of the same brand.

The code in the address says nothing: a nonce and an instant, signed. It is bound to the site and the origin that it is
for and to the browser that asked for it, lives for a minute, and is good for one use. The choice itself stays here
meanwhile, sealed under a key that needs the code.
"""

import base64
import hmac
import os
from hashlib import sha256
from typing import NamedTuple

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from audit import AuditEvent, AuditLog
from sayso.kernel import SECOND, TENANT_OWNER, Denied, Sealer, Tx, Work
from sayso.server import events, store
from sayso.server.manifests.sites import Site

TERM = 60 * SECOND
LONGEST_CODE = 128
HANDED, SPENT = "handed", "spent"
"""Kinds of rows: a choice on its way, and a code that was used."""
_LABEL = "hand-over"
_MAC = 16


class HandOverRefused(Denied):
    """No code for this page: made up, past its minute, used, or made for another page or browser."""

    def __init__(self) -> None:
        super().__init__("hand-over-refused", "This choice cannot be handed over.")


class Crossing(NamedTuple):
    """Where a choice goes, and with whom: the site, its origin, and what tells one browser from the next."""

    target: str
    origin: str
    network: str
    agent: str

    def bound(self, payload: bytes) -> bytes:
        return b"\0".join((payload, *(part.encode() for part in self)))


class _Code(msgspec.Struct, frozen=True, array_like=True):
    nonce: bytes
    until: int


class _Handed(msgspec.Struct, frozen=True, array_like=True):
    source: str
    choice: str


def target_of(site: Site, sites: dict[str, Site], origin: str) -> str:
    """The site behind an origin to which `site` hands over. Raises `HandOverRefused`, whoever else's it is."""
    for name in site.hands_over_to:
        if origin in sites[name].origins:
            return name
    raise HandOverRefused


def give(tx: Tx, sealer: Sealer, source: str, crossing: Crossing, choice: str) -> str:
    """A fresh code; what was chosen on `source` waits for it."""
    code = _Code(os.urandom(16), tx.context.at + TERM)
    payload = msgspec.msgpack.encode(code)
    cipher, mark = _cipher(tx, sealer, code.nonce), _mark(HANDED, code.nonce)
    nonce = os.urandom(12)
    sealed = nonce + cipher.encrypt(nonce, msgspec.msgpack.encode(_Handed(source, choice)), mark)
    tx.insert(store.SESSION, mark, HANDED, sealed, "device", code.until)
    return base64.urlsafe_b64encode(payload + _mac(tx, sealer, crossing.bound(payload))).rstrip(b"=").decode()


def take(tx: Tx, sealer: Sealer, audit: AuditLog, crossing: Crossing, text: str) -> Work[str]:
    """Spend a code: the choice behind it. The log keeps from where and to where. Raises `HandOverRefused`."""
    code = _read(tx, sealer, crossing, text)
    mark, spent = _mark(HANDED, code.nonce), _mark(SPENT, code.nonce)
    row, used = yield (tx.get(store.SESSION, mark), tx.get(store.SESSION, spent))
    if row is None or used is not None or code.until <= tx.context.at:
        raise HandOverRefused
    # Of two that race with one code, the second meets this row.
    tx.insert(store.SESSION, spent, SPENT, b"", "device", code.until)
    tx.delete(store.SESSION, mark)
    sealed: bytes = row[1]
    handed = msgspec.msgpack.decode(
        _cipher(tx, sealer, code.nonce).decrypt(sealed[:12], sealed[12:], mark), type=_Handed
    )
    audit.append(tx, AuditEvent(events.CHOICE_HANDED_OVER, "ok", {"source": handed.source, "target": crossing.target}))
    return handed.choice


def _read(tx: Tx, sealer: Sealer, crossing: Crossing, text: str) -> _Code:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        payload, mac = raw[:-_MAC], raw[-_MAC:]
        if hmac.compare_digest(mac, _mac(tx, sealer, crossing.bound(payload))):
            return msgspec.msgpack.decode(payload, type=_Code)
    except (ValueError, msgspec.DecodeError):
        pass
    raise HandOverRefused


def _mark(kind: str, nonce: bytes) -> bytes:
    return sha256(f"sayso.hand-over.{kind}\0".encode() + nonce).digest()


def _cipher(tx: Tx, sealer: Sealer, nonce: bytes) -> AESGCMSIV:
    return AESGCMSIV(hmac.digest(_key(tx, sealer), b"seal\0" + nonce, "sha256"))


def _mac(tx: Tx, sealer: Sealer, content: bytes) -> bytes:
    return hmac.digest(_key(tx, sealer), b"sign\0" + content, "sha256")[:_MAC]


def _key(tx: Tx, sealer: Sealer) -> bytes:
    return sealer.standing(tx.context.tenant, TENANT_OWNER).derive(_LABEL)
