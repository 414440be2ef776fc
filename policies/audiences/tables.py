"""Tables of audiences. People stand in them by their numbers (`aid`), sealed under the tenant's key.

An erasure deletes a number, so that what is left in an answer of years ago points at nobody.
"""

from sqlalchemy import BigInteger, LargeBinary, Text

from sayso.kernel.schema import column, subject_table, tenant_table

policies_answer = tenant_table(
    "policies_answer",
    column("answer", LargeBinary),
    column("at", BigInteger),
    column("content", LargeBinary),
    key=("answer",),
    append_only=True,
)
"""Answers about audiences, by the 16 bytes of their `aud_` id, which sorts by time: who asked what, and which entry
says so.
"""

policies_audience = tenant_table(
    "policies_audience",
    column("name", Text),
    column("version", BigInteger),
    column("until", BigInteger),
    column("content", LargeBinary),
    key=("name",),
    indexes=[("until",)],
)
"""Lists that a client keeps here under a name, until they end."""

policies_aids = subject_table(
    "policies_aids",
    column("list", LargeBinary),
    column("first", LargeBinary),
    column("sealed", LargeBinary),
    owner="list",
    key=("list", "first"),
)
"""The people of an answer or of a kept list, in parts: by its id and by the first number of the part (8 bytes,
big-endian).
"""
