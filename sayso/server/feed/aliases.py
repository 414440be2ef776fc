"""How a client knows a person: by the registry's own id if it works with that anyway, else by an alias of its own.

    alias = "psn_" | HMAC-SHA256(key of the client, id of the person), first 16 bytes, in hex

Two clients cannot join their aliases, and an alias outlives the person's keys: it is how a client is told of an
erasure.
"""

from hashlib import sha256
from hmac import digest
from typing import Final

from sayso.kernel import TENANT_OWNER, Actor, Sealer, raw, text

KNOW_PEOPLE: Final = frozenset({"admin", "officer", "recorder", "vault_writer", "pep"})
"""Roles whose work is done with `sub_…` ids."""

ALIAS: Final = "psn"
_LABEL: Final = "feed.alias"


def known_as(sealer: Sealer, tenant: str, actor: Actor, subject: bytes) -> str:
    """What this client is told in place of the person."""
    return text("sub", subject) if actor.roles & KNOW_PEOPLE else alias(sealer, tenant, actor, subject)


def alias(sealer: Sealer, tenant: str, actor: Actor, subject: bytes) -> str:
    """The client's own name for a person, known to the registry or not."""
    owner = raw(actor.id, "key") if actor.id.startswith("key_") else TENANT_OWNER
    key = sealer.standing(tenant, owner).derive(_LABEL)
    return text(ALIAS, digest(key, subject, sha256)[:16])
