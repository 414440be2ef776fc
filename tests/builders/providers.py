"""Real providers of root keys: a SoftHSM2 token, an OpenBao server, and KMS as moto plays it."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.builders.served import free_port

_MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")
PIN = "a-pin-for-tests"
TOKEN = "a-root-token-for-tests"


@contextmanager
def softhsm(folder: Path) -> Iterator[dict[str, str]]:
    """A fresh token; the settings of the provider `pkcs11`. SoftHSM finds its folder by an environment variable, once
    for the life of a process: so all tests of one have one folder, and tokens of their own.
    """
    module = next((path for path in _MODULES if Path(path).exists()), None)
    tool = shutil.which("softhsm2-util")
    if module is None or tool is None:
        pytest.fail("Install softhsm2 (make test does so where it may).")
    tokens = folder / "tokens"
    tokens.mkdir(exist_ok=True)
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    label = f"sayso-{time.monotonic_ns()}"
    subprocess.run(
        [tool, "--init-token", "--free", "--label", label, "--so-pin", "1234", "--pin", PIN],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    pin = folder / f"{label}.pin"
    pin.write_text(PIN + "\n")
    yield {"module": module, "token": label, "pin_file": str(pin)}


class Bao:
    """An OpenBao server in development mode on this machine, with its transit engine. It can be stopped and frozen."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._headers = {"x-vault-token": TOKEN}
        self.token_file = folder / "bao.token"
        self.token_file.write_text(TOKEN + "\n")
        self.process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        binary = Path(sys.executable).with_name("bao")
        arguments = ["server", "-dev", f"-dev-root-token-id={TOKEN}", "-dev-no-store-token"]
        process = subprocess.Popen(
            [str(binary), *arguments, f"-dev-listen-address=127.0.0.1:{self.port}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.defpath, "HOME": str(self.folder)},
        )
        until = time.monotonic() + 60
        while True:
            try:
                if httpx.get(f"{self.address}/v1/sys/health").status_code == 200:
                    break
            except httpx.HTTPError:
                pass
            if time.monotonic() > until or process.poll() is not None:
                raise RuntimeError("OpenBao does not start")
            time.sleep(0.05)
        httpx.post(f"{self.address}/v1/sys/mounts/transit", json={"type": "transit"}, headers=self._headers)
        return process

    @property
    def settings(self) -> dict[str, str]:
        return {"address": self.address, "token_file": str(self.token_file)}

    def seal(self) -> None:
        """Sealed: it answers, and does nothing until it is unsealed."""
        httpx.put(f"{self.address}/v1/sys/seal", headers=self._headers).raise_for_status()

    def key_names(self) -> list[str]:
        answer = httpx.request("LIST", f"{self.address}/v1/transit/keys", headers=self._headers)
        return answer.json()["data"]["keys"] if answer.status_code == 200 else []

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@contextmanager
def openbao(folder: Path) -> Iterator[Bao]:
    server = Bao(folder)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def kms() -> Iterator[dict[str, str]]:
    """The settings of the provider `aws-kms`, answered by moto in this process."""
    from moto import mock_aws

    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "testing"))
    try:
        with mock_aws():
            yield {"region": "eu-west-1"}
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
