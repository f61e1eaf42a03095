"""What is known of one person, and the choices that the forms about them offer.

Everything is read under the scope: jobs, talks and judgements at places that the reader does not
hold are simply not there.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.audit import record_view
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.assessment import Assessment as Rated
from crm.domain.assessment import Basis, ExpiryRule, Freshness, current, disagreement, is_firm
from crm.domain.errors import NotFound
from crm.domain.ids import UserId
from crm.domain.spells import covers
from crm.domain.timeline import MembershipStatus
from crm.domain.vocabulary import (
    Answer,
    Channel,
    ContractType,
    FieldGroup,
    HowKnown,
    LegalBasis,
    LengthBand,
    MembershipSource,
    PointKind,
    PointState,
)
from crm.models.contacts import Contact, ContactPoint, FieldBasis, Job, Membership
from crm.models.conversations import (
    Assessment,
    Conversation,
    ConversationIssue,
    ConversationNote,
    FollowUp,
)
from crm.models.places import Area, Branch, Employer, Place, Shift, Union, Workplace
from crm.reads.duplicates import Candidate, find_candidates, known_of
from crm.reads.people import get_contact, names_of_users, shown_name
from crm.reads.places import Choice, get_place, list_shift_choices, names_of

# A select with more lines than this cannot be used, and costs more than the page around it.
MOST_CHOICES = 300
# More people than this nobody compares while adding one.
MOST_CANDIDATES = 5

Fact = TypeVar("Fact", ContactPoint, FieldBasis, Job, Membership)


@dataclass(frozen=True, slots=True)
class Person:
    """The person's own fields. Each is None when not known."""

    public_id: uuid.UUID
    name: str
    known_as: str | None
    full_name: str | None
    placeholder_label: str | None
    pronouns: str | None
    languages: tuple[str, ...]
    how_known: HowKnown | None
    do_not_contact: bool
    version: int


@dataclass(frozen=True, slots=True)
class PlaceName:
    """A place to name and, where its page may be seen, to link to."""

    public_id: uuid.UUID
    name: str


@dataclass(frozen=True, slots=True)
class Recording:
    """When a fact was written down and by whom, and when another took its place (None = holds)."""

    at: datetime
    by: str | None
    replaced_at: datetime | None


@dataclass(frozen=True, slots=True)
class JobSeen:
    """A job for the days [since, until). None = not known; until None = still there.

    first_seen: True when ``since`` is only the day we first knew of them.
    """

    public_id: uuid.UUID
    workplace: PlaceName | None
    area: PlaceName | None
    shift: str | None
    shift_id: uuid.UUID | None
    job_title: str | None
    employer: PlaceName | None
    contract_type: ContractType | None
    since: date
    until: date | None
    first_seen: bool
    written: Recording


@dataclass(frozen=True, slots=True)
class MembershipSeen:
    """What is known of a union for the days [since, until). union None = no union at all."""

    public_id: uuid.UUID
    union: PlaceName | None
    branch: PlaceName | None
    status: MembershipStatus
    source: MembershipSource | None
    since: date
    until: date | None
    written: Recording


@dataclass(frozen=True, slots=True)
class PointSeen:
    """A way to reach the person. state None = nobody knows whether it works."""

    public_id: uuid.UUID
    kind: PointKind
    value: str
    label: str | None
    state: PointState | None


@dataclass(frozen=True, slots=True)
class BasisSeen:
    """The ground for holding one group of facts, and when it was taken back."""

    public_id: uuid.UUID
    field_group: FieldGroup
    basis: LegalBasis
    given_on: date
    withdrawn_on: date | None
    wording: str | None
    written: Recording


@dataclass(frozen=True, slots=True)
class Judgement:
    """One judgement of where the person stands, 1 (strongest) to 5. ask None = in general."""

    day: date
    recorded_at: datetime
    rating: int
    basis: Basis
    firm: bool
    by: str | None
    ask: str | None


@dataclass(frozen=True, slots=True)
class Stands:
    """Where the person stands on a day: the judgement that counts, its age in days, and whether
    it may still be relied on."""

    judgement: Judgement
    age_days: int
    freshness: Freshness


