"""Finding contacts by their public id, and naming people and users."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import NotFound
from crm.models.accounts import UserAccount
from crm.models.contacts import Contact


def get_contact(
    session: Session, scope: Scope, public_id: uuid.UUID, *, permission: Permission | None = None
) -> Contact:
    """Return the contact. Raises NotFound if absent or out of scope.

    permission: the right that is needed at a place where the person has or had a job.
    """
    found: Contact | None = session.scalars(
        scope.select(Contact, permission=permission).where(Contact.public_id == public_id)
    ).one_or_none()
    if found is None:
        raise NotFound(f"contact {public_id}")
    return found


def shown_name(contact: Contact) -> str:
    """Return the name to show: the one they use, else the placeholder's label."""
    return contact.known_as or contact.placeholder_label or ""


def names_of_users(session: Session, user_ids: set[int]) -> dict[int, str]:
    """Return the users' names by inner id: colleagues see who talked to whom."""
    if not user_ids:
        return {}
    rows = session.execute(
        sa.select(UserAccount.id, UserAccount.name).where(UserAccount.id.in_(sorted(user_ids)))
    )
    return {int(user_id): str(name) for user_id, name in rows}
