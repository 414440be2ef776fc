"""View models of the console with believable content."""

from typing import Any, Literal

from sayso.server.pages import EntriesPage, EntryDetails, EntryRow, LogHealth, Operator

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
