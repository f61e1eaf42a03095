"""Pages about people: who sees them, what they say, and what bad input gets."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import date
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from crm.domain.assessment import Basis
from crm.domain.vocabulary import Verb
from crm.models.accounts import UserAccount
from crm.models.audit import AuditEntry
from crm.models.contacts import Contact, ContactPoint, FieldBasis, Job, Membership
from crm.models.conversations import (
    Conversation,
    ConversationIssue,
    ConversationNote,
    FollowUp,
)
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, NOW, Named, World

pytestmark = pytest.mark.usefixtures("fixed_clock")

SignIn = Callable[[Named], FlaskClient]

# Each of these is somebody's name, or an attempt; none may break a page or change meaning.
AWKWARD = (
    "🦊🦊",
    "محمد \u200fعلي",
    "<script>alert(1)</script>",
    "Robert'); DROP TABLE contact;--",
    '100% & _under_ \\ "quoted"',
)


def _page(person: Named) -> str:
    return f"/people/{person.public_id}"


def _rows(model: Any, person: Named | None = None) -> list[Any]:
    with unit_of_work(ALL, read_only=True) as session:
        chosen = ALL.select(model).order_by(model.id)
        if person is not None:
            chosen = chosen.where(model.contact_id == person.id)
        return list(session.scalars(chosen))


def _believed(model: Any, person: Named) -> list[Any]:
    return [row for row in _rows(model, person) if row.superseded_at is None]


def _contact(person: Named) -> Contact:
    (found,) = [row for row in _rows(Contact) if row.id == person.id]
    assert isinstance(found, Contact)
    return found


def _text(html: str) -> str:
    """Return the words of a page, with single spaces."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def _error_by(html: str, field: str) -> str:
    """Return the sentence beside a field."""
    found = re.search(rf'id="{field}-error">(.*?)</p>', html, re.DOTALL)
    assert found is not None, f"no error beside {field}"
    return _text(found.group(1)).removeprefix("Error: ")


def _hidden(html: str, name: str) -> str:
    (found,) = re.findall(rf'name="{name}" type="hidden" value="([^"]*)"', html)
    assert isinstance(found, str)
    return found


# --- The list


def test_a_rep_sees_the_people_of_their_own_place_and_nobody_else(
    world: World, client_as: SignIn
) -> None:
    html = client_as(world.rep).get("/people").text

    names = re.findall(r'wc-row__name"[^>]*><bdi>([^<]+)', html)
    assert names == ["Ioana P", "Night packer 3", "Rukhsana A", "Tomasz K"]
    assert "4 people" in html
    assert "As at 23 November 2026" in html


def test_a_row_says_where_what_and_how_old(world: World, client_as: SignIn) -> None:
    text = _text(client_as(world.rep).get("/people?q=ioana").text)

    assert "The Mill · Packing · Member · With us, 3 days ago · No talk written down" in text


def test_an_administrator_without_a_place_sees_no_people(world: World, client_as: SignIn) -> None:
    admin = client_as(world.admin)

    assert admin.get("/people").status_code == 403
    assert admin.get(_page(world.ioana)).status_code == 403


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=IOA", ["Ioana P"]),
        ("q=packer+night", ["Night packer 3"]),
        ("q=%25", []),
        ("q=%27+OR+1%3D1", []),
        ("stand=not_asked", ["Night packer 3", "Rukhsana A"]),
        ("member=member", ["Ioana P"]),
        ("member=not_member", ["Tomasz K"]),
        ("member=not_known", ["Night packer 3", "Rukhsana A"]),
        ("as_at=2026-02-01&member=member", ["Gareth O", "Ioana P"]),
        ("page=99999999999999999999", []),
    ],
)
def test_the_list_is_narrowed_by(
    world: World, client_as: SignIn, query: str, names: list[str]
) -> None:
    answer = client_as(world.rep).get(f"/people?{query}")

    assert answer.status_code == 200
    assert re.findall(r'wc-row__name"[^>]*><bdi>([^<]+)', answer.text) == names


