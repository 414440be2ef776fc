"""What people told who turn out to be one, and to be two after all: one set while they are one, and each their own."""

from typing import Any

import pytest
from freezegun import freeze_time
from hypothesis import given, settings
from hypothesis import strategies as st

from consent import Catalogue, Identifier
from consent.preferences.preference import Preference, Questionnaire
from consent.preferences.sheets import Sheet, joined
from consent.preferences.telling import Answer, Telling, draw, entered
from consent.store import PREFERENCE, page_of_preference_changes
from sayso.kernel import DAY, now
from tests.consent.conftest import Store
from tests.consent.purposes import a_purpose
from tests.consent.test_preferences import history, tell, told

EMAIL = Identifier("email", "ann@example.org")


async def two(store: Store) -> tuple[bytes, bytes]:
    return await store.person(), await store.person(EMAIL.value, EMAIL.type)


async def link(store: Store, subject: bytes) -> str:
    identities = store.registry.identities
    linked = await store.hot(lambda tx: identities.link(tx, store.catalogue, subject, EMAIL, "key"))
    return linked.identifier or ""


async def part(store: Store, subject: bytes, handle: str) -> None:
    await store.cold(lambda tx: store.registry.unlinking.unlink(tx, store.catalogue, subject, handle))


async def values(store: Store, *people: bytes) -> list[dict[str, Any]]:
    return [(await told(store, each)).values for each in people]


async def test_after_a_split_each_keeps_what_came_by_its_own_id(store: Store) -> None:
    customer, device = await two(store)
    await tell(store, customer, {"wish": "old"})
    await tell(store, device, {"wish": "new", "topics": ["tea"]})
    handle = await link(store, customer)
    assert await values(store, customer, device) == [{"wish": "new", "topics": ["tea"]}] * 2
    await tell(store, customer, {"topics": ["cups"]})
    assert await values(store, customer, device) == [{"wish": "new", "topics": ["cups"]}] * 2
    await part(store, customer, handle)
    assert await values(store, customer, device) == [
        {"wish": "old", "topics": ["cups"]},
        {"wish": "new", "topics": ["tea"]},
    ]
    assert [list(each) for each in await history(store, customer)] == [["topics"], ["wish"]]
    assert [list(each) for each in await history(store, device)] == [["wish", "topics"]]
    await tell(store, device, {"wish": "newest"})
    assert (await values(store, customer))[0]["wish"] == "old"


@pytest.mark.parametrize("named", [0, 1])
async def test_what_is_taken_back_while_they_are_one_comes_up_with_neither(store: Store, named: int) -> None:
    people = await two(store)
    for subject in people:
        await tell(store, subject, {"wish": f"tea {subject.hex()}"})
    handle = await link(store, people[0])
    stood = (await told(store, people[0])).version
    changed = await tell(store, people[named], {"wish": None}, version=stood)
    assert changed.version == (await told(store, people[1])).version == stood + 2
    await part(store, people[0], handle)
    assert await values(store, *people) == [{}, {}]


async def test_the_rule_of_a_change_holds_between_two_ids(store: Store) -> None:
    customer, device = await two(store)
    await tell(store, customer, {"wish": "surely", "topics": ["tea"]})
    await tell(store, device, {"wish": "perhaps"}, assurance="device")
    await tell(store, device, {"topics": ["cups"]}, method="import", source="old shop")
    await link(store, customer)
    assert await values(store, customer, device) == [{"wish": "surely", "topics": ["tea"]}] * 2
    weak = await tell(store, device, {"wish": "again"}, assurance="device")
    assert weak.ignored == {"wish": "weaker"}


async def test_an_import_that_is_newer_counts_though_the_other_id_told_later_still(store: Store) -> None:
    with freeze_time("2026-11-21", real_asyncio=True) as clock:
        customer, device = await two(store)
        await tell(store, customer, {"wish": "one"})
        clock.tick(60)
        proved = now()
        clock.tick(60)
        await tell(store, device, {"wish": "two"}, method="import")
        await link(store, customer)
        clock.tick(60)
        heard = await tell(store, customer, {"wish": "three"}, method="import", occurred_at=proved)
        assert heard.values["wish"] == "three"
        assert await values(store, customer, device) == [{"wish": "three"}] * 2


