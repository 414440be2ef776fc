"""What a manifest publishes: versions for what people agreed to, revisions for words, and notices that go from draft to
reviewed to published and never back.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from consent import (
    Declarations,
    Notice,
    Publication,
    Purpose,
    Staged,
    Transfer,
    parse,
    publish,
)
from consent.catalogue.materiality import widened
from sayso.kernel import ManifestError, load
from tests.consent.conftest import MANIFEST
from tests.consent.purposes import a_purpose


def declared(text: str = MANIFEST) -> Declarations:
    return parse(load([("tea.yaml", text.encode())]))


def notice(version: int, *members: str, words: str = "Hello.") -> str:
    rest = "".join(f", {member}" for member in members)
    return (
        "purposes: {ads: {}, news: {}, more.one: {}, more.two: {}}\nnotices:\n"
        f"  web: {{version: {version}, purposes: [ads, news, more], text: {{en: {words}}}{rest}}}\n"
    )


class History:
    """A brand's manifests, one after the other."""

    def __init__(self) -> None:
        self.at = 0
        self.purposes: list[Purpose] = []
        self.notices: list[Notice] = []
        self.stages: dict[tuple[str, int], Staged] = {}

    def apply(self, text: str) -> Publication:
        self.at += 1
        found = publish(declared(text), self.purposes, self.notices, self.at, self.stages.values())
        self.purposes += found.purposes
        self.notices += found.notices
        for each in found.staged:
            assert each.status in ("draft", "reviewed")
            self.stages[each.name, each.version] = Staged(each.name, each.version, each.status, each.hash())
        return found

    def refused(self, text: str) -> str:
        with pytest.raises(ManifestError) as refused:
            self.apply(text)
        return str(refused.value)


# purposes


def test_a_manifest_applied_again_publishes_nothing() -> None:
    history = History()
    assert {(each.version, each.revision) for each in history.apply(MANIFEST).purposes} == {(1, 0)}
    again = history.apply(MANIFEST)
    assert (again.purposes, again.notices, again.causes, again.doubts) == ((), (), {}, ())


def test_words_are_revisions_and_ask_nobody() -> None:
    history = History()
    history.apply(MANIFEST)
    found = history.apply(MANIFEST.replace("Advertising", "Adverts").replace("P24M", "P6M"))
    assert [(each.name, each.version, each.revision) for each in found.purposes] == [
        ("ads", 1, 1),
        ("marketing.email", 1, 1),
    ]
    assert found.causes == {}
    assert {each.published_at for each in found.purposes} == {1}
    back = history.apply(MANIFEST)
    assert [(each.version, each.revision) for each in back.purposes] == [(1, 2), (1, 2)]


def test_more_than_people_agreed_to_is_a_version_and_less_is_not() -> None:
    history = History()
    history.apply(MANIFEST)
    more = history.apply(MANIFEST.replace("[behaviour]}", "[behaviour, contact.phone]}"))
    assert [(each.name, each.version, each.revision, each.published_at) for each in more.purposes] == [("ads", 2, 0, 2)]
    assert more.causes == {"ads": ("categories",)}
    less = history.apply(MANIFEST)
    assert [(each.version, each.revision) for each in less.purposes] == [(2, 1)]
    again = history.apply(MANIFEST.replace("[behaviour]}", "[behaviour, contact.phone]}"))
    assert [(each.version, each.revision) for each in again.purposes] == [(3, 0)]


BASE = a_purpose(
    "ads",
    dpv="Marketing",
    categories=("behaviour",),
    sources={"behaviour": "first_party"},
    recipients=("adco",),
    parties={"adco": "processor de"},
    transfers=(Transfer("us", "adequacy", "adco"),),
    channels=("email",),
    retention="P1Y",
    device_storage="strictly_necessary",
    legal_basis={"eea": "consent", "us": "notice"},
)


@pytest.mark.parametrize(
    ("member", "change"),
    [
        ("dpv", {"dpv": "TargetedAdvertising"}),
        ("categories", {"categories": ("behaviour", "contact.email")}),
        ("sources", {"sources": {"behaviour": "third_party"}}),
        ("recipients", {"recipients": ("adco", "datamart"), "parties": {"adco": "processor de", "datamart": "x"}}),
        ("recipients", {"parties": {"adco": "third_party de"}}),
        ("recipients", {"parties": {"adco": "processor us"}}),
        ("transfers", {"transfers": (Transfer("in", "standard_clauses"), Transfer("us", "adequacy", "adco"))}),
        ("legal_basis", {"legal_basis": "legitimate_interest"}),
        ("channels", {"channels": ("email", "sms")}),
        ("retention", {"retention": "P2Y"}),
        ("retention", {"retention": None}),
        ("device_storage", {"device_storage": "consent"}),
        ("sensitive", {"sensitive": True}),
        ("separate_consent", {"separate_consent": "third_party"}),
        ("direct_marketing", {"direct_marketing": True}),
    ],
)
def test_each_of_these_asks_people_again(member: str, change: dict[str, object]) -> None:
    assert widened(BASE, replace(BASE, **change)) == (member,)


