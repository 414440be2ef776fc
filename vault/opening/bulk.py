"""Many tokens opened side by side, under one entry: each read once for all, each decided and vouched for by itself.

Rows are read in one go for a whole chunk. A person's key that opened one value opens the next one of theirs; what is
refused costs a decoy each, as it does alone.
"""

from collections.abc import Sequence

from audit import AuditEvent, AuditLog
from sayso.kernel import LOG, GetEach, Permit, Tx, Values, Work
from vault import events, store
from vault.ciphers.suite import BrokenSeal
from vault.keys import wear
from vault.keys.keyring import Keyring
from vault.keys.wrapped import DataKey
from vault.opening.reveal import Ask, Intent, Located, broken, demanded, meant, open_decoys, shown_of, sound, trapped

SHOWN, HELD_BACK = "v", "-"
Asked = Sequence[tuple[Located, Permit | None, Ask]]


def reveal_many(keyring: Keyring, audit: AuditLog, tx: Tx, asked: Asked) -> Work[tuple[list[str | None], str]]:
    """See `Vault.reveal_many`."""
    tenant = tx.context.tenant
    intents = _intents(tx, asked)
    subjects = tx.get_each(store.CANARY, [located.subject for located, _, _ in asked])
    places = [(key, located) for key, (located, _, _) in zip(subjects.keys, asked, strict=True)]
    held, key_rows, planted = yield (
        GetEach(store.RECORD, [(*key, located.collection, located.field.name) for key, located in places]),
        GetEach(store.KEY, [(*key, located.field.retention) for key, located in places]),
        subjects,
    )
    yield from _of_other_classes(tx, asked, intents, held, key_rows)
    shown: list[str | None] = []
    alarms: list[tuple[bytes, tuple[AuditEvent, ...]]] = []
    keys = yield from _renewed(keyring, tx, asked, held, key_rows)
    for (located, permit, ask), intent, record, key_row, canary in zip(
        asked, intents, held, key_rows, planted, strict=True
    ):
        sounded = () if canary is None else trapped(located, ask, canary)
        value = _opened(keyring, tenant, located, intent, record, key_row, keys) if permit is not None else None
        if value is None:
            open_decoys(keyring, tenant, log_too=False)
            shown.append(None)
        else:
            seen, more = shown_of(keyring, tx, located, ask, intent, value)
            sounded += more
            shown.append(seen)
        if sounded:
            alarms.append((located.subject, sounded))
    yield from _sound(keyring, audit, tx, alarms)
    opened = "".join([HELD_BACK if value is None else SHOWN for value in shown])
    first = asked[0][2]
    event = events.opened_many(
        first.purpose,
        [located.fingerprint for located, _, _ in asked],
        opened.count(SHOWN),
        reason=first.reason,
        outcomes=opened,
    )
    return shown, audit.append(tx, event, None)


def _intents(tx: Tx, asked: Asked) -> list[Intent]:
    """What each comes to. What follows from names alone is worked out once; each permit is demanded for its own."""
    # By identity: fields and obligations are those of one configuration, and all of it outlives this function.
    alike: dict[tuple[int, bool, int, int], Intent] = {}
    intents = []
    for located, permit, ask in asked:
        name = (id(located.field), located.found, 0 if permit is None else id(permit.obligations), id(ask))
        intent = alike.get(name)
        if intent is None:
            intent = alike[name] = meant(located, permit, ask)
        intents.append(demanded(tx, located, permit, intent))
    return intents


def _of_other_classes(
    tx: Tx, asked: Asked, intents: Sequence[Intent], held: Sequence[Values | None], key_rows: list[Values | None]
) -> Work[None]:
    """The keys of values that were stored before the manifest gave their field another class."""
    other = [
        (place, located.subject, record[1])
        for place, ((located, _, _), intent, record) in enumerate(zip(asked, intents, held, strict=True))
        if record is not None and intent.by is not None and record[1] != located.field.retention
    ]
    rows = yield tuple(tx.get(store.KEY, subject, cls) for _, subject, cls in other)
    for (place, _, _), row in zip(other, rows, strict=True):
        key_rows[place] = row


def _renewed(
    keyring: Keyring, tx: Tx, asked: Asked, held: Sequence[Values | None], key_rows: Sequence[Values | None]
) -> Work[dict[tuple[bytes, Values], DataKey]]:
    """The keys that took a worn one's place, with what still opens for them. There are hardly ever any."""
    keys: dict[tuple[bytes, Values], DataKey] = {}
    for (located, _, _), record, row in zip(asked, held, key_rows, strict=True):
        if record is not None and row is not None and row[1] > 1 and (located.subject, row) not in keys:
            try:
                key = keyring.unwrap(tx.context.tenant, located.subject, record[1], row)
                yield from wear.settled(keyring, tx, key)
            except BrokenSeal:
                # Told where it is opened.
                continue
            if key is not None:
                keys[located.subject, row] = key
    return keys


def _opened(
    keyring: Keyring,
    tenant: str,
    located: Located,
    intent: Intent,
    record: Values | None,
    key_row: Values | None,
    keys: dict[tuple[bytes, Values], DataKey],
) -> str | None:
    """The value, or None where there is none, or no way to it."""
    if intent.by is None or record is None or key_row is None:
        return None
    version, cls, sealed, _ = record
    try:
        key = keys.get((located.subject, key_row))
        if key is None or key.cls != cls:
            key = keyring.unwrap(tenant, located.subject, cls, key_row)
            if key is None:
                return None
            keys[located.subject, key_row] = key
        return key.open(located.collection, located.field.name, sealed, version).decode()
    except BrokenSeal:
        broken()
        return None


def _sound(
    keyring: Keyring, audit: AuditLog, tx: Tx, alarms: Sequence[tuple[bytes, tuple[AuditEvent, ...]]]
) -> Work[None]:
    """Raise the alarms of a chunk, each under its person's own key."""
    rows = yield tuple(keyring.read(tx, subject) for subject, _ in alarms)
    for (subject, sounded), row in zip(alarms, rows, strict=True):
        try:
            key = keyring.unwrap(tx.context.tenant, subject, LOG, row)
        except BrokenSeal:
            key = None
            broken()
        sound(audit, tx, sounded, key)
