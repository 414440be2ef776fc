"""A rights request: what a person may ask for, under which law, and how the request moves from receipt to its end.

`advance` is pure and its table is the whole of what may happen. The states are those of the Data Rights Protocol 1.0;
pause and extension of the clock stand beside them: a request goes on being what it is while its clock rests.
"""

from enum import Enum
from typing import Final, Literal, get_args

from msgspec import Struct
from msgspec.structs import replace

from rights.beside import Appeal, AppealRefused, ClockRefused, Extension, Pause, PauseReason, Proposal, ProposalRefused
from sayso.kernel import Conflict, Instant, Invalid, nearest

NEVER: Final = Instant(2**62)
"""Later than any instant."""

Kind = Literal[
    "access",
    "portability",
    "rectification",
    "erasure",
    "restriction",
    "objection",
    "withdraw_all",
    "opt_out_sale",
    "limit_sensitive",
    "automated_decision_review",
    "explanation",
]
Law = Literal["gdpr", "uk_gdpr", "pipl", "ccpa", "us_state", "lgpd", "law25", "dpdp", "default"]
Refusal = Literal[
    "suspected_fraud",
    "insuf_verification",
    "no_match",
    "claim_not_covered",
    "outside_jurisdiction",
    "too_many_requests",
    "other",
]
Method = Literal["officer", "code", "session", "document"]
"""How it is known who asks: an officer saw it, a code that was sent to them came back, they are signed in on their
page, an officer saw an agent's power of attorney.
"""

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
LAWS: Final[tuple[Law, ...]] = get_args(Law)
REFUSALS: Final[tuple[Refusal, ...]] = get_args(Refusal)
METHODS: Final[tuple[Method, ...]] = get_args(Method)


class State(Enum):
    """A state of the Data Rights Protocol 1.0, with its reason after the slash where the protocol has one."""

    OPEN = "open"
    NEED_USER_VERIFICATION = "in_progress/need_user_verification"
    IN_PROGRESS = "in_progress"
    FULFILLED = "fulfilled"
    DENIED = "denied"
    REVOKED = "revoked"
    EXPIRED = "expired"

    @property
    def status(self) -> str:
        """The state as it goes on the wire."""
        return self.value.partition("/")[0]

    @property
    def closed(self) -> bool:
        """Whether nothing more happens to the request."""
        return self in _CLOSED


_CLOSED: Final = frozenset({State.FULFILLED, State.DENIED, State.REVOKED, State.EXPIRED})


class RightsRequest(Struct, frozen=True, array_like=True):
    """One request as it stands. Nothing in it tells whose it is but `subject`, which an erasure takes away.

    `due_on` is the legal deadline and `target_on` the one to work to (the same without moving off a holiday), as ISO
    dates in the controller's zone. `reason` is a refusal's. `entry` is the log entry of the last step. `by_agent`:
    somebody else asks for the person. `next_at` is when something about its deadlines is to be told next, `told` what
    was. `served_at` is when what is ours was done, where other systems were then still to answer. `entries` are those
    of all steps, in order.
    """

    id: str
    subject: bytes | None
    kind: Kind
    law: Law
    state: State
    received_at: Instant
    due_on: str
    target_on: str
    granted_by_law: bool
    zone: str = "UTC"
    country: str = ""
    related: str = ""
    verified_at: Instant = Instant(0)
    verified_by: str = ""
    extension: Extension | None = None
    pauses: tuple[Pause, ...] = ()
    reason: str = ""
    closed_at: Instant = Instant(0)
    entry: str = ""
    by_agent: bool = False
    next_at: Instant = NEVER
    told: tuple[str, ...] = ()
    served_at: Instant = Instant(0)
    appeal: Appeal | None = None
    proposal: Proposal | None = None
    entries: tuple[str, ...] = ()

    @property
    def waits(self) -> bool:
        """Whether somebody still has to do something about it."""
        return not self.state.closed or self.appealed

    @property
    def appealed(self) -> bool:
        """Whether an appeal waits for its answer."""
        return self.appeal is not None and not self.appeal.outcome

    @property
    def next_due(self) -> str:
        """The ISO date by which the next answer is due: the appeal's while one waits."""
        return self.appeal.due_on if self.appeal is not None and not self.appeal.outcome else self.deadline

    @property
    def paused(self) -> bool:
        """Whether the clock rests now."""
        return bool(self.pauses) and not self.pauses[-1].until

    @property
    def deadline(self) -> str:
        """The ISO date that counts today: the extended one if the term was extended."""
        return self.extension.until if self.extension else self.due_on


