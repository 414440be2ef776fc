"""Every page in every state that looks different, rendered."""

from dataclasses import dataclass
from typing import Any

from sayso.server import pages
from sayso.server.pages import (
    ConsoleLogin,
    DocsPage,
    DoorPage,
    EntryFilter,
    ErasureRequest,
    Flash,
    Frame,
    GalleryPage,
    PeoplePage,
    PersonPage,
    SignedUp,
)

from .console_samples import an_entries_page, an_operator, some_details
from .samples import (
    AT,
    ENTRY,
    SUBJECT,
    a_brand,
    a_frame,
    a_mailroom_page,
    a_preferences_page,
    a_privacy_page,
    a_shop_page,
    directives,
    purposes,
    records,
)
from .specification import SPEC


@dataclass(frozen=True)
class Sample:
    name: str
    path: str
    html: str


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
    erasure = ErasureRequest(
        request="rrq_0193a5c47b1e7c5f9a27b4b0c9d8e7aa", received_at=AT, due_on="2026-12-21", status="open"
    )
    signed_up = SignedUp(token="tok_4Jx0mXfVY3q7l1mZ7Qv9Ew", entry=ENTRY, news=True)
    return [
        Sample("door", "/p/", pages.render_door(DoorPage(frame=at("/p/"), brand=brand))),
        Sample("door-problem", "/p/?bad", pages.render_door(DoorPage(frame=at("/p/"), brand=brand, problem="code"))),
        Sample(
            "preferences",
            "/p/you",
            pages.render_preferences(a_preferences_page(locale, frame=at("/p/you", flash=Flash("saved", AT)))),
        ),
        Sample(
            "preferences-new",
            "/p/you?new",
            pages.render_preferences(
                a_preferences_page(
                    locale, frame=at("/p/you", flash=Flash("erase_word")), purposes=purposes(locale)[3:], records=()
                )
            ),
        ),
        Sample(
            "preferences-erasing",
            "/p/you?erasing",
            pages.render_preferences(a_preferences_page(locale, frame=at("/p/you"), erasure=erasure)),
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
        Sample("docs", "/docs", pages.render_docs(DocsPage(frame=at("/docs"), spec=SPEC))),
        Sample("gallery", "/gallery", pages.render_gallery(GalleryPage(frame=at("/gallery")))),
    ]
