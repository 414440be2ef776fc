"""Calls to a processor that speaks OpenDSR: tell it of a task, ask how far it is, fetch what it found, see what it
takes.

Its address and account are the operator's, as those of a database (`secrets.py`): `https://key:secret@host/v2`. Nothing
goes inside, follows a redirect, or waits longer than a message does.
"""

from base64 import b64encode
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import msgspec

from rights import System, TaskView
from sayso.kernel import now
from sayso.server.connectors.failures import Refused
from sayso.server.connectors.opendsr import Discovery, Heard, read, request_id, request_of, same_certificate
from sayso.server.connectors.results import ACCEPTED, LONGEST, read_results
from sayso.server.feed import addresses
from sayso.server.feed.addresses import RefusedAddress
from sayso.server.feed.outgoing import Outgoing, Reply


class Processor:
    """One processor. `allowed` are the hosts inside that the operator opens."""

    def __init__(self, outgoing: Outgoing, address: str, system: System, allowed: tuple[str, ...]) -> None:
        """Raises `Refused` (`refused-address`)."""
        self._outgoing = outgoing
        self._system = system
        self._allowed = allowed
        try:
            parts = urlsplit(address)
            user, _, host = parts.netloc.rpartition("@")
            self._base = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
            addresses.check(self._base, allowed)
        except (ValueError, RefusedAddress):
            raise Refused("refused-address") from None
        self._account = {"authorization": "Basic " + b64encode(unquote(user).encode()).decode()} if user else {}

    async def told(self, task: TaskView, callback: str) -> Heard:
        """How far the processor is with a task; on the first try, and when it never heard of it, it is told now.

        Asking first is what makes a second telling harmless: a worker that was killed is followed by another, which
        finds the request there. Raises `Refused`.
        """
        if task.attempts > 1:
            reply = await self._ask("GET", f"/requests/{request_id(task)}")
            if reply.code != "404":
                return self._heard(reply, task, "200")
        body = request_of(task, self._system, callback)
        heard = self._heard(await self._ask("POST", "/requests", body), task, "201")
        # An acknowledgement has no status: what is taken is not done.
        return msgspec.structs.replace(heard, request_status="pending")

    async def results(self, url: str) -> Any:
        """What lies at the address that the processor gave for an access request. Raises `Refused`.

        Our account goes along to the processor itself alone: an address elsewhere is told no secret.
        """
        try:
            addresses.check(url, self._allowed)
        except RefusedAddress:
            raise Refused("refused-address") from None
        account = self._account if _origin(url) == _origin(self._base) else {}
        reply = await self._outgoing.ask("GET", url, {"accept": ACCEPTED, **account}, most=LONGEST)
        self._demand(reply, "200")
        return read_results(reply)

    async def problems(self) -> list[str]:
        """What is the matter with it, in words. Raises `Refused` when it cannot be asked."""
        reply = await self._ask("GET", "/discovery")
        self._demand(reply, "200")
        try:
            said = msgspec.json.decode(reply.body, type=Discovery)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise Refused("garbled") from None
        wanted = {(name, self._system.identity_format) for name in self._system.identify}
        taken = {(each.get("identity_type"), each.get("identity_format")) for each in said.supported_identities}
        found = []
        if set(self._system.kinds) - set(said.supported_subject_request_types):
            found.append("kind-not-supported")
        if wanted - taken:
            found.append("identity-not-supported")
        if not same_certificate(await self._certificate(said.processor_certificate), self._system.certificate):
            found.append("certificate-differs")
        return found

    async def _certificate(self, url: str) -> bytes:
        try:
            addresses.check(url, self._allowed)
        except RefusedAddress:
            return b""
        return (await self._outgoing.ask("GET", url, {})).body

    async def _ask(self, method: str, path: str, body: bytes = b"") -> Reply:
        headers = {"accept": "application/json", **self._account}
        if body:
            headers["content-type"] = "application/json"
        return await self._outgoing.ask(method, self._base + path, headers, body)

    def _heard(self, reply: Reply, task: TaskView, code: str) -> Heard:
        self._demand(reply, code)
        heard = read(reply.body, reply.headers, self._system.certificate, now())
        if heard.subject_request_id != request_id(task):
            raise Refused("wrong-request")
        return heard

    def _demand(self, reply: Reply, code: str) -> None:
        if reply.code == code:
            return
        if not reply.code.isdecimal():
            word = "refused-address" if reply.code == "refused" else "unreachable"
            raise Refused(word, passing=word == "unreachable")
        away = reply.code[0] == "5" or reply.code in ("408", "425", "429")
        raise Refused("redirected" if reply.code[0] == "3" else "unreachable" if away else "refused", passing=away)


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
