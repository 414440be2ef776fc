"""A new data key in place of a worn one: what was sealed under the old one is sealed anew, and then the old one goes.

    worn        so many seals were made with it that it is noted, in the commit that made them (`wear.use`)
    begun       a new key of the next version stands at (owner, class), the old one at (owner, "~class")
    sealed anew all values, then tokens a page at a time; no value version moves, nobody is told of a change
    over        nothing is left under the old key: its row goes

Each step is one commit of a job, so whoever is killed is followed by another who goes on. An erasure deletes both
keys. Of two that meet, one loses the race and decides again: whoever seals changes the key's row, and what is sealed
anew must still be as it was read.
"""

from typing import Any, Final

from msgspec import msgpack

from audit import AuditLog
from sayso.kernel import LOG, Done, Job, Try, Tx, Work
from vault import events, store
from vault.ciphers.blob import AROUND
from vault.ciphers.suite import BrokenSeal
from vault.keys import renewal_store, wear
from vault.keys.keyring import Keyring
from vault.keys.wrapped import FORMER, DataKey
from vault.tokens import rows as tokens

PAGE: Final = 200
_START: Final = b""


class Renewal:
    """Renews the worn keys of all tenants; `job` goes to the kernel's jobs."""

    def __init__(self, keyring: Keyring, audit: AuditLog) -> None:
        self._keyring = keyring
        self._audit = audit
        self.job = Job("renew", 5.0, self._pending, self._step)

    def _pending(self, tx: Tx, _cursor: bytes) -> Work[bool]:
        (rows,) = yield (tx.select(renewal_store.worn(1)),)
        return bool(rows)

    def _step(self, tx: Tx, attempt: Try) -> Work[Done]:
        # Where one fails the next has its turn: a key that does not open must not keep the others waiting.
        (rows,) = yield (tx.select(renewal_store.worn(1 + attempt.failures)),)
        if not rows:
            return Done(b"")
        owner, cls = bytes(rows[-1][0]), str(rows[-1][1])
        row, old_row = yield self._keyring.read(tx, owner, cls), self._keyring.read(tx, owner, FORMER + cls)
        key = self._keyring.unwrap(tx.context.tenant, owner, cls, row)
        if key is None or row is None:
            # Erased meanwhile.
            tx.delete(store.WEAR, owner, cls)
            return Done(b"", 1, more=True)
        old = self._keyring.unwrap(tx.context.tenant, owner, FORMER + cls, old_row)
        if old is None:
            yield from self._begin(tx, key, row)
            return Done(_cursor(owner, cls, None), 1, more=True)
        after = _place(attempt.cursor, owner, cls)
        if after is None:
            count = yield from self._values(tx, key, old)
            self._used(tx, key, row, count)
            return Done(_cursor(owner, cls, _START), count + 1, share=0.5, more=True)
        count, last = yield from self._tokens(tx, key, old, after)
        if last is not None:
            self._used(tx, key, row, count)
            return Done(_cursor(owner, cls, last), count + 1, share=0.75, more=True)
        yield from self._over(tx, key, row, count)
        return Done(b"", count + 1, more=True, deleted=True)

    def _begin(self, tx: Tx, old: DataKey, row: tuple[Any, ...]) -> Work[None]:
        """The new key in the old one's place, the old one beside it."""
        yield from wear.settled(self._keyring, tx, old)
        (carried,) = yield (tx.get(store.TOKEN_OF, old.owner, wear.carried_at(old.cls)),)
        _, key_version, epoch, _, committed, uses = row
        keys = self._keyring.of(tx.context.tenant)
        fresh, beside = old.successor(), old.called(FORMER + old.cls)
        forerunners = (*wear.forerunners_in(carried), wear.Forerunner(key_version, epoch, bytes(committed)))
        wear.carry(tx, fresh, old.derive(wear.TOKEN), forerunners)
        now = (keys.epoch, fresh.wrapped_by(keys.epochs[keys.epoch], keys.epoch), fresh.commitment)
        tx.put(store.KEY, (old.owner, old.cls), (row[0] + 1, fresh.version, *now, 1), was=row)
        kept = (keys.epoch, beside.wrapped_by(keys.epochs[keys.epoch], keys.epoch), committed, uses)
        tx.insert(store.KEY, old.owner, FORMER + old.cls, 1, key_version, *kept)

    def _values(self, tx: Tx, key: DataKey, old: DataKey) -> Work[int]:
        """All values of the class: a person has one of each declared field at most."""
        tenant, owner = tx.context.tenant, key.owner
        (rows,) = yield (tx.select(renewal_store.records(tenant, owner, key.cls)),)
        count = 0
        for collection, field, version, blob in rows:
            anew = _anew(key, old, collection, field, bytes(blob), version)
            if anew is not None:
                count += 1
                place = (collection, field, version)
                change = renewal_store.value_sealed_anew(tenant, owner, place, bytes(blob), anew)
                tx.execute(change, expect=1)
        return count

    def _tokens(self, tx: Tx, key: DataKey, old: DataKey, after: bytes) -> Work[tuple[int, bytes | None]]:
        """A page of tokens that are kept to be given again: how many, and the last tag, None behind the last page."""
        tenant, owner = tx.context.tenant, key.owner
        (rows,) = yield (tx.select(renewal_store.tokens(tenant, owner, after, PAGE)),)
        count = 0
        for tag, blob in rows:
            anew = _anew(key, old, tokens.COLLECTION, bytes(tag).hex(), bytes(blob), 0)
            if anew is not None:
                count += 1
                change = renewal_store.token_sealed_anew(tenant, owner, bytes(tag), bytes(blob), anew)
                tx.execute(change, expect=1)
        return count, bytes(rows[-1][0]) if len(rows) == PAGE else None

    def _used(self, tx: Tx, key: DataKey, row: tuple[Any, ...], seals: int) -> None:
        tx.put(store.KEY, (key.owner, key.cls), (row[0] + 1, *row[1:5], row[5] + seals), was=row)

    def _over(self, tx: Tx, key: DataKey, row: tuple[Any, ...], seals: int) -> Work[None]:
        (log_row,) = yield (self._keyring.read(tx, key.owner),)
        self._used(tx, key, row, seals)
        tx.delete(store.KEY, key.owner, FORMER + key.cls)
        tx.delete(store.WEAR, key.owner, key.cls)
        log_key = self._keyring.unwrap(tx.context.tenant, key.owner, LOG, log_row)
        self._audit.append(tx, events.renewed(key.owner, key.cls, key.version), log_key)


def _anew(key: DataKey, old: DataKey, collection: str, field: str, blob: bytes, version: int) -> bytes | None:
    """The blob under the new key; None for one that the old key did not seal: another class's, or done already.

    Padding stays as long as it was, so that a renewal tells nothing of a value.
    """
    if blob[1:5] != old.version.to_bytes(4, "big"):
        return None
    try:
        value = old.open(collection, field, blob, version)
    except BrokenSeal:
        # Another class has a key of that version too. What is damaged stays as it is, and is told when it is opened.
        return None
    return key.seal(collection, field, value, version, len(blob) - AROUND)


def _cursor(owner: bytes, cls: str, after: bytes | None) -> bytes:
    return msgpack.encode((owner, cls, after))


def _place(cursor: bytes, owner: bytes, cls: str) -> bytes | None:
    """Behind which tag this key's tokens go on; None when its values come first."""
    if not cursor:
        return None
    whose, of, after = msgpack.decode(cursor, type=tuple[bytes, str, bytes | None])
    return after if (whose, of) == (owner, cls) else None
