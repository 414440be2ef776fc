"""From a token to a value: where it points, and what a permit lets be seen of it."""

import logging
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from audit import AuditEvent, AuditLog
from sayso.kernel import LOG, SECOND, Permit, Tx, Values, Work
from vault import events, store
from vault.ciphers.suite import BrokenSeal
from vault.fields import masks
from vault.fields.collections import Collections, Field
from vault.fields.facts import Fact, action_for, asked, told
from vault.fields.normalise import InvalidValue, canonical
from vault.keys.keyring import Keyring
from vault.keys.wrapped import DataKey
from vault.opening import canaries
from vault.opening.guarding import BREAK_GLASS, Glass, way
from vault.records import stored as records
from vault.tokens import rows as tokens

ANY = "any"
"""The audience that every admitted client belongs to."""

log = logging.getLogger("sayso.vault")


class Located(Struct, frozen=True, gc=False):
    """Where a token points.

    One that points nowhere (`found` is false) gets an invented person, who has no rights and no data: ask the policies
    about it all the same and hand it to `reveal`, so that no clock can tell the difference.
    """

    subject: bytes
    collection: str
    field: Field
    found: bool
    fingerprint: bytes = b""
    row: tokens.Row | None = None

    @property
    def category(self) -> str:
        return self.field.category


class Revealed(Struct, frozen=True):
    """The value as far as the permit lets it be seen."""

    value: str
    entry: str

    def __repr__(self) -> str:
        return f"<Revealed {self.entry}>"


class Unresolvable(Struct, frozen=True):
    """No value, for whichever reason."""

    entry: str


class Ask(Struct, frozen=True, kw_only=True):
    """What a reveal is for, as the log will have it. `policy` is the hash of what decided, `why` its refusal.

    `transform` is a mask or a fact that the caller wants in place of the value. `approved`: a second person granted
    just this request; `glass`: why it is opened without one.
    """

    purpose: str
    reason: str
    transform: str | None = None
    policy: str = ""
    why: str = ""
    approved: bool = False
    glass: Glass | None = None


def locate(keyring: Keyring, tx: Tx, collections: Collections, token: str) -> Work[Located]:
    """See `Vault.locate`."""
    (found,) = yield from locate_each(keyring, tx, collections, [tokens.token_in(token)])
    return found


def locate_each(keyring: Keyring, tx: Tx, collections: Collections, named: Sequence[str | None]) -> Work[list[Located]]:
    """See `Vault.locate_each`."""
    tenant, secrets = tx.context.tenant, keyring.of(tx.context.tenant).token
    fingerprints = [tokens.fingerprint_of(secrets, token) for token in named]
    # Kept: whoever takes the last use of one must see that a neighbour took it.
    (rows,) = yield (tx.get_each(store.TOKEN, fingerprints, kept=True),)
    found = []
    for fingerprint, values in zip(fingerprints, rows, strict=True):
        row = None if values is None else tokens.vouched(secrets, tenant, fingerprint, values)
        found.append(_pointed(tx, collections, fingerprint, row) or _nowhere(collections))
    return found


def _pointed(tx: Tx, collections: Collections, fingerprint: bytes, row: tokens.Row | None) -> Located | None:
    """Where a token's row points, for the actor of this request and today."""
    if row is None or tokens.ended(row, tx.context.at):
        return None
    declared = collections.get(row.collection)
    field = declared.fields.get(row.field) if declared is not None else None
    if field is None or (row.audience != ANY and row.audience != tx.context.actor.name):
        return None
    return Located(row.subject, row.collection, field, True, fingerprint, row)


def _nowhere(collections: Collections) -> Located:
    """A place that is declared, of a person who is not."""
    places = ((name, field) for name, declared in collections.items() for field in declared.fields.values())
    name, field = next(places, ("none", Field("none", "text", "any")))
    return Located(os.urandom(16), name, field, found=False)


class Outcome(Struct, frozen=True):
    """What a reveal came to, before it is written down. `shown` None is no value, for whichever reason."""

    shown: str | None
    event: AuditEvent
    log_key: DataKey | None
    alarms: tuple[AuditEvent, ...]


def reveal(
    keyring: Keyring, audit: AuditLog, tx: Tx, located: Located, permit: Permit | None, ask: Ask
) -> Work[Revealed | Unresolvable]:
    """See `Vault.reveal`."""
    outcome = yield from considered(keyring, tx, located, permit, ask)
    entry = audit.append(tx, outcome.event, outcome.log_key)
    sound(audit, tx, outcome.alarms, outcome.log_key)
    return Unresolvable(entry) if outcome.shown is None else Revealed(outcome.shown, entry)


def sound(audit: AuditLog, tx: Tx, alarms: tuple[AuditEvent, ...], log_key: DataKey | None) -> None:
    """Raise the alarms of a reveal: an entry each, an event of the feed, a line in the program's log."""
    for alarm in alarms:
        audit.append(tx, alarm, log_key)
        assert alarm.subject is not None
        canaries.announce(tx, alarm.subject)


class Intent(Struct, frozen=True):
    """What a reveal comes to before anything is opened. `by` None: it is not to be opened, and `why`."""

    by: str | None
    why: str
    fact: Fact | None
    mask: str | None
    action: str


_SPENT: Final = "spent"


