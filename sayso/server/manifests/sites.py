"""Sites and API clients as a manifest declares them: the server's own two sections."""

import re
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple
from urllib.parse import urlsplit

from msgspec import Struct

from consent import CONSENT_MODE_KEYS
from sayso.kernel import Map, Node, Problem, Scalar, Seq, nearest, problem
from sayso.server.brand.look import Look, parse_look
from sayso.server.callers.auth import BUILT_IN, UNGIVEN, Profile
from sayso.server.callers.jwks import parse_jwks
from sayso.server.callers.link_tokens import is_link_key
from sayso.server.manifests.wordings import Wording, parse_wordings

CLIENT_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
"""The form of the names of clients and sites: no dot, which would set the tenant apart."""
_SITE_MEMBERS = (
    "origins",
    "notice",
    "ask_again_days",
    "cookie_domain",
    "notice_url",
    "preferences_url",
    "reopen",
    "hands_over_to",
    "gpc",
    "consent_modes",
    "wordings",
    "look",
    "portal",
)
GPC_POLICIES: Final = ("honoured", "required")
_CLIENT_MEMBERS = ("roles", "scopes", "default_purpose", "issuer", "link_key", "sign_in")


class Site(Struct, frozen=True, kw_only=True):
    """One site that shows the banner: where it may be embedded, and the notice it shows.

    `gpc`: Global Privacy Control is `honoured` always, or only where a law that may apply asks for it (`required`).
    `consent_modes`: the purposes on which each key of the consent modes rests; None leaves tags untold.
    `portal`: the origin under which the brand shows the preference centre as its own; empty where it is Sayso's.
    `wordings` are tried side by side, each browser shown one; none asks as usual. `hands_over_to`: sites of the same
    manifest to which a choice goes along with the visitor who follows a link.
    """

    name: str
    origins: tuple[str, ...]
    notice: str
    ask_again_days: int = 180
    cookie_domain: str | None = None
    notice_url: str | None = None
    preferences_url: str | None = None
    reopen: bool = True
    gpc: Literal["honoured", "required"] = "honoured"
    consent_modes: dict[str, tuple[str, ...]] | None = None
    look: Look | None = None
    portal: str = ""
    wordings: tuple[Wording, ...] = ()
    hands_over_to: tuple[str, ...] = ()

    def wording(self, name: str) -> Wording | None:
        """The wording of that name, if it is still tried."""
        return next((each for each in self.wordings if each.name == name), None)


class Declared(NamedTuple):
    """Names that other sections of the manifest declare, which sites and clients may use.

    `beyond_a_click`: notices that no banner can show, each with the purpose that forbids it. `locales`: the languages
    of each notice.
    """

    notices: Collection[str]
    purposes: Collection[str]
    roles: Collection[str]
    beyond_a_click: Mapping[str, str] = MappingProxyType({})
    locales: Mapping[str, Collection[str]] = MappingProxyType({})


def parse_sites(node: Node | None, declared: Declared, problems: list[Problem]) -> dict[str, Site]:
    """The section `sites`. What is wrong is added to `problems`."""
    if node is None:
        return {}
    if not isinstance(node, Map):
        problems.append(problem(node, "The section 'sites' is a mapping of names."))
        return {}
    found: dict[str, Site] = {}
    for name, child in node.items():
        site = _site(name, child, declared, problems)
        if site is not None:
            twin = next((each for each in found.values() if site.portal and each.portal == site.portal), None)
            if twin is not None:
                problems.append(problem(child, f"Sites {twin.name!r} and {name!r} have the same portal."))
            found[name] = site
    for name, site in found.items():
        _check_hand_overs(site, node.get(name), found, problems)
    return found


def _check_hand_overs(site: Site, node: Node | None, sites: Mapping[str, Site], problems: list[Problem]) -> None:
    """A choice goes only to another site that shows the same notice: an answer to one says nothing about another."""
    for name, at in _words(node, "hands_over_to", problems) if isinstance(node, Map) else ():
        if name == site.name:
            problems.append(problem(at, f"Site {name!r} cannot hand over to itself."))
        elif name not in sites:
            hint = nearest(name, [each for each in sites if each != site.name])
            problems.append(problem(at, f"Site {name!r} is not declared.", nearest=hint))
        elif sites[name].notice != site.notice:
            problems.append(problem(at, f"Site {name!r} shows another notice, which these answers say nothing about."))


