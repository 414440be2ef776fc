"""Answers end with the last live purpose that they serve: after the grace, with their history, and not under a hold."""

from datetime import UTC, datetime, timedelta
from typing import Any

from freezegun import freeze_time

from audit import Entry, Opening, decode_leaf
from consent import Identifier, Preferences, Questionnaire, Telling, parse_preferences
from policies import rights_question
from rights.retention.reckoning import RESTRICTED
from sayso.kernel import Problem, Tx, Work, load
from tests.rights.retention.world import EMAIL, MANIFEST, OFFICER, Working

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
ASKED = b"""
preferences:
  topics: {type: multi, title: {en: Topics}, purpose: marketing.email, options: {tea: {en: Tea}, cups: {en: Cups}}}
  size: {type: text, title: {en: Size}, purpose: support}
  news: {type: boolean, title: {en: News}, purpose: marketing}
"""
TOPICS = "answers:marketing.email"


def at(**later: float) -> Any:
    """Some time after the start."""
    return freeze_time(START + timedelta(**later), real_asyncio=True)


def micros(**later: float) -> int:
    return int((START + timedelta(**later)).timestamp() * 1_000_000)


def asked(world: Working) -> Questionnaire:
    problems: list[Problem] = []
    return parse_preferences(load([("asked.yaml", ASKED)]).get("preferences"), world.policy.catalogue, problems)


async def tell(world: Working, subject: bytes, **values: Any) -> Preferences:
    telling = Telling(values=values)
    return await world.hot(lambda tx: world.consent.preferences.change(tx, asked(world), subject, telling))


async def told(world: Working, subject: bytes) -> dict[str, Any]:
    """The answers to the brand's own questions."""
    read = world.consent.preferences.read
    found = await world.look(lambda tx: read(tx, world.policy.catalogue, asked(world), subject))
    return {name: value for name, value in found.values.items() if name in asked(world).preferences}


async def history(world: Working, subject: bytes) -> list[dict[str, Any]]:
    """What every change said, newest first."""

    def unit(tx: Tx) -> Work[list[dict[str, Any]]]:
        answer = yield from world.engine.judge(tx, world.policy, rights_question(OFFICER, subject, "read"))
        assert answer.permit is not None
        page = yield from world.consent.preferences.history(tx, subject, answer.permit)
        return [item.values for item in page.items]

    return await world.cold(unit)


