"""What a site's banner asks one browser: the notice in a language, what of it is news to whom, and in which words."""

import random
from hashlib import sha256
from typing import Any

import msgspec
from litestar import Request

from consent import Notice, reached
from sayso.kernel import SaysoError, now
from sayso.server import site_token
from sayso.server.configuration import Configuration
from sayso.server.opting import GPC, modes_of, sends_gpc
from sayso.server.pages import BannerConfiguration, BannerPurpose, banner_configuration, negotiate
from sayso.server.person_page import in_locale
from sayso.server.sites import Site
from sayso.server.wiring import Services
from sayso.server.wordings import AS_USUAL

AnyRequest = Request[Any, Any, Any]

OPTED_OUT_DAYS = 366
"""Days for which nobody asks again who has opted out (California: twelve months, 1798.135(c)(4))."""


def asking(
    request: AnyRequest,
    services: Services,
    configuration: Configuration,
    site: Site,
    wanted: str | None,
    preferred: str,
) -> tuple[BannerConfiguration, str]:
    """What the banner shows in one language, and its ETag, which leaves the token out."""
    catalogue, gpc = configuration.catalogue, sends_gpc(request)
    notice = catalogue.notice(site.notice)
    locale = _locale(notice, wanted or negotiate(None, request.headers.get("accept-language")))
    # By chance on every visit: nobody is marked before they chose, so nobody can be kept in one arm.
    wording = site.wording(preferred) or (random.choice(site.wordings) if site.wordings else AS_USUAL)  # noqa: S311
    token = site_token.mint(
        services.keyring, configuration.tenant, site.name, notice.name, notice.version, now(), wording.name
    )
    touched = frozenset(reached(catalogue, GPC))
    shown = banner_configuration(
        site=site.name,
        token=token,
        notice=notice.name,
        notice_version=notice.version,
        locale=locale,
        text=notice.text[locale],
        purposes=tuple(_purpose(configuration, notice, name, locale, touched) for name in notice.purposes),
        notice_url=site.notice_url or f"{services.settings.base_url}/notices/{configuration.tenant}/{notice.name}",
        preferences_url=site.preferences_url,
        cookie_domain=site.cookie_domain,
        ask_again_days=max(site.ask_again_days, OPTED_OUT_DAYS) if gpc else site.ask_again_days,
        reopen=site.reopen,
        gpc=gpc,
        modes=modes_of(catalogue, site) if site.consent_modes is not None else None,
        wording=wording.name,
        title=wording.title.get(locale, ""),
        lead=wording.lead.get(locale, ""),
    )
    content = msgspec.json.encode(msgspec.structs.replace(shown, token=""))
    return shown, f'"{sha256(content).hexdigest()[:32]}"'


def _purpose(
    configuration: Configuration, notice: Notice, name: str, locale: str, touched: frozenset[str]
) -> BannerPurpose:
    purpose = configuration.catalogue.purposes[name]
    basis = configuration.catalogue.basis(name)
    parties = [configuration.catalogue.recipients[each] for each in purpose.recipients]
    return BannerPurpose(
        name=name,
        title=in_locale(purpose.title, locale, name),
        description=in_locale(purpose.description, locale, ""),
        basis=basis,
        ask=configuration.catalogue.blockable(name),
        gpc=name in touched,
        expires=purpose.expires_after,
        recipients=tuple((in_locale(each.title, locale, each.name), each.country) for each in parties),
        since=still_counts(configuration, notice, name),
    )


def still_counts(configuration: Configuration, notice: Notice, name: str) -> int:
    """The oldest version of the notice whose answer to the purpose still counts.

    A purpose gets a new version when what people agreed to became wider, or when a notice says that it is material
    for it; answers from before are then stale, as they are for decisions. Where no version of the notice is as young
    as the purpose, only the present one counts.
    """
    found = notice.version
    published = configuration.catalogue.purposes[name].published_at
    for older in configuration.catalogue.versions(notice.name):
        if older.version > notice.version:
            continue
        if name not in older.purposes or older.published_at < published:
            break
        found = older.version
    return found


def _locale(notice: Notice, wanted: str) -> str:
    try:
        return notice.locale(wanted)
    except SaysoError:
        return "en" if "en" in notice.text else next(iter(notice.text))
