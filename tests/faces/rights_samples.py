"""View models of the pages about rights requests and legal holds."""

from typing import Any

from rights import KINDS, REFUSALS, STATUSES
from sayso.server.pages import (
    GrantLine,
    HoldCard,
    HoldsPage,
    HoldStepLine,
    KeptLine,
    Operator,
    PlanView,
    RequestLine,
    RequestPage,
    RequestsPage,
    Rest,
    StepLine,
    SystemLine,
)
from sayso.server.pages.plain_words import LAWS

from .console_samples import an_operator
from .samples import AT, DAY, ENTRY, SUBJECT, a_frame

REQUEST = "rrq_0193a5c47b1e7c5f9a27b4b0c9d8e7d1"
GRANT = "gnt_0193a5c47b1e7c5f9a27b4b0c9d8e7d1"
HOLD = "hld_0193a5c47b1e7c5f9a27b4b0c9d8e7"
INTEREST = "legitimate interest in not addressing again whoever asked to be erased (GDPR 6(1)(f), 21(3))"
CLAIMS = "establishment, exercise or defence of legal claims (GDPR 17(3)(e)); demonstrating consent (GDPR 7(1))"


def a_line(**changes: Any) -> RequestLine:
    return RequestLine(
        **{
            "request": REQUEST,
            "kind": "erasure",
            "law": "GDPR",
            "status": "in_progress",
            "received_at": AT - 12 * DAY,
            "due_on": "2026-12-09",
            "due": "later",
            "days": 18,
            "verified": True,
            **changes,
        }
    )


def a_requests_page(locale: str = "en", **changes: Any) -> RequestsPage:
    return RequestsPage(
        **{
            "frame": a_frame(locale, path="/console/rights"),
            "operator": an_operator(),
            "rows": (
                a_line(kind="rectification", law="PIPL", status="open", due_on="2026-11-19", due="late", days=-2),
                a_line(kind="opt_out_sale", law="CCPA", status="open", due_on="2026-11-21", due="soon", days=0),
                a_line(kind="access", due_on="2026-11-24", due="soon", days=3, paused=True),
                a_line(kind="portability", law="LGPD", status="appealed", due_on="2026-11-30", days=9, agent=True),
                a_line(proposed=True),
                a_line(kind="automated_decision_review", law="UK GDPR", due_on="2026-12-21", days=30),
            ),
            "waiting": 1_204,
            "late": 2,
            "soon": 14,
            "kinds": KINDS,
            "laws": tuple(LAWS.items()),
            "statuses": STATUSES,
            "older": "2026-12-21.00",
            **changes,
        }
    )


def a_plan(**changes: Any) -> PlanView:
    return PlanView(
        **{
            "goes": (("standard", 7), ("orders", 31)),
            "stays": (
                KeptLine(what="proof", count=1, ground=CLAIMS, until=AT + 1095 * DAY),
                KeptLine(what="suppression", count=3, ground=INTEREST, until=AT + 3650 * DAY),
                KeptLine(what="records", count=4, ground="Section 147 AO: invoices", until=AT + 3650 * DAY),
            ),
            "identifiers": 3,
            "systems": ("Customer database", "Till"),
            "holds": 1,
            **changes,
        }
    )


def a_request_page(locale: str = "en", **changes: Any) -> RequestPage:
    return RequestPage(
        **{
            "frame": a_frame(locale, path=f"/console/rights/{REQUEST}"),
            "operator": an_operator(),
            "line": a_line(),
            "subject": SUBJECT,
            "source": "GDPR 12(3); Regulation 1182/71, Art. 3",
            "granted_by_law": True,
            "share": 0.42,
            "target_on": "2026-12-07",
            "verified_at": AT - 11 * DAY,
            "verified_by": "code",
            "extendable_to": "2027-02-09",
            "may_rest": ("identity", "clarification"),
            "rests": (Rest(reason="identity", since=AT - 12 * DAY, until=AT - 11 * DAY),),
            "plan": a_plan(),
            "refusals": REFUSALS,
            "steps": (
                StepLine(entry=ENTRY, type="rights.request.opened", at=AT - 12 * DAY),
                StepLine(entry=ENTRY, type="rights.request.verified", at=AT - 11 * DAY),
            ),
            **changes,
        }
    )


