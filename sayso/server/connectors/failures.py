"""What a database's own error means for a task: may it go better later, or does an officer look? Pure.

Drivers sort their errors differently (to PyMySQL an unknown column is an `OperationalError`, to SQLite an unknown table
is), so the numbers of the databases decide, never the class.
"""

from typing import Any, Final


class Refused(Exception):
    """It was not done, and nothing was changed. `word` says why without a value; `passing`: it may go better later."""

    def __init__(self, word: str, statement: str = "", *, passing: bool = False) -> None:
        super().__init__(word)
        self.word = word
        self.statement = statement
        self.passing = passing


# SQLite's result codes: busy, locked, interrupted, input or output, full, cannot open.
_SQLITE_LATE: Final = 9
_SQLITE_AWAY: Final = frozenset((5, 6, 10, 13, 14))
# SQLSTATE (PostgreSQL, appendix A): cancelled, lock not there in time, idle in a transaction; then what passes,
# a refused account or database among it: accounts are renewed, and the task is to outlive that.
_STATE_LATE: Final = frozenset(("57014", "55P03", "25P03", "25P04"))
_STATE_AWAY: Final = ("08", "28", "3D", "40", "53", "57P")
# MySQL and MariaDB: lock wait, statement time; not let in, too many connections, shut down, killed, deadlock, network.
_NUMBER_LATE: Final = frozenset((1205, 1969, 3024))
_NUMBER_AWAY: Final = frozenset(
    (1040, 1044, 1045, 1049, 1053, 1077, 1080, 1158, 1159, 1160, 1161, 1203, 1213, 1317, 1698, 1927)
)
_CLIENTS_OWN: Final = range(2000, 3000)


def judged(error: BaseException | None, *, late: bool) -> Refused:
    """The driver's `error` as a refusal. `late`: our own time is over, whatever the database calls it."""
    if late:
        return Refused("timeout", passing=True)
    code: Any = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        return _word(late=code & 0xFF == _SQLITE_LATE, away=code & 0xFF in _SQLITE_AWAY)
    state: Any = getattr(error, "sqlstate", None)
    if state is not None:
        return _word(late=state in _STATE_LATE, away=state.startswith(_STATE_AWAY))
    number = error.args[0] if error is not None and error.args else None
    if isinstance(number, int):
        return _word(late=number in _NUMBER_LATE, away=number in _NUMBER_AWAY or number in _CLIENTS_OWN or number == 0)
    # No number at all: the connection was never made, or is gone.
    return Refused("unreachable", passing=True)


def _word(*, late: bool, away: bool) -> Refused:
    if late:
        return Refused("timeout", passing=True)
    return Refused("unreachable", passing=True) if away else Refused("refused")
