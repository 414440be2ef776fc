"""What is known about one person that decides: choices per purpose, objections, restriction, relations,
jurisdictions.

All of it is one packed row per person, so that a decision costs one read whatever the person's history. The row's
layout is docs/formats/consent.md; fields may be appended, never moved.
"""

from typing import Final, Literal

import msgspec
from msgspec import Struct

Act = Literal["granted", "refused", "withdrawn", "objected", "reconsidered"]
"""What a person does about a purpose. `reconsidered` takes an objection back, and nothing else does."""

Stored = Literal["granted", "refused", "withdrawn", "objected", "pending", "stale", "unasked"]
"""What a choice in the row can say. `unasked` holds a place for an objection or an assurance."""

Status = Literal["granted", "refused", "withdrawn", "expired", "unasked", "pending", "objected", "stale"]
"""What is answered for a purpose: the choices folded over the tree, at an instant."""

Ignored = Literal["late", "weaker", "suppressed"]
"""Why a grant changed nothing (docs/glossary.md)."""

Assurance = Literal["device", "link", "code", "session", "staff"]

RANK: Final[dict[str, int]] = {"device": 0, "link": 1, "code": 2, "session": 3, "staff": 3}
"""How well the identifier behind a choice is known. A lower rank may tighten what a higher one said, never loosen it.
"""

NOES: Final = frozenset({"refused", "withdrawn", "objected"})


class Cover(Struct, frozen=True, array_like=True, gc=False):
    """One purpose below a granted one that the notice shown had named: the grant reaches it, on its own version and
    term.
    """

    since: int
    version: int
    expires_at: int = 0


class Choice(Struct, frozen=True, array_like=True, gc=False):
    """The newest admissible choice at one purpose. Times are microseconds since the epoch, 0 means none.

    `assurance` is the highest rank ever shown for this purpose, so that it never falls. `objected_at` is an objection
    kept beside the status: a later grant does not clear it. `covers` names purposes below that a grant reaches.
    """

    status: Stored
    since: int = 0
    notice: str = ""
    notice_version: int = 0
    purpose_version: int = 0
    covers: dict[str, Cover] = {}
    assurance: int = 0
    record: bytes = b""
    expires_at: int = 0
    objected_at: int = 0


class Jurisdiction(Struct, frozen=True, array_like=True):
    """A law that may apply to the person: `code` of the jurisdiction tree, `source` of the fact (declared, shipping,
    site …).
    """

    code: str
    source: str
    at: int


class Relation(Struct, frozen=True, array_like=True):
    """A recorded contract, case or public task; live from `start` until `until` (0: open). No purposes means all."""

    ref: str
    kind: Literal["contract", "case", "public_task"]
    purposes: tuple[str, ...] = ()
    start: int = 0
    until: int = 0

    def live(self, at: int) -> bool:
        """Whether it holds at this instant."""
        return self.start <= at and (self.until == 0 or at < self.until)


class PersonState(Struct, frozen=True, array_like=True):
    """Everything about a person that decides.

    `denials` keeps, beside a grant, the no that it replaced: that no still covers the purposes below which the grant
    did not reach, and a grant given before it stays late. `held` counts legal holds.
    """

    choices: dict[str, Choice] = {}
    restricted_at: int = 0
    erased_at: int = 0
    suppressed_until: int = 0
    held: int = 0
    jurisdictions: tuple[Jurisdiction, ...] = ()
    relations: tuple[Relation, ...] = ()
    denials: dict[str, Choice] = {}


class Standing(Struct, frozen=True, gc=False):
    """Where a person stands on one purpose. `objected` tells of an objection even where a later grant makes it
    `granted`.
    """

    status: Status
    since: int = 0
    notice: str = ""
    notice_version: int = 0
    expires_at: int = 0
    legal_basis: str = ""
    record: bytes = b""
    objected: bool = False

    @property
    def no(self) -> bool:
        """Whether a no stands: it blocks every basis but contract, legal obligation, vital interest and public task."""
        return self.status in NOES


class Identifier(Struct, frozen=True, forbid_unknown_fields=True):
    """How a caller names a person. The value becomes a blind tag and is not kept."""

    type: str
    value: str

    def __repr__(self) -> str:
        return f"Identifier(type={self.type!r})"


Evidence = dict[str, str | int | bool | list[str]]
"""What the caller kept of the moment: interface variant, steps shown, truncated address. Flat; sealed with the
record.
"""


class Submission(Struct, frozen=True, kw_only=True):
    """Choices as they arrive at the registry. `subject` (16 raw bytes) or `identifier` says whose; times are
    instants.

    `occurred_at` is the caller's claim and can only make a grant lose. `bundle` joins the records of one act of
    choosing.
    """

    choices: dict[str, Act]
    notice: str = ""
    notice_version: int = 0
    locale: str = ""
    method: str = "api"
    assurance: Assurance = "session"
    subject: bytes | None = None
    identifier: Identifier | None = None
    occurred_at: int | None = None
    evidence: Evidence = {}
    bundle: bytes = b""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(PersonState).decode


def pack(state: PersonState) -> bytes:
    """The state as it lies in `consent_person.state`: MessagePack, arrays in field order."""
    return _encode(state)


def unpack(blob: bytes) -> PersonState:
    """The state in a row."""
    return _decode(blob)
