"""The composition root: which part gets which. Nothing below the server knows how another part is made.

`wire` opens the root key and puts the parts together; nothing is read from the database before `running` starts it.
"""

import asyncio
import contextlib
import socket

from audit import AuditLog, Classes, ExportDesk, LogForked, Pressure
from consent import ConsentRegistry, IdentifierKinds, Issuer
from policies import Audiences, Crowds, KeptLists, PolicyEngine
from reports import BlastRadius, UsesReport
from rights import Again, RightsDesk
from sayso.kernel import SECOND, SYSTEM, Context, Database, Renderer, Tx, Work, now, open_database, text
from sayso.server.brand.asking import Asking
from sayso.server.callers.auth import Principals
from sayso.server.connectors import Connectors
from sayso.server.feed import Feed, known_as
from sayso.server.idempotency import Running
from sayso.server.limits import Limiter
from sayso.server.logkeeping.publishing import Publishing
from sayso.server.logkeeping.timestamping import Timestamps
from sayso.server.logkeeping.witnesses import Witnesses
from sayso.server.logs import Log, configure
from sayso.server.looks import Looks
from sayso.server.mail import Carrier, Outbox
from sayso.server.mailroom import DEMO_KEYS, Mailroom
from sayso.server.manifests.configuration import Configurations
from sayso.server.metrics import Metrics
from sayso.server.pages.uses_report import uses_document
from sayso.server.running.keykeeping import KeyKeeper
from sayso.server.running.workers import Workers
from sayso.server.settings import Settings
from sayso.server.store import WITHOUT_SESSIONS_OF
from sayso.server.typesetting import Typesetter
from vault import SUITES, Custody, Epochs, Keyring, Ledger, Renewal, Revocation, Vault

ANCHOR = "anchor"
"""Outside the database, in the key folder: remembers which heads of the log were signed (reference audit 3.5)."""


