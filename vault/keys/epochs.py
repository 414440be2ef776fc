"""Rolling a tenant's keys: a new epoch, everything wrapped anew under it, the old one disabled and then destroyed.

    rotate   lays down the next epoch            next
    roll     uses it, and wraps all keys anew    active, and retiring for the one before
    …        nothing lies under the old one      disabled
    …        grace over, keys backed up          destroyed

Each step is one commit with its entry, and whoever is killed between two of them is followed by another who goes on:
the sweep is a job of the kernel with its cursor, and asking a provider twice to make or to destroy a key is no error.
Only the tenant key's wrapping changes. No value is touched, no version moves, nobody is told of a change.
"""

from typing import Any, Final

from msgspec import msgpack

from audit import AuditLog
from sayso.kernel import SECOND, Context, Database, Done, Invalid, Job, Try, Tx, Work, add_duration, iso
from vault import events, store, tables
from vault.keys import epoch_store, rewrap
from vault.keys.epoch import ACTIVE, DESTROYED, DESTROYING, DISABLED, NEXT, RETIRING, Epoch
from vault.keys.epoch_store import Place
from vault.keys.keyring import Keyring, epochs_of
from vault.keys.roll import (
    DONE,
    PAUSED,
    SWEEPING,
    WAITING,
    EpochInUse,
    EpochList,
    EpochView,
    KeysNotBackedUp,
    NewRoll,
    NoEpoch,
    NoRoll,
    Roll,
    RollUnderWay,
    RollView,
    roll_view,
    view,
)
from vault.providers.custody import in_time
from vault.providers.provider import Receipt

PAGE: Final = 1_024
"""Data keys in one step of the sweep."""

FASTEST: Final = 1_000_000
_ROLL: Final = "roll"
_BACKUP: Final = "backup"


