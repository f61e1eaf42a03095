"""Work through long membership lists line by line, and take back what was said yes to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261123_work_through_long_lists"
down_revision = "20261123_bring_ballots_in"

_QUEUES = ("joined", "left", "lapsed", "moved", "changed", "bad_address", "not_sure", "not_here")
_OWNED = ("member_list_part", "member_list_line", "member_list_act", "member_list_change")


def _queue() -> sa.Enum:
    return sa.Enum(
        *(*_QUEUES, "problem", "set_aside", "same"),
        name="queue",
        native_enum=False,
        length=24,
        create_constraint=True,
    )


def _state() -> sa.Enum:
    return sa.Enum(
        *("done", "undone", "kept"),
        name="change_state",
        native_enum=False,
        length=24,
        create_constraint=True,
    )


def _keys(table: str) -> tuple[sa.Constraint, ...]:
    return (
        sa.ForeignKeyConstraint(
            ["owner_id"], ["user_account.id"], name=op.f(f"fk_{table}_owner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )


def _of_list(table: str) -> sa.Constraint:
    return sa.ForeignKeyConstraint(
        ["list_id"], ["member_list.id"], name=op.f(f"fk_{table}_list_id")
    )


def upgrade() -> None:
    """Add the lines, the acts and the settings. Lists that are open are closed: load them again."""
    op.execute("UPDATE member_list SET closed_at = made_at, decided = '{}' WHERE closed_at IS NULL")
    with op.batch_alter_table("member_list") as batch:
        batch.drop_column("sealed")
        batch.add_column(sa.Column("settings", sa.JSON(), nullable=False, server_default="{}"))
        batch.add_column(sa.Column("looked_at", sa.DateTime(timezone=True)))
    with op.batch_alter_table("member_list") as batch:
        batch.alter_column("settings", server_default=None)
    op.create_table(
        "member_list_part",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("first_number", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        _of_list("member_list_part"),
        *_keys("member_list_part"),
        sa.UniqueConstraint(
            "list_id", "first_number", name=op.f("uq_member_list_part_list_id_first_number")
        ),
    )
    op.create_table(
        "member_list_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("queue", _queue(), nullable=False),
        sa.Column("stale", sa.Boolean(), nullable=False),
        sa.Column("can_confirm", sa.Boolean(), nullable=False),
        sa.Column("repeats", sa.Boolean(), nullable=False),
        sa.Column("alone", sa.Boolean(), nullable=False),
        sa.Column("told", sa.String(40)),
        sa.Column("contact_id", sa.Integer()),
        sa.Column("candidates", sa.JSON()),
        _of_list("member_list_line"),
        *_keys("member_list_line"),
        sa.UniqueConstraint("list_id", "number", name=op.f("uq_member_list_line_list_id_number")),
    )
    op.create_index("ix_member_list_line_queue", "member_list_line", ["list_id", "queue", "number"])
    op.create_index("ix_member_list_line_contact", "member_list_line", ["list_id", "contact_id"])
    op.create_table(
        "member_list_act",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.Uuid(), nullable=False),
        sa.Column("list_id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("queue", _queue()),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undoing_at", sa.DateTime(timezone=True)),
        sa.Column("undone_at", sa.DateTime(timezone=True)),
        _of_list("member_list_act"),
        *_keys("member_list_act"),
        sa.UniqueConstraint("public_id", name=op.f("uq_member_list_act_public_id")),
    )
    op.create_index(op.f("ix_member_list_act_list_id"), "member_list_act", ["list_id"])
    op.create_index(op.f("ix_member_list_act_at"), "member_list_act", ["at"])
    op.create_table(
        "member_list_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("act_id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.Column("is_new", sa.Boolean(), nullable=False),
        sa.Column("state", _state(), nullable=False),
        sa.ForeignKeyConstraint(
            ["act_id"], ["member_list_act.id"], name=op.f("fk_member_list_change_act_id")
        ),
        *_keys("member_list_change"),
        sa.UniqueConstraint(
            "act_id", "contact_id", name=op.f("uq_member_list_change_act_id_contact_id")
        ),
    )
    for table in _OWNED:
        op.create_index(op.f(f"ix_{table}_owner_id"), table, ["owner_id"])


def downgrade() -> None:
    """Take them away. Lists that are open are closed."""
    for table in reversed(_OWNED):
        op.drop_table(table)
    op.execute("UPDATE member_list SET closed_at = made_at, decided = '{}' WHERE closed_at IS NULL")
    with op.batch_alter_table("member_list") as batch:
        batch.drop_column("looked_at")
        batch.drop_column("settings")
        batch.add_column(sa.Column("sealed", sa.Text()))
