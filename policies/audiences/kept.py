"""Lists of people that a client keeps here under a name, to ask about them again without sending them again.

A list is people by their numbers, in parts sealed under the tenant's key, until it ends. An erasure deletes a person's
number; a worker then takes it out of every list (`KeptLists.job`).
"""

from typing import Final, NamedTuple

import msgspec
import numpy as np
from msgspec import Struct

from audit import AuditEvent, AuditLog
from consent import AID
from policies import events
from policies.audiences.aids import Aids, read_aids, write_aids
from policies.audiences.answers import PART, NoAudience, first_of, seal, unseal
from policies.audiences.store import AIDS, AUDIENCE, ENDED, FORGOTTEN_AFTER, kept
from sayso.kernel import DAY, TENANT_OWNER, Actor, Conflict, Done, Invalid, Job, Sealer, Try, Tx, Work, new_raw

MOST_KEPT: Final = 200
"""Lists of one brand."""

LONGEST_TERM: Final = 400 * DAY
USUAL_TERM: Final = 30 * DAY

_COLLECTION: Final = "policies_audience"
_EVERY: Final = 5.0
_AT_ONCE: Final = 8


class Kept(Struct, frozen=True, array_like=True):
    """A kept list: whose it is, when it was kept, and the first numbers of its parts."""

    list: bytes
    owner: str
    client: str
    created: int
    count: int
    firsts: tuple[int, ...]


class Named(NamedTuple):
    """A kept list with its name, and the instant at which it ends."""

    name: str
    until: int
    kept: Kept


