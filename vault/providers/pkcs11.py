"""The provider `pkcs11`: an HSM, or anything else that speaks PKCS#11 3.0 with AES-GCM (CKM_AES_GCM).

Keys are made inside the token, sensitive and not extractable. Settings: `module` (the library's path), `token` (its
label), `pin_file`.
"""

import os
import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

import pkcs11
from pkcs11 import Attribute, GCMParams, KeyType, Mechanism, ObjectClass
from pkcs11.exceptions import (
    EncryptedDataInvalid,
    EncryptedDataLenRange,
    GeneralError,
    NoSuchKey,
    NoSuchToken,
    PinExpired,
    PinIncorrect,
    PinInvalid,
    PinLenRange,
    PinLocked,
    PKCS11Error,
    UserAlreadyLoggedIn,
)

from vault.ciphers import aad
from vault.ciphers.suite import KEY_BYTES, NONCE_BYTES, TAG_BYTES, BrokenSeal
from vault.providers.outside import Wanted, secret_in
from vault.providers.provider import KeyGone, ProviderDown, ProviderRefuses

T = TypeVar("T")

KIND: Final = "pkcs11"
_WANTED: Final = Wanted(KIND, ("module", "token", "pin_file"), {})
_SEALED_BYTES: Final = NONCE_BYTES + KEY_BYTES + TAG_BYTES
_HIDDEN: Final = {Attribute.EXTRACTABLE: False, Attribute.SENSITIVE: True}


class Token:
    """One token. PKCS#11 sessions are not for several threads at once: one call at a time."""

    def __init__(self, settings: dict[str, str]) -> None:
        self._settings = settings
        self._turn = threading.Lock()
        self._open: Any = None

    def make(self, name: str) -> None:
        def make(session: Any) -> None:
            if not list(session.get_objects(_named(name))):
                session.generate_key(KeyType.AES, 256, label=name, store=True, template=_HIDDEN)

        self._do(make)

    def seal(self, name: str, secret: bytes, context: dict[str, str]) -> bytes:
        nonce = os.urandom(NONCE_BYTES)

        def seal(session: Any) -> bytes:
            bound = _bound(nonce, context)
            sealed: bytes = _key(session, name).encrypt(secret, mechanism=Mechanism.AES_GCM, mechanism_param=bound)
            return sealed

        return nonce + self._do(seal)

    def open(self, name: str, sealed: bytes, context: dict[str, str]) -> bytes:
        def unseal(session: Any) -> bytes:
            key = _key(session, name)
            if len(sealed) != _SEALED_BYTES:
                raise BrokenSeal
            bound = _bound(sealed[:NONCE_BYTES], context)
            try:
                opened: bytes = key.decrypt(sealed[NONCE_BYTES:], mechanism=Mechanism.AES_GCM, mechanism_param=bound)
            except (GeneralError, EncryptedDataInvalid, EncryptedDataLenRange):
                # SoftHSM reports a tag that does not fit as a general error.
                raise BrokenSeal from None
            return opened

        return self._do(unseal)

    def destroy(self, name: str, at: int) -> int:
        def destroy(session: Any) -> None:
            for key in session.get_objects(_named(name)):
                key.destroy()

        self._do(destroy)
        return at

    def _do(self, work: Callable[[Any], T]) -> T:
        """`work` in the session; once more in a new one after an error, for a token may have been out and back."""
        with self._turn:
            try:
                return self._in_session(work)
            except PKCS11Error:
                self._close()
            try:
                return self._in_session(work)
            except (PinIncorrect, PinInvalid, PinLenRange, PinLocked, PinExpired):
                self._close()
                raise ProviderRefuses(KIND) from None
            except PKCS11Error:
                self._close()
                raise ProviderDown(KIND) from None

    def _in_session(self, work: Callable[[Any], T]) -> T:
        if self._open is None:
            self._open = self._login()
        return work(self._open)

    def _login(self) -> Any:
        library = pkcs11.lib(self._settings["module"])
        try:
            token = library.get_token(token_label=self._settings["token"])
        except (NoSuchToken, GeneralError):
            # The library looks for tokens when it is loaded, and then no more; it stumbles over one that has gone.
            library.reinitialize()
            token = library.get_token(token_label=self._settings["token"])
        try:
            return token.open(rw=True, user_pin=secret_in(KIND, self._settings["pin_file"]))
        except UserAlreadyLoggedIn:
            # One login is for all sessions that a process has with a token.
            return token.open(rw=True)

    def _close(self) -> None:
        session, self._open = self._open, None
        if session is not None:
            try:
                session.close()
            except PKCS11Error:
                pass


def store(settings: dict[str, str]) -> Token:
    """The token that `settings` lead to. Raises `InvalidProvider`."""
    return Token(_WANTED.read(settings))


def _named(name: str) -> dict[Attribute, Any]:
    return {Attribute.LABEL: name, Attribute.CLASS: ObjectClass.SECRET_KEY}


def _key(session: Any, name: str) -> Any:
    try:
        return session.get_key(object_class=ObjectClass.SECRET_KEY, label=name)
    except NoSuchKey:
        raise KeyGone(KIND, name) from None


def _bound(nonce: bytes, context: dict[str, str]) -> GCMParams:
    return GCMParams(nonce, aad.tenant_key(context), TAG_BYTES * 8)
