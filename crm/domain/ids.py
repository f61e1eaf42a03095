"""The types of our inner row numbers, so that two of them cannot be swapped in silence.

These integers stay inside the program. Addresses carry random public ids instead.
"""

from __future__ import annotations

from typing import NewType

AreaId = NewType("AreaId", int)
AssessmentId = NewType("AssessmentId", int)
BargainingUnitId = NewType("BargainingUnitId", int)
BranchId = NewType("BranchId", int)
ContactId = NewType("ContactId", int)
ConversationId = NewType("ConversationId", int)
EmployerId = NewType("EmployerId", int)
FollowUpId = NewType("FollowUpId", int)
GrantId = NewType("GrantId", int)
HeadcountId = NewType("HeadcountId", int)
JobId = NewType("JobId", int)
MemberCountId = NewType("MemberCountId", int)
MembershipId = NewType("MembershipId", int)
PlaceId = NewType("PlaceId", int)
ShiftId = NewType("ShiftId", int)
UnionId = NewType("UnionId", int)
UserId = NewType("UserId", int)
WorkplaceId = NewType("WorkplaceId", int)
