"""C2SP texts: what we print others read, and what does not print back to its bytes is refused."""

from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from audit.offline.sayso_verify import Malformed as Refused
from audit.offline.sayso_verify import read_trust
from audit.tlog.checkpoint import Checkpoint, open_checkpoint
from audit.tlog.merkle import leaf_hash
from audit.tlog.note import Signature, SignatureInvalid, SignedNote, VerifierKey, sign_note
from audit.tlog.proof import TlogProof, pack_extra
from audit.tlog.strict import Malformed, base64, base64url, decimal, digest
from audit.tlog.tiles import ENTRIES_LEVEL, Place, pack, parse_path, path, prefix, unpack
from audit.trust import print_trust
from tests.audit.builders import carried

VECTORS = Path(__file__).parent.parent / "vectors" / "audit"
SECRET = Ed25519PrivateKey.from_private_bytes(sha256(b"golden").digest())
KEY = VerifierKey("sayso.example/log/default.main", SECRET.public_key().public_bytes_raw())
HEAD = Checkpoint(KEY.name, 20_852_163, sha256(b"root").digest())
NOTE = HEAD.sign(KEY, SECRET.sign)

# The example of golang.org/x/mod/sumdb/note's documentation.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()


def test_a_note_signed_by_go_is_read() -> None:
    note = SignedNote.parse(GO_NOTE)
    assert note.verify([VerifierKey.parse(GO_KEY)])[0].line == GO_KEY
    assert note.print() == GO_NOTE


def test_the_checkpoint_is_the_golden_one() -> None:
    assert (
        KEY.line
        == "sayso.example/log/default.main+" + KEY.key_id.hex() + "+" + b64encode(b"\x01" + KEY.public_key).decode()
    )
    lines = NOTE.decode().split("\n")
    assert lines[:4] == [KEY.name, "20852163", b64encode(HEAD.root).decode(), ""]
    assert lines[4].startswith(f"— {KEY.name} ")
    assert open_checkpoint(NOTE, [KEY]) == HEAD


@given(st.integers(0, len(NOTE) - 1), st.integers(1, 255))
def test_no_changed_byte_of_a_checkpoint_passes(at: int, change: int) -> None:
    changed = NOTE[:at] + bytes([NOTE[at] ^ change]) + NOTE[at + 1 :]
    with pytest.raises((Malformed, SignatureInvalid)):
        open_checkpoint(changed, [KEY])


@given(st.integers(0, len(NOTE) - 1))
def test_no_shorter_or_longer_checkpoint_passes(at: int) -> None:
    for changed in (NOTE[:at], NOTE[:at] + NOTE[at + 1 :], NOTE[:at] + b"\n" + NOTE[at:], NOTE + b"\n"):
        with pytest.raises((Malformed, SignatureInvalid)):
            open_checkpoint(changed, [KEY])


def test_checkpoint_key_and_proof_are_the_golden_ones() -> None:
    assert (VECTORS / "checkpoint").read_bytes() == NOTE
    assert (VECTORS / "vkey").read_text() == KEY.line + "\n"
    assert (VECTORS / "entry.tlog-proof").read_bytes() == PROOF.print()


def test_signatures_of_strangers_are_ignored() -> None:
    note = SignedNote.parse(NOTE)
    stranger = Signature("witness.example", b"\0\1\2\3", bytes(72))
    for signatures in ((stranger, *note.signatures), (*note.signatures, *([stranger] * 16))):
        raw = SignedNote(note.text, signatures).print()
        assert open_checkpoint(raw, [KEY]) == HEAD


def test_a_known_key_with_a_bad_signature_condemns_the_note() -> None:
    other = Ed25519PrivateKey.from_private_bytes(sha256(b"other").digest())
    second = VerifierKey("second.example", other.public_key().public_bytes_raw())
    note = SignedNote.parse(NOTE)
    bad = Signature(second.name, second.key_id, bytes(64))
    with pytest.raises(SignatureInvalid):
        SignedNote(note.text, (*note.signatures, bad)).verify([KEY, second])
    with pytest.raises(SignatureInvalid):
        note.verify([second])
    with pytest.raises(SignatureInvalid):
        note.verify([])


def test_a_checkpoint_needs_the_key_of_its_own_origin() -> None:
    raw = sign_note(HEAD._replace(origin="another.example/log").text, KEY, SECRET.sign).print()
    with pytest.raises(SignatureInvalid):
        open_checkpoint(raw, [KEY])


@pytest.mark.parametrize(
    "text",
    [
        "a\n1\n",
        "a\n01\n{root}\n",
        "a\n-1\n{root}\n",
        "a\n1\n\n",
        "\n1\n{root}\n",
        "a\n1\n{root}\n\n",
        "a\n1\n{root}",
        "a\n1 \n{root}\n",
        "a\n1\n" + b64encode(bytes(31)).decode() + "\n",
        "a\n1\n" + b64encode(b"").decode() + "\n",
        "a\n" + "9" * 20 + "\n{root}\n",
    ],
)
def test_a_malformed_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        Checkpoint.parse(text.replace("{root}", b64encode(bytes(32)).decode()))


def test_extension_lines_of_other_logs_are_kept() -> None:
    text = "a\n0\n" + b64encode(bytes(32)).decode() + "\nmore\n"
    assert Checkpoint.parse(text).extensions == ("more",)
    assert Checkpoint.parse(text).text == text


