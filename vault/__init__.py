"""Keys, sealed identity data, tokens, blind indexes, shredding. Read `vault.py` first, then `keyring.py`.

`Keyring` implements the kernel's `Sealer`, `Indexer` and `Signer` for every package; `Vault` is identity data.
"""

from vault.ciphers.signing import thumbprint
from vault.ciphers.suite import SUITES, BrokenSeal, MissingCipher, Suite
from vault.fields.collections import (
    Collection,
    Collections,
    Field,
    UnknownCollection,
    UnknownField,
    collection_of,
    parse,
)
from vault.fields.facts import action_for, fact_of
from vault.fields.masks import STRENGTH as MASKS
from vault.fields.normalise import NORMALISERS, InvalidValue, canonical
from vault.fields.planner import adds_up
from vault.keys import keybackup
from vault.keys.epochs import Epochs
from vault.keys.keyfiles import ExposedRootKey
from vault.keys.keyring import Keyring, TenantKeys, UnknownTenant
from vault.keys.lending import lent
from vault.keys.renewal import Renewal
from vault.keys.roll import EpochList, EpochView, NewRoll, NoEpoch, RollView
from vault.opening.grants import Grant, GrantDecided, NoGrant, OwnGrant
from vault.opening.guarding import SECOND_PERSON, Glass
from vault.opening.reveal import ANY, Ask, Located, Revealed, Unresolvable
from vault.opening.search import MOST_FOUND, Hits, NotIndexed, Sought, Term
from vault.providers.custody import KEY_FILES, Custody, holds_root, own_folder, own_folders
from vault.providers.outside import FILE as PROVIDER_FILE
from vault.providers.outside import KINDS as PROVIDERS
from vault.providers.outside import OutsideKey
from vault.providers.provider import (
    KeyGone,
    KeyProvider,
    ProviderDown,
    ProviderFacts,
    ProviderRefuses,
    RootKeyError,
    WrongRootKey,
)
from vault.providers.root import (
    Cost,
    DamagedRootKey,
    MissingRootKey,
    NotSealed,
    PassphraseNeeded,
    RootKeyExists,
    SealedFile,
    WrongPassphrase,
)
from vault.records.portable import InvalidRecipient, NoAge, Portable, recipient_of, sealed_for
from vault.records.stored import UnknownSubject, check_values
from vault.records.storing import Stored, SubjectFacts
from vault.shredding.ledger import Ledger, Revocation
from vault.shredding.shred import PROOF, DestroyedKey, Held, Place, Tombstone
from vault.tokens.rows import token_in
from vault.tokens.terms import InvalidTerms, TokenTerms
from vault.vault import Vault
from vault.writing.finding import find

__all__ = [
    "ANY",
    "KEY_FILES",
    "MASKS",
    "MOST_FOUND",
    "NORMALISERS",
    "PROOF",
    "PROVIDERS",
    "PROVIDER_FILE",
    "SECOND_PERSON",
    "SUITES",
    "Ask",
    "BrokenSeal",
    "Collection",
    "Collections",
    "Cost",
    "Custody",
    "DamagedRootKey",
    "DestroyedKey",
    "EpochList",
    "EpochView",
    "Epochs",
    "ExposedRootKey",
    "Field",
    "Glass",
    "Grant",
    "GrantDecided",
    "Held",
    "Hits",
    "InvalidRecipient",
    "InvalidTerms",
    "InvalidValue",
    "KeyGone",
    "KeyProvider",
    "Keyring",
    "Ledger",
    "Located",
    "MissingCipher",
    "MissingRootKey",
    "NewRoll",
    "NoAge",
    "NoEpoch",
    "NoGrant",
    "NotIndexed",
    "NotSealed",
    "OutsideKey",
    "OwnGrant",
    "PassphraseNeeded",
    "Place",
    "Portable",
    "ProviderDown",
    "ProviderFacts",
    "ProviderRefuses",
    "Renewal",
    "Revealed",
    "Revocation",
    "RollView",
    "RootKeyError",
    "RootKeyExists",
    "SealedFile",
    "Sought",
    "Stored",
    "SubjectFacts",
    "Suite",
    "TenantKeys",
    "Term",
    "TokenTerms",
    "Tombstone",
    "UnknownCollection",
    "UnknownField",
    "UnknownSubject",
    "UnknownTenant",
    "Unresolvable",
    "Vault",
    "WrongPassphrase",
    "WrongRootKey",
    "action_for",
    "adds_up",
    "canonical",
    "check_values",
    "collection_of",
    "fact_of",
    "find",
    "holds_root",
    "keybackup",
    "lent",
    "own_folder",
    "own_folders",
    "parse",
    "recipient_of",
    "sealed_for",
    "thumbprint",
    "token_in",
]
