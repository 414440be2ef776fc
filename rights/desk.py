"""`RightsDesk`: where people's requests are opened, checked, answered and closed.

A request is opened for whoever is named, known or not, and looks the same in both cases. Nothing is done about it
before it is known who asks; `fulfil` then does what is ours to do. Each step is an entry in the log, and a row that is
replaced only where it still is what the step was decided on: of two officers at once, one is told that it is done.

Methods that take `tx` first are units of work. `fulfil` takes the database, because what an erasure deleted must be
made unreadable on disk after its commit.
"""

from collections.abc import Callable
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from audit import AuditEvent, AuditLog, NotIntegrated
from consent import ConsentRegistry, IssuerOf
from consent import Held as PersonHeld
from policies import AccessDenied, Answer, Policy, PolicyEngine, rights_question
from rights import certificate, events, store
from rights.deadlines import Calendar, NoExtension, due, local_date, moved
from rights.erasure import USUAL_TERMS, Eraser, LegalGround, Terms
from rights.laws import row_of
from rights.model import (
    ClockRefused,
    Extend,
    Fulfil,
    Halt,
    Kind,
    Law,
    Method,
    PauseReason,
    Refusal,
    Refuse,
    Resume,
    RightsRequest,
    State,
    Step,
    Verify,
    advance,
)
from rights.store import Private, Stored
from rights.view import RequestView, view
from sayso.kernel import (
    LOG,
    TENANT_OWNER,
    Context,
    Database,
    Invalid,
    Key,
    Sealer,
    Signer,
    TooLarge,
    Tx,
    Work,
    bucket_of,
    new_id_in,
)
from vault import Vault

STATEMENT_LIMIT = 4_000
"""Characters of what an officer says about a step."""


