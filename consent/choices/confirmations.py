"""Double opt-in: the second yes, by a code that only reaches whoever the first was said to be (UWG s. 7; TKG s. 174).

A request waits in the person's state and permits nothing. The code that confirms it is single use, ends with the
request, and is spent by a POST: opening an address must confirm nothing, since mail scanners open them. The record of
the confirmation names the request and keeps both times.
"""

from typing import Final

import msgspec
from msgspec import Struct

from audit import AuditEvent, AuditLog
from consent import events, store
from consent.answers import Recorded
from consent.catalogue.catalogue import Catalogue, Shown
from consent.choices.past import open_record
from consent.choices.record import Payload
from consent.choices.recording import Recorder
from consent.errors import NoRecord, NothingWaits
from consent.model import RANK, DoubleOptIn, Evidence, Identifier, PersonState, Submission, Waiting
from consent.people.codes import Codes, Issued
from consent.people.lifting import lift
from consent.people.people import People
from sayso.kernel import SECOND, Tx, Work, bucket_in

PURPOSE: Final = "double_opt_in"
"""What the codes are issued for; also the method of the record that a confirmation makes."""


class _Carried(Struct, frozen=True, array_like=True):
    """What a code carries. `suppression`: Sayso sent it to an address of the person and told nobody else; this is what
    stands for that address after an erasure.
    """

    record: bytes
    suppression: bytes


class Confirmations:
    """Issues the codes of double opt-ins and records what they confirm."""

    def __init__(self, audit: AuditLog, people: People, codes: Codes, recorder: Recorder) -> None:
        self._audit = audit
        self._people = people
        self._codes = codes
        self._recorder = recorder

    def issue(self, tx: Tx, record: bytes, *, delivered_to: Identifier | None = None) -> Work[Issued]:
        """A code that confirms what waits of this record. Say `delivered_to` only of one that leaves for that address
        of the person, and for nobody else (`Identities.addressed`).

        Raises `NoRecord`, and `NothingWaits` when nothing of it waits any more.
        """
        (row,) = yield (tx.get(store.RECORD, record, bucket=bucket_in(record)),)
        if row is None or row[0] is None:
            raise NoRecord
        person = yield from self._people.find(tx, bytes(row[0]))
        waiting = _of_record(person.state, record, tx.context.at)
        if not waiting:
            raise NothingWaits
        left = (max(each.until for each in waiting.values()) - tx.context.at) // SECOND
        suppression = self._people.tags(tx.context.tenant, delivered_to)[1] if delivered_to is not None else b""
        carried = msgspec.msgpack.encode(_Carried(record, suppression))
        issued = self._codes.issue_to(tx, PURPOSE, person, carried, ttl_s=max(left, 60))
        detail = {"expires_at": issued.expires_at, "purposes": sorted(waiting)}
        self._audit.append(tx, AuditEvent(events.CONFIRMATION_ISSUED, "ok", {}, person.subject, detail), person.key)
        return issued

    def redeem(self, tx: Tx, catalogue: Catalogue, code: str, evidence: Evidence | None = None) -> Work[Recorded]:
        """Confirm. Cold. Raises `CodeUnusable`, and `NothingWaits` when the person said no since, the purposes changed,
        or the term has passed: then the code is not spent, and good for nothing all the same.
        """
        spent = yield from self._codes.redeem(tx, PURPOSE, code)
        carried = msgspec.msgpack.decode(spent.payload, type=_Carried)
        person = yield from self._people.find(tx, spent.subject)
        (row,) = yield (tx.get(store.RECORD, carried.record, bucket=bucket_in(carried.record)),)
        if row is None:
            raise NothingWaits
        request = open_record(person.key, carried.record, row[2])
        waiting = _still(person.state, request, catalogue, tx.context.at)
        if not waiting:
            raise NothingWaits
        if carried.suppression and person.state.suppressed_until:
            # Only whoever reads the mail of that address could have it.
            person, _ = yield from lift(tx, self._audit, person, [carried.suppression], PURPOSE)
        shown = Shown(
            request.notice,
            request.notice_version,
            request.notice_hash,
            request.locale,
            request.text_hash,
            tuple(sorted({name for each in waiting.values() for name in each.covers})),
        )
        first = min(waiting.values(), key=lambda each: each.since)
        submission = Submission(
            choices=dict.fromkeys(waiting, "granted"),
            method=PURPOSE,
            # The weakest of the requests, raised by the code to what a code is worth.
            assurance="session" if min(each.assurance for each in waiting.values()) > RANK["code"] else "code",
            subject=person.subject,
            occurred_at=min(each.claimed for each in waiting.values()),
            evidence=evidence or {},
            bundle=request.bundle,
            indicated_by=first.guardian,
            confirmed=DoubleOptIn(first.since, max(tx.context.at, first.since)),
            confirms=first.record,
            # What the person had been shown when they asked, they were shown.
            conflict_shown=request.conflict_shown,
        )
        return self._recorder.enter(tx, catalogue, person, submission, shown, events.CONFIRMED)


def _of_record(state: PersonState, record: bytes, at: int) -> dict[str, Waiting]:
    return {name: each for name, each in state.waiting.items() if each.record == record and each.until > at}


def _still(state: PersonState, request: Payload, catalogue: Catalogue, at: int) -> dict[str, Waiting]:
    """What the request asked for and still waits, on the words that were shown. A second request for the same, on the
    same notice, does not make the code of the first useless.
    """
    asked = {change.purpose: change.version for change in request.changes if change.act == "requested"}
    return {
        name: each
        for name, each in state.waiting.items()
        if each.until > at
        and (each.notice, each.notice_version) == (request.notice, request.notice_version)
        and asked.get(name) == each.purpose_version == catalogue.version(name)
        and each.guardian == request.indicated_by
    }
