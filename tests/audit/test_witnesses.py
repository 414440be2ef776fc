"""Cosignatures, quorums, being a witness, having witnesses."""

import asyncio
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import AnchorUnusable, Answer, NotWitnessed, VerifierKey, Witnessing, WitnessKey, read_quorum
from audit.tables import audit_cosigned
from audit.tlog.checkpoint import Checkpoint, open_checkpoint
from audit.tlog.cosignature import cosign
from audit.tlog.merkle import EMPTY_ROOT, consistency_plan, leaf_hash, prove
from audit.tlog.note import SignatureInvalid, SignedNote
from audit.tlog.proof import TlogProof
from audit.tlog.strict import Malformed
from audit.tlog.tiles import TileReader, grow, root
from audit.witnesses.witness import SIZE_TYPE, AddCheckpoint, WitnessDesk, by_origin, print_request
from sayso.kernel import Tx, Work
from tests.audit.builders import TENANT, Store, carried, context

ORIGIN = "other.example/log"
SECRET = Ed25519PrivateKey.from_private_bytes(sha256(b"other log").digest())
KEY = VerifierKey(ORIGIN, SECRET.public_key().public_bytes_raw())
STRANGER = Ed25519PrivateKey.from_private_bytes(sha256(b"stranger").digest())


class Other:
    """A log of somebody else, of which we know the key. Another `salt` is another history of it."""

    def __init__(self, size: int, salt: bytes = b"") -> None:
        self.tiles = grow(0, {}, [leaf_hash(b"%s%d" % (salt if at > 4 else b"", at)) for at in range(size)])

    def note(self, size: int, secret: Ed25519PrivateKey = SECRET) -> bytes:
        key = VerifierKey(ORIGIN, secret.public_key().public_bytes_raw())
        return Checkpoint(ORIGIN, size, root(size, self.tiles)).sign(key, secret.sign)

    def ask(self, old: int, new: int, proof: list[bytes] | None = None) -> bytes:
        found = prove(consistency_plan(old, new), TileReader(self.tiles)) if proof is None else proof
        return print_request(old, found, self.note(new))


def a_desk(store: Store, anchor: Path | None = None) -> WitnessDesk:
    return WitnessDesk(store.sealer, TENANT, "ours.example/witness", by_origin(["# known", "", KEY.line]), anchor)


async def add(store: Store, desk: WitnessDesk, raw: bytes) -> Answer:
    return await desk.add(store.database, context(), raw)


async def shown(store: Store, desk: WitnessDesk, origin: str = ORIGIN) -> bytes | None:
    return await desk.latest(store.database, context(), sha256(origin.encode()).hexdigest())


async def test_a_witness_answers_as_the_specification_says(store: Store) -> None:
    desk, log = a_desk(store), Other(700)
    first = await add(store, desk, log.ask(0, 300))
    assert first.status == 200
    assert SignedNote.parse(log.note(300) + first.body).signatures[1].name == desk.key.name
    assert desk.key.verify(
        SignedNote.parse(log.note(300)).text, SignedNote.parse(log.note(300) + first.body).signatures[1].value
    )
    assert (await add(store, desk, log.ask(300, 300))).status == 200
    assert (await add(store, desk, log.ask(300, 600))).status == 200

    # 409 carries the size that was cosigned last.
    for old in (0, 300, 599, 650):
        assert await add(store, desk, log.ask(old, 700)) == Answer(409, b"600\n", SIZE_TYPE)
    # One size with another root: a split view.
    assert (await add(store, desk, Other(700, b"!").ask(600, 600))).status == 409
    # A proof that proves nothing, too much, or for another history.
    good = prove(consistency_plan(600, 700), TileReader(log.tiles))
    for proof in ([], good[:-1], [*good, bytes(32)], [bytes(32), *good[1:]]):
        assert (await add(store, desk, log.ask(600, 700, proof))).status == 422
    assert (await add(store, desk, Other(700, b"!").ask(600, 700))).status == 422
    # 400 before anything is compared.
    raw = log.ask(600, 700)
    for broken in (
        b"",
        raw.replace(b"old 600", b"old 0600"),
        raw.replace(b"old 600\n", b""),
        raw.replace(b"\n\n", b"\n"),
        raw.replace(b"old 600\n", b"old 600\n" + b64encode(bytes(31)) + b"\n"),
        raw.replace(b"old 600\n", b"old 600\n" + (b64encode(bytes(32)) + b"\n") * 64),
        raw[:-2],
        log.ask(0, 600, []).replace(b"old 0", b"old 601"),
    ):
        assert (await add(store, desk, broken)).status == 400, broken[:40]
    # 403 and 404: signed by nobody we know, and a log we do not know.
    assert (await add(store, desk, print_request(600, good, log.note(700, STRANGER)))).status == 403
    forged = raw[:-10] + (b"AAAAAAAAA\n" if not raw.endswith(b"AAAAAAAAA\n") else b"BBBBBBBBB\n")
    assert (await add(store, desk, forged)).status in (400, 403)
    stranger = VerifierKey("who.example/log", KEY.public_key)
    note = Checkpoint(stranger.name, 700, root(700, log.tiles)).sign(stranger, SECRET.sign)
    assert (await add(store, desk, print_request(600, good, note))).status == 404

    # None of that moved it; further signature lines are welcome and ignored.
    line = SignedNote.parse(log.note(700, STRANGER)).signatures[0].line.encode()
    assert (await add(store, desk, raw + line)).status == 200
    note = await shown(store, desk)
    assert note is not None
    assert open_checkpoint(note, [KEY]).size == 700
    assert await shown(store, desk, "unknown") is None


