"""Checks evidence that a Sayso installation handed out, with nothing but Python's standard library (3.10 or later).

    python3 -I sayso_verify.py PATH [--trust FILE] [--earlier CHECKPOINT] [--tag-key FILE] [--json]

PATH is an evidence bundle (zip or unpacked), a tile directory, a receipt, a certificate or a log proof; its content
tells which. FILE holds the public keys you trust, learnt elsewhere than with PATH; without it signatures are checked
against the key that PATH itself carries, and the first line says KEY NOT CHECKED. CHECKPOINT is one of the same log
that you kept: a tile directory must begin with it. With a person's tag key the entries about them are found in a tile
directory, all of them and no others.

Exit 0: sound. 1: broken, the first bad index is named. 2: nothing that can be judged, or with strange files in it.

No network, no database, nothing is written. Read from the top: numbers and hashes, signatures, the tree, then one part
for each kind of evidence. Formats: RFC 8032 (Ed25519), RFC 9162 (tree and proofs), RFC 7515 (JWS), and C2SP's
signed-note, tlog-checkpoint, tlog-tiles, tlog-proof and tlog-cosignature (https://c2sp.org).
"""

import sys

# What lies beside this file came with the evidence, from whoever is to be judged: none of it may pass for a part of
# Python. `python3 -I` sees to that as well; so nothing may be imported before these lines, `__future__` included.
if __name__ == "__main__" and not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
    beside = sys.path.pop(0)
    sys.path[:] = [each for each in sys.path if each not in (beside, "", ".")]

import argparse
import base64
import binascii
import calendar
import hmac
import io
import json
import os
import re
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256, sha512
from pathlib import Path
from typing import Any, NamedTuple

SOUND, BROKEN, UNUSABLE = 0, 1, 2
HASH = 32
WIDTH = 256
EVIDENCE_LIMIT = 16 << 20
LINE_LIMIT = 1 << 20
KEY_NOT_CHECKED = "KEY NOT CHECKED: signatures fit the key that came with the input; pass yours with --trust"


class Malformed(ValueError):
    """Bytes that are not in the format they claim, or a signature or proof that does not hold."""


class Broken(Exception):
    """Something does not hold: at the entry `index`, where there is one, in the file or part `place`."""

    def __init__(self, message: str, index: int | None = None, place: str | None = None) -> None:
        super().__init__(message)
        self.index, self.place = index, place


class Unusable(Exception):
    """Nothing that can be judged: of no known kind, unreadable, or with files that do not belong to it."""


@dataclass(frozen=True)
class Verdict:
    """The answer: exit code, what was found, and the first bad index if entries are concerned."""

    code: int
    lines: tuple[str, ...]
    index: int | None = None
    place: str | None = None

    @property
    def report(self) -> str:
        """What to print."""
        return "\n".join(self.lines)

    @classmethod
    def told(cls, code: int, lines: tuple[str, ...], index: int | None = None, place: str | None = None) -> "Verdict":
        """The same with nothing in it that could move a terminal's cursor or turn a line around: much of what is told
        was read from files that nobody vouches for.
        """
        return cls(code, tuple(map(printable, lines)), index, printable(place) if place is not None else None)


def printable(text: str) -> str:
    """The text with each sign that does not print as itself written as its number in hex: U+202E as u{202e}."""
    return "".join(sign if sign.isprintable() else f"\\u{{{ord(sign):x}}}" for sign in text)


# Strict reading: what does not print back to the very same bytes is malformed, so no signature has two spellings.


def unbase64(text: str, what: str) -> bytes:
    """Bytes of padded base64 (RFC 4648, section 4), spare bits zero."""
    try:
        raw = binascii.a2b_base64(text.encode("ascii"))
    except (UnicodeEncodeError, binascii.Error) as error:
        raise Malformed(f"{what} is not base64") from error
    if base64.b64encode(raw).decode() != text:
        raise Malformed(f"{what} is not base64, or has spare bits that are not zero")
    return raw


def unbase64url(text: str, what: str) -> bytes:
    """Bytes of unpadded base64url (RFC 7515, section 2), spare bits zero."""
    if re.search(r"[+/=]", text):
        raise Malformed(f"{what} is not base64url")
    return unbase64(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), what)


def digest(text: str, what: str) -> bytes:
    """A SHA-256 value in base64. Lengths come first: an empty hash equal to an empty root proves nothing."""
    raw = unbase64(text, what)
    if len(raw) != HASH:
        raise Malformed(f"{what} is {len(raw)} bytes long, not {HASH}")
    return raw


def decimal(text: str, what: str) -> int:
    """A number from 0 to 2^63 - 1 without leading zeroes."""
    if not re.fullmatch(r"0|[1-9][0-9]{0,18}", text) or int(text) >= 1 << 63:
        raise Malformed(f"{what} is not a decimal number")
    return int(text)


