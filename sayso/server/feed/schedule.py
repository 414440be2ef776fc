"""When a message is tried again (Standard Webhooks, "Deliverability and reliability")."""

import random
from typing import Final

from sayso.kernel import SECOND

DELAYS: Final = (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
"""Seconds after each failure, the first attempt being made at once. After the last one the message is dead."""

JITTER: Final = 0.1
"""Each delay is up to this share longer, so that what failed together does not come back together."""


def next_try(attempts: int, at: int) -> int | None:
    """The instant of the next attempt after `attempts` failures, the last of them at `at`. None: given up."""
    if attempts > len(DELAYS):
        return None
    seconds = DELAYS[attempts - 1] * (1 + random.random() * JITTER)  # noqa: S311 - spreads load, keeps no secret
    return at + round(seconds * SECOND)
