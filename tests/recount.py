"""The people at each place, counted by the database itself: to compare the program with."""

from __future__ import annotations

from collections import Counter, defaultdict

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.facts import covers, known
from crm.access.scope import Scope
from crm.models.contacts import Job, Membership
from crm.reads.density_people import membership_state
from crm.reads.density_places import inside
from crm.reads.figures import GroupBy, Question


def recount(session: Session, scope: Scope, question: Question) -> dict[int, Counter[str]]:
    """Return the people at each place from the dated facts: any day, any union or one, as known at
    any moment. The rule is that of crm/domain/timeline.py, written as SQL.
    """
    state = membership_state(question)
    place = Job.area_id if question.group_by is GroupBy.AREA else Job.workplace_id
    status = sa.and_(
        Membership.contact_id == Job.contact_id,
        covers(Membership, question.as_at),
        known(Membership, question.known_at),
    )
    people = (
        scope.select(
            place.label("place_id"),
            Job.contact_id.label("contact_id"),
            state.label("state"),
            permission=question.permission,
        )
        .outerjoin(Membership, status)
        .where(
            covers(Job, question.as_at),
            known(Job, question.known_at),
            place.is_not(None),
            *inside(question, Job.place_id),
        )
        .group_by(place, Job.contact_id)
    ).subquery()
    counts = session.execute(
        scope.select(people.c.place_id, people.c.state, sa.func.count()).group_by(
            people.c.place_id, people.c.state
        )
    )
    by_place: dict[int, Counter[str]] = defaultdict(Counter)
    for place_id, found, number in counts:
        by_place[place_id][_STATES[found]] += number
    return dict(by_place)


_STATES = {2: "member", 1: "not_member", 0: "not_known"}