def test_the_list_of_one_area_holds_its_people_only(world: World, client_as: SignIn) -> None:
    html = client_as(world.rep).get(f"/people?place={world.packing.public_id}").text

    assert re.findall(r'wc-row__name"[^>]*><bdi>([^<]+)', html) == ["Ioana P", "Night packer 3"]


def test_a_place_outside_the_scope_gives_nobody(world: World, client_as: SignIn) -> None:
    html = client_as(world.rep).get(f"/people?place={world.dock.public_id}").text

    assert "Bilal H" not in html
    assert "The Dock" not in html


def test_an_impossible_day_in_the_filter_says_what_to_do(world: World, client_as: SignIn) -> None:
    html = client_as(world.rep).get("/people?as_at=2026-02-31").text

    assert _error_by(html, "as_at") == "Enter a date like 14/05/2026, or pick one."


def test_a_list_with_nobody_says_what_to_do(world: World, client_as: SignIn) -> None:
    with unit_of_work(ALL) as session:
        employer = factories.make_employer(session, "New Co")
        place = factories.make_workplace(session, employer, "New Site")
        user = factories.make_user(session, "New Rep", role=factories.Role.REP, place=place)
        named = Named(user.id, user.public_id, user.name)

    text = _text(client_as(named).get("/people").text)

    assert (
        "Nobody here yet. Add the 5 people you talk to most. "
        "No list from the employer needed. Add someone" in text
    )


def test_the_list_takes_as_many_statements_for_sixty_people_as_for_four(
    world: World, client_as: SignIn, count_statements: list[str]
) -> None:
    rep = client_as(world.rep)
    rep.get("/people")
    count_statements.clear()
    rep.get("/people")
    few = len(count_statements)
    _fill_mill(world, 60)
    count_statements.clear()

    html = rep.get("/people").text

    assert len(count_statements) == few == 6
    assert "1 to 50 of 64 people" in html
    assert "51 to 64 of 64 people" in rep.get("/people?page=2").text


def _fill_mill(world: World, count: int) -> None:
    with unit_of_work(ALL) as session:
        mill = session.scalars(
            ALL.select(factories.Workplace).where(factories.Workplace.id == world.mill.id)
        ).one()
        for number in range(count):
            factories.make_person(session, mill, f"Person {number}")


# --- Outside


def test_somebody_outside_the_scope_looks_like_nobody_at_all(
    world: World, client_as: SignIn
) -> None:
    rep = client_as(world.rep)

    outside, absent = rep.get(_page(world.docker)), rep.get(f"/people/{uuid.uuid4()}")

    assert outside.status_code == absent.status_code == 404
    assert _without_code(outside.text) == _without_code(absent.text)


def _without_code(html: str) -> str:
    """Return an error page without its request id, which is new each time."""
    return re.sub(r"<code>[0-9a-f]+</code>", "", html)


_FORMS = (
    "details",
    "do-not-contact",
    "phone/new",
    "email/new",
    "address/new",
    "jobs/new",
    "unions/new",
    "basis/new",
)


@pytest.mark.parametrize("form", _FORMS)
def test_no_form_about_somebody_outside_is_shown_or_stored(
    world: World, client_as: SignIn, form: str
) -> None:
    rep = client_as(world.rep)

    assert rep.get(f"{_page(world.docker)}/{form}").status_code == 404
    assert rep.post(f"{_page(world.docker)}/{form}", data={}).status_code == 404


@pytest.mark.parametrize("path", ["jobs/{}", "jobs/{}/end", "jobs/{}/move"])
def test_another_persons_job_is_not_reached_through_one_that_is_seen(
    world: World, client_as: SignIn, path: str
) -> None:
    (job,) = _rows(Job, world.docker)
    address = f"{_page(world.ioana)}/" + path.format(job.public_id)

    assert client_as(world.rep).get(address).status_code == 404


# --- One person


def test_looking_at_somebody_leaves_an_audit_row(world: World, client_as: SignIn) -> None:
    client_as(world.rep).get(_page(world.ioana))

    (entry,) = [row for row in _rows(AuditEntry) if row.verb is Verb.VIEW]
    assert (entry.actor_id, entry.contact_id, entry.subject) == (
        world.rep.id,
        world.ioana.id,
        "contact",
    )


