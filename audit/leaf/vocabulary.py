"""The closed list of event types. Each package declares its own when it is imported, in its `events.py`:

    RECORDED = declare("consent.choice.recorded", "notice", "notice_version", "locale")

A type is package, thing and past participle. The names after it are the members its `res` may have: non-personal names
and versions only, because they stand in the leaf, and a leaf can never be taken back.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

_TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){1,3}")
_MEMBER = re.compile(r"[a-z][a-z0-9_]{0,31}")
_EXTERNAL = "external."
_EXTERNAL_MEMBERS = frozenset(("action", "category", "purpose"))

_declared: dict[str, frozenset[str]] = {}


class UndeclaredEvent(ValueError):
    """An event of a type, or with a member of `res`, that nobody declared. A fault of ours, so no kind of the wire."""


def declare(event_type: str, *res: str) -> str:
    """Add a type and the members its `res` may have; returns the type.

    Saying the same twice is fine. Raises `UndeclaredEvent` when the type breaks the grammar or was declared otherwise,
    and for `external.*`, which is kept for entries that other systems write through the API.
    """
    if not _TYPE.fullmatch(event_type) or event_type.startswith(_EXTERNAL):
        raise UndeclaredEvent(f"{event_type!r} is not package.thing.participle")
    if not all(_MEMBER.fullmatch(member) for member in res):
        raise UndeclaredEvent(f"{event_type}: a member of res is a short lower-case word")
    members = frozenset(res)
    if _declared.setdefault(event_type, members) != members:
        raise UndeclaredEvent(f"{event_type} is declared twice, with different members")
    return event_type


def declared() -> Mapping[str, frozenset[str]]:
    """All types so far, with the members of their `res`."""
    return MappingProxyType(_declared)


def is_external(event_type: str) -> bool:
    """Whether it is a type of other systems: `external.crm.exported`. Theirs are declared nowhere."""
    return event_type.startswith(_EXTERNAL) and _TYPE.fullmatch(event_type) is not None


def members_of(event_type: str) -> frozenset[str]:
    """The members that `res` may have in an event of this type. Raises `UndeclaredEvent`."""
    members = _EXTERNAL_MEMBERS if is_external(event_type) else _declared.get(event_type)
    if members is None:
        raise UndeclaredEvent(f"the event type {event_type!r} is not declared")
    return members
