"""Many tokens opened side by side, under one entry."""

from collections.abc import Sequence

from audit import AuditLog
from sayso.kernel import Permit, Tx, Work, together
from vault import events
from vault.keyring import Keyring
from vault.reveal import Ask, Located, Outcome, considered, sound

SHOWN, HELD_BACK = "v", "-"


def reveal_many(
    keyring: Keyring, audit: AuditLog, tx: Tx, asked: Sequence[tuple[Located, Permit | None, Ask]]
) -> Work[tuple[list[str | None], str]]:
    """See `Vault.reveal_many`."""
    outcomes: list[Outcome] = yield from together(considered(keyring, tx, *one) for one in asked)
    shown = [outcome.shown for outcome in outcomes]
    opened = "".join(HELD_BACK if value is None else SHOWN for value in shown)
    first = asked[0][2]
    event = events.opened_many(
        first.purpose,
        [located.fingerprint for located, _, _ in asked],
        opened.count(SHOWN),
        reason=first.reason,
        outcomes=opened,
    )
    for outcome in outcomes:
        sound(audit, tx, outcome)
    return shown, audit.append(tx, event, None)
