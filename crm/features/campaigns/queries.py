"""What the pages of campaigns and tests show. Every read runs under a scope."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.facts import known
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import NotFound
from crm.domain.structure import (
    NOT_KNOWN,
    Deed,
    Evidence,
    Listed,
    Tally,
    VotedHow,
    WhyNot,
    by_group,
    by_leader,
    calibration,
    tally_of,
    words_and_deeds,
)
from crm.domain.vocabulary import PlaceKind
from crm.models.base import table_of
from crm.models.campaigns import (
    Campaign,
    CampaignUnit,
    Demand,
    ListEntry,
    Participation,
    StructureTest,
)
from crm.models.contacts import Contact
from crm.models.places import Place, PlaceClosure
from crm.reads.people import names_of_users
from crm.reads.places import Choice, names_of
from crm.reads.structure import (
    HeldAt,
    counted_once,
    list_tests,
    may_mark,
    names_of_people,
    participation,
    shift_names,
)
from crm.reads.turf import people_of

# Places to choose from on one page; a form cannot carry hundreds of boxes.
MOST_PLACES = 60
_OWNERS = (PlaceKind.BRANCH, PlaceKind.EMPLOYER, PlaceKind.WORKPLACE, PlaceKind.AREA)


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """A campaign in the list. tests: those not called off."""

    public_id: uuid.UUID
    name: str
    group: str | None
    from_day: date
    to_day: date | None
    tests: int


@dataclass(frozen=True, slots=True)
class DemandSeen:
    """A demand, and how members decided on it."""

    public_id: uuid.UUID
    words: str
    voted_on: date | None
    voted_how: VotedHow | None
    votes_for: int | None
    votes_against: int | None
    dropped_on: date | None


@dataclass(frozen=True, slots=True)
class CampaignSeen:
    """A campaign with all that belongs to it. group, units: names, of what the reader may see.

    later: units that came in or went after the start, by name, with the day they came (None = at
    the start) and the day they went (None = still in). may_run: the reader may change it.
    may_test: the reader may start a test at one of its places. called_off: (id, name) of tests.
    """

    public_id: uuid.UUID
    name: str
    group: str | None
    units: tuple[str, ...]
    later: tuple[tuple[str, date | None, date | None], ...]
    from_day: date
    to_day: date | None
    target: int | None
    version: int
    demands: tuple[DemandSeen, ...]
    tests: tuple[HeldAt, ...]
    called_off: tuple[tuple[uuid.UUID, str], ...]
    may_run: bool
    may_test: bool


@dataclass(frozen=True, slots=True)
class Group:
    """One area and shift of one workplace on a list; None = not known."""

    workplace: str | None
    area: str | None
    shift: str | None
    tally: Tally


@dataclass(frozen=True, slots=True)
class Delivery:
    """What those did who listened to a leader. Name None = somebody the reader does not see."""

    person_id: uuid.UUID | None
    name: str | None
    tally: Tally


@dataclass(frozen=True, slots=True)
class Someone:
    """A person by name, with where they stood when the list was frozen."""

    person_id: uuid.UUID
    name: str
    rating: int | None


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of those whom somebody had judged 1 or 2."""

    name: str
    tally: Tally


