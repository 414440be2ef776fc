"""Recording choices: the bodies and the units, for services, for browsers and for withdrawals."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from consent import Act, Assurance, Identifier, Recorded, Submission
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


class RecordConsent(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Choices on a notice, as a service reports them. `occurred_at` (RFC 3339) is a claim: it can make a grant lose."""

    subject: Name | ByIdentifier
    notice: Name
    notice_version: int
    locale: Annotated[str, Meta(max_length=35)]
    choices: dict[Name, Act]
    method: Method = "api"
    assurance: Assurance = "session"
    occurred_at: str | None = None
    evidence: dict[str, EvidenceValue] = {}


class WithdrawConsent(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A withdrawal from these purposes, or from all that a no can block."""

    purposes: list[Name] | Literal["all"]
    method: Method = "api"
    assurance: Assurance = "session"
    occurred_at: str | None = None
    evidence: dict[str, EvidenceValue] = {}


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
    )

    def unit(tx: Tx) -> Work[Recorded]:
        catalogue = services.configurations.of(tx.context.tenant).catalogue
        return services.registry.record(tx, catalogue, submission)

    return unit


def withdraw(services: Services, subject: str, body: WithdrawConsent) -> Unit[Recorded]:
    """The unit that withdraws."""
    person = raw(subject, "sub")
    occurred_at = parse_instant(body.occurred_at) if body.occurred_at is not None else None

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
        )

    return unit