def test_a_page_that_is_not_shown_leaves_no_view(world: World, client_as: SignIn) -> None:
    client_as(world.rep).get(_page(world.docker))

    assert [row for row in _rows(AuditEntry) if row.verb is Verb.VIEW] == []


def test_the_page_says_where_they_stand_how_we_know_how_old_and_who(
    world: World, client_as: SignIn
) -> None:
    text = _text(client_as(world.rep).get(_page(world.ioana)).text)

    assert "With us They said so · 3 days ago (20 November 2026) · Recent" in text
    assert "written down by Owen Rep" in text


def test_what_is_not_known_is_said_and_never_no(world: World, client_as: SignIn) -> None:
    text = _text(client_as(world.rep).get(_page(world.rukhsana)).text)

    assert "Nobody has asked them yet. That is a gap, not a no." in text
    assert "not known . Nobody has asked, or nobody wrote it down." in text
    assert "Listens to not known yet" in text
    assert "Pronouns not known" in text
    assert "Not a member" not in text


def test_two_who_see_somebody_differently_stand_side_by_side(
    world: World, client_as: SignIn
) -> None:
    with unit_of_work(ALL) as session:
        contact = session.scalars(ALL.select(Contact).where(Contact.id == world.ioana.id)).one()
        packing = session.scalars(
            ALL.select(factories.Area).where(factories.Area.id == world.packing.id)
        ).one()
        other = session.get_one(UserAccount, world.organiser.id)
        factories.make_assessment(
            session, contact, packing, 4, basis=Basis.INFERRED, assessor=other
        )

    html = client_as(world.rep).get(_page(world.ioana)).text

    text = _text(html)
    assert "Two of us see this differently. Talk it over." in text
    assert "Owen Rep , 20 November 2026, They said so" in text
    assert "Ana Organiser , 23 November 2026, A guess" in text
    assert "They have moved away from us: With us at first, then Against." in text
    assert "Where they have stood, newest first" in text


def _store_talk(world: World, writer: Named) -> None:
    with unit_of_work(ALL) as session:
        talk = Conversation(
            contact_id=world.ioana.id,
            place_id=world.packing.id,
            held_by_id=writer.id,
            day=date(2026, 11, 21),
            held_at=NOW,
            recorded_at=NOW,
            asked="petition",
            answer="yes",
        )
        session.add(talk)
        session.flush()
        here = {"contact_id": world.ioana.id, "place_id": world.packing.id}
        session.add(ConversationIssue(conversation_id=talk.id, issue="heat", **here))
        session.add(
            ConversationNote(
                conversation_id=talk.id,
                author_id=writer.id,
                their_words="If Priya comes, I come.",
                fears="Losing shifts",
                **here,
            )
        )
        session.add(
            FollowUp(
                owner_id=writer.id,
                conversation_id=talk.id,
                due_on=date(2026, 11, 30),
                created_at=NOW,
                version=1,
                **here,
            )
        )


def test_the_timeline_tells_the_talk_and_only_its_writer_reads_the_words(
    world: World, client_as: SignIn
) -> None:
    _store_talk(world, world.rep)
    with unit_of_work(ALL) as session:
        mill = session.scalars(
            ALL.select(factories.Workplace).where(factories.Workplace.id == world.mill.id)
        ).one()
        user = factories.make_user(session, "Second Rep", role=factories.Role.REP, place=mill)
        second = Named(user.id, user.public_id, user.name)

    own = _text(client_as(world.rep).get(_page(world.ioana)).text)
    others = _text(client_as(second).get(_page(world.ioana)).text)
    organisers = _text(client_as(world.organiser).get(_page(world.ioana)).text)

    for text in (own, others, organisers):
        assert "What matters: Heat or cold" in text
        assert "Asked: Sign the petition. They said: Yes." in text
        assert "Speak again by 30 November 2026" in text
    for text in (own, organisers):
        assert "If Priya comes, I come." in text
        assert "Fears: Losing shifts" in text
    assert "Priya" not in others
    assert "Losing shifts" not in others


