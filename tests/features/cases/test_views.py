"""Cases: what their team does with them, and that nobody else learns that there is one."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient

from crm import cli
from crm.access.permissions import Permission
from crm.access.scope import Grant, OutsideScopeError, Scope
from crm.domain.errors import NotFound
from crm.domain.roles import Role
from crm.features.cases import service
from crm.models.accounts import AccessGrant, UserAccount
from crm.models.audit import AuditEntry
from crm.models.cases import Case, CaseDeadline, CaseEntry, CasePerson, CaseTeamMember
from crm.reads.dated import DatedKind, list_dated
from crm.web.db import unit_of_work
from tests.factories import ALL, NOW, TODAY, Named, World

Clients = Callable[[Named], FlaskClient]
TABLES = (Case, CaseTeamMember, CasePerson, CaseDeadline, CaseEntry)

pytestmark = pytest.mark.usefixtures("fixed_clock")


def _open(
    client: FlaskClient, world: World, reference: str = "Canary rota", **more: Any
) -> uuid.UUID:
    case_id = uuid.uuid4()
    data = {
        "id": str(case_id),
        "place": str(world.mill.public_id),
        "reference": reference,
        "kind": "individual",
        "matter": "grievance",
        "opened_on": "2026-11-02",
        **more,
    }
    path = f"/cases/new?place={world.mill.public_id}"
    if "person" in more:
        path += f"&person={more.pop('person')}"
    assert client.post(path, data=data).status_code == 303
    return case_id


def _count(model: Any) -> int:
    with unit_of_work(ALL, read_only=True) as session:
        return int(session.execute(ALL.select(sa.func.count(model.id))).scalar_one())


def _scope(user: Named, role: Role, place: Named) -> Scope:
    return Scope(user.id, (Grant(role, place.id),))


def _words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


# What a team does


def test_a_case_is_opened_worked_on_and_closed(world: World, client_as: Clients) -> None:
    client = client_as(world.rep)
    case_id = _open(client, world, person=world.ioana.public_id, role="whose_case")
    path = f"/cases/{case_id}"
    note = {"id": str(uuid.uuid4()), "step": "note", "day": "2026-11-20", "words": "They shouted."}
    due = {"id": str(uuid.uuid4()), "what": "Send the appeal", "due_on": "2026-11-30"}
    for _twice in range(2):
        assert client.post(f"{path}/entries/new", data=note).status_code == 303
        assert client.post(f"{path}/deadlines/new", data=due).status_code == 303
    assert (_count(CaseEntry), _count(CaseDeadline)) == (1, 1)
    text = _words(client.get(path).text)
    for words in ("Canary rota", "They shouted.", "Send the appeal", "Due in 7 days", "Ioana P"):
        assert words in text
    assert "Only one of you can open this case." in text
    closing = {"closed_on": "2026-11-23", "outcome": "won", "words": "An apology."}
    assert client.post(f"{path}/close", data=closing).status_code == 303
    assert "Closed 23 November 2026: Won" in _words(client.get(path).text)
    again = client.post(f"{path}/close", data=closing)
    assert again.status_code == 422
    assert "This case is closed already." in again.text
    assert client.post(f"{path}/reopen").status_code == 303
    assert "An apology." not in client.get(path).text


def test_sending_a_new_case_twice_opens_one(world: World, client_as: Clients) -> None:
    client = client_as(world.rep)
    data = {
        "id": str(uuid.uuid4()),
        "reference": "Once",
        "kind": "collective",
        "matter": "pay",
        "opened_on": "2026-11-02",
    }
    for _twice in range(2):
        reply = client.post(f"/cases/new?place={world.mill.public_id}", data=data)
        assert reply.status_code == 303
    assert (_count(Case), _count(CaseTeamMember)) == (1, 1)


@pytest.mark.parametrize(
    ("page", "data", "sentence"),
    [
        ("entries/new", {"step": "note", "day": "2026-11-20"}, "Write the note, or choose"),
        ("entries/new", {"step": "note", "day": "2026-11-24", "words": "x"}, "not come yet"),
        ("deadlines/new", {"what": "x", "due_on": "2026-11-01"}, "before the case was opened"),
        ("deadlines/new", {"what": "x", "due_on": "2036-11-01"}, "more than five years ahead"),
        ("close", {"closed_on": "2026-11-01", "outcome": "won"}, "before the case was opened"),
        ("close", {"closed_on": "2026-11-30", "outcome": "won"}, "not come yet"),
        ("team", {"user": "x"}, "does not hold the place of this case"),
    ],
)
def test_a_refusal_says_why_keeps_what_was_typed_and_stores_nothing(
    world: World, client_as: Clients, page: str, data: dict[str, str], sentence: str
) -> None:
    client = client_as(world.rep)
    case_id = _open(client, world)
    before = [_count(model) for model in TABLES]
    reply = client.post(f"/cases/{case_id}/{page}", data=data)
    assert reply.status_code == 422
    assert sentence in reply.text
    assert [_count(model) for model in TABLES] == before


def test_two_who_change_a_case_see_both_versions(world: World, client_as: Clients) -> None:
    client = client_as(world.rep)
    case_id = _open(client, world)
    data = {
        "reference": "First",
        "kind": "individual",
        "matter": "pay",
        "opened_on": "2026-11-02",
        "version": "1",
    }
    assert client.post(f"/cases/{case_id}/change", data=data).status_code == 303
    reply = client.post(f"/cases/{case_id}/change", data={**data, "reference": "Second"})
    assert reply.status_code == 409
    assert "First" in reply.text
    assert "Second" in reply.text
    wins = {**data, "reference": "Second", "version": "2"}
    assert client.post(f"/cases/{case_id}/change", data=wins).status_code == 303


def test_a_person_is_found_by_name_and_given_one_part(world: World, client_as: Clients) -> None:
    client = client_as(world.rep)
    path = f"/cases/{_open(client, world)}/people"
    found = client.post(path, data={"q": "tomasz"}).text
    assert "Tomasz K" in found
    assert "Ioana P" not in found
    add = {"person": str(world.tomasz.public_id), "role": "witness"}
    assert client.post(f"{path}/add", data=add).status_code == 303
    twice = client.post(f"{path}/add", data=add, follow_redirects=True)
    assert "Tomasz K is in this case already." in twice.text
    outside = {"person": str(world.docker.public_id), "role": "witness"}
    assert client.post(f"{path}/add", data=outside).status_code == 404
    assert _count(CasePerson) == 1


def test_a_collective_case_says_how_many_and_what_is_not_known(
    world: World, client_as: Clients
) -> None:
    client = client_as(world.rep)
    case_id = _open(client, world, kind="collective")
    text = _words(client.get(f"/cases/{case_id}").text)
    assert "0 people are named in the case." in text
    assert "4 people are on the list at The Mill. 8 to 10 work there. How many" in text
    assert "How many it is about is not known." in text
    assert "As at 23 November 2026" in text


# The team


def test_a_team_grows_and_who_leaves_reads_nothing_any_more(
    world: World, client_as: Clients
) -> None:
    rep, organiser = client_as(world.rep), client_as(world.organiser)
    case_id = _open(rep, world)
    path = f"/cases/{case_id}"
    assert organiser.get(path).status_code == 404
    join = {"user": str(world.organiser.public_id)}
    assert rep.post(f"{path}/team", data=join).status_code == 303
    assert organiser.get(path).status_code == 200
    left = rep.post(f"{path}/team/{world.rep.public_id}/remove")
    assert left.location == "/cases"
    assert rep.get(path).status_code == 404
    assert rep.post(f"{path}/reopen").status_code == 404
    assert "Canary rota" not in rep.get("/cases").text
    last = organiser.post(f"{path}/team/{world.organiser.public_id}/remove", follow_redirects=True)
    assert "Nobody else on the team could open this case then." in last.text
    assert organiser.get(path).status_code == 200


def test_who_stays_must_still_hold_the_place(world: World, client_as: Clients) -> None:
    rep = client_as(world.rep)
    path = f"/cases/{_open(rep, world)}"
    rep.post(f"{path}/team", data={"user": str(world.organiser.public_id)})
    _end_grants(world.organiser)
    assert client_as(world.organiser).get(path).status_code in {403, 404}
    assert "No role at this place now: cannot open it" in rep.get(path).text
    stays = rep.post(f"{path}/team/{world.rep.public_id}/remove", follow_redirects=True)
    assert "Nobody else on the team could open this case then." in stays.text


def test_only_users_who_hold_the_place_are_put_on_the_team(
    world: World, client_as: Clients
) -> None:
    rep = client_as(world.rep)
    path = f"/cases/{_open(rep, world)}/team"
    page = rep.get(path).text
    assert "Ana Organiser" in page
    for stranger in (world.dock_rep, world.admin, world.rep):
        assert rep.post(path, data={"user": str(stranger.public_id)}).status_code == 422
    assert _count(CaseTeamMember) == 1


def _end_grants(user: Named) -> None:
    with unit_of_work(ALL) as session:
        for grant in session.query(AccessGrant).filter_by(user_id=user.id):
            grant.valid_to = TODAY


# Nobody else


@pytest.mark.parametrize("who", ["organiser", "officer", "boss_of_all", "dock_rep", "admin"])
def test_nobody_off_the_team_learns_that_there_is_a_case(
    world: World, client_as: Clients, who: str
) -> None:
    case_id = _open(client_as(world.rep), world, person=world.ioana.public_id)
    client = client_as(getattr(world, who))
    client_as(world.rep).post(
        f"/cases/{case_id}/deadlines/new", data={"what": "Canary day", "due_on": "2026-11-24"}
    )
    paths = [
        "/",
        "/cases",
        f"/people/{world.ioana.public_id}",
        f"/history/person/{world.ioana.public_id}",
        f"/places/{world.mill.public_id}",
        f"/history/place/{world.mill.public_id}",
        "/trail",
        "/trail/accounts",
    ]
    for path in paths:
        assert "canary" not in client.get(path).text.lower(), path
        assert str(case_id) not in client.get(path).text, path
    for path in (f"/cases/{case_id}", f"/cases/{case_id}/team", f"/cases/{case_id}/people"):
        nobody = client.get(path.replace(str(case_id), str(uuid.uuid4())))
        assert client.get(path).status_code == nobody.status_code
        assert nobody.status_code in {403, 404}
    rep = client_as(world.rep)
    assert "Canary rota" in rep.get(f"/people/{world.ioana.public_id}").text
    assert "Canary day" in rep.get("/").text


@pytest.mark.parametrize("model", TABLES)
def test_the_lock_lets_only_the_team_read_whatever_role_others_hold(
    world: World, client_as: Clients, model: Any
) -> None:
    case_id = _open(client_as(world.rep), world, person=world.ioana.public_id)
    client_as(world.rep).post(
        f"/cases/{case_id}/entries/new",
        data={"step": "note", "day": "2026-11-20", "words": "Canary"},
    )
    client_as(world.rep).post(
        f"/cases/{case_id}/deadlines/new", data={"what": "Canary", "due_on": "2026-11-24"}
    )
    everything = Named(1, uuid.uuid4(), "Everything")
    over_all = tuple(Grant(role, everything.id, covers_everything=True) for role in Role)
    others = (
        Scope(world.boss_of_all.id, over_all),
        Scope(world.organiser.id, over_all),
        _scope(world.rep, Role.REP, world.dock),
        Scope(world.rep.id, ()),
    )
    for scope in (*others, _scope(world.rep, Role.REP, world.mill)):
        with unit_of_work(scope, read_only=True) as session:
            seen = len(session.scalars(scope.select(model)).all())
            alias = sa.orm.aliased(model)
            assert len(session.scalars(scope.select(alias)).all()) == seen
        assert seen == (0 if scope in others else 1)


def test_the_trail_of_a_case_is_its_teams_alone_and_holds_no_note(
    world: World, client_as: Clients
) -> None:
    rep = client_as(world.rep)
    case_id = _open(rep, world, person=world.ioana.public_id)
    rep.post(
        f"/cases/{case_id}/entries/new",
        data={"step": "note", "day": "2026-11-20", "words": "Canary words"},
    )
    rep.get(f"/cases/{case_id}")
    with unit_of_work(ALL, read_only=True) as session:
        rows = session.scalars(ALL.select(AuditEntry).where(AuditEntry.case_id.is_not(None))).all()
        assert {row.subject for row in rows} == {
            "case_file",
            "case_team_member",
            "case_person",
            "case_entry",
        }
        assert any(row.verb == "view" for row in rows)
        assert "Canary words" not in str([(row.old, row.new) for row in rows])
        assert all(row.place_id is None and row.contact_id is None for row in rows)
    for role in Role:
        scope = Scope(world.rep.id, (Grant(role, 1, covers_everything=True),))
        for permission in (None, Permission.AUDIT_READ, Permission.USER_WRITE):
            with unit_of_work(scope, read_only=True) as session:
                found = session.scalars(scope.select(AuditEntry, permission=permission)).all()
                assert not [row for row in found if row.case_id is not None]


def test_nobody_off_the_team_writes_in_a_case(world: World, client_as: Clients) -> None:
    _open(client_as(world.rep), world)
    with unit_of_work(ALL, read_only=True) as session:
        case = session.scalars(ALL.select(Case)).one()
    organiser = _scope(world.organiser, Role.ORGANISER, world.branch)
    rows: list[Callable[[], Any]] = [
        lambda: CaseTeamMember(case_id=case.id, user_id=world.organiser.id, joined_at=NOW),
        lambda: CaseEntry(case_id=case.id, day=TODAY, step="note", words="x", recorded_at=NOW),
        lambda: CaseDeadline(case_id=case.id, due_on=TODAY, what="x", created_at=NOW),
        lambda: CasePerson(
            case_id=case.id, contact_id=world.ioana.id, role="witness", added_at=NOW
        ),
    ]
    for make in rows:
        with pytest.raises(OutsideScopeError):
            _store(organiser, make())
    with pytest.raises(OutsideScopeError):
        _rename(organiser)


def _store(scope: Scope, row: Any) -> None:
    with unit_of_work(scope) as session:
        session.add(row)
        session.flush()


def _rename(scope: Scope) -> None:
    with unit_of_work(scope) as session:
        found = session.scalars(ALL.select(Case)).one()
        found.reference = "Mine now"
        session.flush()


def _open_under(
    scope: Scope, facts: service.CaseFacts, place: uuid.UUID, case_id: uuid.UUID
) -> None:
    with unit_of_work(scope) as session:
        service.open_case(
            session,
            scope,
            facts,
            place=place,
            case_id=case_id,
            person=None,
            now=NOW,
            today=TODAY,
        )


def test_an_open_case_is_not_joined_by_opening_it_again(world: World, client_as: Clients) -> None:
    case_id = _open(client_as(world.rep), world)
    facts = service.CaseFacts("Mine", "individual", "pay", TODAY, None)  # type: ignore[arg-type]
    organiser = _scope(world.organiser, Role.ORGANISER, world.branch)
    with pytest.raises(NotFound):
        _open_under(organiser, facts, world.mill.public_id, case_id)
    assert client_as(world.organiser).get(f"/cases/{case_id}").status_code == 404


def test_a_calendar_counts_deadlines_of_ones_own_cases_without_a_word(
    world: World, client_as: Clients
) -> None:
    rep = client_as(world.rep)
    case_id = _open(rep, world)
    rep.post(f"/cases/{case_id}/deadlines/new", data={"what": "One", "due_on": "2026-11-30"})
    rep.post(f"/cases/{case_id}/deadlines/new", data={"what": "Two", "due_on": "2026-11-30"})

    def _dated(scope: Scope) -> list[tuple[date, int]]:
        with unit_of_work(scope, read_only=True) as session:
            found = list_dated(session, scope, today=TODAY)
        return [(one.day, one.count) for one in found if one.kind is DatedKind.DEADLINE]

    mine = _scope(world.rep, Role.REP, world.mill)
    assert _dated(mine) == [(TODAY + timedelta(days=7), 2)]
    assert _dated(_scope(world.organiser, Role.ORGANISER, world.branch)) == []
    deadline = _first(CaseDeadline)
    rep.post(f"/cases/{case_id}/deadlines/{deadline.public_id}/done")
    assert _dated(mine) == [(TODAY + timedelta(days=7), 1)]
    rep.post(f"/cases/{case_id}/close", data={"closed_on": "2026-11-23", "outcome": "lost"})
    assert _dated(mine) == []


def _first(model: Any) -> Any:
    with unit_of_work(ALL, read_only=True) as session:
        return session.scalars(ALL.select(model).order_by(model.id)).first()


# Nobody left


@pytest.fixture
def crm(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """crm("stuck-cases") runs a command over the test's own database."""

    @contextmanager
    def _same_app(*, practice: bool = False) -> Iterator[Flask]:
        yield app

    monkeypatch.setattr(cli, "_app", _same_app)
    return lambda *words: CliRunner().invoke(cli.main, list(words))


