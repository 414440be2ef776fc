"""Every statement about messages that were taken."""

from typing import Final

from sqlalchemy import Delete, delete

from sayso.kernel import SECOND, Rows, Tx, Work
from sayso.server.taken.tables import taken

TAKEN: Final = Rows(taken)

_SKEW: Final = 3_600 * SECOND
"""How far the clocks of two nodes may be apart: what one has forgotten must have expired for the other too."""


def known(tx: Tx, digest: bytes) -> Work[bool]:
    """Whether a message was taken before and would still count. `digest` has 32 bytes."""
    (row,) = yield (tx.get(TAKEN, digest),)
    return row is not None


def remember(tx: Tx, digest: bytes, until: int) -> None:
    """A message that was not `known` is taken now, and counts until an instant. Two that race for it cannot both
    commit.
    """
    tx.insert(TAKEN, digest, until)


def expired(at: int) -> Delete:
    """Deletes messages that nobody could send again, to a node whose clock is behind neither."""
    return delete(taken).where(taken.c.until < at - _SKEW)
