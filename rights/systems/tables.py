"""Tasks of other systems. They outlive an erasure, so nothing here names the person but what is sealed for the task."""

from sqlalchemy import BigInteger, LargeBinary, Text

from sayso.kernel.schema import column, tenant_table

rights_task = tenant_table(
    "rights_task",
    column("task", LargeBinary),
    column("version", BigInteger),
    column("request", LargeBinary),
    column("system", Text),
    column("state", Text),
    column("due", BigInteger),
    column("again", BigInteger),
    column("body", LargeBinary),
    column("told", LargeBinary, nullable=True),
    column("result", LargeBinary, nullable=True),
    key=("task",),
    indexes=[("request",), ("system", "state", "again"), ("state", "due"), ("state", "again")],
)
"""One system's part of a request. `again` is when somebody may take it (a lease, or the next try); once it is settled,
when `result` is taken away. `told` is what the person is known by there, sealed under a key that is destroyed when the
task is settled; `result` is what an access request brought back, sealed under the person's key.
"""
