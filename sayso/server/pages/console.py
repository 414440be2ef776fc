"""The compliance console: sign-in, the newest log entries with their proofs, and one person's consents."""

from typing import Literal
from urllib.parse import urlencode

from msgspec import Struct

from .environment import render
from .frame import Frame
from .person import PurposeCard, RecordLine

Proof = Literal["verified", "pending", "failed"]


class Operator(Struct, frozen=True, kw_only=True):
    """The signed-in operator; `people` tells whether the roles admit looking people up."""

    name: str
    roles: tuple[str, ...]
    tenant: str
    people: bool = True


class ConsoleLogin(Struct, frozen=True, kw_only=True):
    """The sign-in form. `problem` is "key" after a key that was not admitted, whatever the reason was."""

    frame: Frame
    problem: Literal["key", "ended"] | None = None


class EntryRow(Struct, frozen=True, kw_only=True):
    """One log entry. `facts` are the leaf's non-personal names (`res`); `index` is None while pending.

    `proof` is "verified" when the server checked the inclusion proof against the last signed checkpoint for this
    answer.
    """

    entry: str
    at: int
    type: str
    outcome: Literal["ok", "permit", "deny", "fail"]
    actor: str
    facts: tuple[tuple[str, str], ...] = ()
    index: int | None = None
    proof: Proof = "pending"


class EntryDetails(Struct, frozen=True, kw_only=True):
    """The entry in the drawer: the row, its raw leaf exactly as hashed (UTF-8 text) and the leaf hash in hex."""

    row: EntryRow
    leaf: str
    leaf_hash: str


class EntryFilter(Struct, frozen=True, kw_only=True):
    """The filter as given; empty strings ask for everything. Dates are `YYYY-MM-DD`, UTC, both included."""

    type: str = ""
    outcome: str = ""
    from_: str = ""
    to: str = ""

    def query(self, **more: str | None) -> str:
        """The filter as a query string with its leading "?", with `more` members added; empty members are left out."""
        members = {"type": self.type, "outcome": self.outcome, "from": self.from_, "to": self.to, **more}
        named = {name: value for name, value in members.items() if value}
        return f"?{urlencode(named)}" if named else "?"


class LogHealth(Struct, frozen=True, kw_only=True):
    """State of the tenant's main log: entries integrated, entries waiting, and the last signed checkpoint."""

    origin: str
    size: int
    pending: int
    checkpoint_size: int
    checkpoint_at: int | None
    root: str
    vkey: str
    witnessed: bool = False


class EntriesPage(Struct, frozen=True, kw_only=True):
    """The newest entries under a filter, one page of them. Cursors are opaque; None where there is no such page.

    `types` are the entry types that the filter offers; `problem` names a filter member that could not be understood.
    """

    frame: Frame
    operator: Operator
    health: LogHealth
    rows: tuple[EntryRow, ...]
    types: tuple[str, ...]
    filter: EntryFilter = EntryFilter()
    newer: str | None = None
    older: str | None = None
    cursor: str | None = None
    details: EntryDetails | None = None
    problem: Literal["type", "outcome", "from", "to", "cursor", "entry"] | None = None


class PeoplePage(Struct, frozen=True, kw_only=True):
    """The look-up form. `kinds` are the identifier types of the tenant; the value is never echoed."""

    frame: Frame
    operator: Operator
    kinds: tuple[str, ...] = ("email", "phone", "customer_id", "device")
    kind: str = "email"
    problem: Literal["unknown", "value", "denied"] | None = None


class PersonPage(Struct, frozen=True, kw_only=True):
    """What stands for one person: a card per purpose and the newest records first."""

    frame: Frame
    operator: Operator
    subject: str
    purposes: tuple[PurposeCard, ...]
    records: tuple[RecordLine, ...]
    restricted: bool = False
    erased: bool = False


def render_console_login(page: ConsoleLogin) -> str:
    """The sign-in page of the console."""
    return render("pages/console_login.html", page.frame, page=page)


def render_entries(page: EntriesPage) -> str:
    """The log: health, filter, entries, and the drawer of the entry that the address names."""
    return render("pages/entries.html", page.frame, page=page)


def render_people(page: PeoplePage) -> str:
    """The look-up of a person by identifier."""
    return render("pages/people.html", page.frame, page=page)


def render_person(page: PersonPage) -> str:
    """One person's consents, as an officer sees them."""
    return render("pages/person.html", page.frame, page=page)
