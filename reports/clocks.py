"""How long each law gives to tell the authority and the people of a breach, from when it was noticed. Data.

Written from the laws named, and not reviewed by a lawyer: have it checked before you rely on it. It says by when, not
whether: each law has its own threshold (risk, numbers, kinds of data), which a person has to judge. Where a law gives
no number, `hours` is None and `words` say what it does say. Working days are not reckoned here: they stand in
`words`, and `hours` counts them as calendar days, which is never later.
"""

from typing import Final, Literal

from msgspec import Struct

from sayso.kernel import SECOND, Instant, iso

HOUR: Final = 3600 * SECOND


class Clock(Struct, frozen=True):
    """One duty: under `law`, in `places` (codes of the jurisdiction tree), to tell `whom`."""

    law: str
    places: tuple[str, ...]
    whom: Literal["authority", "people"]
    hours: int | None
    words: str
    source: str


class Due(Struct, frozen=True):
    """A duty with its moment; `people` touched are known to live there. Empty `due_at`: the law gives no number."""

    law: str
    whom: str
    people: int
    due_at: str
    words: str
    source: str


_EEA: Final = tuple(
    "eea at be bg cy cz de dk ee es fi fr gr hr hu ie is it li lt lu lv mt nl no pl pt ro se si sk".split()
)

CLOCKS: Final = (
    Clock(
        "GDPR",
        _EEA,
        "authority",
        72,
        "without undue delay, within 72 hours where feasible; not where a risk is unlikely",
        "Regulation (EU) 2016/679, Art. 33(1)",
    ),
    Clock("GDPR", _EEA, "people", None, "without undue delay, where the risk is high", "the same, Art. 34(1)"),
    Clock("UK GDPR", ("gb",), "authority", 72, "within 72 hours where feasible", "UK GDPR, Art. 33(1)"),
    Clock("UK GDPR", ("gb",), "people", None, "without undue delay, where the risk is high", "UK GDPR, Art. 34(1)"),
    Clock(
        "FADP", ("ch",), "authority", None, "as soon as possible, where the risk is high", "FADP (SR 235.1), Art. 24"
    ),
    Clock(
        "PIPL",
        ("cn",),
        "authority",
        0,
        "immediately; sooner terms hold for incidents that the reporting measures grade as major",
        "Personal Information Protection Law, Art. 57",
    ),
    Clock("PIPL", ("cn",), "people", 0, "immediately, unless measures avert the harm", "the same, Art. 57"),
    Clock(
        "LGPD",
        ("br",),
        "authority",
        72,
        "three working days",
        "Lei 13.709/2018, Art. 48; Resolution CD/ANPD 15/2024, Art. 6",
    ),
    Clock("LGPD", ("br",), "people", 72, "three working days", "the same, Art. 9"),
    Clock(
        "California",
        ("us-ca",),
        "people",
        30 * 24,
        "30 calendar days of discovery",
        "California Civil Code 1798.82, as amended by SB 446 (2025)",
    ),
    Clock(
        "California",
        ("us-ca",),
        "authority",
        None,
        "within 15 days of telling the people, where more than 500 residents are told",
        "the same, (f)",
    ),
    Clock(
        "US states",
        ("us",),
        "people",
        30 * 24,
        "each state has its own law; 30 days is the shortest number common among them",
        "state breach notification statutes; look up each",
    ),
    Clock(
        "Law 25", ("ca-qc",), "authority", None, "promptly, where serious injury may follow", "CQLR c P-39.1, s. 3.5"
    ),
    Clock("PIPEDA", ("ca",), "authority", None, "as soon as feasible", "PIPEDA, s. 10.1(2)"),
    Clock("PIPEDA", ("ca",), "people", None, "as soon as feasible", "PIPEDA, s. 10.1(6)"),
    Clock("DPDP", ("in",), "authority", 72, "at once, in detail within 72 hours", "DPDP Rules 2025, rule 7(2)"),
    Clock("DPDP", ("in",), "people", None, "without delay", "DPDP Rules 2025, rule 7(1)"),
    Clock(
        "APPI",
        ("jp",),
        "authority",
        72,
        "promptly, which the commission reads as three to five days; the full report in 30 days, 60 after an attack",
        "Act on the Protection of Personal Information, Art. 26; Enforcement Rules, Art. 8",
    ),
    Clock("PIPA", ("kr",), "authority", 72, "within 72 hours", "PIPA, Art. 34; Enforcement Decree, Art. 40"),
    Clock("PIPA", ("kr",), "people", 72, "within 72 hours", "PIPA, Art. 34; Enforcement Decree, Art. 39"),
)


def due_under(jurisdictions: dict[str, int], noticed_at: Instant) -> list[Due]:
    """The duties that people of these jurisdictions bring, soonest first. `unknown` brings every clock: whose law
    nobody knows is owed the strictest.
    """
    found = []
    for clock in CLOCKS:
        people = sum(count for code, count in jurisdictions.items() if code == "unknown" or _within(code, clock))
        if people:
            at = iso(noticed_at + clock.hours * HOUR) if clock.hours is not None else ""
            found.append(Due(clock.law, clock.whom, people, at, clock.words, clock.source))
    return sorted(found, key=lambda due: (due.due_at or "~", due.law, due.whom))


def _within(code: str, clock: Clock) -> bool:
    return code in clock.places or code.partition("-")[0] in clock.places
