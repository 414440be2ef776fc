"""The demo brand: there at once, with a past, and the same again on another port."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.builders.served import free_port
from tests.server.processes import PATIENCE_S, sayso


def demo(data: Path, port: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sayso", "demo", "--data", str(data), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True)
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        assert process.poll() is None
        try:
            if httpx.get(f"http://127.0.0.1:{port}/health/ready", timeout=1).status_code == 200:
                return process
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("the demo does not start")


@pytest.mark.slow
def test_the_demo_has_a_past_and_pages_with_content(data_dir: Path, tmp_path: Path) -> None:
    for _ in range(2):
        port = free_port()
        process = demo(data_dir, port)
        try:
            keys = json.loads((data_dir.with_name("data.keys") / "demo-keys.json").read_text())
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
                assert "banner.js" in client.get("/demo/").text
                letters = {"email": "arabic@example.org", "news": "on"}
                signed_up = client.post("/demo/signup", data=letters, headers={"accept-language": "ar"})
                assert signed_up.status_code == 200, "its notice is not in Arabic"
                assert "tok_" in signed_up.text
                banner = client.get("/v1/sites/shop/banner.json", headers={"origin": f"http://127.0.0.1:{port}"})
                assert banner.headers["access-control-allow-origin"] == f"http://127.0.0.1:{port}"
                officer = {"authorization": f"Bearer {keys['admin']}"}
                assert client.get("/v1/audit/logs", headers=officer).json()["logs"][0]["size"] > 1000
                shop = {"authorization": f"Bearer {keys['shop']}"}
                resolve = {"identifier": {"type": "email", "value": "new@example.org"}, "create": True}
                assert client.post("/v1/subjects/resolve", json=resolve, headers=shop).status_code == 200
        finally:
            os.kill(process.pid, signal.SIGTERM)
            assert process.wait(PATIENCE_S) == 0
    out = tmp_path / "log"
    assert sayso("audit", "export", "--data", data_dir, "--out", out).returncode == 0
    assert sayso("audit", "verify", out).returncode == 0


def test_the_demo_leaves_another_store_alone(data_dir: Path) -> None:
    assert sayso("init", "--data", data_dir).returncode == 0
    refused = sayso("demo", "--data", data_dir, "--port", "0")
    assert refused.returncode == 1
    assert "not the demo's" in refused.stderr
