"""SQL of the letters on their way."""

from typing import Any, Final

from sqlalchemy import Delete, Select, delete, func, select

from sayso.kernel.rows import Rows
from sayso.server.mail.tables import mail

MAIL = Rows(mail)

NEVER: Final = 2**62
"""When a dead letter is tried next."""


def due(at: int, limit: int) -> Select[Any]:
    """Letters to be tried by now, the longest waiting first: mail."""
    return select(mail.c.mail).where(mail.c.next_at <= at).order_by(mail.c.next_at).limit(limit)


def counts() -> Select[Any]:
    """How many letters are alive, and how many dead: whether dead, count."""
    dead: Any = mail.c.next_at == NEVER
    number: Any = func.count()
    return select(dead, number).group_by(dead)


def dead(limit: int) -> Select[Any]:
    """The newest dead letters: mail, kind, at, tries, why."""
    return (
        select(mail.c.mail, mail.c.kind, mail.c.at, mail.c.tries, mail.c.why)
        .where(mail.c.next_at == NEVER)
        .order_by(mail.c.at.desc())
        .limit(limit)
    )


def tried(limit: int) -> Select[Any]:
    """The oldest letters that were tried and could not be sent yet: mail, kind, at, tries, why, next try."""
    return (
        select(mail.c.mail, mail.c.kind, mail.c.at, mail.c.tries, mail.c.why, mail.c.next_at)
        .where(mail.c.next_at < NEVER, mail.c.why != "")
        .order_by(mail.c.at)
        .limit(limit)
    )


def old_dead(before: int) -> Delete:
    """Deletes dead letters that were written before an instant."""
    return delete(mail).where(mail.c.next_at == NEVER, mail.c.at < before)
