"""What stands beside a request's state: a longer term, rests of the clock, a proposal that waits, an appeal."""

from typing import Literal

from msgspec import Struct

from sayso.kernel import Conflict, Instant

PauseReason = Literal["identity", "clarification"]


class Extension(Struct, frozen=True, array_like=True):
    """The law's one longer term, taken at `at`, when the person was told. `until` (ISO date) is the new deadline."""

    until: str
    at: Instant


class Appeal(Struct, frozen=True, array_like=True):
    """The person did not accept a refusal, at `at`; the answer is due on `due_on` (ISO date). `outcome` is empty until
    it was decided, then `upheld` or `overturned`.
    """

    at: Instant
    due_on: str
    outcome: str = ""
    decided_at: Instant = Instant(0)


class Proposal(Struct, frozen=True, array_like=True):
    """One officer says that the request is to be fulfilled; another one has yet to approve. `by` is who that counts as
    where two people are needed.
    """

    by: str
    at: Instant


class Pause(Struct, frozen=True, array_like=True):
    """The clock rested from `since` to `until` (0: it still does)."""

    reason: PauseReason
    since: Instant
    until: Instant = Instant(0)


class AppealRefused(Conflict):
    """There is nothing to appeal against, or the appeal was made or decided before."""


class ProposalRefused(Conflict):
    """A proposal waits already, or there is none."""


class ClockRefused(Conflict):
    """The clock of this request cannot be moved so: extended twice or too late, paused twice, resumed while it runs."""
