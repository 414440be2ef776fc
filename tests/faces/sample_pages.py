"""Every page in every state that looks different, rendered."""

from typing import Any

from msgspec.structs import replace

from sayso.server import pages
from sayso.server.pages import (
    ConsoleLogin,
    DocsPage,
    DoorPage,
    EntryFilter,
    Flash,
    Frame,
    GalleryPage,
    LatePage,
    PeoplePage,
    PersonPage,
    ProblemPage,
    RequestFilter,
    SignedUp,
)
from sayso.server.pages.console_uses import render_console_uses

from .change_samples import a_change_page, a_changes_page, a_proposal, a_quiet_changes_page
from .console_samples import a_quiet_systems_page, a_systems_page, an_entries_page, an_operator, some_details
from .embed_samples import Sample, embeds
from .notice_samples import a_notice_page, an_unsubscribe_page
from .person_samples import a_data_page, a_history_page, a_uses_page, an_erasure, directives
from .report_samples import a_report_page
from .rights_samples import a_holds_page, a_requests_page, requests
from .samples import (
    AT,
    DAY,
    ENTRY,
    SUBJECT,
    a_brand,
    a_frame,
    a_mailroom_page,
    a_preferences_page,
    a_privacy_page,
    a_shop_page,
    purposes,
    records,
)
from .specification import SPEC

UNSUBSCRIBES: dict[str, dict[str, Any]] = {
    "on": {"state": "on"},
    "off": {"state": "off", "undo_until": AT},
    "late": {"state": "off", "late": True},
    "back": {"state": "back"},
    "nowhere": {"state": "nowhere", "list": ""},
}


REQUEST = "req_0193a5c47b1e7c5f9a27b4b0c9d8e7f6"
PROBLEMS: tuple[tuple[int, str, dict[str, Any]], ...] = (
    (400, "malformed", {}),
    (401, "no-session", {}),
    (403, "role-not-admitted", {"console": True, "detail": "This takes the role officer."}),
    (404, "not-found", {}),
    (410, "gone", {}),
    (500, "unexpected", {}),
)


