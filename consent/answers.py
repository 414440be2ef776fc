"""What the registry answers, as it goes on the wire (contract: HTTP)."""

from functools import lru_cache
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from consent.catalogue.catalogue import Catalogue
from consent.choices.fold import Change
from consent.choices.record import Payload
from consent.choices.standing import standing
from consent.model import NOES, PersonState, Standing, Status
from consent.receipts.receipt import printed
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
    directive: str | UnsetType = UNSET
    reask_not_before: str | UnsetType = UNSET
    indicated_by: str | UnsetType = UNSET


class DirectiveState(Struct, frozen=True):
    """A directive that is honoured: the purposes over which it stands, and those where a later choice, made after the
    conflict was shown, lifted it. `since` is when the first of its kind was given, `given_at` the newest.
    """

    kind: str
    since: str
    given_at: str
    source: str
    honoured: bool
    purposes: list[str]
    lifted: list[str]
    record: str


class SubjectState(Struct, frozen=True):
    """All purposes of a person at an instant, and the directives over them."""

    subject: str
    as_of: str
    purposes: dict[str, PurposeState]
    directives: list[DirectiveState] | UnsetType = UNSET


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
    directives: list[DirectiveState] | UnsetType = UNSET


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
    directives: list[str] | UnsetType = UNSET
    conflict_shown: bool | UnsetType = UNSET
    requested_at: str | UnsetType = UNSET
    confirmed_at: str | UnsetType = UNSET
    confirms: str | UnsetType = UNSET
    undoes: str | UnsetType = UNSET
    indicated_by: str | UnsetType = UNSET
    bundle: str | UnsetType = UNSET


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
    source: str | UnsetType = UNSET


class Link(Struct, frozen=True):
    """A one-time code for the preference page and when it ends."""

    code: str
    expires_at: str


def purpose_state(found: Standing, reask_at: int = 0, guardian: bytes | None = None) -> PurposeState:
    """A standing in words. After a no, `reask_at` is until when nobody asks again; `guardian` gave the grant."""
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
        found.directive or UNSET,
        printed(reask_at) if reask_at else UNSET,
        text("sub", guardian) if guardian else UNSET,
    )


@lru_cache(maxsize=4_096)
def _record_id(record: bytes) -> str:
    # As with `printed`: the purposes of one record share its name.
    return text("cns", record)


def purposes_of(state: PersonState, names: Any, catalogue: Catalogue, at: int) -> dict[str, PurposeState]:
    """Where the person stands on each of `names`."""
    found = {name: standing(state, name, catalogue, at) for name in names}
    indicated = state.minority.indicated if state.minority is not None else {}
    return {
        name: purpose_state(
            each,
            _reask_at(name, each, catalogue, state) if each.status in NOES else 0,
            indicated.get(each.since) if indicated else None,
        )
        for name, each in found.items()
    }


def directives_of(state: PersonState, catalogue: Catalogue) -> list[DirectiveState]:
    """The person's directives in words."""
    found = []
    for kind, each in state.directives.items():
        reached = [
            name
            for name, purpose in catalogue.purposes.items()
            if not purpose.implied and not catalogue.opt_outs(name).isdisjoint(each.reach)
        ]
        standing_over = [name for name in reached if each.lifted.get(name, 0) <= each.at]
        lifted = [name for name in reached if name not in standing_over]
        since, given_at, record = printed(each.since), printed(each.at), _record_id(each.record)
        found.append(DirectiveState(kind, since, given_at, each.source, True, standing_over, lifted, record))
    return found


def _reask_at(purpose: str, found: Standing, catalogue: Catalogue, state: PersonState) -> int:
    return catalogue.reask_at(purpose, found.since, state) if found.since and purpose in catalogue.purposes else 0


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
        directives=[each.kind for each in payload.directives] or UNSET,
        conflict_shown=payload.conflict_shown or UNSET,
        requested_at=printed(payload.requested_at) if payload.requested_at else UNSET,
        confirmed_at=printed(payload.confirmed_at) if payload.confirmed_at else UNSET,
        confirms=text("cns", payload.confirms) if payload.confirms else UNSET,
        undoes=text("cns", payload.undoes) if payload.undoes else UNSET,
        indicated_by=text("sub", payload.indicated_by) if payload.indicated_by else UNSET,
        bundle=text("bnd", payload.bundle) if payload.bundle != record else UNSET,
    )
