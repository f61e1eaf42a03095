"""Conditions on more ids than a statement may have parameters."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa


def one_of(column: Any, ids: Collection[int]) -> sa.ColumnElement[bool]:
    """Return the condition that the column holds one of the inner ids, however many they are.

    They are written into the statement: a union has more places and people than it may have
    parameters (PostgreSQL: 65,535). Use it wherever the ids grow with the data.
    """
    wanted: sa.BindParameter[Any] = sa.bindparam(
        None, sorted(ids), expanding=True, literal_execute=True, unique=True
    )
    condition: sa.ColumnElement[bool] = column.in_(wanted)
    return condition
