"""Hold ballots"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261123_hold_ballots"
down_revision = "20261123_make_two_records_one"


def upgrade() -> None:
    """Add ballots with their questions, parts, lists, counts and projections."""
    op.create_table(
        "ballot",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "action",
                "reballot",
                "recognition",
                "indicative",
                name="ballot_kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("union_id", sa.Integer(), nullable=False),
        sa.Column("jurisdiction", sa.String(length=8), nullable=False),
        sa.Column("separate", sa.Boolean(), nullable=False),
        sa.Column("important_public_service", sa.Boolean(), nullable=True),
        sa.Column("employer_agreed", sa.Boolean(), nullable=False),
        sa.Column("applied_on", sa.Date(), nullable=True),
        sa.Column("opens_on", sa.Date(), nullable=True),
        sa.Column("closes_on", sa.Date(), nullable=True),
        sa.Column("last_post_on", sa.Date(), nullable=True),
        sa.Column("ballot_notice_on", sa.Date(), nullable=True),
        sa.Column("members_told_on", sa.Date(), nullable=True),
        sa.Column("employers_told_on", sa.Date(), nullable=True),
        sa.Column("action_notice_on", sa.Date(), nullable=True),
        sa.Column("action_starts_on", sa.Date(), nullable=True),
        sa.Column("action_continuous", sa.Boolean(), nullable=True),
        sa.Column("action_days", sa.String(length=300), nullable=True),
        sa.Column("frozen_on", sa.Date(), nullable=True),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("declared_on", sa.Date(), nullable=True),
        sa.Column("called_off_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(frozen_on IS NULL) = (frozen_at IS NULL)", name=op.f("ck_ballot_frozen_at_a_moment")
        ),
        sa.CheckConstraint(
            "opens_on IS NULL OR closes_on IS NULL OR closes_on >= opens_on",
            name=op.f("ck_ballot_dates_in_order"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["user_account.id"], name=op.f("fk_ballot_created_by_id")
        ),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_ballot_place_id")),
        sa.ForeignKeyConstraint(["union_id"], ["trade_union.id"], name=op.f("fk_ballot_union_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ballot")),
        sa.UniqueConstraint("public_id", name=op.f("uq_ballot_public_id")),
    )
    with op.batch_alter_table("ballot", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ballot_place_id"), ["place_id"], unique=False)

    op.create_table(
        "ballot_exclusion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                "not_a_member",
                "not_known_to_be_a_member",
                "other_employer",
                "not_called_out",
                "agreed_to_leave_out",
                name="not_entitled",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.Column("ballot_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ballot_id"], ["ballot.id"], name=op.f("fk_ballot_exclusion_ballot_id")
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_ballot_exclusion_contact_id")
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["user_account.id"], name=op.f("fk_ballot_exclusion_made_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["place_id"], ["place.id"], name=op.f("fk_ballot_exclusion_place_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ballot_exclusion")),
        sa.UniqueConstraint("public_id", name=op.f("uq_ballot_exclusion_public_id")),
    )
    with op.batch_alter_table("ballot_exclusion", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_ballot_exclusion_ballot_id"), ["ballot_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_ballot_exclusion_contact_id"), ["contact_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_ballot_exclusion_place_id"), ["place_id"], unique=False
        )

    op.create_table(
        "ballot_part",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("jurisdiction", sa.String(length=8), nullable=False),
        sa.Column("stated_members", sa.Integer(), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.Column("ballot_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "stated_members IS NULL OR stated_members >= 0",
            name=op.f("ck_ballot_part_stated_not_negative"),
        ),
        sa.ForeignKeyConstraint(
            ["ballot_id"], ["ballot.id"], name=op.f("fk_ballot_part_ballot_id")
        ),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_ballot_part_place_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ballot_part")),
        sa.UniqueConstraint(
            "ballot_id", "place_id", name=op.f("uq_ballot_part_ballot_id_place_id")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_ballot_part_public_id")),
    )
    with op.batch_alter_table("ballot_part", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ballot_part_ballot_id"), ["ballot_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_ballot_part_place_id"), ["place_id"], unique=False)

    op.create_table(
        "ballot_question",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "strike",
                "short_of_strike",
                "recognition",
                "other",
                name="question_kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("words", sa.String(length=200), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.Column("ballot_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ballot_id"], ["ballot.id"], name=op.f("fk_ballot_question_ballot_id")
        ),
        sa.ForeignKeyConstraint(
            ["place_id"], ["place.id"], name=op.f("fk_ballot_question_place_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ballot_question")),
        sa.UniqueConstraint(
            "ballot_id", "number", name=op.f("uq_ballot_question_ballot_id_number")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_ballot_question_public_id")),
    )
    with op.batch_alter_table("ballot_question", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_ballot_question_ballot_id"), ["ballot_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_ballot_question_place_id"), ["place_id"], unique=False)

    op.create_table(
        "vote_told",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "said",
            sa.Enum(
                "voted",
                "will_vote",
                "not_yet",
                "rather_not_say",
                name="vote_word",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=True,
        ),
        sa.Column("new_paper_asked", sa.Boolean(), nullable=False),
        sa.Column("new_paper_sent", sa.Boolean(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.Column("ballot_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["ballot_id"], ["ballot.id"], name=op.f("fk_vote_told_ballot_id")),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_vote_told_contact_id")
        ),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_vote_told_place_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vote_told")),
        sa.UniqueConstraint(
            "ballot_id", "contact_id", name=op.f("uq_vote_told_ballot_id_contact_id")
        ),
    )
    with op.batch_alter_table("vote_told", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vote_told_ballot_id"), ["ballot_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_vote_told_contact_id"), ["contact_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_vote_told_place_id"), ["place_id"], unique=False)

    op.create_table(
        "ballot_count",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.Integer(), nullable=False),
        sa.Column("part_id", sa.Integer(), nullable=True),
        sa.Column("entitled", sa.Integer(), nullable=True),
        sa.Column("cast", sa.Integer(), nullable=True),
        sa.Column("yes", sa.Integer(), nullable=True),
        sa.Column("no", sa.Integer(), nullable=True),
        sa.Column("spoiled", sa.Integer(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by_id", sa.Integer(), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.Column("ballot_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ballot_id"], ["ballot.id"], name=op.f("fk_ballot_count_ballot_id")
        ),
        sa.ForeignKeyConstraint(
            ["part_id"], ["ballot_part.id"], name=op.f("fk_ballot_count_part_id")
        ),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_ballot_count_place_id")),
        sa.ForeignKeyConstraint(
            ["question_id"], ["ballot_question.id"], name=op.f("fk_ballot_count_question_id")
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"], ["user_account.id"], name=op.f("fk_ballot_count_recorded_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ballot_count")),
        sa.UniqueConstraint("public_id", name=op.f("uq_ballot_count_public_id")),
    )
    with op.batch_alter_table("ballot_count", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ballot_count_ballot_id"), ["ballot_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_ballot_count_place_id"), ["place_id"], unique=False)
        batch_op.create_index(
            "ix_ballot_count_question_part", ["question_id", "part_id"], unique=False
        )

    op.create_table(
        "ballot_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("part_id", sa.Integer(), nullable=False),
        sa.Column("entitled", sa.Boolean(), nullable=False),
        sa.Column(
            "left_out",
            sa.Enum(
                "not_a_member",
                "not_known_to_be_a_member",
                "other_employer",
                "not_called_out",
                "agreed_to_leave_out",
                name="not_entitled",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("category", sa.String(length=120), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.Column("ballot_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(left_out IS NULL) = (entitled = true)",
            name=op.f("ck_ballot_entry_left_out_with_a_reason"),
        ),
        sa.ForeignKeyConstraint(
            ["ballot_id"], ["ballot.id"], name=op.f("fk_ballot_entry_ballot_id")
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_ballot_entry_contact_id")
        ),
        sa.ForeignKeyConstraint(
            ["part_id"], ["ballot_part.id"], name=op.f("fk_ballot_entry_part_id")
        ),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_ballot_entry_place_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ballot_entry")),
        sa.UniqueConstraint(
            "ballot_id", "contact_id", name=op.f("uq_ballot_entry_ballot_id_contact_id")
        ),
        sa.UniqueConstraint("public_id", name=op.f("uq_ballot_entry_public_id")),
    )
    with op.batch_alter_table("ballot_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ballot_entry_ballot_id"), ["ballot_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_ballot_entry_contact_id"), ["contact_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_ballot_entry_part_id"), ["part_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_ballot_entry_place_id"), ["place_id"], unique=False)

    op.create_table(
        "ballot_forecast",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("part_id", sa.Integer(), nullable=True),
        sa.Column("made_on", sa.Date(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=True),
        sa.Column("entitled", sa.Integer(), nullable=False),
        sa.Column("not_asked", sa.Integer(), nullable=False),
        sa.Column("turnout_low", sa.Double(), nullable=False),
        sa.Column("turnout_median", sa.Double(), nullable=False),
        sa.Column("turnout_high", sa.Double(), nullable=False),
        sa.Column("yes_low", sa.Double(), nullable=False),
        sa.Column("yes_median", sa.Double(), nullable=False),
        sa.Column("yes_high", sa.Double(), nullable=False),
        sa.Column("turnout_points", sa.JSON(), nullable=False),
        sa.Column("chance", sa.Double(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.Column("ballot_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ballot_id"], ["ballot.id"], name=op.f("fk_ballot_forecast_ballot_id")
        ),
        sa.ForeignKeyConstraint(
            ["made_by_id"], ["user_account.id"], name=op.f("fk_ballot_forecast_made_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["part_id"], ["ballot_part.id"], name=op.f("fk_ballot_forecast_part_id")
        ),
        sa.ForeignKeyConstraint(
            ["place_id"], ["place.id"], name=op.f("fk_ballot_forecast_place_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ballot_forecast")),
        sa.UniqueConstraint("public_id", name=op.f("uq_ballot_forecast_public_id")),
    )
    with op.batch_alter_table("ballot_forecast", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_ballot_forecast_ballot_id"), ["ballot_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_ballot_forecast_place_id"), ["place_id"], unique=False)


def downgrade() -> None:
    """Take ballots away."""
    with op.batch_alter_table("ballot_forecast", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ballot_forecast_place_id"))
        batch_op.drop_index(batch_op.f("ix_ballot_forecast_ballot_id"))

    op.drop_table("ballot_forecast")
    with op.batch_alter_table("ballot_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ballot_entry_place_id"))
        batch_op.drop_index(batch_op.f("ix_ballot_entry_part_id"))
        batch_op.drop_index(batch_op.f("ix_ballot_entry_contact_id"))
        batch_op.drop_index(batch_op.f("ix_ballot_entry_ballot_id"))

    op.drop_table("ballot_entry")
    with op.batch_alter_table("ballot_count", schema=None) as batch_op:
        batch_op.drop_index("ix_ballot_count_question_part")
        batch_op.drop_index(batch_op.f("ix_ballot_count_place_id"))
        batch_op.drop_index(batch_op.f("ix_ballot_count_ballot_id"))

    op.drop_table("ballot_count")
    with op.batch_alter_table("vote_told", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_vote_told_place_id"))
        batch_op.drop_index(batch_op.f("ix_vote_told_contact_id"))
        batch_op.drop_index(batch_op.f("ix_vote_told_ballot_id"))

    op.drop_table("vote_told")
    with op.batch_alter_table("ballot_question", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ballot_question_place_id"))
        batch_op.drop_index(batch_op.f("ix_ballot_question_ballot_id"))

    op.drop_table("ballot_question")
    with op.batch_alter_table("ballot_part", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ballot_part_place_id"))
        batch_op.drop_index(batch_op.f("ix_ballot_part_ballot_id"))

    op.drop_table("ballot_part")
    with op.batch_alter_table("ballot_exclusion", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ballot_exclusion_place_id"))
        batch_op.drop_index(batch_op.f("ix_ballot_exclusion_contact_id"))
        batch_op.drop_index(batch_op.f("ix_ballot_exclusion_ballot_id"))

    op.drop_table("ballot_exclusion")
    with op.batch_alter_table("ballot", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ballot_place_id"))

    op.drop_table("ballot")
