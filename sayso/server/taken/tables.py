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
"""SHA-256 of each signed message that was taken, under a label of its protocol, until it has expired by itself."""
