"""What a brand wrote, in the language of whoever reads it, or in the nearest that there is."""

from collections.abc import Mapping
from typing import Self

from markupsafe import Markup

from sayso.server.pages.locales import best, direction


class Foreign(str):
    """A text in another language than the page around it. In HTML it says so, for whoever hears the page (WCAG 3.1.2)
    and for the writing direction; in an attribute, where nothing can say it, the filter `plain` makes it a mere text.
    """

    __slots__ = ("locale",)
    locale: str

    def __new__(cls, text: str, locale: str) -> Self:
        made = super().__new__(cls, text)
        made.locale = locale
        return made

    def __html__(self) -> str:
        return Markup('<span lang="{}" dir="{}">{}</span>').format(self.locale, direction(self.locale), str(self))


def language_of(texts: Mapping[str, str], locale: str) -> str:
    """The language of the text that answers `locale`: this one, the nearest, English, or the first that there is."""
    if locale in texts:
        return locale
    return best(locale, tuple(texts)) or ("en" if "en" in texts else next(iter(texts), ""))


def in_locale(texts: Mapping[str, str], locale: str, otherwise: str) -> str:
    """The text that answers this language, else `otherwise`: a mere text."""
    return texts.get(language_of(texts, locale), otherwise)


def worded(texts: Mapping[str, str], locale: str, otherwise: str) -> str:
    """The same for a page in this language: a text in another one is `Foreign`."""
    found = language_of(texts, locale)
    text = texts.get(found, otherwise)
    return text if found in ("", locale) or not text else Foreign(text, found)