def test_the_page_takes_no_more_statements_when_more_has_happened(
    world: World, client_as: SignIn, count_statements: list[str]
) -> None:
    _store_talk(world, world.rep)
    rep = client_as(world.rep)
    rep.get(_page(world.ioana))
    count_statements.clear()
    rep.get(_page(world.ioana))
    once = len(count_statements)
    for _ in range(5):
        _store_talk(world, world.rep)
    count_statements.clear()

    rep.get(_page(world.ioana))

    assert len(count_statements) == once
    assert once <= 27


def test_a_job_outside_the_scope_is_simply_not_there(world: World, client_as: SignIn) -> None:
    with unit_of_work(ALL) as session:
        contact = session.scalars(ALL.select(Contact).where(Contact.id == world.ioana.id)).one()
        dock = session.scalars(
            ALL.select(factories.Workplace).where(factories.Workplace.id == world.dock.id)
        ).one()
        factories.make_job(session, contact, dock, job_title="Crane driver")

    assert "Crane driver" not in client_as(world.rep).get(_page(world.ioana)).text
    assert "Crane driver" in client_as(world.dock_rep).get(_page(world.ioana)).text
    assert "Picker" not in client_as(world.dock_rep).get(_page(world.ioana)).text
    assert "Packing" not in client_as(world.dock_rep).get(_page(world.ioana)).text


def test_do_not_contact_replaces_the_log_button_by_a_sentence(
    world: World, client_as: SignIn
) -> None:
    rep = client_as(world.rep)

    answer = rep.post(
        f"{_page(world.tomasz)}/do-not-contact", data={"version": "1", "wanted": "no"}
    )

    assert answer.status_code == 303
    html = rep.get(_page(world.tomasz)).text
    assert "Do not contact. They asked us not to." in html
    assert f"/log/{world.tomasz.public_id}" not in html
    assert "Do not contact" in rep.get("/people?q=tomasz").text


# --- Adding


def test_somebody_is_added_with_a_name_and_nothing_more(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)

    answer = rep.post("/people/new", data={"known_as": "Ana F"})

    assert answer.status_code == 303
    text = _text(rep.get(answer.location).text)
    assert "Ana F The Mill" in text
    assert "Known of since 23 November 2026" in text
    assert "Saved." in text


def test_who_has_several_workplaces_is_asked_where_first(world: World, client_as: SignIn) -> None:
    organiser = client_as(world.organiser)

    html = organiser.get("/people/new?next=log").text

    assert "Where do they work?" in html
    assert re.findall(r"<option[^>]*>([^<]+)", html) == ["The Depot", "The Mill"]
    there = organiser.get(f"/people/new?next=log&workplace={world.depot.public_id}").text
    assert "The Depot" in there
    assert "Save and log a talk" in there
    assert organiser.get(f"/people/new?workplace={world.dock.public_id}").status_code == 404


def test_adding_on_the_way_to_a_talk_goes_on_to_the_talk(
    app: Flask, world: World, client_as: SignIn
) -> None:
    answer = client_as(world.rep).post("/people/new?next=log", data={"known_as": "Ana F"})

    (contact,) = [row for row in _rows(Contact) if row.known_as == "Ana F"]
    assert answer.location == f"/log/{contact.public_id}"


def test_next_leads_nowhere_but_to_the_log(world: World, client_as: SignIn) -> None:
    answer = client_as(world.rep).post(
        "/people/new?next=https://example.org/", data={"known_as": "Ana F"}
    )

    assert answer.location.startswith("/people/")


def test_an_empty_form_is_refused_beside_the_name_and_keeps_the_rest(
    world: World, client_as: SignIn
) -> None:
    before = len(_rows(Contact))

    answer = client_as(world.rep).post(
        "/people/new", data={"known_as": "  ", "phone": "07700 900123", "since": "01/02/2026"}
    )

    assert answer.status_code == 422
    assert _error_by(answer.text, "known_as") == (
        "Write the name they use, or a label such as “Night packer 3”."
    )
    assert 'value="07700 900123"' in answer.text
    assert 'value="01/02/2026"' in answer.text
    assert "<title>Error: Add someone" in answer.text
    assert len(_rows(Contact)) == before


