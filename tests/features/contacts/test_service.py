"""Writing about people: dated facts are corrected and never overwritten."""

from __future__ import annotations

import threading
import uuid
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from crm.access.facts import known
from crm.access.permissions import Permission
from crm.access.scope import Grant, Scope
from crm.domain.errors import AlreadyEnded, DatesOutOfOrder, EditConflict, NotFound, Refusal
from crm.domain.roles import Role
from crm.domain.timeline import MembershipStatus
from crm.domain.vocabulary import FieldGroup, LegalBasis, PointKind, PointState, Verb
from crm.features.contacts import service
from crm.features.contacts.service import Details, JobEntry, MembershipEntry, PointEntry
from crm.models.audit import AuditEntry
from crm.models.contacts import Contact, ContactPoint, FieldBasis, Job, Membership, StateSpan
from crm.reads.people import list_people
from crm.web.db import db, unit_of_work
from tests import factories
from tests.factories import ALL, NOW, TODAY, Named, World

LATER = NOW + timedelta(minutes=5)
MUCH_LATER = NOW + timedelta(minutes=10)
NOBODY = Details(None, None, None, None, (), None)
TOO_FEW = "The end date is before the start date. Check both dates."


def _scope(user: Named, place: Named, role: Role = Role.REP) -> Scope:
    return Scope(actor_id=user.id, grants=(Grant(role, place.id),))


def _rep(world: World) -> Scope:
    return _scope(world.rep, world.mill)


def _named(known_as: str) -> Details:
    return Details(known_as, None, None, None, (), None)


def _facts(model: Any, contact: Named, at: datetime | None = None) -> list[Any]:
    with unit_of_work(ALL, read_only=True) as session:
        chosen = ALL.select(model).where(model.contact_id == contact.id, known(model, at))
        return list(session.scalars(chosen.order_by(model.id)))


def _job_of(contact: Named) -> Job:
    (job,) = _facts(Job, contact)
    return job


def _spans(contact: Named) -> list[tuple[Any, ...]]:
    with unit_of_work(ALL, read_only=True) as session:
        rows = session.scalars(
            ALL.select(StateSpan)
            .where(StateSpan.contact_id == contact.id)
            .order_by(StateSpan.from_day, StateSpan.area_id)
        )
        return [(row.place_id, row.from_day, row.to_day, row.member) for row in rows]


def _audit(contact_id: int, verb: Verb, subject: str) -> list[AuditEntry]:
    with unit_of_work(ALL, read_only=True) as session:
        chosen = ALL.select(AuditEntry).where(
            AuditEntry.contact_id == contact_id,
            AuditEntry.verb == verb,
            AuditEntry.subject == subject,
        )
        return list(session.scalars(chosen.order_by(AuditEntry.id)))


def _add(world: World, scope: Scope, **more: Any) -> uuid.UUID:
    values: dict[str, Any] = {
        "details": _named("Ana F"),
        "workplace": world.mill.public_id,
        "job": JobEntry(area=None, shift=None, since=None),
        "form_id": uuid.uuid4(),
        "today": TODAY,
        "now": NOW,
        **more,
    }
    with unit_of_work(scope) as session:
        return service.add_contact(session, scope, **values)


def _contact(public_id: uuid.UUID) -> Contact:
    with unit_of_work(ALL, read_only=True) as session:
        found: Contact = session.scalars(
            ALL.select(Contact).where(Contact.public_id == public_id)
        ).one()
        return found


# --- Somebody new


