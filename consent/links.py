"""One-time links to the preference page. The code is the credential: only its hash is stored, and it works once."""

from base64 import urlsafe_b64encode
from hashlib import sha256
from os import urandom
from typing import Final

from audit import AuditEvent, AuditLog
from consent import events
from consent.answers import Link
from consent.errors import LinkUnusable, NoSubject
from consent.people import People
from consent.store import LINK
from sayso.kernel import SECOND, Invalid, Tx, Work, iso

SHORTEST_S: Final = 60
LONGEST_S: Final = 30 * 86_400
"""How long a link may last: a minute to thirty days."""

_CODE_BYTES: Final = 24
_CODE_LENGTH: Final = 32


class Links:
    """Makes and redeems one-time codes."""

    def __init__(self, audit: AuditLog, people: People) -> None:
        self._audit = audit
        self._people = people

    def create(self, tx: Tx, subject: bytes, ttl_s: int) -> Work[Link]:
        """A new code for this person: 32 characters of base64url, 192 random bits."""
        if not SHORTEST_S <= ttl_s <= LONGEST_S:
            raise Invalid(
                "invalid-term", "A link lasts from a minute to thirty days.", shortest=SHORTEST_S, longest=LONGEST_S
            )
        person = yield from self._people.find(tx, subject)
        code = urlsafe_b64encode(urandom(_CODE_BYTES)).decode()
        expires_at = tx.context.at + ttl_s * SECOND
        tx.insert(LINK, _hash(code), 1, subject, expires_at, 0)
        detail = {"expires_at": expires_at}
        self._audit.append(tx, AuditEvent(events.LINK_CREATED, "ok", {}, subject, detail), person.key)
        return Link(code, iso(expires_at))

    def redeem(self, tx: Tx, code: str) -> Work[bytes]:
        """The person behind a code, which is used up by this. Raises `LinkUnusable`, whatever the reason."""
        if len(code) != _CODE_LENGTH or not code.isascii():
            raise LinkUnusable
        hashed = _hash(code)
        (row,) = yield (tx.get(LINK, hashed),)
        if row is None:
            raise LinkUnusable
        version, subject, expires_at, used_at = row
        if used_at or expires_at <= tx.context.at:
            raise LinkUnusable
        try:
            person = yield from self._people.find(tx, bytes(subject))
        except NoSubject:
            raise LinkUnusable from None
        tx.put(LINK, (hashed,), (version + 1, person.subject, expires_at, tx.context.at), was=row)
        self._audit.append(tx, AuditEvent(events.LINK_REDEEMED, "ok", {}, person.subject), person.key)
        return person.subject


def _hash(code: str) -> bytes:
    return sha256(code.encode()).digest()
