"""The query plan means what single decisions mean, for any rules, people and questions."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from consent import AgeBand, Cap, Choice, Contact, Directive, Jurisdiction, Minority, PersonState, Quiet, Relation, Use
from policies import Policy, Question
from policies.obligations import merge
from policies.plan import NEVER, Is, Not, Plan, plan
from policies.ruleset.grounds import grounds_of, jurisdiction_tree
from policies.ruleset.rules import SYSTEM_RULES, Rule
from policies.ruleset.snapshot import Snapshot
from policies.ruleset.trees import ACTION_TREE, Tree, Trees, dotted
from sayso.kernel import Obligation
from tests.policies import test_properties as properties
from tests.policies import worlds
from tests.policies.plans import condition_says, plan_says
from tests.policies.worlds import AT, a_catalogue, a_question, a_rule, with_rules

CATALOGUE = a_catalogue("""
categories: [contact.email, contact.phone, health]
purposes:
  marketing.email: {title: {en: a}, legal_basis: consent, direct_marketing: true, opt_out: [targeted_ads]}
  marketing.email.news: {title: {en: b}, legal_basis: {eea: consent, us: notice}, opt_out: [sale]}
  marketing.similar: {title: {en: c}, legal_basis: {eea: legitimate_interest, us: notice}, channels: [email]}
  marketing.untold: {title: {en: e}, legal_basis: {us: notice}}
  support: {title: {en: d}, legal_basis: contract}
  ledger: {title: {en: f}, legal_basis: legal_obligation}
  rescue: {title: {en: g}, legal_basis: vital_interest}
  survey: {title: {en: h}, legal_basis: public_task}
notices:
  web: {version: 1, purposes: [marketing.email, marketing.email.news, marketing.similar], text: {en: t}}
