"""What an erasure would do, told before it is done: what goes, what stays on which ground, what stops it."""

from msgspec import Struct

from consent import ConsentRegistry
from rights.certificate import Gone, Kept
from rights.erasure import Terms, facts_of, plan, stays_always
from rights.store import RequestNotFound, request_at, stored
from rights.systems.declared import concerned
from rights.systems.tasks import Reach
from rights.wanted import LegalGround
from sayso.kernel import Conflict, Tx, Work, add_duration
from vault import Held, Vault


class NothingPlanned(Conflict):
    """Only an erasure has a plan, and only before it was carried out."""

    def __init__(self) -> None:
        super().__init__("no-plan", "An erasure that is not done yet has a plan; nothing else has.")


class Plan(Struct, frozen=True, kw_only=True):
    """What an erasure would do today.

    `goes`: what is destroyed or made unreadable, `stays`: what does not go and why, as the certificate will say it.
    `classes` are the retention classes in which values are stored, with how many. `systems` would be told. `holds` are
    the legal holds that stop it now.
    """

    goes: tuple[Gone, ...]
    stays: tuple[Kept, ...]
    classes: dict[str, int]
    systems: tuple[str, ...] = ()
    holds: int = 0
    known: bool = True


class Planner:
    """Tells plans. Looks, and writes nothing: counts and names of classes, never a value."""

    def __init__(self, consent: ConsentRegistry, vault: Vault, terms: Terms) -> None:
        self._consent = consent
        self._vault = vault
        self._terms = terms

    def plan(self, tx: Tx, reach: Reach, request: str, grounds: tuple[LegalGround, ...] = ()) -> Work[Plan]:
        """The plan of one erasure, keeping what `grounds` name. Raises `RequestNotFound`, `NothingPlanned`,
        `NothingToKeep`, `Invalid` (`invalid-ground`).
        """
        (row,) = yield (request_at(tx, request),)
        if row is None:
            raise RequestNotFound
        found = stored(b"", row).request
        if found.kind != "erasure" or found.state.closed or found.served_at:
            raise NothingPlanned
        state = (yield from self._consent.person(tx, found.subject)) if found.subject is not None else None
        if found.subject is None or state is None or state.erased_at:
            return Plan(goes=(Gone(1, "requests"),), stays=(), classes={}, known=False)
        ids = (yield from self._consent.ids(tx, found.subject)) or (found.subject,)
        held: list[Held] = []
        for each in ids:
            held += yield from self._vault.held(tx, each)
        identifiers = len((yield from self._consent.identities.identifiers(tx, found.subject)))
        facts = facts_of(held, grounds)
        wanted = plan(facts)
        at = tx.context.at
        return Plan(
            goes=(
                *(Gone(count, f"records:{name}") for name, count in wanted.goes.items()),
                Gone(identifiers, "identifiers"),
                Gone(len(ids), "state"),
            ),
            stays=(
                *stays_always(
                    identifiers, add_duration(at, self._terms.suppression), add_duration(at, self._terms.proof)
                ),
                *wanted.stays,
            ),
            classes=dict(sorted(facts.values.items())),
            systems=tuple(each.name for each in concerned(reach.systems, "erasure", None)),
            holds=state.held,
        )