def a_grant(**changes: Any) -> GrantLine:
    said = "They showed their passport at the till."
    return GrantLine(**{"grant": GRANT, "asked_by": "Officer Weber", "reason": said, "until": AT + DAY, **changes})


def systems() -> tuple[SystemLine, ...]:
    def line(number: int, **more: Any) -> SystemLine:
        return SystemLine(task=f"tsk_0193a5c47b1e7c5f9a27b4b0c9d8e70{number}", due_at=AT + DAY, **more)

    return (
        line(1, title="Customer database", status="done", settled_at=AT - DAY),
        line(2, title="Till", status="open", late=True),
        line(3, title="Mailer", status="failed", why="No such customer number here."),
        line(4, title="Paper archive", status="open", by_hand=True),
        line(5, title="Old shop", status="waived", settled_at=AT, why="Switched off in 2024, disks destroyed."),
    )


def requests() -> dict[str, RequestPage]:
    """One request in each of its situations, by the query that shows it."""
    unknown: dict[str, Any] = {"verified_at": 0, "verified_by": "", "mail": True}
    return {
        "": a_request_page(),
        "new": a_request_page(
            line=a_line(status="open", verified=False, agent=True, paused=True),
            agent="Kanzlei Ahorn",
            plan=None,
            problem="An agent's request is verified by their document or the person's code.",
            rests=(Rest(reason="identity", since=AT - DAY),),
            **unknown,
        ),
        "two": a_request_page(
            two=True, proposed_at=AT - DAY, grounds=(("orders", "Section 147 AO"),), plan=a_plan(holds=0)
        ),
        "correct": a_request_page(
            line=a_line(kind="rectification", law="PIPL"),
            corrects=("customers.email",),
            values=(("customers.email", "linden.baum@example.com"),),
            fields=("customers.email", "customers.phone"),
            granted_by_law=False,
            plan=None,
        ),
        "guarded": a_request_page(
            line=a_line(kind="access"),
            plan=None,
            packaged=True,
            package="ready",
            withheld=("customers.email", "customers.tax_id"),
            grants=(
                a_grant(),
                a_grant(own=True, asked_by="Officer Lin"),
                a_grant(own=True, approved=True, asked_by="Officer Lin"),
            ),
        ),
        "audited": a_request_page(
            operator=Operator(name="Auditor Roth", roles=("auditor",), tenant="default", people=False), plan=None
        ),
        "served": a_request_page(
            line=a_line(due="soon", days=3), plan=None, served=True, systems=systems(), certificate=True, subject=""
        ),
        "appealed": a_request_page(
            line=a_line(kind="access", status="appealed"),
            plan=None,
            appealed_at=AT - DAY,
            closed_at=AT - 2 * DAY,
            reason="claim_not_covered",
            statements=(("refuse", "It is not yours."), ("object", "It is mine.")),
        ),
    }


def a_hold(number: int, **changes: Any) -> HoldCard:
    return HoldCard(
        **{
            "hold": f"{HOLD}{number:02}",
            "state": "proposed",
            "matter": "Linden v. Huangshan & Hale, 12 O 345/26",
            "people": 3,
            "categories": ("contact.email", "orders"),
            "until": AT + 365 * DAY,
            "steps": (HoldStepLine(step="proposed", actor="Officer Weber", at=AT - DAY, said="Claim of 3 November."),),
            **changes,
        }
    )


def a_holds_page(locale: str = "en", **changes: Any) -> HoldsPage:
    approved = HoldStepLine(step="approved", actor="Officer Lin", at=AT)
    proposed = HoldStepLine(step="proposed", actor="Officer Weber", at=AT - DAY)
    leaving = HoldStepLine(step="release proposed", actor="Officer Lin", at=AT)
    return HoldsPage(
        **{
            "frame": a_frame(locale, path="/console/holds"),
            "operator": an_operator(),
            "waiting": (a_hold(1), a_hold(2, state="releasing", own=True, steps=(proposed, approved, leaving))),
            "standing": (a_hold(3, state="live", categories=(), until=0, steps=(proposed, approved)),),
            "over": (a_hold(4, state="released", steps=(proposed, approved, leaving, approved)),),
            "categories": ("behaviour", "contact.email", "contact.phone", "health"),
            "kinds": ("email", "phone", "customer_id", "device"),
            "fields": ("customers.email", "customers.phone"),
            "problem": "Line 2 names nobody who is known here.",
            **changes,
        }
    )
