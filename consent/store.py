"""Every statement of the registry, each named after the question it answers."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Delete,
    Select,
    Update,
    bindparam,
    delete,
    literal_column,
    select,
    update,
)

from consent import tables
from sayso.kernel import BUCKETS, PARTS, Prepared, Query, Rows, Tx, bucket_of, in_part

PERSON = Rows(tables.consent_person)
RECORD = Rows(tables.consent_record, journal=True)
IDENTIFIER = Rows(tables.consent_identifier)
IDENTIFIER_OF = Rows(tables.consent_identifier_of, journal=True)
IDENTITY = Rows(tables.consent_identity, journal=True)
AID = Rows(tables.consent_aid)
SUPPRESSION = Rows(tables.consent_suppression)
PROOF = Rows(tables.consent_proof)
CODE = Rows(tables.consent_code)
PREFERENCE = Rows(tables.consent_preference)
PREFERENCE_CHANGE = Rows(tables.consent_preference_change, journal=True)
PURPOSE = Rows(tables.consent_purpose)
NOTICE = Rows(tables.consent_notice)
RECEIPT_PART = Rows(tables.consent_receipt_part)

_person = tables.consent_person.c
PEOPLE_AFTER = Prepared(
    select(_person.subject)
    .where(_person.bucket == bindparam("bucket"), _person.subject > bindparam("after"))
    .order_by(_person.subject)
    .limit(bindparam("most", type_=BigInteger))
    .offset(literal_column("0")),
    brief=True,
)
"""People of one bucket behind one of them."""
STATES_AFTER = Prepared(
    select(_person.bucket, _person.subject, _person.state)
    .where(_person.bucket == bindparam("bucket"), _person.subject > bindparam("after"))
    .order_by(_person.subject)
    .limit(bindparam("most", type_=BigInteger))
    .offset(literal_column("0"))
)
"""The same with their packed states."""
GROUP = 32
"""Buckets that `STATES_IN` reads at once."""
STATES_IN = tuple(
    Prepared(
        select(_person.bucket, _person.subject, _person.state)
        .where(_person.bucket.in_([literal_column(str(bucket)) for bucket in range(first, first + GROUP)]))
        .limit(bindparam("most", type_=BigInteger))
        .offset(literal_column("0"))
    )
    for first in range(0, BUCKETS, GROUP)
)
"""Up to so many people of a group of buckets, in no order: bucket, subject, packed state."""
NOTICE_STAGE = Rows(tables.consent_notice_stage)

_proof = tables.consent_proof.c
_suppression = tables.consent_suppression.c
_at = bindparam("at", type_=BigInteger)
_most = bindparam("most", type_=BigInteger)
_none: Any = literal_column("0")
PROOFS_BY = tuple(
    Prepared(
        select(_proof.subject, _proof.at, _proof.held)
        .where(in_part(tables.consent_proof, part), _proof.until <= _at)
        .limit(_most)
        .offset(_none)
    )
    for part in range(PARTS)
)
"""Capsules whose term ends by an instant, in one part of the buckets: subject, at, held. In no order."""
PROOFS_ENDING = tuple(
    Prepared(
        select(_proof.subject, _proof.at, _proof.held)
        .where(in_part(tables.consent_proof, part), _proof.until <= _at, _proof.held == literal_column("0"))
        .limit(_most)
        .offset(_none)
    )
    for part in range(PARTS)
)
"""As `PROOFS_BY`, of those that no legal hold covers."""
SUPPRESSIONS_ENDING = tuple(
    Prepared(
        select(_suppression.tag)
        .where(in_part(tables.consent_suppression, part), _suppression.until <= _at)
        .limit(_most)
        .offset(_none)
    )
    for part in range(PARTS)
)
"""Suppressed identifiers whose term ends by an instant, in one part of the buckets. In no order."""


_record = tables.consent_record.c
_identifier_of = tables.consent_identifier_of.c
_bucket: BindParameter[int] = bindparam("bucket")
_subject: BindParameter[bytes] = bindparam("subject")
_RECORDS_OF = Prepared(
    select(_record.record, _record.at, _record.sealed)
    .where(_record.bucket == _bucket, _record.subject == _subject)
    .order_by(_record.at),
    brief=True,
)
_IDENTIFIERS_OF = Prepared(
    select(_identifier_of.tag, _identifier_of.kind, _identifier_of.suppression)
    .where(_identifier_of.bucket == _bucket, _identifier_of.subject == _subject)
    .order_by(_identifier_of.tag),
    brief=True,
)


def records_of(tx: Tx, subject: bytes) -> Query:
    """A person's records, oldest first: record, at, sealed."""
    return tx.query(_RECORDS_OF, bucket=bucket_of(tx.context.tenant, subject), subject=subject)


def records_until(tenant: str, subject: bytes, known_at: int) -> Select[Any]:
    """A person's records that existed at an instant, oldest first: record, at, sealed."""
    c = tables.consent_record.c
    return (
        select(c.record, c.at, c.sealed)
        .where(c.bucket == bucket_of(tenant, subject), c.tenant == tenant, c.subject == subject, c.at <= known_at)
        .order_by(c.at)
    )


