"""What a site's banner asks one browser: the notice in a language, what of it is news to whom, and in which words.

All of it but the token is the same for everybody who asks alike, so it is made once for each live configuration and
kept as finished bytes: an answer costs a token, and one that the browser still has costs nothing.
"""

import random
from functools import lru_cache
from hashlib import sha256
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct

from consent import Notice, reached
from sayso.kernel import SECOND, Sealer, now
from sayso.server.brand.browsers import Browser
from sayso.server.brand.opting import GPC, modes_of
from sayso.server.brand.texts import in_locale, language_of
from sayso.server.callers import site_token
from sayso.server.manifests.configuration import Configuration
from sayso.server.manifests.sites import Site
from sayso.server.manifests.wordings import AS_USUAL
from sayso.server.packing import Gapped, gapped
from sayso.server.pages import (
    BannerConfiguration,
    BannerPurpose,
    banner_configuration,
    banner_parts,
    banner_script,
    negotiate,
)
from sayso.server.pages.locales import best

OPTED_OUT_DAYS = 366
"""Days for which nobody asks again who has opted out (California: twelve months, 1798.135(c)(4))."""

_LONGEST_HEADER: Final = 200
"""Characters of a language header that are read."""


class Asked(NamedTuple):
    """All of a request that decides what its banner says, besides the site. There are few of these.

    `locale` is the language of the notice, `interface` that of everything around it.
    """

    locale: str
    interface: str
    gpc: bool
    wording: str


class Prepared(Struct, frozen=True):
    """A banner without its token. `mark` is its ETag; `script` is its file before the token, in parts, and after it;
    `packed` the same compressed, for tokens of each length.
    """

    shown: BannerConfiguration
    mark: str
    script: tuple[bytes, ...]
    packed: dict[int, Gapped]

    def with_token(self, token: str) -> BannerConfiguration:
        return msgspec.structs.replace(self.shown, token=token)

    def script_with(self, token: str) -> bytes:
        """The banner's file. A token is base64url and needs no escape."""
        return b"".join((*self.script[:-1], token.encode(), self.script[-1]))

    def packed_with(self, token: str) -> bytes:
        """The same as gzip."""
        found = self.packed.get(len(token))
        if found is None:
            found = self.packed[len(token)] = gapped(self.script[:-1], self.script[-1], len(token))
        return found.filled(token.encode())


class Asking:
    """The banners of every site of this process, each made when it is first asked for."""

    def __init__(self, sealer: Sealer, base_url: str) -> None:
        self._sealer = sealer
        self._base_url = base_url
        self._held: dict[str, tuple[Configuration, dict[tuple[str, Asked], Prepared]]] = {}

    def of(
        self, configuration: Configuration, site: Site, browser: Browser, wanted: str | None, preferred: str
    ) -> tuple[Asked, Prepared]:
        """What the banner shows to a browser that wants one language and one of the wordings, if it says so."""
        notice = configuration.catalogue.notice(site.notice)
        languages = (wanted or browser.languages)[:_LONGEST_HEADER]
        locale, interface = _languages(languages, tuple(notice.text))
        # By chance on every visit: nobody is marked before they chose, so nobody can be kept in one arm.
        wording = site.wording(preferred) or (random.choice(site.wordings) if site.wordings else AS_USUAL)  # noqa: S311
        asked = Asked(locale, interface, browser.gpc, wording.name)
        held, prepared = self._held.get(configuration.tenant, (None, {}))
        if held is not configuration:
            prepared = {}
            self._held[configuration.tenant] = (configuration, prepared)
        found = prepared.get((site.name, asked))
        if found is None:
            found = prepared[site.name, asked] = _prepare(configuration, site, asked, self._base_url)
        return asked, found

    def token(self, configuration: Configuration, site: Site, asked: Asked) -> str:
        """A fresh token for the browser that gets this banner."""
        notice = configuration.catalogue.notice(site.notice)
        return site_token.mint(
            self._sealer, configuration.tenant, site.name, notice.name, notice.version, now(), asked.wording
        )


