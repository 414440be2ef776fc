"""Keys, sealed identity data, tokens, blind indexes, shredding. Read `vault.py` first, then `keyring.py`.

`Keyring` implements the kernel's `Sealer`, `Indexer` and `Signer` for every package; `Vault` is identity data.
"""

from vault import keybackup
from vault.custody import KEY_FILES, Custody, holds_root, own_folder, own_folders
from vault.epochs import Epochs
from vault.facts import action_for, fact_of
from vault.fields import (
    Collection,
    Collections,
    Field,
    UnknownCollection,
    UnknownField,
    collection_of,
    parse,
)
from vault.finding import find
from vault.grants import Grant, GrantDecided, NoGrant, OwnGrant
from vault.guarding import SECOND_PERSON, Glass
from vault.keyfiles import ExposedRootKey
from vault.keyring import Keyring, TenantKeys, UnknownTenant
from vault.ledger import Ledger, Revocation
from vault.lending import lent
from vault.masks import STRENGTH as MASKS
from vault.normalise import NORMALISERS, InvalidValue, canonical
from vault.outside import FILE as PROVIDER_FILE
from vault.outside import KINDS as PROVIDERS
from vault.outside import OutsideKey
from vault.planner import adds_up
from vault.portable import InvalidRecipient, NoAge, Portable, recipient_of, sealed_for
from vault.provider import (
    KeyGone,
    KeyProvider,
    ProviderDown,
    ProviderFacts,
    ProviderRefuses,
    RootKeyError,
    WrongRootKey,
)
from vault.records import UnknownSubject, check_values
from vault.renewal import Renewal
from vault.reveal import ANY, Ask, Located, Revealed, Unresolvable
from vault.roll import EpochList, EpochView, NewRoll, NoEpoch, RollView
from vault.root import (
    Cost,
    DamagedRootKey,
    MissingRootKey,
    NotSealed,
    PassphraseNeeded,
    RootKeyExists,
    SealedFile,
    WrongPassphrase,
)
from vault.search import MOST_FOUND, Hits, NotIndexed, Sought, Term
from vault.shred import PROOF, DestroyedKey, Held, Place, Tombstone
from vault.signing import thumbprint
from vault.storing import Stored, SubjectFacts
from vault.suite import SUITES, BrokenSeal, MissingCipher, Suite
from vault.terms import InvalidTerms, TokenTerms
from vault.tokens import token_in
from vault.vault import Vault

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
