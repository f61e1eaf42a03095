"""Campaigns, their demands, and structure tests with frozen lists."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261123_run_campaigns"
down_revision = "20261123_save_lists"


def upgrade() -> None:
    """Campaigns, their demands, and structure tests with frozen lists."""
    op.create_table(
        "campaign",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("to_day", sa.Date(), nullable=True),
        sa.Column("target", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "target IS NULL OR target BETWEEN 1 AND 100", name=op.f("ck_campaign_target_per_cent")
        ),
        sa.CheckConstraint(
            "to_day IS NULL OR to_day >= from_day", name=op.f("ck_campaign_dates_in_order")
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["user_account.id"], name=op.f("fk_campaign_created_by_id")
        ),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_campaign_place_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        sa.UniqueConstraint("public_id", name=op.f("uq_campaign_public_id")),
    )
    with op.batch_alter_table("campaign", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_campaign_place_id"), ["place_id"], unique=False)

    op.create_table(
        "campaign_unit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_campaign_unit_campaign_id")
        ),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_campaign_unit_place_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_unit")),
        sa.UniqueConstraint(
            "campaign_id", "place_id", name=op.f("uq_campaign_unit_campaign_id_place_id")
        ),
    )
    with op.batch_alter_table("campaign_unit", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_campaign_unit_campaign_id"), ["campaign_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_campaign_unit_place_id"), ["place_id"], unique=False)

    op.create_table(
        "demand",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("words", sa.String(length=300), nullable=False),
        sa.Column("voted_on", sa.Date(), nullable=True),
        sa.Column(
            "voted_how",
            sa.Enum(
                "meeting",
                "paper_ballot",
                "online",
                "survey",
                "other",
                name="voted_how",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=True,
        ),
        sa.Column("votes_for", sa.Integer(), nullable=True),
        sa.Column("votes_against", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("dropped_on", sa.Date(), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(votes_for IS NULL OR votes_for >= 0) AND (votes_against IS NULL OR votes_against >= 0)",
            name=op.f("ck_demand_votes_counted"),
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_demand_campaign_id")
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["user_account.id"], name=op.f("fk_demand_created_by_id")
        ),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_demand_place_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_demand")),
        sa.UniqueConstraint("public_id", name=op.f("uq_demand_public_id")),
    )
    with op.batch_alter_table("demand", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_demand_campaign_id"), ["campaign_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_demand_place_id"), ["place_id"], unique=False)

    op.create_table(
        "structure_test",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "survey",
                "quiet_petition",
                "open_petition",
                "badge",
                "photo",
                "meeting",
                "indicative_ballot",
                "march",
                "open_talks",
                "pledge",
                "statutory_ballot",
                "work_to_rule",
                name="rung",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("target", sa.Integer(), nullable=True),
        sa.Column("as_at", sa.Date(), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("frozen_by_id", sa.Integer(), nullable=True),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("closes_on", sa.Date(), nullable=True),
        sa.Column("called_off_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "closes_on IS NULL OR closes_on >= as_at", name=op.f("ck_structure_test_dates_in_order")
        ),
        sa.CheckConstraint("people >= 1", name=op.f("ck_structure_test_has_people")),
        sa.CheckConstraint(
            "target IS NULL OR target BETWEEN 1 AND 100",
            name=op.f("ck_structure_test_target_per_cent"),
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_structure_test_campaign_id")
        ),
        sa.ForeignKeyConstraint(
            ["frozen_by_id"], ["user_account.id"], name=op.f("fk_structure_test_frozen_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["place_id"], ["place.id"], name=op.f("fk_structure_test_place_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_structure_test")),
        sa.UniqueConstraint("public_id", name=op.f("uq_structure_test_public_id")),
    )
    with op.batch_alter_table("structure_test", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_structure_test_campaign_id"), ["campaign_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_structure_test_place_id"), ["place_id"], unique=False)

    op.create_table(
        "base_place",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("test_id", sa.Integer(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_base_place_place_id")),
        sa.ForeignKeyConstraint(
            ["test_id"], ["structure_test.id"], name=op.f("fk_base_place_test_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_base_place")),
        sa.UniqueConstraint("test_id", "place_id", name=op.f("uq_base_place_test_id_place_id")),
    )
    with op.batch_alter_table("base_place", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_base_place_place_id"), ["place_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_base_place_test_id"), ["test_id"], unique=False)

    op.create_table(
        "list_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("test_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("workplace_id", sa.Integer(), nullable=False),
        sa.Column("area_id", sa.Integer(), nullable=True),
        sa.Column("shift_id", sa.Integer(), nullable=True),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("firm", sa.Boolean(), nullable=True),
        sa.Column("stood_on", sa.Date(), nullable=True),
        sa.Column("assessor_id", sa.Integer(), nullable=True),
        sa.Column("leader_id", sa.Integer(), nullable=True),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["area_id"], ["area.id"], name=op.f("fk_list_entry_area_id")),
        sa.ForeignKeyConstraint(
            ["assessor_id"], ["user_account.id"], name=op.f("fk_list_entry_assessor_id")
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_list_entry_contact_id")
        ),
        sa.ForeignKeyConstraint(
            ["leader_id"], ["contact.id"], name=op.f("fk_list_entry_leader_id")
        ),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_list_entry_place_id")),
        sa.ForeignKeyConstraint(["shift_id"], ["shift.id"], name=op.f("fk_list_entry_shift_id")),
        sa.ForeignKeyConstraint(
            ["test_id"], ["structure_test.id"], name=op.f("fk_list_entry_test_id")
        ),
        sa.ForeignKeyConstraint(
            ["workplace_id"], ["workplace.id"], name=op.f("fk_list_entry_workplace_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_entry")),
        sa.UniqueConstraint("public_id", name=op.f("uq_list_entry_public_id")),
        sa.UniqueConstraint("test_id", "contact_id", name=op.f("uq_list_entry_test_id_contact_id")),
        sa.UniqueConstraint("test_id", "number", name=op.f("uq_list_entry_test_id_number")),
    )
    with op.batch_alter_table("list_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_list_entry_contact_id"), ["contact_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_list_entry_leader_id"), ["leader_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_list_entry_place_id"), ["place_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_list_entry_workplace_id"), ["workplace_id"], unique=False
        )

    op.create_table(
        "participation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("test_id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column(
            "deed",
            sa.Enum(
                "did",
                "will",
                "not_yet",
                "did_not",
                name="deed",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "why",
            sa.Enum(
                "refused",
                "not_reached",
                "absent",
                name="why_not",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=True,
        ),
        sa.Column(
            "evidence",
            sa.Enum(
                "saw",
                "sheet",
                "said",
                "told",
                name="evidence",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=True,
        ),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recorded_by_id", sa.Integer(), nullable=True),
        sa.Column("place_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "why IS NULL OR deed = 'did_not'", name=op.f("ck_participation_why_they_did_not")
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_participation_contact_id")
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["list_entry.id"], name=op.f("fk_participation_entry_id")
        ),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_participation_place_id")),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"], ["user_account.id"], name=op.f("fk_participation_recorded_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["test_id"], ["structure_test.id"], name=op.f("fk_participation_test_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_participation")),
        sa.UniqueConstraint("public_id", name=op.f("uq_participation_public_id")),
    )
    with op.batch_alter_table("participation", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_participation_contact_id"), ["contact_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_participation_entry_id"), ["entry_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_participation_place_id"), ["place_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_participation_test_id"), ["test_id"], unique=False)
        batch_op.create_index(
            "uq_participation_believed",
            ["entry_id"],
            unique=True,
            sqlite_where=sa.text("superseded_at IS NULL"),
            postgresql_where=sa.text("superseded_at IS NULL"),
        )


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table("participation", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_participation_believed",
            sqlite_where=sa.text("superseded_at IS NULL"),
            postgresql_where=sa.text("superseded_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_participation_test_id"))
        batch_op.drop_index(batch_op.f("ix_participation_place_id"))
        batch_op.drop_index(batch_op.f("ix_participation_entry_id"))
        batch_op.drop_index(batch_op.f("ix_participation_contact_id"))

    op.drop_table("participation")
    with op.batch_alter_table("list_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_list_entry_workplace_id"))
        batch_op.drop_index(batch_op.f("ix_list_entry_place_id"))
        batch_op.drop_index(batch_op.f("ix_list_entry_leader_id"))
        batch_op.drop_index(batch_op.f("ix_list_entry_contact_id"))

    op.drop_table("list_entry")
    with op.batch_alter_table("base_place", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_base_place_test_id"))
        batch_op.drop_index(batch_op.f("ix_base_place_place_id"))

    op.drop_table("base_place")
    with op.batch_alter_table("structure_test", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_structure_test_place_id"))
        batch_op.drop_index(batch_op.f("ix_structure_test_campaign_id"))

    op.drop_table("structure_test")
    with op.batch_alter_table("demand", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_demand_place_id"))
        batch_op.drop_index(batch_op.f("ix_demand_campaign_id"))

    op.drop_table("demand")
    with op.batch_alter_table("campaign_unit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_campaign_unit_place_id"))
        batch_op.drop_index(batch_op.f("ix_campaign_unit_campaign_id"))

    op.drop_table("campaign_unit")
    with op.batch_alter_table("campaign", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_campaign_place_id"))

    op.drop_table("campaign")