@pytest.mark.parametrize(
    "change",
    [
        {"title": {"en": "Other words"}, "description": {"en": "More words"}, "justification": {"en": "Why"}},
        {"expires_after": "P1M", "refusal_valid_for": "P2Y", "double_opt_in": True, "required_for_service": True},
        {"categories": (), "sources": {}},
        {"sources": {"behaviour": "zero_party"}},
        {"recipients": (), "parties": {}, "transfers": ()},
        {"transfers": (Transfer("us", "standard_clauses", "adco"),)},
        {"legal_basis": "consent"},
        {"channels": ()},
        {"retention": "P6M"},
        {"device_storage": None},
        {"storage_locations": ("de",)},
    ],
)
def test_none_of_these_does(change: dict[str, object]) -> None:
    assert widened(BASE, replace(BASE, **change)) == ()


def test_describing_for_the_first_time_what_was_always_so_asks_nobody() -> None:
    told = replace(a_purpose("ads"), dpv="Marketing", channels=("email",), retention="P1Y")
    assert widened(a_purpose("ads"), told) == ()


names = st.sets(st.sampled_from(["a", "b", "c", "d"]))


@given(names, names, names)
def test_growing_twice_is_never_hidden_by_growing_in_steps(one: set[str], two: set[str], three: set[str]) -> None:
    """Whoever agreed to the first is asked again on the way if the last has anything that the first had not."""
    first, middle, last = (a_purpose("p", categories=tuple(sorted(each))) for each in (one, two, three))
    if widened(first, last):
        assert widened(first, middle) or widened(middle, last)


# notices


def test_a_draft_is_kept_and_not_asked_on() -> None:
    history = History()
    history.apply(notice(1))
    found = history.apply(notice(2, "status: draft", words="New."))
    assert [(each.version, each.status) for each in found.staged] == [(2, "draft")]
    assert found.notices == ()
    assert found.catalogue.notice("web").version == 1
    assert found.catalogue.drafts["web"].version == 2
    assert found.catalogue.older("web", 2) is None
    assert history.apply(notice(2, "status: draft", words="New.")).staged == ()
    assert len(history.apply(notice(2, "status: draft", words="Newer.")).staged) == 1


def test_a_draft_is_published_as_it_was_reviewed() -> None:
    history = History()
    history.apply(notice(1, "status: draft"))
    assert "reviewed first" in history.refused(notice(1))
    history.apply(notice(1, "status: reviewed"))
    assert "not what was reviewed" in history.refused(notice(1, words="Hullo."))
    assert [each.version for each in history.apply(notice(1)).notices] == [1]
    assert "never changes" in history.refused(notice(1, words="Hullo."))
    assert "higher number" in history.refused(notice(1, "status: draft"))
    assert "behind it" in (history.apply(notice(2, "material: false")), history.refused(notice(1)))[1]


def test_what_was_reviewed_can_become_a_draft_again() -> None:
    history = History()
    history.apply(notice(1, "status: reviewed"))
    history.apply(notice(1, "status: draft", words="Hullo."))
    assert "draft" in history.refused(notice(1, words="Hullo."))
    history.apply(notice(1, "status: reviewed", words="Hullo."))
    assert history.apply(notice(1, words="Hullo.")).catalogue.notice("web").text == {"en": "Hullo."}


def test_a_material_notice_asks_about_all_its_purposes_or_about_those_it_names() -> None:
    history = History()
    history.apply(notice(1))
    found = history.apply(notice(2, "material: [ads]"))
    assert found.causes == {"ads": ("web 2",)}
    assert [(each.name, each.version) for each in found.purposes] == [("ads", 2)]
    found = history.apply(notice(3, "material: true"))
    assert found.causes.keys() == {"ads", "news", "more.one", "more.two"}
    assert history.apply(notice(3, "material: true")).causes == {}


def test_a_first_version_asks_nobody_again_and_an_undecided_one_is_doubted() -> None:
    history = History()
    assert history.apply(notice(1, "material: true")).causes == {}
    found = history.apply(notice(2))
    assert "'material'" in found.doubts[0].message
    assert found.causes == {}
    assert history.apply(notice(2)).doubts == ()
    assert history.apply(notice(3, "material: false")).doubts == ()


def test_a_draft_raises_no_version_before_it_is_published() -> None:
    history = History()
    history.apply(notice(1))
    assert history.apply(notice(2, "status: draft", "material: true")).causes == {}
    assert history.apply(notice(2, "status: reviewed", "material: true")).causes == {}
    assert len(history.apply(notice(2, "material: true")).causes) == 4


def test_the_hash_covers_all_that_is_shown_and_decided() -> None:
    plain = declared(notice(1)).notices["web"]
    others = [
        notice(1, words="Hullo."),
        notice(1, "material: false"),
        notice(1, "material: true"),
        notice(1, "title: {en: T}"),
        notice(1, "risks: {en: R}"),
        notice(1, "complaints: {en: R}"),
        notice(1, "steps: {accept: 1, refuse: 1, withdraw: 1}"),
        notice(2),
    ]
    hashes = {plain.hash(), *(declared(text).notices["web"].hash() for text in others)}
    assert len(hashes) == len(others) + 1
    assert declared(notice(1, "status: draft")).notices["web"].hash() == plain.hash()
    told = declared(notice(1, "risks: {en: R}")).notices["web"]
    assert told.text_hash("en") != plain.text_hash("en")
