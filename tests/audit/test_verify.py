"""The offline verifier: sound logs pass, and any damage anywhere is found and named."""

import random
import shutil
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import verify
from audit.jws import thumbprint
from audit.tlog.checkpoint import Checkpoint
from audit.tlog.merkle import inclusion_plan, leaf_hash, prove, root_of
from audit.tlog.note import VerifierKey
from audit.tlog.proof import TlogProof, pack_extra
from audit.tlog.tiles import TileReader, grow, pack, root
from audit.trust import print_trust
from tests.audit.directories import KEY, SECRET, files_of, place_of, some_entries, write_directory

SIZE = 600  # three bundles, tiles of two levels, both with a partial right edge


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_directory(tmp_path_factory.mktemp("sound"), some_entries(SIZE))


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "log"))


@pytest.fixture
def trust(tmp_path: Path) -> Path:
    file = tmp_path / "trust.json"
    file.write_bytes(print_trust([KEY], [RECEIPT_KEY]))
    return file


def test_a_sound_log_passes_and_says_that_its_key_was_not_checked(folder: Path, trust: Path) -> None:
    unchecked, checked = verify(folder), verify(folder, trust)
    assert unchecked.code == checked.code == 0
    assert unchecked.lines[0].startswith("KEY NOT CHECKED")
    assert "KEY NOT CHECKED" not in checked.report
    assert "size 600" in checked.report
    assert checked.lines[-1] == "SOUND"


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 512, 65_536 + 3])
def test_sound_logs_of_many_sizes_pass(size: int, tmp_path: Path) -> None:
    assert verify(write_directory(tmp_path / "log", some_entries(size))).code == 0


def test_partial_tiles_of_earlier_checkpoints_may_lie_beside(tmp_path: Path) -> None:
    folder = write_directory(tmp_path / "log", some_entries(700), earlier=300)
    assert verify(folder).code == 0
    file = folder / "tile/entries/001.p/44"
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    assert verify(folder).code == 1
    assert verify(folder).place == "tile/entries/001.p/44"


def expect_broken(folder: Path, file: Path, trust: Path) -> None:
    name = file.relative_to(folder).as_posix()
    for verdict in (verify(folder), verify(folder, trust)):
        assert verdict.code == 1, (name, verdict)
        if file.name in ("checkpoint", "vkey"):
            assert verdict.place in ("checkpoint", "vkey")
        else:
            assert verdict.index is not None
            assert f"index {verdict.index}" in verdict.report


def test_any_changed_byte_of_any_file_is_found_and_named(folder: Path, trust: Path) -> None:
    draw = random.Random(7)
    for file in files_of(folder):
        held = file.read_bytes()
        small = file.name in ("checkpoint", "vkey")
        for at in range(len(held)) if small else sorted(draw.sample(range(len(held)), 12) + [0, len(held) - 1]):
            file.write_bytes(held[:at] + bytes([held[at] ^ 1 << draw.randrange(8)]) + held[at + 1 :])
            expect_broken(folder, file, trust)
            place = place_of(file, folder)
            if place is not None and place.level == 0:
                assert verify(folder).index == place.number * 256 + at // 32
        file.write_bytes(held)
    assert verify(folder).code == 0


