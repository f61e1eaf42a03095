"""Changes to what is known of a person. Nothing here commits; the caller's unit of work does.

Every function takes the scope first, finds the person with the right to write about them, and
holds that row, so that two writers of one person wait for each other. Facts with a life in time
are never overwritten: a correction is a new row (crm/access/facts.py).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from crm.access import facts
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.access.spans import refresh_spans
from crm.domain.errors import AlreadyEnded, DatesOutOfOrder, EditConflict, NotFound, Refusal
from crm.domain.identity import fold, phone_key
from crm.domain.spells import check_order, overlaps
from crm.domain.timeline import MembershipStatus
from crm.domain.vocabulary import (
    ContractType,
    FieldGroup,
    HowKnown,
    LegalBasis,
    MembershipSource,
    PointKind,
    PointState,
)
from crm.features.contacts.queries import find_fact, is_on_list
from crm.models.contacts import Contact, ContactPoint, FieldBasis, Job, Membership
from crm.models.places import Area, Branch, Employer, Place, Shift, Union, Workplace
from crm.reads.people import may_keep
from crm.reads.places import get_place

# The sentences of refusals that have more than one reason.
SAME_POINT = "This is already on the page of this person."
SAME_AREA = "They already work there. Choose another area or shift."
SAME_BASIS = "This is already written down for these facts."
OTHER_UNION = "This branch belongs to another union. Choose one of this union."
SAME_JOB = (
    "They already have a job at this place on some of these days. "
    "Put that one right, or choose other days."
)
SAME_DAYS = (
    "Something else is written down for some of these days, from %(day)s on. "
    "Put that right first, or choose other days."
)

_NAME_KEY_LENGTH = 330
_VALUE_KEY_LENGTH = 300


class NameNeeded(Refusal):
    """The person has neither a name nor a label that can be seen."""

    default_message = "Write the name they use, or a label such as “Night packer 3”."


class WrongWorkplace(Refusal):
    """The area or shift belongs to another workplace."""

    default_message = "This is at another workplace. Choose one from the list."


class AlreadyThere(Refusal):
    """The same fact is on record already."""


class SpellsOverlap(Refusal):
    """Two spells say different things about the same days."""


class BasisNeeded(Refusal):
    """The fact may not be held until a ground for holding it is on record."""

    default_message = (
        "Nobody has talked to this person yet. "
        "First write down why we may keep their union membership."
    )


class WordingNeeded(Refusal):
    """A consent without the words that were agreed to."""

    default_message = "Write the words they agreed to."


@dataclass(frozen=True, slots=True)
class Details:
    """The person's own fields, as typed. None = not known."""

    known_as: str | None
    full_name: str | None
    placeholder_label: str | None
    pronouns: str | None
    languages: tuple[str, ...]
    how_known: HowKnown | None


@dataclass(frozen=True, slots=True)
class JobEntry:
    """A job as typed. since None = not known: the job counts from today, as first seen."""

    area: uuid.UUID | None
    shift: uuid.UUID | None
    since: date | None
    until: date | None = None
    job_title: str | None = None
    employer: uuid.UUID | None = None
    contract_type: ContractType | None = None


@dataclass(frozen=True, slots=True)
class MembershipEntry:
    """A membership as typed. union None with not_member = in no union."""

    union: uuid.UUID | None
    branch: uuid.UUID | None
    status: MembershipStatus
    source: MembershipSource | None
    since: date
    until: date | None = None


@dataclass(frozen=True, slots=True)
class PointEntry:
    """A phone number, mail address or postal address as typed."""

    value: str
    label: str | None
    state: PointState | None


# --- The person -------------------------------------------------------------------------------


def add_contact(
    session: Session,
    scope: Scope,
    details: Details,
    workplace: uuid.UUID,
    job: JobEntry,
    *,
    phone: str | None = None,
    form_id: uuid.UUID,
    today: date,
    now: datetime,
) -> uuid.UUID:
    """Store a person with their first job and return their public id.

    form_id: made when the form was shown; sending the same form twice stores one person.
    Raises NameNeeded, DatesOutOfOrder, WrongWorkplace, NotFound.
    """
    public_id = id_of_form(scope, form_id)
    if is_on_list(session, scope, public_id):
        return public_id
    contact = Contact(
        public_id=public_id,
        do_not_contact=False,
        created_at=now,
        created_by_id=scope.actor_id,
        version=1,
    )
    _apply(contact, details)
    placed = _job_values(session, scope, workplace, job, today=today)
    session.add(contact)
    session.flush()
    session.add(_recorded(Job, scope, now, contact_id=contact.id, **placed))
    refresh_spans(session, contact.id)
    if phone is not None:
        # The job is stored by now: it is what puts the person, and so the phone, in the scope.
        session.add(
            _recorded(
                ContactPoint,
                scope,
                now,
                contact_id=contact.id,
                kind=PointKind.PHONE,
                value=phone,
                value_key=_value_key(PointKind.PHONE, phone),
            )
        )
    return public_id


