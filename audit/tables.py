"""The log's tables. `audit_outbox` is filled in business transactions; the integrator moves it into the rest.

Where what stands: hashes and entries in tiles and bundles (only the widest of each), heads in `audit_checkpoint`, what
search needs in `audit_index`, and the sealed openings, which may be deleted, in `audit_subject`,
`audit_actor` and `audit_detail`.
"""

from sqlalchemy import BigInteger, LargeBinary, SmallInteger, Text

from sayso.kernel import Rows
from sayso.kernel.schema import column, subject_table, tenant_table

audit_outbox = subject_table(
    "audit_outbox",
    column("first", LargeBinary),
    column("log", Text),
    column("last", LargeBinary),
    column("count", BigInteger),
    column("entries", LargeBinary),
    owner="first",
    key=("first",),
)
"""Entries that are durable and wait for their index: one row for all that a flush wrote (see `outbox.py`), named by the
smallest and the largest id in it. A queue: rows are consumed, never polled by id.
"""

audit_tree = tenant_table(
    "audit_tree",
    column("log", Text),
    column("origin", Text),
    column("size", BigInteger),
    column("root", LargeBinary),
    column("opened", BigInteger),
    column("ended", SmallInteger),
    key=("log",),
)
"""One row per log. Its lock elects the integrator, its size fences it. `origin` is fixed when the log is opened, at the
instant `opened`. `ended` is 1 once it was closed: the next shard of its class goes on.
"""

audit_pruned = tenant_table(
    "audit_pruned",
    column("log", Text),
    column("below", BigInteger),
    column("first", LargeBinary),
    column("last", LargeBinary),
    column("entry", LargeBinary),
    key=("log",),
)
"""Up to which index the entries of a log were pruned; the smallest and the largest of their ids; the entry that says
so. Written before anything is deleted.
"""

audit_class = tenant_table(
    "audit_class",
    column("class", Text),
    column("log", Text),
    key=("class",),
)
"""Into which log the entries of a class go now, once it is not the one of the class's own name."""

audit_tile = tenant_table(
    "audit_tile",
    column("log", Text),
    column("level", SmallInteger),
    column("number", BigInteger),
    column("hashes", LargeBinary),
    key=("log", "level", "number"),
)
"""Tiles: up to 256 hashes of 32 bytes, concatenated."""

audit_bundle = tenant_table(
    "audit_bundle",
    column("log", Text),
    column("number", BigInteger),
    column("entries", LargeBinary),
    key=("log", "number"),
)
"""Bundles: up to 256 entries, each behind its length."""

audit_checkpoint = tenant_table(
    "audit_checkpoint",
    column("log", Text),
    column("size", BigInteger),
    column("root", LargeBinary),
    column("note", LargeBinary),
    column("at", BigInteger),
    key=("log", "size"),
    append_only=True,
)
"""Every head that was signed. The key admits one root per size."""

audit_witnessed = tenant_table(
    "audit_witnessed",
    column("log", Text),
    column("size", BigInteger),
    column("root", LargeBinary),
    column("note", LargeBinary),
    column("at", BigInteger),
    key=("log",),
)
"""The last head of each log that enough witnesses cosigned, in a note with their lines."""

audit_cosigned = tenant_table(
    "audit_cosigned",
    column("origin", Text),
    column("size", BigInteger),
    column("root", LargeBinary),
    column("note", LargeBinary),
    column("at", BigInteger),
    key=("origin",),
)
"""As a witness for others: the largest head of each of their logs that we cosigned. It only grows."""

audit_timestamp = tenant_table(
    "audit_timestamp",
    column("log", Text),
    column("size", BigInteger),
    column("root", LargeBinary),
    column("note", LargeBinary),
    column("response", LargeBinary),
    column("at", BigInteger),
    key=("log", "size"),
    append_only=True,
)
"""Checkpoints that a time-stamp authority stamped: `response` is its answer (RFC 3161, DER) over the bytes of `note`,
`at` the time in it.
"""

audit_index = tenant_table(
    "audit_index",
    column("entry", LargeBinary),
    column("log", Text),
    column("leaf", BigInteger),
    column("type", Text),
    column("outcome", Text),
    column("subject", LargeBinary, nullable=True),
    column("actor", LargeBinary),
    key=("entry",),
    indexes=(("type", "entry"),),
)
"""Where an entry stands (`leaf` is its index in the log), what search asks for, and whose keys open it. Entry ids begin
with the time they were made, so the key is also the order of time. Nothing is proved by this table: but for the people,
whom erasure takes out, it follows from the bundles.
"""

audit_subject = subject_table(
    "audit_subject",
    column("subject", LargeBinary),
    column("entry", LargeBinary),
    column("opening", LargeBinary),
    key=("subject", "entry"),
)
"""Entries about a person, with the opening of subject and detail, sealed under the person's log key."""

audit_actor = subject_table(
    "audit_actor",
    column("actor", LargeBinary),
    column("standing", LargeBinary),
    column("sealed", LargeBinary),
    owner="actor",
    key=("actor", "standing"),
)
"""Who an actor was (name, roles), once for each way they ever stood, under the actor's log key. An entry's commitment
tells which of them it was made by; its key comes from the actor's log key, so no entry needs a row of its own.
"""

audit_detail = tenant_table(
    "audit_detail",
    column("entry", LargeBinary),
    column("opening", LargeBinary),
    key=("entry",),
)
"""The opening of a detail that no person's key could seal, under the tenant's."""

OUTBOX = Rows(audit_outbox, journal=True)
TREE = Rows(audit_tree)
CLASS = Rows(audit_class)
TILE = Rows(audit_tile)
BUNDLE = Rows(audit_bundle)
CHECKPOINT = Rows(audit_checkpoint)
WITNESSED = Rows(audit_witnessed)
COSIGNED = Rows(audit_cosigned)
PRUNED = Rows(audit_pruned)
TIMESTAMP = Rows(audit_timestamp)
INDEX = Rows(audit_index, journal=True)
SUBJECT = Rows(audit_subject, journal=True)
ACTOR = Rows(audit_actor, journal=True)
DETAIL = Rows(audit_detail, journal=True)
