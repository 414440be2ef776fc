"""Two visits of one page, each as a stranger: one that refuses and then accepts, one under Global Privacy Control."""

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from msgspec import Struct

from sayso.server.pages import read_banner_script
from sayso.server.site_check.chromium import CannotCheck, chromium, within
from sayso.server.site_check.report import (
    Banner,
    Seen,
    Signal,
    SiteReport,
    Tag,
    address_of,
    host_of,
    judged,
    only_in,
    wrong,
)
from sayso.server.site_check.window import Window

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

ANSWER_S = 15
"""How long a page may take to answer at all, and to load what it shows."""
_WORD_S = 5
_CLICK_MS = 3_000

_SIGNAL = "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true, configurable: true })"
_API = "() => ['get', 'has', 'open', 'on'].every((name) => typeof window.sayso?.[name] === 'function')"
_TAGS = """() => {
  const found = [];
  const runs = /^$|^module$|(java|ecma)script/i;
  const walk = (root, held) => {
    for (const one of root.querySelectorAll("script, iframe, template[data-purpose]")) {
      const purpose = one.dataset.purpose ?? held ?? "", what = one.localName === "iframe" ? "frame" : one.localName;
      const type = one.getAttribute("type") ?? "", src = one.getAttribute(what === "script" ? "src" : "data-src") ?? "";
      const frame = src || one.src;
      if (what === "template") {
        walk(one.content, purpose);
        if (!one.content.querySelector("script, iframe")) found.push({ what, src, purpose, runs: false });
      } else if (what === "frame") {
        if (frame) found.push({ what, src: frame, purpose, runs: !src });
      } else if ( runs.test(type) || (type === "text/plain" && purpose))
        found.push({ what, src, purpose, runs: runs.test(type) && held === undefined });
    }
  };
  walk(document);
  return found;
}"""


class Wish(Struct, frozen=True):
    """How to look: seconds of waiting after each step, as which device, and what the site says it needs."""

    wait: float = 5
    mobile: bool = False
    allowed: tuple[str, ...] = ()
    sandbox: bool = True


async def check_site(url: str, wish: Wish) -> SiteReport:
    """Open a page as a stranger and report. Raises `CannotCheck`; ends in bounded time whatever the page does."""
    if urlsplit(url).scheme not in ("http", "https") or not host_of(url):
        raise CannotCheck("site-not-checked", "Only a page of http or https can be checked.")
    try:
        async with asyncio.timeout(6 * ANSWER_S + 6 * wish.wait), chromium(sandbox=wish.sandbox) as browser:
            report, signal = await _both(_choosing(browser, url, wish), _signalling(browser, url, wish))
    except TimeoutError:
        raise CannotCheck("site-not-checked", "The page hangs.") from None
    return judged(_told(report, signal), wish.allowed)


async def _both(one: Any, other: Any) -> tuple[SiteReport, Signal]:
    """Both at once; the first that fails ends the other."""
    try:
        async with asyncio.TaskGroup() as group:
            first, second = group.create_task(one), group.create_task(other)
    except* CannotCheck as failed:
        raise failed.exceptions[0] from None
    return first.result(), second.result()


def _told(report: SiteReport, signal: Signal) -> SiteReport:
    values = {name: getattr(report, name) for name in report.__struct_fields__}
    return SiteReport(**{**values, "signal": signal})


async def _choosing(browser: "Browser", url: str, wish: Wish) -> SiteReport:
    """The visit that refuses, comes back, and accepts."""
    window = await _open(browser, wish)
    await window.visit(url, ANSWER_S)
    page = window.page
    await asyncio.sleep(wish.wait)
    window.settled()
    found = await _Found.of(window)
    final_url, before = window.final_url, await window.seen(found.base)
    tags = _tags(await _demand(page.evaluate(_TAGS)), found)
    refused: Seen | None = None
    accepted: Seen | None = None
    covered = False
    kept: bool | None = None
    if found.strings:
        window.next_step()
        covered = await _press(page, found.strings["refuse"])
        await asyncio.sleep(wish.wait)
        await within(ANSWER_S, page.reload(wait_until="load", timeout=ANSWER_S * 1000))
        await asyncio.sleep(wish.wait)
        refused = await window.seen(found.base)
        answers = await within(_WORD_S, page.evaluate("sayso.get()"))
        kept = None if answers is None else "unasked" not in answers.values() and "granted" not in answers.values()
        window.next_step()
        await _press(page, found.strings["accept"])
        await asyncio.sleep(wish.wait)
        accepted = only_in(only_in(await window.seen(found.base), before), refused)
    notes = tuple(window.notes)
    await window.close()
    banner = Banner(
        present=found.present,
        site=found.site,
        address=address_of(found.address) if found.address else "",
        notice=found.notice,
        notice_version=found.version,
        current=found.current,
        current_notice=found.current_notice,
        covered=covered,
        kept=kept,
    )
    return SiteReport(
        url=url,
        final_url=final_url,
        redirects=tuple(window.redirects),
        mobile=wish.mobile,
        banner=banner,
        tags=tags,
        before=before,
        after_refusing=refused,
        only_after_accepting=accepted,
        signal=Signal(respected=True),
        notes=notes,
    )


