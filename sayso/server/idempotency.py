"""`Idempotency-Key`: the same request sent twice is done once (draft-ietf-httpapi-idempotency-key-header).

The answer is stored in the transaction that does the work, so there is no moment at which one exists without the
other. What is stored says nothing: the row's name is a keyed tag, and the answer is sealed under a key that needs the
idempotency key itself, so only who can repeat the request can read it.
"""

import os
from hashlib import sha256
from hmac import digest as hmac_digest

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from sayso.kernel import TENANT_OWNER, Conflict, Invalid, Sealer, Tx, Unit, Unprocessable, Work
from sayso.server.store import IDEMPOTENCY

TERM = 24 * 3600 * 1_000_000
"""How long an answer is kept, in microseconds."""

MAX_LENGTH = 255


class KeyReused(Unprocessable):
    """This idempotency key came before with another body."""


class StillRunning(Conflict):
    """The first request with this idempotency key has not been answered yet."""


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """What went out: status, media type and body. `where` is a Location header, if one was sent. `seq` is the position
    of the registry that it is as new as, and is not stored with it.
    """

    status: int
    body: bytes
    media_type: str = "application/json"
    where: str = ""
    seq: str = ""

    def at(self, seq: str) -> "Answer":
        """The same answer, told with this position."""
        return Answer(self.status, self.body, self.media_type, self.where, seq)


class Slot:
    """One idempotency key of one client on one route."""

    __slots__ = ("_key", "digest", "fingerprint")

    def __init__(self, secret: bytes, client: str, route: str, key: str, body: bytes) -> None:
        scope = f"{client}\0{route}\0{key}".encode()
        self.fingerprint = hmac_digest(secret, b"tag\0" + scope, "sha256")[:16]
        self.digest = sha256(body).digest()
        self._key = hmac_digest(secret, b"key\0" + scope, "sha256")

    def seal(self, answer: Answer) -> bytes:
        nonce = os.urandom(12)
        return nonce + AESGCMSIV(self._key).encrypt(nonce, msgspec.msgpack.encode(answer), self.fingerprint)

    def open(self, blob: bytes) -> Answer:
        plain = AESGCMSIV(self._key).decrypt(blob[:12], blob[12:], self.fingerprint)
        return msgspec.msgpack.decode(plain, type=Answer)


def slot(sealer: Sealer, tenant: str, client: str, route: str, key: str | None, body: bytes) -> Slot | None:
    """The slot of a request, or None when it carries no key. Raises `Invalid` on a key that cannot be one."""
    if key is None:
        return None
    if not 0 < len(key) <= MAX_LENGTH or not key.isascii() or not key.isprintable():
        raise Invalid(
            "invalid-idempotency-key", f"An Idempotency-Key has 1 to {MAX_LENGTH} printable ASCII characters."
        )
    return Slot(sealer.standing(tenant, TENANT_OWNER).derive("idempotency"), client, route, key, body)


def once(place: Slot, work: Unit[Answer]) -> Unit[Answer]:
    """`work`, unless it was done before under this key: then its answer again, byte for byte.

    Two racing requests meet at the row: the later one loses the race, is run again and finds the answer.
    """

    def unit(tx: Tx) -> Work[Answer]:
        (row,) = yield (tx.get(IDEMPOTENCY, place.fingerprint),)
        if row is not None:
            _, digest, answer, until = row
            if until > tx.context.at:
                if digest != place.digest:
                    raise KeyReused("idempotency-key-reused", "This Idempotency-Key was used with another body.")
                return place.open(answer)
        done = yield from work(tx)
        version = 1 if row is None else row[0] + 1
        values = (version, place.digest, place.seal(done), tx.context.at + TERM)
        tx.put(IDEMPOTENCY, (place.fingerprint,), values, was=row)
        return done

    return unit


class Running:
    """The slots whose first request is on its way in this process."""

    def __init__(self) -> None:
        self._slots: set[bytes] = set()

    def enter(self, place: Slot) -> None:
        """Raises `StillRunning` when the same key is at work now."""
        if place.fingerprint in self._slots:
            raise StillRunning(
                "idempotency-key-running", "The first request with this Idempotency-Key is still running."
            )
        self._slots.add(place.fingerprint)

    def leave(self, place: Slot) -> None:
        self._slots.discard(place.fingerprint)
