"""What the members of a manifest's section are read by, wherever a section is the server's own."""

from sayso.kernel import Map, Problem, Scalar, nearest


def known_members(node: Map, known: tuple[str, ...], problems: list[Problem]) -> None:
    """Whatever else stands in the mapping is added to `problems`, with what it may have meant."""
    for name in node:
        if name not in known:
            message = f"{name!r} is not known here."
            problems.append(Problem(node.file, node.lines[name], message, nearest(name, known)))


def text_of(node: Map, name: str) -> str:
    """A member that is text; empty when it is not there or something else."""
    child = node.get(name)
    return child.value if isinstance(child, Scalar) and isinstance(child.value, str) else ""
