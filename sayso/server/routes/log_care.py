"""What an operator does for the log: see whether it holds, let one that was forked go on, give it its next key."""

from pathlib import Path

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromQuery, JSONBody
from msgspec import Struct
from msgspec.structs import replace

from audit import AuditEvent, LogStanding, NothingToRecover
from sayso.kernel import SECOND, Invalid, Tx, Work, add_duration, iso
from sayso.server import events
from sayso.server.call import Call
from sayso.server.callers.auth import OPERATOR
from sayso.server.logkeeping.after_loss import Doubted, doubt
from sayso.server.routes.answers import answered
from sayso.server.routes.gate import admits


class Standing(Struct, frozen=True, omit_defaults=True):
    """How a log stands. Not `sound`: it contradicts `contradicts`, which holds a head of `seen` entries."""

    log: str
    origin: str
    size: int
    signed: int
    sound: bool
    contradicts: str | None = None
    seen: int | None = None
    doubted: Doubted | None = None


class Recovery(Struct, frozen=True, forbid_unknown_fields=True):
    """How to go on: with the entries in the folder `copy`, or, without one, in a new epoch. `complete`: nothing was
    answered after the copy's last entry.
    """

    copy: str | None = None
    log: str = "main"
    complete: bool = False


class Rotation(Struct, frozen=True, forbid_unknown_fields=True):
    """When the next key signs alone: an ISO 8601 duration from now, such as P7D."""

    after: str = "P7D"


class LogKey(Struct, frozen=True):
    """The next key of the logs: its thumbprint, and from when on it signs alone."""

    kid: str
    since: str


@get("/v1/audit/recovery", opt=admits(OPERATOR), operation_id="audit.standing", tags=["Operator"])
async def standing(call: NamedDependency[Call], log: FromQuery[str] = "main") -> Standing:
    """Whether the log contains all that was signed and seen of it. Only through the local socket."""
    return _view(await call.services.audit.standing(call.services.database, call.context, log))


@post("/v1/audit/recovery", opt=admits(OPERATOR), operation_id="audit.recover", tags=["Operator"], status_code=200)
async def recover(call: NamedDependency[Call], data: JSONBody[Recovery]) -> Standing:
    """Let a log that contradicts what was signed go on, from a static copy or in a new epoch. It is an entry. Before
    that, whoever may have said something that is lost is put in doubt. Only through the local socket.
    """
    services = call.services
    audit, database = services.audit, services.database
    if data.copy is not None:
        folder = Path(data.copy)
        doubted = await doubt(services, call.context, data.log, folder, complete=data.complete)
        found = await audit.replay(database, call.context, folder, data.log)
    else:
        if (await audit.standing(database, call.context, data.log)).sound:
            raise NothingToRecover
        doubted = await doubt(services, call.context, data.log, None, complete=False)
        found = await audit.open_epoch(database, call.context, data.log)
    return replace(_view(found), doubted=doubted)


@post("/v1/audit/keys/rotations", opt=admits("admin"), operation_id="audit.rotate_key", tags=["Keys"])
async def rotate(call: NamedDependency[Call], data: JSONBody[Rotation]) -> Response[LogKey]:
    """Make the next key of this brand's logs. Checkpoints bear both signatures until its time has come, so that whoever
    verifies can learn the next key before the old one falls silent.
    """

    def unit(tx: Tx) -> Work[LogKey]:
        at = tx.context.at
        since = add_duration(at, data.after)
        if since <= at:
            raise Invalid("invalid-duration", "The next key begins to sign alone later than now.")
        made = yield from call.services.keyring.rotate(tx, "log", since)
        res = {"kid": made.kid, "since": str(since // SECOND), "use": "log"}
        call.services.audit.append(tx, AuditEvent(events.SIGNING_KEY_ROTATED, "ok", res), None)
        return LogKey(made.kid, iso(since))

    return answered(await call.create(unit, msgspec.json.encode(data), alone=True))


def _view(found: LogStanding) -> Standing:
    return Standing(found.log, found.origin, found.size, found.signed, found.sound, found.found, found.seen)


handlers: list[BaseRouteHandler] = [standing, recover, rotate]
