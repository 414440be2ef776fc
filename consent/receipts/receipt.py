"""The consent receipt: what a person takes home. A compact JWS (RFC 7515) that verifies with the server off.

Header: `alg` Ed25519 (RFC 9864), `kid` (RFC 7638), `typ`, and the public key as `jwk`. Outer claims are final:
`iss iat jti sub v receipt`; what stands inside `receipt` is versioned by `v` (docs/formats/receipt.md). Version 2 is
the receipt of ISO/IEC TS 27560 in JSON-LD, with the record inside.
"""

from functools import lru_cache, partial
from hashlib import sha256
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct

from consent.catalogue.catalogue import Catalogue, Shown
from consent.choices.fold import Change
from consent.model import Given, PersonState
from consent.receipts import terms
from consent.receipts.parts import Draft, Parts, Piece, base64url, joined, keep
from consent.receipts.sheet import Asked, Earlier, Issuer, Sheet
from sayso.kernel import SECOND, Context, Database, Key, Signer, Tx, Work, iso

TYPE: Final = "consent-receipt+jwt"
VERSION: Final = 2
NOBODY: Final = "nobody"
"""`sub` of a receipt for a choice that names nobody."""

_SUB_LABEL: Final = "sayso.consent.receipt.sub.v1"
_AT_ONCE: Final = 256
_UNTIL_WITHDRAWN: Final = '{"@id":"dpv:IndeterminateDuration"}'
_SUBJECT: Final = '{"@id":"_:subject"}'
_GUARDIAN: Final = '{"@type":"dpv:GuardianOfDataSubject"}'

_encode = msgspec.json.Encoder().encode

State = tuple[str, bool, int, str]
"""What one event did: the state, whether explicit consent was asked, when it ends, why it was ignored."""

printed = lru_cache(maxsize=4_096)(iso)
"""`iso`, remembered: the purposes of one record share a few instants, and printing one costs microseconds."""


class Told(NamedTuple):
    """One act of choosing, as its receipt tells it. `at` is the record's instant and `claimed` when it is said to have
    happened, microseconds; `before` is where the person stood; `guardian` whether somebody else chose for them.
    """

    record: str
    entry: str
    sub: str
    at: int
    claimed: int
    method: str
    assurance: str
    shown: Shown
    changes: tuple[Change, ...]
    before: PersonState
    directives: tuple[Given, ...] = ()
    guardian: bool = False


class SignedReceipt(Struct, frozen=True, array_like=True, gc=False):
    """A receipt as it is kept: public key (32 bytes), claims (JSON; shared parts by their hashes), signature (64)."""

    public_key: bytes
    pieces: tuple[Piece, ...]
    signature: bytes

    def compact(self, tx: Tx) -> Work[str]:
        """The compact JWS, byte for byte as it was given."""
        claims = base64url((yield from joined(tx, self.pieces)))
        return b".".join((_header(self.public_key), claims, base64url(self.signature))).decode()


class ReceiptPress:
    """Prints and signs receipts. Keeps the parts that are the same for everybody, per brand."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._sheets: dict[str, Sheet] = {}
        self._parts: dict[str, Parts] = {}

    def press(self, tenant: str, issuer: Issuer, catalogue: Catalogue, act: Told) -> tuple[SignedReceipt, str]:
        """The receipt of one act, and its compact JWS."""
        sheet = self._sheets.get(tenant)
        if sheet is None or sheet.catalogue is not catalogue or sheet.issuer != issuer:
            sheet = self._sheets[tenant] = Sheet(issuer, catalogue, self.parts(tenant))
        key = self._signer.current(tenant, "receipt")
        draft = _drafted(sheet, act)
        signed = _header(key.public) + b"." + draft.coded()
        signature = key.sign(signed)
        compact = (signed + b"." + base64url(signature)).decode()
        return SignedReceipt(key.public, draft.pieces(), signature), compact

    async def settle(self, database: Database, context: Context) -> None:
        """Store the shared parts that are not stored yet: from then on records name them. Idempotent; off the hot
        path.
        """
        parts = self.parts(context.tenant)
        while fresh := parts.fresh[:_AT_ONCE]:
            await database.run_alone(context, partial(keep, parts=fresh))
            parts.kept(fresh)

    def parts(self, tenant: str) -> Parts:
        """The shared parts of a brand's receipts."""
        return self._parts.setdefault(tenant, Parts())


def sub_for(key: Key, subject: str, actor_kind: str) -> str:
    """Whom the receipt names. Services know the person by `sub_…`; a browser or the person gets a name of its own.

    That name is derived from the person's log key: stable, joined to nothing else, and meaningless once the key is
    destroyed.
    """
    if actor_kind in ("service", "user", "system"):
        return subject
    return "person_" + base64url(key.derive(_SUB_LABEL)[:16]).decode()