class KeptLists:
    """Keeps lists, hands them out again, and ends them."""

    def __init__(self, audit: AuditLog, sealer: Sealer) -> None:
        self._audit = audit
        self._sealer = sealer
        self._seen: dict[str, int] = {}
        self.job = Job("audiences", _EVERY, self._pending, self._step)

    def keep(self, tx: Tx, name: str, aids: Aids, until: int) -> Work[Named]:
        """The list under this name is now these people. Cold. Raises `Invalid`, `Conflict`, `NoAudience`."""
        actor, at = tx.context.actor, tx.context.at
        if not at < until <= at + LONGEST_TERM:
            raise Invalid("invalid-term", "A list is kept for a term that lies ahead, of 400 days at most.")
        (row,) = yield (tx.get(AUDIENCE, name),)
        old = self._opened(tx, name, row[2]) if row is not None else None
        if old is not None and old.owner != actor.id:
            raise Conflict("audience-of-another", "Another client keeps a list under this name.")
        if old is None:
            (rows,) = yield (tx.select(kept()),)
            if len(rows) >= MOST_KEPT:
                raise Conflict("too-many-audiences", f"A brand keeps {MOST_KEPT} lists at most.", limit=MOST_KEPT)
        else:
            self._clear(tx, old)
        fresh, key = new_raw(), self._sealer.standing(tx.context.tenant, TENANT_OWNER)
        parts = [aids[start : start + PART] for start in range(0, len(aids), PART)]
        for part in parts:
            first = first_of(part)
            tx.insert(AIDS, fresh, first, seal(key, fresh, first, write_aids(part)))
        found = Kept(fresh, actor.id, actor.name, at, len(aids), tuple(int(part[0]) for part in parts))
        tx.put(AUDIENCE, (name,), (row[0] + 1 if row is not None else 1, until, self._sealed(tx, name, found)), was=row)
        self._audit.append(tx, AuditEvent(events.AUDIENCE_KEPT, "ok", {"count": str(len(aids))}, None, {"name": name}))
        return Named(name, until, found)

    def find(self, tx: Tx, name: str, actor: Actor, *, any_owner: bool = False) -> Work[Named]:
        """A list of the caller's. Raises `NoAudience`, also for one that is over."""
        (row,) = yield (tx.get(AUDIENCE, name),)
        found = self._opened(tx, name, row[2]) if row is not None and row[1] > tx.context.at else None
        if row is None or found is None or not (any_owner or found.owner == actor.id):
            raise NoAudience
        return Named(name, row[1], found)

    def aids(self, tx: Tx, found: Kept) -> Work[Aids]:
        """The people of a list, ascending."""
        keys = [first.to_bytes(8, "big") for first in found.firsts]
        rows = yield tuple(tx.get(AIDS, found.list, key) for key in keys)
        key = self._sealer.standing(tx.context.tenant, TENANT_OWNER)
        parts = [
            np.frombuffer(unseal(key, found.list, first, row[0]), "<u8")
            for first, row in zip(keys, rows, strict=True)
            if row is not None
        ]
        return np.concatenate([np.zeros(0, np.uint64), *parts]).astype(np.uint64)

    def all(self, tx: Tx, actor: Actor, *, any_owner: bool = False) -> Work[list[Named]]:
        """The caller's lists that are not over, by name."""
        (rows,) = yield (tx.select(kept()),)
        named = [Named(name, until, self._opened(tx, name, content)) for name, _, until, content in rows]
        return [each for each in named if each.until > tx.context.at and (any_owner or each.kept.owner == actor.id)]

    def drop(self, tx: Tx, name: str, actor: Actor, *, any_owner: bool = False) -> Work[None]:
        """The list is gone. Cold. Raises `NoAudience`."""
        found = yield from self.find(tx, name, actor, any_owner=any_owner)
        self._drop(tx, name, found.kept)

    def _drop(self, tx: Tx, name: str, found: Kept) -> None:
        self._clear(tx, found)
        tx.delete(AUDIENCE, name)
        res = {"count": str(found.count)}
        self._audit.append(tx, AuditEvent(events.AUDIENCE_DROPPED, "ok", res, None, {"name": name}))

    def _clear(self, tx: Tx, found: Kept) -> None:
        for first in found.firsts:
            tx.delete(AIDS, found.list, first.to_bytes(8, "big"))

    def _sealed(self, tx: Tx, name: str, found: Kept) -> bytes:
        return self._sealer.standing(tx.context.tenant, TENANT_OWNER).seal(_COLLECTION, name, _encode(found))

    def _opened(self, tx: Tx, name: str, sealed: bytes) -> Kept:
        return _decode(self._sealer.standing(tx.context.tenant, TENANT_OWNER).open(_COLLECTION, name, sealed))

    # the worker's part

    def _pending(self, tx: Tx, cursor: bytes) -> Work[bool]:
        work = _work(cursor)
        if work.lists:
            return True
        # What was looked through and told of nobody is not looked through again.
        tenant = tx.context.tenant
        after = max(work.position, self._seen.get(tenant, 0))
        ended, forgotten = yield (
            tx.query(ENDED, at=tx.context.at, most=1),
            tx.query(FORGOTTEN_AFTER, after=after, most=1),
        )
        if not forgotten:
            self._seen[tenant] = tx.head.position
        return bool(ended or forgotten)

    def _step(self, tx: Tx, begun: Try) -> Work[Done]:
        """End what is over; then one part after the other is held against who is still there."""
        (ended,) = yield (tx.query(ENDED, at=tx.context.at, most=_AT_ONCE),)
        if ended:
            for name, content in ended:
                self._drop(tx, name, self._opened(tx, name, content))
            return Done(begun.cursor, len(ended), more=True, deleted=True)
        work = _work(begun.cursor)
        if not work.lists:
            (rows,) = yield (tx.select(kept()),)
            names = tuple(name for name, _, _, _ in rows)
            work = _Work(tx.head.position, names)
            return Done(_encode(work), more=bool(names))
        left = yield from self._strip(tx, work)
        return Done(_encode(left), 1, more=bool(left.lists), deleted=True)

    def _strip(self, tx: Tx, work: "_Work") -> Work["_Work"]:
        """Take out of one part whoever has no number any more; what is left to be done."""
        name, *rest = work.lists
        (row,) = yield (tx.get(AUDIENCE, name),)
        found = self._opened(tx, name, row[2]) if row is not None else None
        if row is None or found is None or work.part >= len(found.firsts):
            return _Work(work.position, tuple(rest))
        first = found.firsts[work.part].to_bytes(8, "big")
        (held,) = yield (tx.get(AIDS, found.list, first),)
        if held is not None:
            key = self._sealer.standing(tx.context.tenant, TENANT_OWNER)
            body = unseal(key, found.list, first, held[0])
            left = yield from self._living(tx, body)
            if len(left) != len(body):
                tx.delete(AIDS, found.list, first)
                tx.insert(AIDS, found.list, first, seal(key, found.list, first, left))
                gone = (len(body) - len(left)) // 8
                changed = msgspec.structs.replace(found, count=found.count - gone)
                tx.put(AUDIENCE, (name,), (row[0] + 1, row[1], self._sealed(tx, name, changed)), was=row)
        return _Work(work.position, work.lists, work.part + 1)

    def _living(self, tx: Tx, body: bytes) -> Work[bytes]:
        """The numbers of a part that are still somebody's."""
        if not body:
            return body
        aids = read_aids(body)
        (rows,) = yield (tx.get_each(AID, [aid.to_bytes(8, "big") for aid in aids.tolist()]),)
        return write_aids(aids[[row is not None for row in rows]])


class _Work(Struct, frozen=True, array_like=True):
    """Where the worker is: the position of the feed up to which erasures are dealt with once these lists are, and the
    next part of the first of them.
    """

    position: int = 0
    lists: tuple[str, ...] = ()
    part: int = 0


def _work(cursor: bytes) -> _Work:
    return msgspec.msgpack.decode(cursor, type=_Work) if cursor else _Work()


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Kept).decode