def _forgotten(tx: Tx) -> Work[None]:
    """As a backup from before the second request."""
    yield ()
    first = Other(700)
    tx.execute(audit_cosigned.update().values(size=100, root=root(100, first.tiles), note=first.note(100)))


async def test_a_witness_restored_from_a_backup_cosigns_no_fork(store: Store, tmp_path: Path) -> None:
    desk, log, fork = a_desk(store, tmp_path / "cosigned"), Other(700), Other(700, b"!")
    for old, new in ((0, 100), (100, 400)):
        assert (await add(store, desk, log.ask(old, new))).status == 200
    await store.database.run_alone(context(), _forgotten)
    desk = a_desk(store, tmp_path / "cosigned")
    assert await add(store, desk, fork.ask(0, 50)) == Answer(409, b"400\n", SIZE_TYPE)
    assert await add(store, desk, log.ask(100, 600)) == Answer(409, b"400\n", SIZE_TYPE)
    good = prove(consistency_plan(400, 600), TileReader(log.tiles))
    split = Other(700)
    split.tiles = grow(0, {}, [leaf_hash(b"%d" % (at if at < 100 else -at)) for at in range(700)])
    assert (await add(store, desk, split.ask(100, 600))).status == 409
    assert (await add(store, desk, split.ask(400, 600, good))).status == 422
    assert (await add(store, desk, log.ask(400, 600))).status == 200, "it goes on from what it cosigned"


async def test_what_a_witness_shows_is_anchored_first_and_without_the_anchor_nothing_leaves(
    store: Store, tmp_path: Path
) -> None:
    anchor, log = tmp_path / "cosigned", Other(700)
    assert (await add(store, a_desk(store), log.ask(0, 300))).status == 200  # died before it was anchored
    assert await shown(store, a_desk(store, anchor)) is not None
    assert anchor.read_text().startswith(f"{ORIGIN} 300 ")
    anchor.write_text(f"{ORIGIN} 3\n")
    for ask in (shown(store, a_desk(store, anchor)), add(store, a_desk(store, anchor), log.ask(300, 400))):
        with pytest.raises(AnchorUnusable):
            await ask


async def test_two_requests_at_once_never_roll_a_witness_back(store: Store) -> None:
    desk, log = a_desk(store), Other(700)
    assert (await add(store, desk, log.ask(0, 100))).status == 200
    answers = await asyncio.gather(*(add(store, desk, log.ask(100, size)) for size in (700, 200, 300, 650)))
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]
    kept = next(size for size, answer in zip((700, 200, 300, 650), answers, strict=True) if answer.status == 200)
    assert {answer.body for answer in answers if answer.status == 409} == {b"%d\n" % kept}


async def test_an_empty_log_can_be_cosigned(store: Store) -> None:
    note = Checkpoint(ORIGIN, 0, EMPTY_ROOT).sign(KEY, SECRET.sign)
    assert (await add(store, a_desk(store), print_request(0, [], note))).status == 200
    assert (await add(store, a_desk(store), Other(9).ask(0, 9))).status == 200


def test_a_request_prints_back_to_its_bytes() -> None:
    raw = Other(300).ask(200, 300)
    assert AddCheckpoint.parse(raw).print() == raw


