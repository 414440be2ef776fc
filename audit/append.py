"""The hot path: an event becomes a leaf in the outbox, and its openings are sealed. No reads, no lock, no await.

Everything goes into the caller's write-set, so the entry and the change it tells of commit together or not at all.
"""

import os
from hashlib import blake2b
from typing import NamedTuple

from msgspec import UNSET, UnsetType

from audit import outbox
from audit.leaf import encoding
from audit.leaf.commitment import COLLECTION, OPENING_LABEL, TAG_LABEL, actor_r, commit, standing_name, tag
from audit.leaf.entry import VERSION, AuditEvent, Commitments, Leaf, Tags
from audit.leaf.vocabulary import is_external
from audit.tables import ACTOR, DETAIL, OUTBOX, SUBJECT
from sayso.kernel import TENANT_OWNER, Actor, Invalid, Key, Sealer, Tx, new_raw, raw

_ACTOR_LABEL = "sayso.audit.actor.v1"
_REMEMBERED = 4096

# One draw of randomness serves an entry: its nonce, the keys of two commitments, and what fills in for an actor or a
# tag that cannot be made.
_NONCE = slice(0, 16)
_R_D = slice(16, 48)
_R_S = slice(48, 80)
_FILL_S = slice(80, 96)
_DRAW = 96


class _Standing(NamedTuple):
    """An actor as entries keep them: the owner of their row, the key behind it and what is derived from that, who
    exactly it was, how that is printed, and the row.
    """

    owner: bytes
    key: Key
    tag_key: bytes
    secret: bytes
    actor: Actor
    payload: bytes
    name: bytes
    sealed: bytes

    @classmethod
    def of(cls, owner: bytes, key: Key, actor: Actor) -> "_Standing":
        payload, secret = encoding.encode_actor(actor), key.derive(OPENING_LABEL)
        name = standing_name(secret, payload)
        sealed = key.seal(COLLECTION, name.hex() + "/a", payload)
        return cls(owner, key, key.derive(TAG_LABEL), secret, actor, payload, name, sealed)


class Appender:
    """Writes entries on behalf of `node`, which stands in each leaf as `src`."""

    def __init__(self, sealer: Sealer, node: str) -> None:
        self._sealer = sealer
        self._node = node
        self._standing: dict[tuple[str, str], _Standing] = {}

    def append(self, tx: Tx, event: AuditEvent, subject_key: Key | None, log_class: str) -> str:
        """Add the entry to `tx`; returns its id. `AuditLog.append` says what the arguments mean."""
        made = self.made(tx, event, subject_key)
        tx.pack(OUTBOX, log_class, made.entry, outbox.pack(*made))
        return "ent_" + made.entry.hex()

    def made(self, tx: Tx, event: AuditEvent, subject_key: Key | None) -> outbox.Pending:
        """The entry, with its openings in `tx`, and itself nowhere yet."""
        encoding.check(event)
        context = tx.context
        entry = new_raw()
        entry_id = "ent_" + entry.hex()
        noise = os.urandom(_DRAW)
        nonce = noise[_NONCE]
        subject = event.subject

        link = None
        acting = self._acting(context.tenant, context.actor, subject, subject_key)
        owner = acting.owner if acting is not None else TENANT_OWNER
        subject_commitment: bytes | UnsetType = UNSET
        subject_tag: bytes | UnsetType = UNSET
        detail_commitment: bytes | UnsetType = UNSET
        detail = b""
        if event.detail:
            payload = encoding.encode_detail(event.type, event.detail)
            detail_commitment = commit(noise[_R_D], b"d", entry, payload)
            detail = noise[_R_D] + payload

        if subject is not None and subject_key is not None:
            subject_commitment = commit(noise[_R_S], b"s", entry, encoding.encode_subject(subject))
            subject_tag = tag(subject_key.derive(TAG_LABEL), nonce)
            link = subject
            tx.insert(SUBJECT, subject, entry, subject_key.seal(COLLECTION, entry_id + "/s", noise[_R_S] + detail))
        else:
            if subject is not None:
                # A person without a key, unknown or erased: nobody can tell these from a commitment and a tag.
                subject_commitment = noise[_R_S]
                subject_tag = noise[_FILL_S]
            if detail and not (subject is not None and is_external(event.type)):
                # What others say of somebody who is gone would stay here, where no erasure reaches it.
                tenant_key = self._sealer.standing(context.tenant, TENANT_OWNER)
                tx.insert(DETAIL, entry, tenant_key.seal(COLLECTION, entry_id + "/d", detail))

        if acting is not None:
            actor_commitment = commit(actor_r(acting.secret, entry), b"a", entry, acting.payload)
            actor_tag = tag(acting.tag_key, nonce)
            tx.once(ACTOR, owner, acting.name, acting.sealed)
        else:
            fill = os.urandom(32 + 16)
            actor_commitment, actor_tag = fill[:32], fill[32:]

        leaf = Leaf(
            actor_class=context.actor.kind,
            c=Commitments(actor_commitment, detail_commitment, subject_commitment),
            id=entry_id,
            n=nonce,
            org=context.tenant,
            out=event.out,
            pol=event.pol or UNSET,
            res=event.res,
            src=self._node,
            t=Tags(actor_tag, subject_tag),
            ts=context.at,
            type=event.type,
            v=VERSION,
        )
        return outbox.Pending(entry, encoding.encode_leaf(leaf), link, owner)

    def _acting(self, tenant: str, actor: Actor, subject: bytes | None, subject_key: Key | None) -> _Standing | None:
        """What the entry keeps of its actor; None for a person who has no key here."""
        if actor.kind == "person":
            # A person's own act lies under that person's key alone, so that erasure reaches it.
            if subject is not None and subject_key is not None and actor.id == "sub_" + subject.hex():
                return _Standing.of(subject, subject_key, actor)
            return None
        known = self._standing.get((tenant, actor.id))
        owner = known.owner if known is not None else self.owner_of(tenant, actor.id)
        key = self._sealer.standing(tenant, owner)
        if known is not None and known.key is key and known.actor == actor:
            return known
        if len(self._standing) >= _REMEMBERED:
            self._standing.clear()
        found = self._standing[tenant, actor.id] = _Standing.of(owner, key, actor)
        return found

    def owner_of(self, tenant: str, actor_id: str) -> bytes:
        """The 16 bytes under which an actor's entries are kept: the id's own, or a keyed digest of a name that is no
        id.
        """
        try:
            return raw(actor_id)
        except Invalid:
            key = self._sealer.standing(tenant, TENANT_OWNER).derive(_ACTOR_LABEL)
            return blake2b(actor_id.encode(), digest_size=16, key=key).digest()
