"""An export on its way out: page by page, out of the logs as they lie now. Memory does not grow with its length."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from audit import store as log_store
from audit.exports.orders import Export, LogHead, LogPlace
from audit.exports.paths import Paths
from audit.leaf.encoding import id_of
from audit.leaf.entry import Opening
from audit.reading.opening import Indexed, Opener
from audit.tlog.note import VerifierKey
from audit.witnesses import timestamp
from audit.witnesses.timestamp import StampedHead
from sayso.kernel import Context, Database, Signer, Tx, Work

if TYPE_CHECKING:
    from audit.exports.desk import ExportDesk

T = TypeVar("T")

PAGE: Final = 512
"""Entries that are in memory at a time."""

_PROVING: Final = 8
"""Logs of which tiles are remembered at a time: there are fewer classes, and their shards come one after the other."""


class Content:
    """One finished export, for one reader. `heads` are what it stands under, `vkeys` by log the keys they were signed
    with; `policies` are files of the rules that decided, by name.
    """

    def __init__(
        self,
        database: Database,
        context: Context,
        desk: "ExportDesk",
        export: Export,
        opener: Callable[[], Opener],
        signer: Signer,
        heads: Sequence[LogHead],
        vkeys: Mapping[str, VerifierKey],
        *,
        trust: bytes,
        policies: dict[str, bytes],
    ) -> None:
        self.context = context
        self.export = export
        self.order = export.order
        self.signer = signer
        self.vkeys = vkeys
        self.trust = trust
        self.policies = policies
        self.report = desk.reports[export.order.what]
        self._heads = list(heads)
        self._database = database
        self._desk = desk
        self._opener = opener

    @property
    def heads(self) -> list[LogHead]:
        """The heads under which entries were found; where there were none, all that were looked under."""
        return [head for head in self._heads if head.hits] or self._heads

    def name_of(self, log: str) -> str:
        """How the world knows a log of this export: its origin."""
        return self.vkeys[log].name

    async def look(self, unit: Callable[[Tx], Work[T]]) -> T:
        """A unit that only looks, in the reader's name."""
        return await self._database.look(self.context, unit)

    async def parts(self) -> AsyncIterator[tuple[list[LogPlace], bytes]]:
        """What each step selected: places, and what the report counted of them."""
        for number in range(self.export.parts):
            yield await self.look(
                lambda tx, number=number: self._desk.gathered(tx, self.export, self._heads, number)  # type: ignore[misc]
            )

    async def pages(self) -> AsyncIterator[list[Indexed]]:
        """The entries, in the order in which they were made."""
        async for places, _ in self.parts():
            for start in range(0, len(places), PAGE):
                page = places[start : start + PAGE]
                yield await self.look(lambda tx, page=page: self._read(tx, page))  # type: ignore[misc]

    async def opened(self) -> AsyncIterator[tuple[list[Indexed], list[list[Opening]]]]:
        """The entries with what of them may be opened."""
        opener = self._opener()
        async for page in self.pages():
            yield page, await self.look(lambda tx, page=page: opener.open(tx, page))  # type: ignore[misc]

    async def proven(self) -> AsyncIterator[tuple[list[LogPlace], list[list[bytes]]]]:
        """Places with their proofs under the heads of their logs."""
        known: dict[str, Paths] = {}
        async for places, _ in self.parts():
            for start in range(0, len(places), PAGE):
                page = places[start : start + PAGE]
                yield page, await self.look(lambda tx, page=page: self._prove(tx, page, known))  # type: ignore[misc]

    async def stamped(self, head: LogHead) -> StampedHead | None:
        """The time stamp that says most about the entries under a head."""
        return await self.look(lambda tx: timestamp.best(tx, head.log, head.size))

    def _prove(self, tx: Tx, page: list[LogPlace], known: dict[str, Paths]) -> Work[list[list[bytes]]]:
        found: dict[LogPlace, list[bytes]] = {}
        for log in dict.fromkeys(place.log for place in page):
            if log not in known:
                if len(known) >= _PROVING:
                    known.clear()
                known[log] = Paths(log, next(head.size for head in self._heads if head.log == log))
            here = [place for place in page if place.log == log]
            found |= zip(here, (yield from known[log].of(tx, [place.leaf for place in here])), strict=True)
        return [found[place] for place in page]

    def _read(self, tx: Tx, page: list[LogPlace]) -> Work[list[Indexed]]:
        leaves = yield from log_store.leaves_in(tx, page)
        keys = [log_store.entry_key(id_of(leaves[place])) for place in page]
        rows = yield tuple(log_store.locate(tx, key) for key in keys)
        return [
            Indexed(key, place.log, place.leaf, leaves[place], row[-2], row[-1])
            for place, key, row in zip(page, keys, rows, strict=True)
        ]


class Chosen(Content):
    """An export whose entries were chosen at once, and not by steps of a job."""

    places: Sequence[LogPlace] = ()

    async def parts(self) -> AsyncIterator[tuple[list[LogPlace], bytes]]:
        """The places that were chosen."""
        yield list(self.places), b""