W = [Ed25519PrivateKey.from_private_bytes(sha256(b"w%d" % at).digest()) for at in range(4)]
KEYS = [WitnessKey(f"w{at}.example", secret.public_key().public_bytes_raw()) for at, secret in enumerate(W)]


def test_a_witness_key_reads_back_and_signs_nothing_else() -> None:
    assert WitnessKey.parse(KEYS[0].line) == KEYS[0]
    for line in (
        KEYS[0].line[:-1],
        KEYS[0].line.replace("w0", "w1"),
        VerifierKey("w0.example", KEYS[0].public_key).line,
    ):
        with pytest.raises(Malformed):
            WitnessKey.parse(line)
    text = Checkpoint(ORIGIN, 1, bytes(32)).text
    value = cosign(KEYS[0], text, 1_700_000_000, W[0].sign).value
    assert KEYS[0].verify(text, value) == 1_700_000_000
    for bad in (value[:-1], bytes(8) + value[8:], b"\xff" + value[1:], b""):
        with pytest.raises(SignatureInvalid):
            KEYS[0].verify(text, bad)
    with pytest.raises(SignatureInvalid):
        KEYS[0].verify(text.replace("1\n", "2\n", 1), value)


def a_policy(rule: str, *urls: str) -> bytes:
    lines = [f"witness w{at} {key.line} {urls[at] if at < len(urls) else ''}" for at, key in enumerate(KEYS)]
    return "\n".join(["# ours", *lines, *rule.split("; "), ""]).encode()


@pytest.mark.parametrize(
    ("rule", "enough", "short"),
    [
        ("quorum none", [], None),
        ("quorum w1", ["w1"], ["w0", "w2"]),
        ("group g 2 w0 w1 w2; quorum g", ["w0", "w2"], ["w1", "w3"]),
        ("group x any w0 w1; group y all w2 w3; group z all x y; quorum z", ["w1", "w2", "w3"], ["w0", "w1", "w2"]),
    ],
)
def test_a_policy_says_how_many_are_enough(rule: str, enough: list[str], short: list[str] | None) -> None:
    quorum = read_quorum(a_policy(rule))
    assert quorum.met(enough)
    assert short is None or not quorum.met(short)


@pytest.mark.parametrize(
    "rule",
    [
        "group g 2 w0 w1",
        "quorum nobody",
        "quorum w0; quorum w1",
        "group g 3 w0 w1; quorum g",
        "group g 0 w0; quorum g",
        "group g any w0 w0; quorum g",
        "group g any w0; group h any w0; quorum g",
        "group g any later; quorum g",
        "group none any w0; quorum none",
        "group w0 any w1; quorum w0",
        f"witness again {KEYS[0].line}; quorum w0",
        "witness w9 nonsense; quorum w0",
        "rule w0; quorum w0",
    ],
)
def test_a_policy_that_means_nothing_is_refused_with_its_line(rule: str) -> None:
    with pytest.raises(Malformed, match=r"line \d|names no quorum"):
        read_quorum(a_policy(rule))


class Street:
    """Witnesses that live at addresses: desks of other stores' keys, one that is away, one that lies."""

    def __init__(self, store: Store, log_keys: list[VerifierKey]) -> None:
        self.store = store
        self.away: set[str] = set()
        trusted = {log_keys[0].name: log_keys}
        self.desks = {name: WitnessDesk(store.sealer, name, f"{name}.example", trusted) for name in ("a", "b", "c")}
        self.asked: list[tuple[str, bytes | None]] = []

    def policy(self, rule: str) -> bytes:
        lines = [f"witness {name} {desk.key.line} https://{name}.example/" for name, desk in self.desks.items()]
        return "\n".join([*lines, rule, ""]).encode()

    async def submit(self, address: str, body: bytes | None) -> Answer | None:
        name, _, path = address.removeprefix("https://").partition(".example/")
        self.asked.append((address, body))
        if name in self.away:
            return None
        desk, database = self.desks[name], self.store.database
        if body is None:
            note = await desk.latest(database, context(tenant=name), path.partition("/")[0])
            return Answer(200, note) if note is not None else Answer(404)
        return await desk.add(database, context(tenant=name), body)


