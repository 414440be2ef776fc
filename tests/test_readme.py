"""The README's five-minute tour runs as it is printed, from an empty folder, against a live server."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders.served import free_port
from tests.source import ROOT

README = (ROOT / "README.md").read_text("utf-8")
EXPECTED = re.compile(r"^#=> (.+)$", re.MULTILINE)


def tour() -> str:
    """All blocks marked `bash tour`, in order, as one script."""
    return "\n".join(re.findall(r"^```bash tour\n(.*?)^```$", README, re.MULTILINE | re.DOTALL))


@pytest.mark.slow
def test_the_tour_runs_as_printed(tmp_path: Path) -> None:
    script = tour()
    expected = EXPECTED.findall(script)
    assert len(expected) >= 8
    # The server of the tour runs in the background: it is stopped however the script ends.
    script = f"set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\n{script}"
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "HOME": str(tmp_path),
        "PORT": str(free_port()),
        "LANG": "C.UTF-8",
    }
    output = tmp_path / "output"
    with output.open("w") as stream:
        done = subprocess.run(
            [shutil.which("bash") or "bash", "-c", script],
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            timeout=300,
            check=False,
        )
    said = output.read_text("utf-8")
    assert done.returncode == 0, said
    rest = said
    for wanted in expected:
        _, found, rest = rest.partition(wanted)
        assert found, f"after what came before, the tour did not print {wanted!r}:\n{said}"
