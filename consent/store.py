"""Every statement of the registry, each named after the question it answers."""

from typing import Any

from sqlalchemy import Select, select

from consent import tables
from sayso.kernel import Rows, bucket_of

PERSON = Rows(tables.consent_person)
RECORD = Rows(tables.consent_record, journal=True)
IDENTIFIER = Rows(tables.consent_identifier)
IDENTIFIER_OF = Rows(tables.consent_identifier_of, journal=True)
AID = Rows(tables.consent_aid)
SUPPRESSION = Rows(tables.consent_suppression)
PROOF = Rows(tables.consent_proof)
LINK = Rows(tables.consent_link)
PURPOSE = Rows(tables.consent_purpose)
NOTICE = Rows(tables.consent_notice)


def records_of(tenant: str, subject: bytes) -> Select[Any]:
    """A person's records, oldest first: record, at, sealed."""
    c = tables.consent_record.c
    return (
        select(c.record, c.at, c.sealed)
        .where(c.bucket == bucket_of(tenant, subject), c.tenant == tenant, c.subject == subject)
        .order_by(c.at)
    )


def records_until(tenant: str, subject: bytes, known_at: int) -> Select[Any]:
    """A person's records that existed at an instant, oldest first: record, at, sealed."""
    return records_of(tenant, subject).where(tables.consent_record.c.at <= known_at)


def page_of_records(tenant: str, subject: bytes, before: int, limit: int) -> Select[Any]:
    """Up to `limit` of a person's records older than `before`, newest first: record, at, sealed."""
    c = tables.consent_record.c
    return (
        select(c.record, c.at, c.sealed)
        .where(c.bucket == bucket_of(tenant, subject), c.tenant == tenant, c.subject == subject, c.at < before)
        .order_by(c.at.desc())
        .limit(limit)
    )


def identifiers_of(tenant: str, subject: bytes) -> Select[Any]:
    """A person's identifiers: tag, kind, suppression tag."""
    c = tables.consent_identifier_of.c
    return (
        select(c.tag, c.kind, c.suppression)
        .where(c.bucket == bucket_of(tenant, subject), c.subject == subject)
        .order_by(c.tag)
    )


def purposes() -> Select[Any]:
    """All published versions of purposes: version, at, content."""
    c = tables.consent_purpose.c
    return select(c.version, c.at, c.content).order_by(c.purpose, c.version)


def notices() -> Select[Any]:
    """All published versions of notices: at, content."""
    c = tables.consent_notice.c
    return select(c.at, c.content).order_by(c.notice, c.version)