def test_a_case_that_nobody_can_open_is_given_to_somebody_from_the_command_line(
    world: World, client_as: Clients, crm: Callable[..., Any]
) -> None:
    case_id = _open(client_as(world.rep), world)
    assert "None:" in crm("stuck-cases").output
    names = {world.organiser.id: "ana", world.dock_rep.id: "lukasz"}
    with unit_of_work() as session:
        for user in session.query(UserAccount).where(UserAccount.id.in_(names)):
            user.sign_in_name = names[user.id]
    taken = crm("give-case", str(case_id), names[world.organiser.id])
    assert "There is no such case that nobody can open." in taken.output
    _end_grants(world.rep)
    listed = crm("stuck-cases").output
    assert str(case_id) in listed
    assert "Canary rota" not in listed
    assert "holds no role" in crm("give-case", str(case_id), names[world.dock_rep.id]).output
    assert crm("give-case", str(case_id), names[world.organiser.id]).exit_code == 0
    assert client_as(world.organiser).get(f"/cases/{case_id}").status_code == 200
    with unit_of_work(ALL, read_only=True) as session:
        row = session.scalars(
            ALL.select(AuditEntry).where(
                AuditEntry.subject == "case_team_member", AuditEntry.actor_id.is_(None)
            )
        ).one()
        assert row.reason


def test_the_page_takes_the_same_statements_however_much_is_in_the_case(
    world: World, client_as: Clients, count_statements: list[str]
) -> None:
    client = client_as(world.rep)
    case_id = _open(client, world)

    def _sent() -> int:
        client.get(f"/cases/{case_id}")
        count_statements.clear()
        client.get(f"/cases/{case_id}")
        return len(count_statements)

    def _add(number: int) -> None:
        entry = {"step": "meeting", "day": "2026-11-20", "words": f"No {number}"}
        client.post(f"/cases/{case_id}/entries/new", data=entry)

    _add(0)
    before = _sent()
    for number in range(1, 9):
        _add(number)
    assert _sent() == before <= 14
