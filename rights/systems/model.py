"""A task: what one system is to do about one request, and how it stands. Pure; nothing in it tells whose it is."""

from typing import Final, Literal, get_args

from msgspec import Struct
from msgspec.structs import replace

from rights.model import Kind, Law
from sayso.kernel import Conflict, Instant, NotFound

TaskState = Literal["open", "failed", "done", "waived"]
"""`failed`: the system says that it cannot; an officer asks again or closes the request without it (`waived`)."""

TASK_STATES: Final[tuple[TaskState, ...]] = get_args(TaskState)
SETTLED: Final = frozenset(("done", "waived"))
_MOST_COUNTED: Final = 2**53 - 1
"""A system may say any number; what is kept is one that every reader of JSON holds."""


class UnknownTask(NotFound):
    """No task of that id that this caller may see."""

    def __init__(self) -> None:
        super().__init__("not-found", "There is no such task.")


class TaskSettled(Conflict):
    """The task was answered before, and otherwise."""

    def __init__(self, state: str) -> None:
        super().__init__("task-settled", f"This task is settled: {state}.", status=state)


class Task(Struct, frozen=True, array_like=True):
    """One system's part. `due_at` is when its answer is expected; `count` how many things it says it dealt with.

    `reason` is a word of the system's for a failure, or an officer's sentence. `entry` is the last step's log entry,
    `rounds` how often an officer had the system told anew, `entries` are those of all steps, in order.
    """

    id: str
    request: str
    system: str
    kind: Kind
    law: Law
    state: TaskState
    created_at: Instant
    due_at: Instant
    attempts: int = 0
    count: int = 0
    reason: str = ""
    settled_at: Instant = Instant(0)
    entry: str = ""
    recipient: str = ""
    rounds: int = 0
    entries: tuple[str, ...] = ()

    @property
    def settled(self) -> bool:
        """Whether nothing more is awaited from the system."""
        return self.state in SETTLED

    def overdue(self, at: Instant) -> bool:
        """Whether the answer should have come by now."""
        return not self.settled and self.due_at <= at


def answered(task: Task, state: TaskState, at: Instant, *, count: int = 0, reason: str = "") -> Task | None:
    """The task after an answer; None when it was given before, and nothing changes. Raises `TaskSettled`."""
    if task.state == state:
        return None
    if task.settled:
        raise TaskSettled(task.state)
    settled_at = at if state in SETTLED else Instant(0)
    return replace(task, state=state, count=min(count, _MOST_COUNTED), reason=reason, settled_at=settled_at)


def asked_again(task: Task, at: Instant) -> Task:
    """The task open once more. Raises `TaskSettled`."""
    if task.settled:
        raise TaskSettled(task.state)
    return replace(task, state="open", reason="", attempts=0, rounds=task.rounds + 1)
