"""C2SP signed notes (https://c2sp.org/signed-note) with Ed25519 keys: parse, print, verify. Pure.

A note is text, an empty line, and signature lines. Unknown signatures are ignored, so that keys can rotate and
witnesses can add theirs; a known key with a bad signature condemns the note.
"""

from base64 import b64encode
from collections.abc import Callable, Collection
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit.tlog.strict import Malformed, base64, utf8

ED25519 = b"\x01"
"""Signature type of plain Ed25519."""

SIZE_LIMIT = 1 << 20
SIGNATURE_LIMIT = 100
_DASH = "\N{EM DASH} "


class SignatureInvalid(ValueError):
    """No known key signed the note, or a known key's signature does not fit it."""


class VerifierKey(NamedTuple):
    """An Ed25519 public key (32 bytes) and the name it signs under."""

    name: str
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        """First four bytes of SHA-256(name, newline, type, key): a hint in signature lines, not an authenticator."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public_key).digest()[:4]

    @property
    def line(self) -> str:
        """The vkey line `name+hash+key`, as golang.org/x/mod/sumdb/note prints it."""
        return f"{self.name}+{self.key_id.hex()}+{b64encode(ED25519 + self.public_key).decode()}"

    @classmethod
    def parse(cls, line: str) -> "VerifierKey":
        """The key that prints as `line`. Raises `Malformed` on every other text, and on keys that are not Ed25519."""
        name, _, rest = line.partition("+")
        key_id, _, encoded = rest.partition("+")
        raw = base64(encoded, "verifier key")
        if raw[:1] != ED25519 or len(raw) != 33 or not is_name(name):
            raise Malformed("not an Ed25519 verifier key")
        key = cls(name, raw[1:])
        if key.key_id.hex() != key_id or key.line != line:
            raise Malformed("the verifier key's hash does not fit it")
        return key

    def verify(self, text: bytes, signature: bytes) -> None:
        """Raise `SignatureInvalid` unless `signature` is this key's over `text`. RFC 8032."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, text)
        except (InvalidSignature, ValueError) as error:
            raise SignatureInvalid(f"the signature of {self.name} does not fit the note") from error


class Signature(NamedTuple):
    """One signature line: who claims to have signed, the four-byte key id, and the signature itself."""

    name: str
    key_id: bytes
    value: bytes

    @property
    def line(self) -> str:
        """The line as it stands in the note, newline included."""
        return f"{_DASH}{self.name} {b64encode(self.key_id + self.value).decode()}\n"

    @classmethod
    def parse(cls, line: str) -> "Signature":
        """The signature of a line, without its newline. Raises `Malformed`."""
        name, space, encoded = line.removeprefix(_DASH).partition(" ")
        if not line.startswith(_DASH) or not space or not is_name(name):
            raise Malformed("not a signature line")
        raw = base64(encoded, "signature")
        if len(raw) < 5:
            raise Malformed("a signature that is too short")
        return cls(name, raw[:4], raw[4:])


class SignedNote(NamedTuple):
    """A note: its text with the final newline, and its signatures in order."""

    text: str
    signatures: tuple[Signature, ...]

    def print(self) -> bytes:
        """The note as bytes."""
        return (self.text + "\n" + "".join(signature.line for signature in self.signatures)).encode()

    @classmethod
    def parse(cls, raw: bytes) -> "SignedNote":
        """The note that prints as `raw`. Raises `Malformed` on every other input, and on notes above 1 MiB."""
        if len(raw) > SIZE_LIMIT:
            raise Malformed("a note larger than 1 MiB")
        whole = utf8(raw, "the note")
        if any(sign < " " and sign != "\n" for sign in whole):
            raise Malformed("a control character in the note")
        text, empty, lines = whole.rpartition("\n\n")
        if not empty or not lines.endswith("\n"):
            raise Malformed("the note has no signature block")
        signatures = tuple(Signature.parse(line) for line in lines.removesuffix("\n").split("\n"))
        if len(signatures) > SIGNATURE_LIMIT:
            raise Malformed(f"more than {SIGNATURE_LIMIT} signatures")
        note = cls(text + "\n", signatures)
        if note.print() != raw:
            raise Malformed("the note does not print back to its bytes")
        return note

    def verify(self, keys: Collection[VerifierKey]) -> list[VerifierKey]:
        """Those of `keys` that signed. Raises `SignatureInvalid` when none did, or one signed otherwise."""
        known = {(key.name, key.key_id): key for key in keys}
        signed = []
        for signature in self.signatures:
            key = known.get((signature.name, signature.key_id))
            if key is not None:
                key.verify(self.text.encode(), signature.value)
                signed.append(key)
        if not signed:
            raise SignatureInvalid("no known key signed the note")
        return signed


def sign_note(text: str, key: VerifierKey, sign: Callable[[bytes], bytes]) -> SignedNote:
    """A note over `text` (which ends in a newline), signed by `sign` under the name of `key`."""
    if not text.endswith("\n"):
        raise Malformed("a note's text ends in a newline")
    return SignedNote(text, (Signature(key.name, key.key_id, sign(text.encode())),))


def is_name(name: str) -> bool:
    """Whether a key may be called so."""
    return bool(name) and "+" not in name and not any(sign.isspace() or sign < " " for sign in name)