def id_of_form(scope: Scope, form_id: uuid.UUID) -> uuid.UUID:
    """Return the public id of the person that this form stores when the actor sends it.

    The actor is mixed in, so that nobody can aim at an id that belongs to somebody else's form.
    """
    return uuid.uuid5(form_id, str(scope.actor_id))


def change_details(
    session: Session, scope: Scope, contact_id: uuid.UUID, details: Details, *, version: int
) -> None:
    """Change the person's own fields. Raises NameNeeded, EditConflict, NotFound.

    version: the one that the form was made from.
    """
    contact = _hold(session, scope, contact_id)
    _refuse_nameless(details)
    if contact.version != version:
        raise EditConflict(current=_details_of(contact), yours=_as_fields(details))
    _apply(contact, details)
    contact.version += 1


def set_do_not_contact(
    session: Session, scope: Scope, contact_id: uuid.UUID, wanted: bool, *, version: int
) -> None:
    """Record that the person asked us to leave them alone, or that they no longer do.

    Raises EditConflict, NotFound.
    """
    contact = _hold(session, scope, contact_id)
    if contact.version != version:
        raise EditConflict(
            current={"version": contact.version, "do_not_contact": contact.do_not_contact},
            yours={"do_not_contact": wanted},
        )
    if contact.do_not_contact != wanted:
        contact.do_not_contact = wanted
        contact.version += 1


def _details_of(contact: Contact) -> dict[str, object]:
    return {
        "version": contact.version,
        "known_as": contact.known_as,
        "full_name": contact.full_name,
        "placeholder_label": contact.placeholder_label,
        "pronouns": contact.pronouns,
        "languages": tuple(contact.languages or ()),
        "how_known": contact.how_known,
    }


def _as_fields(entry: Any) -> dict[str, object]:
    return {name: getattr(entry, name) for name in entry.__dataclass_fields__}


def _apply(contact: Contact, details: Details) -> None:
    _refuse_nameless(details)
    contact.known_as = details.known_as if _can_be_seen(details.known_as) else None
    contact.full_name = details.full_name
    contact.placeholder_label = (
        details.placeholder_label if _can_be_seen(details.placeholder_label) else None
    )
    contact.pronouns = details.pronouns
    contact.languages = list(details.languages) or None
    contact.how_known = details.how_known
    names = (contact.known_as, contact.full_name, contact.placeholder_label)
    contact.name_key = " ".join(fold(name) for name in names if name)[:_NAME_KEY_LENGTH]


def _refuse_nameless(details: Details) -> None:
    if not any(_can_be_seen(text) for text in (details.known_as, details.placeholder_label)):
        raise NameNeeded()


def _can_be_seen(text: str | None) -> bool:
    """A name of only invisible signs would be a link that nobody can find or press."""
    return any(sign.isprintable() and not sign.isspace() for sign in text or "")


# --- Phones, mail, addresses ------------------------------------------------------------------


def add_point(
    session: Session,
    scope: Scope,
    contact_id: uuid.UUID,
    kind: PointKind,
    entry: PointEntry,
    *,
    now: datetime,
) -> None:
    """Store a way to reach the person. Raises AlreadyThere, NotFound."""
    contact = _hold(session, scope, contact_id)
    key = _value_key(kind, entry.value)
    _refuse_same_point(session, scope, contact, kind, key)
    session.add(
        _recorded(
            ContactPoint,
            scope,
            now,
            contact_id=contact.id,
            kind=kind,
            value_key=key,
            **_as_fields(entry),
        )
    )