def utf8(raw: bytes, what: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed(f"{what} is not UTF-8") from error


def parse_object(raw: bytes, what: str) -> dict[str, Any]:
    """A JSON object in which no member stands twice."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise Malformed(f"{what} has a member twice")
        return found

    try:
        value = json.loads(utf8(raw, what), object_pairs_hook=once)
    except (json.JSONDecodeError, RecursionError) as error:
        raise Malformed(f"{what} is not the JSON it should be") from error
    if not isinstance(value, dict):
        raise Malformed(f"{what} is not a JSON object")
    return value


def member_as_it_stands(raw: bytes, name: str) -> bytes:
    """The bytes of one member of a JSON object, exactly as they were signed."""
    text, decoder, at = raw.decode("utf-8"), json.JSONDecoder(), raw.decode("utf-8").index("{") + 1
    space = re.compile(r"[\s,:]*")
    while not text[at:].lstrip().startswith("}"):
        key, at = decoder.raw_decode(text, space.match(text, at).end())  # type: ignore[union-attr]
        start = space.match(text, at).end()  # type: ignore[union-attr]
        _, at = decoder.raw_decode(text, start)
        if key == name:
            return text[start:at].encode()
        at = space.match(text, at).end()  # type: ignore[union-attr]
    return b""


# Ed25519 (RFC 8032, section 5.1), verification only, on extended coordinates (X, Y, Z, T): x = X/Z, y = Y/Z, xy = T/Z.

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]


def add(a: Point, b: Point) -> Point:
    """The sum of two points of the curve; also of a point with itself."""
    low = (a[1] - a[0]) * (b[1] - b[0]) % P
    high = (a[1] + a[0]) * (b[1] + b[0]) % P
    cross, twice = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = high - low, twice - cross, twice + cross, high + low
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def sum_of(m: int, a: Point, n: int, b: Point) -> Point:
    """Sum of m times a and n times b, bit by bit for both at once."""
    both, result = add(a, b), (0, 1, 1, 0)
    for bit in range(max(m.bit_length(), n.bit_length()) - 1, -1, -1):
        result = add(result, result)
        chosen = (m >> bit & 1) + 2 * (n >> bit & 1)
        if chosen:
            result = add(result, (a, b, both)[chosen - 1])
    return result


def point_of(raw: bytes) -> Point:
    """The point that 32 bytes encode. Raises `Malformed` when there is none (section 5.1.3)."""
    y, sign = int.from_bytes(raw, "little") & ((1 << 255) - 1), raw[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        raise Malformed("not a public key")
    x = P - x if x & 1 != sign else x
    return (x, y, 1, x * y % P)


BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def check_signature(public_key: bytes, signature: bytes, message: bytes, what: str) -> None:
    """Raise `Malformed` unless the key (32 bytes) signed the message."""
    s = int.from_bytes(signature[32:], "little")
    if len(public_key) != 32 or len(signature) != 64 or s >= ORDER:
        raise Malformed(f"the signature of {what} does not fit it")
    k = int.from_bytes(sha512(signature[:32] + public_key + message).digest(), "little") % ORDER
    x, y, z, t = point_of(public_key)
    x, y, z, _ = sum_of(s, BASE, k, (P - x, y, z, P - t))
    inverse = pow(z, P - 2, P)
    x, y = x * inverse % P, y * inverse % P
    if (y | (x & 1) << 255).to_bytes(32, "little") != signature[:32]:
        raise Malformed(f"the signature of {what} does not fit it")


# Keys, signed notes and checkpoints (C2SP)

LOG_KEY, WITNESS_KEY = 1, 4


class Vkey(NamedTuple):
    """A line `name+hash+key`: an Ed25519 key and the name it signs under. Type 1 signs notes, type 4 is a witness's."""

    name: str
    kind: int
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public_key).digest()[:4]

    @property
    def line(self) -> str:
        key = base64.b64encode(bytes([self.kind]) + self.public_key).decode()
        return f"{self.name}+{self.key_id.hex()}+{key}"

    @classmethod
    def parse(cls, line: str) -> "Vkey":
        name, _, rest = line.partition("+")
        raw = unbase64(rest.partition("+")[2], "the verifier key")
        if len(raw) != 33 or raw[0] not in (LOG_KEY, WITNESS_KEY) or not is_name(name):
            raise Malformed("not an Ed25519 verifier key")
        key = cls(name, raw[0], raw[1:])
        if key.line != line:
            raise Malformed("the verifier key's hash does not fit it")
        return key


class Trust(NamedTuple):
    """Keys that were learnt elsewhere: of logs and witnesses, and of receipts and certificates by thumbprint."""

    keys: tuple[Vkey, ...]
    signers: dict[str, bytes]


class Head(NamedTuple):
    """What a checkpoint says: with `size` entries the log's root is `root`. `witnesses` known to us signed it too."""

    origin: str
    size: int
    root: bytes
    key: Vkey
    witnesses: tuple[str, ...]


def is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(sign.isspace() or sign < " " for sign in name)


def open_checkpoint(raw: bytes, keys: tuple[Vkey, ...]) -> Head:
    """The checkpoint in a note that one of `keys`, bearing the log's own name, signed.

    Unknown signature lines are ignored, so that keys can rotate; a known key with a bad signature condemns the note.
    """
    whole = utf8(raw, "the note")
    if len(raw) > 1 << 20 or any(sign < " " and sign != "\n" for sign in whole):
        raise Malformed("a note larger than 1 MiB, or with a control character")
    text, empty, block = whole.rpartition("\n\n")
    if not empty or not block.endswith("\n"):
        raise Malformed("the note has no signature block")
    text += "\n"
    head, *more = text.removesuffix("\n").split("\n")
    if len(more) < 2 or not all((head, *more)):
        raise Malformed("a checkpoint has at least three lines and no empty one")
    size, root = decimal(more[0], "the tree size"), digest(more[1], "the root hash")
    lines = block.removesuffix("\n").split("\n")
    if len(lines) > 100:
        raise Malformed("more than 100 signatures")
    known = {(key.name, key.key_id): key for key in keys if key.kind == WITNESS_KEY or key.name == head}
    signer, witnesses = None, []
    for line in lines:
        name, space, encoded = line.removeprefix("\N{EM DASH} ").partition(" ")
        value = unbase64(encoded, "a signature")
        if not line.startswith("\N{EM DASH} ") or not space or not is_name(name) or len(value) < 5:
            raise Malformed("not a signature line")
        key = known.get((name, value[:4]))
        if key is not None and key.kind == LOG_KEY:
            check_signature(key.public_key, value[4:], text.encode(), "the log")
            signer = key
        elif key is not None:
            seconds = int.from_bytes(value[4:12], "big")
            message = f"cosignature/v1\ntime {seconds}\n{text}".encode()
            check_signature(key.public_key, value[12:], message, "a witness")
            witnesses.append(key.name)
    if signer is None:
        raise Malformed("no known key signed the note")
    return Head(head, size, root, signer, tuple(witnesses))


def read_trust(raw: bytes) -> Trust:
    """A JWKS (RFC 7517) with one more member, `vkeys`; or a text file of vkey lines."""
    text = utf8(raw, "the trust file")
    if text.lstrip().startswith("{"):
        held = parse_object(raw, "the trust file")
        lines, jwks = held.get("vkeys", []), held.get("keys", [])
    else:
        lines, jwks = [line for line in text.splitlines() if line.strip()], []
    try:
        keys = tuple(Vkey.parse(line) for line in lines)
        signers = [parse_jwk(jwk) for jwk in jwks if jwk.get("crv") == "Ed25519"]
    except (AttributeError, TypeError) as error:
        raise Malformed("the trust file is not the JSON it should be") from error
    if not keys and not signers:
        raise Malformed("the trust file holds no key that can be used")
    return Trust(keys, {thumbprint(key): key for key in signers})


def parse_jwk(jwk: Any) -> bytes:
    """The 32 bytes of an Ed25519 key in JWK form (RFC 8037, section 2)."""
    if not isinstance(jwk, dict) or (jwk.get("kty"), jwk.get("crv")) != ("OKP", "Ed25519"):
        raise Malformed("not an Ed25519 key")
    raw = unbase64url(str(jwk.get("x")), "the key's x")
    if len(raw) != 32:
        raise Malformed("not an Ed25519 key")
    return raw


def thumbprint(key: bytes) -> str:
    """A key's name by RFC 7638 and RFC 8037, appendix A.3."""
    x = base64.urlsafe_b64encode(key).rstrip(b"=").decode()
    canonical = f'{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}'
    return base64.urlsafe_b64encode(sha256(canonical.encode()).digest()).rstrip(b"=").decode()


# The tree (RFC 9162, section 2.1)


def leaf_hash(entry: bytes) -> bytes:
    return sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


def perfect_root(hashes: bytes) -> bytes:
    """Root over 2^k concatenated hashes."""
    while len(hashes) > HASH:
        hashes = b"".join([sha256(b"\1" + hashes[i : i + 64]).digest() for i in range(0, len(hashes), 64)])
    return hashes


