"""Who may vote in a ballot: from dated records as at a day, or from the list that was made."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.facts import covers, known
from crm.access.many import one_of
from crm.access.scope import Scope
from crm.analysis.projection import Stand
from crm.domain.assessment import ExpiryRule, Freshness, freshness_of
from crm.domain.entitled import Missing, WorkerFacts, left_out, missing
from crm.domain.timeline import MembershipStatus
from crm.domain.vocabulary import NotEntitled, PointKind, PointState, VoteWord
from crm.models.ballots import BallotEntry, BallotExclusion, VoteTold
from crm.models.base import table_of
from crm.models.contacts import Contact, ContactPoint, Job, Membership, StateSpan
from crm.models.places import MemberCount, Workplace
from crm.reads.ballots import Part, WholeBallot
from crm.reads.places import names_of

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class OnRecord:
    """How many members a union stated at a workplace, without names, and on which day."""

    members: int
    on_day: date


def stated_on_record(
    session: Session, scope: Scope, ballot: WholeBallot, place_ids: Collection[int], today: date
) -> dict[int, OnRecord]:
    """Return the last number that the ballot's union stated of each workplace, by inner id.

    What is written down at a place is not the union's word for a ballot until somebody takes it
    over: here it is shown, so that nobody must look for it. One statement.
    """
    rows = session.execute(
        scope.select(MemberCount.place_id, MemberCount.members, MemberCount.on_day)
        .where(
            one_of(MemberCount.place_id, place_ids),
            MemberCount.union_id == ballot.union_id,
            MemberCount.on_day <= today,
            MemberCount.superseded_at.is_(None),
        )
        .order_by(MemberCount.on_day, MemberCount.id)
    )
    return {row.place_id: OnRecord(round(row.members), row.on_day) for row in rows}


@dataclass(frozen=True, slots=True)
class Voter:
    """Somebody at a workplace of a ballot on its day. left_out: None = they may vote.

    place_id: the area when it is known, else the workplace. missing: what must be found out.
    """

    contact_id: int
    contact_public_id: uuid.UUID
    name: str
    part_id: int
    place_id: int
    place_name: str
    category: str | None
    left_out: NotEntitled | None
    missing: tuple[Missing, ...]


def voters_on(session: Session, scope: Scope, ballot: WholeBallot, day: date) -> list[Voter]:
    """Return everybody with a job at the ballot's workplaces on a day, as known now, by name.

    Somebody with jobs at two of them stands once, at the first by name of the workplace. Five
    statements, whatever the number of people.
    """
    part_of = {part.place_id: part for part in ballot.parts}
    at = part_of.keys()
    jobs = session.execute(
        scope.select(
            Job.contact_id,
            Contact.public_id,
            sa.func.coalesce(Contact.known_as, Contact.placeholder_label).label("name"),
            Contact.name_key,
            Job.workplace_id,
            Job.place_id,
            Job.job_title,
            Job.employer_of_record_id,
            _employer_of(Job.workplace_id).label("employer_id"),
        )
        .join(Contact, Contact.id == Job.contact_id)
        .where(one_of(Job.workplace_id, at), known(Job), covers(Job, day))
    ).all()
    people = (
        sa.select(Job.contact_id)
        .where(one_of(Job.workplace_id, at), known(Job), covers(Job, day))
        .distinct()
    )
    members = _members(session, scope, ballot.union_id, people, day)
    addresses = _with_address(session, scope, people)
    decided = _decided(session, scope, ballot.id)
    names = names_of(session, scope, {row.place_id for row in jobs})
    found: dict[int, Voter] = {}
    order = {part.id: position for position, part in enumerate(ballot.parts)}
    for row in sorted(jobs, key=lambda one: (one.name_key, one.contact_id)):
        part = part_of[row.workplace_id]
        facts = WorkerFacts(
            member=members.get(row.contact_id),
            other_employer=_is_other(row.employer_of_record_id, row.employer_id),
            decided=decided.get(row.contact_id),
            has_address=row.contact_id in addresses,
            category=row.job_title,
        )
        voter = Voter(
            contact_id=row.contact_id,
            contact_public_id=row.public_id,
            name=row.name or "",
            part_id=part.id,
            place_id=row.place_id,
            place_name=names.get(row.place_id, ""),
            category=row.job_title,
            left_out=left_out(facts),
            missing=missing(facts),
        )
        earlier = found.get(row.contact_id)
        # Two jobs: the one that gives a vote goes before the one that does not.
        if earlier is None or (earlier.left_out is not None, order[earlier.part_id]) > (
            voter.left_out is not None,
            order[voter.part_id],
        ):
            found[row.contact_id] = voter
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Lacking:
    """Of how many members something is missing that a ballot will ask for.

    members: how many of the people asked about are in the union on the day. what: by inner contact
    id, for those of whom something is missing. elsewhere: those among the members whose every
    job is with another employer than that of the workplace, such as an agency: they have no vote
    in its ballot, so nothing is missing of them.
    """

    members: int
    what: Mapping[int, tuple[Missing, ...]]
    elsewhere: int

    def count(self, what: Missing) -> int:
        """Return of how many members this is missing."""
        return sum(what in one for one in self.what.values())


def members_lacking(
    session: Session, scope: Scope, union_id: int, contact_ids: Sequence[int], day: date
) -> Lacking:
    """Return what a ballot of the union would still have to find out about these people.

    By the rule that the list of voters goes by; somebody with two jobs needs it known of one.
    Four statements for each 500 people.
    """
    members = elsewhere = 0
    what: dict[int, tuple[Missing, ...]] = {}
    for start in range(0, len(contact_ids), _AT_ONCE):
        some = contact_ids[start : start + _AT_ONCE]
        is_member = _members(session, scope, union_id, some, day)
        addresses = _with_address(session, scope, some)
        jobs: dict[int, list[tuple[Missing, ...]]] = {}
        others: set[int] = set()
        for row in session.execute(
            scope.select(
                Job.contact_id,
                Job.job_title,
                Job.employer_of_record_id,
                _employer_of(Job.workplace_id).label("employer_id"),
            ).where(Job.contact_id.in_(some), known(Job), covers(Job, day))
        ):
            facts = WorkerFacts(
                member=True,
                other_employer=_is_other(row.employer_of_record_id, row.employer_id),
                decided=None,
                has_address=row.contact_id in addresses,
                category=row.job_title,
            )
            if left_out(facts) is None:
                jobs.setdefault(row.contact_id, []).append(missing(facts))
            else:
                others.add(row.contact_id)
        for contact_id in some:
            if not is_member.get(contact_id):
                continue
            members += 1
            if contact_id in others and contact_id not in jobs:
                elsewhere += 1
                continue
            no_job = [Missing.WORKPLACE]
            if contact_id not in addresses:
                no_job.append(Missing.ADDRESS)
            least = min(jobs.get(contact_id, [tuple(no_job)]), key=len)
            if least:
                what[contact_id] = least
    return Lacking(members, what, elsewhere)


def _is_other(employer_of_record_id: int | None, employer_id: int | None) -> bool | None:
    return None if employer_of_record_id is None else employer_of_record_id != employer_id


def _with_address(session: Session, scope: Scope, people: Any) -> set[int]:
    """Return which of the people have a postal address that is not marked as bad."""
    return set(
        session.scalars(
            scope.select(ContactPoint.contact_id).where(
                ContactPoint.contact_id.in_(people),
                ContactPoint.kind == PointKind.ADDRESS,
                sa.or_(ContactPoint.state.is_(None), ContactPoint.state != PointState.BAD),
                known(ContactPoint),
            )
        )
    )


def _employer_of(column: Any) -> sa.ScalarSelect[Any]:
    # The table: a workplace is seen by all who see its jobs, and its employer's key tells nothing.
    workplace = table_of(Workplace).alias("of_job")
    return sa.select(workplace.c.employer_id).where(workplace.c.id == column).scalar_subquery()


def _members(
    session: Session, scope: Scope, union_id: int, people: Any, day: date
) -> dict[int, bool]:
    """Return for each person whether they are in the union; nobody of whom nothing is known."""
    rows = session.execute(
        scope.select(Membership.contact_id, Membership.union_id, Membership.status).where(
            Membership.contact_id.in_(people), known(Membership), covers(Membership, day)
        )
    )
    found: dict[int, bool] = {}
    for contact_id, union, status in rows:
        in_it = status is MembershipStatus.MEMBER and union == union_id
        # A member of another union may be in this one too; only "in no union", or "not in this
        # one", says that they are not.
        out_of_it = status is MembershipStatus.NOT_MEMBER and union in (None, union_id)
        if in_it or (out_of_it and contact_id not in found):
            found[contact_id] = in_it
    return found


def _decided(session: Session, scope: Scope, ballot_id: int) -> dict[int, NotEntitled]:
    rows = session.execute(
        scope.select(BallotExclusion.contact_id, BallotExclusion.reason).where(
            BallotExclusion.ballot_id == ballot_id, BallotExclusion.ended_at.is_(None)
        )
    )
    return {int(contact_id): reason for contact_id, reason in rows}


def list_voters(session: Session, scope: Scope, ballot: WholeBallot, day: date) -> list[Voter]:
    """Return who may vote: from the list that was made, else as records stand on a day.

    What is missing is always as known now. At most eight statements.
    """
    live = voters_on(session, scope, ballot, ballot.frozen_on or day)
    if ballot.frozen_on is None:
        return live
    by_contact = {one.contact_id: one for one in live}
    rows = session.execute(
        scope.select(
            BallotEntry,
            Contact.public_id.label("contact_public_id"),
            sa.func.coalesce(Contact.known_as, Contact.placeholder_label).label("name"),
        )
        .join(Contact, Contact.id == BallotEntry.contact_id)
        .where(BallotEntry.ballot_id == ballot.id)
        .order_by(Contact.name_key, BallotEntry.id)
    ).all()
    names = names_of(session, scope, {row.BallotEntry.place_id for row in rows})
    found = []
    for row in rows:
        entry = row.BallotEntry
        now = by_contact.get(entry.contact_id)
        found.append(
            Voter(
                contact_id=entry.contact_id,
                contact_public_id=row.contact_public_id,
                name=row.name or "",
                part_id=entry.part_id,
                place_id=entry.place_id,
                place_name=names.get(entry.place_id, ""),
                category=entry.category,
                left_out=entry.left_out,
                missing=() if entry.left_out or now is None else now.missing,
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class Stands:
    """The people who may vote at one workplace, by area and by where they stand.

    unnamed: members whom the union counts there and who are not on our list; they are among those
    not asked.
    """

    part: Part
    groups: tuple[Mapping[Stand, int], ...]
    named: int
    unnamed: int

    @property
    def entitled(self) -> int:
        """How many people may vote there, as far as is known."""
        return self.named + self.unnamed


def stands_of(
    session: Session,
    scope: Scope,
    ballot: WholeBallot,
    voters: Sequence[Voter],
    *,
    today: date,
    expiry: ExpiryRule,
    voted: Collection[int] = (),
) -> list[Stands]:
    """Return where the voters stand today, workplace by workplace; an expired view is none.

    voters: all who may vote, since the members that the union counts are held against them. voted:
    inner contact ids of those who need no view any more: they are named, and in no group.
    Workplaces without a voter are left out. One statement.
    """
    rows = session.execute(
        scope.select(
            StateSpan.contact_id, StateSpan.workplace_id, StateSpan.score, StateSpan.scored_on
        ).where(
            one_of(StateSpan.workplace_id, [part.place_id for part in ballot.parts]),
            StateSpan.from_day <= today,
            StateSpan.to_day > today,
        )
    )
    scores: dict[int, Stand] = {}
    for contact_id, _workplace, score, scored_on in rows:
        if score is None or scored_on is None:
            continue
        if freshness_of((today - scored_on).days, expiry) is not Freshness.EXPIRED:
            scores[contact_id] = Stand(str(score))
    found = []
    for part in ballot.parts:
        by_area: dict[int, dict[Stand, int]] = {}
        named = 0
        for one in voters:
            if one.part_id == part.id and one.left_out is None:
                named += 1
                if one.contact_id in voted:
                    continue
                group = by_area.setdefault(one.place_id, {})
                stand = scores.get(one.contact_id, Stand.NOT_ASKED)
                group[stand] = group.get(stand, 0) + 1
        unnamed = max(0, (part.stated_members or 0) - named)
        groups: list[Mapping[Stand, int]] = [by_area[key] for key in sorted(by_area)]
        if unnamed:
            groups.append({Stand.NOT_ASKED: unnamed})
        if named or unnamed:
            found.append(Stands(part, tuple(groups), named, unnamed))
    return found


@dataclass(frozen=True, slots=True)
class Told:
    """What one person told us of whether they vote; None = nobody has told us."""

    said: VoteWord | None
    new_paper_asked: bool
    new_paper_sent: bool


def what_was_told(session: Session, scope: Scope, ballot_id: int) -> dict[int, Told]:
    """Return what people of the scope told us, by inner contact id. One statement."""
    rows = session.scalars(scope.select(VoteTold).where(VoteTold.ballot_id == ballot_id))
    return {one.contact_id: Told(one.said, one.new_paper_asked, one.new_paper_sent) for one in rows}
