"""Keys, sealed identity data, tokens, blind indexes, shredding. Read `vault.py` first, then `keyring.py`.

`Keyring` implements the kernel's `Sealer`, `Indexer` and `Signer` for every package; `Vault` is identity data.
"""

from vault.fields import Collection, Collections, Field, UnknownCollection, UnknownField, parse
from vault.keyring import Keyring, TenantKeys, UnknownTenant
from vault.masks import STRENGTH as MASKS
from vault.normalise import NORMALISERS, InvalidValue, canonical
from vault.provider import KeyProvider, ProviderFacts, RootKeyError, WrongRootKey
from vault.records import UnknownSubject
from vault.reveal import ANY, Ask, Located, Revealed, Unresolvable
from vault.root import (
    Cost,
    DamagedRootKey,
    ExposedRootKey,
    MissingRootKey,
    NotSealed,
    PassphraseNeeded,
    RootKeyExists,
    SealedFile,
    WrongPassphrase,
)
from vault.search import Hits, NotIndexed, Term
from vault.shred import PROOF, DestroyedKey, Held, Place, Tombstone
from vault.signing import thumbprint
from vault.storing import Stored, SubjectFacts
from vault.suite import BrokenSeal, MissingCipher, Suite
from vault.vault import Vault

__all__ = [
    "ANY",
    "MASKS",
    "NORMALISERS",
    "PROOF",
    "Ask",
    "BrokenSeal",
    "Collection",
    "Collections",
    "Cost",
    "DamagedRootKey",
    "DestroyedKey",
    "ExposedRootKey",
    "Field",
    "Held",
    "Hits",
    "InvalidValue",
    "KeyProvider",
    "Keyring",
    "Located",
    "MissingCipher",
    "MissingRootKey",
    "NotIndexed",
    "NotSealed",
    "PassphraseNeeded",
    "Place",
    "ProviderFacts",
    "Revealed",
    "RootKeyError",
    "RootKeyExists",
    "SealedFile",
    "Stored",
    "SubjectFacts",
    "Suite",
    "TenantKeys",
    "Term",
    "Tombstone",
    "UnknownCollection",
    "UnknownField",
    "UnknownSubject",
    "UnknownTenant",
    "Unresolvable",
    "Vault",
    "WrongPassphrase",
    "WrongRootKey",
    "canonical",
    "parse",
    "thumbprint",
]
