"""One contract for everything that may hold a root key, kept by the real thing: a sealed file, SoftHSM2, OpenBao.

AWS KMS is as moto plays it, which lets a key be used that is disabled or pending deletion: there, destruction is
checked by its date alone.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sayso.kernel import DAY, now
from tests.builders.providers import PIN, Bao, kms, openbao, softhsm
from vault import BrokenSeal, KeyGone, OutsideKey, ProviderDown, ProviderRefuses, SealedFile, WrongRootKey
from vault.ciphers.derive import commitment
from vault.keys.keyfiles import ExposedRootKey
from vault.providers.outside import (
    FILE,
    DamagedProvider,
    InvalidProvider,
    ProviderExists,
    ProviderLibraryMissing,
    UnknownProvider,
    UnreadableSecret,
)
from vault.providers.provider import KeyProvider

CONTEXT = {"tenant": "default", "epoch": "1", "provider": "x", "root": "y"}
KEY = bytes(range(32))


@pytest.fixture(scope="module")
def hsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with softhsm(tmp_path_factory.mktemp("hsm")) as settings:
        yield settings


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with openbao(tmp_path_factory.mktemp("bao")) as server:
        yield server


@pytest.fixture
def aws() -> Iterator[dict[str, str]]:
    with kms() as settings:
        yield settings


def settings_of(request: pytest.FixtureRequest, kind: str) -> dict[str, str]:
    if kind == "pkcs11":
        return request.getfixturevalue("hsm")
    return request.getfixturevalue("bao").settings if kind == "transit" else request.getfixturevalue("aws")


@pytest.fixture(params=["sealed-file", "pkcs11", "transit", "aws-kms"])
def provider(request: pytest.FixtureRequest, tmp_path: Path) -> KeyProvider:
    if request.param == "sealed-file":
        return SealedFile.create(tmp_path / "keys", None)
    return OutsideKey.create(tmp_path / "keys", request.param, settings_of(request, request.param))


outside = pytest.mark.parametrize("kind", ["pkcs11", "transit", "aws-kms"])


def test_what_was_wrapped_unwraps_there_and_for_that_alone(provider: KeyProvider) -> None:
    ref, other = provider.make("default-1"), provider.make("default-2")
    wrapped = provider.wrap(KEY, CONTEXT, ref)
    assert provider.unwrap(wrapped, CONTEXT, commitment(KEY), ref) == KEY
    assert wrapped != provider.wrap(KEY, CONTEXT, ref)
    assert KEY not in wrapped
    for changed in (CONTEXT | {"tenant": "other"}, CONTEXT | {"epoch": "2"}, {"tenant": "default"}):
        with pytest.raises(BrokenSeal):
            provider.unwrap(wrapped, changed, commitment(KEY), ref)
    with pytest.raises(BrokenSeal):
        provider.unwrap(wrapped, CONTEXT, commitment(bytes(32)), ref)
    with pytest.raises((BrokenSeal, ProviderRefuses)):
        provider.unwrap(wrapped, CONTEXT, commitment(KEY), other)
    for place in (0, 1, len(wrapped) // 2, len(wrapped) - 1):
        flipped = wrapped[:place] + bytes((wrapped[place] ^ 1,)) + wrapped[place + 1 :]
        with pytest.raises((BrokenSeal, ProviderRefuses)):
            provider.unwrap(flipped, CONTEXT, commitment(KEY), ref)
    for cut in (b"", wrapped[:-1], wrapped + b"x"):
        with pytest.raises(BrokenSeal):
            provider.unwrap(cut, CONTEXT, commitment(KEY), ref)


def test_making_a_key_twice_is_making_it_once(provider: KeyProvider) -> None:
    ref = provider.make("default-1")
    wrapped = provider.wrap(KEY, CONTEXT, ref)
    assert provider.make("default-1") == ref
    assert provider.unwrap(wrapped, CONTEXT, commitment(KEY), ref) == KEY


def test_a_destroyed_key_opens_nothing_and_leaves_the_others(provider: KeyProvider) -> None:
    ref, other = provider.make("default-1"), provider.make("default-2")
    wrapped, kept = provider.wrap(KEY, CONTEXT, ref), provider.wrap(KEY, CONTEXT, other)
    at = now()
    receipt = provider.destroy(ref, at)
    kind = provider.describe().provider
    assert (receipt.provider, receipt.key) == (kind, ref)
    if kind == "aws-kms":
        assert 6 * DAY < receipt.gone_at - at < 8 * DAY
    else:
        assert receipt.gone_at == at
        with pytest.raises(KeyGone):
            provider.unwrap(wrapped, CONTEXT, commitment(KEY), ref)
        with pytest.raises(KeyGone):
            provider.wrap(KEY, CONTEXT, ref)
    assert provider.destroy(ref, at).key == ref, "twice is no error"
    assert provider.unwrap(kept, CONTEXT, commitment(KEY), other) == KEY
    provider.health()


@outside
def test_the_file_leads_back_to_the_key(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    made = OutsideKey.create(tmp_path / "keys", kind, settings_of(request, kind))
    ref = made.make("default-1")
    wrapped = made.wrap(KEY, CONTEXT, ref)
    again = OutsideKey.open(tmp_path / "keys")
    again.health()
    assert again.describe() == made.describe()
    assert again.unwrap(wrapped, CONTEXT, commitment(KEY), ref) == KEY
    content = (tmp_path / "keys" / FILE).read_text()
    assert not any(secret in content for secret in (PIN, "a-root-token-for-tests", "testing"))
    with pytest.raises(ProviderExists):
        OutsideKey.create(tmp_path / "keys", kind, settings_of(request, kind))
    (tmp_path / "keys" / FILE).chmod(0o644)
    with pytest.raises(ExposedRootKey):
        OutsideKey.open(tmp_path / "keys")


@outside
def test_another_provider_than_the_stores_is_named(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    made = OutsideKey.create(tmp_path / "keys", kind, settings_of(request, kind))
    made._store.destroy(f"sayso-{made.describe().key}", now())
    if kind == "aws-kms":
        return
    with pytest.raises(WrongRootKey) as caught:
        OutsideKey.open(tmp_path / "keys").health()
    assert made.describe().key in str(caught.value)


def test_keys_cannot_be_taken_out_of_the_token(hsm: dict[str, str], tmp_path: Path) -> None:
    from pkcs11 import Attribute, PKCS11Error

    made = OutsideKey.create(tmp_path / "keys", "pkcs11", hsm)
    key = made._store._open.get_key(label=f"sayso-{made.describe().key}")
    assert (key[Attribute.SENSITIVE], key[Attribute.EXTRACTABLE]) == (True, False)
    with pytest.raises(PKCS11Error):
        key[Attribute.VALUE]


def test_a_wrong_pin_is_refused_and_a_missing_token_is_down(hsm: dict[str, str], tmp_path: Path) -> None:
    OutsideKey.create(tmp_path / "keys", "pkcs11", hsm)
    with softhsm(Path(hsm["pin_file"]).parent) as other:
        Path(other["pin_file"]).write_text("0000")
        with pytest.raises(ProviderRefuses):
            OutsideKey.create(tmp_path / "wrong", "pkcs11", other)
    path = tmp_path / "keys" / FILE
    content = path.read_text()
    path.write_text(content.replace(hsm["token"], "nowhere"))
    with pytest.raises(ProviderDown):
        OutsideKey.open(tmp_path / "keys").health()
    with pytest.raises(ProviderDown):
        OutsideKey.create(tmp_path / "other", "pkcs11", {**hsm, "module": "/nowhere.so"})
    with pytest.raises(UnreadableSecret):
        OutsideKey.create(tmp_path / "other", "pkcs11", {**hsm, "pin_file": str(tmp_path / "none")})


def test_a_token_that_may_not_is_refused(bao: Bao, tmp_path: Path) -> None:
    OutsideKey.create(tmp_path / "keys", "transit", bao.settings)
    before = bao.token_file.read_text()
    bao.token_file.write_text("no-such-token")
    try:
        with pytest.raises(ProviderRefuses):
            OutsideKey.open(tmp_path / "keys").health()
    finally:
        bao.token_file.write_text(before)
    OutsideKey.open(tmp_path / "keys").health()


def test_a_server_that_is_sealed_or_gone_is_down(tmp_path: Path) -> None:
    with openbao(tmp_path) as server:
        made = OutsideKey.create(tmp_path / "keys", "transit", server.settings)
        server.seal()
        with pytest.raises(ProviderDown):
            made.health()
        server.stop()
        with pytest.raises(ProviderDown):
            made.health()


def test_a_service_that_nobody_answers_for_is_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with pytest.raises(ProviderDown):
        OutsideKey.create(tmp_path / "keys", "aws-kms", {"region": "eu-west-1", "endpoint": "http://127.0.0.1:9"})


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("pkcs11", {}),
        ("pkcs11", {"module": "m", "token": "t", "pin_file": "p", "more": "x"}),
        ("transit", {"address": "https://vault.example"}),
        ("transit", {"address": "http://vault.example", "token_file": "t"}),
        ("transit", {"address": "https://vault.example", "token_file": "t", "ca_file": "/nowhere"}),
        ("aws-kms", {}),
        ("aws-kms", {"region": "eu-west-1", "waiting_days": "3"}),
    ],
)
def test_unusable_settings_are_refused(kind: str, settings: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(InvalidProvider):
        OutsideKey.create(tmp_path / "keys", kind, settings)
    assert not (tmp_path / "keys" / FILE).exists()


def test_an_unknown_kind_and_a_missing_library_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownProvider):
        OutsideKey.create(tmp_path / "keys", "gcp-kms", {})
    monkeypatch.setitem(__import__("sys").modules, "pkcs11", None)
    with pytest.raises(ProviderLibraryMissing, match=r"sayso\[pkcs11\]"):
        OutsideKey.create(tmp_path / "keys", "pkcs11", {})


def test_a_damaged_file_is_told(aws: dict[str, str], tmp_path: Path) -> None:
    OutsideKey.create(tmp_path / "keys", "aws-kms", aws)
    path = tmp_path / "keys" / FILE
    content = path.read_bytes()
    for damaged in (b"", content[:-9], content.replace(b'"check"', b'"chess"'), content.replace(b'"format"', b'"f"')):
        path.write_bytes(damaged)
        with pytest.raises(DamagedProvider):
            OutsideKey.open(tmp_path / "keys")


def test_a_destroyed_key_of_the_file_leaves_no_bytes(tmp_path: Path) -> None:
    provider = SealedFile.create(tmp_path / "keys", None)
    provider.make("default-1")
    path = tmp_path / "keys" / "epochs.keys"
    before = path.read_bytes()
    held = os.open(path, os.O_RDONLY)
    provider.destroy("default-1", now())
    assert b"default-1" not in path.read_bytes()
    assert not any(os.pread(held, len(before), 0)), "the bytes of the file before were overwritten"
    os.close(held)
    assert sorted(each.name for each in path.parent.iterdir()) == ["epochs.keys", "root.key"]


def test_a_killed_destruction_is_finished_and_never_takes_the_live_file(tmp_path: Path) -> None:
    provider = SealedFile.create(tmp_path / "keys", None)
    ref = provider.make("default-1")
    wrapped = provider.wrap(KEY, CONTEXT, ref)
    path = tmp_path / "keys" / "epochs.keys"
    os.link(path, path.with_suffix(".old"))
    provider.health()
    assert not path.with_suffix(".old").exists()
    assert provider.unwrap(wrapped, CONTEXT, commitment(KEY), ref) == KEY
    path.with_suffix(".old").write_bytes(path.read_bytes())
    provider.health()
    assert not path.with_suffix(".old").exists()


def test_a_changed_epoch_file_is_damage(tmp_path: Path) -> None:
    from vault.keys.epochfile import DamagedEpochKeys

    provider = SealedFile.create(tmp_path / "keys", None)
    ref = provider.make("default-1")
    path = tmp_path / "keys" / "epochs.keys"
    content = path.read_bytes()
    for place in range(0, len(content), 11):
        path.write_bytes(content[:place] + bytes((content[place] ^ 1,)) + content[place + 1 :])
        with pytest.raises(DamagedEpochKeys):
            provider.wrap(KEY, CONTEXT, ref)
