"""Tasks of other systems: what they are to do about a request, and their answers."""

from typing import Annotated, Any

from litestar import get, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import Meta, Struct

from rights import Answered, Handed, TaskPage, TaskState, TaskView
from sayso.server.call import Call
from sayso.server.callers.auth import POLICY
from sayso.server.routes.gate import admits

ANSWERERS = ("officer", "recorder", "vault_writer", "pep", POLICY)
"""Whose client may answer for a system; which one does, the manifest says."""

Sentence = Annotated[str, Meta(max_length=500)]


class TaskDone(Struct, frozen=True, forbid_unknown_fields=True):
    """It is done. `request` is the task's own; `count` how many things were dealt with. `data` is what an access or
    portability request found; `note` is for officers who close a manual task, and names nobody.
    """

    request: str
    count: Annotated[int, Meta(ge=0)] = 0
    note: Sentence = ""
    data: Any = None


class TaskFailed(Struct, frozen=True, forbid_unknown_fields=True):
    """It cannot be done, and why, without anything personal."""

    request: str
    reason: Sentence


class TaskWaived(Struct, frozen=True, forbid_unknown_fields=True):
    """Why the request is closed without this system. The certificate tells it; name nobody."""

    reason: Sentence


class TaskLease(Struct, frozen=True, forbid_unknown_fields=True):
    """Which system's tasks are wanted, how many, and for how many seconds nobody else is given them."""

    system: str
    limit: Annotated[int, Meta(ge=1, le=100)] = 10
    lease_s: Annotated[int, Meta(ge=1, le=3600)] = 300


@get("/v1/rights/tasks", opt=admits(*ANSWERERS, "auditor"), operation_id="rights.tasks", tags=["Rights"])
async def tasks(
    call: NamedDependency[Call],
    system: FromQuery[str] = "",
    status: FromQuery[TaskState | None] = None,
    overdue: FromQuery[bool] = False,
    cursor: FromQuery[str | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> TaskPage:
    """Tasks in the order of their making; a system's client sees its own, officers and auditors all. `overdue`: those
    whose answer should have come by now, the longest overdue first. Nobody is named here.
    """
    return await call.look(
        lambda tx: call.services.desk.tasks.listed(
            tx,
            call.configuration.systems,
            system=system,
            state=status,
            overdue=overdue,
            cursor=cursor,
            limit=limit,
        )
    )


@post(
    "/v1/rights/tasks/lease",
    opt=admits(*ANSWERERS),
    operation_id="rights.tasks.lease",
    tags=["Rights"],
    status_code=200,
)
async def lease(call: NamedDependency[Call], data: JSONBody[TaskLease]) -> Handed:
    """Take open tasks of one system, for systems that no message reaches. What is not answered before `until` is given
    out again.
    """
    live = call.configuration.systems
    return await call.alone(lambda tx: call.services.desk.tasks.lease(tx, live, data.system, data.limit, data.lease_s))


@get("/v1/rights/tasks/{task:str}", opt=admits(*ANSWERERS, "auditor"), operation_id="rights.task", tags=["Rights"])
async def one(call: NamedDependency[Call], task: FromPath[str]) -> TaskView:
    """One task. The client of its system, and officers of a manual one, see whom it is about while it is open."""
    return await call.look(lambda tx: call.services.desk.tasks.task(tx, call.configuration.systems, task))


@post(
    "/v1/rights/tasks/{task:str}/done",
    opt=admits(*ANSWERERS),
    operation_id="rights.task.done",
    tags=["Rights"],
    status_code=200,
)
async def done(call: NamedDependency[Call], task: FromPath[str], data: JSONBody[TaskDone]) -> TaskView:
    """The system did it. Saying so twice is no error. The last answer closes the request."""
    answer = Answered(request=data.request, count=data.count, reason=data.note, data=data.data)
    answers, live = call.services.desk.tasks.answers, call.configuration.systems
    return await settled(call, await call.alone(lambda tx: answers.done(tx, live, task, answer)))


@post(
    "/v1/rights/tasks/{task:str}/failed",
    opt=admits(*ANSWERERS),
    operation_id="rights.task.failed",
    tags=["Rights"],
    status_code=200,
)
async def failed(call: NamedDependency[Call], task: FromPath[str], data: JSONBody[TaskFailed]) -> TaskView:
    """The system cannot do it. An officer has it told again, or closes the request without it."""
    answer = Answered(request=data.request, reason=data.reason)
    answers, live = call.services.desk.tasks.answers, call.configuration.systems
    return await call.alone(lambda tx: answers.failed(tx, live, task, answer))


@post(
    "/v1/rights/tasks/{task:str}/waive",
    opt=admits("officer"),
    operation_id="rights.task.waive",
    tags=["Rights"],
    status_code=200,
)
async def waive(call: NamedDependency[Call], task: FromPath[str], data: JSONBody[TaskWaived]) -> TaskView:
    """Close the request's part without this system."""
    answers, live = call.services.desk.tasks.answers, call.configuration.systems
    return await settled(call, await call.alone(lambda tx: answers.waive(tx, live, task, data.reason)))


@post(
    "/v1/rights/tasks/{task:str}/again",
    opt=admits("officer"),
    operation_id="rights.task.again",
    tags=["Rights"],
    status_code=200,
)
async def again(call: NamedDependency[Call], task: FromPath[str]) -> TaskView:
    """Have the system told once more, from the beginning of its schedule."""
    answers, live = call.services.desk.tasks.answers, call.configuration.systems
    return await call.alone(lambda tx: answers.again(tx, live, task))


async def settled(call: Call, task: TaskView) -> TaskView:
    """What the person was known by is unreadable in the files of the store, too, before this is answered."""
    await call.services.database.tidy()
    return task


handlers: list[BaseRouteHandler] = [tasks, lease, one, done, failed, waive, again]
