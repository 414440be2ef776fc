"""`sayso site check`, run as people run it, against pages whose tags live on a host of their own."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from sayso.server.pages import BannerPurpose, banner_script
from sayso.server.site_check.report import address_of, is_own, is_pixel, party_of

from .samples import a_banner
from .site import Site

pytestmark = [pytest.mark.browser, pytest.mark.slow]

GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"
TAG = b"""
document.cookie = "_tag=secret-value; max-age=8640000; path=/";
localStorage.setItem("_tag.visitor", "secret-value");
sessionStorage.setItem("_tag.visit", "secret-value");
indexedDB.open("_tag.base");
navigator.sendBeacon(new URL("/collect?visitor=secret-value", document.currentScript.src), "hello");
new Image().src = new URL("/p.gif?visitor=secret-value", document.currentScript.src);
"""


class Elsewhere(BaseHTTPRequestHandler):
    """Another firm's host: a tag, its beacon, its pixel, its cookie; and an address that never answers."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """The tests speak for themselves."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/hangs":
            time.sleep(40)
            return
        if path == "/to":
            self.send_response(302)
            self.send_header("location", self.path.partition("?")[2])
            self.send_header("content-length", "0")
            self.end_headers()
            return
        body = {"/tag.js": TAG, "/p.gif": GIF}.get(path, b"<!doctype html><title>Elsewhere</title>")
        kind = {"/tag.js": "text/javascript", "/p.gif": "image/gif"}.get(path, "text/html")
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.send_header("set-cookie", "_third=secret-value; Max-Age=600; SameSite=None; Secure")
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", "0")))
        self.send_response(204)
        self.end_headers()


@pytest.fixture
def elsewhere() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def check(chromium: str, url: str, *words: str, wait: str = "0.6") -> tuple[int, str, str]:
    command = [sys.executable, "-m", "sayso", "site", "check", url, "--wait", wait, *words]
    environment = {"CHROMIUM": chromium, "PATH": "/usr/bin:/bin", "HOME": "/tmp"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=environment)
    assert "secret-value" not in done.stdout + done.stderr, "a value was printed"
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


def report(chromium: str, url: str, *words: str, wait: str = "0.6") -> tuple[int, dict[str, Any]]:
    code, out, err = check(chromium, url, "--json", *words, wait=wait)
    assert code in (0, 1), err
    return code, json.loads(out)


def rules(found: dict[str, Any]) -> set[str]:
    return {each["rule"] for each in found["findings"]}


def asked(seen: dict[str, Any]) -> set[tuple[str, str]]:
    return {(each["kind"], each["address"].partition("/")[2]) for each in seen["requests"]}


def a_page(site: Site, body: str, banner: bool = True) -> str:
    head = '<script async src="/v1/sites/shop/banner.js"></script>' if banner else ""
    site.pages["/page"] = (
        f'<!doctype html><html lang="en"><head><title>Tea</title><link rel="icon" href="data:,">{head}</head>'
        f"<body><h1>Tea</h1>{body}</body></html>"
    )
    site.headers["/page"] = {"content-security-policy": "frame-ancestors 'self'"}
    return site.address + "/page"


def test_the_demo_shop_is_clean(site: Site, chromium: str) -> None:
    code, found = report(chromium, site.address + "/demo/")
    assert (code, found["findings"]) == (0, [])
    assert found["banner"]["site"] == "shop"
    assert (found["banner"]["current"], found["banner"]["current_notice"], found["banner"]["kept"]) == (True,) * 3
    assert {(tag["purpose"], tag["state"]) for tag in found["tags"]} == {
        ("analytics", "waits"),
        ("ads", "waits"),
        ("", "runs"),
    }