@dataclass(frozen=True, slots=True)
class TestSeen:
    """A test with its rates. late: written down after the closing day. group: whose campaign.

    off: it was called off. judged is None for those who may not see how others judge.
    hidden: people in words and deeds whom the reader no longer sees by name.
    """

    held: HeldAt
    off: bool
    version: int
    frozen_by: str | None
    several_sites: bool
    groups: tuple[Group, ...]
    leaders: tuple[Delivery, ...]
    nobody_known: Tally
    said_yes_did_not: tuple[Someone, ...]
    unsure_did: tuple[Someone, ...]
    said_yes_unknown: int
    judged: tuple[Judged, ...] | None
    late: int
    may_mark: bool
    may_run: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One person on the frozen list. name None = somebody the reader no longer sees.

    by, at: who wrote it down and when; by_me: the reader did. mine: the reader looks after them
    today.
    """

    public_id: uuid.UUID
    number: int
    person_id: uuid.UUID | None
    name: str | None
    left_alone: bool
    workplace: str | None
    area: str | None
    shift: str | None
    rating: int | None
    firm: bool | None
    leader: str | None
    deed: Deed | None
    why: WhyNot | None
    evidence: Evidence | None
    day: date | None
    by: str | None
    at: datetime | None
    mine: bool
    by_me: bool


@dataclass(frozen=True, slots=True)
class TestNamed:
    """A test as the page of one on its list needs it."""

    public_id: uuid.UUID
    name: str
    closes_on: date | None
    off: bool


@dataclass(frozen=True, slots=True)
class Past:
    """Something that was written down about somebody on a list. until None: it still stands.

    tapped: when, where a phone without signal sent it later; None = as it was written down.
    """

    deed: Deed
    why: WhyNot | None
    evidence: Evidence | None
    day: date
    at: datetime
    until: datetime | None
    by: str | None
    tapped: datetime | None


@dataclass(frozen=True, slots=True)
class Where:
    """Places to choose from; more: there are others, to be found by name."""

    places: tuple[Choice, ...]
    more: bool


def list_campaigns(
    session: Session, scope: Scope, *, at: uuid.UUID | None = None
) -> list[CampaignRow]:
    """Return the campaigns of the scope, the latest first; at: only those about a place.

    at: public id of a place; campaigns whose units hold it, or lie inside it. Two statements.
    """
    tests = (
        sa.select(sa.func.count(StructureTest.id))
        .where(StructureTest.campaign_id == Campaign.id, StructureTest.called_off_at.is_(None))
        .correlate(Campaign)
        .scalar_subquery()
    )
    asked = scope.select(
        Campaign.public_id,
        Campaign.name,
        Campaign.place_id,
        Campaign.from_day,
        Campaign.to_day,
        tests.label("tests"),
    ).order_by(Campaign.from_day.desc(), Campaign.id.desc())
    if at is not None:
        place = sa.select(Place.id).where(Place.public_id == at).scalar_subquery()
        asked = asked.where(
            sa.exists(
                sa.select(sa.literal(1))
                .select_from(CampaignUnit)
                .join(
                    PlaceClosure,
                    sa.or_(
                        sa.and_(
                            PlaceClosure.ancestor_id == CampaignUnit.place_id,
                            PlaceClosure.descendant_id == place,
                        ),
                        sa.and_(
                            PlaceClosure.ancestor_id == place,
                            PlaceClosure.descendant_id == CampaignUnit.place_id,
                        ),
                    ),
                )
                .where(CampaignUnit.campaign_id == Campaign.id)
            )
        )
    rows = session.execute(asked).all()
    names = names_of(session, scope, {row.place_id for row in rows})
    return [
        CampaignRow(
            public_id=row.public_id,
            name=row.name,
            group=names.get(row.place_id),
            from_day=row.from_day,
            to_day=row.to_day,
            tests=row.tests,
        )
        for row in rows
    ]


def places_to_start(session: Session, scope: Scope, text: str) -> Where:
    """Return the places where the actor may start a campaign, by name.

    text: part of a name; "" = all of them. Areas come only for those who hold no workplace.
    """
    asked = scope.select(
        Place.id, Place.public_id, Place.name, Place.kind, permission=Permission.CONVERSATION_WRITE
    ).where(Place.kind.in_(_OWNERS), Place.closed_on.is_(None))
    if text:
        asked = asked.where(sa.func.lower(Place.name).contains(text.lower(), autoescape=True))
    wide = asked.where(Place.kind != PlaceKind.AREA).order_by(Place.kind, Place.name, Place.id)
    rows = session.execute(wide.limit(MOST_PLACES + 1)).all()
    if not rows:
        rows = session.execute(asked.order_by(Place.name, Place.id).limit(MOST_PLACES + 1)).all()
    offered = tuple(Choice(str(row.public_id), row.name) for row in rows[:MOST_PLACES])
    return Where(offered, more=len(rows) > MOST_PLACES)


def units_of_place(
    session: Session, scope: Scope, public_id: uuid.UUID
) -> tuple[str, tuple[Choice, ...]]:
    """Return the name of a place, and what a campaign of it can be about: all of it, or parts.

    Raises NotFound unless it is a place where the actor may start a campaign.
    """
    place = find_place(session, scope, public_id)
    return place.name, (Choice(str(place.public_id), place.name), *_parts(session, scope, [place]))


def find_place(session: Session, scope: Scope, public_id: uuid.UUID) -> Place:
    """Return a place where the actor may start a campaign or a test. Raises NotFound."""
    found: Place | None = session.scalars(
        scope.select(Place, permission=Permission.CONVERSATION_WRITE).where(
            Place.public_id == public_id, Place.kind.in_(_OWNERS)
        )
    ).one_or_none()
    if found is None:
        raise NotFound(f"place {public_id}")
    return found


def _parts(session: Session, scope: Scope, places: list[Any]) -> list[Choice]:
    """Return the workplaces inside wider places, or the areas of workplaces, few enough to show."""
    wide = [one.id for one in places if one.kind in (PlaceKind.BRANCH, PlaceKind.EMPLOYER)]
    sites = [one.id for one in places if one.kind is PlaceKind.WORKPLACE]
    kinds = sa.or_(
        sa.and_(PlaceClosure.ancestor_id.in_(wide), Place.kind == PlaceKind.WORKPLACE),
        sa.and_(PlaceClosure.ancestor_id.in_(sites), Place.kind == PlaceKind.AREA),
    )
    rows = session.execute(
        scope.select(
            Place.id, Place.public_id, Place.name, permission=Permission.CONVERSATION_WRITE
        )
        .join(PlaceClosure, PlaceClosure.descendant_id == Place.id)
        .where(kinds, Place.closed_on.is_(None))
        .distinct()
        .order_by(Place.name, Place.id)
        .limit(MOST_PLACES)
    )
    return [Choice(str(row.public_id), row.name) for row in rows]


def find_campaign(
    session: Session,
    scope: Scope,
    public_id: uuid.UUID,
    *,
    permission: Permission | None = None,
    lock: bool = False,
) -> Campaign:
    """Return the campaign, for its page or, with a permission, to change it. Raises NotFound."""
    asked = scope.select(Campaign, permission=permission).where(Campaign.public_id == public_id)
    found: Campaign | None = session.scalars(
        asked.with_for_update() if lock else asked
    ).one_or_none()
    if found is None:
        raise NotFound(f"campaign {public_id}")
    return found


def get_campaign(session: Session, scope: Scope, public_id: uuid.UUID) -> CampaignSeen:
    """Return a campaign with its demands and tests. Ten statements at most. Raises NotFound."""
    campaign = find_campaign(session, scope, public_id)
    rows = session.execute(
        scope.select(CampaignUnit.place_id, CampaignUnit.from_day, CampaignUnit.ended_on)
        .where(CampaignUnit.campaign_id == campaign.id)
        .order_by(CampaignUnit.id)
    ).all()
    units = [row.place_id for row in rows if row.ended_on is None]
    names = names_of(session, scope, {campaign.place_id, *(row.place_id for row in rows)})
    demands = session.execute(
        scope.select(
            Demand.public_id,
            Demand.words,
            Demand.voted_on,
            Demand.voted_how,
            Demand.votes_for,
            Demand.votes_against,
            Demand.dropped_on,
        )
        .where(Demand.campaign_id == campaign.id)
        .order_by(Demand.dropped_on.is_not(None), Demand.id)
    )
    off = session.execute(
        scope.select(StructureTest.public_id, StructureTest.name)
        .where(StructureTest.campaign_id == campaign.id, StructureTest.called_off_at.is_not(None))
        .order_by(StructureTest.id)
    )
    return CampaignSeen(
        public_id=campaign.public_id,
        name=campaign.name,
        group=names.get(campaign.place_id),
        units=tuple(sorted(names[one] for one in units if one in names)),
        later=tuple(
            (names[row.place_id], row.from_day, row.ended_on)
            for row in rows
            if row.place_id in names and (row.from_day is not None or row.ended_on is not None)
        ),
        from_day=campaign.from_day,
        to_day=campaign.to_day,
        target=campaign.target,
        version=campaign.version,
        demands=tuple(DemandSeen(*row) for row in demands),
        tests=tuple(list_tests(session, scope, campaign=campaign.id)),
        called_off=tuple((row.public_id, row.name) for row in off),
        may_run=_holds(session, scope, Campaign, campaign.id),
        may_test=bool(bases_to_choose(session, scope, public_id)),
    )


def _holds(session: Session, scope: Scope, model: Any, inner_id: int) -> bool:
    if not scope.may(Permission.CONVERSATION_WRITE):
        return False
    found = session.execute(
        scope.select(model.id, permission=Permission.CONVERSATION_WRITE).where(model.id == inner_id)
    )
    return found.first() is not None


def bases_to_choose(session: Session, scope: Scope, public_id: uuid.UUID) -> tuple[Choice, ...]:
    """Return what the list of a test can be made of: all units, one of them, or a part of one.

    The value "" stands for all units together; it is offered to those who hold the campaign and
    every unit. Only places where the actor may log talks. Raises NotFound for no campaign.
    """
    if not scope.may(Permission.CONVERSATION_WRITE):
        return ()
    campaign = find_campaign(session, scope, public_id)
    units = unit_ids(session, scope, campaign.id)
    held = session.scalars(
        scope.select(Place, permission=Permission.CONVERSATION_WRITE)
        .where(Place.id.in_(units), Place.closed_on.is_(None))
        .order_by(Place.name, Place.id)
    ).all()
    inside = list(held)
    if not inside:
        # Whoever holds a part of a unit may test that part.
        inside = list(
            session.scalars(
                scope.select(Place, permission=Permission.CONVERSATION_WRITE)
                .join(PlaceClosure, PlaceClosure.descendant_id == Place.id)
                .where(
                    PlaceClosure.ancestor_id.in_(units),
                    Place.kind.in_(_OWNERS),
                    Place.closed_on.is_(None),
                )
                .distinct()
                .order_by(Place.name, Place.id)
                .limit(MOST_PLACES)
            )
        )
    choices = [Choice(str(one.public_id), one.name) for one in inside]
    known_values = {choice.value for choice in choices}
    choices += [one for one in _parts(session, scope, inside) if one.value not in known_values]
    everything = len(held) > 1 and len(held) == len(units)
    if everything and _holds(session, scope, Campaign, campaign.id):
        choices.insert(0, Choice("", ""))
    return tuple(choices)


@dataclass(frozen=True, slots=True)
class UnitsToChoose:
    """What a campaign may be about. taken: public ids, as text, of what it is about now."""

    choices: tuple[Choice, ...]
    taken: tuple[str, ...]


def units_to_choose(session: Session, scope: Scope, public_id: uuid.UUID) -> UnitsToChoose:
    """Return the places that a campaign of the actor's may be about: its group's, those inside it,
    and those it is about now. Raises NotFound unless the actor may change it."""
    campaign = find_campaign(session, scope, public_id, permission=Permission.CONVERSATION_WRITE)
    owner = session.scalars(
        scope.select(Place.public_id).where(Place.id == campaign.place_id)
    ).one_or_none()
    if owner is None:
        raise NotFound(f"campaign {public_id}")
    choices = list(units_of_place(session, scope, owner)[1])
    now = session.scalars(
        scope.select(Place, permission=Permission.CONVERSATION_WRITE)
        .where(Place.id.in_(unit_ids(session, scope, campaign.id)))
        .order_by(Place.name, Place.id)
    ).all()
    offered = {one.value for one in choices}
    choices += [
        Choice(str(one.public_id), one.name) for one in now if str(one.public_id) not in offered
    ]
    return UnitsToChoose(tuple(choices), tuple(str(one.public_id) for one in now))


def unit_rows(session: Session, scope: Scope, campaign_id: int) -> list[tuple[CampaignUnit, str]]:
    """Return the units of a campaign, past ones too, at places that the actor holds, each with
    the name of its place. campaign_id: inner."""
    rows = session.execute(
        scope.select(CampaignUnit, Place.name, permission=Permission.CONVERSATION_WRITE)
        .join(Place, Place.id == CampaignUnit.place_id)
        .where(CampaignUnit.campaign_id == campaign_id)
    )
    return [(row[0], row[1]) for row in rows]


def unit_ids(session: Session, scope: Scope, campaign_id: int) -> list[int]:
    """Return the inner ids of the units that a campaign is about now."""
    return list(
        session.scalars(
            scope.select(CampaignUnit.place_id)
            .where(CampaignUnit.campaign_id == campaign_id, CampaignUnit.ended_on.is_(None))
            .order_by(CampaignUnit.id)
        )
    )


def find_demand(session: Session, scope: Scope, public_id: uuid.UUID) -> tuple[Demand, uuid.UUID]:
    """Return a demand, the actor's to change, and its campaign's public id. Raises NotFound."""
    row = session.execute(
        scope.select(Demand, Campaign.public_id, permission=Permission.CONVERSATION_WRITE)
        .join(Campaign, Campaign.id == Demand.campaign_id)
        .where(Demand.public_id == public_id)
    ).one_or_none()
    if row is None:
        raise NotFound(f"demand {public_id}")
    return row[0], row[1]


def campaign_of(session: Session, scope: Scope, test: StructureTest) -> uuid.UUID:
    """Return the public id of the campaign of a test."""
    found: uuid.UUID = session.execute(
        scope.select(Campaign.public_id).where(Campaign.id == test.campaign_id)
    ).scalar_one()
    return found


def find_test(
    session: Session,
    scope: Scope,
    public_id: uuid.UUID,
    *,
    permission: Permission | None = None,
    lock: bool = False,
) -> StructureTest:
    """Return the test, for its page or, with a permission, to run it. Raises NotFound."""
    asked = scope.select(StructureTest, permission=permission).where(
        StructureTest.public_id == public_id
    )
    found: StructureTest | None = session.scalars(
        asked.with_for_update() if lock else asked
    ).one_or_none()
    if found is None:
        raise NotFound(f"test {public_id}")
    return found


def get_held(
    session: Session, scope: Scope, public_id: uuid.UUID, *, known_at: datetime | None = None
) -> tuple[StructureTest, HeldAt]:
    """Return a test with its tally. Raises NotFound, also where none of them is the reader's."""
    test = find_test(session, scope, public_id)
    held = list_tests(session, scope, test=test.id, called_off=True, known_at=known_at)
    if not held or not held[0].tally.listed:
        raise NotFound(f"people of test {public_id}")
    return test, held[0]