def test_somebody_new_starts_today_as_first_seen_when_the_day_is_not_known(world: World) -> None:
    job = JobEntry(world.packing.public_id, world.nights.public_id, None)

    public_id = _add(world, _rep(world), job=job, phone="+44 (0)7700 900 456")

    contact = _contact(public_id)
    person = Named(contact.id, public_id, "Ana F")
    stored = _job_of(person)
    assert (stored.valid_from, stored.from_is_first_seen) == (TODAY, True)
    assert (stored.place_id, stored.shift_id) == (world.packing.id, world.nights.id)
    (point,) = _facts(ContactPoint, person)
    assert (point.value, point.value_key) == ("+44 (0)7700 900 456", "447700900456")
    assert contact.name_key == "ana f"
    assert _spans(person) == [(world.packing.id, TODAY, date(9999, 12, 31), None)]
    (entry,) = _audit(contact.id, Verb.CREATE, "contact")
    assert entry.actor_id == world.rep.id
    assert entry.new is not None
    assert entry.new["known_as"] == "Ana F"


def test_the_same_form_sent_twice_stores_one_person(world: World) -> None:
    form_id = uuid.uuid4()

    first = _add(world, _rep(world), form_id=form_id)
    second = _add(world, _rep(world), form_id=form_id)

    assert first == second


def test_two_users_with_one_form_id_store_two_people(world: World) -> None:
    form_id = uuid.uuid4()

    first = _add(world, _rep(world), form_id=form_id)
    second = _add(world, _scope(world.organiser, world.branch, Role.ORGANISER), form_id=form_id)

    assert first != second


@pytest.mark.parametrize("name", [None, "\u200b\u200e", "\u2028"])
def test_somebody_without_a_name_or_label_that_can_be_seen_is_refused(
    world: World, name: str | None
) -> None:
    details = Details(name, "Somebody With A Full Name", None, None, (), None)

    with pytest.raises(service.NameNeeded) as refused:
        _add(world, _rep(world), details=details)

    assert str(refused.value) == "Write the name they use, or a label such as “Night packer 3”."


def test_nobody_is_added_at_a_workplace_outside_the_scope(world: World) -> None:
    with pytest.raises(NotFound):
        _add(world, _rep(world), workplace=world.dock.public_id)

    with unit_of_work(ALL, read_only=True) as session:
        names = session.scalars(ALL.select(Contact.known_as)).all()
    assert "Ana F" not in names


def test_an_area_of_another_workplace_is_refused_and_nothing_is_saved(world: World) -> None:
    both = _scope(world.organiser, world.branch, Role.ORGANISER)
    job = JobEntry(world.packing.public_id, None, None)

    with pytest.raises(service.WrongWorkplace) as refused:
        _add(world, both, workplace=world.depot.public_id, job=job)

    assert str(refused.value) == "This is at another workplace. Choose one from the list."
    with unit_of_work(ALL, read_only=True) as session:
        names = session.scalars(ALL.select(Contact.known_as)).all()
    assert "Ana F" not in names


def test_who_holds_one_area_adds_people_there_and_not_to_the_rest_of_the_site(
    world: World,
) -> None:
    packing_only = _scope(world.rep, world.packing)

    _add(world, packing_only, job=JobEntry(world.packing.public_id, None, None))

    with pytest.raises(NotFound):
        _add(world, packing_only, job=JobEntry(None, None, None))
    with pytest.raises(NotFound):
        _add(world, packing_only, job=JobEntry(world.yard.public_id, None, None))


# --- Name and details


def test_a_placeholder_gets_a_name_and_keeps_its_history(world: World) -> None:
    scope = _rep(world)
    before = _facts(Job, world.placeholder)
    details = Details("Chen W", None, "Night packer 3", "they", ("Mandarin",), None)

    with unit_of_work(scope) as session:
        service.change_details(session, scope, world.placeholder.public_id, details, version=1)

    contact = _contact(world.placeholder.public_id)
    assert (contact.known_as, contact.placeholder_label) == ("Chen W", "Night packer 3")
    assert (contact.languages, contact.version) == (["Mandarin"], 2)
    assert [job.id for job in _facts(Job, world.placeholder)] == [job.id for job in before]
    with unit_of_work(scope, read_only=True) as session:
        for text in ("chen", "packer"):
            found = list_people(session, scope, as_at=TODAY, text=text)
            assert [row.name for row in found.rows] == ["Chen W"]
    (entry,) = _audit(world.placeholder.id, Verb.UPDATE, "contact")
    assert entry.old is not None
    assert entry.old["known_as"] is None