class Services:
    """All parts of one process. What is assigned here never changes but `started`."""

    def __init__(self, settings: Settings, keyring: Keyring) -> None:
        self.settings = settings
        self.keyring = keyring
        self.started = False
        self.log = Log(settings.log_level)
        self.metrics = Metrics()
        self.limiter = Limiter()
        self.running = Running()
        self.principals = Principals()
        anchor = settings.key_folder / ANCHOR
        self.audit = AuditLog(
            keyring,
            keyring,
            socket.gethostname(),
            origin_base=f"{settings.log_origin}/log",
            anchor=anchor,
            pressure=Pressure(settings.log_most_waiting, settings.log_longest_wait),
            classes=self._log_classes,
        )
        self.registry = ConsentRegistry(self.audit, keyring, keyring, keyring, self._issuer, self._kinds)
        self.vault = Vault(keyring, self.audit)
        self.epochs = Epochs(keyring, self.audit)
        self.renewal = Renewal(keyring, self.audit)
        self.engine = PolicyEngine(self.audit, keyring)
        self.desk = RightsDesk(
            self.audit,
            keyring,
            keyring,
            self.registry,
            self.vault,
            self.engine,
            self._issuer,
            known_as=self._known_as,
            forget_rest=self._forget_rest,
        )
        self.revocation = Revocation(Ledger(settings.key_folder))
        self.again = Again(self.audit, keyring, self.registry, self.vault, self.revocation, self._forget_rest)
        self.configurations = Configurations(
            keyring, self.principals, self.registry, self.log, settings.policy_stale_after
        )
        self.database: Database = open_database(settings.database_url, self.configurations.moved)
        self.configurations.database = self.database
        self.looks = Looks(self.vault, self.database)
        self.witnesses = Witnesses(self)
        self.timestamps = Timestamps(self)
        self.publishing = Publishing(self)
        self.crowds = Crowds(self.engine, self.database.look)
        self.audiences = Audiences(self.audit, keyring)
        self.kept = KeptLists(self.audit, keyring)
        self.asking = Asking(keyring, settings.base_url)
        self.outbox = Outbox(keyring, configured=settings.sends_mail)
        self.carrier = Carrier(
            settings, self.outbox, self.log, self.configurations.tenants, self.configurations.controller
        )
        self.carrier.database = self.database
        self.feed = Feed(self)
        self.mailroom = Mailroom(settings.key_folder / DEMO_KEYS) if settings.demo else None
        self.renderer: Renderer = Typesetter()
        self.exports = ExportDesk(
            keyring,
            {
                "access": UsesReport(keyring, self.renderer, uses_document),
                "blast_radius": BlastRadius(keyring, self.audiences),
            },
        )
        # What packages are made of is read by calls, and agents have keys made: both know this file.
        from sayso.server.drp.callbacks import Callbacks
        from sayso.server.drp.desk import AgentDesk
        from sayso.server.iab.desk import DeletionDesk
        from sayso.server.packages import Maker

        self.packages = Maker(self)
        self.workers = Workers(self)
        self.connectors = Connectors(self)
        self.agents = AgentDesk(self)
        self.deletions = DeletionDesk(self)
        self.callbacks = Callbacks(self)
        self.key_keeper = KeyKeeper(self)
        self.metrics.gauge(
            "sayso_units_waiting", "Units of work that wait for their flush.", lambda: self.database.waiting
        )
        self.metrics.gauge(
            "sayso_mail_waiting", "Letters that wait for the mail server.", lambda: sum(self.outbox.waiting.values())
        )
        self.metrics.gauge(
            "sayso_mail_dead", "Letters that could not be delivered.", lambda: sum(self.outbox.dead.values())
        )
        pressure = self.audit.pressure
        self.metrics.gauge("sayso_log_pending", "Entries that wait to be integrated.", lambda: pressure.pending)
        self.metrics.gauge(
            "sayso_log_wait_seconds", "For how long the oldest of them has waited.", lambda: pressure.waited_s
        )
        witnesses = self.witnesses
        self.metrics.gauge("sayso_log_witness_lag_seconds", "Since witnesses last were enough.", lambda: witnesses.lag)
        self.metrics.gauge(
            "sayso_log_witness_refusals", "Checkpoints that a witness refused.", lambda: witnesses.refusals
        )
        timestamps = self.timestamps
        self.metrics.gauge("sayso_log_timestamp_seconds", "Since all of a log was stamped.", lambda: timestamps.age)
        self.metrics.gauge("sayso_log_forked", "Logs that contradict what was signed; must stay 0.", self._forked)
        self.metrics.gauge("sayso_mail_sent", "Letters that the mail server took.", lambda: self.carrier.sent)
        self.metrics.gauge(
            "sayso_policy_lag_seconds",
            "For how long newer rules are live than this server was able to load; 0 when none are.",
            self._policy_lag,
        )
        self.metrics.gauge(
            "sayso_columns_bytes", "Memory of what answers for audiences.", lambda: float(self.crowds.nbytes)
        )
        self.metrics.gauge(
            "sayso_rule_disagreements", "Decisions that Casbin saw differently; must stay 0.", self._disagreements
        )

    async def integrate(self) -> bool:
        """One round of the integrator for every brand; on a full one the next follows at once. False when nothing
        waited.
        """
        busy = False
        stopped: LogForked | None = None
        for tenant, log in await self._log_names():
            integrated = FULL
            while integrated >= FULL:
                try:
                    integrated = (await self.audit.integrate(self.database, tenant, log)).integrated
                except LogForked as error:
                    # One log stands still; the others go on.
                    stopped, integrated = error, 0
                busy = busy or integrated > 0
        if stopped is not None and not busy:
            raise stopped
        return busy

    async def check_logs(self) -> None:
        """Compare each log with what the world may have seen of it. One that contradicts it takes no entries, so
        nothing of its brand changes and nothing is permitted, until an operator has recovered it.
        """
        # Side by side: each may wait for witnesses that do not answer.
        await asyncio.gather(*(self._check(tenant, log) for tenant, log in await self._log_names()))

    async def _check(self, tenant: str, log: str) -> None:
        try:
            await self.audit.check(self.database, tenant, log)
        except LogForked as error:
            self.log.error("log forked", error, tenant=tenant, log=log)

    async def weigh(self) -> None:
        """See how much waits in each log: beyond the agreed it takes no more."""
        for tenant in self.configurations.tenants():
            await self.audit.weigh(self.database, tenant)

    async def settle(self) -> None:
        """Integrate and sign all that waits: what a command did is then in the log's next checkpoint."""
        for tenant, log in await self._log_names():
            with contextlib.suppress(LogForked):  # it took no entries, so nothing waits
                await self.audit.drain(self.database, tenant, log)

    async def _log_names(self) -> list[tuple[str, str]]:
        """Brand and class of every log that entries go into."""
        tenants = self.configurations.tenants()
        return [(tenant, each) for tenant in tenants for each in await self.audit.classes(self.database, tenant)]

    def _log_classes(self, tenant: str) -> Classes:
        return self.configurations.logs(tenant)

    async def keep_receipt_parts(self) -> None:
        """Store, once, what the receipts of each brand have in common."""
        for tenant in self.configurations.tenants():
            await self.registry.receipts.settle(self.database, Context(tenant, SYSTEM, now(), "receipts"))

    def _issuer(self, tenant: str) -> Issuer:
        return Issuer(self.settings.base_url, self.configurations.controller(tenant), tenant)

    def _known_as(self, tenant: str, client: str, subject: bytes) -> str:
        """What a system's client calls a person; of a system without a client, the registry's own id."""
        actor = self.configurations.of(tenant).client(client)
        return text("sub", subject) if actor is None else known_as(self.keyring, tenant, actor, subject)

    def _forget_rest(self, tx: Tx, subject: bytes) -> Work[None]:
        """An erased person's open pages end and their packages go, in the erasure's own commit, under each of their
        ids: nobody could open them, and these rows are the last that name the person.
        """
        yield from self.packages.forget(tx, subject)
        tx.execute(WITHOUT_SESSIONS_OF, of=subject)

    def _kinds(self, tenant: str) -> IdentifierKinds:
        return self.configurations.kinds(tenant)

    def _forked(self) -> float:
        return float(self.audit.pressure.forked)

    def _policy_lag(self) -> float:
        at = now()
        return max([(at - lag.since) / SECOND for lag in self.configurations.lagging().values()], default=0.0)

    def _disagreements(self) -> float:
        return float(self.engine.disagreements)


FULL = 1_024
"""Entries in a round of the integrator that is not to be followed by a pause."""


def wire(settings: Settings, passphrase: bytes | None = None) -> Services:
    """The parts, put together. Raises a `RootKeyError` that says what is the matter with the root key."""
    services = Services(settings, Keyring(Custody.open(settings.key_folder, passphrase), suite=SUITES[settings.cipher]))
    configure(services.log)
    return services