class Epochs:
    """The epochs of all tenants."""

    def __init__(self, keyring: Keyring, audit: AuditLog) -> None:
        self._keyring = keyring
        self._audit = audit
        self.job = Job("rewrap", 1.0, self._pending, self._step, rest=1)

    # looking

    def listed(self, tx: Tx) -> Work[EpochList]:
        """All epochs with what lies under them. Cold: it counts."""
        rows, counts, row, backup = yield (
            tx.select(store.epochs()),
            tx.select(epoch_store.count_by_epoch()),
            tx.get(store.ROLL, _ROLL),
            tx.get(store.ROLL, _BACKUP),
        )
        under = dict(counts)
        epochs, backed_up = tuple(Epoch(*each) for each in rows), _began(backup)
        shown = roll_view(Roll(*row), backed_up, epochs) if row is not None else None
        views = [view(each, under.get(each.epoch, 0)) for each in epochs]
        return EpochList(views, shown, iso(backed_up) if backed_up else "")

    def gone(self, tx: Tx) -> Work[dict[int, Receipt]]:
        """The oldest epochs, without a gap, that nobody can bring back any more by now. Cold, read only."""
        found: dict[int, Receipt] = {}
        for each in (yield from epochs_of(tx)):
            if each.state != DESTROYED or each.gone_at > tx.context.at:
                break
            found[each.epoch] = Receipt(each.provider, each.ref, each.gone_at)
        return found

    # the steps that somebody asks for

    async def rotate(self, database: Database, context: Context) -> EpochView:
        """Lay down the next epoch. There is one already: that one. Raises `RootKeyError`."""
        newest = (await database.look(context, epochs_of))[-1]
        if newest.state != NEXT:
            await self._keyring.prepare(context.tenant, newest.epoch + 1)
        return await database.run_alone(context, self._next)

    async def roll(self, database: Database, context: Context, wanted: NewRoll) -> RollView:
        """Use the next epoch from now on, which is laid down if need be, and begin to wrap everything anew.

        Raises `RollUnderWay`, `Invalid`, `RootKeyError`.
        """
        if not 0 <= wanted.rate <= FASTEST:
            raise Invalid("invalid-rate", f"A rate is 0 to {FASTEST} keys a second.")
        grace = add_duration(0, wanted.grace)
        await self.rotate(database, context)
        await self._keyring.fetch(database, context)
        return await database.run_alone(context, lambda tx: self._activate(tx, wanted.rate, grace))

    def pause(self, tx: Tx) -> Work[RollView]:
        """Stop wrapping anew after the present step. Raises `NoRoll`."""
        return self._turn(tx, SWEEPING, PAUSED)

    def resume(self, tx: Tx) -> Work[RollView]:
        """Go on where it was paused. Raises `NoRoll`."""
        return self._turn(tx, PAUSED, SWEEPING)

    def enable(self, tx: Tx, number: int) -> Work[EpochView]:
        """Call a disabled epoch back: it opens again what a restored backup may hold. The roll is paused; resumed, it
        wraps that anew too. Raises `NoEpoch`, `EpochInUse`.
        """
        found = yield from _one(tx, number)
        if found.state != DISABLED:
            raise EpochInUse(found.state)
        (row,) = yield (tx.get(store.ROLL, _ROLL),)
        tx.put(store.EPOCH, (number,), found.moved(RETIRING, tx.context.at), was=found.values)
        if row is not None:
            tx.put(store.ROLL, (_ROLL,), Roll(*row).values(state=PAUSED, finished_at=0), was=row)
        self._tell(tx, events.EPOCH_ENABLED, number)
        tx.configure()
        return view(found, 0, state=RETIRING, changed_at=tx.context.at)

    async def destroy(self, database: Database, context: Context, number: int) -> EpochView:
        """Destroy a disabled epoch without waiting for the end of its grace.

        Raises `NoEpoch`, `EpochInUse`, `KeysNotBackedUp`, `RootKeyError`.
        """
        found, backed_up = await database.look(context, lambda tx: _with_backup(tx, number))
        if found.state not in (DISABLED, DESTROYING):
            raise EpochInUse(found.state)
        if found.state == DISABLED and backed_up < found.changed_at:
            raise KeysNotBackedUp
        return await self._destroy(database, context, found)

    def backed_up(self, tx: Tx, began: int) -> Work[None]:
        """Note that the key table was backed up; `began` is the instant from which the copy was taken."""
        (row,) = yield (tx.get(store.ROLL, _BACKUP),)
        held = Roll() if row is None else Roll(*row)
        fresh = held.values(started_at=began, finished_at=tx.context.at)
        tx.put(store.ROLL, (_BACKUP,), fresh, was=row)
        self._tell(tx, events.KEYS_BACKED_UP, self._keyring.of(tx.context.tenant).epoch)

    def restored(self, tx: Tx, epoch: int, *, keys: int, destroyed: int) -> None:
        """Tell the log that a key table was put back: so many keys, and so many people erased again."""
        self._audit.append(tx, events.about_epoch(events.KEYS_RESTORED, epoch, keys=keys, destroyed=destroyed), None)

    # what goes on by itself

    async def finish(self, database: Database, context: Context) -> list[int]:
        """Destroy what is disabled, past its grace and backed up. Which epochs that were. Raises `RootKeyError`."""
        due = await database.look(context, _due)
        return [(await self._destroy(database, context, each)).epoch for each in due]

    def _pending(self, tx: Tx, _cursor: bytes) -> Work[bool]:
        (row,) = yield (tx.get(store.ROLL, _ROLL),)
        if row is None:
            return False
        roll = Roll(*row)
        return roll.state == SWEEPING and roll.next_at <= tx.context.at

    def _step(self, tx: Tx, attempt: Try) -> Work[Done]:
        """Wrap one page of data keys anew; behind the last one, disable what nothing lies under any more."""
        (row,) = yield (tx.get(store.ROLL, _ROLL),)
        roll, at = Roll() if row is None else Roll(*row), tx.context.at
        if roll.state != SWEEPING or roll.next_at > at:
            return Done(attempt.cursor, more=False)
        limit = min(PAGE, roll.rate) if roll.rate else PAGE
        place = _place(attempt.cursor)
        (found,) = yield (tx.select(epoch_store.keys_not_under(tx.context.tenant, roll.epoch, place, limit)),)
        if not found and place is None:
            yield from self._disable(tx, roll, row)
            return Done(b"", share=1.0, more=False, deleted=True)
        rewrap.data_keys(tx, self._keyring.of(tx.context.tenant).epochs, roll.epoch, found)
        done = roll.done + len(found)
        next_at = at + len(found) * SECOND // roll.rate if roll.rate else at
        tx.put(store.ROLL, (_ROLL,), roll.values(done=done, total=max(done, roll.total), next_at=next_at), was=row)
        # At the end of the table it is gone through once more: a key may have been made behind the cursor's back.
        cursor = _cursor((found[-1][0], bytes(found[-1][1]), found[-1][2])) if len(found) == limit else b""
        return Done(cursor, len(found), min(done / max(roll.total, 1), 1.0), more=not roll.rate)

    # one commit each

    def _next(self, tx: Tx) -> Work[EpochView]:
        epochs = yield from epochs_of(tx)
        if epochs[-1].state == NEXT:
            return view(epochs[-1], 0)
        number = epochs[-1].epoch + 1
        self._keyring.add_epoch(tx, number, NEXT)
        self._tell(tx, events.EPOCH_MADE, number)
        tx.configure()
        facts = self._keyring.custody.of(tx.context.tenant).describe()
        at = iso(tx.context.at)
        return EpochView(number, NEXT, facts.provider, facts.key, 0, at, at)

    def _activate(self, tx: Tx, rate: int, grace: int) -> Work[RollView]:
        at, tenant = tx.context.at, tx.context.tenant
        epochs = yield from epochs_of(tx)
        counts, roots, seeds, standing, row = yield (
            tx.select(epoch_store.count_by_epoch()),
            tx.select(store.index_roots()),
            tx.select(store.signing_seeds()),
            tx.select(store.standing_keys()),
            tx.get(store.ROLL, _ROLL),
        )
        roll = Roll() if row is None else Roll(*row)
        if roll.state in (SWEEPING, PAUSED):
            raise RollUnderWay(roll.state)
        fresh = epochs[-1]
        (active,) = [each for each in epochs if each.state == ACTIVE]
        if fresh.state != NEXT:
            raise RollUnderWay(roll.state)
        tx.put(store.EPOCH, (active.epoch,), active.moved(RETIRING, at), was=active.values)
        tx.put(store.EPOCH, (fresh.epoch,), fresh.moved(ACTIVE, at), was=fresh.values)
        keys = self._keyring.with_epoch(tenant, fresh)
        secrets = ((tables.vault_index_key, roots), (tables.vault_signing_key, seeds))
        rewrap.own_keys(tx, keys, fresh.epoch, secrets, standing)
        begun = roll.values(
            state=SWEEPING,
            epoch=fresh.epoch,
            rate=rate,
            grace=grace,
            total=sum(count for _, count in counts),
            done=0,
            next_at=at,
            started_at=at,
            finished_at=0,
        )
        tx.put(store.ROLL, (_ROLL,), begun, was=row)
        self._tell(tx, events.EPOCH_ACTIVATED, fresh.epoch)
        tx.configure()
        return roll_view(Roll(*begun))

    def _disable(self, tx: Tx, roll: Roll, row: tuple[Any, ...]) -> Work[None]:
        at = tx.context.at
        for each in (yield from epochs_of(tx)):
            if each.state == RETIRING and each.epoch != roll.epoch:
                tx.put(store.EPOCH, (each.epoch,), each.moved(DISABLED, at), was=each.values)
                self._tell(tx, events.EPOCH_DISABLED, each.epoch, keys=roll.done)
        tx.put(store.ROLL, (_ROLL,), roll.values(state=WAITING, finished_at=at), was=row)
        tx.configure()

    async def _destroy(self, database: Database, context: Context, found: Epoch) -> EpochView:
        # Once more before it cannot be undone: nothing may lie under it. From then on nobody calls it back, so that no
        # key is put to use while its provider destroys it; who is killed here is followed by another who goes on.
        if found.state == DISABLED and not await database.run_alone(context, lambda tx: self._doom(tx, found)):
            raise EpochInUse(RETIRING)
        provider = self._keyring.custody.holder(context.tenant, found.root)
        receipt = await in_time(provider, lambda: provider.destroy(found.ref, context.at))
        done = await database.run_alone(context, lambda tx: self._destroyed(tx, found.epoch, receipt))
        await database.tidy()
        return done

    def _doom(self, tx: Tx, found: Epoch) -> Work[bool]:
        """Begin the end of an epoch that nothing lies under; else the sweep begins again, and it is False. Raises
        `EpochInUse` once called back.
        """
        standing = yield from _one(tx, found.epoch)
        if standing.values != found.values:
            raise EpochInUse(standing.state)
        under, row = yield tx.select(epoch_store.any_under(found.epoch)), tx.get(store.ROLL, _ROLL)
        if not under:
            tx.put(store.EPOCH, (found.epoch,), found.moved(DESTROYING, tx.context.at), was=found.values)
            return True
        tx.put(store.EPOCH, (found.epoch,), found.moved(RETIRING, tx.context.at), was=found.values)
        if row is not None:
            tx.put(store.ROLL, (_ROLL,), Roll(*row).values(state=SWEEPING, finished_at=0), was=row)
        tx.configure()
        return False

    def _destroyed(self, tx: Tx, number: int, receipt: Receipt) -> Work[EpochView]:
        at = tx.context.at
        found = yield from _one(tx, number)
        (row,) = yield (tx.get(store.ROLL, _ROLL),)
        if found.state != DESTROYING:
            return view(found, 0)
        gone = found.moved(DESTROYED, at, wrapped=b"", gone_at=receipt.gone_at)
        tx.put(store.EPOCH, (number,), gone, was=found.values)
        if row is not None and Roll(*row).state == WAITING:
            tx.put(store.ROLL, (_ROLL,), Roll(*row).values(state=DONE), was=row)
        self._audit.append(tx, events.epoch_destroyed(number, receipt, iso(receipt.gone_at)), None)
        tx.configure()
        return view(found, 0, state=DESTROYED, changed_at=at, gone_at=receipt.gone_at)

    def _turn(self, tx: Tx, stands: str, wanted: str) -> Work[RollView]:
        (row,) = yield (tx.get(store.ROLL, _ROLL),)
        if row is None or Roll(*row).state != stands:
            raise NoRoll
        changed = Roll(*row).values(state=wanted)
        tx.put(store.ROLL, (_ROLL,), changed, was=row)
        self._tell(tx, events.ROLL_PAUSED if wanted == PAUSED else events.ROLL_RESUMED, Roll(*row).epoch)
        return roll_view(Roll(*changed))

    def _tell(self, tx: Tx, kind: str, epoch: int, **more: int) -> None:
        self._audit.append(tx, events.about_epoch(kind, epoch, **more), None)


