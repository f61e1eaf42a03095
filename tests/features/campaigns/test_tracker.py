"""The tracker, the printed list and typing it in: one tap or one number, never the wrong person."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from crm.access import merging
from crm.domain.roles import Role
from crm.domain.structure import Deed, WhyNot, written_number
from crm.models.audit import AuditEntry
from crm.models.campaigns import ListEntry, Participation, StructureTest
from crm.models.contacts import Contact, Job
from crm.models.turf import TurfPerson
from crm.web import clock
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, NOW, TODAY, Named, World

pytestmark = pytest.mark.usefixtures("fixed_clock")
ClientAs = Callable[[Named], FlaskClient]


@pytest.fixture
def badge(world: World) -> uuid.UUID:
    """A test with Ioana (1), Tomasz (2) and Rukhsana (3) on its list, at the Mill."""
    people: list[Any] = [world.ioana, world.tomasz, world.rukhsana]
    with unit_of_work(ALL) as session:
        _campaign, _demand, test, *_entries = factories.make_test(
            session, world.mill, *people, name="Badge day", closes_on=TODAY - timedelta(days=0)
        )
        found: uuid.UUID = test.public_id
    return found


def _written(test: uuid.UUID, number: int) -> str:
    return written_number(number, test.int % 23)


def _deeds() -> list[tuple[int, Deed, WhyNot | None]]:
    with unit_of_work(ALL, read_only=True) as session:
        rows = session.execute(
            ALL.select(ListEntry.number, Participation.deed, Participation.why)
            .join(ListEntry, ListEntry.id == Participation.entry_id)
            .where(Participation.superseded_at.is_(None))
            .order_by(ListEntry.number)
        )
        return [tuple(row) for row in rows]


def _entry_id(number: int) -> uuid.UUID:
    with unit_of_work(ALL, read_only=True) as session:
        found: uuid.UUID = session.execute(
            ALL.select(ListEntry.public_id).where(ListEntry.number == number)
        ).scalar_one()
    return found


def test_one_tap_is_one_fact_and_comes_back_to_the_same_line(
    world: World, client_as: ClientAs, badge: uuid.UUID
) -> None:
    client = client_as(world.rep)
    answer = client.post(f"/tests/{badge}/mine?show=all", data={"did": "2"})
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith("show=all#n2")
    assert _deeds() == [(2, Deed.DID, None)]
    page = client.get(f"/tests/{badge}/mine?show=all").text
    assert "1 of 3 did it. Known of 1." in page
    assert page.count('aria-pressed="true"') == 1
    client.post(f"/tests/{badge}/mine", data={"back": "2"})
    assert _deeds() == []
    assert "0 of 3 did it. Known of 0." in client.get(f"/tests/{badge}/mine").text


def test_my_list_is_the_people_i_look_after_and_everybody_when_nobody_is_mine(
    world: World, client_as: ClientAs, badge: uuid.UUID
) -> None:
    client = client_as(world.rep)
    assert "Tomasz K" in client.get(f"/tests/{badge}/mine").text
    with unit_of_work(ALL) as session:
        session.add(
            TurfPerson(
                place_id=world.mill.id,
                workplace_id=world.mill.id,
                contact_id=world.ioana.id,
                user_id=world.rep.id,
                valid_from=TODAY,
                recorded_at=NOW,
            )
        )
    page = client.get(f"/tests/{badge}/mine").text
    assert "Ioana P" in page
    assert "Tomasz K" not in page
    assert "Tomasz K" in client.get(f"/tests/{badge}/mine?show=all").text
    client.post(f"/tests/{badge}/mine", data={"did": "1"})
    assert "Nobody is left here." in client.get(f"/tests/{badge}/mine?only=open").text


@pytest.mark.parametrize(
    "data", [{}, {"did": "x"}, {"did": "99"}, {"did": "-1"}, {"did": "1" * 40}, {"sang": "1"}]
)
def test_a_tap_that_names_nobody_stores_nothing(
    world: World, client_as: ClientAs, badge: uuid.UUID, data: dict[str, str]
) -> None:
    assert client_as(world.rep).post(f"/tests/{badge}/mine", data=data).status_code == 404
    assert _deeds() == []


def test_taking_back_nothing_says_so(world: World, client_as: ClientAs, badge: uuid.UUID) -> None:
    answer = client_as(world.rep).post(f"/tests/{badge}/mine", data={"back": "1"})
    assert answer.status_code == 422
    assert "Nothing is written down about this person, so there is nothing to take back." in (
        answer.text
    )


def test_outsiders_neither_see_nor_tap_and_an_area_rep_only_their_own(
    world: World, client_as: ClientAs, badge: uuid.UUID
) -> None:
    with unit_of_work(ALL) as session:
        packing: Any = world.packing
        user = factories.make_user(session, "Area Rep", role=Role.REP, place=packing)
        area_rep = Named(user.id, user.public_id, user.name)
    for path in ("mine", "people", "sheet", "print"):
        assert client_as(world.dock_rep).get(f"/tests/{badge}/{path}").status_code == 404
        page = client_as(area_rep).get(f"/tests/{badge}/{path}").text
        assert "Tomasz" not in page, path
        assert "Rukhsana" not in page, path
    outsider = client_as(world.dock_rep)
    assert outsider.post(f"/tests/{badge}/mine", data={"did": "1"}).status_code == 404
    assert client_as(area_rep).post(f"/tests/{badge}/mine", data={"did": "2"}).status_code == 404
    assert client_as(area_rep).get(f"/tests/people/{_entry_id(2)}").status_code == 404
    assert _deeds() == []
    assert client_as(area_rep).post(f"/tests/{badge}/mine", data={"did": "1"}).status_code == 303


def test_numbers_of_a_sheet_are_saved_together(
    world: World, client_as: ClientAs, badge: uuid.UUID
) -> None:
    client = client_as(world.rep)
    data = {
        "numbers": f"{_written(badge, 1)} {_written(badge, 3)}".lower(),
        "deed": "did_not",
        "why": "refused",
        "evidence": "sheet",
        "day": TODAY,
    }
    assert client.post(f"/tests/{badge}/sheet", data=data).status_code == 303
    assert _deeds() == [(1, Deed.DID_NOT, WhyNot.REFUSED), (3, Deed.DID_NOT, WhyNot.REFUSED)]
    page = client.get(f"/tests/{badge}/sheet").text
    assert "Saved for 2 people." in page
    assert page.count("Take back") == 2
    client.post(f"/tests/{badge}/back", data={"back": "3"})
    assert _deeds() == [(1, Deed.DID_NOT, WhyNot.REFUSED)]


def test_the_number_of_a_record_that_was_put_into_another_finds_the_one_that_stayed(
    world: World, client_as: ClientAs, badge: uuid.UUID
) -> None:
    with unit_of_work(ALL) as session:
        rows = session.execute(
            ALL.select(ListEntry.number, ListEntry.contact_id).where(ListEntry.number.in_([1, 3]))
        ).all()
        ids = {row.number: row.contact_id for row in rows}
        people = {
            one.id: one
            for one in session.scalars(ALL.select(Contact).where(Contact.id.in_(ids.values())))
        }
        kept, gone = people[ids[1]], people[ids[3]]
        names = {name: getattr(kept, name) for name in ("known_as", "full_name", "name_key")}
        merging.merge(
            session, kept, gone, fields=names, wrong_memberships_of=None, now=NOW, actor_id=None
        )
    client = client_as(world.rep)
    data = {"numbers": f"{_written(badge, 3)} {_written(badge, 1)}", "deed": "did", "day": TODAY}
    assert client.post(f"/tests/{badge}/sheet", data=data).status_code == 303
    assert _deeds() == [(1, Deed.DID, None)]
    assert "Saved for 1 person." in client.get(f"/tests/{badge}/sheet").text


@pytest.mark.parametrize("wrong", ["2", "99X", "abc"])
def test_one_wrong_number_saves_nobody_and_keeps_what_was_typed(
    world: World, client_as: ClientAs, badge: uuid.UUID, wrong: str
) -> None:
    typed = f"{_written(badge, 1)} {wrong}"
    data = {"numbers": typed, "deed": "did", "day": TODAY}
    answer = client_as(world.rep).post(f"/tests/{badge}/sheet", data=data)
    assert answer.status_code == 422
    assert (
        f"These are not numbers of this list that you can mark: {wrong.upper()}. "
        "Check each with its letter. Nothing is saved yet."
    ) in answer.text
    assert f'value="{typed}"' in answer.text
    assert _deeds() == []


def test_a_number_with_the_letter_of_another_list_is_refused(
    world: World, client_as: ClientAs, badge: uuid.UUID
) -> None:
    other = written_number(1, badge.int % 23 + 1)
    data = {"numbers": other, "deed": "did", "day": TODAY}
    assert client_as(world.rep).post(f"/tests/{badge}/sheet", data=data).status_code == 422


def test_the_page_of_one_keeps_all_that_was_written_and_takes_a_reason(
    world: World, client_as: ClientAs, badge: uuid.UUID
) -> None:
    client = client_as(world.rep)
    path = f"/tests/people/{_entry_id(1)}"
    for data in (
        {"deed": "did", "evidence": "told", "why": "absent"},
        {"deed": "did_not", "why": "absent", "evidence": "saw"},
    ):
        assert client.post(path, data={**data, "day": TODAY}).status_code == 303
    assert _deeds() == [(1, Deed.DID_NOT, WhyNot.ABSENT)]
    page = client.get(path).text
    assert page.count("written down on") == 2
    assert page.count("taken back or put right on") == 1
    assert "Somebody told us" in page or "Someone told us" in page


def test_what_is_written_after_the_last_day_is_counted_as_late(
    world: World, client_as: ClientAs, badge: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_as(world.rep)
    client.post(f"/tests/{badge}/mine", data={"did": "1"})
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(hours=13))
    client.post(f"/tests/{badge}/mine", data={"did": "2"})
    page = client.get(f"/tests/{badge}").text
    assert "1 person was written down after the last day." in page
    assert "after the last day" in client.get(f"/tests/people/{_entry_id(2)}").text
    assert "after the last day" not in client.get(f"/tests/people/{_entry_id(1)}").text


def test_the_printed_list_has_numbers_that_can_be_typed_and_is_recorded(
    world: World, client_as: ClientAs, badge: uuid.UUID
) -> None:
    page = client_as(world.rep).get(f"/tests/{badge}/print").text
    sheet, key = page.split("st-sheet--key")
    assert "Badge day" not in sheet
    assert "Badge day" in key
    assert re.findall(r'<th scope="row">(\w+)</th>', sheet) == [
        _written(badge, number) for number in (1, 2, 3)
    ]
    with unit_of_work(ALL, read_only=True) as session:
        row = session.execute(
            ALL.select(AuditEntry.actor_id, AuditEntry.new).where(AuditEntry.verb == "export")
        ).one()
    assert row.actor_id == world.rep.id
    assert row.new["rows"] == 3


def test_the_table_shows_everybody_with_what_is_not_known(
    world: World, client_as: ClientAs, badge: uuid.UUID
) -> None:
    client_as(world.rep).post(f"/tests/{badge}/mine", data={"will": "1"})
    page = client_as(world.officer).get(f"/tests/{badge}/people").text
    assert all(name in page for name in ("Ioana P", "Tomasz K", "Rukhsana A", "Will"))
    assert "not known" in page


def test_somebody_whose_job_was_a_mistake_keeps_their_line_without_a_name(
    world: World, client_as: ClientAs, badge: uuid.UUID
) -> None:
    with unit_of_work(ALL) as session:
        session.scalars(
            ALL.select(Job).where(Job.contact_id == world.rukhsana.id)
        ).one().superseded_at = NOW
    client = client_as(world.rep)
    page = client.get(f"/tests/{badge}/mine").text
    assert "Rukhsana" not in page
    assert "Somebody you do not see" in page
    assert "0 to 3 of 3" in client.get(f"/tests/{badge}").text
    with unit_of_work(ALL, read_only=True) as session:
        assert session.scalar(ALL.select(sa.func.count(Contact.id))) is not None


def test_today_leads_a_rep_to_the_tests_that_go_on(
    world: World, client_as: ClientAs, badge: uuid.UUID
) -> None:
    page = client_as(world.rep).get("/").text
    assert f'href="/tests/{badge}/mine"' in page
    assert "Not known of 3 people" in page
    assert str(badge) not in client_as(world.dock_rep).get("/").text
    client = client_as(world.rep)
    for number in (1, 2, 3):
        client.post(f"/tests/{badge}/mine", data={"did": str(number)})
    assert str(badge) not in client.get("/").text


def test_the_page_of_a_test_shows_what_was_known_at_the_end_of_a_day(
    world: World, client_as: ClientAs, badge: uuid.UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_as(world.rep)
    client.post(f"/tests/{badge}/mine", data={"did": "1"})
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(hours=13))
    client.post(f"/tests/{badge}/mine", data={"did": "2"})
    assert "2 to 3 of 3" in client.get(f"/tests/{badge}").text
    then = client.get(f"/tests/{badge}?knew=2026-11-23").text
    assert "1 to 3 of 3" in then
    assert "As we knew at the end of 23 November 2026." in then
    before = client.get(f"/tests/{badge}?knew=2026-11-22").text
    assert "0 to 3 of 3" in before
    assert "Enter a date like 14/05/2026, or pick one." in client.get(f"/tests/{badge}?knew=x").text


def test_the_page_of_a_person_says_what_they_did_in_tests(
    world: World, client_as: ClientAs, badge: uuid.UUID
) -> None:
    client = client_as(world.rep)
    path = f"/people/{world.ioana.public_id}"
    assert f'href="/tests/people/{_entry_id(1)}"' in client.get(path).text
    client.post(f"/tests/{badge}/mine", data={"did": "1"})
    part = client.get(path).text.split('id="deeds"')[1]
    assert "Badge day" in part
    assert "Did it" in part.split("</section>")[0]
    with unit_of_work(ALL) as session:
        session.scalars(ALL.select(StructureTest)).one().called_off_at = NOW
    assert 'id="deeds"' not in client.get(path).text
