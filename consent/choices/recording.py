"""One act of choosing: checked, folded, sealed, entered in the log, receipted. The registry's hot path.

State, record, identifiers, log entry and feed row are one write-set: all of it is committed, or none.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final, Literal

import msgspec

from audit import AuditEvent, AuditLog
from consent import events
from consent.answers import DirectiveState, Recorded, directives_of, purposes_of, touched
from consent.catalogue.catalogue import Catalogue, Shown
from consent.choices import record
from consent.choices.directives import direct, given
from consent.choices.evidence import check_evidence
from consent.choices.fold import Moment, decide, undo
from consent.choices.stood import stood
from consent.errors import PurposeNotInNotice
from consent.model import NOES, RANK, Act, Given, PersonState, Submission
from consent.people.people import People, Person
from consent.receipts.receipt import NOBODY, ReceiptPress, Told, sub_for
from consent.receipts.sheet import Issuer
from consent.store import RECORD
from sayso.kernel import (
    SECOND,
    TENANT_OWNER,
    Invalid,
    Sealer,
    TooLarge,
    Tx,
    bucket_in,
    new_raw,
    new_raw_in,
    text,
)

METHODS: Final = frozenset(
    {
        "banner",
        "preference_centre",
        "api",
        "import",
        "staff",
        "phone",
        "paper",
        "list_unsubscribe_one_click",
        "opt_out_link",
        "double_opt_in",
    }
)
"""How a choice reached us."""

PURPOSES_LIMIT: Final = 500
"""Choices in one submission."""

IssuerOf = Callable[[str], Issuer]
"""Who gives a tenant's receipts."""

_NOBODY: Final = PersonState()
_CLOCKS_APART: Final = 300 * SECOND
_LONGEST_LOCALE: Final = 35
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")


class Recorder:
    """Turns submissions into records. Stateless but for the receipt press."""

    def __init__(self, audit: AuditLog, sealer: Sealer, people: People, press: ReceiptPress, issuer: IssuerOf) -> None:
        self._audit = audit
        self._sealer = sealer
        self._people = people
        self._press = press
        self._issuer = issuer

    def enter(
        self, tx: Tx, catalogue: Catalogue, person: Person | None, submission: Submission, shown: Shown, event: str
    ) -> Recorded:
        """Record checked choices. `person` None: nobody is named, and nothing but the record remains."""
        context = tx.context
        tenant, actor = context.tenant, context.actor
        if person is not None:
            subject, since = person.subject, person.next_since(context.at)
            raw_record = new_raw_in(person.bucket)
            key, state = person.key, person.state
        else:
            subject, since, state = None, context.at, PersonState()
            raw_record, key = new_raw(), self._sealer.standing(tenant, TENANT_OWNER)
        record_id = text("cns", raw_record)
        occurred_at, confirmed = submission.occurred_at or 0, submission.confirmed
        claimed = min(occurred_at or since, since)
        if confirmed is not None:
            # A no said between the two steps of a double opt-in is newer than what it confirms.
            claimed = min(claimed, confirmed.requested_at)
        moment = Moment(
            since,
            claimed,
            RANK[submission.assurance],
            raw_record,
            shown.notice,
            shown.version,
            shown.purposes,
            submission.conflict_shown,
            confirmed is not None,
            submission.indicated_by,
        )
        directives = given(catalogue, state, submission.signals) if submission.signals else ()
        if directives:
            state = direct(state, directives, moment)
        before = state
        if submission.stood is not None:
            changes, state = undo(state, submission.choices, submission.stood, moment)
        else:
            changes, state = decide(state, submission.choices, catalogue, moment)
        ignored = {change.purpose: str(change.ignored) for change in changes if change.ignored}
        entry = self._audit.append(
            tx,
            AuditEvent(
                event,
                "ok",
                _res(event, shown, submission),
                subject,
                _detail(record_id, submission, shown, ignored, directives),
            ),
            person.key if person is not None else None,
        )
        subject_id = text("sub", subject) if subject is not None else None
        sub = sub_for(key, subject_id, actor.kind) if subject_id is not None else NOBODY
        act = Told(
            record_id,
            entry,
            sub,
            since,
            claimed,
            submission.method,
            submission.assurance,
            shown,
            changes,
            person.state if person is not None else _NOBODY,
            directives,
            bool(submission.indicated_by),
        )
        signed, compact = self._press.press(tenant, self._issuer(tenant), catalogue, act)
        payload = record.Payload(
            v=record.VERSION,
            at=since,
            changes=changes,
            actor=actor.id,
            method=submission.method,
            assurance=submission.assurance,
            entry=entry,
            bundle=submission.bundle or raw_record,
            notice=shown.notice,
            notice_version=shown.version,
            notice_hash=shown.hash,
            locale=shown.locale,
            text_hash=shown.text_hash,
            occurred_at=occurred_at,
            # What is kept of somebody who stays unknown names nobody, and points to nobody (design 6.7).
            evidence=submission.evidence if person is not None else {},
            requested_at=confirmed.requested_at if confirmed is not None else 0,
            confirmed_at=confirmed.confirmed_at if confirmed is not None else 0,
            confirms=submission.confirms,
            indicated_by=submission.indicated_by,
            stood=stood(before, state) if submission.undoable else None,
            undoes=submission.undoes,
            directives=directives,
            conflict_shown=submission.conflict_shown,
            signed=signed,
        )
        sealed = key.seal(record.COLLECTION, record_id, record.encode(payload))
        tx.insert(RECORD, raw_record, subject, since, sealed, bucket=bucket_in(raw_record))
        if person is not None:
            self._people.save(tx, person, state, since)
            tx.publish(event, person.subject, raw_record)
        names = touched(changes, shown.purposes, catalogue)
        honoured: list[DirectiveState] | msgspec.UnsetType = msgspec.UNSET
        if state.directives:
            honoured = directives_of(state, catalogue)
            names = {**names, **dict.fromkeys(name for each in honoured for name in each.purposes)}
        answer = purposes_of(state, names, catalogue, since)
        named = text("sub", person.root) if person is not None else None
        return Recorded(record_id, named, answer, compact, entry, ignored or msgspec.UNSET, honoured)


