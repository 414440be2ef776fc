"""Credentials to principals: who calls, for which brand, in which roles.

An API key is `sk_` and 43 characters of base64url: 256 random bits. It is stored as its SHA-256 alone; a key of such
entropy needs neither salt nor stretching. All live keys of all brands stand in one dictionary in memory, so that
finding a caller is one hash and one look-up.
"""

import secrets
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import sha256

import msgspec

from sayso.kernel import Actor, Context, Denied, Instant, Unauthenticated, now
from sayso.server.callers.jwks import PublicKey

DRP_AGENT = "drp_agent"
"""An agent of the Data Rights Protocol: opens the protocol's calls and nothing else."""

BUILT_IN = frozenset({"admin", "officer", "auditor", "recorder", "vault_writer", "pep", "self", "overdue", DRP_AGENT})
"""Roles that every installation has."""

UNGIVEN = frozenset({"self", "overdue"})
"""What no key can have: what a person is to their own data, and what a client is that the feed could not reach."""

OPERATOR = "operator"
"""The local operator behind the socket in the data folder. No key can have this role."""

POLICY = "policy"
"""Stands for every role that a manifest declares: routes that name it are open to all of them."""

UNDER_ADMIN = frozenset({"officer", "auditor", "recorder", "vault_writer"})
"""Where one of these is admitted, so is `admin`."""

EVERYONE = "everyone"
"""A route that names this needs no credential; it says why in its `opt`."""


class Profile(msgspec.Struct, frozen=True, array_like=True):
    """What a client is: stored with it, changed only as a whole."""

    roles: tuple[str, ...]
    scopes: tuple[str, ...] = ()
    default_purpose: str | None = None
    issuer: str | None = None
    link_key: str = ""
    sign_in: tuple[PublicKey, ...] = ()


class Client(msgspec.Struct, frozen=True):
    """One API client of a brand."""

    id: str
    name: str
    profile: Profile


class Principal(msgspec.Struct, frozen=True):
    """A caller whose credential was found. `until` is an instant, 0 for a key without end. `person` is who made the key
    where it does not count by itself, `maker` who made it and whom nobody has confirmed to be another.
    """

    tenant: str
    actor: Actor
    scopes: tuple[str, ...] = ()
    until: int = 0
    fingerprint: bytes = b""
    person: str = ""
    maker: str = ""

    @property
    def counts_as(self) -> str:
        """Who this is where two people are needed: the id of a client, or of whoever made the key and nobody else
        has confirmed it. Names and keys may be many; this is one.
        """
        return self.person or self.actor.id

    @property
    def opens_as(self) -> str:
        """Who this is where a value takes two people. Stricter: the guard may have been declared after the key was
        made, and whoever made keys then could hold two of them.
        """
        return self.maker or self.counts_as

    def context(self, request: str, at: int | None = None) -> Context:
        """The context of one request of this caller. The time is taken here, once."""
        return Context(self.tenant, self.actor, now() if at is None else Instant(at), request)


class NoCredential(Unauthenticated):
    """No key, or one that is unknown, expired or revoked: which of these is not said."""


class NotAdmitted(Denied):
    """The caller is known, and this route is not for its roles."""


def new_key() -> str:
    """A fresh API key. Shown once; only `fingerprint` of it is kept."""
    return "sk_" + secrets.token_urlsafe(32)


def fingerprint(secret: str | bytes) -> bytes:
    """What is stored of a secret: its SHA-256, 32 bytes."""
    return sha256(secret.encode() if isinstance(secret, str) else secret).digest()


def principal_of(
    tenant: str, client: Client, until: int = 0, mark: bytes = b"", person: str = "", maker: str = ""
) -> Principal:
    """The principal behind a client's key."""
    profile = client.profile
    actor = Actor(client.id, client.name, "service", frozenset(profile.roles), default_purpose=profile.default_purpose)
    return Principal(tenant, actor, profile.scopes, until, mark, person, maker)


