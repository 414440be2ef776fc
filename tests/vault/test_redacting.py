"""Identity data in what people write is found, and stands there as tokens."""

import random
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.cn import ric
from stdnum.iso7064 import mod_97_10

from sayso.kernel import Tx, Work
from tests.builders.vault import House, rows_of
from vault import SubjectFacts, UnknownSubject
from vault import tables as t
from vault.tokens.shapes import SHAPES, drawn
from vault.tokens.token import new_token
from vault.writing.finding import Finding, find
from vault.writing.redacting import Redacted

FOUND = [
    ("Write to Ada@Example.org, please.", "email", "Ada@Example.org"),
    ("邮箱ada@example.org谢谢", "email", "ada@example.org"),
    ("mail <ada.l+x@example.co.uk>.", "email", "ada.l+x@example.co.uk"),
    ("an jürgen@müller.example bitte", "email", "jürgen@müller.example"),
    ("call +44 20 7946 0958 today", "phone", "+44 20 7946 0958"),
    ("我的手机是13800138000，谢谢", "phone", "13800138000"),
    ("IBAN DE89 3704 0044 0532 0130 00 BIC COBADEFF", "iban", "DE89 3704 0044 0532 0130 00"),
    ("gb82west12345698765432", "iban", "gb82west12345698765432"),
    ("card 4111 1111 1111 1111.", "card", "4111 1111 1111 1111"),
    ("身份证号11010519491231002X。", "cn_resident_id", "11010519491231002X"),
    ("Tel: +49 30 03144919.", "phone", "+49 30 03144919"),
    ("Tel: +44 20 7946 0931", "phone", "+44 20 7946 0931"),
    ("from 203.0.113.7 at", "ip", "203.0.113.7"),
    ("from 2001:db8::1 at", "ip", "2001:db8::1"),
    ("CF RCCMNL83S18D969H ok", "national_id", "RCCMNL83S18D969H"),
    ("NIR 2 95 10 99 126 111 93", "national_id", "2 95 10 99 126 111 93"),
    ("mi DNI es 54362315-K", "national_id", "54362315-K"),
    ("hetu 131052-308T", "national_id", "131052-308T"),
    ("mijn BSN is 111222333", "national_id", "111222333"),
    ("PESEL: 44051401359", "national_id", "44051401359"),
    ("VAT DE136695976", "vat", "DE136695976"),
]

NOT_FOUND = [
    "tracking 283995785609, card 627596028777944",
    "Order 111222333 of 12:30:45, version 1.2.3, total 4111.",
    "card 4111 1111 1111 1112 and 11010519491231002Y",
    "at 10:15 on 2026-11-22, see §12.3.4 and 999.999.999.999",
    "ada@localhost @ada a@b",
    "",
    *(f"token {drawn(shape)} stays" for shape in SHAPES),
    f"token {new_token()} stays",
]


@pytest.mark.parametrize(("text", "kind", "value"), FOUND)
def test_what_people_write_is_found(text: str, kind: str, value: str) -> None:
    (found,) = find(text, "CN")
    assert (found.kind, text[found.start : found.end]) == (kind, value)


FRAMES = ("my number is {}.", "编号{}，谢谢", "Konto/Karte {} bitte", "({})")


def a_resident(chance: random.Random) -> str:
    area = chance.choice(["110105", "310104", "440106", "330102", "510107"])
    born = f"{chance.randint(1930, 2009)}{chance.randint(1, 12):02}{chance.randint(1, 28):02}"
    body = f"{area}{born}{chance.randrange(1000):03}"
    return body + ric.calc_check_digit(f"{body}0")


def an_account(chance: random.Random) -> str:
    digits = f"{chance.randrange(10**18):018}"
    whole = f"DE{mod_97_10.calc_check_digits(f'{digits}DE')}{digits}"
    return whole if chance.random() < 0.5 else " ".join(whole[at : at + 4] for at in range(0, len(whole), 4))


