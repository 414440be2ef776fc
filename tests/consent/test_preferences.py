"""What people tell, in the registry itself: races, erasure, merged people, and nothing in clear."""

import asyncio
from typing import Any

import pytest

from consent import (
    CHANNELS,
    Identifier,
    NoSubject,
    Preferences,
    Questionnaire,
    StalePreferences,
    Telling,
    parse_preferences,
    reachable,
)
from consent.store import PREFERENCE, page_of_preference_changes
from sayso.kernel import DAY, Denied, ManifestError, Problem, load, now
from tests.consent.conftest import Store

ASKED = """
preferences:
  topics: {type: multi, title: {en: Topics}, purpose: ads, options: {tea: {en: Tea}, cups: {en: Cups}}}
  wish: {type: text, title: {en: Wish}, purpose: support}
"""


def asked_of(store: Store, content: str = ASKED) -> Questionnaire:
    problems: list[Problem] = []
    found = parse_preferences(load([("asked.yaml", content.encode())]).get("preferences"), store.catalogue, problems)
    if problems:
        raise ManifestError(problems)
    return found


async def tell(store: Store, subject: bytes, values: dict[str, Any], **how: Any) -> Preferences:
    telling = Telling(values=values, **how)
    return await store.hot(lambda tx: store.registry.preferences.change(tx, asked_of(store), subject, telling))


async def told(store: Store, subject: bytes) -> Preferences:
    return await store.look(lambda tx: store.registry.preferences.read(tx, store.catalogue, asked_of(store), subject))


async def history(store: Store, subject: bytes) -> list[dict[str, Any]]:
    permit = store.permit(subject, "read")
    page = await store.look(lambda tx: store.registry.preferences.history(tx, subject, permit))
    return [item.values for item in page.items]


async def test_without_declared_channels_every_channel_may_be_spoken_of(store: Store) -> None:
    assert tuple(asked_of(store).channels) == CHANNELS
    subject = await store.person()
    await tell(store, subject, {"channels": {"line": False, "post": {"ads": False}}})
    found = (await told(store, subject)).values
    assert found["channels"]["line"] is False
    assert found["channels"]["post"] == {"ads": False, "marketing.email": True, "marketing.similar": True}
    state = await store.look(lambda tx: store.registry.person(tx, subject))
    assert state is not None
    assert reachable(state.contact, "line", "ads", now()).verdict == "off"
    assert reachable(state.contact, "post", "marketing.email", now()).verdict == "ok"


async def test_thirty_racing_writers_lose_nothing(store: Store) -> None:
    subject = await store.person()
    names = [("channels", {channel: False}) for channel in CHANNELS] + [("wish", f"tea {n}") for n in range(21)]
    await asyncio.gather(*(tell(store, subject, dict([each])) for each in names))
    found = await told(store, subject)
    assert found.version == 30
    assert set(found.values["channels"].values()) == {False}
    assert len(await history(store, subject)) == 30


async def test_of_racing_writers_on_one_version_one_is_heard(store: Store) -> None:
    subject = await store.person()
    tries = [tell(store, subject, {"wish": f"tea {n}"}, version=0) for n in range(10)]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(answer, Preferences) for answer in answers) == 1
    assert sum(isinstance(answer, StalePreferences) for answer in answers) == 9


async def test_a_change_is_in_the_log_and_says_nothing_aloud(store: Store) -> None:
    subject = await store.person()
    answer = await tell(store, subject, {"wish": "a secret blend"})
    entry = await store.look(lambda tx: store.log.entry(tx, str(answer.entry)))
    assert b"consent.preferences.changed" in entry.leaf
    assert b"secret" not in entry.leaf
    assert b"wish" not in entry.leaf
    (row,) = await store.look(lambda tx: (yield (tx.get(PREFERENCE, subject),)))
    assert b"secret" not in bytes(row[1])


async def test_erasure_leaves_nothing_of_it(store: Store) -> None:
    subject = await store.person()
    await tell(store, subject, {"wish": "tea", "channels": {"sms": False}})
    until = now() + 400 * DAY
    permit = store.permit(subject, "erase")
    await store.cold(lambda tx: store.registry.forget(tx, subject, permit, suppress_until=until, proof_until=until))
    with pytest.raises(NoSubject):
        await told(store, subject)
    with pytest.raises(NoSubject):
        await tell(store, subject, {"wish": "tea"})
    (row,) = await store.look(lambda tx: (yield (tx.get(PREFERENCE, subject),)))
    assert row is None
    statement = page_of_preference_changes("default", subject, 2**62, 10)
    (rows,) = await store.look(lambda tx: (yield (tx.select(statement),)))
    assert rows == []


