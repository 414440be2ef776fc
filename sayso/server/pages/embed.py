"""Parts of the preference centre in a frame on the brand's own page, and the headers under which they are framed."""

from functools import partial
from typing import Literal, get_args

from msgspec import Struct

from .environment import render
from .frame import Brand, Frame
from .headers import PAGE_HEADERS
from .person import PreferencesPage
from .person_data import UsesPage
from .reaching import CAPS, DAYS, city, places

Part = Literal["choices", "reach", "uses"]
PARTS: tuple[Part, ...] = get_args(Part)


class EmbedPage(Struct, frozen=True, kw_only=True):
    """One part. Without a person it waits for the brand's word, `refused` says that the word did not hold.

    `origins` are the pages that may show it and speak to it; `again`: the person's last act came too late to count.
    """

    frame: Frame
    brand: Brand
    origins: tuple[str, ...]
    part: Part
    refused: bool = False
    again: bool = False
    person: PreferencesPage | None = None
    uses: UsesPage | None = None


def render_embed(page: EmbedPage) -> str:
    """The document inside the frame."""
    if page.person is None and page.uses is None:
        return render("embed/waiting.html", page.frame, page=page)
    return render(
        f"embed/{page.part}.html",
        page.frame,
        page=page,
        places=places(page.frame.locale) if page.part == "reach" else (),
        caps=CAPS,
        days=DAYS,
        city=partial(city, locale=page.frame.locale),
    )


def embed_headers(origins: tuple[str, ...]) -> dict[str, str]:
    """The strict policy of every page, but that these origins may frame it, also where they isolate themselves."""
    policy = PAGE_HEADERS["content-security-policy"]
    framed = policy.replace("frame-ancestors 'none'", f"frame-ancestors {' '.join(origins)}")
    return PAGE_HEADERS | {
        "content-security-policy": framed,
        "cross-origin-resource-policy": "cross-origin",
        "cross-origin-embedder-policy": "require-corp",
    }
