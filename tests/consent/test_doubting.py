"""In doubt: of what people said until then only noes count, and nothing of it becomes a yes by itself."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from consent import PERSON, PersonState, of_many, pack, restricts, speaks, standing
from consent.model import Family
from sayso.kernel import Tx, Work
from tests.consent.conftest import Store
from tests.policies.test_properties import CATALOGUE, LEAVES
from tests.policies.test_shapes import everybody
from tests.policies.worlds import AT


@given(everybody, st.sampled_from(LEAVES), st.integers(1, 60).map(lambda ago: AT - ago))
def test_doubt_takes_away_and_never_gives(state: PersonState, purpose: str, unsure_at: int) -> None:
    sure = standing(replace(state, unsure_at=0), purpose, CATALOGUE, AT)
    now = standing(replace(state, unsure_at=unsure_at), purpose, CATALOGUE, AT)
    if sure.no or (sure.status == "granted" and sure.since > unsure_at):
        assert now == sure
    else:
        assert now.no
        assert now.status == ("stale" if sure.status == "granted" else sure.status)


def test_what_counts_of_lost_entries() -> None:
    placed, lifted = "consent.restriction.placed", "consent.restriction.lifted"
    assert speaks("consent.choice.withdrawn")
    assert speaks(placed)
    assert not any(speaks(kind) for kind in ("access.permitted", "consent.history.read", "vault.value.revealed"))
    assert [restricts(kinds) for kinds in ([], [placed], [placed, lifted], [lifted, placed])] == [
        False,
        True,
        False,
        True,
    ]
    assert of_many("consent.person.unsure")


async def test_people_in_doubt_are_so_until_they_choose_anew(store: Store) -> None:
    ada, bob, cid = [await store.person(name) for name in ("ada", "bob", "cid")]
    for subject in (ada, bob, cid):
        await store.record(subject)
    await store.withdraw(cid, ["marketing.email"])
    doubting, waiting = store.registry.doubting, (await store.look(store.log.backlog)).pending
    marked = await store.cold(lambda tx: doubting.doubt(tx, [ada, cid, bytes(16)], frozenset({ada})))
    assert marked == 2
    assert (await store.look(store.log.backlog)).pending == waiting + 1

    async def statuses() -> list[str]:
        return [(await store.statuses(each))["marketing.email"] for each in (ada, bob, cid)]

    assert await statuses() == ["stale", "granted", "withdrawn"]
    state = await store.look(lambda tx: store.registry.person(tx, ada))
    assert state is not None
    assert state.restricted_at == state.unsure_at > 0
    # Before it, nobody was in doubt; and what is asked about a time since then knows of it.
    assert (await store.statuses(ada, as_of=state.unsure_at - 1))["marketing.email"] == "granted"
    assert (await store.statuses(ada, as_of=state.unsure_at))["marketing.email"] == "stale"
    await store.record(ada)
    assert await statuses() == ["granted", "granted", "withdrawn"]


async def test_ids_that_mean_one_person_are_in_doubt_together(store: Store) -> None:
    one, other = await store.person("one"), await store.person("other")
    await store.record(one)
    state = await store.look(lambda tx: store.registry.person(tx, one))
    assert state is not None
    family = Family(one, (other,))

    def joined(tx: Tx) -> Work[None]:
        for subject in (one, other):
            (row,) = yield (tx.get(PERSON, subject),)
            tx.put(PERSON, (subject,), (row[0] + 1, row[1], row[2], pack(replace(state, family=family))), was=row)

    await store.cold(joined)
    assert await store.cold(lambda tx: store.registry.doubting.doubt(tx, [other])) == 2
    found = [await store.look(lambda tx: store.registry.person(tx, each)) for each in (one, other)]  # noqa: B023
    assert found[0] == found[1]
    assert found[0] is not None
    assert found[0].unsure_at
