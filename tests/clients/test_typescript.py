"""`@sayso/sdk`: small, in step with its sources and the description, and right against a real server."""

import gzip
import hashlib
import importlib.util
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from playwright._impl._driver import compute_driver_executable

from tests.builders.served import Served
from tests.source import ROOT

SDK = ROOT / "clients" / "typescript"
MANIFEST = ROOT / "tests" / "server" / "manifest.yaml"


def node(*arguments: str, cwd: Path, **environment: str) -> None:
    program, _ = compute_driver_executable()
    done = subprocess.run(
        [program, *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        pytest.fail(done.stdout[-6000:] + done.stderr[-2000:])


def test_the_client_against_a_real_server(tmp_path: Path) -> None:
    with Served(tmp_path) as served:
        served.apply(MANIFEST)
        mailer = served.key("mailer", "marketing_sender")
        node(
            "--test",
            "tests/clients/sdk.test.mjs",
            cwd=ROOT,
            SAYSO_URL=served.url(""),
            SAYSO_KEY=served.admin_key,
            SAYSO_MAILER=mailer,
        )


def test_it_is_at_most_four_kilobytes_and_needs_nothing() -> None:
    built = (SDK / "dist" / "index.js").read_bytes()
    assert len(gzip.compress(built, 9)) <= 4_000
    assert not re.search(rb"\b(import|require)\s*[({\"']", built)
    assert '"dependencies"' not in (SDK / "package.json").read_text()


def test_what_is_committed_is_what_the_sources_give() -> None:
    """By the digest that the build left; by building again, recipes type-checked, where the toolchain is installed."""
    paths = ["build.mjs", "package-lock.json", "package.json", "tsconfig.json"]
    paths += [path.relative_to(SDK).as_posix() for folder in ("src", "recipes") for path in (SDK / folder).iterdir()]
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.encode() + b"\0" + hashlib.sha256((SDK / path).read_bytes()).digest())
    assert digest.hexdigest() == (SDK / "built.sha256").read_text().strip(), "run npm run build in clients/typescript"
    if (SDK / "node_modules" / "typescript").exists():
        node("build.mjs", "--check", cwd=SDK)


def test_its_types_are_those_of_the_description() -> None:
    spec = importlib.util.spec_from_file_location("write_types", SDK / "write_types.py")
    assert spec is not None
    assert spec.loader is not None
    writer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(writer)
    wanted = writer.generated(yaml.safe_load((ROOT / "openapi.yaml").read_text("utf-8")))
    assert (SDK / "src" / "types.ts").read_text("utf-8") == wanted, "python clients/typescript/write_types.py"


@pytest.mark.parametrize("recipe", ["react.tsx", "vue.ts", "server.ts"])
def test_the_guide_shows_the_recipes_that_were_checked(recipe: str) -> None:
    guide = (ROOT / "docs" / "guides" / "sdk.md").read_text("utf-8")
    assert (SDK / "recipes" / recipe).read_text("utf-8") in guide
