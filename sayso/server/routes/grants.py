"""A second person for what is guarded, and canaries: who asks, who approves, who is planted."""

from typing import Annotated

from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from sayso.kernel import Tx, Work, raw, text
from sayso.server.call import Call
from sayso.server.calls.revealing import MOST_ITEMS, REVEALERS, Word, declared_purpose
from sayso.server.calls.storing import facts_of
from sayso.server.routes.gate import admits
from vault import Grant

Token = Annotated[str, Meta(max_length=200)]


class AskGrant(Struct, frozen=True, forbid_unknown_fields=True):
    """The tokens that the reveal will name, for which purpose, and why. `ticket` is a case that tells more."""

    tokens: Annotated[list[Token], Meta(min_length=1, max_length=MOST_ITEMS)]
    purpose: Word
    reason: Word
    ticket: Annotated[str, Meta(max_length=200)] = ""


class Grants(Struct, frozen=True):
    """The newest first."""

    grants: list[Grant]


class Plant(Struct, frozen=True, forbid_unknown_fields=True):
    """An invented person with invented data in the vault."""

    subject: str


class Canaries(Struct, frozen=True):
    """Who was planted, the newest first."""

    canaries: list[str]


@post("/v1/vault/grants", opt=admits(*REVEALERS), operation_id="vault.grants.ask", tags=["Vault"])
async def ask(call: NamedDependency[Call], data: JSONBody[AskGrant]) -> Grant:
    """Ask another person to let these tokens be opened. It waits a day; approved, they open once within 15 minutes."""

    def unit(tx: Tx) -> Work[Grant]:
        purpose = declared_purpose(call.configuration.purposes, data.purpose)
        return call.services.vault.ask_grant(
            tx, call.principal.opens_as, purpose, data.tokens, data.reason, data.ticket
        )

    return await call.alone(unit)


@get("/v1/vault/grants", opt=admits("officer", "auditor"), operation_id="vault.grants.list", tags=["Vault"])
async def listed(call: NamedDependency[Call]) -> Grants:
    """What was asked, by whom, and how it was answered."""
    return Grants(await call.look(call.services.vault.grants))


@post(
    "/v1/vault/grants/{grant:str}/approve",
    opt=admits("officer"),
    operation_id="vault.grants.approve",
    tags=["Vault"],
    status_code=200,
)
async def approve(call: NamedDependency[Call], grant: FromPath[str]) -> Grant:
    """Let it be opened. Nobody approves of what they asked for themselves."""
    return await call.alone(lambda tx: _decided(call, tx, grant, approve=True))


@post(
    "/v1/vault/grants/{grant:str}/refuse",
    opt=admits("officer"),
    operation_id="vault.grants.refuse",
    tags=["Vault"],
    status_code=200,
)
async def refuse(call: NamedDependency[Call], grant: FromPath[str]) -> Grant:
    """Do not let it be opened."""
    return await call.alone(lambda tx: _decided(call, tx, grant, approve=False))


def _decided(call: Call, tx: Tx, grant: str, *, approve: bool) -> Work[Grant]:
    return call.services.vault.decide_grant(tx, call.principal.opens_as, grant, approve=approve)


@get("/v1/vault/canaries", opt=admits("officer"), operation_id="vault.canaries.list", tags=["Vault"])
async def list_canaries(call: NamedDependency[Call]) -> Canaries:
    """The canaries. Tell nobody: they are worth something as long as nobody knows them."""
    return Canaries([text("sub", subject) for subject in await call.look(call.services.vault.planted)])


@post("/v1/vault/canaries", opt=admits("officer"), operation_id="vault.canaries.plant", tags=["Vault"])
async def plant(call: NamedDependency[Call], data: JSONBody[Plant]) -> Plant:
    """From now on an alarm sounds when somebody opens this person's data, tries to, or finds them by a search."""
    subject = raw(data.subject, "sub")

    def unit(tx: Tx) -> Work[Plant]:
        facts = yield from facts_of(call.services, tx, subject)
        yield from call.services.vault.plant(tx, facts)
        return data

    return await call.alone(unit)


@delete(
    "/v1/vault/canaries/{subject:str}",
    opt=admits("officer"),
    operation_id="vault.canaries.lift",
    tags=["Vault"],
    status_code=204,
)
async def lift(call: NamedDependency[Call], subject: FromPath[str]) -> None:
    """No alarm for this person any more."""
    person = raw(subject, "sub")
    await call.alone(lambda tx: call.services.vault.lift(tx, person))


handlers: list[BaseRouteHandler] = [ask, listed, approve, refuse, list_canaries, plant, lift]
