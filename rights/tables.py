"""The tables of rights requests.

A request's id carries the bucket of its person, so it is found by the id alone, also when the person is gone.
"""

from sqlalchemy import BigInteger, LargeBinary, SmallInteger, Text

from sayso.kernel.schema import column, subject_table, tenant_table

rights_request = subject_table(
    "rights_request",
    column("request", LargeBinary),
    column("version", BigInteger),
    column("subject", LargeBinary, nullable=True),
    column("kind", Text),
    column("state", Text),
    column("due_on", Text),
    column("body", LargeBinary),
    column("private", LargeBinary, nullable=True),
    column("certificate", LargeBinary, nullable=True),
    key=("request",),
    indexes=(("subject",),),
)
"""Requests as they stand. An erasure takes `subject` and `private` away and leaves `certificate`, its signed claims."""

rights_register = tenant_table(
    "rights_register",
    column("request", LargeBinary),
    column("version", BigInteger),
    column("live", SmallInteger),
    column("due_on", Text),
    column("next_at", BigInteger),
    column("kind", Text),
    column("law", Text),
    column("state", Text),
    column("received_at", BigInteger),
    column("closed_at", BigInteger),
    column("late", SmallInteger),
    key=("request",),
    indexes=[("live", "due_on", "request"), ("next_at",), ("received_at",)],
)
"""The same requests across people: what is due, what is to be told next, what the reports count. It follows from
`rights_request`, is written with it and names nobody. `next_at` is 2**62 when nothing is to be told; `late` says that a
closed one was answered after its deadline.
"""

rights_check = subject_table(
    "rights_check",
    column("subject", LargeBinary),
    column("version", BigInteger),
    column("since", BigInteger),
    column("sent", BigInteger),
    column("wrong", BigInteger),
    indexes=[("since",)],
)
"""How many codes were sent about a person and how many wrong ones came, since an instant: over all of their requests,
and for ids that nobody has alike.
"""

rights_unfinal = tenant_table(
    "rights_unfinal",
    column("request", LargeBinary),
    column("epoch", BigInteger),
    column("at", BigInteger),
    key=("request",),
)
"""Erasures whose certificate says `shredded`: which epoch must go before it can say `final`, and when it was."""
