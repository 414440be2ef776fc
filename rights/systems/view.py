"""Tasks as they are answered, and what callers send about one."""

from collections.abc import Iterable
from typing import Any, Final

from msgspec import Struct

from rights.certificate import SystemAnswer
from rights.progress import SystemView
from rights.systems.declared import System, Systems
from rights.systems.model import Task
from sayso.kernel import iso


class TaskView(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One task. `identify` is what the person is known by in that system: only its own client is shown it, and only
    while the task is open. `rounds`: how often an officer had the system told anew.
    """

    task: str
    request: str
    system: str
    kind: str
    law: str
    status: str
    connector: str = ""
    created_at: str
    due_at: str
    overdue: bool = False
    settled_at: str = ""
    attempts: int = 0
    count: int = 0
    reason: str = ""
    entry: str = ""
    recipient: str = ""
    rounds: int = 0
    identify: dict[str, list[str]] = {}


class TaskPage(Struct, frozen=True):
    """Tasks, and the cursor of the next page."""

    tasks: list[TaskView]
    cursor: str | None = None


class Handed(Struct, frozen=True):
    """What was handed out: nobody else is given these tasks until `until`."""

    tasks: list[TaskView]
    until: str


class Answered(Struct, frozen=True, kw_only=True):
    """A system's answer. `data` is what an access request found there."""

    request: str
    count: int = 0
    reason: str = ""
    data: Any = None


def progress(task: Task, at: int) -> SystemView:
    """A task within its request."""
    return SystemView(
        task.id,
        task.system,
        task.state,
        iso(task.due_at),
        task.overdue(at),  # type: ignore[arg-type]
        iso(task.settled_at) if task.settled_at else "",
        task.count,
        task.reason,
        task.entry,
        task.recipient,
    )


def shown(task: Task, systems: Systems, at: int, identify: dict[str, list[str]] | None = None) -> TaskView:
    """A task by itself."""
    system: System | None = systems.get(task.system)
    return TaskView(
        task=task.id,
        request=task.request,
        system=task.system,
        kind=task.kind,
        law=task.law,
        status=task.state,
        connector=system.connector if system is not None else "",
        created_at=iso(task.created_at),
        due_at=iso(task.due_at),
        overdue=task.overdue(at),  # type: ignore[arg-type]
        settled_at=iso(task.settled_at) if task.settled_at else "",
        attempts=task.attempts,
        count=task.count,
        reason=task.reason,
        entry=task.entry,
        recipient=task.recipient,
        rounds=task.rounds,
        identify=identify or {},
    )


_CERTIFIED: Final = {"open": "waiting", "failed": "failed", "done": "acknowledged", "waived": "closed_without"}


def answers(tasks: Iterable[Task]) -> tuple[SystemAnswer, ...]:
    """Tasks as a certificate tells them, in the order of the systems' names."""
    return tuple(
        SystemAnswer(
            each.count,
            each.entry,
            each.reason,
            iso(each.settled_at) if each.settled_at else "",
            _CERTIFIED[each.state],  # type: ignore[arg-type]
            each.system,
            iso(each.created_at),
        )
        for each in sorted(tasks, key=lambda task: (task.system, task.id))
    )
