"""Writes for campaigns and tests: starting one, freezing its list, and who took part."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm.access import audit, facts
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import EditConflict, NotFound, Refusal
from crm.domain.structure import Deed, Evidence, Rung, VotedHow, WhyNot
from crm.features.campaigns import queries
from crm.models.campaigns import (
    BasePlace,
    Campaign,
    CampaignUnit,
    Demand,
    ListEntry,
    Participation,
    StructureTest,
)
from crm.reads.structure import people_to_list


class EndsBeforeItStarts(Refusal):
    """The last day lies before the first."""

    default_message = "The last day is before the first. Check both days."


class NoUnit(Refusal):
    """A campaign about nobody."""

    default_message = "Choose whom the campaign is about: all of it, or some of the places."


class DayNotYet(Refusal):
    """The day has not come yet."""

    default_message = "This day has not come yet. Choose today or a day before."


class BeforeTheList(Refusal):
    """Nobody can have done it before there was a list."""

    default_message = "This is before the list was made. Check the day."


class ClosedBeforeToday(Refusal):
    """A test would be closed before it starts."""

    default_message = "The last day of the test has passed already. Choose today or a later day."


class NobodyToList(Refusal):
    """Nobody works in the places chosen."""

    default_message = (
        "Nobody is on our list there, so there is nobody to test. First add the people you know."
    )


class TestIsOff(Refusal):
    """Nothing more is written down about a test that was called off."""

    default_message = "This test was called off. Nothing more can be written down about it."


class NothingToTakeBack(Refusal):
    """Nothing is written down about the person."""

    default_message = "Nothing is written down about this person, so there is nothing to take back."


class NewerThere(Refusal):
    """A tap that waited for a signal must not undo what was written down after it."""

    default_message = "Something newer was written down about this person. It stays as it is."


class NotOnThisList(Refusal):
    """Numbers that are not on the list, or whose letter does not fit."""

    default_message = (
        "These are not numbers of this list that you can mark: %(numbers)s. "
        "Check each with its letter. Nothing is saved yet."
    )


class VotedWithoutDay(Refusal):
    """How members voted is told, but not when."""

    default_message = "Enter the day members voted, or leave the vote empty."


@dataclass(frozen=True, slots=True)
class CampaignFacts:
    """What a campaign is. target: per cent of everyone on a list, None = none set."""

    name: str
    from_day: date
    to_day: date | None
    target: int | None


@dataclass(frozen=True, slots=True)
class Vote:
    """How members decided on a demand. on None = not voted yet; counts None = nobody counted."""

    on: date | None
    how: VotedHow | None
    votes_for: int | None
    votes_against: int | None


@dataclass(frozen=True, slots=True)
class Mark:
    """What is to be written down. why only with a deed of "did not"."""

    deed: Deed
    why: WhyNot | None = None
    evidence: Evidence | None = None


def start_campaign(
    session: Session,
    scope: Scope,
    given: CampaignFacts,
    *,
    owner: uuid.UUID,
    units: Sequence[uuid.UUID],
    campaign_id: uuid.UUID,
    now: datetime,
) -> None:
    """Store a campaign of the place `owner` about the units.

    owner, units: public ids. A unit inside another one is left out: it is in it already.
    campaign_id: made with the form, so that sending it twice starts one campaign.
    Raises NotFound for places out of scope, NoUnit, EndsBeforeItStarts.
    """
    _check_days(given)
    place = queries.find_place(session, scope, owner)
    if not units:
        raise NoUnit()
    chosen = [queries.find_place(session, scope, one) for one in dict.fromkeys(units)]
    if place in chosen:
        chosen = [place]
    campaign = Campaign(
        public_id=campaign_id,
        place_id=place.id,
        created_at=now,
        created_by_id=scope.actor_id,
        **_columns(given),
    )
    if not _add_once(session, campaign):
        queries.find_campaign(session, scope, campaign_id)
        return
    session.add_all([CampaignUnit(campaign_id=campaign.id, place_id=one.id) for one in chosen])


def change_campaign(
    session: Session, scope: Scope, campaign_id: uuid.UUID, given: CampaignFacts, *, version: int
) -> None:
    """Store what a campaign is. version: as the actor saw it.

    Raises NotFound, EndsBeforeItStarts, EditConflict.
    """
    campaign = queries.find_campaign(
        session, scope, campaign_id, permission=Permission.CONVERSATION_WRITE, lock=True
    )
    if campaign.version != version:
        stored = {name: getattr(campaign, name) for name in _columns(given)}
        raise EditConflict(current={"version": campaign.version, **stored}, yours=_columns(given))
    _check_days(given)
    for name, value in _columns(given).items():
        setattr(campaign, name, value)
    campaign.version += 1


def change_units(
    session: Session,
    scope: Scope,
    campaign_id: uuid.UUID,
    units: Sequence[uuid.UUID],
    *,
    version: int,
    today: date,
) -> None:
    """Let a campaign be about these places from today on. Lists that are frozen stay as they are.

    units: public ids. A unit inside the group's whole place is left out when that is chosen.
    Units at places that the actor does not hold stay. version: as the actor saw it.
    Raises NotFound, NoUnit, EditConflict.
    """
    campaign = queries.find_campaign(
        session, scope, campaign_id, permission=Permission.CONVERSATION_WRITE, lock=True
    )
    chosen = [queries.find_place(session, scope, one) for one in dict.fromkeys(units)]
    rows = queries.unit_rows(session, scope, campaign.id)
    if campaign.version != version:
        raise EditConflict(
            current={
                "version": campaign.version,
                "units": _together(name for row, name in rows if row.ended_on is None),
            },
            yours={"units": _together(one.name for one in chosen)},
        )
    if not chosen:
        raise NoUnit()
    whole = [one for one in chosen if one.id == campaign.place_id]
    wanted = {one.id for one in whole or chosen}
    for row, _name in rows:
        if row.ended_on is None and row.place_id not in wanted:
            row.ended_on = today
        elif row.ended_on is not None and row.place_id in wanted:
            row.from_day, row.ended_on = today, None
    known = {row.place_id for row, _name in rows}
    session.add_all(
        [
            CampaignUnit(campaign_id=campaign.id, place_id=one, from_day=today)
            for one in sorted(wanted - known)
        ]
    )
    campaign.version += 1
    session.flush()


def _together(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _check_days(given: CampaignFacts) -> None:
    if given.to_day is not None and given.to_day < given.from_day:
        raise EndsBeforeItStarts()


def _columns(given: CampaignFacts) -> dict[str, Any]:
    return {
        "name": given.name,
        "from_day": given.from_day,
        "to_day": given.to_day,
        "target": given.target,
    }


def add_demand(
    session: Session,
    scope: Scope,
    campaign_id: uuid.UUID,
    words: str,
    vote: Vote,
    *,
    demand_id: uuid.UUID,
    today: date,
    now: datetime,
) -> None:
    """Store a demand of a campaign. Raises NotFound, DayNotYet, VotedWithoutDay."""
    campaign = queries.find_campaign(
        session, scope, campaign_id, permission=Permission.CONVERSATION_WRITE
    )
    told = (vote.how, vote.votes_for, vote.votes_against)
    if vote.on is None and any(one is not None for one in told):
        raise VotedWithoutDay()
    if vote.on is not None and vote.on > today:
        raise DayNotYet()
    _add_once(
        session,
        Demand(
            public_id=demand_id,
            campaign_id=campaign.id,
            place_id=campaign.place_id,
            words=words,
            voted_on=vote.on,
            voted_how=vote.how,
            votes_for=vote.votes_for,
            votes_against=vote.votes_against,
            created_at=now,
            created_by_id=scope.actor_id,
        ),
    )


def drop_demand(session: Session, scope: Scope, demand_id: uuid.UUID, *, today: date) -> uuid.UUID:
    """Say that a campaign no longer asks for this, or does again. Return the campaign's id."""
    demand, campaign = queries.find_demand(session, scope, demand_id)
    demand.dropped_on = today if demand.dropped_on is None else None
    return campaign


