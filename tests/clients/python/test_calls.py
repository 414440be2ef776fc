"""The Python client's calls against a real Sayso, on each database."""

import pytest
from sayso_client import (
    AudienceQuestion,
    ByIdentifier,
    Evaluation,
    Identifier,
    MaskLast4,
    NotFound,
    NotPermitted,
    RecordConsent,
    Relation,
    RevealItem,
    Tell,
    Unauthenticated,
    UnhandledObligation,
)
from sayso_client.structs import Action, Entity, RequestContext

from tests.clients.python.conftest import Shop


def yes(subject: str | ByIdentifier) -> RecordConsent:
    return RecordConsent(
        subject=subject, notice="web", notice_version=1, locale="en", choices={"marketing.email": "granted"}
    )


async def test_from_the_first_sight_of_a_person_to_their_no(shop: Shop) -> None:
    say, mailer = await shop.say("admin"), await shop.say("mailer", "newsletter")
    subject = (await say.resolve(Identifier("customer_id", "c-1"), create=True)).subject
    letter = ("use", "contact.email", subject, "marketing.email")
    first = await mailer.may(*letter, channel="email")
    assert not first
    assert first.reason == "no_consent"
    recorded = await say.record(yes(subject))
    assert recorded.state["marketing.email"].status == "granted"
    assert (await say.state(subject)).purposes["marketing.email"].record == recorded.record
    permit = await mailer.may(*letter)
    assert permit
    assert (permit.reason, permit.entry[:4], len(permit.policy_version) > 8) == ("permitted", "ent_", True)

    stored = await say.store(subject, "customers", {"email": "ada@example.org", "card": "55512345678"})
    items = [stored.tokens["email"], RevealItem(stored.tokens["email"], "mask_last4")]
    opened = await mailer.reveal(items, "marketing.email", "newsletter")
    assert [each.value for each in opened] == ["ada@example.org", "****.org"]
    assert "ada@" not in repr(opened)

    withdrawn = await say.withdraw(subject)
    assert withdrawn.state["marketing.email"].status == "withdrawn"
    assert (await mailer.may(*letter)).reason == "withdrawn"
    assert (await mailer.reveal(items[:1], "marketing.email", "newsletter"))[0].code == "unresolvable"
    before = await say.state(subject, as_of="2020-01-01T00:00:00Z")
    assert before.purposes["marketing.email"].status == "unasked"


async def test_several_questions_and_a_list_are_answered_as_one_by_one(small_shop: Shop) -> None:
    say, mailer = await small_shop.say("admin"), await small_shop.say("mailer", "newsletter")
    people = [(await say.resolve(Identifier("customer_id", f"c-{n}"), create=True)).subject for n in range(4)]
    for subject in people[::2]:
        await say.record(yes(subject))
    singly = [bool(await mailer.may("use", "contact.email", each, "marketing.email")) for each in people]
    asked = [
        Evaluation(
            Entity("service", "mailer"),
            Action("use"),
            Entity("contact.email", each),
            RequestContext(purpose="marketing.email"),
        )
        for each in people
    ]
    assert [bool(each) for each in await mailer.evaluations(asked)] == singly == [True, False, True, False]
    stopped = await mailer.evaluations(asked, semantic="deny_on_first_deny")
    assert [bool(each) for each in stopped] == [True, False]
    question = AudienceQuestion(
        purpose="marketing.email", action="use", category="contact.email", subjects=tuple(people)
    )
    audience = await mailer.audience(question)
    assert audience.permitted == (people[0], people[2])
    assert audience.counts == {"permitted": 2, "no_consent": 2}


async def test_a_limit_is_counted_and_given_back(shop: Shop) -> None:
    say, mailer = await shop.say("admin"), await shop.say("mailer", "newsletter")
    recorded = await say.record(yes(ByIdentifier(Identifier("customer_id", "c-1"))))
    subject = recorded.subject or ""
    told = await say.tell(subject, Tell(values={"frequency": {"email": {"most": 1, "per": "week"}}}))
    assert (await say.preferences(subject)).values == told.values
    letter = ("use", "contact.email", subject, "marketing.email")
    permit = await mailer.may(*letter, channel="email")
    late = await mailer.may(*letter, channel="email")
    assert (bool(permit), late.reason, late.retry_after is not None) == (True, "later", True)
    assert await mailer.unused(permit.entry) == 1
    assert await mailer.may(*letter, channel="email")


