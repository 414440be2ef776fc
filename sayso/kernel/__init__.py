"""The ground beneath every package. Read `tx.py` first: it says what a unit of work is.

The kernel answers five questions and no others: who asks (`context`), may they (`permit`), what is read and written
together (`tx`, `batcher`, `database`), how things are named and timed (`ids`, `clock`), what went wrong (`errors`).
"""

from sayso.kernel.clock import DAY, SECOND, Instant, add_duration, from_datetime, iso, now, parse_duration, parse_instant, to_datetime
from sayso.kernel.context import SYSTEM, Actor, ActorKind, Context
from sayso.kernel.database import Database, open_database
from sayso.kernel.errors import (
    Conflict,
    Denied,
    Invalid,
    LostRace,
    NotFound,
    SaysoError,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
    Unprocessable,
)
from sayso.kernel.ids import BUCKETS, bucket_in, bucket_of, new_id, new_id_in, new_raw, new_raw_in, raw, text
from sayso.kernel.manifest import ManifestError, Map, Node, Problem, Scalar, Seq, load, load_paths, nearest, plain, problem
from sayso.kernel.permit import Obligation, Permit
from sayso.kernel.protocols import LOG, TENANT_OWNER, Indexer, Key, Sealer, Signer
from sayso.kernel.rows import Rows, Values
from sayso.kernel.tx import Found, Get, Head, Query, Reads, Tx, Unit, Work

__all__ = [
    "BUCKETS",
    "DAY",
    "LOG",
    "SECOND",
    "SYSTEM",
    "TENANT_OWNER",
    "Actor",
    "ActorKind",
    "Conflict",
    "Context",
    "Database",
    "Denied",
    "Found",
    "Get",
    "Head",
    "Indexer",
    "Instant",
    "Invalid",
    "Key",
    "LostRace",
    "ManifestError",
    "Map",
    "Node",
    "NotFound",
    "Obligation",
    "Permit",
    "Problem",
    "Query",
    "Reads",
    "Rows",
    "SaysoError",
    "Scalar",
    "Sealer",
    "Seq",
    "Signer",
    "TooLarge",
    "TooMany",
    "Tx",
    "Unauthenticated",
    "Unavailable",
    "Unit",
    "Unprocessable",
    "Values",
    "Work",
    "add_duration",
    "bucket_in",
    "bucket_of",
    "from_datetime",
    "iso",
    "load",
    "load_paths",
    "nearest",
    "new_id",
    "new_id_in",
    "new_raw",
    "new_raw_in",
    "now",
    "open_database",
    "parse_duration",
    "parse_instant",
    "plain",
    "problem",
    "raw",
    "text",
    "to_datetime",
]