def test_a_tag_that_does_not_wait_is_found_with_all_that_it_did(site: Site, chromium: str, elsewhere: str) -> None:
    code, found = report(chromium, a_page(site, f'<script src="{elsewhere}/tag.js?id=7"></script>'), wait="1.5")
    assert code == 1
    before = found["before"]
    assert asked(before) == {("script", "tag.js"), ("beacon", "collect"), ("pixel", "p.gif")}
    assert {each["host"] for each in before["requests"]} == {"localhost"}
    cookies = {each["name"]: each for each in before["cookies"]}
    assert cookies["_tag"]["party"] == "first"
    assert 8_000_000 < cookies["_tag"]["lasts_s"] <= 8_640_000
    assert cookies["_third"]["party"] == "third"
    assert {(each["place"], each["name"]) for each in before["storage"]} == {
        ("localStorage", "_tag.visitor"),
        ("sessionStorage", "_tag.visit"),
        ("indexedDB", "_tag.base"),
    }
    assert {
        "request-before-choice",
        "beacon-before-choice",
        "pixel-before-choice",
        "cookie-before-choice",
        "storage-before-choice",
        "request-after-refusal",
        "signal-ignored",
    } <= rules(found)


def test_a_tag_that_waits_comes_only_after_a_yes(site: Site, chromium: str, elsewhere: str) -> None:
    tag = f'<script type="text/plain" data-purpose="ads" src="{elsewhere}/tag.js"></script>'
    frame = f'<iframe title="A film" data-purpose="analytics" data-src="{elsewhere}/film"></iframe>'
    # A tag that a yes lets in asks for more, which asks for more.
    code, found = report(chromium, a_page(site, tag + frame), "--mobile", wait="2")
    assert (code, found["findings"]) == (0, [])
    assert found["mobile"] is True
    assert (found["before"]["requests"], found["after_refusing"]["requests"]) == ([], [])
    after = found["only_after_accepting"]
    assert {("script", "tag.js"), ("beacon", "collect"), ("pixel", "p.gif"), ("frame", "film")} <= asked(after)
    assert "_tag" in {each["name"] for each in after["cookies"]}
    assert {(tag["what"], tag["state"]) for tag in found["tags"]} == {("script", "waits"), ("frame", "waits")}


def test_tags_that_only_look_blocked_and_tags_that_wait_for_ever_are_named(
    site: Site, chromium: str, elsewhere: str
) -> None:
    tags = f'<script data-purpose="ads" src="{elsewhere}/tag.js"></script>'
    tags += '<template data-purpose="no.such"><script>1</script></template>'
    code, found = report(chromium, a_page(site, tags))
    assert code == 1
    assert {"blocks-nothing", "waits-for-ever"} <= rules(found)


def test_what_a_site_needs_can_be_allowed(site: Site, chromium: str, elsewhere: str) -> None:
    page = a_page(site, f'<script src="{elsewhere}/tag.js"></script>')
    code, found = report(chromium, page, "--allow", "localhost", "--allow", "_t*")
    assert (code, found["findings"]) == (0, [])
    assert found["before"]["requests"], "what is allowed is listed all the same"


def test_a_page_without_a_banner_is_looked_at_all_the_same(site: Site, chromium: str, elsewhere: str) -> None:
    code, out, _ = check(chromium, a_page(site, f'<img src="{elsewhere}/p.gif" alt="">', banner=False))
    assert code == 1
    assert "no-banner" in out
    assert "pixel-before-choice" in out
    assert "NOT respected" in out


def test_an_old_banner_and_an_old_notice_are_told(site: Site, chromium: str) -> None:
    page = a_page(site, "")
    old = banner_script(a_banner(notice_version=2)).decode().replace("sayso-embed", "sayso-umbed")
    site.pages["/v1/sites/shop/copies/banner.js"] = old
    site.headers["/v1/sites/shop/copies/banner.js"] = {"content-type": "text/javascript"}
    site.pages["/v1/sites/shop/copies/banner.json"] = '{"notice": "web", "version": 3}'
    site.headers["/v1/sites/shop/copies/banner.json"] = {"content-type": "application/json"}
    site.pages["/page"] = site.pages["/page"].replace("shop/banner.js", "shop/copies/banner.js")
    _, found = report(chromium, page)
    assert (found["banner"]["current"], found["banner"]["notice_version"]) == (False, 2)
    assert "old-banner" in rules(found)


