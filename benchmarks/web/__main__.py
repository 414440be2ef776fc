"""`python -m benchmarks.web [sizes|browser|server] [sqlite|postgres] [rounds]`: issue 4, "Speed".

In one run, one after the other in turn: the same page without a banner, with ours, and with both rivals; medians of
the rounds. Absolute times move with the machine, so the rivals' figures stand beside ours.
"""

import gzip
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from statistics import median
from typing import NamedTuple

from playwright._impl._driver import compute_driver_executable
from playwright.sync_api import Browser, sync_playwright

from benchmarks.databases import chosen
from benchmarks.web import answers, visits
from benchmarks.web.host import Answer, hosting, media_type, page
from benchmarks.web.rivals import Contender, empty, nobody, ours, rivals
from sayso.server.packing import gapped
from sayso.server.pages import MEDIA_TYPES, STATIC, assets, banner_parts, banner_script
from sayso.server.pages.locales import LOCALES
from tests.conftest import chromium_path
from tests.faces.conftest import FLAGS
from tests.faces.sample_pages import all_pages
from tests.faces.samples import a_banner

ROUNDS = 7
TAGS = 3
LEAD_MS = 5
"""So much sooner than each rival the banner must be seen."""


class Figure(NamedTuple):
    """One line of the table: how it is taken from the rounds, and the most it may be (None: no budget of its own)."""

    name: str
    unit: str
    budget: float | None
    of: Callable[[str], float]


def main() -> None:
    words = sys.argv[1:]
    parts = [word for word in words if word in ("sizes", "browser", "server")] or ["sizes", "browser", "server"]
    engines, rounds = chosen(words, ROUNDS)
    with rivals() as others:
        contenders = [ours(), *others]
        if "sizes" in parts:
            sizes(contenders)
        if "browser" in parts:
            browser(contenders, rounds)
    if "server" in parts:
        answers.figures(engines)


def sizes(contenders: list[Contender]) -> None:
    """What travels: script, style and text, and how many requests that is."""
    print("\nSizes, kB (minified / gzip -9 / brotli 11)")
    for each in contenders:
        raw = sum(map(len, each.files.values()))
        packed = sum(len(gzip.compress(body, 9)) for body in each.files.values())
        least = sum(map(_brotli, each.files.values()))
        line = f"{raw / 1000:7.1f} / {packed / 1000:.1f} / {least / 1000:.1f}"
        note = f"budget 8.0 gzip: {_mark(packed, 8_000)}" if each.name == "Sayso" else ""
        print(f"  {each.name:12} {line:24} {len(each.files)} requests   {note}")
    for locale in LOCALES:
        *parts, tail = banner_parts(banner_script(a_banner(locale, token="")))
        packed = len(gapped(tuple(parts), tail, 0).filled(b""))
        print(f"  Sayso {locale:6} {packed / 1000:19.2f} gzip as sent   budget 8.0: {_mark(packed, 8_000)}")
    heaviest = max(_centre().items(), key=lambda item: item[1])
    what = f"preference centre, heaviest page with all it loads ({heaviest[0]})"
    print(f"  {what}: {heaviest[1] / 1000:.1f} gzip   budget 60: {_mark(heaviest[1], 60_000)}")


def browser(contenders: list[Contender], rounds: int) -> None:
    """Everything that a browser can tell."""
    everyone = [nobody(), empty(), *contenders]
    pages: dict[str, Answer] = {
        path: (media_type(path), body) for each in everyone for path, body in each.files.items()
    }
    for each in everyone:
        pages[f"/{each.name}"] = (media_type("/"), page(each).encode())
        pages[f"/{each.name}-tags"] = (media_type("/"), page(each, TAGS).encode())
    centre = {sample.path: sample for sample in all_pages() if sample.path in ("/p/", "/p/you", "/p/you/history")}
    pages |= {path: (media_type("/"), sample.html.encode()) for path, sample in centre.items()}
    for name in assets().values():
        pages[f"/static/{name}"] = (MEDIA_TYPES[name[name.rindex(".") :]], (STATIC / name).read_bytes())
    seen: dict[tuple[str, str], list[float]] = defaultdict(list)
    with hosting(pages) as address, sync_playwright() as playwright:
        chrome = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        print(f"\nChromium {chrome.version}, {rounds} rounds, medians; mobile: processor 4x slower, 150 ms, 1.6 Mbit/s")
        for number in range(rounds):
            # Each begins once in a while: the first after a pause is the slowest.
            turn = number % len(everyone)
            for each in everyone[turn:] + everyone[:turn]:
                _visit(chrome, address, each, seen)
            for path in centre:
                seen[path, "paint"].append(visits.first_paint(chrome, address + path))
        chrome.close()
    _table(contenders, seen)
    floor = [median(seen["empty", what]) - median(seen["none", what]) for what in ("first", "again")]
    print("  of which an empty script takes {:.1f} ms at the first visit and {:.1f} at the next".format(*floor))
    for path in centre:
        figure = median(seen[path, "paint"])
        print(
            f"  first content of {path} on the mobile profile: {figure:,.0f} ms   budget 1,000: {_mark(figure, 1_000)}"
        )


