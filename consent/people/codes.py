"""One-time codes: what a person holds that proves a link, an address or a second yes was really theirs.

A code is single use, ends, and is good for one purpose only. It has one of two forms. A *link* code is 192 random bits
and stands by itself. *Digits* are short enough to be typed, so they answer to a challenge, a few wrong tries end it,
and what is stored of them is keyed by the person's log key: neither a stolen database nor a patient guesser has them.
What a code carries is sealed under that same key and is gone with the person.
"""

import hmac
from base64 import urlsafe_b64encode
from hashlib import sha256
from os import urandom
from secrets import randbelow
from typing import Final, Literal

from msgspec import Struct

from consent import store
from consent.errors import CodeUnusable, NoSubject
from consent.people.people import People, Person
from consent.store import CODE
from sayso.kernel import SECOND, Invalid, Key, Tx, Values, Work, raw, text

SHORTEST_S: Final = 60
LONGEST_S: Final = 30 * 86_400
"""How long a code may last: a minute to thirty days."""

ATTEMPTS: Final = 5
"""Tries at the digits of one challenge."""

DIGITS: Final = 8

Form = Literal["link", "digits"]

_CODE_BYTES: Final = 24
_CODE_LENGTH: Final = 32
_COLLECTION: Final = "consent_code"
_LABEL: Final = "sayso.consent.code.v1"
_CHALLENGE: Final = "chl"


class Issued(Struct, frozen=True):
    """A new code, told once. `challenge` names it where digits are to be typed, and is empty for a link code."""

    code: str
    expires_at: int
    challenge: str = ""

    def __repr__(self) -> str:
        return "Issued(…)"


class Redeemed(Struct, frozen=True):
    """What a spent code stood for: the person it was issued to and the bytes that it carried."""

    subject: bytes
    payload: bytes
    issued_at: int


class Wrong(Struct, frozen=True):
    """These digits are not the ones. `left` tries remain. A value and no error: the count must be committed."""

    left: int


class Codes:
    """Issues and redeems codes, always inside a caller's unit of work, which writes the entry that says why."""

    def __init__(self, people: People) -> None:
        self._people = people

    def issue(
        self, tx: Tx, purpose: str, subject: bytes, payload: bytes = b"", *, ttl_s: int, form: Form = "link"
    ) -> Work[Issued]:
        """A code for a person by id. Raises `NoSubject`, and `Invalid` for a term out of bounds."""
        person = yield from self._people.find(tx, subject)
        return self.issue_to(tx, purpose, person, payload, ttl_s=ttl_s, form=form)

    def issue_to(
        self, tx: Tx, purpose: str, person: Person, payload: bytes = b"", *, ttl_s: int, form: Form = "link"
    ) -> Issued:
        """A code for a person already read in this unit, who may be new in it. Raises `Invalid`."""
        if not SHORTEST_S <= ttl_s <= LONGEST_S:
            raise Invalid(
                "invalid-term", "A code lasts from a minute to thirty days.", shortest=SHORTEST_S, longest=LONGEST_S
            )
        if form == "link":
            code, challenge, secret = urlsafe_b64encode(urandom(_CODE_BYTES)).decode(), "", b""
            tag = _hash(purpose, code)
        else:
            tag, code = urandom(16), f"{randbelow(10**DIGITS):0{DIGITS}}"
            challenge, secret = text(_CHALLENGE, tag), _keyed(person.key, tag, purpose, code)
        at, expires_at = tx.context.at, tx.context.at + ttl_s * SECOND
        sealed = person.key.seal(_COLLECTION, tag.hex(), payload)
        tx.insert(CODE, tag, 1, purpose, person.subject, secret, sealed, at, expires_at, 0, 0)
        return Issued(code, expires_at, challenge)

    def redeem(self, tx: Tx, purpose: str, code: str) -> Work[Redeemed]:
        """Spend a link code. Raises `CodeUnusable` for one unknown, ended, spent or issued for something else."""
        if len(code) != _CODE_LENGTH or not code.isascii():
            raise CodeUnusable
        tag = _hash(purpose, code)
        found = yield from self._live(tx, purpose, tag)
        if found is None or found[0][3]:
            raise CodeUnusable
        row, key = found
        return self._spend(tx, tag, row, key)

    def attempt(self, tx: Tx, purpose: str, challenge: str, digits: str) -> Work[Redeemed | Wrong]:
        """Try digits against a challenge. Each wrong try is counted by this unit's commit, so it must commit.

        Raises `CodeUnusable` for a challenge unknown, ended, spent, tried too often or made for something else.
        """
        try:
            tag = raw(challenge, _CHALLENGE)
        except Invalid:
            raise CodeUnusable from None
        found = yield from self._live(tx, purpose, tag)
        if found is None or not found[0][3]:
            raise CodeUnusable
        row, key = found
        if hmac.compare_digest(bytes(row[3]), _keyed(key, tag, purpose, digits.strip())):
            return self._spend(tx, tag, row, key)
        version, _, subject, secret, sealed, at, expires_at, tries, _ = row
        left = ATTEMPTS - tries - 1
        used_at = 0 if left else tx.context.at
        tx.put(
            CODE, (tag,), (version + 1, purpose, subject, secret, sealed, at, expires_at, tries + 1, used_at), was=row
        )
        return Wrong(left)

    def spend_token(self, tx: Tx, purpose: str, nonce: str, subject: bytes, until: int) -> Work[None]:
        """Remember that a token made elsewhere was used. Raises `CodeUnusable` the second time."""
        tag = _hash(purpose, nonce)
        (row,) = yield (tx.get(CODE, tag),)
        if row is not None:
            raise CodeUnusable
        at = tx.context.at
        tx.insert(CODE, tag, 1, purpose, subject, b"", b"", at, until, 0, at)

    def tidy(self, tx: Tx) -> None:
        """Forget codes that have ended. Cold."""
        tx.execute(store.ended_codes(tx.context.at))

    def _live(self, tx: Tx, purpose: str, tag: bytes) -> Work[tuple[Values, Key] | None]:
        """The row of a code that can still be spent, and the key of the person it was issued to."""
        (row,) = yield (tx.get(CODE, tag),)
        if row is None or row[1] != purpose or row[8] or row[6] <= tx.context.at:
            return None
        try:
            person = yield from self._people.find(tx, bytes(row[2]))
        except NoSubject:
            return None
        return row, person.key

    def _spend(self, tx: Tx, tag: bytes, row: Values, key: Key) -> Redeemed:
        version, purpose, subject, secret, sealed, at, expires_at, tries, _ = row
        payload = key.open(_COLLECTION, tag.hex(), bytes(sealed))
        # What it carried is not needed any more; that it was spent is.
        values = (version + 1, purpose, subject, secret, b"", at, expires_at, tries, tx.context.at)
        tx.put(CODE, (tag,), values, was=row)
        return Redeemed(bytes(subject), payload, at)


def _hash(purpose: str, code: str) -> bytes:
    return sha256(purpose.encode() + b"\0" + code.encode()).digest()


def _keyed(key: Key, tag: bytes, purpose: str, digits: str) -> bytes:
    return hmac.digest(key.derive(_LABEL), tag + purpose.encode() + b"\0" + digits.encode(), "sha256")
