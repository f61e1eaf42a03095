"""Whom to speak to: people of a list with what was last said, for Today and for the log."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.many import one_of
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.vocabulary import NO_ASK, Answer
from crm.models.contacts import Contact, StateSpan
from crm.models.conversations import Conversation, ConversationNote, FollowUp
from crm.reads.counting import count_people
from crm.reads.places import names_of

# After a talk people are left in peace this long, unless a reminder says otherwise.
REST = timedelta(days=7)
# So many of the last talks are looked at for each person to show: most are with somebody else.
_TALKS_EACH = 5


def said_yes(contact_id: Any, as_at: date) -> sa.ColumnElement[bool]:
    """Return the condition that the person in a column had said yes to an ask by the day.

    For a scoped statement: talks that the scope does not see do not count.
    """
    return sa.exists(
        sa.select(sa.literal(1))
        .select_from(Conversation)
        .where(
            Conversation.contact_id == contact_id,
            Conversation.day <= as_at,
            Conversation.answer == Answer.YES,
            Conversation.asked.is_not(None),
            Conversation.asked != NO_ASK,
        )
        .correlate_except(Conversation)
    )


def has_open_reminder(contact_id: Any) -> sa.ColumnElement[bool]:
    """Return the condition that somebody has promised to speak to the person in a column."""
    return sa.exists(
        sa.select(sa.literal(1))
        .select_from(FollowUp)
        .where(FollowUp.contact_id == contact_id, FollowUp.done_at.is_(None))
        .correlate_except(FollowUp)
    )


@dataclass(frozen=True, slots=True)
class LastTalk:
    """What came out of the last talk. their_words: None also when this scope may not read them.

    language: the code of the language of their words, None = not known.
    """

    day: date
    asked: str | None
    answer: Answer | None
    their_words: str | None
    language: str | None


@dataclass(frozen=True, slots=True)
class PersonAtWork:
    """A person, where they work and where they stand today; rating None = not asked.

    scored_on: the day they were asked. own: one of the reader's own people, where that was asked.
    """

    public_id: uuid.UUID
    name: str
    workplace_name: str
    area_name: str | None
    rating: int | None
    scored_on: date | None
    last_talk: LastTalk | None
    own: bool = False


def people_to_speak_to(
    session: Session, scope: Scope, *, today: date, limit: int, own: Collection[int] = ()
) -> list[PersonAtWork]:
    """Return the first people to speak to at the places where the actor logs talks.

    own: inner ids of people who come before all others. Then, never asked first, then those with
    no talk, then the oldest talk. Left out: people who are not to be contacted, who had a talk in
    the last seven days, or whom a reminder of the actor's own stands for. Five statements at most,
    whatever the number of people.
    """
    found: list[Any] = []
    if own:
        these = sorted(own)
        found = list(_by_last_talk(session, scope, today, limit, one_of(Contact.id, these), these))
    others = ~one_of(Contact.id, own) if own else sa.true()
    if len(found) < limit:
        # Where many have never been asked nor spoken to, no talk of the others need be looked at:
        # of a million people that is most of the work.
        left = limit - len(found)
        more = _never_spoken_to(session, scope, today, left, others)
        if len(more) < left:
            more = _by_last_talk(session, scope, today, left, others)
        found += more
    return _with_last_talks(session, scope, found, frozenset(own))


def count_people_to_speak_to(session: Session, scope: Scope, *, today: date) -> int:
    """Return how many people there are to speak to, by the rule of people_to_speak_to."""
    spans = scope.select(StateSpan.contact_id).where(
        StateSpan.from_day <= today,
        StateSpan.to_day > today,
        scope.reach(Permission.CONVERSATION_WRITE, StateSpan.place_id),
        _is_none_of(session, Contact.id, Contact.do_not_contact.is_(True)),
        # They had a talk so lately that they are left in peace.
        _is_none_of(session, Conversation.contact_id, Conversation.day > today - REST),
        ~_reminded(scope, StateSpan.contact_id),
    )
    return count_people(session, scope, spans)[0]


def _is_none_of(
    session: Session, person: Any, condition: sa.ColumnElement[bool]
) -> sa.ColumnElement[bool]:
    """Return the condition that no row of this condition is about the person of a span.

    person: the column with the person's inner id. SQLite makes one list of them all. The server
    believes that it would make the list anew for each place, and reads everybody's spans instead.
    """
    those = sa.select(person).where(condition)
    if session.get_bind().dialect.name == "sqlite":
        return StateSpan.contact_id.not_in(those)
    same = those.where(person == StateSpan.contact_id).correlate(StateSpan)
    return ~sa.exists(same)


def _reminded(scope: Scope, contact_id: Any) -> sa.ColumnElement[bool]:
    """Return the condition that a reminder of the actor's own stands for the person."""
    return sa.exists(
        sa.select(sa.literal(1))
        .select_from(FollowUp)
        .where(
            FollowUp.contact_id == contact_id,
            FollowUp.owner_id == scope.actor_id,
            FollowUp.done_at.is_(None),
        )
        .correlate_except(FollowUp)
    )


