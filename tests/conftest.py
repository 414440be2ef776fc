"""Fixtures of every test: a data folder, and a migrated database on each of the two engines.

Time is frozen with `freeze_time(moment, real_asyncio=True)`: without that flag an event loop never wakes from a sleep.
freezegun moves the monotonic clock, too, which no setting of a machine's clock does: how long entries wait for the
integrator is left out of it, or they have waited for years where a test goes on by years.
"""

import contextlib
import fcntl
import itertools
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import freezegun
import pytest
from hypothesis import HealthCheck, settings

from sayso.migrations import upgrade
from tests.builders.mariadb import MariaServer
from tests.builders.oracle import build
from tests.builders.postgres import PostgresServer

freezegun.configure(extend_ignore_list=["audit.tree.pressure"])

_CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_numbers = itertools.count(1)

_MEMORY, _MEMORY_BYTES = "/dev/shm", 4 << 30
_OURS = "sayso-run-"
_memory = pytest.StashKey[tuple[Path, int]]()
_kept = pytest.StashKey[bool]()


def pytest_configure(config: pytest.Config) -> None:
    """What makes a run of all tests take half as long, and changes nothing that a test looks at."""
    # Some shells forbid it: then each program that a test starts compiles a thousand files anew, two seconds of a core.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    if "TMPDIR" not in os.environ and _roomy():
        sweep(Path(_MEMORY))
        folder = Path(tempfile.mkdtemp(prefix=_OURS, dir=_MEMORY))
        # The databases run as another user where the tests run as root.
        folder.chmod(0o711)
        config.stash[_memory] = folder, held(folder)
        os.environ["TMPDIR"] = str(folder)
        tempfile.tempdir = None
        # Short: the path of a socket in a test's folder may have 103 bytes.
        config.option.basetemp = config.option.basetemp or str(folder / "t")


# Their outcome hangs on the time of other processes too: a browser, a cluster, servers that are killed.
_BESIDE_OTHERS = ("clients", "faces", "scenarios", "server")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A walk beside other processes that fails is walked once more, and the summary tells (decision 0037)."""
    for item in items:
        if item.path.relative_to(config.rootpath / "tests").parts[0] in _BESIDE_OTHERS:
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """What failed may be looked at until the next run."""
    if exitstatus:
        session.config.stash.setdefault(_kept, True)


def pytest_unconfigure(config: pytest.Config) -> None:
    if _memory in config.stash:
        folder, lock = config.stash[_memory]
        os.close(lock)
        del os.environ["TMPDIR"]
        tempfile.tempdir = None
        if _kept not in config.stash:
            shutil.rmtree(folder, ignore_errors=True)


def held(folder: Path) -> int:
    """A lock on it that ends with this process, however it ends; raises `BlockingIOError` while another run has it."""
    place = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(place)
        raise
    return place


def sweep(place: Path) -> None:
    """Give back the memory of runs that were killed. Their PostgreSQL ends by itself once its folder is gone."""
    for folder in place.glob(f"{_OURS}*"):
        with contextlib.suppress(OSError):
            os.close(held(folder))
            shutil.rmtree(folder, ignore_errors=True)


def _roomy() -> bool:
    """Whether what tests write may stay in memory: both databases wait for the disk at each commit, for nothing that is
    tested. Not where nothing may run from there, as tests build programs.
    """
    if not os.access(_MEMORY, os.W_OK):
        return False
    room = os.statvfs(_MEMORY)
    return room.f_bavail * room.f_frsize >= _MEMORY_BYTES and not room.f_flag & os.ST_NOEXEC


# How long an example takes, or takes to make, says something about the machine, not about the code. Every run tries the
# same examples, so that a change is refused for what it does and not for what another run would have found as well;
# `make thorough` looks among others.
_PATIENT = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("sayso", derandomize=True, **_PATIENT)
settings.register_profile("searching", max_examples=300, **_PATIENT)
settings.load_profile("sayso")


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """Where a store may be created: the folder itself does not exist yet, its parent does."""
    return tmp_path / "data"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for the session (for each xdist worker its own), with the migrated database `template_sayso`."""
    with PostgresServer() as server:
        upgrade(server.create("template_sayso"))
        yield server


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariaServer]:
    """One MariaDB for the session, as a customer's database: Sayso itself does not run on it."""
    with MariaServer() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    """A migrated, empty PostgreSQL database of this test's own."""
    name = f"test_{next(_numbers)}"
    yield postgres_server.create(name, template="template_sayso")
    postgres_server.drop(name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated, empty SQLite database of this test's own."""
    path = tmp_path / "sayso.db"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated, empty database: the test runs once on each engine."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


def chromium_path() -> str | None:
    """The machine's Chromium, or the one that `CHROMIUM` names."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _CHROMIUM_NAMES)), None)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium. `make test` provides one; a bare pytest run without it fails with what to install."""
    named = chromium_path()
    if named is None:
        pytest.fail("Install Chromium, or set CHROMIUM to its path (make test does so where it may).")
    return named


@pytest.fixture(scope="session")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program of another implementation that checks an exported log."""
    return build(tmp_path_factory.mktemp("oracle"))
