"""The walls of the house: who may import whom, who may mint a permit, where SQL stands, what the repository holds."""

import ast
import subprocess
import sys
from importlib.metadata import distributions, packages_distributions
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.source import PACKAGES, ROOT, called_name, imported_modules, parsed, python_files

OURS = [name for name in PACKAGES if (ROOT / name).is_dir()]
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "core", "manager", "managers", "misc"}
DATABASE_LIBRARIES = {"sqlalchemy", "sqlite3", "asyncpg", "alembic"}
LONGEST_FILE = 400
ONE_FILE = Path("audit/offline/sayso_verify.py")
"""Handed to auditors by itself, so it may not be cut into several (decision 0020)."""


def run_tool(*command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_every_import_goes_downwards() -> None:
    script = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([script, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_types_hold() -> None:
    run_tool("mypy")


def test_style_holds() -> None:
    run_tool("ruff", "check", ".")
    run_tool("ruff", "format", "--check", ".")


def test_no_other_distribution_owns_our_names() -> None:
    # Two distributions with a package of one name overwrite each other without a word (pypa/pip #4625).
    owners = packages_distributions()
    others = {name: set(owners.get(name, ())) - {"sayso"} for name in OURS}
    assert not any(others.values()), others


def test_our_packages_come_from_one_place_and_shadow_nothing() -> None:
    roots = set()
    for name in OURS:
        assert name not in sys.stdlib_module_names
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None, f"{name} has no __init__.py"
        roots.add(Path(spec.origin).parent.parent)
    assert roots == {ROOT}


def test_the_stopped_distribution_named_casbin_is_not_installed() -> None:
    # `pycasbin` is the living one; both are imported as `casbin`.
    names = {distribution.name.lower() for distribution in distributions()}
    assert "pycasbin" in names
    assert "casbin" not in names


def test_only_policies_mints_permits() -> None:
    minting = {
        path
        for path in python_files()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and called_name(node) == "Permit"
    }
    assert minting, "nobody mints permits: this test has lost its object"
    assert {path.parts[0] for path in minting} == {"policies"}, minting


def test_sql_stands_only_in_stores_tables_and_the_kernel() -> None:
    for path in python_files():
        if path.name.endswith(("store.py", "tables.py")) or path.parts[:2] in (
            ("sayso", "kernel"),
            ("sayso", "migrations"),
        ):
            continue
        used = {module.partition(".")[0] for module in imported_modules(parsed(path))}
        assert not used & DATABASE_LIBRARIES, f"{path} imports {used & DATABASE_LIBRARIES}"


def test_packages_are_imported_by_their_root() -> None:
    for path in python_files():
        for module in imported_modules(parsed(path)):
            package, _, inner = module.partition(".")
            own = package == path.parts[0]
            if package in OURS and package != "sayso" and inner and not own:
                pytest.fail(f"{path} reaches into {module}")


def test_nothing_is_named_after_nothing() -> None:
    for path in python_files(*PACKAGES, "tests", "benchmarks", "clients"):
        assert not {part.removesuffix(".py") for part in path.parts} & BANNED_NAMES, path
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ClassDef):
                assert not node.name.endswith(("Manager", "Helper", "Utils", "Util")), f"{path}: {node.name}"


def test_files_are_one_idea_long() -> None:
    lengths = {
        path: len((ROOT / path).read_text("utf-8").splitlines())
        for path in python_files(*PACKAGES, "tests", "benchmarks", "clients")
        if "versions" not in path.parts and path != ONE_FILE
    }
    assert {path: length for path, length in lengths.items() if length > LONGEST_FILE} == {}


def test_every_package_and_every_room_in_it_says_what_it_is_for() -> None:
    rooms = [path for path in python_files() if path.name == "__init__.py" and path != Path("sayso/__init__.py")]
    assert {Path(name) / "__init__.py" for name in OURS if name != "sayso"} < set(rooms)
    assert [str(path) for path in rooms if not ast.get_docstring(parsed(path))] == []


def test_locks_carry_hashes_and_name_no_host() -> None:
    locks = sorted((ROOT / "requirements").glob("*.txt"))
    assert [lock.name for lock in locks] == ["dev.txt", "runtime.txt", "uv.txt"]
    for lock in locks:
        text = lock.read_text("utf-8")
        assert "://" not in text, f"{lock.name} names a host"
        pinned = [line for line in text.splitlines() if "==" in line and not line.startswith(" ")]
        assert pinned
        assert all(line.endswith("\\") for line in pinned), f"{lock.name}: a requirement without hashes"


def test_the_development_lock_holds_the_runtime_lock() -> None:
    runtime, dev = (
        {line for line in (ROOT / "requirements" / name).read_text("utf-8").splitlines() if "==" in line}
        for name in ("runtime.txt", "dev.txt")
    )
    assert runtime <= dev
