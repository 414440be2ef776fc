"""Evidence is flat, small, and never a whole address."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.choices.evidence import LIMIT, check_evidence
from sayso.kernel import Invalid, TooLarge


@given(st.ip_addresses())
def test_an_address_is_taken_as_its_network_only(address: object) -> None:
    parsed = ip_address(str(address))
    for prefix in range(parsed.max_prefixlen + 1):
        network = str(ip_network((parsed, prefix), strict=False))
        if prefix <= (24 if parsed.version == 4 else 48):
            check_evidence({"address": network})
        else:
            with pytest.raises(Invalid):
                check_evidence({"address": network})
    with pytest.raises(Invalid):
        check_evidence({"address": str(parsed)})


@given(st.dictionaries(st.text(max_size=70), st.text(max_size=99) | st.integers(-9, 9) | st.booleans(), max_size=40))
def test_whatever_is_taken_is_small_and_has_plain_names(evidence: dict[str, str | int | bool]) -> None:
    refused: Invalid | TooLarge | None = None
    try:
        check_evidence(dict(evidence))
    except (Invalid, TooLarge) as error:
        refused = error
    if refused is not None:
        # Nothing of what was sent is repeated but the name of a known member.
        assert set(refused.facts) <= {"member", "limit"}
    else:
        assert len(evidence) <= 32
        assert all(name.isascii() and name == name.lower() for name in evidence)


def test_sizes_are_bounded() -> None:
    check_evidence({"a": "x" * (LIMIT - 10)})
    for large in ({"a": "x" * LIMIT}, {"a": ["x"] * 33}, {f"a{number}": 1 for number in range(33)}):
        with pytest.raises(TooLarge):
            check_evidence(large)  # type: ignore[arg-type]
    for wrong in ({"steps_shown": True}, {"steps_shown": 1_001}, {"user_agent": ""}, {"a": [1]}, {"a": {"b": 1}}):
        with pytest.raises(Invalid):
            check_evidence(wrong)  # type: ignore[arg-type]
