"""Who asks, for whom, and when."""

from typing import Literal

from msgspec import Struct

from sayso.kernel.clock import Instant

ActorKind = Literal["service", "user", "person", "browser", "system"]


class Actor(Struct, frozen=True):
    """The caller, as authentication found it. Never the data subject, unless `kind` is `person`.

    `id` is an id on the wire (`key_…`, or `sub_…` for a person acting for themselves); `name` is the client's
    registered name; `assurance` is how well the identifier behind the caller's choices is known: device < link < code <
    session.
    """

    id: str
    name: str
    kind: ActorKind
    roles: frozenset[str]
    assurance: str = "session"
    default_purpose: str | None = None


class Context(Struct, frozen=True):
    """One request's who, where and when. `at` is taken once, at the door."""

    tenant: str
    actor: Actor
    at: Instant
    request: str


SYSTEM = Actor("system", "sayso", "system", frozenset({"system"}))
"""Sayso's own loops: the integrator, expiry, deadlines."""