def correct_point(
    session: Session,
    scope: Scope,
    contact_id: uuid.UUID,
    point_id: uuid.UUID,
    entry: PointEntry,
    *,
    version: uuid.UUID,
    now: datetime,
) -> None:
    """Put a phone, mail or address right, or say whether it works. The old one stays on record.

    Raises AlreadyThere, EditConflict, NotFound.
    """
    contact = _hold(session, scope, contact_id)
    point = find_fact(session, scope, ContactPoint, contact.id, point_id)
    _refuse_stale(point, version, {"value", "label", "state"}, entry)
    key = _value_key(point.kind, entry.value)
    _refuse_same_point(session, scope, contact, point.kind, key, but=point.id)
    changes = _as_fields(entry)
    if any(getattr(point, name) != value for name, value in changes.items()):
        facts.revise(session, point, now=now, actor_id=scope.actor_id, value_key=key, **changes)


def remove_point(
    session: Session, scope: Scope, contact_id: uuid.UUID, point_id: uuid.UUID, *, now: datetime
) -> None:
    """Take a phone, mail or address off the page. Raises NotFound."""
    contact = _hold(session, scope, contact_id)
    facts.withdraw(find_fact(session, scope, ContactPoint, contact.id, point_id), now=now)


def _value_key(kind: PointKind, value: str) -> str:
    if kind is PointKind.PHONE:
        return (phone_key(value) or "")[:_VALUE_KEY_LENGTH]
    if kind is PointKind.EMAIL:
        return value.strip().casefold()[:_VALUE_KEY_LENGTH]
    return fold(value)[:_VALUE_KEY_LENGTH]


def _refuse_same_point(
    session: Session,
    scope: Scope,
    contact: Contact,
    kind: PointKind,
    key: str,
    *,
    but: int | None = None,
) -> None:
    same = scope.select(ContactPoint.id).where(
        ContactPoint.contact_id == contact.id,
        ContactPoint.kind == kind,
        ContactPoint.value_key == key,
        ContactPoint.superseded_at.is_(None),
    )
    if any(found != but for found in session.scalars(same)):
        raise AlreadyThere(SAME_POINT)


# --- Jobs -------------------------------------------------------------------------------------


def add_job(
    session: Session,
    scope: Scope,
    contact_id: uuid.UUID,
    workplace: uuid.UUID,
    entry: JobEntry,
    *,
    today: date,
    now: datetime,
) -> None:
    """Store another job of the person.

    Raises DatesOutOfOrder, SpellsOverlap, WrongWorkplace, NotFound.
    """
    contact = _hold(session, scope, contact_id)
    values = _job_values(session, scope, workplace, entry, today=today)
    _refuse_same_job(session, scope, contact, values)
    session.add(_recorded(Job, scope, now, contact_id=contact.id, **values))
    refresh_spans(session, contact.id)


def correct_job(
    session: Session,
    scope: Scope,
    contact_id: uuid.UUID,
    job_id: uuid.UUID,
    entry: JobEntry,
    *,
    version: uuid.UUID,
    today: date,
    now: datetime,
) -> None:
    """Put right what was written down of a job; what stood there stays on record.

    Raises DatesOutOfOrder, SpellsOverlap, WrongWorkplace, EditConflict, NotFound.
    """
    contact = _hold(session, scope, contact_id)
    job = find_fact(session, scope, Job, contact.id, job_id)
    if job.public_id != version:
        raise EditConflict(current=_job_of(session, scope, job), yours=_as_fields(entry))
    workplace = _public_id(session, scope, job.workplace_id)
    if workplace is None:
        raise NotFound("the workplace of the job")
    values = _job_values(session, scope, workplace, entry, today=today)
    _refuse_same_job(session, scope, contact, values, but=job.id)
    if any(getattr(job, name) != value for name, value in values.items()):
        facts.revise(session, job, now=now, actor_id=scope.actor_id, **values)
    refresh_spans(session, contact.id)


def end_job(
    session: Session,
    scope: Scope,
    contact_id: uuid.UUID,
    job_id: uuid.UUID,
    until: date,
    *,
    now: datetime,
) -> None:
    """Record the first day on which the person no longer has the job.

    Raises AlreadyEnded, DatesOutOfOrder, NotFound.
    """
    contact = _hold(session, scope, contact_id)
    job = find_fact(session, scope, Job, contact.id, job_id)
    if job.valid_to is not None:
        raise AlreadyEnded()
    check_order(job.valid_from, until)
    facts.revise(session, job, now=now, actor_id=scope.actor_id, valid_to=until)
    refresh_spans(session, contact.id)


