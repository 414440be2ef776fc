"""docs/operations/keys.md, tried step by step: every command on the page runs as it is written there."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sayso.server.cli import cli
from tests.builders.providers import openbao, softhsm

PAGE = Path(__file__).parent.parent / "docs" / "operations" / "keys.md"
COMMANDS = [
    line
    for block in re.findall(r"^```\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]


def run(command: str, tmp_path: Path, *more: str, typed: str = "", **named: object) -> Result:
    """A command of the page, with its words in capitals and its files put in place."""
    assert command in COMMANDS, f"the page does not say: {command}"
    words = shlex.split(command)[1:]
    places = {"DATA": tmp_path / "data", "default.keytable": tmp_path / "keytable"}
    for name, value in {**places, **named}.items():
        words = [re.sub(rf"(^|=){re.escape(name)}$", lambda found: found.group(1) + str(value), word) for word in words]  # noqa: B023
    return CliRunner().invoke(cli, [*words, *more], input=typed)


def fine(done: Result) -> str:
    assert done.exit_code == 0, (done.output, done.exception)
    return done.output


@pytest.fixture
def with_passphrase(tmp_path: Path):
    """`--passphrase-fd` of a file: a test has no terminal to type into."""
    secret = tmp_path / "passphrase"
    secret.write_text("correct horse\n")
    handles = []

    def words() -> tuple[str, str]:
        handles.append(secret.open("rb"))
        return ("--passphrase-fd", str(handles[-1].fileno()))

    yield words
    for handle in handles:
        handle.close()


def test_the_page_sets_up_a_sealed_store(tmp_path: Path, with_passphrase) -> None:
    fine(run("sayso init --data DATA --ask-passphrase", tmp_path, typed="correct horse\ncorrect horse\n"))
    assert "sealed and opens" in fine(run("sayso doctor --data DATA", tmp_path, *with_passphrase()))


def test_the_page_from_rotation_to_restore(tmp_path: Path) -> None:
    # Without a passphrase: each command would spend half a second on it.
    fine(CliRunner().invoke(cli, ["init", "--data", str(tmp_path / "data")]))
    assert "1  active" in fine(run("sayso vault keys list --data DATA", tmp_path))
    database = tmp_path / "data" / "sayso.db"
    shutil.copyfile(database, tmp_path / "data.db")
    fine(run("sayso vault keys rotate --data DATA", tmp_path))
    fine(run("sayso vault keys roll --data DATA --wait", tmp_path))
    early = run("sayso vault keys destroy 1 --yes --data DATA", tmp_path)
    assert early.exit_code == 1
    fine(run("sayso vault backup --data DATA --out default.keytable", tmp_path))
    fine(run("sayso vault keys destroy 1 --yes --data DATA", tmp_path))
    listed = fine(run("sayso vault keys list --data DATA", tmp_path))
    assert "destroyed" in listed
    assert "2  active" in listed
    (tmp_path / "data.db").replace(database)
    assert run("sayso vault keys list --data DATA", tmp_path).exit_code == 1
    # That the log of this copy is behind what was signed is `sayso audit recover`'s business.
    (tmp_path / "data.keys" / "anchor").unlink()
    assert "put back" in fine(run("sayso vault restore default.keytable --data DATA", tmp_path))
    assert "2  active" in fine(run("sayso vault keys list --data DATA", tmp_path))


def test_the_page_with_providers(tmp_path: Path) -> None:
    with openbao(tmp_path) as bao, softhsm(tmp_path) as hsm:
        command = (
            "sayso init --data DATA --provider transit --with address=https://vault.example:8200 "
            "--with token_file=/etc/sayso/token"
        )
        places = {"https://vault.example:8200": bao.address, "/etc/sayso/token": bao.token_file}
        fine(run(command, tmp_path, **places))
        assert "lies in transit" in fine(run("sayso doctor --data DATA", tmp_path))
        command = (
            "sayso vault provider pkcs11 --own --tenant NAME --data DATA --with module=MODULE --with token=LABEL "
            "--with pin_file=FILE"
        )
        own = {"NAME": "acme", "MODULE": hsm["module"], "LABEL": hsm["token"], "FILE": hsm["pin_file"]}
        assert "in pkcs11" in fine(run(command, tmp_path, **own))
        assert "lies in pkcs11" in fine(run("sayso doctor --data DATA", tmp_path))


def test_every_command_of_the_page_is_tried() -> None:
    tried = Path(__file__).read_text("utf-8").replace('"\n            "', "")
    assert [command for command in COMMANDS if command not in tried] == []
