"""`RightsDesk`: where people's requests are opened, checked, answered and closed.

A request is opened for whoever is named, known or not, and looks the same in both cases. Nothing is done about it before
it is known who asks; `fulfil` then does what is ours to do. Each step is an entry in the log and a row that is
replaced only where it still is what the step was decided on: of two officers at once, one is told that it is done.

Methods that take `tx` first are units of work. `fulfil` takes the database, because what an erasure deleted must be made
unreadable on disk after its commit.
"""

from audit import AuditEvent, AuditLog, NotIntegrated
from consent import ConsentRegistry
from msgspec import Struct
from msgspec.structs import replace
from policies import Answer, Policy, PolicyEngine
from vault import Vault

from rights import certificate, events, store
from rights.deadlines import Calendar, NoExtension, due, local_date, row_of
from rights.erasure import LegalGround
from rights.fulfilment import Fulfilment, Outcome
from rights.model import (
    Extend,
    Fulfil,
    Kind,
    Law,
    Method,
    Refusal,
    Refuse,
    RightsRequest,
    State,
    Step,
    Verify,
    advance,
)
from rights.store import Private, RequestNotFound, Stored
from sayso.kernel import (
    LOG,
    TENANT_OWNER,
    Context,
    Database,
    Invalid,
    Key,
    Sealer,
    Signer,
    Tx,
    Work,
    bucket_of,
    new_id_in,
)

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
    """Rights requests of all tenants. `issuer` is the public address that stands in certificates, as in receipts."""

    def __init__(
        self,
        audit: AuditLog,
        sealer: Sealer,
        signer: Signer,
        consent: ConsentRegistry,
        vault: Vault,
        engine: PolicyEngine,
        issuer: str,
    ) -> None:
        self._audit = audit
        self._sealer = sealer
        self._signer = signer
        self._fulfilment = Fulfilment(audit, consent, vault, engine, issuer)

    # opening and looking

    def open(self, tx: Tx, policy: Policy, asked: Opening) -> Work[RightsRequest]:
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
            related=store.wire_id(live[0]) if live else "",
        )
        key = self._sealer.unwrap(tenant, asked.subject, LOG, key_row)
        request = self._entered(tx, request, key, events.opened(request, dates.source))
        store.insert(tx, request, Private(asked.purposes), key or self._tenants_key(tx))
        return request

    def request(self, tx: Tx, request: str) -> Work[RightsRequest]:
        """One request. Raises `RequestNotFound`, `Invalid` (`malformed-id`)."""
        return (yield from store.load(tx, request)).request

    def requests_of(self, tx: Tx, subject: bytes) -> Work[list[RightsRequest]]:
        """Every request that names the person, oldest first. Cold."""
        (rows,) = yield (store.requests_of(tx, subject),)
        return [found.request for found in store.all_stored(rows)]

    # steps

    def verify(self, tx: Tx, request: str, method: Method) -> Work[RightsRequest]:
        """Who asks is known, on the word of the officer who is the actor of this call."""
        found, key = yield from self._load(tx, request)
        return self._step(tx, found, key, Verify(method), events.verified)

    def extend(self, tx: Tx, request: str, reason: str) -> Work[RightsRequest]:
        """Take the law's longer term: the actor states that the person was told, and why. `reason` is in words.

        Raises `NoExtension`, `ClockRefused` when it was taken before or the first deadline has passed.
        """
        said = _said(reason, needed=True)
        found, key = yield from self._load(tx, request)
        before = found.request
        calendar = Calendar(before.zone, before.country)
        dates = due(before.received_at, before.law, before.kind, calendar)
        if not dates.extendable_to:
            raise NoExtension(before.law, before.kind)
        step = Extend(dates.extendable_to, local_date(tx.context.at, before.zone).isoformat())
        return self._step(tx, found, key, step, events.extended, said)

    def refuse(self, tx: Tx, request: str, reason: Refusal, statement: str = "") -> Work[RightsRequest]:
        """Deny the request, for a reason of the Data Rights Protocol and in words if there are any."""
        said = _said(statement)
        found, key = yield from self._load(tx, request)
        return self._step(tx, found, key, Refuse(reason), events.refused, said)

    async def fulfil(
        self,
        database: Database,
        context: Context,
        policy: Policy,
        request: str,
        *,
        grounds: tuple[LegalGround, ...] = (),
        statement: str = "",
    ) -> RightsRequest:
        """Do what is ours and close the request. Returns after the commit, and for an erasure after the files are tidy.

        `grounds` are what an erasure must keep. Raises `ImpossibleStep` unless who asks was verified, `AccessDenied` when
        the rules do not let the actor erase, `Held` under a legal hold, `NothingToKeep`; a refusal by the rules is an
        entry of its own.
        """
        said = _said(statement)

        def unit(tx: Tx) -> Work[RightsRequest | Answer]:
            return (yield from self._fulfilled(tx, policy, request, grounds, said))

        done = await database.run_alone(context, unit)
        if isinstance(done, Answer):
            raise refusal_of(done)
        if done.kind == "erasure":
            await database.tidy()
        return done