def get_test(
    session: Session, scope: Scope, public_id: uuid.UUID, *, known_at: datetime | None = None
) -> TestSeen:
    """Return a test with its rates by area and shift, and by leader; and where words and deeds
    part. Over the people in the reader's places. known_at: as we knew at that moment; None = as we
    know now. Fifteen statements at most, whatever the number of people. Raises NotFound as get_held
    does.
    """
    test, held = get_held(session, scope, public_id, known_at=known_at)
    people = participation(session, scope, test.id, known_at=known_at)
    groups = by_group(people)
    deliveries = by_leader(people)
    apart = words_and_deeds(people)
    ratings = {one.key: one.rating for one in people}
    names = names_of_people(
        session, scope, {*deliveries, *apart.said_yes_did_not, *apart.unsure_did}
    )
    judged = None
    if _may_see_judges(session, scope, test):
        found = calibration(people)
        users = names_of_users(session, set(found))
        judged = tuple(
            sorted(
                (Judged(users[who], one) for who, one in found.items() if who in users),
                key=lambda one: one.name.casefold(),
            )
        )
    late = 0
    if test.closes_on is not None:
        late = sum(
            one.at is not None and one.at.date() > test.closes_on
            for one in session.execute(
                scope.select(Participation.recorded_at.label("at")).where(
                    Participation.test_id == test.id, known(Participation, known_at)
                )
            )
        )
    shown = _group_rows(session, scope, groups)
    return TestSeen(
        held=held,
        off=test.called_off_at is not None,
        version=test.version,
        frozen_by=names_of_users(session, {test.frozen_by_id or 0}).get(test.frozen_by_id or 0),
        several_sites=len({one.workplace for one in shown}) > 1,
        groups=shown,
        leaders=tuple(
            sorted(
                (_delivery(names.get(leader), one) for leader, one in deliveries.items()),
                key=lambda one: (one.name is None, (one.name or "").casefold()),
            )
        ),
        nobody_known=_tally_of_unled(people),
        said_yes_did_not=_someone(apart.said_yes_did_not, names, ratings),
        unsure_did=_someone(apart.unsure_did, names, ratings),
        said_yes_unknown=apart.said_yes_unknown,
        judged=judged,
        late=late,
        may_mark=may_mark(session, scope, test.id),
        may_run=_holds(session, scope, StructureTest, test.id),
    )