def move_job(
    session: Session,
    scope: Scope,
    contact_id: uuid.UUID,
    job_id: uuid.UUID,
    *,
    area: uuid.UUID | None,
    shift: uuid.UUID | None,
    since: date,
    now: datetime,
) -> None:
    """Record that the person works in another area or shift of the workplace from a day on.

    Raises AlreadyEnded, AlreadyThere, DatesOutOfOrder, WrongWorkplace, NotFound.
    """
    contact = _hold(session, scope, contact_id)
    job = find_fact(session, scope, Job, contact.id, job_id)
    if job.valid_to is not None:
        raise AlreadyEnded()
    if since < job.valid_from:
        raise DatesOutOfOrder(
            "The move is before the first day of this job. Check the date of the move."
        )
    workplace = get_place_of(session, scope, job)
    values = _where_values(session, scope, workplace, area, shift)
    if all(getattr(job, name) == value for name, value in values.items()):
        raise AlreadyThere(SAME_AREA)
    # The job that ends is written before the one that follows: find_fact relies on the order.
    ended = facts.revise(session, job, now=now, actor_id=scope.actor_id, valid_to=since)
    session.flush()
    following = {
        name: getattr(ended, name)
        for name in ("workplace_id", "job_title", "employer_of_record_id", "contract_type")
    }
    session.add(
        _recorded(Job, scope, now, contact_id=contact.id, valid_from=since, **following, **values)
    )
    refresh_spans(session, contact.id)


def get_place_of(session: Session, scope: Scope, job: Job) -> Workplace:
    """Return the workplace of a job. Raises NotFound when the scope may not see it."""
    public_id = _public_id(session, scope, job.workplace_id)
    if public_id is None:
        raise NotFound("the workplace of the job")
    return get_place(session, scope, Workplace, public_id)


def _job_values(
    session: Session, scope: Scope, workplace_id: uuid.UUID, entry: JobEntry, *, today: date
) -> dict[str, Any]:
    since = today if entry.since is None else entry.since
    check_order(since, entry.until)
    workplace = get_place(session, scope, Workplace, workplace_id)
    employer_id = None
    if entry.employer is not None:
        employer_id = get_place(session, scope, Employer, entry.employer).id
    return {
        "workplace_id": workplace.id,
        **_where_values(session, scope, workplace, entry.area, entry.shift),
        "job_title": entry.job_title,
        "employer_of_record_id": employer_id,
        "contract_type": entry.contract_type,
        "valid_from": since,
        "valid_to": entry.until,
        "from_is_first_seen": entry.since is None,
    }


def _where_values(
    session: Session,
    scope: Scope,
    workplace: Workplace,
    area_id: uuid.UUID | None,
    shift_id: uuid.UUID | None,
) -> dict[str, Any]:
    """Return the columns that say where in the workplace, if the scope may write there."""
    write = Permission.CONTACT_WRITE
    area: Area | None = None
    if area_id is not None:
        area = get_place(session, scope, Area, area_id, permission=write)
        if area.workplace_id != workplace.id:
            raise WrongWorkplace()
    else:
        get_place(session, scope, Workplace, workplace.public_id, permission=write)
    shift: Shift | None = None
    if shift_id is not None:
        shift = session.scalars(
            scope.select(Shift).where(Shift.public_id == shift_id)
        ).one_or_none()
        if shift is None or shift.place_id != workplace.id:
            raise WrongWorkplace()
    return {
        "place_id": workplace.id if area is None else area.id,
        "area_id": None if area is None else area.id,
        "shift_id": None if shift is None else shift.id,
    }


def _refuse_same_job(
    session: Session,
    scope: Scope,
    contact: Contact,
    values: dict[str, Any],
    *,
    but: int | None = None,
) -> None:
    others = session.scalars(
        scope.select(Job).where(
            Job.contact_id == contact.id,
            Job.superseded_at.is_(None),
            Job.workplace_id == values["workplace_id"],
        )
    )
    for other in others:
        # Without an area it may be the very same job: one of the two must not be counted twice.
        same = None in (other.area_id, values["area_id"]) or other.area_id == values["area_id"]
        if (same and other.id != but) and overlaps(
            other.valid_from, other.valid_to, values["valid_from"], values["valid_to"]
        ):
            raise SpellsOverlap(SAME_JOB)


def _job_of(session: Session, scope: Scope, job: Job) -> dict[str, object]:
    shift_id = session.scalars(
        scope.select(Shift.public_id).where(Shift.id == job.shift_id)
    ).one_or_none()
    return {
        "version": job.public_id,
        "area": _public_id(session, scope, job.area_id),
        "shift": shift_id,
        "since": None if job.from_is_first_seen else job.valid_from,
        "until": job.valid_to,
        "job_title": job.job_title,
        "employer": _public_id(session, scope, job.employer_of_record_id),
        "contract_type": job.contract_type,
    }