@dataclass(frozen=True, slots=True)
class OnAsk:
    """Where the person stands on one ask, a code of ASKS. apart: two of us who disagree."""

    ask: str
    stands: Stands
    apart: tuple[Judgement, Judgement] | None


@dataclass(frozen=True, slots=True)
class Words:
    """The words written down of a talk, for those who may read them."""

    their_words: str | None
    fears: str | None
    inoculation: str | None
    next_step: str | None
    language: str | None


@dataclass(frozen=True, slots=True)
class Talk:
    """One talk with what came of it."""

    public_id: uuid.UUID
    day: date
    held_at: datetime
    by: str | None
    channel: Channel | None
    length_band: LengthBand | None
    steps: tuple[str, ...]
    asked: str | None
    answer: Answer | None
    issues: tuple[str, ...]
    words: Words | None
    judgements: tuple[Judgement, ...]


@dataclass(frozen=True, slots=True)
class Promise:
    """A promise to speak again by a day. first_due_on: None when it was never put off."""

    due_on: date
    first_due_on: date | None
    what: str | None
    created_at: datetime
    owner: str | None
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class ContactPage:
    """Everything that this scope sees of one person, as at a day.

    jobs and memberships: latest first. history: general judgements, oldest first.
    other_judgements: those that belong to no talk. before: what stood here until it was put right.
    """

    person: Person
    as_at: date
    jobs: list[JobSeen]
    jobs_before: list[JobSeen]
    memberships: list[MembershipSeen]
    memberships_before: list[MembershipSeen]
    points: list[PointSeen]
    bases: list[BasisSeen]
    stands: Stands | None
    apart: tuple[Judgement, Judgement] | None
    on_asks: list[OnAsk]
    history: list[Judgement]
    talks: list[Talk]
    other_judgements: list[Judgement]
    promises: list[Promise]

    @property
    def jobs_now(self) -> list[JobSeen]:
        """The jobs that the person has on the day."""
        return [job for job in self.jobs if covers(job.since, job.until, self.as_at)]


def read_contact(
    session: Session, scope: Scope, public_id: uuid.UUID, *, today: date, expiry: ExpiryRule
) -> tuple[int, ContactPage]:
    """Return the inner id, for the audit, and the whole page. Raises NotFound.

    expiry: how long an assessment counts.
    The number of statements does not depend on how much is known of the person.
    """
    contact = get_contact(session, scope, public_id)
    mine = contact.id
    jobs = _all(session, scope, Job, mine, Job.valid_from.desc(), Job.id.desc())
    spells = _all(session, scope, Membership, mine, Membership.valid_from.desc(), Membership.id)
    points = _all(session, scope, ContactPoint, mine, ContactPoint.kind, ContactPoint.id)
    bases = _all(session, scope, FieldBasis, mine, FieldBasis.given_on, FieldBasis.id)
    talks = _all(session, scope, Conversation, mine, Conversation.day, Conversation.id)
    issues = _all(session, scope, ConversationIssue, mine, ConversationIssue.id)
    notes = _all(session, scope, ConversationNote, mine, ConversationNote.conversation_id)
    judged = session.scalars(
        scope.select(Assessment)
        .where(Assessment.contact_id == mine, Assessment.superseded_at.is_(None))
        .order_by(Assessment.day, Assessment.recorded_at, Assessment.id)
    ).all()
    promises = _all(session, scope, FollowUp, mine, FollowUp.created_at)
    places = _places(session, scope, jobs, spells)
    shifts = _shifts(session, scope, jobs)
    users = names_of_users(
        session,
        _known(
            *(fact.recorded_by_id for fact in (*jobs, *spells, *bases)),
            *(talk.held_by_id for talk in talks),
            *(one.assessor_id for one in judged),
            *(promise.owner_id for promise in promises),
        ),
    )
    seen_jobs = [_job(job, places, shifts, users) for job in jobs]
    seen_spells = [_membership(spell, places, users) for spell in spells]
    judgements = {one.id: _judgement(one, users) for one in judged}
    general = [one for one in judged if one.ask is None]
    talk_ids = {talk.id for talk in talks}
    page = ContactPage(
        person=_person(contact),
        as_at=today,
        jobs=[job for job in seen_jobs if job.written.replaced_at is None],
        jobs_before=[job for job in seen_jobs if job.written.replaced_at is not None],
        memberships=[one for one in seen_spells if one.written.replaced_at is None],
        memberships_before=[one for one in seen_spells if one.written.replaced_at is not None],
        points=[_point(point) for point in points if point.superseded_at is None],
        bases=[_basis(one, users) for one in bases if one.superseded_at is None],
        stands=_stands(general, judgements, today, expiry),
        apart=_apart(general, judgements, today, expiry),
        on_asks=_on_asks(judged, judgements, today, expiry),
        history=[judgements[one.id] for one in general if one.day <= today],
        talks=_talks(talks, issues, notes, judged, judgements, users),
        other_judgements=[
            judgements[one.id] for one in judged if one.conversation_id not in talk_ids
        ],
        promises=[_promise(promise, users) for promise in promises],
    )
    return mine, page


