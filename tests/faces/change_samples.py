"""View models of the pages about changes of the rules."""

from typing import Any

from sayso.server.pages import (
    AnswerLine,
    ChangePage,
    ChangesPage,
    MemberLine,
    ProposalLine,
    VersionLine,
    differing,
)

from .console_samples import an_operator
from .samples import AT, a_frame

DAY = 86_400_000_000
_BEFORE = '{\n  "id": "R020",\n  "effect": "allow",\n  "obligations": [\n    "mask_last4"\n  ]\n}'

_MASKED, _LOGGED = ("contract mask_last4",), ("contract log_full",)
_ANSWERS: tuple[tuple[Any, ...], ...] = (
    ("permitted", "support_lead", "use", "contact.*", "support", "any", 1_204, (), _LOGGED),
    ("denied", "any", "reveal, use", "health", "ads", "any", 42, ("consent explicit",), ()),
    ("terms", "support_agent", "reveal", "contact.phone", "support", "eea", 31, _MASKED, _LOGGED),
)


def a_proposal(**changes: Any) -> ProposalLine:
    return ProposalLine(
        **{
            "proposal": "chg_0193a5c47b1e7c5f9a27b4b0c9d8e7c1",
            "state": "open",
            "author": "Officer Weber",
            "at": AT,
            "base": 12,
            "changes": 3,
            **changes,
        }
    )


def a_changes_page(locale: str = "en", **changes: Any) -> ChangesPage:
    return ChangesPage(
        **{
            "frame": a_frame(locale, path="/console/changes"),
            "operator": an_operator(),
            "two": True,
            "waiting": (
                a_proposal(),
                a_proposal(restores=9, own=True, author="Officer Lin", changes=14),
                a_proposal(state="stale", base=11, at=AT - 9 * DAY),
            ),
            "decided": (
                a_proposal(state="approved", decider="Officer Lin"),
                a_proposal(state="rejected", decider="Officer Lin"),
                a_proposal(state="withdrawn", decider="Officer Weber"),
            ),
            "versions": (
                VersionLine(version=12, hash="5f3a9c01" * 8, author="admin", at=AT, live=True, restores=10, glass=True),
                VersionLine(
                    version=11,
                    hash="07bb41d2" * 8,
                    author="Officer Weber",
                    approver="Officer Lin",
                    at=AT - DAY,
                    live=False,
                ),
                VersionLine(version=10, hash="c1d2e3f4" * 8, author="admin", at=AT - 30 * DAY, live=False),
            ),
            "older": 10,
            "lag": 12,
            **changes,
        }
    )


def a_quiet_changes_page(locale: str = "en", **changes: Any) -> ChangesPage:
    """Nothing was ever applied."""
    nothing: dict[str, Any] = {"two": False, "waiting": (), "decided": (), "versions": (), "older": None, "lag": 0}
    return a_changes_page(locale, **{**nothing, **changes})


def a_change_page(locale: str = "en", **changes: Any) -> ChangePage:
    return ChangePage(
        **{
            "frame": a_frame(locale, path="/console/changes/x"),
            "operator": an_operator(),
            "line": a_proposal(),
            "live": 12,
            "members": (
                MemberLine(
                    section="rules",
                    name="R020",
                    change="changed",
                    pieces=differing(_BEFORE, _BEFORE.replace("mask_last4", "log_full")),
                ),
                MemberLine(section="rules", name="R031", change="removed", pieces=differing(_BEFORE, "")),
                MemberLine(section="categories", name="contact.post", change="added", pieces=()),
            ),
            "answers": tuple(
                AnswerLine(**dict(zip(AnswerLine.__struct_fields__, row, strict=True))) for row in _ANSWERS
            ),
            "warnings": ("Rule 'R031' says the same as 'R020'.",),
            "asked_again": 1_204,
            "exact": False,
            "kept": ("notices.web",),
            "loss": "3 of 12 rules would be gone.",
            "tests": 41,
            "more": 7,
            **changes,
        }
    )
