"""What `sayso apply` does to the live manifest: sections named in the files become exactly what the files say.

Pure: `merge` takes the live manifest and the files' tree and gives the next one, or says what is wrong and where.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Literal

import msgspec
from msgspec import Struct

from sayso.kernel import ManifestError, Map, Node, Problem, Scalar, Seq, nearest, plain

SECTIONS = (
    "categories",
    "special_categories",
    "languages",
    "controller",
    "recipients",
    "identifiers",
    "purposes",
    "notices",
    "preferences",
    "collections",
    "systems",
    "drp",
    "iab_deletion",
    "rights",
    "data_ends",
    "roles",
    "rules",
    "policy_tests",
    "sites",
    "clients",
    "logs",
)
"""Every section there is, in the order in which they build on each other."""

APPROVAL = "approval"
"""Beside the sections: how many people a change of the manifest takes."""

PEOPLE = ("one", "two")

Approval = Literal["one", "two"]

LIVE = "(live)"
"""The file name of nodes that come from the live manifest and not from a file."""

Plain = dict[str, Any]
"""A manifest without places: JSON values by section."""


class Change(Struct, frozen=True):
    """One difference between the live manifest and the next one."""

    section: str
    name: str
    change: Literal["added", "changed", "removed"]


class Merged(Struct, frozen=True):
    """The next manifest: as nodes with their places, as JSON, and how it differs from the live one."""

    tree: Map
    content: bytes
    hash: str
    changes: tuple[Change, ...]
    omitted: tuple[Problem, ...]


def merge(live: Plain, files: Map) -> Merged:
    """The live manifest with the files' sections in place of its own; `omitted` are live members that these leave out.

    Raises `ManifestError` for an unknown section and a name given twice.
    """
    problems = [
        Problem(node.file, files.lines[name], f"There is no section {name!r}.", nearest(name, (*SECTIONS, APPROVAL)))
        for name, node in files.items()
        if name not in SECTIONS and name != APPROVAL
    ]
    entries: dict[str, Node] = {}
    changes: list[Change] = []
    omitted: list[Problem] = []
    approval = files.get(APPROVAL)
    if approval is None and APPROVAL in live:
        approval = node_of(live[APPROVAL])
    if approval is not None:
        _demand_approval(approval, problems)
        if plain(approval) == "two":
            entries[APPROVAL] = approval
        changes += _approval_changes(live, {APPROVAL: plain(approval)})
    for section in SECTIONS:
        node = files.get(section)
        old = live.get(section)
        if node is None:
            if old is not None:
                entries[section] = node_of(old)
            continue
        entries[section] = node
        before, after = _members_of(old), dict(_members(node, problems))
        omitted += _omitted(section, node, before, after)
        changes += _differences(section, before, after)
    if problems:
        raise ManifestError(problems)
    tree = Map(entries, {name: node.line for name, node in entries.items()}, "", 0)
    content = canonical(tree)
    return Merged(tree, content, sha256(content).hexdigest(), tuple(changes), tuple(omitted))


def between(live: Plain, following: Plain) -> Merged:
    """`following` whole, with how it differs from the live manifest: for one that comes from no file."""
    tree = node_of(following)
    assert isinstance(tree, Map)
    changes = _approval_changes(live, following)
    for section in SECTIONS:
        changes += _differences(section, _members_of(live.get(section)), _members_of(following.get(section)))
    content = canonical(tree)
    return Merged(tree, content, sha256(content).hexdigest(), tuple(changes), ())


def approval_of(held: Plain) -> Approval:
    """How many people a change of this manifest takes."""
    return "two" if held.get(APPROVAL) == "two" else "one"


def member_of(held: Plain, section: str, name: str) -> object:
    """One member of a section, as a `Change` names it; None where there is none."""
    return held.get(APPROVAL) if section == APPROVAL else _members_of(held.get(section)).get(name)


def canonical(tree: Node) -> bytes:
    """A manifest as JSON: sections in their order, members in the order written (rules are tried in that order)."""
    return msgspec.json.encode(plain(tree))


def node_of(value: Any) -> Node:
    """Plain values as nodes without a place."""
    match value:
        case dict():
            return Map({name: node_of(child) for name, child in value.items()}, dict.fromkeys(value, 0), LIVE, 0)
        case list():
            return Seq([node_of(child) for child in value], LIVE, 0)
        case _:
            return Scalar(value, "" if value is None else str(value), LIVE, 0)


def decode(content: bytes) -> Plain:
    """A stored manifest."""
    return msgspec.json.decode(content, type=dict[str, Any])


def _demand_approval(node: Node, problems: list[Problem]) -> None:
    if plain(node) not in PEOPLE:
        near = nearest(node.text, PEOPLE) if isinstance(node, Scalar) else None
        problems.append(Problem(node.file, node.line, "'approval' is 'one' or 'two'.", near))


def _approval_changes(live: Plain, following: Plain) -> list[Change]:
    before, after = approval_of(live), approval_of(following)
    return [Change(APPROVAL, after, "changed")] if before != after else []


def _omitted(section: str, node: Node, before: dict[str, object], after: dict[str, object]) -> Iterator[Problem]:
    for name in before:
        if name not in after:
            yield Problem(
                node.file, node.line, f"{section!r} leaves out {name!r}, which is live. Name it, or apply with --prune."
            )


def _differences(section: str, before: dict[str, object], after: dict[str, object]) -> Iterator[Change]:
    for name, value in after.items():
        if name not in before:
            yield Change(section, name, "added")
        elif before[name] != value:
            yield Change(section, name, "changed")
    for name in before:
        if name not in after:
            yield Change(section, name, "removed")


def _members(node: Node, problems: list[Problem]) -> Iterator[tuple[str, object]]:
    """Members by name: a mapping's names, a list's words, or the `id` of a list's mappings."""
    if isinstance(node, Map):
        yield from ((name, plain(child)) for name, child in node.items())
    elif isinstance(node, Seq):
        seen: dict[str, int] = {}
        for child in node:
            name = _name_of(plain(child))
            if name is None:
                problems.append(Problem(child.file, child.line, "A member here is a name, or a mapping with an 'id'."))
            elif name in seen:
                problems.append(
                    Problem(child.file, child.line, f"{name!r} is given twice; the first stands in line {seen[name]}.")
                )
            else:
                seen[name] = child.line
                yield name, plain(child)
    elif plain(node) is not None:
        problems.append(Problem(node.file, node.line, "A section is a mapping or a list."))


def _members_of(old: object) -> dict[str, object]:
    if isinstance(old, dict):
        return dict(old)
    if isinstance(old, list):
        return {name: child for child in old if (name := _name_of(child)) is not None}
    return {}


def _name_of(member: object) -> str | None:
    found = member.get("id") if isinstance(member, dict) else member
    return found if isinstance(found, str) else None