def a_card(chance: random.Random) -> str:
    lead, length = chance.choice([("4", 16), ("51", 16), ("2221", 16), ("37", 15), ("62", 16), ("35", 16)])
    body = lead + f"{chance.randrange(10 ** (length - 1 - len(lead))):0{length - 1 - len(lead)}}"
    return body + luhn.calc_check_digit(body)


@pytest.mark.parametrize(("kind", "make"), [("cn_resident_id", a_resident), ("iban", an_account), ("card", a_card)])
def test_of_a_labelled_set_all_that_has_check_digits_is_found(kind: str, make: Callable[[random.Random], str]) -> None:
    chance = random.Random(7)
    for _ in range(100):
        value, frame = make(chance), chance.choice(FRAMES)
        text = frame.format(value)
        assert [(each.kind, text[each.start : each.end]) for each in find(text)] == [(kind, value)]


@pytest.mark.parametrize("text", NOT_FOUND, ids=range(len(NOT_FOUND)))
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert find(text, "CN") == []


@given(st.lists(st.sampled_from([*(text for text, _, _ in FOUND), *NOT_FOUND, " ", "，", "\n"]), max_size=8))
def test_findings_are_in_order_and_never_overlap(pieces: list[str]) -> None:
    text = " ".join(pieces)
    found = find(text, "CN")
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert all(0 <= each.start < each.end <= len(text) for each in found)


@given(st.text(max_size=200))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert isinstance(find(text), list)


def test_long_text_without_a_blank_takes_no_square_of_its_length() -> None:
    for piece in ("a", "1", "1 ", "@", "a@", ":", "1.", "DE89"):
        assert isinstance(find(piece * (60_000 // len(piece))), list)


def test_a_finding_never_shows_its_value() -> None:
    assert "ada" not in repr(Finding(0, 5, "email", "ada@example.org"))


async def redact(house: House, text: str, subject: bytes | None, collection: str | None = "customers") -> Redacted:
    facts = None if subject is None else SubjectFacts(subject, known=True, erased=False)

    def unit(tx: Tx) -> Work[Redacted]:
        declared = house.collections[collection] if collection else None
        return house.vault.redact(tx, text, find(text, "CN"), facts=facts, collection=declared)

    return await house.database.run(house.context(), unit)


async def test_a_stored_value_becomes_its_own_token_and_another_one_that_nobody_opens(house: House) -> None:
    subject, other = await house.person(), await house.person()
    stored = await house.store(subject, email="ada@example.org", phone="13800138000")
    text = "I am ADA@example.org, 138 0013 8000; my son is bob@example.org, bob@example.org."
    done = await redact(house, text, subject)
    (strange,) = {token for each, token in done.found if each.canonical == "bob@example.org"}
    assert done.text == f"I am {stored['email']}, {stored['phone']}; my son is {strange}, {strange}."
    assert await house.value(stored["email"]) == "ada@example.org"
    assert await house.value(strange) is None
    # The same person, the same token, in any text; another person, another one.
    assert (await redact(house, "bob@example.org", subject)).text == strange
    assert (await redact(house, "bob@example.org", other)).text != strange
    assert (await redact(house, done.text, subject)).text == done.text
    with pytest.raises(UnknownSubject):
        await redact(house, "x", b"\1" * 16)


async def test_an_erasure_takes_the_tokens_of_texts_too(house: House) -> None:
    from tests.vault.test_vault import shred

    subject = await house.person()
    await redact(house, "bob@example.org", subject)
    await shred(house, subject)
    assert await rows_of(house, t.vault_token) == []
    assert await rows_of(house, t.vault_token_of) == []


async def test_without_a_person_nothing_is_kept(house: House) -> None:
    one, other = [await redact(house, "a@example.org, a@example.org", None, None) for _ in range(2)]
    first, second = one.text.split(", ")
    assert first == second
    assert one.text != other.text
    assert await rows_of(house, t.vault_token) == []
