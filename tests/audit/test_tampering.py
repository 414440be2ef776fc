"""Whoever may write to the database changes no published byte of the log unnoticed: the node that starts on it signs
nothing, or the verifier finds it in what is exported.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from audit import ExportRefused, LogForked, print_trust, verify
from audit.tlog.note import SignatureInvalid
from audit.tlog.strict import Malformed
from tests.audit.builders import TENANT, Opened, Store

PUBLISHED = [
    ("audit_bundle", "entries"),
    ("audit_tile", "hashes"),
    ("audit_checkpoint", "note"),
    ("audit_checkpoint", "root"),
    ("audit_tree", "root"),
]


@pytest.mark.parametrize(("table", "column"), PUBLISHED)
async def test_a_byte_changed_in_a_table_is_found(table: str, column: str, sqlite_url: str, tmp_path: Path) -> None:
    async with Opened(sqlite_url, tmp_path / "anchor") as store:
        await store.fill(300)
        await store.log.drain(store.database, TENANT)
        trust = tmp_path / "trust.json"
        trust.write_bytes(print_trust(await store.look(store.log.keys), ()))
        assert await found(store, tmp_path / "sound", trust) == ""
        with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as raw:
            # Who may write may also drop what keeps us from it.
            raw.execute("DROP TRIGGER audit_checkpoint_no_update")
            rows = raw.execute(f"SELECT rowid, {column} FROM {table} WHERE log = 'main'").fetchall()
            assert rows
            for row, value in rows:
                for place in (0, len(value) // 2, len(value) - 1):
                    changed = value[:place] + bytes([value[place] ^ 1]) + value[place + 1 :]
                    raw.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (changed, row))
                    assert await found(store, tmp_path / f"{row}-{place}", trust), (row, place)
                    raw.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (value, row))
        assert await found(store, tmp_path / "again", trust) == ""


async def found(store: Store, out: Path, trust: Path) -> str:
    """What a node that starts now, or else the verifier, has against the log; nothing of a sound one."""
    node = store.another_node(out.parent / "anchor")
    try:
        await node.integrate(store.database, TENANT)
        await node.export(store.database, TENANT, out)
    except (LogForked, ExportRefused, Malformed, SignatureInvalid) as error:
        return repr(error)
    verdict = verify(out, trust)
    return "" if verdict.code == 0 else verdict.report
