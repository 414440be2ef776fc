"""The answer about an audience: one entry, the list sealed beside the log, and what can be asked of it later.

The list is cut into parts by ascending numbers. The entry holds the digest of all parts; each part lies sealed under
the tenant's key, under the id of the answer and its first number, so that one person's outcome costs one part. An
answer's id has the same sixteen bytes as its entry.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any, Final

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from audit import AuditLog
from policies import events
from policies.audiences.aids import Aids
from policies.audiences.columns import NOBODY
from policies.audiences.judged import Judged
from policies.audiences.store import AIDS, ANSWER, ANSWERS_BEFORE, of_list
from policies.counting import Uses
from policies.lists import Group, pack_part, unpack_list
from policies.obligations import merge
from policies.questions import Decision, Question
from sayso.kernel import TENANT_OWNER, Actor, Key, NotFound, Obligation, Sealer, TooLarge, Tx, Work, raw, text

PART: Final = 8_192
"""People in one part of a list."""

MOST_CAPPED: Final = 20_000
"""People of one audience whose limit may have to be counted: each of their rows is written with the entry."""

_COLLECTION: Final = "policies_aids"
_ANSWERS: Final = "policies_answer"
_ORDER: Final = np.dtype(">u8")


class NoAudience(NotFound):
    """No answer, and no kept list, of this name that is the caller's."""

    def __init__(self) -> None:
        super().__init__("no-audience", "There is no audience of this name here, or it is another client's.")


class Answered(Struct, frozen=True, array_like=True):
    """What is kept of an answer: the entry tells the rest. `firsts` are the first numbers of its parts (big-endian)."""

    owner: str
    roles: tuple[str, ...]
    client: str
    action: str
    category: str
    purpose: str
    channel: str
    jurisdiction: str
    supported: tuple[str, ...]
    policy: str
    position: int
    count: int
    firsts: bytes

    @property
    def parts(self) -> list[int]:
        """The first numbers."""
        return np.frombuffer(self.firsts, _ORDER).tolist()  # type: ignore[no-any-return]

    def question(self, roles: frozenset[str]) -> Question:
        """The question, as a caller in these roles would ask it now."""
        return Question(
            roles=roles,
            action=self.action,
            category=self.category,
            purpose=self.purpose or None,
            channel=self.channel or None,
            jurisdiction=self.jurisdiction or None,
            supported=frozenset(self.supported),
        )


class AudienceAnswer(Struct, frozen=True):
    """An answer as it leaves: `permitted` ascending, `position` of the registry, `until` an instant. `obligations` are
    those of any of the permitted.
    """

    audience: str
    permitted: Aids
    counts: dict[str, int]
    position: int
    until: int
    policy: str
    entry: str
    obligations: tuple[Obligation, ...]


class ListUse(Struct, frozen=True):
    """What an answer about many people says of one of them."""

    entry: str
    at: int
    answered: Answered
    reason: str
    rule: str
    basis: str


