"""What a declared system may be told a person by."""

import pytest

from rights import parse_systems
from sayso.kernel import ManifestError, load
from tests.builders.vault import a_manifest


@pytest.mark.parametrize("held_back", ["guard: second_person", "token: {uses: 1}"])
def test_no_system_is_handed_what_is_held_back(held_back: str) -> None:
    collections = a_manifest(
        "customers:\n  fields:\n    email: {type: email, category: contact.email}\n"
        f"    phone: {{type: phone, category: contact.phone, {held_back}}}"
    )
    text = "systems: {{crm: {{connector: manual, holds: [contact], identify: {{a: customers.{0}}}}}}}"

    def parsed(field: str) -> object:
        return parse_systems(load([("m.yaml", text.format(field).encode())]).get("systems"), ["contact"], collections)

    assert parsed("email")
    with pytest.raises(ManifestError, match="guard or limited tokens"):
        parsed("phone")