async def test_wishes_that_decide_are_those_of_both_and_stay_with_both(store: Store) -> None:
    customer, device = await two(store)
    await tell(store, customer, {"channels": {"sms": False}})
    handle = await link(store, customer)
    await tell(store, device, {"channels": {"email": False}})
    assert await values(store, customer, device) == [{"channels": {"sms": False, "email": False}}] * 2
    await part(store, customer, handle)
    assert await values(store, customer, device) == [{"channels": {"sms": False, "email": False}}] * 2


async def test_erasing_one_id_leaves_no_answer_of_any(store: Store) -> None:
    customer, device = await two(store)
    for subject in (customer, device):
        await tell(store, subject, {"wish": "tea"})
    await link(store, customer)
    permit, until = store.permit(device, "erase"), now() + DAY
    await store.cold(lambda tx: store.registry.forget(tx, device, permit, suppress_until=until, proof_until=until))
    for subject in (customer, device):
        statement = page_of_preference_changes("default", subject, 2**62, 10)
        row, rows = await store.look(lambda tx, s=subject, q=statement: (yield (tx.get(PREFERENCE, s), tx.select(q))))
        assert (row, rows) == (None, [])


async def test_pages_of_a_joined_history_hold_every_change_once(store: Store) -> None:
    with freeze_time("2026-11-21", real_asyncio=True) as clock:
        people = await two(store)
        for number in range(4):
            for subject in people:
                await tell(store, subject, {"wish": f"tea {number}"})
            clock.tick(1)
        await link(store, people[0])
        seen: list[str] = []
        cursor = None
        while True:
            permit, book = store.permit(people[1], "read"), store.registry.preferences
            page = await store.look(
                lambda tx, p=permit, c=cursor, b=book: b.history(tx, people[1], p, limit=3, cursor=c)
            )
            seen += [item.entry for item in page.items]
            cursor = page.next
            if cursor is None:
                break
        assert len(seen) == len(set(seen)) == 8


ASKED = Questionnaire(
    [Preference(name=name, type="text", title={}, purpose="ads") for name in ("wish", "note")],
    Catalogue([a_purpose("ads")], [], []),
)
WORDS = st.tuples(
    st.integers(0, 2),
    st.sampled_from(["wish", "note"]),
    st.sampled_from([None, "tea", "cups"]),
    st.sampled_from(["device", "session"]),
    st.sampled_from(["api", "import"]),
    st.none() | st.integers(1, 40),
)


def said(sheets: list[Sheet], word: Any, at: int) -> list[Sheet]:
    """The sheets of three ids that are one person, after one of them said something."""
    who, name, value, assurance, method, occurred_at = word
    telling = Telling(values={}, assurance=assurance, method=method, occurred_at=occurred_at)
    drawn = draw(ASKED, joined(sheets), None, {name: value}, telling, at, "key_1")
    heard = {each: drawn.answers.get(each) for each in drawn.said if each not in drawn.ignored}
    after = entered(drawn, "ent_1", at)
    return [
        sheet.after({each: after.get(each) for each in heard}, at, weighed=True)
        if place == who
        else sheet.after(
            {each: None for each in heard if heard[each] is None and each in sheet.answers}, at, weighed=True
        )
        for place, sheet in enumerate(sheets)
    ]


@settings(max_examples=300)
@given(st.lists(WORDS, max_size=8))
def test_three_ids_say_what_one_would_have_said(words: list[Any]) -> None:
    apart, whole = [Sheet()] * 3, [Sheet()] * 3
    for at, word in enumerate(words, 10):
        apart, whole = said(apart, word, at), said(whole, (0, *word[1:]), at)
        assert {name: each.value for name, each in joined(apart).items()} == {
            name: each.value for name, each in joined(whole).items()
        }
        assert joined(apart) == joined(apart[::-1])


def test_a_word_from_before_the_merge_is_weighed_and_one_since_was() -> None:
    sure = Answer(value="sure", at=1, method="api", assurance="session", actor="key_1")
    weak = Answer(value="weak", at=2, method="api", assurance="device", actor="key_1")
    assert joined([Sheet(answers={"wish": weak}), Sheet(answers={"wish": sure})]) == {"wish": sure}
    assert joined([Sheet(answers={"wish": weak}, over={"wish": 2}), Sheet(answers={"wish": sure})]) == {"wish": weak}