def _never_spoken_to(
    session: Session, scope: Scope, today: date, limit: int, which: sa.ColumnElement[bool]
) -> Sequence[Any]:
    """Return the first by name who were never asked and have had no talk."""
    first = _first_span(scope, today, never_asked=True)
    talked = sa.exists(
        sa.select(sa.literal(1))
        .select_from(Conversation)
        .where(Conversation.contact_id == first.c.contact_id)
        .correlate_except(Conversation)
    )
    return session.execute(
        _people(scope)
        .join(first, first.c.span_id == StateSpan.id)
        .where(which, Contact.do_not_contact.is_(False), ~talked, ~_reminded(scope, Contact.id))
        .order_by(Contact.name_key, Contact.id)
        .limit(limit)
    ).all()


def _by_last_talk(
    session: Session,
    scope: Scope,
    today: date,
    limit: int,
    which: sa.ColumnElement[bool],
    contact_ids: Sequence[int] | None = None,
) -> Sequence[Any]:
    """Return the first people, never asked first, then by the day of the last talk.

    contact_ids: nobody else need be looked at; None = everybody.
    """
    first = _first_span(scope, today, contact_ids)
    talks = _last_days(contact_ids)
    talked = sa.func.coalesce(talks.c.day, date.min)
    return session.execute(
        _people(scope)
        .join(first, first.c.span_id == StateSpan.id)
        .outerjoin(talks, talks.c.contact_id == Contact.id)
        .where(
            which,
            Contact.do_not_contact.is_(False),
            talked <= today - REST,
            ~_reminded(scope, Contact.id),
        )
        .order_by(StateSpan.score.is_not(None), talked, Contact.name_key, Contact.id)
        .limit(limit)
    ).all()


def promised_people(
    session: Session, scope: Scope, *, until: date, today: date, limit: int
) -> list[PersonAtWork]:
    """Return the people whom the actor promised to speak to by a day, the longest due first.

    Only people with a job today who may be contacted. Four statements, whatever their number.
    """
    promised = session.execute(
        scope.select(FollowUp.contact_id, sa.func.min(FollowUp.due_on).label("due"))
        .where(
            FollowUp.owner_id == scope.actor_id,
            FollowUp.done_at.is_(None),
            FollowUp.due_on <= until,
        )
        .group_by(FollowUp.contact_id)
        .order_by(sa.func.min(FollowUp.due_on), FollowUp.contact_id)
        .limit(limit)
    )
    due = {int(contact_id): day for contact_id, day in promised}
    if not due:
        return []
    first = _first_span(scope, today, sorted(due))
    found = session.execute(
        _people(scope)
        .join(first, first.c.span_id == StateSpan.id)
        .where(Contact.do_not_contact.is_(False))
    ).all()
    return _with_last_talks(session, scope, sorted(found, key=lambda row: (due[row.id], row.id)))


def recent_people(session: Session, scope: Scope, *, today: date, limit: int) -> list[PersonAtWork]:
    """Return the people whom the actor spoke to or added last, the latest first.

    Only people with a job today. Five statements, whatever the number of people.
    """
    # More than are shown, because some of them may have left since.
    some = 4 * limit
    # The last talks and not the last of each person: that would go through all somebody ever had.
    spoken = session.execute(
        scope.select(Conversation.contact_id, Conversation.recorded_at)
        .where(Conversation.held_by_id == scope.actor_id)
        .order_by(Conversation.recorded_at.desc())
        .limit(_TALKS_EACH * some)
    )
    touched: dict[int, datetime] = {}
    for contact_id, at in spoken:
        touched.setdefault(int(contact_id), at)
    added = session.execute(
        scope.select(Contact.id, Contact.created_at)
        .where(Contact.created_by_id == scope.actor_id)
        .order_by(Contact.created_at.desc())
        .limit(some)
    )
    for contact_id, at in added:
        touched.setdefault(int(contact_id), at)
    first = _first_span(scope, today, sorted(touched))
    found = session.execute(_people(scope).join(first, first.c.span_id == StateSpan.id)).all()
    latest = sorted(found, key=lambda row: (-touched[row.id].timestamp(), row.id))
    return _with_last_talks(session, scope, latest[:limit])


