"""Writing down who listens to whom and who leads, and taking it off again."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from crm.access import facts
from crm.access.facts import covers, known
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.cover import FoundBy, Stage, TieBasis, check_confirmed
from crm.domain.errors import AlreadyEnded, EditConflict, NotFound, Refusal
from crm.domain.identity import fold
from crm.domain.vocabulary import NEED_TO_KNOW, GroupKind
from crm.features.ties.queries import find_fact, find_group
from crm.models.contacts import Contact, Job
from crm.models.places import Workplace
from crm.models.ties import GroupMember, Leading, SocialGroup, Tie
from crm.reads.people import get_contact, shown_name
from crm.reads.places import get_place

# Names said back when the name of a teller fits several people.
_SAID_BACK = 5


class DayNotYet(Refusal):
    """The day lies ahead."""

    default_message = "This day has not come yet. Choose today or a day before."


class Themselves(Refusal):
    """Somebody would listen to themselves."""

    default_message = "Nobody listens to themselves here. Choose somebody else."


class TellerNotFound(Refusal):
    """Nobody at the workplace has the name of the one who told us."""

    default_message = "Nobody of this name works here. Check the name, or leave it empty."


class TellerUnclear(Refusal):
    """Several people have the name of the one who told us."""

    default_message = "More than one person fits: %(names)s. Write more of the name."


class LeaderAlready(Refusal):
    """The person is written down as a leader already."""

    default_message = "This is already written down: they are a leader."


class NameTaken(Refusal):
    """Another group of the same kind there bears this name."""

    default_message = "There is a group of this name and kind here already."


class GroupIsClosed(Refusal):
    """The group is no more."""

    default_message = "This group has ended. Start a new one if people meet again."


@dataclass(frozen=True, slots=True)
class Saying:
    """How we know of a tie. teller: part of a name; only with a colleague's word."""

    basis: TieBasis
    teller: str | None
    day: date


@dataclass(frozen=True, slots=True)
class _AtWork:
    contact: Contact
    place_id: int


def add_ties(
    session: Session,
    scope: Scope,
    contact: uuid.UUID,
    workplace: uuid.UUID,
    others: Sequence[uuid.UUID],
    saying: Saying,
    *,
    to_them: bool,
    today: date,
    now: datetime,
) -> int:
    """Store a tie between the person and each of the others; return how many are new.

    to_them: the person listens to the others; else the others listen to the person. What is
    written down already from the same teller is passed over, so that sending twice stores once.
    Raises NotFound when somebody is out of scope or has no job there today; DayNotYet, Themselves,
    TellerNotFound, TellerUnclear.
    """
    if saying.day > today:
        raise DayNotYet()
    site = get_place(session, scope, Workplace, workplace)
    here = _at_work(session, scope, site.id, [contact, *others], today)
    if contact in others:
        raise Themselves()
    teller = None
    if saying.basis is TieBasis.COLLEAGUE and saying.teller:
        teller = _find_teller(session, scope, site.id, saying.teller, today)
    made = 0
    for other in dict.fromkeys(others):
        follower, leader = (contact, other) if to_them else (other, contact)
        one = here[follower].contact.id
        said_by = one if saying.basis is TieBasis.SELF else teller
        if _is_known(session, scope, site.id, one, here[leader].contact.id, said_by):
            continue
        session.add(
            Tie(
                contact_id=one,
                leader_id=here[leader].contact.id,
                workplace_id=site.id,
                place_id=here[follower].place_id,
                basis=saying.basis,
                said_by_id=said_by,
                valid_from=saying.day,
                recorded_at=now,
                recorded_by_id=scope.actor_id,
            )
        )
        made += 1
    return made


def mark_leader(
    session: Session,
    scope: Scope,
    contact: uuid.UUID,
    workplace: uuid.UUID,
    found_by: FoundBy,
    *,
    day: date,
    today: date,
    now: datetime,
) -> None:
    """Store that somebody was found to be a leader at a workplace from a day on.

    Raises NotFound as add_ties does, DayNotYet, LeaderAlready.
    """
    if day > today:
        raise DayNotYet()
    site = get_place(session, scope, Workplace, workplace)
    person = _at_work(session, scope, site.id, [contact], today)[contact]
    if _open_leading(session, scope, person.contact.id, site.id):
        raise LeaderAlready()
    session.add(
        Leading(
            contact_id=person.contact.id,
            workplace_id=site.id,
            place_id=person.place_id,
            stage=Stage.IDENTIFIED,
            found_by=found_by,
            valid_from=day,
            recorded_at=now,
            recorded_by_id=scope.actor_id,
        )
    )


