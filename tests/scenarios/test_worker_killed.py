"""A worker that is killed while it deletes: whoever comes next finishes, and nothing was deleted twice."""

import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.builders.served import Served, program

PEOPLE = 60
CLOCKS_APART_S = 10


@pytest.mark.slow
def test_a_killed_workers_deletions_are_finished_by_the_next_and_none_is_done_twice(
    served: Served, tmp_path: Path
) -> None:
    terms = tmp_path / "terms.yaml"
    terms.write_text("data_ends: {grace: PT1S}\n")
    served.apply(terms)
    with served.admin as admin:
        people = [stored(admin, f"c-{number}") for number in range(PEOPLE)]
    served.stop()
    time.sleep(CLOCKS_APART_S + 2)
    for delay in (0.05, 0.1, 0.2):
        kill_a_worker(served, tmp_path / "worker.log", delay)
    served.at("worker", "--once")

    served.start()
    with served.admin as admin:
        for subject in people:
            assert admin.get(f"/v1/subjects/{subject}/data-ends").json()["categories"] == {}
        preview = admin.get("/v1/data-ends", params={"before": "2100-01-01T00:00:00Z"}).json()
        assert (preview["people"], preview["calendar"]) == (0, 1.0)
        assert all("failures" not in each for each in admin.get("/v1/jobs").json()["jobs"])
    until = time.monotonic() + 60
    while (deleted := Counter(entry["type"] for entry in served.entries(limit=200)))["vault.record.expired"] < PEOPLE:
        assert time.monotonic() < until, "what the worker wrote is not in the log"
        time.sleep(0.2)
    assert deleted["vault.record.expired"] == PEOPLE
    served.at("audit", "export", "--out", str(tmp_path / "log"))
    served.sayso("audit", "verify", str(tmp_path / "log"))


def stored(admin: httpx.Client, customer: str) -> str:
    """A person with an address in the vault, for which no purpose is live."""
    body = {"identifier": {"type": "customer_id", "value": customer}, "create": True}
    subject: str = admin.post("/v1/subjects/resolve", json=body).json()["subject"]
    record = {"subject": subject, "collection": "customers", "fields": {"email": f"{customer}@example.com"}}
    response = admin.post("/v1/vault/records", json=record)
    assert response.status_code == 201, response.text
    return subject


def kill_a_worker(served: Served, log: Path, delay: float) -> None:
    """Start a worker, let it begin, and kill it as a power cut would."""
    with log.open("wb") as stream:
        process = subprocess.Popen([program(), "worker", "--data", str(served.data)], stderr=stream)
    until = time.monotonic() + 60
    while b'"working"' not in log.read_bytes():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < until
        time.sleep(0.01)
    # Its loops look for work a second after it began.
    time.sleep(1 + delay)
    process.send_signal(signal.SIGKILL)
    process.wait(60)
