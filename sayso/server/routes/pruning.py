"""Pruning the log: what is over by what the manifest declares, and letting it go. Only from the machine itself."""

from pathlib import Path

from litestar import get, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import JSONBody
from msgspec import Struct

from audit import Due
from sayso.kernel import Conflict, Tx, Work, iso
from sayso.server.call import Call
from sayso.server.callers.auth import OPERATOR
from sayso.server.routes.gate import admits

_STANDING = ("live", "releasing")


class HeldLog(Conflict):
    """A legal hold stands: evidence is not destroyed."""

    def __init__(self, holds: list[str]) -> None:
        super().__init__("log-held", "A legal hold stands, so no entry of the log is pruned.", holds=holds)


class Over(Struct, frozen=True):
    """What is over of one log: entries from index `begin` to `below` (exclusive), made between two times, their bytes,
    and the term that its class declares.
    """

    log: str
    keep: str
    begin: int
    below: int
    entries: int
    bytes: int
    oldest: str
    newest: str


class Prunable(Struct, frozen=True):
    """What is over, log by log, and the legal holds that keep it here all the same."""

    logs: list[Over]
    holds: list[str]


class Prune(Struct, frozen=True, forbid_unknown_fields=True):
    """Where all logs are exported and verified before anything goes: a folder on the server's machine, to be kept."""

    copy: str


@get("/v1/audit/prunes", opt=admits(OPERATOR), operation_id="audit.prunable", tags=["Operator"])
async def preview(call: NamedDependency[Call]) -> Prunable:
    """What a prune would take now; nothing is done. Only through the local socket."""
    services = call.services
    found = await services.audit.over(services.database, call.context)
    return Prunable([_view(each) for each in found], await call.look(lambda tx: _holds(call, tx)))


@post("/v1/audit/prunes", opt=admits(OPERATOR), operation_id="audit.prune", tags=["Operator"], status_code=200)
async def prune(call: NamedDependency[Call], data: JSONBody[Prune]) -> Prunable:
    """Export all logs, verify the export, then delete the entries that are over; each log's prune is an entry of
    `main`. Only through the local socket.
    """

    def guard(tx: Tx) -> Work[None]:
        holds = yield from _holds(call, tx)
        if holds:
            raise HeldLog(holds)

    services = call.services
    also = services.audiences.forget
    gone = await services.audit.prune(services.database, call.context, Path(data.copy), guard, also)
    return Prunable([_view(each) for each in gone], [])


def _holds(call: Call, tx: Tx) -> Work[list[str]]:
    holds = yield from call.services.workers.retention.holds.holds(tx)
    return [each.hold for each in holds if each.state in _STANDING]


def _view(due: Due) -> Over:
    oldest, newest = (iso(int.from_bytes(each[:6], "big") * 1000) for each in (due.first, due.last))
    return Over(due.log, due.keep, due.begin, due.below, due.entries, due.size, oldest, newest)


handlers: list[BaseRouteHandler] = [preview, prune]
