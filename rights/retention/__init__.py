"""How long data stay: when they end, what keeps them, and who is visited for that (design 6.7 and 6.11).

Read `reckoning.py` first: when the data of one person end, pure. `calendar.py` keeps the dates in step with what
changes, `worker.py` does what falls due, `leavings.py` ends what an erasure left, `holds.py` is legal holds under four
eyes, `views.py` what officers see.
"""

from msgspec.structs import replace

from audit import AuditLog
from consent import ConsentRegistry, Left, NoSubject
from policies import PolicyEngine
from rights.retention import reckoning, store, views
from rights.retention.calendar import Calendar, RulesOf
from rights.retention.holds import HoldDesk
from rights.retention.leavings import Leavings
from rights.retention.reckoning import KEPT, Facts
from rights.retention.views import DataEnds, PersonEnds
from rights.retention.worker import Worker
from sayso.kernel import PARTS, Job, Sealer, Tx, Work
from vault import Vault


class Retention:
    """The end of data of all tenants. `jobs` are for the loops; `holds` are the officers' legal holds.

    `rules_of` tells what decides for a tenant; `proof` is how long the capsule of an anonymous person is kept.
    """

    def __init__(
        self,
        audit: AuditLog,
        sealer: Sealer,
        consent: ConsentRegistry,
        vault: Vault,
        engine: PolicyEngine,
        rules_of: RulesOf,
        proof: str,
    ) -> None:
        self._consent = consent
        self._vault = vault
        self._rules_of = rules_of
        self._calendar = Calendar(consent, vault, rules_of)
        self._worker = Worker(audit, consent, vault, engine, self._calendar, rules_of, proof)
        self.holds = HoldDesk(audit, sealer, consent)
        leavings = Leavings(consent, vault)
        self.jobs: tuple[Job, ...] = (self._calendar.job, self._worker.job, self.holds.job, leavings.job)

    def preview(self, tx: Tx, before: int, limit: int) -> Work[DataEnds]:
        """What will be deleted until an instant, and what has ended and is kept; nothing is done. Cold, read only.

        Counts up to `limit` people.
        """
        grace = self._rules_of(tx.context.tenant).terms.grace
        counting = views.Counting(before, grace)
        left = yield from self._consent.remains.ending(tx, before, limit)
        for part in range(PARTS):
            going, kept = yield (
                store.ending(tx, part, before, limit - counting.people + 1),
                store.kept(tx, part, KEPT, limit - counting.people + 1),
            )
            for subject, facts in [*going, *kept][: limit - counting.people + 1]:
                if counting.people == limit:
                    return (yield from self._told(tx, counting, left, more=True))
                counting.add(bytes(subject), reckoning.unpack(bytes(facts)))
        return (yield from self._told(tx, counting, left, more=False))

    def _told(self, tx: Tx, counting: views.Counting, left: Left, *, more: bool) -> Work[DataEnds]:
        share = yield from self._calendar.share(tx)
        return counting.told(left, more=more, calendar=share)

    def of_person(self, tx: Tx, subject: bytes) -> Work[PersonEnds]:
        """When the data of one person end, reckoned now. Cold, read only. Raises `NoSubject`."""
        rules = self._rules_of(tx.context.tenant)
        state = yield from self._consent.person(tx, subject)
        if state is None or state.erased_at:
            raise NoSubject
        (row,) = yield (tx.get(store.DUE, subject),)
        before = reckoning.unpack(row[3]) if row is not None else Facts()
        places = yield from self._calendar.places(tx, rules, subject, before.places)
        holds = yield from self._calendar.holds(tx, subject, state)
        ends = reckoning.reckon(rules, state, places, before.ends, holds, tx.context.at, anew=False)
        return views.person_ends(subject, replace(before, places=places, ends=ends), rules.terms.grace)
