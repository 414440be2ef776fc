"""A request as it is answered, and what callers send about one. Nothing here but names, dates and ids."""

from msgspec import Struct, field

from rights.model import RightsRequest
from rights.progress import SystemView
from rights.store import NOTHING, Private
from rights.wanted import LegalGround
from sayso.kernel import iso, text


class ExtensionView(Struct, frozen=True):
    """The longer term: `until` is the new deadline, `announced_at` when the person was told."""

    until: str
    announced_at: str


class PauseView(Struct, frozen=True, omit_defaults=True):
    """A rest of the clock; without `until` it lasts."""

    reason: str
    since: str
    until: str = ""


class AppealView(Struct, frozen=True, omit_defaults=True):
    """An appeal against the refusal: when it came in, by when it is answered, and `upheld` or `overturned`."""

    at: str
    due_on: str
    outcome: str = ""
    decided_at: str = ""


class ProposalView(Struct, frozen=True, kw_only=True):
    """One officer proposed to fulfil the request: who that counts as, when, and what would be kept."""

    by: str
    at: str
    grounds: tuple[LegalGround, ...] = ()
    statement: str = ""


class StatementView(Struct, frozen=True):
    """What an officer said with a step."""

    step: str
    text: str


class RequestView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One request. `status` and `reason` are the Data Rights Protocol's; dates are local ones of the controller's zone.

    `agent` is who asks for the person, `by_agent` that somebody does.

    `extendable_to` is where the law lets the deadline be moved to, while it was not.

    `corrects` are the fields that a rectification is about (`collection.field`); what they should be stands elsewhere.

    `subject` is absent once the person was erased, and so is what they asked about: `purposes` of an objection,
    `statements` of the officers. `related` is another open request of the same person and kind.
    """

    request: str
    subject: str = ""
    kind: str
    law: str
    status: str
    reason: str = ""
    received_at: str
    due_on: str
    target_on: str
    zone: str
    granted_by_law: bool
    by_agent: bool = False
    related: str = ""
    purposes: tuple[str, ...] = ()
    agent: str = ""
    statements: list[StatementView] = field(default_factory=list)
    verified_at: str = ""
    verified_by: str = ""
    extension: ExtensionView | None = None
    extendable_to: str = ""
    pauses: list[PauseView] = field(default_factory=list)
    paused: bool = False
    served_at: str = ""
    appeal: AppealView | None = None
    proposal: ProposalView | None = None
    corrects: tuple[str, ...] = ()
    systems: tuple[SystemView, ...] = ()
    closed_at: str = ""
    entry: str = ""
    entries: tuple[str, ...] = ()


def view(request: RightsRequest, private: Private = NOTHING) -> RequestView:
    """The request as it goes on the wire. `due_on` is the deadline that counts today."""
    extension, appeal, proposal = request.extension, request.appeal, request.proposal
    return RequestView(
        request=request.id,
        subject=text("sub", request.subject) if request.subject is not None else "",
        kind=request.kind,
        law=request.law,
        status=request.state.status,
        reason=request.reason or request.state.value.partition("/")[2],
        received_at=iso(request.received_at),
        due_on=request.next_due,
        target_on=request.target_on,
        zone=request.zone,
        granted_by_law=request.granted_by_law,
        related=request.related,
        by_agent=request.by_agent,
        agent=private.agent,
        purposes=private.purposes,
        statements=[StatementView(step, said) for step, said in private.statements],
        verified_at=_iso(request.verified_at),
        verified_by=request.verified_by,
        extension=ExtensionView(extension.until, iso(extension.at)) if extension else None,
        pauses=[PauseView(pause.reason, iso(pause.since), _iso(pause.until)) for pause in request.pauses],
        paused=request.paused,
        served_at=_iso(request.served_at),
        appeal=AppealView(iso(appeal.at), appeal.due_on, appeal.outcome, _iso(appeal.decided_at)) if appeal else None,
        proposal=ProposalView(by=proposal.by, at=iso(proposal.at), grounds=private.grounds, statement=private.statement)
        if proposal
        else None,
        corrects=tuple(f"{each.collection}.{each.field}" for each in private.corrections),
        closed_at=_iso(request.closed_at),
        entry=request.entry,
    )


def _iso(instant: int) -> str:
    return iso(instant) if instant else ""
