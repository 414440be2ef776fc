"""Trees: names with their ancestors, flattened."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.ruleset.trees import ROOT, Cycle, TooDeep, Tree, dotted, with_built_in


def test_a_dotted_name_stands_below_the_path_without_its_last_part():
    tree = Tree(dotted(["marketing.email.newsletter"]))
    assert tree.up["marketing.email.newsletter"] == {"marketing.email.newsletter", "marketing.email", "marketing", ROOT}
    assert tree.down["marketing"] == {"marketing", "marketing.email", "marketing.email.newsletter"}
    assert tree.leaf("marketing.email.newsletter")
    assert not tree.leaf("marketing")


def test_everything_is_below_any():
    tree = Tree(dotted(["a.b", "c"]))
    assert tree.down[ROOT] == {"any", "a", "a.b", "c"}


def test_inheritance_is_followed_further_than_ten_hops():
    depth = 40
    chain = {f"r{place}": (f"r{place + 1}",) for place in range(depth)} | {f"r{depth}": ()}
    assert f"r{depth}" in Tree(chain).up["r0"]


def test_a_chain_of_thousands_is_refused_and_no_recursion():
    depth = 5_000
    chain = {f"r{place}": (f"r{place + 1}",) for place in range(depth)} | {f"r{depth}": ()}
    with pytest.raises(TooDeep):
        Tree(chain)
    with pytest.raises(Cycle):
        Tree({**chain, f"r{depth}": ("r0",)})


def test_two_ways_up_meet_at_one_ancestor():
    tree = Tree({"lead": ("agent", "trainer"), "agent": ("staff",), "trainer": ("staff",), "staff": ()})
    assert tree.up["lead"] == {"lead", "agent", "trainer", "staff", ROOT}


@pytest.mark.parametrize(
    "parents", [{"a": ("a",)}, {"a": ("b",), "b": ("a",)}, {"a": ("b",), "b": ("c",), "c": ("b",)}]
)
def test_a_cycle_is_refused(parents: dict[str, tuple[str, ...]]):
    with pytest.raises(Cycle):
        Tree(parents)


def test_the_built_in_roles_are_always_there():
    assert {"officer", "self", "clerk"} <= set(with_built_in({"clerk": ()}))


names = st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(".".join), min_size=1, max_size=12)


@given(names)
def test_up_and_down_are_each_others_mirror(paths: list[str]):
    tree = Tree(dotted(paths))
    for name in tree:
        assert all((above in tree.up[name]) == (name in tree.down[above]) for above in tree)
    assert {name: above for name, above in tree.links() if above == ROOT}.keys() == set(tree) - {ROOT}
