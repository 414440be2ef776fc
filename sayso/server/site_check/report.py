"""What was seen of a site, and what is wrong with it. Pure; no value of a cookie or of a storage ever comes here."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Literal
from urllib.parse import urlsplit

from msgspec import Struct

Kind = Literal[
    "script", "style", "image", "pixel", "beacon", "font", "frame", "data", "socket", "media", "page", "other"
]
Step = Literal["before", "refused", "accepted"]


class Asked(Struct, frozen=True):
    """One address that the page asked for: host and path, never the query, which may name the visitor."""

    host: str
    address: str
    kind: Kind
    foreign: bool
    times: int = 1


class Cookie(Struct, frozen=True):
    """One cookie without its value. `lasts_s` is None for the browser's session; `kept` false if it was refused."""

    name: str
    domain: str
    party: Literal["first", "third"]
    lasts_s: int | None
    kept: bool = True


class Stored(Struct, frozen=True):
    """The name of one entry of localStorage or sessionStorage, or of one database."""

    place: Literal["localStorage", "sessionStorage", "indexedDB"]
    host: str
    name: str


class Seen(Struct, frozen=True):
    """What came in one step. Requests of the page's own host are left out, unless they are beacons or pixels."""

    requests: tuple[Asked, ...] = ()
    cookies: tuple[Cookie, ...] = ()
    storage: tuple[Stored, ...] = ()


class Tag(Struct, frozen=True):
    """A script, frame or template of the page.

    `state`: it `runs` before any choice, `waits` for its purpose, waits for a purpose that the notice has not
    (`never`), or names a purpose and runs all the same (`leaks`).
    """

    what: Literal["script", "frame", "template"]
    address: str
    state: Literal["runs", "waits", "never", "leaks"]
    purpose: str = ""


class Banner(Struct, frozen=True):
    """The site's Sayso banner. `current` and `current_notice` are None where that could not be told."""

    present: bool
    site: str = ""
    address: str = ""
    notice: str = ""
    notice_version: int = 0
    current: bool | None = None
    current_notice: bool | None = None
    covered: bool = False
    kept: bool | None = None


class Signal(Struct, frozen=True):
    """A visit under Global Privacy Control. `purposes` are those it reaches, `granted` those granted in spite of it."""

    respected: bool
    purposes: tuple[str, ...] = ()
    granted: tuple[str, ...] = ()
    seen: Seen = Seen()


class Finding(Struct, frozen=True):
    """One thing that is wrong, in a word for programs and in a sentence for people."""

    rule: str
    text: str


class SiteReport(Struct, frozen=True, kw_only=True):
    """The whole check. `after_refusing` is all that came then, `only_after_accepting` what had not come before."""

    url: str
    final_url: str
    redirects: tuple[str, ...]
    mobile: bool
    banner: Banner
    tags: tuple[Tag, ...]
    before: Seen
    after_refusing: Seen | None
    only_after_accepting: Seen | None
    signal: Signal
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()


def judged(report: SiteReport, allowed: Sequence[str] = ()) -> SiteReport:
    """The report with its findings. `allowed`: hosts, cookies and storage keys the site needs; `*` stands for any."""
    found = [*_of_banner(report.banner), *_of_tags(report.tags), *_of_seen(report.before, "before", allowed)]
    if report.after_refusing is not None:
        found += _of_seen(report.after_refusing, "refused", allowed)
    if not report.signal.respected:
        granted = ", ".join(report.signal.granted)
        why = f"granted against it: {granted}" if granted else "what comes before a choice comes under it too"
        found.append(Finding("signal-ignored", f"Global Privacy Control is not respected: {why}."))
    return _with(report, tuple(found))


def wrong(seen: Seen, allowed: Sequence[str] = ()) -> bool:
    """Whether something came that needs a yes."""
    return bool(_of_seen(seen, "before", allowed))


def only_in(later: Seen, earlier: Seen) -> Seen:
    """What came in one step and in none before it."""
    asked = {(each.address, each.kind) for each in earlier.requests}
    cookies = {(each.name, each.domain) for each in earlier.cookies}
    return Seen(
        tuple(each for each in later.requests if (each.address, each.kind) not in asked),
        tuple(each for each in later.cookies if (each.name, each.domain) not in cookies),
        tuple(each for each in later.storage if each not in earlier.storage),
    )


