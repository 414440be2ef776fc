"""Checks single pieces of evidence: a receipt or certificate (compact JWS), an entry's log proof, or one with the
other.

Accepted as content: the JWS alone; the JWS, a newline, and tlog-proof text; tlog-proof text alone; and the JSON that
our API answers with, of which `receipt` (or `certificate`) and `proof` are read.
"""

from hashlib import sha256
from typing import Any

import msgspec

from audit.findings import Broken, Unusable
from audit.jws import Jws
from audit.merkle import ProofInvalid
from audit.note import SignatureInvalid, VerifierKey
from audit.proof import HEADER, TlogProof, unpack_extra
from audit.strict import Malformed, utf8
from audit.trust import Trust

_PROOF_MARKS = (HEADER.encode()[:17], b"\nindex ")
_SHORTEST_JWS = 100


class _Answer(msgspec.Struct, frozen=True):
    receipt: str | None = None
    certificate: str | None = None
    proof: str | None = None


class _Certified(msgspec.Struct, frozen=True):
    certificate: msgspec.Raw = msgspec.Raw()


class _Named(msgspec.Struct, frozen=True):
    """The members of a leaf that evidence is compared with."""

    id: str = ""
    res: dict[str, str] = {}
    type: str = ""


def check_evidence(raw: bytes, trust: Trust | None) -> list[str]:
    """Lines that say what holds. Raises `Broken`, or `Unusable` when it is no evidence of a known kind."""
    jws, proof = _kind(raw)
    if jws is None:
        assert proof is not None
        return _checked_proof(proof, trust, None)
    signed = _checked_jws(jws, trust)
    proof = proof or _inner_proof(signed.claims)
    if proof is not None:
        return [*_told(signed), *_checked_proof(proof, trust, signed)]
    entry = entry_of(signed.claims)
    return [*_told(signed), f"entry {entry or '(none)'} is named; no log proof came with it: the log was not consulted"]


def entry_of(claims: dict[str, Any]) -> str | None:
    """The log entry that a receipt or certificate names."""
    for body in (claims.get("receipt"), claims.get("certificate"), claims):
        if isinstance(body, dict) and isinstance(body.get("entry"), str):
            return str(body["entry"])
    return None


def _inner_proof(claims: dict[str, Any]) -> bytes | None:
    """A log proof that stands inside the signed claims."""
    for body in (claims.get("certificate"), claims.get("receipt"), claims):
        if isinstance(body, dict) and isinstance(body.get("proof"), str):
            return str(body["proof"]).encode()
    return None


def _kind(raw: bytes) -> tuple[str | None, bytes | None]:
    """The JWS and the proof in a file, told by content."""
    if raw.lstrip().startswith(b"{"):
        return _from_answer(raw)
    if any(mark in raw.split(b"\n\n")[0] for mark in _PROOF_MARKS) and b"." not in raw.split(b"\n")[0].split(b"/")[-1]:
        return None, raw
    first, newline, rest = raw.partition(b"\n")
    if len(first) < _SHORTEST_JWS or b"." not in first or b" " in first:
        raise Unusable("neither a tile directory, nor a receipt, a certificate or a log proof")
    try:
        return utf8(first, "the JWS"), rest.lstrip(b"\n") or None if newline else None
    except Malformed as error:
        raise Broken(str(error)) from error


def _from_answer(raw: bytes) -> tuple[str | None, bytes | None]:
    try:
        answer = msgspec.json.decode(raw, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unusable("JSON that is no answer with a receipt, a certificate or a proof") from error
    jws = answer.receipt or answer.certificate
    if jws is None and answer.proof is None:
        raise Unusable("JSON without a receipt, a certificate or a proof")
    return jws, answer.proof.encode() if answer.proof is not None else None


def _checked_jws(text: str, trust: Trust | None) -> Jws:
    try:
        jws = Jws.parse(text)
        key = jws.public_key if trust is None else trust.signers.get(jws.kid)
        if key is None:
            raise Broken("the signing key is not in the trust file")
        jws.verify(key)
    except (Malformed, SignatureInvalid) as error:
        raise Broken(str(error)) from error
    return jws


def _told(jws: Jws) -> list[str]:
    kind = "certificate" if "certificate" in jws.claims or "certificate" in jws.typ else "receipt"
    told = {name: jws.claims.get(name) for name in ("jti", "iss", "iat")}
    return [f"{kind} signed by key {jws.kid}", *(f"{name} {value}" for name, value in told.items() if value)]


def _checked_proof(raw: bytes, trust: Trust | None, signed: Jws | None) -> list[str]:
    try:
        proof = TlogProof.parse(raw)
        carried, leaf = unpack_extra(proof.extra)
        keys: list[VerifierKey] = [carried] if trust is None else list(trust.logs)
        checkpoint = proof.verify(leaf, keys)
    except (Malformed, SignatureInvalid, ProofInvalid) as error:
        raise Broken(f"log proof: {error}") from error
    try:
        named = msgspec.json.decode(leaf, type=_Named)
    except msgspec.DecodeError:
        named = _Named()
    if signed is not None:
        _bound(signed, named, proof.index)
    return [
        f"entry {named.id or '(not ours)'} {named.type} stands at index {proof.index}",
        f"log {checkpoint.origin}, size {checkpoint.size}, signed by {carried.line}",
    ]


def _bound(signed: Jws, named: _Named, index: int) -> None:
    """Raise `Broken` unless the proven entry is the one that was signed. A certificate's entry holds its statement's
    hash.
    """
    if named.id != entry_of(signed.claims):
        raise Broken("the log proof is of another entry than the one that was signed", index=index)
    if "certificate" in signed.claims:
        # The claims are canonical JSON, so the member's bytes as they stand are the statement's.
        statement = bytes(msgspec.json.decode(signed.payload, type=_Certified).certificate)
        if named.res.get("certificate") != sha256(statement).hexdigest():
            raise Broken("the log entry holds the hash of another certificate", index=index)
