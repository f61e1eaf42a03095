"""What people raised in talks: counts of people, each once, and never of mentions.

Whoever was not talked to, or was talked to with nothing noted, is counted as that and never as
somebody to whom nothing matters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.facts import covers, known
from crm.access.scope import Scope
from crm.models.contacts import Job
from crm.models.conversations import Conversation, ConversationIssue
from crm.models.places import PlaceClosure


@dataclass(frozen=True, slots=True)
class Raised:
    """People of one group. key: the inner id of the area and so on, None = not known.

    on_list: people with a job there on the day. talked: those of them with a talk at that
    workplace in the window. noted: those of them of whom it was noted what matters: the base.
    by_issue: of the base, how many raised each issue; an issue that is not there was raised by
    nobody.
    """

    key: int | None
    name: str | None
    on_list: int
    talked: int
    noted: int
    by_issue: Mapping[str, int]

    @property
    def nothing_noted(self) -> int:
        """People talked to of whom nobody wrote down what matters to them."""
        return self.talked - self.noted

    @property
    def not_talked(self) -> int:
        """People on the list with no talk written down in the window."""
        return self.on_list - self.talked


def inside(place_id: int) -> sa.Select[Any]:
    """Return a SELECT of the inner ids of a place and all places in it, as they lie now."""
    return sa.select(PlaceClosure.descendant_id).where(PlaceClosure.ancestor_id == place_id)


def _here(place_id: int, as_at: date) -> tuple[sa.ColumnElement[bool], ...]:
    return (known(Job), covers(Job, as_at), Job.place_id.in_(inside(place_id)))


def _at_their_site() -> tuple[sa.ColumnElement[bool], ...]:
    """Tie a talk to a job: with the same person, at the workplace of the job or a part of it.

    Somebody who moved between areas keeps what they said; somebody with two workplaces is not
    counted at one for what they said at the other.
    """
    return (
        Conversation.contact_id == Job.contact_id,
        Conversation.place_id.in_(
            sa.select(PlaceClosure.descendant_id)
            .where(PlaceClosure.ancestor_id == Job.workplace_id)
            .correlate(Job)
        ),
    )


def raised_by_group(
    session: Session, scope: Scope, place_id: int, window: tuple[date, date], column: Any
) -> dict[int | None, Raised]:
    """Return the people in each group by its key; one group with the key None without a column."""
    since, as_at = window
    talk = (*_at_their_site(), Conversation.day.between(since, as_at))
    any_talk = sa.select(sa.literal(1)).select_from(Conversation).where(*talk)
    any_issue = any_talk.join(
        ConversationIssue, ConversationIssue.conversation_id == Conversation.id
    )
    key = sa.null() if column is None else column
    people = (
        scope.select(
            key.label("key"),
            Job.contact_id,
            any_talk.correlate(Job).exists().label("talked"),
            any_issue.correlate(Job).exists().label("noted"),
        )
        .where(*_here(place_id, as_at))
        .subquery()
    )
    contact = people.c.contact_id
    counts = session.execute(
        scope.select(
            people.c.key,
            sa.func.count(contact.distinct()).label("on_list"),
            sa.func.count(sa.case((people.c.talked, contact)).distinct()).label("talked"),
            sa.func.count(sa.case((people.c.noted, contact)).distinct()).label("noted"),
        ).group_by(people.c.key)
    ).all()
    found: dict[int | None, dict[str, int]] = {}
    for one in session.execute(
        scope.select(
            key.label("key"),
            ConversationIssue.issue,
            sa.func.count(Job.contact_id.distinct()).label("people"),
        )
        .select_from(Job)
        .join(Conversation, sa.and_(*_at_their_site()))
        .join(ConversationIssue, ConversationIssue.conversation_id == Conversation.id)
        .where(*_here(place_id, as_at), Conversation.day.between(since, as_at))
        .group_by(*([] if column is None else [column]), ConversationIssue.issue)
    ):
        found.setdefault(one.key, {})[one.issue] = int(one.people)
    return {
        one.key: Raised(
            key=one.key,
            name=None,
            on_list=int(one.on_list),
            talked=int(one.talked),
            noted=int(one.noted),
            by_issue=found.get(one.key, {}),
        )
        for one in counts
    }
