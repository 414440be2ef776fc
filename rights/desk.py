"""`RightsDesk`: where people's requests are opened, checked, answered and closed.

A request is opened for whoever is named, known or not, and looks the same in both cases. Nothing is done about it
before it is known who asks; `fulfil` then does what is ours to do. Each step is an entry in the log, and a row that is
replaced only where it still is what the step was decided on: of two officers at once, one is told that it is done.

Methods that take `tx` first are units of work. `fulfil` takes the database, because what an erasure deleted must be
made unreadable on disk after its commit.
"""

from functools import partial
from typing import Literal

from msgspec.structs import replace

from audit import AuditLog, EntryPruned, NotIntegrated
from consent import ConsentRegistry, IssuerOf
from consent import Held as PersonHeld
from policies import AccessDenied, Answer, Policy, PolicyEngine, rights_question
from rights import certificate, events, store
from rights.certificate import Claims
from rights.deadline_worker import DeadlineWorker
from rights.deadlines import Calendar, NoExtension, due, local_date, moved
from rights.erasure import USUAL_TERMS, Eraser, LegalGround, Terms
from rights.identity import Identity
from rights.laws import row_of
from rights.model import (
    ClockRefused,
    Extend,
    Fulfil,
    Halt,
    Method,
    PauseReason,
    Refusal,
    Refuse,
    Resume,
    Revoke,
    RightsRequest,
    Serve,
    State,
    SystemsPending,
    Verify,
    advance,
)
from rights.opening import Opening
from rights.steps import Opened, Steps
from rights.store import Private
from rights.systems.tasks import NOWHERE, KnownAs, Planned, Reach, TaskDesk
from rights.systems.view import progress
from rights.view import RequestView, view
from sayso.kernel import (
    LOG,
    Context,
    Database,
    Invalid,
    Sealer,
    Signer,
    TooLarge,
    Tx,
    Work,
    bucket_of,
    new_id_in,
    text,
)
from vault import Vault

