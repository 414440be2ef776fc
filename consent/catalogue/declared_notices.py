"""The section `notices` of a manifest."""

import re
from collections.abc import Collection
from typing import Any, Final, cast

from consent.catalogue.notice import MANDATORY, STANDARDS, Notice, Stage, Steps
from consent.catalogue.reader import Reader
from sayso.kernel import Map, Node, Problem, Scalar, Seq

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_MEMBERS: Final = ("version", "status", "material", "standard", "purposes", "text", "title", "steps", *MANDATORY)
_STAGES: Final = ("draft", "reviewed", "published")
_STEPS: Final = ("accept", "refuse", "withdraw")


def read_notices(reader: Reader, section: Node | None, purposes: Collection[str]) -> dict[str, Notice]:
    """The notices by name. What is wrong is added to the reader's problems."""
    found: dict[str, Notice] = {}
    for name, line, node in reader.members(section, "notices"):
        if not _NAME.fullmatch(name):
            reader.problems.append(Problem(node.file, line, f"{name!r} is no name for a notice."))
            continue
        reader.known(node, _MEMBERS)
        found[name] = _notice(reader, name, node, purposes)
    return found


def _notice(reader: Reader, name: str, node: Map, purposes: Collection[str]) -> Notice:
    asked = reader.names(node.get("purposes"), "purpose", purposes)
    text = reader.texts(node.get("text"))
    # Where something else is wrong, what seems to be missing may only be unreadable.
    if not asked and not reader.problems:
        reader.wrong(node, f"Notice {name!r} names no purposes.")
    if not text and not reader.problems:
        reader.wrong(node, f"Notice {name!r} has no text.")
    told: dict[str, Any] = {member: reader.texts(node.get(member)) for member in MANDATORY}
    stage = reader.one_of(node.get("status"), "stage that a manifest sets", _STAGES) or "published"
    return Notice(
        name,
        reader.number(node.get("version") or node, 1, 2**31 - 1, "A notice has a version: 1, 2, 3 …"),
        asked,
        text,
        reader.texts(node.get("title")),
        status=cast("Stage", stage),
        material=_material(reader, node.get("material"), asked),
        standard=reader.one_of(node.get("standard"), "standard", STANDARDS),
        steps=_steps(reader, node.get("steps")),
        **told,
    )


def _material(reader: Reader, node: Node | None, asked: Collection[str]) -> bool | tuple[str, ...] | None:
    if node is None:
        return None
    if isinstance(node, Seq):
        return reader.names(node, "purpose of this notice", asked)
    if isinstance(node, Scalar) and isinstance(node.value, bool):
        return node.value
    reader.wrong(node, "This is true, false, or those purposes of the notice that people are to be asked about again.")
    return None


def _steps(reader: Reader, node: Node | None) -> Steps | None:
    if node is None:
        return None
    if not isinstance(node, Map):
        reader.wrong(node, "Steps are given per choice: {accept: 1, refuse: 1, withdraw: 1}.")
        return None
    reader.known(node, _STEPS)
    counted = {
        name: reader.number(child, 1, 99, "A number of steps is 1 or more.")
        for name, child in node.items()
        if name in _STEPS
    }
    if missing := [name for name in _STEPS if name not in counted]:
        reader.wrong(node, f"How many steps does it take to {missing[0]}?")
    return Steps(**counted)
