"""A real MariaDB for one test session: unix socket only, a fresh folder under the system's temporary one.

The server program alone is needed (Debian: `mariadb-server-core`). It starts on an empty folder without tables of
accounts, in half a second: what accounts may do is not what is tested here.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import NullPool, create_engine, text

_PATIENCE_S = 60
_FIXED = (
    "--no-defaults",
    "--skip-grant-tables",
    "--skip-networking",
    "--innodb-buffer-pool-size=16M",
    "--innodb-log-file-size=4M",
    "--innodb-data-file-path=ibdata1:10M:autoextend",
    "--innodb-temp-data-file-path=ibtmp1:5M:autoextend",
)
"""Twenty megabytes instead of eighty: the folder may lie in memory."""


class MariaServer:
    """A running server. `with MariaServer() as server: server.create("one")` gives the URL of a new database."""

    def __init__(self) -> None:
        program = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin:/usr/local/sbin")
        if program is None:
            raise RuntimeError("Install MariaDB's server program: the package mariadb-server-core.")
        self._program = program
        self.folder = Path(tempfile.mkdtemp(prefix="sayso-my-"))
        self._socket = self.folder / "socket"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        data = self.folder / "data"
        data.mkdir()
        user = pwd.getpwuid(os.geteuid()).pw_name
        own = (f"--datadir={data}", f"--socket={self._socket}", f"--user={user}", f"--tmpdir={self.folder}")
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen([self._program, *_FIXED, *own], stdout=log, stderr=log)
        until = time.monotonic() + _PATIENCE_S
        while not self._socket.exists():
            if self._process.poll() is not None or time.monotonic() > until:
                said = (self.folder / "log").read_text("utf-8", "replace")
                self.close()
                raise RuntimeError(f"mariadbd did not start: {said[-2000:]}")
            time.sleep(0.02)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop the server and remove its folder."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(_PATIENCE_S)
        shutil.rmtree(self.folder, ignore_errors=True)

    def create(self, name: str) -> str:
        """A new database, in the place of one of this name; its SQLAlchemy URL."""
        engine = create_engine(self.url(""), poolclass=NullPool)
        with engine.connect() as connection:
            connection.execute(text(f"CREATE OR REPLACE DATABASE `{name}`"))
        return self.url(name)

    def url(self, name: str) -> str:
        """The SQLAlchemy URL of a database on this server."""
        return f"mariadb+pymysql://root@/{name}?unix_socket={self._socket}"
