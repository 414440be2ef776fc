"""Who is told of changes, how far each has been told, and what became of every message. Nothing here names a person
but by the registry's own id; what a person chose is read when a message is sent, never kept beside it.
"""

from sqlalchemy import BigInteger, LargeBinary, Text

from sayso.kernel.schema import column, tenant_table

feed_subscription = tenant_table(
    "feed_subscription",
    column("subscription", LargeBinary),
    column("version", BigInteger),
    column("client", LargeBinary),
    column("content", LargeBinary),
    column("created", BigInteger),
    key=("subscription",),
)
"""A client's wish to be told. `content` is msgpack of `subscriptions.Content`; its secrets are sealed."""

feed_courier = tenant_table(
    "feed_courier",
    column("subscription", LargeBinary),
    column("version", BigInteger),
    column("position", BigInteger),
    column("holder", LargeBinary),
    column("wakes", BigInteger),
    key=("subscription",),
)
"""How far the feed was spread into messages, and which process sends them: every change raises `version`, which is what
fences the others off. `wakes` counts the times that somebody else left work here.
"""

feed_delivery = tenant_table(
    "feed_delivery",
    column("subscription", LargeBinary),
    column("position", BigInteger),
    column("version", BigInteger),
    column("kind", Text),
    column("subject", LargeBinary),
    column("ref", LargeBinary),
    column("at", BigInteger),
    column("status", Text),
    column("due", BigInteger),
    column("attempts", BigInteger),
    column("delivered", BigInteger),
    column("log", LargeBinary),
    key=("subscription", "position"),
    indexes=[
        ("subscription", "status", "due"),
        ("subscription", "status", "at"),
        ("subscription", "subject", "status"),
    ],
)
"""One message: a change on its way to one subscription. `waiting` is the first of its person that is not settled,
`queued` stands behind it, `delivered` and `dead` are settled. `log` is msgpack of the attempts.
"""
