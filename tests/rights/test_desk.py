"""The desk: opening, checking, extending, pausing, refusing, and the kinds that change a person's state."""

from pathlib import Path

import pytest
from freezegun import freeze_time
from sqlalchemy import select

from consent import NoSubject, UnknownPurpose
from rights import ClockRefused, ImpossibleStep, LegalGround, NoExtension, RequestNotFound, RequestView
from rights import tables as rights_tables
from rights.model import KINDS, LAWS
from sayso.kernel import Context, Invalid, SaysoError, TooLarge, Tx, Work, new_id, new_raw, now, text
from tests.rights.world import OFFICER, World


async def shown(world: World, request: str) -> RequestView:
    return await world.look(lambda tx: world.desk.request(tx, request))


async def test_a_request_tells_its_deadline_and_whose_it_is(world: World) -> None:
    one = await world.customer()
    with freeze_time("2026-11-24T23:30:00Z", real_asyncio=True):
        opened = await world.request(one.subject)
    # Received on 25 November in Berlin; 25 and 26 December are holidays, 27 is a Sunday.
    assert (opened.due_on, opened.target_on) == ("2026-12-28", "2026-12-25")
    assert opened.status == "open"
    assert opened.granted_by_law
    assert opened.subject == text("sub", one.subject)
    assert opened.request.startswith("rrq_")
    assert await shown(world, opened.request) == opened


async def test_every_law_and_kind_opens(world: World) -> None:
    subject = await world.resolve()
    for law in LAWS:
        opened = await world.request(subject, KINDS[LAWS.index(law)], law)
        assert opened.law == law
    unknown = await world.request(subject, "restriction", "ccpa")
    assert not unknown.granted_by_law


async def test_a_second_open_request_names_the_first(world: World) -> None:
    subject = await world.resolve()
    first = await world.request(subject, "access")
    assert (first.related, (await world.request(subject, "access")).related) == ("", first.request)
    assert (await world.request(subject, "erasure")).related == ""
    await world.cold(lambda tx: world.desk.refuse(tx, first.request, "other"))
    listed = await world.look(lambda tx: world.desk.requests_of(tx, subject))
    assert [(item.kind, item.status) for item in listed] == [
        ("access", "denied"),
        ("access", "open"),
        ("erasure", "open"),
    ]


async def test_nothing_is_fulfilled_before_it_is_known_who_asks(world: World) -> None:
    subject = await world.resolve()
    for kind in KINDS:
        opened = await world.request(subject, kind)
        with pytest.raises(ImpossibleStep) as refused:
            await world.fulfil(opened.request)
        assert refused.value.slug == "not-verified"


async def test_withdrawing_everything_ends_what_was_granted(world: World) -> None:
    one = await world.customer()
    done = await world.fulfil(await world.verified(one.subject, "withdraw_all"))
    assert done.status == "fulfilled"
    assert (await world.ask(one.subject)).decision.reason == "withdrawn"


async def test_an_objection_stands_beside_a_later_yes(world: World) -> None:
    one = await world.customer()
    await world.fulfil(await world.verified(one.subject, "objection", purposes=("marketing.email",)))
    assert (await world.ask(one.subject)).decision.reason == "objected"
    await world.choose(one.subject)
    state = await world.look(lambda tx: world.consent.state(tx, world.policy.catalogue, one.subject))
    assert state.purposes["marketing.email"].objected is True


async def test_an_objection_without_purposes_is_against_all_that_a_no_can_block(world: World) -> None:
    one = await world.customer()
    await world.fulfil(await world.verified(one.subject, "objection"))
    state = await world.look(lambda tx: world.consent.state(tx, world.policy.catalogue, one.subject))
    assert {name: state.purposes[name].status for name in ("ads", "marketing.email", "support")} == {
        "ads": "objected",
        "marketing.email": "objected",
        "support": "unasked",
    }


async def test_a_restriction_stops_the_use_of_the_data(world: World) -> None:
    one = await world.customer()
    await world.fulfil(await world.verified(one.subject, "restriction"))
    assert (await world.ask(one.subject)).decision.reason == "restricted"


async def test_the_other_kinds_are_fulfilled_by_the_officers_statement(world: World) -> None:
    one = await world.customer()
    for kind in ("access", "portability", "rectification", "opt_out_sale", "limit_sensitive", "explanation"):
        request = await world.verified(one.subject, kind)
        done = await world.fulfil(request, statement="Sent by registered letter.")
        assert [(said.step, said.text) for said in done.statements] == [("fulfil", "Sent by registered letter.")]
        assert (await shown(world, request)).statements == done.statements


async def test_what_changes_the_state_of_nobody_is_refused(world: World) -> None:
    request = await world.verified(new_raw(), "restriction")
    with pytest.raises(NoSubject):
        await world.fulfil(request)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_officers_say_lies_sealed(world: World, sqlite_url: str) -> None:
    one = await world.customer()
    said = "Frau Linden rief an und bat um Loeschung."
    request = await world.verified(one.subject, "access")
    await world.cold(lambda tx: world.desk.refuse(tx, request, "suspected_fraud", said))
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    assert said.encode() not in b"".join(each.read_bytes() for each in path.parent.glob(path.name + "*"))
    assert (await shown(world, request)).statements[0].text == said