class Challenge(Struct, frozen=True):
    """The person was asked to prove who they are."""


class Verify(Struct, frozen=True):
    """Who asks is known, by `method`."""

    method: Method


class Extend(Struct, frozen=True):
    """The person was told, before the first deadline, that it takes until `until`. `today` is the local date. ISO."""

    until: str
    today: str


class Halt(Struct, frozen=True):
    """The clock rests, because something is awaited from the person."""

    reason: PauseReason


class Resume(Struct, frozen=True):
    """The clock runs again; the dates moved to are ISO dates."""

    due_on: str
    target_on: str


class Serve(Struct, frozen=True):
    """What is ours is done; other systems are still to answer."""


class Fulfil(Struct, frozen=True):
    """All is done, here and in other systems."""


class Refuse(Struct, frozen=True):
    """The request is denied, with the protocol's reason."""

    reason: Refusal


class Propose(Struct, frozen=True):
    """An officer says that the request is to be fulfilled; another one decides. `by` is who that counts as."""

    by: str


class Withdraw(Struct, frozen=True):
    """What was proposed is taken back or turned down."""


class Object(Struct, frozen=True):
    """The person appeals against a refusal; the answer is due on an ISO date."""

    due_on: str


class Decide(Struct, frozen=True):
    """The appeal is decided. Overturned, the request is opened anew as another one; this one stays as it was."""

    outcome: Literal["upheld", "overturned"]


class Revoke(Struct, frozen=True):
    """The person took the request back."""


class Expire(Struct, frozen=True):
    """Nobody proved who they are in time."""


Step = (
    Challenge
    | Verify
    | Extend
    | Halt
    | Resume
    | Propose
    | Withdraw
    | Serve
    | Fulfil
    | Refuse
    | Object
    | Decide
    | Revoke
    | Expire
)

_LIVE: Final = (State.OPEN, State.NEED_USER_VERIFICATION, State.IN_PROGRESS)

TABLE: Final[dict[tuple[State, type[Step]], State]] = {
    (State.OPEN, Challenge): State.NEED_USER_VERIFICATION,
    (State.NEED_USER_VERIFICATION, Challenge): State.NEED_USER_VERIFICATION,
    (State.OPEN, Verify): State.IN_PROGRESS,
    (State.NEED_USER_VERIFICATION, Verify): State.IN_PROGRESS,
    # Only what was verified is fulfilled: there is no other way into this state.
    (State.IN_PROGRESS, Propose): State.IN_PROGRESS,
    (State.IN_PROGRESS, Withdraw): State.IN_PROGRESS,
    (State.IN_PROGRESS, Serve): State.IN_PROGRESS,
    (State.IN_PROGRESS, Fulfil): State.FULFILLED,
    (State.OPEN, Expire): State.EXPIRED,
    (State.NEED_USER_VERIFICATION, Expire): State.EXPIRED,
    **{(state, Refuse): State.DENIED for state in _LIVE},
    **{(state, Revoke): State.REVOKED for state in _LIVE},
    **{(state, step): state for state in _LIVE for step in (Extend, Halt, Resume)},
    # An appeal stands beside the refusal, which stays what it was.
    (State.DENIED, Object): State.DENIED,
    (State.DENIED, Decide): State.DENIED,
}
"""Where each step leads from each state. What is not here is a `Conflict`."""


class ImpossibleStep(Conflict):
    """The request does not stand where this step begins."""

    def __init__(self, state: State, step: Step) -> None:
        name = type(step).__name__.lower()
        if state.closed:
            super().__init__("request-closed", f"This request is closed: {state.status}.", status=state.status)
        elif isinstance(step, (Propose, Serve, Fulfil)):
            super().__init__("not-verified", "Who asks has not been verified yet.", status=state.status)
        else:
            super().__init__("impossible-step", f"A request that is {state.value} cannot {name}.", status=state.status)


class DocumentNeeded(Conflict):
    """Who asks for another shows a power of attorney, or the person confirms with a code (11 CCR 7063)."""

    def __init__(self) -> None:
        super().__init__("document-needed", "An agent's request is verified by their document or the person's code.")


class SystemsPending(Conflict):
    """Our own part is done and cannot be undone: the request ends when its systems have answered."""

    def __init__(self) -> None:
        super().__init__("systems-pending", "What is ours is done; the request waits for other systems.")


