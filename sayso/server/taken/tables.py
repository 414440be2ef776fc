"""What was taken. It names no person."""

from sqlalchemy import BigInteger, LargeBinary

from sayso.kernel.schema import column, tenant_table

taken = tenant_table(
    "server_taken",
    column("digest", LargeBinary),
    column("until", BigInteger),
    key=("digest",),
    indexes=[("until",)],
)
"""A digest (32 bytes) of each signed message that was taken, until it has expired by itself: keyed where what it is of
could be guessed.
"""