def all_pages(locale: str = "en", **frame: Any) -> list[Sample]:
    """Every page in every state that looks different."""
    brand, operator = a_brand(), an_operator()

    def at(path: str, **more: Any) -> Frame:
        return a_frame(locale, path=path, **frame, **more)

    details = some_details(
        leaf='{"actor_class":"service","id":"0193a5c4-7b1e-7c5f-9a27-b4b0c9d8e7f6","out":"deny","type":"access.denied","v":1}'
    )
    person = PersonPage(
        frame=at("/console/people/x"),
        operator=operator,
        subject=SUBJECT,
        purposes=purposes(locale),
        records=records(locale),
    )
    signed_up = SignedUp(token="tok_4Jx0mXfVY3q7l1mZ7Qv9Ew", entry=ENTRY, news=True)
    return [
        Sample("door", "/p/", pages.render_door(DoorPage(frame=at("/p/"), brand=brand))),
        Sample("door-problem", "/p/?bad", pages.render_door(DoorPage(frame=at("/p/"), brand=brand, problem="code"))),
        Sample(
            "door-sign-in",
            "/p/?sign-in",
            pages.render_door(DoorPage(frame=at("/p/"), brand=brand, problem="sign_in", mail=True)),
        ),
        *embeds(locale, **frame),
        Sample(
            "late",
            "/p/?late",
            pages.render_late(LatePage(frame=at("/p/", flash=Flash("ended")), brand=brand, next="/p/")),
        ),
        Sample(
            "preferences",
            "/p/you",
            pages.render_preferences(a_preferences_page(locale, frame=at("/p/you", flash=Flash("saved", AT)))),
        ),
        Sample(
            "preferences-new",
            "/p/you?new",
            pages.render_preferences(
                a_preferences_page(locale, frame=at("/p/you", flash=Flash("undo_late")), purposes=purposes(locale)[3:])
            ),
        ),
        Sample(
            "preferences-withdrawn",
            "/p/you?withdrawn",
            pages.render_preferences(
                a_preferences_page(
                    locale,
                    frame=at("/p/you", flash=Flash("withdrawn", AT)),
                    purposes=purposes(locale)[1:],
                    undo=records()[0].record,
                    undo_until=AT + DAY,
                )
            ),
        ),
        Sample("history", "/p/you/history", pages.render_history(a_history_page(locale, frame=at("/p/you/history")))),
        Sample(
            "history-none",
            "/p/you/history?none",
            pages.render_history(a_history_page(locale, frame=at("/p/you/history"), records=(), older="")),
        ),
        Sample("uses", "/p/you/uses", pages.render_uses(a_uses_page(locale, frame=at("/p/you/uses")))),
        Sample(
            "uses-none",
            "/p/you/uses?none",
            pages.render_uses(a_uses_page(locale, frame=at("/p/you/uses"), uses=(), kinds=(), of="", older="")),
        ),
        Sample("data", "/p/you/data", pages.render_data(a_data_page(locale, frame=at("/p/you/data")))),
        Sample(
            "data-erasing",
            "/p/you/data?erasing",
            pages.render_data(
                a_data_page(
                    locale,
                    frame=at("/p/you/data", flash=Flash("erasure", AT)),
                    requests=(an_erasure(),),
                    erasing=True,
                    identifiers=(),
                    held=(),
                    laws=(),
                    relations=(),
                    may_ask=(),
                )
            ),
        ),
        Sample(
            "data-word",
            "/p/you/data?word",
            pages.render_data(a_data_page(locale, frame=at("/p/you/data", flash=Flash("erase_word")), requests=())),
        ),
        Sample(
            "preferences-opted-out",
            "/p/you?opted-out",
            pages.render_preferences(a_preferences_page(locale, frame=at("/p/you"), directives=directives(locale))),
        ),
        Sample("privacy", "/privacy/shop", pages.render_privacy(a_privacy_page(locale, frame=at("/privacy/shop")))),
        Sample(
            "privacy-done",
            "/privacy/shop/limit-sensitive?done=1",
            pages.render_privacy(
                a_privacy_page(
                    locale,
                    frame=at("/privacy/shop/limit-sensitive"),
                    links=("limit-sensitive",),
                    here=False,
                    done="limit-sensitive",
                    held=("limit-sensitive",),
                    problem="identifier",
                )
            ),
        ),
        *(
            Sample(
                f"unsubscribe-{name}",
                f"/u/default.AQ{name}",
                pages.render_unsubscribe(an_unsubscribe_page(locale, frame=at(f"/u/default.AQ{name}"), **changes)),
            )
            for name, changes in UNSUBSCRIBES.items()
        ),
        Sample(
            "notice",
            "/notices/default/web",
            pages.render_notice(a_notice_page(locale, frame=at("/notices/default/web"))),
        ),
        Sample(
            "notice-first",
            "/notices/default/web?first",
            pages.render_notice(a_notice_page(locale, frame=at("/notices/default/web"), newest=1)),
        ),
        Sample(
            "login", "/console/login", pages.render_console_login(ConsoleLogin(frame=at("/console/"), problem="key"))
        ),
        Sample("entries", "/console/", pages.render_entries(an_entries_page(locale, frame=at("/console/")))),
        Sample(
            "entry",
            "/console/?entry=" + ENTRY,
            pages.render_entries(
                an_entries_page(locale, frame=at("/console/"), details=details, filter=EntryFilter(outcome="deny"))
            ),
        ),
        Sample(
            "entries-none",
            "/console/?none",
            pages.render_entries(an_entries_page(locale, frame=at("/console/"), rows=(), problem="from")),
        ),
        Sample(
            "people",
            "/console/people",
            pages.render_people(PeoplePage(frame=at("/console/people"), operator=operator, problem="unknown")),
        ),
        Sample("person", "/console/people/x", pages.render_person(person)),
        Sample(
            "systems",
            "/console/systems",
            pages.render_systems(a_systems_page(locale, frame=at("/console/systems"))),
        ),
        Sample(
            "systems-quiet",
            "/console/systems?quiet",
            pages.render_systems(a_quiet_systems_page(locale, frame=at("/console/systems"))),
        ),
        Sample(
            "console-uses",
            "/console/uses",
            render_console_uses(a_report_page(locale, frame=at("/console/uses"))),
        ),
        Sample(
            "console-uses-none",
            "/console/uses?none",
            render_console_uses(
                a_report_page(locale, frame=at("/console/uses"), shown=None, reports=(), problem="from")
            ),
        ),
        Sample(
            "changes", "/console/changes", pages.render_changes(a_changes_page(locale, frame=at("/console/changes")))
        ),
        Sample(
            "changes-quiet",
            "/console/changes?quiet",
            pages.render_changes(a_quiet_changes_page(locale, frame=at("/console/changes"), problem="rules-lost")),
        ),
        Sample(
            "change", "/console/changes/x", pages.render_change(a_change_page(locale, frame=at("/console/changes/x")))
        ),
        Sample(
            "change-own",
            "/console/changes/x?own",
            pages.render_change(
                a_change_page(
                    locale,
                    frame=at("/console/changes/x"),
                    line=a_proposal(own=True, restores=9),
                    problem="four-eyes",
                    answers=(),
                    asked_again=None,
                )
            ),
        ),
        Sample(
            "change-rejected",
            "/console/changes/x?rejected",
            pages.render_change(
                a_change_page(
                    locale,
                    frame=at("/console/changes/x"),
                    line=a_proposal(state="rejected", decider="Officer Lin"),
                    reason="Leads need no behaviour.",
                )
            ),
        ),
        Sample(
            "rights", "/console/rights", pages.render_requests(a_requests_page(locale, frame=at("/console/rights")))
        ),
        Sample(
            "rights-none",
            "/console/rights?law=gdpr",
            pages.render_requests(
                a_requests_page(
                    locale, frame=at("/console/rights"), rows=(), older=None, filter=RequestFilter(law="gdpr")
                )
            ),
        ),
        *(
            Sample(
                f"right-{name or 'erasure'}",
                f"/console/rights/x?{name}".rstrip("?"),
                pages.render_request(replace(page, frame=at("/console/rights/x"))),
            )
            for name, page in requests().items()
        ),
        Sample("holds", "/console/holds", pages.render_holds(a_holds_page(locale, frame=at("/console/holds")))),
        Sample("shop", "/demo/", pages.render_shop(a_shop_page(locale, frame=at("/demo/")))),
        Sample(
            "shop-signed-up",
            "/demo/?signed",
            pages.render_shop(a_shop_page(locale, frame=at("/demo/"), signed_up=signed_up)),
        ),
        Sample("mailroom", "/demo/mailer", pages.render_mailroom(a_mailroom_page(locale, frame=at("/demo/mailer")))),
        Sample(
            "mailroom-empty",
            "/demo/mailer?none",
            pages.render_mailroom(a_mailroom_page(locale, frame=at("/demo/mailer"), letters=())),
        ),
        *(
            Sample(
                f"problem-{status}",
                f"/nowhere?{status}",
                pages.render_problem(
                    ProblemPage(frame=at("/p/"), status=status, slug=slug, request=REQUEST, brand=brand, **more)
                ),
            )
            for status, slug, more in PROBLEMS
        ),
        Sample("docs", "/docs", pages.render_docs(DocsPage(frame=at("/docs"), spec=SPEC))),
        Sample("gallery", "/gallery", pages.render_gallery(GalleryPage(frame=at("/gallery")))),
    ]
