"""The root key file: what it promises, and how it says that something is the matter."""

import os
import stat
from hashlib import sha256
from pathlib import Path

import pytest

from vault import (
    BrokenSeal,
    Cost,
    DamagedRootKey,
    ExposedRootKey,
    MissingRootKey,
    NotSealed,
    PassphraseNeeded,
    RootKeyError,
    RootKeyExists,
    SealedFile,
    Suite,
    WrongPassphrase,
)
from vault.ciphers.derive import commitment
from vault.providers.root import FILE, STRONG

LIGHT = Cost(memory_kib=64, passes=1, lanes=1)
CONTEXT = {"tenant": "default", "epoch": "1"}
KEK = bytes(range(32))


def opens(one: SealedFile, other: SealedFile) -> bool:
    """Whether both hold the same root key."""
    return other.unwrap(one.wrap(KEK, CONTEXT), CONTEXT, commitment(KEK)) == KEK and one.describe() == other.describe()


def test_a_passphrase_seals_at_the_full_price(tmp_path: Path) -> None:
    made = SealedFile.create(tmp_path / "keys", b"correct horse")
    assert Cost(256 * 1024, 3, 4) == STRONG
    assert b'"cost":{"lanes":4,"memory_kib":262144,"passes":3}' in (tmp_path / "keys" / FILE).read_bytes()
    assert made.describe().sealed
    assert opens(made, SealedFile.open(tmp_path / "keys", b"correct horse"))


@pytest.mark.parametrize("suite", Suite)
def test_without_a_passphrase_the_file_is_unsealed_and_says_so(tmp_path: Path, suite: Suite) -> None:
    made = SealedFile.create(tmp_path / "keys", None, suite=suite)
    again = SealedFile.open(tmp_path / "keys", None)
    assert opens(made, again)
    assert not again.describe().sealed
    assert not again.describe().sealed
    assert again.describe().provider == "sealed-file"


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        SealedFile.create(tmp_path / "keys", None)
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "keys" / FILE).stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "keys").iterdir()] == [FILE]


@pytest.mark.parametrize(("part", "mode"), [("", 0o750), ("", 0o701), (FILE, 0o640), (FILE, 0o604)])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, part: str, mode: int) -> None:
    made = SealedFile.create(tmp_path / "keys", None)
    (tmp_path / "keys" / part).chmod(mode)
    with pytest.raises(ExposedRootKey):
        SealedFile.open(tmp_path / "keys", None)
    with pytest.raises(ExposedRootKey):
        made.health()


def test_a_root_key_is_never_overwritten(tmp_path: Path) -> None:
    made = SealedFile.create(tmp_path / "keys", None)
    with pytest.raises(RootKeyExists):
        SealedFile.create(tmp_path / "keys", None)
    assert opens(made, SealedFile.open(tmp_path / "keys", None))


def test_a_write_that_was_cut_off_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir(mode=0o700)
    (tmp_path / "keys" / "root.new").write_bytes(b"half a fi")
    SealedFile.create(tmp_path / "keys", None)
    SealedFile.open(tmp_path / "keys", None)


def test_a_missing_file_is_called_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingRootKey):
        SealedFile.open(tmp_path / "keys", None)
    made = SealedFile.create(tmp_path / "keys", None)
    made.health()
    (tmp_path / "keys" / FILE).unlink()
    with pytest.raises(MissingRootKey):
        made.health()


def test_the_passphrase_must_be_the_right_one_and_must_be_needed(tmp_path: Path) -> None:
    SealedFile.create(tmp_path / "sealed", b"right", cost=LIGHT)
    SealedFile.create(tmp_path / "open", None)
    with pytest.raises(WrongPassphrase):
        SealedFile.open(tmp_path / "sealed", b"wrong")
    with pytest.raises(PassphraseNeeded):
        SealedFile.open(tmp_path / "sealed", None)
    with pytest.raises(NotSealed):
        SealedFile.open(tmp_path / "open", b"any")


@pytest.mark.parametrize("passphrase", [None, b"right"])
def test_damage_to_any_byte_is_called_damage(tmp_path: Path, passphrase: bytes | None) -> None:
    SealedFile.create(tmp_path / "keys", passphrase, cost=LIGHT)
    path = tmp_path / "keys" / FILE
    whole = path.read_bytes()
    for changed in (
        whole[:-1],
        whole + b"\n",
        whole + b"x",
        b"",
        whole[: len(whole) // 2],
        whole.replace(b"\n", b"\r\n"),
    ):
        path.write_bytes(changed)
        with pytest.raises(DamagedRootKey):
            SealedFile.open(tmp_path / "keys", passphrase)
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes((whole[place] ^ 1,)) + whole[place + 1 :])
        with pytest.raises(DamagedRootKey):
            SealedFile.open(tmp_path / "keys", passphrase)
    path.write_bytes(whole)
    SealedFile.open(tmp_path / "keys", passphrase)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"passes":1', b'"passes":2'),
        (b'"memory_kib":64', b'"memory_kib":99999999999'),
        (b'"suite":1', b'"suite":2'),
        (b'"kdf":"argon2id"', b'"kdf":"none"'),
        (b'"format"', b'"extra":1,"format"'),
        (b"sayso-root-key-1", b"sayso-root-key-2"),
    ],
)
def test_a_header_rewritten_with_a_fresh_checksum_is_still_refused(tmp_path: Path, old: bytes, new: bytes) -> None:
    SealedFile.create(tmp_path / "keys", b"right", cost=LIGHT)
    path = tmp_path / "keys" / FILE
    header, mac, _, _ = path.read_bytes().split(b"\n")
    assert old in header
    lines = header.replace(old, new) + b"\n" + mac + b"\n"
    path.write_bytes(lines + sha256(lines).hexdigest().encode() + b"\n")
    with pytest.raises(RootKeyError):
        SealedFile.open(tmp_path / "keys", b"right")


def test_no_error_and_no_repr_shows_a_key_or_a_passphrase(tmp_path: Path) -> None:
    made = SealedFile.create(tmp_path / "keys", b"hunter2hunter2", cost=LIGHT)
    with pytest.raises(WrongPassphrase) as caught:
        SealedFile.open(tmp_path / "keys", b"swordfish")
    assert "swordfish" not in str(caught.value)
    assert "hunter2" not in repr(made)
    assert b"hunter2" not in (tmp_path / "keys" / FILE).read_bytes()


def test_a_wrapped_tenant_key_opens_under_its_context_only(tmp_path: Path) -> None:
    one = SealedFile.create(tmp_path / "one", None)
    wrapped = one.wrap(KEK, CONTEXT)
    for context in ({**CONTEXT, "epoch": "2"}, {**CONTEXT, "tenant": "other"}, {}):
        with pytest.raises(BrokenSeal):
            one.unwrap(wrapped, context, commitment(KEK))
    other = SealedFile.create(tmp_path / "other", None)
    with pytest.raises(BrokenSeal):
        other.unwrap(wrapped, CONTEXT, commitment(KEK))
    with pytest.raises(BrokenSeal):
        one.unwrap(wrapped, CONTEXT, commitment(bytes(32)))
