"""What an officer is asked for, counted from the log: read `uses.py` first, then `touched.py`.

Each is a report of an export (`audit.ExportDesk`): a job counts entries step by step, and what it counted can be proven
by the evidence bundle of the same export. `clocks.py` is what the laws say about telling of a breach, as data.
"""

from reports.clocks import CLOCKS, Clock, Due, due_under
from reports.touched import BlastRadius, Touched
from reports.uses import MOST_ROWS, UseRow, UsesHead, UsesReport, UsesTable

__all__ = [
    "CLOCKS",
    "MOST_ROWS",
    "BlastRadius",
    "Clock",
    "Due",
    "Touched",
    "UseRow",
    "UsesHead",
    "UsesReport",
    "UsesTable",
    "due_under",
]
