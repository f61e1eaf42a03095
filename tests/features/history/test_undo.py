"""What can be undone and what cannot: for each sort of change, the records before and after."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from crm.access.scope import Scope
from crm.domain.errors import Refusal
from crm.domain.headcount import Counts, HeadcountSource
from crm.domain.timeline import MembershipStatus
from crm.domain.vocabulary import FieldGroup, LegalBasis, PointKind
from crm.features.contacts import service as contacts
from crm.features.conversations import service as talks
from crm.features.history import service
from crm.features.workplaces import service as workplaces
from crm.models.audit import AuditEntry
from crm.models.contacts import Contact, ContactPoint, FieldBasis, Job, Membership, StateSpan
from crm.models.conversations import (
    Assessment,
    Conversation,
    ConversationIssue,
    ConversationNote,
    FollowUp,
)
from crm.models.places import Employer, Headcount, Workplace
from crm.web.db import unit_of_work
from crm.web.guard import scope_of
from tests import factories
from tests.factories import ALL, NOW, TODAY, Named, World

pytestmark = pytest.mark.usefixtures("fixed_clock")

SignIn = Callable[[Named], FlaskClient]
Work = Callable[[Session, Scope], object]

_LATER = NOW + timedelta(minutes=5)
# What differs between two rows that say the same.
_OWN = {"id", "public_id", "recorded_at", "superseded_at", "recorded_by_id", "version"}


def _as(user: Named, work: Work, request_id: str) -> None:
    """Do the work with the user's scope, as one request does."""
    with unit_of_work(ALL) as session:
        scope = scope_of(session, user.id, TODAY)
    with unit_of_work(scope) as session:
        session.info["request_id"] = request_id
        work(session, scope)


def _undo(user: Named, person: Named, request_id: str) -> None:
    _as(
        user,
        lambda session, scope: service.undo_for_person(
            session, scope, person.public_id, request_id, now=_LATER
        ),
        f"undo-{request_id}",
    )


def _known(model: Any, *where: Any) -> list[dict[str, Any]]:
    """The rows that are believed now, without what makes each row its own."""
    if hasattr(model, "superseded_at"):
        where = (*where, model.superseded_at.is_(None))
    with unit_of_work(ALL, read_only=True) as session:
        rows = session.scalars(ALL.select(model).where(*where)).all()
        columns = [one.key for one in sa.inspect(model).column_attrs if one.key not in _OWN]
        return sorted(({name: getattr(row, name) for name in columns} for row in rows), key=repr)


def _state(person: Named) -> dict[str, Any]:
    """All that is believed of a person, with the spans that the counts are made from."""
    models = (ContactPoint, FieldBasis, Job, Membership, Assessment, StateSpan)
    models += (Conversation, ConversationIssue, ConversationNote, FollowUp)
    state = {model.__name__: _known(model, model.contact_id == person.id) for model in models}
    return {"Contact": _known(Contact, Contact.id == person.id), **state}


def _job_id(person: Named) -> uuid.UUID:
    with unit_of_work(ALL, read_only=True) as session:
        return session.scalars(
            ALL.select(Job.public_id)
            .where(Job.contact_id == person.id, Job.superseded_at.is_(None))
            .order_by(Job.id)
        ).all()[-1]


def _point(session: Session, scope: Scope, who: Named, value: str) -> None:
    contacts.add_point(
        session,
        scope,
        who.public_id,
        PointKind.PHONE,
        contacts.PointEntry(value, None, None),
        now=NOW,
    )


def _membership(world: World, status: MembershipStatus, **more: Any) -> contacts.MembershipEntry:
    return contacts.MembershipEntry(
        union=world.union.public_id,
        branch=None,
        status=status,
        source=None,
        since=more.pop("since", TODAY),
        **more,
    )


def _of(world: World, model: Any) -> Any:
    """The public id of the fact about Ioana that is believed now."""
    with unit_of_work(ALL, read_only=True) as session:
        return session.scalars(
            ALL.select(model.public_id).where(
                model.contact_id == world.ioana.id, model.superseded_at.is_(None)
            )
        ).one()


def _end_membership(world: World) -> Work:
    fact = _of(world, Membership)
    who = world.ioana.public_id
    return lambda session, scope: contacts.end_membership(session, scope, who, fact, TODAY, now=NOW)


def _withdraw_membership(world: World) -> Work:
    fact = _of(world, Membership)
    who = world.ioana.public_id
    return lambda session, scope: contacts.withdraw_membership(session, scope, who, fact, now=NOW)