""")
TREES = Trees(
    properties.TREES.roles,
    Tree(dotted(CATALOGUE.categories)),
    Tree({**dotted(CATALOGUE.purposes), "dsar": ()}),
    jurisdiction_tree(CATALOGUE),
    ACTION_TREE,
)
GROUNDS = grounds_of(CATALOGUE)
HOUR = 3_600_000_000
BASES = {
    "marketing.email.news": ("consent", "consent", "notice"),
    "marketing.similar": ("legitimate_interest", "notice", "consent"),
    "marketing.untold": ("notice", "consent"),
    "support": ("contract", "consent"),
    "ledger": ("legal_obligation",),
    "rescue": ("vital_interest",),
    "survey": ("public_task",),
}
"""For each purpose the bases that it can rest on somewhere."""

NEEDS = {"consent": ("-", "explicit"), "legal_obligation": ("-", "case"), "vital_interest": ("-", "case")}
OBLIGATIONS = ((), (), (Obligation("o.notify", "notify", {}),), (Obligation("o.log", "log", {}),))
purposes = st.sampled_from(sorted(BASES))


@st.composite
def rules_for(draw: st.DrawFn, question: Question) -> list[Rule]:
    """A few rules, most of which have something to say to the question."""

    def a_rule(place: int) -> Rule:
        # Somebody with no purpose, or with one that has no rule, is asked about now and then.
        purpose = question.purpose if question.purpose in BASES and place < 3 else draw(purposes)
        basis = draw(st.sampled_from(BASES[purpose]))
        deny = draw(st.integers(0, 9)) == 9
        return Rule(
            id=f"R{place}",
            action=draw(st.sampled_from([question.action, question.action, question.action, "any", "reveal"])),
            role=draw(st.sampled_from(["any", "agent", "agent", "agent", "lead"])),
            category=draw(st.sampled_from(["any", question.category, question.category, "contact"])),
            purpose=draw(st.sampled_from([purpose, purpose, "any"])),
            jurisdiction=draw(st.sampled_from([*["any"] * 6, *properties.LAWS])),
            effect="deny" if deny else "allow",
            basis="-" if deny else basis,
            need="-" if deny else draw(st.sampled_from(NEEDS.get(basis, ("-",)))),
            obligations=() if deny else draw(st.sampled_from(OBLIGATIONS)),
        )

    return [a_rule(place) for place in range(draw(st.integers(2, 5)))]


windows = st.builds(Quiet, st.integers(0, 1_439), st.integers(0, 1_439), st.just("Europe/Paris"), st.just(127))
contacts = st.builds(
    Contact,
    off=st.sampled_from(
        [{}, {}, {"email": {"any": 0}}, {"email": {"marketing.similar": 0}}, {"post": {"marketing": 0}}]
    ),
    caps=st.sampled_from([{}, {"email": Cap(1, "day")}, {"post": Cap(2, "week")}]),
    quiet=st.lists(windows, max_size=2).map(tuple),
    pause_until=st.sampled_from([0, 0, AT - 1, AT + HOUR]),
    uses=st.sampled_from([{}, {"email": (Use(AT - HOUR, b"", ""),)}, {"post": (Use(AT - HOUR, b"", ""),)}]),
)
grants = properties.choices.flatmap(
    lambda choice: st.sampled_from([0, 1, 2, 3]).map(lambda rank: replace(choice, assurance=rank))
)
relations = st.builds(
    Relation,
    st.sampled_from(["o", "c"]),
    st.sampled_from(["contract", "case", "case", "public_task"]),
    st.sampled_from([(), (), ("ledger",), ("marketing",)]),
    st.just(0),
    st.sampled_from([0, 0, AT - 1, AT + 1]),
)
MINORITIES = (Minority(AgeBand(10, 13, "declared", AT - 20)), Minority(AgeBand(18, 0, "declared", AT - 20)))
DIRECTIVES = ({"gpc": Directive(AT - 9, ("sale", "targeted_ads"))}, {"gpc": Directive(AT - 9, ("sensitive",))})


@st.composite
def people_for(draw: st.DrawFn, question: Question) -> PersonState:
    """Somebody of whom the answer may well be yes, but for one thing or two."""
    places = [name for name in (question.purpose, "marketing.email", "marketing") if name in CATALOGUE.purposes]
    chosen = draw(st.dictionaries(st.sampled_from(places), grants, max_size=2)) if places else {}
    kept: dict[str, object] = {
        "choices": chosen,
        "jurisdictions": draw(laws),
        "relations": draw(st.lists(relations, max_size=3).map(tuple)),
    }
    spoilers: dict[str, st.SearchStrategy[object]] = {
        "restricted_at": st.sampled_from([AT - 20, AT - 2]),
        "suppressed_until": st.sampled_from([AT - 1, AT + 1]),
        "held": st.just(1),
        "contact": contacts,
        "minority": st.sampled_from(MINORITIES),
        "directives": st.sampled_from(DIRECTIVES),
        "erased_at": st.just(AT - 3),
        "denials": grants.map(lambda grant: {places[0]: replace(grant, status="refused")} if places else {}),
    }
    for name in draw(st.sets(st.sampled_from(sorted(spoilers)), max_size=2)):
        kept[name] = draw(spoilers[name])
    return PersonState(**kept)  # type: ignore[arg-type]


laws = st.sampled_from([("us",), ("us",), ("us-ca",), ("eea",), ("de",), (), ("cn",), ("us", "de"), ("atlantis",)]).map(
    lambda codes: tuple(Jurisdiction(code, "site", AT) for code in codes)
)
questions = st.builds(
    Question,
    roles=st.sampled_from([frozenset({"agent", "mailer"}), frozenset({"lead"})]),
    action=st.sampled_from(["use", "use", "use", "erase"]),
    category=st.sampled_from(["contact.email", "contact.phone"]),
    purpose=st.sampled_from([*sorted(BASES) * 4, "dsar", "marketing", None]),
    jurisdiction=st.sampled_from([None, None, None, "us", "de", "cn"]),
    channel=st.sampled_from([None, "email", "post", "sms"]),
    relation=st.sampled_from([None, None, None, "o", "nobody's"]),
    case=st.sampled_from([None, None, None, "c"]),
    supported=st.sampled_from([frozenset[str](), frozenset({"notify"})]),
)
worlds_of = questions.flatmap(
    lambda question: st.tuples(
        st.just(question), rules_for(question), st.lists(people_for(question), min_size=6, max_size=10)
    )
)


def a_policy(written: list[Rule]) -> Policy:
    return Policy(Snapshot("default", [*SYSTEM_RULES, *written], TREES, GROUNDS), CATALOGUE)


@settings(max_examples=100, deadline=None)
@given(worlds_of)
def test_a_plan_lets_through_whom_single_decisions_permit(world: tuple[Question, list[Rule], list[PersonState]]):
    question, written, crowd = world
    policy = a_policy(written)
    inquiry = policy.inquiry(question)
    planned = plan(inquiry)
    for person in [None, *crowd]:
        decision = inquiry.decide(person, AT)
        assert plan_says(planned, policy, person, question, AT) == decision.allowed, decision
        if decision.allowed and person is not None:
            # The ways tell by which rule: the first under each law whose condition holds.
            ways = [way for way in planned.ways if condition_says(way.when, policy, person, question, AT)]
            firsts = [next(way for way in ways if law in way.laws) for law in inquiry.laws(person)]
            assert decision.rule == "+".join(dict.fromkeys(way.rule for way in firsts))
            assert decision.obligations == merge(o for way in firsts for o in way.obligations)
            assert {o.type for o in decision.obligations} <= {o.type for o in planned.obligations}


WEAK = Choice("granted", AT - 10, "web", 1, 1, assurance=1)
BOTH = Choice("granted", AT - 5, "web", 1, 1, objected_at=AT - 9)
USED = Use(AT - HOUR, b"", "")
YES = {"marketing.email.news": Choice("granted", AT - 10, "web", 1, 1, assurance=3)}
US, CALIFORNIA, FR = ((Jurisdiction(code, "site", AT),) for code in ("us", "us-ca", "eea"))
CASE, DEAL = Relation("c", "case"), Relation("o", "contract")
NEWS: dict[str, object] = {"purpose": "marketing.email.news", "basis": "consent"}
SIMILAR: dict[str, object] = {"purpose": "marketing.similar", "basis": "legitimate_interest"}
TOLD: dict[str, object] = {"purpose": "marketing.similar", "basis": "notice"}
SUPPORT: dict[str, object] = {"purpose": "support", "basis": "contract"}
NIGHT = Quiet(0, 1_439, "UTC")


def no(status: str, purpose: str = "marketing.similar") -> dict[str, Choice]:
    return {purpose: Choice(status, AT - 5, "web", 1, 1)}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rule", "question", "fine", "spoilt"),
    [
        (NEWS, {}, {"choices": YES}, {"erased_at": AT - 1}),
        (NEWS, {}, {"choices": YES}, {"restricted_at": AT - 5}),
        (NEWS, {}, {"choices": YES, "restricted_at": AT - 20}, {"restricted_at": AT - 10}),
        (NEWS, {}, {"choices": YES}, {"suppressed_until": AT + 1}),
        (NEWS, {}, {"choices": YES}, {"choices": no("refused", "marketing.email.news")}),
        (NEWS, {}, {"choices": YES}, {"directives": {"gpc": Directive(AT - 9, ("sale",))}}),
        (NEWS, {}, {"choices": YES, "jurisdictions": US}, {"minority": Minority(AgeBand(8, 11, "declared", AT - 20))}),
        (NEWS | {"need": "explicit"}, {}, {"choices": YES}, {"choices": {"marketing.email.news": WEAK}}),
        (NEWS | {"action": "erase"}, {"action": "erase"}, {"choices": YES}, {"held": 1}),
        (NEWS | {"jurisdiction": "us"}, {}, {"choices": YES, "jurisdictions": US}, {"jurisdictions": FR + US}),
        (NEWS | {"jurisdiction": "us"}, {}, {"choices": YES, "jurisdictions": US}, {"jurisdictions": ()}),
        (NEWS, {"jurisdiction": "us"}, {"choices": YES}, {"choices": {}}),
        (SIMILAR, {}, {"jurisdictions": FR}, {"restricted_at": AT - 1}),
        (SIMILAR, {}, {"jurisdictions": FR}, {"suppressed_until": AT + 1}),
        (SIMILAR, {}, {"jurisdictions": FR}, {"choices": no("refused")}),
        (SIMILAR, {}, {"jurisdictions": FR}, {"choices": no("objected")}),
        (SIMILAR, {}, {"jurisdictions": FR}, {"choices": {"marketing.similar": BOTH}}),
        (TOLD, {}, {"jurisdictions": US}, {"choices": no("withdrawn")}),
        (TOLD, {}, {"jurisdictions": CALIFORNIA}, {"minority": Minority(AgeBand(8, 11, "declared", AT - 20))}),
        (TOLD, {}, {"jurisdictions": US}, {"jurisdictions": FR}),
        (SUPPORT, {}, {"relations": (DEAL,)}, {"relations": ()}),
        (SUPPORT, {}, {"relations": (DEAL,)}, {"restricted_at": AT - 1}),
        (SUPPORT, {}, {"relations": (DEAL,)}, {"relations": (Relation("o", "contract", ("ledger",)),)}),
        (SUPPORT, {}, {"relations": (DEAL,)}, {"relations": (Relation("o", "contract", (), 0, AT - 1),)}),
        (SUPPORT, {"relation": "o"}, {"relations": (DEAL,)}, {"relations": (Relation("x", "contract"),)}),
        (SUPPORT, {"relation": "o", "case": "c"}, {"relations": (DEAL, CASE)}, {"relations": (CASE,)}),
        (SUPPORT, {"relation": "o", "case": "c"}, {"relations": (DEAL, CASE)}, {"relations": (DEAL,)}),
        (SUPPORT, {"case": "c"}, {"relations": (CASE,)}, {"relations": (Relation("c", "contract"),)}),
        ({"purpose": "survey", "basis": "public_task"}, {}, {"relations": (CASE,)}, {"relations": (DEAL,)}),
        ({"purpose": "ledger", "basis": "legal_obligation"}, {}, {}, {"erased_at": 1}),
        (
            {"purpose": "ledger", "basis": "legal_obligation", "need": "case"},
            {},
            {"relations": (CASE,)},
            {"relations": (DEAL,)},
        ),
        (NEWS, {"channel": "email"}, {"choices": YES}, {"contact": Contact(off={"email": {"marketing": 0}})}),
        (NEWS, {"channel": "post"}, {"choices": YES}, {"contact": Contact(pause_until=AT + 1)}),
        (NEWS, {"channel": "email"}, {"choices": YES}, {"contact": Contact(quiet=(NIGHT,))}),
        (
            NEWS,
            {"channel": "email"},
            {"choices": YES, "contact": Contact(caps={"email": Cap(2, "day")}, uses={"email": (USED,)})},
            {"contact": Contact(caps={"email": Cap(1, "day")}, uses={"email": (USED,)})},
        ),
    ],
)
def test_what_stops_a_decision_stops_the_plan(
    rule: dict[str, object], question: dict[str, object], fine: dict[str, object], spoilt: dict[str, object]
):
    written = Rule(**{"id": "R1", "role": "agent", "action": "use", "category": "any", "effect": "allow"} | rule)  # type: ignore[arg-type]
    policy = a_policy([written])
    asked = a_question(roles=frozenset({"agent"}), purpose=written.purpose, **question)
    found = plan(policy.inquiry(asked))
    for person, permitted in ((PersonState(**fine), True), (PersonState(**fine | spoilt), False)):  # type: ignore[arg-type]
        assert policy.inquiry(asked).decide(person, AT).allowed is permitted
        assert plan_says(found, policy, person, asked, AT) is permitted


def test_a_channel_whose_hour_nobody_chooses_knows_no_quiet_hours():
    policy = a_policy([Rule(id="R1", role="agent", action="use", category="any", **NEWS, effect="allow")])  # type: ignore[arg-type]
    asked = a_question(roles=frozenset({"agent"}), purpose="marketing.email.news", channel="post")
    person = PersonState(choices=YES, contact=Contact(quiet=(NIGHT,)))
    assert policy.inquiry(asked).decide(person, AT).allowed
    assert plan_says(plan(policy.inquiry(asked)), policy, person, asked, AT)


def test_no_plan_outlives_a_deny_or_a_purpose_that_nobody_is_told_of():
    allow = Rule(id="R1", role="agent", action="use", category="any", **NEWS, effect="allow")  # type: ignore[arg-type]
    deny = replace(allow, id="R2", effect="deny", basis="-", jurisdiction="us")
    asked = a_question(roles=frozenset({"agent"}), purpose="marketing.email.news")
    denied = a_policy([allow, deny])
    for codes, permitted in ((US, False), (FR, True)):
        person = PersonState(choices=YES, jurisdictions=codes)
        assert denied.inquiry(asked).decide(person, AT).allowed is permitted
        assert plan_says(plan(denied.inquiry(asked)), denied, person, asked, AT) is permitted
    untold = a_policy([replace(allow, purpose="marketing.untold", basis="notice")])
    found = plan(untold.inquiry(replace(asked, purpose="marketing.untold")))
    assert (found.plan, found.reason) == ("always_denied", "no_consent")


def planned(policy: Policy | None = None, **question: object) -> Plan:
    return plan((policy or worlds.a_policy()).inquiry(a_question(**question)))


def test_a_plan_that_lets_nobody_through_tells_why():
    noted = worlds.a_policy(with_rules(a_rule(obligations="[notify]")))
    for found, why in (
        (planned(action="export"), "no_rule"),
        (planned(category="health", purpose="ads"), "rule_denied"),
        (planned(purpose=None), "purpose_missing"),
        (planned(purpose="marketing"), "purpose_not_leaf"),
        (planned(refused="actor_mismatch"), "actor_mismatch"),
        (planned(noted), "unsupported_obligation"),
    ):
        assert (found.plan, found.condition, found.reason, found.ways) == ("always_denied", NEVER, why, ())
    assert planned(category="contact.emial").nearest == "contact.email"


def test_no_plan_lets_everybody_through():
    # Nothing that anybody says or does stops the answering of a request, but people can be unknown and erased.
    officer = planned(roles=frozenset({"officer"}), action="read", category="any", purpose="dsar")
    assert officer.condition == Is("known")


def test_a_plan_names_every_obligation_that_may_apply_merged():
    two = with_rules(
        a_rule(id="R1", obligations="[mask_last4, log]"), a_rule(id="R2", obligations="[redact]", need="explicit")
    )
    found = planned(worlds.a_policy(two), supported=frozenset({"mask_last4", "redact"}))
    assert [way.rule for way in found.ways] == ["R1", "R2"]
    assert [obligation.type for obligation in found.obligations] == ["redact", "log"]
    one = planned(worlds.a_policy(two), supported=frozenset({"mask_last4"}))
    assert [way.rule for way in one.ways] == ["R1"], "the way whose obligation nobody fulfils is not open"


def test_wishes_about_a_channel_are_conditions_only_where_a_channel_is_named():
    wishes = {Not(Is("channel_off")), Not(Is("paused")), Not(Is("capped")), Not(Is("quiet"))}
    assert wishes <= set(planned(channel="email").condition.of)  # type: ignore[union-attr]
    assert set(planned(channel="post").condition.of) & wishes == wishes - {Not(Is("quiet"))}  # type: ignore[union-attr]
    assert set(planned().condition.of) & wishes == set()  # type: ignore[union-attr]
