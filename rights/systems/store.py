"""Every statement about tasks."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from msgspec import msgpack
from msgspec.structs import replace
from sqlalchemy import Update, select, update

from rights.systems.model import SETTLED, Task, UnknownTask
from rights.systems.tables import rights_task
from sayso.kernel import Get, Query, Rows, Tx, Values, Work, raw

TASK = Rows(rights_task)

_c = rights_task.c
_COLUMNS = (_c.task, *(_c[name] for name in (
    "version", "request", "system", "state", "due", "again", "body", "told", "result"
)))  # fmt: skip
_encode = msgpack.Encoder().encode
_body = msgpack.Decoder(Task).decode


class Stored(NamedTuple):
    """A task with what its row holds besides. `was` guards the next change."""

    task: Task
    again: int
    told: bytes | None
    result: bytes | None
    was: Values
    raw_id: bytes


def load(tx: Tx, task: str) -> Work[Stored]:
    """One task. Raises `UnknownTask`, `Invalid` (`malformed-id`)."""
    raw_id = raw(task, "tsk")
    (row,) = yield (at(tx, raw_id),)
    if row is None:
        raise UnknownTask
    return stored(raw_id, row)


def at(tx: Tx, raw_id: bytes) -> Get:
    """The read of one task."""
    return tx.get(TASK, raw_id)


def stored(raw_id: bytes, row: Values) -> Stored:
    """A row read by its key."""
    return Stored(_body(row[6]), row[5], row[7], row[8], row, raw_id)


def all_stored(rows: list[Any]) -> list[Stored]:
    """The answer of the queries below."""
    return [stored(bytes(row[0]), tuple(row[1:])) for row in rows]


def of_requests(tx: Tx, requests: Sequence[str]) -> Query:
    """The tasks of these requests, oldest first."""
    ids = [raw(each, "rrq") for each in requests]
    return tx.select(select(*_COLUMNS).where(_c.request.in_(ids)).order_by(_c.task))


def free(tx: Tx, systems: Sequence[str], at: int, most: int) -> Query:
    """Open tasks of these systems that nobody has taken, the longest waiting first."""
    wanted = select(*_COLUMNS).where(_c.system.in_(systems), _c.state == "open", _c.again <= at)
    return tx.select(wanted.order_by(_c.again, _c.task).limit(most))


def page(
    tx: Tx, systems: Sequence[str] | None, states: Sequence[str], due_by: int | None, after: bytes, most: int
) -> Query:
    """Tasks in the order of their making, or by their term where `due_by` (an instant) is given."""
    wanted = select(*_COLUMNS).where(_c.state.in_(states))
    if systems is not None:
        wanted = wanted.where(_c.system.in_(systems))
    if due_by is not None:
        return tx.select(wanted.where(_c.due <= due_by).order_by(_c.due, _c.task).limit(most))
    return tx.select(wanted.where(_c.task > after).order_by(_c.task).limit(most))


def spent_results(at: int) -> Update:
    """Takes away the results whose time is over: of a settled task, `again` is that instant, or 0 without a result."""
    over = update(rights_task).where(_c.state.in_(sorted(SETTLED)), _c.again > 0, _c.again <= at)
    return over.values(result=None, again=0, version=_c.version + 1)


def insert(tx: Tx, task: Task, told: bytes) -> None:
    """A new task, free at once."""
    tx.insert(TASK, raw(task.id), *_columns(task, 1, task.created_at, told, None))


def put(tx: Tx, before: Stored, task: Task, *, again: int, told: bytes | None, result: bytes | None) -> None:
    """The task in place of what was read."""
    columns = _columns(task, int(before.was[0]) + 1, again, told, result)
    tx.put(TASK, (before.raw_id,), columns, was=before.was)


def _columns(task: Task, version: int, again: int, told: bytes | None, result: bytes | None) -> Values:
    if task.entry and task.entry not in task.entries:
        task = replace(task, entries=(*task.entries, task.entry))
    request = raw(task.request)
    return (version, request, task.system, task.state, task.due_at, again, _encode(task), told, result)
