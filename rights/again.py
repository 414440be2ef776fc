"""Whoever was erased stays so, whatever copy of the database is put back (design 6.5).

A copy from before an erasure has the person again: keys, values, choices. Before anything is served on it, what the
ledger of destroyed keys names is erased once more; and whoever has no log key any more, because the key table is newer
than the rest, was erased in between.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

from audit import AuditLog
from consent import PERSON, ConsentRegistry, unpack
from rights.erasure import USUAL_TERMS, ForgetRest, nothing_else
from sayso.kernel import LOG, Context, Database, Sealer, Tx, Work, add_duration
from sayso.kernel.ids import BUCKETS
from vault import Revocation, Vault, lent

_PAGE: Final = 200
_AT_ONCE: Final = 16


class Again:
    """Erases again."""

    def __init__(
        self,
        audit: AuditLog,
        sealer: Sealer,
        consent: ConsentRegistry,
        vault: Vault,
        revocation: Revocation,
        forget_rest: ForgetRest = nothing_else,
    ) -> None:
        self._forget_rest = forget_rest
        self._audit = audit
        self._sealer = sealer
        self._consent = consent
        self._vault = vault
        self._revocation = revocation

    async def enforce(self, database: Database, context: Context) -> int:
        """Erase everybody whose destroyed keys are there again; how many. To be awaited before anything is served."""
        found = await self._revocation.returned(database, context)
        for subject, classes in found.items():
            await database.run_alone(context, lent(partial(self._once_more, subject, frozenset(classes))))
        if found:
            await database.tidy()
            await self._revocation.note(database, context)
        return len(found)

    async def sweep(self, database: Database, context: Context, report: Callable[[int], None]) -> int:
        """Erase everybody whose log key is gone and who is not marked as erased; how many. After a key table was put
        back. `report` is told how many of the buckets lie behind.
        """
        erased = 0
        for first in range(0, BUCKETS, _AT_ONCE):
            for bucket in range(first, first + _AT_ONCE):
                after = b""
                while subjects := await database.look(context, partial(self._page, bucket, after)):
                    after = subjects[-1]
                    for subject in await database.look(context, partial(self._keyless, subjects)):
                        await database.run_alone(context, lent(partial(self._once_more, subject, frozenset())))
                        erased += 1
            report(first + _AT_ONCE)
        if erased:
            await database.tidy()
        return erased

    def _once_more(self, subject: bytes, classes: frozenset[str], tx: Tx) -> Work[None]:
        (key,) = yield (self._sealer.read(tx, subject),)
        if LOG in classes or key is None:
            until = add_duration(tx.context.at, USUAL_TERMS.suppression)
            yield from self._consent.forget_again(tx, subject, suppress_until=until)
            yield from self._audit.forget(tx, subject)
            yield from self._forget_rest(tx, subject)
        yield from self._vault.shred_again(tx, subject, classes)

    def _page(self, bucket: int, after: bytes, tx: Tx) -> Work[list[bytes]]:
        ((_, subjects),) = yield from self._consent.census.pages(tx, (bucket,), after, _PAGE)
        return subjects

    def _keyless(self, subjects: list[bytes], tx: Tx) -> Work[list[bytes]]:
        keys = yield tuple(self._sealer.read(tx, subject) for subject in subjects)
        people = yield tuple(tx.get(PERSON, subject) for subject in subjects)
        return [
            subject
            for subject, key, person in zip(subjects, keys, people, strict=True)
            if key is None and person is not None and not unpack(person[3]).erased_at
        ]
