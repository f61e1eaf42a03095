"""Who is counted: how many people at each place are members on each day, and who is at several.

Two ways lead to the same counts. ``state_span`` answers one day for any union as known now; the
dated facts themselves answer for one union, and for "as we knew then". A test compares the two.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.facts import covers, known
from crm.access.scope import Scope
from crm.domain.bases import (
    PARTS,
    Roster,
)
from crm.domain.headcount import (
    Counts,
)
from crm.domain.timeline import MembershipStatus
from crm.domain.vocabulary import ContractType
from crm.models.ballots import Ballot, BallotEntry, BallotPart
from crm.models.base import table_of
from crm.models.contacts import Job, Membership, StateSpan
from crm.models.places import (
    Workplace,
)
from crm.reads.density_places import (
    inside,
)
from crm.reads.density_question import (
    GroupBy,
    Question,
)


@dataclass(frozen=True, slots=True)
class People:
    """Counts per place; and of the few people at more than one of the places, state and places.

    On the basis of a part, state and place say whether somebody belongs there, as in _belonging;
    repeats, repeats_not: the places of members, and of people known to be none, who surely or
    perhaps belong at several.
    """

    by_place: dict[int, Counter[str]]
    shared: tuple[tuple[str, tuple[int, ...]], ...]
    repeats: tuple[tuple[int, ...], ...] = ()
    repeats_not: tuple[tuple[int, ...], ...] = ()


MEMBER, NOT_MEMBER, NOT_KNOWN = "member", "not_member", "not_known"
SURELY, PERHAPS, OUTSIDE = 2, 1, 0
# Whoever surely belongs is called by their membership alone, as on the basis of everybody.
BELONGS = {SURELY: "", PERHAPS: "perhaps_", OUTSIDE: "outside_"}


_LANE = 32
_LANE_FULL = (1 << _LANE) - 1
# Contact, place, the days as a mask, and whether the job belongs to the part that is counted.
_Spell = tuple[int, int, int, int]
# Contact, union (None = of any), whether a member of it, and the days as a mask.
_Saying = tuple[int, int | None, bool, int]


def people_on_days(
    session: Session, scope: Scope, question: Question, days: Sequence[date]
) -> dict[date, People]:
    """Count one day inside the database, from the spans or the facts; several from the facts, and
    so whoever belongs to a part, which only a job tells."""
    if len(days) > 1 or question.counts in PARTS or isinstance(question.counts, Roster):
        facts = read_facts(session, scope, question, days)
        return people_from_facts(facts, question.union_id, days)
    if question.union_id is None and question.known_at is None:
        return {days[0]: _from_spans(session, scope, question, days[0])}
    return {days[0]: recount(session, scope, replace(question, as_at=days[0]))}


def _from_spans(session: Session, scope: Scope, question: Question, day: date) -> People:
    place = _span_place(question)
    there = (
        StateSpan.from_day <= day,
        StateSpan.to_day > day,
        place.is_not(None),
        *inside(question, StateSpan.place_id),
    )
    counts = session.execute(
        scope.select(
            place,
            StateSpan.member,
            sa.func.count(sa.distinct(StateSpan.contact_id)),
            permission=question.permission,
        )
        .where(*there)
        .group_by(place, StateSpan.member)
    )
    by_place: dict[int, Counter[str]] = defaultdict(Counter)
    for place_id, member, people in counts:
        by_place[place_id][_state(member)] += people
    several = (
        scope.select(StateSpan.contact_id, permission=question.permission)
        .where(*there)
        .group_by(StateSpan.contact_id)
        .having(sa.func.min(place) < sa.func.max(place))
    )
    shared = session.execute(
        scope.select(StateSpan.contact_id, place, StateSpan.member, permission=question.permission)
        .where(*there, StateSpan.contact_id.in_(several))
        .distinct()
    )
    return People(
        dict(by_place), _shared((contact, at, _state(member)) for contact, at, member in shared)
    )


@dataclass(frozen=True, slots=True)
class Facts:
    """Jobs as spells, and what is said of membership: contact, union, member or not, days."""

    jobs: list[_Spell]
    sayings: list[_Saying]


def read_facts(session: Session, scope: Scope, question: Question, days: Sequence[date]) -> Facts:
    """Return the facts that hold on any of the days: one statement for jobs, one for membership,
    and one more out of a ballot."""
    sayings = _read_sayings(session, scope, question, days)
    if question.counts is Roster.BALLOT:
        return Facts(entitled(session, scope, question, days), sayings)
    place = Job.area_id if question.group_by is GroupBy.AREA else Job.workplace_id
    found = scope.select(
        Job.contact_id,
        place,
        Job.valid_from,
        Job.valid_to,
        _belonging(question),
        permission=question.permission,
    ).where(
        *_overlaps(Job, days),
        known(Job, question.known_at),
        place.is_not(None),
        *inside(question, Job.place_id),
    )
    if question.counts is Counts.EMPLOYER_DIRECT:
        found = found.outerjoin(_job_site, _job_site.c.id == Job.workplace_id)
    jobs = session.execute(found)
    number = _Numbers(days)
    return Facts(
        jobs=[
            (contact, at, _mask(number[start], number[end]), int(belongs))
            for contact, at, start, end, belongs in jobs
            if question.people is None or contact in question.people
        ],
        sayings=sayings,
    )


def _read_sayings(
    session: Session, scope: Scope, question: Question, days: Sequence[date]
) -> list[_Saying]:
    number = _Numbers(days)
    return [
        (contact, union, bool(member), _mask(number[start], number[end]))
        for contact, union, member, start, end in session.execute(
            scope.select(
                Membership.contact_id,
                Membership.union_id,
                Membership.status == MembershipStatus.MEMBER,
                Membership.valid_from,
                Membership.valid_to,
            ).where(*_overlaps(Membership, days), known(Membership, question.known_at))
        )
    ]


def entitled(
    session: Session, scope: Scope, question: Question, days: Sequence[date]
) -> list[_Spell]:
    """Return whom the last list of those entitled names, at each workplace on each day.

    A list counts from the day whose records it was made of, until a later one is made there or the
    ballot is called off. Of one union, only its own ballots count. Two statements.
    """
    site, made = BallotPart.place_id, Ballot.frozen_on
    lists = session.execute(
        scope.select(BallotPart.id, site, made, Ballot.called_off_on)
        .join(Ballot, Ballot.id == BallotPart.ballot_id)
        .where(
            made <= days[-1],
            *([] if question.union_id is None else [Ballot.union_id == question.union_id]),
            *([] if question.known_at is None else [Ballot.frozen_at <= question.known_at]),
        )
        .order_by(made, Ballot.frozen_at, Ballot.id)
    ).all()
    in_force: dict[int, int] = {}
    for bit, day in enumerate(days):
        last = {
            at: part
            for part, at, made_on, called_off in lists
            if made_on <= day and (called_off is None or called_off > day)
        }
        for part in last.values():
            in_force[part] = in_force.get(part, 0) | 1 << bit
    if not in_force:
        return []
    place = BallotEntry.place_id if question.group_by is GroupBy.AREA else site
    rows = session.execute(
        scope.select(BallotEntry.contact_id, place, BallotEntry.part_id)
        .join(BallotPart, BallotPart.id == BallotEntry.part_id)
        .where(
            BallotEntry.entitled.is_(True),
            BallotEntry.part_id.in_(sorted(in_force)),
            *inside(question, BallotEntry.place_id),
        )
    )
    return [(contact, at, in_force[part], SURELY) for contact, at, part in rows]


def people_from_facts(
    facts: Facts, union_id: int | None, days: Sequence[date]
) -> dict[date, People]:
    """Count as member_of_any or, for one union, member_of of crm/domain/timeline.py says."""
    members: dict[int, int] = {}
    not_members: dict[int, int] = {}
    for contact, union, member, mask in facts.sayings:
        if member:
            if union_id is None or union == union_id:
                members[contact] = members.get(contact, 0) | mask
        elif union is None or (union_id is not None and union == union_id):
            not_members[contact] = not_members.get(contact, 0) | mask
    return _tally(facts.jobs, members, not_members, days)


# Only who owns the site of a job. The table, and not the mapped class: the right to density holds
# at the workplace, and the rule would hide the employer above it.
_job_site = table_of(Workplace).alias("job_site")


def _belonging(question: Question) -> sa.ColumnElement[int]:
    """Return a column over jobs: whether the job belongs to what the headcount counts.

    The employer's own staff: those paid by it, and not those of an agency; of others nobody has
    written down who pays them. Nobody writes down who is in a bargaining unit.
    """
    if question.counts is Counts.BARGAINING_UNIT:
        return sa.literal(PERHAPS)
    if question.counts is Counts.EMPLOYER_DIRECT:
        return sa.case(
            (Job.contract_type == ContractType.AGENCY, OUTSIDE),
            (Job.employer_of_record_id.is_(None), PERHAPS),
            (Job.employer_of_record_id == _job_site.c.employer_id, SURELY),
            else_=OUTSIDE,
        )
    return sa.literal(SURELY)


class _Lanes(dict[int, int]):
    """A mask of days as one person on each of them: one whole number, 32 bits a day.

    Adding such numbers adds the counts of all days in one operation.
    """

    def __missing__(self, mask: int) -> int:
        found = sum(1 << _LANE * bit for bit in range(mask.bit_length()) if mask >> bit & 1)
        self[mask] = found
        return found


def _tally(
    jobs: Sequence[_Spell],
    members: Mapping[int, int],
    not_members: Mapping[int, int],
    days: Sequence[date],
) -> dict[date, People]:
    """Return the people of each day.

    members, not_members: the days on which each person is known to be one; being a member wins.
    Of somebody with several jobs at a place, the one that surely belongs wins, then perhaps.
    """
    if all(belongs == SURELY for _contact, _at, _days, belongs in jobs):
        return _tally_whole(jobs, members, not_members, days)
    lanes = _Lanes()
    sums: dict[tuple[int, str], int] = defaultdict(int)
    shared: list[list[tuple[str, tuple[int, ...]]]] = [[] for _ in days]
    repeats: list[list[tuple[int, ...]]] = [[] for _ in days]
    repeats_not: list[list[tuple[int, ...]]] = [[] for _ in days]
    for contact, jobs_at in _held(jobs).items():
        yes = members.get(contact, 0)
        no = not_members.get(contact, 0) & ~yes
        for at, held in jobs_at.items():
            for belongs, prefix in BELONGS.items():
                mask = held[belongs]
                for state, on in (
                    (MEMBER, mask & yes),
                    (NOT_MEMBER, mask & no),
                    (NOT_KNOWN, mask & ~(yes | no)),
                ):
                    if on:
                        sums[at, prefix + state] += lanes[on]
        if len(jobs_at) > 1:
            for bit, state, here in _at_several(jobs_at, yes, no, len(days)):
                shared[bit].append((state, here))
            _add_repeats(repeats, jobs_at, yes)
            _add_repeats(repeats_not, jobs_at, no)
    by_day = _unpacked(sums, len(days))
    return {
        day: People(by_day[bit], tuple(shared[bit]), tuple(repeats[bit]), tuple(repeats_not[bit]))
        for bit, day in enumerate(days)
    }


def _tally_whole(
    jobs: Sequence[_Spell],
    members: Mapping[int, int],
    not_members: Mapping[int, int],
    days: Sequence[date],
) -> dict[date, People]:
    """Return the same where everybody counts: a fifth of the time, and this is the usual page."""
    places: dict[int, dict[int, int]] = {}
    for contact, at, mask, _belongs in jobs:
        held = places.get(contact)
        if held is None:
            places[contact] = {at: mask}
        else:
            held[at] = held.get(at, 0) | mask
    lanes = _Lanes()
    sums: dict[tuple[int, str], int] = defaultdict(int)
    shared: list[list[tuple[str, tuple[int, ...]]]] = [[] for _ in days]
    for contact, held in places.items():
        yes = members.get(contact, 0)
        no = not_members.get(contact, 0) & ~yes
        for at, mask in held.items():
            for state, on in (
                (MEMBER, mask & yes),
                (NOT_MEMBER, mask & no),
                (NOT_KNOWN, mask & ~(yes | no)),
            ):
                if on:
                    sums[at, state] += lanes[on]
        if len(held) > 1:
            for bit, here in _together(held, len(days)):
                state = MEMBER if yes >> bit & 1 else NOT_MEMBER if no >> bit & 1 else NOT_KNOWN
                shared[bit].append((state, here))
    by_day = _unpacked(sums, len(days))

    def _repeats(bit: int, of: str) -> tuple[tuple[int, ...], ...]:
        return tuple(here for state, here in shared[bit] if state == of)

    return {
        day: People(
            by_day[bit], tuple(shared[bit]), _repeats(bit, MEMBER), _repeats(bit, NOT_MEMBER)
        )
        for bit, day in enumerate(days)
    }


def _unpacked(sums: Mapping[tuple[int, str], int], days: int) -> list[dict[int, Counter[str]]]:
    """Return the counts of each day at each place, out of the whole numbers that hold all days."""
    by_day: list[dict[int, Counter[str]]] = [defaultdict(Counter) for _ in range(days)]
    for (at, state), packed in sums.items():
        for bit in range(days):
            number = packed >> _LANE * bit & _LANE_FULL
            if number:
                by_day[bit][at][state] = number
    return [dict(one) for one in by_day]


def _held(jobs: Sequence[_Spell]) -> dict[int, dict[int, list[int]]]:
    """Return the days on which each person has jobs at each place, by whether they belong there."""
    places: dict[int, dict[int, list[int]]] = {}
    for contact, at, mask, belongs in jobs:
        places.setdefault(contact, {}).setdefault(at, [0, 0, 0])[belongs] |= mask
    for jobs_at in places.values():
        for held in jobs_at.values():
            held[PERHAPS] &= ~held[SURELY]
            held[OUTSIDE] &= ~(held[SURELY] | held[PERHAPS])
    return places


def _add_repeats(
    found: Sequence[list[tuple[int, ...]]], jobs_at: Mapping[int, Sequence[int]], when: int
) -> None:
    """Add the places where a person surely or perhaps belongs to several, on each of these days."""
    could = {at: (held[SURELY] | held[PERHAPS]) & when for at, held in jobs_at.items()}
    for bit, here in _together(could, len(found)):
        found[bit].append(here)


def _at_several(
    jobs_at: Mapping[int, Sequence[int]], yes: int, no: int, days: int
) -> Iterable[tuple[int, str, tuple[int, ...]]]:
    """Yield the days on which a person belongs, or perhaps belongs, at several of the places; what
    they are then; and those places."""
    for belongs in (SURELY, PERHAPS):
        only = {at: held[belongs] for at, held in jobs_at.items() if held[belongs]}
        for bit, here in _together(only, days):
            state = MEMBER if yes >> bit & 1 else NOT_MEMBER if no >> bit & 1 else NOT_KNOWN
            yield bit, BELONGS[belongs] + state, here


def _together(held: Mapping[int, int], days: int) -> Iterable[tuple[int, tuple[int, ...]]]:
    """Yield the days on which a person is at several of the places, and those places."""
    seen = several = 0
    for mask in held.values():
        several |= seen & mask
        seen |= mask
    for bit in range(days) if several else ():
        if several >> bit & 1:
            yield bit, tuple(at for at, mask in held.items() if mask >> bit & 1)


def _overlaps(model: Any, days: Sequence[date]) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        model.valid_from <= days[-1],
        sa.or_(model.valid_to.is_(None), model.valid_to > days[0]),
    )


class _Numbers(dict[date | None, int]):
    """Which of the days is the first on or after a date; past the last one if none is.

    No date (a spell that goes on) lies past the last day. Each date is looked up once: thousands
    of spells share a few hundred dates, and asking the database for the number cost far more.
    """

    def __init__(self, days: Sequence[date]) -> None:
        super().__init__({None: len(days)})
        self._days = days

    def __missing__(self, day: date | None) -> int:
        number = len(self._days) if day is None else bisect_left(self._days, day)
        self[day] = number
        return number


def _mask(start: int, end: int) -> int:
    return (1 << end) - (1 << start) if end > start else 0


def recount(session: Session, scope: Scope, question: Question) -> People:
    """Count people from the dated facts themselves: any day, any union or one, as known at any
    moment. The rule is that of crm/domain/timeline.py, written as SQL; a test compares them.
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
    several = (
        sa.select(people.c.contact_id).group_by(people.c.contact_id).having(sa.func.count() > 1)
    )
    shared_rows = session.execute(
        scope.select(people.c.contact_id, people.c.place_id, people.c.state).where(
            people.c.contact_id.in_(several)
        )
    )
    return People(
        dict(by_place),
        _shared((contact, at, _STATES[found]) for contact, at, found in shared_rows),
    )


