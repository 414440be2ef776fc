"""Every text of the interface exists in every language, and no text stands where a catalogue cannot reach it."""

import re

import pytest

from sayso.server.pages.locales import FOLDER, LOCALES, PSEUDO, translations
from tests.source import ROOT  # the checkout
from web.messages import messages

from .sample_pages import all_pages
from .samples import WORDS
from .test_pages import Outline

WEB = ROOT / "web"
TEMPLATES = FOLDER.parent / "templates"
JINJA = re.compile(r"\{#.*?#\}|\{% trans.*?endtrans %\}|\{%.*?%\}|\{\{.*?\}\}", re.S)
MARKS = re.compile(r"%\((\w+)\)s|\{(\w+)\}|<(/?\w+)>")

SAME = {
    "de": frozenset({"Export", "System", "WeChat"}),
    "fr": frozenset({"Europe", "WeChat"}),
    "es": frozenset({"%(name)s (%(country)s)", "; ", "Asia", "Australia", "No", "WeChat"}),
    "pt-BR": frozenset({"%(name)s (%(country)s)", "; ", "E-mail", "WeChat"}),
}
"""What a language writes letter for letter as English does: a name, a sign. Nothing else may stay untranslated."""


@pytest.mark.parametrize("locale", [locale for locale in LOCALES if locale != "en"])
def test_a_catalogue_is_complete_and_keeps_every_mark(locale: str) -> None:
    catalogue = translations(locale)
    for message in messages():
        if not isinstance(message.id, str) or not message.id:
            continue
        text = catalogue.pgettext(message.context, message.id) if message.context else catalogue.gettext(message.id)
        assert text.strip(), message.id
        same = message.id in SAME.get(locale, ())
        assert (text == message.id) is same, f"{message.id!r} is not translated into {locale}"
        assert sorted(MARKS.findall(text)) == sorted(MARKS.findall(message.id)), message.id


def test_no_catalogue_holds_what_nobody_asks_for() -> None:
    asked = {str(message.id) for message in messages() if message.id}
    for path in FOLDER.glob("*/LC_MESSAGES/sayso.po"):
        listed = re.findall(r'^msgid "(.+)"$', path.read_text(), re.M)
        assert {text.replace('\\"', '"') for text in listed} <= asked


def test_templates_hold_no_text_beside_the_catalogue() -> None:
    """Without tags, expressions and translated blocks a template has no word left, a few names apart."""
    names = {"Sayso", "openapi", "json", "LINE", "Telegram", "WhatsApp"}
    for path in TEMPLATES.glob("**/*.html"):
        text = JINJA.sub(" ", path.read_text())
        text = re.sub(r"<style>.*?</style>|<[^>]*>|&\w+;|[\w-]+=\"[^\"]*\"", " ", text, flags=re.DOTALL)
        assert set(re.findall(r"[^\W\d_]{2,}", text)) <= names, path.name


def test_attributes_for_people_go_through_the_catalogue() -> None:
    for path in TEMPLATES.glob("**/*.html"):
        for name, value in re.findall(r'\s(aria-label|title|alt|placeholder)="([^"]*)"', path.read_text()):
            assert not value or value.startswith("{{"), f"{path.name}: {name}={value}"


def test_the_pseudo_locale_reaches_every_page() -> None:
    content = WORDS["en"].values()
    texts = [str(message.id) for message in messages() if message.id]
    english = [text for text in texts if re.search(r"\w \w", text) and "%" not in text and text not in content]
    for sample in all_pages(PSEUDO):
        text = " ".join(Outline(sample.html).texts)
        assert "[" in text
        assert [message for message in english if message in text] == [], sample.name


def test_scripts_hold_no_text_for_people() -> None:
    """A string of two words with a space is a sentence."""
    for path in [*WEB.glob("banner/*.ts"), *WEB.glob("islands/*.ts")]:
        if path.name.endswith(".test.ts"):
            continue
        code = re.sub(r"/\*.*?\*/|^\s*//.*$|^import.*$", "", path.read_text(), flags=re.S | re.M)
        for text in re.findall(r'"([^"\n]*)"', code):
            assert not re.search(r"[A-Za-z]{3,} [a-z]{2,} ", text), f"{path.name}: {text}"


def test_style_sheets_know_no_left_and_no_right() -> None:
    for path in [*WEB.glob("css/**/*.css"), *WEB.glob("banner/*.css")]:
        assert not re.search(r"\b(left|right)\b", path.read_text()), path.name


def test_templates_know_no_inline_style() -> None:
    for path in TEMPLATES.glob("**/*.html"):
        assert not re.search(r"\sstyle=|\son\w+=|\|\s*safe", path.read_text()), path.name
