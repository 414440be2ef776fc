"""Our own checkpoints before witnesses: what is asked of them, what their answers say, and when they are enough."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from typing import NamedTuple

from audit import store
from audit.tlog.checkpoint import open_checkpoint
from audit.tlog.cosignature import cosigned
from audit.tlog.merkle import consistency_plan, prove
from audit.tlog.note import Signature, SignatureInvalid, SignedNote, VerifierKey
from audit.tlog.quorum import Quorum, Witness
from audit.tlog.strict import Malformed, decimal
from audit.tlog.tiles import TileReader, place_of
from audit.tree.guard import Head
from audit.witnesses import witness_store
from audit.witnesses.witness import SIZE_TYPE, Answer, print_request
from sayso.kernel import Context, Database, Tx, Work

Submit = Callable[[str, bytes | None], Awaitable[Answer | None]]
"""Sends a body to an address (POST; GET without a body) and gives the answer; None when there is none in time."""


class Refused(NamedTuple):
    """A witness that does not follow our log: its name in the policy, and what it answered."""

    witness: str
    reason: str


class Lap(NamedTuple):
    """What one round at the witnesses gave: the log and the size that was submitted, who cosigned it, who refused,
    whether they were enough.
    """

    log: str
    size: int
    cosigned: tuple[str, ...]
    refused: tuple[Refused, ...]
    met: bool


class Witnessing:
    """Asks the witnesses of a policy for the logs of all tenants."""

    def __init__(self, quorum: Quorum, submit: Submit) -> None:
        self.quorum = quorum
        self._submit = submit
        self._asked = [witness for witness in quorum.witnesses if witness.url]
        # What each witness cosigned last, as far as we know; asked anew after a restart.
        self._old: dict[tuple[str, str], int] = {}

    async def round(self, database: Database, context: Context, log: str) -> Lap | None:
        """Have the newest checkpoint of a log cosigned; None when it is already, or there is none.

        A witness that is slow or away holds up nobody but who waits for it.
        """
        origin, head, was = await database.look(context, lambda tx: _due(tx, log))
        if head is None or not head.size or (was is not None and was.size >= head.size):
            return None
        answers = await asyncio.gather(*(self._ask(database, context, log, origin, head, each) for each in self._asked))
        lines = {each.name: found for each, found in zip(self._asked, answers, strict=True)}
        good = {name: found for name, found in lines.items() if isinstance(found, Signature)}
        met = self.quorum.met(good.keys())
        if met:
            note = SignedNote.parse(head.note)
            joined = SignedNote(note.text, (*note.signatures, *good.values())).print()
            seen = witness_store.Seen(head.size, head.root, joined)
            await database.run_alone(context, lambda tx: _keep(tx, log, seen))
        refused = tuple(Refused(name, found) for name, found in lines.items() if isinstance(found, str) and found)
        return Lap(log, head.size, tuple(good), refused, met)

    async def _ask(
        self, database: Database, context: Context, log: str, origin: str, head: store.Signed, witness: Witness
    ) -> Signature | str:
        """The witness's line, or why there is none (empty: it did not answer)."""
        key = (origin, witness.name)
        for _ in range(2):
            old = self._old.get(key, 0)
            proof = await database.look(context, lambda tx: _proof(tx, log, old, head.size))  # noqa: B023
            answer = await self._submit(
                f"{witness.url.rstrip('/')}/add-checkpoint", print_request(old, proof, head.note)
            )
            if answer is None:
                return ""
            if answer.status == 200:
                try:
                    line = cosigned(SignedNote.parse(head.note).text, answer.body, witness.key)
                except (Malformed, SignatureInvalid):
                    return "answered with no cosignature of its key"
                self._old[key] = head.size
                return line
            if answer.status != 409 or not answer.media_type.startswith(SIZE_TYPE):
                return f"answered {answer.status}"
            size = _size(answer.body)
            if size is None or size > head.size or size == old:
                return "knows another history of this log"
            self._old[key] = size
        return "knows another history of this log"

    async def shown(self, keys: Sequence[VerifierKey]) -> list[Head]:
        """The heads of a log that its witnesses show, each signed by one of `keys`, the log's own.

        A witness's bare word (a size in a 409) is not enough to stop a log: whoever can stop it must have its
        signature.
        """
        origin = keys[0].name
        name = sha256(origin.encode()).hexdigest()
        addresses = [f"{witness.url.rstrip('/')}/{name}/checkpoint" for witness in self._asked]
        found: list[Head] = []
        for answer in await asyncio.gather(*(self._submit(address, None) for address in addresses)):
            if answer is None or answer.status != 200:
                continue
            try:
                shown = open_checkpoint(answer.body, keys)
            except (Malformed, SignatureInvalid):
                continue
            if shown.origin == origin:
                found.append(Head(shown.size, shown.root, "what a witness cosigned"))
        return found


def _size(body: bytes) -> int | None:
    try:
        return decimal(body.decode("ascii", "replace").removesuffix("\n"), "size")
    except Malformed:
        return None


def _due(tx: Tx, log: str) -> Work[tuple[str, store.Signed | None, witness_store.Seen | None]]:
    tree, rows, row = yield (store.tree_of(tx, log), store.last_signed(tx, log), witness_store.witnessed_of(tx, log))
    origin = store.Tree(*tree).origin if tree is not None else ""
    return origin, store.signed_from(rows), witness_store.witnessed_from(row)


def _proof(tx: Tx, log: str, old: int, new: int) -> Work[list[bytes]]:
    plan = consistency_plan(min(old, new), new)
    tiles = yield from store.tiles_at(tx, log, [place_of(node) for nodes in plan for node in nodes])
    return prove(plan, TileReader(tiles))


def _keep(tx: Tx, log: str, seen: witness_store.Seen) -> Work[None]:
    (row,) = yield (witness_store.witnessed_of(tx, log),)
    was = witness_store.witnessed_from(row)
    if was is None or was.size < seen.size:
        witness_store.keep_witnessed(tx, log, was, seen)


def witnessed(tx: Tx, log: str) -> Work[store.Signed | None]:
    """The last head of a log that enough witnesses cosigned."""
    (row,) = yield (witness_store.witnessed_of(tx, log),)
    seen = witness_store.witnessed_from(row)
    return store.Signed(*seen) if seen is not None else None
