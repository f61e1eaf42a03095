"""What each role may do. The one table of permissions."""

from __future__ import annotations

import enum

from crm.domain.roles import Role


class Permission(enum.StrEnum):
    """One thing a role may do over the places it is granted."""

    ACCOUNT_OWN = "account:own"
    PLACE_READ = "place:read"
    PLACE_WRITE = "place:write"
    EMPLOYER_WRITE = "employer:write"
    # To write down what a group checked and decided.
    DECISION_WRITE = "decision:write"
    UNION_WRITE = "union:write"
    CONTACT_READ = "contact:read"
    CONTACT_WRITE = "contact:write"
    CONVERSATION_WRITE = "conversation:write"
    # To say whose people are whose.
    TURF_WRITE = "turf:write"
    # To plan a ballot, to store its list of voters and its result.
    BALLOT_WRITE = "ballot:write"
    NOTE_READ = "note:read"
    DENSITY_READ = "density:read"
    EXPORT_MAKE = "export:make"
    AUDIT_READ = "audit:read"
    USER_WRITE = "user:write"
    REGISTER_LOAD = "register:load"
    # To bring whole lists in; each row needs the right over its own place besides.
    IMPORT_MAKE = "import:make"


_EVERYONE = {Permission.ACCOUNT_OWN, Permission.PLACE_READ}

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    # A rep logs talks and looks after the people of their own places. Words written down by
    # other people are not theirs to read: notes are need-to-know.
    Role.REP: frozenset(
        _EVERYONE
        | {
            Permission.CONTACT_READ,
            Permission.CONTACT_WRITE,
            Permission.CONVERSATION_WRITE,
            Permission.DENSITY_READ,
        }
    ),
    Role.ORGANISER: frozenset(
        _EVERYONE
        | {
            Permission.PLACE_WRITE,
            Permission.DECISION_WRITE,
            Permission.CONTACT_READ,
            Permission.CONTACT_WRITE,
            Permission.CONVERSATION_WRITE,
            Permission.TURF_WRITE,
            Permission.BALLOT_WRITE,
            Permission.NOTE_READ,
            Permission.DENSITY_READ,
            Permission.AUDIT_READ,
            Permission.IMPORT_MAKE,
        }
    ),
    # An officer takes lists and figures out of the system for the branch, and answers for that.
    Role.BRANCH_OFFICER: frozenset(
        _EVERYONE
        | {
            Permission.PLACE_WRITE,
            Permission.DECISION_WRITE,
            Permission.CONTACT_READ,
            Permission.CONTACT_WRITE,
            Permission.CONVERSATION_WRITE,
            Permission.TURF_WRITE,
            Permission.BALLOT_WRITE,
            Permission.DENSITY_READ,
            Permission.EXPORT_MAKE,
            Permission.AUDIT_READ,
            Permission.IMPORT_MAKE,
        }
    ),
    # Runs the server: sees no notes and no names of contacts unless also granted a place
    # in another role.
    Role.ADMINISTRATOR: frozenset(
        _EVERYONE
        | {
            Permission.PLACE_WRITE,
            Permission.EMPLOYER_WRITE,
            Permission.UNION_WRITE,
            Permission.USER_WRITE,
            Permission.REGISTER_LOAD,
            Permission.IMPORT_MAKE,
        }
    ),
}


def roles_with(permission: Permission) -> frozenset[Role]:
    """Return the roles that hold the permission."""
    return frozenset(role for role, held in ROLE_PERMISSIONS.items() if permission in held)
