"""Exports that were ordered, and what each of them selected. Both are deleted when the export's term is over."""

from sqlalchemy import BigInteger, LargeBinary, Text

from sayso.kernel import Rows
from sayso.kernel.schema import column, tenant_table

audit_export = tenant_table(
    "audit_export",
    column("export", LargeBinary),
    column("version", BigInteger),
    column("status", Text),
    column("asked", LargeBinary),
    column("size", BigInteger),
    column("note", LargeBinary),
    column("cursor", LargeBinary),
    column("first", LargeBinary),
    column("hits", BigInteger),
    column("parts", BigInteger),
    column("error", Text),
    column("made_at", BigInteger),
    column("until", BigInteger),
    key=("export",),
)
"""`asked` is the order as msgpack. `size` and `note` are the log's head under which entries are selected and proven,
fixed by the first step; `cursor` is the last entry id looked at, `first` the first; `hits` and `parts` count what was
found.
"""

audit_export_part = tenant_table(
    "audit_export_part",
    column("export", LargeBinary),
    column("number", BigInteger),
    column("leaves", LargeBinary),
    column("gathered", LargeBinary),
    key=("export", "number"),
)
"""What one step selected: `leaves` are indexes in the log, little-endian u64, in the order of entry ids. `gathered` is
what a report counted of them, sealed under the tenant's key; empty for a plain export. Entries themselves are not
copied: they lie in the log.
"""

EXPORT = Rows(audit_export)
PART = Rows(audit_export_part, journal=True)
