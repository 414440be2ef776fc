"""The SQLAlchemy filter: what it lets through is what single decisions permit, on each database."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
import pytest_asyncio
from freezegun import freeze_time
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from sayso_client import (
    Aggregate,
    AsyncSayso,
    Audience,
    Identifier,
    MaskHash,
    MaskLast4,
    MaskYear,
    Obligation,
    RecordConsent,
    Redact,
    Tell,
    UnhandledObligation,
    masking,
)
from sayso_client.plans import Plan, PlanQuestion, nobody
from sayso_client.sqlalchemy import drop, live, permitted, permitted_people, remove, shown, write
from sqlalchemy import Column, Connection, MetaData, String, Table, create_engine, insert, literal, select
from sqlalchemy.ext.asyncio import create_async_engine

from tests.clients.python.conftest import Shop

T = TypeVar("T")

METADATA = MetaData()
CUSTOMERS = Table(
    "shop_customers",
    METADATA,
    Column("name", String(40), primary_key=True),
    Column("subject", String(40), nullable=False),
)
KEPT = permitted_people(METADATA)
LETTER = ("use", "contact.email", "marketing.email")


class Own:
    """The caller's own database, of the same kind as Sayso's: each `run` is a transaction."""

    def __init__(self, url: str) -> None:
        self._blocking = create_engine(url) if url.startswith("sqlite") else None
        self._awaiting = create_async_engine(url) if self._blocking is None else None

    async def run(self, act: Callable[..., T], *arguments: Any) -> T:
        if self._blocking is not None:
            with self._blocking.begin() as connection:
                return act(connection, *arguments)
        assert self._awaiting is not None
        async with self._awaiting.begin() as connection:
            return await connection.run_sync(act, *arguments)

    async def passed(self, plan: Plan) -> set[str]:
        """Whose rows the filter lets through."""
        asked = select(CUSTOMERS.c.subject).where(permitted(plan, CUSTOMERS.c.subject, KEPT))
        return await self.run(lambda connection: set(connection.execute(asked).scalars()))

    async def close(self) -> None:
        if self._blocking is not None:
            self._blocking.dispose()
        if self._awaiting is not None:
            await self._awaiting.dispose()


@pytest_asyncio.fixture
async def small_own(tmp_path: Path) -> AsyncIterator[Own]:
    made = Own(f"sqlite:///{tmp_path / 'own.db'}")
    await made.run(METADATA.create_all)
    yield made
    await made.close()


@pytest_asyncio.fixture
async def own(tmp_path: Path, database_url: str) -> AsyncIterator[Own]:
    url = "postgresql+asyncpg:" + database_url.partition(":")[2]
    made = Own(f"sqlite:///{tmp_path / 'own.db'}" if database_url.startswith("sqlite") else url)
    await made.run(METADATA.create_all)
    yield made
    await made.close()


async def customers(shop: Shop, own: Own, count: int) -> list[str]:
    """So many customers, in the registry and in the shop's own table."""
    say = await shop.say("admin")
    names = [f"c-{number}" for number in range(count)]
    people = [(await say.resolve(Identifier("customer_id", name), create=True)).subject for name in names]
    rows = [{"name": name, "subject": subject} for name, subject in zip(names, people, strict=True)]
    await own.run(lambda connection: connection.execute(insert(CUSTOMERS), rows))
    return people


async def chose(say: AsyncSayso, subject: str, choice: Any) -> None:
    if choice == "withdrawn":
        await say.withdraw(subject, ["marketing.email"])
        return
    choices = {"marketing.email": choice}
    await say.record(RecordConsent(subject=subject, notice="web", notice_version=1, locale="en", choices=choices))


async def refresh(own: Own, say: AsyncSayso, plan: Plan, people: list[str]) -> Audience:
    audience = await say.audience(plan.asked(people))
    await own.run(write, KEPT, plan, people, audience)
    return audience