async def _signalling(browser: "Browser", url: str, wish: Wish) -> Signal:
    """The visit under Global Privacy Control, which accepts all: what the signal reaches must stay refused."""
    window = await _open(browser, wish, signal=True)
    await window.visit(url, ANSWER_S)
    await asyncio.sleep(wish.wait)
    window.settled()
    found = await _Found.of(window)
    seen = await window.seen(found.base)
    granted: tuple[str, ...] = ()
    if found.strings and found.signalled:
        await _press(window.page, found.strings["accept"])
        await asyncio.sleep(1)
        answers = await within(_WORD_S, window.page.evaluate("sayso.get()")) or {}
        granted = tuple(name for name in found.signalled if answers.get(name) == "granted")
    await window.close()
    return Signal(not granted and not wrong(seen, wish.allowed), found.signalled, granted, seen)


class _Found(Struct, frozen=True, kw_only=True):
    """The banner, as the page loaded it. `base` is where its site's calls go, `strings` the names of its buttons."""

    present: bool
    address: str = ""
    base: str = ""
    site: str = ""
    notice: str = ""
    version: int = 0
    purposes: tuple[str, ...] = ()
    signalled: tuple[str, ...] = ()
    strings: dict[str, str] = {}
    current: bool | None = None
    current_notice: bool | None = None

    @classmethod
    async def of(cls, window: Window) -> "_Found":
        present = bool(await _demand(window.page.evaluate(_API)))
        loaded = await window.script_with(b"sayso-say")
        if loaded is None:
            return cls(present=present)
        address, body = loaded
        told, current = read_banner_script(body)
        base = urljoin(address, ".")
        fresh = await window.ask(urljoin(base, f"banner.json?locale={told.get('locale', '')}"), _WORD_S)
        shown = (told.get("notice"), told.get("version"))
        purposes = [each for each in told.get("purposes", ()) if isinstance(each, dict)]
        return cls(
            present=present,
            address=address,
            base=base,
            site=str(told.get("site", "")),
            notice=str(told.get("notice", "")),
            version=int(told.get("version", 0)),
            purposes=tuple(str(each.get("name")) for each in purposes),
            signalled=tuple(str(each.get("name")) for each in purposes if each.get("gpc")),
            strings=told.get("strings", {}) if present else {},
            current=current,
            current_notice=None if fresh is None else (fresh.get("notice"), fresh.get("version")) == shown,
        )


def _tags(raw: list[dict[str, Any]], found: _Found) -> tuple[Tag, ...]:
    """The page's tags, each once; the banner's own is none."""
    made: dict[Tag, None] = {}
    for each in raw:
        purpose, runs = each["purpose"], each["runs"]
        if found.address and each["src"] and found.address.endswith(each["src"]):
            continue
        state = "runs" if runs else "waits"
        if purpose and runs:
            state = "leaks"
        elif purpose and found.present and purpose not in found.purposes:
            state = "never"
        address = (address_of(each["src"]) if "//" in each["src"] else each["src"]) or "inline"
        made[Tag(each["what"], address.partition("?")[0], state, purpose)] = None  # type: ignore[arg-type]
    return tuple(made)


async def _press(page: "Page", name: str) -> bool:
    """Press an answer, in the question or, where none stands, in the choices. Whether something lies over it."""
    from playwright.async_api import TimeoutError as Late

    card = page.locator("sayso-say .card").get_by_role("button", name=name, exact=True)
    if not await within(_WORD_S, card.count()):
        await within(_WORD_S, page.evaluate("sayso.open()"))
        card = page.locator("sayso-say dialog").get_by_role("button", name=name, exact=True)
    try:
        await card.first.click(timeout=_CLICK_MS)
    except Late:
        await within(_WORD_S, card.first.evaluate("(button) => button.click()"))
        return True
    return False


async def _demand(work: Any) -> Any:
    """What the page answers. Raises `CannotCheck` when it does not."""
    answer = await within(_WORD_S, work)
    if answer is None:
        raise CannotCheck("site-not-checked", "The page hangs.")
    return answer


async def _open(browser: "Browser", wish: Wish, *, signal: bool = False) -> Window:
    context = await browser.new_context(
        viewport={"width": 412, "height": 915} if wish.mobile else {"width": 1280, "height": 800},
        is_mobile=wish.mobile,
        has_touch=wish.mobile,
        accept_downloads=False,
        extra_http_headers={"sec-gpc": "1"} if signal else None,
    )
    if signal:
        await context.add_init_script(_SIGNAL)
    return await Window.of(context)
