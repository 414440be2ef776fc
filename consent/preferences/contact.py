"""How and when a person may be reached: channels switched off, caps and what they count, quiet hours, a pause. Part of
the state that decides.

What the person said in words lies sealed with their other preferences; here lies what follows from it for a decision.
`reach.py` asks and changes it.
"""

from typing import Final, Literal

from msgspec import Struct

from consent.preferences.quiet import Quiet
from sayso.kernel import DAY

UNTIMED: Final = frozenset({"post"})
"""Channels whose hour of delivery the sender does not choose: quiet hours do not apply, a pause does."""

ALL: Final = "any"
"""In place of a purpose: the whole channel."""

Period = Literal["day", "week", "month"]
PERIODS: Final[tuple[Period, ...]] = ("day", "week", "month")


WINDOWS: Final[dict[Period, int]] = {"day": DAY, "week": 7 * DAY, "month": 30 * DAY}
"""How long a period is, wherever it begins: in no window of this length are more messages than the cap admits."""


class Cap(Struct, frozen=True, array_like=True, gc=False):
    """At most `most` messages in any `per`. `assurance` is the rank of who said so."""

    most: int
    per: Period
    assurance: int = 0


MOST_MESSAGES: Final = 100
"""The loosest cap that can be asked for, in one period. The latest so many messages tell if a cap is reached."""


class Use(Struct, frozen=True, array_like=True, gc=False):
    """One message that was permitted: when, by which entry of the log (16 bytes), and to which client."""

    at: int
    entry: bytes
    client: str


class Contact(Struct, frozen=True, array_like=True):
    """What decides of a person's wishes. `off` maps a channel to the purposes switched off there (`any`: all), each
    with the rank of who said so. `uses` are the messages of late, oldest first, of channels that have a cap.
    """

    off: dict[str, dict[str, int]] = {}
    caps: dict[str, Cap] = {}
    quiet: tuple[Quiet, ...] = ()
    pause_until: int = 0
    pause_assurance: int = 0
    uses: dict[str, tuple[Use, ...]] = {}
