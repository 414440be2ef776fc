"""Every statement about audiences, each named after the question it answers."""

from typing import Any

from sqlalchemy import BigInteger, Delete, LargeBinary, Select, SmallInteger, bindparam, select

from consent import PERSON, PERSON_FORGOTTEN
from policies.audiences import tables
from sayso.kernel import Prepared, Rows, bucket_of
from sayso.kernel.schema import feed, metadata

ANSWER = Rows(tables.policies_answer, journal=True)
AUDIENCE = Rows(tables.policies_audience)
AIDS = Rows(tables.policies_aids, journal=True)

_person = metadata.tables[PERSON.name].c
_answer = tables.policies_answer.c
_audience = tables.policies_audience.c

PEOPLE_BETWEEN = Prepared(
    select(_person.subject, _person.aid, _person.state).where(
        _person.bucket >= bindparam("first", type_=SmallInteger), _person.bucket < bindparam("last", type_=SmallInteger)
    )
)
"""Everybody in some buckets: subject, number, packed state."""

CHANGED_AFTER = Prepared(
    select(feed.c.position, feed.c.subject)
    .where(feed.c.shard == 0, feed.c.position > bindparam("after", type_=BigInteger))
    .order_by(feed.c.position)
    .limit(bindparam("most", type_=BigInteger))
)
"""Who changed after a position of the feed, in its order."""

FORGOTTEN_AFTER = Prepared(
    select(feed.c.position)
    .where(
        feed.c.shard == 0,
        feed.c.position > bindparam("after", type_=BigInteger),
        feed.c.kind == PERSON_FORGOTTEN,
    )
    .order_by(feed.c.position)
    .limit(bindparam("most", type_=BigInteger))
)
"""Where the feed tells behind a position that somebody was erased."""

ANSWERS_BEFORE = Prepared(
    select(_answer.answer, _answer.at, _answer.content)
    .where(_answer.answer < bindparam("before", type_=LargeBinary))
    .order_by(_answer.answer.desc())
    .limit(bindparam("most", type_=BigInteger))
)
"""Answers about audiences, newest first."""

ENDED = Prepared(
    select(_audience.name, _audience.content)
    .where(_audience.until <= bindparam("at", type_=BigInteger))
    .order_by(_audience.until)
    .limit(bindparam("most", type_=BigInteger))
)
"""Kept lists whose term is over."""


def of_list(tenant: str, answer: bytes) -> Delete:
    """Delete the people of an answer, all parts."""
    aids = tables.policies_aids
    return aids.delete().where(aids.c.bucket == bucket_of(tenant, answer), aids.c.list == answer)


def kept() -> Select[Any]:
    """All lists that are kept, by name: name, version, until, content."""
    return select(_audience.name, _audience.version, _audience.until, _audience.content).order_by(_audience.name)