def _visit(chrome: Browser, address: str, each: Contender, seen: dict[tuple[str, str], list[float]]) -> None:
    url = f"{address}/{each.name}"
    for mobile in (True, False):
        loaded = visits.load(chrome, url, each, mobile=mobile)
        for name in ("visible", "paint", "shift", "nodes", "requests"):
            seen[each.name, f"{name} {'mobile' if mobile else 'local'}"].append(getattr(loaded, name))
    worked = visits.work(chrome, url, each)
    seen[each.name, "first"].append(worked.first)
    seen[each.name, "again"].append(worked.again)
    seen[each.name, "unslowed"].append(worked.unslowed)
    if each.accept:
        seen[each.name, "accept"].append(visits.accept(chrome, url, each))
        seen[each.name, "accept tags"].append(visits.accept(chrome, f"{url}-tags", each))


def _table(contenders: list[Contender], seen: dict[tuple[str, str], list[float]]) -> None:
    def taken(what: str) -> Callable[[str], float]:
        return lambda name: median(seen[name, what])

    def above(what: str) -> Callable[[str], float]:
        return lambda name: median(seen[name, what]) - median(seen["none", what])

    def after_paint(name: str) -> float:
        pairs = zip(seen[name, "visible mobile"], seen[name, "paint mobile"], strict=True)
        return median(visible - paint for visible, paint in pairs)

    lines = [
        Figure("requests", "", 1, above("requests mobile")),
        Figure("nodes in the page's own tree", "", 2, above("nodes mobile")),
        Figure("seen, mobile", "ms", None, taken("visible mobile")),
        Figure("  after the first paint", "ms", None, after_paint),
        Figure("seen, local", "ms", None, taken("visible local")),
        Figure("script, processor 4x slower", "ms", 20, above("first")),
        Figure("  next visit, after a yes to all", "ms", 4, above("again")),
        Figure("  one more, full speed, processor", "ms", None, above("unslowed")),
        Figure("accept", "ms", 24, taken("accept")),
        Figure(f"accept, releasing {TAGS} tags of 60 ms", "ms", 50, taken("accept tags")),
        Figure("layout shift", "", 0, taken("shift mobile")),
    ]
    print(f"  {'':36}" + "".join(f"{each.name:>12}" for each in contenders) + "   budget")
    for line in lines:
        own, *others = (line.of(each.name) for each in contenders)
        told = _budget(line, own, others)
        figures = "".join(f"{value:12,.1f}" for value in (own, *others))
        print(f"  {line.name + (f', {line.unit}' if line.unit else ''):36}{figures}   {told}")


def _budget(line: Figure, own: float, others: list[float]) -> str:
    if line.budget is not None:
        return f"{line.budget:g}: {_mark(own, line.budget)}"
    if line.name.startswith("seen") and others:
        return f"{LEAD_MS} ms before both: {_mark(own, min(others) - LEAD_MS)}"
    return ""


def _centre() -> dict[str, int]:
    """Every page of the preference centre with all that it loads, gzipped."""
    loads = ("site.css", "site.js", "inter.woff2", "source-serif-4.woff2", "mark.svg")
    shared = sum(_gzipped([(STATIC / assets()[name]).read_bytes()]) for name in loads)
    samples = [sample for sample in all_pages() if sample.path.startswith("/p/")]
    return {sample.name: shared + _gzipped([sample.html.encode()]) for sample in samples}


def _gzipped(parts: Iterable[bytes]) -> int:
    return sum(len(gzip.compress(part, 9)) for part in parts)


def _brotli(body: bytes) -> int:
    """By Node, which comes with Playwright: the standard library of Python has no brotli."""
    node, _ = compute_driver_executable()
    script = "process.stdout.write(String(require('zlib').brotliCompressSync(require('fs').readFileSync(0)).length))"
    return int(subprocess.run([node, "-e", script], input=body, capture_output=True, check=True).stdout)


def _mark(figure: float, budget: float) -> str:
    return "holds" if figure <= budget else "MISSED"


if __name__ == "__main__":
    main()
