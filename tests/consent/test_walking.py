"""A walk meets everybody once, in one order, however pages are cut and whoever comes meanwhile."""

import pytest

from consent import PERSON, Mark, PersonState, pack, unpack, walk
from consent.people.walking import MOST_STATEMENTS
from consent.store import GROUP
from sayso.kernel import Tx, Work, bucket_of, new_raw
from tests.consent.conftest import Store

STATE = pack(PersonState(held=1))


async def add(store: Store, subjects: list[bytes], tenant: str = "default") -> None:
    def unit(tx: Tx) -> Work[None]:
        for subject in subjects:
            tx.put(PERSON, (subject,), (1, int.from_bytes(subject[-7:]), 0, STATE), was=None)
        yield ()

    await store.cold(unit, tenant=tenant)


def placed(subject: bytes) -> tuple[int, bytes]:
    return bucket_of("default", subject), subject


async def all_met(store: Store, most: int, mark: Mark | None = None) -> list[bytes]:
    found: list[bytes] = []
    at: Mark | None = mark or Mark()
    while at is not None:
        start = at
        met, at = await store.database.look(store.context(), lambda tx, start=start: walk(tx, start, most))  # type: ignore[misc]
        assert len(met) <= most
        assert [each.mark for each in met] == [Mark(*placed(each.subject)) for each in met]
        found += [each.subject for each in met]
    return found


@pytest.mark.parametrize("most", [7, 1_000])
async def test_everybody_is_met_once_in_order_whatever_the_page(store: Store, most: int) -> None:
    subjects = [new_raw() for _ in range(300)]
    # One bucket that holds more than any small page.
    crowded = [each for each in (new_raw() for _ in range(40_000)) if bucket_of("default", each) == 77][:20]
    await add(store, [*subjects, *crowded])
    await store.found("other")
    await add(store, [new_raw() for _ in range(20)], tenant="other")
    assert await all_met(store, most) == sorted([*subjects, *crowded], key=placed)


async def test_who_comes_on_the_way_disturbs_nobody(store: Store) -> None:
    subjects = [new_raw() for _ in range(50)]
    await add(store, subjects)
    met, mark = await store.database.look(store.context(), lambda tx: walk(tx, Mark(), 20))
    assert mark is not None
    late = [new_raw() for _ in range(50)]
    await add(store, late)
    rest = await all_met(store, 20, mark)
    behind = [each for each in late if placed(each) > (mark.bucket, mark.after)]
    seen = [each.subject for each in met] + rest
    assert len(seen) == len(set(seen))
    assert set(seen) == {*subjects, *behind}
    assert unpack(met[0].state).held == 1


async def test_a_page_takes_few_statements(store: Store) -> None:
    await add(store, [new_raw() for _ in range(100)])
    statements = 0

    def counted(tx: Tx) -> Work[object]:
        nonlocal statements
        walking_on = walk(tx, Mark(), 1_000)
        found: object = None
        try:
            while True:
                reads = walking_on.send(found)  # type: ignore[arg-type]
                statements += len(reads)
                found = yield reads
        except StopIteration as ended:
            return ended.value

    _, mark = await store.database.look(store.context(), counted)  # type: ignore[misc]
    assert mark is None
    assert statements == 1_024 // GROUP <= MOST_STATEMENTS
