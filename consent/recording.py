"""One act of choosing: checked, folded, sealed, entered in the log, receipted. The registry's hot path.

State, record, identifiers, log entry and feed row are one write-set: all of it is committed, or none.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final, Literal

import msgspec

from audit import AuditEvent, AuditLog
from consent import events, record
from consent.answers import Recorded, purposes_of, touched
from consent.catalogue import Catalogue, Shown
from consent.errors import PurposeNotInNotice
from consent.fold import Moment, decide
from consent.model import NOES, RANK, Act, Evidence, PersonState, Submission
from consent.people import People, Person
from consent.receipt import NOBODY, Issuer, ReceiptPress, body_of, sub_for
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
    {"banner", "preference_centre", "api", "import", "staff", "phone", "paper", "list_unsubscribe_one_click"}
)
"""How a choice reached us."""

EVIDENCE_LIMIT: Final = 4_096
"""Bytes of a submission's evidence, packed."""

PURPOSES_LIMIT: Final = 500
"""Choices in one submission."""

IssuerOf = Callable[[str], Issuer]
"""Who gives a tenant's receipts."""

_CLOCKS_APART: Final = 300 * SECOND
_LONGEST_LOCALE: Final = 35
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_packed = msgspec.msgpack.Encoder().encode


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
        occurred_at = submission.occurred_at or 0
        moment = Moment(
            since,
            min(occurred_at or since, since),
            RANK[submission.assurance],
            raw_record,
            shown.notice,
            shown.version,
            shown.purposes,
        )
        changes, state = decide(state, submission.choices, catalogue, moment)
        ignored = {change.purpose: str(change.ignored) for change in changes if change.ignored}
        entry = self._audit.append(
            tx,
            AuditEvent(
                event,
                "ok",
                _res(event, shown, submission.method),
                subject,
                _detail(record_id, submission, shown, ignored),
            ),
            person.key if person is not None else None,
        )
        issuer = self._issuer(tenant)
        body = body_of(
            catalogue,
            shown,
            changes,
            record=record_id,
            entry=entry,
            at=since,
            method=submission.method,
            assurance=submission.assurance,
            controller=issuer.controller,
        )
        subject_id = text("sub", subject) if subject is not None else None
        sub = sub_for(key, subject_id, actor.kind) if subject_id is not None else NOBODY
        signed, compact = self._press.sign(tenant, issuer, sub, since, body)
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
            evidence=submission.evidence,
            signed=signed,
        )
        sealed = key.seal(record.COLLECTION, record_id, record.encode(payload))
        tx.insert(RECORD, raw_record, subject, since, sealed, bucket=bucket_in(raw_record))
        if person is not None:
            self._people.save(tx, person, state, since)
            tx.publish(event, person.subject, raw_record)
        answer = purposes_of(state, touched(changes, shown.purposes, catalogue), catalogue, since)
        return Recorded(record_id, subject_id, answer, compact, entry, ignored or msgspec.UNSET)


def check_notice(catalogue: Catalogue, submission: Submission, at: int) -> Shown:
    """What the submission's notice says, once every refusal that needs no person has been thought of.

    In this order: the submission itself, the notice, each purpose, the version, the language, the claimed time.
    """
    check_form(submission, at)
    granting = "granted" in submission.choices.values()
    notice = catalogue.notice(submission.notice)
    asked = (catalogue.older(submission.notice, submission.notice_version) or notice).purposes
    for purpose in submission.choices:
        if purpose not in asked or purpose not in catalogue.purposes:
            catalogue.purpose(purpose)
            raise PurposeNotInNotice(purpose, submission.notice)
    return catalogue.shown(submission.notice, submission.notice_version, submission.locale, granting=granting)


def check_form(submission: Submission, at: int) -> None:
    """Raise `Invalid` or `TooLarge` for a submission that can mean nothing, whoever it is about."""
    if not submission.choices:
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
    check_evidence(submission.evidence)


@lru_cache(maxsize=1_024)
def _is_locale(text: str) -> bool:
    return _LOCALE.fullmatch(text) is not None


def check_evidence(evidence: Evidence) -> None:
    """Raise `TooLarge` above 4 KiB."""
    if evidence and len(_packed(evidence)) > EVIDENCE_LIMIT:
        raise TooLarge("evidence-too-large", "The evidence is larger than a record takes.", limit=EVIDENCE_LIMIT)


def acts_on(
    catalogue: Catalogue, state: PersonState, purposes: Sequence[str] | Literal["all"], act: Act
) -> dict[str, Act]:
    """One act on each of the purposes. `"all"`: every one that a no can block, asked or not, and every one ever chosen.

    Raises `UnknownPurpose`. A purpose no longer declared is taken where the person has a choice about it.
    """
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


def _res(event: str, shown: Shown, method: str) -> dict[str, str]:
    if event == events.RECORDED:
        return {"method": method, "notice": shown.notice, "notice_version": str(shown.version)}
    return {"method": method}


def _detail(record_id: str, submission: Submission, shown: Shown, ignored: Mapping[str, str]) -> dict[str, object]:
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
    if submission.occurred_at is not None:
        detail["occurred_at"] = submission.occurred_at
    return detail
