"""Receipts as text that most people share and text that is one person's: printed, coded and stored apart.

A receipt is some four kilobytes, of which all but one say the same to everybody: what a purpose is, who answers for
it, how to withdraw. Those parts are printed once, coded as base64url once, and stored once, by their hash, in
`consent_receipt_part`; a record keeps the rest and the hashes. Put together again they are the receipt byte for byte.

Until a part is known to be stored, receipts that need it are kept whole, so nothing ever waits for it.
"""

from binascii import b2a_base64
from collections.abc import Iterable
from hashlib import sha256
from typing import Final

from consent import store
from sayso.kernel import Tx, Work

Piece = tuple[bytes, tuple[bytes, ...]]
"""Text of one receipt, and the hashes of the shared parts that follow it; an empty hash is a comma."""

_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")
_HASH: Final = 16


def padded(text: bytes) -> bytes:
    """The text with blanks up to a multiple of three bytes."""
    return text + b"  "[: -len(text) % 3]


def base64url(raw: bytes) -> bytes:
    """Without padding (RFC 7515, section 2)."""
    return b2a_base64(raw, newline=False).translate(_URL_SAFE).rstrip(b"=")


class Part:
    """A shared part. Its length is a multiple of three (JSON lets blanks follow a value), so that its base64url does
    not depend on what stands before it.
    """

    __slots__ = ("coded", "digest", "stored", "text")

    def __init__(self, text: bytes) -> None:
        self.text = padded(text)
        self.coded = base64url(self.text)
        self.digest = sha256(self.text).digest()[:_HASH]
        self.stored = False


class Parts:
    """The parts of one brand that this process has printed. Few: they are made of what the manifest declares."""

    def __init__(self) -> None:
        self._stored: set[bytes] = set()
        self._fresh: dict[bytes, Part] = {}

    def add(self, text: bytes) -> Part:
        """The part with this text."""
        part = Part(text)
        part.stored = part.digest in self._stored
        if not part.stored:
            part = self._fresh.setdefault(part.digest, part)
        return part

    @property
    def fresh(self) -> tuple[Part, ...]:
        """Parts of which nobody knows yet whether they are stored."""
        return tuple(self._fresh.values())

    def kept(self, parts: Iterable[Part]) -> None:
        """These are committed: from now on receipts may name them."""
        for part in parts:
            part.stored = True
            self._stored.add(part.digest)
            self._fresh.pop(part.digest, None)


COMMA: Final = Part(b",")
"""Between two parts of a list. It is in every store."""
COMMA.digest, COMMA.stored = b"", True


class Run:
    """Shared parts in a row, as one receipt after the other uses them."""

    __slots__ = ("_parts", "_stored", "coded", "digests")

    def __init__(self, parts: list[Part]) -> None:
        self._parts = parts
        self._stored = False
        self.coded = b"".join([part.coded for part in parts])
        self.digests = tuple([part.digest for part in parts])

    @property
    def stored(self) -> bool:
        """Whether every part is stored; once it is, it stays."""
        if not self._stored:
            self._stored = all(part.stored for part in self._parts)
        return self._stored

    @property
    def text(self) -> bytes:
        return b"".join(part.text for part in self._parts)


class Draft:
    """The claims of one receipt while they are put together."""

    __slots__ = ("_coded", "_runs")

    def __init__(self) -> None:
        self._coded: list[bytes] = []
        self._runs: list[tuple[bytes, Run]] = []

    def add(self, words: str, run: Run) -> None:
        """One person's text, then shared parts."""
        text = padded(words.encode())
        self._coded += (base64url(text), run.coded)
        self._runs.append((text, run))

    def coded(self) -> bytes:
        """The claims in base64url."""
        return b"".join(self._coded)

    def pieces(self) -> tuple[Piece, ...]:
        """The claims as a record keeps them."""
        for _, run in self._runs:
            if not run.stored:
                return ((b"".join([text + run.text for text, run in self._runs]), ()),)
        return tuple([(text, run.digests) for text, run in self._runs])


def keep(tx: Tx, parts: Iterable[Part]) -> Work[None]:
    """Store the parts that are not stored yet. A cold unit; idempotent."""
    wanted = list(parts)
    found = yield tuple(tx.get(store.RECEIPT_PART, part.digest) for part in wanted)
    for part, row in zip(wanted, found, strict=True):
        if row is None:
            tx.insert(store.RECEIPT_PART, part.digest, part.text)


def joined(tx: Tx, pieces: Iterable[Piece]) -> Work[bytes]:
    """The claims again. Raises `LookupError` when a part is missing, which only a damaged store can make."""
    taken = list(pieces)
    digests = list(dict.fromkeys(digest for _, named in taken for digest in named if digest))
    rows = (yield tuple(tx.get(store.RECEIPT_PART, digest) for digest in digests)) if digests else ()
    texts: dict[bytes, bytes] = {COMMA.digest: COMMA.text}
    for digest, row in zip(digests, rows, strict=True):
        if row is None:
            raise LookupError("a part of a receipt is missing from the store")
        texts[digest] = bytes(row[0])
    return b"".join(text + b"".join(texts[digest] for digest in named) for text, named in taken)