def check_inclusion(index: int, size: int, leaf: bytes, proof: list[bytes], root: bytes) -> None:
    """Raise `Malformed` unless `proof` shows the leaf hash at `index` under `root` (section 2.1.3.2)."""
    if not 0 <= index < size:
        raise Malformed(f"entry {index} is not in a log of size {size}")
    at, last, result = index, size - 1, leaf
    for step in proof:
        if last == 0:
            raise Malformed("the proof is too long")
        if at & 1 or at == last:
            result = node_hash(step, result)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            result = node_hash(result, step)
        at, last = at >> 1, last >> 1
    if last or result != root:
        raise Malformed(f"entry {index} is not what the signed root holds there")


def check_consistency(old: int, new: int, proof: list[bytes], old_root: bytes, new_root: bytes) -> None:
    """Raise `Malformed` unless `proof` shows that the tree of size `new` begins with that of `old` (2.1.4.2)."""
    wrong = Malformed("the two heads are not of one log that only grew")
    if old == new or old == 0:
        if proof or (old == new and old_root != new_root) or (old == 0 and old_root != sha256(b"").digest()):
            raise wrong
        return
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    if old > new or not path:
        raise wrong
    first = second = path[0]
    for step in path[1:]:
        if last == 0:
            raise wrong
        if at & 1 or at == last:
            first, second = node_hash(step, first), node_hash(step, second)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            second = node_hash(second, step)
        at, last = at >> 1, last >> 1
    if last or first != old_root or second != new_root:
        raise wrong


# Time stamps (RFC 3161): what an authority's answer says is read; whether it signed that, `openssl ts -verify` tells.

OIDS = {bytes.fromhex("608648016503040201"): "sha256", bytes.fromhex("608648016503040203"): "sha512"}
SIGNED_DATA, STAMP_INFO = bytes.fromhex("2a864886f70d010702"), bytes.fromhex("2a864886f70d0109100104")


class Timestamp(NamedTuple):
    """What a stamp says: at `seconds` since the epoch (`told` as RFC 3339) there was something with this hash."""

    algorithm: str
    imprint: bytes
    seconds: int
    told: str


def der(raw: bytes) -> list[tuple[int, bytes]]:
    """The elements of a DER value (X.690), each with its tag of one byte."""
    found, at = [], 0
    while at < len(raw):
        tag, size, at = raw[at], raw[at + 1] if at + 1 < len(raw) else 128, at + 2
        if size >= 128:
            more = size - 128
            if not 1 <= more <= 4 or tag & 31 == 31:
                raise Malformed("not the DER that it should be")
            size, at = int.from_bytes(raw[at : at + more], "big"), at + more
        if at + size > len(raw):
            raise Malformed("not the DER that it should be")
        found.append((tag, raw[at : at + size]))
        at += size
    return found


def read_timestamp(raw: bytes) -> Timestamp:
    """What a TimeStampResp says (section 2.4.2). Raises `Malformed`."""
    try:
        ((_, response),) = der(raw)
        (_, status), (_, token) = der(response)
        if der(status)[0] not in ((2, b"\0"), (2, b"\1")):
            raise Malformed("the authority did not grant a stamp")
        (_, kind), (_, content) = der(token)
        ((_, signed),) = der(content)
        (_, inner_kind), (_, wrapped) = der(der(signed)[2][1])
        ((octets, held),) = der(wrapped)
        ((_, info),) = der(b"".join(piece for _, piece in der(held)) if octets == 0x24 else held)
        _, _, (_, imprint), _, (_, moment), *_ = der(info)
        (_, algorithm), (_, value) = der(imprint)
        told = re.fullmatch(rb"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\.\d+)?Z", moment)
        if (kind, inner_kind) != (SIGNED_DATA, STAMP_INFO) or told is None:
            raise Malformed("not a time stamp")
        year, month, day, hour, minute, second = parts = [int(part) for part in told.groups()[:6]]
        text = f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
        return Timestamp(OIDS[der(algorithm)[0][1]], value, calendar.timegm(tuple(parts)), text)
    except (ValueError, IndexError, KeyError) as error:
        raise error if isinstance(error, Malformed) else Malformed("not a time stamp that can be read") from error


def check_stamped(stamp: Timestamp, message: bytes) -> None:
    """Raise `Malformed` unless the stamp is of these bytes."""
    if {"sha256": sha256, "sha512": sha512}[stamp.algorithm](message).digest() != stamp.imprint:
        raise Malformed("the time stamp is of something else")


# Tile directories (C2SP tlog-tiles): every byte of every file is compared with what the checkpoint commits to.


class Place(NamedTuple):
    """A tile, or, at level -1, a bundle of entries; `width` hashes or entries wide."""

    level: int
    number: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        digits = f"{self.number:03d}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
        number = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
        level = "entries" if self.level < 0 else str(self.level)
        return f"tile/{level}/{number}" + (f".p/{self.width}" if self.width < WIDTH else "")

    @classmethod
    def parse(cls, text: str) -> "Place | None":
        found = re.fullmatch(r"tile/(entries|[0-7])/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([0-9]{1,3}))?", text)
        if not found:
            return None
        level, number, width = found.groups()
        digits = number.replace("x", "").replace("/", "")
        place = cls(-1 if level == "entries" else int(level), int(digits), int(width or WIDTH))
        return place if place.path == text and place.width else None

    @property
    def first(self) -> int:
        """The first entry below it."""
        return self.number * WIDTH << 8 * max(self.level, 0)


def width_at(level: int, number: int, size: int) -> int:
    return max(0, min(WIDTH, (size >> 8 * max(level, 0)) - number * WIDTH))


def unpack(bundle: bytes) -> tuple[list[bytes], bool]:
    """The whole entries at the head of a bundle, each behind its uint16 length, and whether nothing is left."""
    entries, at = [], 0
    while at + 2 <= len(bundle):
        end = at + 2 + int.from_bytes(bundle[at : at + 2], "big")
        if end > len(bundle):
            break
        entries.append(bundle[at + 2 : end])
        at = end
    return entries, at == len(bundle)


def root_of(size: int, edge: dict[tuple[int, int], bytes]) -> bytes:
    """The root, from the partial tiles at the right edge of each level; a full one counts in the level above."""
    root = b""
    for level in range(8):
        row = size >> 8 * level
        hashes, at = edge.get((level, row >> 8), b""), row % WIDTH
        while at:
            height = (at & -at).bit_length() - 1
            node = perfect_root(hashes[(at - (1 << height)) * HASH : at * HASH])
            root = node_hash(node, root) if root else node
            at -= 1 << height
    return root or sha256(b"").digest()


