"""A real time-stamp authority: OpenSSL's `ts` behind a socket of this machine, with a root of its own."""

import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

_CONFIGURATION = """
[ req ]
distinguished_name = name
prompt = no
[ name ]
CN = a test authority
[ root ]
basicConstraints = critical, CA:TRUE
subjectKeyIdentifier = hash
[ stamper ]
basicConstraints = CA:FALSE
extendedKeyUsage = critical, timeStamping
[ tsa ]
default_tsa = policy
[ policy ]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/stamper.pem
signer_key = {folder}/stamper.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


class Authority:
    """`with Authority(folder) as authority:` stamps what is posted to `authority.url`. `authority.answer` may be set to
    what it answers instead.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "root.pem"
        self.answer: tuple[int, bytes] | None = None
        self.asked = 0
        folder.mkdir()
        self._configuration = folder / "ts.cnf"
        self._configuration.write_text(_CONFIGURATION.format(folder=folder))
        (folder / "serial").write_text("01\n")
        new = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30")
        self._openssl(*new, "-keyout", "root.key", "-out", "root.pem", "-extensions", "root", "-subj", "/CN=root")
        issued = ("-CA", "root.pem", "-CAkey", "root.key", "-extensions", "stamper", "-subj", "/CN=stamper")
        self._openssl(*new, "-keyout", "stamper.key", "-out", "stamper.pem", *issued)

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}/stamp"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def stamp(self, query: bytes) -> bytes:
        (self.folder / "query.tsq").write_bytes(query)
        self._openssl("ts", "-reply", "-queryfile", "query.tsq", "-out", "reply.tsr")
        return (self.folder / "reply.tsr").read_bytes()

    def verifies(self, response: Path, data: Path) -> bool:
        """Whether OpenSSL, given this authority's root, takes the stamp."""
        words = ("ts", "-verify", "-in", response, "-data", data, "-CAfile", self.root)
        return subprocess.run(["openssl", *words], capture_output=True, check=False).returncode == 0

    def _openssl(self, *words: str) -> None:
        command = ["openssl", *words, "-config", str(self._configuration)]
        subprocess.run(command, cwd=self.folder, capture_output=True, check=True)


def _handler(authority: Authority) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["content-length"]))
            authority.asked += 1
            status, body = authority.answer or (200, authority.stamp(query))
            self.send_response(status)
            self.send_header("content-type", "application/timestamp-reply")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
