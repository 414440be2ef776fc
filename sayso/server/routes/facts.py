"""Facts about a person that decide: which laws, what age, whose child, which contracts. Read together, written one by
one, each write with its entry.
"""

from typing import Annotated

from litestar import delete, get, put
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Struct

from consent import RelationState, SubjectFacts
from sayso.kernel import Tx, Work, raw
from sayso.server.call import Call
from sayso.server.routes.gate import admits

READERS = ("recorder", "officer", "auditor")


class AgeBandBody(Struct, frozen=True, forbid_unknown_fields=True):
    """How old the person is now, in years: `youngest` at least, below `below` where that is known. No date of birth.

    `source` is a short lower-case word: `declared`, `guardian`, `document`, `estimation` …
    """

    youngest: int
    source: str
    below: int | None = None


class GuardianBody(Struct, frozen=True, forbid_unknown_fields=True):
    """How it was verified that this person may choose for the child (`document`, `payment_card`, `in_person` …), and
    who says so.
    """

    verified_by: str
    source: str = "declared"


class FactWritten(Struct, frozen=True):
    """The fact is durable, and so is its entry."""

    subject: str
    entry: str


@get(
    "/v1/subjects/{subject:str}/facts",
    opt=admits(*READERS),
    operation_id="subjects.facts",
    tags=["People"],
)
async def facts(call: NamedDependency[Call], subject: FromPath[str]) -> SubjectFacts:
    """Every fact about the person that decides, besides their choices."""
    person = raw(subject, "sub")

    def unit(tx: Tx) -> Work[SubjectFacts]:
        return (yield from call.services.registry.facts.read(tx, call.configuration.catalogue, person))

    return await call.look(unit)


@delete(
    "/v1/subjects/{subject:str}/jurisdictions/{code:str}",
    opt=admits("recorder", "officer"),
    operation_id="subjects.displace",
    tags=["People"],
    status_code=200,
)
async def displace(
    call: NamedDependency[Call],
    subject: FromPath[str],
    code: FromPath[str],
    source: Annotated[str | None, QueryParameter(description="Only as this source gave it.")] = None,
) -> FactWritten:
    """This law does not apply, or not on the word of that source. With none left the strictest does."""
    person = raw(subject, "sub")

    def unit(tx: Tx) -> Work[FactWritten]:
        return FactWritten(subject, (yield from call.services.registry.facts.displace(tx, person, code, source)))

    return await call.run(unit)


@put(
    "/v1/subjects/{subject:str}/age-band",
    opt=admits("recorder", "officer"),
    operation_id="subjects.age",
    tags=["People"],
)
async def age(call: NamedDependency[Call], subject: FromPath[str], data: JSONBody[AgeBandBody]) -> FactWritten:
    """Record how old the person is. Below the age of the strictest law known, a guardian says yes for them."""
    person = raw(subject, "sub")

    def unit(tx: Tx) -> Work[FactWritten]:
        catalogue, registry = call.configuration.catalogue, call.services.registry
        entry = yield from registry.facts.age(tx, catalogue, person, data.youngest, data.below, data.source)
        return FactWritten(subject, entry)

    return await call.run(unit)


@put(
    "/v1/subjects/{subject:str}/guardians/{guardian:str}",
    opt=admits("recorder", "officer"),
    operation_id="subjects.guard",
    tags=["People"],
)
async def guard(
    call: NamedDependency[Call], subject: FromPath[str], guardian: FromPath[str], data: JSONBody[GuardianBody]
) -> FactWritten:
    """Record who may choose for the person. Both are people of this brand."""
    person, other = raw(subject, "sub"), raw(guardian, "sub")

    def unit(tx: Tx) -> Work[FactWritten]:
        registry = call.services.registry
        return FactWritten(subject, (yield from registry.facts.guard(tx, person, other, data.verified_by, data.source)))

    return await call.run(unit)


@delete(
    "/v1/subjects/{subject:str}/guardians/{guardian:str}",
    opt=admits("recorder", "officer"),
    operation_id="subjects.unguard",
    tags=["People"],
    status_code=200,
)
async def unguard(call: NamedDependency[Call], subject: FromPath[str], guardian: FromPath[str]) -> FactWritten:
    """No longer a guardian. What they said for the person stands."""
    person, other = raw(subject, "sub"), raw(guardian, "sub")

    def unit(tx: Tx) -> Work[FactWritten]:
        return FactWritten(subject, (yield from call.services.registry.facts.unguard(tx, person, other)))

    return await call.run(unit)


@delete(
    "/v1/subjects/{subject:str}/relations/{ref:str}",
    opt=admits("recorder"),
    operation_id="subjects.unrelate",
    tags=["People"],
    status_code=200,
)
async def unrelate(call: NamedDependency[Call], subject: FromPath[str], ref: FromPath[str]) -> RelationState:
    """The relation is over. It stays on record with its end."""
    person = raw(subject, "sub")

    def unit(tx: Tx) -> Work[RelationState]:
        return (yield from call.services.registry.facts.unrelate(tx, person, ref))

    return await call.run(unit)


@put(
    "/v1/subjects/{subject:str}/restriction",
    opt=admits("officer"),
    operation_id="subjects.restrict",
    tags=["People"],
)
async def restrict(call: NamedDependency[Call], subject: FromPath[str]) -> FactWritten:
    """Restrict processing: what rests on consent, interest, notice, contract or public task stops (GDPR Art. 18)."""
    return await _restricted(call, subject, on=True)


@delete(
    "/v1/subjects/{subject:str}/restriction",
    opt=admits("officer"),
    operation_id="subjects.unrestrict",
    tags=["People"],
    status_code=200,
)
async def unrestrict(call: NamedDependency[Call], subject: FromPath[str]) -> FactWritten:
    """Lift the restriction. The person is to be told before (GDPR Art. 18(3))."""
    return await _restricted(call, subject, on=False)


async def _restricted(call: Call, subject: str, *, on: bool) -> FactWritten:
    person = raw(subject, "sub")

    def unit(tx: Tx) -> Work[FactWritten]:
        return FactWritten(subject, (yield from call.services.registry.restrict(tx, person, on=on)))

    return await call.run(unit)


handlers: list[BaseRouteHandler] = [facts, displace, age, guard, unguard, unrelate, restrict, unrestrict]
