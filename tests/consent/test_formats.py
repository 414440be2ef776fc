"""Formats that cannot change: the packed state, the sealed record, the receipt. Golden files in
tests/vectors/consent.
"""

import json
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from audit.jws import Jws
from consent import (
    AgeBand,
    Change,
    Choice,
    Cover,
    Guardian,
    Issuer,
    Jurisdiction,
    Minority,
    Payload,
    PersonState,
    Relation,
    Shown,
    Waiting,
    pack,
    read_receipt,
    unpack,
)
from consent.choices import record as records
from consent.receipts.receipt import ReceiptPress, SignedReceipt, Told
from tests.consent.purposes import a_catalogue

VECTORS = Path(__file__).parent.parent / "vectors" / "consent"
AT = 1_795_219_200_123_456
RECORD, SUBJECT = bytes(range(16)), bytes(range(16, 32))


class FixedSigner:
    """The kernel's `Signer` over one fixed seed, as far as receipts need it."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(bytes(32))
        self.public = self._key.public_key().public_bytes_raw()

    def current(self, tenant: str, use: str) -> "FixedSigner":
        return self

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


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


def an_act() -> Told:
    shown = Shown("web", 3, "aa" * 32, "en", "bb" * 32, ("a", "f"))
    return Told(
        "cns_" + RECORD.hex(),
        "ent_" + SUBJECT.hex(),
        "sub_" + SUBJECT.hex(),
        AT,
        AT - 5,
        "banner",
        "device",
        shown,
        changes(),
        PersonState(jurisdictions=(Jurisdiction("de", "declared", AT),)),
    )


def a_receipt(press: ReceiptPress) -> tuple[SignedReceipt, str]:
    issuer = Issuer("https://sayso.example", "Tea Ltd, Ireland")
    return press.press("default", issuer, a_catalogue(), an_act())


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
        signed=SignedReceipt(bytes(32), ((b"{}", (bytes(16),)),), bytes(64)),
    )


def a_whole_state() -> PersonState:
    """With what was appended to the layout since."""
    covers = {"a.b": Cover(AT + 6, 2, AT + 9)}
    waiting = Waiting(RECORD, AT + 6, AT + 5, "web", 3, 1, covers, 0, AT + 7, SUBJECT)
    guardian = Guardian(SUBJECT, "document", "shop", AT)
    minority = Minority(AgeBand(13, 16, "declared", AT), (guardian,), {AT + 1: SUBJECT}, AT + 8)
    relation = Relation("o-1", "contract", ("support",), AT, AT + 5, "shop")
    return replace(a_state(), relations=(relation,), waiting={"a.e": waiting}, minority=minority, unsure_at=AT + 2)


def test_a_state_of_the_first_layout_still_reads() -> None:
    assert unpack(bytes.fromhex((VECTORS / "state.hex").read_text())) == a_state()


def test_the_state_is_packed_as_ever() -> None:
    golden = bytes.fromhex((VECTORS / "state-whole.hex").read_text())
    assert pack(a_whole_state()) == golden
    assert unpack(golden) == a_whole_state()


def test_a_state_with_fields_of_a_later_time_still_reads() -> None:
    longer = [*msgspec.msgpack.decode(pack(a_state())), "later"]
    assert unpack(msgspec.msgpack.encode(longer)) == a_state()


def test_the_record_is_encoded_as_ever() -> None:
    golden = bytes.fromhex((VECTORS / "record.hex").read_text())
    assert records.encode(a_payload()) == golden
    assert records.decode(golden) == a_payload()


def test_the_receipt_is_printed_as_ever() -> None:
    kept, compact = a_receipt(ReceiptPress(FixedSigner()))
    assert compact == (VECTORS / "receipt.jws").read_text().strip()
    parsed = Jws.parse(compact)
    parsed.verify(parsed.public_key)
    assert parsed.claims == json.loads((VECTORS / "receipt.json").read_text())
    ((claims, named),) = kept.pieces
    assert (claims, named) == (parsed.payload, ())


def test_a_receipt_whose_parts_are_stored_apart_is_the_same_and_keeps_only_what_is_its_own() -> None:
    press = ReceiptPress(FixedSigner())
    _, whole = a_receipt(press)
    parts = press.parts("default")
    texts = {part.digest: part.text for part in parts.fresh} | {b"": b",  "}
    parts.kept(parts.fresh)
    kept, compact = a_receipt(press)
    assert compact == whole
    claims = b"".join(text + b"".join(texts[digest] for digest in named) for text, named in kept.pieces)
    assert claims == Jws.parse(whole).payload
    assert len(msgspec.msgpack.encode(kept)) < len(claims) / 2


def test_a_language_that_a_caller_made_up_makes_no_shared_part() -> None:
    press = ReceiptPress(FixedSigner())
    a_receipt(press)
    known = len(press.parts("default").fresh)
    issuer, catalogue = Issuer("https://sayso.example", "Tea Ltd, Ireland"), a_catalogue()
    for locale in ("xx", "xx-YY", "qq"):
        for version in (8, 9):
            act = an_act()._replace(shown=Shown("web", version, "", locale))
            press.press("default", issuer, catalogue, act)
    assert len(press.parts("default").fresh) <= known + 4


def test_no_member_of_a_receipt_stands_twice() -> None:
    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        assert len({name for name, _ in pairs}) == len(pairs)
        return dict(pairs)

    _, compact = a_receipt(ReceiptPress(FixedSigner()))
    json.loads(Jws.parse(compact).payload, object_pairs_hook=once)


def test_a_receipt_read_back_says_what_was_chosen() -> None:
    _, compact = a_receipt(ReceiptPress(FixedSigner()))
    reading = read_receipt(Jws.parse(compact).payload)
    assert (reading.record, reading.notice, reading.notice_version) == ("cns_" + RECORD.hex(), "web", 3)
    assert [(each.name, each.state, each.ends) for each in reading.purposes] == [
        ("f", "refused", 0),
        ("a", "granted", AT + 9),
        ("a.e", "ignored", 0),
    ]
    assert {each.at for each in reading.purposes} == {AT - 5}
