"""What there is to say about epochs and the roll from one to the next: errors, views, and the roll's own row."""

from typing import Any, Final

from msgspec import Struct

from sayso.kernel import Conflict, NotFound, iso
from vault.keys.epoch import DISABLED, Epoch

SWEEPING: Final = "sweeping"
PAUSED: Final = "paused"
WAITING: Final = "waiting"
DONE: Final = "done"
GRACE: Final = "P7D"
"""How long a disabled epoch can be called back, unless said otherwise (ISO 8601)."""


class NoEpoch(NotFound):
    def __init__(self) -> None:
        super().__init__("no-epoch", "There is no such epoch.")


class RollUnderWay(Conflict):
    def __init__(self, state: str) -> None:
        super().__init__("roll-under-way", "A roll is under way; see sayso vault keys list.", state=state)


class NoRoll(Conflict):
    def __init__(self) -> None:
        super().__init__("no-roll", "No roll is in the state that this would change.")


class EpochInUse(Conflict):
    def __init__(self, state: str) -> None:
        super().__init__(
            "epoch-in-use",
            "Only a disabled epoch can be called back or destroyed, and none whose end has begun.",
            state=state,
        )


class KeysNotBackedUp(Conflict):
    def __init__(self) -> None:
        super().__init__(
            "keys-not-backed-up",
            "The key table was not backed up since the last key was wrapped anew: sayso vault backup comes first.",
        )


class NewRoll(Struct, frozen=True, forbid_unknown_fields=True):
    """`rate`: data keys a second at most, 0 for as many as it can. `grace`: how long the old epoch can be called back
    (ISO 8601).
    """

    rate: int = 0
    grace: str = GRACE


class EpochView(Struct, frozen=True, omit_defaults=True):
    """An epoch. `keys` data keys lie under it."""

    epoch: int
    state: str
    provider: str
    root: str
    keys: int
    made_at: str
    changed_at: str
    gone_at: str = ""


class RollView(Struct, frozen=True, omit_defaults=True):
    """The roll. `waits_for`: `backup` or `grace`, when all is wrapped anew."""

    state: str
    epoch: int
    total: int
    done: int
    rate: int
    started_at: str
    finished_at: str = ""
    waits_for: str = ""
    destroyed_from: str = ""


class EpochList(Struct, frozen=True, omit_defaults=True):
    """The epochs of a brand, oldest first, and the last roll."""

    epochs: list[EpochView]
    roll: RollView | None = None
    backed_up_at: str = ""


class Roll(Struct, frozen=True):
    """The row of the roll, in table order. `rate` in data keys a second, `grace` in microseconds."""

    version: int = 0
    state: str = DONE
    epoch: int = 0
    rate: int = 0
    grace: int = 0
    total: int = 0
    done: int = 0
    next_at: int = 0
    started_at: int = 0
    finished_at: int = 0

    def values(self, **changes: object) -> tuple[Any, ...]:
        held = {name: getattr(self, name) for name in self.__struct_fields__}
        return tuple((held | changes | {"version": self.version + 1}).values())


def view(epoch: Epoch, keys: int, state: str = "", changed_at: int = 0, gone_at: int = 0) -> EpochView:
    """An epoch as it stands, or as the unit that asks has just changed it."""
    gone = gone_at or epoch.gone_at
    return EpochView(
        epoch.epoch,
        state or epoch.state,
        epoch.provider,
        epoch.root,
        keys,
        iso(epoch.at),
        iso(changed_at or epoch.changed_at),
        iso(gone) if gone else "",
    )


def roll_view(roll: Roll, backed_up: int = 0, epochs: tuple[Epoch, ...] = ()) -> RollView:
    """The roll as it stands. `backed_up`: since when the last backup of the key table was taken."""
    disabled = [each.changed_at for each in epochs if each.state == DISABLED]
    waiting = roll.state == WAITING and disabled
    return RollView(
        roll.state,
        roll.epoch,
        roll.total,
        roll.done,
        roll.rate,
        iso(roll.started_at),
        iso(roll.finished_at) if roll.finished_at else "",
        ("backup" if backed_up < max(disabled) else "grace") if waiting else "",
        iso(max(disabled) + roll.grace) if waiting else "",
    )
