"""What is known about one person that decides: choices per purpose, objections, restriction, relations,
jurisdictions.

All of it is one packed row per person, so that a decision costs one read whatever the person's history. The row's
layout is docs/formats/consent.md; fields may be appended, never moved.
"""

from typing import Final, Literal

from msgspec import Struct

from consent.preferences.contact import Contact

Act = Literal["granted", "refused", "withdrawn", "objected", "reconsidered", "requested", "expired", "undone"]
"""What a person does about a purpose. `reconsidered` takes an objection back, and nothing else does. `requested` is a
grant that waits for its confirmation (double opt-in). `expired` is only ever recorded by a worker and changes nothing:
that a grant has ended is judged when it is read. `undone` takes a withdrawal back soon after it: what it changed stands
again as it stood.
"""

Stored = Literal["granted", "refused", "withdrawn", "objected", "pending", "stale", "unasked"]
"""What a choice in the row can say. `unasked` holds a place for an objection or an assurance."""

Status = Literal["granted", "refused", "withdrawn", "expired", "unasked", "pending", "objected", "stale"]
"""What is answered for a purpose: the choices folded over the tree, at an instant."""

Ignored = Literal["late", "weaker", "suppressed", "signal"]
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
    source: str = ""

    def live(self, at: int) -> bool:
        """Whether it holds at this instant."""
        return self.start <= at and (self.until == 0 or at < self.until)


class Waiting(Struct, frozen=True, array_like=True, gc=False):
    """A grant that waits until `until` to be confirmed. It permits nothing and outdates no no.

    `covers` are what it will reach once confirmed; `assurance` is the rank behind the request.
    """

    record: bytes
    since: int
    claimed: int
    notice: str
    notice_version: int
    purpose_version: int
    covers: dict[str, Cover] = {}
    assurance: int = 0
    until: int = 0
    guardian: bytes = b""


class AgeBand(Struct, frozen=True, array_like=True):
    """How old the person was at the instant `at`: `youngest` years at least, and below `below` (0: nobody knows)."""

    youngest: int
    below: int
    source: str
    at: int


class Guardian(Struct, frozen=True, array_like=True):
    """Who may choose for the person (16 raw bytes), how that was verified, and who says so."""

    subject: bytes
    verified_by: str
    source: str
    at: int


class Minority(Struct, frozen=True, array_like=True):
    """What is known of the person's age and of those who choose for them.

    `indicated` maps the `since` of a grant to the guardian who gave it. `grown_at` is when a newer fact ended a
    childhood; 0 when only the calendar does.
    """

    age: AgeBand | None = None
    guardians: tuple[Guardian, ...] = ()
    indicated: dict[int, bytes] = {}
    grown_at: int = 0


class Directive(Struct, frozen=True, array_like=True, gc=False):
    """An opt-out of a kind, the newest of its kind (`directives.py`). It stands over every purpose that does something
    of `reach` and is not in `lifted` with an instant later than `at`.

    `since` is when the first of its kind was given, `origins` the browsers and clients that gave it (16 raw bytes).
    """

    at: int
    reach: tuple[str, ...]
    since: int = 0
    assurance: int = 0
    source: str = ""
    record: bytes = b""
    origins: tuple[bytes, ...] = ()
    lifted: dict[str, int] = {}


class Given(Struct, frozen=True, array_like=True, gc=False):
    """A directive as its record keeps it: what was given, how it reached us (`header`, `script`, `link`, `api`), and
    the direct-marketing purposes that it marked as objected.
    """

    kind: str
    reach: tuple[str, ...]
    source: str
    origin: bytes
    objections: tuple[str, ...] = ()


class Family(Struct, frozen=True, array_like=True, gc=False):
    """Ids that mean one person since they were merged (`merging.py`): `root` is the one that stayed. Every one of them
    keeps a row with the same state, so that a decision about any costs one read.

    `held` counts the legal holds over each id that has any: `PersonState.held` is their sum, and when the ids part
    each keeps its own.
    """

    root: bytes
    aliases: tuple[bytes, ...]
    held: dict[bytes, int] = {}


class Stood(Struct, frozen=True, array_like=True):
    """What stood before an act, of all that it changed: choices and the noes beside them (None: there was none),
    requests that waited, and per kind of directive where it had been lifted (`stood.py`).
    """

    choices: dict[str, Choice | None] = {}
    denials: dict[str, Choice | None] = {}
    waiting: dict[str, Waiting] = {}
    lifted: dict[str, dict[str, int]] = {}


class PersonState(Struct, frozen=True, array_like=True):
    """Everything about a person that decides.

    `denials` keeps, beside a grant, the no that it replaced: that no still covers the purposes below which the grant
    did not reach, and a grant given before it stays late. `held` counts legal holds. `unsure_at` is when an older copy
    of the store was put back: what the person said between that copy and then may be lost.
    """

    choices: dict[str, Choice] = {}
    restricted_at: int = 0
    erased_at: int = 0
    suppressed_until: int = 0
    held: int = 0
    jurisdictions: tuple[Jurisdiction, ...] = ()
    relations: tuple[Relation, ...] = ()
    denials: dict[str, Choice] = {}
    waiting: dict[str, Waiting] = {}
    minority: Minority | None = None
    directives: dict[str, Directive] = {}
    contact: Contact | None = None
    family: Family | None = None
    unsure_at: int = 0


class Standing(Struct, frozen=True, gc=False):
    """Where a person stands on one purpose. `objected` tells of an objection even where a later grant makes it
    `granted`. `blocked` tells that interest and notice are blocked though the status is no no, `guardian` that only a
    guardian's grant would hold, `young` that this person is asked first even under an opt-out, `directive` which
    directive stands over it.
    """

    status: Status
    since: int = 0
    notice: str = ""
    notice_version: int = 0
    expires_at: int = 0
    legal_basis: str = ""
    record: bytes = b""
    objected: bool = False
    blocked: bool = False
    guardian: bool = False
    directive: str = ""
    young: bool = False

    @property
    def no(self) -> bool:
        """Whether a no stands: it blocks every basis but contract, legal obligation, vital interest and public task."""
        return self.status in NOES or self.blocked


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


class DoubleOptIn(Struct, frozen=True, forbid_unknown_fields=True):
    """A double opt-in that happened elsewhere: when it was asked for, and when it was confirmed. Instants."""

    requested_at: int
    confirmed_at: int


class Signal(Struct, frozen=True):
    """A directive as it arrives: its kind, how it reached us, and the browser or client it comes from (any bytes).

    `only_required`: to be honoured only where a law that may apply to the person asks for it.
    """

    kind: str
    source: str
    origin: bytes
    only_required: bool = False


class Submission(Struct, frozen=True, kw_only=True):
    """Choices as they arrive at the registry. `subject` (16 raw bytes) or `identifier` says whose; times are
    instants.

    `occurred_at` is the caller's claim and can only make a grant lose. `bundle` joins the records of one act of
    choosing. `indicated_by` is the guardian who chose; `confirmed` a double opt-in that the caller has evidence of.
    `undoable` keeps in the record what stood before; `undoes` and `stood` are a record to take back and what it kept.
    `signals` came with the choices. `conflict_shown`: whoever granted was shown that a directive says no, and named
    each purpose by itself.
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
    indicated_by: bytes = b""
    confirmed: DoubleOptIn | None = None
    confirms: bytes = b""
    signals: tuple[Signal, ...] = ()
    conflict_shown: bool = False
    undoable: bool = False
    undoes: bytes = b""
    stood: Stood | None = None
