"""The embeddable banner: its configuration, and the one file that carries it to a foreign page."""

import json
import re
from functools import cache
from typing import Any, Literal

import msgspec
from msgspec import Struct

from .environment import assets, static_text
from .locales import direction, duration, joined, translate
from .plain_words import country

_VERSION = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
PLACEHOLDER = "__SAYSO_CONFIGURATION__"


class BannerPurpose(Struct, frozen=True, kw_only=True):
    """One purpose of the notice. `ask` is false where a no blocks nothing (contract, law): a fact to tell, not a box
    to tick.

    `gpc`: an opt-out signal of the browser says no to it. `expires` is the ISO 8601 duration after which a yes ends;
    None when it has no term. `recipients` are who gets the data, each with its country (ISO 3166-1). `since` is the
    oldest version of the notice whose answer to this purpose still counts; 0 when only the present one's does. `lang`
    is the language of its texts, empty when it is the interface's.
    """

    name: str
    title: str
    description: str = ""
    basis: str = "consent"
    ask: bool = True
    gpc: bool = False
    expires: str | None = None
    recipients: tuple[tuple[str, str], ...] = ()
    since: int | float = 0
    lang: str = ""


class ShownPurpose(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A purpose as it goes to the browser: every sentence is finished. `lang` is the language of `title` and `text`,
    empty when it is the interface's.
    """

    name: str
    title: str
    text: str = ""
    facts: str = ""
    who: str = ""
    since: int | float = 0
    ask: bool = True
    gpc: bool = False
    lang: str = ""


class BannerConfiguration(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything a banner needs, in one language.

    The browser gets it inside `banner.js` and, when a token ended, as `banner.json`. `locale` is the language of the
    notice, which the record names; `lang` that of the interface, empty when it is the same. `own`: the title is the
    site's, in the language of the notice. `dir` is the interface's.
    """

    site: str
    token: str
    notice: str
    version: int | float
    locale: str
    lang: str = ""
    dir: Literal["ltr", "rtl"]
    title: str
    own: bool = False
    text: str
    lead: str = ""
    wording: str = ""
    purposes: tuple[ShownPurpose, ...]
    strings: dict[str, str]
    notice_url: str | None = None
    preferences_url: str | None = None
    cookie_domain: str | None = None
    days: int = 180
    reopen: bool = True
    gpc: bool = False
    hand_over: str | None = None
    hands_to: tuple[str, ...] = ()
    takes_from: tuple[str, ...] = ()
    modes: dict[str, tuple[str, ...]] | None = None


class ChoiceCookie(Struct, frozen=True):
    """The banner's own cookie, read.

    Which notice was answered, by which device (None when it was forgotten), and how. `over` are the purposes granted
    after it was shown that the browser's signal says no to them, `told` that the device sent its signal, `waiting` the
    hosts of the site in whose pages an answer still waits to be sent.
    """

    notice: str
    version: int | float
    device: str | None
    choices: dict[str, Literal["granted", "refused"]]
    over: frozenset[str] = frozenset()
    told: bool = False
    waiting: tuple[str, ...] = ()


def banner_configuration(
    *,
    site: str,
    token: str,
    notice: str,
    notice_version: int | float,
    locale: str,
    text: str,
    purposes: tuple[BannerPurpose, ...],
    notice_url: str | None = None,
    preferences_url: str | None = None,
    cookie_domain: str | None = None,
    ask_again_days: int = 180,
    reopen: bool = True,
    gpc: bool = False,
    hands_to: tuple[str, ...] = (),
    takes_from: tuple[str, ...] = (),
    modes: dict[str, tuple[str, ...]] | None = None,
    wording: str = "",
    title: str = "",
    lead: str = "",
    interface: str = "",
) -> BannerConfiguration:
    """The configuration of one site in one language, with every text of the interface finished.

    `wording` names the one of several that the site tries; `title` and `lead` are its own. `locale` is the language of
    the notice; `interface` that of everything else, where it is another one.
    """
    spoken = interface or locale
    return BannerConfiguration(
        site=site,
        token=token,
        notice=notice,
        version=notice_version,
        locale=locale,
        lang=spoken if spoken != locale else "",
        dir=direction(spoken),
        title=title or translate(spoken, "Your say about your data"),
        own=bool(title) and spoken != locale,
        text=text,
        lead=lead,
        wording=wording,
        purposes=tuple(_shown(purpose, spoken) for purpose in purposes),
        strings=_strings(spoken, tuple(purpose.title for purpose in purposes if purpose.ask)),
        notice_url=notice_url,
        preferences_url=preferences_url,
        cookie_domain=cookie_domain,
        days=ask_again_days,
        reopen=reopen,
        gpc=gpc,
        hand_over=_hand_over_name() if hands_to or takes_from else None,
        hands_to=hands_to,
        takes_from=takes_from,
        modes=modes,
    )


def banner_script(configuration: BannerConfiguration) -> bytes:
    """The banner's file: the built core with the configuration in place of its one placeholder.

    The JSON is a valid JavaScript expression (ECMA-262, JSON superset); `<` and the two line separators are escaped
    as well, so that the text stays harmless when a site inlines the file into HTML or an old engine reads it.
    """
    literal = msgspec.json.encode(configuration).decode()
    for char in "<>&\u2028\u2029":
        literal = literal.replace(char, f"\\u{ord(char):04x}")
    head, tail = _core()
    return f"{head}{literal}{tail}".encode()


def banner_parts(script: bytes) -> tuple[bytes, ...]:
    """A banner's file in pieces that compress best each by itself: code, style, code; the last two are what stands
    before its token and after it.
    """
    head, begin, tail = script.partition(b'"token":"')
    assert begin, "a configuration names its token"
    style = re.search(rb":host\{.*:host\(.*?(?=[\"`'];)", head, re.DOTALL)
    assert style, "the built banner has lost its style"
    return head[: style.start()], style.group(), head[style.end() :] + begin, tail


def hand_over_script() -> bytes:
    """The part of the banner that only sites load which hand choices over to each other, or take them."""
    return static_text(assets()["hand-over.js"]).encode()


def read_banner_script(script: bytes) -> tuple[dict[str, Any], bool]:
    """The configuration inside a banner's file, and whether what stands around it is the banner of this version.

    Untrusted: a page loaded it. A file without a configuration gives an empty one.
    """
    text = script.decode(errors="replace")
    head, tail = _core()
    current = text.startswith(head) and text.endswith(tail)
    found = re.search(r'\{"site":"', text)
    try:
        told = json.JSONDecoder().raw_decode(text, found.start())[0] if found else {}
    except ValueError:
        told = {}
    return told, current


def read_choice_cookie(value: str) -> ChoiceCookie | None:
    """The banner's cookie `<notice>:<version>|<device>|+granted|*granted over the signal|-refused…|~gpc|!host`, or None
    when it is not one.

    Untrusted: the browser wrote it.
    """
    head, _, rest = value.partition("|")
    device, _, listed = rest.partition("|")
    notice, _, version = head.rpartition(":")
    if not notice or not _VERSION.fullmatch(version) or len(device) not in (0, *range(22, 65)):
        return None
    marks = [mark for mark in listed.split("|") if mark]
    if any(len(mark) < 2 or mark[0] not in "+*-~!" for mark in marks):
        return None
    choices: dict[str, Literal["granted", "refused"]] = {
        mark[1:]: "granted" if mark[0] in "+*" else "refused" for mark in marks if mark[0] not in "~!"
    }
    over = frozenset(mark[1:] for mark in marks if mark[0] == "*")
    number = float(version) if "." in version else int(version)
    waiting = tuple(mark[1:] for mark in marks if mark[0] == "!")
    return ChoiceCookie(notice, number, device or None, choices, over, "~gpc" in marks, waiting)


def print_choice_cookie(cookie: ChoiceCookie) -> str:
    """The cookie as the banner writes it."""
    marks = [
        ("-" if answer == "refused" else "*" if name in cookie.over else "+") + name
        for name, answer in cookie.choices.items()
    ]
    notes = [*(["~gpc"] if cookie.told else []), *(f"!{host}" for host in cookie.waiting)]
    return "|".join([f"{cookie.notice}:{cookie.version}", cookie.device or "", *marks, *notes])


@cache
def _hand_over_name() -> str:
    """Where the banner finds that part, from its own folder: the hash lets a browser keep it for ever."""
    return f"hand-over.js?{assets()['hand-over.js'].split('.')[-2]}"


@cache
def _core() -> tuple[str, str]:
    head, placeholder, tail = static_text(assets()["banner.js"]).partition(PLACEHOLDER)
    assert placeholder, "the built banner has lost its placeholder"
    return head, tail


def _shown(purpose: BannerPurpose, locale: str) -> ShownPurpose:
    basis = {
        "consent": translate(locale, "Only with your consent"),
        "legitimate_interest": translate(locale, "Our legitimate interest, unless you object"),
        "contract": translate(locale, "Needed for what you order from us"),
        "legal_obligation": translate(locale, "The law asks it of us"),
        "notice": translate(locale, "We tell you, and you may say no"),
    }.get(purpose.basis, "")
    term = (
        translate(locale, "a yes ends after %(duration)s") % {"duration": duration(purpose.expires, locale)}
        if purpose.expires
        else ""
    )
    return ShownPurpose(
        name=purpose.name,
        title=purpose.title,
        text=purpose.description,
        facts=translate(locale, "; ").join(part for part in (basis, term) if part),
        who=_who(purpose.recipients, locale),
        since=purpose.since,
        ask=purpose.ask,
        gpc=purpose.gpc,
        lang=purpose.lang,
    )


def _who(recipients: tuple[tuple[str, str], ...], locale: str) -> str:
    """Who gets the data (GDPR Art. 13(1)(e); CNIL, recommendation on cookies: the recipients are one click away)."""
    if not recipients:
        return ""
    named = tuple(
        translate(locale, "%(name)s (%(country)s)") % {"name": name, "country": country(code, locale)}
        for name, code in recipients
    )
    return translate(locale, "Who gets the data: %(recipients)s") % {"recipients": joined(named, locale)}


def _strings(locale: str, titles: tuple[str, ...]) -> dict[str, str]:
    return {
        "all": joined(titles, locale),
        "asks": translate(locale, "We ask for: %(purposes)s.") % {"purposes": "{purposes}"},
        "accept": translate(locale, "Accept all"),
        "refuse": translate(locale, "Refuse all"),
        "choose": translate(locale, "Choose"),
        "save": translate(locale, "Save my choice"),
        "close": translate(locale, "Close"),
        "layer": translate(locale, "Choose what we may do"),
        "always": translate(locale, "Always on"),
        "notice": translate(locale, "Read the full notice"),
        "page": translate(locale, "Your preference page"),
        "gpc": translate(locale, "Your browser's opt-out signal was honoured."),
        "saved": translate(locale, "Saved. Takes effect at once."),
        "yes": translate(locale, "You said yes to: {purposes}."),
        "no": translate(locale, "You said no to: {purposes}."),
        "running": translate(locale, "What already runs on this page stops when you leave it."),
        "reopen": translate(locale, "Your data choices"),
        "added": translate(locale, "New since you last answered: {purposes}."),
        "changed": translate(locale, "Changed since you last answered: {purposes}."),
        "embed": translate(locale, "This part comes from elsewhere. It loads when you say yes to: {purpose}."),
        "allow": translate(locale, "Say yes and show it"),
    }