def test_the_signal_is_put_to_the_test(site: Site, chromium: str) -> None:
    site.banner = {"purposes": (BannerPurpose(name="ads", title="Advertising", gpc=True),)}
    code, found = report(chromium, a_page(site, ""))
    assert (code, found["signal"]["respected"], found["signal"]["purposes"]) == (0, True, ["ads"])
    lies = "<script>Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => 0 })</script>"
    ignoring = a_page(site, "")
    site.pages["/page"] = site.pages["/page"].replace("<head>", "<head>" + lies)
    _, found = report(chromium, ignoring)
    assert found["signal"]["granted"] == ["ads"]
    assert "signal-ignored" in rules(found)


def test_a_banner_under_something_is_told_and_answered_all_the_same(site: Site, chromium: str) -> None:
    over = "<dialog id=d style='inset:0;width:100vw;height:100vh;max-width:none;max-height:none'>Buy!</dialog>"
    page = a_page(site, over + "<script>d.showModal()</script>")
    _, found = report(chromium, page)
    assert rules(found) == {"banner-covered"}
    assert found["banner"]["kept"] is True


def test_forwarding_is_followed_and_told(site: Site, chromium: str, elsewhere: str) -> None:
    a_page(site, "")
    site.pages["/forward"] = "<!doctype html><title>Soon</title><meta http-equiv=refresh content='0;url=/page'>"
    code, found = report(chromium, f"{elsewhere}/to?{site.address}/forward", wait="3")
    assert (code, found["final_url"]) == (0, site.address + "/page")
    assert [hop.partition("/")[2] for hop in found["redirects"]] == ["to", "forward"]


def test_what_cannot_be_checked_is_exit_code_two(site: Site, chromium: str, elsewhere: str) -> None:
    site.pages["/spins"] = "<!doctype html><title>Spins</title><script>for (;;);</script>"
    site.headers["/spins"] = {"content-security-policy": "frame-ancestors 'self'"}
    reasons = {
        "file:///etc/hostname": "Only a page of http or https",
        "http://": "Only a page of http or https",
        site.address + "/nothing-here": "answered an error",
        elsewhere + "/hangs": "did not answer",
        site.address + "/spins": "hangs",
    }
    # Side by side: they wait for nearly all of their time.
    with ThreadPoolExecutor(len(reasons)) as pool:
        found = pool.map(lambda url: check(chromium, url), reasons)
    for (url, why), (code, out, err) in zip(reasons.items(), found, strict=True):
        assert (code, out) == (2, ""), url
        assert why in err, url


def test_without_a_browser_the_way_to_get_one_is_told(chromium: str, tmp_path: Any) -> None:
    hidden = tmp_path / "playwright"
    hidden.mkdir()
    (hidden / "__init__.py").write_text("raise ImportError")
    command = [sys.executable, "-m", "sayso", "site", "check", "http://127.0.0.1/"]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=environment)
    assert done.returncode == 2
    assert "pip install 'sayso[check]' && playwright install chromium" in done.stderr
    assert chromium


def test_the_pure_parts() -> None:
    assert is_own("cdn.tea.example", "www.tea.example")
    assert not is_own("tea.example.evil.example", "tea.example")
    assert not is_own("localhost", "127.0.0.1")
    assert party_of(".tea.example", "shop.tea.example") == "first"
    assert party_of("ads.example", "tea.example") == "third"
    assert address_of("https://u:p@ads.example:8443/a/b?visitor=7#x") == "ads.example:8443/a/b"
    assert is_pixel(200, 14, GIF)
    assert is_pixel(204, None, b"")
    assert not is_pixel(200, 5000, b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x01\x00\x00\x00\x01\x00")
