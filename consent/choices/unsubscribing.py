"""One-click unsubscribe (RFC 8058, RFC 2369): a token per person, list and message, and the no that it stands for.

A token is sealed and stored nowhere: a mailing to ten million people writes no row. Only the brand's own key makes or
opens one, so it can be neither guessed nor read, and it never ends: a no that is said to an old message is a no. It
says that no and, for a day, takes it back; it opens nothing else.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

import msgspec
from msgspec import Struct

from consent import events
from consent.catalogue.catalogue import Catalogue, Shown
from consent.choices.fold import path
from consent.choices.recording import Recorder
from consent.choices.standing import standing
from consent.choices.undoing import Undoing
from consent.errors import NoSubject, NotAList, NothingToUndo, UnknownUnsubscribe
from consent.model import NOES, PersonState, Submission
from consent.people.people import People, Person
from sayso.kernel import TENANT_OWNER, Invalid, SaysoError, Sealer, Tx, Work

METHOD: Final = "list_unsubscribe_one_click"
UNDO_METHOD: Final = "preference_centre"
"""The undo is pressed by the person, on a page of ours."""

LONGEST_MESSAGE: Final = 250
"""Characters of a message's id. With them a token fits a header line (RFC 5322, 2.1.1: 998 octets)."""

_COLLECTION: Final = "unsubscribe"
_LONGEST: Final = 900


class _Named(Struct, frozen=True, array_like=True):
    """What a token says."""

    subject: bytes
    purpose: str
    message: str


class Unsubscription(Struct, frozen=True):
    """Where the person of a token stands on its list. `since` is when they said no, 0 while none stands; until
    `undo_until` that no can be taken back here.
    """

    purpose: str
    since: int
    undo_until: int = 0


class Unsubscribing:
    """Makes tokens and does what they say."""

    def __init__(self, sealer: Sealer, people: People, recorder: Recorder, undoing: Undoing) -> None:
        self._sealer = sealer
        self._people = people
        self._recorder = recorder
        self._undoing = undoing

    def issue(self, tx: Tx, catalogue: Catalogue, subject: bytes, purpose: str, message: str) -> Work[str]:
        """The token for one message to a person. Raises `NoSubject`, `UnknownPurpose`, `NotAList`, `Invalid`."""
        catalogue.purpose(purpose)
        if not catalogue.blockable(purpose):
            raise NotAList(purpose)
        if not 0 < len(message) <= LONGEST_MESSAGE or not message.isprintable():
            raise Invalid("invalid-message-id", "A message's id is printable, of 250 characters at most.")
        yield from self._people.find(tx, subject)
        key = self._sealer.standing(tx.context.tenant, TENANT_OWNER)
        named = msgspec.msgpack.encode(_Named(subject, purpose, message))
        return urlsafe_b64encode(key.seal(_COLLECTION, "token", named)).rstrip(b"=").decode()

    def check(self, tenant: str, token: str) -> None:
        """Raises `UnknownUnsubscribe` for what was not made here, without reading anything."""
        self._read(tenant, token)

    def look(self, tx: Tx, catalogue: Catalogue, token: str) -> Work[Unsubscription]:
        """Where the person stands. Changes nothing. Raises `UnknownUnsubscribe`."""
        named, person = yield from self._whose(tx, catalogue, token)
        return (yield from self._told(tx, catalogue, named, person))

    def unsubscribe(self, tx: Tx, catalogue: Catalogue, token: str) -> Work[None]:
        """Withdraw. Said again while that no stands, nothing is written. Raises `UnknownUnsubscribe`."""
        named, person = yield from self._whose(tx, catalogue, token)
        if _stands(person.state, catalogue, named.purpose):
            return
        submission = Submission(
            choices={named.purpose: "withdrawn"},
            method=METHOD,
            assurance="link",
            subject=person.subject,
            evidence={"message": named.message},
            undoable=True,
        )
        self._recorder.enter(tx, catalogue, person, submission, Shown(), events.WITHDRAWN)

    def undo(self, tx: Tx, catalogue: Catalogue, token: str) -> Work[None]:
        """Take the one-click withdrawal back. Raises `UnknownUnsubscribe`, `NothingToUndo`."""
        named, person = yield from self._whose(tx, catalogue, token)
        own = person.state.choices.get(named.purpose)
        told = yield from self._told(tx, catalogue, named, person)
        if own is None or not told.undo_until:
            raise NothingToUndo
        yield from self._undoing.undo(tx, catalogue, person.subject, own.record, method=UNDO_METHOD, assurance="link")

    def _whose(self, tx: Tx, catalogue: Catalogue, token: str) -> Work[tuple[_Named, Person]]:
        named = self._read(tx.context.tenant, token)
        if named.purpose not in catalogue.purposes:
            raise UnknownUnsubscribe
        try:
            return named, (yield from self._people.find(tx, named.subject))
        except NoSubject:
            raise UnknownUnsubscribe from None

    def _read(self, tenant: str, token: str) -> _Named:
        if len(token) > _LONGEST:
            raise UnknownUnsubscribe
        try:
            sealed = urlsafe_b64decode(token + "=" * (-len(token) % 4))
            if urlsafe_b64encode(sealed).rstrip(b"=").decode() != token:
                raise UnknownUnsubscribe
            opened = self._sealer.standing(tenant, TENANT_OWNER).open(_COLLECTION, "token", sealed)
            return msgspec.msgpack.decode(opened, type=_Named)
        except (SaysoError, ValueError, binascii.Error, msgspec.MsgspecError):
            raise UnknownUnsubscribe from None

    def _told(self, tx: Tx, catalogue: Catalogue, named: _Named, person: Person) -> Work[Unsubscription]:
        at = max(tx.context.at, person.since)
        found = standing(person.state, named.purpose, catalogue, at)
        if not found.no:
            return Unsubscription(named.purpose, 0)
        own = person.state.choices.get(named.purpose)
        offered = None
        if own is not None and own.status == "withdrawn" and own.record:
            offered = yield from self._undoing.offered(tx, person, own.record)
        mine = offered is not None and offered.payload.method == METHOD
        return Unsubscription(named.purpose, found.since or person.since, offered.until if offered and mine else 0)


def _stands(state: PersonState, catalogue: Catalogue, purpose: str) -> bool:
    """Whether saying no at this purpose now would change nothing: its own no is newer than all else there and below."""
    own = state.choices.get(purpose)
    if own is None or own.status not in NOES:
        return False
    marketing = [each for each in (purpose, *catalogue.below(purpose)) if each in catalogue.direct_marketing]
    if any((choice := state.choices.get(each)) is None or not choice.objected_at for each in marketing):
        return False
    if any(purpose in path(name) for name in state.waiting):
        return False
    if any(purpose in path(name) for each in state.directives.values() for name in each.lifted):
        return False
    return all(each.since <= own.since for name, each in state.choices.items() if purpose in path(name))