async def test_history_needs_a_permit_for_this_person(store: Store) -> None:
    subject, other = await store.person(), await store.person("c-2")
    permit = store.permit(other, "read")
    with pytest.raises(Denied):
        await store.look(lambda tx: store.registry.preferences.history(tx, subject, permit))


async def test_people_who_are_one_have_the_newest_word_of_both(store: Store) -> None:
    first, second = await store.person(), await store.person("ann@example.org", "email")
    await tell(store, first, {"wish": "old", "topics": ["tea"]})
    await tell(store, second, {"wish": "new", "channels": {"sms": False}})
    await tell(store, first, {"topics": None})
    await tell(store, second, {"pause_until": "2999-01-01T00:00:00Z"})
    identifier = Identifier("email", "ann@example.org")
    identities = store.registry.identities
    await store.hot(lambda tx: identities.link(tx, store.catalogue, first, identifier, "key"))
    for subject in (first, second):
        found = await told(store, subject)
        assert found.version == 4
        assert found.values == {
            "wish": "new",
            "channels": {"sms": False},
            "pause_until": "2999-01-01T00:00:00.000000Z",
        }
    await tell(store, first, {"wish": "newest"}, version=4)
    assert (await told(store, second)).values["wish"] == "newest"
    await tell(store, second, {"wish": None})
    assert "wish" not in (await told(store, first)).values
    assert [list(each) for each in await history(store, first)] == [
        ["wish"],
        ["wish"],
        ["pause_until"],
        ["topics"],
        ["wish", "channels.sms"],
        ["wish", "topics"],
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("preferences: [topics]", "mapping of names"),
        ("preferences: {channels: {type: boolean, title: {en: X}, purpose: ads}}", "kept for Sayso"),
        ("preferences: {Topics: {type: boolean, title: {en: X}, purpose: ads}}", "is no preference"),
        ("preferences: {x: 3}", "is a mapping"),
        ("preferences: {x: {title: {en: X}, purpose: ads}}", "has a type"),
        ("preferences: {x: {type: boolean, purpose: ads}}", "has no title"),
        ("preferences: {x: {type: boolean, title: X, purpose: ads}}", "given per locale"),
        ("preferences: {x: {type: boolean, title: {english: X}, purpose: ads}}", "no locale"),
        ('preferences: {x: {type: boolean, title: {en: " "}, purpose: ads}}', "not empty"),
        ("preferences: {x: {type: boolean, title: {en: X}}}", "names the purpose"),
        ("preferences: {x: {type: boolean, title: {en: X}, purpose: adz}}", "no such purpose"),
        ("preferences: {x: {type: boolean, title: {en: X}, purpose: ads, sensitive: maybe}}", "true or false"),
        ("preferences: {x: {type: boolean, title: {en: X}, purpose: ads, max: 3}}", "has no member"),
        ("preferences: {x: {type: choice, title: {en: X}, purpose: ads}}", "has options"),
        ("preferences: {x: {type: choice, title: {en: X}, purpose: ads, options: {}}}", "1 to 100 options"),
        ("preferences: {x: {type: choice, title: {en: X}, purpose: ads, options: {A b: {en: A}}}}", "no option"),
        ("preferences: {x: {type: number, title: {en: X}, purpose: ads, min: 3, max: 2}}", "No number lies"),
        ("preferences: {x: {type: number, title: {en: X}, purpose: ads, max: many}}", "is a number"),
        ("preferences: {x: {type: date, title: {en: X}, purpose: ads, latest: soon}}", "A date is written"),
        (
            'preferences: {x: {type: date, title: {en: A}, purpose: ads, earliest: "2026-02-01", '
            'latest: "2026-01-01"}}',
            "No date lies",
        ),
        ("preferences: {x: {type: text, title: {en: X}, purpose: ads, longest: 0}}", "1 to 2000"),
    ],
)
async def test_a_preference_that_cannot_be_asked_is_refused(store: Store, content: str, message: str) -> None:
    with pytest.raises(ManifestError, match=message):
        asked_of(store, content)