def start_test(
    session: Session,
    scope: Scope,
    campaign_id: uuid.UUID,
    *,
    test_id: uuid.UUID,
    kind: Rung,
    name: str,
    base: uuid.UUID | None,
    target: int | None,
    closes_on: date | None,
    today: date,
    now: datetime,
) -> None:
    """Start a test and freeze its list: everybody with a job today in the places, as one act.

    test_id: made with the form, so that sending it twice starts one test. base: public id of one
    of the places offered; None = all units together.
    Raises NotFound, ClosedBeforeToday, NobodyToList.
    """
    if closes_on is not None and closes_on < today:
        raise ClosedBeforeToday()
    offered = {one.value for one in queries.bases_to_choose(session, scope, campaign_id)}
    if ("" if base is None else str(base)) not in offered:
        raise NotFound(f"base {base}")
    campaign = queries.find_campaign(session, scope, campaign_id)
    if base is None:
        places = queries.unit_ids(session, scope, campaign.id)
        runs_at = campaign.place_id
    else:
        runs_at = queries.find_place(session, scope, base).id
        places = [runs_at]
    people = people_to_list(session, scope, places, as_at=today)
    if not people:
        raise NobodyToList()
    test = StructureTest(
        public_id=test_id,
        place_id=runs_at,
        campaign_id=campaign.id,
        kind=kind,
        name=name,
        target=target,
        as_at=today,
        frozen_at=now,
        frozen_by_id=scope.actor_id,
        people=len(people),
        closes_on=closes_on,
    )
    if not _add_once(session, test):
        queries.find_test(session, scope, test_id)
        return
    session.add_all([BasePlace(test_id=test.id, place_id=one) for one in places])
    session.flush()
    session.add_all(
        ListEntry(
            test_id=test.id,
            number=number,
            contact_id=one.contact_id,
            place_id=one.place_id,
            workplace_id=one.workplace_id,
            area_id=one.area_id,
            shift_id=one.shift_id,
            rating=one.rating,
            firm=one.firm,
            stood_on=one.stood_on,
            assessor_id=one.assessor_id,
            leader_id=one.leader_id,
        )
        for number, one in enumerate(people, start=1)
    )


