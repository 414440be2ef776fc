"""Formats that cannot change: the packed state, the sealed record, the receipt. Golden files in
tests/vectors/consent.
"""

import json
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from audit.jws import Jws
from consent import Change, Choice, Cover, Issuer, Jurisdiction, Payload, PersonState, Relation, Shown, pack, unpack
from consent import record as records
from consent.receipt import ReceiptPress, SignedReceipt, body_of
from tests.consent.purposes import a_catalogue

VECTORS = Path(__file__).parent.parent / "vectors" / "consent"
AT = 1_795_219_200_123_456
RECORD, SUBJECT = bytes(range(16)), bytes(range(16, 32))


class FixedSigner:
    """The kernel's `Signer` over one fixed seed."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(bytes(32))

    def sign(self, tenant: str, use: str, message: bytes) -> bytes:
        return self._key.sign(message)

    def public_key(self, tenant: str, use: str) -> bytes:
        return self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def kid(self, tenant: str, use: str) -> str:
        return "unused"


def a_state() -> PersonState:
    refused = Choice("refused", AT, "web", 3, 2, {}, 3, RECORD, 0, AT)
    granted = Choice("granted", AT + 1, "web", 3, 1, {"a.b": Cover(AT + 1, 2, AT + 9)}, 2, RECORD, AT + 9, 0)
    return PersonState(
        choices={"a": granted, "f": refused},
        restricted_at=AT + 2,
        suppressed_until=AT + 3,
        held=1,
        jurisdictions=(Jurisdiction("de", "declared", AT),),
        relations=(Relation("o-1", "contract", ("support",), AT, AT + 5),),
        denials={"a": refused},
    )


def changes() -> tuple[Change, ...]:
    return (
        Change("f", "refused", 2, objections=("f",)),
        Change("a", "granted", 1, AT + 9, {"a.b": Cover(AT, 2, AT + 9)}),
        Change("a.e", "granted", 1, ignored="late"),
    )


def a_receipt() -> tuple[SignedReceipt, str]:
    shown = Shown("web", 3, "aa" * 32, "en", "bb" * 32, ("a", "f"))
    body = body_of(
        a_catalogue(),
        shown,
        changes(),
        record="cns_" + RECORD.hex(),
        entry="ent_" + SUBJECT.hex(),
        at=AT,
        method="banner",
        assurance="device",
        controller="Tea Ltd, Ireland",
    )
    issuer = Issuer("https://sayso.example", "Tea Ltd, Ireland")
    return ReceiptPress(FixedSigner()).sign("default", issuer, "sub_" + SUBJECT.hex(), AT, body)


def a_payload() -> Payload:
    return Payload(
        v=1,
        at=AT,
        changes=changes(),
        actor="key_" + "01" * 16,
        method="banner",
        assurance="device",
        entry="ent_" + SUBJECT.hex(),
        bundle=RECORD,
        notice="web",
        notice_version=3,
        notice_hash="aa" * 32,
        locale="en",
        text_hash="bb" * 32,
        occurred_at=AT - 5,
        evidence={"agent": "Netscape", "steps": 2, "seen": ["first"]},
        signed=SignedReceipt(bytes(32), b"{}", bytes(64)),
    )


def test_the_state_is_packed_as_ever() -> None:
    golden = bytes.fromhex((VECTORS / "state.hex").read_text())
    assert pack(a_state()) == golden
    assert unpack(golden) == a_state()


def test_a_state_with_fields_of_a_later_time_still_reads() -> None:
    longer = [*msgspec.msgpack.decode(pack(a_state())), "later"]
    assert unpack(msgspec.msgpack.encode(longer)) == a_state()


def test_the_record_is_encoded_as_ever() -> None:
    golden = bytes.fromhex((VECTORS / "record.hex").read_text())
    assert records.encode(a_payload()) == golden
    assert records.decode(golden) == a_payload()


def test_the_receipt_is_printed_as_ever() -> None:
    kept, compact = a_receipt()
    assert compact == (VECTORS / "receipt.jws").read_text().strip()
    assert kept.compact() == compact
    parsed = Jws.parse(compact)
    parsed.verify(parsed.public_key)
    assert parsed.claims == json.loads((VECTORS / "receipt.json").read_text())


def test_the_members_of_a_receipt_stand_in_canonical_order() -> None:
    kept, _ = a_receipt()
    assert kept.claims == msgspec.json.Encoder(order="sorted").encode(json.loads(kept.claims))
