"""A small real log: leaves, a tree (RFC 9162), a signed checkpoint and a receipt, made with nothing of ours, to check
what the browser verifies."""

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ORIGIN = "sayso.example/log/default.main"


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def leaf_hash(leaf: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + leaf).digest()


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(hashes: list[bytes]) -> bytes:
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return node(root(hashes[:split]), root(hashes[split:]))


def path(index: int, hashes: list[bytes]) -> list[bytes]:
    if len(hashes) == 1:
        return []
    split = 1 << (len(hashes) - 1).bit_length() - 1
    if index < split:
        return [*path(index, hashes[:split]), root(hashes[split:])]
    return [*path(index - split, hashes[split:]), root(hashes[:split])]


@dataclass
class Log:
    """A log of `size` entries whose ids count up; every number of its proofs can be asked."""

    size: int = 11
    seed: bytes = b"\x07" * 32

    def __post_init__(self) -> None:
        self.key = Ed25519PrivateKey.from_private_bytes(self.seed)
        self.public = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.leaves = [
            json.dumps({"id": self.id(at), "type": "consent.recorded", "v": 1}, separators=(",", ":")).encode()
            for at in range(self.size)
        ]
        self.hashes = [leaf_hash(leaf) for leaf in self.leaves]
        thumbprint = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": b64url(self.public)}, separators=(",", ":"))
        self.kid = b64url(hashlib.sha256(thumbprint.encode()).digest())

    def id(self, index: int) -> str:
        return f"ent_{index:032x}"

    @property
    def jwk(self) -> dict[str, str]:
        return {"kty": "OKP", "crv": "Ed25519", "x": b64url(self.public), "kid": self.kid}

    @property
    def _key_id(self) -> bytes:
        return hashlib.sha256(ORIGIN.encode() + b"\n\x01" + self.public).digest()[:4]

    @property
    def vkey(self) -> str:
        return "+".join((ORIGIN, self._key_id.hex(), base64.b64encode(b"\x01" + self.public).decode()))

    def checkpoint(self) -> str:
        text = f"{ORIGIN}\n{self.size}\n{base64.b64encode(root(self.hashes)).decode()}\n"
        signature = base64.b64encode(self._key_id + self.key.sign(text.encode())).decode()
        return f"{text}\n— {ORIGIN} {signature}\n"

    def proof(self, index: int) -> str:
        lines = [base64.b64encode(sibling).decode() for sibling in path(index, self.hashes)]
        return "\n".join(["c2sp.org/tlog-proof@v1", f"index {index}", *lines, "", self.checkpoint()])

    def receipt(self, claims: dict[str, Any]) -> str:
        header = {
            "alg": "Ed25519",
            "kid": self.kid,
            "jwk": {key: self.jwk[key] for key in ("kty", "crv", "x")},
            "typ": "consent-receipt+jwt",
        }
        signed = f"{b64url(json.dumps(header).encode())}.{b64url(json.dumps(claims).encode())}"
        return f"{signed}.{b64url(self.key.sign(signed.encode()))}"

    def bundle(self, index: int) -> dict[str, Any]:
        return {
            "pending": False,
            "leaf": b64url(self.leaves[index]),
            "proof": self.proof(index),
            "vkey": self.vkey,
            "receipt": self.receipt({"iss": "https://sayso.example", "receipt": {"entry": self.id(index)}}),
        }