def check_notice(catalogue: Catalogue, submission: Submission, at: int) -> Shown:
    """What the submission's notice says, once every refusal that needs no person has been thought of.

    In this order: the submission itself, the notice, each purpose, the version, the language, the claimed time.
    """
    check_form(submission, at)
    granting = "granted" in submission.choices.values()
    if granting and catalogue.demands.any:
        catalogue.demands.check(submission)
    notice = catalogue.notice(submission.notice)
    asked = (catalogue.older(submission.notice, submission.notice_version) or notice).purposes
    for purpose in submission.choices:
        if purpose not in asked or purpose not in catalogue.purposes:
            catalogue.purpose(purpose)
            raise PurposeNotInNotice(purpose, submission.notice)
    return catalogue.shown(submission.notice, submission.notice_version, submission.locale, granting=granting)


def check_form(submission: Submission, at: int) -> None:
    """Raise `Invalid` or `TooLarge` for a submission that can mean nothing, whoever it is about."""
    if not submission.choices and not submission.signals:
        raise Invalid("no-choices", "A record holds one choice at least.")
    if len(submission.choices) > PURPOSES_LIMIT:
        raise TooLarge("too-many-choices", "That is more choices than one record takes.", limit=PURPOSES_LIMIT)
    if submission.method not in METHODS:
        raise Invalid("unknown-method", "This is no method by which a choice is made.", methods=sorted(METHODS))
    if submission.assurance not in RANK:
        raise Invalid("unknown-assurance", "This is no assurance.", assurances=list(RANK))
    if submission.notice and not 0 < submission.notice_version < 2**31:
        raise Invalid("invalid-version", "A notice's version is a positive number.")
    if submission.notice and (len(submission.locale) > _LONGEST_LOCALE or not _is_locale(submission.locale)):
        raise Invalid("invalid-locale", "A language is a tag such as en or zh-CN (BCP 47).")
    if submission.occurred_at is not None and not 0 < submission.occurred_at <= at + _CLOCKS_APART:
        raise Invalid("invalid-time", "A choice cannot have been made in the future.")
    confirmed = submission.confirmed
    if confirmed is not None and not 0 < confirmed.requested_at <= confirmed.confirmed_at <= at + _CLOCKS_APART:
        raise Invalid("invalid-time", "A double opt-in is asked for before it is confirmed, and neither in the future.")
    if submission.evidence:
        check_evidence(submission.evidence)


@lru_cache(maxsize=1_024)
def _is_locale(text: str) -> bool:
    return _LOCALE.fullmatch(text) is not None


def acts_on(
    catalogue: Catalogue, state: PersonState, purposes: Sequence[str] | Literal["all"], act: Act
) -> dict[str, Act]:
    """One act on each of the purposes. `"all"`: every one that a no can block, asked or not, and every one ever chosen;
    of objections to be taken back, every one there is.

    Raises `UnknownPurpose`. A purpose no longer declared is taken where the person has a choice about it.
    """
    if purposes == "all" and act == "reconsidered":
        return dict.fromkeys([name for name, choice in state.choices.items() if choice.objected_at], act)
    if purposes == "all":
        blockable = (name for name in catalogue.purposes if catalogue.blockable(name))
        chosen = (name for name, choice in state.choices.items() if choice.status != "unasked")
        return dict.fromkeys((*blockable, *chosen), act)
    for purpose in purposes:
        if purpose not in state.choices:
            catalogue.purpose(purpose)
    return dict.fromkeys(purposes, act)


def refuses_all(submission: Submission) -> bool:
    """Whether every choice is a no."""
    return all(act in NOES for act in submission.choices.values())


def _res(event: str, shown: Shown, submission: Submission) -> dict[str, str]:
    method = submission.method
    if event == events.RECORDED:
        return {"method": method, "notice": shown.notice, "notice_version": str(shown.version)}
    if event == events.DIRECTED:
        return {"method": method, "kind": "+".join(signal.kind for signal in submission.signals)}
    return {"method": method}


def _detail(
    record_id: str, submission: Submission, shown: Shown, ignored: Mapping[str, str], directives: tuple[Given, ...]
) -> dict[str, object]:
    detail: dict[str, object] = {
        "assurance": submission.assurance,
        "choices": submission.choices,
        "record": record_id,
    }
    if shown.notice:
        detail["locale"] = shown.locale
        detail["text_hash"] = shown.text_hash
    if ignored:
        detail["ignored"] = ignored
    if directives:
        detail["directives"] = [{"kind": each.kind, "source": each.source} for each in directives]
    if submission.conflict_shown:
        detail["conflict_shown"] = True
    if submission.undoes:
        detail["undoes"] = text("cns", submission.undoes)
    if submission.indicated_by:
        detail["indicated_by"] = text("sub", submission.indicated_by)
    if submission.confirmed is not None:
        detail["confirmed_at"] = submission.confirmed.confirmed_at
        detail["requested_at"] = submission.confirmed.requested_at
    if submission.occurred_at is not None:
        detail["occurred_at"] = submission.occurred_at
    return detail
