"""The leaf, its commitments and tags: final formats, held by golden files and by a second implementation."""

import base64
import hmac
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from audit import AuditEvent, LeafRefused, UndeclaredEvent, declare, declared, leaf_hash
from audit.leaf.commitment import OpeningInvalid, actor_r, commit, split_opening, standing_name, tag, verify_opening
from audit.leaf.encoding import check, decode_leaf, encode_detail, encode_leaf, encode_subject
from audit.leaf.entry import Commitments, Leaf, Tags

VECTORS = Path(__file__).parent.parent / "vectors" / "audit"
CHANGED = declare("tests.thing.changed", "name", "version")


def a_leaf(**changes: Any) -> Leaf:
    fields: dict[str, Any] = {
        "actor_class": "service",
        "c": Commitments(bytes(range(32)), UNSET, bytes(range(32, 64))),
        "id": "ent_" + "0199" * 8,
        "n": bytes(16),
        "org": "default",
        "out": "permit",
        "pol": UNSET,
        "res": {"version": "3", "name": "marketing.email"},
        "src": "n1",
        "t": Tags(UNSET, bytes(range(16))),
        "ts": 1_795_305_134_359_522,
        "type": CHANGED,
        "v": 1,
    }
    return Leaf(**(fields | changes))


def vectors(name: str) -> list[dict[str, Any]]:
    return json.loads((VECTORS / name).read_text())


@pytest.mark.parametrize("vector", vectors("leaf.json"), ids=lambda vector: vector["name"])
def test_leaves_are_the_golden_ones(vector: dict[str, Any]) -> None:
    leaf = decode_leaf(vector["leaf"].encode())
    assert encode_leaf(leaf).decode() == vector["leaf"]
    assert leaf_hash(vector["leaf"].encode()).hex() == vector["leaf_hash"]


@pytest.mark.parametrize("vector", vectors("commitment.json"), ids=lambda vector: vector["name"])
def test_commitments_and_tags_are_the_golden_ones(vector: dict[str, Any]) -> None:
    r, entry, payload = bytes.fromhex(vector["r"]), bytes.fromhex(vector["entry"]), vector["payload"].encode()
    compartment = vector["compartment"].encode()
    assert commit(r, compartment, entry, payload).hex() == vector["commitment"]
    message = b"sayso.audit.commitment.v1\0" + compartment + entry + payload
    assert hmac.digest(r, message, "sha256").hex() == vector["commitment"]
    key, nonce = bytes.fromhex(vector["tag_key"]), bytes.fromhex(vector["n"])
    assert tag(key, nonce).hex() == hmac.digest(key, nonce, "sha256")[:16].hex() == vector["tag"]


@pytest.mark.parametrize("vector", vectors("actor.json"), ids=lambda vector: vector["payload"])
def test_an_actors_derived_opening_is_the_golden_one(vector: dict[str, Any]) -> None:
    secret, entry = bytes.fromhex(vector["secret"]), bytes.fromhex(vector["entry"])
    assert actor_r(secret, entry).hex() == vector["r"]
    assert standing_name(secret, vector["payload"].encode()).hex() == vector["standing"]


names = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="@"), max_size=40).filter(
    lambda text: "sub_" not in text
)


@given(
    st.dictionaries(st.sampled_from(["name", "version"]), names),
    st.integers(0, 2**53 - 1),
    st.binary(min_size=16, max_size=16),
)
def test_leaf_bytes_are_canonical_json(res: dict[str, str], ts: int, nonce: bytes) -> None:
    """RFC 8785 on our subset: sorted keys, no spaces, shortest escapes, integers as they are."""
    raw = encode_leaf(a_leaf(res=res, ts=ts, n=nonce))
    parsed = json.loads(raw)
    assert json.dumps(parsed, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() == raw
    assert sha256(b"\x00" + raw).digest() == leaf_hash(raw)
    assert base64.b64decode(parsed["n"], validate=True) == nonce
    check(AuditEvent(CHANGED, "ok", res))


def test_a_leaf_names_no_one() -> None:
    members = {field.encode_name for field in msgspec.structs.fields(Leaf)}
    assert members == {"actor_class", "c", "id", "n", "org", "out", "pol", "res", "src", "t", "ts", "type", "v"}
    for struct in (Leaf, Commitments, Tags):
        names = [field.encode_name for field in msgspec.structs.fields(struct)]
        assert names == sorted(names)


@pytest.mark.parametrize("ts", [-1, 2**53, 2**63])
def test_a_time_beyond_exact_json_numbers_is_refused(ts: int) -> None:
    with pytest.raises(LeafRefused):
        encode_leaf(a_leaf(ts=ts))


def test_a_leaf_beyond_16_kib_is_refused() -> None:
    with pytest.raises(LeafRefused):
        encode_leaf(a_leaf(res={"name": "x" * 17_000}))
    with pytest.raises(LeafRefused):
        encode_detail(CHANGED, {"list": "x" * 300_000})


@pytest.mark.parametrize(
    "value",
    ["ann@example.com", "sub_" + "0" * 32, "Zoë", "two\nlines", "x" * 201, 7, 1.5, None, True, ["a"], {"a": "b"}],
    ids=str,
)
def test_what_could_be_a_person_or_no_name_never_reaches_a_leaf(value: Any) -> None:
    event = AuditEvent(CHANGED, "ok", {"name": value})
    for _ in range(2):
        with pytest.raises(LeafRefused):
            check(event)


def test_only_declared_types_and_members_are_taken() -> None:
    check(AuditEvent(CHANGED, "ok", {"name": "a"}))
    for event in (AuditEvent("tests.thing.forgotten", "ok"), AuditEvent(CHANGED, "ok", {"colour": "red"})):
        with pytest.raises(UndeclaredEvent):
            check(event)
    with pytest.raises(LeafRefused):
        check(AuditEvent(CHANGED, "maybe"))  # type: ignore[arg-type]
    assert declared()[CHANGED] == {"name", "version"}


@pytest.mark.parametrize(
    "name", ["single", "Upper.case", "a..b", "a.b.", "a.b.c.d.e", "external.shop.opened", "a b.c", ""]
)
def test_a_type_is_package_thing_participle(name: str) -> None:
    with pytest.raises(UndeclaredEvent):
        declare(name)


def test_a_type_is_declared_one_way() -> None:
    declare(CHANGED, "version", "name")
    with pytest.raises(UndeclaredEvent):
        declare(CHANGED, "name")


@given(
    st.binary(min_size=32, max_size=32),
    st.sampled_from([b"a", b"d", b"s"]),
    st.binary(min_size=16, max_size=16),
    st.binary(),
)
def test_an_opening_fits_its_own_entry_and_compartment_only(
    r: bytes, compartment: bytes, entry: bytes, payload: bytes
) -> None:
    commitment = commit(r, compartment, entry, payload)
    verify_opening(commitment, r, compartment, entry, payload)
    assert split_opening(r + payload) == (r, payload)
    other = b"d" if compartment != b"d" else b"s"
    moved = bytes([entry[0] ^ 1]) + entry[1:]
    for wrong in (
        (r, other, entry, payload),
        (r, compartment, moved, payload),
        (r, compartment, entry, payload + b"\0"),
        (r[:31], compartment, entry, payload),
        (r + b"\0", compartment, entry, payload),
    ):
        with pytest.raises(OpeningInvalid):
            verify_opening(commitment, *wrong)


def test_the_subject_payload_is_fixed() -> None:
    assert encode_subject(bytes(range(16))) == b'{"subject":"sub_000102030405060708090a0b0c0d0e0f"}'
