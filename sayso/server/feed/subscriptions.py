"""Subscriptions: which client is told of what, and where to. Secrets are shown once and lie sealed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from audit import AuditEvent
from sayso.kernel import (
    DAY,
    Actor,
    Conflict,
    Invalid,
    NotFound,
    Sealer,
    Tx,
    Values,
    Work,
    iso,
    nearest,
    new_raw,
    raw,
    text,
)
from sayso.server import events
from sayso.server.callers.auth import UNDER_ADMIN
from sayso.server.feed import addresses, filters, jetstream, store
from sayso.server.feed.changes import begun_after
from sayso.server.feed.filters import Filter
from sayso.server.feed.signing import new_secret

if TYPE_CHECKING:
    from sayso.server.wiring import Services

ID: Final = "whk"
MOST: Final = 20
"""Subscriptions of one client."""

OVERLAP: Final = DAY
"""How long a replaced secret still signs beside the new one."""

OVERSEERS: Final = UNDER_ADMIN - {"recorder", "vault_writer"} | {"admin"}
"""Roles that see every client's subscriptions; administrators may also change them."""

Status = Literal["active", "paused", "gone"]


class UnknownWebhook(NotFound):
    """No subscription of that id that this caller may see."""


class TooManyWebhooks(Conflict):
    """A client has as many subscriptions as one may have."""


class UnknownClient(Invalid):
    """A client that the brand does not have."""


class Secret(Struct, frozen=True, array_like=True):
    """A sealed secret; it signs until `until` (0: until it is replaced)."""

    sealed: bytes
    until: int = 0


class Content(Struct, frozen=True, array_like=True):
    """What is stored of a subscription. `status` `gone`: the receiver answered 410 and is left alone."""

    url: str
    types: tuple[str, ...]
    purposes: tuple[str, ...]
    status: Status
    secrets: tuple[Secret, ...]

    @property
    def filter(self) -> Filter:
        """What it wants."""
        return Filter(self.types, self.purposes)


class Subscription(Struct, frozen=True):
    """A subscription as the program knows it."""

    id: bytes
    version: int
    client: bytes
    content: Content
    created: int

    def secrets(self, sealer: Sealer, tenant: str, at: int) -> Iterator[str]:
        """Those that sign now, the newest first."""
        key = sealer.standing(tenant, self.client)
        for secret in self.content.secrets:
            if not secret.until or secret.until > at:
                yield key.open("feed", text(ID, self.id), secret.sealed).decode()


class NewWebhook(Struct, frozen=True, forbid_unknown_fields=True):
    """Where to, and what of. Without `types` and `purposes` everything. `after` is a cursor of `GET /v1/changes`;
    without it messages begin with the next change. `client` is for administrators who subscribe another client.
    """

    url: str
    types: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    client: str | None = None
    after: str | None = None


