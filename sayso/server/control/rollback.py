"""The way back: a new version that says what an older one said, as far as what was published may be unsaid.

Nothing is deleted and no number is given twice: going back from version 7 to version 4 makes version 8.
"""

from typing import Any, Final

from msgspec import Struct

from audit import AuditEvent
from sayso.kernel import Invalid, Tx, Work
from sayso.server import events, store
from sayso.server.call import Call
from sayso.server.control.proposals import said_why
from sayso.server.control.versions import stored_version
from sayso.server.manifests import manifest
from sayso.server.manifests.applying import Applied, Base, Next, Wish, bring
from sayso.server.manifests.manifest import APPROVAL, Plain

_CARRIED: Final = ("purposes", "categories", "recipients")
"""Sections whose members a notice that stays may need."""


class RollingBack(Struct, frozen=True, forbid_unknown_fields=True):
    """Back to `version`. `break_glass` says why one person alone must do it where two are needed; with `dry_run`
    nothing is changed; `force` goes on though no allow, or much fewer rules, would be left.
    """

    version: int
    break_glass: str | None = None
    dry_run: bool = False
    force: bool = False


async def roll_back(call: Call, wanted: RollingBack) -> Applied:
    """The older version is live again, or proposed. Raises `UnknownVersion`, `ManifestError`, `RulesLost`."""
    if wanted.version < 1:
        raise Invalid("invalid-version", "Versions begin with 1.")
    glass = wanted.break_glass is not None
    said = said_why(wanted.break_glass) if wanted.break_glass is not None else ""

    broken: list[int] = []

    def following(tx: Tx, base: Base) -> Work[Next]:
        return (yield from restored(tx, base, wanted.version, alone=glass))

    def alone(tx: Tx, version: int, hashed: str) -> None:
        res = {"version": str(version), "restores": str(wanted.version), "hash": hashed}
        call.services.audit.append(tx, AuditEvent(events.GLASS_BROKEN, "ok", res, None, {"said": said}), None)
        tx.publish(events.GLASS_BROKEN, b"", b"")
        broken.append(version)

    done = await bring(
        call,
        Wish(
            following,
            prune=True,
            dry_run=wanted.dry_run,
            force=wanted.force,
            restores=wanted.version,
            alone=alone if glass else None,
        ),
    )
    if broken:
        call.services.log.error("glass broken", version=broken[-1], restores=wanted.version)
    return done


def restored(tx: Tx, base: Base, version: int, *, alone: bool) -> Work[Next]:
    """The content of `version`, with what cannot be taken back in the words that stand.

    A notice that was published since keeps its newest published version, and with it the purposes, categories and
    recipients that this names and the older version did not have. `alone`: `approval: two` stays as well.
    """
    row = yield from stored_version(tx, version)
    live, older = manifest.decode(base.content), manifest.decode(bytes(row[1]))
    kept: list[str] = []
    notices = dict(older.get("notices") or {})
    newest = yield from _newest_published(tx, base, version, frozenset(notices))
    for name, (notice, whole) in newest.items():
        if notice != notices[name] and notice.get("version", 0) >= notices[name].get("version", 0):
            notices[name] = notice
            kept.append(f"notices.{name}")
            kept += _carry(notice, whole, older)
    if notices:
        older["notices"] = notices
    if alone and manifest.approval_of(live) == "two" and manifest.approval_of(older) == "one":
        older[APPROVAL] = "two"
        kept.append(APPROVAL)
    return Next(manifest.between(live, _in_order(older)), tuple(kept))


def _newest_published(
    tx: Tx, base: Base, version: int, names: frozenset[str]
) -> Work[dict[str, tuple[dict[str, Any], Plain]]]:
    """The notices of these names as they were last published after `version`, each with the manifest it stood in."""
    found: dict[str, tuple[dict[str, Any], Plain]] = {}
    number, content = base.version, base.content
    while number > version:
        whole = manifest.decode(content)
        for name, notice in (whole.get("notices") or {}).items():
            if name in names and name not in found and notice.get("status", "published") == "published":
                found[name] = (notice, whole)
        number -= 1
        if number <= version or found.keys() == names:
            break
        (row,) = yield (tx.get(store.MANIFEST, number),)
        content = bytes(row[1])
    return found


def _carry(notice: dict[str, Any], whole: Plain, older: Plain) -> list[str]:
    """Bring along what the notice names and `older` does not have: purposes, and what these name in turn."""
    carried: list[str] = []
    purposes = dict(older.get("purposes") or {})
    categories = list(older.get("categories") or [])
    recipients = dict(older.get("recipients") or {})
    theirs = whole.get("purposes") or {}
    for name, purpose in theirs.items():
        wanted = [each for each in notice.get("purposes") or [] if name == each or name.startswith(f"{each}.")]
        if not wanted or any(each == wanted[0] or each.startswith(f"{wanted[0]}.") for each in purposes):
            continue
        purposes[name] = purpose
        carried.append(f"purposes.{name}")
        for category in purpose.get("categories") or []:
            if category not in categories and not any(each.startswith(f"{category}.") for each in categories):
                categories.append(category)
                carried.append(f"categories.{category}")
        for recipient in purpose.get("recipients") or []:
            known = (whole.get("recipients") or {}).get(recipient)
            if known is not None and recipient not in recipients:
                recipients[recipient] = known
                carried.append(f"recipients.{recipient}")
    for section, members in zip(_CARRIED, (purposes, categories, recipients), strict=True):
        if members:
            older[section] = members
    return carried


def _in_order(held: Plain) -> Plain:
    """The sections in the order in which they are stored, so that equal contents have equal hashes."""
    return {name: held[name] for name in (APPROVAL, *manifest.SECTIONS) if name in held}
