"""The change feed: every committed change, told to the clients that want it, by `GET /v1/changes` and by messages.

Read `office.py` first: `Feed` is the façade. `changes.py` is the pull side. The push side goes `subscriptions.py` (who
is told), `courier.py` (one subscription's work under a lease), `ledger.py` (what it writes), `sender.py` and
`jetstream.py` (how a message leaves). `cloudevents.py` says what is told, `aliases.py` by which name of the person.
"""

from sayso.server.feed.aliases import alias, known_as
from sayso.server.feed.changes import LONGEST_WAIT, MOST_EVENTS, Changes
from sayso.server.feed.cloudevents import CloudEvent
from sayso.server.feed.deliveries import Again, Figures, Log, Overdue, Queued
from sayso.server.feed.filters import Filter, made
from sayso.server.feed.messages import Status
from sayso.server.feed.office import EVERY, Feed
from sayso.server.feed.schedule import next_try
from sayso.server.feed.signing import ForgedMessage, verify
from sayso.server.feed.subscriptions import ChangedWebhook, NewWebhook, Webhook

__all__ = [
    "EVERY",
    "LONGEST_WAIT",
    "MOST_EVENTS",
    "Again",
    "ChangedWebhook",
    "Changes",
    "CloudEvent",
    "Feed",
    "Figures",
    "Filter",
    "ForgedMessage",
    "Log",
    "NewWebhook",
    "Overdue",
    "Queued",
    "Status",
    "Webhook",
    "alias",
    "known_as",
    "made",
    "next_try",
    "verify",
]
