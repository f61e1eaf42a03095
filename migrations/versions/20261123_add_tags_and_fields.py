"""Keep the tags and fields of a branch, and what they say of people and workplaces."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261123_add_tags_and_fields"
down_revision = "20261123_print_talk_sheets"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "custom_field",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "subject",
            sa.Enum(
                "contact",
                "workplace",
                name="field_subject",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "choice",
                "yes_no",
                "number",
                "day",
                "text",
                name="field_kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("name_key", sa.String(length=200), nullable=False),
        sa.Column("hint", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("retired_on", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["user_account.id"], name=op.f("fk_custom_field_created_by_id")
        ),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_custom_field_place_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custom_field")),
        sa.UniqueConstraint(
            "place_id",
            "subject",
            "name_key",
            name=op.f("uq_custom_field_place_id_subject_name_key"),
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_custom_field_public_id")),
    )
    with op.batch_alter_table("custom_field", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_custom_field_place_id"), ["place_id"], unique=False)

    op.create_table(
        "tag",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "subject",
            sa.Enum(
                "contact",
                "workplace",
                name="field_subject",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("name_key", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("retired_on", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["user_account.id"], name=op.f("fk_tag_created_by_id")
        ),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_tag_place_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tag")),
        sa.UniqueConstraint(
            "place_id", "subject", "name_key", name=op.f("uq_tag_place_id_subject_name_key")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_tag_public_id")),
    )
    with op.batch_alter_table("tag", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tag_place_id"), ["place_id"], unique=False)

    op.create_table(
        "contact_tag",
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tag_id", sa.Integer(), nullable=False),
        sa.Column("set_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_contact_tag_contact_id")
        ),
        sa.ForeignKeyConstraint(
            ["set_by_id"], ["user_account.id"], name=op.f("fk_contact_tag_set_by_id")
        ),
        sa.ForeignKeyConstraint(["tag_id"], ["tag.id"], name=op.f("fk_contact_tag_tag_id")),
        sa.PrimaryKeyConstraint("contact_id", "tag_id", name=op.f("pk_contact_tag")),
    )
    with op.batch_alter_table("contact_tag", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contact_tag_contact_id"), ["contact_id"], unique=False)

    op.create_table(
        "field_choice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("field_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("name_key", sa.String(length=200), nullable=False),
        sa.Column("retired_on", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["field_id"], ["custom_field.id"], name=op.f("fk_field_choice_field_id")
        ),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_field_choice_place_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_field_choice")),
        sa.UniqueConstraint("field_id", "name_key", name=op.f("uq_field_choice_field_id_name_key")),
        sa.UniqueConstraint("public_id", name=op.f("uq_field_choice_public_id")),
    )
    with op.batch_alter_table("field_choice", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_field_choice_field_id"), ["field_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_field_choice_place_id"), ["place_id"], unique=False)

    op.create_table(
        "place_tag",
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tag_id", sa.Integer(), nullable=False),
        sa.Column("set_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_place_tag_place_id")),
        sa.ForeignKeyConstraint(
            ["set_by_id"], ["user_account.id"], name=op.f("fk_place_tag_set_by_id")
        ),
        sa.ForeignKeyConstraint(["tag_id"], ["tag.id"], name=op.f("fk_place_tag_tag_id")),
        sa.PrimaryKeyConstraint("place_id", "tag_id", name=op.f("pk_place_tag")),
    )
    with op.batch_alter_table("place_tag", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_place_tag_place_id"), ["place_id"], unique=False)

    op.create_table(
        "contact_answer",
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text_value", sa.String(length=300), nullable=True),
        sa.Column("number_value", sa.Double(), nullable=True),
        sa.Column("day_value", sa.Date(), nullable=True),
        sa.Column("flag_value", sa.Boolean(), nullable=True),
        sa.Column("field_id", sa.Integer(), nullable=False),
        sa.Column("choice_id", sa.Integer(), nullable=True),
        sa.Column("set_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "CASE WHEN text_value IS NULL THEN 0 ELSE 1 END + CASE WHEN number_value IS NULL THEN 0 ELSE 1 END + CASE WHEN day_value IS NULL THEN 0 ELSE 1 END + CASE WHEN flag_value IS NULL THEN 0 ELSE 1 END + CASE WHEN choice_id IS NULL THEN 0 ELSE 1 END = 1",
            name=op.f("ck_contact_answer_one_answer"),
        ),
        sa.ForeignKeyConstraint(
            ["choice_id"], ["field_choice.id"], name=op.f("fk_contact_answer_choice_id")
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_contact_answer_contact_id")
        ),
        sa.ForeignKeyConstraint(
            ["field_id"], ["custom_field.id"], name=op.f("fk_contact_answer_field_id")
        ),
        sa.ForeignKeyConstraint(
            ["set_by_id"], ["user_account.id"], name=op.f("fk_contact_answer_set_by_id")
        ),
        sa.PrimaryKeyConstraint("contact_id", "field_id", name=op.f("pk_contact_answer")),
    )
    with op.batch_alter_table("contact_answer", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_contact_answer_choice_id"), ["choice_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_contact_answer_contact_id"), ["contact_id"], unique=False
        )

    op.create_table(
        "place_answer",
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text_value", sa.String(length=300), nullable=True),
        sa.Column("number_value", sa.Double(), nullable=True),
        sa.Column("day_value", sa.Date(), nullable=True),
        sa.Column("flag_value", sa.Boolean(), nullable=True),
        sa.Column("field_id", sa.Integer(), nullable=False),
        sa.Column("choice_id", sa.Integer(), nullable=True),
        sa.Column("set_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "CASE WHEN text_value IS NULL THEN 0 ELSE 1 END + CASE WHEN number_value IS NULL THEN 0 ELSE 1 END + CASE WHEN day_value IS NULL THEN 0 ELSE 1 END + CASE WHEN flag_value IS NULL THEN 0 ELSE 1 END + CASE WHEN choice_id IS NULL THEN 0 ELSE 1 END = 1",
            name=op.f("ck_place_answer_one_answer"),
        ),
        sa.ForeignKeyConstraint(
            ["choice_id"], ["field_choice.id"], name=op.f("fk_place_answer_choice_id")
        ),
        sa.ForeignKeyConstraint(
            ["field_id"], ["custom_field.id"], name=op.f("fk_place_answer_field_id")
        ),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_place_answer_place_id")),
        sa.ForeignKeyConstraint(
            ["set_by_id"], ["user_account.id"], name=op.f("fk_place_answer_set_by_id")
        ),
        sa.PrimaryKeyConstraint("place_id", "field_id", name=op.f("pk_place_answer")),
    )
    with op.batch_alter_table("place_answer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_place_answer_choice_id"), ["choice_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_place_answer_place_id"), ["place_id"], unique=False)


def downgrade() -> None:
    """Take the tables away."""
    with op.batch_alter_table("place_answer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_place_answer_place_id"))
        batch_op.drop_index(batch_op.f("ix_place_answer_choice_id"))

    op.drop_table("place_answer")
    with op.batch_alter_table("contact_answer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contact_answer_contact_id"))
        batch_op.drop_index(batch_op.f("ix_contact_answer_choice_id"))

    op.drop_table("contact_answer")
    with op.batch_alter_table("place_tag", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_place_tag_place_id"))

    op.drop_table("place_tag")
    with op.batch_alter_table("field_choice", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_field_choice_place_id"))
        batch_op.drop_index(batch_op.f("ix_field_choice_field_id"))

    op.drop_table("field_choice")
    with op.batch_alter_table("contact_tag", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contact_tag_contact_id"))

    op.drop_table("contact_tag")
    with op.batch_alter_table("tag", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_tag_place_id"))

    op.drop_table("tag")
    with op.batch_alter_table("custom_field", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_custom_field_place_id"))

    op.drop_table("custom_field")
