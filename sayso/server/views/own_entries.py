"""All entries about one person, for that person: with the openings they may see, each with its proof.

Who acted stands in an opening with a name and an id; a person sees roles, so that part stays closed but for their own
acts. The tag key finds all their entries in the exported log: whoever holds it can check that none was left out.
"""

import base64
from collections.abc import AsyncIterator
from typing import Final

from msgspec import Struct

from audit import TAG_KEY_HANDED_OUT, AuditEvent, LogHead, LogPlace, Order, Selection, tag_key_of, written
from policies import Answer, rights_question
from sayso.kernel import LOG, Key, NotFound, Tx, Work, text
from sayso.server.call import Call
from sayso.server.logkeeping.exporting import chosen

_PARTS: Final = "ds"


class TagKey(Struct, frozen=True):
    """What finds all entries about a person in a log: 32 bytes in base64, and how to use them."""

    subject: str
    tag_key: str
    how: str = "python3 -I sayso_verify.py LOG --tag-key FILE"


class Own(Struct, frozen=True):
    """The keys of every id the person goes by, and where entries about them stand, oldest first, under which heads."""

    order: Order
    keys: dict[bytes, Key]
    heads: list[LogHead]
    places: list[LogPlace]


def own_entries(call: Call, tx: Tx, subject: bytes) -> Work[Own | Answer]:
    """What there is, after a permit to export it, which is an entry; without one the refusal."""
    services = call.services
    answer = yield from _asked(call, tx, subject)
    if answer.permit is None:
        return answer
    keys = yield from _keys(call, tx, subject)
    told, by = {"subject": text("sub", subject)}, tx.context.actor.id
    heads, places = yield from services.exports.under(tx, (yield from services.audit.places_about(tx, tuple(keys))))
    order = Order("entries", "bundle", Selection(subjects=tuple(keys)), by, "", _PARTS, True, told)
    return Own(order, keys, heads, places)


async def bundle(call: Call, own: Own) -> AsyncIterator[bytes]:
    """The evidence bundle of a person's own entries, in whatever logs they lie."""
    return written(await chosen(call, own.order, own.heads, own.places, own.keys))


def tag_key(call: Call, tx: Tx, subject: bytes) -> Work[TagKey | Answer]:
    """The person's tag key, after a permit to export, with an entry that says so. Raises `NotFound` without a key."""
    services = call.services
    answer = yield from _asked(call, tx, subject)
    if answer.permit is None:
        return answer
    key = (yield from _keys(call, tx, subject)).get(subject)
    if key is None:
        raise NotFound("not-found", "There is no such person.")
    services.audit.append(tx, AuditEvent(TAG_KEY_HANDED_OUT, "ok", {}, subject), key)
    return TagKey(text("sub", subject), base64.b64encode(tag_key_of(key)).decode())


def _asked(call: Call, tx: Tx, subject: bytes) -> Work[Answer]:
    """A person reads what is theirs; whoever does it for them exports it."""
    actor = tx.context.actor
    question = rights_question(actor, subject, "read" if actor.kind == "person" else "export")
    return (yield from call.services.engine.evaluate(tx, call.configuration.policy, question))


def _keys(call: Call, tx: Tx, subject: bytes) -> Work[dict[bytes, Key]]:
    services = call.services
    ids = (yield from services.registry.ids(tx, subject)) or (subject,)
    rows = yield tuple(services.keyring.read(tx, each) for each in ids)
    held = {each: services.keyring.unwrap(call.tenant, each, LOG, row) for each, row in zip(ids, rows, strict=True)}
    return {each: key for each, key in held.items() if key is not None}
