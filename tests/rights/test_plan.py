"""The erasure plan, which is pure: everything goes but what a ground names, and a ground names something."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rights import Facts, LegalGround, NothingToKeep, plan
from sayso.kernel import LOG, Invalid

names = st.sampled_from(["data", "invoices", "contracts", "tickets"])
values = st.dictionaries(names, st.integers(1, 1_000))


@given(values, st.sets(names))
def test_every_value_goes_or_stays_on_a_ground(stored: dict[str, int], kept: set[str]) -> None:
    facts = Facts(stored, tuple(LegalGround(name, f"law of {name}") for name in sorted(kept)))
    if not kept <= stored.keys():
        with pytest.raises(NothingToKeep):
            plan(facts)
        return
    made = plan(facts)
    assert made.goes.keys() | kept == stored.keys()
    assert not made.goes.keys() & kept
    assert sum(made.goes.values()) + sum(item.count for item in made.stays) == sum(stored.values())
    assert all(item.ground for item in made.stays)
    if kept:
        assert made.classes == made.goes.keys() | {LOG}
    else:
        assert made.classes is None


@pytest.mark.parametrize("never", ["log", "proof"])
def test_the_logs_key_is_never_kept(never: str) -> None:
    with pytest.raises(NothingToKeep):
        plan(Facts({"data": 1, never: 1}, (LegalGround(never, "a law"),)))


@pytest.mark.parametrize(
    "wrong", [LegalGround("data", " "), LegalGround("data", "x" * 501), LegalGround("data", "a law", "next year")]
)
def test_a_ground_has_words_and_a_date_that_is_one(wrong: LegalGround) -> None:
    with pytest.raises(Invalid):
        plan(Facts({"data": 1}, (wrong,)))