def _correct_job(world: World) -> Work:
    fact = _of(world, Job)
    entry = contacts.JobEntry(
        area=world.yard.public_id, shift=None, since=date(2024, 1, 1), job_title="Picker"
    )
    return lambda session, scope: contacts.correct_job(
        session,
        scope,
        world.ioana.public_id,
        fact,
        entry,
        version=fact,
        today=TODAY,
        now=NOW,
    )


def _move_job(world: World) -> Work:
    fact = _of(world, Job)
    return lambda session, scope: contacts.move_job(
        session,
        scope,
        world.ioana.public_id,
        fact,
        area=world.yard.public_id,
        shift=None,
        since=TODAY,
        now=NOW,
    )


_CHANGES: dict[str, Callable[[World], Work]] = {
    "do not contact": lambda world: (
        lambda session, scope: contacts.set_do_not_contact(
            session, scope, world.ioana.public_id, True, version=1
        )
    ),
    "a phone added": lambda world: (
        lambda session, scope: _point(session, scope, world.ioana, "07700 900124")
    ),
    "a membership ended": _end_membership,
    "a membership taken back": _withdraw_membership,
    "a membership that ends another": lambda world: (
        lambda session, scope: contacts.add_membership(
            session,
            scope,
            world.ioana.public_id,
            _membership(world, MembershipStatus.NOT_MEMBER),
            now=NOW,
        )
    ),
    "a job put right": _correct_job,
    "a move to another area": _move_job,
    "another job": lambda world: (
        lambda session, scope: contacts.add_job(
            session,
            scope,
            world.ioana.public_id,
            world.mill.public_id,
            contacts.JobEntry(area=world.yard.public_id, shift=None, since=TODAY),
            today=TODAY,
            now=NOW,
        )
    ),
    "a ground for keeping": lambda world: (
        lambda session, scope: contacts.add_basis(
            session,
            scope,
            world.ioana.public_id,
            field_group=FieldGroup.VIEWS,
            basis=LegalBasis.REGULAR_CONTACT,
            given_on=TODAY,
            wording=None,
            now=NOW,
        )
    ),
    "a talk": lambda world: lambda session, scope: _talk(session, scope, world.ioana),
}


def _talk(session: Session, scope: Scope, person: Named, **more: Any) -> None:
    talk = {"id": uuid.uuid4(), "day": TODAY, "rating": 1, "issues": ("pay",), "fears": "Rota"}
    talks.log_talk(
        session,
        scope,
        contact_id=person.public_id,
        talk=talks.Talk(**{**talk, "again_on": TODAY, **more}),
        now=NOW,
        today=TODAY,
    )


@pytest.mark.parametrize("change", sorted(_CHANGES))
def test_undoing_leads_back_and_undoing_that_leads_forth(world: World, change: str) -> None:
    before = _state(world.ioana)
    _as(world.rep, _CHANGES[change](world), "one")
    after = _state(world.ioana)
    assert after != before
    _undo(world.rep, world.ioana, "one")
    assert _state(world.ioana) == before
    if change == "a talk":  # The talk itself is another one then: it is brought back below.
        return
    _undo(world.rep, world.ioana, "undo-one")
    assert _state(world.ioana) == after


def test_every_undoing_is_a_change_of_its_own_that_says_so(world: World) -> None:
    _as(world.rep, _CHANGES["a job put right"](world), "one")
    _undo(world.rep, world.ioana, "one")
    with unit_of_work(ALL, read_only=True) as session:
        rows = session.scalars(
            ALL.select(AuditEntry).where(AuditEntry.request_id == "undo-one")
        ).all()
    assert {(row.reason, row.actor_id) for row in rows} == {("undone", world.rep.id)}


def test_a_talk_that_was_taken_back_comes_back_with_all_its_parts(world: World) -> None:
    talk_id = uuid.uuid4()
    _as(
        world.rep,
        lambda session, scope: _talk(
            session, scope, world.rukhsana, id=talk_id, issues=("pay", "heat"), language="pl"
        ),
        "one",
    )
    before = _state(world.rukhsana)
    _as(
        world.rep,
        lambda session, scope: talks.take_back(session, scope, talk_id, now=_LATER),
        "two",
    )
    assert _state(world.rukhsana)["Conversation"] == []
    _undo(world.rep, world.rukhsana, "two")
    assert _state(world.rukhsana) == before


