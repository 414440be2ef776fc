"""The manifest's section `collections`: what it may say, and how it is told what is wrong."""

import pytest

from sayso.kernel import ManifestError
from tests.builders.vault import a_manifest
from vault import Collection, Field, UnknownField, parse

CONTRACT = """
customers:
  fields:
    email: {type: email, category: contact.email, index: [exact]}
    phone: {type: phone, category: contact.phone}
"""


def test_the_smallest_manifest_is_understood() -> None:
    assert a_manifest(CONTRACT) == {
        "customers": Collection(
            "customers",
            {
                "email": Field("email", "email", "contact.email", ("exact",)),
                "phone": Field("phone", "phone", "contact.phone"),
            },
        )
    }


def test_all_members_are_understood() -> None:
    text = (
        "a:\n  fields:\n    p: {type: phone, category: contact, region: CN, retention: invoices, pad: 4096, index: []}"
    )
    assert a_manifest(text)["a"].fields["p"] == Field("p", "phone", "contact", (), "invoices", 4096, "CN")


def test_no_section_is_no_collections() -> None:
    assert parse(None, ()) == {}


@pytest.mark.parametrize(
    ("field", "message", "nearest"),
    [
        ("{type: e-mail, category: contact}", "no type 'e-mail'", "email"),
        ("{type: email, category: contact.emial}", "'contact.emial' is not declared", "contact.email"),
        ("{type: email}", "needs a category", None),
        ("{category: contact}", "needs a type", None),
        ("{type: [email], category: contact}", "type is a name", None),
        ("{type: email, category: contact, idx: [exact]}", "no member 'idx'", "index"),
        ("{type: email, category: contact, indx: [exact]}", "no member 'indx'", "index"),
        ("{type: email, category: contact, index: exact}", "index is a list", None),
        ("{type: email, category: contact, index: [exakt]}", "no index 'exakt'", "exact"),
        ("{type: email, category: contact, index: [exact, exact]}", "named twice", None),
        ("{type: boolean, category: contact, index: [exact]}", "not to be indexed", None),
        ("{type: choice, category: contact, index: [exact]}", "not to be indexed", None),
        ("{type: year, category: contact, index: [exact]}", "not to be indexed", None),
        ("{type: date, category: contact, index: [exact]}", "not to be indexed", None),
        ("{type: email, category: contact, pad: 33}", "pad is a multiple", None),
        ("{type: email, category: contact, pad: 0}", "pad is a multiple", None),
        ("{type: email, category: contact, pad: 8192}", "pad is a multiple", None),
        ("{type: email, category: contact, pad: true}", "pad is a multiple", None),
        ("{type: email, category: contact, retention: log}", "log and proof are taken", None),
        ("{type: email, category: contact, retention: proof}", "log and proof are taken", None),
        ("{type: email, category: contact, retention: Up}", "in lower case", None),
        ("{type: email, category: contact, region: CN}", "region is", None),
        ("{type: phone, category: contact, region: cn}", "region is", None),
        ("email", "must be a mapping", None),
    ],
)
def test_a_mistake_is_named_with_its_line(field: str, message: str, nearest: str | None) -> None:
    with pytest.raises(ManifestError) as caught:
        a_manifest(f"customers:\n  fields:\n    good: {{type: email, category: contact}}\n    bad: {field}")
    (problem,) = caught.value.problems
    assert message in problem.message
    assert problem.nearest == nearest
    assert (problem.file, problem.line) == ("manifest.yaml", 5)


@pytest.mark.parametrize(
    "text", ["a: {}", "a: [x]", "a: {fields: [x]}", "a: {fields: x}", "A: {fields: {}}", "a.b: {fields: {}}"]
)
def test_what_is_no_collection_is_refused(text: str) -> None:
    with pytest.raises(ManifestError):
        a_manifest(text)


def test_every_mistake_is_found_at_once() -> None:
    with pytest.raises(ManifestError) as caught:
        a_manifest("a:\n  fields:\n    x: {type: nope, category: nope}\n    Y: {type: email, category: contact}\nb: {}")
    assert [problem.line for problem in caught.value.problems] == [4, 4, 5, 6]


def test_an_unknown_field_is_refused_with_the_nearest() -> None:
    with pytest.raises(UnknownField) as caught:
        a_manifest(CONTRACT)["customers"].field("emial")
    assert caught.value.facts["nearest"] == "email"
