"""The registry's tables. Nothing here names a person: identifiers lie as blind tags, records under keys that can be
destroyed.

The layout of the packed and sealed columns is docs/formats/consent.md.
"""

from sqlalchemy import BigInteger, LargeBinary, Text

from sayso.kernel.schema import column, subject_table, tenant_table

consent_person = subject_table(
    "consent_person",
    column("subject", LargeBinary),
    column("version", BigInteger),
    column("aid", BigInteger),
    column("since", BigInteger),
    column("state", LargeBinary),
)
"""One row per person: the state that decides. `since` is the instant of the newest choice; an erased person keeps a
tombstone.
"""

consent_record = subject_table(
    "consent_record",
    column("record", LargeBinary),
    column("subject", LargeBinary, nullable=True),
    column("at", BigInteger),
    column("sealed", LargeBinary),
    key=("record",),
    indexes=[("subject", "at")],
    append_only=True,
)
"""Every act of choosing. `subject` is null where nobody is named: a browser's refusal of everything."""

consent_identifier = subject_table(
    "consent_identifier",
    column("tag", LargeBinary),
    column("subject", LargeBinary),
    column("kind", Text),
    column("at", BigInteger),
    owner="tag",
    key=("tag",),
)
"""Blind tag of an identifier to the person. Its primary key is what makes racing first sights one person."""

consent_identifier_of = subject_table(
    "consent_identifier_of",
    column("subject", LargeBinary),
    column("tag", LargeBinary),
    column("kind", Text),
    column("suppression", LargeBinary),
    key=("subject", "tag"),
)
"""A person's identifiers. `suppression` is the tag, under another key, that stands in their place after an erasure."""

consent_identity = subject_table(
    "consent_identity",
    column("subject", LargeBinary),
    column("event", LargeBinary),
    column("at", BigInteger),
    column("sealed", LargeBinary),
    key=("subject", "event"),
    append_only=True,
)
"""What happened to a person's identifiers: linked, unlinked, merged, split."""

consent_aid = subject_table(
    "consent_aid", column("aid", LargeBinary), column("subject", LargeBinary), owner="aid", key=("aid",)
)
"""The person's number in audience lists (8 bytes, big-endian). Deleted by erasure, never given again."""

consent_suppression = subject_table(
    "consent_suppression",
    column("tag", LargeBinary),
    column("version", BigInteger),
    column("scope", Text),
    column("until", BigInteger),
    column("at", BigInteger),
    owner="tag",
    key=("tag",),
    indexes=[("until",)],
)
"""What erasure leaves of an identifier: nobody can be made to say yes by importing it again before `until`."""

consent_proof = subject_table(
    "consent_proof",
    column("subject", LargeBinary),
    column("at", BigInteger),
    column("version", BigInteger),
    column("until", BigInteger),
    column("held", BigInteger),
    column("sealed", LargeBinary),
    key=("subject", "at"),
    indexes=[("until",)],
)
"""What erasure keeps to answer a legal claim: which notice, which choice, when. Under a key of class `proof`, which is
destroyed after `until`, unless `held`, the count of legal holds over it, says otherwise.
"""

consent_code = subject_table(
    "consent_code",
    column("tag", LargeBinary),
    column("version", BigInteger),
    column("purpose", Text),
    column("subject", LargeBinary),
    column("secret", LargeBinary),
    column("sealed", LargeBinary),
    column("at", BigInteger),
    column("expires_at", BigInteger),
    column("tries", BigInteger),
    column("used_at", BigInteger),
    owner="tag",
    key=("tag",),
    indexes=[("expires_at",)],
)
"""One-time codes: by the hash of a link's code, or by the challenge that digits answer (`secret`: keyed, of those)."""

consent_preference = subject_table(
    "consent_preference",
    column("subject", LargeBinary),
    column("version", BigInteger),
    column("sealed", LargeBinary),
)
"""What a person told about themselves, as it stands. Deleted by an erasure."""

consent_preference_change = subject_table(
    "consent_preference_change",
    column("subject", LargeBinary),
    column("at", BigInteger),
    column("sealed", LargeBinary),
    key=("subject", "at"),
)
"""Each change of it. Deleted by an erasure, hence not append-only."""

consent_purpose = tenant_table(
    "consent_purpose",
    column("purpose", Text),
    column("version", BigInteger),
    column("revision", BigInteger),
    column("at", BigInteger),
    column("content", LargeBinary),
    key=("purpose", "version", "revision"),
    append_only=True,
)
"""Every published version of a purpose, and every wording within a version."""

consent_notice = tenant_table(
    "consent_notice",
    column("notice", Text),
    column("version", BigInteger),
    column("at", BigInteger),
    column("hash", Text),
    column("content", LargeBinary),
    key=("notice", "version"),
    append_only=True,
)
"""Every published version of a notice, with the texts of all its locales."""

consent_notice_stage = tenant_table(
    "consent_notice_stage",
    column("notice", Text),
    column("version", BigInteger),
    column("at", BigInteger),
    column("stage", Text),
    column("hash", Text),
    column("actor", Text),
    column("content", LargeBinary),
    key=("notice", "version", "at"),
    append_only=True,
)
"""Every step of a notice version from draft to published: with which content, and who said so."""

consent_receipt_part = tenant_table(
    "consent_receipt_part",
    column("digest", LargeBinary),
    column("text", LargeBinary),
    key=("digest",),
    append_only=True,
)
"""What receipts have in common, once, by the first 16 bytes of its SHA-256 (`receipt_parts.py`). Nothing personal."""
