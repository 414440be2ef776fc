"""Letters on their way. Recipient and content lie sealed under the person's log key, and go when the letter went."""

from sqlalchemy import BigInteger, LargeBinary, Text

from sayso.kernel.schema import column, tenant_table

mail = tenant_table(
    "server_mail",
    column("mail", LargeBinary),
    column("version", BigInteger),
    column("subject", LargeBinary),
    column("kind", Text),
    column("sealed", LargeBinary),
    column("at", BigInteger),
    column("until", BigInteger),
    column("next_at", BigInteger),
    column("tries", BigInteger),
    column("why", Text),
    key=("mail",),
    indexes=[("next_at",)],
)
"""A queue: a row goes when its letter was taken by the mail server. A dead one stays for a while, without its content;
`why` says what was the matter, in a word of ours.
"""