@pytest.mark.parametrize("name", AWKWARD)
def test_an_awkward_name_is_kept_and_shown_as_typed(
    world: World, client_as: SignIn, name: str
) -> None:
    rep = client_as(world.rep)

    answer = rep.post("/people/new", data={"known_as": name})

    assert answer.status_code == 303
    html = rep.get(answer.location).text
    assert "<script>alert" not in html
    shown = re.search(r"<h1[^>]*><bdi>(.*?)</bdi>", html)
    assert shown is not None
    assert unescape(shown.group(1)) == name
    assert unescape(rep.get("/people").text).count(f"<bdi>{name}</bdi>") == 1


def test_the_same_form_sent_twice_leads_to_one_person(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    typed = {"known_as": "Ana F", "form_id": _hidden(rep.get("/people/new").text, "form_id")}

    first, second = rep.post("/people/new", data=typed), rep.post("/people/new", data=typed)

    assert first.location == second.location
    assert [row.known_as for row in _rows(Contact)].count("Ana F") == 1


# --- Bad input on every form

_TOO_LONG = "x" * 5000


def _refused(answer: Any) -> None:
    assert answer.status_code == 422
    assert "There is a problem" in answer.text


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ("details", "known_as"),
        ("details", "full_name"),
        ("details", "pronouns"),
        ("details", "languages"),
        ("phone/new", "value"),
        ("email/new", "value"),
        ("address/new", "value"),
        ("address/new", "label"),
        ("jobs/new", "job_title"),
        ("basis/new", "wording"),
    ],
)
def test_too_long_a_text_is_refused_beside_its_field(
    world: World, client_as: SignIn, form: str, field: str
) -> None:
    answer = client_as(world.rep).post(f"{_page(world.ioana)}/{form}", data={field: _TOO_LONG})

    _refused(answer)
    assert _error_by(answer.text, field)
    assert _TOO_LONG in answer.text


@pytest.mark.parametrize("form", _FORMS)
def test_what_is_not_on_a_list_is_refused_and_nothing_is_saved(
    world: World, client_as: SignIn, form: str
) -> None:
    fields = (
        "how_known wanted state area shift employer contract_type status union branch source "
        "since until given_on field_group basis version"
    )
    nonsense = dict.fromkeys(fields.split(), "nonsense")
    models = (Job, Membership, ContactPoint, FieldBasis)
    before = [len(_rows(model)) for model in models]

    answer = client_as(world.rep).post(f"{_page(world.ioana)}/{form}", data=nonsense)

    _refused(answer)
    assert [len(_rows(model)) for model in models] == before
    assert _contact(world.ioana).version == 1


@pytest.mark.parametrize("form", _FORMS)
def test_an_empty_form_is_answered_in_words(world: World, client_as: SignIn, form: str) -> None:
    answer = client_as(world.rep).post(f"{_page(world.ioana)}/{form}", data={})

    # A job needs no more than its workplace, but Ioana has one there already.
    _refused(answer)


@pytest.mark.parametrize(
    "number", ["12", "hello", "07700 9001233333333333", "<b>1</b>", "٠", "0800 FLOWERS"]
)
def test_what_cannot_be_a_phone_number_is_refused(
    world: World, client_as: SignIn, number: str
) -> None:
    answer = client_as(world.rep).post(f"{_page(world.ioana)}/phone/new", data={"value": number})

    _refused(answer)
    assert _error_by(answer.text, "value") == (
        "Enter a phone number like 07700 900123 or +48 600 000 000."
    )
    assert _rows(ContactPoint, world.ioana) == []


@pytest.mark.parametrize("number", ["07700 900123", "+44 (0)7700 900 123", "+48 600 000 000"])
def test_a_phone_in_any_written_form_is_kept_as_typed(
    world: World, client_as: SignIn, number: str
) -> None:
    rep = client_as(world.rep)

    answer = rep.post(f"{_page(world.ioana)}/phone/new", data={"value": number})

    assert answer.status_code == 303
    assert number in rep.get(_page(world.ioana)).text


