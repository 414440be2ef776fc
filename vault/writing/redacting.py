"""Text without the identity data in it: a token stands where each value stood.

Of a known person, a value that is stored of them gets its field's own token. Any other gets a random one that is
remembered under the person's key: the same value has the same token in all that is said with this person, nobody can
open it, and an erasure parts it from them. Without a person, tokens are good for this one text, and nothing is kept.
"""

from typing import Final

from msgspec import Struct

from audit import AuditLog
from sayso.kernel import LOG, TooLarge, Tx, Values, Work, together
from vault import events, store
from vault.ciphers.derive import hmac_sha256, parts
from vault.ciphers.index import TAG_BYTES
from vault.fields.collections import DATA, Collection, Field
from vault.keys import wear
from vault.keys.keyring import Keyring
from vault.keys.wrapped import DataKey
from vault.opening import canaries
from vault.records import stored as records
from vault.records.stored import Given, UnknownSubject
from vault.records.storing import SubjectFacts, tokens_for
from vault.tokens import rows as tokens
from vault.tokens.terms import TokenTerms
from vault.tokens.token import new_token
from vault.writing.finding import Finding

PLACE = "-redacted"
"""Stands where a token names its collection. None can be declared by that name, so these tokens lead nowhere."""


class Redacted(Struct, frozen=True):
    """The text, what was found in it (places are those of the text as it was given) with the tokens, and the entry."""

    text: str
    found: list[tuple[Finding, str]]
    entry: str

    def __repr__(self) -> str:
        return f"<Redacted {self.entry}>"


NO_PURPOSE: Final = "-"
"""What a leaf says of a call that is for none."""

MOST_COMPARED: Final = 20
"""Different values of one text that are compared with what is stored of the person."""


def redact(
    keyring: Keyring,
    audit: AuditLog,
    tx: Tx,
    text: str,
    findings: list[Finding],
    facts: SubjectFacts | None,
    collection: Collection | None,
    audience: str,
) -> Work[Redacted]:
    """See `Vault.redact`."""
    values = list(dict.fromkeys((each.kind, each.canonical) for each in findings))
    if collection is not None and len(values) > MOST_COMPARED:
        # Whoever may store could else try out thousands of values until one is the person's own.
        raise TooLarge(
            "too-many-values",
            f"A text beside a person's data holds {MOST_COMPARED} values at most.",
            limit=MOST_COMPARED,
        )
    if facts is None:
        token_of = {value: new_token() for value in values}
        entry = audit.append(tx, events.redacted(None, len(findings)), None)
        yield ()
    else:
        (canary,) = yield (canaries.read(tx, facts.subject),)
        token_of, log_key = yield from _tokens(keyring, tx, facts, collection, values, audience)
        entry = audit.append(tx, events.redacted(facts.subject, len(findings)), log_key)
        if canary is not None:
            canaries.sound(audit, tx, facts.subject, log_key, NO_PURPOSE)
    pieces, at = [], 0
    for each in findings:
        pieces += [text[at : each.start], token_of[each.kind, each.canonical]]
        at = each.end
    found = [(each, token_of[each.kind, each.canonical]) for each in findings]
    return Redacted("".join([*pieces, text[at:]]), found, entry)


def _tokens(
    keyring: Keyring,
    tx: Tx,
    facts: SubjectFacts,
    collection: Collection | None,
    values: list[tuple[str, str]],
    audience: str,
) -> Work[tuple[dict[tuple[str, str], str], DataKey]]:
    """A token for each value, and the person's log key. Raises `UnknownSubject`."""
    subject, tenant = facts.subject, tx.context.tenant
    kinds = {kind for kind, _ in values}
    # A guarded value is opened by nobody on the way, and a token with a limit is not made into one that lasts.
    fields = (
        [each for each in collection.fields.values() if each.type in kinds and not each.held_back] if collection else []
    )
    classes = sorted({LOG, DATA, *(field.retention for field in fields)})
    rows = yield tuple(keyring.read(tx, subject, cls) for cls in classes)
    key_rows = dict(zip(classes, rows, strict=True))
    log_key = keyring.unwrap(tenant, subject, LOG, key_rows[LOG])
    if not facts.known or facts.erased or log_key is None:
        raise UnknownSubject
    stored: list[Given] = yield from _stored(keyring, tx, subject, collection, fields)
    given = [item for item in stored if (item.field.type, item.canonical) in values]
    keys: dict[str, DataKey] = {}
    for cls, row in key_rows.items():
        # As in a store: an erasure on another node deletes these rows, and then this unit loses the race.
        if row is not None:
            wear.use(tx, subject, cls, row, len(values))
        if cls == DATA or cls in {item.field.retention for item in given}:
            keys[cls] = keyring.unwrap(tenant, subject, cls, row) or keyring.create(tx, subject, cls)
    yield from wear.settled(keyring, tx, *keys.values())
    token_of: dict[tuple[str, str], str] = {}
    if collection is not None and given:
        issued = yield from tokens_for(keyring, tx, subject, keys, set(), collection.name, given, audience)
        token_of = {(item.field.type, item.canonical): issued[item.field.name] for item in given}
    others = [value for value in values if value not in token_of]
    token_of |= yield from _surrogates(keyring, tx, keys[DATA], others, audience)
    return token_of, log_key


def _stored(
    keyring: Keyring, tx: Tx, subject: bytes, collection: Collection | None, fields: list[Field]
) -> Work[list[Given]]:
    """What is stored of the person in these fields."""

    def one(field: Field) -> Work[Given | None]:
        assert collection is not None
        record, key_row = yield records.reads(tx, keyring, subject, collection.name, field)
        value = yield from records.opened(tx, keyring, subject, collection.name, field, record, key_row)
        return None if value is None else records.given(field, value)

    found = yield from together(one(field) for field in fields)
    return [item for item in found if item is not None]


def _surrogates(
    keyring: Keyring, tx: Tx, key: DataKey, values: list[tuple[str, str]], audience: str
) -> Work[dict[tuple[str, str], str]]:
    """Tokens that stand for values nobody keeps."""
    secret = key.derive("token")
    tags = {
        (kind, normal): hmac_sha256(secret, parts(audience.encode(), PLACE.encode(), kind.encode(), normal.encode()))
        for kind, normal in values
    }
    found: tuple[Values | None, ...] = yield tuple(
        tx.get(store.TOKEN_OF, key.owner, tag[:TAG_BYTES]) for tag in tags.values()
    )
    secrets = keyring.of(tx.context.tenant).token
    token_of: dict[tuple[str, str], str] = {}
    for (value, whole), row in zip(tags.items(), found, strict=True):
        tag = whole[:TAG_BYTES]
        if row is not None:
            token_of[value] = tokens.reopened(key, tag, row)
        else:
            token_of[value] = tokens.issue(tx, secrets, key, tag, PLACE, value[0], audience, TokenTerms())
    return token_of