_STATES = {2: MEMBER, 1: NOT_MEMBER, 0: NOT_KNOWN}


def membership_state(question: Question, *when: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
    """Return a column for a statement grouped by person over their memberships: 2 = a member of
    the union asked for, or of any; 1 = known not to be; 0 = not known.

    when: only memberships for which this holds count, such as that they cover a day.
    """
    member = Membership.status == MembershipStatus.MEMBER
    not_member = sa.and_(
        Membership.status == MembershipStatus.NOT_MEMBER, Membership.union_id.is_(None)
    )
    if question.union_id is not None:
        member = sa.and_(member, Membership.union_id == question.union_id)
        not_member = sa.and_(
            Membership.status == MembershipStatus.NOT_MEMBER,
            sa.or_(Membership.union_id.is_(None), Membership.union_id == question.union_id),
        )
    return sa.func.max(
        sa.case((sa.and_(member, *when), 2), (sa.and_(not_member, *when), 1), else_=0)
    )


def _span_place(question: Question) -> Any:
    return StateSpan.area_id if question.group_by is GroupBy.AREA else StateSpan.workplace_id


def _state(member: bool | None) -> str:
    return NOT_KNOWN if member is None else (MEMBER if member else NOT_MEMBER)


def _shared(rows: Iterable[tuple[int, int, str]]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    places: dict[int, list[int]] = defaultdict(list)
    states: dict[int, str] = {}
    for contact, place, state in rows:
        places[contact].append(place)
        states[contact] = state
    return tuple((states[contact], tuple(at)) for contact, at in places.items() if len(at) > 1)
