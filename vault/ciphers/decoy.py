"""A key and a value of nobody: opening them makes a refusal cost what an answer costs."""

import os
from typing import Final

from sayso.kernel import TENANT_OWNER
from vault.ciphers import aad
from vault.ciphers.suite import KEY_BYTES, Suite
from vault.keys.wrapped import DataKey, WrappingKey

_DECOY: Final = "decoy"
_FIRST: Final = 1


class Decoy:
    """What a reveal opens when there is nothing to open."""

    __slots__ = ("_blob", "_bound_to", "_committed", "_suite", "_tenant", "_wrapped", "_wrapping")

    def __init__(self, tenant: str, wrapping: WrappingKey, suite: Suite) -> None:
        key = DataKey(tenant, TENANT_OWNER, _DECOY, _FIRST, os.urandom(KEY_BYTES), suite)
        self._tenant = tenant
        self._suite = suite
        self._wrapping = wrapping
        self._bound_to = (tenant, TENANT_OWNER, _DECOY, _FIRST, _FIRST)
        self._wrapped = key.wrapped_by(wrapping, _FIRST)
        self._committed = key.commitment
        self._blob = key.seal(_DECOY, _DECOY, b"")

    def unwrap(self) -> DataKey:
        """What unwrapping a person's key costs."""
        key = self._wrapping.unwrap(self._wrapped, aad.data_key(*self._bound_to), self._committed)
        return DataKey(self._tenant, TENANT_OWNER, _DECOY, _FIRST, key, self._suite)

    def open(self) -> None:
        """What opening a person's value costs."""
        self.unwrap().open(_DECOY, _DECOY, self._blob)
