"""The vault's tables. Nothing in them can be read without the root key.

`class` is the retention class of a data key: one key per person and class, so that one class can be shredded alone.
"""

from sqlalchemy import BigInteger, LargeBinary, SmallInteger, Text

from sayso.kernel.schema import column, subject_table, tenant_table

vault_epoch = tenant_table(
    "vault_epoch",
    column("epoch", BigInteger),
    column("wrapped", LargeBinary),
    column("commitment", LargeBinary),
    column("provider", Text),
    column("root", Text),
    column("at", BigInteger),
    key=("epoch",),
)
"""Tenant keys, each wrapped by the root key that `root` names."""

vault_index_key = tenant_table(
    "vault_index_key",
    column("purpose", Text),
    column("version", BigInteger),
    column("epoch", BigInteger),
    column("wrapped", LargeBinary),
    column("commitment", LargeBinary),
    column("at", BigInteger),
    key=("purpose", "version"),
)
"""Roots of blind indexes (`index`) and of what belongs to tokens (`token`)."""

vault_signing_key = tenant_table(
    "vault_signing_key",
    column("purpose", Text),
    column("version", BigInteger),
    column("epoch", BigInteger),
    column("wrapped", LargeBinary),
    column("commitment", LargeBinary),
    column("public", LargeBinary),
    column("at", BigInteger),
    key=("purpose", "version"),
)
"""Ed25519 seeds of the log, of receipts and of certificates."""

vault_standing_key = tenant_table(
    "vault_standing_key",
    column("owner", LargeBinary),
    column("version", BigInteger),
    column("epoch", BigInteger),
    column("wrapped", LargeBinary),
    column("commitment", LargeBinary),
    key=("owner",),
)
"""Log keys of clients, sites and the tenant itself: few, and held in memory."""

vault_key = subject_table(
    "vault_key",
    column("owner", LargeBinary),
    column("class", Text),
    column("version", BigInteger),
    column("epoch", BigInteger),
    column("wrapped", LargeBinary),
    column("commitment", LargeBinary),
    owner="owner",
    key=("owner", "class"),
)
"""The data keys of people. Deleting a row here is the shredding."""

vault_record = subject_table(
    "vault_record",
    column("subject", LargeBinary),
    column("collection", Text),
    column("field", Text),
    column("version", BigInteger),
    column("class", Text),
    column("blob", LargeBinary),
    column("at", BigInteger),
    key=("subject", "collection", "field"),
)

vault_index = subject_table(
    "vault_index",
    column("tag", LargeBinary),
    column("subject", LargeBinary),
    owner="tag",
    key=("tag", "subject"),
)
"""Who has a value. The tag's key holds collection, field, index and versions, so they need no columns."""

vault_index_of = subject_table(
    "vault_index_of",
    column("subject", LargeBinary),
    column("collection", Text),
    column("field", Text),
    column("name", Text),
    column("version", BigInteger),
    column("tag", LargeBinary),
    column("key_version", SmallInteger),
    column("normaliser", SmallInteger),
    key=("subject", "collection", "field", "name"),
)
"""Which tags a person has: what an erasure or a changed value must remove."""

vault_token = subject_table(
    "vault_token",
    column("fingerprint", LargeBinary),
    column("subject", LargeBinary),
    column("collection", Text),
    column("field", Text),
    column("audience", Text),
    column("at", BigInteger),
    column("key_version", SmallInteger),
    column("mac", LargeBinary),
    owner="fingerprint",
    key=("fingerprint",),
)
"""What a token points at. `mac` covers every column, so nobody who can write here can point it elsewhere."""

vault_token_of = subject_table(
    "vault_token_of",
    column("subject", LargeBinary),
    column("tag", LargeBinary),
    column("collection", Text),
    column("field", Text),
    column("fingerprint", LargeBinary),
    column("blob", LargeBinary),
    key=("subject", "tag"),
)
"""Which token a person's value already has for an audience. `tag` and `blob` are under the person's own data key."""

vault_tombstone = tenant_table(
    "vault_tombstone",
    column("tombstone", LargeBinary),
    column("epoch", BigInteger),
    column("facts", LargeBinary),
    column("at", BigInteger),
    key=("tombstone",),
    append_only=True,
)
"""What was destroyed, without whose it was: key commitments, epochs, counts."""
