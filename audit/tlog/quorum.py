"""C2SP tlog-policy (https://c2sp.org/tlog-policy): which witnesses there are, and how many of them are enough. Pure.

Example, four lines: `witness ours witness.example/w1+1c3f…+BG… https://witness.example/`, `witness other …`,
`group two all ours other`, `quorum two`.
"""

from collections.abc import Collection
from typing import NamedTuple

from audit.tlog.cosignature import WitnessKey
from audit.tlog.note import VerifierKey
from audit.tlog.strict import Malformed, utf8

_LIMIT = 64
_NONE = "none"


class Witness(NamedTuple):
    """One witness of a policy: its name there, its key, and where checkpoints are submitted (empty: nowhere)."""

    name: str
    key: WitnessKey
    url: str


class Quorum(NamedTuple):
    """A policy: keys of logs, witnesses, groups (threshold and members), and what must have cosigned."""

    logs: tuple[VerifierKey, ...]
    witnesses: tuple[Witness, ...]
    groups: dict[str, tuple[int, tuple[str, ...]]]
    rule: str

    def met(self, names: Collection[str]) -> bool:
        """Whether the cosignatures of these witnesses (by their names in the policy) are enough."""
        return self.rule == _NONE or self._stands(self.rule, names)

    def _stands(self, name: str, names: Collection[str]) -> bool:
        if name not in self.groups:
            return name in names
        threshold, members = self.groups[name]
        return sum(self._stands(member, names) for member in members) >= threshold


def read_quorum(raw: bytes) -> Quorum:
    """The policy in a file. Raises `Malformed` naming the line."""
    text = utf8(raw, "the policy")
    if any(sign < " " and sign not in "\t\n" for sign in text):
        raise Malformed("a control character in the policy")
    reader = _Reader()
    for number, line in enumerate(text.split("\n"), 1):
        words = line.replace("\t", " ").split()
        if not words or words[0].startswith("#"):
            continue
        try:
            reader.read(words)
        except Malformed as error:
            raise Malformed(f"line {number} of the policy: {error}") from error
    return reader.done()


class _Reader:
    def __init__(self) -> None:
        self._logs: list[VerifierKey] = []
        self._witnesses: list[Witness] = []
        self._groups: dict[str, tuple[int, tuple[str, ...]]] = {}
        self._members: set[str] = set()
        self._names: set[str] = set()
        self._rule = ""

    def read(self, words: list[str]) -> None:
        kind, *rest = words
        if kind == "log" and len(rest) in (1, 2):
            self._logs.append(VerifierKey.parse(rest[0]))
            self._distinct([key.public_key for key in self._logs])
        elif kind == "witness" and len(rest) in (2, 3):
            self._define(rest[0])
            self._witnesses.append(Witness(rest[0], WitnessKey.parse(rest[1]), rest[2] if len(rest) == 3 else ""))
            self._distinct([witness.key.public_key for witness in self._witnesses])
        elif kind == "group" and len(rest) >= 3:
            self._group(rest[0], rest[1], rest[2:])
        elif kind == "quorum" and len(rest) == 1 and not self._rule:
            if rest[0] != _NONE and rest[0] not in self._names:
                raise Malformed("a quorum of nobody that was defined")
            self._rule = rest[0]
        else:
            raise Malformed("not a line of a policy")

    def _group(self, name: str, word: str, members: list[str]) -> None:
        for member in members:
            if member not in self._names:
                raise Malformed("a member that was not defined before")
            if member in self._members:
                raise Malformed("a member of two groups")
            self._members.add(member)
        named = {"any": "1", "all": str(len(members))}.get(word, word)
        if not (named.isascii() and named.isdigit()) or not 1 <= int(named) <= len(members):
            raise Malformed("a threshold that the group cannot have")
        self._define(name)
        self._groups[name] = int(named), tuple(members)

    def _define(self, name: str) -> None:
        if name == _NONE or name in self._names or len(self._names) >= 2 * _LIMIT:
            raise Malformed("a name that is taken, or too many names")
        self._names.add(name)

    @staticmethod
    def _distinct(keys: list[bytes]) -> None:
        if len(set(keys)) != len(keys) or len(keys) > _LIMIT:
            raise Malformed("a key that stands there twice, or too many keys")

    def done(self) -> Quorum:
        if not self._rule:
            raise Malformed("the policy names no quorum")
        return Quorum(tuple(self._logs), tuple(self._witnesses), self._groups, self._rule)
