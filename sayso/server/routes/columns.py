"""May I, for each of these rows? The native batch of questions, as columns."""

from litestar import post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import JSONBody

from policies import Columns, ColumnsAnswer, Question, answers_of, evaluate_table, read_table
from sayso.kernel import Tx, Work
from sayso.server.call import Call
from sayso.server.calls.decisions import ASKERS, judged
from sayso.server.routes.gate import admits


@post("/v1/decide/columns", opt=admits(*ASKERS), operation_id="decisions.columns", tags=["Decisions"], status_code=200)
async def columns(call: NamedDependency[Call], data: JSONBody[Columns]) -> ColumnsAnswer:
    """As many questions of this caller as there are rows, with one entry, in order. The same answers as one by one."""
    supported = frozenset(data.supported_obligations)

    def unit(tx: Tx) -> Work[ColumnsAnswer]:
        policy = call.configuration.policy
        actor, _ = judged(call.services, call.configuration, call.principal.actor)

        def asked(
            action: str, category: str, purpose: str | None, channel: str | None, jurisdiction: str | None
        ) -> Question:
            return Question(
                roles=actor.roles,
                action=action,
                category=category,
                purpose=purpose or actor.default_purpose,
                channel=channel,
                jurisdiction=jurisdiction,
                supported=supported,
            )

        table = read_table(data, asked)
        services = call.services
        decisions, entry = yield from evaluate_table(services.engine, services.audit, tx, policy, table)
        return ColumnsAnswer(answers_of(decisions), policy.version, tx.head.seq, entry)

    return await call.run(unit)


handlers: list[BaseRouteHandler] = [columns]
