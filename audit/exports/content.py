"""An export on its way out: page by page, out of the log as it lies there now. Memory does not grow with its length."""

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Final, TypeVar

from audit import store as log_store
from audit import timestamp
from audit.encoding import id_of
from audit.entry import Opening
from audit.exports.orders import Export
from audit.exports.paths import Paths
from audit.note import VerifierKey
from audit.opening import Indexed, Opener
from audit.selection import unpacked
from audit.timestamp import StampedHead
from sayso.kernel import Context, Database, Signer, Tx, Work

if TYPE_CHECKING:
    from audit.exports.desk import ExportDesk

T = TypeVar("T")

PAGE: Final = 512
"""Entries that are in memory at a time."""


class Content:
    """One finished export, for one reader. `policies` are files of the rules that decided, by name."""

    def __init__(
        self,
        database: Database,
        context: Context,
        desk: "ExportDesk",
        export: Export,
        opener: Callable[[], Opener],
        signer: Signer,
        vkey: VerifierKey,
        *,
        trust: bytes,
        policies: dict[str, bytes],
    ) -> None:
        self.context = context
        self.export = export
        self.order = export.order
        self.signer = signer
        self.vkey = vkey
        self.trust = trust
        self.policies = policies
        self.report = desk.reports[export.order.what]
        self._database = database
        self._desk = desk
        self._opener = opener

    async def look(self, unit: Callable[[Tx], Work[T]]) -> T:
        """A unit that only looks, in the reader's name."""
        return await self._database.look(self.context, unit)

    async def parts(self) -> AsyncIterator[tuple[list[int], bytes]]:
        """What each step selected: indexes, and what the report counted of them."""
        for number in range(self.export.parts):
            leaves, counted = await self.look(lambda tx, number=number: self._desk.gathered(tx, self.export, number))  # type: ignore[misc]
            yield unpacked(leaves), counted

    async def pages(self) -> AsyncIterator[list[Indexed]]:
        """The entries, in the order in which they were made."""
        async for indexes, _ in self.parts():
            for start in range(0, len(indexes), PAGE):
                page = indexes[start : start + PAGE]
                yield await self.look(lambda tx, page=page: self._read(tx, page))  # type: ignore[misc]

    async def opened(self) -> AsyncIterator[tuple[list[Indexed], list[list[Opening]]]]:
        """The entries with what of them may be opened."""
        opener = self._opener()
        async for page in self.pages():
            yield page, await self.look(lambda tx, page=page: opener.open(tx, page))  # type: ignore[misc]

    async def proven(self) -> AsyncIterator[tuple[list[int], list[list[bytes]]]]:
        """Indexes with their proofs under the export's head."""
        paths = Paths(self.order.selection.log, self.export.size)
        async for indexes, _ in self.parts():
            for start in range(0, len(indexes), PAGE):
                page = indexes[start : start + PAGE]
                yield page, await self.look(lambda tx, page=page: paths.of(tx, page))  # type: ignore[misc]

    async def stamped(self) -> StampedHead | None:
        """The time stamp that says most about these entries."""
        log, size = self.order.selection.log, self.export.size
        return await self.look(lambda tx: timestamp.best(tx, log, size))

    def _read(self, tx: Tx, page: list[int]) -> Work[list[Indexed]]:
        leaves = yield from log_store.leaves_at(tx, self.order.selection.log, page)
        keys = [log_store.entry_key(id_of(leaves[index])) for index in page]
        rows = yield tuple(log_store.locate(tx, key) for key in keys)
        return [
            Indexed(key, index, leaves[index], row[-2], row[-1])
            for index, key, row in zip(page, keys, rows, strict=True)
        ]
