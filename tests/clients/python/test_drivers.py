"""The two clients over a real socket: alike in every call, patient no longer than they say, silent about their key."""

import asyncio
import inspect
import logging
import pickle
import socketserver
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import sayso_client
from sayso_client import AsyncSayso, Identifier, Invalid, Notify, Sayso, Unreachable
from sayso_client.talk import Reply

from tests.clients.python.asking import answered

KEY = "sk_this-is-very-secret"
ASK = ("use", "contact.email", "sub_" + "0" * 32, "marketing.email")


class Scripted(ThreadingHTTPServer):
    """A server that answers from a list, the last one again and again. Each is a reply, or what to do with the line."""

    daemon_threads = True

    def __init__(self, *script: Reply | Callable[[BaseHTTPRequestHandler], None]) -> None:
        self.script = list(script)
        self.seen: list[dict[str, str]] = []
        super().__init__(("127.0.0.1", 0), Line)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        socketserver.TCPServer.server_close(self)


class Line(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Scripted

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", "0")))
        self.server.seen.append(dict(self.headers.items()))
        script = self.server.script
        now = script.pop(0) if len(script) > 1 else script[0]
        if not isinstance(now, Reply):
            now(self)
            return
        self.send_response(now.status)
        for name, value in {"content-length": str(len(now.body)), **now.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(now.body)

    def log_message(self, *_: object) -> None:
        pass


def silent(line: BaseHTTPRequestHandler) -> None:
    time.sleep(2)
    line.close_connection = True


def hung_up(line: BaseHTTPRequestHandler) -> None:
    line.close_connection = True
    line.connection.close()


def trickling(line: BaseHTTPRequestHandler) -> None:
    """A permit, a byte at a time."""
    body = answered(True).body
    line.send_response(200)
    line.send_header("content-length", str(len(body)))
    line.end_headers()
    try:
        for byte in body:
            line.wfile.write(bytes([byte]))
            line.wfile.flush()
            time.sleep(0.05)
    except OSError:
        line.close_connection = True


class Either:
    """One of the two clients, called alike."""

    def __init__(self, kind: type[Sayso] | type[AsyncSayso]) -> None:
        self.kind = kind
        self._runner = asyncio.Runner()
        self._made: list[Any] = []

    def made(self, url: str, **more: Any) -> Any:
        made = self.kind(url, KEY, name="mailer", **more)
        self._made.append(made)
        return made

    def wait(self, value: Any) -> Any:
        async def done() -> Any:
            return await value

        return self._runner.run(done()) if inspect.isawaitable(value) else value

    def close(self) -> None:
        for made in self._made:
            self.wait(made.aclose() if isinstance(made, AsyncSayso) else made.close())
        self._runner.close()


@pytest.fixture(params=[Sayso, AsyncSayso], ids=["blocking", "awaiting"])
def either(request: pytest.FixtureRequest) -> Iterator[Either]:
    made = Either(request.param)
    yield made
    made.close()


def test_both_clients_have_the_same_calls() -> None:
    def calls(kind: type) -> dict[str, tuple[Any, str]]:
        found = {name: each for name, each in inspect.getmembers(kind, callable) if not name.startswith("_")}
        signs = {name: inspect.signature(each) for name, each in found.items()}
        return {name: (tuple(sign.parameters.values()), found[name].__doc__) for name, sign in signs.items()}

    blocking, awaiting = calls(Sayso), calls(AsyncSayso)
    awaiting["close"] = awaiting.pop("aclose")
    assert {name: taken for name, (taken, _) in blocking.items()} == {name: t for name, (t, _) in awaiting.items()}
    different = {name for name in blocking if blocking[name][1] != awaiting[name][1]}
    assert different <= {"requires", "close"}


@pytest.mark.parametrize("fault", [silent, hung_up, trickling], ids=lambda fault: fault.__name__)
def test_a_server_that_does_not_answer_in_time_denies(either: Either, fault: Any) -> None:
    with Scripted(fault) as server:
        say = either.made(server.url, decide_within=0.3, timeout=0.3)
        assert either.wait(say.may(*ASK)).reason == "unreachable"
        with pytest.raises(Unreachable) as late:
            either.wait(say.reveal(["tok_1"], "p", "r"))
        assert late.value.__context__ is None, "what the network's library held is not handed on"


def test_no_server_denies(either: Either) -> None:
    say = either.made("http://127.0.0.1:9", retries=0)
    assert either.wait(say.may(*ASK)).reason == "unreachable"


def test_a_try_that_broke_is_repeated_under_the_same_idempotency_key(either: Either) -> None:
    busy = Reply(503, {"retry-after": "0"}, b"{}")
    done = Reply(200, {}, b'{"subject": "sub_1", "aid": "1"}')
    with Scripted(hung_up, busy, done) as server:
        say = either.made(server.url, timeout=60)
        assert either.wait(say.resolve(Identifier("customer_id", "c-1"), create=True)).subject == "sub_1"
        assert len(server.seen) == 3
        assert len({each["idempotency-key"] for each in server.seen}) == 1
        assert {each["authorization"] for each in server.seen} == {f"Bearer {KEY}"}


def test_a_redirect_is_not_followed_with_the_key(either: Either) -> None:
    with Scripted(answered(True)) as other, Scripted(Reply(307, {"location": other.url}, b"")) as server:
        assert either.wait(either.made(server.url).may(*ASK)).reason == "unreachable"
        assert other.seen == []


def test_a_coroutine_fulfils_obligations_where_it_can_be_waited_for(either: Either) -> None:
    told = []

    async def tell(*_: object) -> None:
        told.append(1)

    with Scripted(answered(True, {"id": "R1", "type": "notify", "properties": {}})) as server:
        say = either.made(server.url, handlers={Notify: tell}, decide_within=60)
        if either.kind is AsyncSayso:
            assert either.wait(say.may(*ASK))
            assert told == [1]
        else:
            with pytest.raises(TypeError):
                say.may(*ASK)


def test_the_key_is_in_no_repr_no_log_and_no_traceback(either: Either, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Scripted(Reply(400, {}, b'"No."'), hung_up) as server:
        say = either.made(server.url, retries=0, decide_within=60, timeout=60)
        seen = [repr(say), repr(vars(say)), repr(vars(say._http)), repr(say._http.auth)]
        for call in (lambda: say.may(*ASK), lambda: say.reveal(["tok_1"], "p", "r")):
            with pytest.raises((Invalid, Unreachable)) as failed:
                either.wait(call())
            trace = traceback.TracebackException.from_exception(failed.value, capture_locals=True)
            seen += trace.format()
    with pytest.raises(TypeError):
        pickle.dumps(say)
    assert not any(KEY in each for each in [*seen, caplog.text])


@pytest.mark.parametrize("key", ["", "sk_two words", "sk_line\nbreak", "sk_ключ"])
def test_what_can_be_no_key_is_refused_unsaid(key: str) -> None:
    for kind in (Sayso, AsyncSayso):
        with pytest.raises(ValueError, match="printable word") as refused:
            kind("https://say.example", key, name="mailer")
        trace = traceback.TracebackException.from_exception(refused.value, capture_locals=True)
        ours = [frame.locals for frame in trace.stack if "/sayso_client/" in frame.filename]
        assert ours
        assert not key or not any(key in str(known) for known in ours)


@pytest.mark.parametrize("url", ["say.example", "ftp://say.example", "https://user:pass@say.example", "https://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="url is where"):
        Sayso(url, KEY, name="mailer")


def test_what_is_offered_is_there() -> None:
    assert all(hasattr(sayso_client, name) for name in sayso_client.__all__)