def _drafted(sheet: Sheet, act: Told) -> Draft:
    """The claims in JSON: what is of this person first, what is the same for everybody after it."""
    codes, record, raw = _codes(act.before), act.record, act.record[4:]
    uuid = f"{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]}"
    before = (
        f'{{"iat":{act.at // SECOND},"iss":"{sheet.url}","jti":"{record}","sub":"{act.sub}","v":{VERSION},"receipt":'
        f'{{"@id":"{sheet.url}/v1/consents/{record}/receipt","assurance":"{act.assurance}",'
        f'"dct:created":"{printed(act.at)}","dct:identifier":"{record}","dpv:hasIdentifier":"{record}",'
        f'"entry":"{act.entry}","dpv:hasRecordOfActivity":['
    )
    draft = Draft()
    shown = act.shown if act.shown.notice else _earlier(sheet, act)
    states = _states(sheet, act)
    for number, (state, asked) in enumerate(states.items(), start=1):
        name = uuid if number == 1 else f"{uuid}#{number}"
        run = sheet.run(tuple(asked), shown, codes, last=number == len(states))
        draft.add(before + _record(act, name, state), run)
        before = ","
    return draft


def _states(sheet: Sheet, act: Told) -> dict[State, list[Asked]]:
    """The purposes by the state that the act led to: a refusal beside a grant is an event, and a record, of its own."""
    states: dict[State, list[Asked]] = {}
    purposes, choices = sheet.catalogue.purposes, act.before.choices
    for change in act.changes:
        name = change.purpose
        purpose, stood = purposes.get(name), choices.get(name)
        kind = terms.state_of(change, renewed=stood is not None and stood.status == "granted")
        state = (kind, purpose is not None and purpose.sensitive, change.expires_at, change.ignored or "")
        states.setdefault(state, []).append((name, change.version))
    if act.directives:
        states["directive", False, 0, ""] = [(each.kind, each.reach) for each in act.directives]
    return states


def _record(act: Told, name: str, state: State) -> str:
    """One record of ISO/IEC TS 27560, up to its purposes."""
    kind, explicit, ends, ignored = state
    lasting = _UNTIL_WITHDRAWN
    if ends:
        lasting = (
            f'{{"@type":"dpv:UntilTimeDuration","rdf:value":{{"@type":"xsd:dateTime","@value":"{printed(ends)}"}}}}'
        )
    void = f',"sayso:ignored":"{ignored}"' if ignored else ""
    return (
        f'{{"@id":"urn:uuid:{name}","dct:identifier":"{name}","dpv:hasConsentStatus":'
        f'{{"@type":{_kinds(kind, explicit)},'
        f'"dpv:hasDuration":{lasting},"dpv:hasIndicationMethod":"{act.method}",'
        f'"dpv:isIndicatedAtTime":"{printed(act.claimed)}","dpv:isIndicatedBy":'
        f'{_GUARDIAN if act.guardian else _SUBJECT}{void}}},"dpv:hasDataSubject":{{"@id":"_:subject",'
        f'"@type":"dpv:DataSubject","dct:identifier":"{act.sub}"}},"dpv:hasIdentifier":"{name}","dpv:hasProcess":['
    )


def _earlier(sheet: Sheet, act: Told) -> Earlier:
    """Of a no that needed no notice: those on which the choices were made that it ends, else those that are published
    and ask about its purposes.
    """
    before, named = act.before.choices, {change.purpose for change in act.changes}
    stood = [before[name] for name in named if name in before]
    asked = frozenset((choice.notice, choice.notice_version) for choice in stood if choice.notice)
    published = sheet.catalogue.notices.values()
    return asked or frozenset((each.name, each.version) for each in published if not named.isdisjoint(each.purposes))


@lru_cache(maxsize=64)
def _kinds(state: str, explicit: bool) -> str:
    """The types of a status: the state, the kind of consent that was asked, and an objection beside it."""
    kinds = ["dpv:" + terms.STATUS[state]]
    if state in terms.BESIDE:
        kinds.append("dpv:" + terms.BESIDE[state])
    else:
        kinds.append("dpv:ExplicitlyExpressedConsent" if explicit else "dpv:ExpressedConsent")
    return _encode(kinds).decode()


def _codes(state: PersonState) -> tuple[str, ...]:
    """The jurisdictions known of a person, each once, sorted."""
    known = state.jurisdictions
    return (known[0].code,) if len(known) == 1 else tuple(sorted({each.code for each in known}))


@lru_cache(maxsize=256)
def _header(public_key: bytes) -> bytes:
    """The protected header of every receipt under this key."""
    jwk = {"crv": "Ed25519", "kty": "OKP", "x": base64url(public_key).decode()}
    # RFC 7638, section 3.2: the thumbprint is of just these members, sorted.
    kid = base64url(sha256(msgspec.json.encode(jwk)).digest()).decode()
    return base64url(msgspec.json.encode({"alg": "Ed25519", "jwk": jwk, "kid": kid, "typ": TYPE}))
