"""Making talk sheets."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from crm.access import audit
from crm.access.scope import Scope
from crm.domain.errors import NotFound, Refusal
from crm.domain.sheet import LINES, LINES_LARGE, MOST_SHEETS, Names, new_code, pages
from crm.features.sheets import queries
from crm.models.sheets import Sheet, SheetLine


class NobodyToTalkTo(Refusal):
    """Nobody is left for a sheet."""

    default_message = "Nobody is on this list whom you could talk to. Choose another list."


class TooManyPeople(Refusal):
    """More lines than can be printed at once."""

    default_message = (
        "These are %(count)s lines, and at most %(most)s can be printed at once. "
        "Choose one area, or your own people."
    )


class MayNotCarry(Refusal):
    """The one chosen may not talk with all of these people."""

    default_message = "The one you chose may not see all of these people. Choose somebody else."


def make_sheets(
    session: Session,
    scope: Scope,
    source: queries.Source,
    *,
    batch_id: uuid.UUID,
    names: Names,
    large: bool,
    ask: str | None,
    carrier: uuid.UUID,
    now: datetime,
    today: date,
) -> None:
    """Store the sheets for a list of people under `batch_id`, which the form made: once only.

    carrier: public id of the user who talks with the people. Raises NotFound, NobodyToTalkTo,
    TooManyPeople, MayNotCarry; then nothing is stored.
    """
    if scope.actor_id is None:
        raise NotFound("no user in this scope")
    if session.execute(scope.select(Sheet.id).where(Sheet.batch_id == batch_id)).first():
        return
    found = queries.find_people(session, scope, source, today=today, day=now.date())
    if not found.parties:
        raise NobodyToTalkTo()
    size = LINES_LARGE if large else LINES
    sides = [
        (party.leader, people) for party in found.parties for people in pages(party.people, size)
    ]
    lines = sum(len(people) for _leader, people in sides)
    if lines > size * MOST_SHEETS:
        raise TooManyPeople(count=lines, most=size * MOST_SHEETS)
    carrier_id = next((user for key, user, _name in found.carriers if key == carrier), None)
    if carrier_id is None:
        raise MayNotCarry()
    for number, (leader, people) in enumerate(sides, start=1):
        sheet = Sheet(
            code=new_code(),
            batch_id=batch_id,
            number=number,
            place_id=found.place_id or people[0].place_id,
            names=names,
            large=large,
            ask=ask,
            leader_id=leader[0] if leader else None,
            carrier_id=carrier_id,
            made_by_id=scope.actor_id,
            made_at=now,
        )
        session.add(sheet)
        session.flush()
        session.add_all(
            SheetLine(sheet_id=sheet.id, number=place, contact_id=one.contact_id)
            for place, one in enumerate(people, start=1)
        )
    session.flush()


def note_print(
    session: Session, scope: Scope, *, filters: Mapping[str, Any], rows: int, place_id: int
) -> None:
    """Record that the actor took people out on paper."""
    audit.record_export(session, what="talk_sheet", filters=filters, rows=rows, place_id=place_id)
