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
)
"""What erasure leaves of an identifier: nobody can be made to say yes by importing it again before `until`."""

consent_proof = subject_table(
    "consent_proof",
    column("subject", LargeBinary),
    column("at", BigInteger),
    column("until", BigInteger),
    column("sealed", LargeBinary),
    key=("subject", "at"),
)
"""What erasure keeps to answer a legal claim: which notice, which choice, when. Under a key of class `proof`."""

consent_link = subject_table(
    "consent_link",
    column("code", LargeBinary),
    column("version", BigInteger),
    column("subject", LargeBinary),
    column("expires_at", BigInteger),
    column("used_at", BigInteger),
    owner="code",
    key=("code",),
)
"""One-time links to the preference page, by the hash of their code."""

consent_purpose = tenant_table(
    "consent_purpose",
    column("purpose", Text),
    column("version", BigInteger),
    column("at", BigInteger),
    column("content", LargeBinary),
    key=("purpose", "version"),
    append_only=True,
)
"""Every published version of a purpose."""

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