def advance(request: RightsRequest, step: Step, at: Instant) -> RightsRequest:
    """The request after `step` at `at`. Raises `ImpossibleStep` or `ClockRefused`; the request itself never changes."""
    state = TABLE.get((request.state, type(step)))
    if state is None:
        raise ImpossibleStep(request.state, step)
    if request.served_at and isinstance(step, (Propose, Withdraw, Serve, Refuse, Revoke, Expire)):
        raise SystemsPending
    request = _beside(request, step, at)
    match step:
        case Serve():
            request = replace(request, served_at=at, proposal=None)
        case Verify():
            if request.by_agent and step.method not in ("document", "code"):
                raise DocumentNeeded
            if step.method == "document" and not request.by_agent:
                raise Invalid("no-agent", "A power of attorney verifies the request of an agent alone.")
            request = replace(request, verified_at=at, verified_by=step.method)
        case Refuse():
            request = replace(request, reason=step.reason)
    if state.closed and not request.closed_at:
        request = replace(_rested(request, at), closed_at=at, proposal=None)
    return replace(request, state=state)


def _beside(request: RightsRequest, step: Step, at: Instant) -> RightsRequest:
    """What stands beside the state, after the step."""
    match step:
        case Extend():
            return _extended(request, step, at)
        case Halt():
            return _halted(request, step, at)
        case Resume():
            return _resumed(request, step, at)
        case Propose():
            if request.proposal is not None:
                raise ProposalRefused("proposal-waits", "Another officer has yet to decide what was proposed.")
            return replace(request, proposal=Proposal(step.by, at))
        case Withdraw():
            if request.proposal is None:
                raise ProposalRefused("nothing-proposed", "Nobody has proposed to fulfil this request.")
            return replace(request, proposal=None)
        case Object():
            return _objected(request, step, at)
        case Decide():
            return _decided(request, step, at)
    return request


def _objected(request: RightsRequest, step: Object, at: Instant) -> RightsRequest:
    if request.appeal is not None:
        raise AppealRefused("already-appealed", "There was an appeal against this refusal before.")
    if request.subject is None:
        raise AppealRefused("no-appeal", "The person was erased since; a new request asks again.")
    return replace(request, appeal=Appeal(at, step.due_on))


def _decided(request: RightsRequest, step: Decide, at: Instant) -> RightsRequest:
    if request.appeal is None or request.appeal.outcome:
        raise AppealRefused("no-appeal", "No appeal waits for an answer.")
    return replace(request, appeal=replace(request.appeal, outcome=step.outcome, decided_at=at))


def _extended(request: RightsRequest, step: Extend, at: Instant) -> RightsRequest:
    if request.extension:
        raise ClockRefused(
            "already-extended", "The law's longer term was taken already.", until=request.extension.until
        )
    # GDPR Art. 12(3): the person is told within the first term; 11 CCR 7021(b) alike.
    if step.today > request.due_on:
        raise ClockRefused(
            "deadline-passed", "An extension is announced before the first deadline.", due_on=request.due_on
        )
    return replace(request, extension=Extension(step.until, at))


def _halted(request: RightsRequest, step: Halt, at: Instant) -> RightsRequest:
    if request.paused:
        raise ClockRefused("already-paused", "The clock rests already.")
    return replace(request, pauses=(*request.pauses, Pause(step.reason, at)))


def _resumed(request: RightsRequest, step: Resume, at: Instant) -> RightsRequest:
    if not request.paused:
        raise ClockRefused("not-paused", "The clock runs already.")
    return replace(_rested(request, at), due_on=step.due_on, target_on=step.target_on)


def _rested(request: RightsRequest, at: Instant) -> RightsRequest:
    if not request.paused:
        return request
    *before, last = request.pauses
    return replace(request, pauses=(*before, replace(last, until=at)))


def kind_named(name: str) -> Kind:
    """`name` as a kind. Raises `Invalid` (`unknown-kind`) with the nearest one."""
    return KINDS[_place(name, KINDS, "unknown-kind", "kind of request")]


def law_named(name: str) -> Law:
    """`name` as a law. Raises `Invalid` (`unknown-law`) with the nearest one."""
    return LAWS[_place(name, LAWS, "unknown-law", "law")]


def refusal_named(name: str) -> Refusal:
    """`name` as a reason to refuse. Raises `Invalid` (`unknown-reason`) with the nearest one."""
    return REFUSALS[_place(name, REFUSALS, "unknown-reason", "reason to refuse")]


def _place(name: str, names: tuple[str, ...], slug: str, what: str) -> int:
    if name in names:
        return names.index(name)
    raise Invalid(slug, f"That is no {what} known here.", known=list(names), nearest=nearest(name, names))