def call_off(session: Session, scope: Scope, test_id: uuid.UUID, *, now: datetime) -> uuid.UUID:
    """Say that a test was not held, or its list was wrong, or that it counts after all.

    Return the campaign's public id. Nothing written down is lost. Raises NotFound.
    """
    test = queries.find_test(
        session, scope, test_id, permission=Permission.CONVERSATION_WRITE, lock=True
    )
    test.called_off_at = now if test.called_off_at is None else None
    test.version += 1
    return queries.campaign_of(session, scope, test)


def mark(
    session: Session,
    scope: Scope,
    test_id: uuid.UUID,
    numbers: Sequence[int],
    given: Mark,
    *,
    day: date | None = None,
    today: date,
    now: datetime,
    typed_at: datetime | None = None,
) -> int:
    """Write down what people on the list did; return for how many it was something new.

    numbers: of the entries. day: when it was, None = today. typed_at: when it was tapped, in UTC,
    for a tap that waited for a signal. What was written before stays in the history. All or
    nothing. Raises NotFound for anybody whom the actor may not write about, TestIsOff, DayNotYet,
    BeforeTheList, NewerThere.
    """
    test = _open_test(session, scope, test_id)
    day = today if day is None else day
    if day > today:
        raise DayNotYet()
    if day < test.as_at:
        raise BeforeTheList()
    kept = queries.kept_numbers(session, scope, test.id, numbers)
    whom = tuple(dict.fromkeys(kept.get(one, one) for one in numbers))
    entries = queries.find_entries(session, scope, test.id, whom)
    stands = queries.believed(session, scope, [one.id for one in entries])
    changed = 0
    for entry in entries:
        fact = stands.get(entry.id)
        if fact is not None and _same(fact, given):
            continue
        if typed_at is not None and queries.changed_since(session, scope, entry.id, typed_at):
            raise NewerThere()
        changed += 1
        if fact is not None:
            facts.withdraw(fact, now=now)
    # The old rows leave first: only one of an entry may be believed.
    session.flush()
    for entry in entries:
        fact = stands.get(entry.id)
        if fact is not None and fact.superseded_at is None:
            continue
        session.add(_fact(scope, entry, given, day=day, now=now, typed_at=typed_at))
    return changed


def _fact(
    scope: Scope,
    entry: ListEntry,
    given: Mark,
    *,
    day: date,
    now: datetime,
    typed_at: datetime | None = None,
) -> Participation:
    return Participation(
        test_id=entry.test_id,
        entry_id=entry.id,
        place_id=entry.place_id,
        contact_id=entry.contact_id,
        deed=given.deed,
        why=given.why,
        evidence=given.evidence,
        day=day,
        typed_at=typed_at,
        recorded_at=now,
        recorded_by_id=scope.actor_id,
    )


def _same(fact: Participation, given: Mark) -> bool:
    same_deed = (fact.deed, fact.why) == (given.deed, given.why)
    return same_deed and given.evidence in (None, fact.evidence)


def take_back(
    session: Session, scope: Scope, test_id: uuid.UUID, number: int, *, now: datetime
) -> None:
    """Undo what was last written down about somebody: what stood before stands again.

    Raises NotFound, TestIsOff, NothingToTakeBack.
    """
    test = _open_test(session, scope, test_id)
    entry = queries.find_entries(session, scope, test.id, (number,))[0]
    fact = queries.believed(session, scope, [entry.id]).get(entry.id)
    if fact is None:
        raise NothingToTakeBack()
    before = queries.last_before(session, scope, fact)
    facts.withdraw(fact, now=now)
    session.flush()
    if before is not None:
        given = Mark(before.deed, before.why, before.evidence)
        session.add(_fact(scope, entry, given, day=before.day, now=now))


def note_print(
    session: Session, scope: Scope, test_id: uuid.UUID, *, rows: int, only_mine: bool
) -> None:
    """Record that the list of a test was taken out on paper. Raises NotFound."""
    test = queries.find_test(session, scope, test_id)
    audit.record_export(
        session,
        what=StructureTest.__tablename__,
        filters={"test": test.public_id, "only_mine": only_mine},
        rows=rows,
        place_id=test.place_id,
    )


def _open_test(session: Session, scope: Scope, test_id: uuid.UUID) -> StructureTest:
    test = queries.find_test(session, scope, test_id)
    if test.called_off_at is not None:
        raise TestIsOff()
    return test


def _add_once(session: Session, row: Any) -> bool:
    """Store a row under the id its form was given; return False where that id is stored already."""
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError as error:
        if "public_id" not in str(error.orig):
            raise
        return False
    return True