def _may_see_judges(session: Session, scope: Scope, test: StructureTest) -> bool:
    # How others judge is for those who share people out there, and see how the work goes.
    if not scope.may(Permission.TURF_WRITE):
        return False
    found = session.execute(
        scope.select(StructureTest.id, permission=Permission.TURF_WRITE).where(
            StructureTest.id == test.id
        )
    )
    return found.first() is not None


def _tally_of_unled(people: list[Listed]) -> Tally:
    return tally_of(one for one in people if one.leader is None)


def _delivery(who: tuple[uuid.UUID, str] | None, one: Tally) -> Delivery:
    return Delivery(None, None, one) if who is None else Delivery(who[0], who[1], one)


def _someone(
    keys: tuple[int, ...],
    names: Mapping[int, tuple[uuid.UUID, str]],
    ratings: Mapping[int, int | None],
) -> tuple[Someone, ...]:
    return tuple(Someone(*names[key], ratings[key]) for key in keys if key in names)


def _group_rows(
    session: Session, scope: Scope, groups: Mapping[Hashable, Tally]
) -> tuple[Group, ...]:
    keys: list[Any] = list(groups)
    names = names_of(
        session, scope, {one for key in keys for one in (key[0], key[1]) if one is not None}
    )
    shifts = shift_names(session, scope, {key[2] for key in keys})
    rows = [
        Group(names.get(site), names.get(area), shifts.get(shift), groups[site, area, shift])
        for site, area, shift in keys
    ]
    return tuple(
        sorted(
            rows,
            key=lambda row: (
                (row.workplace or "").casefold(),
                row.area is None,
                (row.area or "").casefold(),
                row.shift is None,
                (row.shift or "").casefold(),
            ),
        )
    )


