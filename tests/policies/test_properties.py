"""What holds for any rules and any person: adding a no, a deny or a claimed law never turns a no into a yes."""

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from consent import (
    Choice,
    Jurisdiction,
    Moment,
    PersonState,
    Relation,
    decide,
)
from policies import Policy, Question
from policies.ruleset.grounds import grounds_of, jurisdiction_tree
from policies.ruleset.rules import SYSTEM_RULES, Rule
from policies.ruleset.snapshot import Snapshot
from policies.ruleset.trees import ACTION_TREE, Tree, Trees, dotted, with_built_in
from sayso.kernel import Obligation
from tests.policies.worlds import AT, a_catalogue

CATALOGUE = a_catalogue("""
categories: [contact.email, contact.phone, health]
purposes:
  marketing.email: {title: {en: a}, legal_basis: consent, direct_marketing: true}
  marketing.email.news: {title: {en: b}, legal_basis: {eea: consent, us: notice}}
  marketing.similar: {title: {en: c}, legal_basis: {eea: legitimate_interest, us: notice}}
  support: {title: {en: d}, legal_basis: contract}
notices:
  web: {version: 1, purposes: [marketing.email, marketing.email.news, marketing.similar], text: {en: t}}
""")
TREES = Trees(
    Tree(with_built_in({"agent": (), "lead": ("agent",), "mailer": ()})),
    Tree(dotted(CATALOGUE.categories)),
    Tree({**dotted(CATALOGUE.purposes), "dsar": ()}),
    jurisdiction_tree(CATALOGUE),
    ACTION_TREE,
)
LAWS = ("any", "eea", "de", "us", "us-ca", "cn")
LEAVES = ("marketing.email.news", "marketing.similar", "support")
NO_BLOCKS = ("consent", "legitimate_interest", "notice")

rules = st.builds(
    Rule,
    id=st.just(""),
    action=st.sampled_from(["use", "use", "any", "erase"]),
    role=st.sampled_from(["agent", "lead", "mailer", "any"]),
    category=st.sampled_from(["any", "contact", "contact.email"]),
    purpose=st.sampled_from(["any", "marketing", "marketing.email", *LEAVES]),
    jurisdiction=st.sampled_from(LAWS),
    effect=st.just("allow"),
    basis=st.sampled_from(["consent", "consent", "legitimate_interest", "notice", "contract", "legal_obligation"]),
    obligations=st.sampled_from([(), (), (Obligation("o.notify", "notify", {}),), (Obligation("o.log", "log", {}),)]),
)
denies = st.builds(
    lambda rule: replace(rule, effect="deny", basis="-", obligations=()),
    rules,
)
choices = st.builds(
    Choice,
    status=st.sampled_from(["granted", "granted", "refused", "withdrawn", "objected", "pending"]),
    since=st.integers(1, 50).map(lambda ago: AT - ago),
    purpose_version=st.just(1),
    expires_at=st.sampled_from([0, 0, AT - 1, AT + 1]),
    objected_at=st.sampled_from([0, 0, 0, 1]),
)
people = st.builds(
    PersonState,
    choices=st.dictionaries(st.sampled_from(sorted(CATALOGUE.purposes)), choices, max_size=4),
    restricted_at=st.sampled_from([0, 0, 0, AT - 20]),
    suppressed_until=st.sampled_from([0, 0, 0, AT + 1]),
    held=st.sampled_from([0, 0, 1]),
    jurisdictions=st.lists(st.sampled_from(LAWS[1:]).map(lambda code: Jurisdiction(code, "site", AT)), max_size=2).map(
        tuple
    ),
    relations=st.sampled_from([(), (Relation("o", "contract"),), (Relation("c", "case", ("marketing",)),)]),
)
questions = st.builds(
    Question,
    roles=st.sets(st.sampled_from(["agent", "lead", "mailer"]), max_size=2).map(frozenset),
    action=st.sampled_from(["use", "use", "erase"]),
    category=st.sampled_from(["any", "contact.email", "contact.phone", "contact"]),
    purpose=st.sampled_from(LEAVES),
    jurisdiction=st.sampled_from([None, None, *LAWS]),
    supported=st.sampled_from([frozenset[str](), frozenset({"notify"})]),
)
GROUNDS = grounds_of(CATALOGUE)
policies_of = st.lists(rules, min_size=1, max_size=6)
thorough = settings(max_examples=60, deadline=None)


