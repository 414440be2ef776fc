"""The commands, as people type them: what they print, what they leave behind, and how they end."""

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.server.processes import PATIENCE_S, initialised, sayso, serving
from tests.server.worlds import MANIFEST

ONE_RULE = """rules:
  - {id: R010, role: nobody, action: use, category: contact.email, purpose: ads, effect: allow, basis: consent}
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_init_prints_one_object_and_keeps_keys_apart(data_dir: Path) -> None:
    done = sayso("init", "--data", data_dir, "--json")
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)) == {"admin_key"}
    keys = data_dir.with_name("data.keys")
    assert mode(data_dir) == mode(keys) == 0o700
    assert mode(keys / "root.key") == mode(data_dir / "sayso.db") == mode(data_dir / "sayso.toml") == 0o600
    again = sayso("init", "--data", data_dir, "--json")
    assert (again.returncode, again.stdout) == (1, "")


def test_keys_may_not_lie_with_the_data(data_dir: Path) -> None:
    for keys in (data_dir / "keys", data_dir, data_dir.parent):
        done = sayso("init", "--data", data_dir, "--keys", keys)
        assert done.returncode == 2, keys
        assert "folders of their own" in done.stderr
    initialised(data_dir)
    (data_dir / "root.key").write_bytes((data_dir.with_name("data.keys") / "root.key").read_bytes())
    for command in ("serve", "doctor"):
        done = sayso(command, "--data", data_dir)
        assert done.returncode != 0, command
        assert "folders of their own" in done.stderr + done.stdout


def test_a_sealed_store_needs_its_passphrase_and_an_open_one_warns(data_dir: Path) -> None:
    def with_passphrase(text: bytes, *words: str) -> subprocess.CompletedProcess[str]:
        read, write = os.pipe()
        os.write(write, text)
        os.close(write)
        try:
            return sayso(*words, "--data", data_dir, "--passphrase-fd", str(read), pass_fds=[read])
        finally:
            os.close(read)

    assert with_passphrase(b"correct horse\n", "init").returncode == 0
    assert with_passphrase(b"correct horse\n", "keys", "list").returncode == 0
    wrong = with_passphrase(b"battery staple\n", "keys", "list")
    assert wrong.returncode == 1, wrong.stderr
    assert "does not open" in wrong.stderr
    without = sayso("keys", "list", "--data", data_dir)
    assert without.returncode == 1
    assert "give its passphrase" in without.stderr


def test_a_missing_root_key_is_told_in_one_sentence(data_dir: Path) -> None:
    initialised(data_dir)
    (data_dir.with_name("data.keys") / "root.key").unlink()
    done = sayso("serve", "--data", data_dir, "--port", "0")
    assert done.returncode != 0
    assert "There is no root key" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [["serve"], ["keys", "list"], ["doctor"], ["upgrade"]])
def test_a_folder_without_a_store_is_told_so(data_dir: Path, command: list[str]) -> None:
    data_dir.mkdir()
    done = sayso(*command, "--data", data_dir)
    assert done.returncode in (1, 2)
    assert "no Sayso store" in done.stderr + done.stdout


def test_apply_names_file_line_and_nearest_and_ends_with_two(data_dir: Path, tmp_path: Path) -> None:
    initialised(data_dir)
    applied = sayso("apply", MANIFEST, "--data", data_dir, "--json")
    assert (applied.returncode, json.loads(applied.stdout)["version"]) == (0, 1), applied.stderr
    wrong = tmp_path / "rules.yaml"
    wrong.write_text(ONE_RULE.replace("nobody", "marketing_sendr"))
    refused = sayso("apply", wrong, "--data", data_dir)
    assert refused.returncode == 2
    assert f"{wrong}:2" in refused.stderr
    assert "Did you mean 'marketing_sender'?" in refused.stderr
    twice = tmp_path / "twice.yaml"
    twice.write_text("roles: {}\nroles: {}\n")
    assert sayso("apply", twice, "--data", data_dir).returncode == 2
    planned = sayso("plan", MANIFEST, "--data", data_dir)
    assert (planned.returncode, planned.stdout) == (0, "Nothing to change.\n")


def test_commands_work_beside_a_server_and_hold_when_they_return(data_dir: Path, tmp_path: Path) -> None:
    admin = initialised(data_dir)
    with serving(data_dir) as server:
        assert mode(data_dir / "sayso.sock") == 0o600
        assert sayso("apply", MANIFEST, "--data", data_dir).returncode == 0
        made = sayso("keys", "create", "mailer", "--role", "marketing_sender", "--data", data_dir, "--json")
        key = json.loads(made.stdout)["key"]
        with server.client(key) as mailer, server.client(admin) as client:
            assert mailer.get("/v1/audit/logs").status_code == 403
            listed = sayso("keys", "list", "--data", data_dir, "--json")
            ids = {item["name"]: item["id"] for item in json.loads(listed.stdout)["keys"]}
            assert sayso("keys", "revoke", ids["mailer"], "--data", data_dir).returncode == 0
            assert mailer.get("/v1/audit/logs").status_code == 401
            assert client.get("/v1/audit/logs").status_code == 200
        other = sayso("tenants", "create", "acme", "--controller", "Acme GmbH, Germany", "--data", data_dir, "--json")
        assert json.loads(other.stdout)["tenant"] == "acme"
        out = tmp_path / "log"
        exported = sayso("audit", "export", "--data", data_dir, "--out", out)
        assert exported.returncode == 0, exported.stderr
        trust = tmp_path / "trust.json"
        assert sayso("audit", "keys", "--data", data_dir, "--out", trust).returncode == 0
        assert server.stop() == 0
    assert not (data_dir / "sayso.sock").exists()
    assert sayso("audit", "verify", out, "--trust", trust).returncode == 0
    (out / "checkpoint").write_bytes((out / "checkpoint").read_bytes().replace(b"\n", b"\r\n", 1))
    assert sayso("audit", "verify", out, "--trust", trust).returncode == 1
    assert sayso("audit", "export", "--data", data_dir, "--out", tmp_path / "log2").returncode == 0
    assert sayso("audit", "verify", tmp_path / "log2", "--trust", trust).returncode == 0


def test_the_embedded_database_takes_one_process(data_dir: Path) -> None:
    initialised(data_dir)
    refused = sayso("serve", "--data", data_dir, "--port", "0", "--workers", "2")
    assert refused.returncode == 2
    assert "--workers" in refused.stderr
    with serving(data_dir):
        second = sayso("serve", "--data", data_dir, "--port", "0")
        assert second.returncode == 1
        assert "Another process" in second.stderr


def test_doctor_finds_nothing_wrong_with_a_fresh_store(data_dir: Path) -> None:
    initialised(data_dir)
    done = sayso("doctor", "--data", data_dir, "--json")
    assert done.returncode == 0, done.stdout
    levels = {finding["name"]: finding["level"] for finding in json.loads(done.stdout)["findings"]}
    assert levels.pop("root key") == "warning"
    assert set(levels.values()) == {"fine"}


def test_every_command_has_help() -> None:
    from sayso.server.cli import cli

    def walk(command: object, path: list[str]) -> None:
        words = getattr(command, "commands", None) or {}
        assert getattr(command, "help", ""), path
        for name, child in words.items():
            walk(child, [*path, name])

    for name in cli.list_commands(None):  # type: ignore[arg-type]
        walk(cli.get_command(None, name), [name])  # type: ignore[arg-type]


def test_policy_lint_and_test_need_no_store(tmp_path: Path) -> None:
    assert sayso("policy", "lint", MANIFEST).returncode == 0
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(MANIFEST.read_text("utf-8").replace("effect: deny", "effect: Deny"))
    assert sayso("policy", "lint", wrong).returncode == 2
    cases = tmp_path / "cases.csv"
    header = "action,role,category,purpose,jurisdiction,expect,rules\n"
    row = "use,marketing_sender,contact.email,marketing.email,any,permit,R010\n"
    cases.write_text(header + row)
    assert sayso("policy", "test", cases, "--manifest", MANIFEST).stdout == "1 passed, 0 failed\n"
    cases.write_text(header + row.replace("marketing_sender", "support_agent"))
    failed = sayso("policy", "test", cases, "--manifest", MANIFEST, "--json")
    assert failed.returncode == 1
    assert json.loads(failed.stdout)["failed"][0]["why"]["near_misses"][0]["wanted"] == "marketing_sender"
    cases.write_text(header + row.replace("marketing_sender", "support_agnt"))
    unusable = sayso("policy", "test", cases, "--manifest", MANIFEST)
    assert unusable.returncode == 2
    assert f"{cases}:2: " in unusable.stderr
    assert "Did you mean 'support_agent'?" in unusable.stderr


def test_the_api_description_is_the_committed_one() -> None:
    committed = Path(__file__).parents[2] / "openapi.yaml"
    done = subprocess.run([sys.executable, "-m", "sayso.server.openapi"], capture_output=True, check=True)
    assert done.stdout == committed.read_bytes(), "run make openapi and commit the difference"


def test_postgres_is_remembered_and_takes_several_processes(data_dir: Path, postgres_url: str) -> None:
    done = sayso("init", "--data", data_dir, "--database", postgres_url, "--json")
    assert done.returncode == 0, done.stderr
    admin = json.loads(done.stdout)["admin_key"]
    assert not (data_dir / "sayso.db").exists()
    with serving(data_dir, "--workers", "2") as server, server.client(admin) as client:
        assert sayso("apply", MANIFEST, "--data", data_dir).returncode == 0
        made = [
            client.post("/v1/keys", json={"name": f"till-{n}", "roles": ["auditor"]}).json()["key"] for n in range(4)
        ]

        def known(key: str) -> bool:
            """To whichever process each connection comes."""
            for _ in range(6):
                with server.client(key) as other:
                    if other.get("/v1/audit/logs").status_code != 200:
                        return False
            return True

        until = time.monotonic() + PATIENCE_S
        while not all(map(known, made)):
            assert time.monotonic() < until
            time.sleep(0.1)
        assert server.stop() == 0


def test_policy_explain_says_why_in_words(data_dir: Path) -> None:
    initialised(data_dir)
    assert sayso("apply", MANIFEST, "--data", data_dir).returncode == 0
    asked = ("--action", "use", "--category", "contact.email", "--purpose", "marketing.email")
    by_role = sayso("policy", "explain", "--data", data_dir, "--role", "marketing_sender", *asked)
    assert by_role.returncode == 1, "about nobody, nothing is permitted"
    assert by_role.stdout.splitlines() == [
        "denied: no_subject",
        "under any:",
        "  allow R010",
        "    R010: consent: holds",
    ]
    near = sayso("policy", "explain", "--data", data_dir, "--role", "support_agent", *asked)
    assert "R010 would permit role marketing_sender instead of support_agent" in near.stdout
    wrong = sayso("policy", "explain", "--data", data_dir, "--client", "nobody", *asked)
    assert wrong.returncode == 2
    assert "No client of this name" in wrong.stderr
