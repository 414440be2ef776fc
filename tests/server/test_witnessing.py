"""Two installations that witness each other's logs, and a log key that is rotated meanwhile."""

import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from audit import (
    Answer,
    Checkpoint,
    Directory,
    LogForked,
    Publisher,
    Quorum,
    VerifierKey,
    Witnessing,
    WitnessKey,
    open_checkpoint,
    verify,
)
from audit.tlog.quorum import Witness
from audit.witnesses.witness import SIZE_TYPE
from sayso.kernel import Invalid
from sayso.server.app import assemble, running
from sayso.server.settings import Settings
from sayso.server.wiring import wire
from tests.server.worlds import World, a_world, settings_for

SOMEBODY = {"identifier": {"type": "customer_id", "value": "c-77"}, "create": True}


@asynccontextmanager
async def again(folder: Path, url: str, key: str, **more: Any) -> AsyncIterator[World]:
    """An installation that was stopped, with other settings."""
    services = wire(settings_for(folder, url, **more))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running(services))
        yield await World(services, assemble(services), stack, key).enter()


def signers(oracle: Path, note: Path, *keys: str) -> list[str]:
    """Who signed a note, as x/mod's note package sees it."""
    return subprocess.run([oracle, "cosigned", note, *keys], capture_output=True, text=True, check=True).stdout.split()


async def test_two_installations_witness_each_other(tmp_path: Path, sqlite_url: str, oracle: Path) -> None:
    url = f"sqlite:///{shutil.copyfile(tmp_path / 'sayso.db', tmp_path / 'other.db')}"
    other, here, logs, policy = (tmp_path / name for name in ("other", "here", "logs", "policy"))
    other.mkdir()
    here.mkdir()
    async with a_world(other, url) as world:
        admin, witness = world.admin_key, (await world.nobody.get("/witness/vkey")).text.strip()
    policy.write_text(f"witness w {witness} http://witness.example/witness\nquorum w\n")
    async with a_world(here, sqlite_url, witness_policy=str(policy), witness_every=600) as ours:
        await ours.services.settle()
        vkey = (await ours.admin.get("/v1/audit/logs")).json()["logs"][0]["vkey"]
        assert (await ours.nobody.get("/log/default.main/checkpoint.witnessed")).status_code == 404
        logs.write_text(vkey + "\n")
        async with again(other, url, admin, witness_logs=str(logs)) as theirs:
            ours.services.witnesses._client = httpx.AsyncClient(transport=httpx.ASGITransport(theirs.app))  # type: ignore[arg-type]
            await ours.smallest()
            made = (await ours.choose(await ours.person())).json()
            auditor = await ours.key("auditor", "auditor")
            answer = await auditor.get(f"/v1/audit/entries/{made['entry']}/proof?wait=witnessed")
            assert answer.status_code == 200, answer.text

            # The proof bears both names; our verifier, the one-file verifier and x/mod's agree.
            receipt = tmp_path / "receipt"
            receipt.write_bytes(answer.content)
            trust = tmp_path / "trust.json"
            trust.write_bytes((await auditor.get("/v1/audit/keys")).content)
            verdict = verify(receipt, trust)
            assert verdict.code == 0, verdict.report
            note = tmp_path / "note"
            note.write_bytes((await ours.nobody.get("/log/default.main/checkpoint.witnessed")).content)
            assert signers(oracle, note, vkey, witness) == [vkey.split("+")[0], witness.split("+")[0]]

            # The witness shows what it cosigned, and takes nothing of logs that nobody named.
            name = sha256(vkey.split("+")[0].encode()).hexdigest()
            shown = await theirs.nobody.get(f"/witness/{name}/checkpoint")
            assert open_checkpoint(shown.content, [VerifierKey.parse(vkey)]).size > 0
            assert (await theirs.nobody.get("/witness/00/checkpoint")).status_code == 404
            for body, status in ((b"", 400), (b"old 0\n\n" + note.read_bytes(), 409)):
                assert (await theirs.nobody.post("/witness/add-checkpoint", content=body)).status_code == status
            refused = await ours.nobody.post("/witness/add-checkpoint", content=b"old 0\n\n" + note.read_bytes())
            assert refused.status_code == 404
            stale = await theirs.nobody.post("/witness/add-checkpoint", content=b"old 0\n\n" + note.read_bytes())
            assert stale.headers["content-type"] == "text/x.tlog.size"


