"""Recorded decisions counted, and then answered anew by other rules: each distinct answer once, with its weight.

Nothing in it is about anybody: an answer is names, an outcome and how often; examples are ids of entries.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
from msgspec import Struct

from audit import Replayed
from policies.comparing.replaying import UNLISTED, UNMOVED, UNNAMED, Answered, Missing, Verdict, replayed
from policies.lists import unpack_list
from policies.ruleset.snapshot import Snapshot

MOST_ANSWERS: Final = 50_000
"""Distinct answers kept. What comes after is counted as not replayed."""

MOST_GROUPS: Final = 200
EXAMPLES: Final = 3

TYPES: Final = ("access.*", "vault.value.revealed")
"""Where decisions stand in the log: a reveal is decided and written in one entry."""

_SINGLE: Final = frozenset({"access.permitted", "access.denied", "vault.value.revealed"})
_LIST: Final = "access.list.decided"
_PERSON: Final = "person"


class _Key(Struct, frozen=True):
    """A distinct answer: who asked, under which rules."""

    client: str
    policy: str
    answer: Answered


class Changed(Struct, frozen=True):
    """Decisions that come to the same: `missing` is the fact that the entries do not tell, of what is undetermined.
    `examples` are entries, the newest first.
    """

    verdict: Verdict
    client: str
    action: str
    category: str
    purpose: str
    decisions: int
    examples: tuple[str, ...]
    missing: Missing = ""


class Simulation(Struct, frozen=True):
    """What other rules would have answered. `decisions` are those of `entries`, since a list is one entry; `answers`
    are the distinct ones among them. `groups`: newly permitted, newly denied, undetermined, each by weight; `more` are
    not listed. `not_replayed` decisions were too many different ones.
    """

    entries: int
    decisions: int
    answers: int
    same: int
    permitted: int
    denied: int
    undetermined: int
    missing: dict[str, int]
    groups: tuple[Changed, ...]
    more: int = 0
    not_replayed: int = 0


class Tally:
    """Recorded decisions, counted as they are read. Memory grows with the distinct answers, up to a bound."""

    def __init__(self) -> None:
        self.entries = 0
        self.not_replayed = 0
        self._found: dict[_Key, tuple[int, tuple[str, ...]]] = {}

    @property
    def policies(self) -> frozenset[str]:
        """The versions of rules that gave the answers."""
        return frozenset(key.policy for key in self._found)

    def add(self, entry: Replayed) -> None:
        """Count the decisions of one entry; one that is no decision counts nothing."""
        kind = entry.leaf.type
        if kind in _SINGLE:
            self.entries += 1
            self._count(entry, *_single(entry), 1)
        elif kind == _LIST:
            self.entries += 1
            for client, answer, count in _listed(entry):
                self._count(entry, client, answer, count)

    def replay(self, policies: Mapping[str, Snapshot], new: Snapshot) -> Simulation:
        """All of them under the rules `new`. `policies` are the rules of old, by version, as far as they are known."""
        groups: dict[tuple[str, ...], tuple[int, tuple[str, ...]]] = {}
        counts: Counter[str] = Counter()
        missing: Counter[str] = Counter()
        judged = {}
        for key, (count, examples) in self._found.items():
            # Clients differ and answers do not: each is judged once.
            name = (key.policy, key.answer)
            if name not in judged:
                judged[name] = replayed(key.answer, policies.get(key.policy), new)
            verdict, lacking = judged[name]
            counts[verdict] += count
            if verdict == "same":
                continue
            if lacking:
                missing[lacking] += count
            answer = key.answer
            place = (verdict, key.client, answer.action, answer.category, answer.purpose, lacking)
            held, kept = groups.get(place, (0, ()))
            groups[place] = (held + count, tuple(sorted({*kept, *examples}, reverse=True)[:EXAMPLES]))
        order = ("permitted", "denied", "undetermined")
        ranked = sorted(groups.items(), key=lambda group: (order.index(group[0][0]), -group[1][0], group[0]))
        return Simulation(
            self.entries,
            counts.total() + self.not_replayed,
            len(judged),
            counts["same"],
            counts["permitted"],
            counts["denied"],
            counts["undetermined"],
            dict(missing.most_common()),
            tuple(_changed(place, *found) for place, found in ranked[:MOST_GROUPS]),
            max(0, len(ranked) - MOST_GROUPS),
            self.not_replayed,
        )

    def _count(self, entry: Replayed, client: str, answer: Answered, count: int) -> None:
        key = _Key(client, entry.leaf.pol or "", answer)
        held = self._found.get(key)
        if held is None and len(self._found) >= MOST_ANSWERS:
            self.not_replayed += count
            return
        known, examples = held or (0, ())
        kept = examples if len(examples) == EXAMPLES else (*examples, entry.entry)
        self._found[key] = (known + count, kept)


def _changed(place: tuple[str, ...], decisions: int, examples: tuple[str, ...]) -> Changed:
    verdict, client, action, category, purpose, missing = place
    return Changed(verdict, client, action, category, purpose, decisions, examples, missing)  # type: ignore[arg-type]


def _single(entry: Replayed) -> tuple[str, Answered]:
    client, roles = _caller(entry)
    res = entry.leaf.res
    names = (res.get("action", "reveal"), res.get("category", ""), res.get("purpose", ""))
    # An entry of a reveal has no reason: it is there because it was permitted.
    return client, _answer(roles, *names, res.get("reason", "permitted"), res.get("rule", ""), entry.known)


def _listed(entry: Replayed) -> Iterator[tuple[str, Answered, int]]:
    client, roles = _caller(entry)
    detail = msgspec.json.decode(entry.detail, type=_Detail) if entry.detail else _Detail()
    if detail.list:
        for group in unpack_list(detail.list):
            # The roles of a client that a PEP asked for are not in the list.
            asker, held = (group.client, frozenset[str]()) if group.client else (client, roles)
            outcomes = Counter((place, aid > 0) for aid, place in group.rows())
            for ((reason, rule, _), known), count in outcomes.items():
                named = "" if reason == "actor_mismatch" else asker
                yield named, _answer(held, group.action, group.category, group.purpose, reason, rule, known), count
    elif detail.counts:
        # An audience: who is in it lies beside the log, and its entry counts reasons, whichever rules they came from.
        for reason, count in detail.counts.items():
            yield client, _answer(roles, detail.action, detail.category, detail.purpose, reason, "", False), count
    else:
        count = int(entry.leaf.res.get("count", "0"))
        yield client, _answer(roles, "", "", "", UNLISTED, "", False), count


def _answer(
    roles: frozenset[str], action: str, category: str, purpose: str, reason: str, rule: str, known: bool
) -> Answered:
    # What a caller wrote in place of a name may be anything. Where it may be no declared name, nothing turns on it: it
    # is not kept, and cannot fill what is kept.
    if reason == "unknown_name" or reason in UNMOVED:
        action = category = purpose = rule = ""
    names = [name or UNNAMED for name in (action, category, purpose)]
    return Answered(roles, names[0], names[1], names[2], reason == "permitted", reason, rule or UNNAMED, known)


def _caller(entry: Replayed) -> tuple[str, frozenset[str]]:
    """Name and roles of who asked; no roles where the entry does not tell them, or a PEP may have asked for another."""
    if entry.leaf.actor_class == _PERSON:
        return _PERSON, frozenset(("self",))
    if not entry.actor:
        return "", frozenset()
    actor = msgspec.json.decode(entry.actor, type=_Actor)
    roles = frozenset(actor.roles)
    hidden = "pep" in roles and entry.leaf.type in _SINGLE
    return actor.name, frozenset() if hidden else roles


class _Actor(Struct):
    name: str = ""
    roles: tuple[str, ...] = ()


class _Detail(Struct):
    list: bytes = b""
    action: str = ""
    category: str = ""
    purpose: str = ""
    counts: dict[str, int] = {}
