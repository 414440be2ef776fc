"""An upgrade that is killed, whatever it was about to do: the store stands at a revision, whole; the next goes on."""

import multiprocessing
import os
import signal
from pathlib import Path

import pytest
import sqlalchemy as sa

from sayso.migrations import NewerStore, current, known, newest, runner, upgrade, with_connection

LATER = Path(__file__).parent / "later"
_configuration = runner.configuration


def with_later_releases(*words: object, **more: object) -> object:
    """Alembic's configuration of a program that knows two revisions more."""
    config = _configuration(*words, **more)  # type: ignore[arg-type]
    known_here = Path(runner.__file__).parent / "versions"
    config.set_main_option("version_locations", os.pathsep.join(map(str, (known_here, LATER))))
    return config


def upgraded(url: str, statements: int) -> None:
    """Upgrade, and die like by a power cut before the statement of this number."""
    seen = 0

    def count(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen > statements:
            os.kill(os.getpid(), signal.SIGKILL)

    sa.event.listen(sa.Engine, "before_cursor_execute", count)
    runner.configuration = with_later_releases  # type: ignore[assignment]
    upgrade(url)


def brands(url: str) -> list[str]:
    def look(connection: sa.Connection) -> list[str]:
        return list(connection.scalars(sa.text("SELECT name FROM server_tenant")))

    return with_connection(url, look)


def test_killed_before_any_statement_it_is_run_again_and_loses_nothing(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(connection: sa.Connection) -> None:
        row = "INSERT INTO server_tenant (tenant, name, controller, region, created) VALUES ('_', 'tea', 'x', 'eu', 1)"
        connection.execute(sa.text(row))
        connection.commit()

    with_connection(database_url, fill)
    context = multiprocessing.get_context("fork")
    stood, deaths = set(), 0
    for statements in range(200):
        child = context.Process(target=upgraded, args=(database_url, statements))
        child.start()
        child.join(120)
        stood.add(current(database_url))
        assert brands(database_url) == ["tea"]
        if child.exitcode == 0:
            break
        assert child.exitcode == -signal.SIGKILL
        deaths += 1
    now = newest()
    assert stood == {now, "later_1", "later_2"}
    assert deaths > 5

    # The program of this release does not know those revisions: it touches nothing of such a store.
    assert not known("later_2")
    with pytest.raises(NewerStore):
        upgrade(database_url)
    assert current(database_url) == "later_2"
    monkeypatch.setattr(runner, "configuration", with_later_releases)
    upgrade(database_url)
    assert current(database_url) == newest() == "later_2"
