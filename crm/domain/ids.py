"""The types of our inner row numbers, so that two of them cannot be swapped in silence.

These integers stay inside the program. Addresses carry random public ids instead.
"""

from __future__ import annotations

from typing import NewType

AreaId = NewType("AreaId", int)
JobId = NewType("JobId", int)
UnionId = NewType("UnionId", int)
UserId = NewType("UserId", int)
WorkplaceId = NewType("WorkplaceId", int)