def note_view(session: Session, scope: Scope, public_id: uuid.UUID) -> None:
    """Record that the actor looked at what is known of a person. Raises NotFound."""
    contact = get_contact(session, scope, public_id)
    record_view(session, contact_id=contact.id, contact_public_id=public_id)


def read_person(session: Session, scope: Scope, public_id: uuid.UUID) -> Person:
    """Return the person's own fields, for a form. Raises NotFound."""
    return _person(get_contact(session, scope, public_id, permission=Permission.CONTACT_WRITE))


def read_job(
    session: Session, scope: Scope, contact_id: uuid.UUID, job_id: uuid.UUID
) -> tuple[Person, JobSeen]:
    """Return the person and the job as believed now. job_id may be that of an earlier version.

    Raises NotFound.
    """
    contact, job = _fact(session, scope, Job, contact_id, job_id)
    places = _places(session, scope, [job], [])
    return _person(contact), _job(job, places, _shifts(session, scope, [job]), {})


def read_membership(
    session: Session, scope: Scope, contact_id: uuid.UUID, membership_id: uuid.UUID
) -> tuple[Person, MembershipSeen]:
    """Return the person and what is believed of the union now. Raises NotFound."""
    contact, spell = _fact(session, scope, Membership, contact_id, membership_id)
    return _person(contact), _membership(spell, _places(session, scope, [], [spell]), {})


def read_point(
    session: Session, scope: Scope, contact_id: uuid.UUID, point_id: uuid.UUID
) -> tuple[Person, PointSeen]:
    """Return the person and the phone, mail or address as it is now. Raises NotFound."""
    contact, point = _fact(session, scope, ContactPoint, contact_id, point_id)
    return _person(contact), _point(point)


def read_basis(
    session: Session, scope: Scope, contact_id: uuid.UUID, basis_id: uuid.UUID
) -> tuple[Person, BasisSeen]:
    """Return the person and the basis as it is now. Raises NotFound."""
    contact, basis = _fact(session, scope, FieldBasis, contact_id, basis_id)
    return _person(contact), _basis(basis, {})


def _fact(
    session: Session,
    scope: Scope,
    model: type[Fact],
    contact_id: uuid.UUID,
    public_id: uuid.UUID,
) -> tuple[Contact, Fact]:
    contact = get_contact(session, scope, contact_id, permission=Permission.CONTACT_WRITE)
    return contact, find_fact(session, scope, model, contact.id, public_id)


def find_fact(
    session: Session, scope: Scope, model: type[Fact], contact_id: int, public_id: uuid.UUID
) -> Fact:
    """Return the row that is believed now in place of the row with this public id.

    A correction has a public id of its own, and takes the old row's place at one same moment:
    by that the newest version is found from any earlier one. Raises NotFound when there is no
    such row, or when it was taken away and nothing stands in its place.
    """
    rows: list[Fact] = list(_all(session, scope, model, contact_id, model.id))
    found: Fact | None = next((row for row in rows if row.public_id == public_id), None)
    while found is not None and found.superseded_at is not None:
        found = _successor(rows, found)
    if found is None:
        raise NotFound(f"{model.__name__} {public_id}")
    return found


