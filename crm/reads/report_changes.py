"""The part "since the last meeting": members who came and went, and the talks that were held."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

import sqlalchemy as sa

from crm.access.facts import known
from crm.domain.report import Figure, FigureKind, PartName, ReportPart, ReportTable, count, hidden
from crm.models.conversations import Assessment, Conversation
from crm.reads.report_material import Material, Roll, places_of

# The second to the sixth are the whole of the way from the first to the last.
MEMBERS = (
    "members_then",
    "joined",
    "came_as_members",
    "left_as_members",
    "no_longer_members",
    "no_longer_known",
    "members_now",
)
_SECRET = dict.fromkeys(MEMBERS, hidden(FigureKind.COUNT))
WORK = ("talks", "talked_to", "asked", "asked_first")


def build(material: Material) -> ReportPart:
    """Return what changed between the two days. People who moved inside the unit count in the
    lines of both places, and not at all in the line of the whole."""
    return ReportPart(PartName.CHANGES, (_members(material), _work(material)))


def _members(material: Material) -> ReportTable:
    then, now = material.roll(material.asked.since), material.roll(material.asked.as_at)
    nobody: frozenset[int] = frozenset()
    here = {
        place: (then.at.get(place, nobody), now.at.get(place, nobody))
        for place in places_of(then.at, now.at)
    }
    secret = material.member_lines()
    by_place = {
        place: _SECRET if place in secret.places else _moves(then, now, before, after)
        for place, (before, after) in here.items()
    }
    whole = (
        _SECRET if secret.all_together else _moves(then, now, then.people.keys(), now.people.keys())
    )
    return ReportTable(
        "members",
        MEMBERS,
        material.lines(whole, by_place),
        drawn=("members_then", "members_now"),
        after=material.asked.since,
    )


def _moves(
    then: Roll, now: Roll, here_then: AbstractSet[int], here_now: AbstractSet[int]
) -> dict[str, Figure]:
    tally = dict.fromkeys(MEMBERS, 0)
    for one in here_then | here_now:
        was = one in here_then and then.people[one].member is True
        is_now = one in here_now and now.people[one].member is True
        tally["members_then"] += was
        tally["members_now"] += is_now
        if was and not is_now:
            if one not in here_now:
                tally["left_as_members"] += 1
            elif now.people[one].member is False:
                tally["no_longer_members"] += 1
            else:
                tally["no_longer_known"] += 1
        elif is_now and not was:
            tally["joined" if one in here_then else "came_as_members"] += 1
    not_known = sum(now.people[one].member is None for one in here_now)
    return {
        name: count(number, not_known=not_known) if name == "members_now" else count(number)
        for name, number in tally.items()
    }


@dataclass
class _Work:
    talks: int = 0
    talked_to: set[int] = field(default_factory=set)
    asked: set[int] = field(default_factory=set)
    asked_first: set[int] = field(default_factory=set)

    def figures(self) -> dict[str, Figure]:
        """Return the counts."""
        return {
            "talks": count(self.talks),
            "talked_to": count(len(self.talked_to)),
            "asked": count(len(self.asked)),
            "asked_first": count(len(self.asked_first)),
        }


def _work(material: Material) -> ReportTable:
    asked = material.asked
    whole, by_place = _Work(), defaultdict[int | None, _Work](_Work)
    talks = material.session.execute(
        material.scope.select(Conversation.contact_id, Conversation.place_id).where(
            Conversation.place_id.in_(material.inside()),
            Conversation.day > asked.since,
            Conversation.day <= asked.as_at,
        )
    )
    for contact_id, place_id in talks:
        for work in (whole, by_place[material.line_place(place_id)]):
            work.talks += 1
            work.talked_to.add(contact_id)
    # The first day anybody wrote down where a person stands, at a place of the unit.
    standings = material.session.execute(
        material.scope.select(
            Assessment.contact_id,
            Assessment.place_id,
            sa.func.min(Assessment.day).label("first"),
            sa.func.max(Assessment.day).label("last"),
        )
        .where(
            Assessment.place_id.in_(material.inside()),
            known(Assessment),
            Assessment.ask.is_(None),
            Assessment.day <= asked.as_at,
        )
        .group_by(Assessment.contact_id, Assessment.place_id)
    ).all()
    before = {row.contact_id for row in standings if row.first <= asked.since}
    for row in standings:
        if row.last > asked.since:
            for work in (whole, by_place[material.line_place(row.place_id)]):
                work.asked.add(row.contact_id)
                if row.contact_id not in before:
                    work.asked_first.add(row.contact_id)
    return ReportTable(
        "work",
        WORK,
        material.lines(
            whole.figures(), {place: work.figures() for place, work in by_place.items()}
        ),
        after=asked.since,
    )
