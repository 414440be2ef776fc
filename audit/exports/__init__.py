"""Exports of the log: read `desk.py` first. `orders.py` is what may be ordered, `content.py` reads it page by page,
`rows.py` and `bundle.py` write it down; `docs/formats/bundle.md` fixes the evidence bundle.
"""

from audit.exports.content import Chosen, Content
from audit.exports.desk import ExportDesk
from audit.exports.events import FETCHED, ORDERED, TAG_KEY_HANDED_OUT
from audit.exports.orders import (
    Export,
    ExportGone,
    ExportNotFound,
    ExportNotReady,
    FormatUnknown,
    LogHead,
    LogPlace,
    Order,
)
from audit.exports.reports import Report
from audit.exports.rows import MEDIA, Drain, ParquetMissing, csv_lines, written

__all__ = [
    "FETCHED",
    "MEDIA",
    "ORDERED",
    "TAG_KEY_HANDED_OUT",
    "Chosen",
    "Content",
    "Drain",
    "Export",
    "ExportDesk",
    "ExportGone",
    "ExportNotFound",
    "ExportNotReady",
    "FormatUnknown",
    "LogHead",
    "LogPlace",
    "Order",
    "ParquetMissing",
    "Report",
    "csv_lines",
    "written",
]