async def test_an_answer_goes_after_the_grace_with_entry_history_and_change(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.somebody()
        await tell(world, subject, topics=["tea"])
        await tell(world, subject, topics=["cups"], channels={"sms": False})
    with at(days=100):
        await world.work()
        assert (await world.ends(subject)).categories[TOPICS].ground == "consent: marketing.email"
        await world.withdraw(subject)
    with at(days=129):
        await world.work()
        assert await told(world, subject) == {"topics": ["cups"]}
        found = await world.look(lambda tx: world.retention.preview(tx, micros(days=131), 100))
        assert found.categories[TOPICS].people == 1
        assert found.categories[TOPICS].first_at == "2026-07-09T09:00:00.000000Z"
    with at(days=130, minutes=1):
        assert await world.work() == []
        assert await told(world, subject) == {}
        assert await history(world, subject) == [{"channels.sms": False}]
        reach = await world.look(lambda tx: world.consent.person(tx, subject))
        assert reach.contact is not None, "what decides about reaching the person is no answer"
        page = await world.look(lambda tx: world.audit.entries_about(tx, subject))
        (ended,) = [each for each in page.entries if _type(each) == "consent.preferences.ended"]
        opened = await openings(world, subject, ended.id)
        assert any(b"topics" in each.payload and b"no live purpose" in each.payload for each in opened)
        assert not any(b"cups" in each.payload for each in opened)


async def test_an_answer_to_a_purpose_that_never_was_live_goes_after_the_grace(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.resolve()
        await tell(world, subject, topics=["tea"], size="M")
        await world.relate(subject)
    with at(days=29):
        await world.work()
        assert await told(world, subject) == {"topics": ["tea"], "size": "M"}
    with at(days=31):
        await world.work()
        assert await told(world, subject) == {"size": "M"}, "the contract keeps its own"


async def test_an_answer_lives_as_long_as_anything_below_the_purpose_it_was_given_for(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.somebody()
        await tell(world, subject, news=True)
    with at(days=400):
        await world.work()
        assert await told(world, subject) == {"news": True}
        await world.withdraw(subject)
    with at(days=431):
        await world.work()
        assert await told(world, subject) == {}


async def test_answers_and_values_of_one_person_end_each_at_its_own_time(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.somebody()
    with at(days=10):
        await world.withdraw(subject)
        await world.work()
    with at(days=20):
        await tell(world, subject, topics=["tea"])
    with at(days=41):
        await world.work()
        assert await world.fields(subject) == []
        assert await told(world, subject) == {"topics": ["tea"]}, "its grace began when it was given"
    with at(days=51):
        await world.work()
        assert await told(world, subject) == {}


async def test_a_new_yes_within_the_grace_keeps_the_answer(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.somebody()
        await tell(world, subject, topics=["tea"])
        await world.withdraw(subject)
    with at(days=20):
        await world.work()
        await world.choose(subject)
    with at(days=60):
        await world.work()
        assert await told(world, subject) == {"topics": ["tea"]}
        assert await world.fields(subject) == ["email"]


async def test_holds_and_restriction_keep_answers(world: Working) -> None:
    with at():
        await world.open()
        everything, mail, other, restricted = [await world.resolve(f"c-{number}") for number in range(4)]
        for subject in (everything, mail, other, restricted):
            await tell(world, subject, topics=["tea"])
        await world.held(everything)
        await world.held(mail, categories=("contact",))
        await world.held(other, categories=("billing",))
        await world.hot(lambda tx: world.consent.restrict(tx, restricted, on=True))
    with at(days=31):
        await world.work()
        assert (await world.ends(restricted)).categories[TOPICS].ground == RESTRICTED
        kept = [await told(world, subject) for subject in (everything, mail, other, restricted)]
        assert kept == [{"topics": ["tea"]}, {"topics": ["tea"]}, {}, {"topics": ["tea"]}]


async def test_a_purpose_that_is_declared_no_more_ends_its_answers(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.resolve()
        await world.relate(subject)
        await tell(world, subject, size="M")
        await world.work()
    gone = MANIFEST.replace(
        b"  support:\n    title: {en: Customer care}\n    legal_basis: contract\n    categories: [contact.phone]\n", b""
    )
    assert gone != MANIFEST
    with at(days=10):
        await world.apply(manifest=gone)
        await world.work()
    with at(days=39):
        await world.work()
        assert await kept_names(world, subject) == ["size"]
    with at(days=41):
        await world.work()
        assert await kept_names(world, subject) == []


async def test_each_id_of_a_merged_person_loses_its_own_answers(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.resolve("c-1")
        other = await world.resolve("c-2")
        await tell(world, subject, topics=["tea"])
    with at(hours=1):
        await tell(world, other, topics=["cups"])
        link, second = world.consent.identities.link, Identifier("customer_id", "c-2")
        await world.cold(lambda tx: link(tx, world.policy.catalogue, subject, second))
        assert await told(world, subject) == {"topics": ["cups"]}
    with at(days=31):
        await world.work()
        assert await told(world, subject) == {}
        assert [await kept_names(world, each) for each in (subject, other)] == [[], []]


async def test_what_was_stored_beside_an_answer_is_not_read_for_it(world: Working) -> None:
    with at():
        await world.open()
        subject = await world.resolve()
        await world.store(subject, email=EMAIL)
        await world.work()
        place = await world.calendar(subject)
        assert [each.category for each in place[1].places] == ["contact.email"]
        await tell(world, subject, topics=["tea"], pause_until="2026-09-01T00:00:00Z")
        await world.work()
        place = await world.calendar(subject)
        assert [each.category for each in place[1].places] == ["contact.email", TOPICS]


async def openings(world: Working, subject: bytes, entry: str) -> list[Opening]:
    """What the person's own key opens of an entry."""

    def unit(tx: Tx) -> Work[list[Opening]]:
        (row,) = yield (world.keyring.read(tx, subject),)
        key = world.keyring.unwrap(world.tenant, subject, "log", row)
        return (yield from world.audit.openings(tx, entry, key))

    return await world.look(unit)


async def kept_names(world: Working, subject: bytes) -> list[str]:
    """The questions that an answer is kept to, under this id alone."""
    return [each.name for each in await world.look(lambda tx: world.consent.preferences.serving(tx, subject))]


def _type(entry: Entry) -> str:
    return decode_leaf(entry.leaf).type
