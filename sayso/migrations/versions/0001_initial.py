"""initial"""

import sqlalchemy as sa
from alembic import op

from sayso.migrations.guard import guard, prepare

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    prepare()
    op.create_table(
        "audit_actor",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("actor", sa.LargeBinary(), nullable=False),
        sa.Column("standing", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "tenant", "actor", "standing", name=op.f("audit_actor_pk")),
    )
    guard("audit_actor")
    op.create_table(
        "audit_bundle",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "log", "number", name=op.f("audit_bundle_pk")),
    )
    guard("audit_bundle")
    op.create_table(
        "audit_checkpoint",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "log", "size", name=op.f("audit_checkpoint_pk")),
    )
    guard("audit_checkpoint", append_only=True)
    op.create_table(
        "audit_class",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("class", sa.Text(), nullable=False),
        sa.Column("log", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "class", name=op.f("audit_class_pk")),
    )
    guard("audit_class")
    op.create_table(
        "audit_cosigned",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "origin", name=op.f("audit_cosigned_pk")),
    )
    guard("audit_cosigned")
    op.create_table(
        "audit_detail",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.Column("opening", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "entry", name=op.f("audit_detail_pk")),
    )
    guard("audit_detail")
    op.create_table(
        "audit_export",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("export", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("asked", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("cursor", sa.LargeBinary(), nullable=False),
        sa.Column("first", sa.LargeBinary(), nullable=False),
        sa.Column("hits", sa.BigInteger(), nullable=False),
        sa.Column("parts", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "export", name=op.f("audit_export_pk")),
    )
    guard("audit_export", replaced=True)
    op.create_table(
        "audit_export_head",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("export", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("hits", sa.BigInteger(), nullable=False),
        sa.Column("lowest", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "export", "number", name=op.f("audit_export_head_pk")),
    )
    guard("audit_export_head", replaced=True)
    op.create_table(
        "audit_export_part",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("export", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("leaves", sa.LargeBinary(), nullable=False),
        sa.Column("gathered", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "export", "number", name=op.f("audit_export_part_pk")),
    )
    guard("audit_export_part")
    op.create_table(
        "audit_index",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("leaf", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=True),
        sa.Column("actor", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "entry", name=op.f("audit_index_pk")),
    )
    guard("audit_index")
    op.create_index("audit_index_type_entry", "audit_index", ["tenant", "type", "entry"], unique=False)
    op.create_table(
        "audit_outbox",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("first", sa.LargeBinary(), nullable=False),
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("last", sa.LargeBinary(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "tenant", "first", name=op.f("audit_outbox_pk")),
    )
    guard("audit_outbox", replaced=True)
    op.create_table(
        "audit_pruned",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("below", sa.BigInteger(), nullable=False),
        sa.Column("first", sa.LargeBinary(), nullable=False),
        sa.Column("last", sa.LargeBinary(), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "log", name=op.f("audit_pruned_pk")),
    )
    guard("audit_pruned")
    op.create_table(
        "audit_subject",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.Column("opening", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "tenant", "subject", "entry", name=op.f("audit_subject_pk")),
    )
    guard("audit_subject")
    op.create_table(
        "audit_tile",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "log", "level", "number", name=op.f("audit_tile_pk")),
    )
    guard("audit_tile")
    op.create_table(
        "audit_timestamp",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("response", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "log", "size", name=op.f("audit_timestamp_pk")),
    )
    guard("audit_timestamp", append_only=True)
    op.create_table(
        "audit_tree",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("opened", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "log", name=op.f("audit_tree_pk")),
    )
    guard("audit_tree")
    op.create_table(
        "audit_witnessed",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "log", name=op.f("audit_witnessed_pk")),
    )
    guard("audit_witnessed")
    op.create_table(
        "consent_aid",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("aid", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "tenant", "aid", name=op.f("consent_aid_pk")),
    )
    guard("consent_aid")
    op.create_table(
        "consent_identifier",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("tag", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "tenant", "tag", name=op.f("consent_identifier_pk")),
    )
    guard("consent_identifier")
    op.create_table(
        "consent_identifier_of",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("tag", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("suppression", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "tenant", "subject", "tag", name=op.f("consent_identifier_of_pk")),
    )
    guard("consent_identifier_of")
    op.create_table(
        "consent_code",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("tag", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "tenant", "tag", name=op.f("consent_code_pk")),
    )
    op.create_index("consent_code_expires_at", "consent_code", ["bucket", "tenant", "expires_at"], unique=False)
    guard("consent_code", replaced=True)
    op.create_table(
        "consent_identity",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("event", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "tenant", "subject", "event", name=op.f("consent_identity_pk")),
    )
    guard("consent_identity", append_only=True)
    op.create_table(
        "consent_notice",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "notice", "version", name=op.f("consent_notice_pk")),
    )
    guard("consent_notice", append_only=True)
    op.create_table(
        "consent_notice_stage",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "notice", "version", "at", name=op.f("consent_notice_stage_pk")),
    )
    guard("consent_notice_stage", append_only=True)
    op.create_table(
        "consent_person",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("aid", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "tenant", "subject", name=op.f("consent_person_pk")),
    )
    guard("consent_person", replaced=True)
    op.create_table(
        "consent_preference",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "tenant", "subject", name=op.f("consent_preference_pk")),
    )
    guard("consent_preference", replaced=True)
    op.create_table(
        "consent_preference_change",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "tenant", "subject", "at", name=op.f("consent_preference_change_pk")),
    )
    guard("consent_preference_change")
    op.create_table(
        "consent_proof",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("held", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "tenant", "subject", "at", name=op.f("consent_proof_pk")),
    )
    guard("consent_proof", replaced=True)
    op.create_index("consent_proof_until", "consent_proof", ["bucket", "tenant", "until"], unique=False)
    op.create_table(
        "consent_purpose",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "purpose", "version", "revision", name=op.f("consent_purpose_pk")),
    )
    guard("consent_purpose", append_only=True)
    op.create_table(
        "consent_receipt_part",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "digest", name=op.f("consent_receipt_part_pk")),
    )
    guard("consent_receipt_part", append_only=True)
    op.create_table(
        "consent_record",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "tenant", "record", name=op.f("consent_record_pk")),
    )
    guard("consent_record", append_only=True)
    op.create_index("consent_record_subject_at", "consent_record", ["bucket", "tenant", "subject", "at"], unique=False)
    op.create_table(
        "consent_suppression",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("tag", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "tenant", "tag", name=op.f("consent_suppression_pk")),
    )
    guard("consent_suppression", replaced=True)
    op.create_index("consent_suppression_until", "consent_suppression", ["bucket", "tenant", "until"], unique=False)
    op.create_table(
        "feed",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("ref", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "shard", "position", name=op.f("feed_pk")),
    )
    guard("feed", replaced=True)
    op.create_table(
        "feed_courier",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("subscription", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.LargeBinary(), nullable=False),
        sa.Column("wakes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "subscription", name=op.f("feed_courier_pk")),
    )
    guard("feed_courier", replaced=True)
    op.create_table(
        "feed_delivery",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("subscription", sa.LargeBinary(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("ref", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("delivered", sa.BigInteger(), nullable=False),
        sa.Column("log", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "subscription", "position", name=op.f("feed_delivery_pk")),
    )
    guard("feed_delivery", replaced=True)
    for last in (("status", "due"), ("status", "at"), ("subject", "status")):
        op.create_index(
            "feed_delivery_subscription_" + "_".join(last),
            "feed_delivery",
            ["tenant", "subscription", *last],
            unique=False,
        )
    op.create_table(
        "feed_head",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("config", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "shard", name=op.f("feed_head_pk")),
    )
    guard("feed_head", replaced=True)
    op.create_table(
        "feed_subscription",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("subscription", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("client", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "subscription", name=op.f("feed_subscription_pk")),
    )
    guard("feed_subscription", replaced=True)
    op.create_table(
        "job",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("cursor", sa.LargeBinary(), nullable=False),
        sa.Column("share", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "name", name=op.f("job_pk")),
    )
    guard("job", replaced=True)
    op.create_table(
        "policies_aids",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("list", sa.LargeBinary(), nullable=False),
        sa.Column("first", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "tenant", "list", "first", name=op.f("policies_aids_pk")),
    )
    guard("policies_aids")
    op.create_table(
        "policies_answer",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "answer", name=op.f("policies_answer_pk")),
    )
    guard("policies_answer", append_only=True)
    op.create_table(
        "policies_audience",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "name", name=op.f("policies_audience_pk")),
    )
    guard("policies_audience", replaced=True)
    op.create_index("policies_audience_until", "policies_audience", ["tenant", "until"], unique=False)
    op.create_table(
        "rights_due",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("ends", sa.BigInteger(), nullable=False),
        sa.Column("facts", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "tenant", "subject", name=op.f("rights_due_pk")),
    )
    guard("rights_due", replaced=True)
    op.create_index("rights_due_due", "rights_due", ["bucket", "tenant", "due"], unique=False)
    op.create_index("rights_due_ends", "rights_due", ["bucket", "tenant", "ends"], unique=False)
    op.create_table(
        "rights_hold",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("hold", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "hold", name=op.f("rights_hold_pk")),
    )
    guard("rights_hold", replaced=True)
    op.create_table(
        "rights_hold_of",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("hold", sa.LargeBinary(), nullable=False),
        sa.Column("categories", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "tenant", "subject", "hold", name=op.f("rights_hold_of_pk")),
    )
    guard("rights_hold_of")
    op.create_table(
        "rights_request",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("private", sa.LargeBinary(), nullable=True),
        sa.Column("certificate", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("bucket", "tenant", "request", name=op.f("rights_request_pk")),
    )
    guard("rights_request", replaced=True)
    op.create_index("rights_request_subject", "rights_request", ["bucket", "tenant", "subject"], unique=False)
    op.create_table(
        "rights_task",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("task", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("again", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("told", sa.LargeBinary(), nullable=True),
        sa.Column("result", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "task", name=op.f("rights_task_pk")),
    )
    guard("rights_task", replaced=True)
    op.create_index("rights_task_request", "rights_task", ["tenant", "request"], unique=False)
    op.create_index(
        "rights_task_system_state_again", "rights_task", ["tenant", "system", "state", "again"], unique=False
    )
    op.create_index("rights_task_state_again", "rights_task", ["tenant", "state", "again"], unique=False)
    op.create_index("rights_task_state_due", "rights_task", ["tenant", "state", "due"], unique=False)
    op.create_table(
        "server_drp_request",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.Column("said", sa.LargeBinary(), nullable=False),
        sa.Column("waits", sa.SmallInteger(), nullable=False),
        sa.Column("told", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("again", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "request", name=op.f("server_drp_request_pk")),
    )
    guard("server_drp_request", replaced=True)
    op.create_index(
        "server_drp_request_waits_request", "server_drp_request", ["tenant", "waits", "request"], unique=False
    )
    op.create_table(
        "server_taken",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "digest", name=op.f("server_taken_pk")),
    )
    guard("server_taken")
    op.create_index("server_taken_until", "server_taken", ["tenant", "until"], unique=False)
    op.create_table(
        "rights_register",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("live", sa.SmallInteger(), nullable=False),
        sa.Column("due_on", sa.Text(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("law", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=False),
        sa.Column("late", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "request", name=op.f("rights_register_pk")),
    )
    guard("rights_register", replaced=True)
    op.create_index(
        "rights_register_live_due_on_request",
        "rights_register",
        ["tenant", "live", "due_on", "request"],
        unique=False,
    )
    op.create_index("rights_register_next_at", "rights_register", ["tenant", "next_at"], unique=False)
    op.create_index("rights_register_received_at", "rights_register", ["tenant", "received_at"], unique=False)
    op.create_table(
        "rights_check",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("sent", sa.BigInteger(), nullable=False),
        sa.Column("wrong", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "tenant", "subject", name=op.f("rights_check_pk")),
    )
    guard("rights_check", replaced=True)
    op.create_index("rights_check_since", "rights_check", ["bucket", "tenant", "since"], unique=False)
    op.create_table(
        "rights_unfinal",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "request", name=op.f("rights_unfinal_pk")),
    )
    guard("rights_unfinal")
    op.create_table(
        "server_client",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("client", sa.LargeBinary(), nullable=False),
        sa.Column("profile", sa.LargeBinary(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "name", name=op.f("server_client_pk")),
    )
    guard("server_client")
    op.create_table(
        "server_idempotency",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "tenant", "fingerprint", name=op.f("server_idempotency_pk")),
    )
    guard("server_idempotency", replaced=True)
    op.create_index("server_idempotency_until", "server_idempotency", ["bucket", "tenant", "until"], unique=False)
    op.create_table(
        "server_key",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("client", sa.LargeBinary(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("revoked", sa.BigInteger(), nullable=False),
        sa.Column("person", sa.LargeBinary(), nullable=False),
        sa.Column("maker", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "fingerprint", name=op.f("server_key_pk")),
    )
    guard("server_key")
    op.create_table(
        "server_mail",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("mail", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "mail", name=op.f("server_mail_pk")),
    )
    op.create_index("server_mail_next_at", "server_mail", ["tenant", "next_at"], unique=False)
    guard("server_mail", replaced=True)
    op.create_table(
        "server_manifest",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("author", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("approver", sa.LargeBinary(), nullable=False),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.Column("restores", sa.BigInteger(), nullable=False),
        sa.Column("glass", sa.SmallInteger(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("shipped", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "version", name=op.f("server_manifest_pk")),
        sa.CheckConstraint("approver <> author", name="server_manifest_two_people"),
    )
    guard("server_manifest", append_only=True)
    op.create_table(
        "server_package",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("progress", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "request", name=op.f("server_package_pk")),
    )
    guard("server_package", replaced=True)
    op.create_index("server_package_state", "server_package", ["tenant", "state"], unique=False)
    op.create_index("server_package_until", "server_package", ["tenant", "until"], unique=False)
    op.create_index("server_package_subject", "server_package", ["tenant", "subject"], unique=False)
    op.create_table(
        "server_package_part",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("part", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "request", "part", name=op.f("server_package_part_pk")),
    )
    guard("server_package_part", replaced=True)
    op.create_table(
        "server_proposal",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("proposal", sa.LargeBinary(), nullable=False),
        sa.Column("base", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("author", sa.LargeBinary(), nullable=False),
        sa.Column("client", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("restores", sa.BigInteger(), nullable=False),
        sa.Column("forced", sa.SmallInteger(), nullable=False),
        sa.Column("report", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "proposal", name=op.f("server_proposal_pk")),
    )
    guard("server_proposal", append_only=True)
    op.create_table(
        "server_restore",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("backup", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "backup", "at", name=op.f("server_restore_pk")),
    )
    guard("server_restore", replaced=True)
    op.create_table(
        "server_session",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ref", sa.LargeBinary(), nullable=False),
        sa.Column("assurance", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "tenant", "fingerprint", name=op.f("server_session_pk")),
    )
    guard("server_session")
    op.create_index("server_session_until", "server_session", ["bucket", "tenant", "until"], unique=False)
    op.create_table(
        "server_tenant",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("controller", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "name", name=op.f("server_tenant_pk")),
    )
    guard("server_tenant")
    op.create_table(
        "server_verdict",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("proposal", sa.LargeBinary(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("author", sa.LargeBinary(), nullable=False),
        sa.Column("decider", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("became", sa.BigInteger(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "proposal", name=op.f("server_verdict_pk")),
        sa.CheckConstraint("outcome <> 'approved' OR decider <> author", name="server_verdict_two_people"),
    )
    guard("server_verdict", append_only=True)
    op.create_table(
        "vault_epoch",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("root", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("gone_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "epoch", name=op.f("vault_epoch_pk")),
    )
    guard("vault_epoch", replaced=True)
    op.create_table(
        "vault_index",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("tag", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "tenant", "tag", "subject", name=op.f("vault_index_pk")),
        sqlite_with_rowid=False,
    )
    guard("vault_index")
    op.create_table(
        "vault_index_key",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "purpose", "version", name=op.f("vault_index_key_pk")),
    )
    guard("vault_index_key", replaced=True)
    op.create_table(
        "vault_index_of",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("tag", sa.LargeBinary(), nullable=False),
        sa.Column("key_version", sa.SmallInteger(), nullable=False),
        sa.Column("normaliser", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "bucket", "tenant", "subject", "collection", "field", "name", name=op.f("vault_index_of_pk")
        ),
        sqlite_with_rowid=False,
    )
    guard("vault_index_of", replaced=True)
    op.create_table(
        "vault_key",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("owner", sa.LargeBinary(), nullable=False),
        sa.Column("class", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("key_version", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.Column("uses", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "tenant", "owner", "class", name=op.f("vault_key_pk")),
        sqlite_with_rowid=False,
    )
    guard("vault_key", replaced=True)
    op.create_table(
        "vault_record",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("class", sa.Text(), nullable=False),
        sa.Column("blob", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "tenant", "subject", "collection", "field", name=op.f("vault_record_pk")),
        sqlite_with_rowid=False,
    )
    guard("vault_record", replaced=True)
    op.create_table(
        "vault_roll",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        sa.Column("grace", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "name", name=op.f("vault_roll_pk")),
    )
    guard("vault_roll", replaced=True)
    op.create_table(
        "vault_signing_key",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "purpose", "version", name=op.f("vault_signing_key_pk")),
    )
    guard("vault_signing_key", replaced=True)
    op.create_table(
        "vault_standing_key",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("owner", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "owner", name=op.f("vault_standing_key_pk")),
    )
    guard("vault_standing_key", replaced=True)
    op.create_table(
        "vault_token",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("key_version", sa.SmallInteger(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("uses", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "tenant", "fingerprint", name=op.f("vault_token_pk")),
        sqlite_with_rowid=False,
    )
    guard("vault_token", replaced=True)
    op.create_table(
        "vault_canary",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "tenant", "subject", name=op.f("vault_canary_pk")),
        sqlite_with_rowid=False,
    )
    guard("vault_canary")
    op.create_table(
        "vault_grant",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("client", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("said", sa.LargeBinary(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("vault_grant_pk")),
    )
    guard("vault_grant", replaced=True)
    op.create_table(
        "vault_token_end",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "ends_at", "fingerprint", name=op.f("vault_token_end_pk")),
        sqlite_with_rowid=False,
    )
    guard("vault_token_end")
    op.create_table(
        "vault_token_of",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=False),
        sa.Column("tag", sa.LargeBinary(), nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("blob", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "tenant", "subject", "tag", name=op.f("vault_token_of_pk")),
        sqlite_with_rowid=False,
    )
    guard("vault_token_of")
    op.create_table(
        "vault_tombstone",
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("tombstone", sa.LargeBinary(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("facts", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "tombstone", name=op.f("vault_tombstone_pk")),
    )
    guard("vault_tombstone", append_only=True)
    op.create_table(
        "vault_wear",
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("tenant", sa.Text(), nullable=False),
        sa.Column("owner", sa.LargeBinary(), nullable=False),
        sa.Column("class", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "tenant", "owner", "class", name=op.f("vault_wear_pk")),
    )
    guard("vault_wear")
