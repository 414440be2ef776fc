"""Whether a system can be reached and understood, without changing anything there."""

import secrets as randomness
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from rights import OURS, READING, System
from sayso.server.connectors.failures import Refused
from sayso.server.connectors.processor import Processor
from sayso.server.connectors.store import carry_out


class CheckedStatement(Struct, frozen=True, omit_defaults=True):
    """What a dry run of one statement came to: the rows it would touch, or a word for why it cannot be run."""

    kind: str
    statement: str
    rows: int = 0
    error: str = ""


class CheckedSystem(Struct, frozen=True, omit_defaults=True):
    """What is the matter with a system; `problems` is empty when nothing is. Nothing was changed there."""

    system: str
    connector: str
    problems: list[str]
    statements: list[CheckedStatement] = []


async def looked_at(
    system: System,
    url: str | None,
    names: Mapping[str, Sequence[str]],
    processor: Callable[[str, System], Processor],
    *,
    dry_run: bool,
) -> CheckedSystem:
    """What is the matter with a system. With `dry_run` every statement is run for `names` (for nobody where one is not
    given) and taken back.
    """
    if system.connector not in OURS:
        return CheckedSystem(system.name, system.connector, [])
    if url is None:
        return CheckedSystem(system.name, system.connector, ["no-secret"])
    try:
        if system.connector == "opendsr":
            return CheckedSystem(system.name, system.connector, await processor(url, system).problems())
        await carry_out(url, (), {}, reads=True, most_rows=1)
    except Refused as refused:
        return CheckedSystem(system.name, system.connector, [refused.word])
    statements = await _dry(system, url, names) if dry_run else []
    problems = list(dict.fromkeys(each.error for each in statements if each.error))
    return CheckedSystem(system.name, system.connector, problems, statements)


async def _dry(system: System, url: str, names: Mapping[str, Sequence[str]]) -> list[CheckedStatement]:
    everybody = {name: names.get(name) or (randomness.token_hex(16),) for name in system.identify}
    checked = []
    for kind, statements in system.statements.items():
        for each in statements:
            reads, most = kind in READING, system.most_rows
            try:
                ran = await carry_out(url, (each,), everybody, reads=reads, most_rows=most)
                checked.append(CheckedStatement(kind, each.name, ran.count))
            except Refused as refused:
                checked.append(CheckedStatement(kind, each.name, error=refused.word))
    return checked
