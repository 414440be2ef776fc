"""The certificate's bytes, which must never change, and how an outsider reads them."""

import hmac
import json
from base64 import urlsafe_b64decode
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec.structs import replace

from rights.certificate import (
    Claims,
    Finality,
    Gone,
    Kept,
    ShreddedKey,
    Statement,
    commit,
    decode,
    encode,
    sign,
    statement_hash,
)
from tests.rights.signing import FixedSigner

GOLDEN = Path(__file__).parent.parent / "vectors" / "rights" / "certificate.json"
SUBJECT, SALT = bytes(range(16)), bytes(range(32))

STATEMENT = Statement(
    completed_at="2026-11-21T23:05:30.123456Z",
    controller="Tannenhof Tee GmbH, Deutschland; 清茶",
    final=Finality(epochs=(1, 2), pending="Not yet."),
    gone=(Gone(2, "records"), Gone(1, "identifiers")),
    keys=(ShreddedKey("data", 2, "00" * 16, 1), ShreddedKey("log", 1, "11" * 16, 1)),
    kept=(Kept(1, "GDPR 17(3)(b)", "proof", "2029-11-21T23:05:30.123456Z", "proof"),),
    law="gdpr",
    received_at="2026-11-20T10:00:00.000000Z",
    request="rrq_" + "0" * 32,
    stage="shredded",
    subject=commit(SUBJECT, SALT),
)
CLAIMS = Claims(
    certificate=STATEMENT,
    entry="ent_" + "1" * 32,
    iat=1_795_302_330,
    iss="https://consent.example",
    jti=STATEMENT.request,
    v=1,
)


def decoded(part: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def test_the_format_is_that_of_the_golden_file() -> None:
    golden = json.loads(GOLDEN.read_text("utf-8"))
    assert sign(FixedSigner(), "default", CLAIMS) == golden["certificate"]
    assert sign(FixedSigner(), "default", replace(CLAIMS, proof="c2sp.org/tlog-proof@v1\n")) == golden["with_proof"]
    assert statement_hash(STATEMENT) == golden["statement_sha256"]
    header, payload, _ = golden["certificate"].split(".")
    assert decoded(header) == golden["header"]
    assert decoded(payload) == golden["claims"]


def test_an_outsider_verifies_it_with_the_key_it_carries() -> None:
    header, payload, signature = sign(FixedSigner(), "default", CLAIMS).split(".")
    jwk = decoded(header)["jwk"]
    assert isinstance(jwk, dict)
    key = Ed25519PublicKey.from_public_bytes(urlsafe_b64decode(jwk["x"] + "="))
    key.verify(urlsafe_b64decode(signature + "=="), f"{header}.{payload}".encode())
    with pytest.raises(InvalidSignature):
        key.verify(urlsafe_b64decode(signature + "=="), f"{header}.{payload[:-2]}".encode())


def test_the_statement_is_canonical_json() -> None:
    shown = json.loads(encode(CLAIMS))["certificate"]
    canonical = json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert sha256(canonical).hexdigest() == statement_hash(STATEMENT)
    assert canonical in encode(CLAIMS)


def test_who_knows_the_id_can_check_whose_certificate_it_is() -> None:
    salt = urlsafe_b64decode(STATEMENT.subject.salt + "=")
    expected = hmac.digest(salt, b"sayso.erasure.subject.v1\x00" + SUBJECT, "sha256")
    assert urlsafe_b64decode(STATEMENT.subject.commitment + "=") == expected
    assert SUBJECT.hex() not in encode(CLAIMS).decode()


def test_claims_survive_their_storage_and_another_version_is_refused() -> None:
    assert decode(encode(CLAIMS)) == CLAIMS
    with pytest.raises(ValueError, match="version"):
        decode(encode(replace(CLAIMS, v=2)))