def last_talks(session: Session, scope: Scope, contact_ids: Iterable[int]) -> dict[int, LastTalk]:
    """Return the last talk of each of the contacts that had one, by inner id. One statement."""
    wanted = set(contact_ids)
    if not wanted:
        return {}
    order = (
        sa.func.row_number()
        .over(
            partition_by=Conversation.contact_id,
            order_by=(Conversation.day.desc(), Conversation.id.desc()),
        )
        .label("place")
    )
    ranked = (
        sa.select(Conversation.id, order).where(one_of(Conversation.contact_id, wanted)).subquery()
    )
    found = session.execute(
        scope.select(
            Conversation.contact_id,
            Conversation.day,
            Conversation.asked,
            Conversation.answer,
            ConversationNote.their_words,
            ConversationNote.language,
        )
        .join(ranked, ranked.c.id == Conversation.id)
        .outerjoin(ConversationNote, ConversationNote.conversation_id == Conversation.id)
        .where(ranked.c.place == 1)
    )
    return {
        int(row.contact_id): LastTalk(
            day=row.day,
            asked=row.asked,
            answer=row.answer,
            their_words=row.their_words,
            language=row.language,
        )
        for row in found
    }


def _first_span(
    scope: Scope,
    today: date,
    contact_ids: Sequence[int] | None = None,
    *,
    never_asked: bool = False,
) -> sa.Subquery:
    """Return one span of today for each person, so that two jobs do not make two rows.

    contact_ids: only these people; None = everybody. never_asked: only who has no standing today,
    which is the same at all places of a person.
    """
    these: list[sa.ColumnElement[bool]] = []
    if contact_ids is not None:
        these.append(one_of(StateSpan.contact_id, contact_ids))
    if never_asked:
        these.append(StateSpan.score.is_(None))
    return (
        sa.select(StateSpan.contact_id, sa.func.min(StateSpan.id).label("span_id"))
        .where(
            StateSpan.from_day <= today,
            StateSpan.to_day > today,
            scope.reach(Permission.CONVERSATION_WRITE, StateSpan.place_id),
            *these,
        )
        .group_by(StateSpan.contact_id)
        .subquery()
    )


def _last_days(contact_ids: Sequence[int] | None = None) -> sa.Subquery:
    """Return the day of the last talk of each person who had one; of these people, or (None) all.

    Those of everybody are grouped once, not asked person by person: PostgreSQL's planner takes
    such a question for cheap, asks it before it has narrowed the people down, and needs seconds
    for a branch.
    """
    these = () if contact_ids is None else (one_of(Conversation.contact_id, contact_ids),)
    return (
        sa.select(Conversation.contact_id, sa.func.max(Conversation.day).label("day"))
        .where(*these)
        .group_by(Conversation.contact_id)
        .subquery()
    )


def _people(scope: Scope, *more: Any) -> sa.Select[Any]:
    return scope.select(
        Contact.id,
        Contact.public_id,
        Contact.known_as,
        Contact.placeholder_label,
        StateSpan.score,
        StateSpan.scored_on,
        StateSpan.workplace_id,
        StateSpan.area_id,
        *more,
    ).join(StateSpan, StateSpan.contact_id == Contact.id)


def _with_last_talks(
    session: Session, scope: Scope, found: Any, own: frozenset[int] = frozenset()
) -> list[PersonAtWork]:
    talks = last_talks(session, scope, [row.id for row in found])
    # Asked for the few people shown: names in the statement above would be looked up for all.
    places = {place for row in found for place in (row.workplace_id, row.area_id) if place}
    names = names_of(session, scope, places)
    return [
        PersonAtWork(
            public_id=row.public_id,
            name=row.known_as or row.placeholder_label,
            workplace_name=names.get(row.workplace_id, ""),
            area_name=names.get(row.area_id),
            rating=row.score,
            scored_on=row.scored_on,
            last_talk=talks.get(row.id),
            own=row.id in own,
        )
        for row in found
    ]