def _check_cookie_domain(domain: str, origins: Collection[str], node: Node, problems: list[Problem]) -> None:
    """A browser keeps a cookie only for the page's own host or a domain above it (RFC 6265, 5.3)."""
    bare = domain.removeprefix(".").lower()
    for origin in origins:
        host = urlsplit(origin).hostname or ""
        if not bare or (host != bare and not host.endswith("." + bare)):
            problems.append(problem(node, f"'cookie_domain' {domain!r} does not cover {origin}."))


def parse_clients(node: Node | None, declared: Declared, problems: list[Problem]) -> dict[str, Profile]:
    """The section `clients`: what each client is, before and beside its keys."""
    if node is None:
        return {}
    if not isinstance(node, Map):
        problems.append(problem(node, "The section 'clients' is a mapping of names."))
        return {}
    found: dict[str, Profile] = {}
    for name, child in node.items():
        if not CLIENT_NAME.fullmatch(name):
            problems.append(problem(child, f"{name!r} is no client name: lower-case letters, digits, '-' and '_'."))
        elif not isinstance(child, Map):
            problems.append(problem(child, f"Client {name!r} is a mapping."))
        else:
            found[name] = _profile(child, declared, problems)
    return found


def _site(name: str, node: Node, declared: Declared, problems: list[Problem]) -> Site | None:
    if not CLIENT_NAME.fullmatch(name):
        problems.append(problem(node, f"{name!r} is no site name: lower-case letters, digits, '-' and '_'."))
        return None
    if not isinstance(node, Map):
        problems.append(problem(node, f"Site {name!r} is a mapping."))
        return None
    before = len(problems)
    _known_members(node, _SITE_MEMBERS, problems)
    origins = tuple(_origin(origin, child, problems) for origin, child in _words(node, "origins", problems))
    notice = _word(node, "notice", problems)
    if notice is None:
        problems.append(problem(node, f"Site {name!r} names no notice."))
    elif notice not in declared.notices:
        at = node.get("notice") or node
        problems.append(problem(at, f"Notice {notice!r} is not published.", nearest=nearest(notice, declared.notices)))
    elif (purpose := declared.beyond_a_click.get(notice)) is not None:
        why = f"{purpose!r} needs a consent that is explicit or stands alone."
        message = f"A banner cannot show notice {notice!r}: {why}"
        problems.append(problem(node.get("notice") or node, message))
    if not origins:
        problems.append(problem(node, f"Site {name!r} names no origins."))
    days = _number(node, "ask_again_days", 180, problems)
    texts = {member: _word(node, member, problems) for member in ("cookie_domain", "notice_url", "preferences_url")}
    if texts["cookie_domain"] is not None:
        _check_cookie_domain(texts["cookie_domain"], origins, node.get("cookie_domain") or node, problems)
    reopen = node.get("reopen")
    gpc = _word(node, "gpc", problems) or "honoured"
    if gpc not in GPC_POLICIES:
        at = node.get("gpc") or node
        problems.append(problem(at, "'gpc' is honoured or required.", nearest=nearest(gpc, GPC_POLICIES)))
    modes = _consent_modes(node.get("consent_modes"), declared, problems)
    look = parse_look(node.get("look"), problems)
    portal = _portal(node, problems)
    wordings = parse_wordings(node.get("wordings"), declared.locales.get(notice or "", ()), problems)
    if len(problems) > before or notice is None:
        return None
    shown = not (isinstance(reopen, Scalar) and reopen.value is False)
    return Site(
        name=name,
        origins=origins,
        notice=notice,
        ask_again_days=days,
        reopen=shown,
        gpc="required" if gpc == "required" else "honoured",
        consent_modes=modes,
        look=look,
        portal=portal,
        wordings=wordings,
        hands_over_to=tuple(target for target, _ in _words(node, "hands_over_to", [])),
        **texts,
    )