def a_policy(written: list[Rule]) -> Policy:
    named = [replace(rule, id=f"R{place}") for place, rule in enumerate(written)]
    return Policy(Snapshot("default", [*SYSTEM_RULES, *named], TREES, GROUNDS), CATALOGUE)


def allowed(written: list[Rule], person: PersonState | None, question: Question) -> bool:
    return a_policy(written).inquiry(question).decide(person, AT).allowed


@thorough
@given(policies_of, denies, people, questions)
def test_adding_a_deny_never_permits(written: list[Rule], deny: Rule, person: PersonState, question: Question):
    assert allowed(written, person, question) or not allowed([*written, deny], person, question)


@thorough
@given(policies_of, rules, people, questions)
def test_adding_an_allow_never_denies(written: list[Rule], rule: Rule, person: PersonState, question: Question):
    assert allowed([*written, rule], person, question) or not allowed(written, person, question)


@thorough
@given(
    policies_of,
    people,
    questions,
    st.sampled_from(["refused", "withdrawn", "objected"]),
    st.sampled_from(sorted(CATALOGUE.purposes)),
)
def test_adding_a_no_never_permits(written: list[Rule], person: PersonState, question: Question, act, purpose: str):
    _, after = decide(person, {purpose: act}, CATALOGUE, Moment(AT - 1, AT - 1, 3))
    assert allowed(written, person, question) or not allowed(written, after, question)


@thorough
@given(policies_of, rules, people, questions, st.sampled_from(["refused", "withdrawn", "objected"]))
def test_no_rule_revives_what_a_person_took_back(
    written: list[Rule], rule: Rule, person: PersonState, question: Question, act
):
    purpose = question.purpose or ""
    _, after = decide(person, {purpose: act}, CATALOGUE, Moment(AT - 1, AT - 1, 3))
    only_what_a_no_blocks = [each for each in [*written, rule] if each.basis in NO_BLOCKS]
    assert not allowed(only_what_a_no_blocks, after, question)


@thorough
@given(policies_of, people, questions, st.sampled_from(LAWS))
def test_a_claimed_law_only_restricts(written: list[Rule], person: PersonState, question: Question, claimed: str):
    unclaimed = replace(question, jurisdiction=None)
    assert allowed(written, person, unclaimed) or not allowed(written, person, replace(question, jurisdiction=claimed))


@thorough
@given(policies_of, people, questions, st.sampled_from(LAWS[1:]))
def test_another_known_law_only_restricts(written: list[Rule], person: PersonState, question: Question, code: str):
    if person.jurisdictions:
        more = replace(person, jurisdictions=(*person.jurisdictions, Jurisdiction(code, "site", AT)))
        assert allowed(written, person, question) or not allowed(written, more, question)


@thorough
@given(policies_of, people, questions)
def test_restriction_suppression_and_erasure_only_restrict(
    written: list[Rule], person: PersonState, question: Question
):
    free = replace(person, restricted_at=0, suppressed_until=0, held=0)
    if not allowed(written, free, question):
        for bound in (
            replace(free, restricted_at=AT - 1),
            replace(free, suppressed_until=AT + 1),
            replace(free, held=1),
        ):
            assert not allowed(written, bound, question)
    assert not allowed(written, replace(free, erased_at=AT), question)


@thorough
@given(policies_of, people, questions, st.randoms(use_true_random=False))
def test_the_order_of_rules_changes_no_decision(written: list[Rule], person: PersonState, question: Question, chance):
    shuffled = list(written)
    chance.shuffle(shuffled)
    before = a_policy(written).inquiry(question).decide(person, AT)
    after = a_policy(shuffled).inquiry(question).decide(person, AT)
    assert (before.allowed, before.reason) == (after.allowed, after.reason)


@thorough
@given(policies_of, people, questions)
def test_a_decision_is_the_same_for_the_first_and_the_hundredth(
    written: list[Rule], person: PersonState, question: Question
):
    policy = a_policy(written)
    first = policy.inquiry(question).decide(person, AT)
    policy.inquiry(question).decide(None, AT)
    assert (
        policy.inquiry(question).decide(person, AT) == first == a_policy(written).inquiry(question).decide(person, AT)
    )
