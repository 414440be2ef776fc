"""The section `data_ends` of a manifest: how long data stay once nothing lets anybody use them.

data_ends: {grace: P30D, anonymous_after: P13M}
"""

from typing import Final

from msgspec import Struct

from sayso.kernel import Invalid, ManifestError, Map, Node, Problem, Scalar, nearest, parse_duration, problem

_MEMBERS: Final = ("grace", "anonymous_after")


class EndTerms(Struct, frozen=True):
    """ISO 8601 durations.

    `grace`: from the end of the last live purpose to the deletion. `anonymous_after`: how long somebody known by a
    device alone is kept after their last choice (CNIL: 13 months).
    """

    grace: str = "P30D"
    anonymous_after: str = "P13M"


def parse_end_terms(section: Node | None) -> EndTerms:
    """The section, or the usual terms. Raises `ManifestError` with every problem."""
    if section is None:
        return EndTerms()
    if not isinstance(section, Map):
        raise ManifestError([problem(section, "data_ends: a mapping, as in {grace: P30D, anonymous_after: P13M}.")])
    problems = [
        Problem(section.file, section.lines[name], f"data_ends has no member {name!r}.", nearest(name, _MEMBERS))
        for name in section
        if name not in _MEMBERS
    ]
    given: dict[str, str] = {}
    for name, node in section.items():
        if name in _MEMBERS:
            given[name] = node.text if isinstance(node, Scalar) else ""
            problems += _wrong(name, node, given[name])
    if problems:
        raise ManifestError(problems)
    return EndTerms(**given)


def _wrong(name: str, node: Node, duration: str) -> list[Problem]:
    try:
        parts = parse_duration(duration)
    except Invalid as error:
        return [problem(node, f"{name}: {error.message}")]
    if name == "anonymous_after" and not any(parts):
        return [problem(node, "anonymous_after: people need some time to come back.")]
    return []
