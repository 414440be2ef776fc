"""What an export may be of: the entries themselves, or what a report counts of them (`reports/` has those)."""

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Protocol

from audit.exports.orders import FORMATS
from audit.reading.opening import Indexed
from sayso.kernel import Tx, Work

if TYPE_CHECKING:
    from audit.exports.content import Content


class Report(Protocol):
    """Counts entries step by step, and writes down what it counted."""

    formats: tuple[str, ...]
    reads_leaves: bool
    types: tuple[str, ...]

    def fitting(self, hits: Sequence[Indexed]) -> int:
        """How many of these entries, from the first on, one step may take; at least one."""
        ...

    def gather(self, tx: Tx, hits: Sequence[Indexed]) -> Work[bytes]:
        """What is kept of one step's entries; empty for nothing."""
        ...

    def files(self, content: "Content") -> AsyncIterator[tuple[str, bytes]]:
        """Name and bytes, piece by piece, of what the report adds to a bundle."""
        ...

    def written(self, content: "Content") -> AsyncIterator[bytes]:
        """The report in the format that was ordered."""
        ...


class Plain:
    """The entries themselves."""

    formats: tuple[str, ...] = FORMATS
    reads_leaves: bool = False
    types: tuple[str, ...] = ()

    def fitting(self, hits: Sequence[Indexed]) -> int:
        """All of them."""
        return len(hits)

    def gather(self, tx: Tx, hits: Sequence[Indexed]) -> Work[bytes]:
        """Nothing: the indexes are all."""
        yield ()
        return b""

    async def files(self, content: "Content") -> AsyncIterator[tuple[str, bytes]]:
        """Nothing beside the entries."""
        nothing: tuple[tuple[str, bytes], ...] = ()
        for each in nothing:
            yield each

    async def written(self, content: "Content") -> AsyncIterator[bytes]:
        """The entries, row by row."""
        from audit.exports.rows import written

        async for piece in written(content):
            yield piece
