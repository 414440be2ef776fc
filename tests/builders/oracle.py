"""The second implementation that checks our log: golang.org/x/mod's note and tlog, in a small Go program."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "audit" / "oracle"
GOPATH = Path("/usr/share/gocode")


def build(folder: Path) -> Path:
    """The checker, built without network from Debian's golang-golang-x-mod-dev. Ends with 0 when a folder holds."""
    if shutil.which("go") is None or not (GOPATH / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        pytest.fail("Install golang-go and golang-golang-x-mod-dev (make test does so where it may).")
    built = folder / "oracle"
    # Go compiles its own library too, for half a minute of a core, and keeps that in the caller's cache: two processes
    # of one test run do it one after the other, so that the second finds it done.
    with (SOURCE / "main.go").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run(
            ["go", "build", "-o", str(built), "."],
            cwd=SOURCE,
            env=os.environ | {"GOFLAGS": "", "CGO_ENABLED": "0", "GO111MODULE": "off", "GOPATH": str(GOPATH)},
            check=True,
            timeout=600,
        )
    return built