@pytest.mark.parametrize("mail", ["ioana", "ioana@", "@example.org", "a b@example.org"])
def test_what_cannot_be_a_mail_address_is_refused(
    world: World, client_as: SignIn, mail: str
) -> None:
    answer = client_as(world.rep).post(f"{_page(world.ioana)}/email/new", data={"value": mail})

    _refused(answer)
    assert _error_by(answer.text, "value") == "Enter an email address like name@example.org."


def test_reversed_dates_are_refused_beside_the_end(world: World, client_as: SignIn) -> None:
    (job,) = _rows(Job, world.ioana)
    rep = client_as(world.rep)
    sentence = "The end date is before the start date. Check both dates."

    corrected = rep.post(
        f"{_page(world.ioana)}/jobs/{job.public_id}",
        data={"version": job.public_id, "since": "2026-05-01", "until": "2026-04-01"},
    )
    ended = rep.post(f"{_page(world.ioana)}/jobs/{job.public_id}/end", data={"day": "1999-01-01"})
    union = rep.post(
        f"{_page(world.rukhsana)}/unions/new",
        data={
            "status": "member",
            "union": world.union.public_id,
            "since": "2026-05-01",
            "until": "2026-04-01",
        },
    )

    for answer, field in ((corrected, "until"), (ended, "day"), (union, "until")):
        _refused(answer)
        assert _error_by(answer.text, field) == sentence
    assert len(_rows(Job, world.ioana)) == 1
    assert _rows(Membership, world.rukhsana) == []


def test_an_old_token_keeps_what_was_typed(app: Flask, world: World, client_as: SignIn) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        answer = client_as(world.rep).post("/people/new", data={"known_as": "Ana F"})
    finally:
        app.config["WTF_CSRF_ENABLED"] = False

    assert answer.status_code == 400
    assert 'value="Ana F"' in answer.text
    assert "Ana F" not in [row.known_as for row in _rows(Contact)]


# --- Changing