def _successor(rows: list[Fact], old: Fact) -> Fact | None:
    after = [row for row in rows if row.recorded_at == old.superseded_at and row.id > old.id]
    # A move to another area writes two rows at once; the first of them is the old job, ended.
    return min(after, key=lambda row: row.id, default=None)


def is_on_list(session: Session, scope: Scope, public_id: uuid.UUID) -> bool:
    """Return True when the scope sees a person with this public id."""
    found = session.execute(scope.select(Contact.id).where(Contact.public_id == public_id))
    return found.first() is not None


def who_may_it_be(
    session: Session,
    scope: Scope,
    *,
    known_as: str | None,
    phone: str | None,
    workplace: uuid.UUID,
    today: date,
) -> list[Candidate]:
    """Return the people of the scope who may be the one that is being typed, likeliest first.

    At most MOST_CANDIDATES; none for a label without a name. Raises NotFound for a workplace out
    of scope.
    """
    if known_as is None:
        return []
    place = get_place(session, scope, Workplace, workplace)
    asked = known_of((known_as,), phones=(phone,), workplaces=(place.id,))
    (found,) = find_candidates(session, scope, (asked,), near_names_on=today)
    return found[:MOST_CANDIDATES]


# --- What forms offer -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class JobChoices:
    """What a form about a job at one workplace offers. whole_site: True when a job without an
    area may be written, which those who hold only a part of the site may not."""

    workplace: PlaceName
    areas: list[Choice]
    shifts: list[Choice]
    employers: list[Choice]
    whole_site: bool


def workplaces_to_write(session: Session, scope: Scope) -> list[Choice]:
    """Return the open workplaces where this scope may add people, or at a part of them, by name.

    At most MOST_CHOICES.
    """
    write = Permission.CONTACT_WRITE
    rows = session.execute(
        scope.select(Workplace.public_id, Workplace.name)
        .where(
            Workplace.closed_on.is_(None),
            sa.or_(
                scope.reach(write, Workplace.id),
                Workplace.id.in_(
                    sa.select(Area.workplace_id).where(
                        Area.closed_on.is_(None), scope.reach(write, Area.id)
                    )
                ),
            ),
        )
        .order_by(Workplace.name, Workplace.id)
        .limit(MOST_CHOICES)
    )
    return [Choice(str(public_id), name) for public_id, name in rows]


def job_choices(session: Session, scope: Scope, workplace_id: uuid.UUID) -> JobChoices:
    """Return what a form about a job at this workplace offers. Raises NotFound."""
    write = Permission.CONTACT_WRITE
    workplace = get_place(session, scope, Workplace, workplace_id)
    areas = session.execute(
        scope.select(Area.public_id, Area.name)
        .where(
            Area.workplace_id == workplace.id,
            Area.closed_on.is_(None),
            scope.reach(write, Area.id),
        )
        .order_by(Area.name, Area.id)
        .limit(MOST_CHOICES)
    ).all()
    whole_site = session.execute(
        scope.select(Workplace.id, permission=write).where(Workplace.id == workplace.id)
    ).first()
    if whole_site is None and not areas:
        raise NotFound(f"workplace {workplace_id}")
    employers = session.execute(
        scope.select(Employer.public_id, Employer.name)
        .where(Employer.closed_on.is_(None))
        # The employer of the site comes first: it is the answer for most people.
        .order_by(Employer.id != workplace.employer_id, Employer.name, Employer.id)
        .limit(MOST_CHOICES)
    )
    return JobChoices(
        workplace=PlaceName(workplace.public_id, workplace.name),
        areas=[Choice(str(public_id), name) for public_id, name in areas],
        shifts=list_shift_choices(session, scope, workplace.id),
        employers=[Choice(str(public_id), name) for public_id, name in employers],
        whole_site=whole_site is not None,
    )


def union_choices(session: Session, scope: Scope) -> list[Choice]:
    """Return the unions, by name."""
    rows = session.execute(
        scope.select(Union.public_id, Union.name)
        .where(Union.closed_on.is_(None))
        .order_by(Union.name, Union.id)
    )
    return [Choice(str(public_id), name) for public_id, name in rows]


