"""A difference names exactly the cells that are answered differently, and tells them briefly."""

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from policies.comparing import differ
from policies.comparing.differ import Group, diff
from policies.ruleset.grounds import grounds_of
from policies.ruleset.rules import SYSTEM_RULES, Rule
from policies.ruleset.snapshot import Snapshot
from policies.ruleset.trees import ROOT, Tree, Trees, dotted
from tests.policies.test_properties import denies, rules
from tests.policies.worlds import SMALLEST, a_catalogue, a_policy

HEAD = """
categories: [contact.email, contact.phone{more}]
purposes:
  marketing.email.news: {{title: {{en: a}}, legal_basis: consent}}
  marketing.similar: {{title: {{en: c}}, legal_basis: {basis}}}
  support{leaf}: {{title: {{en: d}}, legal_basis: contract}}
"""
INTEREST = "{eea: legitimate_interest, us: notice}"
CATALOGUES = [
    a_catalogue(HEAD.format(more=more, basis=basis, leaf=leaf))
    for more, basis, leaf in (
        ("", INTEREST, ""),
        (", contact.fax", INTEREST, ""),
        ("", "{eea: legitimate_interest}", ""),
        ("", INTEREST, ".calls"),
    )
]
ROLES = [{"agent": (), "lead": ("agent",), "mailer": ()}, {"agent": (), "lead": ("agent", "mailer"), "mailer": ()}]
LAWS = Tree({"eea": (), "de": ("eea",), "us": (), "us-ca": ("us",), "cn": ()})


def a_snapshot(written: list[Rule], catalogue, roles) -> Snapshot:
    trees = Trees(
        Tree(roles),
        Tree(dotted(catalogue.categories)),
        Tree({**dotted(catalogue.purposes), "dsar": ()}),
        LAWS,
        Tree({"use": (), "erase": (), "read": ()}),
    )
    named = [replace(rule, id=f"R{place}") for place, rule in enumerate(written) if rule.purpose in trees.purposes]
    return Snapshot("default", [*SYSTEM_RULES, *named], trees, grounds_of(catalogue))


written = st.lists(st.one_of(rules, rules, denies), max_size=5)
sides = st.tuples(written, st.sampled_from(CATALOGUES), st.sampled_from(ROLES))


@st.composite
def two_sides(draw: st.DrawFn) -> tuple[Snapshot, Snapshot]:
    """Two versions that have most in common, as versions do."""
    old, catalogue, roles = draw(sides)
    new = list(old)
    for _ in range(draw(st.integers(0, 2))):
        turn = draw(st.sampled_from(["add", "drop", "move"]))
        if turn == "add" or not new:
            new.insert(draw(st.integers(0, len(new))), draw(st.one_of(rules, denies)))
        else:
            taken = new.pop(draw(st.integers(0, len(new) - 1)))
            if turn == "move":
                new.insert(draw(st.integers(0, len(new))), taken)
    return a_snapshot(old, catalogue, roles), a_snapshot(
        new, draw(st.sampled_from([catalogue, *CATALOGUES])), draw(st.sampled_from([roles, *ROLES]))
    )


def answer(snapshot: Snapshot, role: str, action: str, category: str, purpose: str, code: str) -> tuple[str, ...]:
    """The terms of one cell, in order; empty for a no of any kind. Asked of the snapshot itself."""
    trees = snapshot.trees
    known = category in trees.categories and purpose in trees.purposes and trees.purposes.leaf(purpose)
    if not known:
        return ()
    cell = snapshot.cell(frozenset({role}), action, category, purpose, code)
    by_id = {rule.id: rule for rule in snapshot.rules}
    return () if cell.denied else tuple(dict.fromkeys(differ.written(by_id[each.rule]) for each in cell.alternatives))


def counted_one_by_one(old: Snapshot, new: Snapshot) -> dict[str, int]:
    found = dict.fromkeys(differ.KINDS, 0)
    for cell in product(*(sorted({*one, *other}) for one, other in zip(names_of(old), names_of(new), strict=True))):
        was, now = answer(old, *cell), answer(new, *cell)
        if was != now:
            found["permitted" if not was else "denied" if not now else "terms"] += 1
    return found


def names_of(snapshot: Snapshot) -> list[set[str]]:
    trees = snapshot.trees
    return [
        set(trees.roles) - {ROOT},
        set(trees.actions) - {ROOT},
        set(trees.categories),
        set(trees.purposes),
        set(trees.jurisdictions),
    ]


@settings(max_examples=60, deadline=None)
@given(two_sides())
def test_it_counts_the_cells_that_are_answered_differently(two: tuple[Snapshot, Snapshot]):
    assert counted_one_by_one(*two) == diff(*two).cells


@settings(max_examples=20, deadline=None)
@given(sides)
def test_nothing_changes_between_equal_rules(side):
    difference = diff(a_snapshot(*side), a_snapshot(*side))
    assert not difference.rules
    assert not difference.groups


def told(group: Group) -> list[str]:
    return [str(names) for names in (group.roles, group.actions, group.categories, group.purposes)]


def test_a_wider_rule_is_told_in_one_line():
    wider = a_policy(SMALLEST.replace("role: marketing_sender, action: use", "role: marketing_sender, action: share"))
    (permitted, denied) = diff(a_policy().snapshot, wider.snapshot).groups
    assert (permitted.change, told(permitted)) == (
        "permitted",
        ["marketing_sender", "share", "contact.email", "marketing.email"],
    )
    assert (permitted.before, permitted.after, permitted.rules_after) == ((), ("consent",), ("R010",))
    assert (denied.change, told(denied)[1]) == ("denied", "use")
    assert str(permitted.jurisdictions) == "any"


def test_an_obligation_that_is_dropped_is_another_answer():
    freer = SMALLEST.replace(", obligations: [mask_last4]", "")
    (group,) = diff(a_policy().snapshot, a_policy(freer).snapshot).groups
    assert group.change == "terms"
    assert (group.before, group.after) == (("contract mask_last4",), ("contract",))
    assert str(group.roles) == "support_agent.*"


def test_a_rule_that_was_only_renamed_changes_no_answer():
    renamed = diff(a_policy().snapshot, a_policy(SMALLEST.replace("R020", "R021")).snapshot)
    assert not renamed.groups
    assert {(each.id, each.change) for each in renamed.rules} == {("R021", "added"), ("R020", "removed")}


def test_rules_that_all_touch_each_other_are_given_up_and_said_to_be(monkeypatch):
    monkeypatch.setattr(differ, "MOST_STEPS", 3)
    assert not diff(a_policy().snapshot, a_policy(SMALLEST.replace("action: use", "action: share")).snapshot).complete


def test_what_is_not_listed_is_counted(monkeypatch):
    monkeypatch.setattr(differ, "MOST_GROUPS", 1)
    wider = a_policy(SMALLEST.replace("action: use", "action: share")).snapshot
    found = diff(a_policy().snapshot, wider)
    assert (len(found.groups), found.more) == (1, 1)
    assert found.cells["denied"] == found.cells["permitted"] > 0
