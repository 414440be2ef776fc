"""From `shredded` to `final`: the job that gives an erasure its second certificate.

A destroyed data key may still lie in a backup, wrapped by the tenant key of an epoch. It is gone from there as well
when that epoch is destroyed at its provider, or when the last backup from before the erasure has been discarded, which
the operator promises with the setting `backup_horizon`. Whichever comes first.
"""

from typing import Final

from msgspec.structs import replace

from audit import AuditLog
from rights import certificate, events, store
from rights.certificate import Destroyed, Finality, Statement
from sayso.kernel import SECOND, Done, Job, NotFound, Try, Tx, Work, add_duration, iso, text
from vault import Epochs

EVERY: Final = 60.0
"""Seconds between two looks."""

_MOST: Final = 32


class Finals:
    """Makes certificates final. `horizon`: how long a copy of the database is kept at most (ISO 8601); may be empty."""

    def __init__(self, audit: AuditLog, epochs: Epochs, horizon: str = "") -> None:
        self._audit = audit
        self._epochs = epochs
        self._horizon = horizon
        if horizon:
            add_duration(0, horizon)
        self.job = Job("finality", EVERY, self._pending, self._step)

    def _pending(self, tx: Tx, _cursor: bytes) -> Work[bool]:
        gone = yield from self._gone(tx)
        (rows,) = yield (store.unfinal(tx, max(gone, default=0), self._before(tx), 1),)
        return bool(rows)

    def _step(self, tx: Tx, attempt: Try) -> Work[Done]:
        gone = yield from self._gone(tx)
        most = 1 if attempt.failures else _MOST
        (rows,) = yield (store.unfinal(tx, max(gone, default=0), self._before(tx), most),)
        for raw_id, _, _ in rows:
            yield from self._finish(tx, bytes(raw_id), gone)
        return Done(b"", len(rows), more=len(rows) == most)

    def _finish(self, tx: Tx, raw_id: bytes, gone: dict[int, Destroyed]) -> Work[None]:
        tx.delete(store.UNFINAL, raw_id)
        try:
            found = yield from store.load(tx, text("rrq", raw_id))
        except NotFound:
            return
        claims = certificate.decode(found.claims) if found.claims is not None else None
        if claims is None or claims.certificate.stage == "final":
            return
        statement = self._final(tx, claims.certificate, gone)
        entry = self._audit.append(tx, events.final(statement), None)
        made = replace(claims, certificate=statement, entry=entry, iat=tx.context.at // SECOND)
        request = found.request
        if not (request.served_at and request.state.closed):
            # Otherwise the request's own entry holds the hash of what other systems answered, and stays.
            request = replace(request, entry=entry)
        store.put_erased(tx, found, request, certificate.encode(made))

    def _final(self, tx: Tx, shredded: Statement, gone: dict[int, Destroyed]) -> Statement:
        epochs = shredded.final.epochs
        if all(epoch in gone for epoch in epochs):
            destroyed, horizon = tuple(gone[epoch] for epoch in epochs), ""
        else:
            destroyed, horizon = (), self._horizon
        final = Finality(at=iso(tx.context.at), destroyed=destroyed, epochs=epochs, horizon=horizon, pending="")
        return replace(shredded, final=final, stage="final")

    def _gone(self, tx: Tx) -> Work[dict[int, Destroyed]]:
        """The oldest epochs without a gap: what nobody can bring back any more, each with its provider's word."""
        epochs = yield from self._epochs.gone(tx)
        return {
            number: Destroyed(number, iso(receipt.gone_at), receipt.key, receipt.provider)
            for number, receipt in epochs.items()
        }

    def _before(self, tx: Tx) -> int:
        """Erasures before this instant are beyond the horizon of backups."""
        at = tx.context.at
        if not self._horizon:
            return 0
        return at - (add_duration(at, self._horizon) - at)
