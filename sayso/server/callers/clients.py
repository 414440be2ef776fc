"""API clients and their keys: made, listed, ended. Each change is an entry, known to every node before it decides."""

from collections.abc import Collection
from typing import Any

import msgspec

from audit import AuditEvent
from sayso.kernel import Conflict, Denied, Invalid, NotFound, Tx, Work, add_duration, iso, nearest, new_raw, raw, text
from sayso.server import events, store
from sayso.server.callers.auth import BUILT_IN, OPERATOR, UNGIVEN, Principal, Profile, fingerprint, new_key
from sayso.server.manifests.configuration import Configuration
from sayso.server.manifests.sites import CLIENT_NAME
from sayso.server.wiring import Services
from vault import SECOND_PERSON


class UnknownRole(Invalid):
    """A role that neither Sayso nor the manifest declares."""


class ClientDiffers(Conflict):
    """A client of that name exists and is something else."""


class UnknownKey(NotFound):
    """No key of that id in this brand."""


class OwnKey(Denied):
    """Who made a key cannot be who confirms it."""


class NewKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a new key is for. Without roles it gets those that the manifest declares for the client of that name."""

    name: str
    roles: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    default_purpose: str | None = None
    expires_in: str | None = None


class MadeKey(msgspec.Struct, frozen=True, omit_defaults=True):
    """A new API key, shown this once. `id` names the key when it is revoked, `client` names the caller in entries."""

    key: str
    id: str
    client: str
    name: str
    roles: tuple[str, ...]
    expires_at: str | None = None


class ListedKey(msgspec.Struct, frozen=True, omit_defaults=True):
    """A key as it is listed: everything but the key. `counts_as` is who made it, as long as nobody else confirmed it:
    where two people are needed, that is whom it counts as. `made_by` is the same of every key, made before two were
    needed as well: where a value takes two people it counts as them.
    """

    id: str
    client: str
    name: str
    roles: tuple[str, ...]
    created_at: str
    scopes: tuple[str, ...] = ()
    default_purpose: str | None = None
    expires_at: str | None = None
    revoked_at: str | None = None
    counts_as: str | None = None
    made_by: str | None = None


class Keys(msgspec.Struct, frozen=True):
    """The brand's keys, oldest first."""

    keys: tuple[ListedKey, ...]


def demand_roles(roles: Collection[str], declared: Collection[str]) -> None:
    """Raises `UnknownRole` unless each role is built in (but not `self` or `overdue`) or declared by the manifest."""
    for role in roles:
        if role in UNGIVEN or (role not in BUILT_IN and role not in declared):
            names = sorted({*BUILT_IN, *declared} - UNGIVEN)
            raise UnknownRole(
                "unknown-role", "A role that this call names is not declared.", nearest=nearest(role, names)
            )


def create_key(services: Services, wanted: NewKey, tx: Tx, maker: Principal | None = None) -> Work[MadeKey]:
    """A cold unit: the client if it is new, a key for it, its standing log key, and the entry.

    While changes need two people, the key counts as its `maker` until somebody else confirms it; where values do, it
    does so whenever it was made.
    """
    tenant = tx.context.tenant
    configuration = services.configurations.of(tenant)
    if not CLIENT_NAME.fullmatch(wanted.name):
        raise Invalid("invalid-client-name", "A client's name has 1 to 63 lower-case letters, digits, '-' and '_'.")
    profile = _profile(wanted, configuration.clients.get(wanted.name))
    demand_roles(profile.roles, configuration.roles)
    if profile.default_purpose is not None and profile.default_purpose not in configuration.purposes:
        near = nearest(profile.default_purpose, configuration.purposes)
        raise Invalid("unknown-purpose", "The default purpose is not declared.", nearest=near)
    until = add_duration(tx.context.at, wanted.expires_in) if wanted.expires_in else 0
    (rows,) = yield (tx.select(store.all_clients()),)
    client = _client_of(rows, wanted.name, profile)
    if client is None:
        client = new_raw()
        tx.insert(store.CLIENT, wanted.name, client, msgspec.msgpack.encode(profile), tx.context.at)
    yield from services.keyring.provision(tx, client)
    key = new_key()
    mark = fingerprint(key)
    held = None if maker is None or _first_of_all(services, tenant, maker) else maker
    person = held.counts_as if held is not None and _takes_two(configuration) else ""
    hand = held.opens_as if held is not None else ""
    tx.insert(store.KEY, mark, client, tx.context.at, until, 0, person.encode(), hand.encode())
    _write(services, tx, events.KEY_CREATED, {"client": wanted.name, "roles": " ".join(sorted(profile.roles))})
    tx.configure()
    ends = iso(until) if until else None
    return MadeKey(key, text("crd", mark[:16]), text("key", client), wanted.name, profile.roles, ends)


