"""C2SP cosignatures (https://c2sp.org/tlog-cosignature), version 1 with Ed25519: what a witness adds. Pure.

A cosignature says: at this second, the largest tree I saw of this log, consistent with all I saw before, has this root.
"""

from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit.tlog.note import Signature, SignatureInvalid, is_name
from audit.tlog.strict import Malformed, base64, utf8

COSIGNATURE = b"\x04"
"""Signature type of an Ed25519 cosignature: the same key under another type signs nothing else by mistake."""

_TIME_BYTES = 8
_LINES_LIMIT = 16


class WitnessKey(NamedTuple):
    """A witness: its name and its Ed25519 public key (32 bytes)."""

    name: str
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        """First four bytes of SHA-256(name, newline, type, key)."""
        return sha256(self.name.encode() + b"\n" + COSIGNATURE + self.public_key).digest()[:4]

    @property
    def line(self) -> str:
        """The vkey line `name+hash+key`."""
        return f"{self.name}+{self.key_id.hex()}+{b64encode(COSIGNATURE + self.public_key).decode()}"

    @classmethod
    def parse(cls, line: str) -> "WitnessKey":
        """The key that prints as `line`. Raises `Malformed` on every other text."""
        name, _, rest = line.partition("+")
        raw = base64(rest.partition("+")[2], "witness key")
        if raw[:1] != COSIGNATURE or len(raw) != 33 or not is_name(name):
            raise Malformed("not the key of an Ed25519 witness")
        key = cls(name, raw[1:])
        if key.line != line:
            raise Malformed("the witness key's hash does not fit it")
        return key

    def verify(self, text: str, value: bytes) -> int:
        """When (seconds since the epoch) this witness cosigned the note's text. Raises `SignatureInvalid`."""
        seconds = int.from_bytes(value[:_TIME_BYTES], "big")
        try:
            if seconds >= 1 << 63:
                raise ValueError
            key = Ed25519PublicKey.from_public_bytes(self.public_key)
            key.verify(value[_TIME_BYTES:], _message(text, seconds))
        except (InvalidSignature, ValueError) as error:
            raise SignatureInvalid(f"the cosignature of {self.name} does not fit the checkpoint") from error
        return seconds


def cosign(key: WitnessKey, text: str, seconds: int, sign: Callable[[bytes], bytes]) -> Signature:
    """The signature line of a witness over a checkpoint's text, at a time in seconds since the epoch."""
    value = seconds.to_bytes(_TIME_BYTES, "big") + sign(_message(text, seconds))
    return Signature(key.name, key.key_id, value)


def cosigned(text: str, answer: bytes, key: WitnessKey) -> Signature:
    """The line of `key` in what a witness answered; lines of keys we do not know are ignored.

    Raises `Malformed` when there is none, `SignatureInvalid` when it does not fit the checkpoint.
    """
    lines = utf8(answer, "the witness's answer").split("\n")
    if lines.pop() or len(lines) > _LINES_LIMIT:
        raise Malformed("the witness's answer is not lines")
    for line in lines:
        signature = Signature.parse(line)
        if (signature.name, signature.key_id) == (key.name, key.key_id):
            key.verify(text, signature.value)
            return signature
    raise Malformed("the witness's answer holds no cosignature of its key")


def _message(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()
