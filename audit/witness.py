"""Being a witness for the logs of others: C2SP tlog-witness (https://c2sp.org/tlog-witness).

For each log we know (its key was given to us) we remember the largest head we cosigned. We cosign another only with a
proof that it begins with that one, and only once that is committed: two histories of one log never get our name.
"""

from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import witness_store
from audit.checkpoint import Checkpoint
from audit.cosignature import WitnessKey, cosign
from audit.merkle import EMPTY_ROOT, ProofInvalid, verify_consistency
from audit.note import SignatureInvalid, SignedNote, VerifierKey
from audit.strict import Malformed, decimal, digest, utf8
from sayso.kernel import TENANT_OWNER, Sealer, Tx, Work

SIZE_TYPE = "text/x.tlog.size"
TEXT_TYPE = "text/plain; charset=utf-8"
PROOF_LIMIT = 63
BODY_LIMIT = 1 << 16
_LABEL = "sayso.audit.witness.v1"


class Answer(NamedTuple):
    """What a witness answers: an HTTP status, a body and its type. The specification fixes all three."""

    status: int
    body: bytes = b""
    media_type: str = TEXT_TYPE


class AddCheckpoint(NamedTuple):
    """A request: the size the log believes we cosigned last, the proof from there, and the signed checkpoint."""

    old: int
    proof: tuple[bytes, ...]
    note: SignedNote
    checkpoint: Checkpoint

    def print(self) -> bytes:
        """The request as it is sent."""
        return print_request(self.old, self.proof, self.note.print())

    @classmethod
    def parse(cls, raw: bytes) -> "AddCheckpoint":
        """Raises `Malformed` on everything that is not a request."""
        head, empty, note = raw.partition(b"\n\n")
        if not empty or len(raw) > BODY_LIMIT:
            raise Malformed("a request has a head, an empty line and a checkpoint")
        first, *hashes = utf8(head, "the request").split("\n")
        if not first.startswith("old ") or len(hashes) > PROOF_LIMIT:
            raise Malformed("a request begins with the old size, then at most 63 hashes")
        old = decimal(first.removeprefix("old "), "the old size")
        proof = tuple(digest(line, "a hash of the proof") for line in hashes)
        signed = SignedNote.parse(note)
        return cls(old, proof, signed, Checkpoint.parse(signed.text))


def print_request(old: int, proof: Collection[bytes], note: bytes) -> bytes:
    """The body of `add-checkpoint`."""
    lines = [f"old {old}", *(b64encode(value).decode() for value in proof)]
    return "".join(f"{line}\n" for line in lines).encode() + b"\n" + note


class WitnessDesk:
    """The witness that an installation is. `trusted` are the keys of each log it witnesses, by origin."""

    def __init__(self, sealer: Sealer, tenant: str, name: str, trusted: Mapping[str, Sequence[VerifierKey]]) -> None:
        self._sealer = sealer
        self._tenant = tenant
        self._name = name
        self._trusted = trusted

    @property
    def key(self) -> WitnessKey:
        """What others check our cosignatures with."""
        return WitnessKey(self._name, self._private().public_key().public_bytes_raw())

    def add(self, tx: Tx, raw: bytes) -> Work[Answer]:
        """One `add-checkpoint`. A cold unit; of two at once the second is decided anew.

        200 with our cosignature; 400 malformed, or an old size beyond the new; 403 not signed by a known key of the
        log; 404 a log we do not know; 409 another size (it is in the body) or root than we cosigned; 422 no proof.
        """
        asked = self.judge(raw)
        if isinstance(asked, Answer):
            return asked
        checkpoint = asked.checkpoint
        (row,) = yield (witness_store.seen_of(tx, checkpoint.origin),)
        seen = witness_store.Seen(*row[:3]) if row is not None else witness_store.Seen(0, EMPTY_ROOT, b"")
        if asked.old != seen.size or (checkpoint.size == seen.size and checkpoint.root != seen.root):
            return Answer(409, f"{seen.size}\n".encode(), SIZE_TYPE)
        try:
            verify_consistency(asked.old, checkpoint.size, asked.proof, seen.root, checkpoint.root)
        except ProofInvalid:
            return Answer(422)
        seconds = tx.context.at // 1_000_000
        line = cosign(self.key, checkpoint.text, seconds, self._private().sign)
        ours = [each for each in asked.note.signatures if each.name == checkpoint.origin]
        note = SignedNote(checkpoint.text, (*ours, line)).print()
        witness_store.keep(tx, checkpoint.origin, seen, witness_store.Seen(checkpoint.size, checkpoint.root, note))
        return Answer(200, line.line.encode())

    def judge(self, raw: bytes) -> AddCheckpoint | Answer:
        """What can be said without our memory: the request, or why it is refused. Keeps strangers from the database."""
        try:
            asked = AddCheckpoint.parse(raw)
        except Malformed:
            return Answer(400)
        keys = self._trusted.get(asked.checkpoint.origin)
        if keys is None:
            return Answer(404)
        try:
            asked.note.verify(keys)
        except SignatureInvalid:
            return Answer(403)
        return asked if asked.old <= asked.checkpoint.size else Answer(400)

    def latest(self, tx: Tx, origin_hash: str) -> Work[bytes | None]:
        """The newest checkpoint we cosigned of the log whose origin has this SHA-256 (hex); None for others."""
        for origin in self._trusted:
            if sha256(origin.encode()).hexdigest() == origin_hash:
                (row,) = yield (witness_store.seen_of(tx, origin),)
                return witness_store.Seen(*row[:3]).note if row is not None else None
        yield ()
        return None

    def _private(self) -> Ed25519PrivateKey:
        # The tenant's own log key is never rotated, so neither is this one: a witness is known by its key.
        seed = self._sealer.standing(self._tenant, TENANT_OWNER).derive(_LABEL)
        return Ed25519PrivateKey.from_private_bytes(seed)


def by_origin(lines: Collection[str]) -> dict[str, list[VerifierKey]]:
    """Keys of logs as a file of vkey lines names them; empty lines and those that begin with `#` are skipped.

    Raises `Malformed`.
    """
    found: dict[str, list[VerifierKey]] = {}
    for line in lines:
        if line.strip() and not line.startswith("#"):
            key = VerifierKey.parse(line.strip())
            found.setdefault(key.name, []).append(key)
    return found
