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
    column("cursor", LargeBinary),
    column("first", LargeBinary),
    column("hits", BigInteger),
    column("parts", BigInteger),
    column("error", Text),
    column("made_at", BigInteger),
    column("until", BigInteger),
    key=("export",),
)
"""`asked` is the order as msgpack. `size` is how many entries the logs hold together under the heads that the first
step fixed; `cursor` is the last entry id looked at, `first` the first; `hits` and `parts` count what was found.
"""

audit_export_head = tenant_table(
    "audit_export_head",
    column("export", LargeBinary),
    column("number", BigInteger),
    column("log", Text),
    column("size", BigInteger),
    column("note", LargeBinary),
    column("hits", BigInteger),
    column("lowest", BigInteger),
    key=("export", "number"),
)
"""The signed heads under which an export's entries are selected and proven, one for each log that it looks into; `hits`
counts what was found there, `lowest` is the smallest index of it (`size`: nothing was).
"""

audit_export_part = tenant_table(
    "audit_export_part",
    column("export", LargeBinary),
    column("number", BigInteger),
    column("leaves", LargeBinary),
    column("gathered", LargeBinary),
    key=("export", "number"),
)
"""What one step selected: `leaves` are places, in the order of entry ids: little-endian u64, the number of the head in
the upper 16 bits, the index in its log below. `gathered` is what a report counted of them, sealed under the tenant's
key; empty for a plain export. Entries themselves are not copied: they lie in the logs.
"""

EXPORT = Rows(audit_export)
HEAD = Rows(audit_export_head)
PART = Rows(audit_export_part, journal=True)