def meant(located: Located, permit: Permit | None, ask: Ask) -> Intent:
    """By which way a value may be opened, and what will be shown of it: the same for all that are alike in field, in
    whether the token leads anywhere, in obligations and in what is asked. Raises `Invalid`.
    """
    fact = asked(ask.transform)
    mask = masks.required(() if permit is None else permit.obligations, None if fact else ask.transform)
    by, why = _way(located, permit, ask, fact)
    return Intent(by, why, fact, mask, action_for(ask.transform))


def demanded(tx: Tx, located: Located, permit: Permit | None, intent: Intent) -> Intent:
    """What it comes to for just this token and this permit. Raises `Denied`."""
    if permit is not None:
        permit.demand(
            tenant=tx.context.tenant, subject=located.subject, category=located.field.category, action=intent.action
        )
    if located.row is not None and located.row.uses and tokens.spent_here(tx, located.fingerprint):
        return Intent(None, _SPENT, intent.fact, intent.mask, intent.action)
    return intent


def shown_of(
    keyring: Keyring, tx: Tx, located: Located, ask: Ask, intent: Intent, value: str
) -> tuple[str, tuple[AuditEvent, ...]]:
    """What is shown of a value that was opened, and the alarms that its opening raises. A use of the token is taken."""
    if located.row is not None and located.row.uses:
        tokens.spend(tx, keyring.of(tx.context.tenant).token, located.fingerprint, located.row)
    alarms: tuple[AuditEvent, ...] = ()
    if intent.by == BREAK_GLASS and ask.glass is not None:
        said = {"reason": ask.glass.reason, "ticket": ask.glass.ticket}
        alarms = (events.alarm(BREAK_GLASS, located.subject, purpose=ask.purpose, **said),)
    return _shown(keyring, tx, intent.fact, intent.mask, located.field, value), alarms


def trapped(located: Located, ask: Ask, canary: Values | None) -> tuple[AuditEvent, ...]:
    """The alarm that a planted person's reveal raises, whatever it comes to."""
    if canary is None or not located.found:
        return ()
    return (events.alarm("canary", located.subject, purpose=ask.purpose),)


def considered(keyring: Keyring, tx: Tx, located: Located, permit: Permit | None, ask: Ask) -> Work[Outcome]:
    """A reveal without its entry: the same reads and the same openings, whatever it comes to."""
    subject, field, tenant = located.subject, located.field, tx.context.tenant
    intent = demanded(tx, located, permit, meant(located, permit, ask))
    record, key_row, log_row, canary = yield (
        *records.reads(tx, keyring, subject, located.collection, field),
        keyring.read(tx, subject),
        canaries.read(tx, subject),
    )
    value: str | None = None
    log_key: DataKey | None = None
    why = intent.why
    try:
        log_key = keyring.unwrap(tenant, subject, LOG, log_row)
        if permit is not None and intent.by is not None:
            value = yield from records.opened(tx, keyring, subject, located.collection, field, record, key_row)
    except BrokenSeal:
        why = events.BROKEN
        broken()
    alarms = trapped(located, ask, canary)
    if value is None or permit is None:
        open_decoys(keyring, tenant, log_too=log_key is None)
        known = subject if located.found else None
        event = events.refused(known, purpose=ask.purpose, reason=ask.reason, why=why, policy=ask.policy)
        return Outcome(None, event, log_key, alarms)
    shown, more = shown_of(keyring, tx, located, ask, intent, value)
    seen = intent.mask if intent.fact is None else str(intent.fact)
    event = events.revealed(permit, located.collection, field.name, mask=seen, reason=ask.reason, policy=ask.policy)
    return Outcome(shown, event, log_key, (*alarms, *more))


def broken() -> None:
    """Tell the operator."""
    log.critical("a stored value or its key does not open: it was damaged or moved")


def _way(located: Located, permit: Permit | None, ask: Ask, fact: Fact | None) -> tuple[str | None, str]:
    """By which way the value may be opened, or None; and why it is not, should it not be."""
    if permit is None or not located.found:
        return None, ask.why or ("gone" if located.found else "no_token")
    if fact is not None and str(fact) not in located.field.facts:
        return None, "undeclared_fact"
    guards = located.field.guards if fact is None else ()
    allowed = way(guards, permit.obligations, approved=ask.approved, glass=ask.glass is not None)
    return allowed, "gone" if allowed is not None else "guarded"


def open_decoys(keyring: Keyring, tenant: str, *, log_too: bool) -> None:
    """The work of a reveal, on a value of nobody."""
    decoy = keyring.of(tenant).decoy
    decoy.open()
    if log_too:
        decoy.unwrap()


def _shown(keyring: Keyring, tx: Tx, fact: Fact | None, mask: str | None, field: Field, value: str) -> str:
    """What is left of the value. `fact` stands in its place, and under the mask."""
    if mask is None and fact is None:
        return value
    try:
        normal = canonical(field.type, value, field.region)
    except InvalidValue:
        # The field's type was changed since: nobody can say what four characters of it would show.
        return masks.HIDDEN
    if fact is not None:
        return told(fact, mask, field.type, normal, datetime.fromtimestamp(tx.context.at / SECOND, UTC).date())
    reader = keyring.of(tx.context.tenant).token.mask_key(tx.context.actor.name)
    return masks.masked(mask, field.type, value, normal, reader)
