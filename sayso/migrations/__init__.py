"""The tables of every package, laid and changed by Alembic; ships in the wheel.

`upgrade(url)` brings a database to the newest revision and is what `sayso init`, `sayso upgrade` and the tests call;
`current(url)` and `newest()` tell whether that is needed. `guard.py` is what makes a table refuse changes and keep
tenants apart. A developer writes the next revision with `python -m sayso.migrations "what changes"`.

Rules for a revision: explicit operations only, never the packages' live tables; code of the release before and of the
release after must both run on it (add, then move, then drop); no data is moved inside it.
"""

from sayso.migrations.runner import NewerStore, current, every_table, known, newest, upgrade, with_connection

__all__ = ["NewerStore", "current", "every_table", "known", "newest", "upgrade", "with_connection"]
