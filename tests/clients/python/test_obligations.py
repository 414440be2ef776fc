"""Obligations: declared from the handlers there are, fulfilled before anything is returned, masked as by the vault."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sayso_client import (
    Action,
    Aggregate,
    AudienceQuestion,
    Decision,
    Log,
    MaskHash,
    MaskLast4,
    MaskYear,
    Notify,
    NotPermitted,
    Obligation,
    Redact,
    SecondPerson,
    StepUp,
    Ttl,
    UnhandledObligation,
    large_groups,
    masking,
)
from sayso_client import masks as client
from sayso_client.calls import Session, audience, evaluate
from sayso_client.obligations import TYPES, supported, typed
from sayso_client.structs import WireObligation
from sayso_client.talk import Reply

import vault.fields.masks as server
from policies import obligations
from tests.clients.python.asking import answered, question
from tests.clients.python.test_no_answer import carry_out

PROPERTIES = {"aggregate": {"k": 20}, "ttl": {"seconds": 60}}
KEY = bytes(range(32))


def wire(name: str) -> dict[str, Any]:
    return {"id": "R1", "type": name, "properties": PROPERTIES.get(name, {})}


def decided(name: str, **handlers: Any) -> Decision:
    session = Session("crm", {TYPES[each]: handler for each, handler in handlers.items()})
    return carry_out(evaluate(session, question()), answered(True, wire(name)))[0]


def test_every_obligation_that_rules_can_name_has_a_type() -> None:
    assert set(obligations.TYPES) == set(TYPES)


@pytest.mark.parametrize("name", sorted(set(TYPES) - {"log", "log_full"}))
def test_a_permit_whose_obligation_nobody_fulfils_is_not_returned(name: str) -> None:
    with pytest.raises(UnhandledObligation, match=name) as unhandled:
        decided(name)
    assert unhandled.value.entry == "ent_1"
    assert decided(name, **{name: lambda *_: None})


@pytest.mark.parametrize(
    "obligation",
    [
        {"id": "R1", "type": "watermark", "properties": {}},
        {"id": "R1", "type": "aggregate", "properties": {}},
        {"id": "R1", "type": "ttl", "properties": {"seconds": 0}},
        {"id": "R1", "type": "ttl", "properties": {"seconds": "soon"}},
    ],
)
def test_what_this_client_cannot_read_it_does_not_pretend_to_fulfil(obligation: dict[str, Any]) -> None:
    session = Session("crm", {Aggregate: large_groups, Ttl: lambda *_: None})
    with pytest.raises(UnhandledObligation):
        carry_out(evaluate(session, question()), answered(True, obligation))


def test_a_denial_needs_no_handler_and_calls_none() -> None:
    called: list[object] = []
    session = Session("crm", {Notify: lambda *_: called.append(1)})
    decision, _ = carry_out(evaluate(session, question()), answered(False, wire("notify"), wire("redact")))
    assert (decision.reason, called) == ("withdrawn", [])
    with pytest.raises(NotPermitted):
        decision.show("ada@example.org")
    with pytest.raises(NotPermitted):
        decision.groups({"north": 100})


def test_what_is_declared_is_what_is_handled() -> None:
    handlers = {**masking(), Notify: print, Aggregate: large_groups}
    assert supported(handlers) == ("aggregate", "mask_last4", "mask_year", "notify", "redact")
    assert "mask_hash" in supported(masking(KEY))
    for wrong in (Log, Obligation, str):
        with pytest.raises(TypeError):
            supported({wrong: print})  # type: ignore[dict-item]


def test_acts_are_done_once_before_the_permit_is_returned() -> None:
    for name in ("notify", "step_up", "ttl"):
        done: list[Any] = []
        decision = decided(name, **{name: lambda *seen, done=done: done.append(seen)})
        ((obligation, asked),) = done
        assert type(obligation) is TYPES[name]
        assert asked.resource.type == "contact.email"
        assert decision.ttl == (60 if name == "ttl" else None)
    assert (StepUp(), Ttl(seconds=5)) != (Notify(), Ttl(seconds=6))


def test_a_second_person_for_what_is_revealed_is_asked_for_by_sayso() -> None:
    told = {"id": "R1.second_person", "type": "second_person", "properties": {"or": "break_glass"}}
    asked = msgspec.structs.replace(question(), action=Action("reveal"))
    decision, _ = carry_out(evaluate(Session("crm", {}), asked), answered(True, told))
    assert decision.obligations == (SecondPerson(id="R1.second_person", or_glass=True),)
    with pytest.raises(UnhandledObligation):
        carry_out(evaluate(Session("crm", {}), question()), answered(True, told))


def test_an_audience_obliges_too() -> None:
    people = AudienceQuestion(
        purpose="p", action="use", category="c", subjects=("sub_1",), supported_obligations=("notify",)
    )
    told = {"audience": "aud_1", "permitted": ["sub_1"], "counts": {"permitted": 1}, "registry_seq": "1"}
    told |= {"entry": "ent_1", "valid_until": "2027-01-01T00:00:00Z", "obligations": [wire("notify"), wire("log")]}
    reply = Reply(200, {}, msgspec.json.encode(told))
    with pytest.raises(UnhandledObligation, match="notify"):
        carry_out(audience(Session("crm"), people), reply)
    done: list[Any] = []
    found, _ = carry_out(audience(Session("crm", {Notify: lambda *seen: done.append(seen)}), people), reply)
    assert done == [(Notify(id="R1"), people)]
    assert found.owed == (Notify(id="R1"), Log(id="R1"))


def test_groups_below_the_limit_are_left_out_and_a_single_value_is_none() -> None:
    decision = decided("aggregate", aggregate=large_groups)
    assert decision.groups({"north": 20, "south": 19}) == {"north": 20}
    with pytest.raises(UnhandledObligation):
        decision.show("ada@example.org")


VECTORS = [
    ("mask_last4", "phone", "+8613800138000", "****8000"),
    ("mask_last4", "text", "1234567", "****"),
    ("mask_last4", "text", "12345678", "****5678"),
    ("mask_last4", "text", "一二三四五六七八", "****五六七八"),
    ("mask_year", "date", "1984-11-21", "1984"),
    ("mask_year", "phone", "+8613800138000", "****"),
    ("mask_hash", "email", "ada@example.org", "dea8d0e7079d5a7d2786f6020b005191"),
    ("redact", "date", "1984-11-21", "****"),
]


@pytest.mark.parametrize(("mask", "kind", "value", "left"), VECTORS)
def test_a_shown_value_is_masked(mask: str, kind: str, value: str, left: str) -> None:
    decision = decided(mask, **{TYPES[each].name: handler for each, handler in named(masking(KEY)).items()})
    assert decision.show(value, kind) == left


def named(handlers: Any) -> dict[str, Any]:
    return {kind.name: handler for kind, handler in handlers.items()}


@given(
    value=st.text(max_size=40),
    kind=st.sampled_from(["email", "phone", "date", "year", "text"]),
    mask=st.sampled_from([MaskLast4, MaskYear, MaskHash, Redact]),
    key=st.binary(min_size=32, max_size=32),
)
def test_masks_are_those_of_the_vault(value: str, kind: str, mask: type[Obligation], key: bytes) -> None:
    assert masking(key)[mask](value, kind) == server.masked(mask.name, kind, value, value, key)
    assert client.HIDDEN == server.HIDDEN


def test_a_hash_takes_a_whole_key() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        client.mask_hash("ada@example.org", "email", b"short")


def test_an_obligation_is_read_with_its_number() -> None:
    assert typed(WireObligation("R1", "aggregate", {"k": 20})) == Aggregate(id="R1", k=20)
    assert typed(WireObligation("R1", "ttl", {"seconds": 60})) == Ttl(id="R1", seconds=60)
