"""What people raised in talks at a place. Every read runs under a scope.

All figures count people, each once, and not mentions. Whoever was not talked to, or was talked to
with nothing noted, is counted as that and never as somebody to whom nothing matters.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.vocabulary import PlaceKind
from crm.models.contacts import Job
from crm.models.conversations import Conversation, ConversationIssue, ConversationNote
from crm.models.places import Place, Shift
from crm.reads.issues import Raised, inside, raised_by_group
from crm.reads.places import get_place, names_of

# Workplaces with fewest answers come last; a longer table than this is no longer read.
MOST_WORKPLACES = 60
MOST_WORDS = 30


@dataclass(frozen=True, slots=True)
class Month:
    """People who raised something in talks held here in one month, whoever works here now.

    first: the first day of the month. noted: the base of that month.
    """

    first: date
    noted: int
    by_issue: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Words:
    """What somebody said about an issue, in their own words. No name stands with it.

    language: that the words are written in, None = not known.
    """

    talk_id: uuid.UUID
    day: date
    place_name: str
    words: str
    language: str | None


@dataclass(frozen=True, slots=True)
class IssuesRaised:
    """What matters to people at a place. since and as_at: the window, both days in it.

    tables: for a workplace or an area by area and by shift, otherwise by workplace.
    left_out: workplaces beyond the longest table. may_read_words: the reader holds the right to
    read notes over the whole place; words is empty otherwise.
    """

    place_id: int
    name: str
    kind: PlaceKind
    total: Raised
    areas: tuple[Raised, ...]
    shifts: tuple[Raised, ...]
    workplaces: tuple[Raised, ...]
    left_out: int
    months: tuple[Month, ...]
    may_read_words: bool
    words: tuple[Words, ...]


def get_issues(
    session: Session,
    scope: Scope,
    public_id: uuid.UUID,
    *,
    since: date,
    as_at: date,
    trend_from: date,
    issue: str | None = None,
) -> IssuesRaised:
    """Return what people with a job at the place on a day raised in the days from since to as_at.

    trend_from: the first day of the first month of the trend. issue: a code of the vocabulary,
    to read only the words of talks in which it was raised; None = of all talks.
    Raises NotFound unless the reader holds the whole place. Twelve statements at most.
    """
    place = get_place(session, scope, Place, public_id, permission=Permission.CONTACT_READ)
    window = (since, as_at)
    total = raised_by_group(session, scope, place.id, window, None).get(None)
    at_one_site = place.kind in {PlaceKind.WORKPLACE, PlaceKind.AREA}
    areas = _named(session, scope, place.id, window, Job.area_id) if at_one_site else ()
    shifts = _by_shift(session, scope, place.id, window) if at_one_site else ()
    sites = () if at_one_site else _named(session, scope, place.id, window, Job.workplace_id)
    may_read = _holds_notes(session, scope, place.id)
    return IssuesRaised(
        place_id=place.id,
        name=place.name,
        kind=place.kind,
        total=total or Raised(None, None, 0, 0, 0, {}),
        areas=areas,
        shifts=shifts,
        workplaces=tuple(sorted(sites, key=lambda one: -one.noted)[:MOST_WORKPLACES]),
        left_out=max(0, len(sites) - MOST_WORKPLACES),
        months=_months(session, scope, place.id, trend_from, as_at),
        may_read_words=may_read,
        words=_words(session, scope, place.id, window, issue) if may_read else (),
    )


def _named(
    session: Session, scope: Scope, place_id: int, window: tuple[date, date], column: Any
) -> tuple[Raised, ...]:
    """Return the groups by area or workplace with their names; those without one come last."""
    groups = raised_by_group(session, scope, place_id, window, column)
    names = names_of(session, scope, {key for key in groups if key is not None})
    return _in_order(groups, names)


def _by_shift(
    session: Session, scope: Scope, place_id: int, window: tuple[date, date]
) -> tuple[Raised, ...]:
    groups = raised_by_group(session, scope, place_id, window, Job.shift_id)
    wanted = sorted(key for key in groups if key is not None)
    rows = session.execute(scope.select(Shift.id, Shift.name).where(Shift.id.in_(wanted)))
    return _in_order(groups, {int(row.id): str(row.name) for row in rows})


def _in_order(groups: Mapping[int | None, Raised], names: Mapping[int, str]) -> tuple[Raised, ...]:
    named = [
        Raised(
            key=key,
            name=names.get(key) if key is not None else None,
            on_list=one.on_list,
            talked=one.talked,
            noted=one.noted,
            by_issue=one.by_issue,
        )
        for key, one in groups.items()
    ]
    return tuple(sorted(named, key=lambda one: (one.name is None, one.name or "", one.key or 0)))


def _months(
    session: Session, scope: Scope, place_id: int, trend_from: date, as_at: date
) -> tuple[Month, ...]:
    year = sa.extract("year", Conversation.day).label("year")
    month = sa.extract("month", Conversation.day).label("month")
    people = sa.func.count(ConversationIssue.contact_id.distinct()).label("people")
    held_here = (
        Conversation.place_id.in_(inside(place_id)),
        Conversation.day.between(trend_from, as_at),
    )

    def _counts(*more: Any) -> Any:
        return session.execute(
            scope.select(year, month, *more, people)
            .select_from(Conversation)
            .join(ConversationIssue, ConversationIssue.conversation_id == Conversation.id)
            .where(*held_here)
            .group_by(year, month, *more)
        )

    by_issue: dict[date, dict[str, int]] = {}
    for row in _counts(ConversationIssue.issue):
        first = date(int(row.year), int(row.month), 1)
        by_issue.setdefault(first, {})[row.issue] = int(row.people)
    noted = {date(int(row.year), int(row.month), 1): int(row.people) for row in _counts()}
    first, found = trend_from.replace(day=1), []
    while first <= as_at:
        found.append(Month(first, noted.get(first, 0), by_issue.get(first, {})))
        first = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return tuple(found)


def _holds_notes(session: Session, scope: Scope, place_id: int) -> bool:
    row = session.execute(
        scope.select(scope.reach(Permission.NOTE_READ, Place.id).label("may")).where(
            Place.id == place_id
        )
    ).one()
    return bool(row.may)


def _words(
    session: Session,
    scope: Scope,
    place_id: int,
    window: tuple[date, date],
    issue: str | None,
) -> tuple[Words, ...]:
    raised = sa.select(sa.literal(1)).where(
        ConversationIssue.conversation_id == Conversation.id, ConversationIssue.issue == issue
    )
    rows = session.execute(
        scope.select(
            Conversation.public_id,
            Conversation.day,
            Place.name,
            ConversationNote.their_words,
            ConversationNote.language,
        )
        .join(ConversationNote, ConversationNote.conversation_id == Conversation.id)
        .join(Place, Place.id == Conversation.place_id)
        .where(
            Conversation.place_id.in_(inside(place_id)),
            scope.reach(Permission.NOTE_READ, Conversation.place_id),
            Conversation.day.between(*window),
            ConversationNote.their_words.is_not(None),
            *([raised.exists()] if issue else []),
        )
        .order_by(Conversation.day.desc(), Conversation.id.desc())
        .limit(MOST_WORDS)
    )
    return tuple(
        Words(row.public_id, row.day, row.name, row.their_words, row.language) for row in rows
    )