class Audiences:
    """Writes answers about audiences, and finds in them."""

    def __init__(self, audit: AuditLog, sealer: Sealer) -> None:
        self._audit = audit
        self._sealer = sealer

    def answer(self, tx: Tx, judged: Judged) -> Work[AudienceAnswer]:
        """The entry and the sealed list of what was judged. Those whose limit a message counts against are decided
        again here, one after the other, on rows that are held. Raises `TooLarge`.
        """
        if len(judged.capped) > MOST_CAPPED:
            raise TooLarge(
                "too-many-capped",
                f"More than {MOST_CAPPED} of these people limit how often they are written to: ask in smaller lists.",
                limit=MOST_CAPPED,
            )
        uses = Uses(tx)
        codes, table = yield from self._counted(tx, judged, uses)
        allowed = np.array([decision.allowed for decision in table], np.bool_)[codes]
        totals = np.bincount(codes, minlength=len(table))
        counts: Counter[str] = Counter()
        for decision, total in zip(table, totals.tolist(), strict=True):
            counts[decision.reason] += total
        counts[table[NOBODY].reason] += judged.unknown
        counts = +counts
        told = [(decision.reason, decision.rule, decision.basis) for decision in table]
        outcomes = [[*name, total] for name, total in zip(told, totals.tolist(), strict=True) if total]
        permitting = [each for each, total in zip(table, totals.tolist(), strict=True) if each.allowed and total]
        parts = list(_parts(judged.question, judged.aids, codes, told))
        question, actor = judged.question, tx.context.actor
        detail: dict[str, Any] = {
            "action": question.action,
            "category": question.category,
            "channel": question.channel or "",
            "counts": dict(counts),
            "digest": digest(packed for _, packed in parts),
            "outcomes": outcomes,
            "parts": len(parts),
            "purpose": question.purpose or "",
        }
        permitted = int(np.count_nonzero(allowed))
        event = events.audience_decided(judged.policy, len(judged.aids) + judged.unknown, permitted, detail)
        entry = self._audit.append(tx, event)
        answer = raw(entry, "ent")
        key = self._sealer.standing(tx.context.tenant, TENANT_OWNER)
        for first, packed in parts:
            tx.insert(AIDS, answer, first, seal(key, answer, first, packed))
        # What a caller writes where a name is wanted may be anything; of that nothing is kept here.
        known = judged.table[NOBODY].reason != "unknown_name"
        content = Answered(
            actor.id,
            tuple(sorted(actor.roles)),
            actor.name,
            question.action if known else "",
            question.category if known else "",
            (question.purpose or "") if known else "",
            (question.channel or "") if known else "",
            (question.jurisdiction or "") if known else "",
            tuple(sorted(question.supported)),
            judged.policy.version,
            judged.position,
            len(judged.aids) + judged.unknown,
            b"".join(first for first, _ in parts),
        )
        tx.insert(ANSWER, answer, tx.context.at, key.seal(_ANSWERS, answer.hex(), _encode(content)))
        yield from uses.write(answer)
        return AudienceAnswer(
            text("aud", answer),
            judged.aids[allowed],
            dict(counts),
            judged.position,
            judged.until,
            judged.policy.version,
            entry,
            merge(each for decision in permitting for each in decision.obligations),
        )

    def _counted(self, tx: Tx, judged: Judged, uses: Uses) -> Work[tuple[NDArray[np.uint16], list[Decision]]]:
        if not judged.capped:
            return judged.codes, judged.table
        codes, table = judged.codes.copy(), list(judged.table)
        inquiry, at = judged.policy.inquiry(judged.question), max(judged.at, tx.context.at)
        known: dict[tuple[object, ...], int] = {}
        yield from uses.read(subject for _, subject, _ in judged.capped)
        for place, subject, channel in judged.capped:
            found = uses.person(subject)
            decision = inquiry.decide(found.state if found else None, at)
            if decision.allowed and found is not None and inquiry.counts(found.state) == channel:
                uses.count(subject, channel, tx.context.actor.name)
            name = (decision.allowed, decision.reason, decision.rule, decision.basis)
            if name not in known:
                known[name] = len(table)
                table.append(decision)
            codes[place] = known[name]
        return codes, table

    # what was answered

    def answered(self, tx: Tx, audience: str, actor: Actor, *, any_owner: bool = False) -> Work[Answered]:
        """An answer of the caller's. Raises `NoAudience`, `Invalid`."""
        (row,) = yield (tx.get(ANSWER, raw(audience, "aud")),)
        found = self._opened(tx, raw(audience, "aud"), row[1]) if row is not None else None
        if found is None or not (any_owner or found.owner == actor.id):
            raise NoAudience
        return found

    def permitted(self, tx: Tx, audience: str, answered: Answered) -> Work[Aids]:
        """Who was permitted by an answer, ascending. Raises `NoAudience` once its people were pruned with its entry."""
        found: list[Aids] = [np.zeros(0, np.uint64)]
        groups = yield from self._groups(tx, raw(audience, "aud"), answered.parts)
        if answered.parts and not groups:
            raise NoAudience
        for group in groups:
            allowed = np.array([reason == "permitted" for reason, _, _ in group.table], np.bool_)
            codes = np.frombuffer(group.outcomes, "<u2")
            found.append(np.frombuffer(group.aids, "<u8")[allowed[codes]].astype(np.uint64))
        return np.concatenate(found)

    def groups(self, tx: Tx, audience: str) -> Work[list[Group]]:
        """All that an answer says, part by part."""
        (row,) = yield (tx.get(ANSWER, raw(audience, "aud")),)
        if row is None:
            raise NoAudience
        answer = raw(audience, "aud")
        return (yield from self._groups(tx, answer, self._opened(tx, answer, row[1]).parts))

    def forget(self, tx: Tx, entries: Sequence[tuple[bytes, str]]) -> None:
        """Delete the people of answers whose entries (id and type) are pruned. Cold."""
        for entry, kind in entries:
            if kind == events.LIST_DECIDED:
                tx.execute(of_list(tx.context.tenant, entry))

    def _opened(self, tx: Tx, answer: bytes, sealed: bytes) -> Answered:
        key = self._sealer.standing(tx.context.tenant, TENANT_OWNER)
        return _decode(key.open(_ANSWERS, answer.hex(), sealed))

    def _groups(self, tx: Tx, answer: bytes, firsts: Sequence[int]) -> Work[list[Group]]:
        keys = [first.to_bytes(8, "big") for first in firsts]
        rows = yield tuple(tx.get(AIDS, answer, first) for first in keys)
        key = self._sealer.standing(tx.context.tenant, TENANT_OWNER)
        return [
            group
            for first, row in zip(keys, rows, strict=True)
            if row is not None
            for group in unpack_list(unseal(key, answer, first, row[0]))
        ]

    def uses(self, tx: Tx, aids: Sequence[int], before: str | None, most: int) -> Work[tuple[list[ListUse], str]]:
        """What the latest `most` answers before an entry say of a person with these numbers, newest first, and the last
        entry looked at where there may be more. One part of each answer is opened, however long it is.
        """
        newest = raw(before, "ent") if before is not None else b"\xff" * 16
        (answers,) = yield (tx.query(ANSWERS_BEFORE, before=newest, most=most),)
        wanted: list[tuple[bytes, int, Answered, int, bytes]] = []
        for answer, at, content in answers:
            answered = self._opened(tx, bytes(answer), content)
            firsts = answered.parts
            for aid in aids:
                nth = bisect_right(firsts, aid) - 1
                if nth >= 0:
                    wanted.append((bytes(answer), at, answered, aid, firsts[nth].to_bytes(8, "big")))
        rows = yield tuple(tx.get(AIDS, answer, first) for answer, _, _, _, first in wanted)
        key = self._sealer.standing(tx.context.tenant, TENANT_OWNER)
        found: list[ListUse] = []
        for (answer, at, answered, aid, first), row in zip(wanted, rows, strict=True):
            outcome = _outcome(unseal(key, answer, first, row[0]), aid) if row is not None else None
            if outcome is not None:
                found.append(ListUse(text("ent", answer), at, answered, *outcome))
        return found, text("ent", bytes(answers[-1][0])) if len(answers) == most else ""


