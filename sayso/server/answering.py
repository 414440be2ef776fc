"""Answering rights requests: what API and console do alike, above the desk."""

from collections.abc import Sequence

from msgspec.structs import replace

from rights import OPENED, Correction, LegalGround, RequestView
from sayso.server.call import Call
from sayso.server.manifests.configuration import Configuration
from vault import check_values


async def fulfilled(
    call: Call, request: str, grounds: tuple[LegalGround, ...] = (), statement: str = ""
) -> RequestView:
    """Do what is ours to do; of what takes two officers, what the other one proposed. Raises as `RightsDesk.fulfil`."""
    services, live = call.services, call.configuration
    done = await services.desk.fulfil(
        services.database,
        call.context,
        live.policy,
        request,
        grounds=grounds,
        statement=statement,
        reach=live.reach,
        person=call.principal.counts_as,
    )
    if done.kind == "erasure":
        await services.revocation.note(services.database, call.context)
    return done


def told_to(call: Call, found: RequestView) -> RequestView:
    """A request as this caller is told of it: who asks for a person, and what they said of them, is for officers. A
    caller who is no auditor either learns nothing that was said with a step.
    """
    roles = call.principal.actor.roles
    if roles & {"officer", "admin"}:
        return found
    if "auditor" in roles:
        return replace(found, agent="", statements=[each for each in found.statements if each.step != OPENED])
    return replace(found, agent="", statements=[], corrects=())


def demand_fields(configuration: Configuration, corrections: Sequence[Correction]) -> None:
    """Raises as the vault does for a correction of a field that does not exist or does not take its value."""
    for collection in dict.fromkeys(each.collection for each in corrections):
        fields = {each.field: each.value for each in corrections if each.collection == collection}
        check_values(configuration.collections, collection, fields)
