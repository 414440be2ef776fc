"""The fork guard: before a head is signed, the tree must contain every head that the world may have seen.

What may have been seen: the last checkpoint in the database, what this process signed itself, the anchor file, and,
where there are any, the published copy and the witnesses (`Memory`). A restored backup, a clone, a promoted replica
that lagged or a rewritten history contradicts at least one of them. Then nothing is integrated or signed: `LogForked`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from audit import store
from audit.errors import LogForked
from audit.retention.classes import MAIN
from audit.tlog.merkle import EMPTY_ROOT
from audit.tlog.strict import Malformed
from audit.tree.anchor import Anchor
from audit.tree.proving import root_at
from sayso.kernel import Tx, Work


class Head(NamedTuple):
    """A head that was seen, and where: `found` completes "The log contradicts …"."""

    size: int
    root: bytes
    found: str


Memory = Callable[[str, str], Awaitable[Head | None]]
"""Asks somebody outside for the greatest head of a tenant's log that they saw; None when they know none or do not
answer. Raises `LogForked` when they hold what this log cannot have signed.
"""


class ForkGuard:
    """What one process knows of the heads of all logs, by tenant and log."""

    def __init__(self, anchor: Anchor | None) -> None:
        self._anchor = anchor
        self.memories: list[Memory] = []
        # What this process itself signed: it stays true whatever becomes of the database.
        self._signed: dict[tuple[str, str], Head] = {}
        self._observed: dict[tuple[str, str], list[Head]] = {}

    def knows(self, tenant: str, log: str) -> bool:
        """Whether this process signed the log already, and heard nothing since that it must compare first."""
        return (tenant, log) in self._signed and not self._observed.get((tenant, log))

    def observe(self, tenant: str, log: str, head: Head) -> None:
        """A head was seen outside; the next round compares it."""
        seen = self._observed.setdefault((tenant, log), [])
        if head not in seen:
            seen.append(head)

    async def heads(self, tenant: str, log: str) -> list[Head]:
        """All that the tree must contain, besides its own last checkpoint. Asks outside once, before the first
        signature.
        """
        key = (tenant, log)
        first = key not in self._signed
        if self._anchor is not None and await asyncio.to_thread(lambda: first or self._moved):
            head = await _anchored(self._anchor, tenant, log)
            if head is not None:
                self.observe(tenant, log, head)
        found = list(self._observed.get(key, ()))
        if not first:
            return [*found, self._signed[key]]
        asked = await asyncio.gather(*(memory(tenant, log) for memory in self.memories))
        return found + [head for head in asked if head is not None]

    async def anchored(self, tenant: str) -> dict[str, int]:
        """The size of the greatest head of each log of the tenant in the anchor file. Raises `LogForked` when it is
        damaged.
        """
        if self._anchor is None:
            return {}
        try:
            heads = await asyncio.to_thread(self._anchor.every)
        except Malformed as error:
            raise LogForked(MAIN, "the anchor file, which is damaged", 0, 0) from error
        own = f"{tenant}."
        return {name.removeprefix(own): head.size for name, head in heads.items() if name.startswith(own)}

    async def before_signing(self, tenant: str, log: str, tree: store.Tree) -> None:
        """Remember a head that is about to be signed; durable when this returns. Raises `AnchorUnusable`."""
        if self._anchor is not None and tree.size:
            await asyncio.to_thread(self._anchor.remember, f"{tenant}.{log}", tree.size, tree.root)

    def signed(self, tenant: str, log: str, head: store.Signed, contained: Sequence[Head]) -> None:
        """The head was signed, and `contained` what was observed before."""
        self._signed[tenant, log] = Head(head.size, head.root, "a head this process signed")
        left = [each for each in self._observed.pop((tenant, log), ()) if each not in contained]
        if left:
            self._observed[tenant, log] = left

    @property
    def _moved(self) -> bool:
        return self._anchor is not None and self._anchor.moved


async def _anchored(anchor: Anchor, tenant: str, log: str) -> Head | None:
    try:
        head = await asyncio.to_thread(anchor.last, f"{tenant}.{log}")
    except Malformed as error:
        raise LogForked(log, "the anchor file, which is damaged", 0, 0) from error
    return Head(*head, "the anchor file") if head is not None else None


def standing(tx: Tx, log: str, heads: Sequence[Head]) -> Work[tuple[store.Tree | None, store.Signed | None]]:
    """The log's row and its last signed head, once the tree was found to contain that head and all of `heads`.

    Raises `LogForked`.
    """
    # The signed head first: read after the tree, it could be one that was signed in between.
    (rows,) = yield (store.last_signed(tx, log),)
    (row,) = yield (store.tree_of(tx, log),)
    last = store.signed_from(rows)
    tree = store.Tree(*row) if row is not None else None
    yield from contains(tx, log, tree or store.Tree("", 0, EMPTY_ROOT), [*heads, *as_heads(last)])
    return tree, last


def contains(tx: Tx, log: str, tree: store.Tree, heads: Sequence[Head]) -> Work[None]:
    """Raise `LogForked` unless the tree's tiles fold to its root, and to each of `heads` at that size."""
    # Most of what was seen is one head, seen by several.
    roots: dict[int, bytes | None] = {}
    for head in [*heads, Head(tree.size, tree.root, "its own tiles")]:
        if head.size not in roots:
            try:
                roots[head.size] = (yield from root_at(tx, log, head.size)) if head.size <= tree.size else None
            except Malformed:
                roots[head.size] = None
        if roots[head.size] != head.root:
            raise LogForked(log, head.found, head.size, tree.size)


def as_heads(last: store.Signed | None) -> list[Head]:
    """The last checkpoint, if there is one, as something to contain."""
    return [] if last is None else [Head(last.size, last.root, "the last checkpoint")]
