"""Shards: the log of a class is closed from time to time, and another goes on where it ended.

`access`, `access-2`, `access-3`, …: `access` by day, or when it holds `MOST` entries, the other classes by year, both
in UTC; `main` never. Each step is one transaction, and safe to die after:

- *close*: the log takes no more entries. What waits, waits for the next shard.
- *sign* its last head, as the integrator signs any other.
- *open* the next: its entry 0 names the origin, size and root that the old one was closed and signed with; the class
  turns to it in the same commit. Of several integrators one wins: the row of the new log can be written once.

Shards are numbered and not dated. The next name is then known beforehand, so whoever remembers heads (anchor, published
copy, witness) tells a restored database that it once went on (decision 0027).
"""

import re
from collections.abc import Collection, Sequence
from datetime import UTC
from itertools import zip_longest
from typing import Final

from audit.leaf.entry import AuditEvent
from audit.leaf.vocabulary import declare
from audit.retention.classes import MAIN
from audit.store import Signed, Tree
from sayso.kernel import to_datetime

MOST: Final = 1 << 26
"""Entries after which a log of a class is closed."""

BY_DAY: Final = "access"

OPENED: Final = declare("audit.shard.opened", "log", "old_log", "old_origin", "old_size", "old_root")
"""Entry 0 of every shard but the first. `old_root` in hex."""

_NAME: Final = re.compile(r"([a-z]+)(?:-([0-9]+))?(-e[0-9]+)?")


def due(log_class: str, log: str, tree: Tree, at: int) -> bool:
    """Whether the log of a class is to be closed now. One with nothing in it but its own opening never is."""
    if class_of(log) == MAIN or tree.ended or tree.size <= (log != log_class):
        return False
    return tree.size >= MOST or _period(log_class, at) > _period(log_class, tree.opened)


def next_shard(log: str) -> str:
    """`access`, `access-2`, `access-3`, …; a log that began a new epoch keeps that in its name."""
    found = _NAME.fullmatch(log)
    assert found is not None, log
    name, number, epoch = found.groups()
    return f"{name}-{int(number or 1) + 1}{epoch or ''}"


def class_of(log: str) -> str:
    """The class that a log was opened for."""
    return log.partition("-")[0]


def opening(log: str, old: str, tree: Tree, last: Signed) -> AuditEvent:
    """Entry 0 of the log that comes after `old`, which was closed and signed."""
    res = {"log": log, "old_log": old, "old_origin": tree.origin, "old_size": str(last.size)}
    return AuditEvent(OPENED, "ok", res | {"old_root": last.root.hex()})


def holding(logs: Sequence[tuple[str, int]], classes: Collection[str], since: int) -> list[str]:
    """Of logs (name, instant of opening; oldest first) those that may hold entries of these classes made at or after
    an instant. Until the first log of a class was opened its entries went into `main`.
    """
    found: list[str] = []
    if MAIN in classes or not all(any(class_of(name) == each and at <= since for name, at in logs) for each in classes):
        found += [name for name, _ in logs if class_of(name) == MAIN]
    for each in sorted(set(classes) - {MAIN}):
        own = [(name, at) for name, at in logs if class_of(name) == each]
        # What was closed before then, because the next was opened, holds nothing of later.
        closed = [opened <= since for _, opened in own[1:]]
        found += [name for (name, _), over in zip_longest(own, closed) if not over]
    return found


def _period(log_class: str, at: int) -> int:
    moment = to_datetime(at).astimezone(UTC)
    return moment.toordinal() if log_class == BY_DAY else moment.year
