"""The console's page about what works on its own: who was not told, what fails, what waits for a second officer."""

from typing import Literal

from msgspec import Struct

from .console import Operator
from .environment import render
from .frame import Frame

JobWord = Literal["working", "waiting", "failing"]
HoldStep = Literal["proposed", "releasing"]


class BehindClient(Struct, frozen=True, kw_only=True):
    """A client that was not told of changes. `since` is the instant of the oldest one; `host` is where it listens."""

    client: str
    host: str
    active: bool
    since: int
    waiting: int
    dead: int


class LateLetter(Struct, frozen=True, kw_only=True):
    """A letter that could not be delivered. `next_at` is when it is tried again, None where it was given up on."""

    kind: str
    why: str
    at: int
    tries: int
    next_at: int | None = None


class JobLine(Struct, frozen=True, kw_only=True):
    """One job. `share` of the present round lies behind, 0 to 1; instants are None where there is none."""

    name: str
    word: JobWord
    share: float
    done: int
    error: str = ""
    tried_again_at: int | None = None
    finished_at: int | None = None


class TaskLine(Struct, frozen=True, kw_only=True):
    """Another system's part of a request that needs somebody: it failed (`why`), or its answer is late."""

    system: str
    request: str
    kind: str
    failed: bool
    due_at: int
    why: str = ""


class HoldLine(Struct, frozen=True, kw_only=True):
    """A legal hold that waits for another officer: to be placed, or to be released."""

    hold: str
    step: HoldStep
    matter: str
    people: int
    actor: str
    at: int


class EndingLine(Struct, frozen=True, kw_only=True):
    """Data of one category about to be deleted; `serves` is the purpose where they are answers to questions."""

    category: str
    serves: str = ""
    people: int
    values: int
    first_at: int


class Endings(Struct, frozen=True, kw_only=True):
    """What is deleted until an instant. `looked` is the share of what has changed that was looked at, `more` says that
    there are more people than were counted. Of people erased before: proof capsules and suppressed identifiers.
    """

    until: int
    lines: tuple[EndingLine, ...]
    people: int
    kept: int
    proofs: int
    suppressions: int
    more: bool = False
    looked: float = 1.0


class SystemsPage(Struct, frozen=True, kw_only=True):
    """Everything on the page. `mail` says whether this installation sends letters at all."""

    frame: Frame
    operator: Operator
    clients: tuple[BehindClient, ...]
    letters: tuple[LateLetter, ...]
    jobs: tuple[JobLine, ...]
    holds: tuple[HoldLine, ...]
    endings: Endings
    tasks: tuple[TaskLine, ...] = ()
    mail: bool = True

    @property
    def failing(self) -> int:
        """How many jobs fail."""
        return sum(1 for job in self.jobs if job.word == "failing")

    @property
    def given_up(self) -> int:
        """How many letters are not tried again."""
        return sum(1 for letter in self.letters if letter.next_at is None)


def render_systems(page: SystemsPage) -> str:
    """What works on its own, worst first."""
    return render("pages/systems.html", page.frame, page=page)
