"""Being a witness for the logs of others: C2SP tlog-witness (https://c2sp.org/tlog-witness).

For each log we know (its key was given to us) we remember the largest head we cosigned. We cosign another only with a
proof that it begins with that one, and only once that is committed: two histories of one log never get our name.

A database that was restored from a backup has forgotten what we cosigned since. So each head stands in an anchor file
outside it (`anchor.py`) before its cosignature leaves, and where the file is ahead, it is what we go on from.
"""

import asyncio
from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.errors import AnchorUnusable
from audit.tlog.checkpoint import Checkpoint
from audit.tlog.cosignature import WitnessKey, cosign
from audit.tlog.merkle import EMPTY_ROOT, ProofInvalid, verify_consistency
from audit.tlog.note import SignatureInvalid, SignedNote, VerifierKey
from audit.tlog.strict import Malformed, decimal, digest, utf8
from audit.tree.anchor import Anchor, Anchored
from audit.witnesses import witness_store
from sayso.kernel import TENANT_OWNER, Context, Database, Sealer, Tx, Work

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
    """The witness that an installation is. `trusted` are the keys of each log it witnesses, by origin; `anchor` is a
    file outside the database that remembers what was cosigned.
    """

    def __init__(
        self,
        sealer: Sealer,
        tenant: str,
        name: str,
        trusted: Mapping[str, Sequence[VerifierKey]],
        anchor: Path | None = None,
    ) -> None:
        self._sealer = sealer
        self._tenant = tenant
        self._name = name
        self._trusted = trusted
        self._anchor = Anchor(anchor) if anchor is not None else None

    @property
    def key(self) -> WitnessKey:
        """What others check our cosignatures with."""
        return WitnessKey(self._name, self._private().public_key().public_bytes_raw())

    async def add(self, database: Database, context: Context, raw: bytes) -> Answer:
        """One `add-checkpoint`; of two at once the second is decided anew.

        200 with our cosignature; 400 malformed, or an old size beyond the new; 403 not signed by a known key of the
        log; 404 a log we do not know; 409 another size (it is in the body) or root than we cosigned; 422 no proof.
        Raises `AnchorUnusable`.
        """
        # What can be said without our memory comes first: it keeps strangers from the database.
        asked = self.judge(raw)
        if isinstance(asked, Answer):
            return asked
        floor = await self._floor(asked.checkpoint.origin)
        answer = await database.run_alone(context, lambda tx: self._decide(tx, asked, floor))
        if answer.status == 200:
            await self._remember(asked.checkpoint.origin, asked.checkpoint.size, asked.checkpoint.root)
        return answer

    def _decide(self, tx: Tx, asked: AddCheckpoint, floor: Anchored | None) -> Work[Answer]:
        checkpoint = asked.checkpoint
        (row,) = yield (witness_store.seen_of(tx, checkpoint.origin),)
        kept = witness_store.Seen(*row[:3]) if row is not None else witness_store.Seen(0, EMPTY_ROOT, b"")
        seen = floor if floor is not None and floor.size >= kept.size else kept
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
        witness_store.keep(tx, checkpoint.origin, kept, witness_store.Seen(checkpoint.size, checkpoint.root, note))
        return Answer(200, line.line.encode())

    def judge(self, raw: bytes) -> AddCheckpoint | Answer:
        """What can be said without our memory: the request, or why it is refused."""
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

    async def latest(self, database: Database, context: Context, origin_hash: str) -> bytes | None:
        """The newest checkpoint we cosigned of the log whose origin has this SHA-256 (hex); None for others.

        Raises `AnchorUnusable`.
        """
        for origin in self._trusted:
            if sha256(origin.encode()).hexdigest() == origin_hash:
                seen = await database.look(context, lambda tx: _kept(tx, origin))  # noqa: B023
                floor = await self._floor(origin)
                if seen is not None and (floor is None or seen.size > floor.size):
                    # Committed by a process that died before its answer: it must not be shown and then forgotten.
                    await self._remember(origin, seen.size, seen.root)
                return seen.note if seen is not None else None
        return None

    async def _floor(self, origin: str) -> Anchored | None:
        """The largest head that we are known to have cosigned, whatever the database says."""
        if self._anchor is None:
            return None
        try:
            return await asyncio.to_thread(self._anchor.last, origin)
        except Malformed:
            raise AnchorUnusable from None

    async def _remember(self, origin: str, size: int, root: bytes) -> None:
        if self._anchor is not None:
            await asyncio.to_thread(self._anchor.remember, origin, size, root)

    def _private(self) -> Ed25519PrivateKey:
        # The tenant's own log key is never rotated, so neither is this one: a witness is known by its key.
        seed = self._sealer.standing(self._tenant, TENANT_OWNER).derive(_LABEL)
        return Ed25519PrivateKey.from_private_bytes(seed)


def _kept(tx: Tx, origin: str) -> Work[witness_store.Seen | None]:
    (row,) = yield (witness_store.seen_of(tx, origin),)
    return witness_store.Seen(*row[:3]) if row is not None else None


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