def list_lines(
    session: Session,
    scope: Scope,
    test_id: int,
    *,
    today: date,
    numbers: tuple[int, ...] | None = None,
    permission: Permission | None = None,
) -> list[Line]:
    """Return the people on the list of a test whom the scope sees, by number.

    test_id: inner id. numbers: only these. permission: only where it holds. Six statements at
    most, whatever the number of people.
    """
    asked = (
        scope.select(
            ListEntry.public_id,
            ListEntry.number,
            ListEntry.contact_id,
            ListEntry.workplace_id,
            ListEntry.area_id,
            ListEntry.shift_id,
            ListEntry.rating,
            ListEntry.firm,
            ListEntry.leader_id,
            Contact.public_id.label("person_id"),
            sa.func.coalesce(Contact.known_as, Contact.placeholder_label).label("name"),
            Contact.do_not_contact,
            Participation.deed,
            Participation.why,
            Participation.evidence,
            Participation.day,
            Participation.recorded_by_id,
            Participation.recorded_at,
            permission=permission,
        )
        .outerjoin(Contact, Contact.id == ListEntry.contact_id)
        .outerjoin(
            Participation,
            sa.and_(Participation.entry_id == ListEntry.id, known(Participation)),
        )
        .where(ListEntry.test_id == test_id, counted_once())
        .order_by(ListEntry.number)
    )
    if numbers is not None:
        asked = asked.where(ListEntry.number.in_(numbers))
    rows = session.execute(asked).all()
    places = {one for row in rows for one in (row.workplace_id, row.area_id) if one is not None}
    names = names_of(session, scope, places)
    shifts = shift_names(session, scope, {row.shift_id for row in rows})
    leaders = names_of_people(session, scope, {row.leader_id for row in rows} - {None})
    users = names_of_users(session, {row.recorded_by_id for row in rows} - {None})
    mine = set()
    if scope.actor_id is not None:
        mine = {one.contact_id for one in people_of(session, scope, scope.actor_id, as_at=today)}
    return [
        Line(
            public_id=row.public_id,
            number=row.number,
            person_id=row.person_id,
            name=row.name,
            left_alone=bool(row.do_not_contact),
            workplace=names.get(row.workplace_id),
            area=names.get(row.area_id),
            shift=shifts.get(row.shift_id),
            rating=row.rating,
            firm=row.firm,
            leader=leaders.get(row.leader_id, (None, None))[1],
            deed=row.deed,
            why=row.why,
            evidence=row.evidence,
            day=row.day,
            by=users.get(row.recorded_by_id),
            at=row.recorded_at,
            mine=row.contact_id in mine,
            by_me=row.recorded_by_id is not None and row.recorded_by_id == scope.actor_id,
        )
        for row in rows
    ]