async def test_an_extension_is_told_in_time_and_taken_once(world: World) -> None:
    one = await world.customer()
    with freeze_time("2026-11-30T10:00:00Z", real_asyncio=True):
        request = (await world.request(one.subject)).request
        with pytest.raises(Invalid):
            await world.cold(lambda tx: world.desk.clock.extend(tx, request, " "))
    with freeze_time("2026-12-29T10:00:00Z", real_asyncio=True):
        extended = await world.cold(lambda tx: world.desk.clock.extend(tx, request, "Many systems are concerned."))
        assert extended.due_on == "2027-03-01"
        assert extended.extension is not None
        assert extended.statements[0].step == "extend"
        with pytest.raises(ClockRefused):
            await world.cold(lambda tx: world.desk.clock.extend(tx, request, "Again."))


async def test_an_extension_comes_too_late_after_the_deadline(world: World) -> None:
    subject = await world.resolve()
    with freeze_time("2026-11-02T10:00:00Z", real_asyncio=True):
        request = (await world.request(subject)).request
    with freeze_time("2026-12-03T10:00:00Z", real_asyncio=True), pytest.raises(ClockRefused):
        await world.cold(lambda tx: world.desk.clock.extend(tx, request, "We forgot."))


async def test_a_law_without_a_longer_term_gives_none(world: World) -> None:
    opened = await world.request(await world.resolve(), "erasure", "pipl")
    with pytest.raises(NoExtension):
        await world.cold(lambda tx: world.desk.clock.extend(tx, opened.request, "Busy."))


async def test_the_clock_rests_while_the_person_is_awaited(world: World) -> None:
    subject = await world.resolve()
    with freeze_time("2026-06-01T10:00:00Z", real_asyncio=True):
        request = (await world.request(subject)).request
    with freeze_time("2026-06-05T10:00:00Z", real_asyncio=True):
        paused = await world.cold(lambda tx: world.desk.clock.pause(tx, request, "identity"))
        assert paused.paused
    with freeze_time("2026-06-09T10:00:00Z", real_asyncio=True):
        resumed = await world.cold(lambda tx: world.desk.clock.resume(tx, request))
    # 1 July and four days: 5 July is a Sunday.
    assert (resumed.due_on, resumed.target_on, resumed.paused) == ("2026-07-06", "2026-07-05", False)
    with pytest.raises(ClockRefused):
        await world.cold(lambda tx: world.desk.clock.resume(tx, request))
    other = await world.request(subject, "erasure", "ccpa")
    with pytest.raises(ClockRefused):
        await world.cold(lambda tx: world.desk.clock.pause(tx, other.request, "identity"))


async def test_requests_are_refused_in_the_protocols_words(world: World) -> None:
    subject = await world.resolve()
    opened = await world.request(subject)
    refused = await world.cold(lambda tx: world.desk.refuse(tx, opened.request, "insuf_verification"))
    assert (refused.status, refused.reason) == ("denied", "insuf_verification")
    with pytest.raises(ImpossibleStep):
        await world.cold(lambda tx: world.desk.verify(tx, opened.request, "officer"))


async def test_every_step_is_an_entry(world: World) -> None:
    subject = await world.resolve()
    request = await world.verified(subject, "access")
    await world.cold(lambda tx: world.desk.clock.extend(tx, request, "Many systems."))
    done = await world.fulfil(request)
    types = await world.types()
    assert types[-4:] == [f"rights.request.{step}" for step in ("opened", "verified", "extended", "fulfilled")]
    entry = await world.look(lambda tx: world.audit.entry(tx, done.entry))
    assert b"rights.request.fulfilled" in entry.leaf


async def test_another_tenants_request_does_not_exist(world: World) -> None:
    opened = await world.request(await world.resolve())
    other = Context("other", OFFICER, now(), "test")
    answers = []
    for request in (opened.request, new_id("rrq")):
        with pytest.raises(RequestNotFound) as refused:
            await world.database.look(other, lambda tx, request=request: world.desk.request(tx, request))
        answers.append((refused.value.slug, refused.value.message, refused.value.facts))
    assert answers[0] == answers[1]


@pytest.mark.parametrize("wrong", ["rrq_1", "sub_" + "0" * 32, "rrq_" + "G" * 32, ""])
async def test_a_malformed_id_is_refused(world: World, wrong: str) -> None:
    with pytest.raises(Invalid):
        await shown(world, wrong)


async def test_bad_input_writes_nothing(world: World) -> None:
    subject = await world.resolve()
    before = await world.types()
    wrong: list[tuple[type[SaysoError], dict]] = [
        (UnknownPurpose, {"kind": "objection", "purposes": ("marketing.emial",)}),
        (Invalid, {"kind": "erasure", "purposes": ("ads",)}),
    ]
    for error, asked in wrong:
        with pytest.raises(error):
            await world.request(subject, **asked)
    request = await world.verified(subject, "access")
    with pytest.raises(TooLarge):
        await world.fulfil(request, statement="x" * 4_001)
    with pytest.raises(Invalid):
        await world.fulfil(request, grounds=(LegalGround("invoices", "a law"),))
    assert await world.types() == [*before, "rights.request.opened", "rights.request.verified"]

    def unit(tx: Tx) -> Work[int]:
        (rows,) = yield (tx.select(select(rights_tables.rights_request.c.request)),)
        return len(rows)

    assert await world.look(unit) == 1
