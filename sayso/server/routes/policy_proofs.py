"""Rules tested and compared before they decide."""

from litestar import post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import JSONBody

from policies import Difference
from sayso.server.call import Call
from sayso.server.manifests.proofs import Comparing, Proven, Proving, compare, test
from sayso.server.manifests.simulating import Simulated, Simulating, simulate
from sayso.server.routes.gate import admits


@post(
    "/v1/policy/test",
    opt=admits("officer", "auditor"),
    operation_id="policy.test",
    tags=["Decisions"],
    status_code=200,
)
async def run_tests(call: NamedDependency[Call], data: JSONBody[Proving]) -> Proven:
    """Run tests of rules: those beside the live rules, those in the files (a table where the name ends in `.csv`, else
    the section `policy_tests`), against the live rules or those of a draft. About invented people: nobody's data is
    read, and nothing is written.
    """
    return await test(call, data)


@post(
    "/v1/policy/diff",
    opt=admits("officer", "auditor"),
    operation_id="policy.diff",
    tags=["Decisions"],
    status_code=200,
)
async def show_difference(call: NamedDependency[Call], data: JSONBody[Comparing]) -> Difference:
    """Which questions two sets of rules answer differently: newly permitted, newly denied, permitted on other terms,
    in groups. A side is a stored version, or what files would make of the live manifest, or, empty, what is live.
    """
    return await compare(call, data)


@post(
    "/v1/policy/simulate",
    opt=admits("officer", "auditor"),
    operation_id="policy.simulate",
    tags=["Decisions"],
    status_code=200,
)
async def replay_decisions(call: NamedDependency[Call], data: JSONBody[Simulating]) -> Simulated:
    """What a draft of the rules would have answered to the decisions of the last days: how many newly permitted, newly
    denied, and how many cannot be told, because the entry does not hold the fact that they would turn on. Of people
    nothing is opened. Leaves an entry.
    """
    return await simulate(call, data)


handlers: list[BaseRouteHandler] = [run_tests, show_difference, replay_decisions]
