"""Whether new entries are taken: not while the log stands still, or further behind than was agreed.

A change that cannot be logged must not happen (design 1), so the refusal comes from `append`, inside the change's own
unit of work: nothing of it is done, and the caller is told when to come back.
"""

import time
from typing import NamedTuple

from audit.errors import LogBehind, LogForked

MOST = 200_000
"""Entries that may wait for the integrator before new ones are refused."""

LONGEST_S = 30.0
"""Seconds that the oldest of them may wait."""


class Weight(NamedTuple):
    """What waits in the logs of a tenant, and for how long this process has seen the oldest of it wait (seconds)."""

    pending: int
    oldest: bytes | None
    since: float

    @property
    def waited_s(self) -> float:
        return time.monotonic() - self.since if self.oldest is not None else 0.0


class Pressure:
    """The standing of every tenant's logs, as this process last saw it. `demand` is asked for each entry."""

    def __init__(self, most: int = MOST, longest_s: float = LONGEST_S) -> None:
        self._most = most
        self._longest = longest_s
        self._refused: dict[str, LogBehind] = {}
        self._forked: dict[tuple[str, str], LogForked] = {}
        self._weights: dict[str, Weight] = {}

    def demand(self, tenant: str) -> None:
        """Raise `LogForked` or `LogBehind` while nothing more may be written for this tenant."""
        if self._forked:
            for (forked, _), error in self._forked.items():
                if forked == tenant:
                    raise LogForked.again(error)
        if tenant in self._refused:
            raise LogBehind(self._refused[tenant].facts["pending"])

    def weigh(self, tenant: str, pending: int, oldest: bytes | None) -> None:
        """What waits now. Waiting is counted by our own clock from when an entry was first seen as the oldest: neither
        a clock that was set nor an entry that was committed late makes a healthy log look stuck.
        """
        known = self._weights.get(tenant)
        since = known.since if known is not None and known.oldest == oldest else time.monotonic()
        weight = self._weights[tenant] = Weight(pending, oldest, since)
        if pending > self._most or weight.waited_s > self._longest:
            self._refused[tenant] = LogBehind(pending)
        else:
            self._refused.pop(tenant, None)

    def halt(self, tenant: str, log: str, error: LogForked) -> None:
        """A log contradicts what was signed: read only from here on."""
        self._forked[tenant, log] = error

    def release(self, tenant: str, log: str) -> None:
        """The log was signed, so it contradicts nothing any more."""
        self._forked.pop((tenant, log), None)

    @property
    def pending(self) -> int:
        """Entries that wait, of all tenants."""
        return sum(weight.pending for weight in self._weights.values())

    @property
    def waited_s(self) -> float:
        """How long the oldest of them has waited, in seconds."""
        return max((weight.waited_s for weight in self._weights.values()), default=0.0)

    @property
    def forked(self) -> int:
        """Logs that stand still."""
        return len(self._forked)
