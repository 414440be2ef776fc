"""The parts of the preference centre as the frames show them."""

from dataclasses import dataclass
from typing import Any

from sayso.server.pages import Flash, Frame, Way
from sayso.server.pages.embed import PARTS, EmbedPage, Part, render_embed

from .person_samples import a_uses_page
from .samples import AT, DAY, a_brand, a_frame, a_preferences_page, records

ORIGINS = ("https://shop.example",)


@dataclass(frozen=True)
class Sample:
    name: str
    path: str
    html: str


def embeds(locale: str = "en", **frame: Any) -> list[Sample]:
    """Every part, and the state in which one waits or was refused."""

    def at(part: Part, **more: Any) -> Frame:
        way = Way(f"/p/embed/shop/{part}", "session", "form-secret", f"?locale={locale}&theme=system")
        return a_frame(locale, path=f"/p/embed/shop/{part}", csrf="", embedded=way, **frame, **more)

    def page(part: Part, **more: Any) -> str:
        shown = {"frame": at(part), "brand": a_brand(), "origins": ORIGINS, "part": part}
        return render_embed(EmbedPage(**{**shown, **more}))

    person = a_preferences_page(locale, undo=records()[0].record, undo_until=AT + DAY)
    held: dict[Part, dict[str, Any]] = {
        "choices": {"person": person, "frame": at("choices", flash=Flash("saved", AT))},
        "reach": {"person": person},
        "uses": {"uses": a_uses_page(locale)},
    }
    return [
        Sample("embed-waiting", "/p/embed/shop/choices?waiting", page("choices")),
        Sample("embed-refused", "/p/embed/shop/choices?refused", page("choices", refused=True)),
        *(Sample(f"embed-{part}", f"/p/embed/shop/{part}", page(part, **held[part])) for part in PARTS),
    ]
