"""SQL of access packages."""

from typing import Any, Final

from sqlalchemy import Delete, Select, bindparam, delete, select

from sayso.kernel import Prepared, Rows
from sayso.server.packages.tables import package, package_part

PACKAGE = Rows(package)
PART = Rows(package_part)

PIECES: Final = 1_000_000
"""The number of the zip's first piece. What is below was collected on the way."""


def making(limit: int) -> Select[Any]:
    """Packages that are not ready: request."""
    return select(package.c.request).where(package.c.state == "making").order_by(package.c.request).limit(limit)


def ended(at: int) -> Select[Any]:
    """Packages whose time is over: request."""
    return select(package.c.request).where(package.c.until <= at)


OF_PERSON = Prepared(select(package.c.request).where(package.c.subject == bindparam("subject")), brief=True)
"""Packages about a person: request."""


def parts(request: bytes, *, pieces: bool) -> Select[Any]:
    """The parts, or the pieces of the zip, in order: part, sealed."""
    number = package_part.c.part
    return (
        select(number, package_part.c.sealed)
        .where(package_part.c.request == request, number >= PIECES if pieces else number < PIECES)
        .order_by(number)
    )


def collected(request: bytes) -> Delete:
    """Deletes what was collected on the way."""
    return delete(package_part).where(package_part.c.request == request, package_part.c.part < PIECES)


def all_parts(request: bytes) -> Delete:
    """Deletes every part of a package."""
    return delete(package_part).where(package_part.c.request == request)
