"""What goes over the wire: questions and answers, by the names that Sayso's `openapi.yaml` has for them.

What is sent refuses nothing (Sayso does that, with a problem that names the place); what comes back may have members
that this version does not know, and they are ignored. Values that came from people are not in any `repr`.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from sayso_client.obligations import Obligation, typed

Method = Literal["banner", "preference_centre", "api", "import", "staff", "phone", "paper"]
Assurance = Literal["device", "link", "code", "session", "staff"]
Choice = Literal["granted", "refused"]
Semantic = Literal["execute_all", "deny_on_first_deny", "permit_on_first_permit"]
EvidenceValue = str | int | bool | list[str]


class Identifier(Struct, frozen=True):
    """How you name a person: `Identifier("customer_id", "c-1")`. Sayso keeps a blind tag of the value alone."""

    type: str
    value: str

    def __repr__(self) -> str:
        return f"Identifier(type={self.type!r})"


class ByIdentifier(Struct, frozen=True):
    """Somebody named by an identifier; on first sight a new person."""

    identifier: Identifier


class Resolve(Struct, frozen=True, omit_defaults=True):
    identifier: Identifier
    create: bool = False


class Resolved(Struct, frozen=True):
    """`subject` names the person in every call, `aid` in large audiences."""

    subject: str
    aid: str


class ConfirmedElsewhere(Struct, frozen=True):
    """A double opt-in that you ran and keep the evidence of: both times, RFC 3339."""

    requested_at: str
    confirmed_at: str


class RecordConsent(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Choices on a notice. `occurred_at` (RFC 3339) is a claim: it can make a grant lose. `bundle` joins several
    records of one act, `indicated_by` is the guardian who chose for a child.
    """

    subject: str | ByIdentifier
    notice: str
    notice_version: int
    locale: str
    choices: dict[str, Choice]
    method: Method = "api"
    assurance: Assurance = "session"
    occurred_at: str | None = None
    evidence: dict[str, EvidenceValue] = {}
    indicated_by: str | None = None
    bundle: str | None = None
    double_opt_in: ConfirmedElsewhere | None = None
    conflict_shown: bool = False

    def __repr__(self) -> str:
        return f"RecordConsent(notice={self.notice!r}, notice_version={self.notice_version})"


class WithdrawConsent(Struct, frozen=True, omit_defaults=True, kw_only=True):
    purposes: list[str] | Literal["all"]
    method: Method = "api"
    assurance: Assurance = "session"
    occurred_at: str | None = None
    evidence: dict[str, EvidenceValue] = {}
    indicated_by: str | None = None


class PurposeState(Struct, frozen=True, kw_only=True):
    """Where the person stands on one purpose."""

    status: str
    legal_basis: str
    since: str | None = None
    notice: str | None = None
    notice_version: int | None = None
    expires_at: str | None = None
    record: str | None = None
    objected: bool = False
    directive: str | None = None
    reask_not_before: str | None = None
    indicated_by: str | None = None


class DirectiveState(Struct, frozen=True):
    """An opt-out of a kind (such as Global Privacy Control) that stands over several purposes."""

    kind: str
    since: str
    given_at: str
    source: str
    honoured: bool
    purposes: list[str]
    lifted: list[str]
    record: str


class Recorded(Struct, frozen=True, kw_only=True):
    """What was recorded, its receipt (a compact JWS), and where the person stands now. What may not loosen is named in
    `ignored`.
    """

    record: str
    subject: str | None
    state: dict[str, PurposeState]
    receipt: str
    entry: str
    ignored: dict[str, str] = {}
    directives: list[DirectiveState] = []


class SubjectState(Struct, frozen=True):
    """Where the person stands on every purpose."""

    subject: str
    as_of: str
    purposes: dict[str, PurposeState]
    directives: list[DirectiveState] = []


class Entity(Struct, frozen=True, omit_defaults=True):
    """AuthZEN's subject (the caller) or resource."""

    type: str
    id: str
    properties: dict[str, Any] = {}


class Action(Struct, frozen=True, omit_defaults=True):
    """What is to be done: `read use reveal aggregate export share erase`."""

    name: str
    properties: dict[str, Any] = {}


class RequestContext(Struct, frozen=True, omit_defaults=True):
    """What stands beside a question. `supported_obligations` and `at_least_seq` are filled in by the client."""

    purpose: str | None = None
    channel: str | None = None
    jurisdiction: str | None = None
    relation: str | None = None
    case: str | None = None
    supported_obligations: tuple[str, ...] = ()
    at_least_seq: str | None = None


class Evaluation(Struct, frozen=True, omit_defaults=True):
    """One question (AuthZEN Authorization API 1.0). `subject` is the caller; the person is `resource.id`."""

    subject: Entity
    action: Action
    resource: Entity
    context: RequestContext = RequestContext()


class Options(Struct, frozen=True):
    evaluations_semantic: Semantic = "execute_all"


class Several(Struct, frozen=True, omit_defaults=True):
    evaluations: tuple[Evaluation, ...]
    options: Options = Options()


class WireObligation(Struct, frozen=True):
    id: str
    type: str
    properties: dict[str, str | int]


class Fault(Struct, frozen=True):
    status: int
    message: str


