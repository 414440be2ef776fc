"""What a run of the tests kept in memory goes with it, or with the next run when it was killed."""

import os
from pathlib import Path

from tests.conftest import held, sweep


def test_what_a_killed_run_left_goes_and_what_another_run_uses_stays(tmp_path: Path) -> None:
    left, used, foreign = (tmp_path / name for name in ("sayso-run-left", "sayso-run-used", "else"))
    for each in (left, used, foreign):
        (each / "data").mkdir(parents=True)
    lock = held(used)
    sweep(tmp_path)
    assert sorted(tmp_path.iterdir()) == [foreign, used]
    os.close(lock)
    sweep(tmp_path)
    assert sorted(tmp_path.iterdir()) == [foreign]
