"""Which agent brought which request. It names no person."""

from sqlalchemy import BigInteger, LargeBinary, SmallInteger, Text

from sayso.kernel.schema import column, tenant_table

drp_request = tenant_table(
    "server_drp_request",
    column("request", LargeBinary),
    column("version", BigInteger),
    column("agent", Text),
    column("said", LargeBinary),
    column("waits", SmallInteger),
    column("told", BigInteger),
    column("tries", BigInteger),
    column("again", BigInteger),
    key=("request",),
    indexes=[("waits", "request")],
)
"""A request that an agent brought. `said` is the agent's own name for it and where it is told of steps, sealed under
the tenant's key: an agent may have put anything into either. `waits`: it has a callback and is not told its end yet;
`told` is the version of the request that was told last, `again` when a failed try is repeated.
"""
