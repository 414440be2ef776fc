"""Of which people is the answer yes? The query plan, for services that filter their own rows."""

from typing import Annotated, Literal

from litestar import post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import JSONBody
from msgspec import Meta, Struct

from policies import TERM, Condition, Question, Way
from sayso.kernel import Obligation, Tx, Work, iso
from sayso.server.call import Call
from sayso.server.calls.decisions import ASKERS, judged
from sayso.server.routes.gate import admits

Name = Annotated[str, Meta(min_length=1, max_length=128)]


class PlanQuestion(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A question without a person. `purpose` falls back to the client's own."""

    action: Name
    category: Name
    purpose: Name | None = None
    channel: Name | None = None
    jurisdiction: Name | None = None
    supported_obligations: tuple[Name, ...] = ()


class PlanView(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The plan: `condition` holds for those of whom the answer is yes.

    Made from one version of the rules; `valid_until` is when to ask for another. `reason` (and `nearest`, for an
    undeclared name) stand beside `always_denied` alone.
    """

    plan: Literal["always_denied", "conditional"]
    action: str
    category: str
    purpose: str | None = None
    channel: str | None = None
    jurisdiction: str | None = None
    reason: str = ""
    nearest: str | None = None
    condition: Condition
    ways: tuple[Way, ...] = ()
    obligations: tuple[Obligation, ...] = ()
    policy_version: str
    valid_until: str
    entry: str


@post("/v1/plan", opt=admits(*ASKERS), operation_id="policy.plan", tags=["Decisions"], status_code=200)
async def plan(call: NamedDependency[Call], data: JSONBody[PlanQuestion]) -> PlanView:
    """Of which people this caller may do that, as conditions on a person's state; it names and permits nobody."""

    def unit(tx: Tx) -> Work[PlanView]:
        configuration = call.configuration
        actor, _ = judged(call.services, configuration, call.principal.actor)
        question = Question(
            roles=actor.roles,
            action=data.action,
            category=data.category,
            purpose=data.purpose or actor.default_purpose,
            channel=data.channel,
            jurisdiction=data.jurisdiction,
            supported=frozenset(data.supported_obligations),
        )
        found, entry = call.services.engine.plan(tx, configuration.policy, question)
        yield ()
        return PlanView(
            plan=found.plan,
            action=question.action,
            category=question.category,
            purpose=question.purpose,
            channel=question.channel,
            jurisdiction=question.jurisdiction,
            reason=found.reason,
            nearest=found.nearest,
            condition=found.condition,
            ways=found.ways,
            obligations=found.obligations,
            policy_version=configuration.policy.version,
            valid_until=iso(tx.context.at + TERM),
            entry=entry,
        )

    return await call.run(unit)


handlers: list[BaseRouteHandler] = [plan]
