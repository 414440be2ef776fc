"""A brand's shop with accounts, on a host of its own, beside a Sayso that runs as people run it."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.builders.sign_in import EDWARDS
from tests.server.processes import Server, initialised, serving
from tests.source import ROOT

GUIDE = (ROOT / "docs" / "guides" / "embed.md").read_text("utf-8")

REST = """
categories: [contact.email]
controller: {name: Tea House Ltd, country: gb, contact: {email: privacy@tea.example}}
purposes:
  marketing.email: {title: {en: News by e-mail, zh-CN: 邮件资讯}, legal_basis: consent, categories: [contact.email],
    direct_marketing: true, channels: [email]}
notices:
  web:
    version: 1
    purposes: [marketing.email]
    text: {en: We write only if you agree., zh-CN: 只有您同意，我们才写信。}
preferences:
  news: {type: boolean, title: {en: News, zh-CN: 资讯}, purpose: marketing.email}
roles: {sender: []}
rules:
  - {id: R1, role: sender, action: use, category: contact.email, purpose: marketing.email, effect: allow,
     basis: consent}
"""


def block(kind: str, at: int = 0) -> str:
    """A block of the guide."""
    return re.findall(rf"```{kind}\n(.*?)```", GUIDE, re.DOTALL)[at]


class Account:
    """The shop: pages by path, and a token for each POST to `/account/sayso-token`, for whoever is signed in."""

    def __init__(self, folder: Path, sayso: Server, key: str) -> None:
        self.sayso, self._admin = sayso, sayso.client(key)
        self.portal = f"http://privacy.localhost:{sayso.port}"
        self.customer = "c-1"
        self.pages: dict[str, str] = {}
        self.asked = 0
        self.address = ""
        (folder / "sign-in.pem").write_bytes(EDWARDS.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        self._guide: dict[str, Any] = {}
        exec(block("python").replace('"sign-in.pem"', repr(str(folder / "sign-in.pem"))), self._guide)

    def token(self) -> str:
        """As the guide's code makes it."""
        made: str = self._guide["sayso_token"](self.customer)
        return made

    def told(self, text: str) -> str:
        """A text of the guide with the addresses of this machine."""
        return text.replace("https://privacy.shop.example", self.portal).replace("https://shop.example", self.address)

    def applies(self) -> None:
        """The guide's manifest."""
        declared = json.dumps(self._guide["declared"]())
        shown = re.sub(r"\{kty: OKP.*?\}(?=\])", lambda _: declared, self.told(block("yaml")))
        body = {"files": [{"name": "guide.yaml", "content": shown + REST}]}
        applied = self._admin.post("/v1/manifest", json=body)
        assert applied.status_code == 200, applied.text

    def status(self) -> str:
        """Where the customer stands."""
        body = {"identifier": {"type": "customer_id", "value": self.customer}}
        subject = self.asks("POST", "/v1/subjects/resolve", json=body)["subject"]
        found: str = self.asks("GET", f"/v1/subjects/{subject}/consents")["purposes"]["marketing.email"]["status"]
        return found

    def leave(self) -> None:
        self._admin.close()

    def asks(self, method: str, path: str, **more: Any) -> Any:
        answer: httpx.Response = self._admin.request(method, path, **more)
        assert answer.status_code < 300, answer.text
        return answer.json()


def _handler(account: Account) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """The tests speak for themselves."""

        def _answer(self, kind: str, body: str) -> None:
            self.send_response(200 if body else 404)
            self.send_header("content-type", kind)
            self.end_headers()
            self.wfile.write(body.encode())

        def do_GET(self) -> None:
            page = account.pages.get(self.path.partition("?")[0], "")
            self._answer("text/html; charset=utf-8", page.replace("TOKEN", account.token()))

        def do_POST(self) -> None:
            account.asked += 1
            self._answer("text/plain", account.token())

    return Handler


@contextmanager
def an_account(folder: Path) -> Iterator[Account]:
    """Shop and Sayso, each on its own host: to a browser two sites."""
    key = initialised(folder / "data")
    with serving(folder / "data") as sayso:
        account = Account(folder, sayso, key)
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(account))
        server.daemon_threads = True
        account.address = f"http://shop.localhost:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            account.applies()
            yield account
        finally:
            account.leave()
            server.shutdown()
            server.server_close()
            thread.join()
