"""Obligations: what a permit asks of the one who got it, as types, and who fulfils them.

A client declares to Sayso exactly those that it has a handler for (`supported_obligations`); a permit that needs
another is a denial there. Should one arrive all the same, `UnhandledObligation` is raised before anything is returned.

There are three kinds:
- **acts** (`StepUp`, `Notify`, `Ttl`, `SecondPerson`, `BreakGlass`): the handler is called with the obligation and the
  question, once, before the permit is returned. What it raises is raised to the asker, so no permit leaves that was not
  earned. With `AsyncSayso` it may be a coroutine function.
- **masks** (`MaskLast4`, `MaskYear`, `MaskHash`, `Redact`): the handler is called with a value and its kind, by
  `decision.show(value, kind)`.
- **groups** (`Aggregate`): the handler is called with the obligation and the size of each group, by
  `decision.groups(sizes)`.
`Log` and `LogFull` are Sayso's own doing and need no handler.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

import msgspec

from sayso_client import masks

if TYPE_CHECKING:
    from sayso_client.structs import WireObligation

Key = TypeVar("Key")


class Obligation(msgspec.Struct, frozen=True):
    """One obligation. `id` names the rule's own line; `ours` are those that Sayso meets itself."""

    name: ClassVar[str] = ""
    ours: ClassVar[bool] = False
    id: str = ""


class StepUp(Obligation, frozen=True):
    """Have the human in front of the screen prove themselves again, more surely than by their session."""

    name: ClassVar[str] = "step_up"


class Notify(Obligation, frozen=True):
    """Tell whoever your rules say is to be told of this use."""

    name: ClassVar[str] = "notify"


class SecondPerson(Obligation, frozen=True, kw_only=True):
    """Let somebody else agree first. `or_glass`: or say aloud why you go without. For `reveal` Sayso sees to it."""

    name: ClassVar[str] = "second_person"
    or_glass: bool = False


class BreakGlass(Obligation, frozen=True):
    """Say aloud why you do it: somebody will ask. For `reveal` Sayso sees to it."""

    name: ClassVar[str] = "break_glass"


class Ttl(Obligation, frozen=True, kw_only=True):
    """Forget what you get after so many seconds."""

    name: ClassVar[str] = "ttl"
    seconds: int


class MaskLast4(Obligation, frozen=True):
    """Show the last four characters."""

    name: ClassVar[str] = "mask_last4"


class MaskYear(Obligation, frozen=True):
    """Show the year of a date."""

    name: ClassVar[str] = "mask_year"


class MaskHash(Obligation, frozen=True):
    """Show a keyed hash."""

    name: ClassVar[str] = "mask_hash"


class Redact(Obligation, frozen=True):
    """Show nothing of it."""

    name: ClassVar[str] = "redact"


class Aggregate(Obligation, frozen=True, kw_only=True):
    """Only in groups of `k` people or more."""

    name: ClassVar[str] = "aggregate"
    k: int


class Log(Obligation, frozen=True):
    """Sayso writes it down."""

    name: ClassVar[str] = "log"
    ours: ClassVar[bool] = True


class LogFull(Obligation, frozen=True):
    """Sayso writes it down with every fact."""

    name: ClassVar[str] = "log_full"
    ours: ClassVar[bool] = True


class Unknown(Obligation, frozen=True, kw_only=True):
    """A type that this version of the client does not know, or one whose members it cannot read. Never handled."""

    type: str


class UnhandledObligation(Exception):
    """A permit came with an obligation that nobody here fulfils. Nothing of it may be used."""

    def __init__(self, obligation: str, entry: str = "") -> None:
        super().__init__(f"no handler for the obligation {obligation}")
        self.obligation = obligation
        self.entry = entry

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.obligation, self.entry)


Mask = Callable[[str, str], str]
Handlers = Mapping[type[Obligation], Callable[..., Any]]

GUARDS: Final = (SecondPerson, BreakGlass)
ACTS: Final = (StepUp, Notify, Ttl, *GUARDS)
MASKS: Final = (MaskLast4, MaskYear, MaskHash, Redact)
TYPES: Final[dict[str, type[Obligation]]] = {
    kind.name: kind for kind in (*MASKS, *GUARDS, Aggregate, Ttl, StepUp, Notify, Log, LogFull)
}


def masking(hash_key: bytes | None = None) -> dict[type[Obligation], Mask]:
    """Handlers for masks, as Sayso itself applies them. Without a key for hashes `MaskHash` is not among them."""
    handlers: dict[type[Obligation], Mask] = {
        MaskLast4: lambda value, _kind: masks.mask_last4(value),
        MaskYear: masks.mask_year,
        Redact: lambda value, _kind: masks.redact(value),
    }
    if hash_key is not None:
        handlers[MaskHash] = lambda value, kind: masks.mask_hash(value, kind, hash_key)
    return handlers


def large_groups(obligation: Aggregate, sizes: Mapping[Key, int]) -> dict[Key, int]:
    """A handler for `Aggregate`: only the groups of `k` or more. Members of groups that do not overlap are assumed."""
    return {name: size for name, size in sizes.items() if size >= obligation.k}


def supported(handlers: Handlers) -> tuple[str, ...]:
    """What to declare: the names of all that these handlers fulfil. Raises `TypeError` for what is no obligation."""
    for kind in handlers:
        if kind not in TYPES.values() or kind.ours:
            raise TypeError(f"{kind!r} is no obligation that takes a handler")
    return tuple(sorted(kind.name for kind in handlers))


def typed(wire: WireObligation) -> Obligation:
    """The obligation as a type; `Unknown` for one that cannot be read."""
    kind = TYPES.get(wire.type)
    if kind is None:
        return Unknown(id=wire.id, type=wire.type)
    if kind is SecondPerson:
        return SecondPerson(id=wire.id, or_glass=wire.properties.get("or") == BreakGlass.name)
    if kind not in (Aggregate, Ttl):
        return kind(id=wire.id)
    number = wire.properties.get("k" if kind is Aggregate else "seconds")
    if type(number) is not int or number < 1:
        return Unknown(id=wire.id, type=wire.type)
    return Aggregate(id=wire.id, k=number) if kind is Aggregate else Ttl(id=wire.id, seconds=number)


def named(obligation: Obligation) -> str:
    """The obligation's name as rules write it."""
    return obligation.type if isinstance(obligation, Unknown) else obligation.name
