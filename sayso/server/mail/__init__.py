"""Mail that Sayso itself sends to a person: a link, a code, the question of a double opt-in. Never advertising.

`outbox.py` takes a letter in the unit of work that it belongs to, `carrier.py` brings it to the brand's SMTP server
(RFC 5321) until it is taken or dead, `letters.py` says what stands in it. docs/operations/mail.md tells an operator.
"""

from sayso.server.mail.carrier import EVERY, Carrier
from sayso.server.mail.letters import KINDS, Letter, compose
from sayso.server.mail.outbox import DeadLetter, MailNotConfigured, Outbox, TriedLetter

__all__ = [
    "EVERY",
    "KINDS",
    "Carrier",
    "DeadLetter",
    "Letter",
    "MailNotConfigured",
    "Outbox",
    "TriedLetter",
    "compose",
]
