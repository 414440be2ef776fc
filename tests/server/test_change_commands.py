"""`sayso apply`, `changes`, `versions`, `rollback` under four eyes: exit codes, and the same person refused here."""

import json
import os
from pathlib import Path

from tests.server.processes import initialised, sayso, serving
from tests.server.test_change_control import ONE_MORE, TWO


def test_a_change_by_commands_takes_two_people(data_dir: Path, tmp_path: Path) -> None:
    admin = initialised(data_dir)
    whole, more = tmp_path / "whole.yaml", tmp_path / "more.yaml"
    whole.write_text(TWO, "utf-8")
    more.write_text(ONE_MORE, "utf-8")
    with serving(data_dir) as server, server.client(admin) as client:
        made = client.post("/v1/keys", json={"name": "bea", "roles": ["officer"]}).json()
        assert sayso("apply", whole, "--data", data_dir).returncode == 0

        def by(key: str, *words: str | Path) -> tuple[int, str, str]:
            done = sayso(*words, "--url", server.url, env={**os.environ, "SAYSO_API_KEY": key})
            return done.returncode, done.stdout, done.stderr

        code, out, _ = by(admin, "apply", more, "--json")
        proposal = json.loads(out)["proposal"]
        assert code == 3
        code, _, told = by(admin, "changes", "approve", proposal)
        assert code == 1
        assert "Another person" in told
        code, out, _ = by(made["key"], "changes", "show", proposal)
        assert code == 0
        assert "+ rules.R040" in out
        assert "now permitted: support_lead may use behaviour for ads" in out
        assert by(made["key"], "changes", "approve", proposal)[:2] == (0, "Version 2 is live.\n")
        # The operator's rollback is a proposal as well, and the operator cannot approve it.
        asked = sayso("rollback", "1", "--data", data_dir, "--json")
        assert asked.returncode == 3, asked.stderr
        own = sayso("changes", "approve", json.loads(asked.stdout)["proposal"], "--data", data_dir)
        assert own.returncode == 1
        broken = sayso("rollback", "1", "--data", data_dir, "--break-glass", "Nobody answers.")
        assert (broken.returncode, broken.stdout.splitlines()[-1]) == (0, "Version 3 is live."), broken.stderr
        code, out, _ = by(made["key"], "versions")
        assert code == 0
        assert [line.split()[0] for line in out.splitlines()] == ["3", "2", "1"]
        assert "admin and bea" in out
        assert "glass broken" in out
