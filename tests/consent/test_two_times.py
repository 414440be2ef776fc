"""Two times: where somebody stood at one instant as far as was known at another, against a model that keeps no state.
And two databases that must agree.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from freezegun import freeze_time
from hypothesis import given, settings
from hypothesis import strategies as st

from consent import (
    NOES,
    Catalogue,
    Identifier,
    Moment,
    Payload,
    PersonState,
    decide,
    standing,
)
from consent.choices.past import replay
from sayso.kernel import now, open_database, to_datetime
from tests.consent.conftest import MANIFEST, Store
from tests.consent.purposes import TREE, Deed
from tests.consent.test_fold_properties import DAY, catalogues, histories, oracle
from vault import Keyring, SealedFile

patient = settings(deadline=None)
RANKS = ("device", "link", "code", "session")
LADDER = (
    MANIFEST.replace("  support:", "  marketing: {title: {en: All of it}}\n  support:")
    .replace("[marketing.email, ads]", "[marketing.email, marketing, ads]")
    .replace("version: 1", "version: 2")
)


def recorded(history: list[Deed], catalogue: Catalogue) -> list[tuple[bytes, Payload]]:
    """What the registry would have sealed, record by record."""
    state, records = PersonState(), []
    for number, deed in enumerate(history):
        raw = bytes([number]) * 16
        moment = Moment(deed.at, min(deed.claimed or deed.at, deed.at), deed.rank, raw, "web", 1, deed.shown)
        changes, state = decide(state, deed.acts, catalogue, moment)
        payload = Payload(
            v=1,
            at=deed.at,
            changes=changes,
            actor="key",
            method="api",
            assurance=RANKS[deed.rank],  # type: ignore[arg-type]
            entry="ent",
            bundle=raw,
            notice="web",
            notice_version=1,
            occurred_at=deed.claimed or 0,
        )
        records.append((raw, payload))
    return records


def known(history: list[Deed], as_of: int, known_at: int) -> list[Deed]:
    """The bare history as far as it was known: a yes counts from when it arrived, a no from when it was said."""
    found = []
    for deed in history:
        said = min(deed.claimed or deed.at, deed.at)
        acts = {name: act for name, act in deed.acts.items() if (said if act in NOES else deed.at) <= as_of}
        if deed.at <= known_at and acts:
            found.append(deed._replace(acts=acts))
    return found


instants = st.integers(0, 95).map(lambda days: days * DAY)


@patient
@given(catalogues(), histories, instants, instants)
def test_the_replayed_state_is_what_the_bare_history_says(
    catalogue: Catalogue, history: list[Deed], as_of: int, known_at: int
) -> None:
    records = [(raw, each) for raw, each in recorded(history, catalogue) if each.at <= known_at]
    state = replay(records, as_of, PersonState())
    told = known(history, as_of, known_at)
    for name in TREE:
        granted = standing(state, name, catalogue, as_of).status == "granted"
        assert granted == oracle(told, catalogue, name, as_of)


@patient
@given(catalogues(), histories, instants, instants, instants)
def test_hindsight_never_turns_a_no_of_the_past_into_a_yes(
    catalogue: Catalogue, history: list[Deed], as_of: int, one: int, other: int
) -> None:
    earlier, later = sorted((max(one, as_of), max(other, as_of)))
    records = recorded(history, catalogue)

    def permitted(known_at: int) -> set[str]:
        state = replay([(raw, each) for raw, each in records if each.at <= known_at], as_of, PersonState())
        return {name for name in TREE if standing(state, name, catalogue, as_of).status == "granted"}

    assert permitted(later) <= permitted(earlier)


@asynccontextmanager
async def a_store(url: str, folder: Path) -> AsyncIterator[Store]:
    database = open_database(url)
    await database.start()
    store = Store(database, Keyring(SealedFile.create(folder, None)))
    await store.found("default", LADDER)
    store.notice_version = 2
    yield store
    await database.stop()


async def lived(store: Store, seed: int) -> list[dict[str, str]]:
    """A life of a month, and where the person stood on every day as known on every fourth."""
    chance = random.Random(seed)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    names = ["marketing", "marketing.email", "ads"]
    with freeze_time(start, real_asyncio=True) as clock:
        subject = await store.person(f"life-{seed}")
        for _ in range(12):
            clock.tick(timedelta(hours=chance.randrange(6, 72)))
            chosen = chance.sample(names, chance.randrange(1, 3))
            rank = chance.choice(RANKS)
            claimed = now() - chance.randrange(0, 96) * 3_600_000_000 if chance.random() < 0.5 else None
            if chance.random() < 0.3:
                await store.withdraw(subject, chosen, assurance=rank, occurred_at=claimed)
            else:
                choices = {name: chance.choice(("granted", "granted", "refused")) for name in chosen}
                await store.record(subject, choices=choices, assurance=rank, occurred_at=claimed)
        end, found = now(), []
        clock.tick(1)
        day = timedelta(days=1)
        for as_of in range(int(start.timestamp() * 1e6), end, 3 * DAY):
            for known_at in range(as_of, end, 6 * DAY):
                found.append(await store.statuses(subject, as_of=as_of, known_at=known_at))
        assert to_datetime(end) - start > day
        live = await store.statuses(subject)
        assert live == await store.statuses(subject, as_of=now())
        return [*found, live]


async def test_both_databases_tell_the_same_life(sqlite_url: str, postgres_url: str, tmp_path: Path) -> None:
    async with a_store(sqlite_url, tmp_path / "k1") as one, a_store(postgres_url, tmp_path / "k2") as other:
        for seed in range(3):
            assert await lived(one, seed) == await lived(other, seed)


async def test_thirty_writers_of_one_first_record_make_one_person_on_both(
    sqlite_url: str, postgres_url: str, tmp_path: Path
) -> None:
    async with a_store(sqlite_url, tmp_path / "k1") as one, a_store(postgres_url, tmp_path / "k2") as other:
        told = []
        for store in (one, other):
            who = Identifier("customer_id", "c-30")
            # A late yes for every timely no: whoever comes first, the no stands.
            claims = [
                {"choices": {"ads": "refused"}}
                if number % 2
                else {"occurred_at": now() - DAY, "choices": {"ads": "granted"}}
                for number in range(30)
            ]
            done = await asyncio.gather(*(store.record(identifier=who, **claim) for claim in claims))
            (subject,) = {each.subject for each in done}
            assert subject is not None
            told.append(await store.statuses(bytes.fromhex(subject.removeprefix("sub_"))))
        assert told[0] == told[1]
        assert told[0]["ads"] == "refused"


async def test_thirty_writers_of_one_purpose_make_one_version(store: Store) -> None:
    wider = MANIFEST.replace("categories: [behaviour]", "categories: [behaviour, contact.phone]")
    made = await asyncio.gather(*(store.apply(wider) for _ in range(30)))
    assert {each.version("ads") for each in made} == {2}
    assert (await store.apply(wider)).version("ads") == 2
