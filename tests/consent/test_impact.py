"""The count of people who are asked again: real, from the states in the store, and never more work than it may be."""

from hypothesis import given
from hypothesis import strategies as st

from consent import (
    BUCKETS,
    MOST_READ,
    AskedAgain,
    Catalogue,
    PersonState,
    Tally,
    asked_again,
    next_width,
    pack,
    parse,
    standing,
)
from consent.catalogue.impact import tally
from sayso.kernel import load
from tests.consent.conftest import MANIFEST, Store
from tests.consent.purposes import Deed, a_catalogue, after

WIDER = MANIFEST.replace("[behaviour]}", "[behaviour, contact.phone]}")
BOTH = WIDER.replace("    categories: [contact.email]", "    categories: [contact.email, contact.phone]")


async def counted(store: Store, manifest: str) -> AskedAgain:
    """The whole count, over all buckets in two pages."""
    declared = parse(load([("tea.yaml", manifest.encode())]))
    found = await store.look(lambda tx: store.registry.publisher.plan(tx, declared))
    names = frozenset(found.causes)
    pages = [
        await store.look(
            lambda tx, first=first, last=last: store.registry.publisher.count(
                tx, store.catalogue, found.catalogue, names, first, last
            )
        )
        for first, last in ((0, 300), (300, BUCKETS))
    ]
    return asked_again(pages[0].plus(pages[1]), BUCKETS, names)


async def test_those_who_agreed_are_counted_and_nobody_else(store: Store) -> None:
    for number in range(7):
        person = await store.person(f"c-{number}")
        # 0 agreed to both, 1 to 3 to ads, 4 refused them, 5 was never asked, 6 took it back.
        if number != 5:
            act = "refused" if number == 4 else "granted"
            choices = {"ads": act, **({"marketing.email": "granted"} if number == 0 else {})}
            await store.record(person, choices=choices)
        if number == 6:
            await store.withdraw(person, ["ads"])
    found = await counted(store, WIDER)
    assert found == AskedAgain(4, True, 7, {"ads": 4})
    found = await counted(store, BOTH)
    assert (found.people, found.purposes) == (4, {"ads": 4, "marketing.email": 1})


async def test_the_count_is_what_then_happens(store: Store) -> None:
    people = [await store.person(f"c-{number}") for number in range(3)]
    for person in people:
        await store.record(person, choices={"ads": "granted"})
    expected = (await counted(store, WIDER)).people
    store.catalogue = await store.apply(WIDER)
    stale = [(await store.statuses(person))["ads"] for person in people]
    assert stale.count("stale") == expected == 3
    assert (await counted(store, WIDER)).people == 0


async def test_another_brand_is_not_counted(store: Store) -> None:
    await store.record(await store.person(), choices={"ads": "granted"})
    await store.found("other")
    catalogue = store.catalogue
    other = await store.person(tenant="other")
    submission = store.submission(subject=other, choices={"ads": "granted"})
    await store.hot(lambda tx: store.registry.record(tx, catalogue, submission), tenant="other")
    assert (await counted(store, WIDER)).people == 1


def test_a_part_is_told_in_proportion_and_says_so() -> None:
    found = asked_again(Tally(200_000, 30_000, {"ads": 30_000}), 256, ["ads", "news"])
    assert found == AskedAgain(120_000, False, 200_000, {"ads": 120_000, "news": 0})


@given(st.integers(0, 100_000_000))
def test_the_work_is_bounded_however_many_people_there_are(people: int) -> None:
    """Pages as the server asks for them, over buckets that are filled evenly."""
    bucket, width, read, pages = 0, 1, 0, 0
    while bucket < BUCKETS and read < MOST_READ:
        last = min(BUCKETS, bucket + width)
        found = people * last // BUCKETS - people * bucket // BUCKETS
        width, bucket, read, pages = next_width(last - bucket, found), last, read + found, pages + 1
    assert read <= MOST_READ + max(people // BUCKETS, 8_000)
    assert pages <= 420
    assert bucket == BUCKETS or read >= MOST_READ


@given(
    st.lists(
        st.builds(
            Deed,
            st.integers(1, 40),
            st.dictionaries(
                st.sampled_from(["a", "a.b", "a.b.c", "f"]), st.sampled_from(["granted", "refused"]), min_size=1
            ),
            rank=st.just(3),
            claimed=st.none(),
            shown=st.sampled_from([(), ("a", "a.b", "a.b.c", "f")]),
        ),
        max_size=6,
    ),
    st.sets(st.sampled_from(["a.b", "a.b.c", "f"]), min_size=1),
)
def test_whoever_is_counted_stood_on_granted_and_will_stand_on_stale(deeds: list[Deed], names: set[str]) -> None:
    before = a_catalogue()
    raised = Catalogue(
        [
            each.__class__(each.name, each.version + (each.name in names))
            for each in before.purposes.values()
            if not each.implied
        ],
        before.notices.values(),
        [],
    )
    state = after(before, sorted(deeds, key=lambda deed: deed.at))
    found = tally([pack(state), pack(PersonState())], frozenset(names), before, raised, 50)
    expected = {
        name
        for name in names
        if standing(state, name, before, 50).status == "granted" and standing(state, name, raised, 50).status == "stale"
    }
    assert set(found.purposes) == expected
    assert (found.read, found.people) == (2, bool(expected))


def test_a_person_is_counted_once_however_many_purposes_change() -> None:
    assert Tally(1, 1, {"a": 1}).plus(Tally(2, 1, {"a": 1, "b": 1})) == Tally(3, 2, {"a": 2, "b": 1})