def confirm_leader(
    session: Session,
    scope: Scope,
    contact: uuid.UUID,
    workplace: uuid.UUID,
    *,
    action: str,
    action_on: date,
    acted: Collection[uuid.UUID],
    today: date,
    now: datetime,
) -> None:
    """Store that a leader is confirmed: enough of those who listen to them did what they asked.

    acted: those who took part; whoever does not listen to the leader today is not counted. Only
    for those who hold the whole workplace: others do not see all who listen.
    Raises NotFound, DayNotYet, NobodyListens, NotConfirmed.
    """
    if action_on > today:
        raise DayNotYet()
    site = get_place(session, scope, Workplace, workplace, permission=Permission.CONTACT_WRITE)
    person = _at_work(session, scope, site.id, [contact], today)[contact]
    listeners = set(
        session.scalars(
            scope.select(Contact.public_id)
            .join(Tie, Tie.contact_id == Contact.id)
            .join(Job, Job.contact_id == Contact.id)
            .where(
                Tie.leader_id == person.contact.id,
                Tie.workplace_id == site.id,
                known(Tie),
                covers(Tie, today),
                Job.workplace_id == site.id,
                known(Job),
                covers(Job, today),
            )
        )
    )
    took_part = listeners & set(acted)
    check_confirmed(len(took_part), len(listeners))
    session.add(
        Leading(
            contact_id=person.contact.id,
            workplace_id=site.id,
            place_id=person.place_id,
            stage=Stage.CONFIRMED,
            action=action[:120],
            action_on=action_on,
            listeners=len(listeners),
            acted=len(took_part),
            valid_from=action_on,
            recorded_at=now,
            recorded_by_id=scope.actor_id,
        )
    )


def take_off_tie(
    session: Session, scope: Scope, tie: uuid.UUID, *, wrong: bool, today: date, now: datetime
) -> uuid.UUID:
    """End a tie today, or withdraw it when it never was so; return the person who listened.

    Raises NotFound when it is out of scope; AlreadyEnded.
    """
    fact = find_fact(session, scope, Tie, tie)
    _take_off(session, scope, [fact], wrong=wrong, today=today, now=now)
    return _public_id(session, scope, fact.contact_id)


def take_off_leading(
    session: Session, scope: Scope, leading: uuid.UUID, *, wrong: bool, today: date, now: datetime
) -> uuid.UUID:
    """Say that somebody leads no longer, or that one statement of it was wrong; return them.

    Leading no longer ends all that says they lead at that workplace.
    Raises NotFound when it is out of scope; AlreadyEnded.
    """
    fact = find_fact(session, scope, Leading, leading)
    ended = [fact]
    if not wrong and fact.valid_to is None:
        ended = _open_leading(session, scope, fact.contact_id, fact.workplace_id)
    _take_off(session, scope, ended, wrong=wrong, today=today, now=now)
    return _public_id(session, scope, fact.contact_id)


def add_group(
    session: Session,
    scope: Scope,
    workplace: uuid.UUID,
    name: str,
    kind: GroupKind,
    *,
    need_to_know: bool,
    now: datetime,
) -> uuid.UUID:
    """Store a group of people at a workplace and return its public id.

    Groups that tell of origin or belief are always kept to those who may read notes. A group of
    the same name and kind that the actor may know of is taken for the same one.
    Raises NotFound when the actor does not hold the whole workplace.
    """
    site = get_place(session, scope, Workplace, workplace, permission=Permission.CONTACT_WRITE)
    same: SocialGroup | None = session.scalars(
        scope.select(SocialGroup).where(
            SocialGroup.place_id == site.id,
            SocialGroup.name == name,
            SocialGroup.kind == kind,
            SocialGroup.closed_on.is_(None),
        )
    ).first()
    if same is not None:
        return same.public_id
    group = SocialGroup(
        public_id=uuid.uuid4(),
        place_id=site.id,
        name=name,
        kind=kind,
        need_to_know=need_to_know or kind in NEED_TO_KNOW,
        created_at=now,
        created_by_id=scope.actor_id,
    )
    session.add(group)
    return group.public_id


def add_members(
    session: Session,
    scope: Scope,
    group: uuid.UUID,
    people: Sequence[uuid.UUID],
    *,
    today: date,
    now: datetime,
) -> int:
    """Store that people are in a group from today on; return how many are new.

    Raises NotFound when the group or one of the people is out of scope, or does not work there;
    GroupIsClosed.
    """
    found = find_group(session, scope, group)
    if found.closed_on is not None:
        raise GroupIsClosed()
    here = _at_work(session, scope, found.place_id, people, today)
    inside = set(
        session.scalars(
            scope.select(GroupMember.contact_id).where(
                GroupMember.group_id == found.id,
                known(GroupMember),
                GroupMember.valid_to.is_(None),
            )
        )
    )
    new = [one for one in here.values() if one.contact.id not in inside]
    session.add_all(
        GroupMember(
            group_id=found.id,
            place_id=found.place_id,
            contact_id=one.contact.id,
            valid_from=today,
            recorded_at=now,
            recorded_by_id=scope.actor_id,
        )
        for one in new
    )
    return len(new)


def take_out(
    session: Session, scope: Scope, member: uuid.UUID, *, wrong: bool, today: date, now: datetime
) -> None:
    """End that somebody is in a group, or withdraw it. Raises NotFound, AlreadyEnded."""
    fact = find_fact(session, scope, GroupMember, member)
    _take_off(session, scope, [fact], wrong=wrong, today=today, now=now)


