"""Letters wait here, in the commit of what they are about: no letter without the change, no change without its letter.

Recipient and content are sealed under the person's log key. They can be read only while the letter waits, and only
while the person has not been erased.
"""

from typing import Final

import msgspec
from msgspec import Struct

from consent import NoSubject
from sayso.kernel import DAY, SECOND, Sealer, Tx, Unavailable, Work, iso, new_raw, text
from sayso.server.mail import store
from sayso.server.mail.letters import Letter
from sayso.server.mail.store import MAIL, NEVER

LEASE: Final = 300 * SECOND
"""How long one attempt may take before another node may try the letter."""

PAUSES: Final = tuple(minutes * 60 * SECOND for minutes in (1, 5, 15, 60, 240, 720))
"""How long to wait after each attempt that failed; after the last the letter is dead."""

WAITING_LIMIT: Final = 10_000
"""Letters of one brand that may wait. Beyond it none is taken, rather than all kept waiting for hours."""

KEPT: Final = 30 * DAY
"""How long a dead letter is told of."""

_COLLECTION: Final = "server_mail"


class MailNotConfigured(Unavailable):
    """This installation has no mail server, or its queue is full: nothing can be sent."""

    def __init__(self, *, full: bool = False) -> None:
        if full:
            super().__init__("mail-full", "Too many letters wait for the mail server.", retry_after=60)
        else:
            super().__init__("mail-not-configured", "This installation sends no mail.", retry_after=3600)


class DeadLetter(Struct, frozen=True):
    """A letter that could not be delivered: `why` is `refused`, `unreachable`, `ended` or `unsendable`."""

    mail: str
    kind: str
    at: str
    tries: int
    why: str


class TriedLetter(Struct, frozen=True):
    """A letter that could not be delivered yet, for the reasons of a dead one; tried again at the instant `next_at`."""

    mail: str
    kind: str
    at: str
    tries: int
    why: str
    next_at: int


class Attempt(Struct, frozen=True):
    """A letter that this node is about to send, and where in its life it is."""

    mail: bytes
    letter: Letter


class Outbox:
    """The queue of letters."""

    def __init__(self, sealer: Sealer, *, configured: bool) -> None:
        self._sealer = sealer
        self.configured = configured
        self.waiting: dict[str, int] = {}
        self.dead: dict[str, int] = {}

    def demand(self, tenant: str) -> None:
        """Raises `MailNotConfigured` where a letter could not be sent."""
        if not self.configured:
            raise MailNotConfigured
        if self.waiting.get(tenant, 0) >= WAITING_LIMIT:
            raise MailNotConfigured(full=True)

    def post(self, tx: Tx, subject: bytes, letter: Letter, until: int) -> Work[None]:
        """The letter leaves once this unit is committed, and not after `until`. Raises `NoSubject`,
        `MailNotConfigured`.
        """
        tenant, at = tx.context.tenant, tx.context.at
        self.demand(tenant)
        (wrapped,) = yield (self._sealer.read(tx, subject),)
        key = self._sealer.unwrap(tenant, subject, "log", wrapped)
        if key is None:
            raise NoSubject
        mail = new_raw()
        sealed = key.seal(_COLLECTION, text("mail", mail), msgspec.msgpack.encode(letter))
        tx.insert(MAIL, mail, 1, subject, letter.kind, sealed, at, until, at, 0, "")

    def due(self, tx: Tx, limit: int) -> Work[list[bytes]]:
        """The letters to be tried now. A look."""
        (rows,) = yield (tx.select(store.due(tx.context.at, limit)),)
        return [bytes(mail) for (mail,) in rows]

    def take(self, tx: Tx, mail: bytes) -> Work[Attempt | None]:
        """The letter, if nobody else has it. From now on it is this node's for the length of a lease."""
        (row,) = yield (tx.get(MAIL, mail),)
        at = tx.context.at
        if row is None or row[6] > at:
            return None
        version, subject, kind, sealed, made_at, until, _, tries, why = row
        (wrapped,) = yield (self._sealer.read(tx, bytes(subject)),)
        key = self._sealer.unwrap(tx.context.tenant, bytes(subject), "log", wrapped)
        if key is None:
            # The person was erased: there is nobody to write to, and nothing left to write.
            tx.delete(MAIL, mail)
            return None
        if until <= at:
            self._bury(tx, mail, row, "ended")
            return None
        letter = msgspec.msgpack.decode(key.open(_COLLECTION, text("mail", mail), bytes(sealed)), type=Letter)
        taken = (version + 1, subject, kind, sealed, made_at, until, at + LEASE, tries + 1, why)
        tx.put(MAIL, (mail,), taken, was=row)
        return Attempt(mail, letter)

    def sent(self, tx: Tx, mail: bytes) -> Work[None]:
        """The mail server has it: nothing of it stays."""
        tx.delete(MAIL, mail)
        yield ()

    def failed(self, tx: Tx, mail: bytes, why: str, *, for_good: bool) -> Work[None]:
        """It could not be sent: it waits for the next attempt, or is dead."""
        (row,) = yield (tx.get(MAIL, mail),)
        if row is None:
            return
        version, subject, kind, sealed, made_at, until, _, tries, _ = row
        if for_good or tries > len(PAUSES):
            self._bury(tx, mail, row, why)
            return
        again = tx.context.at + PAUSES[tries - 1]
        tx.put(MAIL, (mail,), (version + 1, subject, kind, sealed, made_at, until, again, tries, why), was=row)

    def count(self, tx: Tx) -> Work[None]:
        """Look how many letters wait and how many are dead, for metrics and the limit."""
        (rows,) = yield (tx.select(store.counts()),)
        found = {bool(dead): count for dead, count in rows}
        self.waiting[tx.context.tenant], self.dead[tx.context.tenant] = found.get(False, 0), found.get(True, 0)

    def dead_letters(self, tx: Tx, limit: int = 100) -> Work[list[DeadLetter]]:
        """The newest letters that could not be delivered. A look."""
        (rows,) = yield (tx.select(store.dead(limit)),)
        return [DeadLetter(text("mail", bytes(mail)), kind, iso(at), tries, why) for mail, kind, at, tries, why in rows]

    def tried_letters(self, tx: Tx, limit: int = 100) -> Work[list[TriedLetter]]:
        """The oldest letters that could not be delivered yet and will be tried again. A look."""
        (rows,) = yield (tx.select(store.tried(limit)),)
        return [TriedLetter(text("mail", bytes(row[0])), row[1], iso(row[2]), row[3], row[4], row[5]) for row in rows]

    def tidy(self, tx: Tx) -> None:
        """Forget dead letters of long ago. Cold."""
        tx.execute(store.old_dead(tx.context.at - KEPT))

    def _bury(self, tx: Tx, mail: bytes, row: tuple[object, ...], why: str) -> None:
        version, subject, kind, _, made_at, until, _, tries, _ = row
        assert isinstance(version, int)
        tx.put(MAIL, (mail,), (version + 1, subject, kind, b"", made_at, until, NEVER, tries, why), was=row)