class AnswerContext(Struct, frozen=True):
    reason: str | None = None
    policy_version: str | None = None
    registry_seq: str | None = None
    obligations: tuple[WireObligation, ...] | None = None
    entry: str | None = None
    nearest: str | None = None
    retry_after: str | None = None
    error: Fault | None = None


class EvaluationAnswer(Struct, frozen=True):
    decision: bool
    context: AnswerContext


class EvaluationsAnswer(Struct, frozen=True):
    evaluations: list[EvaluationAnswer]


class AudienceQuestion(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """May I do `action` with `category` of each of these people for `purpose`? `aids`: tell their numbers as well."""

    purpose: str
    action: str
    category: str
    subjects: tuple[str, ...]
    channel: str | None = None
    jurisdiction: str | None = None
    supported_obligations: tuple[str, ...] = ()
    aids: bool = False


class Audience(Struct, frozen=True):
    """Who may be used, in the order asked; how many for which reason; until when the answer may be used (RFC 3339).

    `aids` are the numbers of those permitted, in the same order, where they were asked for. `owed` is what is to be
    done with whoever is permitted.
    """

    audience: str
    permitted: tuple[str, ...]
    counts: dict[str, int]
    registry_seq: str
    valid_until: str
    entry: str
    policy_version: str = ""
    obligations: tuple[WireObligation, ...] = ()
    aids: tuple[str, ...] = ()

    @property
    def owed(self) -> tuple[Obligation, ...]:
        """The obligations, as types."""
        return tuple(typed(each) for each in self.obligations)


class Revoked(Struct, frozen=True):
    """Who was permitted by an answer and is no longer: ids, and in `gone` the numbers of those who have no id any more.

    `cursor` goes into the next call, which tells only who left since. `refiltered`: it told of everybody again.
    """

    audience: str
    revoked: tuple[str, ...]
    gone: tuple[str, ...]
    cursor: str
    refiltered: bool
    registry_seq: str


class RevealItem(Struct, frozen=True, omit_defaults=True):
    """One token, perhaps with a mask of your own wish (`mask_last4`, `mask_year`, `mask_hash`, `redact`), or a fact
    that is told in place of the value (`domain`, `age_over:18`).
    """

    token: str
    transform: str | None = None


class RevealContext(Struct, frozen=True, omit_defaults=True):
    channel: str | None = None
    jurisdiction: str | None = None
    relation: str | None = None
    case: str | None = None
    supported_obligations: tuple[str, ...] = ()
    at_least_seq: str = ""


class BrokenGlass(Struct, frozen=True, omit_defaults=True):
    """Why values that a second person should have approved are opened without one. It raises an alarm."""

    reason: str
    ticket: str = ""


class Reveal(Struct, frozen=True, omit_defaults=True):
    items: tuple[RevealItem, ...]
    purpose: str
    reason: str
    context: RevealContext = RevealContext()
    grant: str | None = None
    break_glass: BrokenGlass | None = None


class RevealResult(Struct, frozen=True):
    """A value, or None with the `code` `unresolvable`; the entry in the log either way."""

    entry: str
    value: str | None = None
    code: str | None = None

    def __repr__(self) -> str:
        return f"<RevealResult {self.code or 'value'} {self.entry}>"


class RevealResults(Struct, frozen=True):
    results: list[RevealResult]


class StoreRecord(Struct, frozen=True, omit_defaults=True):
    subject: str
    collection: str
    fields: dict[str, str]
    audience: str = "any"

    def __repr__(self) -> str:
        return f"StoreRecord(collection={self.collection!r}, fields={sorted(self.fields)})"


class StoredRecord(Struct, frozen=True):
    """A token for each field."""

    subject: str
    tokens: dict[str, str]
    entry: str


class Relation(Struct, frozen=True, omit_defaults=True, rename={"start": "from"}):
    """A contract, case or public task; live from `start` until `until` (RFC 3339). No purposes means all."""

    kind: Literal["contract", "case", "public_task"]
    purposes: tuple[str, ...] = ()
    start: str | None = None
    until: str | None = None
    source: str = ""


class RelationState(Struct, frozen=True):
    subject: str
    ref: str
    kind: str
    purposes: tuple[str, ...]
    start: str
    until: str | None
    entry: str
    source: str = ""


class Tell(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Preferences by name; None takes one back; those not named stay. `version` is the one that this was made on."""

    values: dict[str, Any]
    version: int | None = None
    method: Method = "api"
    assurance: Assurance = "session"
    source: str = ""
    occurred_at: str | None = None

    def __repr__(self) -> str:
        return f"Tell(values={sorted(self.values)})"


class Preferences(Struct, frozen=True):
    """What the person told, and where each answer comes from."""

    subject: str
    version: int
    as_of: str
    values: dict[str, Any]
    provenance: dict[str, dict[str, Any]]
    withheld: dict[str, str] = {}
    entry: str = ""
    ignored: dict[str, str] = {}
    asked: dict[str, Any] | None = None

    def __repr__(self) -> str:
        return f"Preferences(version={self.version}, values={sorted(self.values)})"


class Unused(Struct, frozen=True, omit_defaults=True):
    subjects: tuple[str, ...] = ()


class GivenBack(Struct, frozen=True):
    """For how many people a message had counted and does no longer."""

    given_back: int
