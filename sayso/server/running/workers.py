"""What works on its own: the jobs of every brand, run by the loops of `serve` or by `sayso worker`."""

import asyncio
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import msgspec

from rights import USUAL_TERMS, Finals, Retention, Rules
from sayso.kernel import SYSTEM, Context, Jobs, JobState, Tx, Work, iso, now
from sayso.server.manifests import manifest
from sayso.server.manifests.configuration import Configuration

if TYPE_CHECKING:
    from sayso.server.wiring import Services

WORK_EVERY: Final = 1.0
"""Seconds between two looks whether there is work."""

_DECIDING: Final = ("categories", "purposes", "notices", "collections", "data_ends")
"""Sections of a manifest that say when data end. After a change of these everybody is looked at anew."""


class JobView(msgspec.Struct, frozen=True, omit_defaults=True):
    """One job. `share` of its present round lies behind; `done` counts what it ever dealt with.

    `error` is the last failure that was not overcome yet, `failures` how often in a row, `tried_again_at` when next.
    """

    job: str
    state: str
    share: float
    done: int
    failures: int = 0
    error: str = ""
    tried_again_at: str = ""
    started_at: str = ""
    finished_at: str = ""


class Workers:
    """The jobs of one process."""

    def __init__(self, services: "Services") -> None:
        self._services = services
        self._rules: dict[str, tuple[Configuration, Rules]] = {}
        keyring = services.keyring
        self.retention = Retention(
            services.audit,
            keyring,
            services.registry,
            services.vault,
            services.engine,
            self.rules_of,
            USUAL_TERMS.proof,
        )
        finals = Finals(services.audit, services.epochs, services.settings.backup_horizon)
        self.jobs = Jobs(
            services.database,
            (
                services.exports.job,
                *self.retention.jobs,
                services.desk.deadlines.job,
                services.packages.job,
                services.kept.job,
                services.epochs.job,
                services.renewal.job,
                finals.job,
            ),
            alone=services.settings.embedded,
            report=lambda job, error: services.log.error("job failed", error, job=job),
        )

    async def round(self) -> None:
        """Give the jobs of every brand their turn."""
        for tenant in self._services.configurations.tenants():
            await self.jobs.work(tenant)

    async def drain(self) -> int:
        """Work until nothing is due; returns how many steps that took.

        A job that another node has is waited for: it ends it, or it is dead and the job is taken over.
        """
        steps = 0
        while True:
            for tenant in self._services.configurations.tenants():
                while done := await self.jobs.work(tenant, at_once=True):
                    steps += done
            if not any(state.working for state in await self._all_states()):
                return steps
            await asyncio.sleep(WORK_EVERY)

    async def failing(self) -> list[str]:
        """The jobs whose last step failed."""
        return [state.name for state in await self._all_states() if state.failures]

    async def _all_states(self) -> list[JobState]:
        found: list[JobState] = []
        for tenant in self._services.configurations.tenants():
            context = Context(tenant, SYSTEM, now(), "jobs")
            found += await self._services.database.look(context, self.jobs.states)
        return found

    def stop(self) -> None:
        """End after the step under way."""
        self.jobs.stop()

    def rules_of(self, tenant: str) -> Rules:
        """What decides for a brand when data end. As new as its configuration."""
        live = self._services.configurations.of(tenant)
        known = self._rules.get(tenant)
        if known is None or known[0] is not live:
            known = self._rules[tenant] = (live, Rules(live.policy, live.collections, live.end_terms, _mark(live)))
        return known[1]

    def states(self, tx: Tx) -> Work[list[JobView]]:
        """Every job of the brand."""
        states = yield from self.jobs.states(tx)
        return [_view(state, tx.context.at) for state in states]


def _mark(live: Configuration) -> str:
    """Differs when a section that decides does."""
    sections = manifest.decode(live.manifest)
    return sha256(msgspec.json.encode([sections.get(name) for name in _DECIDING])).hexdigest()[:16]


def _view(state: JobState, at: int) -> JobView:
    word = "working" if state.working else "failing" if state.failures else "waiting"
    return JobView(
        state.name,
        word,
        state.share,
        state.done,
        state.failures,
        state.error,
        iso(state.due_at) if state.failures and state.due_at > at else "",
        iso(state.started_at) if state.started_at else "",
        iso(state.finished_at) if state.finished_at else "",
    )
