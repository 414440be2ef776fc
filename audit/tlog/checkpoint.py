"""C2SP checkpoints (https://c2sp.org/tlog-checkpoint): a signed note that states a log's size and root. Pure."""

from base64 import b64encode
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from audit.tlog.note import SignedNote, VerifierKey, sign_note
from audit.tlog.strict import Malformed, decimal, digest
from sayso.kernel import SigningPair


class Checkpoint(NamedTuple):
    """What a log says of itself: with `size` entries its root hash is `root` (32 bytes).

    `extensions` are further lines. Ours has none; logs of others may.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The note's text, with its final newline."""
        lines = (self.origin, str(self.size), b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """The checkpoint that prints as `text`. Raises `Malformed` on every other text."""
        lines = text.removesuffix("\n").split("\n")
        if len(lines) < 3 or not all(lines):
            raise Malformed("a checkpoint has at least three lines and no empty one")
        origin, size, root, *extensions = lines
        checkpoint = cls(origin, decimal(size, "tree size"), digest(root, "root hash"), tuple(extensions))
        if checkpoint.text != text:
            raise Malformed("the checkpoint does not print back to its bytes")
        return checkpoint

    def sign(self, key: VerifierKey, sign: Callable[[bytes], bytes]) -> bytes:
        """The signed note, as bytes. Ed25519 is deterministic: the same checkpoint gives the same bytes."""
        return sign_note(self.text, key, sign).print()

    def sign_by(self, pairs: Iterable[SigningPair]) -> bytes:
        """The note signed by each of the keys: two while one takes over from the other."""
        notes = [sign_note(self.text, VerifierKey(self.origin, pair.public), pair.sign) for pair in pairs]
        return SignedNote(self.text, tuple(line for note in notes for line in note.signatures)).print()


def open_checkpoint(raw: bytes, keys: Collection[VerifierKey]) -> Checkpoint:
    """The checkpoint in a signed note. The signing key must bear the origin's name.

    Raises `Malformed`, or `SignatureInvalid` when none of `keys` signed it.
    """
    note = SignedNote.parse(raw)
    checkpoint = Checkpoint.parse(note.text)
    note.verify([key for key in keys if key.name == checkpoint.origin])
    return checkpoint
