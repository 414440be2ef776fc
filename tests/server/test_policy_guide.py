"""docs/guides/policies.md is done as it is written: its files are made, its commands run, its output compared."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import Struct

from sayso.server.cli import main
from tests.source import ROOT

GUIDE = ROOT / "docs" / "guides" / "policies.md"
BLOCK = re.compile(r"^```(\w+)(?: (\S+=\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Step(Struct, frozen=True):
    """Commands with the exit code of the last, and what they print where the guide shows it."""

    commands: tuple[str, ...]
    code: int
    output: str | None


def files_and_steps() -> Iterator[tuple[str, str] | Step]:
    blocks = [match.groups() for match in BLOCK.finditer(GUIDE.read_text("utf-8"))]
    for place, (kind, told, body) in enumerate(blocks):
        if told is not None and told.startswith("title="):
            yield told.removeprefix("title="), body
        elif kind == "sh":
            following = blocks[place + 1] if place + 1 < len(blocks) else ("", None, "")
            code = int(told.removeprefix("exit=")) if told is not None else 0
            yield Step(tuple(body.splitlines()), code, following[2] if following[0] == "text" else None)


def run(command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """The program in this process: starting it anew for each command would take most of the time."""
    if command.startswith("sayso "):
        monkeypatch.setattr(sys, "argv", shlex.split(command))
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        return code, capsys.readouterr().out
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    shell = subprocess.run(["/bin/sh", "-ec", command], env={"PATH": path}, capture_output=True, text=True, check=False)
    return shell.returncode, shell.stdout


def test_the_guide_does_what_it_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = 0
    for step in files_and_steps():
        if isinstance(step, tuple):
            (tmp_path / step[0]).write_text(step[1], encoding="utf-8")
            continue
        printed = ""
        for place, command in enumerate(step.commands, 1):
            code, said = run(command, capsys, monkeypatch)
            assert code == (step.code if place == len(step.commands) else 0), (command, said)
            printed += said
            ran += 1
        if step.output is not None:
            assert printed.startswith(step.output), step.commands
    assert ran > 12