class Directory:
    """One pass over entries and tiles, from the leaves up. Memory grows by one hash per 256 entries."""

    def __init__(self, folder: Path, tag_key: bytes | None = None, *, nested: bool = False) -> None:
        self.folder = folder
        self.nested = nested
        self.tag_key = tag_key
        self.tagged: list[int] = []
        self.places: set[Place] = set()
        self.logs: list[Path] = []
        self.unknown: list[str] = []
        self.widths: dict[tuple[int, int], list[int]] = {}
        self.signed: Head | None = None
        # What entry 0 says of the log before; and, once entries were pruned, what the entry about that says.
        self.told: dict[str, str] = {}
        self.gone: dict[str, str] = {}
        self.below = self.missing = 0
        for parent, folders, names in os.walk(folder):
            here = Path(parent)
            # The other logs lie beside each other: one below another would be in no chain that is followed.
            if here == folder and not nested and "logs" in folders and not (folder / "logs").is_symlink():
                folders.remove("logs")
                for child in sorted((folder / "logs").iterdir()):
                    inside = child.is_dir() and not child.is_symlink()
                    self.logs.append(child) if inside else self.unknown.append(f"logs/{child.name}")
            self.unknown += [self.name(here / each) for each in folders if (here / each).is_symlink()]
            for file in (here / each for each in names):
                place = Place.parse(self.name(file))
                if file.is_symlink() or not file.is_file():
                    self.unknown.append(self.name(file))
                elif place is not None:
                    self.places.add(place)
                    self.widths.setdefault(place[:2], []).append(place.width)
                elif self.name(file) not in ("checkpoint", "vkey", "pruned"):
                    self.unknown.append(self.name(file))

    def name(self, file: Path) -> str:
        return file.relative_to(self.folder).as_posix()

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def check(self, trust: Trust | None, earlier: bytes | None = None) -> list[str]:
        """Lines that say what holds."""
        head = self.signed = self.head(trust)
        old = open_earlier(earlier, head, trust) if earlier is not None else None
        lost = self.pruned(head, trust)
        files = self.tree(head, old, lost)
        lines = [
            f"log {head.origin}",
            f"size {head.size}, {files} tiles and bundles read, every entry hashed",
            f"signed by {head.key.line}",
            told_of_witnesses(head),
        ]
        lines.append(
            f"begins with the earlier log of size {old.size}"
            if old
            else "NOT CHECKED: whether it begins with a checkpoint that you kept (--earlier)"
        )
        if lost is not None:
            lines.append(f"pruned below index {self.below}, as the log itself says in {self.gone['entry']}")
            lines.append(f"NOT CHECKED: {self.missing} entries that were pruned; their hashes hold")
        shards = [Directory(log, self.tag_key, nested=True) for log in self.logs]
        for shard in shards:
            try:
                lines += shard.check(trust)
            except Broken as error:
                where = f"logs/{shard.folder.name}"
                raise Broken(f"{where}: {error}", error.index, f"{where}/{error.place or ''}") from error
        lines += [] if self.nested else follow([self, *shards])
        if self.tag_key is not None:
            lines.append(
                f"{len(self.tagged)} entries bear the tag of the key: {', '.join(map(str, self.tagged)) or 'none'}"
            )
        if self.unknown:
            raise Unusable(f"files that do not belong here: {', '.join(sorted(self.unknown)[:5])}")
        return lines

    def head(self, trust: Trust | None) -> Head:
        """The checkpoint, under the key in `vkey` and, where there is trust, under a trusted one as well."""
        own: tuple[Vkey, ...] = ()
        try:
            line = utf8(self.read("vkey"), "vkey")
            own = (Vkey.parse(line.removesuffix("\n")),)
            if line != own[0].line + "\n":
                raise Malformed("not one line")
        except Malformed as error:
            raise Broken(f"vkey: {error}", place="vkey") from error
        except FileNotFoundError as error:
            # The log of another program may come without one; then the trusted key is all there is.
            if trust is None:
                raise Broken("vkey is missing", place="vkey") from error
        try:
            raw = self.read("checkpoint")
            if own:
                head = open_checkpoint(raw, own)
            return open_checkpoint(raw, trust.keys) if trust is not None else head
        except FileNotFoundError as error:
            raise Broken("checkpoint is missing", place="checkpoint") from error
        except Malformed as error:
            raise Broken(f"checkpoint: {error}", place="checkpoint") from error

    def pruned(self, head: Head, trust: Trust | None) -> Head | None:
        """The head up to which entries were pruned, by a proven entry of the same installation. None without one."""
        if not (self.folder / "pruned").exists():
            return None
        proven = prove(self.read("pruned"), trust)
        self.gone = {name: str(value) for name, value in {**proven.res, "entry": proven.entry.get("id")}.items()}
        try:
            self.below = decimal(self.gone["below"], "the index below which it was pruned")
            root = bytes.fromhex(self.gone["root"])
            named = (proven.entry["type"], self.gone["origin"])
        except (Malformed, KeyError, TypeError, ValueError) as error:
            raise Broken("pruned: not the entry of a log that was pruned", place="pruned") from error
        # Only a log of the same brand speaks for it: names of logs hold no dot.
        brands = {each.origin.rpartition(".")[0] for each in (proven.head, head)}
        if named != ("audit.log.pruned", head.origin) or len(brands) > 1 or self.below > head.size:
            raise Broken("pruned: it speaks of another log", place="pruned")
        return head._replace(size=self.below, root=root)

    def tree(self, head: Head, old: Head | None, lost: Head | None) -> int:
        """How many tiles and bundles were compared."""
        row, files, level = b"", 0, 0
        edge: dict[tuple[int, int], bytes] = {}
        past: dict[tuple[int, int], bytes] = {}
        while head.size >> 8 * level:
            parents = []
            for number in range(-(-(head.size >> 8 * level) // WIDTH)):
                place = Place(level, number, width_at(level, number, head.size))
                if level == 0:
                    hashes = self.leaves(place)
                else:
                    hashes = row[number * WIDTH * HASH :][: place.width * HASH]
                    self.compare(place, hashes, head.size)
                self.narrower(place, hashes)
                files += 2 if level == 0 else 1
                if number in [each.size >> 8 * level >> 8 for each in (old, lost) if each is not None]:
                    past[level, number] = hashes
                if place.width == WIDTH:
                    parents.append(perfect_root(hashes))
                else:
                    edge[level, number] = hashes
            row, level = b"".join(parents), level + 1
        if root_of(head.size, edge) != head.root:
            # Entries and tiles agree with each other: all of them were written anew, and only the signature was not.
            message = "index 0 or later: entries and tiles agree with each other, and not with the signed root"
            raise Broken(message, 0, "checkpoint")
        if old is not None and root_of(old.size, past) != old.root:
            raise Broken("index 0 or later: the log does not begin with the earlier checkpoint", 0, "checkpoint")
        if lost is not None and root_of(lost.size, past) != lost.root:
            raise Broken("index 0 or later: the log is not the one that was pruned", 0, "pruned")
        beyond = [place for place in self.places if place.width > width_at(*place[:2], head.size)]
        self.unknown += [f"{place.path} (beyond the signed size)" for place in beyond]
        return files

    def leaves(self, place: Place) -> bytes:
        """The leaf hashes of a bundle, compared one by one with the tile of level 0."""
        bundle, first = place._replace(level=-1), place.first
        if first + place.width <= self.below and bundle not in self.places:
            self.missing += place.width
            return self.whole(place, bundle)
        raw, tile = self.file(bundle), self.file(place)
        entries, complete = unpack(raw)
        hashes = [leaf_hash(entry) for entry in entries[: place.width]]
        for offset, value in enumerate(hashes):
            if tile[offset * HASH : (offset + 1) * HASH] != value:
                what = f"the entry in {bundle.path} is not the one that {place.path} has the hash of"
                raise bad_place(first + offset, what, bundle)
            if self.tag_key is not None and is_tagged(entries[offset], self.tag_key):
                self.tagged.append(first + offset)
        if len(entries) != place.width or not complete:
            raise bad_place(first + len(hashes), f"{bundle.path} does not hold {place.width} entries", bundle)
        if len(tile) != place.width * HASH:
            raise bad_place(first + place.width, f"{place.path} does not hold {place.width} hashes", place)
        self.narrower(bundle, raw)
        if not first:
            self.told = opening_of(entries[0])
        return tile

    def whole(self, place: Place, bundle: Place) -> bytes:
        """The hashes of entries that were pruned: the tiles above and the signed root are what they are held to. A
        narrower bundle that is left of them is held to these hashes.
        """
        tile = self.file(place)
        if len(tile) != place.width * HASH:
            raise bad_place(place.first, f"{place.path} does not hold {place.width} hashes", place)
        for left in (bundle._replace(width=width) for width in self.widths.get(bundle[:2], ()) if width < place.width):
            entries, complete = unpack(self.read(left.path))
            if not complete or b"".join(map(leaf_hash, entries)) != tile[: left.width * HASH]:
                raise bad_place(place.first, f"{left.path} is not what {place.path} has the hashes of", left)
        return tile

    def compare(self, place: Place, expected: bytes, size: int) -> None:
        found = self.file(place)
        if found != expected:
            pieces = range(0, len(expected), HASH)
            differing = (at for at in pieces if found[at : at + HASH] != expected[at : at + HASH])
            index = place.first + (next(differing, len(expected)) // HASH << 8 * place.level)
            raise bad_place(min(index, size), f"{place.path} is not what the hashes below it give", place)

    def narrower(self, place: Place, data: bytes) -> None:
        """Partial tiles of earlier checkpoints may lie beside a wider one. Each is its beginning, or wrong."""
        for width in self.widths[place[:2]]:
            if width < place.width:
                earlier, end = place._replace(width=width), width * HASH
                if place.level < 0:
                    end = sum(2 + len(entry) for entry in unpack(data)[0][:width])
                if self.read(earlier.path) != data[:end]:
                    raise bad_place(place.first, f"{earlier.path} is not the beginning of {place.path}", earlier)

    def file(self, place: Place) -> bytes:
        if place not in self.places:
            raise bad_place(place.first, f"{place.path} is missing", place)
        return self.read(place.path)


def opening_of(entry: bytes) -> dict[str, str]:
    """What a shard's first entry says of the log before it; nothing when it is another entry."""
    try:
        leaf = parse_object(entry, "the entry")
    except Malformed:
        return {}
    res = leaf.get("res")
    if leaf.get("type") != "audit.shard.opened" or not isinstance(res, dict):
        return {}
    return {name: str(value) for name, value in res.items()}


def follow(logs: list[Directory]) -> list[str]:
    """Shards in a chain: each says in its first entry with which head the one before it ended."""
    lines = []
    for each in logs:
        told, origin = each.told or each.gone, each.signed.origin if each.signed is not None else ""
        if "old_origin" not in told:
            continue
        # All that bear the name: of a log that is there twice one may be the true one.
        before = [log.signed for log in logs if log.signed is not None and log.signed.origin == told["old_origin"]]
        if not before:
            lines.append(f"NOT CHECKED: {origin} goes on after {told['old_origin']}, which is not here")
        elif {(str(old.size), old.root.hex()) for old in before} != {(told.get("old_size"), told.get("old_root"))}:
            place = "" if each is logs[0] else f"logs/{each.folder.name}/"
            message = f"{place}index 0: it goes on after another end of {told['old_origin']} than the one that is here"
            raise Broken(message, 0, f"{place}tile/entries/000")
        else:
            lines.append(f"{origin} goes on where {told['old_origin']} ended")
    return lines


def bad_place(index: int, what: str, place: Place) -> Broken:
    return Broken(f"index {index}: {what}", index, place.path)


def is_tagged(entry: bytes, tag_key: bytes) -> bool:
    """Whether the entry is about the owner of the tag key: its tag is HMAC-SHA256(tag key, nonce), 16 bytes of it."""
    try:
        leaf = parse_object(entry, "the entry")
        nonce, tag = unbase64(leaf["n"], "the nonce"), unbase64(leaf["t"]["s"], "the tag")
    except (Malformed, KeyError, TypeError, AttributeError):
        return False
    return hmac.new(tag_key, nonce, "sha256").digest()[:16] == tag


def read_tag_key(raw: bytes) -> bytes:
    """32 bytes in base64, alone or as the member `tag_key` of a JSON object."""
    text = utf8(raw, "the tag key").strip()
    return digest(str(parse_object(raw, "the tag key").get("tag_key")) if text.startswith("{") else text, "the tag key")


def open_earlier(raw: bytes, head: Head, trust: Trust | None) -> Head:
    try:
        old = open_checkpoint(raw, trust.keys if trust is not None else (head.key,))
    except Malformed as error:
        raise Unusable(f"the earlier checkpoint: {error}") from error
    if old.origin != head.origin:
        raise Unusable("the earlier checkpoint is of another log")
    if old.size > head.size:
        raise Broken("the log is shorter than the earlier checkpoint says", head.size, "checkpoint")
    return old


def told_of_witnesses(head: Head) -> str:
    if head.witnesses:
        return f"witnessed by {', '.join(head.witnesses)}"
    return "NOT CHECKED: whether others were shown the same log (no witness that you trust signed it)"


# Receipts, certificates and log proofs


def check_evidence(raw: bytes, trust: Trust | None) -> list[str]:
    """A compact JWS, a tlog-proof, one with the other, or the JSON that our interface answers with."""
    jws, proof = split_evidence(raw)
    try:
        if jws is None:
            return check_proof(proof or b"", trust, None)
        signed = check_jws(jws, trust)
        body = signed.body
        proof = proof or (body["proof"].encode() if isinstance(body.get("proof"), str) else None)
        systems = check_systems(signed, trust)
        if proof is not None:
            return [*signed.told(), *check_proof(proof, trust, signed), *systems]
        named = signed.entry or "(none)"
        return [*signed.told(), *systems, f"NOT CHECKED: entry {named} is named, and no log proof came with it"]
    except Malformed as error:
        raise Broken(str(error)) from error


def split_evidence(raw: bytes) -> tuple[str | None, bytes | None]:
    """The JWS and the proof in a file, told by content."""
    if raw.lstrip().startswith(b"{"):
        try:
            answer = parse_object(raw, "the answer")
        except Malformed as error:
            raise Unusable(str(error)) from error
        jws, proof = answer.get("receipt") or answer.get("certificate"), answer.get("proof")
        if not all(isinstance(each, (str, type(None))) for each in (jws, proof)) or (jws or proof) is None:
            raise Unusable("JSON without a receipt, a certificate or a proof")
        return jws, proof.encode() if proof is not None else None
    first, newline, rest = raw.partition(b"\n")
    marked = any(mark in raw.split(b"\n\n")[0] for mark in (b"c2sp.org/tlog-pro", b"\nindex "))
    if marked and b"." not in first.split(b"/")[-1]:
        return None, raw
    if len(first) < 100 or b"." not in first or b" " in first:
        raise Unusable("neither a bundle, nor a tile directory, a receipt, a certificate or a log proof")
    try:
        return utf8(first, "the JWS"), rest.lstrip(b"\n") or None if newline else None
    except Malformed as error:
        raise Broken(str(error)) from error


class Signed(NamedTuple):
    """A JWS whose signature fits."""

    kid: str
    typ: str
    payload: bytes
    claims: dict[str, Any]

    @property
    def body(self) -> dict[str, Any]:
        """What of the claims names the entry and may hold its proof."""
        inner = (self.claims.get(name) for name in ("receipt", "certificate"))
        bodies = [each for each in (*inner, self.claims) if isinstance(each, dict)]
        merged: dict[str, Any] = {}
        for each in reversed(bodies):
            merged.update({name: each[name] for name in ("entry", "proof") if isinstance(each.get(name), str)})
        return merged

    @property
    def entry(self) -> str | None:
        return self.body.get("entry")

    def told(self) -> list[str]:
        kind = "certificate" if "certificate" in self.claims or "certificate" in self.typ else "receipt"
        facts = [f"{name} {self.claims[name]}" for name in ("jti", "iss", "iat") if self.claims.get(name)]
        return [f"{kind} signed by key {self.kid}", *facts]


def check_jws(text: str, trust: Trust | None) -> Signed:
    """A compact JWS (RFC 7515, section 7.1) with `alg: Ed25519` whose `kid` is the thumbprint of the key it carries."""
    parts = text.split(".")
    if len(parts) != 3:
        raise Malformed("not a compact JWS")
    head, payload, signature = (unbase64url(part, "a part of the JWS") for part in parts)
    header, claims = parse_object(head, "the JWS's header"), parse_object(payload, "the JWS's payload")
    if header.get("alg") != "Ed25519" or "crit" in header:
        raise Malformed("a JWS of another kind than Ed25519 without critical extensions")
    key = parse_jwk(header.get("jwk"))
    if thumbprint(key) != header.get("kid"):
        raise Malformed("the JWS names another key than it carries")
    if trust is not None and header["kid"] not in trust.signers:
        raise Malformed("the signing key is not in the trust file")
    check_signature(key, signature, f"{parts[0]}.{parts[1]}".encode(), "the JWS")
    return Signed(header["kid"], str(header.get("typ", "")), payload, claims)


class Proven(NamedTuple):
    """An entry that stands in a log: its members (none where it is no entry of ours), and the log's checkpoint."""

    at: int
    entry: dict[str, Any]
    head: Head

    @property
    def line(self) -> str:
        return f"entry {self.entry.get('id', '(not ours)')} {self.entry.get('type', '')} stands at index {self.at}"

    @property
    def res(self) -> dict[str, Any]:
        res = self.entry.get("res")
        return res if isinstance(res, dict) else {}


def check_proof(raw: bytes, trust: Trust | None, signed: Signed | None) -> list[str]:
    """A log proof, alone or of what was signed."""
    proven = prove(raw, trust)
    if signed is not None:
        check_binding(signed, proven)
    head = proven.head
    return [
        proven.line,
        f"log {head.origin}, size {head.size}, signed by {head.key.line}",
        told_of_witnesses(head),
    ]


def prove(raw: bytes, trust: Trust | None) -> Proven:
    """A tlog-proof whose `extra` holds the log's vkey, a newline and the entry's own bytes."""
    index = None
    try:
        text, empty, note = raw.partition(b"\n\n")
        lines = utf8(text, "the proof").split("\n")
        if not empty or len(lines) < 3 or lines[0] != "c2sp.org/tlog-proof@v1" or not lines[1].startswith("extra "):
            raise Malformed("not a tlog-proof of version 1 that carries its entry")
        line, newline, leaf = unbase64(lines[1].removeprefix("extra "), "extra data").partition(b"\n")
        carried = Vkey.parse(utf8(line, "the verifier key"))
        if not newline or not lines[2].startswith("index ") or len(lines) > 3 + 63:
            raise Malformed("the proof names no index, or does not carry its entry")
        index = decimal(lines[2].removeprefix("index "), "the index")
        head = open_checkpoint(note, (carried,) if trust is None else trust.keys)
        proof = [digest(each, "a hash of the proof") for each in lines[3:]]
        check_inclusion(index, head.size, leaf_hash(leaf), proof, head.root)
    except Malformed as error:
        raise Broken(f"log proof: {error}", index) from error
    try:
        entry = parse_object(leaf, "the entry")
    except Malformed:
        entry = {}
    return Proven(index, entry, head)


def check_binding(signed: Signed, proven: Proven) -> None:
    """The proven entry is the one that was signed. A certificate's entry holds its statement's hash."""
    if proven.entry.get("id") != signed.entry:
        raise Broken("the log proof is of another entry than the one that was signed", proven.at)
    if "certificate" in signed.claims:
        statement = member_as_it_stands(signed.payload, "certificate")
        if proven.res.get("certificate") != sha256(statement).hexdigest():
            raise Broken("the log entry holds the hash of another certificate", proven.at)


def check_systems(signed: Signed, trust: Trust | None) -> list[str]:
    """What a certificate says of other systems, and that the log holds the hash of it once all have settled."""
    systems, raw = signed.claims.get("systems"), signed.claims.get("systems_proof")
    if "certificate" not in signed.claims or not isinstance(systems, list):
        return []
    lines = [f"system {each.get('system')} {each.get('status')}" for each in systems if isinstance(each, dict)]
    if not isinstance(raw, str):
        return [*lines, "NOT CHECKED: what systems answered is signed, and stands in no entry of the log yet"]
    proven = prove(raw.encode(), trust)
    request, entry = signed.claims.get("jti"), signed.claims.get("systems_entry")
    if proven.entry.get("id") != entry or proven.res.get("request") != request:
        raise Broken("the log proof of the systems is of another entry", proven.at)
    if proven.res.get("systems") != sha256(member_as_it_stands(signed.payload, "systems")).hexdigest():
        raise Broken("the log entry holds the hash of other answers of systems", proven.at)
    return [*lines, proven.line]


# Evidence bundles: entries with proofs under the checkpoint of their log, openings, and a signed list of all files

COMMITMENT = b"sayso.audit.commitment.v1\0"
MANIFEST = "manifest.jws"
LOGS = "logs/"
LOG_NAME = re.compile("[a-z][a-z0-9-]*", re.ASCII)


class Bundle:
    """The files of a bundle, in a folder or in a zip."""

    def __init__(self, path: Path) -> None:
        self.folder = path if path.is_dir() else None
        try:
            self.zip = None if self.folder else zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError) as error:
            raise Broken(f"the zip is damaged: {error}") from error
        if self.zip is not None:
            self.names = [each for each in self.zip.namelist() if not each.endswith("/")]
        else:
            files = (each for each in sorted(path.rglob("*")) if not each.is_dir() or each.is_symlink())
            self.names = [each.relative_to(path).as_posix() for each in files]
        if not {"entries.jsonl", MANIFEST, "proofs.jsonl"} & set(self.names):
            raise Unusable("a zip or folder that is no evidence bundle")

    def open(self, name: str) -> io.BufferedIOBase:
        if self.names.count(name) != 1:
            raise Broken(f"{name} is missing, or there twice", place=name)
        if self.zip is not None:
            return self.zip.open(name)  # type: ignore[return-value]
        return (self.folder / name).open("rb")  # type: ignore[operator]

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of a file, each of which ends in a newline."""
        with self.open(name) as stream:
            while line := stream.readline(LINE_LIMIT):
                if not line.endswith(b"\n"):
                    raise Malformed(f"{name} ends inside a line")
                yield line[:-1]

    def small(self, name: str) -> bytes:
        with self.open(name) as stream:
            return stream.read(EVIDENCE_LIMIT)

    def check(self, trust: Trust | None) -> list[str]:
        """Lines that say what holds."""
        self.reading = MANIFEST
        try:
            return self.parts(trust)
        except Malformed as error:
            raise Broken(f"{self.reading}: {error}", place=self.reading) from error
        except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, binascii.Error, OSError) as error:
            raise Broken(f"{self.reading} is damaged: {error}", place=self.reading) from error
        except Exception as error:  # the decompressors have errors of their own
            if type(error).__name__ in ("error", "LZMAError"):
                raise Broken(f"{self.reading} is damaged: {error}", place=self.reading) from error
            raise

    def parts(self, trust: Trust | None) -> list[str]:
        heads = self.heads(trust)
        counts, opened, closed = self.entries({name: head for name, (head, _) in heads.items()})
        self.reading = MANIFEST
        signed = check_jws(utf8(self.small(MANIFEST), "the list of files"), trust)
        listed = signed.claims.get("files")
        if signed.claims.get("v") != 1 or not isinstance(listed, dict):
            raise Malformed("not the list of files of a bundle of version 1")
        for name, wanted in listed.items():
            self.reading = name
            if self.hashed(name) != wanted:
                raise Broken(f"{name} is not the file that was signed", place=name)
        found: dict[str, Any] = {"entries": sum(counts.values())}
        if "" in heads:
            found["size"] = heads[""][0].size
        else:
            found["logs"] = {
                name: {"entries": counts[name], "log": head.origin, "size": head.size}
                for name, (head, _) in heads.items()
            }
        if {name: signed.claims.get(name) for name in found} != found:
            raise Broken("the signed list speaks of other entries than there are", place=MANIFEST)
        lines = [
            f"evidence bundle of {signed.claims.get('made_at')}, export {signed.claims.get('export')}",
            *(f"log {head.origin}, size {head.size}, signed by {head.key.line}" for head, _ in heads.values()),
            f"{found['entries']} entries, each proven to stand in {'that log' if len(heads) == 1 else 'its log'}",
            f"{opened} openings, each what its entry committed to; {closed} sealed parts of entries were not handed out"
            " or are destroyed",
            f"{len(listed)} files as listed and signed by key {signed.kid}",
            *self.of_heads(heads, trust),
            "NOT CHECKED: that these are all entries that match (the list's signer says so)",
        ]
        unknown = [name for name in self.names if name not in listed and name not in (MANIFEST, "manifest.json")]
        if "manifest.json" in self.names and self.small("manifest.json") != signed.payload:
            raise Broken("manifest.json is not what was signed", place="manifest.json")
        if unknown:
            raise Unusable(f"files that do not belong here: {', '.join(unknown[:5])}")
        return lines

    def heads(self, trust: Trust | None) -> dict[str, tuple[Head, Vkey]]:
        """The head of each log, with the key that came with it, by the folder below `logs` that they lie in; the one of
        a bundle of one log lies at the top, which is the empty name.
        """
        found: dict[str, tuple[Head, Vkey]] = {}
        several = sorted({name.split("/")[1] for name in self.names if name.startswith(LOGS)})
        for name in several or [""]:
            at = f"{LOGS}{name}/" if name else ""
            self.reading = f"{at}checkpoint"
            if several and not LOG_NAME.fullmatch(name):
                raise Malformed("not the name of a log")
            carried = Vkey.parse(utf8(self.small(f"{at}vkey"), "vkey").removesuffix("\n"))
            head = open_checkpoint(self.small(f"{at}checkpoint"), (carried,) if trust is None else trust.keys)
            if head.origin in [other.origin for other, _ in found.values()]:
                raise Malformed("another head of a log that is here already")
            found[name] = head, carried
        if several and "checkpoint" in self.names:
            self.reading = "checkpoint"
            raise Malformed("a head at the top, and others below logs/")
        return found

    def of_heads(self, heads: dict[str, tuple[Head, Vkey]], trust: Trust | None) -> list[str]:
        """What is told of each head alike: who else saw it, and when. What holds of all logs is told once."""
        told: dict[str, list[str]] = {}
        for name, (head, carried) in heads.items():
            for line in (told_of_witnesses(head), *self.stamped(name, head, carried, trust)):
                told.setdefault(line, []).append(name)
        return [line if len(names) == len(heads) else f"{', '.join(names)}: {line}" for line, names in told.items()]

    def entries(self, heads: dict[str, Head]) -> tuple[dict[str, int], int, int]:
        """How many entries of each log hold, how many openings fit them, how many sealed parts stayed closed."""
        self.reading = "entries.jsonl"
        proofs, openings = self.lines("proofs.jsonl"), self.lines("openings.jsonl")
        waiting = next(openings, None)
        paths: dict[str, list[bytes]] = {name: [] for name in heads}
        counts = dict.fromkeys(heads, 0)
        opened = closed = 0
        log, index = "", None
        for leaf in self.lines("entries.jsonl"):
            line = next(proofs, None)
            if line is None:
                raise Broken(f"an entry after index {index}{in_log(log)} has no proof", index, "proofs.jsonl")
            try:
                self.reading = "proofs.jsonl"
                step = parse_object(line, "a proof")
                index, log = step["index"], step.get("log", "")
                if log not in heads:
                    raise Malformed("the proof is of no log that is here")
                head, above = heads[log], paths[log]
                keep = step["keep"]
                hashes = [digest(each, "a hash of the proof") for each in step["hashes"]]
                if not 0 <= keep <= len(above):
                    raise Malformed("the proof keeps more than there was")
                # The upper part of a path is mostly that of the entry before in that log, and is not repeated.
                above = paths[log] = hashes + above[len(above) - keep :]
                self.reading = "entries.jsonl"
                check_inclusion(index, head.size, leaf_hash(leaf), above, head.root)
                entry = parse_object(leaf, "the entry")
                self.reading = "openings.jsonl"
                sealed = dict(entry.get("c", {}))
                while waiting is not None and (held := parse_object(waiting, "an opening"))["entry"] == entry["id"]:
                    check_opening(held, sealed.pop(held["compartment"]), entry["id"])
                    opened, waiting = opened + 1, next(openings, None)
            except (Malformed, KeyError, TypeError, ValueError) as error:
                what = str(error) if isinstance(error, Malformed) else "not the JSON it should be"
                at = index if isinstance(index, int) else None
                raise Broken(f"index {at}{in_log(log)}: {self.reading}: {what}", at, self.reading) from error
            counts[log] += 1
            closed += len(sealed)
        if next(proofs, None) is not None or waiting is not None:
            raise Broken("a proof or an opening is of no entry in the bundle", place="proofs.jsonl")
        return counts, opened, closed

    def stamped(self, log: str, head: Head, carried: Vkey, trust: Trust | None) -> list[str]:
        """What a time stamp in the bundle says of the head that the entries of a log are proven under."""
        at = f"{LOGS}{log}/stamped/" if log else "stamped/"
        if not any(name.startswith(at) for name in self.names):
            return ["NOT CHECKED: when that was, but by the log's own word (no time stamp came with it)"]
        self.reading = f"{at}timestamp.tsr"
        note, stamp = self.small(f"{at}checkpoint"), read_timestamp(self.small(self.reading))
        check_stamped(stamp, note)
        self.reading = f"{at}checkpoint"
        # The key may have changed between the two heads. None that came with them is trusted, as the first line says.
        own = (carried, *(read_trust(self.small("keys.json")).keys if "keys.json" in self.names else ()))
        other = open_checkpoint(note, own if trust is None else trust.keys)
        if other.origin != head.origin:
            raise Malformed("the stamped head is of another log")
        self.reading = f"{at}consistency"
        lines = utf8(self.small(self.reading), "the proof").splitlines()
        old, new = sorted((head, other), key=lambda each: each.size)
        hashes = [digest(line, "a hash of the proof") for line in lines]
        check_consistency(old.size, new.size, hashes, old.root, new.root)
        what = "all entries here" if other.size >= head.size else f"entries here below index {other.size}"
        verify = f"openssl ts -verify -in {at}timestamp.tsr -data {at}checkpoint -CAfile ITS_ROOT"
        return [
            f"stamped {stamp.told} at size {other.size}: {what} were in the log by then",
            f"NOT CHECKED: whether the time-stamp authority signed that ({verify})",
        ]

    def hashed(self, name: str) -> str:
        total = sha256()
        with self.open(name) as stream:
            while piece := stream.read(1 << 16):
                total.update(piece)
        return total.hexdigest()


def in_log(name: str) -> str:
    """Which log an index is of, where there are several."""
    return f" of {name}" if name else ""


def check_opening(held: dict[str, Any], commitment: str, entry: str) -> None:
    """Commitment = HMAC-SHA256(r, label, compartment, entry id, payload), with r of exactly 32 bytes."""
    r, part = unbase64(held["r"], "an opening's r"), held["compartment"].encode()
    message = COMMITMENT + part + bytes.fromhex(entry.removeprefix("ent_")) + held["payload"].encode()
    if len(r) != 32 or hmac.new(r, message, "sha256").digest() != unbase64(commitment, "a commitment"):
        raise Malformed("an opening is not what the entry committed to")


# The answer


def verify(
    path: str | Path,
    trust: str | Path | None = None,
    earlier: str | Path | None = None,
    tag_key: str | Path | None = None,
) -> Verdict:
    """Judge what lies at `path`. Never raises for what it reads: everything ends in a verdict."""
    try:
        keys = read_trust(reading(trust, "the trust file")) if trust is not None else None
        old = reading(earlier, "the earlier checkpoint") if earlier is not None else None
        tag = read_tag_key(reading(tag_key, "the tag key")) if tag_key is not None else None
    except (Malformed, Unusable) as error:
        return Verdict.told(UNUSABLE, (f"UNUSABLE: {error}",))
    first = () if keys is not None else (KEY_NOT_CHECKED,)
    try:
        lines = judge(Path(path), keys, old, tag)
    except Broken as error:
        return Verdict.told(BROKEN, (*first, f"BROKEN: {error}"), error.index, error.place)
    except Unusable as error:
        return Verdict.told(UNUSABLE, (*first, f"UNUSABLE: {error}"))
    return Verdict.told(SOUND, (*first, *lines, "SOUND"))


def judge(path: Path, trust: Trust | None, earlier: bytes | None, tag_key: bytes | None) -> list[str]:
    try:
        if path.is_dir():
            if (path / MANIFEST).exists() or (path / "entries.jsonl").exists():
                return Bundle(path).check(trust)
            if not any((path / name).exists() for name in ("checkpoint", "vkey", "tile")):
                raise Unusable("a folder that is neither a tile directory nor an evidence bundle")
            return Directory(path, tag_key).check(trust, earlier)
        with path.open("rb") as stream:
            zipped = stream.read(4) == b"PK\3\4"
        if zipped:
            return Bundle(path).check(trust)
        if path.stat().st_size > EVIDENCE_LIMIT:
            raise Unusable("a file too large for a receipt or a proof")
        return check_evidence(path.read_bytes(), trust)
    except OSError as error:
        raise Unusable(f"cannot be read: {error.strerror}") from error


def reading(path: str | Path, what: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise Unusable(f"{what} cannot be read: {error.strerror}") from error


def main() -> int:
    """The command line."""
    words = argparse.ArgumentParser(description="Check evidence of a Sayso log. Exit 0 sound, 1 broken, 2 unusable.")
    words.add_argument("path", help="bundle, tile directory, receipt, certificate or log proof")
    words.add_argument("--trust", help="keys that you trust")
    words.add_argument("--earlier", help="an earlier checkpoint of the same log, for a tile directory")
    words.add_argument("--tag-key", help="a person's tag key: their entries are found, in a tile directory")
    words.add_argument("--json", action="store_true", help="print JSON")
    given = words.parse_args()
    verdict = verify(given.path, given.trust, given.earlier, given.tag_key)
    sys.stdout.write((json.dumps(asdict(verdict)) if given.json else verdict.report) + "\n")
    return verdict.code


if __name__ == "__main__":
    sys.exit(main())