async def singly(say: AsyncSayso, people: list[str]) -> set[str]:
    action, category, purpose = LETTER
    return {each for each in people if await say.may(action, category, each, purpose)}


async def test_the_filter_lets_through_whom_single_decisions_permit(shop: Shop, own: Own) -> None:
    admin, say = await shop.say("admin"), await shop.say("mailer", "newsletter")
    people = await customers(shop, own, 9)
    plan = await say.plan(*LETTER)
    assert await own.passed(plan) == set(), "nobody was asked about yet"
    histories = (["granted"], ["refused"], ["granted", "withdrawn"], ["refused", "granted"], ["granted"], [])
    for subject, history in zip(people, histories * 2, strict=False):
        for choice in history:
            await chose(admin, subject, choice)
    assert (await shop.admin.put(f"/v1/subjects/{people[4]}/restriction")).status_code == 200
    for _ in range(2):
        await refresh(own, say, plan, people)
        permitted_now = await singly(say, people)
        assert await own.passed(plan) == permitted_now
        assert 0 < len(permitted_now) < len(people)
        # All of it the other way round: who said yes says no, and who said no says yes.
        for subject in people:
            await chose(admin, subject, "withdrawn" if subject in permitted_now else "granted")


async def test_an_answer_ends_by_itself_though_the_clause_was_kept(small_shop: Shop, small_own: Own) -> None:
    admin, say = await small_shop.say("admin"), await small_shop.say("mailer", "newsletter")
    with freeze_time("2027-01-04T10:00:00Z", real_asyncio=True):
        people = await customers(small_shop, small_own, 2)
        await chose(admin, people[0], "granted")
        plan = await say.plan(*LETTER)
        audience = await refresh(small_own, say, plan, people)
        clause = permitted(plan, CUSTOMERS.c.subject, KEPT)

    async def found() -> list[str]:
        return await small_own.run(lambda c: list(c.execute(select(CUSTOMERS.c.subject).where(clause)).scalars()))

    until = datetime.fromisoformat(audience.valid_until)
    for moment, whom in ((until - timedelta(seconds=1), people[:1]), (until, []), (until + timedelta(days=1), [])):
        with freeze_time(moment, real_asyncio=True):
            assert await found() == whom


async def test_who_is_dropped_is_let_through_no_more_and_others_questions_are_not_answered(
    small_shop: Shop, small_own: Own
) -> None:
    admin, say = await small_shop.say("admin"), await small_shop.say("mailer", "newsletter")
    people = await customers(small_shop, small_own, 3)
    for subject in people:
        await chose(admin, subject, "granted")
    plan = await say.plan(*LETTER)
    await refresh(small_own, say, plan, people)
    assert await small_own.passed(await say.plan(*LETTER)) == set(people)
    assert await small_own.passed(await say.plan(*LETTER, channel="email")) == set()
    assert await small_own.passed(await say.plan("reveal", *LETTER[1:])) == set()
    assert await small_own.run(drop, KEPT, people[:2]) == 2
    assert await small_own.passed(plan) == {people[2]}


async def test_whoever_left_is_taken_out_before_the_answer_ends(shop: Shop, own: Own) -> None:
    admin, say = await shop.say("admin"), await shop.say("mailer", "newsletter")
    people = await customers(shop, own, 4)
    for subject in people:
        await chose(admin, subject, "granted")
    plan = await say.plan(*LETTER)
    await refresh(own, say, plan, people)
    await chose(admin, people[0], "withdrawn")
    asked = {"subject": people[1], "kind": "erasure", "law": "gdpr"}
    request = (await shop.admin.post("/v1/rights/requests", json=asked)).json()["request"]
    await shop.admin.post(f"/v1/rights/requests/{request}/verify", json={"method": "officer"})
    assert (await shop.admin.post(f"/v1/rights/requests/{request}/fulfil", json={})).status_code == 200
    for audience in await own.run(live, KEPT):
        left = await say.revoked(audience)
        assert await own.run(remove, KEPT, left) == 2
        assert len(left.gone) == 1, "who was erased has a number alone"
    assert await own.passed(plan) == set(people[2:]) == await singly(say, people)


