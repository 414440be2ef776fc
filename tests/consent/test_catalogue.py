"""Sections of the manifest, and the catalogue that is published of them."""

import pytest

from consent import (
    Catalogue,
    Choice,
    Notice,
    PersonState,
    Purpose,
    StaleNotice,
    UnknownPurpose,
    parse,
    publish,
)
from consent.choices.recording import acts_on
from sayso.kernel import ManifestError, Problem, load
from tests.consent.conftest import MANIFEST


def catalogue_of(
    text: str, purposes: tuple[Purpose, ...] = (), notices: tuple[Notice, ...] = (), at: int = 1
) -> Catalogue:
    return publish(parse(load([("tea.yaml", text.encode())])), purposes, notices, at).catalogue


def problems_of(text: str) -> list[Problem]:
    with pytest.raises(ManifestError) as refused:
        parse(load([("tea.yaml", text.encode())]))
    return refused.value.problems


@pytest.mark.parametrize(
    ("text", "line", "message", "nearest"),
    [
        ("purposes:\n  ads: {legal_basis: consnet}", 2, "legal basis", "consent"),
        ("purposes:\n  ads: {legal_basis: {cn: legitimate_interest}}", 2, "knows no basis", None),
        ("purposes:\n  ads: {legal_basis: {us-caa: consent}}", 2, "jurisdiction", "us-ca"),
        (
            "categories: [contact.email]\npurposes:\n  ads: {categories: [contact.emial]}",
            3,
            "category",
            "contact.email",
        ),
        ("purposes:\n  ads:\n    titel: {en: Ads}", 3, "member", "title"),
        ("purposes:\n  ads: {expires_after: 24 months}", 2, "duration", None),
        ("purposes:\n  ads: {direct_marketing: yes}", 2, "true or false", None),
        ("purposes:\n  any: {}", 2, "kept for Sayso", None),
        ("purposes:\n  dsar.more: {}", 2, "kept for Sayso", None),
        ("purposes:\n  Ads: {}", 2, "lower-case", None),
        ("purposes:\n  ads..more: {}", 2, "lower-case", None),
        ("purposes: [ads]", 1, "mapping", None),
        ("purposes:\n  ads: {}\nnotices:\n  web: {version: 1, purposes: [asd], text: {en: Hi}}", 4, "purpose", "ads"),
        ("purposes:\n  ads: {}\nnotices:\n  web: {version: 0, purposes: [ads], text: {en: Hi}}", 4, "version", None),
        ("purposes:\n  ads: {}\nnotices:\n  web: {version: 1, purposes: [ads]}", 4, "no text", None),
        ("purposes:\n  ads: {}\nnotices:\n  web: {version: 1, purposes: [ads, ads], text: {en: Hi}}", 4, "twice", None),
        ("purposes:\n  ads: {title: {e_n: Ads}}", 2, "locale", None),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_the_nearest_name(
    text: str, line: int, message: str, nearest: str | None
) -> None:
    (problem,) = problems_of(text)
    assert (problem.line, problem.nearest) == (line, nearest)
    assert message in problem.message


def test_everything_wrong_is_told_at_once() -> None:
    assert len(problems_of("purposes:\n  ads: {legal_basis: x}\n  B: {}\nnotices:\n  w: {version: x}")) == 3


def test_parents_exist_with_their_children() -> None:
    catalogue = catalogue_of(MANIFEST)
    assert catalogue.purposes["marketing"].implied
    assert catalogue.below("marketing") == ("marketing.email", "marketing.similar")
    assert catalogue.ancestors("marketing.email") == ("marketing",)
    assert catalogue.leaf("marketing.email")
    assert not catalogue.leaf("marketing")
    assert "contact" in catalogue.categories
    with pytest.raises(UnknownPurpose):
        catalogue.purpose("marketing.sms")


def test_all_means_every_purpose_that_a_no_can_block_and_every_one_chosen() -> None:
    catalogue = catalogue_of(MANIFEST)
    assert set(acts_on(catalogue, PersonState(), "all", "withdrawn")) == {
        "ads",
        "marketing",
        "marketing.email",
        "marketing.similar",
    }
    chosen = PersonState(
        choices={"support": Choice("granted", 1), "gone": Choice("granted", 1), "x": Choice("unasked")}
    )
    assert set(acts_on(catalogue, chosen, "all", "withdrawn")) >= {"support", "gone"}
    assert "x" not in acts_on(catalogue, chosen, "all", "withdrawn")


def test_a_purpose_that_was_left_out_goes_on_counting_when_it_comes_back() -> None:
    declared = parse(load([("tea.yaml", MANIFEST.encode())]))
    first = publish(declared, (), (), 1)
    without = publish(parse(load([])), first.purposes, first.notices, 2)
    assert "ads" not in without.catalogue.purposes
    assert without.catalogue.notices == {}
    assert publish(declared, first.purposes, first.notices, 3).catalogue.version("ads") == 1


def test_a_notice_never_goes_back_or_changes() -> None:
    declared = parse(load([("tea.yaml", MANIFEST.encode())]))
    first = publish(declared, (), (), 1)
    second = parse(load([("tea.yaml", MANIFEST.replace("version: 1", "version: 2").encode())]))
    newer = publish(second, first.purposes, first.notices, 2)
    assert newer.catalogue.notice("web").version == 2
    assert newer.catalogue.older("web", 1) == first.notices[0]
    for changed in (MANIFEST, MANIFEST.replace("只有", "只要").replace("version: 1", "version: 2")):
        with pytest.raises(ManifestError):
            publish(parse(load([("t", changed.encode())])), first.purposes, (*first.notices, *newer.notices), 3)


def test_what_was_shown_is_hashed_per_language() -> None:
    catalogue = catalogue_of(MANIFEST)
    notice = catalogue.notice("web")
    english, chinese = (catalogue.shown("web", 1, locale, granting=True) for locale in ("en-GB", "zh-CN"))
    assert (english.locale, chinese.locale) == ("en", "zh-CN")
    assert english.hash == chinese.hash == notice.hash()
    assert english.text_hash != chinese.text_hash
    with pytest.raises(StaleNotice):
        catalogue.shown("web", 2, "en", granting=True)
    assert catalogue.shown("web", 2, "tlh", granting=False).hash == ""


def test_a_catalogue_of_another_time_has_the_versions_of_that_time() -> None:
    declared = parse(load([("tea.yaml", MANIFEST.encode())]))
    first = publish(declared, (), (), 10)
    more = MANIFEST.replace("categories: [behaviour]}", "categories: [behaviour, contact.email]}")
    shared = parse(load([("tea.yaml", more.encode())]))
    second = publish(shared, first.purposes, first.notices, 20).catalogue
    assert second.version("ads") == 2
    assert second.at(15).version("ads") == 1
    assert second.at(20).version("ads") == 2


def test_a_declared_basis_counts_only_where_the_law_knows_it() -> None:
    catalogue = catalogue_of(
        "purposes:\n  ads: {legal_basis: legitimate_interest}\n  care: {legal_basis: {eea: contract}}"
    )
    assert [catalogue.basis("ads", code) for code in ("de", "cn", "any", "us")] == [
        "legitimate_interest",
        "consent",
        "consent",
        "consent",
    ]
    assert [catalogue.declared_basis("care", code) for code in ("fr", "cn")] == ["contract", None]
    assert catalogue.basis("care", "cn") == "consent"