def _prepare(configuration: Configuration, site: Site, asked: Asked, base_url: str) -> Prepared:
    catalogue, locale, interface, gpc = configuration.catalogue, asked.locale, asked.interface, asked.gpc
    notice, wording = catalogue.notice(site.notice), site.wording(asked.wording) or AS_USUAL
    touched = frozenset(reached(catalogue, GPC))
    purposes = tuple(_purpose(configuration, notice, name, interface, touched) for name in notice.purposes)
    shown = banner_configuration(
        site=site.name,
        token="",
        notice=notice.name,
        notice_version=max(notice.version, *(each.since for each in purposes)),
        locale=locale,
        text=notice.text[locale],
        purposes=purposes,
        notice_url=site.notice_url or f"{base_url}/notices/{configuration.tenant}/{notice.name}",
        preferences_url=site.preferences_url,
        cookie_domain=site.cookie_domain,
        ask_again_days=max(site.ask_again_days, OPTED_OUT_DAYS) if gpc else site.ask_again_days,
        reopen=site.reopen,
        gpc=gpc,
        hands_to=tuple(origin for name in site.hands_over_to for origin in configuration.sites[name].origins),
        takes_from=tuple(
            origin
            for each in configuration.sites.values()
            if site.name in each.hands_over_to
            for origin in each.origins
        ),
        modes=modes_of(catalogue, site) if site.consent_modes is not None else None,
        wording=wording.name,
        title=wording.title.get(locale, ""),
        lead=wording.lead.get(locale, ""),
        interface=interface,
    )
    # The code that travels with the words is part of what a browser may keep.
    script = banner_script(shown)
    return Prepared(shown, f'"{sha256(script).hexdigest()[:32]}"', banner_parts(script), {})


@lru_cache(maxsize=1024)
def _languages(wanted: str, offered: tuple[str, ...]) -> tuple[str, str]:
    """Of a header or a tag, and the languages of a notice: the one of the notice, and that of the interface.

    The interface speaks more languages than a brand writes its notices in. Who reads none of a notice's gets it in
    English, or in its first, inside an interface that they do read.
    """
    interface = negotiate(None, wanted)
    told = best(wanted, offered) or best(interface, offered) or ("en" if "en" in offered else offered[0])
    return told, interface


def _purpose(
    configuration: Configuration, notice: Notice, name: str, locale: str, touched: frozenset[str]
) -> BannerPurpose:
    purpose = configuration.catalogue.purposes[name]
    basis = configuration.catalogue.basis(name)
    parties = [configuration.catalogue.recipients[each] for each in purpose.recipients]
    return BannerPurpose(
        name=name,
        title=in_locale(purpose.title, locale, name),
        lang="" if (found := language_of(purpose.title, locale)) == locale else found,
        description=in_locale(purpose.description, locale, ""),
        basis=basis,
        ask=configuration.catalogue.blockable(name),
        gpc=name in touched,
        expires=purpose.expires_after,
        recipients=tuple((in_locale(each.title, locale, each.name), each.country) for each in parties),
        since=still_counts(configuration, notice, name),
    )


def still_counts(configuration: Configuration, notice: Notice, name: str) -> int | float:
    """The oldest version of the notice whose answer to the purpose still counts.

    A purpose gets a new version when what people agreed to became wider, or when a notice says that it is material
    for it; answers from before are then stale, as they are for decisions. Where the present version of the notice is
    older than the purpose, only answers from after the purpose count: the number then has a fraction, the seconds
    between both.
    """
    found = notice.version
    published = configuration.catalogue.purposes[name].published_at
    if published > notice.published_at:
        return round(notice.version + -(-(published - notice.published_at) // SECOND) / 1e9, 9)
    for older in configuration.catalogue.versions(notice.name):
        if older.version > notice.version:
            continue
        if name not in older.purposes or older.published_at < published:
            break
        found = older.version
    return found
