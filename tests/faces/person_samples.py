"""The pages of a person beside the choices: their history, who used their data, what is kept."""

from typing import Any

from sayso.server.pages import (
    AskedFor,
    DataPage,
    HeldField,
    HistoryPage,
    HonouredDirective,
    Known,
    Use,
    UsesPage,
    category,
    country,
    role,
)

from .samples import AT, DAY, ENTRY, a_brand, a_frame, records, words


def a_history_page(locale: str = "en", **changes: Any) -> HistoryPage:
    return HistoryPage(
        **{
            "frame": a_frame(locale, path="/p/you/history"),
            "brand": a_brand(),
            "records": records(locale),
            "older": "6553a",
            **changes,
        }
    )


def uses(locale: str = "en") -> tuple[Use, ...]:
    """Used by several roles, shown in part, refused, of nothing that is declared, by Sayso itself."""
    word = words(locale)
    email, phone = category("contact.email", locale), category("contact.phone", locale)

    def use(number: int, **more: Any) -> Use:
        usual: dict[str, Any] = {
            "entry": f"{ENTRY[:-1]}{number}",
            "at": AT - number * DAY,
            "outcome": "used",
            "action": "use",
            "category": "contact.email",
            "what": email,
            "purpose": word["news"],
            "who": (role("marketing_sender", locale),),
            "why": "consent",
            "index": 900 - number,
        }
        return Use(**(usual | more))

    support = (role("support_lead", locale), role("recorder", locale))
    return (
        use(1),
        use(
            2,
            action="reveal",
            category="contact.phone",
            what=phone,
            purpose=word["orders"],
            who=support,
            why="contract",
            mask="last4",
        ),
        use(3, outcome="refused", why="withdrawn"),
        use(4, category="", what="", purpose="", who=(), why="no_rule", outcome="refused", index=None),
        use(
            5,
            action="read",
            category="any",
            what=category("any", locale),
            purpose="dsar",
            who=(role("officer", locale),),
            why="legal_obligation",
        ),
    )


def a_uses_page(locale: str = "en", **changes: Any) -> UsesPage:
    return UsesPage(
        **{
            "frame": a_frame(locale, path="/p/you/uses"),
            "brand": a_brand(),
            "uses": uses(locale),
            "kinds": tuple((each, category(each, locale)) for each in ("contact.email", "contact.phone", "any")),
            "of": "contact.email",
            "older": ENTRY,
            **changes,
        }
    )


def a_data_page(locale: str = "en", **changes: Any) -> DataPage:
    request = "rrq_0193a5c47b1e7c5f9a27b4b0c9d8e7a"
    return DataPage(
        **{
            "frame": a_frame(locale, path="/p/you/data"),
            "brand": a_brand(),
            "identifiers": (Known(kind="email", since=AT - 90 * DAY), Known(kind="device", since=AT - 40 * DAY)),
            "held": tuple(
                HeldField(place=f"customers.{each}", what=category(each, locale), at=AT - 90 * DAY)
                for each in ("email", "phone", "name")
            ),
            "laws": (country("gb", locale), country("us-ca", locale), country("eea", locale)),
            "relations": (("contract", "order-1001", AT - 90 * DAY), ("case", "case-7", AT - 3 * DAY)),
            "requests": (
                AskedFor(
                    request=request + "1",
                    kind="rectification",
                    received_at=AT - 9 * DAY,
                    due_on="2026-12-21",
                    status="in_progress",
                    share=0.3,
                    verified=True,
                    extended=True,
                    systems=(("Till", True), ("Customer database", False)),
                ),
                AskedFor(
                    request=request + "2",
                    kind="access",
                    received_at=AT - 50 * DAY,
                    due_on="2026-11-01",
                    status="fulfilled",
                    share=1.0,
                    verified=True,
                    closed_at=AT - 30 * DAY,
                ),
                AskedFor(
                    request=request + "3",
                    kind="restriction",
                    received_at=AT - 80 * DAY,
                    due_on="2026-10-01",
                    status="denied",
                    closed_at=AT - 70 * DAY,
                ),
            ),
            "may_ask": ("access", "restriction", "portability"),
            **changes,
        }
    )


def an_erasure() -> AskedFor:
    return AskedFor(
        request="rrq_0193a5c47b1e7c5f9a27b4b0c9d8e7aa",
        kind="erasure",
        received_at=AT,
        due_on="2026-12-21",
        status="open",
        paused=True,
    )


def directives(locale: str = "en") -> tuple[HonouredDirective, ...]:
    word = words(locale)
    return (
        HonouredDirective(kind="gpc", since=AT - DAY, purposes=(word["ads"],), lifted=(word["profile"],)),
        HonouredDirective(kind="opt_out", since=AT - 2 * DAY, purposes=(word["ads"],)),
        HonouredDirective(kind="limit_sensitive", since=AT - 3 * DAY, purposes=()),
    )
