"""The Jinja environment and the table of built assets: the two things a template needs from outside."""

from collections.abc import Mapping
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from . import locales
from .frame import THEMES, Frame

SERVER = Path(__file__).parent.parent
STATIC = SERVER / "static"


class Asset(msgspec.Struct, frozen=True):
    """One built file: its name with the content hash, the SHA-256 of its bytes (hex), and its size raw and gzipped."""

    file: str
    sha256: str
    bytes: int
    gzip: int


@cache
def manifest() -> Mapping[str, Asset]:
    """The built files by their plain name, as `web/build.mjs` wrote them down."""
    return MappingProxyType(msgspec.json.decode((STATIC / "manifest.json").read_bytes(), type=dict[str, Asset]))


@cache
def assets() -> Mapping[str, str]:
    """Plain name -> file name with its content hash.

    What a server may hand out from `static/` are exactly these values.
    """
    return MappingProxyType({name: asset.file for name, asset in manifest().items()})


def static_text(file: str) -> str:
    """The text of a built file."""
    return (STATIC / file).read_text("utf-8")


def render(template: str, frame: Frame, **values: object) -> str:
    """One page. Missing values raise (`StrictUndefined`), every value is escaped."""
    return _environment(frame.locale).get_template(template).render(frame=frame, **values)


@cache
def _environment(locale: str) -> Environment:
    """One environment per locale, so that templates are compiled with its catalogue once."""
    environment = Environment(
        loader=FileSystemLoader(SERVER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    catalogue = locales.translations(locale)
    environment.install_gettext_translations(catalogue, newstyle=True)  # type: ignore[attr-defined]
    environment.filters.update(
        moment=partial(locales.moment, locale=locale),
        exact=locales.exact,
        second=locales.second,
        number=partial(locales.number, locale=locale),
        day=partial(locales.day, locale=locale),
        date=partial(locales.date_in_words, locale=locale),
        clock=partial(locales.clock, locale=locale),
        joined=partial(locales.joined, locale=locale),
        duration=partial(locales.duration, locale=locale),
        grouped=_grouped,
        own_name=locales.own_name,
        plain=str,
    )
    environment.globals.update(
        asset=_address, locales=locales.LOCALES, themes=THEMES, lang=locale, dir=locales.direction(locale)
    )
    return environment


def _address(name: str) -> str:
    return f"/static/{assets()[name]}"


def _grouped(text: str, size: int = 4) -> str:
    """A hash as people compare it: in groups of four."""
    return " ".join(text[at : at + size] for at in range(0, len(text), size))