def counted(asked: Iterable[Asked]) -> tuple[Asked, ...]:
    """Each address once, with how often it was asked for, in the order of the first time."""
    found: dict[tuple[str, str], Asked] = {}
    for each in asked:
        before = found.get((each.address, each.kind))
        times = (before.times if before else 0) + each.times
        found[each.address, each.kind] = Asked(each.host, each.address, each.kind, each.foreign, times)
    return tuple(found.values())


def host_of(url: str) -> str:
    """The host of an address, in lower case, without its port."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def address_of(url: str) -> str:
    """Host, port and path: enough to find a tag, too little to name a visitor."""
    try:
        parts = urlsplit(url)
        where = f"{host_of(url)}:{parts.port}" if parts.port else host_of(url)
    except ValueError:
        return "?"
    path = parts.path if len(parts.path) <= 100 else parts.path[:99] + "…"
    return f"{where}{path}" if where else f"{parts.scheme}:"


def is_own(host: str, page: str) -> bool:
    """Whether a host is the page's own: the same, or below it. `www.` counts as nothing."""
    base = page.removeprefix("www.")
    return not host or host.removeprefix("www.") == base or host.endswith("." + base)


def party_of(domain: str, page: str) -> Literal["first", "third"]:
    """Whose a cookie is, seen from the page."""
    bare = domain.lstrip(".").lower()
    return "first" if page == bare or page.endswith("." + bare) or is_own(bare, page) else "third"


def is_pixel(status: int, length: int | None, body: bytes) -> bool:
    """Whether an image is there to be asked for, not to be seen: nothing, or at most two by two points."""
    if status == 204 or length == 0:
        return True
    if body[:4] == b"GIF8" and len(body) >= 10:
        return max(int.from_bytes(body[6:8], "little"), int.from_bytes(body[8:10], "little")) <= 2
    if body[:8] == b"\x89PNG\r\n\x1a\n" and len(body) >= 24:
        return max(int.from_bytes(body[16:20], "big"), int.from_bytes(body[20:24], "big")) <= 2
    return False


def _with(report: SiteReport, findings: tuple[Finding, ...]) -> SiteReport:
    values = {name: getattr(report, name) for name in report.__struct_fields__}
    return SiteReport(**{**values, "findings": findings})


def _of_banner(banner: Banner) -> Iterable[Finding]:
    if not banner.present:
        yield Finding("no-banner", "The page has no Sayso banner.")
    if banner.current is False:
        yield Finding("old-banner", "The banner's file is not the one of this version of Sayso.")
    if banner.current_notice is False:
        yield Finding("old-notice", "The banner shows a notice that has been replaced.")
    if banner.covered:
        yield Finding("banner-covered", "A pointer does not reach the banner's buttons: something lies over them.")
    if banner.kept is False:
        yield Finding("refusal-lost", "A refusal was not kept: on the next page the visitor is asked again.")


def _of_tags(tags: Iterable[Tag]) -> Iterable[Finding]:
    for tag in tags:
        if tag.state == "leaks":
            text = f'names purpose {tag.purpose!r} and runs all the same: write it with type="text/plain".'
            yield Finding("blocks-nothing", f"{tag.what} {tag.address} {text}")
        elif tag.state == "never":
            text = f"waits for purpose {tag.purpose!r}, which the notice does not ask about."
            yield Finding("waits-for-ever", f"{tag.what} {tag.address} {text}")


def _of_seen(seen: Seen, step: Step, allowed: Sequence[str]) -> list[Finding]:
    when = "before any choice" if step == "before" else "after a refusal"
    end = "before-choice" if step == "before" else "after-refusal"
    found = [
        Finding(
            f"{each.kind if each.kind in ('beacon', 'pixel') else 'request'}-{end}",
            f"{each.kind} from {each.address} {when}.",
        )
        for each in seen.requests
        if not _fits(each.host, allowed)
    ]
    for cookie in seen.cookies:
        if not (_fits(cookie.name, allowed) or _fits(cookie.domain.lstrip("."), allowed)):
            text = f"{cookie.party}-party cookie {cookie.name} of {cookie.domain} {when}."
            found.append(Finding(f"cookie-{end}", text))
    for stored in seen.storage:
        if not (_fits(stored.name, allowed) or _fits(stored.host, allowed)):
            found.append(Finding(f"storage-{end}", f"{stored.place} {stored.name} of {stored.host} {when}."))
    return found


def _fits(name: str, allowed: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in allowed)