def get_entry(
    session: Session, scope: Scope, public_id: uuid.UUID, *, today: date
) -> tuple[uuid.UUID, TestNamed, Line]:
    """Return the test of somebody on its list, whom the actor may write about. Raises NotFound."""
    row = session.execute(
        scope.select(
            ListEntry.test_id, ListEntry.number, permission=Permission.CONVERSATION_WRITE
        ).where(ListEntry.public_id == public_id, counted_once())
    ).one_or_none()
    if row is None:
        raise NotFound(f"entry {public_id}")
    test = session.scalars(scope.select(StructureTest).where(StructureTest.id == row.test_id)).one()
    named = TestNamed(test.public_id, test.name, test.closes_on, test.called_off_at is not None)
    lines = list_lines(session, scope, row.test_id, today=today, numbers=(row.number,))
    return test.public_id, named, lines[0]


def kept_numbers(
    session: Session, scope: Scope, test_id: int, numbers: Sequence[int]
) -> dict[int, int]:
    """Return for numbers of records that were put into another the number of the one that stayed.

    A list that was printed before two records were made one still has both numbers. Numbers that
    stand for somebody themselves are not in it. One statement.
    """
    gone = table_of(Contact).alias("scope_gone")
    kept = table_of(ListEntry).alias("scope_kept")
    rows = session.execute(
        scope.select(
            ListEntry.number,
            kept.c.number.label("kept_number"),
            permission=Permission.CONVERSATION_WRITE,
        )
        .join(gone, gone.c.id == ListEntry.contact_id)
        .join(
            kept,
            sa.and_(
                kept.c.contact_id == gone.c.merged_into_id, kept.c.test_id == ListEntry.test_id
            ),
        )
        .where(ListEntry.test_id == test_id, ListEntry.number.in_(sorted(set(numbers))))
    )
    return {int(row.number): int(row.kept_number) for row in rows}


