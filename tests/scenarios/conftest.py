"""A served installation on each engine: real processes, real sockets."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.served import Served

MANIFEST = Path(__file__).parent.parent / "server" / "manifest.yaml"


@pytest.fixture(params=["sqlite", "postgres"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    """The contract's smallest manifest, served."""
    database = request.getfixturevalue("postgres_url") if request.param == "postgres" else None
    with Served(tmp_path, database) as served:
        served.apply(MANIFEST)
        yield served
