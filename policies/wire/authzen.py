"""AuthZEN 1.0 on the wire: what comes in becomes an `Access`, what comes out of the engine becomes an answer. Pure.

AuthZEN calls the caller "subject"; everywhere else in Sayso the word means the data subject, and the translation stays
in this file. Unknown members are ignored, as the specification asks (Authorization API 1.0, section 5); this is the
one place where that is so.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Final, NoReturn, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from policies.engine import Access, Answer, Crowd, CrowdAnswer
from policies.questions import Question
from sayso.kernel import Actor, Invalid, Obligation, TooLarge, iso, raw

MOST_EVALUATIONS: Final = 1_000
"""Questions in one call: as many as one entry may list."""

TOKEN: Final = "token"  # noqa: S105 - a type of resource

Text = Annotated[str, Meta(max_length=1_024)]
Properties = dict[str, msgspec.Raw]
T = TypeVar("T")

Clients = Callable[[str], Actor | None]
"""The registered client of that name in this tenant, as it would act itself."""


class Malformed(Invalid):
    """Status 400 of AuthZEN: no JSON, an empty body, a member missing or of the wrong type."""

    def __init__(self, why: str) -> None:
        super().__init__("malformed-evaluation", why)


class Entity(Struct, frozen=True):
    """AuthZEN's subject (the caller) or resource."""

    type: Text
    id: Text
    properties: Properties = {}


class Action(Struct, frozen=True):
    """What is to be done."""

    name: Text
    properties: Properties = {}


class RequestContext(Struct, frozen=True):
    """What Sayso reads of a request's context."""

    purpose: Text | None = None
    channel: Text | None = None
    jurisdiction: Text | None = None
    relation: Text | None = None
    case: Text | None = None
    supported_obligations: tuple[Text, ...] = ()
    at_least_seq: Text | None = None


class Evaluation(Struct, frozen=True):
    """One question, whole."""

    subject: Entity
    action: Action
    resource: Entity
    context: RequestContext = RequestContext()


class Item(Struct, frozen=True):
    """One question of several; what it leaves out comes from the defaults beside the list, member by member, whole."""

    subject: Entity | UnsetType = UNSET
    action: Action | UnsetType = UNSET
    resource: Entity | UnsetType = UNSET
    context: RequestContext | UnsetType = UNSET


class Options(Struct, frozen=True):
    """How several are evaluated."""

    evaluations_semantic: Text = "execute_all"


class Several(Item, frozen=True):
    """Several questions; without any it is a single one, made of the defaults."""

    evaluations: tuple[msgspec.Raw, ...] = ()
    options: Options = Options()


