"""The invented world: exact counts, the same twice, and nobody who could be real."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from crm.access.scope import Scope
from crm.domain.assessment import DEFAULT_EXPIRY
from crm.domain.errors import PermissionRefused
from crm.domain.roles import Role
from crm.domain.timeline import MembershipStatus
from crm.domain.vocabulary import Answer, ContractType, HowKnown, PointKind, PointState
from crm.features.practice import service
from crm.features.practice.invented import ground
from crm.features.practice.invented.names import FIRST_NAMES, SURNAMES
from crm.features.practice.service import PracticeWorld
from crm.features.registers.service import RegisterKind, load_register, read_register
from crm.models.accounts import AccessGrant, UserAccount
from crm.models.audit import AuditEntry
from crm.models.ballots import Ballot, BallotEntry, VoteTold
from crm.models.base import table_of
from crm.models.contacts import Contact, ContactPoint, FieldBasis, Job, Membership, StateSpan
from crm.models.conversations import (
    Assessment,
    Conversation,
    ConversationNote,
    FollowUp,
)
from crm.models.places import Headcount, PlaceClosure, Workplace
from crm.models.turf import TurfPerson
from crm.reads.ballots import passed_on, read_ballots
from crm.reads.figures import GroupBy, Part, Question, density_table, trend
from crm.web.db import unit_of_work
from tests import factories
from tests.conftest import made_once
from tests.factories import ALL, NOW, TODAY
from tests.recount import recount


def _fill(**changes: Any) -> PracticeWorld:
    asked = {"today": TODAY, "now": NOW, **changes}
    with unit_of_work(ALL) as session:
        return service.fill(session, ALL, **asked)


@pytest.fixture
def practice(app: Flask, backend: Any) -> PracticeWorld:
    found: PracticeWorld = made_once(backend, "practice", _fill)
    return found


def _rows(*columns: Any) -> list[Any]:
    with unit_of_work(ALL, read_only=True) as session:
        return list(session.execute(ALL.select(*columns)).all())


def _parts(question: Question) -> dict[str, Part]:
    with unit_of_work(ALL, read_only=True) as session:
        return {part.name: part for part in density_table(session, ALL, question).parts}


def _workplace_ids() -> dict[str, int]:
    return dict(_rows(Workplace.name, Workplace.id))


def test_dearne_valley_has_the_counts_that_the_screens_are_drawn_with(
    practice: PracticeWorld,
) -> None:
    part = _parts(Question(as_at=TODAY))["Dearne Valley DC"]
    found = part.density
    assert (found.members, found.not_members, found.not_known_named) == (127, 92, 66)
    assert found.workforce is not None
    assert (found.workforce.low, found.workforce.high) == (280, 310)
    assert found.fraction_range is not None
    assert round(100 * found.fraction_range.low, 1) == 41.0


def test_ninety_four_people_there_were_never_asked(practice: PracticeWorld) -> None:
    place = _workplace_ids()["Dearne Valley DC"]
    spans = [
        row
        for row in _rows(
            StateSpan.workplace_id,
            StateSpan.from_day,
            StateSpan.to_day,
            StateSpan.contact_id,
            StateSpan.score,
        )
        if row.workplace_id == place and row.from_day <= TODAY < row.to_day
    ]
    assert len({row.contact_id for row in spans}) == 285
    never = {row.contact_id for row in spans if row.score is None}
    assert len(never) == 94
    assert never & {row.contact_id for row in _rows(Conversation.contact_id)} == set()


def test_the_three_smaller_workplaces_each_have_another_picture(practice: PracticeWorld) -> None:
    parts = _parts(Question(as_at=TODAY))
    assert parts["Wath DC"].density.workforce is None
    assert parts["Wath DC"].density.members > 0
    metro = parts["Metro Bus Depot"]
    assert metro.stated is not None
    assert metro.stated.members == 56
    assert metro.density.members < 56
    hoyland = parts["Hoyland Care Home"].density
    assert hoyland.workforce is not None
    assert (hoyland.workforce.low, hoyland.workforce.high) == (9, 9)


def test_the_groups_of_the_plan_add_up() -> None:
    groups = ground.DEARNE_VALLEY
    assert len({group.area for group in groups}) == 8
    assert {group.shift for group in groups} == {"Days", "Twilight", "Nights"}
    assert sum(group.people for group in groups) == 285
    assert sum(group.never_asked for group in groups) == 94
    assert sum(group.members for group in groups) == 127
    assert sum(group.not_members for group in groups) == 92
    assert sum(group.not_known for group in groups) == 66


def test_the_trend_of_a_year_goes_up_and_the_counts_of_workers_change(
    practice: PracticeWorld,
) -> None:
    place = _workplace_ids()["Dearne Valley DC"]
    days = [TODAY - timedelta(days=back) for back in (365, 240, 120, 0)]
    with unit_of_work(ALL, read_only=True) as session:
        found = trend(session, ALL, Question(as_at=TODAY, within=(place,)), days)
    members = [total.all_members for _, total in found]
    assert members == sorted(members)
    assert members[-1] - members[0] >= 30
    assert all(total.fraction_range is not None for _, total in found)
    assert len({total.workforce for _, total in found}) == 3


def test_spans_say_what_the_facts_say(practice: PracticeWorld) -> None:
    for group_by in (GroupBy.WORKPLACE, GroupBy.AREA):
        question = Question(as_at=TODAY, group_by=group_by)
        with unit_of_work(ALL, read_only=True) as session:
            facts = recount(session, ALL, question)
            parts = density_table(session, ALL, question).parts
        assert {
            part.place_id: (
                part.density.members,
                part.density.not_members,
                part.density.not_known_named,
            )
            for part in parts
        } == {
            place: (counts["member"], counts["not_member"], counts["not_known"])
            for place, counts in facts.items()
        }


def test_everybody_has_a_job_and_every_place_is_in_the_tree(practice: PracticeWorld) -> None:
    with unit_of_work(ALL, read_only=True) as session:
        believed = ALL.select(Job.contact_id).where(Job.superseded_at.is_(None)).distinct()
        assert len(session.execute(believed).all()) == practice.people
        closure = table_of(PlaceClosure)
        above = set(
            session.connection()
            .execute(sa.select(closure.c.descendant_id).where(closure.c.ancestor_id == 1))
            .scalars()
        )
    assert set(_workplace_ids().values()) <= above


def _fingerprint() -> list[Any]:
    return [
        sorted(map(str, _rows(*columns)))
        for columns in (
            (Contact.public_id, Contact.known_as, Contact.full_name, Contact.created_at),
            (ContactPoint.public_id, ContactPoint.value, ContactPoint.state),
            (Job.public_id, Job.valid_from, Job.valid_to, Job.job_title),
            (Membership.public_id, Membership.status, Membership.valid_from),
            (Conversation.public_id, Conversation.day, Conversation.asked, Conversation.answer),
            (Assessment.public_id, Assessment.day, Assessment.rating, Assessment.basis),
            (FollowUp.public_id, FollowUp.due_on, FollowUp.what),
            (ConversationNote.their_words, ConversationNote.language),
        )
    ]


# Chance is drawn in Python: it does not know the database that is filled three times here.
@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_the_same_seed_and_day_give_the_same_people(app: Flask, backend: Any) -> None:
    first_world = _fill()
    first = _fingerprint()
    backend.clean()
    assert _fill() == first_world
    assert _fingerprint() == first
    backend.clean()
    _fill(seed=1926)
    assert _fingerprint() != first


def test_no_phone_or_mail_can_be_anybodys(practice: PracticeWorld) -> None:
    points = _rows(ContactPoint.kind, ContactPoint.value, ContactPoint.state)
    phones = [row.value for row in points if row.kind is PointKind.PHONE]
    mails = [row.value for row in points if row.kind is PointKind.EMAIL]
    assert len(phones) > 150
    assert len(mails) > 50
    assert [one for one in phones if not re.fullmatch(r"07700 900\d{3}", one)] == []
    assert [one for one in mails if not re.fullmatch(r"[a-z.]+@example\.org", one)] == []
    assert len(set(phones)) == len(phones)
    assert {row.state for row in points} == {PointState.WORKS, PointState.BAD, None}


def test_every_name_is_from_the_invented_list(practice: PracticeWorld) -> None:
    people = _rows(Contact.known_as, Contact.full_name, Contact.placeholder_label)
    named = [row for row in people if row.known_as is not None]
    assert {row.known_as.rsplit(" ", 1)[0] for row in named} <= FIRST_NAMES
    full = [row.full_name.split(" ", 1) for row in named if row.full_name is not None]
    assert {first for first, _ in full} <= FIRST_NAMES
    assert {last for _, last in full} <= SURNAMES
    labels = {row.placeholder_label for row in people if row.known_as is None}
    assert "Night packer 3" in labels


def test_nothing_was_recorded_after_now_nor_before_it_could_be(practice: PracticeWorld) -> None:
    for model in (Contact, Job, Membership, ContactPoint, Assessment, Conversation, Headcount):
        column = model.created_at if model is Contact else model.recorded_at
        assert max(row[0] for row in _rows(column)) <= NOW, model.__name__
    listed = dict(_rows(Contact.id, Contact.created_at))
    for contact_id, held_at, day in _rows(
        Conversation.contact_id, Conversation.held_at, Conversation.day
    ):
        assert day >= listed[contact_id].date()
        assert held_at.date() == day


def test_a_talk_is_held_by_somebody_who_may_log_it_there(practice: PracticeWorld) -> None:
    inside = table_of(PlaceClosure)
    with unit_of_work(ALL, read_only=True) as session:
        grants = session.execute(sa.select(AccessGrant.user_id, AccessGrant.place_id))
        reach: dict[int, set[int]] = {}
        for user_id, place_id in grants:
            below = session.connection().execute(
                sa.select(inside.c.descendant_id).where(inside.c.ancestor_id == place_id)
            )
            reach.setdefault(user_id, set()).update(below.scalars())
    talks = _rows(Conversation.held_by_id, Conversation.place_id)
    assert [talk for talk in talks if talk.place_id not in reach[talk.held_by_id]] == []
    assert len({talk.held_by_id for talk in talks}) == 6
    reminders = _rows(FollowUp.owner_id, FollowUp.place_id)
    assert [one for one in reminders if one.place_id not in reach[one.owner_id]] == []


def test_talks_cover_four_months_and_are_written_down_in_three_languages(
    practice: PracticeWorld,
) -> None:
    days = [row.day for row in _rows(Conversation.day)]
    assert practice.talks == len(days) > 300
    assert min(days) >= TODAY - timedelta(days=123)
    assert max(days) == TODAY
    assert {row.language for row in _rows(ConversationNote.language)} == {"en", "pl", "ro"}
    answers = {row.answer for row in _rows(Conversation.answer)}
    assert answers == {Answer.YES, Answer.NO, Answer.NOT_YET, None}


def test_each_who_logs_talks_has_something_due_today(practice: PracticeWorld) -> None:
    names = {row.id: row.name for row in _users()}
    open_ones = [
        row
        for row in _rows(FollowUp.owner_id, FollowUp.due_on, FollowUp.done_at)
        if row.done_at is None
    ]
    today = {names[row.owner_id] for row in open_ones if row.due_on == TODAY}
    late = {names[row.owner_id] for row in open_ones if row.due_on < TODAY}
    later = {names[row.owner_id] for row in open_ones if row.due_on > TODAY}
    assert today == {"Danuta", "Owen", "Ana", "Kasia", "Marek", "Priya"}
    assert late == today - {"Priya"}
    assert later == today


def _users() -> list[Any]:
    with unit_of_work(read_only=True) as session:
        return list(session.execute(sa.select(UserAccount.id, UserAccount.name)).all())


def test_each_rep_has_ten_people_some_of_whom_had_no_talk(practice: PracticeWorld) -> None:
    names = {row.id: row.name for row in _users()}
    talked = {row[0] for row in _rows(Conversation.contact_id)}
    lists: dict[str, list[int]] = {}
    for row in _rows(TurfPerson.user_id, TurfPerson.contact_id):
        lists.setdefault(names[row.user_id], []).append(row.contact_id)
    assert {name: len(people) for name, people in lists.items()} == {"Owen": 10, "Danuta": 10}
    assert set(lists["Owen"]).isdisjoint(lists["Danuta"])
    for people in lists.values():
        assert len(set(people) - talked) == 4


def test_nobody_is_promised_a_talk_who_asked_to_be_left_alone(practice: PracticeWorld) -> None:
    left_alone = {row.id for row in _rows(Contact.id, Contact.do_not_contact) if row[1]}
    assert len(left_alone) == 1
    waiting = {row[0] for row in _rows(FollowUp.contact_id, FollowUp.done_at) if row[1] is None}
    assert left_alone & waiting == set()
    withdrawn = _rows(FieldBasis.contact_id, FieldBasis.withdrawn_on)
    assert {row[0] for row in withdrawn if row[1] is not None} == left_alone


def test_the_particular_people_are_there(practice: PracticeWorld) -> None:
    people = dict(_rows(Contact.full_name, Contact.id))
    jobs = [
        row.workplace_id
        for row in _rows(Job.contact_id, Job.workplace_id)
        if row.contact_id == people["Folake Balogun"]
    ]
    places = _workplace_ids()
    assert sorted(jobs) == sorted([places["Dearne Valley DC"], places["Wath DC"]])
    ratings = [
        row.rating
        for row in _rows(Assessment.contact_id, Assessment.rating, Assessment.day, Assessment.ask)
        if row.contact_id == people["Agnieszka Zielonka"] and row.ask is None
    ]
    assert ratings == [2, 4]
    agency = [
        row
        for row in _rows(Job.contract_type, Job.employer_of_record_id)
        if row.contract_type is ContractType.AGENCY
    ]
    assert len(agency) > 20
    assert len({row.employer_of_record_id for row in agency}) == 1


def test_some_assessments_are_too_old_to_count(practice: PracticeWorld) -> None:
    latest: dict[int, Any] = {}
    for row in _rows(Assessment.contact_id, Assessment.day):
        latest[row.contact_id] = max(row.day, latest.get(row.contact_id, row.day))
    limit = TODAY - timedelta(days=DEFAULT_EXPIRY.stale_days)
    assert 5 < sum(day < limit for day in latest.values()) < 40


def test_membership_of_people_nobody_talked_to_has_a_ground_written_down(
    practice: PracticeWorld,
) -> None:
    talked = {row[0] for row in _rows(Assessment.contact_id)}
    member = {
        row.contact_id
        for row in _rows(Membership.contact_id, Membership.status)
        if row.status is MembershipStatus.MEMBER
    }
    grounds = {row[0] for row in _rows(FieldBasis.contact_id)}
    assert member - talked - grounds == set()


def test_every_row_left_its_audit_entry_with_the_reason(practice: PracticeWorld) -> None:
    entries = _rows(AuditEntry.subject, AuditEntry.reason)
    contacts = [row for row in entries if row.subject == "contact"]
    assert len(contacts) == practice.people
    assert {row.reason for row in entries} == {ALL.reason}


def test_the_users_have_the_roles_that_the_summary_says(practice: PracticeWorld) -> None:
    assert [(user.name, user.role_label) for user in practice.users] == [
        ("Danuta", "Rep, Dearne Valley DC"),
        ("Owen", "Rep, Pack at Dearne Valley DC"),
        ("Ana", "Organiser, Barnsley and Sheffield Hospitals branches"),
        ("Kasia", "Branch officer, Barnsley"),
        ("Priya", "Rep, Metro Bus Depot"),
        ("Marek", "Rep, Wath DC"),
        ("Ade", "Administrator"),
    ]
    with unit_of_work(read_only=True) as session:
        roles = session.execute(
            sa.select(UserAccount.name, AccessGrant.role)
            .join(AccessGrant, AccessGrant.user_id == UserAccount.id)
            .where(UserAccount.password_hash.is_(None))
            .distinct()
        )
        assert dict(tuple(row) for row in roles) == {
            "Danuta": Role.REP,
            "Owen": Role.REP,
            "Ana": Role.ORGANISER,
            "Kasia": Role.BRANCH_OFFICER,
            "Priya": Role.REP,
            "Marek": Role.REP,
            "Ade": Role.ADMINISTRATOR,
        }


def test_one_ballot_is_won_and_another_goes_on(practice: PracticeWorld) -> None:
    with unit_of_work(ALL, read_only=True) as session:
        rows = session.scalars(ALL.select(Ballot)).all()
        (over,) = [one for one in rows if one.declared_on is not None]
        (running,) = [one for one in rows if one.declared_on is None]
        (whole,) = read_ballots(session, ALL, [over])
        (question,) = whole.questions
        assert passed_on(whole.parts[0].result, question) is True
        assert running.opens_on is not None
        assert running.closes_on is not None
        assert running.opens_on < TODAY < running.closes_on
        told = session.scalars(ALL.select(VoteTold.ballot_id)).all()
        voters = session.scalars(
            ALL.select(BallotEntry.ballot_id).where(BallotEntry.entitled.is_(True))
        ).all()
    assert set(told) == set(voters) == {running.id}
    assert 40 < len(told) < len(voters)


def test_a_database_with_people_in_it_is_left_alone(world: factories.World) -> None:
    with pytest.raises(service.NotEmpty) as refused:
        _fill()
    assert str(refused.value) == (
        "This database is not empty. Practice people are only put in a new one."
    )
    assert len(_rows(Contact.id)) == 7


def test_a_second_filling_is_refused_and_adds_nobody(practice: PracticeWorld) -> None:
    with pytest.raises(service.NotEmpty):
        _fill()
    assert len(_rows(Contact.id)) == practice.people


def test_filling_needs_a_scope_over_everything(app: Flask) -> None:
    narrow = Scope(actor_id=None, grants=())
    with pytest.raises(PermissionRefused), unit_of_work(narrow) as session:
        service.fill(session, narrow, today=TODAY, now=NOW)


@pytest.fixture
def beside_real_ones(app: Flask, backend: Any) -> PracticeWorld:
    """The practice world in a database that held the extracts of real registers before it."""

    def make() -> PracticeWorld:
        _load_extracts()
        return _fill()

    found: PracticeWorld = made_once(backend, "practice beside real ones", make)
    return found


def _load_extracts() -> None:
    """Load the three files as the practice server does; every row of them must be good."""
    found = {
        RegisterKind.GENDER_PAY: {"employers": "gender_pay_extract.csv"},
        RegisterKind.NHS: {"sites": "nhs_sites_extract.csv", "staff": "nhs_staff_extract.csv"},
    }
    for kind, files in found.items():
        content = {name: (service.EXTRACTS / file).read_bytes() for name, file in files.items()}
        with unit_of_work(ALL) as session:
            register = read_register(kind, content)
            loaded = load_register(session, ALL, register, now=NOW, time_zone="Europe/London")
        assert [one for one in loaded.problems if one.problem.row_left_out] == []


def test_real_workplaces_get_invented_people_who_say_so(beside_real_ones: PracticeWorld) -> None:
    made = beside_real_ones
    assert len(made.register_workplaces) == 5
    real = {_workplace_ids()[name] for name in made.register_workplaces}
    people = {row.contact_id for row in _rows(Job.contact_id, Job.workplace_id) if row[1] in real}
    assert len(people) >= 5 * 14
    how = dict(_rows(Contact.id, Contact.how_known))
    assert {how[contact_id] for contact_id in people} == {HowKnown.OTHER}
    assert people & {row[0] for row in _rows(Conversation.contact_id)}
    assert people & {row[0] for row in _rows(Membership.contact_id)}
    notes = {
        row.source_note
        for row in _rows(Headcount.place_id, Headcount.counts, Headcount.source_note)
        if row.place_id in real and row.counts == "site_all"
    }
    assert notes == {"Invented for practice."}


def test_real_workplaces_change_nothing_at_the_invented_ones(
    beside_real_ones: PracticeWorld,
) -> None:
    found = _parts(Question(as_at=TODAY))["Dearne Valley DC"].density
    assert (found.members, found.not_members, found.not_known_named) == (127, 92, 66)


def test_signing_in_as_a_visitor_opens_a_session_of_theirs(practice: PracticeWorld) -> None:
    chosen = practice.users[0]
    with unit_of_work() as session:
        assert service.sign_in_as(session, chosen.public_id, now=NOW)
    entries = [row for row in _rows(AuditEntry.verb, AuditEntry.actor_id) if row[0] == "sign_in"]
    names = {row.id: row.name for row in _users()}
    assert [names[row.actor_id] for row in entries] == ["Danuta"]
