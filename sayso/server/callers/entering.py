"""How a person comes in: what they hold is spent once and becomes a session.

Three things open the door: the code of a one-time link, the code of a link that the brand's server asked for somebody
who is signed in there, and a token that the brand signed itself (`sign_in_tokens.py`). Opening the address spends none
of them, since mail scanners and browsers that fetch ahead do that; a form does.
"""

from typing import Final

from consent import Assurance, CodeUnusable, Identifier, LinkUnusable
from sayso.kernel import SECOND, Invalid, NotFound, Tx, Work, raw
from sayso.server.callers import sessions
from sayso.server.callers.auth import Profile
from sayso.server.callers.sign_in_tokens import (
    CLOCKS_APART_S,
    SignIn,
    SignInRefused,
    addressed_to,
    is_token,
    read_sign_in_token,
)
from sayso.server.manifests.configuration import Configuration
from sayso.server.wiring import Services

MAKERS: Final = frozenset({"recorder", "vault_writer", "admin"})
"""Clients in these roles may name somebody whom Sayso has not met: they could make that person by a call as well."""


def tenant_named(code: str) -> str:
    """The brand that a code or a token claims to be of. Raises `SignInRefused`."""
    tenant = addressed_to(code) if is_token(code) else sessions.tenant_of(code)
    if tenant is None:
        raise SignInRefused(why="malformed")
    return tenant


def come_in(services: Services, configuration: Configuration, tx: Tx, code: str, kind: str, *, sure: bool) -> Work[str]:
    """Spend a code or a token: the secret of a session of this kind. Hot.

    `sure`: the brand must vouch that the person is signed in; the code of a mailed link does not do. Raises
    `SignInRefused`.
    """
    if is_token(code):
        subject = yield from _by_token(services, configuration, tx, code)
        assurance: Assurance = "session"
    else:
        try:
            subject, assurance = yield from services.registry.redeem_link(tx, code.partition(".")[2])
        except LinkUnusable:
            raise SignInRefused(why="used") from None
    if sure and assurance != "session":
        raise SignInRefused(why="person")
    return sessions.issue(tx, kind, subject, assurance, sessions.PERSON_TERM)


def _by_token(services: Services, configuration: Configuration, tx: Tx, token: str) -> Work[bytes]:
    said = read_sign_in_token(token, configuration.clients, tx.context.tenant, tx.context.at)
    registry, profile = services.registry, configuration.clients[said.iss]
    try:
        subject = yield from registry.sign_in(tx, _who(said), said.iss, create=_makes(profile))
    except (NotFound, Invalid):
        # Unknown, erased, or no value of its type: whoever holds the token is not told which.
        raise SignInRefused(why="person") from None
    until = (said.exp + CLOCKS_APART_S) * SECOND
    try:
        yield from registry.codes.spend_token(tx, "sign_in_token", f"{said.iss}\0{said.jti}", subject, until)
    except CodeUnusable:
        raise SignInRefused(why="used") from None
    return subject


def _who(said: SignIn) -> bytes | Identifier:
    if said.identifier is not None:
        return Identifier(said.identifier.type, said.identifier.value)
    try:
        return raw(said.sub, "sub")
    except Invalid:
        raise SignInRefused(why="person") from None


def _makes(profile: Profile) -> bool:
    return bool(MAKERS.intersection(profile.roles))
