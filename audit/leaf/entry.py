"""What packages say to the log (`AuditEvent`), what the log keeps (`Leaf`), and what it shows (`Entry`).

A leaf holds no personal data: who it is about stands in it as a commitment and a blind tag. The openings lie beside the
log, sealed under keys that can be destroyed.
"""

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType, field

Outcome = Literal["ok", "permit", "deny", "fail"]

VERSION = 1
"""Version of the leaf format. Append-only: a change makes version 2 and leaves every version 1 readable."""


class AuditEvent(Struct, frozen=True):
    """Something that happened, before it is an entry.

    `type` is a declared type. `res` holds names and versions of things (purpose, notice, field class), never of people.
    `subject` is the person it is about (16 raw bytes), if any. `detail` is sealed: under the person's key, or without
    one under the tenant's. `pol` is the hash of the policy that decided.
    """

    type: str
    out: Outcome
    res: dict[str, str] = field(default_factory=dict)
    subject: bytes | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    pol: str = ""


class Commitments(Struct, frozen=True, gc=False):
    """HMAC-SHA256 values, 32 bytes, of the compartments a actor, d detail, s subject. An empty one is absent."""

    a: bytes | UnsetType = UNSET
    d: bytes | UnsetType = UNSET
    s: bytes | UnsetType = UNSET


class Tags(Struct, frozen=True, gc=False):
    """Blind tags, 16 bytes: a of the actor, s of the subject."""

    a: bytes | UnsetType = UNSET
    s: bytes | UnsetType = UNSET


class Leaf(Struct, frozen=True, gc=False, kw_only=True):
    """The entry's own bytes, as JSON.

    Fields stand in the order in which they are printed: sorted, which makes the JSON canonical (RFC 8785). Bytes print
    as padded base64. `ts` is the writing node's claim in microseconds; the index, not `ts`, orders the log.
    """

    actor_class: str
    c: Commitments
    id: str
    n: bytes
    org: str
    out: str
    pol: str | UnsetType = UNSET
    res: dict[str, str]
    src: str
    t: Tags
    ts: int
    type: str
    v: int


class Entry(Struct, frozen=True):
    """An entry as it is shown: `leaf` is what was hashed, verbatim. `index` is None while it waits."""

    id: str
    log: str
    index: int | None
    leaf: bytes


class Opening(Struct, frozen=True):
    """One opened compartment: `r` is the commitment's key (32 bytes), `payload` what was committed to, as JSON."""

    compartment: Literal["a", "d", "s"]
    r: bytes
    payload: bytes
