"""Change control: what waits for a second person, what was live, and the way back."""

from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec import Meta, Struct

from sayso.kernel import Tx, Work
from sayso.server.call import Call
from sayso.server.control import proposals
from sayso.server.control.proposals import ProposalView
from sayso.server.control.rollback import RollingBack, roll_back
from sayso.server.control.versions import MOST, VersionList, WholeVersion, list_versions, one_version
from sayso.server.manifests.applying import Applied
from sayso.server.routes.gate import admits

Words = Annotated[str, Meta(max_length=4000)]


class ProposalList(Struct, frozen=True):
    """The newest hundred proposals, newest first."""

    proposals: list[ProposalView]


class WholeProposal(Struct, frozen=True):
    """A proposal with its report, which is what `POST /v1/manifest` answered, and the manifest that would be live."""

    proposal: ProposalView
    report: msgspec.Raw
    manifest: msgspec.Raw


class Reason(Struct, frozen=True, forbid_unknown_fields=True):
    """Why, in words."""

    reason: Words


def changed(done: Applied) -> Response[Applied]:
    """200 for what is live or planned, 202 for what waits for a second person."""
    if done.status != "proposed":
        return Response(done, status_code=200)
    return Response(done, status_code=202, headers={"location": f"/v1/manifest/proposals/{done.proposal}"})


@get(
    "/v1/manifest/proposals",
    opt=admits("officer", "auditor"),
    operation_id="manifest.proposals",
    tags=["Administration"],
)
async def proposal_list(call: NamedDependency[Call]) -> ProposalList:
    """What waits for a second person, and what became of what waited."""
    return ProposalList(await call.look(lambda tx: proposals.list_proposals(call.services, tx)))


@get(
    "/v1/manifest/proposals/{proposal:str}",
    opt=admits("officer", "auditor"),
    operation_id="manifest.proposal",
    tags=["Administration"],
)
async def proposal(call: NamedDependency[Call], proposal: FromPath[str]) -> WholeProposal:
    """One proposal: its report, and the whole manifest that would be live."""

    def unit(tx: Tx) -> Work[WholeProposal]:
        view, held = yield from proposals.one_proposal(call.services, tx, proposal)
        return WholeProposal(view, msgspec.Raw(held.report), msgspec.Raw(held.content))

    return await call.look(unit)


@post(
    "/v1/manifest/proposals/{proposal:str}/approve",
    opt=admits("officer"),
    operation_id="manifest.approve",
    tags=["Administration"],
    status_code=200,
)
async def approve(call: NamedDependency[Call], proposal: FromPath[str]) -> ProposalView:
    """Approve what another person proposed: it is live when this is answered."""
    return await call.alone(lambda tx: proposals.approve(call.services, tx, proposal, call.principal))


@post(
    "/v1/manifest/proposals/{proposal:str}/reject",
    opt=admits("officer"),
    operation_id="manifest.reject",
    tags=["Administration"],
    status_code=200,
)
async def reject(call: NamedDependency[Call], proposal: FromPath[str], data: JSONBody[Reason]) -> ProposalView:
    """Turn down what another person proposed, and say why."""
    return await call.alone(lambda tx: proposals.reject(call.services, tx, proposal, call.principal, data.reason))


@post(
    "/v1/manifest/proposals/{proposal:str}/withdraw",
    opt=admits("officer"),
    operation_id="manifest.withdraw",
    tags=["Administration"],
    status_code=200,
)
async def withdraw(call: NamedDependency[Call], proposal: FromPath[str]) -> ProposalView:
    """Take back what one proposed oneself."""
    return await call.alone(lambda tx: proposals.withdraw(call.services, tx, proposal, call.principal))


@get(
    "/v1/manifest/versions",
    opt=admits("officer", "auditor"),
    operation_id="manifest.versions",
    tags=["Administration"],
)
async def versions(
    call: NamedDependency[Call],
    before: FromQuery[int | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=MOST)] = 50,
) -> VersionList:
    """Every version that was live, newest first, with who made and who approved it."""
    return await call.look(lambda tx: list_versions(call.services, tx, before, limit))


@get(
    "/v1/manifest/versions/{version:int}",
    opt=admits("officer", "auditor"),
    operation_id="manifest.version",
    tags=["Administration"],
)
async def version(call: NamedDependency[Call], version: FromPath[int]) -> WholeVersion:
    """One version with all its sections."""
    return await call.look(lambda tx: one_version(call.services, tx, version))


@post(
    "/v1/manifest/rollbacks",
    opt=admits("officer"),
    operation_id="manifest.rollback",
    tags=["Administration"],
    status_code=200,
)
async def rollback(call: NamedDependency[Call], data: JSONBody[RollingBack]) -> Response[Applied]:
    """Go back to an earlier version in one step: a new version that says the same, as far as published words may be
    unsaid. While changes need two people it is a proposal (202), unless one person breaks the glass and says why.
    """
    return changed(await roll_back(call, data))


handlers: list[BaseRouteHandler] = [
    proposal_list,
    proposal,
    approve,
    reject,
    withdraw,
    versions,
    version,
    rollback,
]
