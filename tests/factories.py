"""Plain functions that store one record each, and the small world that feature tests share.

Everything is stored past the services on purpose: a test of a service must not depend on it.
"""

from __future__ import annotations

import json
import secrets
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from crm.access import tree
from crm.access.scope import Scope
from crm.access.spans import refresh_spans
from crm.domain.assessment import Basis
from crm.domain.headcount import Counts, HeadcountSource
from crm.domain.identity import fold
from crm.domain.member_list import Part, Settings
from crm.domain.roles import Role
from crm.domain.timeline import MembershipStatus
from crm.models.accounts import AccessGrant, UserAccount, UserSession
from crm.models.ballots import Ballot, BallotEntry, BallotPart
from crm.models.campaigns import (
    BasePlace,
    Campaign,
    CampaignUnit,
    Demand,
    ListEntry,
    StructureTest,
)
from crm.models.contacts import Contact, Job, Membership
from crm.models.conversations import Assessment
from crm.models.lists import CustomField, FieldChoice, SavedList, Tag
from crm.models.member_lists import (
    MemberList,
    MemberListAct,
    MemberListLine,
    MemberListPart,
)
from crm.models.places import (
    Area,
    Branch,
    Employer,
    Headcount,
    MemberCount,
    Region,
    Shift,
    Union,
    Workplace,
)
from crm.web import sealing
from crm.web.db import unit_of_work
from crm.web.guard import token_hash

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LONG_AGO = date(2020, 1, 1)

ALL = Scope(actor_id=None, grants=(), reason="tests store records directly")


def _link(session: Session, child: Any, *parents: Any, since: date = LONG_AGO) -> None:
    root = tree.everything_id(session)
    for parent in parents or (root,):
        tree.link(
            session,
            child_id=child.id,
            parent_id=parent if isinstance(parent, int) else parent.id,
            since=since,
            now=NOW,
            actor_id=None,
        )


def _store(session: Session, row: Any) -> Any:
    session.add(row)
    session.flush()
    return row


def make_union(session: Session, name: str = "Warehouse Workers' Union", **more: Any) -> Union:
    union = _store(session, Union(name=name, created_at=NOW, **{"country": "GB", **more}))
    _link(session, union)
    return union


def make_branch(session: Session, union: Union, name: str = "Barnsley branch") -> Branch:
    branch = _store(session, Branch(name=name, union_id=union.id, created_at=NOW, country="GB"))
    _link(session, branch, union)
    return branch


def make_region(session: Session, name: str = "Yorkshire") -> Region:
    region = _store(session, Region(name=name, created_at=NOW, country="GB"))
    _link(session, region)
    return region


def make_employer(session: Session, name: str = "Brightway", **more: Any) -> Employer:
    employer = _store(session, Employer(name=name, created_at=NOW, **{"country": "GB", **more}))
    _link(session, employer)
    return employer


def make_workplace(
    session: Session,
    employer: Employer,
    name: str = "The Mill",
    *,
    branches: tuple[Branch, ...] = (),
    region: Region | None = None,
    **more: Any,
) -> Workplace:
    values = {"country": "GB", "time_zone": "Europe/London", **more}
    workplace = _store(
        session,
        Workplace(
            name=name,
            employer_id=employer.id,
            region_id=region.id if region else None,
            created_at=NOW,
            **values,
        ),
    )
    _link(session, workplace, employer, *branches, *([region] if region else []))
    return workplace


def make_area(session: Session, workplace: Workplace, name: str = "Packing", **more: Any) -> Area:
    area = _store(session, Area(name=name, workplace_id=workplace.id, created_at=NOW, **more))
    _link(session, area, more.get("parent_area_id") or workplace)
    return area


def make_shift(session: Session, workplace: Workplace, name: str = "Nights") -> Shift:
    return _store(session, Shift(name=name, place_id=workplace.id))


def make_headcount(
    session: Session,
    place: Any,
    low: float,
    high: float | None = None,
    *,
    on_day: date = LONG_AGO,
    counts: Counts = Counts.SITE_ALL,
    **more: Any,
) -> Headcount:
    values = {"best": None, "source_kind": HeadcountSource.ORGANISER_COUNT, **more}
    return _store(
        session,
        Headcount(
            place_id=place.id,
            on_day=on_day,
            counts=counts,
            low=low,
            high=low if high is None else high,
            recorded_at=NOW,
            **values,
        ),
    )


def make_member_count(
    session: Session, place: Any, members: float, *, on_day: date = LONG_AGO, **more: Any
) -> MemberCount:
    values = {"source_kind": HeadcountSource.UNION_LIST, **more}
    return _store(
        session,
        MemberCount(place_id=place.id, members=members, on_day=on_day, recorded_at=NOW, **values),
    )


