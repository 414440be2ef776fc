"""`DeletionDesk`: what comes of a deletion request: one rights request, for whomever the identifier leads to, or for
nobody.

It is a rights request like any other: it has its clock, says no more about a person than before, and rests until it is
known who asks. That a publisher has made sure is the publisher's word, which an officer may take (`document`).
"""

from typing import TYPE_CHECKING

from consent import Identifier, NoSubject
from rights import Calendar, Opening
from sayso.kernel import TENANT_OWNER, Actor, Context, Invalid, Tx, Work, new_raw, now, raw
from sayso.server.iab.messages import (
    ACCEPTED,
    FORMAT,
    Deletion,
    DeletionRefused,
    DeletionReplayed,
    Opened,
    checked,
    opened,
    receipt,
)
from sayso.server.taken import store
from sayso.server.taken.stated import one_line

if TYPE_CHECKING:
    from sayso.server.wiring import Services

REQUESTS_A_MINUTE = 300
"""Requests that one party may bring in a minute."""

_NOTED = "The request is taken."
_LABEL = "iab.message"


class DeletionDesk:
    """Deletion requests of all tenants."""

    def __init__(self, services: "Services") -> None:
        self._services = services

    def endpoint(self, tenant: str) -> str:
        """Where this brand's requests go."""
        return f"{self._services.settings.base_url}/t/{tenant}/iab/deletions"

    async def take(self, tenant: str, token: str, request: str) -> str:
        """Take a request; the receipt says so, and the same whether anybody is known or not.

        Raises `DeletionRefused` (with a receipt for whoever signed well), `DeletionReplayed`, `TooMany`.
        """
        declared = self._services.configurations.of(tenant).deletions
        signed = opened(token, declared)
        at = now()
        self._services.limiter.take(f"iab:{tenant}:{signed.requester.domain}", REQUESTS_A_MINUTE, at)
        # Beside no key: whoever signs is known by the manifest alone, and may do nothing but this.
        actor = Actor("iab", signed.requester.domain, "service", frozenset())
        try:
            context = Context(tenant, actor, at, request)
            await self._services.database.run_alone(context, lambda tx: self._open(tx, token))
        except (DeletionRefused, DeletionReplayed) as refused:
            refused.facts["acJWT"] = self._receipt(tenant, signed, refused.code, refused.message, at)
            raise
        return self._receipt(tenant, signed, ACCEPTED, _NOTED, at)

    def _open(self, tx: Tx, token: str) -> Work[None]:
        """Cold. What a person asked for once is one request, by however many ways it comes.

        The token is read here again, by the manifest that is live in this commit.
        """
        live = self._services.configurations.of(tx.context.tenant)
        declared = live.deletions
        audiences = frozenset((declared.domain, self.endpoint(tx.context.tenant)))
        secret = self._services.keyring.standing(tx.context.tenant, TENANT_OWNER).derive(_LABEL)
        deletion = checked(opened(token, declared), declared, audiences, secret, tx.context.at)
        if (yield from store.known(tx, deletion.once)):
            raise DeletionReplayed
        subject = yield from self._meant(tx, deletion)
        store.remember(tx, deletion.once, deletion.until)
        if (yield from store.known(tx, deletion.origin)):
            return
        store.remember(tx, deletion.origin, deletion.origin_until)
        opening = Opening(
            subject=subject,
            kind="erasure",
            law=live.deletions.law,
            calendar=Calendar(),
            agent=deletion.requester.name,
            stated=_stated(deletion),
        )
        yield from self._services.desk.open(tx, live.policy, opening)

    def _meant(self, tx: Tx, deletion: Deletion) -> Work[bytes]:
        """Whom the identifier leads to; else an id that nobody has. Raises `DeletionRefused` for a value that could be
        nobody's.
        """
        named = Identifier(deletion.accepted.kind, deletion.value)
        try:
            resolved = yield from self._services.registry.resolve(tx, named, create=False)
        except NoSubject:
            return new_raw()
        except Invalid:
            raise DeletionRefused(FORMAT, "The identifier is not in a format that is taken.") from None
        return raw(resolved.subject, "sub")

    def _receipt(self, tenant: str, signed: Opened, code: int, message: str, at: int) -> str:
        domain = self._services.configurations.of(tenant).deletions.domain
        return receipt(self._services.keyring, tenant, domain, signed.token, code, message, at)


def _stated(deletion: Deletion) -> str:
    """What officers read of what was said, a line each."""
    kind, said = f"{deletion.accepted.type}, {deletion.accepted.format}", deletion.named
    lines = [
        "deletion by the IAB Data Deletion Request Framework",
        f"asked of: {deletion.first_party.name} ({deletion.first_party.domain}), {one_line(deletion.reference)}",
        f"brought by: {deletion.requester.name} ({deletion.requester.domain})",
        f"identifier ({kind}): {one_line(deletion.value)}",
    ]
    if (said.identifier_type, said.identifier_value) != (deletion.accepted.type, deletion.value):
        # Nobody but the requester says that it is the same person.
        theirs = one_line(f"{said.identifier_type}, {said.identifier_format}")
        lines.append(f"asked for ({theirs}): {one_line(said.identifier_value)}")
    return "\n".join(lines)