class ChangedWebhook(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to change. `rotate_secret` makes a new secret; for a day both sign."""

    url: str | None = None
    types: tuple[str, ...] | None = None
    purposes: tuple[str, ...] | None = None
    status: Literal["active", "paused"] | None = None
    rotate_secret: bool = False


class Webhook(Struct, frozen=True, omit_defaults=True):
    """A subscription as it is answered. `secret` is shown when it is made, and never again."""

    id: str
    client: str
    url: str
    types: tuple[str, ...]
    purposes: tuple[str, ...]
    status: Status
    created_at: str
    secret: str | None = None


class Subscriptions:
    """Makes, changes, lists and ends them. Cold units, each change with its entry."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def create(self, tx: Tx, wanted: NewWebhook) -> Work[Webhook]:
        """Raises `RefusedAddress`, `UnknownType`, `UnknownPurpose`, `UnknownClient`, `TooManyWebhooks`."""
        services, tenant, actor = self._services, tx.context.tenant, tx.context.actor
        client = self._client(tenant, actor, wanted.client)
        self._check_url(wanted.url, actor)
        wants = self._filter(tenant, wanted.types, wanted.purposes)
        start = tx.head.position
        if wanted.after is not None:
            start = yield from begun_after(tx, services.keyring, wanted.after)
        rows = yield (tx.select(store.all_subscriptions()),)
        owner = raw(client.id, "key")
        if sum(bytes(row[2]) == owner for row in rows[0]) >= MOST:
            raise TooManyWebhooks("too-many-webhooks", "This client has as many webhooks as one may have.", limit=MOST)
        fresh, secret = new_raw(), new_secret()
        content = Content(
            wanted.url, wants.types, wants.purposes, "active", (self._sealed(tenant, owner, fresh, secret),)
        )
        tx.insert(store.SUBSCRIPTION, fresh, 1, owner, msgspec.msgpack.encode(content), tx.context.at)
        tx.insert(store.COURIER, fresh, 1, start, b"", 0)
        tx.configure()
        self._write(tx, events.WEBHOOK_CREATED, fresh, client.name)
        return self._shown(Subscription(fresh, 1, owner, content, tx.context.at), client.name, secret)

    def change(self, tx: Tx, webhook: str, wanted: ChangedWebhook) -> Work[Webhook]:
        """Raises what `create` raises, and `UnknownWebhook`."""
        tenant, at = tx.context.tenant, tx.context.at
        found, name = yield from self.own(tx, webhook)
        content, secret = found.content, None
        if wanted.url is not None:
            self._check_url(wanted.url, tx.context.actor)
            content = replace(content, url=wanted.url)
        if wanted.types is not None or wanted.purposes is not None:
            types = content.types if wanted.types is None else wanted.types
            purposes = content.purposes if wanted.purposes is None else wanted.purposes
            wants = self._filter(tenant, types, purposes)
            content = replace(content, types=wants.types, purposes=wants.purposes)
        if wanted.status is not None:
            content = replace(content, status=wanted.status)
        if wanted.rotate_secret:
            secret = new_secret()
            fresh = self._sealed(tenant, found.client, found.id, secret)
            old = [each for each in content.secrets if not each.until or each.until > at][:3]
            kept = (replace(each, until=each.until or at + OVERLAP) for each in old)
            content = replace(content, secrets=(fresh, *kept))
        changed = Subscription(found.id, found.version + 1, found.client, content, found.created)
        self.save(tx, found, changed)
        yield from self.wake(tx, found.id)
        self._write(tx, events.WEBHOOK_CHANGED, found.id, name)
        return self._shown(changed, name, secret)

    def delete(self, tx: Tx, webhook: str) -> Work[None]:
        """End a subscription, with its messages. Raises `UnknownWebhook`."""
        found, name = yield from self.own(tx, webhook)
        tx.delete(store.SUBSCRIPTION, found.id)
        tx.delete(store.COURIER, found.id)
        tx.execute(store.messages_of(found.id))
        tx.configure()
        self._write(tx, events.WEBHOOK_DELETED, found.id, name)

    def listed(self, tx: Tx) -> Work[tuple[Webhook, ...]]:
        """The caller's own, or everybody's for those who oversee."""
        found = yield from self.all(tx)
        actor, tenant = tx.context.actor, tx.context.tenant
        own = [each for each in found if actor.roles & OVERSEERS or text("key", each.client) == actor.id]
        return tuple(self._shown(each, self.name_of(tenant, each.client)) for each in own)

    def one(self, tx: Tx, webhook: str) -> Work[Webhook]:
        """One that the caller may look at. Raises `UnknownWebhook`."""
        return self._shown(*(yield from self.visible(tx, webhook)))

    def all(self, tx: Tx) -> Work[tuple[Subscription, ...]]:
        """Every subscription of the brand, oldest first."""
        (rows,) = yield (tx.select(store.all_subscriptions()),)
        return tuple(_stored(bytes(row[0]), (row[1], row[2], row[3], row[4])) for row in rows)

    def visible(self, tx: Tx, webhook: str) -> Work[tuple[Subscription, str]]:
        """A subscription that the caller may look at, and its client's name. Raises `UnknownWebhook`."""
        return (yield from self._find(tx, webhook, OVERSEERS))

    def own(self, tx: Tx, webhook: str) -> Work[tuple[Subscription, str]]:
        """One that the caller may change. Raises `UnknownWebhook`."""
        return (yield from self._find(tx, webhook, frozenset({"admin"})))

    def save(self, tx: Tx, was: Subscription, now: Subscription) -> None:
        """Replace what is stored, unless somebody else did."""
        tx.put(store.SUBSCRIPTION, (was.id,), _row(now), was=_row(was))
        tx.configure()

    def wake(self, tx: Tx, subscription: bytes) -> Work[None]:
        """Tell whoever sends its messages that there is something new to do."""
        (row,) = yield (tx.get(store.COURIER, subscription),)
        if row is not None:
            version, position, holder, wakes = row
            tx.put(store.COURIER, (subscription,), (version + 1, position, holder, wakes + 1), was=row)

    def decoded(self, subscription: bytes, row: Values) -> Subscription:
        """A row of the table, read by its key."""
        return _stored(subscription, row)

    def name_of(self, tenant: str, client: bytes) -> str:
        """The client's name."""
        actor = self.actor_of(tenant, client)
        return actor.name if actor is not None else ""

    def actor_of(self, tenant: str, client: bytes) -> Actor | None:
        """The client, as it would act itself today."""
        wanted = text("key", client)
        registered = self._services.configurations.of(tenant).registered
        return next((actor for actor in registered.values() if actor.id == wanted), None)

    def _find(self, tx: Tx, webhook: str, others: frozenset[str]) -> Work[tuple[Subscription, str]]:
        wanted, actor = raw(webhook, ID), tx.context.actor
        (row,) = yield (tx.get(store.SUBSCRIPTION, wanted),)
        found = _stored(wanted, row) if row is not None else None
        if found is None or not (actor.roles & others or text("key", found.client) == actor.id):
            raise UnknownWebhook("not-found", "There is no such webhook.")
        return found, self.name_of(tx.context.tenant, found.client)

    def _client(self, tenant: str, actor: Actor, named: str | None) -> Actor:
        registered = self._services.configurations.of(tenant).registered
        if named is None and actor.name in registered and registered[actor.name].id == actor.id:
            return registered[actor.name]
        if named is not None and named in registered and ("admin" in actor.roles or named == actor.name):
            return registered[named]
        near = nearest(named or "", registered) if "admin" in actor.roles else None
        raise UnknownClient("unknown-client", "Name a client of this brand whose webhook it is.", nearest=near)

    def _check_url(self, url: str, actor: Actor) -> None:
        settings = self._services.settings
        if url.startswith(jetstream.SCHEME):
            jetstream.check(url, settings, actor)
        else:
            addresses.check(url, settings.inside_hosts)

    def _filter(self, tenant: str, types: tuple[str, ...], purposes: tuple[str, ...]) -> Filter:
        return filters.made(types, purposes, self._services.configurations.of(tenant).purposes)

    def _sealed(self, tenant: str, owner: bytes, subscription: bytes, secret: str) -> Secret:
        key = self._services.keyring.standing(tenant, owner)
        return Secret(key.seal("feed", text(ID, subscription), secret.encode()))

    def _shown(self, found: Subscription, client: str, secret: str | None = None) -> Webhook:
        content = found.content
        types = tuple(filters.PREFIX + each for each in content.types)
        return Webhook(
            text(ID, found.id),
            client,
            content.url,
            types,
            content.purposes,
            content.status,
            iso(found.created),
            secret,
        )

    def _write(self, tx: Tx, event: str, subscription: bytes, client: str) -> None:
        res = {"webhook": text(ID, subscription), "client": client}
        self._services.audit.append(tx, AuditEvent(event, "ok", res), None)


def _stored(subscription: bytes, row: Values) -> Subscription:
    version, client, content, created = row
    return Subscription(subscription, version, bytes(client), msgspec.msgpack.decode(content, type=Content), created)


def _row(found: Subscription) -> Values:
    return (found.version, found.client, msgspec.msgpack.encode(found.content), found.created)
