"""People who were invented and planted: whoever opens their data, or finds them, has looked where nobody should.

Nothing about such a person looks different. Their row is read with every reveal, so that no clock tells them apart.
"""

import logging
from typing import Final

from audit import AuditLog
from sayso.kernel import LOG, Get, Key, Tx, Work
from vault import events, store
from vault.keys.keyring import Keyring
from vault.records.stored import UnknownSubject

MOST_LISTED: Final = 1000

log = logging.getLogger("sayso.vault")


def read(tx: Tx, subject: bytes) -> Get:
    """The read that tells whether the person is one of them."""
    return tx.get(store.CANARY, subject)


def sound(audit: AuditLog, tx: Tx, subject: bytes, key: Key | None, purpose: str) -> None:
    """Somebody looked where nobody should: an entry, an event of the feed, a line in the program's log."""
    audit.append(tx, events.alarm("canary", subject, purpose=purpose), key)
    announce(tx, subject)


def announce(tx: Tx, subject: bytes) -> None:
    """Tell the feed and the program's log of an alarm. It says nobody's name."""
    tx.publish(events.ALARM, subject, b"")
    log.error("alarm of the vault: see the entries of type vault.alarm.raised")


def plant(keyring: Keyring, audit: AuditLog, tx: Tx, subject: bytes, *, known: bool) -> Work[None]:
    """From now on an alarm sounds when this person's data are opened. A cold unit; twice is once. Raises
    `UnknownSubject`.
    """
    row, key_row = yield (read(tx, subject), keyring.read(tx, subject))
    key = keyring.unwrap(tx.context.tenant, subject, LOG, key_row)
    if not known or key is None:
        raise UnknownSubject
    if row is None:
        tx.insert(store.CANARY, subject, tx.context.at)
        audit.append(tx, events.canary(subject, planted=True), key)


def lift(keyring: Keyring, audit: AuditLog, tx: Tx, subject: bytes) -> Work[None]:
    """No alarm any more. A cold unit."""
    row, key_row = yield (read(tx, subject), keyring.read(tx, subject))
    if row is not None:
        tx.delete(store.CANARY, subject)
        audit.append(
            tx, events.canary(subject, planted=False), keyring.unwrap(tx.context.tenant, subject, LOG, key_row)
        )


def planted(tx: Tx) -> Work[list[bytes]]:
    """Who was planted, newest first. Cold."""
    (rows,) = yield (tx.select(store.canaries(MOST_LISTED)),)
    return [bytes(row[0]) for row in rows]
