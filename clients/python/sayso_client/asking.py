"""What a guard asks about a request: which data, whose, for what, with parts that are read from the request itself.

Shared by the guards of the frameworks. A request is read by three mappings that all of them have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from sayso_client.awaiting import AsyncSayso
from sayso_client.decisions import Decision


class Asked(Protocol):
    """A request, as far as a guard reads it."""

    @property
    def path_params(self) -> Mapping[str, Any]: ...

    @property
    def query_params(self) -> Mapping[str, Any]: ...

    @property
    def headers(self) -> Mapping[str, str]: ...


@dataclass(frozen=True)
class Part:
    """A part of the request."""

    where: Literal["path", "query", "header"]
    name: str

    def read(self, request: Asked) -> str | None:
        """What stands there; None for nothing. Raises `LookupError` where the route has no such part in its path."""
        if self.where == "path":
            return str(request.path_params[self.name])
        found = (request.query_params if self.where == "query" else request.headers).get(self.name)
        return str(found) if found else None


def from_path(name: str) -> Part:
    """The part of the path of that name."""
    return Part("path", name)


def from_query(name: str) -> Part:
    """The query parameter of that name. Not for whose data it is: people do not belong into addresses' queries."""
    return Part("query", name)


def from_header(name: str) -> Part:
    """The header of that name."""
    return Part("header", name)


@dataclass(frozen=True)
class Requirement:
    """A question with places for what a request says. `subject` names the person."""

    action: str
    category: str
    purpose: str | None
    subject: str | Part
    channel: str | Part | None = None
    jurisdiction: str | Part | None = None
    relation: str | Part | None = None
    case: str | Part | None = None

    async def of(self, say: AsyncSayso, request: Asked) -> Decision:
        """The permit for this request. Raises `NotPermitted`."""
        decision = await say.may(
            self.action,
            self.category,
            # A request that does not say who is meant is about nobody, and nobody may be used.
            _read(self.subject, request) or "nobody",
            self.purpose,
            channel=_read(self.channel, request),
            jurisdiction=_read(self.jurisdiction, request),
            relation=_read(self.relation, request),
            case=_read(self.case, request),
        )
        return decision.demand()


def _read(part: str | Part | None, request: Asked) -> str | None:
    return part.read(request) if isinstance(part, Part) else part
