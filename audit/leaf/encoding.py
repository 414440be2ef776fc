"""The leaf as bytes: JSON on the subset where msgspec and RFC 8785 agree. Written once, served verbatim, never
re-serialised.

The subset: keys are fixed ASCII words or declared members of `res`, in sorted order; values are ASCII text, integers
from 0 to
2^53 - 1, and bytes as base64. No floats, no null, no other numbers. Everything outside is refused before it is encoded.
"""

from typing import Any

import msgspec

from audit.leaf.entry import AuditEvent, Leaf
from audit.leaf.vocabulary import UndeclaredEvent, members_of
from sayso.kernel import Actor

LEAF_LIMIT = 16 * 1024
"""Bytes of a leaf."""

DETAIL_LIMIT = 256 * 1024
"""Bytes of an entry's sealed detail."""

VALUE_LIMIT = 200
"""Characters of one value in `res`."""

_LARGEST = 2**53 - 1
_REMEMBERED = 4_096

# What passed once passes again: a brand has a few hundred combinations of type, outcome and names, asked a million
# times.
_accepted: set[tuple[object, ...]] = set()
_OUTCOMES = frozenset({"ok", "permit", "deny", "fail"})

# Struct fields are declared in sorted order, so only dictionaries are left to sort.
_encoder = msgspec.json.Encoder(order="deterministic")


class LeafRefused(ValueError):
    """An event that cannot become a leaf: too large, or with a value that must not stand in one. A fault of the
    caller's code.
    """


class LeafIndex(msgspec.Struct, frozen=True, gc=False):
    """The members of a leaf that the search index holds."""

    out: str
    type: str


class _Identified(msgspec.Struct, frozen=True, gc=False):
    id: str


_id_decoder = msgspec.json.Decoder(_Identified)
_index_decoder = msgspec.json.Decoder(LeafIndex)
_leaf_decoder = msgspec.json.Decoder(Leaf, strict=True)


def check(event: AuditEvent) -> None:
    """Raise `UndeclaredEvent` or `LeafRefused` unless the event may become a leaf."""
    try:
        shape = (event.type, event.out, *event.res, *event.res.values())
        if shape in _accepted:
            return
    except TypeError:
        raise LeafRefused(f"{event.type}: a member of res is not a plain name or version") from None
    _check(event)
    if len(_accepted) >= _REMEMBERED:
        _accepted.clear()
    _accepted.add(shape)


def _check(event: AuditEvent) -> None:
    members = members_of(event.type)
    if event.out not in _OUTCOMES:
        raise LeafRefused(f"{event.type}: an outcome is ok, permit, deny or fail")
    for member, value in event.res.items():
        if member not in members:
            raise UndeclaredEvent(f"{event.type}: res has no declared member {member!r}")
        # The likeliest slips are an address or a person's id in place of a name. Both are stopped here, for ever.
        if type(value) is not str or not value.isascii() or not value.isprintable() or "@" in value or "sub_" in value:
            raise LeafRefused(f"{event.type}: {member} is not a plain name or version")
        if len(value) > VALUE_LIMIT:
            raise LeafRefused(f"{event.type}: {member} is longer than {VALUE_LIMIT} characters")


def encode_leaf(leaf: Leaf) -> bytes:
    """The leaf's bytes. Raises `LeafRefused` above 16 KiB and for times that JSON numbers cannot hold exactly."""
    if not 0 <= leaf.ts <= _LARGEST:
        raise LeafRefused("a leaf's time must lie between 0 and 2^53 - 1 microseconds")
    raw = _encoder.encode(leaf)
    if len(raw) > LEAF_LIMIT:
        raise LeafRefused(f"{leaf.type}: a leaf of more than {LEAF_LIMIT} bytes")
    return raw


def decode_leaf(raw: bytes) -> Leaf:
    """A leaf of ours, for display. Raises `msgspec.DecodeError` on anything else."""
    return _leaf_decoder.decode(raw)


def index_of(raw: bytes) -> LeafIndex:
    """What the search index holds of a leaf."""
    return _index_decoder.decode(raw)


def id_of(raw: bytes) -> str:
    """The id that stands in a leaf."""
    return _id_decoder.decode(raw).id


def encode_detail(event_type: str, detail: dict[str, Any]) -> bytes:
    """The detail's bytes: sorted keys. They are committed to and kept as they are, so any JSON will do.

    Raises `LeafRefused` above 256 KiB.
    """
    raw = _encoder.encode(detail)
    if len(raw) > DETAIL_LIMIT:
        raise LeafRefused(f"{event_type}: a detail of more than {DETAIL_LIMIT} bytes")
    return raw


class _ActorPayload(msgspec.Struct, frozen=True, gc=False):
    id: str
    kind: str
    name: str
    roles: list[str]


def encode_actor(actor: Actor) -> bytes:
    """The actor's payload: id, kind, name, roles."""
    return _encoder.encode(_ActorPayload(actor.id, actor.kind, actor.name, sorted(actor.roles)))


def encode_subject(subject: bytes) -> bytes:
    """The subject's payload: `{"subject":"sub_…"}`."""
    return b'{"subject":"sub_' + subject.hex().encode() + b'"}'
