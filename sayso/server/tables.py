"""The server's own tables: who may call, under which manifest, and what was already answered."""

from sqlalchemy import BigInteger, LargeBinary, Text

from sayso.kernel.schema import column, subject_table, tenant_table

tenants = tenant_table(
    "server_tenant",
    column("name", Text),
    column("controller", Text),
    column("region", Text),
    column("created", BigInteger),
    key=("name",),
)
"""The brands of this installation. Its rows live in the reserved world `_`, which is no brand."""

clients = tenant_table(
    "server_client",
    column("name", Text),
    column("client", LargeBinary),
    column("profile", LargeBinary),
    column("created", BigInteger),
    key=("name",),
)
"""API clients. `profile` is msgpack of `auth.Profile`; a client is never deleted or renamed, since entries name it."""

keys = tenant_table(
    "server_key",
    column("fingerprint", LargeBinary),
    column("client", LargeBinary),
    column("created", BigInteger),
    column("until", BigInteger),
    column("revoked", BigInteger),
    key=("fingerprint",),
)
"""API keys as SHA-256 of the key: 160 random bits need no salt and no stretching. 0 stands for never."""

manifests = tenant_table(
    "server_manifest",
    column("version", BigInteger),
    column("hash", Text),
    column("content", LargeBinary),
    column("author", LargeBinary),
    column("at", BigInteger),
    key=("version",),
    append_only=True,
)
"""Every manifest that was ever live, whole, as canonical JSON. The highest version is the live one."""

idempotency = subject_table(
    "server_idempotency",
    column("fingerprint", LargeBinary),
    column("version", BigInteger),
    column("digest", LargeBinary),
    column("answer", LargeBinary),
    column("until", BigInteger),
    owner="fingerprint",
    key=("fingerprint",),
    indexes=[("until",)],
)
"""Answers already given, by a keyed tag of key and route; sealed: only who has the idempotency key opens them."""

sessions = subject_table(
    "server_session",
    column("fingerprint", LargeBinary),
    column("kind", Text),
    column("ref", LargeBinary),
    column("assurance", Text),
    column("until", BigInteger),
    owner="fingerprint",
    key=("fingerprint",),
    indexes=[("until",)],
)
"""Cookies of console and preference centre, and one-time links to the latter, by the SHA-256 of their secret."""
