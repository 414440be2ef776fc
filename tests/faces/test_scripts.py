"""The pure parts of the browser's code, run by the Node that comes with Playwright: nobody has to install one."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from playwright._impl._driver import compute_driver_executable

from tests.source import ROOT

from .log import Log


def node_tests(*names: str, **environment: str) -> None:
    node, _ = compute_driver_executable()
    done = subprocess.run(
        [node, "--test", *names],
        cwd=ROOT / "web",
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        pytest.fail(done.stdout[-6000:] + done.stderr[-2000:])


def test_the_choice_machine() -> None:
    node_tests("banner/choices.test.ts")


def test_the_verifier_against_a_log_that_python_made(tmp_path: Path) -> None:
    cases = [
        {"size": size, "index": index, "entry": log.id(index), "bundle": log.bundle(index)}
        for size in (1, 2, 3, 5, 8, 13, 64, 65)
        for log in (Log(size),)
        for index in range(size)
    ]
    proofs = tmp_path / "proofs.json"
    proofs.write_text(json.dumps({"cases": cases, "keys": [Log().jwk], "other": Log(13, seed=b"\x08" * 32).bundle(5)}))
    node_tests("islands/verify.test.ts", SAYSO_PROOFS=str(proofs))