def find_entries(
    session: Session, scope: Scope, test_id: int, numbers: tuple[int, ...]
) -> list[ListEntry]:
    """Return the entries with these numbers that the actor may write about, held until the end.

    Two who tap at the same moment wait for each other here. Raises NotFound unless all are there.
    """
    found = session.scalars(
        scope.select(ListEntry, permission=Permission.CONVERSATION_WRITE)
        .where(ListEntry.test_id == test_id, ListEntry.number.in_(numbers), counted_once())
        .order_by(ListEntry.id)
        .with_for_update(key_share=True, of=ListEntry)
    ).all()
    if len(found) != len(set(numbers)):
        raise NotFound(f"numbers of test {test_id}")
    return list(found)


def believed(session: Session, scope: Scope, entry_ids: list[int]) -> dict[int, Participation]:
    """Return what is believed of these entries, by inner id of the entry."""
    rows = session.scalars(
        scope.select(Participation, permission=Permission.CONVERSATION_WRITE).where(
            Participation.entry_id.in_(entry_ids), known(Participation)
        )
    )
    return {row.entry_id: row for row in rows}


def changed_since(session: Session, scope: Scope, entry_id: int, moment: datetime) -> bool:
    """Return True when somebody wrote down or took back something of an entry after a moment.

    What waited for a signal counts from when it was tapped, not from when it arrived.
    """
    written = sa.func.coalesce(Participation.typed_at, Participation.recorded_at) > moment
    of_it = scope.select(
        Participation.superseded_at,
        written.label("later"),
        permission=Permission.CONVERSATION_WRITE,
    ).where(Participation.entry_id == entry_id)
    rows = session.execute(of_it).all()
    if any(row.later for row in rows):
        return True
    nothing_stands = all(row.superseded_at is not None for row in rows)
    return nothing_stands and any(row.superseded_at > moment for row in rows)


