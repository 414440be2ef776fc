"""One-time links to the preference page: a code by which a person shows that the link was sent to them."""

from typing import Final, cast

from audit import AuditEvent, AuditLog
from consent import events
from consent.answers import Link
from consent.errors import CodeUnusable, LinkUnusable
from consent.model import Assurance
from consent.people.codes import Codes
from consent.people.people import People
from sayso.kernel import Tx, Work, iso

PURPOSE: Final = "preference_page"


class Links:
    """Makes and redeems links, each with its entry."""

    def __init__(self, audit: AuditLog, people: People, codes: Codes) -> None:
        self._audit = audit
        self._people = people
        self._codes = codes

    def create(self, tx: Tx, subject: bytes, ttl_s: int, assurance: Assurance = "link") -> Work[Link]:
        """A new code for this person. `assurance` is what whoever asked for it vouches for. Raises `NoSubject`,
        `Invalid`.
        """
        person = yield from self._people.find(tx, subject)
        issued = self._codes.issue_to(tx, PURPOSE, person, assurance.encode(), ttl_s=ttl_s)
        detail = {"expires_at": issued.expires_at}
        self._audit.append(tx, AuditEvent(events.LINK_CREATED, "ok", {}, person.subject, detail), person.key)
        return Link(issued.code, iso(issued.expires_at))

    def redeem(self, tx: Tx, code: str) -> Work[tuple[bytes, Assurance]]:
        """The person behind a code, which is used up by this. Raises `LinkUnusable`, whatever the reason."""
        try:
            redeemed = yield from self._codes.redeem(tx, PURPOSE, code)
        except CodeUnusable:
            raise LinkUnusable from None
        person = yield from self._people.find(tx, redeemed.subject)
        self._audit.append(tx, AuditEvent(events.LINK_REDEEMED, "ok", {}, person.subject), person.key)
        return person.subject, cast(Assurance, redeemed.payload.decode() or "link")