def make_person(
    session: Session,
    workplace: Workplace,
    known_as: str = "Ioana P",
    *,
    area: Area | None = None,
    shift: Shift | None = None,
    since: date = LONG_AGO,
    until: date | None = None,
    **more: Any,
) -> Contact:
    """Store a contact with one job."""
    job_keys = {"job_title", "contract_type", "employer_of_record_id", "from_is_first_seen"}
    job_values = {key: more.pop(key) for key in job_keys & more.keys()}
    contact = _store(
        session, Contact(known_as=known_as, name_key=fold(known_as), created_at=NOW, **more)
    )
    make_job(
        session, contact, workplace, area=area, shift=shift, since=since, until=until, **job_values
    )
    return contact


def make_job(
    session: Session,
    contact: Contact,
    workplace: Workplace,
    *,
    area: Area | None = None,
    shift: Shift | None = None,
    since: date = LONG_AGO,
    until: date | None = None,
    **more: Any,
) -> Job:
    job = _store(
        session,
        Job(
            contact_id=contact.id,
            place_id=area.id if area else workplace.id,
            workplace_id=workplace.id,
            area_id=area.id if area else None,
            shift_id=shift.id if shift else None,
            valid_from=since,
            valid_to=until,
            recorded_at=NOW,
            **more,
        ),
    )
    refresh_spans(session, contact.id)
    return job


def make_tag(
    session: Session, place: Any, name: str = "Drives", subject: str = "contact", **more: Any
) -> Tag:
    return _store(
        session,
        Tag(
            place_id=place.id,
            name=name,
            name_key=fold(name),
            subject=subject,
            created_at=NOW,
            **more,
        ),
    )


def make_field(
    session: Session,
    place: Any,
    name: str = "Bus",
    kind: str = "choice",
    *,
    choices: tuple[str, ...] = (),
    subject: str = "contact",
    **more: Any,
) -> CustomField:
    field = _store(
        session,
        CustomField(
            place_id=place.id,
            name=name,
            name_key=fold(name),
            kind=kind,
            subject=subject,
            created_at=NOW,
            **more,
        ),
    )
    for choice in choices:
        row = FieldChoice(place_id=place.id, field_id=field.id, name=choice, name_key=fold(choice))
        _store(session, row)
    return field


def make_saved_list(
    session: Session,
    owner: Any,
    name: str = "To ask again",
    *,
    share_with: Any = None,
    **words: list[str],
) -> SavedList:
    return _store(
        session,
        SavedList(
            owner_id=owner.id,
            name=name,
            name_key=fold(name),
            filter=words,
            shared_with_id=None if share_with is None else share_with.id,
            created_at=NOW,
        ),
    )


def make_membership(
    session: Session,
    contact: Contact,
    union: Union | None,
    *,
    status: MembershipStatus = MembershipStatus.MEMBER,
    branch: Branch | None = None,
    since: date = LONG_AGO,
    until: date | None = None,
    **more: Any,
) -> Membership:
    membership = _store(
        session,
        Membership(
            contact_id=contact.id,
            union_id=union.id if union else None,
            branch_id=branch.id if branch else None,
            status=status,
            valid_from=since,
            valid_to=until,
            recorded_at=more.pop("recorded_at", NOW),
            **more,
        ),
    )
    refresh_spans(session, contact.id)
    return membership


def make_assessment(
    session: Session,
    contact: Contact,
    place: Any,
    rating: int,
    *,
    day: date = TODAY,
    basis: Basis = Basis.SAID,
    assessor: UserAccount | None = None,
    **more: Any,
) -> Assessment:
    assessment = _store(
        session,
        Assessment(
            contact_id=contact.id,
            place_id=place.id,
            rating=rating,
            day=day,
            basis=basis,
            assessor_id=assessor.id if assessor else None,
            recorded_at=more.pop("recorded_at", NOW),
            **more,
        ),
    )
    refresh_spans(session, contact.id)
    return assessment


