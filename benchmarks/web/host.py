"""The server of the measured pages: every answer is made beforehand, and compressed as a site's own server would."""

import gzip
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from benchmarks.web.rivals import Contender

MEDIA = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
TAG = "{const t=performance.now();while(performance.now()-t<60);}"
"""A tag that holds the main thread for 60 ms, whatever the processor."""

SECTION = (
    "<section><h2>Harvest {0}</h2><p>The leaves of lot {0} were picked by hand on the upper slopes, withered for "
    "eleven hours and rolled before dawn. They give a light cup with a long finish, best with water that has rested.</p>"
    "<ul><li>First infusion: forty seconds</li><li>Second: a minute</li><li>Third: as long as you like</li></ul>"
    "</section>"
)
STYLE = "body{font:16px/1.5 sans-serif;margin:0 auto;max-width:60rem;padding:1rem}section{border-top:1px solid #ccc}"

Answer = tuple[str, bytes]
"""Media type and body."""


def page(contender: Contender, tags: int = 0) -> str:
    """The page of twelve sections with one banner, and with tags that wait for a yes."""
    waiting = contender.blocked.replace("{}", TAG) * tags
    sections = "".join(SECTION.format(number) for number in range(1, 13))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Tea</title><link rel="icon" href="data:,">'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style>{contender.head}</head>'
        f"<body><h1>Tea</h1>{sections}{waiting}</body></html>"
    )


@contextmanager
def hosting(answers: Mapping[str, Answer]) -> Iterator[str]:
    """Serve; the address. What is posted is answered as a recorded choice."""
    made = {path: (kind, gzip.compress(body, 6)) for path, (kind, body) in answers.items()}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            head = f"HTTP/1.1 {status} OK\r\n{lines}content-length: {len(body)}\r\n\r\n"
            self.wfile.write(head.encode() + body)

        def do_GET(self) -> None:
            found = made.get(self.path)
            if found is None:
                self.answer(404, {}, b"")
                return
            headers = {"content-type": found[0], "content-encoding": "gzip", "cache-control": "max-age=600"}
            self.answer(200, headers, found[1])

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", "0")))
            self.answer(201, {"content-type": "application/json"}, b'{"record":"cns_1","receipt":"a.b.c","entry":"e"}')

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def media_type(path: str) -> str:
    return (
        MEDIA.get(path[path.rindex(".") :], "text/html; charset=utf-8") if "." in path else "text/html; charset=utf-8"
    )
