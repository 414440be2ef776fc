"""Names of a manifest in plain words: categories of data, roles, countries.

A manifest gives categories and roles names and no titles. The usual ones have words here; the others are read out as
they are written.
"""

from typing import Final

from babel import Locale

from .locales import babel_name, translate


def category(name: str, locale: str) -> str:
    """A category of data as a person would call it, by the last part of its name."""
    last = name.rpartition(".")[2]
    known = {
        "any": translate(locale, "everything that we have about you"),
        "contact": translate(locale, "how to reach you"),
        "email": translate(locale, "your e-mail address"),
        "phone": translate(locale, "your phone number"),
        "name": translate(locale, "your name"),
        "address": translate(locale, "your postal address"),
        "orders": translate(locale, "what you ordered"),
        "behaviour": translate(locale, "what you looked at"),
        "location": translate(locale, "where you are"),
        "payment": translate(locale, "how you pay"),
        "health": translate(locale, "your health"),
        "birthday": translate(locale, "your date of birth"),
        "device": translate(locale, "your device"),
        "preferences": translate(locale, "what you told us you like"),
    }
    return known.get(last) or _read_out(last)


def role(name: str, locale: str) -> str:
    """Who acted, by role: never a name."""
    known = {
        "admin": translate(locale, "Administration"),
        "officer": translate(locale, "Data protection"),
        "auditor": translate(locale, "Audit"),
        "recorder": translate(locale, "Website"),
        "vault_writer": translate(locale, "Customer records"),
        "pep": translate(locale, "Access gateway"),
        "system": translate(locale, "Sayso itself"),
    }
    return known.get(name) or _read_out(name).capitalize()


def country(code: str, locale: str) -> str:
    """A country by its code (ISO 3166-1), or a region of laws, in the reader's language."""
    if code == "eea":
        return translate(locale, "European Economic Area")
    land, _, part = code.partition("-")
    title = Locale.parse(babel_name(locale)).territories.get(land.upper(), land.upper())
    return f"{title} ({part.upper()})" if part else str(title)


LAWS: Final = {
    "gdpr": "GDPR",
    "uk_gdpr": "UK GDPR",
    "pipl": "PIPL",
    "ccpa": "CCPA",
    "us_state": "US",
    "lgpd": "LGPD",
    "law25": "Law 25",
    "dpdp": "DPDP",
    "default": "–",
}
"""Laws as everybody calls them, in whatever language; the dash is for requests under none that is named."""


def _read_out(name: str) -> str:
    return name.replace("_", " ").replace(".", " ")