async def test_what_a_witness_refused_stops_the_log_when_our_own_key_signed_it(lite: World, tmp_path: Path) -> None:
    """Somebody has our key and shows the witness another history."""
    await lite.smallest()
    await lite.services.settle()
    (vkey,) = (await lite.admin.get("/v1/audit/keys")).json()["vkeys"]
    key, keyring = VerifierKey.parse(vkey), lite.services.keyring
    forged = Checkpoint(key.name, 5, bytes(32)).sign(key, lambda text: keyring.sign("default", "log", text))
    witness = Witness("w", WitnessKey("w.example", bytes(32)), "http://w.example")
    shown = Answer(200, forged)

    async def submit(address: str, body: bytes | None) -> Answer | None:
        return Answer(409, b"5\n", SIZE_TYPE) if body is not None else shown

    witnesses = lite.services.witnesses
    witnesses.witnessing = Witnessing(Quorum((), (witness,), {}, "w"), submit)
    shown = Answer(200, b"a bare word")
    await witnesses.round()
    await lite.services.integrate()
    shown = Answer(200, forged)
    await witnesses.round()
    with pytest.raises(LogForked, match="what a witness cosigned"):
        await lite.services.integrate()
    assert (await lite.admin.post("/v1/subjects/resolve", json=SOMEBODY)).status_code == 503


@pytest.mark.parametrize("memory", ["witnesses", "publishing"])
async def test_a_database_that_lost_its_log_does_not_begin_it_anew(lite: World, tmp_path: Path, memory: str) -> None:
    """The rest of the database, its keys too, came back from a backup of before the log's first entry."""
    services = lite.services
    origin = f"{services.settings.log_origin}/log/default.lost"
    key = VerifierKey(origin, services.keyring.public_key("default", "log"))
    note = Checkpoint(origin, 5, bytes(32)).sign(key, lambda text: services.keyring.sign("default", "log", text))

    async def submit(address: str, body: bytes | None) -> Answer | None:
        return Answer(200, note)

    witness = Witness("w", WitnessKey("w.example", bytes(32)), "http://w.example")
    services.witnesses.witnessing = Witnessing(Quorum((), (witness,), {}, "w"), submit)
    shelf = tmp_path / "shelf" / "default.lost"
    shelf.mkdir(parents=True)
    (shelf / "checkpoint").write_bytes(note)
    services.publishing._publisher = Publisher(Directory(shelf.parent), services.audit.observed, entries=False)
    head = await getattr(services, memory)._remembered("default", "lost")
    assert head is not None
    assert (head.size, head.root) == (5, bytes(32))


async def test_without_witnesses_nobody_waits_long_for_them(lite: World) -> None:
    await lite.smallest()
    made = (await lite.choose(await lite.person())).json()
    auditor = await lite.key("auditor", "auditor")
    answer = await auditor.get(f"/v1/audit/entries/{made['entry']}/proof?wait=witnessed")
    assert (answer.status_code, answer.json()["type"]) == (409, "/docs/problems#not-witnessed")


async def test_a_log_key_is_rotated_with_overlap(lite: World, tmp_path: Path) -> None:
    await lite.services.settle()
    (old,) = (await lite.admin.get("/v1/audit/keys")).json()["vkeys"]
    for after in ("PT0S", "soon"):
        assert (await lite.admin.post("/v1/audit/keys/rotations", json={"after": after})).status_code == 400
    officer = await lite.key("officer", "officer")
    assert (await officer.post("/v1/audit/keys/rotations", json={})).status_code == 403
    made = await lite.admin.post("/v1/audit/keys/rotations", json={"after": "PT1H"})
    assert made.status_code == 201, made.text
    assert (await lite.admin.post("/v1/audit/keys/rotations", json={})).status_code == 409
    await lite.services.settle()
    new, same = (await lite.admin.get("/v1/audit/keys")).json()["vkeys"]
    assert same == old
    note = (await lite.nobody.get("/log/default.main/checkpoint")).content
    for key in (old, new):
        assert open_checkpoint(note, [VerifierKey.parse(key)]).size > 0
    await lite.services.audit.export(lite.services.database, "default", tmp_path / "out")
    for index, keys in enumerate(([old], [new], [old, new])):
        (tmp_path / f"trust-{index}").write_text("".join(f"{key}\n" for key in keys))
        verdict = verify(tmp_path / "out", tmp_path / f"trust-{index}")
        assert verdict.code == 0, verdict.report


def test_a_policy_or_a_list_of_logs_that_cannot_be_used_stops_the_start(tmp_path: Path) -> None:
    from vault import SealedFile

    (tmp_path / "policy").write_text("quorum nobody\n")
    for more in (
        {"witness_policy": str(tmp_path / "policy")},
        {"witness_policy": str(tmp_path / "none")},
        {"witness_logs": str(tmp_path / "policy")},
    ):
        settings: Settings = settings_for(tmp_path, "sqlite:////unused", **more)
        if not settings.key_folder.exists():
            SealedFile.create(settings.key_folder, None)
        with pytest.raises(Invalid, match="cannot be used"):
            wire(settings)
