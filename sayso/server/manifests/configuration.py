"""One brand's configuration: everything that decides and is not about a person. Immutable, replaced as a whole.

`Configurations` holds the live one of each brand. The database awaits `moved` in every flush, with the counter that
each change of configuration raises in its own commit: a unit never decides on an older one than the database's.
"""

import asyncio
from contextvars import ContextVar
from functools import partial
from typing import TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from audit import Classes
from consent import (
    Catalogue,
    ConsentRegistry,
    IdentifierKinds,
    Purpose,
    Questionnaire,
)
from policies import Policy, failures_of
from rights import AnswerRules, EndTerms, Reach, Systems
from sayso.kernel import (
    SECOND,
    SYSTEM,
    Actor,
    Context,
    Database,
    Map,
    NotFound,
    Tx,
    Work,
    now,
    text,
)
from sayso.server import store
from sayso.server.callers.auth import Client, Principal, Principals, Profile, principal_of
from sayso.server.drp.declared import Network
from sayso.server.iab.declared import Deletions
from sayso.server.logs import Log
from sayso.server.manifests import manifest
from sayso.server.manifests.building import build
from sayso.server.manifests.manifest import Approval
from sayso.server.manifests.self_check import Unsound, demand_same
from sayso.server.manifests.sites import Site
from sayso.server.tenancy import WORLD
from vault import Collections, Keyring, ProviderDown, RootKeyError, keybackup
from vault import UnknownTenant as KeylessTenant

T = TypeVar("T")


class UnknownTenant(NotFound):
    """There is no such brand here."""


class Lag(Struct, frozen=True):
    """A newer version is live than the one that decides here. `version` could not be loaded; `since` is the instant
    when the first such version was activated.
    """

    version: int
    since: int


class Configuration(Struct, frozen=True):
    """One brand's live configuration. `counter` is the database's count of its changes when this was read."""

    tenant: str
    controller: str
    counter: int
    version: int
    hash: str
    applied_at: int
    manifest: bytes
    catalogue: Catalogue
    collections: Collections
    policy: Policy
    questionnaire: Questionnaire
    end_terms: EndTerms
    systems: Systems
    answering: AnswerRules
    sites: dict[str, Site]
    clients: dict[str, Profile]
    logs: Classes
    """Which entries lie in logs of their own, and for how long."""
    drp: Network
    deletions: Deletions
    """Who may bring deletion requests of the IAB's framework."""
    kinds: IdentifierKinds
    """The types of identifiers there are."""
    registered: dict[str, Actor]
    """Clients by name, as they would act themselves."""
    approval: Approval = "one"
    """How many people a change of the manifest takes."""
    lag: Lag | None = None

    def client(self, name: str) -> Actor | None:
        """The registered client of that name, as it would act itself."""
        return self.registered.get(name)

    @property
    def reach(self) -> Reach:
        """How far an answer to a rights request reaches, and how many officers it takes."""
        return Reach(self.systems, self.collections, self.answering.two_officers)

    @property
    def purposes(self) -> dict[str, Purpose]:
        return self.catalogue.purposes

    @property
    def roles(self) -> frozenset[str]:
        """Policy roles that the manifest declares."""
        return frozenset(self.policy.snapshot.trees.roles.up)