async def test_enough_witnesses_make_a_witnessed_checkpoint_and_fewer_hold_nothing_up(store: Store) -> None:
    entry = (await store.fill(300))[7]
    await store.log.drain(store.database, TENANT)
    key = await store.look(lambda tx: store.log.vkey(tx))
    street = Street(store, [key])
    policy = read_quorum(street.policy("group g 2 a b c\nquorum g"))
    witnessing = Witnessing(policy, street.submit)
    street.away = {"a", "b"}
    lap = await witnessing.round(store.database, context(), "main")
    assert lap is not None
    assert (lap.met, lap.cosigned, lap.refused) == (False, ("c",), ())
    with pytest.raises(NotWitnessed):
        await store.look(lambda tx: store.log.tlog_proof(tx, entry, witnessed=True))
    await store.look(lambda tx: store.log.tlog_proof(tx, entry))

    street.away = {"b"}
    await store.fill(5)
    await store.log.drain(store.database, TENANT)
    lap = await witnessing.round(store.database, context(), "main")
    assert lap is not None
    assert (lap.size, lap.met, lap.cosigned) == (305, True, ("a", "c"))
    assert await witnessing.round(store.database, context(), "main") is None, "it is cosigned already"
    proof = TlogProof.parse(await store.look(lambda tx: store.log.tlog_proof(tx, entry, witnessed=True)))
    _, leaf = carried(proof)
    assert proof.verify(leaf, [key]).size == 305
    note = SignedNote.parse(proof.checkpoint)
    assert [line.name for line in note.signatures] == [key.name, "a.example", "c.example"]
    for line, name in zip(note.signatures[1:], ("a", "c"), strict=True):
        street.desks[name].key.verify(note.text, line.value)

    # After a restart the sizes are forgotten and learnt again, by the 409.
    await store.fill(5)
    await store.log.drain(store.database, TENANT)
    street.away = set()
    lap = await Witnessing(policy, street.submit).round(store.database, context(), "main")
    assert lap is not None
    assert (lap.met, lap.cosigned) == (True, ("a", "b", "c"))


async def test_a_witness_that_saw_another_history_refuses_and_shows_it(store: Store) -> None:
    await store.fill(20)
    await store.log.drain(store.database, TENANT)
    key = await store.look(lambda tx: store.log.vkey(tx))
    street = Street(store, [key])
    witnessing = Witnessing(read_quorum(street.policy("quorum a")), street.submit)
    other = grow(0, {}, [leaf_hash(b"other %d" % at) for at in range(50)])
    for name, size in (("a", 20), ("b", 10), ("c", 50)):
        note = Checkpoint(key.name, size, root(size, other)).sign(
            key, lambda text: store.signer.sign(TENANT, "log", text)
        )
        assert (await street.submit(f"https://{name}.example/add-checkpoint", print_request(0, [], note))).status == 200  # type: ignore[union-attr]
    lap = await witnessing.round(store.database, context(), "main")
    assert lap is not None
    assert {refused.witness for refused in lap.refused} == {"a", "b", "c"}
    assert not lap.met
    # Before its first signature a fresh process compares itself with what witnesses can prove.
    seen = await witnessing.shown([key])
    assert [(head.size, head.root) for head in seen] == [(size, root(size, other)) for size in (20, 10, 50)]
    assert await witnessing.shown([KEY._replace(name=key.name)]) == [], "what our key did not sign stops nobody"


async def test_a_rotated_key_signs_beside_the_old_one_and_then_alone(store: Store) -> None:
    await store.fill(3)
    await store.log.drain(store.database, TENANT)
    (old,) = await store.look(lambda tx: store.log.keys(tx))
    store.signer.rotate()
    new, same = await store.look(lambda tx: store.log.keys(tx))
    assert same == old
    await store.fill(3)
    await store.log.drain(store.database, TENANT)
    both = await store.look(lambda tx: store.log.checkpoint(tx))
    assert open_checkpoint(both, [old]) == open_checkpoint(both, [new]) == open_checkpoint(both, [old, new])
    store.signer.turn()
    entry = await store.append()
    await store.log.drain(store.database, TENANT)
    alone = await store.look(lambda tx: store.log.checkpoint(tx))
    assert open_checkpoint(alone, [new]).size == 7
    with pytest.raises(SignatureInvalid):
        open_checkpoint(alone, [old])
    assert await store.look(lambda tx: store.log.vkey(tx)) == new
    proof = TlogProof.parse(await store.look(lambda tx: store.log.tlog_proof(tx, entry)))
    assert carried(proof)[0] == new
