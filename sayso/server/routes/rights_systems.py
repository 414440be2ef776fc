"""The registry of systems: what the manifest declares, and whether each can be reached and understood."""

from litestar import get, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from audit import AuditEvent
from rights import System
from sayso.kernel import Tx, Work
from sayso.server.call import Call
from sayso.server.connectors import CheckedSystem
from sayso.server.events import SYSTEM_CHECKED
from sayso.server.routes.gate import admits


class SystemLine(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One system as the manifest declares it. `identify` maps the names it is told to where they come from."""

    name: str
    title: dict[str, str] = {}
    connector: str
    holds: tuple[str, ...]
    kinds: tuple[str, ...]
    client: str = ""
    acknowledge_within: str
    identify: dict[str, str] = {}
    statements: dict[str, dict[str, str]] = {}


class SystemList(Struct, frozen=True):
    """All systems, in the order of the manifest."""

    systems: list[SystemLine]


class Checking(Struct, frozen=True, forbid_unknown_fields=True):
    """`dry_run` runs every statement and takes it back: for the person whom `identify` names, or for nobody."""

    dry_run: bool = False
    identify: dict[str, str] = {}


@get("/v1/rights/systems", opt=admits("officer", "auditor"), operation_id="rights.systems", tags=["Rights"])
async def systems(call: NamedDependency[Call]) -> SystemList:
    """Every system that is told of requests."""
    return SystemList([_line(each) for each in call.configuration.systems.values()])


@post(
    "/v1/rights/systems/{system:str}/check",
    opt=admits("admin"),
    operation_id="rights.systems.check",
    tags=["Rights"],
    status_code=200,
)
async def check(call: NamedDependency[Call], system: FromPath[str], data: JSONBody[Checking]) -> CheckedSystem:
    """Whether a system can be reached and understood. Nothing is changed there, no value is shown, and who looked is an
    entry in the log.
    """
    names = {name: (value,) for name, value in data.identify.items()}
    found = await call.services.connectors.check(call.tenant, system, names, dry_run=data.dry_run)
    res = {"system": system, "tried": str(len(found.statements)), "problems": " ".join(found.problems)}

    def entered(tx: Tx) -> Work[None]:
        yield from ()
        call.services.audit.append(tx, AuditEvent(SYSTEM_CHECKED, "fail" if found.problems else "ok", res), None)

    await call.alone(entered)
    return found


def _line(system: System) -> SystemLine:
    return SystemLine(
        name=system.name,
        title=system.title,
        connector=system.connector,
        holds=system.holds,
        kinds=system.kinds,
        client=system.client,
        acknowledge_within=system.acknowledge_within,
        identify=system.identify,
        statements={kind: {each.name: each.sql for each in listed} for kind, listed in system.statements.items()},
    )


handlers: list[BaseRouteHandler] = [systems, check]
