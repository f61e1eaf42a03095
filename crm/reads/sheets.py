"""Printed talk sheets: for whoever prints them again, and for whoever types them in."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import NotFound
from crm.domain.sheet import Names
from crm.models.contacts import Contact
from crm.models.conversations import Conversation
from crm.models.sheets import Sheet, SheetLine
from crm.reads.people import names_of_users, shown_name
from crm.reads.places import place_name_of


@dataclass(frozen=True, slots=True)
class LineOnPaper:
    """One person on a sheet. typed: a talk from this line is stored already."""

    number: int
    contact_id: uuid.UUID
    name: str
    talk_id: uuid.UUID
    typed: bool


@dataclass(frozen=True, slots=True)
class SheetOnPaper:
    """A sheet with those of its lines that this scope may see.

    carrier: the name of the one whose talks they are. mine: that is the actor. leader: whom all on
    it listen to; None = it is no leader's sheet, or the leader is not shown to this reader.
    """

    public_id: uuid.UUID
    batch_id: uuid.UUID
    code: str
    names: Names
    large: bool
    ask: str | None
    place_id: int
    place_name: str
    carrier_id: int
    carrier: str
    mine: bool
    leader: str | None
    made_at: datetime
    lines: tuple[LineOnPaper, ...]


def find_code(session: Session, scope: Scope, code: str) -> uuid.UUID | None:
    """Return the public id of the sheet with this code where the actor may log talks, or None."""
    found: uuid.UUID | None = session.scalars(
        scope.select(Sheet.public_id, permission=Permission.CONVERSATION_WRITE).where(
            Sheet.code == code
        )
    ).one_or_none()
    return found


def get_sheet(session: Session, scope: Scope, public_id: uuid.UUID) -> SheetOnPaper:
    """Return a sheet to type in. Raises NotFound where the actor may not log talks."""
    return _one(_sheets(session, scope, Sheet.public_id == public_id), public_id)


def get_batch(session: Session, scope: Scope, batch_id: uuid.UUID) -> list[SheetOnPaper]:
    """Return sheets that were made at once, in their order. Raises NotFound as get_sheet does."""
    found = _sheets(session, scope, Sheet.batch_id == batch_id)
    if not found:
        raise NotFound(f"sheets {batch_id}")
    return found


def _one(found: list[SheetOnPaper], public_id: uuid.UUID) -> SheetOnPaper:
    if not found:
        raise NotFound(f"sheet {public_id}")
    return found[0]


def _sheets(session: Session, scope: Scope, wanted: object) -> list[SheetOnPaper]:
    """Return the sheets with their lines. Three statements, whatever the number of people."""
    leader = aliased(Contact)
    sheets = session.execute(
        scope.select(
            Sheet,
            place_name_of(Sheet.place_id).label("place_name"),
            sa.func.coalesce(leader.known_as, leader.placeholder_label).label("leader"),
            permission=Permission.CONVERSATION_WRITE,
        )
        .outerjoin(leader, leader.id == Sheet.leader_id)
        .where(wanted)  # type: ignore[arg-type]
        .order_by(Sheet.number, Sheet.id)
    ).all()
    if not sheets:
        return []
    rows = session.execute(
        scope.select(SheetLine, Contact, Conversation.id.label("talk"))
        .join(Contact, Contact.id == SheetLine.contact_id)
        .outerjoin(Conversation, Conversation.public_id == SheetLine.talk_id)
        .where(SheetLine.sheet_id.in_([row.Sheet.id for row in sheets]))
        .order_by(SheetLine.number)
    ).all()
    lines: dict[int, list[LineOnPaper]] = {}
    for row in rows:
        lines.setdefault(row.SheetLine.sheet_id, []).append(
            LineOnPaper(
                number=row.SheetLine.number,
                contact_id=row.Contact.public_id,
                name=shown_name(row.Contact),
                talk_id=row.SheetLine.talk_id,
                typed=row.talk is not None,
            )
        )
    names = names_of_users(session, {row.Sheet.carrier_id for row in sheets})
    return [
        SheetOnPaper(
            public_id=row.Sheet.public_id,
            batch_id=row.Sheet.batch_id,
            code=row.Sheet.code,
            names=row.Sheet.names,
            large=row.Sheet.large,
            ask=row.Sheet.ask,
            place_id=row.Sheet.place_id,
            place_name=row.place_name or "",
            carrier_id=row.Sheet.carrier_id,
            carrier=names.get(row.Sheet.carrier_id, ""),
            mine=row.Sheet.carrier_id == scope.actor_id,
            leader=row.leader,
            made_at=row.Sheet.made_at,
            lines=tuple(lines.get(row.Sheet.id, ())),
        )
        for row in sheets
    ]
