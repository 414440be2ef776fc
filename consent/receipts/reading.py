"""A receipt read back: what its claims say, in the order in which a person asks. Pure; nothing is verified here."""

from typing import Any, Final

import msgspec
from msgspec import Struct

from consent.receipts.terms import BESIDE, STATUS
from sayso.kernel import parse_instant

_STATE: Final = {
    **{term: state for state, term in STATUS.items() if state not in BESIDE},
    STATUS["ignored"]: "ignored",
}
_BESIDE: Final = {term: state for state, term in BESIDE.items() if state != "directive"}


class ReadPurpose(Struct, frozen=True):
    """One purpose of a receipt. `state` is an act of ours, `renewed`, `ignored` or `directive`; times are
    microseconds, 0 means none; `retention` is an ISO 8601 duration or empty.
    """

    name: str
    title: str
    state: str
    at: int
    ends: int
    ignored: str
    basis: str
    data: tuple[str, ...]
    recipients: tuple[str, ...]
    retention: str
    withdraw_at: str


class ReceiptReading(Struct, frozen=True):
    """One receipt."""

    record: str
    entry: str
    issuer: str
    subject: str
    issued_at: int
    controller: str
    reached: tuple[str, ...]
    method: str
    assurance: str
    notice: str
    notice_version: int
    notice_hash: str
    locale: str
    purposes: tuple[ReadPurpose, ...]


def read_receipt(claims: bytes) -> ReceiptReading:
    """What the claims of a receipt of version 2 say."""
    whole: dict[str, Any] = msgspec.json.decode(claims)
    body = whole["receipt"]
    records = body["dpv:hasRecordOfActivity"]
    publisher = body["dct:publisher"]
    notice = _first(records[0].get("dpv:hasNotice"))
    return ReceiptReading(
        record=whole["jti"],
        entry=body["entry"],
        issuer=whole["iss"],
        subject=whole["sub"],
        issued_at=parse_instant(body["dct:created"]),
        controller=publisher["dpv:hasName"],
        reached=tuple(_listed(publisher.get("dpv:hasAddress")) + _listed(publisher.get("dpv:hasContact"))),
        method=records[0]["dpv:hasConsentStatus"]["dpv:hasIndicationMethod"],
        assurance=body["assurance"],
        notice=notice.get("schema:name", ""),
        notice_version=notice.get("schema:version", 0),
        notice_hash=notice.get("dct:identifier", ""),
        locale=notice.get("dct:language", ""),
        purposes=tuple(
            _purpose(record["dpv:hasConsentStatus"], each) for record in records for each in record["dpv:hasProcess"]
        ),
    )


def _purpose(status: dict[str, Any], process: dict[str, Any]) -> ReadPurpose:
    what = process["dpv:hasPurpose"]
    ending = status["dpv:hasDuration"].get("rdf:value")
    return ReadPurpose(
        name=what["dct:identifier"],
        title=what.get("dct:title", what["dct:identifier"]),
        state=_state(status["@type"], what["dct:identifier"]),
        at=parse_instant(status["dpv:isIndicatedAtTime"]),
        ends=parse_instant(ending["@value"]) if ending is not None else 0,
        ignored=status.get("sayso:ignored", ""),
        basis=process.get("dpv:hasLegalBasis", {}).get("@id", ""),
        data=tuple(each["dct:identifier"] for each in process.get("dpv:hasPersonalData", ())),
        recipients=tuple(each["dpv:hasName"] for each in process.get("dpv:hasRecipient", ())),
        retention=_retention(process.get("dpv:hasStorageCondition", ())),
        withdraw_at=process["dpv:hasConsentControl"]["dpv:isExercisedAt"]["@id"],
    )


def _state(kinds: list[str], purpose: str) -> str:
    terms = [each.removeprefix("dpv:") for each in kinds]
    if purpose.startswith("directive:"):
        return "directive"
    return next((_BESIDE[each] for each in terms if each in _BESIDE), None) or _STATE[terms[0]]


def _retention(conditions: Any) -> str:
    for each in conditions:
        value = each.get("dpv:hasDuration", {}).get("rdf:value")
        if value is not None:
            return str(value["@value"])
    return ""


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value] if value else []


def _first(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = (value[0] if value else {}) if isinstance(value, list) else value or {}
    return found