def _public_id(session: Session, scope: Scope, place_id: int | None) -> uuid.UUID | None:
    found: uuid.UUID | None = session.scalars(
        scope.select(Place.public_id).where(Place.id == place_id)
    ).one_or_none()
    return found


# --- Membership -------------------------------------------------------------------------------


def add_membership(
    session: Session,
    scope: Scope,
    contact_id: uuid.UUID,
    entry: MembershipEntry,
    *,
    now: datetime,
) -> None:
    """Store what is known of a union from a day on.

    What was known before and still went on ends on that day if the two cannot both be true.
    Raises BasisNeeded, DatesOutOfOrder, SpellsOverlap, WrongWorkplace, NotFound.
    """
    contact = _hold(session, scope, contact_id)
    if not may_keep(session, scope, contact, FieldGroup.MEMBERSHIP):
        raise BasisNeeded()
    values = _membership_values(session, scope, entry)
    for other in _against(session, scope, contact, values):
        goes_on = values["valid_to"] is None or (
            other.valid_to is not None and other.valid_to <= values["valid_to"]
        )
        if not (other.valid_from < values["valid_from"] and goes_on):
            raise _overlap(other)
        facts.revise(
            session, other, now=now, actor_id=scope.actor_id, valid_to=values["valid_from"]
        )
        session.flush()
    session.add(_recorded(Membership, scope, now, contact_id=contact.id, **values))
    refresh_spans(session, contact.id)


def correct_membership(
    session: Session,
    scope: Scope,
    contact_id: uuid.UUID,
    membership_id: uuid.UUID,
    entry: MembershipEntry,
    *,
    version: uuid.UUID,
    now: datetime,
) -> None:
    """Put right what was written down of a union; what stood there stays on record.

    Raises DatesOutOfOrder, SpellsOverlap, EditConflict, NotFound.
    """
    contact = _hold(session, scope, contact_id)
    spell = find_fact(session, scope, Membership, contact.id, membership_id)
    if spell.public_id != version:
        current = {
            "version": spell.public_id,
            "union": _public_id(session, scope, spell.union_id),
            "branch": _public_id(session, scope, spell.branch_id),
            "status": spell.status,
            "source": spell.source,
            "since": spell.valid_from,
            "until": spell.valid_to,
        }
        raise EditConflict(current=current, yours=_as_fields(entry))
    values = _membership_values(session, scope, entry)
    for other in _against(session, scope, contact, values, but=spell.id):
        raise _overlap(other)
    if any(getattr(spell, name) != value for name, value in values.items()):
        facts.revise(session, spell, now=now, actor_id=scope.actor_id, **values)
    refresh_spans(session, contact.id)


def end_membership(
    session: Session,
    scope: Scope,
    contact_id: uuid.UUID,
    membership_id: uuid.UUID,
    until: date,
    *,
    now: datetime,
) -> None:
    """Record the first day on which it no longer holds. After it nothing is known.

    Raises AlreadyEnded, DatesOutOfOrder, NotFound.
    """
    contact = _hold(session, scope, contact_id)
    spell = find_fact(session, scope, Membership, contact.id, membership_id)
    if spell.valid_to is not None:
        raise AlreadyEnded()
    check_order(spell.valid_from, until)
    facts.revise(session, spell, now=now, actor_id=scope.actor_id, valid_to=until)
    refresh_spans(session, contact.id)


def withdraw_membership(
    session: Session,
    scope: Scope,
    contact_id: uuid.UUID,
    membership_id: uuid.UUID,
    *,
    now: datetime,
) -> None:
    """Go back to "not known" for this union and these days. Raises NotFound."""
    contact = _hold(session, scope, contact_id)
    facts.withdraw(find_fact(session, scope, Membership, contact.id, membership_id), now=now)
    refresh_spans(session, contact.id)


def _membership_values(session: Session, scope: Scope, entry: MembershipEntry) -> dict[str, Any]:
    check_order(entry.since, entry.until)
    if entry.status is MembershipStatus.MEMBER and entry.union is None:
        raise Refusal("Choose the union that they are in.")
    union = None if entry.union is None else get_place(session, scope, Union, entry.union)
    branch = None if entry.branch is None else get_place(session, scope, Branch, entry.branch)
    if branch is not None and (union is None or branch.union_id != union.id):
        raise WrongWorkplace(OTHER_UNION)
    return {
        "union_id": None if union is None else union.id,
        "branch_id": None if branch is None else branch.id,
        "status": entry.status,
        "source": entry.source,
        "valid_from": entry.since,
        "valid_to": entry.until,
    }