def branch_choices(session: Session, scope: Scope) -> list[Choice]:
    """Return the branches with their union's name before their own."""
    rows = session.execute(
        scope.select(Branch.public_id, Branch.name, Branch.union_id)
        .where(Branch.closed_on.is_(None))
        .order_by(Branch.name, Branch.id)
    ).all()
    unions = names_of(session, scope, {row.union_id for row in rows})
    named = [Choice(str(row.public_id), f"{unions[row.union_id]}: {row.name}") for row in rows]
    return sorted(named, key=lambda choice: choice.label)


# --- Rows into what pages show ----------------------------------------------------------------


def _all(session: Session, scope: Scope, model: type[Any], contact_id: int, *order: Any) -> Any:
    return session.scalars(
        scope.select(model).where(model.contact_id == contact_id).order_by(*order)
    ).all()


def _known(*ids: int | None) -> set[int]:
    return {one for one in ids if one is not None}


def _places(
    session: Session, scope: Scope, jobs: Iterable[Job], spells: Iterable[Membership]
) -> dict[int, PlaceName]:
    wanted = _known(
        *(job.workplace_id for job in jobs),
        *(job.area_id for job in jobs),
        *(job.employer_of_record_id for job in jobs),
        *(spell.union_id for spell in spells),
        *(spell.branch_id for spell in spells),
    )
    if not wanted:
        return {}
    rows = session.execute(
        scope.select(Place.id, Place.public_id, Place.name).where(Place.id.in_(sorted(wanted)))
    )
    return {row.id: PlaceName(row.public_id, row.name) for row in rows}


def _shifts(
    session: Session, scope: Scope, jobs: Iterable[Job]
) -> dict[int, tuple[uuid.UUID, str]]:
    wanted = _known(*(job.shift_id for job in jobs))
    if not wanted:
        return {}
    rows = session.execute(
        scope.select(Shift.id, Shift.public_id, Shift.name).where(Shift.id.in_(sorted(wanted)))
    )
    return {row.id: (row.public_id, row.name) for row in rows}


def _person(contact: Contact) -> Person:
    return Person(
        public_id=contact.public_id,
        name=shown_name(contact),
        known_as=contact.known_as,
        full_name=contact.full_name,
        placeholder_label=contact.placeholder_label,
        pronouns=contact.pronouns,
        languages=tuple(contact.languages or ()),
        how_known=contact.how_known,
        do_not_contact=contact.do_not_contact,
        version=contact.version,
    )


def _recording(fact: Job | Membership | FieldBasis, users: dict[int, str]) -> Recording:
    by = fact.recorded_by_id
    return Recording(
        at=fact.recorded_at,
        by=None if by is None else users.get(by),
        replaced_at=fact.superseded_at,
    )


def _job(
    job: Job,
    places: dict[int, PlaceName],
    shifts: dict[int, tuple[uuid.UUID, str]],
    users: dict[int, str],
) -> JobSeen:
    shift = shifts.get(job.shift_id) if job.shift_id is not None else None
    return JobSeen(
        public_id=job.public_id,
        workplace=places.get(job.workplace_id),
        area=_place(places, job.area_id),
        shift=shift[1] if shift else None,
        shift_id=shift[0] if shift else None,
        job_title=job.job_title,
        employer=_place(places, job.employer_of_record_id),
        contract_type=job.contract_type,
        since=job.valid_from,
        until=job.valid_to,
        first_seen=job.from_is_first_seen,
        written=_recording(job, users),
    )


def _place(places: dict[int, PlaceName], place_id: int | None) -> PlaceName | None:
    return None if place_id is None else places.get(place_id)


def _membership(
    spell: Membership, places: dict[int, PlaceName], users: dict[int, str]
) -> MembershipSeen:
    return MembershipSeen(
        public_id=spell.public_id,
        union=_place(places, spell.union_id),
        branch=_place(places, spell.branch_id),
        status=spell.status,
        source=spell.source,
        since=spell.valid_from,
        until=spell.valid_to,
        written=_recording(spell, users),
    )


def _point(point: ContactPoint) -> PointSeen:
    return PointSeen(
        public_id=point.public_id,
        kind=point.kind,
        value=point.value,
        label=point.label,
        state=point.state,
    )