def make_member_list(
    session: Session,
    owner_id: int,
    union_id: int,
    *,
    as_at: date,
    now: datetime,
    rows: tuple[list[str], ...] = (),
) -> MemberList:
    """Store a list of the union with columns for names and workplaces; row 2 is its first line.

    Its lines are in the queue of people who are not here, as if they had been looked at.
    """
    list_id = uuid.uuid4()
    settings = Settings(("Name", "Workplace"), (Part.NAME, Part.WORKPLACE), {})
    made = MemberList(
        public_id=list_id,
        owner_id=owner_id,
        union_id=union_id,
        as_at=as_at,
        made_at=now,
        looked_at=now,
        lines=len(rows),
        settings=settings.as_plain(),
        decided={},
    )
    session.add(made)
    session.flush()
    mine = {"list_id": made.id, "owner_id": owner_id}
    letter = json.dumps([[number, row] for number, row in enumerate(rows, 2)]).encode()
    sealed = sealing.seal(letter, str(list_id), sealing.public_key())
    session.add(MemberListPart(first_number=2, sealed=sealed, **mine))
    for number in range(2, len(rows) + 2):
        flags = {"stale": False, "can_confirm": True, "repeats": False, "alone": True}
        session.add(MemberListLine(number=number, queue="not_here", **flags, **mine))
    session.flush()
    return made


def make_list_act(session: Session, member_list: MemberList, *, now: datetime) -> MemberListAct:
    """Store that something on a list was said yes to, about nobody."""
    act = MemberListAct(
        list_id=member_list.id, owner_id=member_list.owner_id, queue="joined", at=now
    )
    session.add(act)
    session.flush()
    return act


def make_user(
    session: Session,
    name: str = "Danuta",
    *,
    role: Role | None = None,
    place: Any = None,
    since: date = LONG_AGO,
    until: date | None = None,
    **more: Any,
) -> UserAccount:
    """Store a user, with one grant when a role is given; place None = everything."""
    values = {"sign_in_name": fold(name) + "-" + secrets.token_hex(3), **more}
    user = _store(session, UserAccount(name=name, created_at=NOW, **values))
    if role is not None:
        make_grant(session, user, role, place, since=since, until=until)
    return user


def make_grant(
    session: Session,
    user: UserAccount,
    role: Role,
    place: Any = None,
    *,
    since: date = LONG_AGO,
    until: date | None = None,
) -> AccessGrant:
    return _store(
        session,
        AccessGrant(
            user_id=user.id,
            role=role,
            place_id=place.id if place is not None else tree.everything_id(session),
            valid_from=since,
            valid_to=until,
            recorded_at=NOW,
        ),
    )


def open_session(user_id: int) -> str:
    """Store a signed-in session for the user and return its token."""
    token = secrets.token_urlsafe(32)
    now = datetime.now(UTC)
    with unit_of_work() as session:
        session.add(
            UserSession(
                token_hash=token_hash(token),
                user_id=user_id,
                created_at=now,
                last_seen_at=now,
                expires_at=now + timedelta(days=7),
            )
        )
    return token


def make_test(session: Session, place: Any, *people: Any, **more: Any) -> tuple[Any, ...]:
    """Store a campaign of a workplace with a demand, and a test with these people on its list.

    Return the campaign, the demand, the test and the entries, in the order given.
    """
    values = {"kind": "quiet_petition", "name": "Petition about the rota", **more}
    campaign = _store(
        session,
        Campaign(name="Fair rota", place_id=place.id, from_day=LONG_AGO, created_at=NOW),
    )
    of_it = {"campaign_id": campaign.id, "place_id": place.id}
    demand = _store(session, Demand(words="Two weeks’ notice", created_at=NOW, **of_it))
    _store(session, CampaignUnit(**of_it))
    test = _store(
        session,
        StructureTest(
            **{"as_at": TODAY, "frozen_at": NOW, "people": len(people), **of_it, **values}
        ),
    )
    _store(session, BasePlace(test_id=test.id, place_id=place.id))
    entries = []
    for number, person in enumerate(people, start=1):
        job = session.scalars(
            ALL.select(Job).where(Job.contact_id == person.id, Job.workplace_id == place.id)
        ).first()
        assert job is not None
        entries.append(
            _store(
                session,
                ListEntry(
                    test_id=test.id,
                    number=number,
                    contact_id=person.id,
                    place_id=job.place_id,
                    workplace_id=place.id,
                    area_id=job.area_id,
                    shift_id=job.shift_id,
                ),
            )
        )
    return campaign, demand, test, *entries


def make_open_ballot(session: Session, world: World, *, today: date = TODAY) -> Ballot:
    """Store a ballot of the branch that is open, with Ioana and Tomasz as its only voters."""
    ballot: Ballot = _store(
        session,
        Ballot(
            name="Pay 2027",
            kind="action",
            union_id=world.union.id,
            jurisdiction="GB",
            separate=False,
            opens_on=today - timedelta(days=9),
            closes_on=today + timedelta(days=9),
            place_id=world.branch.id,
            created_at=NOW,
        ),
    )
    of_mill = {"ballot_id": ballot.id, "place_id": world.mill.id}
    part = _store(session, BallotPart(jurisdiction="GB", **of_mill))
    for one in (world.ioana, world.tomasz):
        _store(session, BallotEntry(part_id=part.id, contact_id=one.id, entitled=True, **of_mill))
    return ballot


