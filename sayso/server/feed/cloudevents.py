"""A committed change as one client is told of it: CloudEvents 1.0, JSON event format.

The envelope holds nothing personal but the client's own name for the person. What the person chose, and where they
stand now, is read from the registry when the event is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
from msgspec import Struct, field

from consent import NoRecord, NoSubject, Payload
from rights import TaskView, UnknownTask
from sayso.kernel import Actor, Tx, Work, iso, seq_of, text
from sayso.server.feed.aliases import known_as
from sayso.server.feed.filters import PREFIX, Filter

if TYPE_CHECKING:
    from sayso.server.manifests.configuration import Configuration
    from sayso.server.wiring import Services


TASK: Final = "rights.task.created"
"""A task: for the client that answers for its system, and for nobody else."""

DISCLOSURE: Final = "rights.disclosure."
ALARM: Final = "vault.alarm.raised"
_OVERSEERS: Final = frozenset({"officer", "auditor", "admin"})
"""What those hear who were given data. The row's `ref` is the one client that it is for."""


class Change(NamedTuple):
    """A row of the feed."""

    position: int
    kind: str
    subject: bytes
    ref: bytes
    at: int

    @property
    def seq(self) -> str:
        """The registry's position once this was committed: what answers call `registry_seq`."""
        return seq_of(self.position)


class Now(Struct, frozen=True, omit_defaults=True):
    """Where the person stands on one purpose when the event is told, and on which ground that rests."""

    status: str
    since: str | None = None
    legal_basis: str = ""
    objected: bool = False


class Told(Struct, frozen=True, omit_defaults=True):
    """`data`. `choices` is what was done, `state` where the person stands now on those purposes. `tokens` are those
    that this client may present, by collection and field. `request` is the rights request that an event about a
    deadline is about; whose it is, is not told. `task` is what the client's system is to do about one.
    """

    registry_seq: str
    record: str | None = None
    method: str | None = None
    choices: dict[str, str] = {}
    ignored: dict[str, str] = {}
    state: dict[str, Now] = {}
    jurisdictions: tuple[str, ...] = ()
    tokens: dict[str, list[str]] = {}
    request: str | None = None
    task: TaskView | None = None


class CloudEvent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The envelope. `id` is unique for its `source`."""

    specversion: str
    id: str
    source: str
    type: str
    subject: str | None = None
    time: str
    datacontenttype: str = field(default="")
    data: Told


class Teller:
    """Tells changes to clients. Its methods are units that only look."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def wanted(self, tx: Tx, change: Change, client: str, wants: Filter) -> Work[bool]:
        """Whether a filter takes this change. A choice that cannot be read any more is told: silence would be worse.

        `client` is the name of who asks: some changes are for one client alone.
        """
        if not wants.takes(change.kind):
            return False
        if change.kind == TASK:
            return (yield from self._tasks(tx, change, client)) is not None
        if change.kind == ALARM:
            # Whoever opens a canary must not learn here which person it was.
            actor = self._services.configurations.of(tx.context.tenant).client(client)
            return actor is not None and bool(actor.roles & _OVERSEERS)
        if change.kind.startswith(DISCLOSURE):
            actor = self._services.configurations.of(tx.context.tenant).client(client)
            return actor is not None and actor.id == text("key", change.ref)
        if not wants.purposes:
            return True
        payload = yield from self._payload(tx, change)
        return payload is None or wants.covers(each.purpose for each in payload.changes)

    def event(self, tx: Tx, change: Change, client: Actor, wants: Filter) -> Work[CloudEvent]:
        """The change, as this client is told of it."""
        services, tenant = self._services, tx.context.tenant
        configuration = services.configurations.of(tenant)
        if change.kind == TASK:
            told = Told(change.seq, task=(yield from self._tasks(tx, change, client.name)))
            return self._enveloped(tenant, change, None, told)
        payload = yield from self._payload(tx, change)
        told = yield from self._told(tx, configuration, change, payload, client, wants)
        name = known_as(services.keyring, tenant, client, change.subject) if change.subject else None
        return self._enveloped(tenant, change, name, told)

    def _enveloped(self, tenant: str, change: Change, name: str | None, told: Told) -> CloudEvent:
        return CloudEvent(
            specversion="1.0",
            id=change.seq,
            source=f"{self._services.settings.base_url}/{tenant}",
            type=PREFIX + change.kind,
            subject=name,
            time=iso(change.at),
            datacontenttype="application/json",
            data=told,
        )

    def _tasks(self, tx: Tx, change: Change, client: str) -> Work[TaskView | None]:
        """The task behind a change, as its system is told of it; None for a client that does not answer for it."""
        systems = self._services.configurations.of(tx.context.tenant).systems
        try:
            found = yield from self._services.desk.tasks.told_of(tx, systems, text("tsk", change.ref))
        except UnknownTask:
            return None
        system = systems.get(found.system)
        return found if system is not None and system.client == client else None

    def _told(
        self,
        tx: Tx,
        configuration: Configuration,
        change: Change,
        payload: Payload | None,
        client: Actor,
        wants: Filter,
    ) -> Work[Told]:
        services = self._services
        if not change.subject:
            about_request = change.kind.startswith("rights.request.")
            return Told(change.seq, request=text("rrq", change.ref) if about_request else None)
        person = yield from services.registry.person(tx, change.subject)
        if person is None or person.erased_at:
            return Told(change.seq)
        tokens = yield from services.vault.tokens(tx, configuration.collections, change.subject, client.name)
        laws = tuple(dict.fromkeys(each.code for each in person.jurisdictions))
        if payload is None:
            return Told(change.seq, jurisdictions=laws, tokens=tokens)
        acts: dict[str, str] = {each.purpose: each.act for each in payload.changes}
        state = yield from self._now(tx, configuration, change.subject, acts, wants)
        return Told(
            change.seq,
            record=text("cns", change.ref),
            method=payload.method,
            choices={purpose: act for purpose, act in acts.items() if wants.covers((purpose,))},
            ignored={purpose: why for purpose, why in payload.ignored.items() if wants.covers((purpose,))},
            state=state,
            jurisdictions=laws,
            tokens=tokens,
        )

    def _now(
        self, tx: Tx, configuration: Configuration, subject: bytes, acts: dict[str, str], wants: Filter
    ) -> Work[dict[str, Now]]:
        """Every purpose that the choices touch: those named, and those below."""
        try:
            state = yield from self._services.registry.state(tx, configuration.catalogue, subject)
        except NoSubject:
            return {}
        return {
            name: Now(each.status, each.since, each.legal_basis, each.objected is True)
            for name, each in state.purposes.items()
            if wants.shows(name) and any(name == act or name.startswith(act + ".") for act in acts)
        }

    def _payload(self, tx: Tx, change: Change) -> Work[Payload | None]:
        """The record behind a change, if it is one and can still be opened."""
        if len(change.ref) != 16 or change.kind.startswith(DISCLOSURE):
            return None
        try:
            payload, _ = yield from self._services.registry.opened(tx, change.ref)
        except NoRecord:
            return None
        return payload


encode: Any = msgspec.json.Encoder().encode
"""An event as it travels."""