class Target(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A resource without properties."""

    type: Text
    id: Text


class Pick(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """One question of several that names a person and leans on the defaults for the rest."""

    resource: Target


class Alike(Item, frozen=True):
    """The usual shape of several questions. It only saves time: whatever does not fit is read as `Several`."""

    evaluations: tuple[Pick, ...] = ()
    options: Options = Options()


class Fault(Struct, frozen=True):
    """Why one question of several could not be read."""

    status: int
    message: str


class AnswerContext(Struct, frozen=True, omit_defaults=True):
    """What stands beside the decision. `retry_after` (RFC 3339): a `later` is over then, as far as is known now."""

    reason: str | UnsetType = UNSET
    policy_version: str | UnsetType = UNSET
    registry_seq: str | UnsetType = UNSET
    obligations: tuple[Obligation, ...] | UnsetType = UNSET
    entry: str | UnsetType = UNSET
    nearest: str | UnsetType = UNSET
    retry_after: str | UnsetType = UNSET
    error: Fault | UnsetType = UNSET


class EvaluationAnswer(Struct, frozen=True):
    """The answer to one question. A denial is status 200 with `false`."""

    decision: bool
    context: AnswerContext


class EvaluationsAnswer(Struct, frozen=True):
    """Answers in the order of the questions; shorter where the semantic stops early."""

    evaluations: list[EvaluationAnswer]


class Batch(Struct, frozen=True):
    """Several questions, read: each an `Access`, or a `Fault` where that failed. `until`: see `evaluate_many`."""

    accesses: list[Access | Fault]
    until: bool | None


def read_evaluation(body: bytes) -> Evaluation:
    """One question. Raises `Malformed`."""
    return decoded(_evaluation, body)


def read_evaluations(body: bytes) -> Evaluation | Several:
    """Several questions, or a single one where the list is missing or empty. Raises `Malformed`, `TooLarge`."""
    several = decoded(_several, body)
    if several.options.evaluations_semantic not in _UNTIL:
        raise Malformed(f"options.evaluations_semantic is one of: {', '.join(_UNTIL)}.")
    if not several.evaluations:
        return decoded(_evaluation, body)
    if len(several.evaluations) > MOST_EVALUATIONS:
        raise TooLarge("too-many-evaluations", f"One call takes {MOST_EVALUATIONS} questions.", limit=MOST_EVALUATIONS)
    return several


def read_alike(body: bytes) -> Alike | None:
    """Several questions that differ in the person alone, all to be answered; None for anything else."""
    try:
        alike = _alike.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None
    picks = alike.evaluations
    if alike.subject is UNSET or alike.action is UNSET or not 0 < len(picks) <= MOST_EVALUATIONS:
        return None
    kinds = {pick.resource.type for pick in picks}
    usual = len(kinds) == 1 and TOKEN not in kinds and alike.options.evaluations_semantic == "execute_all"
    return alike if usual else None


def asked(evaluation: Evaluation, actor: Actor, clients: Clients) -> Access:
    """The question behind one evaluation, from an authenticated actor. Never fails: what is wrong is a denial."""
    return Reading(actor, clients).access(
        evaluation.subject, evaluation.action, evaluation.resource, evaluation.context
    )


def asked_several(several: Several, actor: Actor, clients: Clients) -> Batch:
    """The questions of a batch. One that cannot be read is a `Fault` in its place."""
    reading = Reading(actor, clients)
    accesses: list[Access | Fault] = []
    for part in several.evaluations:
        try:
            item = _item.decode(part)
        except (msgspec.MsgspecError, RecursionError) as error:
            accesses.append(Fault(400, _words(error)))
            continue
        subject = several.subject if item.subject is UNSET else item.subject
        action = several.action if item.action is UNSET else item.action
        resource = several.resource if item.resource is UNSET else item.resource
        context = several.context if item.context is UNSET else item.context
        if subject is UNSET or action is UNSET or resource is UNSET:
            accesses.append(Fault(400, "An evaluation needs subject, action and resource."))
        else:
            accesses.append(reading.access(subject, action, resource, _NO_CONTEXT if context is UNSET else context))
    return Batch(accesses, _UNTIL[several.options.evaluations_semantic])


def asked_alike(alike: Alike, actor: Actor, clients: Clients) -> Crowd:
    """The one question behind questions that `read_alike` has read."""
    subject, action, context = alike.subject, alike.action, alike.context
    assert subject is not UNSET
    assert action is not UNSET
    context = _NO_CONTEXT if context is UNSET else context
    question, client = Reading(actor, clients).question(subject, action, alike.evaluations[0].resource.type, context)
    subjects = people([pick.resource.id for pick in alike.evaluations])
    return Crowd(question, subjects, client, context.at_least_seq or "")


class Reading:
    """Turns wire entities into accesses for one actor. Equal questions become one `Question`, shared by a batch."""

    __slots__ = ("_actor", "_clients", "_questions")

    def __init__(self, actor: Actor, clients: Clients) -> None:
        self._actor = actor
        self._clients = clients
        self._questions: dict[tuple[str, str, str, str, RequestContext], tuple[Question, str]] = {}

    def access(self, subject: Entity, action: Action, resource: Entity, context: RequestContext) -> Access:
        """One question. `subject` is AuthZEN's: the caller."""
        token = resource.id if resource.type == TOKEN else None
        name = (subject.type, subject.id, action.name, resource.type, context)
        found = self._questions.get(name)
        if found is None:
            found = self._questions[name] = self.question(subject, action, resource.type, context)
        question, client = found
        return Access(
            question, None if token is not None else _person(resource.id), token, client, context.at_least_seq or ""
        )

    def question(self, subject: Entity, action: Action, kind: str, context: RequestContext) -> tuple[Question, str]:
        """The question about resources of one kind, and the client that it is asked for, when that is another."""
        caller = self._caller(subject)
        purpose = context.purpose or (caller.default_purpose if caller is not None else None)
        question = Question(
            roles=caller.roles if caller is not None else frozenset(),
            action=action.name,
            category="" if kind == TOKEN else kind,
            purpose=purpose,
            jurisdiction=context.jurisdiction,
            channel=context.channel,
            relation=context.relation,
            case=context.case,
            supported=frozenset(context.supported_obligations),
            refused=None if caller is not None else "actor_mismatch",
        )
        return question, "" if caller is self._actor else subject.id

    def _caller(self, subject: Entity) -> Actor | None:
        """Who asks: the authenticated client itself; another registered one only from a PEP; nobody on a bare word."""
        actor = self._actor
        if subject.type != "service":
            return None
        if actor.kind == "service" and subject.id == actor.name:
            return actor
        return self._clients(subject.id) if "pep" in actor.roles else None


def answered(answer: Answer) -> EvaluationAnswer:
    """An answer on the wire."""
    decision = answer.decision
    hidden = answer.token and not decision.allowed
    context = AnswerContext(
        reason=answer.reason,
        policy_version=answer.policy,
        registry_seq=answer.seq,
        obligations=decision.obligations,
        entry=answer.entry,
        nearest=UNSET if hidden or decision.nearest is None else decision.nearest,
        retry_after=UNSET if hidden or not decision.until else iso(decision.until),
    )
    return EvaluationAnswer(decision.allowed, context)


def answered_several(batch: Batch, answers: Sequence[Answer]) -> EvaluationsAnswer:
    """Answers in the places of their questions; a question that could not be read is a denial in its place."""
    rest = iter(answers)
    found: list[EvaluationAnswer] = []
    for access in batch.accesses:
        if isinstance(access, Fault):
            found.append(EvaluationAnswer(False, AnswerContext(error=access)))
        else:
            answer = next(rest, None)
            if answer is None:
                break
            found.append(answered(answer))
        if found[-1].decision is batch.until:
            break
    return EvaluationsAnswer(found)


def answered_alike(answer: CrowdAnswer) -> bytes:
    """The JSON of an `EvaluationsAnswer`, where each different answer is encoded once."""
    names = [id(decision) for decision in answer.decisions]
    parts = {
        name: _encode(answered(Answer(decision, None, answer.seq, answer.policy, answer.entry)))
        for name, decision in dict(zip(names, answer.decisions, strict=True)).items()
    }
    return b'{"evaluations":[' + b",".join([parts[name] for name in names]) + b"]}"


def readable(batch: Batch) -> list[Access]:
    """The accesses to evaluate: all that could be read, and none behind a fault that ends the list."""
    accesses: list[Access] = []
    for access in batch.accesses:
        if not isinstance(access, Fault):
            accesses.append(access)
        elif batch.until is False:
            break
    return accesses


def _person(subject: str) -> bytes | None:
    """The person that an id names. Any other text names nobody: AuthZEN's ids are free text, so it is no fault."""
    try:
        return raw(subject, "sub")
    except Invalid:
        return None


def people(subjects: Sequence[str]) -> list[bytes | None]:
    """The people that these ids name, as `_person` does it one by one."""
    joined = _BREAK.join(subjects)
    try:
        found = bytes.fromhex(joined.replace("sub_", ""))
    except ValueError:
        return [_person(subject) for subject in subjects]
    # Written again and compared: only a list of well-formed ids comes out as it went in.
    if len(found) == 16 * len(subjects) and f"sub_{found.hex(_BREAK, 16)}".replace(_BREAK, f"{_BREAK}sub_") == joined:
        return [found[start : start + 16] for start in range(0, len(found), 16)]
    return [_person(subject) for subject in subjects]


def decoded(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """A body as its Struct. Raises `Malformed`."""
    try:
        return decoder.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        _refuse(error)


def _refuse(error: Exception) -> NoReturn:
    raise Malformed(_words(error)) from None


def _words(error: Exception) -> str:
    """Msgspec's words name members and types, never values."""
    if isinstance(error, msgspec.ValidationError):
        return f"{error}."
    return "The body is nested too deeply." if isinstance(error, RecursionError) else "The body is not JSON."


_UNTIL: Final = {"execute_all": None, "deny_on_first_deny": False, "permit_on_first_permit": True}
_BREAK: Final = "\n"
_NO_CONTEXT: Final = RequestContext()
_evaluation: Final = msgspec.json.Decoder(Evaluation)
_several: Final = msgspec.json.Decoder(Several)
_alike: Final = msgspec.json.Decoder(Alike)
_encode: Final = msgspec.json.Encoder().encode
_item: Final = msgspec.json.Decoder(Item)