@pytest.mark.parametrize(
    "line", ["", "a", "a+b", "a b+00000000+AA==", KEY.line + " ", KEY.line[:-4] + "AAAA", KEY.line.upper()]
)
def test_a_malformed_verifier_key_is_refused(line: str) -> None:
    with pytest.raises(Malformed):
        VerifierKey.parse(line)


def test_base64_has_one_spelling() -> None:
    assert base64("QQ==", "x") == b"A"
    for text in ("QR==", "QQ", "QQ=", "Q Q==", "QQ==\n", "QQ==QQ==", "Q-==", "QQ==é"):
        with pytest.raises(Malformed):
            base64(text, "x")
    assert base64url("-_8", "x") == b"\xfb\xff"
    for text in ("-_9", "-_8=", "+/8", "A"):
        with pytest.raises(Malformed):
            base64url(text, "x")
    with pytest.raises(Malformed, match="31 bytes"):
        digest(b64encode(bytes(31)).decode(), "x")


def test_numbers_have_one_spelling() -> None:
    assert decimal("0", "x") == 0
    assert decimal(str(2**63 - 1), "x") == 2**63 - 1
    for text in ("", "00", "01", "-1", "+1", "1.0", "1e3", " 1", "١", str(2**63), "9" * 400):
        with pytest.raises(Malformed):
            decimal(text, "x")


PROOF = TlogProof(5, (sha256(b"a").digest(), sha256(b"b").digest()), NOTE, pack_extra(KEY, b'{"leaf":1}'))


def test_a_proof_prints_as_the_specification_shows() -> None:
    lines = PROOF.print().decode().split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert lines[1].startswith("extra ")
    assert lines[2] == "index 5"
    assert lines[3:6] == [*(b64encode(value).decode() for value in PROOF.hashes), ""]
    assert "\n".join(lines[6:]).encode() == NOTE
    assert TlogProof.parse(PROOF.print()) == PROOF
    assert carried(PROOF) == (KEY, b'{"leaf":1}')
    bare = TlogProof(0, (), NOTE)
    assert TlogProof.parse(bare.print()) == bare


@given(st.integers(0, len(PROOF.print()) - 1), st.integers(1, 255))
def test_every_changed_byte_of_a_proof_is_another_proof_or_none(at: int, change: int) -> None:
    raw = PROOF.print()
    changed = raw[:at] + bytes([raw[at] ^ change]) + raw[at + 1 :]
    try:
        assert TlogProof.parse(changed) != PROOF
    except Malformed:
        pass


@given(st.integers(0, 7), st.integers(0, 2**52), st.integers(1, 256))
def test_tile_paths_lead_back_to_their_tile(level: int, number: int, width: int) -> None:
    for place in (Place(level, number, width), Place(ENTRIES_LEVEL, number, width)):
        assert parse_path(path(place)) == place


def test_tile_paths_are_those_of_the_specification() -> None:
    assert path(Place(0, 1_234_067)) == "tile/0/x001/x234/067"
    assert path(Place(1, 0, 17)) == "tile/1/000.p/17"
    assert path(Place(ENTRIES_LEVEL, 1000, 112)) == "tile/entries/x001/000.p/112"


NOT_PATHS = """
 tile tile/0 tile/0/0 tile/0/0000 tile/00/000 tile/-1/000 tile/8/000 tile/0/x000/000 tile/0/001/067 tile/0/000.p/0
 tile/0/000.p/256 tile/0/000.p/01 tile/0/000.p tile/0/000.p/ tile/entries/ tile/data/000 tile/0/../../etc tile/0/x1/000
 /tile/0/000 tile/0/000/ tile/0/x001/067.p/3/4 tile/0/٠٠٠
"""


@pytest.mark.parametrize("text", ["", *NOT_PATHS.split()])
def test_every_other_path_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        parse_path(text)


@given(st.lists(st.binary(max_size=400), max_size=20))
def test_bundles_give_back_their_entries(entries: list[bytes]) -> None:
    bundle = pack(entries)
    assert unpack(bundle) == entries
    for width in range(len(entries) + 1):
        assert prefix(bundle, width) == pack(entries[:width])
    with pytest.raises(Malformed):
        prefix(bundle, len(entries) + 1)
    if bundle:
        with pytest.raises(Malformed):
            unpack(bundle[:-1])


def test_an_entry_beyond_64_kib_has_no_place_in_a_bundle() -> None:
    assert unpack(pack([bytes(65_535)])) == [bytes(65_535)]
    with pytest.raises(Malformed):
        pack([bytes(65_536)])


def test_a_trust_file_is_a_jwks_with_vkeys() -> None:
    trust = read_trust(print_trust([KEY], [KEY.public_key]))
    assert [key.line for key in trust.keys] == [KEY.line]
    assert list(trust.signers.values()) == [KEY.public_key]
    assert [key.line for key in read_trust((KEY.line + "\n").encode()).keys] == [KEY.line]
    for raw in (
        b"",
        b"{}",
        b"{",
        b"\xff",
        b'{"vkeys":["x"]}',
        b'{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"}]}',
        b"words\n",
    ):
        with pytest.raises(Refused):
            read_trust(raw)


def test_the_leaf_hash_is_that_of_the_rfc() -> None:
    assert leaf_hash(b"") == sha256(b"\x00").digest()