def page_of_records(tenant: str, subject: bytes, before: int, limit: int) -> Select[Any]:
    """Up to `limit` of a person's records older than `before`, newest first: record, at, sealed."""
    c = tables.consent_record.c
    return (
        select(c.record, c.at, c.sealed)
        .where(c.bucket == bucket_of(tenant, subject), c.tenant == tenant, c.subject == subject, c.at < before)
        .order_by(c.at.desc())
        .limit(limit)
    )


def identifiers_of(tx: Tx, subject: bytes) -> Query:
    """A person's identifiers: tag, kind, suppression tag."""
    return tx.query(_IDENTIFIERS_OF, bucket=bucket_of(tx.context.tenant, subject), subject=subject)


def identity_events_of(tenant: str, subject: bytes) -> Select[Any]:
    """What happened to a person's identifiers: event, sealed."""
    c = tables.consent_identity.c
    return select(c.event, c.sealed).where(c.bucket == bucket_of(tenant, subject), c.subject == subject)


def ended_codes(at: int) -> Delete:
    """Deletes the one-time codes that ended before an instant."""
    table = tables.consent_code
    return delete(table).where(table.c.expires_at <= at)


def purposes() -> Select[Any]:
    """All published versions and revisions of purposes: version, revision, content."""
    c = tables.consent_purpose.c
    return select(c.version, c.revision, c.content).order_by(c.purpose, c.version, c.revision)


def notices() -> Select[Any]:
    """All published versions of notices: at, content."""
    c = tables.consent_notice.c
    return select(c.at, c.content).order_by(c.notice, c.version)


def notice_stages() -> Select[Any]:
    """All steps of all notice versions, oldest first: notice, version, at, stage, hash, actor."""
    c = tables.consent_notice_stage.c
    return select(c.notice, c.version, c.at, c.stage, c.hash, c.actor).order_by(c.notice, c.version, c.at)


def stages_of(notice: str) -> Select[Any]:
    """The steps of one notice's versions, oldest first: version, stage, hash, at, actor."""
    c = tables.consent_notice_stage.c
    return select(c.version, c.stage, c.hash, c.at, c.actor).where(c.notice == notice).order_by(c.version, c.at)


def states_between(first: int, last: int) -> Select[Any]:
    """The packed states of everybody in buckets `first` to `last` - 1."""
    c = tables.consent_person.c
    return select(c.state).where(c.bucket >= first, c.bucket < last)


def page_of_preference_changes(tenant: str, subject: bytes, before: int, limit: int) -> Select[Any]:
    """Up to `limit` of a person's changes of preferences older than `before`, newest first: at, sealed."""
    c = tables.consent_preference_change.c
    return (
        select(c.at, c.sealed)
        .where(c.bucket == bucket_of(tenant, subject), c.subject == subject, c.at < before)
        .order_by(c.at.desc())
        .limit(limit)
    )


def preference_changes_of(tenant: str, subject: bytes) -> Select[Any]:
    """All of a person's changes of preferences, oldest first: at, sealed."""
    c = tables.consent_preference_change.c
    return select(c.at, c.sealed).where(c.bucket == bucket_of(tenant, subject), c.subject == subject).order_by(c.at)


def another_preference_change(tenant: str, subject: bytes, at: int, sealed: bytes) -> Update:
    """A change of preferences says something else."""
    c = tables.consent_preference_change.c
    place = (c.bucket == bucket_of(tenant, subject), c.subject == subject, c.at == at)
    return update(tables.consent_preference_change).where(*place).values(sealed=sealed)


_change = tables.consent_preference_change.c
_OWN_CHANGES = delete(tables.consent_preference_change).where(_change.bucket == _bucket, _change.subject == _subject)
WITHOUT_PREFERENCE_CHANGES = Prepared(_OWN_CHANGES)
"""A person's changes of preferences are gone: bucket, subject."""
WITHOUT_PREFERENCE_CHANGE = Prepared(_OWN_CHANGES.where(_change.at == _at))
"""The one of an instant is: bucket, subject, at."""


def proofs_of(tenant: str, subject: bytes) -> Select[Any]:
    """The capsules of an erased person: at, version, until, held, sealed."""
    c = tables.consent_proof.c
    return select(c.at, c.version, c.until, c.held, c.sealed).where(
        c.bucket == bucket_of(tenant, subject), c.subject == subject
    )


def without_proof(tenant: str, subject: bytes, at: int) -> Delete:
    """A capsule is gone, unless a legal hold covers it."""
    c = tables.consent_proof.c
    return delete(tables.consent_proof).where(
        c.bucket == bucket_of(tenant, subject), c.subject == subject, c.at == at, c.held == 0
    )


def without_suppressions(tenant: str, tags: Sequence[bytes], at: int) -> Delete:
    """Suppressed identifiers are gone whose term is over at an instant."""
    c = tables.consent_suppression.c
    buckets = sorted({bucket_of(tenant, tag) for tag in tags})
    return delete(tables.consent_suppression).where(c.bucket.in_(buckets), c.tag.in_(list(tags)), c.until <= at)