def digest(parts: Iterator[bytes]) -> str:
    """SHA-256 over the SHA-256 of each part, in order; lower-case hex."""
    whole = sha256()
    for part in parts:
        whole.update(sha256(part).digest())
    return whole.hexdigest()


def seal(key: Key, owner: bytes, first: bytes, packed: bytes) -> bytes:
    """A part as its row keeps it."""
    return key.seal(_COLLECTION, f"{owner.hex()}/{first.hex()}", packed)


def unseal(key: Key, owner: bytes, first: bytes, sealed: bytes) -> bytes:
    """The part in a row."""
    return key.open(_COLLECTION, f"{owner.hex()}/{first.hex()}", sealed)


def first_of(aids: Aids) -> bytes:
    """The first number of a part, as its row's key has it."""
    return int(aids[0]).to_bytes(8, "big")


def _parts(
    question: Question, aids: Aids, codes: NDArray[np.uint16], table: Sequence[tuple[str, str, str]]
) -> Iterator[tuple[bytes, bytes]]:
    """The parts of a list, each behind its first number."""
    for start in range(0, len(aids), PART):
        part, outcomes = aids[start : start + PART], codes[start : start + PART]
        packed = pack_part("", question, table, part.astype("<u8").tobytes(), outcomes.astype("<u2").tobytes())
        yield first_of(part), packed


def _outcome(packed: bytes, aid: int) -> tuple[str, str, str] | None:
    """What a part says of one person."""
    for group in unpack_list(packed):
        aids = np.frombuffer(group.aids, "<u8")
        place = int(np.searchsorted(aids, np.uint64(aid)))
        if place < aids.size and int(aids[place]) == aid:
            return group.table[int.from_bytes(group.outcomes[2 * place : 2 * place + 2], "little")]
    return None


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Answered).decode
