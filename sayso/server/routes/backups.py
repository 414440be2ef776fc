"""What a backup needs of a running server: its entry, the key tables, and the signature over what was copied."""

from pathlib import Path

from litestar import post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import JSONBody
from msgspec import Struct

from audit import AuditEvent
from sayso import __version__
from sayso.kernel import Context, Tx, Work, iso, new_id, now
from sayso.server import events
from sayso.server.backups.description import KEY_TABLE, Description, Facts, signed
from sayso.server.backups.rowfile import digest_of
from sayso.server.call import Call
from sayso.server.callers.auth import OPERATOR
from sayso.server.routes.gate import admits
from sayso.server.running.precautions import demand_away
from vault import keybackup


class Begun(Struct, frozen=True):
    """A backup that begins: its id, which stands in the log of every brand."""

    backup: str


class KeyTables(Struct, frozen=True, forbid_unknown_fields=True):
    """Where to write the key tables: the absolute path of a folder on this machine. `alone`: nobody else is at work,
    and nothing may be added to the logs any more.
    """

    folder: str
    alone: bool


class Written(Struct, frozen=True):
    """The SHA-256 of each brand's key table."""

    keys: dict[str, str]


class Signed(Struct, frozen=True):
    """The description of a backup: compact JWS."""

    description: str


@post("/v1/backups", opt=admits(OPERATOR), operation_id="backups.begin", tags=["Operator"])
async def begin(call: NamedDependency[Call]) -> Begun:
    """Tell the log of every brand that a backup is made, and integrate what waits. Only through the local socket."""
    services, backup = call.services, new_id("bak")
    event = AuditEvent(events.BACKUP_BEGUN, "ok", {"backup": backup})

    def unit(tx: Tx) -> Work[None]:
        yield ()
        services.audit.append(tx, event, None)

    for tenant in services.configurations.tenants():
        await services.database.run_alone(_context(call, tenant), unit)
    await services.settle()
    return Begun(backup)


@post("/v1/backups/key-tables", opt=admits(OPERATOR), operation_id="backups.keys", tags=["Operator"], status_code=200)
async def key_tables(call: NamedDependency[Call], data: JSONBody[KeyTables]) -> Written:
    """Copy the key table of every brand into a folder on this machine. Only through the local socket."""
    services, written = call.services, dict[str, str]()
    for tenant in services.configurations.tenants():
        out, context = Path(data.folder) / (tenant + KEY_TABLE), _context(call, tenant)
        demand_away(services.settings, out)
        epoch = services.keyring.of(tenant).epoch
        copied = await keybackup.write(services.database, context, epoch, out)
        if not data.alone:
            await services.database.run_alone(context, lambda tx: services.epochs.backed_up(tx, copied.at))  # noqa: B023
        written[tenant] = digest_of(out)
    return Written(written)


@post(
    "/v1/backups/descriptions",
    opt=admits(OPERATOR),
    operation_id="backups.describe",
    tags=["Operator"],
    status_code=200,
)
async def describe(call: NamedDependency[Call], data: JSONBody[Facts]) -> Signed:
    """Sign what was copied. Only through the local socket."""
    settings = call.services.settings
    description = Description(1, __version__, iso(now()), settings.log_origin, settings.public_url, data)
    return Signed(signed(call.services.keyring, description))


def _context(call: Call, tenant: str) -> Context:
    return Context(tenant, call.context.actor, now(), call.context.request)


handlers: list[BaseRouteHandler] = [begin, key_tables, describe]