def _basis(one: FieldBasis, users: dict[int, str]) -> BasisSeen:
    return BasisSeen(
        public_id=one.public_id,
        field_group=one.field_group,
        basis=one.basis,
        given_on=one.given_on,
        withdrawn_on=one.withdrawn_on,
        wording=one.wording,
        written=_recording(one, users),
    )


def _judgement(one: Assessment, users: dict[int, str]) -> Judgement:
    return Judgement(
        day=one.day,
        recorded_at=one.recorded_at,
        rating=one.rating,
        basis=one.basis,
        firm=is_firm(one.basis),
        by=None if one.assessor_id is None else users.get(one.assessor_id),
        ask=one.ask,
    )


def _rated(one: Assessment) -> Rated:
    return Rated(
        day=one.day,
        recorded_at=one.recorded_at,
        rating=one.rating,
        basis=one.basis,
        assessor_id=None if one.assessor_id is None else UserId(one.assessor_id),
    )


def _stands(
    general: list[Assessment],
    judgements: dict[int, Judgement],
    today: date,
    expiry: ExpiryRule,
) -> Stands | None:
    rated = {_rated(one): judgements[one.id] for one in general}
    standing = current(rated, today, expiry)
    if standing is None:
        return None
    return Stands(rated[standing.assessment], standing.age_days, standing.freshness)


def _on_asks(
    judged: Iterable[Assessment],
    judgements: dict[int, Judgement],
    today: date,
    expiry: ExpiryRule,
) -> list[OnAsk]:
    """Return where the person stands on each ask that somebody judged, the latest first."""
    by_ask: dict[str, list[Assessment]] = {}
    for one in judged:
        if one.ask is not None:
            by_ask.setdefault(one.ask, []).append(one)
    found = []
    for ask, of_ask in by_ask.items():
        stands = _stands(of_ask, judgements, today, expiry)
        if stands is not None:
            found.append(OnAsk(ask, stands, _apart(of_ask, judgements, today, expiry)))
    return sorted(found, key=lambda one: (one.stands.age_days, one.ask))


def _apart(
    general: list[Assessment],
    judgements: dict[int, Judgement],
    today: date,
    expiry: ExpiryRule,
) -> tuple[Judgement, Judgement] | None:
    rated = {_rated(one): judgements[one.id] for one in general}
    found = disagreement(rated, today, expiry)
    return None if found is None else (rated[found.strongest], rated[found.weakest])


def _talks(
    talks: Iterable[Conversation],
    issues: Iterable[ConversationIssue],
    notes: Iterable[ConversationNote],
    judged: Iterable[Assessment],
    judgements: dict[int, Judgement],
    users: dict[int, str],
) -> list[Talk]:
    raised: dict[int, list[str]] = {}
    for issue in issues:
        raised.setdefault(issue.conversation_id, []).append(issue.issue)
    words = {note.conversation_id: _words(note) for note in notes}
    views: dict[int | None, list[Judgement]] = {}
    for one in judged:
        views.setdefault(one.conversation_id, []).append(judgements[one.id])
    return [
        Talk(
            public_id=talk.public_id,
            day=talk.day,
            held_at=talk.held_at,
            by=None if talk.held_by_id is None else users.get(talk.held_by_id),
            channel=talk.channel,
            length_band=talk.length_band,
            steps=tuple(talk.steps_reached or ()),
            asked=talk.asked,
            answer=talk.answer,
            issues=tuple(raised.get(talk.id, ())),
            words=words.get(talk.id),
            judgements=tuple(views.get(talk.id, ())),
        )
        for talk in talks
    ]


def _words(note: ConversationNote) -> Words:
    return Words(
        their_words=note.their_words,
        fears=note.fears,
        inoculation=note.inoculation,
        next_step=note.next_step,
        language=note.language,
    )


def _promise(promise: FollowUp, users: dict[int, str]) -> Promise:
    return Promise(
        due_on=promise.due_on,
        first_due_on=promise.first_due_on,
        what=promise.what,
        created_at=promise.created_at,
        owner=users.get(promise.owner_id),
        done_at=promise.done_at,
    )