def rename_group(
    session: Session, scope: Scope, group: uuid.UUID, name: str, *, version: int
) -> None:
    """Give a group another name; who is in it stays. Raises NotFound, GroupIsClosed, NameTaken,
    and EditConflict when ``version`` is no longer the one that is stored."""
    found = find_group(session, scope, group)
    if found.closed_on is not None:
        raise GroupIsClosed()
    if found.version != version:
        raise EditConflict(
            current={"name": found.name, "version": found.version}, yours={"name": name}
        )
    same = session.scalars(
        scope.select(SocialGroup.id).where(
            SocialGroup.place_id == found.place_id,
            SocialGroup.name == name,
            SocialGroup.kind == found.kind,
            SocialGroup.closed_on.is_(None),
            SocialGroup.id != found.id,
        )
    ).first()
    if same is not None:
        raise NameTaken()
    if name != found.name:
        found.name = name
        found.version += 1


def close_group(session: Session, scope: Scope, group: uuid.UUID, *, today: date) -> None:
    """Say that a group is no more; twice is once. Raises NotFound as find_group does."""
    found = find_group(session, scope, group)
    if found.closed_on is None:
        found.closed_on = today
        found.version += 1


def _take_off(
    session: Session,
    scope: Scope,
    some: Sequence[Any],
    *,
    wrong: bool,
    today: date,
    now: datetime,
) -> None:
    for fact in some:
        if wrong:
            facts.withdraw(fact, now=now)
        elif fact.valid_to is not None:
            raise AlreadyEnded()
        else:
            # What starts today ends today too: a spell of no days.
            facts.revise(
                session,
                fact,
                now=now,
                actor_id=scope.actor_id,
                valid_to=max(today, fact.valid_from),
            )


def _public_id(session: Session, scope: Scope, contact_id: int) -> uuid.UUID:
    found: uuid.UUID = session.scalars(
        scope.select(Contact.public_id).where(Contact.id == contact_id)
    ).one()
    return found


def _at_work(
    session: Session,
    scope: Scope,
    workplace_id: int,
    people: Sequence[uuid.UUID],
    today: date,
) -> dict[uuid.UUID, _AtWork]:
    """Return each of the people with a place of theirs there. Raises NotFound if one is missing."""
    rows = session.execute(
        scope.select(Contact, Job.place_id, permission=Permission.CONTACT_WRITE)
        .join(Job, Job.contact_id == Contact.id)
        .where(
            Contact.public_id.in_(people),
            Job.workplace_id == workplace_id,
            known(Job),
            covers(Job, today),
        )
        .order_by(Job.id)
    )
    found: dict[uuid.UUID, _AtWork] = {}
    for contact, place_id in rows:
        found.setdefault(contact.public_id, _AtWork(contact, int(place_id)))
    missing = [one for one in people if one not in found]
    if missing:
        # One who is out of scope and one who left look the same.
        get_contact(session, scope, missing[0], permission=Permission.CONTACT_WRITE)
        raise NotFound(f"contact {missing[0]} at workplace {workplace_id}")
    return found


def _find_teller(session: Session, scope: Scope, workplace_id: int, text: str, today: date) -> int:
    words = fold(text).split()
    rows = (
        session.scalars(
            scope.select(Contact)
            .where(
                Contact.id.in_(
                    scope.select(Job.contact_id).where(
                        Job.workplace_id == workplace_id, known(Job), covers(Job, today)
                    )
                ),
                *(Contact.name_key.contains(word, autoescape=True) for word in words),
            )
            .order_by(Contact.name_key, Contact.id)
            .limit(_SAID_BACK + 1)
        ).all()
        if words
        else []
    )
    # The whole name goes before a longer one that it is a part of.
    exact = [one for one in rows if fold(shown_name(one)) == fold(text)]
    fitting = exact if len(exact) == 1 else rows
    if not fitting:
        raise TellerNotFound()
    if len(fitting) > 1:
        raise TellerUnclear(names=", ".join(shown_name(one) for one in fitting[:_SAID_BACK]))
    return int(fitting[0].id)


def _is_known(
    session: Session,
    scope: Scope,
    workplace_id: int,
    follower: int,
    leader: int,
    said_by: int | None,
) -> bool:
    teller = Tie.said_by_id.is_(None) if said_by is None else Tie.said_by_id == said_by
    found = session.execute(
        scope.select(Tie.id)
        .where(
            Tie.workplace_id == workplace_id,
            Tie.contact_id == follower,
            Tie.leader_id == leader,
            Tie.valid_to.is_(None),
            known(Tie),
            teller,
        )
        .limit(1)
    )
    return found.first() is not None


def _open_leading(
    session: Session, scope: Scope, contact_id: int, workplace_id: int
) -> list[Leading]:
    return list(
        session.scalars(
            scope.select(Leading).where(
                Leading.contact_id == contact_id,
                Leading.workplace_id == workplace_id,
                Leading.valid_to.is_(None),
                known(Leading),
            )
        )
    )
