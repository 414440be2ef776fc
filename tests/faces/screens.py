"""Thirteen screens as pictures and the banner as a screen reader meets it, kept in `screens/` to be compared with.

`make screens` (`python -m tests.faces.screens`) takes all of them anew; look at what changed before you commit it.
Motion is off, the clock stands, and every letter comes from the fonts that we ship, so a picture depends on the
browser alone. Its major version is written beside them: `test_screens.py` allows more where another one runs.
"""

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import chromium_path

from .samples import AT
from .site import serving

FOLDER: Final = Path(__file__).parent / "screens"
BROWSER: Final = FOLDER / "chromium.txt"
TREE: Final = FOLDER / "banner.tree.txt"

Act = Callable[[Page], object]

_STYLE = ":root { --mono: Inter, sans-serif }"
_PREPARE = """async (style) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  await document.fonts.ready;
}"""

# After pixelmatch: the squared distance of two colours as the eye weighs them (YIQ), over white where they let through.
_COMPARE = """async ([before, after]) => {
  const load = async (encoded) => {
    const bitmap = await createImageBitmap(await (await fetch("data:image/png;base64," + encoded)).blob());
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext("2d", {willReadFrequently: true});
    context.drawImage(bitmap, 0, 0);
    return [canvas, context, context.getImageData(0, 0, bitmap.width, bitmap.height)];
  };
  const [, , was] = await load(before);
  const [canvas, context, is] = await load(after);
  if (was.width !== is.width || was.height !== is.height) return {share: 1, picture: ""};
  let different = 0;
  for (let at = 0; at < is.data.length; at += 4) {
    const [r, g, b] = [0, 1, 2].map((part) => was.data[at + part] - is.data[at + part]);
    const y = 0.299 * r + 0.587 * g + 0.114 * b;
    const i = 0.596 * r - 0.274 * g - 0.322 * b;
    const q = 0.211 * r - 0.523 * g + 0.312 * b;
    const far = 0.5053 * y * y + 0.299 * i * i + 0.1957 * q * q > 352;
    different += far;
    const grey = 255 - (255 - (is.data[at] + is.data[at + 1] + is.data[at + 2]) / 3) / 4;
    is.data.set(far ? [220, 0, 40, 255] : [grey, grey, grey, 255], at);
  }
  context.putImageData(is, 0, 0);
  const bytes = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return {share: different / (is.data.length / 4), picture: btoa(text)};
}"""


class Screen(NamedTuple):
    """A place, how wide and light it is, and what is done there before it is looked at."""

    name: str
    path: str
    width: int = 1280
    scheme: Literal["light", "dark"] = "light"
    act: Act = lambda page: page.locator("h1").first.wait_for()


def _choices(page: Page) -> None:
    page.get_by_role("button", name="Choose", exact=True).click()
    page.get_by_role("dialog").wait_for()


def _region(page: Page) -> None:
    page.locator("sayso-say").get_by_role("region").wait_for()


SCREENS: Final = (
    Screen("banner-wide", "/demo/", act=_region),
    Screen("banner-narrow-dark", "/demo/", 360, "dark", _region),
    Screen("banner-choices", "/demo/", act=_choices),
    Screen("banner-choices-narrow-dark", "/demo/", 360, "dark", _choices),
    Screen("door-narrow", "/p/", 360),
    Screen("preferences", "/p/you"),
    Screen("preferences-narrow-dark", "/p/you", 360, "dark"),
    Screen("history", "/p/you/history", act=lambda page: page.locator("details > summary").first.click()),
    Screen("uses-narrow", "/p/you/uses", 360),
    Screen("data-dark", "/p/you/data", 1280, "dark"),
    Screen("unsubscribed-narrow", "/u/default.AQoff", 360),
    Screen("console", "/console/"),
    Screen("right-narrow-dark", "/console/rights/x", 360, "dark"),
)


@contextmanager
def showing(browser: Browser, address: str, screen: Screen) -> Iterator[Page]:
    """The screen in a window of its own."""
    context = browser.new_context(
        viewport={"width": screen.width, "height": 760},
        color_scheme=screen.scheme,
        reduced_motion="reduce",
        locale="en",
        timezone_id="UTC",
    )
    try:
        page = context.new_page()
        page.clock.set_fixed_time(AT // 1_000_000)
        page.goto(address + screen.path)
        page.evaluate(_PREPARE, _STYLE)
        screen.act(page)
        yield page
    finally:
        context.close()


def picture(browser: Browser, address: str, screen: Screen) -> bytes:
    """The screen as a PNG."""
    with showing(browser, address, screen) as page:
        page.evaluate("() => document.activeElement?.blur()")
        return page.screenshot(animations="disabled", caret="hide", scale="css")


def difference(browser: Browser, before: bytes, after: bytes) -> tuple[float, bytes]:
    """The share of the pixels that differ to the eye, and a picture of where. Pictures of two sizes differ wholly."""
    page = browser.new_page()
    try:
        found = page.evaluate(_COMPARE, [base64.b64encode(each).decode() for each in (before, after)])
    finally:
        page.close()
    return float(found["share"]), base64.b64decode(found["picture"])


def tree(browser: Browser, address: str) -> str:
    """What a screen reader is told of the banner: the question, the choices, and the confirmation."""
    with showing(browser, address, SCREENS[0]) as page:
        banner = page.locator("sayso-say")
        first = banner.aria_snapshot()
        _choices(page)
        second = banner.get_by_role("dialog").aria_snapshot()
        page.get_by_role("button", name="Save my choice").click()
        banner.get_by_role("status").get_by_role("button").focus()
        last = banner.aria_snapshot()
    layers = {"The question": first, "The choices": second, "The confirmation": last}
    return "\n".join(f"# {title}\n{text}\n" for title, text in layers.items())


def major(browser: Browser) -> str:
    return browser.version.partition(".")[0]


def main() -> None:
    from .conftest import FLAGS

    FOLDER.mkdir(exist_ok=True)
    with serving() as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        for screen in SCREENS:
            (FOLDER / f"{screen.name}.png").write_bytes(picture(browser, site.address, screen))
        TREE.write_text(tree(browser, site.address), encoding="utf-8")
        BROWSER.write_text(f"{major(browser)}\n", encoding="utf-8")
        browser.close()
    print(f"{len(SCREENS)} screens and the banner's tree in {FOLDER.relative_to(Path.cwd())}")


if __name__ == "__main__":
    main()
