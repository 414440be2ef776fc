"""When something about a person falls due, and legal holds.

`rights_due` is a calendar, made of what other tables say: losing a row costs a survey, never a decision. What is done
to a person is decided on the person, in the unit that does it.
"""

from sqlalchemy import BigInteger, LargeBinary, Text

from sayso.kernel.schema import column, subject_table, tenant_table

rights_due = subject_table(
    "rights_due",
    column("subject", LargeBinary),
    column("version", BigInteger),
    column("due", BigInteger),
    column("ends", BigInteger),
    column("facts", LargeBinary),
    indexes=[("due",), ("ends",)],
)
"""One row per person. `due` is when the person is to be looked at next, `ends` when the first of their data ends (both
2**62 for never); `facts` is msgpack of `reckoning.Facts`: names of categories and purposes, and instants.
"""

rights_hold = tenant_table(
    "rights_hold",
    column("hold", LargeBinary),
    column("version", BigInteger),
    column("state", Text),
    column("until", BigInteger),
    column("sealed", LargeBinary),
    key=("hold",),
)
"""Legal holds as they stand. `until` is 0 for one without an end; matter, people and words are sealed."""

rights_hold_of = subject_table(
    "rights_hold_of",
    column("subject", LargeBinary),
    column("hold", LargeBinary),
    column("categories", Text),
    key=("subject", "hold"),
)
"""Which live holds cover a person, and which categories of their data (names, one a line; empty: all)."""
