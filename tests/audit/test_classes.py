"""The section `logs` of a manifest: which entries get a log of their own, and for how long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import MAIN, Classes, LogClass, declared, parse_logs
from audit.retention.classes import SHIPPED
from sayso.kernel import ManifestError, load


def read(text: str) -> Classes:
    return parse_logs(load([("test.yaml", text.encode())]).get("logs"))


def problems(text: str) -> list[str]:
    with pytest.raises(ManifestError) as refused:
        read(text)
    return [str(each) for each in refused.value.problems]


def test_without_the_section_all_entries_lie_in_one_log() -> None:
    for classes in (parse_logs(None), read("logs:\n"), read("logs: {}\n")):
        assert classes.names == (MAIN,)
        assert {classes.of(each) for each in declared()} == {MAIN}


def test_a_class_that_is_named_takes_its_own_types_and_access_is_kept_for_ninety_days() -> None:
    classes = read("logs: {access: {}, consent: {}, admin: {keep: P10Y}}")
    assert classes.names == (MAIN, "access", "consent", "admin")
    assert [each.keep for each in classes.classes.values()] == ["P90D", "", "P10Y"]
    assert classes.of("access.permitted") == "access"
    assert classes.of("vault.value.revealed") == "access"
    assert classes.of("consent.choice.recorded") == "consent"
    assert classes.of("server.manifest.applied") == "admin"
    assert {classes.of(each) for each in ("audit.log.pruned", "audit.shard.opened", "vault.record.stored")} == {MAIN}
    # The longest prefix decides: reading a history is an access, though it begins like consent.
    assert classes.of("consent.history.read") == "access"


def test_what_a_class_takes_can_be_listed() -> None:
    classes = read("logs: {admin: {types: [audit.export.*, tests.thing.changed], keep: P1Y}}")
    assert classes.of("audit.export.ordered") == "admin"
    assert classes.of("server.manifest.applied") == MAIN


def test_a_class_takes_what_other_systems_write_by_names_that_are_theirs() -> None:
    classes = read("logs: {access: {types: [external.pos.*, external.crm.exported]}, admin: {types: [external.*]}}")
    assert [classes.of(f"external.{each}") for each in ("pos.read", "crm.exported", "crm.sent")] == [
        "access",
        "access",
        "admin",
    ]
    assert classes.external == {"access", "admin"}
    assert not read("logs: {access: {}}").external


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("logs: {acess: {}}", "test.yaml:1: logs: no class 'acess'. Did you mean 'access'?"),
        ("logs: {main: {keep: P1D}}", "no class 'main'"),
        ("logs: [access]", "a mapping of classes"),
        ("logs: {access: P90D}", "logs.access: a mapping"),
        ("logs:\n  access:\n    kep: P90D\n", "test.yaml:3: logs.access has no member 'kep'. Did you mean 'keep'?"),
        ("logs: {access: {keep: ninety}}", "logs.access.keep: A duration"),
        ("logs: {access: {keep: PT1H}}", "logs.access.keep: a day at least"),
        ("logs: {access: {types: audit.*}}", "logs.access.types: a list"),
        ("logs: {access: {types: []}}", "logs.access.types: a list"),
        ("logs: {access: {types: [audit.exports.*]}}", "no entry is of type 'audit.exports.*'"),
        ("logs: {access: {types: [audit.*]}}", "what logs say of themselves stays in main"),
        (
            "logs: {access: {types: [audit.export.*]}, admin: {types: [audit.export.*]}}",
            "'audit.export.*' is listed by 'access' already",
        ),
    ],
)
def test_what_is_wrong_is_told_by_its_line(text: str, told: str) -> None:
    assert any(told in each for each in problems(text)), problems(text)


@given(st.sets(st.sampled_from(sorted(SHIPPED))))
def test_every_type_goes_to_one_class_that_is_declared(names: set[str]) -> None:
    classes = Classes({name: LogClass(name, SHIPPED[name]) for name in names})
    for each in ("access.denied", "rights.request.opened", "server.key.created", "audit.log.pruned", *declared()):
        assert classes.of(each) in classes.names
        assert classes.of(each) == classes.of(each)