@dataclass(frozen=True)
class Named:
    """A stored record as tests need it: inner id, public id, name."""

    id: int
    public_id: uuid.UUID
    name: str


@dataclass(frozen=True)
class World:
    """Two employers, three workplaces, seven people, and a user of each sort.

    The Mill (areas Packing and Yard, nights) and The Depot belong to Brightway; The Dock to
    Saltway. Barnsley branch organises at the Mill and the Depot, Hull branch at the Dock.
    rep holds the Mill; organiser and officer hold Barnsley branch; dock_rep holds the Dock;
    admin runs the server and holds no place; boss_of_all is an organiser over everything.
    """

    union: Named
    other_union: Named
    branch: Named
    other_branch: Named
    region: Named
    brightway: Named
    saltway: Named
    mill: Named
    depot: Named
    dock: Named
    packing: Named
    yard: Named
    nights: Named
    ioana: Named  # the Mill, Packing, nights; member; assessed 2
    tomasz: Named  # the Mill, Yard; not in any union; assessed 3
    rukhsana: Named  # the Mill, no area; not known; never asked
    leaver: Named  # the Mill until 1 March 2026; member
    placeholder: Named  # "Night packer 3", the Mill, Packing
    depot_worker: Named  # the Depot; member
    docker: Named  # the Dock; member of the other union
    rep: Named
    organiser: Named
    officer: Named
    admin: Named
    dock_rep: Named
    boss_of_all: Named


def _named(row: Any) -> Named:
    name = getattr(row, "name", None) or row.known_as or row.placeholder_label
    return Named(id=row.id, public_id=row.public_id, name=name)


def make_world() -> World:
    """Store the small world and return it."""
    with unit_of_work(ALL) as session:
        union = make_union(session)
        other_union = make_union(session, "Dockers' Union")
        branch = make_branch(session, union)
        other_branch = make_branch(session, other_union, "Hull branch")
        region = make_region(session)
        brightway = make_employer(session, sic_codes=["52103"], sic_section="H", sector="private")
        saltway = make_employer(session, "Saltway Docks")
        mill = make_workplace(session, brightway, branches=(branch,), region=region)
        depot = make_workplace(session, brightway, "The Depot", branches=(branch,), region=region)
        dock = make_workplace(session, saltway, "The Dock", branches=(other_branch,))
        packing = make_area(session, mill)
        yard = make_area(session, mill, "Yard")
        nights = make_shift(session, mill)
        make_headcount(session, mill, 8, 10)
        make_headcount(session, dock, 20, 30)
        ioana = make_person(session, mill, area=packing, shift=nights, full_name="Ioana Popescu")
        tomasz = make_person(session, mill, "Tomasz K", area=yard)
        rukhsana = make_person(session, mill, "Rukhsana A")
        leaver = make_person(session, mill, "Gareth O", until=date(2026, 3, 1))
        placeholder = _store(
            session,
            Contact(placeholder_label="Night packer 3", name_key="night packer 3", created_at=NOW),
        )
        make_job(session, placeholder, mill, area=packing, shift=nights, from_is_first_seen=True)
        depot_worker = make_person(session, depot, "Marta S")
        docker = make_person(session, dock, "Bilal H")
        make_membership(session, ioana, union, branch=branch)
        make_membership(session, tomasz, None, status=MembershipStatus.NOT_MEMBER)
        make_membership(session, leaver, union, branch=branch)
        make_membership(session, depot_worker, union, branch=branch)
        make_membership(session, docker, other_union, branch=other_branch)
        rep = make_user(session, "Owen Rep", role=Role.REP, place=mill)
        organiser = make_user(session, "Ana Organiser", role=Role.ORGANISER, place=branch)
        officer = make_user(session, "Kasia Officer", role=Role.BRANCH_OFFICER, place=branch)
        admin = make_user(session, "Ade Admin", role=Role.ADMINISTRATOR)
        dock_rep = make_user(session, "Lukasz Dock", role=Role.REP, place=dock)
        boss_of_all = make_user(session, "Fatima All", role=Role.ORGANISER)
        make_assessment(session, ioana, packing, 2, day=date(2026, 11, 20), assessor=rep)
        make_assessment(session, tomasz, yard, 3, day=date(2026, 10, 1), assessor=rep)
        here = locals()
        return World(**{key: _named(here[key]) for key in World.__dataclass_fields__})
