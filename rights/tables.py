"""The tables of rights requests.

A request's id carries the bucket of its person, so it is found by the id alone, also when the person is gone.
"""

from sqlalchemy import BigInteger, LargeBinary, Text

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

rights_unfinal = tenant_table(
    "rights_unfinal",
    column("request", LargeBinary),
    column("epoch", BigInteger),
    column("at", BigInteger),
    key=("request",),
)
"""Erasures whose certificate says `shredded`: which epoch must go before it can say `final`, and when it was."""
