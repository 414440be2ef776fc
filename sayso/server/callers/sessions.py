"""Cookies: secrets that stand for a person or an operator for a while.

A secret is `<tenant>.<43 characters>`: 256 random bits, kept as SHA-256 only. A one-time link to the preference page is
the registry's; here its code, with the tenant in front, is spent by a POST and becomes a session. Opening the address
spends nothing, since mail scanners do that.
"""

import base64
import secrets
from hashlib import sha256

import msgspec

from consent import RANK
from sayso.kernel import SECOND, Actor, SaysoError, Tx, Unauthenticated, Work, text
from sayso.server import store
from sayso.server.callers.auth import Principal
from sayso.server.tenancy import tenant_name

PERSON, CONSOLE, NONCE, EMBED = "person", "console", "nonce", "embed"
"""Kinds of rows: two of cookies, the device that first used a banner's token, and what the forms of a frame carry."""

PERSON_TERM = 3600 * SECOND
CONSOLE_TERM = 8 * 3600 * SECOND
LINK_TERM_S = 900
"""How long a link lives when the caller names no term: 15 minutes."""


class Session(msgspec.Struct, frozen=True):
    """An open session: `ref` is the person's raw id or names the operator's key, `csrf` the token its forms carry."""

    tenant: str
    kind: str
    ref: bytes
    assurance: str
    until: int
    fingerprint: bytes
    csrf: str


class NoSession(Unauthenticated):
    """No session, or one that ended. What was wrong is not said."""


def new_secret(tenant: str) -> str:
    """A fresh secret of one brand."""
    return f"{tenant}.{secrets.token_urlsafe(32)}"


def tenant_of(secret: str) -> str | None:
    """The brand that a secret claims to belong to, if it has that form."""
    name, _, rest = secret.partition(".")
    try:
        return tenant_name(name) if rest else None
    except SaysoError:
        return None


def issue(tx: Tx, kind: str, ref: bytes, assurance: str, term: int) -> str:
    """Add a session or link to `tx` that lives `term` microseconds; returns its secret."""
    secret = new_secret(tx.context.tenant)
    tx.insert(store.SESSION, fingerprint(secret), kind, ref, assurance, tx.context.at + term)
    return secret


def find(tx: Tx, secret: str, kind: str) -> Work[Session]:
    """The live session of that kind behind a cookie. Raises `NoSession`."""
    mark = fingerprint(secret)
    (row,) = yield (tx.get(store.SESSION, mark),)
    if row is None or row[0] != kind or row[3] <= tx.context.at:
        raise NoSession("no-session", "There is no open session.")
    return Session(tx.context.tenant, kind, row[1], row[2], row[3], mark, csrf_of(secret))


def may_fetch(assurance: str) -> bool:
    """Whether a person who came in so may fetch their access package: a link may have been passed on, so it takes the
    code that was typed on that very page, or the brand's own session.
    """
    return RANK[assurance] >= RANK["code"]


def strengthen(tx: Tx, session: Session, assurance: str) -> None:
    """Who holds this session has shown more of who they are."""
    tx.delete(store.SESSION, session.fingerprint)
    tx.insert(store.SESSION, session.fingerprint, session.kind, session.ref, assurance, session.until)


def end(tx: Tx, session: Session) -> None:
    """The session is over."""
    tx.delete(store.SESSION, session.fingerprint)


def person(session: Session) -> Principal:
    """The person behind a preference session: may what `self` may, to their own data."""
    actor = Actor(text("sub", session.ref), "person", "person", frozenset({"self"}), assurance=session.assurance)
    return Principal(session.tenant, actor, until=session.until)


def fingerprint(secret: str) -> bytes:
    """What is stored of a secret."""
    return sha256(secret.encode()).digest()


def csrf_of(secret: str) -> str:
    """The token that a session's forms carry: only who holds the cookie's content can know it."""
    return base64.urlsafe_b64encode(sha256(b"sayso.csrf\0" + secret.encode()).digest()[:24]).decode()


def stranger(tenant: str) -> Principal:
    """Somebody whom nobody has recognised yet: may do nothing but present a secret."""
    return Principal(tenant, Actor("visitor", "visitor", "browser", frozenset(), assurance="device"))
