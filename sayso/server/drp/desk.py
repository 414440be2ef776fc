"""`AgentDesk`: what an agent of the network may do: have a token, exercise a right for a person, see it, take it back.

Every method is a cold unit of work. A request that an agent brings is a rights request like any other: it is opened for
whom the agent describes, known or not, says no more about them than before, and rests until it is known who asks.
"""

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from consent import Identifier, NoSubject
from rights import Calendar, Opening, RequestView
from sayso.kernel import TENANT_OWNER, Invalid, Key, Tx, Work, new_raw, raw, text
from sayso.server import store as server_store
from sayso.server.brand.portals import address_for
from sayso.server.callers import clients
from sayso.server.callers.auth import DRP_AGENT
from sayso.server.callers.clients import NewKey
from sayso.server.drp import store
from sayso.server.drp.declared import Agent, Network
from sayso.server.drp.messages import (
    DrpForbidden,
    DrpRefused,
    Exercise,
    Revocation,
    Setup,
    decoded,
    demand_signed,
    opened,
    read,
)
from sayso.server.drp.status import ExerciseStatus, status_of, wanted
from sayso.server.feed import addresses
from sayso.server.taken.stated import one_line

if TYPE_CHECKING:
    from sayso.server.wiring import Services

_LONGEST: int = 200
_PAGE = "/p/"


class Token(Struct, frozen=True, rename={"agent": "agent-id"}):
    """A token for the agent's later calls (2.05.1). It is shown once; one from before ends with it."""

    agent: str
    token: str


