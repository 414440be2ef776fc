"""A request as it is opened."""

from typing import Final

from msgspec import Struct

from rights.deadlines import Calendar
from rights.model import Kind, Law
from rights.store import Private
from rights.wanted import Correction

OPENED: Final = "opened"
"""The step under which what came with a request is kept."""


class Opening(Struct, frozen=True, kw_only=True):
    """A request as it is opened: for whom (16 raw bytes), for what, under which law.

    `calendar` is the controller's. `purposes` are those that an objection is about; none means all that a no can block.
    """

    subject: bytes
    kind: Kind
    law: Law
    calendar: Calendar = Calendar()
    purposes: tuple[str, ...] = ()
    agent: str = ""
    """Who asks for the person, as they named themselves: kept sealed, told to officers alone."""
    corrections: tuple[Correction, ...] = ()
    """What a rectification is about: kept sealed until it is done."""
    stated: str = ""
    """What came with the request for officers to read, kept sealed: by what an agent says the person is known.
    Of somebody unknown it goes when the request is closed.
    """

    @property
    def private(self) -> Private:
        """What of it is sealed, for a person who is known here or not."""
        statements = ((OPENED, self.stated),) if self.stated else ()
        return Private(self.purposes, statements, agent=self.agent)
