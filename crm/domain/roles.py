"""The roles a grant can give. What each role may do stands in crm/access/permissions.py."""

from __future__ import annotations

import enum


class Role(enum.StrEnum):
    """A role over a place and all inside it."""

    REP = "rep"
    ORGANISER = "organiser"
    BRANCH_OFFICER = "branch_officer"
    ADMINISTRATOR = "administrator"
