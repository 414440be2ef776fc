"""The verifier that leaves the house: one file, the standard library alone, and nothing unsound passes it."""

import ast
import contextlib
import json
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import offline, verify
from audit.offline.sayso_verify import ORDER, Malformed, Vkey, check_consistency, check_signature, read_timestamp
from audit.tlog.checkpoint import Checkpoint
from audit.tlog.merkle import consistency_plan, leaf_hash, prove, root_of
from audit.tlog.note import SignedNote
from audit.tlog.tiles import TileReader, grow
from audit.trust import print_trust
from tests.audit.bundles import (
    KEYS,
    SHOWN,
    SHOWN_OF_SEVERAL,
    SIGNER_KEY,
    Files,
    a_stamp,
    damages,
    of_several,
    signed,
    signed_of_several,
    some_files,
    unpacked,
    zipped,
)
from tests.audit.directories import KEY, SECRET, some_entries, write_directory

PROGRAM = Path(offline.__file__).with_name("sayso_verify.py")
DAMAGES = damages()


@pytest.fixture
def trust(tmp_path: Path) -> Path:
    file = tmp_path / "trust.json"
    file.write_bytes(print_trust(KEYS, [SIGNER_KEY]))
    return file


def test_it_stands_on_the_standard_library_alone() -> None:
    for node in ast.walk(ast.parse(PROGRAM.read_text("utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or "."] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            assert name.partition(".")[0] in sys.stdlib_module_names, name


def openssl_takes(key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def ours_takes(key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        check_signature(key, signature, message, "it")
    except Malformed:
        return False
    return True


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.integers(0, 8 * 96 - 1))
@settings(max_examples=120, deadline=None)
def test_signatures_are_judged_as_openssl_judges_them(seed: bytes, message: bytes, bit: int) -> None:
    secret = Ed25519PrivateKey.from_private_bytes(seed)
    key, signature = secret.public_key().public_bytes_raw(), secret.sign(message)
    assert ours_takes(key, signature, message)
    changed = bytearray(key + signature)
    changed[bit // 8] ^= 1 << bit % 8
    key, signature = bytes(changed[:32]), bytes(changed[32:])
    assert ours_takes(key, signature, message) == openssl_takes(key, signature, message)


def test_a_second_spelling_of_a_signature_is_refused() -> None:
    signature = SECRET.sign(b"message")
    larger = int.from_bytes(signature[32:], "little") + ORDER
    again = signature[:32] + larger.to_bytes(32, "little")
    assert ours_takes(KEY.public_key, signature, b"message")
    assert not ours_takes(KEY.public_key, again, b"message")
    assert not openssl_takes(KEY.public_key, again, b"message")


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_bundle_is_found_and_the_first_bad_index_named(name: str, tmp_path: Path, trust: Path) -> None:
    files, code, index = DAMAGES[name]
    for path in (zipped(files, tmp_path / "bundle.zip"), unpacked(files, tmp_path / "bundle")):
        for given_trust in (None, trust):
            verdict = verify(path, given_trust)
            assert (verdict.code, verdict.index) == (code, index), verdict.report
            assert (verdict.lines[0].startswith("KEY NOT CHECKED")) == (given_trust is None)


def test_a_sound_bundle_says_what_was_and_what_was_not_checked(tmp_path: Path, trust: Path) -> None:
    report = verify(zipped(signed(some_files()), tmp_path / "bundle.zip"), trust).report
    assert f"{len(SHOWN)} entries, each proven" in report
    assert f"{2 * len(SHOWN)} openings" in report
    assert "NOT CHECKED: that these are all entries" in report
    assert "NOT CHECKED: whether others were shown the same log" in report


def test_a_bundle_of_several_logs_names_each_and_tells_once_what_holds_of_all(tmp_path: Path, trust: Path) -> None:
    report = verify(zipped(signed_of_several(of_several()), tmp_path / "bundle.zip"), trust).report
    assert [line.split(",")[0] for line in report.splitlines() if line.startswith("log ")] == [
        f"log {key.name}" for key in KEYS
    ]
    assert f"{len(SHOWN_OF_SEVERAL)} entries, each proven to stand in its log" in report
    assert report.count("whether others were shown the same log") == 1
    forged = of_several()
    forged["entries.jsonl"] = forged["entries.jsonl"].replace(b"access.permitted", b"access.denied", 2)
    found = verify(zipped(signed_of_several(forged), tmp_path / "forged.zip"), trust)
    assert (found.index, found.place) == (0, "entries.jsonl")
    assert "index 0 of access" in found.report


def test_a_bundle_signed_by_a_stranger_is_not_ours(tmp_path: Path, trust: Path) -> None:
    bundle = zipped(signed(some_files(), secret=Ed25519PrivateKey.generate()), tmp_path / "bundle.zip")
    assert verify(bundle).code == 0
    assert verify(bundle, trust).code == 1


def test_any_changed_byte_of_a_bundle_is_found_or_changes_nothing_in_it(tmp_path: Path) -> None:
    sound = signed(some_files((4, 300)))
    file = zipped(sound, tmp_path / "bundle.zip")
    raw, draw = file.read_bytes(), random.Random(11)
    for at in sorted(draw.sample(range(4, len(raw)), 160)):
        file.write_bytes(raw[:at] + bytes([raw[at] ^ 1 << draw.randrange(8)]) + raw[at + 1 :])
        if verify(file).code == 0:
            assert contents(file) == sound, at
    for length in (5, len(raw) // 2, len(raw) - 1):
        file.write_bytes(raw[:length])
        assert verify(file).code == 1, length


def contents(file: Path) -> Files:
    with zipfile.ZipFile(file) as held:
        return {name: held.read(name) for name in held.namelist()}


def test_any_changed_byte_of_an_unpacked_file_is_found(tmp_path: Path) -> None:
    folder = unpacked(signed(some_files((4, 300))), tmp_path / "bundle")
    draw = random.Random(13)
    for file in sorted(folder.iterdir()):
        raw = file.read_bytes()
        for at in sorted(draw.sample(range(len(raw)), min(len(raw), 12))):
            file.write_bytes(raw[:at] + bytes([raw[at] ^ 1 << draw.randrange(8)]) + raw[at + 1 :])
            assert verify(folder).code == 1, (file.name, at)
        file.write_bytes(raw)
    assert verify(folder).code == 0


def test_the_file_by_itself_says_the_same_as_the_command(tmp_path: Path, trust: Path) -> None:
    alone = tmp_path / "elsewhere" / "sayso_verify.py"
    alone.parent.mkdir()
    alone.write_bytes(offline.program())
    for name in ("sound", "an entry changed", "a strange file"):
        files, code, index = DAMAGES[name]
        bundle = zipped(files, tmp_path / f"{code}.zip")
        command = [sys.executable, "-I", "-S", str(alone), str(bundle), "--trust", str(trust), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == code, done.stderr
        told = json.loads(done.stdout)
        verdict = verify(bundle, trust)
        assert (told["lines"], told["index"]) == (list(verdict.lines), verdict.index)
        assert told["index"] == index


@pytest.mark.parametrize("flags", [(), ("-I",), ("-S",), ("-P",)])
def test_nothing_planted_beside_the_evidence_runs(flags: tuple[str, ...], tmp_path: Path) -> None:
    folder = unpacked(signed(some_files()), tmp_path / "bundle")
    program = folder / "sayso_verify.py"
    program.write_bytes(offline.program())
    for name in ("__future__", "argparse", "base64", "hashlib", "io", "json", "os", "re", "typing", "zipfile"):
        (folder / f"{name}.py").write_text("open('ran', 'w').write(__name__)\nprint('SOUND')\nraise SystemExit(0)\n")
    command = [sys.executable, *flags, program.name, "."]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    assert not (folder / "ran").exists(), (folder / "ran").read_text()
    assert done.returncode == 2, "the planted files do not belong there"
    assert "files that do not belong here" in done.stdout


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 1 << 30))
@settings(max_examples=150, deadline=None)
def test_consistency_is_judged_as_the_logs_own_code_judges_it(one: int, other: int, noise: int) -> None:
    old, new = sorted((one, other))
    hashes = [leaf_hash(b"%d" % number) for number in range(new)]
    proof = prove(consistency_plan(old, new), TileReader(grow(0, {}, hashes)))
    roots = root_of(hashes[:old]), root_of(hashes)
    check_consistency(old, new, proof, *roots)
    wrong = [[*proof, bytes(32)], proof[:-1], proof[1:], [*proof[:-1], bytes(32)]]
    for changed in wrong[: 4 if proof else 1]:
        with pytest.raises(Malformed):
            check_consistency(old, new, changed, *roots)
    if old:
        with pytest.raises(Malformed):
            check_consistency(old, new, proof, noise.to_bytes(32, "big"), roots[1])


def test_a_stamp_is_read_or_refused_whatever_its_bytes(tmp_path: Path) -> None:
    raw, draw = a_stamp(b"note"), random.Random(5)
    assert read_timestamp(raw).told == "2026-11-01T12:00:00Z"
    for _ in range(2_000):
        at = draw.randrange(len(raw))
        changed = raw[:at] + bytes([draw.randrange(256)]) + raw[at + 1 :]
        with contextlib.suppress(Malformed):
            read_timestamp(changed[: draw.choice((None, at))])


def test_what_was_read_cannot_move_the_cursor_or_turn_a_line_around(tmp_path: Path) -> None:
    folder = unpacked(signed(some_files(), export="exp_\x1b[2J\u202eDNUOS\nSOUND"), tmp_path / "bundle")
    (folder / "x\x1b[1;1HSOUND\u2028").write_bytes(b"")
    verdict = verify(folder)
    assert "x\\u{1b}[1;1HSOUND\\u{2028}" in verdict.report
    (folder / "x\x1b[1;1HSOUND\u2028").unlink()
    verdict = verify(folder)
    assert verdict.code == 0
    assert "exp_\\u{1b}[2J\\u{202e}DNUOS\\u{a}SOUND" in verdict.report
    assert all(line.isprintable() for line in verdict.report.split("\n"))


def test_a_log_must_begin_with_the_checkpoint_that_was_kept(tmp_path: Path) -> None:
    entries, earlier = some_entries(700), tmp_path / "earlier"
    folder = write_directory(tmp_path / "log", entries)
    for size in (0, 1, 255, 256, 300, 512, 700):
        held = Checkpoint(KEY.name, size, root_of(map(leaf_hash, entries[:size])))
        earlier.write_bytes(held.sign(KEY, SECRET.sign))
        verdict = offline.verify(folder, earlier=earlier)
        assert verdict.code == 0, (size, verdict.report)
        assert f"begins with the earlier log of size {size}" in verdict.report
        earlier.write_bytes(held._replace(root=bytes(32)).sign(KEY, SECRET.sign))
        assert offline.verify(folder, earlier=earlier).code == 1
    earlier.write_bytes(Checkpoint(KEY.name, 701, bytes(32)).sign(KEY, SECRET.sign))
    assert offline.verify(folder, earlier=earlier).code == 1
    earlier.write_bytes(Checkpoint("another/log", 5, bytes(32)).sign(KEY, SECRET.sign))
    assert offline.verify(folder, earlier=earlier).code == 2
    assert "NOT CHECKED: whether it begins" in verify(folder).report


def test_a_trusted_witness_is_named_and_a_false_one_condemns(tmp_path: Path) -> None:
    secret = Ed25519PrivateKey.generate()
    witness = Vkey("witness.example", 4, secret.public_key().public_bytes_raw())
    folder = write_directory(tmp_path / "log", some_entries(5))
    note = SignedNote.parse((folder / "checkpoint").read_bytes())
    moment = (1_790_000_000).to_bytes(8, "big")
    trusted = tmp_path / "trust"
    trusted.write_text(f"{KEY.line}\n{witness.line}\n")
    for message_time, code in ((b"1790000000", 0), (b"1790000001", 1)):
        value = moment + secret.sign(b"cosignature/v1\ntime " + message_time + b"\n" + note.text.encode())
        line = note.signatures[0]._replace(name=witness.name, key_id=witness.key_id, value=value).line
        (folder / "checkpoint").write_bytes(note.print() + line.encode())
        verdict = verify(folder, trusted)
        assert verdict.code == code, verdict.report
        assert verify(folder).code == 0, "a witness that is not trusted is ignored"
    assert "witnessed by witness.example" not in verify(folder).report
