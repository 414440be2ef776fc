"""The auditor's guide runs as it is printed, over a bundle that the command line wrote."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from audit import verify
from tests.builders.served import Served
from tests.source import ROOT

GUIDE = (ROOT / "docs" / "guides" / "audit.md").read_text("utf-8")
EXPECTED = re.compile(r"^#=> (.+)$", re.MULTILINE)
MANIFEST = ROOT / "tests" / "server" / "manifest.yaml"


def steps() -> list[str]:
    """The blocks marked `bash guide`, in order."""
    return re.findall(r"^```bash guide\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an auditor was sent, and what the officer's own commands wrote, with and without a server."""
    folder = tmp_path_factory.mktemp("evidence")
    with Served(folder) as served:
        served.apply(MANIFEST)
        key = served.key("mailer", "marketing_sender")
        with served.admin as admin, served.client(key) as mailer:
            for number in range(4):
                who = {"identifier": {"type": "customer_id", "value": f"c-{number}"}, "create": True}
                person = admin.post("/v1/subjects/resolve", json=who).json()["subject"]
                asked = {
                    "subject": {"type": "service", "id": "mailer"},
                    "action": {"name": "use"},
                    "resource": {"type": "contact.email", "id": person},
                    "context": {"purpose": "marketing.email"},
                }
                assert mailer.post("/access/v1/evaluation", json=asked).status_code == 200
        served.at("audit", "keys", "--out", str(folder / "keys.trusted"), "--tenant", "default")
        served.at("exports", "create", "--format", "bundle", "--type", "access.*", "--out", str(folder / "bundle.zip"))
    served.at("exports", "create", "--what", "access", "--format", "pdf", "--out", str(folder / "november.pdf"))
    served.at("audit", "blast-radius", "--actor", "mailer", "--out", str(folder / "radius.zip"))
    return folder


@pytest.mark.slow
def test_the_guide_runs_as_printed(evidence: Path, tmp_path: Path) -> None:
    script = "\n".join(steps())
    expected = EXPECTED.findall(script)
    assert len(steps()) >= 5
    assert len(expected) >= 8
    for name in ("bundle.zip", "keys.trusted"):
        shutil.copy(evidence / name, tmp_path / name)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}"
    environment = {"PATH": path, "HOME": str(tmp_path), "LANG": "C.UTF-8"}
    done = subprocess.run(
        [shutil.which("bash") or "bash", "-c", f"set -euo pipefail\n{script}"],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    rest = done.stdout
    for wanted in expected:
        _, found, rest = rest.partition(wanted)
        assert found, f"{wanted!r} is missing in:\n{done.stdout}"


@pytest.mark.slow
def test_the_officers_commands_write_what_they_say(evidence: Path) -> None:
    assert (evidence / "november.pdf").read_bytes().startswith(b"%PDF")
    assert verify(evidence / "radius.zip", evidence / "keys.trusted").code == 0