async def test_a_relation_opens_what_a_contract_covers_until_it_ends(small_shop: Shop) -> None:
    say, till = await small_shop.say("admin"), await small_shop.say("till", "till")
    subject = (await say.resolve(Identifier("customer_id", "c-1"), create=True)).subject
    asked = ("reveal", "loyalty.card", subject, "checkout")
    assert (await till.may(*asked)).reason == "no_relation"
    await say.relate(subject, "membership-1", Relation("contract", ("checkout",), start="2020-01-01T00:00:00Z"))
    permit = await till.may(*asked)
    assert [type(each) for each in permit.obligations] == [MaskLast4], "which Sayso applies to what it reveals"
    with pytest.raises(UnhandledObligation):
        permit.show("55512345678")
    token = (await say.store(subject, "customers", {"card": "55512345678"})).tokens["card"]
    (shown,) = await till.reveal([token], "checkout", "points")
    assert shown.value == "****5678"
    ended = await say.unrelate(subject, "membership-1")
    assert ended.until is not None
    assert (await till.reveal([token], "checkout", "points"))[0].value is None


async def test_changes_are_read_page_by_page_and_followed(small_shop: Shop) -> None:
    say, mailer = await small_shop.say("admin"), await small_shop.say("mailer", "newsletter")
    start = (await say.changes("latest")).cursor
    subjects = [
        (await say.record(yes(ByIdentifier(Identifier("customer_id", f"c-{n}"))))).subject or "" for n in range(3)
    ]
    page = await say.changes(start, purposes=["marketing.email"], types=["consent.choice.*"], limit=2)
    assert ([event.subject for event in page.events], page.more) == (subjects[:2], True)
    async for rest in say.follow(page.cursor, types=["consent.choice.*"], wait=1):
        assert [event.subject for event in rest.events] == subjects[2:]
        assert rest.events[0].data.state["marketing.email"].status == "granted"
        break
    names = await mailer.aliases(subjects)
    seen = await mailer.changes(start, types=["consent.choice.*"])
    assert [event.subject for event in seen.events] == [names[each] for each in subjects]


async def test_a_mistake_is_an_error_of_its_own_kind_with_the_problems_name(small_shop: Shop) -> None:
    say = await small_shop.say("admin")
    with pytest.raises(NotFound) as missing:
        await say.resolve(Identifier("customer_id", "nobody"))
    assert (missing.value.slug, missing.value.status) == ("no-subject", 404)
    say._http.auth = type(say._http.auth)("sk_wrong")  # type: ignore[call-arg,arg-type]
    with pytest.raises(Unauthenticated):
        await say.may("use", "contact.email", "sub_" + "0" * 32, "marketing.email")


async def test_what_requires_a_permit_happens_with_one_only(small_shop: Shop) -> None:
    say, mailer = await small_shop.say("admin"), await small_shop.say("mailer", "newsletter")
    subject = (await say.record(yes(ByIdentifier(Identifier("customer_id", "c-1"))))).subject or ""
    letter = ("use", "contact.email", subject, "marketing.email")
    done = []
    async with mailer.requires(*letter) as permit:
        done.append(permit.show("ada@example.org", "email"))
    await say.withdraw(subject, ["marketing.email"])
    with pytest.raises(NotPermitted) as refused:
        async with mailer.requires(*letter):
            done.append("again")
    assert done == ["ada@example.org"]
    assert refused.value.problem["reason"] == "withdrawn"


async def test_the_same_key_is_the_same_act(small_shop: Shop) -> None:
    say = await small_shop.say("admin")
    who = ByIdentifier(Identifier("customer_id", "c-1"))
    one, two = [await say.record(yes(who), idempotency_key="order-7") for _ in range(2)]
    assert one.record == two.record
    assert (await say.record(yes(who))).record != one.record