def _against(
    session: Session,
    scope: Scope,
    contact: Contact,
    values: dict[str, Any],
    *,
    but: int | None = None,
) -> list[Membership]:
    """Return the spells that cannot be true on the same days as the new one."""
    spells = session.scalars(
        scope.select(Membership)
        .where(Membership.contact_id == contact.id, Membership.superseded_at.is_(None))
        .order_by(Membership.valid_from, Membership.id)
    )
    return [
        spell
        for spell in spells
        if spell.id != but
        and _cannot_both_be((spell.union_id, spell.status), (values["union_id"], values["status"]))
        and overlaps(spell.valid_from, spell.valid_to, values["valid_from"], values["valid_to"])
    ]


def _cannot_both_be(
    first: tuple[int | None, MembershipStatus], second: tuple[int | None, MembershipStatus]
) -> bool:
    if first[0] == second[0]:
        return True
    # "In no union" is about every union at once.
    in_none = first[0] is None or second[0] is None
    return in_none and MembershipStatus.MEMBER in (first[1], second[1])


def _overlap(other: Membership) -> SpellsOverlap:
    return SpellsOverlap(
        SAME_DAYS,
        day=other.valid_from.strftime("%d/%m/%Y"),
    )


# --- Why we may keep it -----------------------------------------------------------------------


def add_basis(
    session: Session,
    scope: Scope,
    contact_id: uuid.UUID,
    *,
    field_group: FieldGroup,
    basis: LegalBasis,
    given_on: date,
    wording: str | None,
    now: datetime,
) -> None:
    """Store the ground for holding a group of facts. Raises AlreadyThere, WordingNeeded, NotFound.

    Consent needs the words that were agreed to (method paper, section 5, R3).
    """
    contact = _hold(session, scope, contact_id)
    if basis is LegalBasis.CONSENT and wording is None:
        raise WordingNeeded()
    same = session.execute(
        scope.select(FieldBasis.id).where(
            FieldBasis.contact_id == contact.id,
            FieldBasis.field_group == field_group,
            FieldBasis.basis == basis,
            FieldBasis.withdrawn_on.is_(None),
            FieldBasis.superseded_at.is_(None),
        )
    )
    if same.first() is not None:
        raise AlreadyThere(SAME_BASIS)
    session.add(
        _recorded(
            FieldBasis,
            scope,
            now,
            contact_id=contact.id,
            field_group=field_group,
            basis=basis,
            given_on=given_on,
            wording=wording,
        )
    )


def withdraw_basis(
    session: Session,
    scope: Scope,
    contact_id: uuid.UUID,
    basis_id: uuid.UUID,
    withdrawn_on: date,
    *,
    now: datetime,
) -> None:
    """Record the day a consent, or another ground, was taken back. It stays on the page.

    Raises AlreadyEnded, DatesOutOfOrder, NotFound.
    """
    contact = _hold(session, scope, contact_id)
    one = find_fact(session, scope, FieldBasis, contact.id, basis_id)
    if one.withdrawn_on is not None:
        raise AlreadyEnded()
    check_order(one.given_on, withdrawn_on)
    facts.revise(session, one, now=now, actor_id=scope.actor_id, withdrawn_on=withdrawn_on)


# --- Shared by all of the above ---------------------------------------------------------------


def _hold(session: Session, scope: Scope, contact_id: uuid.UUID) -> Contact:
    """Return the person, and keep other writers of the same person waiting until we are done."""
    found: Contact | None = session.scalars(
        scope.select(Contact, permission=Permission.CONTACT_WRITE)
        .where(Contact.public_id == contact_id)
        .with_for_update(of=Contact)
    ).one_or_none()
    if found is None:
        raise NotFound(f"contact {contact_id}")
    return found


def _recorded(model: type[Any], scope: Scope, now: datetime, **values: Any) -> Any:
    return model(recorded_at=now, recorded_by_id=scope.actor_id, **values)


def _refuse_stale(
    fact: ContactPoint, version: uuid.UUID, names: Iterable[str], entry: PointEntry
) -> None:
    if fact.public_id != version:
        current = {name: getattr(fact, name) for name in names}
        raise EditConflict(current={"version": fact.public_id, **current}, yours=_as_fields(entry))
