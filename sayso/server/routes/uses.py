"""Uses that were permitted and did not happen."""

from typing import Annotated, Final

from litestar import post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from sayso.kernel import Tx, Work, raw
from sayso.server.call import Call
from sayso.server.calls.decisions import ASKERS, MOST_SUBJECTS
from sayso.server.routes.gate import admits

Person = Annotated[str, Meta(max_length=64)]

_ANY_CLIENT: Final = frozenset(("pep", "officer"))
"""Who asks for other clients may give back for them too."""


class Unused(Struct, frozen=True, forbid_unknown_fields=True):
    """To whom nothing was sent. May be left out where the entry is about one person."""

    subjects: Annotated[tuple[Person, ...], Meta(max_length=MOST_SUBJECTS)] = ()


class GivenBack(Struct, frozen=True):
    """For how many people a message had counted and does no longer."""

    given_back: int


@post(
    "/v1/uses/{entry:str}/unused",
    opt=admits(*ASKERS),
    operation_id="uses.unused",
    tags=["Decisions"],
    status_code=200,
)
async def unused(call: NamedDependency[Call], entry: FromPath[str], data: JSONBody[Unused]) -> GivenBack:
    """Nothing was sent after all: the message that this entry permitted counts towards nobody's limit any more.

    Of the caller's own entries; doing it twice is no error, and counts nobody twice.
    """
    people = [raw(subject, "sub") for subject in dict.fromkeys(data.subjects)]
    actor = call.principal.actor
    client = None if actor.roles & _ANY_CLIENT else actor.name

    def unit(tx: Tx) -> Work[GivenBack]:
        return GivenBack((yield from call.services.engine.give_back(tx, entry, people, client)))

    return await call.alone(unit)


handlers: list[BaseRouteHandler] = [unused]
