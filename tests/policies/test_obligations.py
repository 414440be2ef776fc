"""Obligations: one fixed order, whatever order the rules were written in."""

from hypothesis import given
from hypothesis import strategies as st

from policies.obligations import MASKS, TYPES, merge, unsupported
from sayso.kernel import Obligation


def an_obligation(name: str, rule: str = "R1", number: int = 20) -> Obligation:
    properties: dict[str, str | int] = {"aggregate": {"k": number}, "ttl": {"seconds": number}}.get(name, {})
    return Obligation(f"{rule}.{name}", name, properties)


any_obligations = st.lists(
    st.builds(an_obligation, st.sampled_from(TYPES), st.sampled_from(["R1", "R2", "R3"]), st.integers(2, 99))
)


def test_the_strongest_mask_wins():
    assert [o.type for o in merge(map(an_obligation, ("mask_year", "redact", "mask_last4")))] == ["redact"]


def test_the_largest_group_and_the_shortest_life_win():
    merged = merge(
        [
            an_obligation(name, number=number)
            for name, number in (("ttl", 60), ("aggregate", 5), ("ttl", 9), ("aggregate", 50))
        ]
    )
    assert [(o.type, o.properties) for o in merged] == [("aggregate", {"k": 50}), ("ttl", {"seconds": 9})]


def test_the_full_log_replaces_the_plain_one():
    assert [o.type for o in merge(map(an_obligation, ("log_full", "log", "notify")))] == ["notify", "log_full"]


@given(any_obligations, st.randoms())
def test_merging_does_not_know_order_or_repetition(obligations: list[Obligation], chance):
    shuffled = [*obligations, *obligations]
    chance.shuffle(shuffled)
    assert merge(shuffled) == merge(obligations) == merge(merge(obligations))


def test_logging_needs_no_support():
    assert not unsupported(map(an_obligation, ("log", "log_full")), (), "use")


def test_a_reveal_is_masked_by_sayso_itself():
    masks = [an_obligation(name) for name in MASKS]
    assert not unsupported(masks, (), "reveal")
    assert unsupported(masks, (), "use") == MASKS


def test_whatever_the_caller_does_not_declare_is_unsupported():
    asked = [an_obligation(name) for name in ("notify", "step_up", "ttl", "aggregate")]
    assert unsupported(asked, ("step_up", "ttl"), "reveal") == ("notify", "aggregate")
