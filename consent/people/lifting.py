"""Ending a suppression: by a code that reached the address which was suppressed, and by nothing else (design 6.4)."""

from collections.abc import Collection
from typing import Literal

from msgspec.structs import replace

from audit import AuditEvent, AuditLog
from consent import events, store
from consent.people.people import Person
from consent.store import SUPPRESSION
from sayso.kernel import Tx, Work

Proof = Literal["code", "double_opt_in"]
"""What the person redeemed: a code typed in, or the link of a double opt-in."""


def lift(
    tx: Tx, audit: AuditLog, person: Person, suppressions: Collection[bytes], proof: Proof
) -> Work[tuple[Person, str]]:
    """End the suppression of these identifiers of the person, who redeemed a code sent to them. Cold.

    What another identifier of theirs keeps suppressed stays suppressed. Returns the person as they are to be saved by
    the caller, and the entry.
    """
    at = tx.context.at
    found = yield tuple(store.identifiers_of(tx, each) for each in person.ids)
    own = sorted({bytes(row[2]) for rows in found for row in rows})
    rows = yield tuple(tx.get(SUPPRESSION, tag) for tag in own)
    until = 0
    for tag, row in zip(own, rows, strict=True):
        if row is None or row[2] <= at:
            continue
        if tag in suppressions:
            tx.put(SUPPRESSION, (tag,), (row[0] + 1, row[1], at, row[3]), was=row)
        else:
            until = max(until, row[2])
    event = AuditEvent(events.SUPPRESSION_LIFTED, "ok", {"proof": proof}, person.subject)
    entry = audit.append(tx, event, person.key)
    tx.publish(events.SUPPRESSION_LIFTED, person.subject, b"")
    return replace(person, state=replace(person.state, suppressed_until=until)), entry