def _consent_modes(node: Node | None, declared: Declared, problems: list[Problem]) -> dict[str, tuple[str, ...]] | None:
    """Purposes by key. A key that the section leaves out rests on what its purposes do, as every key of `{}` does."""
    if node is None:
        return None
    if not isinstance(node, Map):
        problems.append(problem(node, "'consent_modes' is a mapping of keys, each with its purposes."))
        return None
    _known_members(node, CONSENT_MODE_KEYS, problems)
    found: dict[str, tuple[str, ...]] = {}
    for key in node:
        named = _words(node, key, problems)
        for purpose, at in named:
            if purpose not in declared.purposes:
                hint = nearest(purpose, declared.purposes)
                problems.append(problem(at, f"Purpose {purpose!r} is not declared.", nearest=hint))
        found[key] = tuple(purpose for purpose, _ in named)
    return found


def _profile(node: Map, declared: Declared, problems: list[Problem]) -> Profile:
    _known_members(node, _CLIENT_MEMBERS, problems)
    roles = []
    for role, child in _words(node, "roles", problems):
        if role in UNGIVEN or (role not in BUILT_IN and role not in declared.roles):
            names = [*BUILT_IN, *declared.roles]
            problems.append(problem(child, f"Role {role!r} is not declared.", nearest=nearest(role, names)))
        roles.append(role)
    if not roles:
        problems.append(problem(node, "A client has at least one role."))
    purpose = _word(node, "default_purpose", problems)
    if purpose is not None and purpose not in declared.purposes:
        at = node.get("default_purpose") or node
        problems.append(
            problem(at, f"Purpose {purpose!r} is not declared.", nearest=nearest(purpose, declared.purposes))
        )
    scopes = tuple(scope for scope, _ in _words(node, "scopes", problems))
    link_key = _word(node, "link_key", problems) or ""
    if link_key and not is_link_key(link_key):
        problems.append(problem(node.get("link_key") or node, "A link key is an Ed25519 public key in base64url."))
    sign_in = parse_jwks(node.get("sign_in"), problems)
    return Profile(tuple(roles), scopes, purpose, _word(node, "issuer", problems), link_key, sign_in)


def _origin(text: str, node: Node, problems: list[Problem]) -> str:
    """An origin as browsers send it (RFC 6454): scheme, host and perhaps a port, nothing behind."""
    parts = urlsplit(text)
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or text != f"{parts.scheme}://{parts.netloc}"
        or "@" in text
    ):
        problems.append(problem(node, f"{text!r} is no origin: write it as in https://shop.example."))
    return text.lower()


def _portal(node: Map, problems: list[Problem]) -> str:
    """The origin of the preference centre: TLS, since its cookie opens a person's page; without it on this machine."""
    named = _word(node, "portal", problems)
    if named is None:
        return ""
    at = node.get("portal") or node
    origin = _origin(named, at, problems)
    parts = urlsplit(origin)
    host = parts.hostname or ""
    if parts.scheme == "http" and not (host in ("localhost", "127.0.0.1", "::1") or host.endswith(".localhost")):
        problems.append(problem(at, "A portal is reached by https."))
    return origin


def _words(node: Map, member: str, problems: list[Problem]) -> list[tuple[str, Node]]:
    child = node.get(member)
    if child is None:
        return []
    if not isinstance(child, Seq):
        problems.append(problem(child, f"{member!r} is a list."))
        return []
    words: list[tuple[str, Node]] = []
    for item in child:
        if isinstance(item, Scalar) and isinstance(item.value, str):
            words.append((item.value, item))
        else:
            problems.append(problem(item, f"A member of {member!r} is text."))
    return words


def _word(node: Map, member: str, problems: list[Problem]) -> str | None:
    child = node.get(member)
    if child is None:
        return None
    if isinstance(child, Scalar) and isinstance(child.value, str):
        return child.value
    problems.append(problem(child, f"{member!r} is text."))
    return None


def _number(node: Map, member: str, default: int, problems: list[Problem]) -> int:
    child = node.get(member)
    if child is None:
        return default
    if (
        isinstance(child, Scalar)
        and isinstance(child.value, int)
        and not isinstance(child.value, bool)
        and child.value > 0
    ):
        return child.value
    problems.append(problem(child, f"{member!r} is a number above zero."))
    return default


def _known_members(node: Map, known: Collection[str], problems: list[Problem]) -> None:
    for name in node:
        if name not in known:
            where = Problem(node.file, node.lines[name], f"{name!r} is not known here.", nearest(name, known))
            problems.append(where)