def test_the_second_of_two_editors_gets_both_versions_and_nothing_is_lost(world: World) -> None:
    scope = _rep(world)
    target = world.rukhsana.public_id
    with unit_of_work(scope) as session:
        service.change_details(session, scope, target, _named("Rukhsana B"), version=1)

    with pytest.raises(EditConflict) as conflict, unit_of_work(scope) as session:
        service.change_details(session, scope, target, _named("Rukhsana C"), version=1)

    assert conflict.value.current["known_as"] == "Rukhsana B"
    assert conflict.value.yours["known_as"] == "Rukhsana C"
    assert _contact(target).known_as == "Rukhsana B"
    with unit_of_work(scope) as session:
        service.change_details(session, scope, target, _named("Rukhsana C"), version=2)
    assert _contact(target).known_as == "Rukhsana C"


def test_of_two_editors_at_the_same_moment_only_one_is_stored(app: Flask, world: World) -> None:
    scope = _rep(world)
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def _edit(name: str) -> None:
        with app.app_context():
            start.wait()
            try:
                with unit_of_work(scope) as session:
                    service.change_details(
                        session, scope, world.rukhsana.public_id, _named(name), version=1
                    )
                outcomes.append("stored")
            except EditConflict:
                outcomes.append("conflict")
            finally:
                db.session.remove()

    threads = [threading.Thread(target=_edit, args=(name,)) for name in ("One", "Two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["conflict", "stored"]
    assert _contact(world.rukhsana.public_id).version == 2


def test_very_long_names_fit_their_search_key(world: World) -> None:
    wide = Details("ß" * 120, "ß" * 200, "ß" * 120, None, (), None)

    contact = _contact(_add(world, _rep(world), details=wide))

    assert len(contact.name_key) == 330


def test_do_not_contact_is_kept_with_who_and_when(world: World) -> None:
    scope = _rep(world)

    with unit_of_work(scope) as session:
        service.set_do_not_contact(session, scope, world.tomasz.public_id, True, version=1)

    contact = _contact(world.tomasz.public_id)
    assert (contact.do_not_contact, contact.version) == (True, 2)
    (entry,) = _audit(world.tomasz.id, Verb.UPDATE, "contact")
    assert entry.new == {"do_not_contact": True, "version": 2}
    with pytest.raises(EditConflict), unit_of_work(scope) as session:
        service.set_do_not_contact(session, scope, world.tomasz.public_id, False, version=1)


# --- Phones, mail, addresses


def _add_phone(world: World, value: str = "07700 900123") -> ContactPoint:
    scope = _rep(world)
    with unit_of_work(scope) as session:
        service.add_point(
            session,
            scope,
            world.ioana.public_id,
            PointKind.PHONE,
            PointEntry(value, None, None),
            now=NOW,
        )
    (point,) = _facts(ContactPoint, world.ioana)
    assert isinstance(point, ContactPoint)
    return point


def test_a_corrected_phone_is_found_and_the_old_one_stays_readable(world: World) -> None:
    scope = _rep(world)
    old = _add_phone(world)

    with unit_of_work(scope) as session:
        service.correct_point(
            session,
            scope,
            world.ioana.public_id,
            old.public_id,
            PointEntry("07700 900124", "mobile", PointState.WORKS),
            version=old.public_id,
            now=LATER,
        )

    (new,) = _facts(ContactPoint, world.ioana)
    assert (new.value_key, new.state, new.recorded_by_id) == (
        "447700900124",
        PointState.WORKS,
        world.rep.id,
    )
    (then,) = _facts(ContactPoint, world.ioana, at=NOW)
    assert then.value == "07700 900123"
    with unit_of_work(scope, read_only=True) as session:
        assert list_people(session, scope, as_at=TODAY, text="+447700900124").total == 1
        assert list_people(session, scope, as_at=TODAY, text="07700900123").total == 0


def test_saving_a_phone_without_a_change_writes_nothing(world: World) -> None:
    scope = _rep(world)
    old = _add_phone(world)

    with unit_of_work(scope) as session:
        service.correct_point(
            session,
            scope,
            world.ioana.public_id,
            old.public_id,
            PointEntry("07700 900123", None, None),
            version=old.public_id,
            now=LATER,
        )

    (same,) = _facts(ContactPoint, world.ioana)
    assert same.id == old.id


def test_the_second_editor_of_a_phone_gets_both_versions(world: World) -> None:
    scope = _rep(world)
    old = _add_phone(world)
    with unit_of_work(scope) as session:
        service.correct_point(
            session,
            scope,
            world.ioana.public_id,
            old.public_id,
            PointEntry("07700 900124", None, None),
            version=old.public_id,
            now=LATER,
        )

    with pytest.raises(EditConflict) as conflict, unit_of_work(scope) as session:
        service.correct_point(
            session,
            scope,
            world.ioana.public_id,
            old.public_id,
            PointEntry("07700 900125", None, None),
            version=old.public_id,
            now=MUCH_LATER,
        )

    assert conflict.value.current["value"] == "07700 900124"
    assert conflict.value.yours["value"] == "07700 900125"


def test_the_same_phone_in_another_form_is_refused(world: World) -> None:
    _add_phone(world)

    with pytest.raises(service.AlreadyThere) as refused:
        _add_phone(world, "+44 7700 900123")

    assert str(refused.value) == "This is already on the page of this person."


def test_a_removed_phone_is_gone_and_still_known_as_we_knew_then(world: World) -> None:
    scope = _rep(world)
    old = _add_phone(world)

    with unit_of_work(scope) as session:
        service.remove_point(session, scope, world.ioana.public_id, old.public_id, now=LATER)

    assert _facts(ContactPoint, world.ioana) == []
    assert [one.id for one in _facts(ContactPoint, world.ioana, at=NOW)] == [old.id]
    with pytest.raises(NotFound), unit_of_work(scope) as session:
        service.remove_point(session, scope, world.ioana.public_id, old.public_id, now=LATER)


# --- Jobs


def test_a_corrected_job_stays_readable_as_we_knew_it_then(world: World) -> None:
    scope = _rep(world)
    old = _job_of(world.ioana)
    entry = JobEntry(world.yard.public_id, None, date(2024, 5, 1), job_title="Picker", until=None)

    with unit_of_work(scope) as session:
        service.correct_job(
            session,
            scope,
            world.ioana.public_id,
            old.public_id,
            entry,
            version=old.public_id,
            today=TODAY,
            now=LATER,
        )

    new = _job_of(world.ioana)
    assert (new.place_id, new.valid_from, new.job_title) == (
        world.yard.id,
        date(2024, 5, 1),
        "Picker",
    )
    (then,) = _facts(Job, world.ioana, at=NOW)
    assert (then.place_id, then.valid_from) == (world.packing.id, date(2020, 1, 1))
    assert _spans(world.ioana)[0][:2] == (world.yard.id, date(2024, 5, 1))
    subjects = _audit(world.ioana.id, Verb.UPDATE, "job")
    assert [entry.actor_id for entry in subjects] == [world.rep.id]


def test_a_job_that_ends_before_it_starts_is_refused_and_nothing_is_saved(world: World) -> None:
    scope = _rep(world)
    old = _job_of(world.ioana)

    with pytest.raises(DatesOutOfOrder) as refused, unit_of_work(scope) as session:
        service.end_job(
            session, scope, world.ioana.public_id, old.public_id, date(2019, 1, 1), now=LATER
        )

    assert str(refused.value) == TOO_FEW
    assert _job_of(world.ioana).id == old.id


def test_a_leaver_is_gone_from_todays_list_and_on_the_list_as_at_last_month(
    world: World,
) -> None:
    scope = _rep(world)
    job = _job_of(world.ioana)

    with unit_of_work(scope) as session:
        service.end_job(
            session, scope, world.ioana.public_id, job.public_id, date(2026, 11, 1), now=LATER
        )

    with unit_of_work(scope, read_only=True) as session:
        now = list_people(session, scope, as_at=TODAY, text="ioana")
        then = list_people(session, scope, as_at=date(2026, 10, 23), text="ioana")
    assert (now.total, then.total) == (0, 1)
    with pytest.raises(AlreadyEnded) as refused, unit_of_work(scope) as session:
        service.end_job(session, scope, world.ioana.public_id, job.public_id, TODAY, now=MUCH_LATER)
    assert str(refused.value) == ("This has already ended. Start a new one if it has begun again.")


def test_a_move_ends_one_job_and_starts_the_next_on_the_same_day(world: World) -> None:
    scope = _rep(world)
    job = _job_of(world.ioana)

    with unit_of_work(scope) as session:
        service.move_job(
            session,
            scope,
            world.ioana.public_id,
            job.public_id,
            area=world.yard.public_id,
            shift=None,
            since=date(2026, 6, 1),
            now=LATER,
        )

    old, new = _facts(Job, world.ioana)
    assert (old.place_id, old.valid_to) == (world.packing.id, date(2026, 6, 1))
    assert (new.place_id, new.valid_from, new.valid_to) == (
        world.yard.id,
        date(2026, 6, 1),
        None,
    )
    assert new.shift_id is None
    with unit_of_work(scope, read_only=True) as session:
        there = list_people(session, scope, as_at=TODAY, place=world.yard.public_id)
        before = list_people(session, scope, as_at=date(2026, 5, 31), place=world.packing.public_id)
    assert "Ioana P" in [row.name for row in there.rows]
    assert "Ioana P" in [row.name for row in before.rows]


def test_an_earlier_id_of_a_moved_job_leads_to_the_job_that_ended(world: World) -> None:
    scope = _rep(world)
    job = _job_of(world.ioana)
    with unit_of_work(scope) as session:
        service.move_job(
            session,
            scope,
            world.ioana.public_id,
            job.public_id,
            area=world.yard.public_id,
            shift=None,
            since=date(2026, 6, 1),
            now=LATER,
        )

    with pytest.raises(AlreadyEnded), unit_of_work(scope) as session:
        service.end_job(session, scope, world.ioana.public_id, job.public_id, TODAY, now=MUCH_LATER)


def test_a_move_before_the_job_or_to_the_same_place_is_refused(world: World) -> None:
    scope = _rep(world)
    job = _job_of(world.tomasz)

    def _move(area: uuid.UUID, since: date) -> None:
        with unit_of_work(scope) as session:
            service.move_job(
                session,
                scope,
                world.tomasz.public_id,
                job.public_id,
                area=area,
                shift=None,
                since=since,
                now=LATER,
            )

    with pytest.raises(DatesOutOfOrder) as early:
        _move(world.packing.public_id, date(2019, 1, 1))
    assert str(early.value) == (
        "The move is before the first day of this job. Check the date of the move."
    )
    with pytest.raises(service.AlreadyThere) as same:
        _move(world.yard.public_id, TODAY)
    assert str(same.value) == "They already work there. Choose another area or shift."


def test_a_second_job_at_the_same_place_on_the_same_days_is_refused(world: World) -> None:
    scope = _rep(world)
    entry = JobEntry(world.packing.public_id, None, date(2026, 1, 1))

    with pytest.raises(service.SpellsOverlap) as refused, unit_of_work(scope) as session:
        service.add_job(
            session,
            scope,
            world.ioana.public_id,
            world.mill.public_id,
            entry,
            today=TODAY,
            now=LATER,
        )

    assert str(refused.value) == (
        "They already have a job at this place on some of these days. "
        "Put that one right, or choose other days."
    )


def test_a_rep_elsewhere_does_not_write_about_the_person(world: World) -> None:
    scope = _scope(world.dock_rep, world.dock)
    job = _job_of(world.ioana)

    with pytest.raises(NotFound), unit_of_work(scope) as session:
        service.end_job(session, scope, world.ioana.public_id, job.public_id, TODAY, now=LATER)

    assert _job_of(world.ioana).valid_to is None


def test_a_job_at_a_place_outside_the_scope_cannot_be_touched(world: World) -> None:
    with unit_of_work(ALL) as session:
        contact = session.scalars(ALL.select(Contact).where(Contact.id == world.ioana.id)).one()
        dock = session.scalars(
            ALL.select(factories.Workplace).where(factories.Workplace.id == world.dock.id)
        ).one()
        other = factories.make_job(session, contact, dock).public_id
    scope = _rep(world)

    with pytest.raises(NotFound), unit_of_work(scope) as session:
        service.end_job(session, scope, world.ioana.public_id, other, TODAY, now=LATER)


# --- Membership


def _join(
    world: World,
    person: Named,
    *,
    union: Named | None,
    since: date,
    status: MembershipStatus = MembershipStatus.MEMBER,
    until: date | None = None,
    branch: Named | None = None,
) -> None:
    scope = _rep(world)
    entry = MembershipEntry(
        union=union.public_id if union else None,
        branch=branch.public_id if branch else None,
        status=status,
        source=None,
        since=since,
        until=until,
    )
    with unit_of_work(scope) as session:
        service.add_membership(session, scope, person.public_id, entry, now=LATER)


def _days(person: Named) -> list[tuple[int | None, str, date, date | None]]:
    found = [
        (one.union_id, one.status.value, one.valid_from, one.valid_to)
        for one in _facts(Membership, person)
    ]
    return sorted(found, key=lambda row: row[2])


def test_a_known_member_counts_from_the_day_on(world: World) -> None:
    _join(world, world.rukhsana, union=world.union, since=date(2026, 6, 1))

    assert [row[1:] for row in _spans(world.rukhsana)] == [
        (date(2020, 1, 1), date(2026, 6, 1), None),
        (date(2026, 6, 1), date(9999, 12, 31), True),
    ]


def test_joining_ends_what_was_known_as_no_union(world: World) -> None:
    _join(world, world.tomasz, union=world.union, since=date(2026, 6, 1))

    assert _days(world.tomasz) == [
        (None, "not_member", date(2020, 1, 1), date(2026, 6, 1)),
        (world.union.id, "member", date(2026, 6, 1), None),
    ]


def test_two_unions_at_once_are_both_kept(world: World) -> None:
    _join(world, world.ioana, union=world.other_union, since=date(2026, 6, 1))

    assert [row[3] for row in _days(world.ioana)] == [None, None]


def test_a_spell_inside_an_older_one_of_the_same_union_is_refused(world: World) -> None:
    with pytest.raises(service.SpellsOverlap) as refused:
        _join(
            world,
            world.ioana,
            union=world.union,
            since=date(2021, 1, 1),
            until=date(2022, 1, 1),
        )

    assert str(refused.value) == (
        "Something else is written down for some of these days, from 01/01/2020 on. "
        "Put that right first, or choose other days."
    )
    assert _days(world.ioana) == [(world.union.id, "member", date(2020, 1, 1), None)]


def test_a_branch_of_another_union_is_refused(world: World) -> None:
    with pytest.raises(service.WrongWorkplace) as refused:
        _join(
            world,
            world.rukhsana,
            union=world.union,
            branch=world.other_branch,
            since=TODAY,
        )

    assert str(refused.value) == ("This branch belongs to another union. Choose one of this union.")


def test_membership_ends_and_then_nothing_is_known(world: World) -> None:
    scope = _rep(world)
    (spell,) = _facts(Membership, world.ioana)

    with unit_of_work(scope) as session:
        service.end_membership(
            session,
            scope,
            world.ioana.public_id,
            spell.public_id,
            date(2026, 7, 1),
            now=LATER,
        )

    assert _spans(world.ioana)[-1][3] is None


def test_not_known_withdraws_the_spell_and_leaves_it_readable(world: World) -> None:
    scope = _rep(world)
    (spell,) = _facts(Membership, world.ioana)

    with unit_of_work(scope) as session:
        service.withdraw_membership(
            session, scope, world.ioana.public_id, spell.public_id, now=LATER
        )

    assert _facts(Membership, world.ioana) == []
    assert {row[3] for row in _spans(world.ioana)} == {None}
    assert [one.id for one in _facts(Membership, world.ioana, at=NOW)] == [spell.id]


def test_a_corrected_membership_must_not_overlap_another(world: World) -> None:
    scope = _rep(world)
    (spell,) = _facts(Membership, world.ioana)
    _join(world, world.ioana, union=world.union, since=date(2026, 1, 1))
    earlier = next(one for one in _facts(Membership, world.ioana) if one.valid_to is not None)
    entry = MembershipEntry(
        world.union.public_id, None, MembershipStatus.MEMBER, None, date(2020, 1, 1)
    )

    with pytest.raises(service.SpellsOverlap), unit_of_work(scope) as session:
        service.correct_membership(
            session,
            scope,
            world.ioana.public_id,
            spell.public_id,
            entry,
            version=earlier.public_id,
            now=MUCH_LATER,
        )


def test_a_label_on_a_chart_gets_no_membership_without_a_ground_for_it(world: World) -> None:
    with pytest.raises(service.BasisNeeded) as refused:
        _join(world, world.placeholder, union=world.union, since=TODAY)
    assert str(refused.value) == (
        "Nobody has talked to this person yet. "
        "First write down why we may keep their union membership."
    )

    scope = _rep(world)
    with unit_of_work(scope) as session:
        service.add_basis(
            session,
            scope,
            world.placeholder.public_id,
            field_group=FieldGroup.MEMBERSHIP,
            basis=LegalBasis.REGULAR_CONTACT,
            given_on=TODAY,
            wording=None,
            now=LATER,
        )
    _join(world, world.placeholder, union=world.union, since=TODAY)
    assert len(_facts(Membership, world.placeholder)) == 1


# --- Why we may keep it


def _consent(world: World, wording: str | None) -> None:
    scope = _rep(world)
    with unit_of_work(scope) as session:
        service.add_basis(
            session,
            scope,
            world.ioana.public_id,
            field_group=FieldGroup.VIEWS,
            basis=LegalBasis.CONSENT,
            given_on=date(2026, 11, 1),
            wording=wording,
            now=NOW,
        )


def test_consent_needs_the_words_that_were_agreed_to(world: World) -> None:
    with pytest.raises(service.WordingNeeded) as refused:
        _consent(world, None)

    assert str(refused.value) == "Write the words they agreed to."
    assert _facts(FieldBasis, world.ioana) == []


def test_consent_taken_back_keeps_its_words_and_its_days(world: World) -> None:
    scope = _rep(world)
    _consent(world, "May we write down what you think? Yes.")
    (one,) = _facts(FieldBasis, world.ioana)

    def _back(day: date) -> None:
        with unit_of_work(scope) as session:
            service.withdraw_basis(
                session, scope, world.ioana.public_id, one.public_id, day, now=LATER
            )

    with pytest.raises(DatesOutOfOrder) as refused:
        _back(date(2026, 10, 1))
    assert str(refused.value) == TOO_FEW
    _back(TODAY)

    (now,) = _facts(FieldBasis, world.ioana)
    assert (now.withdrawn_on, now.wording) == (TODAY, "May we write down what you think? Yes.")
    with pytest.raises(AlreadyEnded):
        _back(TODAY)


def test_the_same_ground_twice_is_refused(world: World) -> None:
    _consent(world, "Yes.")

    with pytest.raises(Refusal) as refused:
        _consent(world, "Yes.")

    assert str(refused.value) == "This is already written down for these facts."


def test_every_role_that_reads_people_may_write_about_them() -> None:
    from crm.access.permissions import roles_with

    assert roles_with(Permission.CONTACT_READ) == roles_with(Permission.CONTACT_WRITE)
