"""What a campaign is about may change: from a day, and until a day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "20261123_date_units"
down_revision = "20261123_join_workplaces"


def upgrade() -> None:
    """Give each place of a campaign its days; none = since it began, and still."""
    with op.batch_alter_table("campaign_unit", schema=None) as batch_op:
        batch_op.add_column(sa.Column("from_day", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("ended_on", sa.Date(), nullable=True))


def downgrade() -> None:
    """Forget places that a campaign is not about any more, and since when it is about others."""
    op.execute("DELETE FROM campaign_unit WHERE ended_on IS NOT NULL")
    with op.batch_alter_table("campaign_unit", schema=None) as batch_op:
        batch_op.drop_column("ended_on")
        batch_op.drop_column("from_day")
