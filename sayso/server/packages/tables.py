"""Access packages on their way and ready. A part is sealed under the person's log key: gone with it."""

from sqlalchemy import BigInteger, LargeBinary, Text

from sayso.kernel.schema import column, tenant_table

package = tenant_table(
    "server_package",
    column("request", LargeBinary),
    column("version", BigInteger),
    column("subject", LargeBinary),
    column("state", Text),
    column("locale", Text),
    column("progress", LargeBinary),
    column("at", BigInteger),
    column("until", BigInteger),
    key=("request",),
    indexes=[("state",), ("until",), ("subject",)],
)
"""One row per package. `state` is `making`, `ready` or `failed`; `progress` says where the next step begins."""

package_part = tenant_table(
    "server_package_part",
    column("request", LargeBinary),
    column("part", BigInteger),
    column("version", BigInteger),
    column("sealed", LargeBinary),
    key=("request", "part"),
)
"""What was collected so far, and then the pieces of the zip in its place (from `store.PIECES` on)."""
