"""Compressed answers that are made once: gzip (RFC 1952), and gzip with a gap for what differs between answers."""

import zlib
from functools import lru_cache
from typing import Final, NamedTuple

_HEAD: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
"""Deflate, no name, no time, made at the best level, on whatever system (RFC 1952, 2.3)."""

_LEVEL, _MEMORY, _RAW = 9, 9, -zlib.MAX_WBITS
_Z_BLOCK: Final = 5
"""zlib's flush that ends a block and adds nothing: each part gets a code of its own. Python gives it no name."""


class Gapped(NamedTuple):
    """A gzip file without the bytes in its gap. `check` is the CRC-32 of what stands before the gap."""

    head: bytes
    tail: bytes
    check: int
    before: int
    after: bytes

    def filled(self, content: bytes) -> bytes:
        """The file with `content` in the gap, as long as it was told to be: stored as it is (RFC 1951, 3.2.4).

        Nothing around it is compressed by comparing it with the gap, so that its length says nothing of it either.
        """
        size = len(content)
        stored = b"\x00%b%b" % (size.to_bytes(2, "little"), (size ^ 0xFFFF).to_bytes(2, "little"))
        check = zlib.crc32(self.after, zlib.crc32(content, self.check))
        whole = (self.before + size + len(self.after)) & 0xFFFFFFFF
        end = check.to_bytes(4, "little") + whole.to_bytes(4, "little")
        return b"".join((self.head, stored, content, self.tail, end))


def gapped(parts: tuple[bytes, ...], after: bytes, size: int) -> Gapped:
    """Compress `parts` and `after` around a gap of `size` bytes, each of them as a block of its own.

    Letters of other scripts beside code are shorter with their own code; a block costs some sixty bytes.
    """
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW, _MEMORY)
    made = [packer.compress(part) + packer.flush(_Z_BLOCK) for part in parts]
    head = b"".join(made) + packer.flush(zlib.Z_SYNC_FLUSH)
    before = b"".join(parts)
    # What follows may repeat what stands before. No text has zeros, so nothing is found in the gap.
    seen = (before + bytes(size))[-(1 << zlib.MAX_WBITS) :]
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW, _MEMORY, zlib.Z_DEFAULT_STRATEGY, seen)
    tail = packer.compress(after) + packer.flush()
    return Gapped(_HEAD + head, tail, zlib.crc32(before), len(before), after)


@lru_cache(maxsize=64)
def accepts_gzip(header: bytes) -> bool:
    """Whether `Accept-Encoding` takes gzip (RFC 9110, 12.5.3). Without the header nothing is compressed."""
    for each in header.decode("latin-1").lower().split(","):
        name, _, rest = each.partition(";")
        if name.strip() in ("gzip", "x-gzip", "*"):
            return rest.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