@dataclass(frozen=True, slots=True)
class ToAsk:
    """Somebody on the list of an open test of whom it is not known, for a phone to keep."""

    number: int
    public_id: uuid.UUID
    name: str


def people_to_ask(
    session: Session, scope: Scope, test_id: uuid.UUID, *, own: Collection[int], limit: int
) -> list[ToAsk]:
    """Return whom the actor may still mark on the list of a test, their own people first.

    test_id: public id. own: inner ids of people. Nobody who asked us not to contact them. Two
    statements. Raises NotFound.
    """
    test = find_test(session, scope, test_id)
    rows = session.execute(
        scope.select(
            ListEntry.number,
            Contact.public_id,
            sa.func.coalesce(Contact.known_as, Contact.placeholder_label).label("name"),
            permission=Permission.CONVERSATION_WRITE,
        )
        .join(Contact, Contact.id == ListEntry.contact_id)
        .outerjoin(
            Participation,
            sa.and_(Participation.entry_id == ListEntry.id, known(Participation)),
        )
        .where(
            ListEntry.test_id == test.id,
            Contact.do_not_contact.is_(False),
            sa.or_(Participation.deed.is_(None), Participation.deed.in_(NOT_KNOWN)),
            counted_once(),
        )
        .order_by(*([ListEntry.contact_id.not_in(sorted(own))] if own else []), ListEntry.number)
        .limit(limit)
    )
    return [ToAsk(row.number, row.public_id, row.name or "") for row in rows]


def last_before(session: Session, scope: Scope, fact: Participation) -> Participation | None:
    """Return what was believed of the same entry until this was written; None = nothing was."""
    found: Participation | None = session.scalars(
        scope.select(Participation, permission=Permission.CONVERSATION_WRITE)
        .where(
            Participation.entry_id == fact.entry_id,
            Participation.id != fact.id,
            Participation.superseded_at == fact.recorded_at,
        )
        .order_by(Participation.id.desc())
        .limit(1)
    ).one_or_none()
    return found


def list_history(session: Session, scope: Scope, entry_id: uuid.UUID) -> list[Past]:
    """Return all that was ever written down about somebody on a list, the latest first."""
    rows = session.execute(
        scope.select(
            Participation.deed,
            Participation.why,
            Participation.evidence,
            Participation.day,
            Participation.recorded_at,
            Participation.superseded_at,
            Participation.recorded_by_id,
            Participation.typed_at,
        )
        .join(ListEntry, ListEntry.id == Participation.entry_id)
        .where(ListEntry.public_id == entry_id)
        .order_by(Participation.recorded_at.desc(), Participation.id.desc())
    ).all()
    users = names_of_users(session, {row.recorded_by_id for row in rows} - {None})
    return [
        Past(
            row.deed,
            row.why,
            row.evidence,
            row.day,
            row.recorded_at,
            row.superseded_at,
            users.get(row.recorded_by_id),
            row.typed_at,
        )
        for row in rows
    ]
