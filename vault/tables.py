"""The vault's tables. Nothing in them can be read without the root key.

`class` is the retention class of a data key: one key per person and class, so that one class can be shredded alone.
"""

from sqlalchemy import BigInteger, LargeBinary, SmallInteger, Text

from sayso.kernel.schema import column, subject_table, tenant_table

vault_epoch = tenant_table(
    "vault_epoch",
    column("epoch", BigInteger),
    column("version", BigInteger),
    column("state", Text),
    column("wrapped", LargeBinary),
    column("commitment", LargeBinary),
    column("provider", Text),
    column("root", Text),
    column("ref", Text),
    column("at", BigInteger),
    column("changed_at", BigInteger),
    column("gone_at", BigInteger),
    key=("epoch",),
)
"""Tenant keys, each wrapped by the provider's key `ref` under the root key that `root` names. See `epochs.py`."""

vault_roll = tenant_table(
    "vault_roll",
    column("name", Text),
    column("version", BigInteger),
    column("state", Text),
    column("epoch", BigInteger),
    column("rate", BigInteger),
    column("grace", BigInteger),
    column("total", BigInteger),
    column("done", BigInteger),
    column("next_at", BigInteger),
    column("started_at", BigInteger),
    column("finished_at", BigInteger),
    key=("name",),
)
"""The roll to a new epoch: how far it is, how fast it may go. One row."""

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
    column("key_version", BigInteger),
    column("epoch", BigInteger),
    column("wrapped", LargeBinary),
    column("commitment", LargeBinary),
    column("uses", BigInteger),
    owner="owner",
    key=("owner", "class"),
)
"""The data keys of people. Deleting a row here is the shredding.

`version` counts the row's changes: who writes a row back that was re-wrapped meanwhile loses the race. `key_version` is
the key's own; `uses` counts what was sealed under it.
"""

vault_wear = subject_table(
    "vault_wear",
    column("owner", LargeBinary),
    column("class", Text),
    column("at", BigInteger),
    owner="owner",
    key=("owner", "class"),
)
"""Data keys that are worn, and make way for new ones: see `renewal.py`."""

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
    column("version", BigInteger),
    column("ends_at", BigInteger),
    column("uses", SmallInteger),
    owner="fingerprint",
    key=("fingerprint",),
)
"""What a token points at. `mac` covers every column but `version`, which counts the row's changes: nobody who can write
here can point it elsewhere, or let it live longer. `uses` are those that are left.
"""

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

vault_token_end = tenant_table(
    "vault_token_end",
    column("ends_at", BigInteger),
    column("fingerprint", LargeBinary),
    key=("ends_at", "fingerprint"),
)
"""Which tokens end when: what forgets them."""

vault_grant = tenant_table(
    "vault_grant",
    column("id", LargeBinary),
    column("version", BigInteger),
    column("state", Text),
    column("actor", Text),
    column("person", Text),
    column("client", Text),
    column("digest", LargeBinary),
    column("purpose", Text),
    column("said", LargeBinary),
    column("decided_by", Text),
    column("at", BigInteger),
    column("ends_at", BigInteger),
    key=("id",),
)
"""Requests for a second person. `digest` binds one to its tokens; `said` is sealed under the tenant's standing key;
`person` is whom the requester's key counts as.
"""

vault_canary = subject_table(
    "vault_canary",
    column("subject", LargeBinary),
    column("at", BigInteger),
    key=("subject",),
)
"""People who were planted: see `canaries.py`."""

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

# On the embedded database these lie in the order of their keys, instead of in the order of arrival with an index
# beside: a look-up walks one tree instead of two, and a sweep over neighbours writes few pages once (decision 0030).
for _of_people in (
    vault_key,
    vault_record,
    vault_index,
    vault_index_of,
    vault_token,
    vault_token_of,
    vault_token_end,
    vault_canary,
):
    _of_people.dialect_options["sqlite"]["with_rowid"] = False
