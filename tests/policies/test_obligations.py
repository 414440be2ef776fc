"""Obligations: one fixed order, whatever order the rules were written in."""

from hypothesis import given
from hypothesis import strategies as st

from policies.obligations import GUARDS, MASKS, TYPES, either, merge, unsupported
from sayso.kernel import Obligation
from vault.opening.guarding import way


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


def guard(rule: str, *names: str) -> list[Obligation]:
    return either([an_obligation(name, rule) for name in names], rule)


@given(
    st.lists(st.sampled_from([("second_person",), ("break_glass",), GUARDS, ()]), max_size=4),
    st.booleans(),
    st.booleans(),
)
def test_merged_guards_open_exactly_where_each_rule_would(rules: list[tuple[str, ...]], approved: bool, glass: bool):
    """What the vault opens under the merged obligations is what it opens under every rule by itself."""
    lists = [guard(f"R{place}", *names) for place, names in enumerate(rules)]
    merged = way((), merge(each for one in lists for each in one), approved=approved, glass=glass)
    alone = [way((), one, approved=approved, glass=glass) for one in lists]
    assert (merged is None) == (None in alone)
    if merged is not None:
        assert (merged == "break_glass") == ("break_glass" in alone)


def test_a_second_person_for_a_reveal_is_asked_for_by_sayso_itself():
    guards = [an_obligation(name) for name in GUARDS]
    assert not unsupported(guards, (), "reveal")
    assert unsupported(guards, ("second_person",), "use") == ("break_glass",)


def test_logging_needs_no_support():
    assert not unsupported(map(an_obligation, ("log", "log_full")), (), "use")


def test_a_reveal_is_masked_by_sayso_itself():
    masks = [an_obligation(name) for name in MASKS]
    assert not unsupported(masks, (), "reveal")
    assert unsupported(masks, (), "use") == MASKS


def test_whatever_the_caller_does_not_declare_is_unsupported():
    asked = [an_obligation(name) for name in ("notify", "step_up", "ttl", "aggregate")]
    assert unsupported(asked, ("step_up", "ttl"), "reveal") == ("notify", "aggregate")