def operator(tenant: str) -> Principal:
    """The local operator acting in a brand's world: may what its administrators may, and make brands."""
    return Principal(tenant, Actor("operator", OPERATOR, "user", frozenset({OPERATOR, "admin"}), assurance="staff"))


class Principals:
    """All live keys of all brands. Replaced brand by brand, never changed in place."""

    def __init__(self) -> None:
        self._by_tenant: dict[str, Mapping[bytes, Principal]] = {}
        self._found: Mapping[bytes, Principal] = {}

    def replace(self, tenant: str, principals: Iterable[Principal]) -> None:
        """The live keys of `tenant` are exactly these from now on."""
        self._by_tenant[tenant] = {principal.fingerprint: principal for principal in principals}
        merged: dict[bytes, Principal] = {}
        for group in self._by_tenant.values():
            merged.update(group)
        self._found = merged

    def find(self, authorization: bytes, at: int | None = None) -> Principal:
        """Who sent this `Authorization` header. Raises `NoCredential`, the same for every cause."""
        if authorization[:7].lower() == b"bearer ":
            principal = self._found.get(sha256(authorization[7:].strip()).digest())
            if principal is not None and (not principal.until or (now() if at is None else at) < principal.until):
                return principal
        raise no_credential()

    def still(self, principal: Principal) -> bool:
        """Whether this caller's key is live now, with the same rights. Callers without a key have a session instead."""
        if not principal.fingerprint:
            return True
        found = self._found.get(principal.fingerprint)
        return found is principal or (
            found is not None and (found.actor.roles, found.scopes) == (principal.actor.roles, principal.scopes)
        )

    def alive(self, tenant: str, client: str) -> bool:
        """Whether this client (`key_…`) has a live key."""
        at = now()
        found = self._by_tenant.get(tenant, {}).values()
        return any(each.actor.id == client and (not each.until or at < each.until) for each in found)

    def deciders(self, tenant: str) -> frozenset[str]:
        """Who could decide on a proposal today: everybody whom a live key of an officer or administrator counts as."""
        at = now()
        found = self._by_tenant.get(tenant, {}).values()
        return frozenset(
            each.counts_as
            for each in found
            if each.actor.roles & {"admin", "officer"} and (not each.until or at < each.until)
        )

    def marked(self, tenant: str, mark: bytes) -> Principal | None:
        """The principal of the live key whose fingerprint begins with `mark`, 16 bytes: a console session's."""
        found = self._by_tenant.get(tenant, {})
        return next((found[full] for full in found if full[:16] == mark), None)


def no_credential() -> NoCredential:
    """The one answer to every credential that does not hold."""
    return NoCredential("unauthenticated", "This call needs a valid API key: Authorization: Bearer sk_…")


def admit(principal: Principal | None, admits: tuple[str, ...], operation: str) -> None:
    """Let `principal` pass to a route that admits these roles, or raise. No credential: 401; wrong role or scope: 403.

    Decided from caller and route alone, before anything is looked up: it cannot tell whether something exists.
    """
    wanted = _wanted(admits)
    if EVERYONE in wanted:
        return
    if principal is None:
        raise no_credential()
    if not _admitted(principal.actor.roles, wanted):
        raise NotAdmitted("role-not-admitted", "None of this caller's roles is admitted here.", admitted=sorted(wanted))
    if principal.scopes and not any(
        operation == scope or operation.startswith(scope + ".") for scope in principal.scopes
    ):
        raise NotAdmitted("scope-not-granted", "This key's scopes do not cover this call.", scope=operation)


@lru_cache(maxsize=256)
def _wanted(admits: tuple[str, ...]) -> frozenset[str]:
    wanted = frozenset(admits)
    return wanted | {"admin"} if wanted & UNDER_ADMIN else wanted


@lru_cache(maxsize=4096)
def _admitted(roles: frozenset[str], wanted: frozenset[str]) -> bool:
    return bool(roles & wanted) or (POLICY in wanted and bool(roles - BUILT_IN - {OPERATOR}))
