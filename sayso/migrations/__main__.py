"""`python -m sayso.migrations "what changes"` writes the next revision: the packages' tables against the newest one.

Read what it wrote: it is a draft. A revision is only ever added; one that a release contained is never edited.
"""

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.script import Script, ScriptDirectory

from sayso.migrations.runner import configuration, every_table, upgrade, with_connection


def write_revision(message: str) -> None:
    """Write `versions/NNNN_message.py` from the difference between the metadata and the newest revision."""
    known = list(ScriptDirectory.from_config(configuration()).walk_revisions())
    number = f"{len(known) + 1:04}"
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'now.db'}"
        upgrade(url)
        written = with_connection(
            url,
            lambda connection: command.revision(
                configuration(connection, every_table()), message, autogenerate=True, rev_id=number
            ),
        )
    if not isinstance(written, Script):
        raise TypeError("one revision was asked for")
    path = Path(written.path)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("    # ###")))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit('usage: python -m sayso.migrations "what changes"')
    write_revision(sys.argv[1])
