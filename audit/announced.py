"""A log as it is announced, and what waits for it."""

from msgspec import Struct


class LogInfo(Struct, frozen=True):
    """A log as it is announced: `log` is its name on the wire (`default.main`), `size` what is integrated. `ended`: it
    was closed, and another of its class goes on; its entries below `pruned` are no longer here. `opened` is an instant.
    """

    name: str
    log: str
    origin: str
    vkey: str
    size: int
    opened: int = 0
    ended: bool = False
    pruned: int = 0


class Backlog(Struct, frozen=True):
    """What waits for the integrator: how many entries, and since when the oldest (milliseconds, or None)."""

    pending: int
    oldest_ms: int | None