class AgentDesk:
    """Agents of all tenants."""

    def __init__(self, services: "Services") -> None:
        self._services = services

    def enrol(self, tx: Tx, agent: Agent, network: Network, body: bytes) -> Work[Token]:
        """A token for who signs with the agent's key. Raises `DrpRefused`, `DrpForbidden`, `DrpReplayed`."""
        signed = opened(body)
        demand_signed(signed, agent.verify_key)
        _, until = read(signed, Setup, agent.id, network.business, tx.context.at)
        yield from store.take(tx, signed.digest, until)
        yield from self._end_tokens(tx, agent.client)
        made = yield from clients.create_key(self._services, NewKey(agent.client, (DRP_AGENT,)), tx)
        return Token(agent.id, made.key)

    def exercise(self, tx: Tx, body: bytes) -> Work[ExerciseStatus]:
        """A person's request. Raises as `enrol`, and `RefusedAddress` for a callback that leads inside."""
        agent, network = self._agent(tx)
        signed = opened(body)
        demand_signed(signed, agent.verify_key)
        message, until = read(signed, Exercise, agent.id, network.business, tx.context.at)
        kind, law = wanted(message)
        callback, reference = message.status_callback or "", message.agent_request or ""
        if callback:
            addresses.check(callback, self._services.settings.inside_hosts)
        if len(reference) > _LONGEST:
            raise DrpRefused("An agent's own id of a request has 200 characters at most.")
        yield from store.take(tx, signed.digest, until)
        subject = yield from self._meant(tx, message)
        opening = Opening(
            subject=subject, kind=kind, law=law, calendar=Calendar(), agent=agent.name, stated=_stated(message)
        )
        policy = self._services.configurations.of(tx.context.tenant).policy
        view = yield from self._services.desk.open(tx, policy, opening)
        store.insert(tx, self.key(tx.context.tenant), view.request, agent.id, reference, callback)
        return self._status(tx, view, reference)

    def status(self, tx: Tx, request: str) -> Work[ExerciseStatus]:
        """A request that this agent brought. Raises `DrpForbidden` for any other."""
        agent, _ = self._agent(tx)
        brought = yield from store.of_agent(tx, self.key(tx.context.tenant), _request(request), agent.id)
        view = yield from self._services.desk.request(tx, brought.request)
        return self._status(tx, view, brought.reference)

    def revoke(self, tx: Tx, request: str, body: bytes) -> Work[ExerciseStatus]:
        """The person takes it back. Once is enough: a revoked one is shown as it is. Raises `ImpossibleStep`, …

        The protocol gives this message neither an id nor an end, so that two of them may be alike: the token tells
        whose it is, and that request alone is meant.
        """
        agent, _ = self._agent(tx)
        signed = opened(body)
        demand_signed(signed, agent.verify_key)
        told: Revocation = decoded(signed, Revocation)
        brought = yield from store.of_agent(tx, self.key(tx.context.tenant), _request(request), agent.id)
        view = yield from self._services.desk.request(tx, brought.request)
        if view.status != "revoked":
            view = yield from self._services.desk.revoke(tx, brought.request, (told.reason or "")[:4_000])
        return self._status(tx, view, brought.reference)

    def known(self, tx: Tx, agent: str) -> Work[dict[str, Any]]:
        """Whether the caller's token is that agent's (2.06). Raises `DrpForbidden`."""
        yield ()
        if self._agent(tx)[0].id != agent:
            raise DrpForbidden("The token is another agent's.")
        return {}

    def shown(self, tenant: str, view: RequestView, reference: str) -> ExerciseStatus:
        """What an agent is told of a request."""
        page = address_for(self._services.settings, self._services.configurations.of(tenant)) + _PAGE
        return status_of(view, reference, page)

    def key(self, tenant: str) -> Key:
        """What agents said of their requests lies under the tenant's key."""
        return self._services.keyring.standing(tenant, TENANT_OWNER)

    def _status(self, tx: Tx, view: RequestView, reference: str) -> ExerciseStatus:
        return self.shown(tx.context.tenant, view, reference)

    def _agent(self, tx: Tx) -> tuple[Agent, Network]:
        """Who calls. An agent that the manifest does not name any more is none, whatever token it has."""
        network = self._services.configurations.of(tx.context.tenant).drp
        agent = network.behind(tx.context.actor.name)
        if agent is None:
            raise DrpForbidden("This agent is not known here.")
        return agent, network

    def _end_tokens(self, tx: Tx, client: str) -> Work[None]:
        owners, keys = yield (tx.select(server_store.all_clients()), tx.select(server_store.all_keys()))
        own = {row[0] for row in owners if row[1] == client}
        for mark, owner, _, _, revoked, *_ in keys:
            if owner in own and not revoked:
                yield from clients.revoke_key(self._services, text("crd", mark[:16]), tx)

    def _meant(self, tx: Tx, message: Exercise) -> Work[bytes]:
        """Whom the agent describes, when what it says leads to one person; else an id that nobody has."""
        found: set[bytes] = set()
        for kind, value in (("email", message.email), ("phone", message.phone_number)):
            if not value:
                continue
            try:
                resolved = yield from self._services.registry.resolve(tx, Identifier(kind, value), create=False)
                found.add(raw(resolved.subject, "sub"))
            except (NoSubject, Invalid):
                # Unknown, or no address at all: an officer sees what was said.
                continue
        return found.pop() if len(found) == 1 else new_raw()


def _request(text: str) -> str:
    """A request's id as it stands in an address. One that is none is as forbidden as any other's."""
    try:
        raw(text, "rrq")
    except Invalid:
        raise DrpForbidden("This agent brought no such request.") from None
    return text


def _stated(message: Exercise) -> str:
    """What officers read of what the agent said, a line each."""
    lines = [f"{message.exercise} by an agent of the Data Rights Protocol"]
    for name, value, sure in (
        ("name", message.name, None),
        ("email", message.email, message.email_verified),
        ("phone", message.phone_number, message.phone_number_verified),
        ("address", _written(message.address), message.address_verified),
        ("power of attorney", message.power_of_attorney, None),
        ("relationships", ", ".join(message.relationships), None),
    ):
        if value:
            word = "" if sure is None else " (verified by the agent)" if sure else " (not verified)"
            lines.append(f"{name}: {one_line(value)}{word}")
    return "\n".join(lines)


def _written(address: Any) -> str:
    """An address as one line: text, or the parts of OpenID Connect Core 1.0, section 5.1.1."""
    if isinstance(address, dict):
        formatted = address.get("formatted")
        parts = [formatted] if isinstance(formatted, str) else list(address.values())
        return ", ".join(each for each in parts if isinstance(each, str))
    return address if isinstance(address, str) else ""
