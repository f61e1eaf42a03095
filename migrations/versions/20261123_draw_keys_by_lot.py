"""What people told us of voting gets keys by lot: keys in a row told who spoke first."""

from __future__ import annotations

import random

import sqlalchemy as sa
from alembic import op

revision = "20261123_draw_keys_by_lot"
down_revision = "20261123_tell_places_apart"

_MOST_KEY = 2**31 - 1


def upgrade() -> None:
    """Give each row another key, one after the other in an order that is drawn, too."""
    told = sa.table("vote_told", sa.column("id", sa.Integer))
    # The row is asked for its key alone.
    connection = op.get_bind().execution_options(crm_scope=True)
    taken = set(connection.execute(sa.select(told.c.id)).scalars())
    lot = random.SystemRandom()
    for key in lot.sample(sorted(taken), len(taken)):
        fresh = key
        while fresh in taken:
            fresh = lot.randint(1, _MOST_KEY)
        taken.add(fresh)
        connection.execute(sa.update(told).where(told.c.id == key).values(id=fresh))


def downgrade() -> None:
    """Leave them: in which order they were stored is not known any more."""