class Opening(Struct, frozen=True, kw_only=True):
    """A request as it is opened: for whom (16 raw bytes), for what, under which law.

    `calendar` is the controller's. `purposes` are those that an objection is about; none means all that a no can block.
    """

    subject: bytes
    kind: Kind
    law: Law
    calendar: Calendar = Calendar()
    purposes: tuple[str, ...] = ()


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
    ) -> None:
        self._audit = audit
        self._sealer = sealer
        self._signer = signer
        self._consent = consent
        self._engine = engine
        self._eraser = Eraser(audit, consent, vault, issuer, terms)

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
        )
        entry = self._audit.append(tx, events.opened(request, dates.source), key)
        request, private = replace(request, entry=entry), Private(asked.purposes)
        store.insert(tx, request, private, self._tenants_key(tx), key)
        return view(request, private)

    def request(self, tx: Tx, request: str) -> Work[RequestView]:
        """One request. Raises `RequestNotFound`, `Invalid` (`malformed-id`)."""
        opened = yield from self._load(tx, request)
        return view(opened.found.request, opened.private)

    def requests_of(self, tx: Tx, subject: bytes) -> Work[list[RequestView]]:
        """Every request that names the person, oldest first, without what is sealed. Cold."""
        (rows,) = yield (store.requests_of(tx, subject),)
        return [view(found.request) for found in store.all_stored(rows)]

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
        except NotIntegrated:
            pass
        return certificate.sign(self._signer, tx.context.tenant, claims)

    # steps

    def verify(self, tx: Tx, request: str, method: Method) -> Work[RequestView]:
        """Who asks is known, on the word of the officer who is the actor of this call."""
        opened = yield from self._load(tx, request)
        return self._step(tx, opened, Verify(method), events.verified)

    def extend(self, tx: Tx, request: str, reason: str) -> Work[RequestView]:
        """Take the law's longer term: the actor states that the person was told, and why. `reason` is in words.

        Raises `NoExtension`, and `ClockRefused` when it was taken before or the first deadline has passed.
        """
        said = _said(reason)
        if not said:
            raise Invalid("reason-missing", "An extension needs its reason, as the person was told it.")
        opened = yield from self._load(tx, request)
        before = opened.found.request
        dates = due(before.received_at, before.law, before.kind, Calendar(before.zone, before.country))
        if not dates.extendable_to:
            raise NoExtension(before.law, before.kind)
        step = Extend(dates.extendable_to, local_date(tx.context.at, before.zone).isoformat())
        return self._step(tx, opened, step, events.extended, said)

    def pause(self, tx: Tx, request: str, reason: PauseReason) -> Work[RequestView]:
        """Let the clock rest until the person has answered. Raises `ClockRefused` where the law does not let it."""
        opened = yield from self._load(tx, request)
        before = opened.found.request
        if reason not in row_of(before.law, before.kind)[0].pauses:
            raise ClockRefused("no-pause", "The clock of this law does not rest for that.", law=before.law)
        return self._step(tx, opened, Halt(reason), events.paused)

    def resume(self, tx: Tx, request: str) -> Work[RequestView]:
        """The clock runs again; the dates move by the days it rested."""
        opened = yield from self._load(tx, request)
        before = opened.found.request
        since = before.pauses[-1].since if before.pauses else tx.context.at
        rested = (local_date(tx.context.at, before.zone) - local_date(since, before.zone)).days
        calendar = Calendar(before.zone, before.country)
        step = Resume(
            due_on=moved(before.due_on, rested, before.law, before.kind, calendar),
            target_on=moved(before.target_on, rested, before.law, before.kind, Calendar(before.zone)),
        )
        return self._step(tx, opened, step, events.resumed)

    def refuse(self, tx: Tx, request: str, reason: Refusal, statement: str = "") -> Work[RequestView]:
        """Deny the request, for a reason of the Data Rights Protocol and in words if there are any."""
        said = _said(statement)
        opened = yield from self._load(tx, request)
        return self._step(tx, opened, Refuse(reason), events.refused, said)

    async def fulfil(
        self,
        database: Database,
        context: Context,
        policy: Policy,
        request: str,
        *,
        grounds: tuple[LegalGround, ...] = (),
        statement: str = "",
    ) -> RequestView:
        """Do what is ours and close the request. Returns after the commit; of an erasure, after the files are tidy.

        `grounds` are what an erasure must keep. `statement` is kept sealed with the request; of an erasure it is not,
        since it would outlive the person. Raises `ImpossibleStep` unless who asks was verified, `AccessDenied`
        when the rules do not let the actor erase (an entry says so), `Held` under a legal hold, `NothingToKeep`, and
        `NoSubject` for a kind that changes the state of someone unknown.
        """
        said = _said(statement)

        def unit(tx: Tx) -> Work[RequestView | Answer]:
            return self.fulfilled(tx, policy, request, grounds, said)

        done = await database.run_alone(context, unit)
        if isinstance(done, Answer):
            raise PersonHeld if done.reason == "held" else AccessDenied(done.reason)
        if done.kind == "erasure":
            await database.tidy()
        return done

    def fulfilled(
        self, tx: Tx, policy: Policy, request: str, grounds: tuple[LegalGround, ...], said: str
    ) -> Work[RequestView | Answer]:
        """The unit of `fulfil`. An `Answer` is the rules' refusal, written down; nothing else was done then. Cold."""
        opened = yield from self._load(tx, request)
        found = opened.found
        after = advance(found.request, Fulfil(), tx.context.at)
        if after.kind != "erasure":
            if grounds:
                raise Invalid("grounds-not-taken", "Only an erasure names what must be kept.", kind=after.kind)
            entry = yield from self._act(tx, policy, after, opened.private)
            return self._step(tx, opened, Fulfil(), lambda done, words: events.fulfilled(done, words, entry), said)
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
            erased = yield from self._eraser.carry_out(tx, after, subject, permits, grounds)
        elif answer.decision.reason == "no_subject":
            erased = yield from self._eraser.find_nothing(tx, after, subject)
        else:
            return answer
        after = replace(after, subject=None, entry=erased.entry)
        store.put_erased(tx, found, after, erased.claims)
        return view(after)

    def _already_erased(self, tx: Tx, opened: "_Opened") -> Work[RequestView]:
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

    # one step

    def _load(self, tx: Tx, request: str) -> Work["_Opened"]:
        found = yield from store.load(tx, request)
        subject, key = found.request.subject, None
        if subject is not None:
            (key_row,) = yield (self._sealer.read(tx, subject),)
            key = self._sealer.unwrap(tx.context.tenant, subject, LOG, key_row)
        return _Opened(found, key, found.private(self._tenants_key(tx), key))

    def _step(
        self,
        tx: Tx,
        opened: "_Opened",
        step: Step,
        event: Callable[[RightsRequest, str], AuditEvent],
        said: str = "",
    ) -> RequestView:
        """Advance, enter, store."""
        after = advance(opened.found.request, step, tx.context.at)
        if after.subject is None:
            # Words about someone erased would lie under the tenant's key and stay.
            said = ""
        after = replace(after, entry=self._audit.append(tx, event(after, said), opened.key))
        private = opened.private
        if said:
            statements = (*private.statements, (type(step).__name__.lower(), said))
            private = replace(private, statements=statements)
        store.put(tx, opened.found, after, private, self._tenants_key(tx), opened.key)
        return view(after, private)

    def _tenants_key(self, tx: Tx) -> Key:
        return self._sealer.standing(tx.context.tenant, TENANT_OWNER)


class _Opened(Struct, frozen=True):
    """A request as read in this unit, with its person's key and what that opened."""

    found: Stored
    key: Key | None
    private: Private


def _said(statement: str) -> str:
    """What an officer says, trimmed. Raises `TooLarge`."""
    said = statement.strip()
    if len(said) > STATEMENT_LIMIT:
        raise TooLarge("statement-too-long", "That is longer than a statement may be.", limit=STATEMENT_LIMIT)
    return said
