"""C2SP tlog-proof (https://c2sp.org/tlog-proof): one entry's inclusion, provable with no log at hand. Pure.

In `extra` we put what a reader needs besides the proof: the log's vkey, a newline, and the entry's own bytes. Nothing
of it is trusted for standing there: the entry is hashed, and the key is only as good as where it was learnt.
"""

from base64 import b64encode
from collections.abc import Collection

from msgspec import Struct

from audit.tlog.checkpoint import Checkpoint, open_checkpoint
from audit.tlog.merkle import leaf_hash, verify_inclusion
from audit.tlog.note import VerifierKey
from audit.tlog.strict import Malformed, base64, decimal, digest, utf8

HEADER = "c2sp.org/tlog-proof@v1"
MEDIA_TYPE = "text/plain; charset=utf-8"
_HASH_LIMIT = 63


class TlogProof(Struct, frozen=True):
    """An entry's `index`, its inclusion proof (lowest hash first), the signed checkpoint, and opaque `extra` bytes."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def print(self) -> bytes:
        """The proof as text, UTF-8."""
        lines = [HEADER]
        if self.extra is not None:
            lines.append(f"extra {b64encode(self.extra).decode()}")
        lines.append(f"index {self.index}")
        lines += [b64encode(value).decode() for value in self.hashes]
        return "".join(f"{line}\n" for line in lines).encode() + b"\n" + self.checkpoint

    @classmethod
    def parse(cls, raw: bytes) -> "TlogProof":
        """The proof that prints as `raw`. Raises `Malformed` on every other input."""
        head, empty, checkpoint = raw.partition(b"\n\n")
        if not empty:
            raise Malformed("the proof has no checkpoint")
        lines = utf8(head, "the proof").split("\n")
        if lines.pop(0) != HEADER:
            raise Malformed("not a tlog-proof of version 1")
        extra = None
        if lines and lines[0].startswith("extra "):
            extra = base64(lines.pop(0).removeprefix("extra "), "extra data")
        if not lines or not lines[0].startswith("index "):
            raise Malformed("the proof names no index")
        index = decimal(lines.pop(0).removeprefix("index "), "index")
        if len(lines) > _HASH_LIMIT:
            raise Malformed(f"more than {_HASH_LIMIT} hashes")
        proof = cls(index, tuple(digest(line, "a hash of the proof") for line in lines), checkpoint, extra)
        if proof.print() != raw:
            raise Malformed("the proof does not print back to its bytes")
        return proof

    def verify(self, entry: bytes, keys: Collection[VerifierKey]) -> Checkpoint:
        """The checkpoint under which `entry` stands at this index.

        Raises `Malformed`, `SignatureInvalid` or `ProofInvalid`.
        """
        checkpoint = open_checkpoint(self.checkpoint, keys)
        verify_inclusion(self.index, checkpoint.size, leaf_hash(entry), self.hashes, checkpoint.root)
        return checkpoint


def pack_extra(key: VerifierKey, entry: bytes) -> bytes:
    """The `extra` of our proofs: vkey line, newline, entry."""
    return key.line.encode() + b"\n" + entry
