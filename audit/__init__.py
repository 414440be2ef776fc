"""The audit log: append-only, Merkle-tree backed, signed, checkable offline by an outsider.

Read `log.py` first: its class tells the story. `entry.py` and `append.py` say what an entry is, `integrator.py` how it
gets into the tree; `merkle.py`, `tiles.py`, `note.py`, `checkpoint.py` and `proof.py` are the formats, each a page
without I/O; `exports/` is what officers and auditors take with them, `offline/` the checker that needs neither us nor
our database. `docs/formats/audit.md` fixes the bytes.
"""

from audit.errors import (
    AnchorUnusable,
    EntryNotFound,
    EntryPruned,
    ExportRefused,
    LogBehind,
    LogForked,
    LogNotFound,
    NothingMore,
    NothingToRecover,
    NotIntegrated,
    NotWitnessed,
    PruneRefused,
    RecoveryRefused,
    SizeNotInLog,
    TileNotFound,
    TimestampRefused,
)
from audit.exports import (
    FETCHED,
    MEDIA,
    ORDERED,
    TAG_KEY_HANDED_OUT,
    Chosen,
    Content,
    Drain,
    Export,
    ExportDesk,
    ExportGone,
    ExportNotFound,
    ExportNotReady,
    FormatUnknown,
    LogHead,
    LogPlace,
    Order,
    ParquetMissing,
    Report,
    csv_lines,
    written,
)
from audit.exports.directory import folder_of
from audit.exports.publishing import Directory, PublishedAltered, Publisher, Shelf, ShelfUnusable
from audit.jws import Jws, sign_jws, thumbprint
from audit.leaf.commitment import OpeningInvalid, tag_key_of
from audit.leaf.encoding import LeafRefused, decode_leaf
from audit.leaf.entry import AuditEvent, Entry, Leaf, Opening
from audit.leaf.vocabulary import UndeclaredEvent, declare, declared, is_external
from audit.log import AuditLog, Backlog
from audit.reading.listing import LogInfo
from audit.reading.opening import Indexed, Opener
from audit.reading.replay import Replayed
from audit.reading.search import Page, Search
from audit.reading.selection import Selection, fits
from audit.retention.classes import MAIN, Classes, LogClass, parse_logs
from audit.retention.pruning import Due
from audit.tlog.checkpoint import Checkpoint, open_checkpoint
from audit.tlog.cosignature import WitnessKey
from audit.tlog.merkle import leaf_hash, verify_inclusion
from audit.tlog.note import SignatureInvalid, VerifierKey
from audit.tlog.quorum import Quorum, read_quorum
from audit.tlog.strict import Malformed
from audit.tree.guard import Head
from audit.tree.integrator import Round
from audit.tree.lost import DamagedLog, Lost, about
from audit.tree.pressure import Pressure
from audit.tree.recovery import LogStanding
from audit.trust import print_trust
from audit.verify import Verdict, verify
from audit.witnesses.timestamp import Timestamping
from audit.witnesses.timestamp_store import Stamped
from audit.witnesses.witness import Answer, WitnessDesk, by_origin
from audit.witnesses.witnessing import Lap, Witnessing

__all__ = [
    "FETCHED",
    "MAIN",
    "MEDIA",
    "ORDERED",
    "TAG_KEY_HANDED_OUT",
    "AnchorUnusable",
    "Answer",
    "AuditEvent",
    "AuditLog",
    "Backlog",
    "Checkpoint",
    "Chosen",
    "Classes",
    "Content",
    "DamagedLog",
    "Directory",
    "Drain",
    "Due",
    "Entry",
    "EntryNotFound",
    "EntryPruned",
    "Export",
    "ExportDesk",
    "ExportGone",
    "ExportNotFound",
    "ExportNotReady",
    "ExportRefused",
    "FormatUnknown",
    "Head",
    "Indexed",
    "Jws",
    "Lap",
    "Leaf",
    "LeafRefused",
    "LogBehind",
    "LogClass",
    "LogForked",
    "LogHead",
    "LogInfo",
    "LogNotFound",
    "LogPlace",
    "LogStanding",
    "Lost",
    "Malformed",
    "NotIntegrated",
    "NotWitnessed",
    "NothingMore",
    "NothingToRecover",
    "Opener",
    "Opening",
    "OpeningInvalid",
    "Order",
    "Page",
    "ParquetMissing",
    "Pressure",
    "PruneRefused",
    "PublishedAltered",
    "Publisher",
    "Quorum",
    "RecoveryRefused",
    "Replayed",
    "Report",
    "Round",
    "Search",
    "Selection",
    "Shelf",
    "ShelfUnusable",
    "SignatureInvalid",
    "SizeNotInLog",
    "Stamped",
    "TileNotFound",
    "TimestampRefused",
    "Timestamping",
    "UndeclaredEvent",
    "Verdict",
    "VerifierKey",
    "WitnessDesk",
    "WitnessKey",
    "Witnessing",
    "about",
    "by_origin",
    "csv_lines",
    "declare",
    "declared",
    "decode_leaf",
    "fits",
    "folder_of",
    "is_external",
    "leaf_hash",
    "open_checkpoint",
    "parse_logs",
    "print_trust",
    "read_quorum",
    "sign_jws",
    "tag_key_of",
    "thumbprint",
    "verify",
    "verify_inclusion",
    "written",
]
