"""One visit with a fresh browser profile, and what it cost.

Mobile: the processor four times slower, 150 ms to the server and back, 1.6 Mbit/s down (Lighthouse's slow 4G).
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page

from benchmarks.web.rivals import Contender

MOBILE: Final = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1_600_000 / 8,
    "uploadThroughput": 750_000 / 8,
}
SLOWER: Final = 4
SETTLED_MS: Final = 700
"""Until after the fade-ins that rivals bring."""

# The first frame in which the banner is on the screen at over half opacity: when that frame is painted. Its own clock
# would not do: behind a long task a frame that shows what the task did is dated before it.
_WATCH = """
(() => {
  const banner = () => BANNER;
  const seen = (element) => {
    const box = element.getBoundingClientRect();
    if (!box.width || !box.height || box.bottom <= 0 || box.top >= innerHeight) return false;
    let opacity = 1;
    for (let at = element; at; at = at.parentElement ?? at.getRootNode().host) {
      const style = getComputedStyle(at);
      if (style.visibility === "hidden" || style.display === "none") return false;
      opacity *= style.opacity;
    }
    return opacity > 0.5;
  };
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => (window.__visible = performance.now());
  const look = () => {
    const element = banner();
    if (element && seen(element)) port2.postMessage(0);
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
  window.__shift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.__shift += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
})();
"""
_SCRIPT: Final = frozenset(
    "EvaluateScript FunctionCall RunMicrotasks FireIdleCallback TimerFire FireAnimationFrame v8.compile v8.compileModule "
    "v8.evaluateModule v8.produceCache v8.produceModuleCache v8.callFunction v8.run".split()
)
"""What Chromium's tracing calls running, compiling and keeping script."""

_LISTEN = """
window.__slowest = 0;
new PerformanceObserver((list) => {
  for (const { interactionId, duration } of list.getEntries())
    if (interactionId) window.__slowest = Math.max(window.__slowest, duration);
}).observe({ type: "event", durationThreshold: 16, buffered: true });
"""
_TAKEN = """() => ({visible: window.__visible ?? null, shift: window.__shift,
  paint: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? null,
  nodes: document.querySelectorAll("*").length,
  requests: performance.getEntriesByType("resource").length})"""


@dataclass(frozen=True)
class Load:
    """A first visit. Times in milliseconds since its start; `shift` is the layout shift, without a unit."""

    visible: float
    paint: float
    shift: float
    nodes: int
    requests: int


def load(browser: Browser, address: str, contender: Contender, *, mobile: bool) -> Load:
    """A first visit: when the banner was seen, and what it added."""
    with visiting(browser) as context:
        context.add_init_script(_WATCH.replace("BANNER", contender.banner))
        page = context.new_page()
        if mobile:
            slowed(page, network=True)
        page.goto(address, wait_until="load")
        if contender.accept:
            page.wait_for_function("window.__visible", timeout=30_000)
        page.wait_for_timeout(200)
        found = page.evaluate(_TAKEN)
    return Load(found["visible"] or 0, found["paint"] or 0, found["shift"], found["nodes"], found["requests"])


@dataclass(frozen=True)
class Work:
    """Milliseconds of script: on a slowed processor at the first visit and at the next one after a yes to all, and at
    one more at full speed, of the processor's time, which neither waiting nor a busy machine adds to.
    """

    first: float
    again: float
    unslowed: float


def work(browser: Browser, address: str, contender: Contender) -> Work:
    """What the main thread spends on script, with nobody watching but the browser's own tracing."""
    with visiting(browser) as context:
        page = context.new_page()
        session = slowed(page)
        first = _script(browser, page, address, "dur")
        if contender.accept:
            page.locator(contender.accept).first.click()
            page.wait_for_timeout(SETTLED_MS)
        again = _script(browser, page, address, "dur")
        session.send("Emulation.setCPUThrottlingRate", {"rate": 1})
        unslowed = _script(browser, page, address, "tdur")
    return Work(first, again, unslowed)


def accept(browser: Browser, address: str, contender: Contender) -> float:
    """Milliseconds from the press on "accept" to the next frame, on a slowed processor (Event Timing, as INP counts).

    The interface reports in steps of 8 and nothing under 16: such a press counts as 8.
    """
    with visiting(browser) as context:
        context.add_init_script(_LISTEN)
        page = context.new_page()
        slowed(page)
        page.goto(address, wait_until="load")
        button = page.locator(contender.accept).first
        button.wait_for(state="visible")
        page.wait_for_timeout(SETTLED_MS)
        button.click()
        page.wait_for_timeout(2 * SETTLED_MS)
        slowest = float(page.evaluate("window.__slowest"))
    return slowest or 8.0


def first_paint(browser: Browser, address: str) -> float:
    """Milliseconds until the first content of a page on the mobile profile."""
    with visiting(browser) as context:
        page = context.new_page()
        slowed(page, network=True)
        page.goto(address, wait_until="load")
        page.wait_for_function('performance.getEntriesByName("first-contentful-paint").length')
        return float(page.evaluate('performance.getEntriesByName("first-contentful-paint")[0].startTime'))


@contextmanager
def visiting(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 412, "height": 823}, locale="en", has_touch=False)
    try:
        yield context
    finally:
        context.close()


def slowed(page: Page, *, network: bool = False) -> CDPSession:
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    if network:
        session.send("Network.enable")
        session.send("Network.emulateNetworkConditions", MOBILE)
    return session


def _script(browser: Browser, page: Page, address: str, measure: str) -> float:
    """Whatever runs script on the main thread, compiling and keeping it included, and what promises run by themselves:
    the browser's counter (`ScriptDuration`) leaves those out, which are most of a script that waits for an answer.
    """
    browser.start_tracing(page=page, categories=["-*", "devtools.timeline", "v8"])
    page.goto(address, wait_until="load")
    page.wait_for_timeout(2 * SETTLED_MS)
    events = json.loads(browser.stop_tracing())["traceEvents"]
    mains = {
        (each["pid"], each["tid"])
        for each in events
        if each["name"] == "thread_name" and each["args"]["name"] == "CrRendererMain"
    }
    spans = [
        each for each in events if each["name"] in _SCRIPT and each["ph"] == "X" and (each["pid"], each["tid"]) in mains
    ]
    spent, end = 0.0, dict.fromkeys(mains, 0)
    for each in sorted(spans, key=lambda span: (span["ts"], -span["dur"])):
        thread = each["pid"], each["tid"]
        # One within another is counted with it.
        if each["ts"] >= end[thread]:
            spent += each.get(measure, 0)
            end[thread] = each["ts"] + each["dur"]
    return spent / 1000
