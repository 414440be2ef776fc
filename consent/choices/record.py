"""The consent record: one act of choosing, complete enough to prove it and to replay it. Sealed whole.

The format is final (docs/formats/consent.md): members may be added, none renamed or removed.
"""

from typing import Final

import msgspec
from msgspec import Struct, field

from consent.choices.fold import Change, Moment
from consent.model import RANK, Assurance, Evidence, Given, Stood
from consent.receipts.receipt import SignedReceipt
from sayso.kernel import Tx, Work

VERSION: Final = 1
COLLECTION: Final = "consent"
"""The collection that records are sealed for; the field is the record's id on the wire."""


class Payload(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What is sealed. MessagePack map; members that are empty are left out. Times are microseconds since the epoch.

    `at` orders a person's records; `occurred_at` is the caller's claim. `text_hash` is of what was shown in `locale`.
    `requested_at` and `confirmed_at` are the two steps of a double opt-in, `confirms` the record of the first where it
    was ours; `indicated_by` is the guardian who chose. `stood` is what the act changed, as it was before, of one that
    can be undone, and `undoes` the record that this one takes back.
    """

    v: int
    at: int
    changes: tuple[Change, ...]
    actor: str
    method: str
    assurance: Assurance
    entry: str
    bundle: bytes
    notice: str = ""
    notice_version: int = 0
    notice_hash: str = ""
    locale: str = ""
    text_hash: str = ""
    occurred_at: int = 0
    evidence: Evidence = {}
    directives: tuple[Given, ...] = ()
    conflict_shown: bool = False
    requested_at: int = 0
    confirmed_at: int = 0
    confirms: bytes = b""
    indicated_by: bytes = b""
    stood: Stood | None = None
    undoes: bytes = b""
    signed: SignedReceipt | None = field(default=None, name="receipt")

    def moment(self, record: bytes) -> Moment:
        """When and how surely this was chosen, for replaying it."""
        return Moment(
            self.at,
            min(self.occurred_at or self.at, self.at),
            RANK[self.assurance],
            record,
            self.notice,
            self.notice_version,
            conflict_shown=self.conflict_shown,
            confirmed=self.confirmed_at != 0,
            guardian=self.indicated_by,
        )

    def receipt(self, tx: Tx) -> Work[str]:
        """The receipt as it was given: compact JWS. Empty where none was."""
        return (yield from self.signed.compact(tx)) if self.signed is not None else ""

    @property
    def ignored(self) -> dict[str, str]:
        """The purposes whose grant changed nothing, and why."""
        return {change.purpose: change.ignored for change in self.changes if change.ignored}


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Payload).decode


def encode(payload: Payload) -> bytes:
    """The bytes that are sealed."""
    return _encode(payload)


def decode(blob: bytes) -> Payload:
    """A payload of this or an earlier version."""
    return _decode(blob)
