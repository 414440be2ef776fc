"""A restore that dies where it writes down its settings."""

import shutil
from pathlib import Path

from tests.server.processes import initialised, sayso


def test_a_restore_that_cannot_keep_its_settings_is_done_again(data_dir: Path) -> None:
    initialised(data_dir)
    out, tables = data_dir.with_name("out"), data_dir.with_name("tables")
    done = sayso("backup", "--data", data_dir, "--out", out, "--key-tables", tables)
    assert done.returncode == 0, done.stderr
    shutil.rmtree(data_dir)
    # Where the file of settings is written first.
    in_its_way = data_dir / "sayso.new"
    in_its_way.mkdir(parents=True)
    words = ("restore", out, "--key-tables", tables, "--data", data_dir)
    assert sayso(*words).returncode != 0
    assert not (data_dir / "sayso.toml").exists()
    in_its_way.rmdir()
    again = sayso(*words)
    assert again.returncode == 0, again.stderr + again.stdout
    assert (data_dir / "sayso.toml").exists()
