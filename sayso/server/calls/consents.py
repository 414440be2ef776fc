"""Recording choices: the bodies and the units, for services, for browsers and for withdrawals."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from consent import (
    Act,
    Assurance,
    DoubleOptIn,
    Identifier,
    Recorded,
    Submission,
)
from sayso.kernel import Tx, Unit, Work, parse_instant, raw
from sayso.server.call import Call
from sayso.server.idempotency import Answer
from sayso.server.wiring import Services

Method = Literal["banner", "preference_centre", "api", "import", "staff", "phone", "paper"]
Name = Annotated[str, Meta(max_length=128)]
EvidenceValue = str | int | bool | list[str]


RECORDERS = ("recorder",)
"""Who may record what people chose."""


class IdentifierBody(Struct, frozen=True, forbid_unknown_fields=True):
    """How a caller names a person: `{"type": "customer_id", "value": "c-1"}`. The value is never stored in clear."""

    type: Annotated[str, Meta(max_length=64)]
    value: Annotated[str, Meta(min_length=1, max_length=512)]

    def named(self) -> Identifier:
        return Identifier(self.type, self.value)


class ByIdentifier(Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody named by an identifier; on first sight a new person."""

    identifier: IdentifierBody


class ConfirmedElsewhere(Struct, frozen=True, forbid_unknown_fields=True):
    """A double opt-in that the caller ran and keeps the evidence of: both times, RFC 3339."""

    requested_at: str
    confirmed_at: str

    def read(self) -> DoubleOptIn:
        return DoubleOptIn(parse_instant(self.requested_at), parse_instant(self.confirmed_at))


class RecordConsent(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Choices on a notice, as a service reports them. `occurred_at` (RFC 3339) is a claim: it can make a grant lose.

    `indicated_by` is the recorded guardian who chose for a child. `bundle` (`bnd_` and 32 hex digits, the caller's own)
    joins the records of one act. `double_opt_in` says that a grant was confirmed already, where else it would wait.
    `conflict_shown`: before granting, the person was shown that an opt-out of theirs says no, and named each purpose.
    """

    subject: Name | ByIdentifier
    notice: Name
    notice_version: int
    locale: Annotated[str, Meta(max_length=35)]
    choices: dict[Name, Act]
    method: Method = "api"
    assurance: Assurance = "session"
    occurred_at: str | None = None
    evidence: dict[str, EvidenceValue] = {}
    indicated_by: Name | None = None
    bundle: Name | None = None
    double_opt_in: ConfirmedElsewhere | None = None
    conflict_shown: bool = False


class WithdrawConsent(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A withdrawal from these purposes, or from all that a no can block. `indicated_by` is the recorded guardian who
    said it for a child.
    """

    purposes: list[Name] | Literal["all"]
    method: Method = "api"
    assurance: Assurance = "session"
    occurred_at: str | None = None
    evidence: dict[str, EvidenceValue] = {}
    indicated_by: Name | None = None


_record_consent = msgspec.json.Decoder(RecordConsent).decode


async def recorded(call: Call, body: bytes) -> Answer:
    """`POST /v1/consents`, from the body's bytes to the answer's."""
    return await call.create(record(call.services, _record_consent(body)), body)


def record(services: Services, body: RecordConsent) -> Unit[Recorded]:
    """The unit that records choices on a notice. Raises `Invalid` for a malformed id or time before it reads."""
    whose = body.subject
    submission = Submission(
        choices=body.choices,
        notice=body.notice,
        notice_version=body.notice_version,
        locale=body.locale,
        method=body.method,
        assurance=body.assurance,
        subject=raw(whose, "sub") if isinstance(whose, str) else None,
        identifier=whose.identifier.named() if isinstance(whose, ByIdentifier) else None,
        occurred_at=parse_instant(body.occurred_at) if body.occurred_at is not None else None,
        evidence=body.evidence,
        bundle=raw(body.bundle, "bnd") if body.bundle is not None else b"",
        indicated_by=raw(body.indicated_by, "sub") if body.indicated_by is not None else b"",
        confirmed=body.double_opt_in.read() if body.double_opt_in is not None else None,
        conflict_shown=body.conflict_shown,
    )

    def unit(tx: Tx) -> Work[Recorded]:
        catalogue = services.configurations.of(tx.context.tenant).catalogue
        return services.registry.record(tx, catalogue, submission)

    return unit


def withdraw(services: Services, subject: str, body: WithdrawConsent) -> Unit[Recorded]:
    """The unit that withdraws."""
    person = raw(subject, "sub")
    occurred_at = parse_instant(body.occurred_at) if body.occurred_at is not None else None
    indicated_by = raw(body.indicated_by, "sub") if body.indicated_by is not None else b""

    def unit(tx: Tx) -> Work[Recorded]:
        catalogue = services.configurations.of(tx.context.tenant).catalogue
        return services.registry.withdraw(
            tx,
            catalogue,
            person,
            body.purposes,
            method=body.method,
            assurance=body.assurance,
            occurred_at=occurred_at,
            evidence=body.evidence,
            indicated_by=indicated_by,
        )

    return unit
