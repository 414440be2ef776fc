"""One step of one request: read it, advance it, enter it, store it. Whatever moves a request goes through here."""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from audit import AuditEvent, AuditLog
from rights import store
from rights.model import RightsRequest, State, Step, advance
from rights.opening import OPENED
from rights.store import Private, Stored
from rights.view import RequestView, view
from sayso.kernel import LOG, TENANT_OWNER, Key, Sealer, TooLarge, Tx, Work

STATEMENT_LIMIT = 4_000
"""Characters of what an officer says about a step."""


class Opened(Struct, frozen=True):
    """A request as read in this unit, with its person's key and what that opened."""

    found: Stored
    key: Key | None
    private: Private


class Steps:
    """Steps of requests, with their entries."""

    def __init__(self, audit: AuditLog, sealer: Sealer) -> None:
        self._audit = audit
        self._sealer = sealer

    def load(self, tx: Tx, request: str) -> Work[Opened]:
        """The request, opened. Raises `RequestNotFound`, `Invalid` (`malformed-id`)."""
        found = yield from store.load(tx, request)
        subject, key = found.request.subject, None
        if subject is not None:
            (key_row,) = yield (self._sealer.read(tx, subject),)
            key = self._sealer.unwrap(tx.context.tenant, subject, LOG, key_row)
        return Opened(found, key, found.private(self.tenants_key(tx), key))

    def step(
        self,
        tx: Tx,
        opened: Opened,
        step: Step,
        event: Callable[[RightsRequest, str], AuditEvent],
        said: str = "",
        private: Private | None = None,
    ) -> RequestView:
        """Advance, enter, store. `said` is kept sealed; `private` takes the place of what was sealed before."""
        after = advance(opened.found.request, step, tx.context.at)
        if after.subject is None:
            # Words about someone erased would lie under the tenant's key and stay.
            said = ""
        after = replace(after, entry=self._audit.append(tx, event(after, said), opened.key))
        held = opened.private if private is None else private
        if said:
            held = replace(held, statements=(*held.statements, (type(step).__name__.lower(), said)))
        if after.state.closed and not (after.state is State.DENIED and (after.appeal is None or after.appealed)):
            # Nothing of it will be stored; a refusal can yet be overturned, and then it is.
            held = replace(held, corrections=(), grounds=(), statement="")
        if after.state.closed and opened.key is None:
            # By what somebody unknown was said to be known lies under the tenant's key, which no erasure destroys.
            held = replace(held, statements=tuple(each for each in held.statements if each[0] != OPENED))
        self.keep(tx, opened, after, held)
        return view(after, held)

    def keep(self, tx: Tx, opened: Opened, request: RightsRequest, private: Private) -> None:
        """Store what stands, without a step and without an entry."""
        store.put(tx, opened.found, request, private, self.tenants_key(tx), opened.key)

    def tenants_key(self, tx: Tx) -> Key:
        """The key of what says something about somebody whom nobody knows."""
        return self._sealer.standing(tx.context.tenant, TENANT_OWNER)


def said_of(statement: str) -> str:
    """What an officer says, trimmed. Raises `TooLarge`."""
    said = statement.strip()
    if len(said) > STATEMENT_LIMIT:
        raise TooLarge("statement-too-long", "That is longer than a statement may be.", limit=STATEMENT_LIMIT)
    return said
