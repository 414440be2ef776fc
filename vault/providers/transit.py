"""The provider `transit`: the transit engine of HashiCorp Vault or OpenBao.

Each key is one of the engine's, not exportable. Settings: `address`, `token_file` (read for every call, so an agent may
renew it), and, if need be, `mount`, `namespace`, `ca_file`. The token's policy must let it create, read, update and
delete `MOUNT/keys/sayso-*` and `MOUNT/keys/sayso-*/config`, and update `encrypt/sayso-*` and `decrypt/sayso-*` there.
"""

import ssl
from base64 import b64decode, b64encode
from typing import Any, Final

import httpx

from vault.ciphers import aad
from vault.ciphers.suite import BrokenSeal
from vault.providers.outside import TIMEOUT_S, InvalidProvider, Wanted, secret_in
from vault.providers.provider import KeyGone, ProviderDown, ProviderRefuses

KIND: Final = "transit"
_WANTED: Final = Wanted(KIND, ("address", "token_file"), {"mount": "transit", "namespace": "", "ca_file": ""})
_INSIDE: Final = ("127.0.0.1", "::1", "localhost")


class Engine:
    """One mounted transit engine."""

    def __init__(self, settings: dict[str, str]) -> None:
        self._settings = settings
        self._mount = settings["mount"].strip("/")
        self._base = f"{settings['address'].rstrip('/')}/v1/{self._mount}"
        self._trust = _trust(settings["ca_file"])

    def make(self, name: str) -> None:
        # Where there is one already, the engine answers as if it had made it, and changes nothing.
        self._ask("POST", f"keys/{name}", {"type": "aes256-gcm96", "exportable": False})

    def seal(self, name: str, secret: bytes, context: dict[str, str]) -> bytes:
        # The engine would make a key of any name it does not know.
        self._demand(name)
        answer = self._ask("POST", f"encrypt/{name}", {"plaintext": _text(secret), "associated_data": _bound(context)})
        sealed: str = answer["data"]["ciphertext"]
        return sealed.encode()

    def open(self, name: str, sealed: bytes, context: dict[str, str]) -> bytes:
        try:
            body = {"ciphertext": sealed.decode("ascii"), "associated_data": _bound(context)}
        except UnicodeDecodeError:
            raise BrokenSeal from None
        try:
            return b64decode(self._ask("POST", f"decrypt/{name}", body)["data"]["plaintext"])
        except _Refused:
            self._demand(name)
            raise BrokenSeal from None

    def destroy(self, name: str, at: int) -> int:
        try:
            self._ask("POST", f"keys/{name}/config", {"deletion_allowed": True})
            self._ask("DELETE", f"keys/{name}")
        except _Refused:
            if self._there(name):
                raise ProviderRefuses(KIND) from None
        return at

    def _demand(self, name: str) -> None:
        if not self._there(name):
            raise KeyGone(KIND, name)

    def _there(self, name: str) -> bool:
        try:
            self._ask("GET", f"keys/{name}")
        except _Refused as error:
            if error.status == 404:
                return False
            raise ProviderRefuses(KIND) from None
        return True

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"x-vault-token": secret_in(KIND, self._settings["token_file"])}
        if self._settings["namespace"]:
            headers["x-vault-namespace"] = self._settings["namespace"]
        try:
            # A connection for each call: there are a few a day.
            with httpx.Client(timeout=TIMEOUT_S, verify=self._trust) as client:
                answer = client.request(method, f"{self._base}/{path}", json=body, headers=headers)
        except httpx.HTTPError:
            raise ProviderDown(KIND) from None
        if answer.is_success:
            return answer.json() if answer.content else None
        if answer.status_code >= 500 or answer.status_code in (412, 429, 472, 473):
            raise ProviderDown(KIND)
        if answer.status_code in (401, 403):
            raise ProviderRefuses(KIND)
        raise _Refused(answer.status_code)


class _Refused(Exception):
    """The engine understood us and does not do it."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


def store(settings: dict[str, str]) -> Engine:
    """The engine that `settings` lead to. Raises `InvalidProvider`."""
    read = _WANTED.read(settings)
    try:
        address = httpx.URL(read["address"])
    except httpx.InvalidURL:
        raise InvalidProvider(KIND, "address is no URL.") from None
    if address.scheme != "https" and not (address.scheme == "http" and address.host in _INSIDE):
        raise InvalidProvider(KIND, "address begins with https://, or is on this machine.")
    return Engine(read)


def _trust(ca_file: str) -> ssl.SSLContext | bool:
    if not ca_file:
        return True
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError):
        raise InvalidProvider(KIND, "ca_file cannot be read.") from None


def _text(raw: bytes) -> str:
    return b64encode(raw).decode()


def _bound(context: dict[str, str]) -> str:
    return _text(aad.tenant_key(context))
