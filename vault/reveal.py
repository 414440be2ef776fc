"""From a token to a value: where it points, and what a permit lets be seen of it."""

import logging
import os

from msgspec import Struct

from audit import AuditLog
from sayso.kernel import LOG, Permit, Tx, Work
from vault import events, masks, records, store, tokens
from vault.fields import Collections, Field
from vault.keyring import Keyring
from vault.keys import DataKey
from vault.normalise import InvalidValue, canonical
from vault.suite import BrokenSeal

ANY = "any"
"""The audience that every admitted client belongs to."""

log = logging.getLogger("sayso.vault")


class Located(Struct, frozen=True):
    """Where a token points.

    One that points nowhere (`found` is false) gets an invented person, who has no rights and no data: ask the policies
    about it all the same and hand it to `reveal`, so that no clock can tell the difference.
    """

    subject: bytes
    collection: str
    field: Field
    found: bool

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
    """What a reveal is for, as the log will have it. `policy` is the hash of what decided, `why` its refusal."""

    purpose: str
    reason: str
    transform: str | None = None
    policy: str = ""
    why: str = ""


def locate(keyring: Keyring, tx: Tx, collections: Collections, token: str) -> Work[Located]:
    """See `Vault.locate`."""
    secrets = keyring.of(tx.context.tenant).token
    fingerprint = tokens.fingerprint_of(secrets, token)
    (row,) = yield (tx.get(store.TOKEN, fingerprint),)
    if row is not None and tokens.vouched(secrets, tx.context.tenant, fingerprint, row):
        subject, collection, name, audience = row[:4]
        declared = collections.get(collection)
        field = declared.fields.get(name) if declared is not None else None
        if field is not None and audience in {ANY, tx.context.actor.name}:
            return Located(subject, collection, field, found=True)
    return _nowhere(collections)


def _nowhere(collections: Collections) -> Located:
    """A place that is declared, of a person who is not."""
    places = ((name, field) for name, declared in collections.items() for field in declared.fields.values())
    name, field = next(places, ("none", Field("none", "text", "any")))
    return Located(os.urandom(16), name, field, found=False)


def reveal(
    keyring: Keyring, audit: AuditLog, tx: Tx, located: Located, permit: Permit | None, ask: Ask
) -> Work[Revealed | Unresolvable]:
    """See `Vault.reveal`."""
    subject, field, tenant = located.subject, located.field, tx.context.tenant
    mask = masks.required(() if permit is None else permit.obligations, ask.transform)
    if permit is not None:
        permit.demand(tenant=tenant, subject=subject, category=field.category, action="reveal")
    record, key_row, log_row = yield (
        *records.reads(tx, keyring, subject, located.collection, field),
        keyring.read(tx, subject),
    )
    value: str | None = None
    log_key: DataKey | None = None
    why = ask.why or ("gone" if located.found else "no_token")
    try:
        log_key = keyring.unwrap(tenant, subject, LOG, log_row)
        if permit is not None and located.found:
            value = yield from records.opened(tx, keyring, subject, located.collection, field, record, key_row)
    except BrokenSeal:
        why = events.BROKEN
        log.critical("a stored value or its key does not open: it was damaged or moved")
    if value is None or permit is None:
        _open_decoys(keyring, tenant, log_too=log_key is None)
        known = subject if located.found else None
        event = events.refused(known, purpose=ask.purpose, reason=ask.reason, why=why, policy=ask.policy)
        return Unresolvable(audit.append(tx, event, log_key))
    shown = _masked(keyring, tx, mask, field, value)
    event = events.revealed(permit, located.collection, field.name, mask=mask, reason=ask.reason, policy=ask.policy)
    return Revealed(shown, audit.append(tx, event, log_key))


def _open_decoys(keyring: Keyring, tenant: str, *, log_too: bool) -> None:
    """The work of a reveal, on a value of nobody."""
    decoy = keyring.of(tenant).decoy
    decoy.open()
    if log_too:
        decoy.unwrap()


def _masked(keyring: Keyring, tx: Tx, mask: str | None, field: Field, value: str) -> str:
    if mask is None:
        return value
    try:
        normal = canonical(field.type, value, field.region)
    except InvalidValue:
        # The field's type was changed since: nobody can say what four characters of it would show.
        return masks.HIDDEN
    reader = keyring.of(tx.context.tenant).token.mask_key(tx.context.actor.name)
    return masks.masked(mask, field.type, value, normal, reader)
