"""Fields of few values get no index; normalisers stay what their version says."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from sayso.kernel import ManifestError
from tests.builders.vault import a_manifest
from vault import NORMALISERS, InvalidValue, canonical

FILE = Path(__file__).parents[1] / "vectors" / "vault" / "normalisers.json"
VECTORS: list[dict[str, Any]] = json.loads(FILE.read_text("utf-8"))
INDEXED = {"email", "phone", "customer_id", "device", "name", "cn_resident_id", "iban", "card"}


@pytest.mark.parametrize("kind", NORMALISERS)
def test_an_index_of_few_values_is_refused_with_how_few(kind: str) -> None:
    text = f"customers:\n  fields:\n    x: {{type: {kind}, category: contact, index: [exact]}}"
    if kind in INDEXED:
        assert a_manifest(text)["customers"].fields["x"].indexes == ("exact",)
        return
    with pytest.raises(ManifestError) as caught:
        a_manifest(text)
    (problem,) = caught.value.problems
    assert problem.line == 4
    assert "not to be indexed" in problem.message
    assert kind == "text" or f"about {2 ** NORMALISERS[kind].bits:,} values" in problem.message


def test_the_vectors_are_those_that_were_released() -> None:
    assert sha256(FILE.read_bytes()).hexdigest() == "463756bc99694022fd0788d4d22d0fb87203a3d053855e9ca1fb37f74c5e73fb"
    assert {case["kind"] for case in VECTORS} == set(NORMALISERS)


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: f"{case['kind']}-{case['version']}")
def test_a_normaliser_of_one_version_gives_one_form_for_ever(case: dict[str, Any]) -> None:
    assert NORMALISERS[case["kind"]].version == case["version"]
    assert canonical(case["kind"], case["value"], case["region"]) == case["canonical"]


@pytest.mark.parametrize(
    ("code", "region"), [("1000", "DE"), ("ABCDE", None), ("12345678901", None), ("SW1A", "GB"), ("1", None)]
)
def test_what_is_no_post_code_is_refused(code: str, region: str | None) -> None:
    with pytest.raises(InvalidValue):
        canonical("postcode", code, region)
