"""Who used a person's data, when and for what: the entries about them, in words and without names.

Own acts of the person are not uses. What is decided about an audience is one entry for all, which names nobody; the
person's outcome is found in the one part of its list where their number would stand, however long the list is.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from audit import Entry, EntryPruned, Opening, decode_leaf
from consent import PERSON, Catalogue
from policies import ListUse
from sayso.kernel import LOG, Tx, Work, abreast
from sayso.server.brand.texts import worded
from sayso.server.call import Call
from sayso.server.pages import Brand, Frame, Use, UsesPage, category, role

LOOKED_THROUGH: Final = 200
"""Entries about the person that one page looks through; most are their own acts."""

LISTS_LOOKED_THROUGH: Final = 100
"""Answers about audiences that one page looks into."""

SHOWN: Final = 40

ACCESS: Final = frozenset({"access.permitted", "access.denied", "vault.value.revealed", "vault.value.refused"})
_NONE: Final = "-"


def uses_page(
    call: Call, tx: Tx, subject: bytes, frame: Frame, brand: Brand, of: str = "", before: str | None = None
) -> Work[UsesPage]:
    """A page of uses, newest first; `of` shows one category alone. A look. Raises `Invalid` on a foreign cursor."""
    found, older = yield from uses_of(call, tx, subject, frame.locale, before)
    kinds = dict(sorted({each.category: each.what for each in found if each.what}.items(), key=lambda kind: kind[1]))
    shown = [each for each in found if not of or each.category == of]
    return UsesPage(frame=frame, brand=brand, uses=tuple(shown), kinds=tuple(kinds.items()), of=of, older=older)


def uses_of(
    call: Call, tx: Tx, subject: bytes, locale: str, before: str | None = None, most: int = SHOWN
) -> Work[tuple[list[Use], str]]:
    """Uses of the data of a person and of every id that was merged into them, and the cursor of what is older."""
    services = call.services
    ids = (yield from services.registry.ids(tx, subject)) or (subject,)
    entries: list[tuple[Entry, bytes]] = []
    more = False
    for each in ids:
        page = yield from services.audit.entries_about(tx, each, before, LOOKED_THROUGH)
        more = more or page.next is not None
        entries += [(entry, each) for entry in page.entries]
    entries.sort(key=lambda pair: pair[0].id, reverse=True)
    more = more or len(entries) > LOOKED_THROUGH
    entries = entries[:LOOKED_THROUGH]
    rows = yield tuple(services.keyring.read(tx, each) for each in ids)
    keys = {each: services.keyring.unwrap(call.tenant, each, LOG, row) for each, row in zip(ids, rows, strict=True)}
    listed, behind = yield from _listed(call, tx, ids, before)
    # What one of the two did not look through yet belongs on the next page, of the other as well.
    floor = max(entries[-1][0].id if more else "", behind)
    items: list[tuple[str, tuple[Entry, bytes] | ListUse]] = [(pair[0].id, pair) for pair in entries]
    items += [(each.entry, each) for each in listed]
    items.sort(key=lambda item: item[0], reverse=True)
    opened = yield from _opened(call, tx, [item for each, item in items if each >= floor], keys, most)
    found: list[Use] = []
    last = ""
    catalogue = call.configuration.catalogue
    for entry_id, item in items:
        if entry_id < floor:
            break
        use = isinstance(item, ListUse) or _is_use(item[0])
        if use and len(found) == most:
            return found, last
        if isinstance(item, ListUse):
            try:
                entry = yield from services.audit.entry(tx, entry_id)
            except EntryPruned:
                # Its time was over, as that of a single answer would be.
                last = entry_id
                continue
            found.append(_listed_use(catalogue, entry, item, locale))
        elif use:
            found.append(_use(catalogue, item[0], decode_leaf(item[0].leaf), opened[entry_id], locale))
        last = entry_id
    return found, floor


def _opened(
    call: Call, tx: Tx, items: list[tuple[Entry, bytes] | ListUse], keys: dict[bytes, Any], most: int
) -> Work[dict[str, list[Opening]]]:
    """What may be opened of the first uses, all read together."""
    uses = [item for item in items if not isinstance(item, ListUse) and _is_use(item[0])][:most]
    openings = call.services.audit.openings_of
    found = yield from abreast([openings(tx, entry, keys[owner]) for entry, owner in uses])
    return {entry.id: each for (entry, _), each in zip(uses, found, strict=True)}


def _is_use(entry: Entry) -> bool:
    """Whether somebody else asked for the person's data."""
    leaf = decode_leaf(entry.leaf)
    return leaf.type in ACCESS and leaf.actor_class != "person"


def _listed(call: Call, tx: Tx, ids: Sequence[bytes], before: str | None) -> Work[tuple[list[ListUse], str]]:
    """What answers about audiences say of the person, and the last that was looked into where there may be more."""
    rows = yield tuple(tx.get(PERSON, each) for each in ids)
    aids = [row[1] for row in rows if row is not None and row[1]]
    return (yield from call.services.audiences.uses(tx, aids, before, LISTS_LOOKED_THROUGH))


def _listed_use(catalogue: Catalogue, entry: Entry, listed: ListUse, locale: str) -> Use:
    answered, refused = listed.answered, listed.reason != "permitted"
    declared = catalogue.purposes.get(answered.purpose)
    return Use(
        entry=entry.id,
        at=listed.at,
        outcome="refused" if refused else "used",
        action=answered.action,
        category=answered.category,
        what=category(answered.category, locale),
        purpose=worded(declared.title, locale, answered.purpose) if declared is not None else answered.purpose,
        who=tuple(role(each, locale) for each in answered.roles),
        why=listed.reason if refused else listed.basis,
        mask="",
        index=entry.index,
    )


def _use(catalogue: Catalogue, entry: Entry, leaf: Any, opened: list[Opening], locale: str) -> Use:
    parts = {each.compartment: msgspec.json.decode(each.payload) for each in opened}
    detail: dict[str, Any] = parts.get("d", {})
    res: dict[str, str] = leaf.res
    named, purpose = res.get("category", _NONE), res.get("purpose", _NONE)
    declared = catalogue.purposes.get(purpose)
    refused = leaf.out == "deny" or leaf.type == "vault.value.refused"
    roles = ["system"] if leaf.actor_class == "system" else parts.get("a", {}).get("roles", [])
    why = res.get("reason") if refused else res.get("basis") or detail.get("basis")
    return Use(
        entry=entry.id,
        at=leaf.ts,
        outcome="refused" if refused else "used",
        action=res.get("action", "reveal"),
        category="" if named == _NONE else named,
        what="" if named == _NONE else category(named, locale),
        purpose=worded(declared.title, locale, purpose) if declared is not None else purpose.strip(_NONE),
        who=tuple(role(each, locale) for each in roles),
        why=str(why or ""),
        mask=res.get("mask", "").strip(_NONE),
        index=entry.index,
    )
