"""Structure tests: who goes on a list, which tests were held, and what is known of those listed."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.facts import covers, known
from crm.access.many import one_of
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.cover import cover
from crm.domain.structure import (
    NOT_KNOWN,
    RISK,
    Deed,
    Listed,
    Rung,
    Tally,
    WhyNot,
    lowest_share,
    tally,
)
from crm.models.base import table_of
from crm.models.campaigns import Campaign, ListEntry, Participation, StructureTest
from crm.models.contacts import Contact, Job, StateSpan
from crm.models.conversations import Assessment
from crm.models.places import PlaceClosure, Shift
from crm.models.ties import Leading, Tie
from crm.reads.places import names_of


@dataclass(frozen=True, slots=True)
class ToList:
    """Somebody who goes on the frozen list, as they are on the day. Fields as of ListEntry."""

    contact_id: int
    place_id: int
    workplace_id: int
    area_id: int | None
    shift_id: int | None
    rating: int | None
    firm: bool | None
    stood_on: date | None
    assessor_id: int | None
    leader_id: int | None


@dataclass(frozen=True, slots=True)
class HeldAt:
    """A test and what is known of it, over the people on its list who are in the reader's places.

    inner_id: never leaves the server. frozen_on: the day by which people were put on the list.
    by_area: by inner id of the area, None = no area known. whole: everybody on the list is counted.
    """

    inner_id: int
    public_id: uuid.UUID
    campaign_id: uuid.UUID
    campaign: str
    name: str
    kind: Rung
    target: int | None
    frozen_on: date
    frozen_at: datetime
    closes_on: date | None
    tally: Tally
    by_area: Mapping[int | None, Tally]
    whole: bool

    @property
    def risk(self) -> int:
        """How much somebody risked who did it, 1 to 5."""
        return RISK[self.kind]

    @property
    def worst_area(self) -> float | None:
        """The lowest rate known for sure of an area, 0 to 1; None when the list names no areas."""
        return lowest_share([one for area, one in self.by_area.items() if area is not None])


def counted_once(entry: Any = ListEntry) -> sa.ColumnElement[bool]:
    """Return the condition that leaves out the second line of somebody on a frozen list.

    Two records of one person can both be on it. Made one, the list keeps both lines, and only
    that of the record that stayed is counted, shown and marked. entry: ListEntry or its columns.
    """
    # Whoever reads may not see the other line: it is the same person all the same.
    gone = table_of(Contact).alias("scope_gone")
    kept = table_of(ListEntry).alias("scope_kept")
    return ~sa.exists(
        sa.select(sa.literal(1))
        .select_from(gone)
        .join(kept, kept.c.contact_id == gone.c.merged_into_id)
        .where(gone.c.id == entry.contact_id, kept.c.test_id == entry.test_id)
        .correlate_except(gone, kept)
    )


def _second_lines() -> Any:
    every = table_of(ListEntry).alias("scope_line")
    return (
        sa.select(sa.func.count())
        .select_from(every)
        .where(every.c.test_id == StructureTest.id, ~counted_once(every.c))
        .correlate_except(every)
        .scalar_subquery()
    )


def people_to_list(
    session: Session, scope: Scope, place_ids: Collection[int], *, as_at: date
) -> list[ToList]:
    """Return everybody with a job on the day in the places or inside them, each once.

    In the order of the printed list: workplace, area, shift, name. Somebody with two jobs there
    stands at the older one. place_ids: inner ids, of places that the caller has found in the
    scope and that it holds wholly. Eight statements, whatever the number of people.
    """
    inside = sa.select(PlaceClosure.descendant_id).where(
        one_of(PlaceClosure.ancestor_id, place_ids)
    )
    rows = session.execute(
        scope.select(
            Job.id,
            Job.contact_id,
            Job.place_id,
            Job.workplace_id,
            Job.area_id,
            Job.shift_id,
            Job.valid_from,
            Contact.name_key,
            StateSpan.score,
            StateSpan.score_firm,
            StateSpan.scored_on,
        )
        .join(Contact, Contact.id == Job.contact_id)
        .outerjoin(
            StateSpan,
            sa.and_(
                StateSpan.contact_id == Job.contact_id,
                StateSpan.place_id == Job.place_id,
                StateSpan.from_day <= as_at,
                StateSpan.to_day > as_at,
            ),
        )
        .where(Job.place_id.in_(inside), known(Job), covers(Job, as_at))
        .order_by(Job.valid_from, Job.id)
    ).all()
    once: dict[int, Any] = {}
    for row in rows:
        once.setdefault(row.contact_id, row)
    names = names_of(
        session,
        scope,
        {one for row in once.values() for one in (row.workplace_id, row.area_id) if one},
    )
    shifts = shift_names(session, scope, {row.shift_id for row in once.values()})
    ordered = sorted(
        once.values(),
        key=lambda row: (
            names.get(row.workplace_id, "").casefold(),
            row.workplace_id,
            row.area_id is None,
            names.get(row.area_id or 0, "").casefold(),
            row.area_id or 0,
            row.shift_id is None,
            shifts.get(row.shift_id or 0, "").casefold(),
            row.name_key,
            row.contact_id,
        ),
    )
    leaders = _leaders_of(session, scope, {row.workplace_id for row in ordered}, as_at)
    judges = _assessors(session, scope, inside, as_at)
    return [
        ToList(
            contact_id=row.contact_id,
            place_id=row.place_id,
            workplace_id=row.workplace_id,
            area_id=row.area_id,
            shift_id=row.shift_id,
            rating=row.score,
            firm=row.score_firm,
            stood_on=row.scored_on,
            assessor_id=judges.get((row.contact_id, row.scored_on, row.score)),
            leader_id=leaders.get((row.workplace_id, row.contact_id)),
        )
        for row in ordered
    ]


def shift_names(session: Session, scope: Scope, ids: Collection[int | None]) -> dict[int, str]:
    """Return the names of the shifts that the scope may see, by inner id."""
    wanted = {one for one in ids if one is not None}
    if not wanted:
        return {}
    rows = session.execute(scope.select(Shift.id, Shift.name).where(one_of(Shift.id, wanted)))
    return {int(row.id): str(row.name) for row in rows}


def _assessors(
    session: Session, scope: Scope, inside: Any, as_at: date
) -> dict[tuple[int, date | None, int | None], int | None]:
    """Return who judged, by person, day and rating; of several on one day the latest written."""
    rows = session.execute(
        scope.select(
            Assessment.contact_id, Assessment.day, Assessment.rating, Assessment.assessor_id
        )
        .where(
            Assessment.contact_id.in_(
                sa.select(Job.contact_id).where(
                    Job.place_id.in_(inside), known(Job), covers(Job, as_at)
                )
            ),
            known(Assessment),
            Assessment.ask.is_(None),
            Assessment.day <= as_at,
        )
        .order_by(Assessment.recorded_at, Assessment.id)
    )
    return {(row.contact_id, row.day, row.rating): row.assessor_id for row in rows}


def _leaders_of(
    session: Session, scope: Scope, workplace_ids: Collection[int], as_at: date
) -> dict[tuple[int, int], int]:
    """Return by workplace and person the leader they listen to; themselves for a leader."""
    sites = set(workplace_ids)
    if not sites:
        return {}
    ties: dict[int, list[tuple[int, int]]] = {}
    for row in session.execute(
        scope.select(Tie.workplace_id, Tie.contact_id, Tie.leader_id)
        .where(one_of(Tie.workplace_id, sites), known(Tie), covers(Tie, as_at))
        .order_by(Tie.valid_from, Tie.id)
    ):
        ties.setdefault(row.workplace_id, []).append((row.contact_id, row.leader_id))
    leading: dict[int, set[int]] = {}
    for row in session.execute(
        scope.select(Leading.workplace_id, Leading.contact_id).where(
            one_of(Leading.workplace_id, sites),
            known(Leading),
            covers(Leading, as_at),
        )
    ):
        leading.setdefault(row.workplace_id, set()).add(row.contact_id)
    if not leading:
        return {}
    present: dict[int, set[int]] = {}
    for row in session.execute(
        scope.select(Job.workplace_id, Job.contact_id).where(
            one_of(Job.workplace_id, leading), known(Job), covers(Job, as_at)
        )
    ):
        present.setdefault(row.workplace_id, set()).add(row.contact_id)
    found = {}
    for site, lead in leading.items():
        homes = cover(present.get(site, set()), ties.get(site, ()), lead).home
        found.update({(site, person): leader for person, leader in homes.items()})
    return found


def list_tests(
    session: Session,
    scope: Scope,
    *,
    unit: int | None = None,
    campaign: int | None = None,
    test: int | None = None,
    as_at: date | None = None,
    known_at: datetime | None = None,
    called_off: bool = False,
) -> list[HeldAt]:
    """Return the tests, in the order their lists were frozen, with what is known of the people.

    unit: inner id of a place; then only the people listed in it or inside it are counted, and
    only tests with such people come. campaign, test: inner ids. as_at: lists frozen by that day.
    known_at: as we knew at that moment; None = as we know now. called_off: also tests that were
    called off. Two statements, whatever the number of people and tests.
    """
    inside = None
    if unit is not None:
        inside = sa.and_(
            ListEntry.place_id.in_(
                sa.select(PlaceClosure.descendant_id).where(PlaceClosure.ancestor_id == unit)
            ),
            counted_once(),
        )
    asked = scope.select(
        StructureTest.id,
        StructureTest.public_id,
        Campaign.public_id.label("campaign_id"),
        Campaign.name.label("campaign"),
        Campaign.target.label("usual_target"),
        StructureTest.name,
        StructureTest.kind,
        StructureTest.target,
        StructureTest.as_at,
        StructureTest.frozen_at,
        StructureTest.closes_on,
        (StructureTest.people - _second_lines()).label("people"),
    ).join(Campaign, Campaign.id == StructureTest.campaign_id)
    if not called_off:
        asked = asked.where(StructureTest.called_off_at.is_(None))
    if campaign is not None:
        asked = asked.where(StructureTest.campaign_id == campaign)
    if test is not None:
        asked = asked.where(StructureTest.id == test)
    if as_at is not None:
        asked = asked.where(StructureTest.as_at <= as_at)
    if inside is not None:
        asked = asked.where(
            sa.exists(sa.select(sa.literal(1)).where(ListEntry.test_id == StructureTest.id, inside))
        )
    rows = session.execute(asked.order_by(StructureTest.frozen_at, StructureTest.id)).all()
    if not rows:
        return []
    counted = (
        scope.select(
            ListEntry.test_id,
            ListEntry.area_id,
            Participation.deed,
            Participation.why,
            sa.func.count(ListEntry.id).label("people"),
        )
        .outerjoin(
            Participation,
            sa.and_(Participation.entry_id == ListEntry.id, known(Participation, known_at)),
        )
        .where(one_of(ListEntry.test_id, [row.id for row in rows]), counted_once())
        .group_by(ListEntry.test_id, ListEntry.area_id, Participation.deed, Participation.why)
    )
    if inside is not None:
        counted = counted.where(inside)
    counts: dict[int, dict[int | None, list[tuple[Deed | None, WhyNot | None]]]] = {}
    for one in session.execute(counted):
        areas = counts.setdefault(one.test_id, {})
        areas.setdefault(one.area_id, []).extend([(one.deed, one.why)] * one.people)
    return [_held(row, counts.get(row.id, {})) for row in rows]


def _held(
    row: Any,
    areas: Mapping[int | None, list[tuple[Deed | None, WhyNot | None]]],
) -> HeldAt:
    everybody = tally(pair for some in areas.values() for pair in some)
    return HeldAt(
        inner_id=row.id,
        public_id=row.public_id,
        campaign_id=row.campaign_id,
        campaign=row.campaign,
        name=row.name,
        kind=row.kind,
        target=row.target if row.target is not None else row.usual_target,
        frozen_on=row.as_at,
        frozen_at=row.frozen_at,
        closes_on=row.closes_on,
        tally=everybody,
        by_area={area: tally(some) for area, some in areas.items()},
        whole=everybody.listed == row.people,
    )


def participation(
    session: Session,
    scope: Scope,
    test: int,
    *,
    unit: int | None = None,
    known_at: datetime | None = None,
) -> list[Listed]:
    """Return everybody on the list of a test whom the scope sees, by number. One statement.

    test, unit: inner ids. known_at: as we knew at that moment; None = as we know now. group is
    (workplace, area, shift) as inner ids.
    """
    rows = scope.select(
        ListEntry.contact_id,
        ListEntry.workplace_id,
        ListEntry.area_id,
        ListEntry.shift_id,
        ListEntry.leader_id,
        ListEntry.rating,
        ListEntry.assessor_id,
        Participation.deed,
        Participation.why,
    ).outerjoin(
        Participation,
        sa.and_(Participation.entry_id == ListEntry.id, known(Participation, known_at)),
    )
    if unit is not None:
        rows = rows.where(
            ListEntry.place_id.in_(
                sa.select(PlaceClosure.descendant_id).where(PlaceClosure.ancestor_id == unit)
            )
        )
    return [
        Listed(
            key=row.contact_id,
            group=(row.workplace_id, row.area_id, row.shift_id),
            leader=row.leader_id,
            rating=row.rating,
            assessor=row.assessor_id,
            deed=row.deed,
            why=row.why,
        )
        for row in session.execute(
            rows.where(ListEntry.test_id == test, counted_once()).order_by(ListEntry.number)
        )
    ]


def last_deeds(
    session: Session,
    scope: Scope,
    workplace_id: int,
    *,
    as_at: date,
    tests: int,
) -> tuple[list[tuple[int, str]], dict[int, dict[int, Deed | None]]]:
    """Return the last tests at a workplace, the oldest first, and what its people did in them.

    tests: how many at most. The first part is (inner id, name) of each test; the second, by
    inner id of the test and of the person, the deed, None = not known. Whoever is not on a list
    is not in it. Two statements.
    """
    held = session.execute(
        scope.select(StructureTest.id, StructureTest.name)
        .where(
            StructureTest.called_off_at.is_(None),
            StructureTest.as_at <= as_at,
            sa.exists(
                sa.select(sa.literal(1)).where(
                    ListEntry.test_id == StructureTest.id, ListEntry.workplace_id == workplace_id
                )
            ),
        )
        .order_by(StructureTest.frozen_at.desc(), StructureTest.id.desc())
        .limit(tests)
    ).all()
    deeds: dict[int, dict[int, Deed | None]] = {row.id: {} for row in reversed(held)}
    if deeds:
        rows = session.execute(
            scope.select(ListEntry.test_id, ListEntry.contact_id, Participation.deed)
            .outerjoin(
                Participation,
                sa.and_(Participation.entry_id == ListEntry.id, known(Participation)),
            )
            .where(
                ListEntry.test_id.in_(sorted(deeds)),
                ListEntry.workplace_id == workplace_id,
                counted_once(),
            )
        )
        for row in rows:
            deeds[row.test_id][row.contact_id] = row.deed
    return [(row.id, row.name) for row in reversed(held)], deeds


@dataclass(frozen=True, slots=True)
class OpenTest:
    """A test that goes on, and how many of the list the reader could still ask.

    unknown: people on it, in places where the reader may log talks, of whom it is not known.
    """

    public_id: uuid.UUID
    name: str
    closes_on: date | None
    unknown: int


@dataclass(frozen=True, slots=True)
class DeedSeen:
    """What somebody did in a test. entry_id: of their line on its list. deed None = not known."""

    entry_id: uuid.UUID
    name: str
    frozen_on: date
    deed: Deed | None
    why: WhyNot | None


def deeds_of(session: Session, scope: Scope, contact_id: int) -> list[DeedSeen]:
    """Return what somebody did in the tests on whose lists they are, the latest list first.

    contact_id: inner id, of somebody found in the scope. Without tests called off. One statement.
    """
    rows = session.execute(
        scope.select(
            ListEntry.public_id,
            StructureTest.name,
            StructureTest.as_at,
            Participation.deed,
            Participation.why,
        )
        .join(StructureTest, StructureTest.id == ListEntry.test_id)
        .outerjoin(
            Participation,
            sa.and_(Participation.entry_id == ListEntry.id, known(Participation)),
        )
        .where(ListEntry.contact_id == contact_id, StructureTest.called_off_at.is_(None))
        .order_by(StructureTest.frozen_at.desc(), StructureTest.id.desc())
    )
    return [DeedSeen(*row) for row in rows]


# A test without a last day goes on for so long.
GOES_ON_DAYS = 60


def open_tests(session: Session, scope: Scope, *, today: date) -> list[OpenTest]:
    """Return the tests that go on, the first to close first, five at most. One statement.

    Only those with people on the list of whom it is not known, where the actor may log talks.
    """
    open_deeds = sa.or_(Participation.deed.is_(None), Participation.deed.in_(NOT_KNOWN))
    rows = session.execute(
        scope.select(
            StructureTest.public_id,
            StructureTest.name,
            StructureTest.closes_on,
            sa.func.count(ListEntry.id).label("unknown"),
        )
        .join(ListEntry, ListEntry.test_id == StructureTest.id)
        .outerjoin(
            Participation,
            sa.and_(Participation.entry_id == ListEntry.id, known(Participation)),
        )
        .where(
            StructureTest.called_off_at.is_(None),
            sa.or_(
                StructureTest.closes_on >= today,
                sa.and_(
                    StructureTest.closes_on.is_(None),
                    StructureTest.as_at >= today - timedelta(days=GOES_ON_DAYS),
                ),
            ),
            scope.reach(Permission.CONVERSATION_WRITE, ListEntry.place_id),
            counted_once(),
            open_deeds,
        )
        .group_by(
            StructureTest.id, StructureTest.public_id, StructureTest.name, StructureTest.closes_on
        )
        .order_by(StructureTest.closes_on.is_(None), StructureTest.closes_on, StructureTest.id)
        .limit(5)
    )
    return [OpenTest(*row) for row in rows]


def names_of_people(
    session: Session, scope: Scope, contact_ids: Iterable[int]
) -> dict[int, tuple[uuid.UUID, str]]:
    """Return the public id and shown name of those of the people whom the scope sees."""
    wanted = set(contact_ids)
    if not wanted:
        return {}
    rows = session.execute(
        scope.select(
            Contact.id,
            Contact.public_id,
            sa.func.coalesce(Contact.known_as, Contact.placeholder_label).label("name"),
        ).where(one_of(Contact.id, wanted))
    )
    return {int(row.id): (row.public_id, str(row.name)) for row in rows}


def may_mark(session: Session, scope: Scope, test: int) -> bool:
    """Return True when the scope may write down what somebody on the list did."""
    if not scope.may(Permission.CONVERSATION_WRITE):
        return False
    found = session.execute(
        scope.select(ListEntry.id, permission=Permission.CONVERSATION_WRITE)
        .where(ListEntry.test_id == test)
        .limit(1)
    )
    return found.first() is not None
