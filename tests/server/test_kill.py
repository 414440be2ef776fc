"""A server killed in the middle of its work: what it answered is there, once."""

import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server.processes import Server, initialised, sayso, serving
from tests.server.worlds import MANIFEST

WRITERS = 4


def write(server: Server, key: str, name: str, answered: list[dict[str, Any]]) -> None:
    """Record for ever new people until the server is gone; keep what was answered."""
    number = 0
    with server.client(key) as client:
        while True:
            number += 1
            body = {
                "subject": {"identifier": {"type": "customer_id", "value": f"{name}-{number}"}},
                "notice": "web",
                "notice_version": 1,
                "locale": "en",
                "choices": {"marketing.email": "granted"},
            }
            try:
                response = client.post("/v1/consents", json=body)
            except httpx.TransportError:
                return
            if response.status_code == 201:
                answered.append(response.json())


@pytest.mark.slow
def test_every_acknowledged_record_outlives_a_kill_with_its_entry_and_only_once(data_dir: Path, tmp_path: Path) -> None:
    admin = initialised(data_dir)
    assert sayso("apply", MANIFEST, "--data", data_dir).returncode == 0
    answered: list[dict[str, Any]] = []
    for round_ in range(3):
        with serving(data_dir) as server:
            threads = [
                threading.Thread(target=write, args=(server, admin, f"{round_}-{number}", answered))
                for number in range(WRITERS)
            ]
            for thread in threads:
                thread.start()
            time.sleep(1.0)
            server.kill()
            for thread in threads:
                thread.join()
    assert len(answered) > 20
    with serving(data_dir) as server, server.client(admin) as client:
        for record in answered:
            history = client.get(f"/v1/subjects/{record['subject']}/history").json()
            assert [item["record"] for item in history["items"]] == [record["record"]]
            assert client.get(f"/v1/audit/entries/{record['entry']}").status_code == 200
        out = tmp_path / "log"
        assert sayso("audit", "export", "--data", data_dir, "--out", out).returncode == 0
    assert sayso("audit", "verify", out).returncode == 0
