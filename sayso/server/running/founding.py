"""How a brand comes to be: its keys, its first administrator, and last its place in the list of brands.

Each step is its own commit and may be repeated: a brand exists for callers only once it is in the list.
"""

from msgspec import Struct

from audit import AuditEvent
from sayso.kernel import SYSTEM, Conflict, Context, Invalid, Tx, Work, iso, new_id, now
from sayso.server import events, store
from sayso.server.callers.clients import NewKey, create_key
from sayso.server.tenancy import WORLD, tenant_name
from sayso.server.wiring import Services

FIRST_ADMIN = "admin"


class TenantExists(Conflict):
    """There is a brand of that name."""


class NewTenant(Struct, frozen=True, forbid_unknown_fields=True):
    """A brand to be. `controller` is the legal name and country of who is responsible for the data."""

    name: str
    controller: str
    region: str = "eu"


class Founded(Struct, frozen=True):
    """A brand, and its first administrator's API key, which is shown once."""

    tenant: str
    admin_key: str


class TenantView(Struct, frozen=True):
    name: str
    controller: str
    region: str
    created_at: str


class Tenants(Struct, frozen=True):
    tenants: list[TenantView]


async def found(services: Services, wanted: NewTenant) -> Founded:
    """Make a brand. Raises `TenantExists`, `Invalid`."""
    tenant = tenant_name(wanted.name)
    if not 0 < len(wanted.controller) <= 200 or not wanted.controller.isprintable():
        raise Invalid("invalid-controller", "A controller is a legal name and country, 1 to 200 characters.")
    if tenant in services.configurations.tenants():
        raise TenantExists("tenant-exists", "There is a tenant of that name.")
    database, configurations = services.database, services.configurations
    await services.keyring.prepare(tenant, 1)
    await database.run_alone(_context(tenant), services.keyring.found)
    await configurations.load(tenant)
    key = await database.run_alone(_context(tenant), lambda tx: _first_steps(services, tx))
    await database.run_alone(_context(WORLD), lambda tx: _listed(wanted, tx))
    await configurations.refresh(WORLD)
    await configurations.refresh(tenant)
    return Founded(tenant, key)


async def all_tenants(services: Services) -> Tenants:
    """Every brand, oldest first."""

    def unit(tx: Tx) -> Work[Tenants]:
        (rows,) = yield (tx.select(store.all_tenants()),)
        return Tenants([TenantView(name, controller, region, iso(at)) for name, controller, region, at in rows])

    return await services.database.look(_context(WORLD), unit)


def _first_steps(services: Services, tx: Tx) -> Work[str]:
    services.audit.append(tx, AuditEvent(events.TENANT_FOUNDED, "ok"), None)
    made = yield from create_key(services, NewKey(FIRST_ADMIN, ("admin",)), tx)
    return made.key


def _listed(wanted: NewTenant, tx: Tx) -> Work[None]:
    yield ()
    tx.insert(store.TENANT, wanted.name, wanted.controller, wanted.region, tx.context.at)
    tx.configure()


def _context(tenant: str) -> Context:
    return Context(tenant, SYSTEM, now(), new_id("req"))
