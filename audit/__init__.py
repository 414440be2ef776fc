"""The audit log: append-only, Merkle-tree backed, signed, checkable offline by an outsider.

Read `log.py` first: its class tells the story. `entry.py` and `append.py` say what an entry is, `integrator.py` how it
gets into the tree; `merkle.py`, `tiles.py`, `note.py`, `checkpoint.py` and `proof.py` are the formats, each a page
without I/O; `verify.py` is the checker that needs neither us nor our database. `docs/formats/audit.md` fixes the bytes.
"""

from audit.checkpoint import Checkpoint, open_checkpoint
from audit.commitment import OpeningInvalid
from audit.encoding import LeafRefused, decode_leaf
from audit.entry import AuditEvent, Entry, Leaf, Opening
from audit.errors import (
    EntryNotFound,
    ExportRefused,
    LogForked,
    LogNotFound,
    NotIntegrated,
    SizeNotInLog,
    TileNotFound,
)
from audit.integrator import Round
from audit.jws import Jws, thumbprint
from audit.log import MAIN, AuditLog, Backlog, LogInfo
from audit.merkle import leaf_hash, verify_inclusion
from audit.note import VerifierKey
from audit.replay import Replayed
from audit.search import Page, Search
from audit.trust import print_trust
from audit.verify import Verdict, verify
from audit.vocabulary import UndeclaredEvent, declare, declared

__all__ = [
    "MAIN",
    "AuditEvent",
    "AuditLog",
    "Backlog",
    "Checkpoint",
    "Entry",
    "EntryNotFound",
    "ExportRefused",
    "Jws",
    "Leaf",
    "LeafRefused",
    "LogForked",
    "LogInfo",
    "LogNotFound",
    "NotIntegrated",
    "Opening",
    "OpeningInvalid",
    "Page",
    "Replayed",
    "Round",
    "Search",
    "SizeNotInLog",
    "TileNotFound",
    "UndeclaredEvent",
    "Verdict",
    "VerifierKey",
    "declare",
    "declared",
    "decode_leaf",
    "leaf_hash",
    "open_checkpoint",
    "print_trust",
    "thumbprint",
    "verify",
    "verify_inclusion",
]