def test_a_talk_that_was_put_right_goes_back_to_what_it_was(world: World) -> None:
    talk_id = uuid.uuid4()
    _as(
        world.rep,
        lambda session, scope: _talk(session, scope, world.rukhsana, id=talk_id),
        "one",
    )
    before = _state(world.rukhsana)
    right = talks.Talk(
        id=talk_id, day=TODAY - timedelta(days=3), issues=("heat",), asked="join", language="en"
    )
    _as(
        world.rep,
        lambda session, scope: talks.correct_talk(
            session, scope, right, version=1, now=_LATER, today=TODAY
        ),
        "two",
    )
    assert _state(world.rukhsana)["ConversationNote"] == []
    _undo(world.rep, world.rukhsana, "two")
    after = _state(world.rukhsana)
    assert after == before


def test_a_change_of_another_sort_does_not_stand_in_the_way(world: World) -> None:
    before = _state(world.ioana)["Job"]
    _as(world.rep, _CHANGES["a job put right"](world), "one")
    _as(world.rep, _CHANGES["a phone added"](world), "two")
    _undo(world.rep, world.ioana, "one")
    assert _state(world.ioana)["Job"] == before
    assert len(_state(world.ioana)["ContactPoint"]) == 1


def _refused(user: Named, person: Named, request_id: str) -> str:
    before = _state(person)
    with pytest.raises(Refusal) as refusal:
        _undo(user, person, request_id)
    assert _state(person) == before
    return str(refusal.value)


def test_a_newer_change_of_the_same_sort_stands_in_the_way(world: World) -> None:
    _as(world.rep, _CHANGES["a phone added"](world), "one")
    _as(
        world.rep,
        lambda session, scope: _point(session, scope, world.ioana, "07700 900125"),
        "two",
    )
    newer = "Something newer was written since. Look at the history again."
    assert _refused(world.rep, world.ioana, "one") == newer
    assert _refused(world.rep, world.ioana, "unheard of") == newer


def test_what_was_undone_cannot_be_undone_twice(world: World) -> None:
    _as(world.rep, _CHANGES["a phone added"](world), "one")
    _undo(world.rep, world.ioana, "one")
    assert "Something newer" in _refused(world.rep, world.ioana, "one")


def test_a_job_stays_when_talks_stand_on_it(world: World) -> None:
    _as(world.rep, _CHANGES["another job"](world), "one")
    yard = world.yard.public_id
    _as(
        world.rep,
        lambda session, scope: talks.log_talk(
            session,
            scope,
            contact_id=world.ioana.public_id,
            talk=talks.Talk(id=uuid.uuid4(), day=TODAY, place=yard),
            # The trail writes the real time, which is not the one of this test.
            now=NOW + timedelta(days=36500),
            today=TODAY,
        ),
        "two",
    )
    assert _refused(world.rep, world.ioana, "one") == (
        "Talks or reminders were written down at this job since. "
        "Put the job right instead; the history keeps both."
    )


def test_a_ground_stays_when_a_membership_stands_on_it(world: World) -> None:
    def _ground(session: Session, scope: Scope) -> None:
        contacts.add_basis(
            session,
            scope,
            world.placeholder.public_id,
            field_group=FieldGroup.MEMBERSHIP,
            basis=LegalBasis.REGULAR_CONTACT,
            given_on=TODAY,
            wording=None,
            now=NOW,
        )

    _as(world.rep, _ground, "one")
    _as(
        world.rep,
        lambda session, scope: contacts.add_membership(
            session,
            scope,
            world.placeholder.public_id,
            _membership(world, MembershipStatus.MEMBER),
            now=NOW,
        ),
        "two",
    )
    assert _refused(world.rep, world.placeholder, "one") == (
        "We may keep their union membership only because of this. Take the membership back first."
    )


def test_only_the_writer_of_a_talk_undoes_it(world: World) -> None:
    _as(world.rep, _CHANGES["a talk"](world), "one")
    assert _refused(world.organiser, world.ioana, "one") == (
        "Somebody else wrote this. Only they can take it back."
    )


