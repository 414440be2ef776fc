"""What a kind of request changes here, at once, when it is fulfilled. An erasure has its own file (`erasure.py`)."""

from typing import Final, Literal

from msgspec.structs import replace

from audit import AuditLog
from consent import ConsentRegistry, NoSubject, Signal
from policies import Answer, Policy, PolicyEngine, rights_question
from rights import events
from rights.beside import ProposalRefused
from rights.model import ImpossibleStep, Kind, RightsRequest, Withdraw
from rights.steps import Steps
from rights.store import Private
from rights.systems.tasks import Reach
from rights.view import RequestView, view
from rights.wanted import Correction, check_corrections
from sayso.kernel import Invalid, Key, Tx, Work
from vault import Collections, SubjectFacts, Vault, check_values

DIRECTIVES: Final[dict[Kind, str]] = {"opt_out_sale": "opt_out", "limit_sensitive": "limit_sensitive"}
"""The directive that a kind gives in the person's name (11 CCR 7026, 7027)."""

_ORIGIN: Final = b"rights request"


class Acts:
    """Carries out what is ours of the lighter kinds. Methods are parts of a cold unit."""

    def __init__(
        self, audit: AuditLog, consent: ConsentRegistry, vault: Vault, engine: PolicyEngine, steps: Steps
    ) -> None:
        self._audit = audit
        self._consent = consent
        self._vault = vault
        self._engine = engine
        self._steps = steps

    def carry_out(
        self, tx: Tx, policy: Policy, reach: Reach, request: RightsRequest, private: Private, key: Key | None
    ) -> Work[str]:
        """What the kind asks of registry and vault; the entry of it, empty where the officer's statement is the answer.

        Raises `NoSubject` for a kind that changes what is known of somebody whom nobody knows, and as the vault does
        for a correction that no field takes.
        """
        subject = request.subject
        if subject is None:
            return ""
        catalogue = policy.catalogue
        match request.kind:
            case "restriction":
                return (yield from self._consent.restrict(tx, subject, on=True))
            case "objection":
                purposes: tuple[str, ...] | Literal["all"] = private.purposes or "all"
                objected = yield from self._consent.object_to(
                    tx, catalogue, subject, purposes, method="staff", assurance="staff"
                )
                return objected.entry
            case "withdraw_all":
                withdrawn = yield from self._consent.withdraw(
                    tx, catalogue, subject, "all", method="staff", assurance="staff"
                )
                return withdrawn.entry
            case "opt_out_sale" | "limit_sensitive":
                directive = Signal(DIRECTIVES[request.kind], "api", _ORIGIN)
                given = yield from self._consent.signals.give(
                    tx, catalogue, subject, [directive], method="staff", assurance="staff"
                )
                return given.recorded.entry if given.recorded is not None else ""
            case "rectification":
                return (yield from self._correct(tx, reach, request, subject, private.corrections, key))
            case _:
                return ""

    def _correct(
        self,
        tx: Tx,
        reach: Reach,
        request: RightsRequest,
        subject: bytes,
        corrections: tuple[Correction, ...],
        key: Key | None,
    ) -> Work[str]:
        """Store each value in place of the one that was wrong: tokens of its field show it from now on.

        Without corrections the officer's statement says what was done.
        """
        if not corrections:
            return ""
        known = yield from self._consent.person(tx, subject)
        if known is None or key is None:
            raise NoSubject
        for (place, collection), fields in (yield from self._places(tx, subject, corrections)).items():
            facts = SubjectFacts(place, known=True, erased=known.erased_at > 0)
            yield from self._vault.store(tx, reach.collections, facts, collection, fields)
        return self._audit.append(tx, events.corrected(request, corrections), key)

    def _places(
        self, tx: Tx, subject: bytes, corrections: tuple[Correction, ...]
    ) -> Work[dict[tuple[bytes, str], dict[str, str]]]:
        """Where each value goes: under every id of the person that holds one, else under the one that is named."""
        found: dict[tuple[bytes, str], dict[str, str]] = {}
        holding: dict[tuple[str, str], list[bytes]] = {}
        for each in (yield from self._consent.ids(tx, subject)) or (subject,):
            for held in (yield from self._vault.held(tx, each)):
                holding.setdefault((held.collection, held.field), []).append(each)
        for wrong in corrections:
            for place in holding.get((wrong.collection, wrong.field), [subject]):
                found.setdefault((place, wrong.collection), {})[wrong.field] = wrong.value
        return found

    def corrections(
        self, tx: Tx, policy: Policy, collections: Collections, request: str
    ) -> Work[tuple[Correction, ...] | Answer]:
        """What the values should be, for whoever may read them: the permit is asked for, and an entry says so. Those of
        guarded fields are left out: they are opened by nobody alone. An `Answer` is the rules' refusal. Raises
        `Invalid` (`no-corrections`) where there are none.
        """
        opened = yield from self._steps.load(tx, request)
        subject = opened.found.request.subject
        if subject is None or not opened.private.corrections:
            raise Invalid("no-corrections", "This request names no values, or they were stored already.")
        asked = rights_question(tx.context.actor, subject, "read")
        answer = yield from self._engine.evaluate(tx, policy, asked)
        if answer.permit is None:
            return answer
        self._audit.append(tx, events.corrections_read(opened.found.request), opened.key)
        return tuple(each for each in opened.private.corrections if not _held_back(collections, each))

    def correct(
        self, tx: Tx, collections: Collections, request: str, corrections: tuple[Correction, ...]
    ) -> Work[RequestView]:
        """What the values should be, in place of what was said before. Each must be one that its field takes.

        Raises `Invalid` (`invalid-correction`, `corrections-not-taken`, `invalid-value`), `ImpossibleStep`,
        `ProposalRefused` while it waits for a second officer.
        """
        check_corrections(corrections)
        for collection in dict.fromkeys(each.collection for each in corrections):
            fields = {each.field: each.value for each in corrections if each.collection == collection}
            check_values(collections, collection, fields)
        opened = yield from self._steps.load(tx, request)
        found = opened.found.request
        if found.kind != "rectification" or opened.key is None:
            raise Invalid("corrections-not-taken", "Only a rectification of somebody who is known names values.")
        if found.state.closed or found.served_at:
            raise ImpossibleStep(found.state, Withdraw())
        if found.proposal is not None:
            # What one officer proposed and another approves are the same values.
            raise ProposalRefused("proposal-waits", "Another officer has yet to decide what was proposed.")
        entry = self._audit.append(tx, events.corrections_named(found, corrections), opened.key)
        request_, private = replace(found, entry=entry), replace(opened.private, corrections=corrections)
        self._steps.keep(tx, opened, request_, private)
        return view(request_, private)


def _held_back(collections: Collections, wrong: Correction) -> bool:
    """Whether no one person opens values of this field; one that is not declared any more counts as such."""
    collection = collections.get(wrong.collection)
    field = collection.fields.get(wrong.field) if collection is not None else None
    return field is None or field.held_back