def confirm_key(services: Services, key_id: str, confirmer: Principal, tx: Tx) -> Work[None]:
    """A cold unit: from now on the key counts as its own client. Raises `OwnKey` to its maker, `UnknownKey`.

    Who is another person for a change may be the same for a value: then it counts by itself for changes alone.
    """
    name, row = yield from _found(key_id, tx)
    person, maker = bytes(row[5]).decode(), bytes(row[6]).decode()
    if not person and not maker:
        return
    changes, opens = person != confirmer.counts_as, maker != confirmer.opens_as
    if not (person and changes) and not (maker and opens):
        raise OwnKey("four-eyes", "Another person than the one who made this key must confirm it.")
    tx.execute(store.key_confirmed(row[0], person=b"" if changes else row[5], maker=b"" if opens else row[6]), expect=1)
    _write(services, tx, events.KEY_CONFIRMED, {"client": name})
    tx.configure()


def list_keys(tx: Tx) -> Work[Keys]:
    """A unit that only looks."""
    clients, keys = yield (tx.select(store.all_clients()), tx.select(store.all_keys()))
    known = {row[0]: (row[1], msgspec.msgpack.decode(row[2], type=Profile)) for row in clients}
    return Keys(tuple(_listed(row, *known[row[1]]) for row in keys))


def revoke_key(services: Services, key_id: str, tx: Tx) -> Work[None]:
    """A cold unit: the key ends. Ending it twice is no error; a key of another brand is as unknown as none."""
    name, found = yield from _found(key_id, tx)
    if found[4]:
        return
    tx.execute(store.key_revoked(found[0], tx.context.at), expect=1)
    _write(services, tx, events.KEY_REVOKED, {"client": name})
    tx.configure()


def _found(key_id: str, tx: Tx) -> Work[tuple[str, tuple[Any, ...]]]:
    """The key of that id and the name of its client. Raises `UnknownKey`, `Invalid` (`malformed-id`)."""
    wanted = raw(key_id, "crd")
    clients, keys = yield (tx.select(store.all_clients()), tx.select(store.all_keys()))
    found = next((row for row in keys if row[0][:16] == wanted), None)
    if found is None:
        raise UnknownKey("not-found", "There is no such key.")
    return next(row[1] for row in clients if row[0] == found[1]), found


def _takes_two(configuration: Configuration) -> bool:
    """Whether anything here needs two people: a change of the manifest, the answer to a right, or the opening of a
    value. A node that cannot load the newest manifest does not know, and takes it so.
    """
    guards = (field.guards for each in configuration.collections.values() for field in each.fields.values())
    asked = (each.type for rule in configuration.policy.snapshot.rules for each in rule.obligations)
    return (
        configuration.approval == "two"
        or bool(configuration.answering.two_officers)
        or configuration.lag is not None
        or any(SECOND_PERSON in each for each in guards)
        or SECOND_PERSON in asked
    )


def _first_of_all(services: Services, tenant: str, maker: Principal) -> bool:
    """Whether nobody is left who could confirm: then the operator of the host lets the first person in again."""
    return maker.counts_as == OPERATOR and not services.principals.deciders(tenant)


def _profile(wanted: NewKey, declared: Profile | None) -> Profile:
    if not wanted.roles and declared is not None:
        scopes = wanted.scopes or declared.scopes
        return Profile(declared.roles, scopes, wanted.default_purpose or declared.default_purpose, declared.issuer)
    if not wanted.roles:
        raise UnknownRole("role-missing", "A client needs at least one role.")
    return Profile(tuple(dict.fromkeys(wanted.roles)), wanted.scopes, wanted.default_purpose)


def _client_of(rows: list[tuple[bytes, str, bytes, int]], name: str, profile: Profile) -> bytes | None:
    """The client of that name, if it is just this one. A name stands for one thing for ever: entries hold it."""
    for client, known, stored, _ in rows:
        if known == name:
            held = msgspec.msgpack.decode(stored, type=Profile)
            if set(held.roles) != set(profile.roles) or held.scopes != profile.scopes:
                raise ClientDiffers("client-exists", "A client of that name exists with other roles or scopes.")
            return client
    return None


def _listed(row: tuple[bytes, bytes, int, int, int, bytes, bytes], name: str, profile: Profile) -> ListedKey:
    mark, client, created, until, revoked, person, maker = row
    return ListedKey(
        id=text("crd", mark[:16]),
        client=text("key", client),
        name=name,
        roles=profile.roles,
        created_at=iso(created),
        scopes=profile.scopes,
        default_purpose=profile.default_purpose,
        expires_at=iso(until) if until else None,
        revoked_at=iso(revoked) if revoked else None,
        counts_as=bytes(person).decode() or None,
        made_by=bytes(maker).decode() or None,
    )


def _write(services: Services, tx: Tx, event: str, res: dict[str, str]) -> None:
    services.audit.append(tx, AuditEvent(event, "ok", res), None)