STATEMENT_LIMIT = 4_000
"""Characters of what an officer says about a step."""


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
    ) -> None:
        self._audit = audit
        self._sealer = sealer
        self._signer = signer
        self._consent = consent
        self._engine = engine
        self._steps = Steps(audit, sealer)
        self.identity = Identity(audit, self._steps)
        self.deadlines = DeadlineWorker(audit, self._steps)
        self.tasks = TaskDesk(audit, sealer, vault, engine, self._steps, known_as)
        self._eraser = Eraser(audit, consent, vault, issuer, terms, self.tasks.end)

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
        request, private = replace(request, entry=entry), asked.private
        store.insert(tx, request, private, self._steps.tenants_key(tx), key)
        return view(request, private)

    def request(self, tx: Tx, request: str) -> Work[RequestView]:
        """One request. Raises `RequestNotFound`, `Invalid` (`malformed-id`)."""
        opened = yield from self._steps.load(tx, request)
        return (yield from self._shown(tx, view(opened.found.request, opened.private)))

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
        said = _said(document)
        if (method == "document") is not bool(said):
            raise Invalid("document-missing", "A document is verified by naming where it is kept.")
        opened = yield from self._steps.load(tx, request)
        return self._steps.step(tx, opened, Verify(method), events.verified, said)

    def extend(self, tx: Tx, request: str, reason: str) -> Work[RequestView]:
        """Take the law's longer term: the actor states that the person was told, and why. `reason` is in words.

        Raises `NoExtension`, and `ClockRefused` when it was taken before or the first deadline has passed.
        """
        said = _said(reason)
        if not said:
            raise Invalid("reason-missing", "An extension needs its reason, as the person was told it.")
        opened = yield from self._steps.load(tx, request)
        before = opened.found.request
        dates = due(before.received_at, before.law, before.kind, Calendar(before.zone, before.country))
        if not dates.extendable_to:
            raise NoExtension(before.law, before.kind)
        step = Extend(dates.extendable_to, local_date(tx.context.at, before.zone).isoformat())
        return self._steps.step(tx, opened, step, events.extended, said)

    def pause(self, tx: Tx, request: str, reason: PauseReason) -> Work[RequestView]:
        """Let the clock rest until the person has answered. Raises `ClockRefused` where the law does not let it."""
        opened = yield from self._steps.load(tx, request)
        before = opened.found.request
        if reason not in row_of(before.law, before.kind)[0].pauses:
            raise ClockRefused("no-pause", "The clock of this law does not rest for that.", law=before.law)
        return self._steps.step(tx, opened, Halt(reason), events.paused)

    def resume(self, tx: Tx, request: str) -> Work[RequestView]:
        """The clock runs again; the dates move by the days it rested."""
        opened = yield from self._steps.load(tx, request)
        before = opened.found.request
        since = before.pauses[-1].since if before.pauses else tx.context.at
        rested = (local_date(tx.context.at, before.zone) - local_date(since, before.zone)).days
        calendar = Calendar(before.zone, before.country)
        step = Resume(
            due_on=moved(before.due_on, rested, before.law, before.kind, calendar),
            target_on=moved(before.target_on, rested, before.law, before.kind, Calendar(before.zone)),
        )
        return self._steps.step(tx, opened, step, events.resumed)

    def refuse(self, tx: Tx, request: str, reason: Refusal, statement: str = "") -> Work[RequestView]:
        """Deny the request, for a reason of the Data Rights Protocol and in words if there are any."""
        said = _said(statement)
        opened = yield from self._steps.load(tx, request)
        return self._steps.step(tx, opened, Refuse(reason), events.refused, said)

    def revoke(self, tx: Tx, request: str, statement: str = "") -> Work[RequestView]:
        """The person took it back. Raises `ImpossibleStep` once it is closed, `SystemsPending`."""
        opened = yield from self._steps.load(tx, request)
        return self._steps.step(tx, opened, Revoke(), events.revoked, _said(statement))

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
    ) -> RequestView:
        """Do what is ours and close the request. Returns after the commit; of an erasure, after the files are tidy.

        `grounds` are what an erasure must keep. `statement` is kept sealed with the request; of an erasure it is not,
        since it would outlive the person. Raises `ImpossibleStep` unless who asks was verified, `AccessDenied`
        when the rules do not let the actor erase (an entry says so), `Held` under a legal hold, `NothingToKeep`, and
        `NoSubject` for a kind that changes the state of someone unknown.
        """
        said = _said(statement)

        def unit(tx: Tx) -> Work[RequestView | Answer]:
            return self.fulfilled(tx, policy, request, grounds, said, reach)

        done = await database.run_alone(context, unit)
        if isinstance(done, Answer):
            raise PersonHeld if done.reason == "held" else AccessDenied(done.reason)
        if done.kind == "erasure":
            await database.tidy()
        return done

    def fulfilled(
        self, tx: Tx, policy: Policy, request: str, grounds: tuple[LegalGround, ...], said: str, reach: Reach
    ) -> Work[RequestView | Answer]:
        """The unit of `fulfil`. An `Answer` is the rules' refusal, written down; nothing else was done then. Cold."""
        opened = yield from self._steps.load(tx, request)
        before = opened.found.request
        if before.served_at and not before.state.closed:
            raise SystemsPending
        after = advance(before, Fulfil(), tx.context.at)
        if after.kind != "erasure":
            if grounds:
                raise Invalid("grounds-not-taken", "Only an erasure names what must be kept.", kind=after.kind)
            planned = yield from self._planned(tx, policy, reach, opened)
            if isinstance(planned, Answer):
                return planned
            entry = yield from self._act(tx, policy, after, opened.private)
            tasks = self.tasks.fan_out(tx, after, planned, opened.key)
            if not tasks:
                return self._steps.step(tx, opened, Fulfil(), partial(events.fulfilled, entry=entry), said)
            served = partial(events.served, systems=len(tasks), entry=entry)
            done = self._steps.step(tx, opened, Serve(), lambda request, _: served(request), said)
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
        return (yield from self.tasks.plan(tx, policy, reach, request, ids, opened.private.purposes))

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

    def _act(self, tx: Tx, policy: Policy, request: RightsRequest, private: Private) -> Work[str]:
        """What a kind asks of the registry; the entry of it. The other kinds rest on the officer's statement."""
        subject = request.subject
        if subject is None:
            return ""
        match request.kind:
            case "restriction":
                return (yield from self._consent.restrict(tx, subject, on=True))
            case "objection":
                purposes: tuple[str, ...] | Literal["all"] = private.purposes or "all"
                done = yield from self._consent.object_to(
                    tx, policy.catalogue, subject, purposes, method="staff", assurance="staff"
                )
                return done.entry
            case "withdraw_all":
                done = yield from self._consent.withdraw(
                    tx, policy.catalogue, subject, "all", method="staff", assurance="staff"
                )
                return done.entry
            case _:
                return ""


def _said(statement: str) -> str:
    """What an officer says, trimmed. Raises `TooLarge`."""
    said = statement.strip()
    if len(said) > STATEMENT_LIMIT:
        raise TooLarge("statement-too-long", "That is longer than a statement may be.", limit=STATEMENT_LIMIT)
    return said
