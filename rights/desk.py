"""`RightsDesk`: where people's requests are opened, checked, answered and closed.

A request is opened for whoever is named, known or not, and looks the same in both cases. Nothing is done about it
before it is known who asks; `fulfil` then does what is ours to do. Each step is an entry in the log, and a row that is
replaced only where it still is what the step was decided on: of two officers at once, one is told that it is done.

Methods that take `tx` first are units of work. `fulfil` takes the database, because what an erasure deleted must be
made unreadable on disk after its commit.
"""

from functools import partial

from msgspec.structs import replace

from audit import AuditLog, EntryPruned, NotIntegrated
from consent import ConsentRegistry, IssuerOf
from consent import Held as PersonHeld
from policies import AccessDenied, Answer, Policy, PolicyEngine, rights_question
from rights import certificate, events, store
from rights.acts import Acts
from rights.approval import Approval, demand_another
from rights.certificate import Claims
from rights.clock import Clock, extendable_to
from rights.deadline_worker import DeadlineWorker
from rights.deadlines import due
from rights.erasure import USUAL_TERMS, Eraser, ForgetRest, Terms, nothing_else
from rights.identity import Identity
from rights.model import (
    Fulfil,
    Method,
    Refusal,
    Refuse,
    Revoke,
    RightsRequest,
    Serve,
    State,
    SystemsPending,
    Verify,
    advance,
)
from rights.opening import Opening
from rights.planning import Planner
from rights.steps import Opened, Steps, said_of
from rights.store import Private
from rights.systems.tasks import NOWHERE, KnownAs, Planned, Reach, TaskDesk
from rights.systems.view import progress
from rights.view import RequestView, view
from rights.wanted import LegalGround, check_corrections
from sayso.kernel import (
    LOG,
    Context,
    Database,
    Invalid,
    Sealer,
    Signer,
    Tx,
    Work,
    bucket_of,
    new_id_in,
    text,
)
from vault import Vault


