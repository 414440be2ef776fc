"""What a draft of the rules would have answered to the decisions of the last days.

The log is read in pages, newest first; of each entry only what is in the open and what the brand's own keys seal, never
what a person's key does. The count is an entry of its own, durable before it is told.
"""

import asyncio
import re
from functools import partial
from typing import Final

from msgspec import Struct

from audit import AuditEvent, Replayed, Search
from policies import SIMULATED_TYPES as TYPES
from policies import Policy, Simulation, Snapshot, Tally
from sayso.kernel import DAY, SECOND, Invalid, Tx, Work, iso, now, parse_instant
from sayso.server import events, store
from sayso.server.call import Call
from sayso.server.manifests import manifest
from sayso.server.manifests.applying import ManifestFile
from sayso.server.manifests.drafting import draft_tree
from sayso.server.manifests.proofs import drafted

MOST_ENTRIES: Final = 1_000_000
"""Entries of one simulation. It says so when there were more."""

MOST_VERSIONS: Final = 50
"""Older rules, the newest of them, that are made anew to know what they said."""

PAGE: Final = 1_000

_AGO: Final = re.compile(r"P(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?)?")


class Simulating(Struct, frozen=True, forbid_unknown_fields=True):
    """The draft, as files of a manifest, and from when on: an instant, or how long ago in days, hours or minutes."""

    draft: list[ManifestFile]
    since: str = "P7D"
    until: str = ""


class Simulated(Struct, frozen=True):
    """What the draft would have answered. `since` and `until` are what was read; not `complete`: there was more than is
    taken at once, and the oldest was left out. `entry` is the log's entry of this.
    """

    policy_version: str
    since: str
    until: str
    complete: bool
    result: Simulation
    entry: str


async def simulate(call: Call, wanted: Simulating) -> Simulated:
    """Raises `ManifestError` for a draft that cannot be read, and `Invalid` for times that are none."""
    at = now()
    since, until = _instant(wanted.since, at), _instant(wanted.until, at) if wanted.until else at
    if since >= until:
        raise Invalid("invalid-time", "The time from which on decisions are replayed lies before its end.")
    built = await drafted(call, wanted.draft)
    return await replay(call, built.policy, since, until)


async def replay(call: Call, policy: Policy, since: int, until: int) -> Simulated:
    """The decisions of that time under the rules of `policy`, which nobody else uses. Leaves the entry."""
    tally = Tally()
    complete = True
    for kind in TYPES:
        cursor: str | None = None
        while True:
            search = Search(type=kind, since=since, until=until, cursor=cursor, limit=PAGE)
            page, cursor = await call.look(partial(_page, call, search))
            for each in page:
                tally.add(each)
            # A page may have been read without ever waiting; others want their turn.
            await asyncio.sleep(0)
            if cursor is None:
                break
            if tally.entries >= MOST_ENTRIES:
                complete, since = False, page[-1].leaf.ts
                break
    policies = await _policies(call, tally.policies)
    result = await asyncio.to_thread(tally.replay, policies, policy.snapshot)
    entry = await call.run(partial(_told, call, policy, result))
    return Simulated(policy.version, iso(since), iso(until), complete, result, entry)


def _page(call: Call, search: Search, tx: Tx) -> Work[tuple[list[Replayed], str | None]]:
    return (yield from call.services.audit.recorded(tx, search))


async def _policies(call: Call, versions: frozenset[str]) -> dict[str, Snapshot]:
    """The rules of old by the hash that entries name: the live ones, and those of manifests that are kept."""
    live = call.configuration.policy.snapshot
    found: dict[str, Snapshot] = {live.version: live}
    for content in await call.look(partial(_manifests, versions - {live.version})):
        tree = manifest.node_of(manifest.decode(content))
        snapshot = draft_tree(tree, call.tenant).policy.snapshot  # type: ignore[arg-type]  # a manifest is a mapping
        found.setdefault(snapshot.version, snapshot)
    return found


def _manifests(versions: frozenset[str], tx: Tx) -> Work[list[bytes]]:
    if not versions:
        yield ()
        return []
    (rows,) = yield (tx.select(store.manifests_of(sorted(versions), MOST_VERSIONS)),)
    return list({policy: bytes(content) for policy, content in rows}.values())


def _told(call: Call, policy: Policy, result: Simulation, tx: Tx) -> Work[str]:
    yield ()
    counts = {
        "decisions": result.decisions,
        "same": result.same,
        "permitted": result.permitted,
        "denied": result.denied,
        "undetermined": result.undetermined,
    }
    res = {"draft": policy.version, **{name: str(count) for name, count in counts.items()}}
    return call.services.audit.append(tx, AuditEvent(events.RULES_SIMULATED, "ok", res), None)


def _instant(text: str, at: int) -> int:
    ago = _AGO.fullmatch(text)
    if ago is None:
        return parse_instant(text)
    days, hours, minutes = (int(each or 0) for each in ago.groups())
    return at - days * DAY - (hours * 60 + minutes) * 60 * SECOND
