"""What may be told of a value to somebody who may not see it."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.kernel import Denied, Invalid, Tx, Work
from tests.builders.vault import House, a_manifest, a_permit
from vault import Ask, Revealed, Unresolvable, action_for
from vault.fields.facts import NAMES, Fact, asked, fact_of, fits, told
from vault.fields.masks import HIDDEN, STRENGTH

TODAY = date(2026, 11, 22)
ID = "11010519491231002X"


@pytest.mark.parametrize(
    ("fact", "kind", "value", "answer"),
    [
        ("last4", "phone", "+8613800138000", "8000"),
        ("last4", "customer_id", "C-1", HIDDEN),
        ("domain", "email", "ada@example.org", "example.org"),
        ("year", "date", "1988-02-29", "1988"),
        ("year", "cn_resident_id", ID, "1949"),
        ("country", "phone", "+8613800138000", "CN"),
        ("country", "phone", "+80012345678", "001"),
        ("country", "iban", "GB82WEST12345698765432", "GB"),
        ("prefix:3", "postcode", "100001", "100"),
        ("prefix:4", "postcode", "100001", HIDDEN),
        ("prefix:6", "cn_resident_id", ID, "110105"),
        ("age_over:18", "date", "2008-11-22", "true"),
        ("age_over:18", "date", "2008-11-23", "false"),
        ("age_over:76", "cn_resident_id", ID, "true"),
        ("age_over:77", "cn_resident_id", ID, "false"),
        ("year", "email", "1988@example.org", HIDDEN),
    ],
)
def test_a_fact_tells_no_more_than_its_name(fact: str, kind: str, value: str, answer: str) -> None:
    found = fact_of(fact)
    assert found is not None
    assert told(found, None, kind, value, TODAY) == answer


def test_who_was_born_on_29_february_comes_of_age_never_too_early() -> None:
    assert told(Fact("age_over", 18), None, "date", "2008-02-29", date(2026, 2, 28)) == "false"
    assert told(Fact("age_over", 18), None, "date", "2008-02-29", date(2026, 3, 1)) == "true"


@pytest.mark.parametrize("fact", NAMES)
@pytest.mark.parametrize("mask", STRENGTH)
def test_under_a_mask_a_fact_shows_no_more_than_the_mask(fact: str, mask: str) -> None:
    found = fact_of(fact)
    assert found is not None
    kind = next(kind for kind in ("email", "phone", "date", "postcode") if fits(found, kind))
    value = {"email": "ada@example.org", "phone": "+8613800138000", "date": "1988-02-29", "postcode": "100001222333"}
    shown = told(found, mask, kind, value[kind], TODAY)
    allowed = {("last4", "mask_last4"), ("year", "mask_year")}
    assert (shown == HIDDEN) == ((found.name, mask) not in allowed)


@pytest.mark.parametrize("text", ["last5", "prefix", "prefix:0", "prefix:7", "age_over", "age_over:121", "last4:4", ""])
def test_what_is_no_fact_is_refused_with_the_nearest(text: str) -> None:
    assert fact_of(text) is None
    with pytest.raises(Invalid) as caught:
        asked(text)
    assert caught.value.slug == "unknown-transform"


def test_masks_are_reveals_and_facts_are_reads() -> None:
    assert {action_for(mask) for mask in (None, *STRENGTH)} == {"reveal"}
    assert {action_for(fact) for fact in NAMES} == {"read"}


@given(st.sampled_from(NAMES), st.sampled_from(["email", "phone", "card", "iban", "customer_id", "text", "boolean"]))
def test_a_fact_of_another_kind_is_hidden(name: str, kind: str) -> None:
    fact = fact_of(name)
    assert fact is not None
    if not fits(fact, kind):
        assert told(fact, None, kind, "whatever", TODAY) == HIDDEN


async def test_a_declared_fact_is_told_under_a_permit_to_read_and_the_value_is_not(house: House) -> None:
    house.collections = a_manifest(
        'customers:\n  fields:\n    birthday: {type: date, category: identity, facts: [year, "age_over:18"]}'
    )
    token = (await house.store(await house.person(), birthday="1988-02-29"))["birthday"]

    async def ask(transform: str | None, action: str) -> Revealed | Unresolvable:
        def unit(tx: Tx) -> Work[Revealed | Unresolvable]:
            located = yield from house.vault.locate(tx, house.collections, token)
            permit = a_permit(house.tenant, located.subject, located.category, action)
            return (
                yield from house.vault.reveal(tx, located, permit, Ask(purpose="p", reason="r", transform=transform))
            )

        return await house.database.run(house.context(), unit)

    adult = await ask("age_over:18", "read")
    assert isinstance(adult, Revealed)
    assert adult.value == "true"
    # A permit to be told facts opens no value, and a fact that the field does not declare is told to nobody.
    with pytest.raises(Denied):
        await ask(None, "read")
    with pytest.raises(Denied):
        await ask("mask_year", "read")
    assert isinstance(await ask("age_over:21", "read"), Unresolvable)