async def test_a_plan_that_denies_everybody_lets_nobody_through(small_shop: Shop, small_own: Own) -> None:
    admin, say = await small_shop.say("admin"), await small_shop.say("mailer", "newsletter")
    people = await customers(small_shop, small_own, 1)
    await chose(admin, people[0], "granted")
    plan = await say.plan(*LETTER)
    await refresh(small_own, say, plan, people)
    forbidden = await say.plan("export", *LETTER[1:])
    assert (forbidden.denied, forbidden.view.reason) == (True, "no_rule")
    assert await small_own.passed(forbidden) == set()
    unknown = replace(plan, view=replace(plan.view, plan="always_denied"))
    assert unknown.question == plan.question
    assert await small_own.passed(unknown) == set()


async def test_wishes_about_a_channel_hold_for_the_filter_too(small_shop: Shop, small_own: Own) -> None:
    admin, say = await small_shop.say("admin"), await small_shop.say("mailer", "newsletter")
    people = await customers(small_shop, small_own, 2)
    for subject in people:
        await chose(admin, subject, "granted")
    await admin.tell(people[0], Tell(values={"channels": {"email": False}}))
    plan = await say.plan(*LETTER, channel="email")
    await refresh(small_own, say, plan, people)
    assert await small_own.passed(plan) == {people[1]}


async def test_answers_to_another_key_and_under_other_rules_are_no_answers_here(
    small_shop: Shop, small_own: Own
) -> None:
    admin, say = await small_shop.say("admin"), await small_shop.say("mailer", "newsletter")
    people = await customers(small_shop, small_own, 1)
    await chose(admin, people[0], "granted")
    plan = await say.plan(*LETTER)
    await refresh(small_own, say, plan, people)
    assert await small_own.passed(plan) == set(people)
    assert await small_own.passed(replace(plan, asker="another")) == set()
    newer = replace(plan, view=replace(plan.view, policy_version="of other rules"))
    assert await small_own.passed(newer) == set()
    with pytest.raises(ValueError, match="plan anew"):
        await refresh(small_own, say, newer, people)


def a_plan(*obligations: Obligation) -> Plan:
    """A plan whose people all need these."""
    known = nobody(PlanQuestion(action="read", category="contact.phone", purpose="support"))
    return Plan(known.view, (), obligations)


def in_sql(connection: Connection, plan: Plan, value: str, kind: str) -> str:
    found: str = connection.execute(select(shown(plan, literal(value, String), kind))).scalar_one()
    return found


@pytest.fixture(scope="module")
def sqlite() -> Any:
    with create_engine("sqlite://").connect() as connection:
        yield connection


@given(
    value=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=14),
    kind=st.sampled_from(["phone", "date", "year", "text"]),
    mask=st.sampled_from([MaskLast4, MaskYear, Redact]),
)
def test_columns_are_masked_as_values_are(sqlite: Connection, value: str, kind: str, mask: type[Obligation]) -> None:
    assert in_sql(sqlite, a_plan(mask()), value, kind) == masking()[mask](value, kind)


async def test_columns_are_masked_alike_on_each_database(own: Own) -> None:
    values = [("+8613800138000", "phone"), ("1984-11-21", "date"), ("短", "text"), ("一二三四五六七八", "text")]
    for value, kind in values:
        for mask in (MaskLast4, MaskYear, Redact):
            wanted = masking()[mask](value, kind)
            assert await own.run(in_sql, a_plan(mask()), value, kind) == wanted


def test_what_no_column_can_meet_raises() -> None:
    for obligation in (MaskHash(), Aggregate(k=20)):
        with pytest.raises(UnhandledObligation):
            shown(a_plan(obligation), CUSTOMERS.c.name)