class Configurations:
    """The live configuration of every brand of this process."""

    def __init__(
        self, keyring: Keyring, principals: Principals, registry: ConsentRegistry, log: Log, stale_after: int
    ) -> None:
        """`stale_after`: seconds for which rules decide though newer ones, which cannot be loaded here, are live."""
        self._keyring = keyring
        self._principals = principals
        self._registry = registry
        self._log = log
        self._stale_after = stale_after * SECOND
        self._live: dict[str, Configuration] = {}
        self._controllers: dict[str, str] = {}
        self._world = -1
        self._locks: dict[str, asyncio.Lock] = {}
        self._changes: dict[str, asyncio.Lock] = {}
        self.database: Database

    async def start(self) -> None:
        """Load every brand. Raises what a wrong root key or a damaged store raises."""
        await self.refresh(WORLD)

    def of(self, tenant: str) -> Configuration:
        """The live configuration. Raises `UnknownTenant`."""
        found = self._live.get(tenant)
        if found is None:
            raise UnknownTenant("unknown-tenant", "There is no such tenant here.")
        return found

    def demand(self, tenant: str) -> None:
        """Raises `UnknownTenant` unless there is such a brand."""
        self.of(tenant)

    def tenants(self) -> tuple[str, ...]:
        """Every brand, oldest first."""
        return tuple(self._live)

    def kinds(self, tenant: str) -> IdentifierKinds:
        """The types of identifiers of a brand; of one that is being founded, those that are shipped."""
        found = self._live.get(tenant)
        return found.kinds if found is not None else IdentifierKinds()

    def logs(self, tenant: str) -> Classes:
        """The declared classes of a brand's log; of one that is being founded, none."""
        found = self._live.get(tenant)
        return found.logs if found is not None else _ONE_LOG

    def controller(self, tenant: str) -> str:
        return self._controllers.get(tenant, tenant)

    async def moved(self, tenant: str, counter: int) -> None:
        """Awaited before any unit of `tenant` decides: returns once what is held is at least as new as `counter`."""
        if _loading.get() or self._fresh(tenant, counter):
            return
        async with self._locks.setdefault(tenant, asyncio.Lock()):
            if not self._fresh(tenant, counter):
                mark = _loading.set(True)
                try:
                    await (self._load_world(counter) if tenant == WORLD else self.load(tenant))
                finally:
                    _loading.reset(mark)

    async def retry(self) -> None:
        """Try again to load the versions that could not be loaded: what was in the way may be gone."""
        for tenant in self.lagging():
            async with self._locks.setdefault(tenant, asyncio.Lock()):
                mark = _loading.set(True)
                try:
                    await self.load(tenant)
                finally:
                    _loading.reset(mark)

    def lagging(self) -> dict[str, Lag]:
        """The brands whose live version does not decide here, and since when."""
        return {tenant: held.lag for tenant, held in self._live.items() if held.lag is not None}

    def changing(self, tenant: str) -> asyncio.Lock:
        """Held by whoever plans and applies a manifest of this brand in this process."""
        return self._changes.setdefault(tenant, asyncio.Lock())

    async def refresh(self, tenant: str) -> None:
        """Take over what was changed a moment ago, here or on another node, without waiting for the next unit."""
        await self.moved(tenant, await self._head(tenant))

    async def follow(self) -> None:
        """`refresh` every brand and their list: so a key that another node made is known before its first unit."""
        await self.refresh(WORLD)
        for tenant in self.tenants():
            await self.refresh(tenant)

    async def load(self, tenant: str) -> None:
        """Read one brand's keys, manifest and clients anew and put them in force together."""
        at_hand = True
        try:
            await self._keyring.fetch(self.database, _context(tenant))
        except RootKeyError as error:
            at_hand = False
            # A provider that is away for a while, or that of one brand alone, is no reason not to serve the others:
            # without its keys a brand's calls are denied until they are back (`keykeeping.py`).
            if not isinstance(error, ProviderDown) and not self._keyring.custody.brings_own(tenant):
                raise
        read = await self.database.look(_context(tenant), partial(self._read, at_hand))
        configuration, principals = read
        self._live[tenant] = configuration
        self._principals.replace(tenant, principals)

    def _fresh(self, tenant: str, counter: int) -> bool:
        if tenant == WORLD:
            return self._world >= counter
        held = self._live.get(tenant)
        # A brand that is being founded has no configuration yet, and none of its units needs one.
        return held.counter >= counter if held is not None else tenant not in self._controllers

    async def _load_world(self, counter: int) -> None:
        rows, unfinished = await self.database.look(_context(WORLD), _brands)
        for name, controller, _, _ in rows:
            self._controllers[name] = controller
            if name not in self._live:
                try:
                    await self.load(name)
                except KeylessTenant:
                    # Its rows are put back before its keys are.
                    if unfinished:
                        raise keybackup.RestoreUnfinished("the store") from None
                    raise
        self._world = counter

    async def _head(self, tenant: str) -> int:
        return await self.database.look(_context(tenant), _counter)

    def _read(self, at_hand: bool, tx: Tx) -> Work[tuple[Configuration, list[Principal]]]:
        tenant = tx.context.tenant
        if at_hand or not self._keyring.custody.of(tenant).remote:
            yield from self._keyring.load(tx)
        manifests, clients, keys = yield (
            tx.select(store.latest_manifest()),
            tx.select(store.all_clients()),
            tx.select(store.all_keys()),
        )
        known = {row[0]: _client(row) for row in clients}
        live = [
            principal_of(tenant, known[client], until, mark, bytes(person).decode(), bytes(maker).decode())
            for mark, client, _, until, revoked, person, maker in keys
            if not revoked and (not until or until > tx.context.at)
        ]
        registered = {client.name: principal_of(tenant, client).actor for client in known.values()}
        configuration = yield from self._sound(tx, manifests[0] if manifests else _NO_MANIFEST)
        return replace(configuration, counter=tx.head.config, registered=registered), live

    def _sound(self, tx: Tx, row: tuple[int, str, bytes, int, str, str]) -> Work[Configuration]:
        """The version as a configuration, checked; where that fails, the one that is held, which now lags."""
        version, at = row[0], row[3]
        held = self._live.get(tx.context.tenant)
        try:
            return (yield from self._built(tx, row))
        except Exception as error:
            if held is None:
                raise
            lag = Lag(version, held.lag.since if held.lag is not None else at)
            if lag != held.lag:
                what = error.what if isinstance(error, Unsound) else None
                self._log.error(
                    "newest rules cannot be loaded", error, version=version, held=held.version, differs=what
                )
            old = held.policy
            policy = Policy(old.snapshot, old.catalogue, good_until=lag.since + self._stale_after)
            return replace(held, policy=policy, lag=lag)

    def _built(self, tx: Tx, row: tuple[int, str, bytes, int, str, str]) -> Work[Configuration]:
        version, hashed, content, applied_at, activated, shipped = row
        tenant = tx.context.tenant
        read = manifest.decode(content)
        tree = manifest.node_of(read)
        assert isinstance(tree, Map)
        built = yield from build(self._registry, tree, tx)
        if version:
            demand_same(version, content, hashed, built.policy, activated, shipped)
            held = self._live.get(tenant)
            if held is not None and held.version != version and failures_of(built.policy, built.suite):
                raise Unsound(version, "tests")
        return Configuration(
            tenant=tenant,
            controller=self.controller(tenant),
            counter=tx.head.config,
            version=version,
            hash=hashed,
            applied_at=applied_at,
            manifest=content,
            catalogue=built.publication.catalogue,
            collections=built.collections,
            policy=built.policy,
            questionnaire=built.questionnaire,
            end_terms=built.end_terms,
            systems=built.systems,
            answering=built.answering,
            sites=built.sites,
            clients=built.clients,
            logs=built.logs,
            drp=built.drp,
            deletions=built.deletions,
            kinds=IdentifierKinds(built.declared.identifiers),
            registered={},
            approval=manifest.approval_of(read),
        )


_ONE_LOG = Classes()
_NO_MANIFEST = (0, "", b"{}", 0, "", "")
_loading: ContextVar[bool] = ContextVar("loading", default=False)
"""Set while a configuration is read: its own reads must not wait for it."""


def _brands(tx: Tx) -> Work[tuple[list[tuple[str, str, str, int]], bool]]:
    """Every brand; and whether a backup is being put back."""
    rows, unfinished = yield (tx.select(store.all_tenants()), tx.select(store.restores_under_way()))
    return list(rows), bool(unfinished)


def _counter(tx: Tx) -> Work[int]:
    yield ()
    return tx.head.config


def _client(row: tuple[bytes, str, bytes, int]) -> Client:
    return Client(text("key", row[0]), row[1], msgspec.msgpack.decode(row[2], type=Profile))


def _context(tenant: str) -> Context:
    return Context(tenant, SYSTEM, now(), "configuration")
