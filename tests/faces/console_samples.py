"""View models of the console with believable content."""

from typing import Any, Literal

from sayso.server.pages import (
    BehindClient,
    EndingLine,
    Endings,
    EntriesPage,
    EntryDetails,
    EntryRow,
    HoldLine,
    JobLine,
    LateLetter,
    LogHealth,
    Operator,
    SystemsPage,
    TaskLine,
)

from .samples import AT, ENTRY, a_frame

Outcome = Literal["ok", "permit", "deny", "fail"]


def an_operator() -> Operator:
    return Operator(name="Officer Lin", roles=("officer",), tenant="default")


def some_rows() -> tuple[EntryRow, ...]:
    kinds: tuple[tuple[str, Outcome, str, tuple[tuple[str, str], ...]], ...] = (
        ("consent.recorded", "ok", "browser", (("notice", "web"), ("version", "3"))),
        (
            "access.permitted",
            "permit",
            "service",
            (("action", "use"), ("category", "contact.email"), ("purpose", "marketing.email")),
        ),
        (
            "access.denied",
            "deny",
            "service",
            (("action", "reveal"), ("category", "contact.email"), ("purpose", "ads"), ("reason", "refused")),
        ),
        ("vault.revealed", "permit", "service", (("field", "email"), ("purpose", "marketing.email"))),
        ("rights.erasure.completed", "ok", "user", (("law", "gdpr"),)),
        ("policy.applied", "ok", "user", (("version", "12"),)),
        ("external.mail.sent", "fail", "service", (("campaign", "spring-picking"),)),
    )
    return tuple(
        EntryRow(
            entry=f"ent_0193a5c47b1e7c5f9a27b4b0c9d8{1283 - at:04x}",
            at=AT - at * 47_113_000,
            type=kind,
            outcome=outcome,
            actor=actor,
            facts=facts,
            index=None if at < 2 else 1283 - at,
            proof="pending" if at < 2 else "verified",
        )
        for at in range(21)
        for kind, outcome, actor, facts in (kinds[at % len(kinds)],)
    )


def an_entries_page(locale: str = "en", **changes: Any) -> EntriesPage:
    return EntriesPage(
        **{
            "frame": a_frame(locale, path="/console/"),
            "operator": an_operator(),
            "health": LogHealth(
                origin="sayso.example/log/default.main",
                size=1284,
                pending=2,
                checkpoint_size=1284,
                checkpoint_at=AT,
                root="9f2c41d7aa0be83c5e77f1206b4d9a3e9f2c41d7aa0be83c5e77f1206b4d9a3e",
                vkey="sayso.example/log/default.main+1f2e3d4c+AWJh",
            ),
            "rows": some_rows(),
            "types": tuple(sorted({row.type for row in some_rows()})),
            "older": "abc",
            **changes,
        }
    )


def some_details(entry: str = ENTRY, leaf: str = '{"id":"…"}') -> EntryDetails:
    row = EntryRow(
        entry=entry,
        at=AT,
        type="access.denied",
        outcome="deny",
        actor="service",
        index=1283,
        proof="verified",
        facts=(("action", "reveal"), ("category", "contact.email"), ("purpose", "ads"), ("reason", "refused")),
    )
    return EntryDetails(row=row, leaf=leaf, leaf_hash="c3" * 32)


def a_systems_page(locale: str = "en", **changes: Any) -> SystemsPage:
    day = 86_400_000_000
    return SystemsPage(
        **{
            "frame": a_frame(locale, path="/console/systems"),
            "operator": an_operator(),
            "clients": (
                BehindClient(
                    client="crm", host="crm.tannenhof.example", active=True, since=AT - day, waiting=1_204, dead=3
                ),
                BehindClient(client="mailer", host="hooks.mail.example", active=False, since=AT, waiting=0, dead=41),
            ),
            "letters": (
                LateLetter(kind="double_opt_in", why="unreachable", at=AT, tries=2, next_at=AT + 300_000_000),
                LateLetter(kind="preference_link", why="refused", at=AT - day, tries=1),
            ),
            "jobs": (
                JobLine(name="calendar", word="working", share=0.43, done=81_204),
                JobLine(
                    name="due",
                    word="failing",
                    share=0.25,
                    done=312,
                    error="storage-unavailable",
                    tried_again_at=AT + 60_000_000,
                    finished_at=AT - day,
                ),
                JobLine(name="holds", word="waiting", share=1.0, done=2, finished_at=AT),
                JobLine(name="leavings", word="waiting", share=1.0, done=0),
            ),
            "holds": (
                HoldLine(
                    hold="hld_0193a5c47b1e7c5f9a27b4b0c9d8e7aa",
                    step="proposed",
                    matter="Tannenhof v. Bergblick, 12 O 204/26",
                    people=3,
                    actor="Officer Weber",
                    at=AT,
                ),
                HoldLine(
                    hold="hld_0193a5c47b1e7c5f9a27b4b0c9d8e7ab",
                    step="releasing",
                    matter="Case 7",
                    people=120,
                    actor="Officer Lin",
                    at=AT - 3 * day,
                ),
            ),
            "tasks": (
                TaskLine(
                    system="crm",
                    request="rrq_0193a5c47b1e7c5f9a27b4b0c9d8e7ac",
                    kind="erasure",
                    failed=True,
                    due_at=AT - day,
                    why="locked for the audit",
                ),
                TaskLine(
                    system="till",
                    request="rrq_0193a5c47b1e7c5f9a27b4b0c9d8e7ad",
                    kind="access",
                    failed=False,
                    due_at=AT - 2 * day,
                ),
            ),
            "endings": Endings(
                until=AT + 30 * day,
                lines=(
                    EndingLine(category="contact.email", people=1_204, values=1_310, first_at=AT + day),
                    EndingLine(
                        category="answers:marketing.email",
                        serves="marketing.email",
                        people=212,
                        values=388,
                        first_at=AT + 9 * day,
                    ),
                ),
                people=1_416,
                kept=17,
                proofs=4,
                suppressions=9,
                more=True,
                looked=0.93,
            ),
            **changes,
        }
    )


def a_quiet_systems_page(locale: str = "en", **changes: Any) -> SystemsPage:
    """Nothing needs anybody, and no mail is sent."""
    quiet = Endings(until=AT, lines=(), people=0, kept=0, proofs=0, suppressions=0)
    jobs = tuple(JobLine(name=name, word="waiting", share=1.0, done=0) for name in ("calendar", "due", "holds"))
    nothing: dict[str, Any] = {
        "clients": (),
        "letters": (),
        "holds": (),
        "tasks": (),
        "jobs": jobs,
        "endings": quiet,
        "mail": False,
    }
    return a_systems_page(locale, **{**nothing, **changes})
