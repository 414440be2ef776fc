"""Committed changes as Sayso tells them: CloudEvents 1.0 (docs/guides/webhooks.md). For what `changes` answers, and for
the bodies of webhooks: `msgspec.json.decode(body, type=CloudEvent)`.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class Now(Struct, frozen=True):
    """Where the person stood on one purpose when the change was told."""

    status: str
    since: str | None = None
    legal_basis: str = ""
    objected: bool = False


class Told(Struct, frozen=True):
    """`choices` is what was done, `state` where the person stands now. `tokens` are those that you may present.
    `request` is the rights request that an event about a deadline names; `task` is what your system is to do about one
    (docs/guides/connect-a-system.md).
    """

    registry_seq: str
    record: str | None = None
    method: str | None = None
    choices: dict[str, str] = {}
    ignored: dict[str, str] = {}
    state: dict[str, Now] = {}
    jurisdictions: tuple[str, ...] = ()
    tokens: dict[str, list[str]] = {}
    request: str | None = None
    task: dict[str, Any] | None = None


class CloudEvent(Struct, frozen=True, kw_only=True):
    """A committed change. `subject` is your own name for the person (docs/guides/webhooks.md)."""

    specversion: str
    id: str
    source: str
    type: str
    time: str
    data: Told
    subject: str | None = None
    datacontenttype: str = ""


class Changes(Struct, frozen=True):
    """A page of changes. `cursor` goes into the next call once you have done what the events ask."""

    events: tuple[CloudEvent, ...]
    cursor: str
    more: bool


class WantedAliases(Struct, frozen=True):
    subjects: tuple[str, ...]


class Aliases(Struct, frozen=True):
    aliases: dict[str, str]
