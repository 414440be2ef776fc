"""Why a question is answered as it is."""

from typing import Annotated, Any

from litestar import post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import JSONBody
from msgspec import Meta, Struct

from policies import Access, Explanation, NearMiss, Question, UnderLaw
from sayso.kernel import Actor, Invalid, Tx, Work, iso, nearest, raw
from sayso.server.call import Call
from sayso.server.calls.decisions import judged
from sayso.server.manifests.configuration import Configuration
from sayso.server.routes.gate import admits

Name = Annotated[str, Meta(min_length=1, max_length=128)]


class Why(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A question as a service would ask it: by a registered `client`, or by anybody in these `roles`."""

    client: Name | None = None
    roles: tuple[Name, ...] = ()
    action: Name
    category: Name
    purpose: Name | None = None
    subject: Name | None = None
    jurisdiction: Name | None = None
    channel: Name | None = None
    relation: Name | None = None
    case: Name | None = None
    supported_obligations: tuple[Name, ...] = ()


class ExplanationView(Struct, frozen=True):
    """The decision with its grounds. Nothing is permitted by it."""

    decision: bool
    reason: str
    rule: str
    basis: str
    obligations: tuple[str, ...]
    retry_after: str
    nearest: str
    policy_version: str
    laws: tuple[UnderLaw, ...]
    near_misses: tuple[NearMiss, ...]
    facts: dict[str, Any]


@post(
    "/v1/policy/explain",
    opt=admits("officer", "auditor"),
    operation_id="policy.explain",
    tags=["Decisions"],
    status_code=200,
)
async def explain(call: NamedDependency[Call], data: JSONBody[Why]) -> ExplanationView:
    """Why: every rule that matched and by which names, what the person's state says to each basis, and near misses.

    With a `subject` it leaves an entry about that person, as any look at what is known of somebody does.
    """
    if (data.client is None) == (not data.roles):
        raise Invalid("client-or-roles", "Either 'client' or 'roles' says who asks.")
    subject = raw(data.subject, "sub") if data.subject is not None else None

    def unit(tx: Tx) -> Work[ExplanationView]:
        configuration = call.configuration
        question = Question(
            roles=_caller(call, configuration, data.client).roles if data.client is not None else frozenset(data.roles),
            action=data.action,
            category=data.category,
            purpose=data.purpose,
            jurisdiction=data.jurisdiction,
            channel=data.channel,
            relation=data.relation,
            case=data.case,
            supported=frozenset(data.supported_obligations),
        )
        return _view((yield from call.services.engine.explain(tx, configuration.policy, Access(question, subject))))

    return await call.run(unit)


def _caller(call: Call, configuration: Configuration, name: str) -> Actor:
    _, clients = judged(call.services, configuration, call.principal.actor)
    found = clients(name)
    if found is None:
        hint = nearest(name, configuration.clients)
        meant = f" Did you mean {hint}?" if hint else ""
        raise Invalid("unknown-client", f"No client of this name is registered.{meant}")
    return found


def _view(found: Explanation) -> ExplanationView:
    decision = found.decision
    return ExplanationView(
        decision=decision.allowed,
        reason=decision.reason,
        rule=decision.rule,
        basis=decision.basis,
        obligations=tuple(obligation.id for obligation in decision.obligations),
        retry_after=iso(decision.until) if decision.until else "",
        nearest=decision.nearest or "",
        policy_version=found.policy,
        laws=found.laws,
        near_misses=found.near_misses,
        facts=found.facts,
    )


handlers: list[BaseRouteHandler] = [explain]