def test_this_is_gives_a_label_its_name(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    page = _page(world.placeholder)
    assert "This is …" in rep.get(page).text
    form = rep.get(f"{page}/details").text
    assert "Write the name they use. What we know of Night packer 3 stays." in form

    rep.post(
        f"{page}/details",
        data={
            "version": _hidden(form, "version"),
            "known_as": "Chen W",
            "placeholder_label": "Night packer 3",
            "languages": "Mandarin, English, Mandarin",
            "how_known": "met",
        },
    )

    text = _text(rep.get(page).text)
    assert "Chen W The Mill · Packing · Nights" in text
    assert "Was on the list as Night packer 3 ." in text
    assert "Languages Mandarin, English" in text
    assert "How we know them One of us met them" in text


def test_the_second_editor_sees_both_versions_and_saves_the_one_they_want(
    world: World, client_as: SignIn
) -> None:
    rep, organiser = client_as(world.rep), client_as(world.organiser)
    address = f"{_page(world.rukhsana)}/details"
    version = _hidden(rep.get(address).text, "version")
    organiser.post(address, data={"version": version, "known_as": "Rukhsana B"})

    answer = rep.post(
        address, data={"version": version, "known_as": "Rukhsana C", "pronouns": "she"}
    )

    assert answer.status_code == 409
    text = _text(answer.text)
    assert (
        "Someone else changed this while you were working. "
        "Look at both versions, then save the one you want." in text
    )
    assert "Name they use Rukhsana B Rukhsana C" in text
    assert "Pronouns Not known she" in text
    assert 'value="Rukhsana C"' in answer.text
    assert _contact(world.rukhsana).known_as == "Rukhsana B"
    again = rep.post(
        address,
        data={"version": _hidden(answer.text, "version"), "known_as": "Rukhsana C"},
    )
    assert again.status_code == 303
    assert _contact(world.rukhsana).known_as == "Rukhsana C"


def test_the_second_editor_of_a_job_sees_both_versions(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    (job,) = _rows(Job, world.ioana)
    address = f"{_page(world.ioana)}/jobs/{job.public_id}"
    typed = {
        "version": str(job.public_id),
        "area": str(world.packing.public_id),
        "since": "2020-01-01",
    }
    rep.post(address, data={**typed, "job_title": "Picker"})

    answer = rep.post(address, data={**typed, "job_title": "Loader"})

    assert answer.status_code == 409
    assert "Job Picker Loader" in _text(answer.text)
    (now,) = _believed(Job, world.ioana)
    assert now.job_title == "Picker"
    again = rep.post(
        address,
        data={**typed, "job_title": "Loader", "version": _hidden(answer.text, "version")},
    )
    assert again.status_code == 303
    (now,) = _believed(Job, world.ioana)
    assert now.job_title == "Loader"


def test_the_second_editor_of_a_membership_sees_both_versions(
    world: World, client_as: SignIn
) -> None:
    rep = client_as(world.rep)
    (spell,) = _rows(Membership, world.ioana)
    address = f"{_page(world.ioana)}/unions/{spell.public_id}"
    typed = {
        "version": str(spell.public_id),
        "union": str(world.union.public_id),
        "since": "2020-01-01",
    }
    rep.post(address, data={**typed, "status": "member", "since": "2021-01-01"})

    answer = rep.post(address, data={**typed, "status": "not_member"})

    assert answer.status_code == 409
    text = _text(answer.text)
    assert "What do we know? Member of this union Not a member of this union" in text
    assert "From which day? 1 January 2021 1 January 2020" in text


def test_every_way_to_reach_somebody_can_be_added_changed_and_removed(
    world: World, client_as: SignIn
) -> None:
    rep = client_as(world.rep)
    page = _page(world.ioana)
    for kind, value in (
        ("phone", "07700 900123"),
        ("email", "ioana@example.org"),
        ("address", "1 Mill Lane, Barnsley"),
    ):
        assert rep.post(f"{page}/{kind}/new", data={"value": value}).status_code == 303
    text = _text(rep.get(page).text)
    assert text.count("Not known if it works") == 3
    phone = next(row for row in _rows(ContactPoint) if row.kind.value == "phone")

    changed = rep.post(
        f"{page}/reach/{phone.public_id}",
        data={"version": phone.public_id, "value": "07700 900123", "state": "works"},
    )

    assert changed.status_code == 303
    html = rep.get(page).text
    assert "Works" in html
    assert 'href="tel:+447700900123"' in html
    for row in _believed(ContactPoint, world.ioana):
        assert rep.get(f"{page}/reach/{row.public_id}/remove").status_code == 200
        assert rep.post(f"{page}/reach/{row.public_id}/remove").status_code == 303
    assert _believed(ContactPoint, world.ioana) == []
    gone = rep.get(f"{page}/reach/{phone.public_id}")
    assert gone.status_code == 404


def test_jobs_are_added_moved_and_ended_on_their_own_pages(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    (job,) = _rows(Job, world.tomasz)
    page = _page(world.tomasz)
    assert rep.get(f"{page}/jobs/{job.public_id}/move").status_code == 200

    moved = rep.post(
        f"{page}/jobs/{job.public_id}/move",
        data={"area": world.packing.public_id, "since": "2026-06-01"},
    )
    assert moved.status_code == 303
    (last,) = [one for one in _believed(Job, world.tomasz) if one.valid_to is None]
    assert rep.get(f"{page}/jobs/{last.public_id}/end").status_code == 200
    ended = rep.post(f"{page}/jobs/{last.public_id}/end", data={"day": "2026-11-01"})
    assert ended.status_code == 303

    text = _text(rep.get(page).text)
    assert "No job here today." in text
    assert "Since 1 June 2026, until 1 November 2026" in text
    assert "we had written: The Mill · Yard." in text
    added = rep.post(f"{page}/jobs/new", data={"since": "2026-11-20"})
    assert added.status_code == 303
    assert "No job here today." not in rep.get(page).text


def test_membership_is_set_ended_and_taken_back_to_not_known(
    world: World, client_as: SignIn
) -> None:
    rep = client_as(world.rep)
    page = _page(world.rukhsana)
    assert rep.get(f"{page}/unions/new").status_code == 200

    added = rep.post(
        f"{page}/unions/new",
        data={
            "status": "member",
            "union": world.union.public_id,
            "branch": world.branch.public_id,
            "source": "they_said",
            "since": "2026-06-01",
        },
    )
    assert added.status_code == 303
    text = _text(rep.get(page).text)
    assert "Member of Warehouse Workers' Union, Barnsley branch" in text
    assert "Since 1 June 2026. Who told us: They told us." in text
    (spell,) = _believed(Membership, world.rukhsana)
    for act in ("", "/end", "/remove"):
        assert rep.get(f"{page}/unions/{spell.public_id}{act}").status_code == 200
    rep.post(f"{page}/unions/{spell.public_id}/end", data={"day": "2026-10-01"})
    rep.post(f"{page}/unions/{spell.public_id}/remove")

    assert _believed(Membership, world.rukhsana) == []
    assert "Nobody has asked, or nobody wrote it down." in rep.get(page).text


def test_in_no_union_needs_no_union_chosen_and_a_member_does(
    world: World, client_as: SignIn
) -> None:
    rep = client_as(world.rep)
    address = f"{_page(world.rukhsana)}/unions/new"

    refused = rep.post(address, data={"status": "member", "since": "2026-06-01"})
    none = rep.post(address, data={"status": "none", "since": "2026-06-01"})

    _refused(refused)
    assert _error_by(refused.text, "union") == "Choose the union."
    assert none.status_code == 303
    text = _text(rep.get(_page(world.rukhsana)).text)
    assert "In no union" in text
    assert "Any other union" not in text
    assert "Any other union: not known" in _text(rep.get(_page(world.ioana)).text)


def test_consent_and_its_end_stand_on_the_page(world: World, client_as: SignIn) -> None:
    rep = client_as(world.rep)
    page = _page(world.ioana)
    typed = {"field_group": "views", "basis": "consent", "given_on": "2026-11-01"}
    refused = rep.post(f"{page}/basis/new", data=typed)
    _refused(refused)
    assert _error_by(refused.text, "wording") == "Write the words they agreed to."

    rep.post(f"{page}/basis/new", data={**typed, "wording": "You may write it down."})
    (one,) = _believed(FieldBasis, world.ioana)
    rep.post(f"{page}/basis/{one.public_id}/withdraw", data={"day": "2026-11-20"})

    text = _text(rep.get(page).text)
    assert "They agreed. Since 1 November 2026, until 20 November 2026." in text
    assert "You may write it down." in text
    assert "Taken back" in text


def test_the_day_of_a_move_is_needed(world: World, client_as: SignIn) -> None:
    (job,) = _rows(Job, world.tomasz)

    answer = client_as(world.rep).post(
        f"{_page(world.tomasz)}/jobs/{job.public_id}/move",
        data={"area": world.packing.public_id, "since": ""},
    )

    _refused(answer)
    assert _error_by(answer.text, "since") == "Enter the day."


# --- Is it one of these? ----------------------------------------------------------------------


def test_somebody_who_may_be_here_already_is_shown_before_anything_is_stored(
    client_as: SignIn, world: World
) -> None:
    rep = client_as(world.rep)
    answer = rep.post("/people/new", data={"known_as": "Ioana"})
    assert answer.status_code == 409
    assert "Is it one of these?" in answer.text
    assert f"/people/{world.ioana.public_id}" in answer.text
    assert "Part of the name is the same" in answer.text
    looked = _hidden(answer.text, "looked_for")
    assert looked == "Ioana"
    again = rep.post("/people/new", data={"known_as": "Ioana", "looked_for": looked})
    assert again.status_code == 303


def test_another_name_typed_then_is_looked_for_anew(client_as: SignIn, world: World) -> None:
    rep = client_as(world.rep)
    answer = rep.post("/people/new", data={"known_as": "Tomasz K", "looked_for": "Ioana"})
    assert answer.status_code == 409
    assert "Tomasz K" in answer.text


def test_somebody_out_of_scope_is_not_offered_as_the_same(client_as: SignIn, world: World) -> None:
    assert client_as(world.rep).post("/people/new", data={"known_as": "Bilal H"}).status_code == 303
