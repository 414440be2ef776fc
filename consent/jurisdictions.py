"""The jurisdictions that ship with Sayso, as data: what each law starts from and which legal bases it knows.

An engineering reading with its source beside each row, not legal advice; a lawyer's correction is a change of a row.
The tree: `any` above all, `eea` above its members, `us` and `ca` above states and provinces. A code without a row of
its own inherits the nearest row above.
"""

from typing import Final, Literal

from msgspec import Struct

ROOT: Final = "any"

BASES: Final = (
    "consent",
    "contract",
    "legal_obligation",
    "vital_interest",
    "public_task",
    "legitimate_interest",
    "notice",
)
"""Legal bases by name. `notice` is that of opt-out regimes: told, and not objected to."""

BLOCKABLE: Final = frozenset({"consent", "legitimate_interest", "notice"})
"""Bases that a person's no blocks (design 6.1)."""


class Regime(Struct, frozen=True):
    """What one law starts from. `opt` is the state before any choice; `child_below` the age (years) under which
    somebody else must consent; `source` says where the row comes from.
    """

    code: str
    parent: str | None
    opt: Literal["in", "out"]
    bases: frozenset[str]
    child_below: int
    source: str


_KNOWN_EVERYWHERE = frozenset({"consent", "contract", "legal_obligation", "vital_interest", "public_task"})
_WITH_LI = _KNOWN_EVERYWHERE | {"legitimate_interest"}
_OPT_OUT = _KNOWN_EVERYWHERE | {"notice"}

# Members with another age than 16 (GDPR, Art. 8(1), national law).
_EEA_AGES: Final = {
    **dict.fromkeys(("be", "dk", "ee", "fi", "is", "lv", "mt", "no", "pt", "se"), 13),
    **dict.fromkeys(("at", "bg", "cy", "es", "it", "lt"), 14),
    **dict.fromkeys(("cz", "fr", "gr", "si"), 15),
    **dict.fromkeys(("de", "hr", "hu", "ie", "li", "lu", "nl", "pl", "ro", "sk"), 16),
}
_STATES: Final = tuple(
    (
        "ak al ar az ca co ct dc de fl ga hi ia id il in ks ky la ma md me mi mn mo ms mt nc nd ne nh nj nm nv ny oh "
        "ok or pa ri sc sd tn tx ut va vt wa wi wv wy"
    ).split()
)

_ROWS: Final = (
    Regime(
        ROOT, None, "in", _KNOWN_EVERYWHERE, 18, "strictest of all rows below: used while nobody knows which law it is"
    ),
    Regime("eea", ROOT, "in", _WITH_LI, 16, "GDPR Art. 6(1), 7, 8(1)"),
    *(
        Regime(code, "eea", "in", _WITH_LI, age, "GDPR Art. 6(1); age by national law under Art. 8(1)")
        for code, age in sorted(_EEA_AGES.items())
    ),
    Regime("gb", ROOT, "in", _WITH_LI, 13, "UK GDPR Art. 6(1); Data Protection Act 2018 s. 9"),
    Regime(
        "ch",
        ROOT,
        "in",
        _WITH_LI,
        16,
        "FADP Art. 31(1)-(2): overriding private interest; no age in the Act, 16 is ours",
    ),
    Regime(
        "us",
        ROOT,
        "out",
        _OPT_OUT,
        13,
        "state privacy acts: opt-out of sale, sharing, targeted advertising; COPPA below 13",
    ),
    *(Regime(f"us-{state}", "us", "out", _OPT_OUT, 13, "as us") for state in _STATES if state != "ca"),
    Regime("us-ca", "us", "out", _OPT_OUT, 16, "CCPA 1798.120(c): opt-in of sale and sharing below 16"),
    Regime("br", ROOT, "in", _WITH_LI, 12, "LGPD Art. 7, 11, 14: parental consent for children (below 12)"),
    Regime("cn", ROOT, "in", _KNOWN_EVERYWHERE, 14, "PIPL Art. 13 knows no legitimate interest; Art. 31: below 14"),
    Regime("ca", ROOT, "in", _OPT_OUT, 13, "PIPEDA Sch. 1, 4.3: implied consent after notice where not sensitive"),
    Regime(
        "ca-qc",
        "ca",
        "in",
        _KNOWN_EVERYWHERE,
        14,
        "Law 25, s. 4.1, 8.1, 12, 14: express consent; below 14 by the parent",
    ),
    Regime(
        "in",
        ROOT,
        "in",
        _KNOWN_EVERYWHERE,
        18,
        "DPDP Act s. 6, 7, 9: s. 7(a) read as contract, with a recorded relation",
    ),
    Regime(
        "jp",
        ROOT,
        "in",
        _KNOWN_EVERYWHERE,
        16,
        "APPI Art. 18, 27; strict reading: notice alone is not used; age is the PPC's usual reading",
    ),
    Regime("kr", ROOT, "in", _WITH_LI, 14, "PIPA Art. 15(1), item 6; Art. 22-2: below 14"),
)

REGIMES: Final[dict[str, Regime]] = {row.code: row for row in _ROWS}
"""Every shipped jurisdiction by its code, `any` first."""


def chain(code: str) -> tuple[str, ...]:
    """The jurisdiction and those above it, nearest first, `any` last. Empty for a code that is not shipped."""
    found: list[str] = []
    row = REGIMES.get(code)
    while row is not None:
        found.append(row.code)
        row = REGIMES.get(row.parent) if row.parent else None
    return tuple(found)