def test_half_of_a_change_is_not_undone(world: World) -> None:
    """Somebody who holds one area only sees half of a move out of it."""
    with unit_of_work(ALL) as session:
        packing = session.scalars(ALL.select(Workplace).where(Workplace.id == world.mill.id)).one()
        assert packing is not None
        area = factories.make_area(session, packing, "Canteen")
        user = factories.make_user(
            session, "Canteen only", role=factories.Role.ORGANISER, place=area
        )
        contact = session.scalars(ALL.select(Contact).where(Contact.id == world.ioana.id)).one()
        factories.make_job(session, contact, packing, area=area)
        canteen = Named(user.id, user.public_id, user.name)
        area_place = area.id
    with unit_of_work(ALL, read_only=True) as session:
        job_id = session.scalars(ALL.select(Job.public_id).where(Job.place_id == area_place)).one()
    _as(
        world.rep,
        lambda session, scope: contacts.move_job(
            session,
            scope,
            world.ioana.public_id,
            job_id,
            area=world.yard.public_id,
            shift=None,
            since=TODAY,
            now=NOW,
        ),
        "one",
    )
    assert _refused(canteen, world.ioana, "one") == (
        "This change wrote more than you can see. Put the record itself right; "
        "the history keeps both."
    )


# Places


def _undo_place(user: Named, place: Named, request_id: str) -> None:
    _as(
        user,
        lambda session, scope: service.undo_for_place(
            session, scope, place.public_id, request_id, now=_LATER
        ),
        f"undo-{request_id}",
    )


def _count(low: float) -> workplaces.HeadcountValues:
    return workplaces.HeadcountValues(
        on_day=TODAY,
        counts=Counts.SITE_ALL,
        low=low,
        best=None,
        high=low,
        rounded_to=None,
        source_kind=HeadcountSource.ORGANISER_COUNT,
        source_note=None,
    )


def test_headcounts_go_back_one_change_at_a_time(world: World) -> None:
    def _now() -> list[dict[str, Any]]:
        return _known(Headcount, Headcount.place_id == world.mill.id)

    before = _now()
    _as(
        world.organiser,
        lambda session, scope: workplaces.add_headcount(
            session, scope, world.mill.public_id, _count(50), now=NOW, today=TODAY
        ),
        "one",
    )
    added = _now()
    with unit_of_work(ALL, read_only=True) as session:
        key = session.scalars(ALL.select(Headcount.public_id).where(Headcount.low == 50)).one()
    _as(
        world.organiser,
        lambda session, scope: workplaces.correct_headcount(
            session, scope, key, _count(60), seen=str(key), now=NOW, today=TODAY
        ),
        "two",
    )
    _undo_place(world.organiser, world.mill, "two")
    assert _now() == added
    with pytest.raises(service.SomethingNewer):
        _undo_place(world.organiser, world.mill, "one")
    assert len(added) == len(before) + 1


def test_an_employer_is_put_back_only_by_those_who_may_change_employers(
    world: World, client_as: SignIn
) -> None:
    def _rename(session: Session, scope: Scope) -> None:
        row = session.scalars(scope.select(Employer).where(Employer.id == world.brightway.id)).one()
        row.name = "Brightway Group"
        row.version += 1

    _as(world.admin, _rename, "one")
    address = f"/history/place/{world.brightway.public_id}"
    other = client_as(world.boss_of_all)
    assert "Undo this change" not in other.get(address).text
    reply = other.post(address + "/undo", data={"request": "one"})
    assert reply.status_code == 422
    assert "This change cannot be undone here." in reply.text
    assert "Undo this change" in client_as(world.admin).get(address).text
    _undo_place(world.admin, world.brightway, "one")
    with unit_of_work(ALL, read_only=True) as session:
        names = session.scalars(
            ALL.select(Employer.name).where(Employer.id == world.brightway.id)
        ).all()
    assert names == ["Brightway"]


def test_where_a_place_hangs_in_the_tree_is_not_undone(world: World) -> None:
    def _move(session: Session, scope: Scope) -> None:
        row = session.scalars(scope.select(Workplace).where(Workplace.id == world.mill.id)).one()
        row.region_id = None
        row.version += 1

    _as(world.organiser, _move, "one")
    with pytest.raises(service.CannotUndo):
        _undo_place(world.organiser, world.mill, "one")


# On screen


def test_the_button_says_what_it_will_do(world: World, client_as: SignIn) -> None:
    _as(world.rep, _CHANGES["do not contact"](world), "one")
    _as(world.rep, _CHANGES["a talk"](world), "two")
    page = client_as(world.rep).get(f"/history/person/{world.ioana.public_id}").text
    assert page.count("Undo this change") == 2
    for words in (
        "<li>Do not contact: “no” again.</li>",
        "<li>Talk: taken away again.</li>",
        "<li>What matters to them: taken away again.</li>",
        "<li>Note: taken away again.</li>",
    ):
        assert words in page, words
