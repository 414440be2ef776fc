"""What the registry answers, as it goes on the wire (contract: HTTP)."""

from functools import lru_cache
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from consent.catalogue import Catalogue
from consent.fold import Change
from consent.model import PersonState, Standing, Status
from consent.receipt import printed
from consent.record import Payload
from consent.standing import standing
from sayso.kernel import text


class Resolved(Struct, frozen=True):
    """A person by id. `aid` is the number in audience lists, in decimal digits."""

    subject: str
    aid: str


class PurposeState(Struct, frozen=True, gc=False):
    """Where a person stands on one purpose. `objected` appears where an objection stands beside the status."""

    status: Status
    since: str | None
    notice: str | None
    notice_version: int | None
    expires_at: str | None
    legal_basis: str
    record: str | None
    objected: bool | UnsetType = UNSET


class SubjectState(Struct, frozen=True):
    """All purposes of a person at an instant."""

    subject: str
    as_of: str
    purposes: dict[str, PurposeState]


class Recorded(Struct, frozen=True):
    """What was made of a submission. `subject` is None where the record names nobody; `ignored` says which grants
    changed nothing.
    """

    record: str
    subject: str | None
    state: dict[str, PurposeState]
    receipt: str
    entry: str
    ignored: dict[str, str] | UnsetType = UNSET


class HistoryItem(Struct, frozen=True, kw_only=True):
    """One record, opened."""

    record: str
    at: str
    choices: dict[str, str]
    method: str
    assurance: str
    actor: str
    entry: str
    notice: str | None = None
    notice_version: int | None = None
    notice_hash: str | None = None
    locale: str | None = None
    occurred_at: str | None = None
    ignored: dict[str, str] | UnsetType = UNSET
    evidence: dict[str, Any] | UnsetType = UNSET


class HistoryPage(Struct, frozen=True):
    """Records, newest first. `next` is the cursor of the following page, None at the end."""

    items: list[HistoryItem]
    next: str | None


class RelationState(Struct, frozen=True):
    """A recorded relation."""

    subject: str
    ref: str
    kind: str
    purposes: tuple[str, ...]
    start: str
    until: str | None
    entry: str


class Link(Struct, frozen=True):
    """A one-time code for the preference page and when it ends."""

    code: str
    expires_at: str


def purpose_state(found: Standing) -> PurposeState:
    """A standing in words."""
    since, ends = found.since, found.expires_at
    return PurposeState(
        found.status,
        printed(since) if since else None,
        found.notice or None,
        found.notice_version or None,
        printed(ends) if ends else None,
        found.legal_basis,
        _record_id(found.record) if found.record else None,
        found.objected or UNSET,
    )


@lru_cache(maxsize=4_096)
def _record_id(record: bytes) -> str:
    # As with `printed`: the purposes of one record share its name.
    return text("cns", record)


def purposes_of(state: PersonState, names: Any, catalogue: Catalogue, at: int) -> dict[str, PurposeState]:
    """Where the person stands on each of `names`."""
    return {name: purpose_state(standing(state, name, catalogue, at)) for name in names}


def touched(changes: tuple[Change, ...], shown: tuple[str, ...], catalogue: Catalogue) -> dict[str, None]:
    """The purposes whose state an answer tells: those of the notice, those named, and what lies below those. In that
    order.
    """
    names = dict.fromkeys(shown)
    for change in changes:
        names[change.purpose] = None
        below = catalogue.below(change.purpose)
        if below:
            names.update(dict.fromkeys(below))
    known = catalogue.purposes
    return names if names.keys() <= known.keys() else {name: None for name in names if name in known}


def history_item(record: bytes, payload: Payload) -> HistoryItem:
    """An opened record in words."""
    return HistoryItem(
        record=text("cns", record),
        at=printed(payload.at),
        choices={change.purpose: change.act for change in payload.changes},
        method=payload.method,
        assurance=payload.assurance,
        actor=payload.actor,
        entry=payload.entry,
        notice=payload.notice or None,
        notice_version=payload.notice_version or None,
        notice_hash=payload.notice_hash or None,
        locale=payload.locale or None,
        occurred_at=printed(payload.occurred_at) if payload.occurred_at else None,
        ignored=payload.ignored or UNSET,
        evidence=payload.evidence or UNSET,
    )