def test_any_changed_length_is_found_and_named(folder: Path, trust: Path) -> None:
    for file in files_of(folder):
        held = file.read_bytes()
        for changed in (b"", held[:-1], held + b"\0", held + held[-1:], held[: len(held) // 2], held * 2):
            file.write_bytes(changed)
            expect_broken(folder, file, trust)
        file.unlink()
        if file.name == "vkey":
            assert verify(folder).code == 1
            assert verify(folder, trust).code == 0  # the log of another program may come without
        else:
            expect_broken(folder, file, trust)
        file.write_bytes(held)


Damage = Callable[[list[bytes]], list[bytes]]


@pytest.mark.parametrize(
    ("damage", "index"),
    [
        (lambda entries: [*entries[:99], entries[100], entries[99], *entries[101:]], 99),
        (lambda entries: entries[1:], 0),
        (lambda entries: entries[:300] + entries[301:], 300),
        (lambda entries: entries[:-1], 599),
        (lambda entries: [*entries[:257], entries[256], *entries[257:]], 257),
        (lambda entries: entries[::-1], 0),
        (lambda entries: [*entries[:5], b'{"entry":5000}', *entries[6:]], 5),
    ],
    ids=["swapped", "head gone", "middle gone", "tail gone", "doubled", "reversed", "value replaced"],
)
def test_the_first_bad_index_is_named(folder: Path, damage: Damage, index: int) -> None:
    entries = damage(some_entries(SIZE))
    for number in range(3):
        file = folder / (f"tile/entries/{number:03d}" + (".p/88" if number == 2 else ""))
        file.write_bytes(pack(entries[256 * number : 256 * (number + 1)]))
    verdict = verify(folder)
    assert (verdict.code, verdict.index) == (1, index)


def test_an_entry_replaced_with_its_hash_is_found(folder: Path) -> None:
    """Whoever changes a value changes the hash beside it too. The tile above still knows."""
    entries = some_entries(SIZE)
    entries[300] = b'{"entry":"forged"}'
    (folder / "tile/entries/001").write_bytes(pack(entries[256:512]))
    (folder / "tile/0/001").write_bytes(b"".join(map(leaf_hash, entries[256:512])))
    assert (verify(folder).code, verify(folder).index) == (1, 256)


def test_a_history_written_anew_does_not_fit_the_signed_root(folder: Path, trust: Path) -> None:
    checkpoint = (folder / "checkpoint").read_bytes()
    entries = some_entries(SIZE)
    entries[300] = b'{"entry":"forged"}'
    write_directory(folder, entries)
    (folder / "checkpoint").write_bytes(checkpoint)
    assert verify(folder, trust).code == 1
    assert "signed root" in verify(folder).report


def test_a_log_signed_by_another_key_is_not_ours(folder: Path, trust: Path) -> None:
    stranger = Ed25519PrivateKey.generate()
    key = VerifierKey(KEY.name, stranger.public_key().public_bytes_raw())
    head = Checkpoint(KEY.name, SIZE, root_of(map(leaf_hash, some_entries(SIZE))))
    (folder / "checkpoint").write_bytes(head.sign(key, stranger.sign))
    (folder / "vkey").write_text(key.line + "\n")
    assert verify(folder).code == 0
    assert verify(folder, trust).code == 1


def test_files_that_do_not_belong_make_it_unusable_and_damage_goes_first(folder: Path) -> None:
    (folder / "notes.txt").write_text("hello")
    assert verify(folder).code == 2
    assert "notes.txt" in verify(folder).report
    (folder / "tile/entries/000").unlink()
    assert verify(folder).code == 1


@pytest.mark.parametrize(
    "name", ["tile/0/003", "tile/0/002.p/200", "tile/7/000.p/1", "tile/0/2", "tile/9/000", "logs/README"]
)
def test_tiles_that_the_checkpoint_does_not_cover_are_unknown(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(bytes(32))
    assert verify(folder).code == 2


def test_symbolic_links_are_not_followed(folder: Path) -> None:
    (folder / "tile/2").symlink_to(folder / "tile/0")
    assert verify(folder).code == 2


def test_the_other_logs_are_checked_too(folder: Path) -> None:
    write_directory(folder / "logs" / "access", some_entries(5))
    assert verify(folder).code == 0
    file = folder / "logs/access/tile/entries/000.p/5"
    file.write_bytes(file.read_bytes()[:-1])
    assert (verify(folder).code, verify(folder).index) == (1, 4)
    assert verify(folder).place == "logs/access/tile/entries/000.p/5"


def test_what_is_no_evidence_is_unusable(tmp_path: Path, folder: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for name, content in (("a.txt", b"hello"), ("b.json", b"{}"), ("c.json", b"{"), ("d", b""), ("e", b"\xff" * 300)):
        (tmp_path / name).write_bytes(content)
        assert verify(tmp_path / name).code == 2, name
    assert verify(empty).code == 2
    assert verify(tmp_path / "missing").code == 2
    for trust in (b"", b"{}", b"nonsense"):
        (tmp_path / "trust").write_bytes(trust)
        assert verify(folder, tmp_path / "trust").code == 2
    assert verify(folder, tmp_path / "missing").code == 2


# receipts, certificates and log proofs

RECEIPT_SECRET = Ed25519PrivateKey.from_private_bytes(sha256(b"receipts").digest())
RECEIPT_KEY = RECEIPT_SECRET.public_key().public_bytes_raw()
ENTRY = "ent_" + "01" * 16
STATEMENT = b'{"gone":[],"stage":"shredded"}'
ERASED = "ent_" + "03" * 16
ERASED_LEAF = b'{"id":"%s","res":{"certificate":"%s"},"type":"rights.erasure.completed"}' % (
    ERASED.encode(),
    sha256(STATEMENT).hexdigest().encode(),
)
SYSTEMS = b'[{"status":"acknowledged","system":"crm"}]'
ANSWERED = "ent_" + "04" * 16
ANSWERED_LEAF = b'{"id":"%s","res":{"request":"rrq_1","systems":"%s"},"type":"rights.systems.answered"}' % (
    ANSWERED.encode(),
    sha256(SYSTEMS).hexdigest().encode(),
)
LEAVES = [
    *some_entries(39),
    ERASED_LEAF,
    b'{"id":"%s","type":"consent.choice.recorded"}' % ENTRY.encode(),
    ANSWERED_LEAF,
    *some_entries(300),
]


def encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def a_jws(claims: object, secret: Ed25519PrivateKey = RECEIPT_SECRET, **header: object) -> str:
    key = secret.public_key().public_bytes_raw()
    jwk = {"crv": "Ed25519", "kty": "OKP", "x": encoded(key)}
    head = {"alg": "Ed25519", "jwk": jwk, "kid": thumbprint(key), "typ": "consent-receipt+jwt"} | header
    signed = f"{encoded(msgspec.json.encode(head))}.{encoded(msgspec.json.encode(claims))}"
    return f"{signed}.{encoded(secret.sign(signed.encode()))}"


CLAIMS = {"iss": "sayso.example", "iat": 1, "jti": "cns_" + "02" * 16, "sub": "x", "v": 1, "receipt": {"entry": ENTRY}}
RECEIPT = a_jws(CLAIMS)


def a_proof(index: int = 40) -> TlogProof:
    tiles = grow(0, {}, [leaf_hash(leaf) for leaf in LEAVES])
    note = Checkpoint(KEY.name, len(LEAVES), root(len(LEAVES), tiles)).sign(KEY, SECRET.sign)
    hashes = prove(inclusion_plan(index, len(LEAVES)), TileReader(tiles))
    return TlogProof(index, tuple(hashes), note, pack_extra(KEY, LEAVES[index]))


def a_certificate(**changes: object) -> str:
    claims: dict[str, object] = {
        "certificate": msgspec.Raw(STATEMENT),
        "entry": ERASED,
        "proof": a_proof(39).print().decode(),
    }
    return a_jws(claims | changes, typ="erasure-certificate+jwt")


def with_systems(**changes: object) -> str:
    """A certificate with what another system answered, and the log's proof of that."""
    claims: dict[str, object] = {"jti": "rrq_1", "systems": msgspec.Raw(SYSTEMS), "systems_entry": ANSWERED}
    return a_certificate(**(claims | {"systems_proof": a_proof(41).print().decode()} | changes))


SYSTEMS_CHANGED: list[dict[str, object]] = [
    {"systems": [{"status": "waiting", "system": "crm"}]},
    {"jti": "rrq_2"},
    {"systems_entry": ERASED},
    {"systems_proof": a_proof(39).print().decode()},
    {"systems_proof": a_proof(41).print().decode()[:-2]},
    {"systems_proof": ""},
]


def judged(tmp_path: Path, content: bytes | str, trust: Path | None = None) -> tuple[int, str]:
    file = tmp_path / "evidence"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    verdict = verify(file, trust)
    return verdict.code, verdict.report


def test_a_receipt_verifies_alone_with_its_proof_and_as_the_api_gave_it(tmp_path: Path, trust: Path) -> None:
    proof = a_proof().print().decode()
    for content in (
        RECEIPT,
        RECEIPT + "\n",
        f"{RECEIPT}\n{proof}",
        f"{RECEIPT}\n\n{proof}",
        proof,
        msgspec.json.encode({"record": "cns_1", "receipt": RECEIPT, "entry": ENTRY}),
        msgspec.json.encode({"receipt": RECEIPT, "proof": proof}),
        a_certificate(),
    ):
        code, report = judged(tmp_path, content)
        assert code == 0, report
        assert report.startswith("KEY NOT CHECKED")
        code, report = judged(tmp_path, content, trust)
        assert code == 0, report
        assert "KEY NOT CHECKED" not in report


def test_any_changed_character_of_a_receipt_is_found(tmp_path: Path) -> None:
    for at in range(0, len(RECEIPT), 3):
        changed = RECEIPT[:at] + ("A" if RECEIPT[at] != "A" else "B") + RECEIPT[at + 1 :]
        assert judged(tmp_path, changed)[0] == 1, at


def test_base64_with_spare_bits_set_is_refused(tmp_path: Path) -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    assert len(RECEIPT.rsplit(".", 1)[1]) == 86  # 64 bytes leave four spare bits
    last = alphabet.index(RECEIPT[-1])
    for spare in range(1, 16):
        code, report = judged(tmp_path, RECEIPT[:-1] + alphabet[last | spare])
        assert code == 1
        assert "spare bits" in report


def test_a_receipt_of_another_kind_or_key_is_refused(tmp_path: Path, trust: Path) -> None:
    stranger = Ed25519PrivateKey.generate()
    assert judged(tmp_path, a_jws(CLAIMS, stranger))[0] == 0
    assert judged(tmp_path, a_jws(CLAIMS, stranger), trust)[0] == 1
    for header in ({"alg": "EdDSA"}, {"alg": "none"}, {"kid": "another"}, {"crit": ["exp"]}, {"jwk": {"kty": "RSA"}}):
        assert judged(tmp_path, a_jws(CLAIMS, **header))[0] == 1
    assert judged(tmp_path, RECEIPT + "." + RECEIPT)[0] == 1
    assert judged(tmp_path, RECEIPT.rsplit(".", 1)[0] + ".")[0] == 1


def test_a_proof_of_another_entry_does_not_carry_a_receipt(tmp_path: Path) -> None:
    assert judged(tmp_path, f"{RECEIPT}\n{a_proof(41).print().decode()}")[0] == 1
    silent = a_jws(CLAIMS | {"receipt": {}})
    assert judged(tmp_path, silent)[0] == 0
    assert judged(tmp_path, f"{silent}\n{a_proof().print().decode()}")[0] == 1


def test_a_certificate_is_the_one_that_its_entry_holds_the_hash_of(tmp_path: Path) -> None:
    assert judged(tmp_path, a_certificate())[0] == 0
    code, report = judged(tmp_path, a_certificate(certificate={"gone": ["more"], "stage": "shredded"}))
    assert code == 1
    assert "another certificate" in report
    assert judged(tmp_path, a_certificate(entry=ENTRY))[0] == 1
    assert judged(tmp_path, a_certificate(entry=ENTRY, proof=a_proof(40).print().decode()))[0] == 1


def test_what_systems_answered_is_what_its_own_entry_holds_the_hash_of(tmp_path: Path) -> None:
    code, report = judged(tmp_path, with_systems())
    assert code == 0, report
    assert "system crm acknowledged" in report
    assert f"entry {ANSWERED} rights.systems.answered stands at index 41" in report
    claims = {"jti": "rrq_1", "systems": msgspec.Raw(SYSTEMS)}
    code, report = judged(tmp_path, a_certificate(**claims))
    assert (code, "NOT CHECKED: what systems answered" in report) == (0, True)
    for changes in SYSTEMS_CHANGED:
        assert judged(tmp_path, with_systems(**changes))[0] == 1, changes


def test_any_changed_byte_of_a_proof_is_found(tmp_path: Path, trust: Path) -> None:
    proof = a_proof().print()
    for at in range(proof.index(b"\n") + 1, len(proof), 7):
        changed = proof[:at] + bytes([proof[at] ^ 1]) + proof[at + 1 :]
        assert judged(tmp_path, RECEIPT.encode() + b"\n" + changed)[0] == 1, at
        assert judged(tmp_path, changed, trust)[0] in (1, 2), at


def test_hashes_of_other_lengths_are_refused(tmp_path: Path) -> None:
    right = a_proof()
    for wrong in (b"", bytes(31), bytes(33)):
        text = right.print().replace(b64encode(right.hashes[0]), b64encode(wrong))
        assert judged(tmp_path, text)[0] == 1
    empty = Checkpoint(KEY.name, 1, b"").sign(KEY, SECRET.sign)
    assert judged(tmp_path, TlogProof(0, (), empty, pack_extra(KEY, b"x")).print())[0] == 1
