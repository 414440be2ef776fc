"""What is kept of a deletion request of the IAB's framework, so that none is taken twice."""

import json
from hashlib import sha256
from pathlib import Path

from sqlalchemy import select

from sayso.kernel import SYSTEM, Context, Tx, Work, new_id, now
from sayso.server.taken.tables import taken
from tests.server.test_iab import asked, identity, ready
from tests.server.worlds import a_world


async def test_what_is_remembered_of_a_request_bears_out_no_guess(tmp_path: Path, sqlite_url: str) -> None:
    # Who took the tables knows the publisher, counts its numbers and has a list of addresses.
    guesses = [
        ("request", "publisher.example", "1"),
        ("origin", "publisher.example", "1", "email", "plain", "lin@example.com"),
    ]
    async with a_world(tmp_path, sqlite_url) as world:
        deleting = await ready(world)
        assert (await deleting.bring(asked(jti="1", idJWT=identity(jti="1")))).status_code == 202
        digests = await deleting.services.database.look(Context("default", SYSTEM, now(), new_id("req")), _kept)
    assert len(digests) == len(guesses)
    compact = (json.dumps(guess, separators=(",", ":")).encode() for guess in guesses)
    assert not digests & {sha256(b"sayso.iab.v1\0" + each).digest() for each in compact}


def _kept(tx: Tx) -> Work[set[bytes]]:
    (rows,) = yield (tx.select(select(taken.c.digest)),)
    return {bytes(digest) for (digest,) in rows}