class RightsDesk:
    """Rights requests of all tenants. `issuer` tells, for a tenant, in whose name certificates are given."""

    def __init__(
        self,
        audit: AuditLog,
        sealer: Sealer,
        signer: Signer,
        consent: ConsentRegistry,
        vault: Vault,
        engine: PolicyEngine,
        issuer: IssuerOf,
        terms: Terms = USUAL_TERMS,
        known_as: KnownAs = lambda _tenant, _client, subject: text("sub", subject),
        forget_rest: ForgetRest = nothing_else,
    ) -> None:
        self._audit = audit
        self._sealer = sealer
        self._signer = signer
        self._consent = consent
        self._engine = engine
        self._steps = Steps(audit, sealer)
        self.identity = Identity(audit, self._steps)
        self.clock = Clock(audit, self._steps)
        self.approval = Approval(self._steps)
        self.acts = Acts(audit, consent, vault, engine, self._steps)
        self.deadlines = DeadlineWorker(audit, self._steps)
        self.tasks = TaskDesk(audit, sealer, vault, engine, self._steps, known_as)
        self.planner = Planner(consent, vault, terms)
        self._eraser = Eraser(audit, consent, vault, issuer, terms, self.tasks.end, forget_rest)

    # opening and looking

    def open(self, tx: Tx, policy: Policy, asked: Opening) -> Work[RequestView]:
        """A new request, its clock running from now. Cold.

        Whether the person exists changes nothing in the answer. Raises `Invalid` for a zone, country or purpose that
        does not exist, and for purposes on a kind that has none.
        """
        for purpose in asked.purposes:
            policy.catalogue.purpose(purpose)
        if asked.purposes and asked.kind != "objection":
            raise Invalid("purposes-not-taken", "Only an objection names purposes.", kind=asked.kind)
        if asked.corrections and asked.kind != "rectification":
            raise Invalid("corrections-not-taken", "Only a rectification names values.", kind=asked.kind)
        check_corrections(asked.corrections)
        tenant, at = tx.context.tenant, tx.context.at
        dates = due(at, asked.law, asked.kind, asked.calendar)
        key_row, live = yield (
            self._sealer.read(tx, asked.subject),
            store.live_of(tx, asked.subject, asked.kind),
        )
        key = self._sealer.unwrap(tenant, asked.subject, LOG, key_row)
        request = RightsRequest(
            id=new_id_in("rrq", bucket_of(tenant, asked.subject)),
            subject=asked.subject,
            kind=asked.kind,
            law=asked.law,
            state=State.OPEN,
            received_at=at,
            due_on=dates.due_on,
            target_on=dates.target_on,
            granted_by_law=dates.granted_by_law,
            zone=asked.calendar.zone,
            country=asked.calendar.country,
            related=store.oldest(live),
            by_agent=bool(asked.agent),
        )
        entry = self._audit.append(tx, events.opened(request, dates.source), key)
        request, private = replace(request, entry=entry, entries=(entry,)), asked.private
        if key is not None:
            # What somebody unknown says of themselves is not kept: nothing of theirs is here to be corrected.
            private = replace(private, corrections=asked.corrections)
        store.insert(tx, request, private, self._steps.tenants_key(tx), key)
        return _told_whole(request, replace(private, corrections=asked.corrections))

    def request(self, tx: Tx, request: str) -> Work[RequestView]:
        """One request. Raises `RequestNotFound`, `Invalid` (`malformed-id`)."""
        opened = yield from self._steps.load(tx, request)
        return (yield from self._shown(tx, _told_whole(opened.found.request, opened.private)))

    def requests_of(self, tx: Tx, subject: bytes) -> Work[list[RequestView]]:
        """Every request that names the person, oldest first, without what is sealed. Cold."""
        (rows,) = yield (store.requests_of(tx, subject),)
        found = [each.request for each in store.all_stored(rows)]
        systems = yield from self.tasks.of_requests(tx, [each.id for each in found if each.served_at])
        return [replace(view(each), systems=systems.get(each.id, ())) for each in found]

    def certificate(self, tx: Tx, request: str) -> Work[str]:
        """The certificate of an erasure (compact JWS), with the log's proof as soon as there is one. Cold, read only.

        Raises `NotShredded` before the erasure, and for any other kind.
        """
        found = yield from store.load(tx, request)
        if found.claims is None:
            raise certificate.NotShredded(found.request.kind, found.request.state.status)
        claims = certificate.decode(found.claims)
        try:
            proof = yield from self._audit.tlog_proof(tx, claims.entry)
            claims = replace(claims, proof=proof.decode())
        except (NotIntegrated, EntryPruned):
            pass
        if found.request.served_at:
            claims = yield from self._with_systems(tx, found.request, claims)
        return certificate.sign(self._signer, tx.context.tenant, claims)

    def _with_systems(self, tx: Tx, request: RightsRequest, claims: Claims) -> Work[Claims]:
        """The claims with what other systems say; with the entry that holds its hash once all of them have."""
        claims = replace(claims, systems=(yield from self.tasks.certified(tx, request.id)))
        if not request.state.closed:
            return claims
        try:
            proof = yield from self._audit.tlog_proof(tx, request.entry)
            return replace(claims, systems_entry=request.entry, systems_proof=proof.decode())
        except (NotIntegrated, EntryPruned):
            return replace(claims, systems_entry=request.entry)

    def _shown(self, tx: Tx, shown: RequestView) -> Work[RequestView]:
        """With how far other systems are."""
        if not shown.served_at:
            return shown
        systems = yield from self.tasks.of_requests(tx, [shown.request])
        return replace(shown, systems=systems.get(shown.request, ()))

    # steps

    def verify(self, tx: Tx, request: str, method: Method, document: str = "") -> Work[RequestView]:
        """Who asks is known, on the word of the officer who is the actor of this call. What a person shows by a code
        is `identity`'s.

        `document` is where the power of attorney of an agent is kept; it is sealed. Raises `DocumentNeeded`.
        """
        said = said_of(document)
        if (method == "document") is not bool(said):
            raise Invalid("document-missing", "A document is verified by naming where it is kept.")
        opened = yield from self._steps.load(tx, request)
        return self._steps.step(tx, opened, Verify(method), events.verified, said)

    def refuse(self, tx: Tx, request: str, reason: Refusal, statement: str = "") -> Work[RequestView]:
        """Deny the request, for a reason of the Data Rights Protocol and in words if there are any."""
        said = said_of(statement)
        opened = yield from self._steps.load(tx, request)
        return self._steps.step(tx, opened, Refuse(reason), events.refused, said)

    def revoke(self, tx: Tx, request: str, statement: str = "") -> Work[RequestView]:
        """The person took it back. Raises `ImpossibleStep` once it is closed, `SystemsPending`."""
        opened = yield from self._steps.load(tx, request)
        return self._steps.step(tx, opened, Revoke(), events.revoked, said_of(statement))

    async def fulfil(
        self,
        database: Database,
        context: Context,
        policy: Policy,
        request: str,
        *,
        grounds: tuple[LegalGround, ...] = (),
        statement: str = "",
        reach: Reach = NOWHERE,
        person: str = "",
    ) -> RequestView:
        """Do what is ours and close the request. Returns after the commit; of an erasure, after the files are tidy.

        `grounds` are what an erasure must keep. `statement` is kept sealed with the request; of an erasure it is not,
        since it would outlive the person. Where two officers are needed, `person` is who the caller counts as, and what
        the other one proposed is done. Raises `OtherOfficer`, `ProposalRefused`; `ImpossibleStep` unless who asks was
        verified, `AccessDenied` when the rules do not let the actor erase (an entry says so), `Held` under
        a legal hold, `NothingToKeep`, and `NoSubject` for a kind that changes the state of someone unknown.
        """
        said = said_of(statement)

        def unit(tx: Tx) -> Work[RequestView | Answer]:
            return self.fulfilled(tx, policy, request, grounds, said, reach, person)

        done = await database.run_alone(context, unit)
        if isinstance(done, Answer):
            raise PersonHeld if done.reason == "held" else AccessDenied(done.reason)
        if done.kind == "erasure":
            await database.tidy()
        return done

    def fulfilled(
        self,
        tx: Tx,
        policy: Policy,
        request: str,
        grounds: tuple[LegalGround, ...],
        said: str,
        reach: Reach,
        person: str = "",
    ) -> Work[RequestView | Answer]:
        """The unit of `fulfil`. An `Answer` is the rules' refusal, written down; nothing else was done then. Cold."""
        opened = yield from self._steps.load(tx, request)
        before = opened.found.request
        if before.served_at and not before.state.closed:
            raise SystemsPending
        after = advance(before, Fulfil(), tx.context.at)
        if before.kind in reach.two_officers or before.proposal is not None:
            demand_another(before, person)
            grounds, said = opened.private.grounds, opened.private.statement
        if after.kind != "erasure":
            if grounds:
                raise Invalid("grounds-not-taken", "Only an erasure names what must be kept.", kind=after.kind)
            planned = yield from self._planned(tx, policy, reach, opened)
            if isinstance(planned, Answer):
                return planned
            entry = yield from self.acts.carry_out(tx, policy, reach, after, opened.private, opened.key)
            tasks = self.tasks.fan_out(tx, after, planned, opened.key)
            # What was to be corrected lies in the vault now, and nowhere else.
            private = replace(opened.private, corrections=(), grounds=(), statement="")
            if not tasks:
                answered = partial(events.fulfilled, entry=entry)
                return self._steps.step(tx, opened, Fulfil(), answered, said, private)
            served = partial(events.served, systems=len(tasks), entry=entry)
            done = self._steps.step(tx, opened, Serve(), lambda request, _: served(request), said, private)
            return replace(done, systems=tuple(progress(each, tx.context.at) for each in tasks))
        return (yield from self._erase(tx, policy, opened, after, grounds, reach))

    def _erase(
        self,
        tx: Tx,
        policy: Policy,
        opened: Opened,
        after: RightsRequest,
        grounds: tuple[LegalGround, ...],
        reach: Reach,
    ) -> Work[RequestView | Answer]:
        found = opened.found
        subject = after.subject
        if subject is None:
            return (yield from self._already_erased(tx, opened))
        answer = yield from self._engine.evaluate(tx, policy, rights_question(tx.context.actor, subject, "erase"))
        if answer.permit is not None:
            permits = {subject: answer.permit}
            for other in (yield from self._consent.ids(tx, subject)):
                # Ids that were merged into one are one person, whose stored values lie under each of them.
                if other not in permits:
                    ask = rights_question(tx.context.actor, other, "erase")
                    answer = yield from self._engine.evaluate(tx, policy, ask)
                    if answer.permit is None:
                        return answer
                    permits[other] = answer.permit
            planned = yield from self._planned(tx, policy, reach, opened)
            if isinstance(planned, Answer):
                return planned
            erased = yield from self._eraser.carry_out(tx, after, subject, permits, grounds)
        elif answer.decision.reason == "no_subject":
            planned, erased = Planned(), (yield from self._eraser.find_nothing(tx, after, subject))
        else:
            return answer
        # The person's key goes in this very unit: entries about their tasks name nobody.
        tasks = self.tasks.fan_out(tx, after, planned, None)
        if tasks:
            after = advance(found.request, Serve(), tx.context.at)
        after = replace(after, subject=None, entry=erased.entry)
        store.put_erased(tx, found, after, erased.claims)
        return replace(view(after), systems=tuple(progress(each, tx.context.at) for each in tasks))

    def _planned(self, tx: Tx, policy: Policy, reach: Reach, opened: Opened) -> Work[Planned | Answer]:
        """Which systems are to be told, under every id of the person; none about somebody unknown."""
        request, subject = opened.found.request, opened.found.request.subject
        if subject is None or opened.key is None:
            return Planned()
        ids = dict.fromkeys((subject, *(yield from self._consent.ids(tx, subject))))
        return (
            yield from self.tasks.plan(
                tx, policy, reach, request, ids, opened.private.purposes, opened.private.corrections
            )
        )

    def _already_erased(self, tx: Tx, opened: Opened) -> Work[RequestView]:
        """A second request for an erasure that another one brought about: the same certificate answers both."""
        earlier = yield from store.load(tx, opened.found.request.related)
        after = advance(opened.found.request, Fulfil(), tx.context.at)
        after = replace(after, entry=self._audit.append(tx, events.fulfilled(after, "", earlier.request.entry)))
        store.put_erased(tx, opened.found, after, earlier.claims)
        if earlier.claims is not None:
            told = certificate.decode(earlier.claims).certificate
            if told.stage != "final":
                store.await_final(tx, after.id, told.final.epochs, tx.context.at)
        return view(after)


def _told_whole(request: RightsRequest, private: Private) -> RequestView:
    """As one request is told: with every step's entry, and how far the law lets its deadline be moved."""
    more = "" if request.extension or request.state.closed else extendable_to(request)
    return replace(view(request, private), entries=request.entries, extendable_to=more)
