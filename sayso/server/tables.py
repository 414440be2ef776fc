"""The server's own tables: who may call, under which manifest, and what was already answered."""

from sqlalchemy import BigInteger, CheckConstraint, LargeBinary, SmallInteger, Text

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
    column("person", LargeBinary),
    column("maker", LargeBinary),
    key=("fingerprint",),
)
"""API keys as SHA-256 of the key: 160 random bits need no salt and no stretching. 0 stands for never. `person` is whom
the key counts as where two people are needed for a change: empty for its own client, else who made it. `maker` is who
made it, as long as nobody else confirmed it: whom it counts as where a value takes two (docs/threat-model.md).
"""

manifests = tenant_table(
    "server_manifest",
    column("version", BigInteger),
    column("hash", Text),
    column("content", LargeBinary),
    column("author", LargeBinary),
    column("at", BigInteger),
    column("approver", LargeBinary),
    column("made", BigInteger),
    column("restores", BigInteger),
    column("glass", SmallInteger),
    column("policy", Text),
    column("shipped", Text),
    key=("version",),
    append_only=True,
)
"""Every manifest that was ever live, whole, as canonical JSON. The highest version is the live one, and its parent is
the one before. `approver` is empty where one person was enough, `glass` 1 where one did what takes two; `restores` is
the version that a rollback went back to, `made` and `at` are when it was proposed and activated. `policy` is the hash
of the rules as they were activated, by a program that ships what `shipped` names.
"""
manifests.append_constraint(CheckConstraint("approver <> author", name="server_manifest_two_people"))

proposals = tenant_table(
    "server_proposal",
    column("proposal", LargeBinary),
    column("base", BigInteger),
    column("hash", Text),
    column("content", LargeBinary),
    column("author", LargeBinary),
    column("client", LargeBinary),
    column("at", BigInteger),
    column("restores", BigInteger),
    column("forced", SmallInteger),
    column("report", LargeBinary),
    key=("proposal",),
    append_only=True,
)
"""Manifests that wait, or waited, for a second person: whole, with the version they were made from and the report.
`author` is whom the `client` that proposed it counted as.
"""

verdicts = tenant_table(
    "server_verdict",
    column("proposal", LargeBinary),
    column("outcome", Text),
    column("author", LargeBinary),
    column("decider", LargeBinary),
    column("at", BigInteger),
    column("became", BigInteger),
    column("words", LargeBinary),
    key=("proposal",),
    append_only=True,
)
"""What became of a proposal: one row, so that of two who decide at once one comes too late. `words` are sealed."""
verdicts.append_constraint(
    CheckConstraint("outcome <> 'approved' OR decider <> author", name="server_verdict_two_people")
)

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

restores = tenant_table(
    "server_restore",
    column("backup", Text),
    column("at", BigInteger),
    column("version", BigInteger),
    column("state", Text),
    key=("backup", "at"),
)
"""Backups that were put back into this store, in the reserved world `_`: `begun` until everything is done that must be
before anything is served, then `done`.
"""
