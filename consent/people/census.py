"""People as the workers see them: page by page, and held to what was read."""

from collections.abc import Sequence

from consent import store
from consent.model import PersonState
from consent.packing import unpack
from consent.store import PERSON
from sayso.kernel import SECOND, Tx, Work


class Census:
    """Reads people for work that goes over all of them, or acts on one by what it reads."""

    def pages(self, tx: Tx, buckets: Sequence[int], after: bytes, limit: int) -> Work[list[tuple[int, list[bytes]]]]:
        """For each bucket up to `limit` people behind `after`, in order of their ids; the erased among them. Cold."""
        found = yield tuple(tx.query(store.PEOPLE_AFTER, bucket=each, after=after, most=limit) for each in buckets)
        return [(each, [bytes(subject) for (subject,) in rows]) for each, rows in zip(buckets, found, strict=True)]

    def identifier_kinds(self, tx: Tx, subject: bytes) -> Work[tuple[str, ...]]:
        """Of which kinds a person's identifiers are, sorted. Cold."""
        (rows,) = yield (store.identifiers_of(tx, subject),)
        return tuple(sorted({kind for _, kind, _ in rows}))

    def unchanged(self, tx: Tx, subject: bytes) -> Work[PersonState | None]:
        """The state of a person, None for nobody and for somebody erased. The unit commits only if it still is so then:
        for what cannot be undone when a choice arrives in the same moment.
        """
        (row,) = yield (tx.get(PERSON, subject),)
        state = unpack(row[3]) if row is not None else None
        if row is None or state is None or state.erased_at:
            return None
        tx.put(PERSON, (subject,), (row[0] + 1, *row[1:]), was=row)
        return state


def touched_at(subject: bytes, state: PersonState) -> int:
    """When the person last chose anything; of one who never did, when they were first seen."""
    made = int.from_bytes(subject[:6], "big") * (SECOND // 1_000)
    said = [choice.since for choice in state.choices.values()]
    said += [request.since for request in state.waiting.values()]
    said += [directive.at for directive in state.directives.values()]
    return max(said, default=made)
