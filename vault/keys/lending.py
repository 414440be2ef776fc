"""Keys that are back and held back still: only a unit that they were lent to may use them.

After a provider's silence, or under a database that went back in time, a tenant's keys are loaded before it is known
whether somebody who was erased is there again. Whoever erases them once more needs the keys for it; nobody else gets
them before that is done (`Keyring.release`).
"""

from contextvars import ContextVar
from typing import Any, Final, TypeVar

from sayso.kernel import Tx, Unit, Work

T = TypeVar("T")

_lent: Final[ContextVar[str]] = ContextVar("lent", default="")


def lent(unit: Unit[T]) -> Unit[T]:
    """The unit, with its tenant's keys lent to each of its steps. Between two steps, when others run, to nobody."""

    def steps(tx: Tx) -> Work[T]:
        work, found = unit(tx), None
        while True:
            mark = _lent.set(tx.context.tenant)
            try:
                reads: Any = work.send(found)  # type: ignore[arg-type]
            except StopIteration as stop:
                done: T = stop.value
                return done
            finally:
                _lent.reset(mark)
            found = yield reads

    return steps


def lent_to_whom_asks(tenant: str) -> bool:
    """Whether this very step may use the tenant's keys although they are held back."""
    return _lent.get() == tenant