def _one(tx: Tx, number: int) -> Work[Epoch]:
    (row,) = yield (tx.get(store.EPOCH, number),)
    if row is None:
        raise NoEpoch
    return Epoch(number, *row)


def _with_backup(tx: Tx, number: int) -> Work[tuple[Epoch, int]]:
    """An epoch, and the instant from which the last backup of the key table was taken."""
    found = yield from _one(tx, number)
    (row,) = yield (tx.get(store.ROLL, _BACKUP),)
    return found, _began(row)


def _due(tx: Tx) -> Work[list[Epoch]]:
    """Epochs that are to be destroyed now."""
    epochs = yield from epochs_of(tx)
    row, backup = yield tx.get(store.ROLL, _ROLL), tx.get(store.ROLL, _BACKUP)
    begun = [each for each in epochs if each.state == DESTROYING]
    if row is None or Roll(*row).state != WAITING:
        return begun
    until = min(tx.context.at - Roll(*row).grace, _began(backup))
    return [*begun, *(each for each in epochs if each.state == DISABLED and each.changed_at <= until)]


def _began(backup: tuple[Any, ...] | None) -> int:
    return 0 if backup is None else Roll(*backup).started_at


def _place(cursor: bytes) -> Place | None:
    return msgpack.decode(cursor, type=Place) if cursor else None


def _cursor(place: Place) -> bytes:
    return msgpack.encode(place)
