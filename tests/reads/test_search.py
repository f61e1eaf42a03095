"""The search for people: what it finds and in which order, and never anybody out of scope."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from crm.access.permissions import Permission
from crm.access.scope import Grant, Scope
from crm.domain.roles import Role
from crm.domain.search import terms_of
from crm.models.contacts import Contact, ContactPoint
from crm.models.conversations import Conversation
from crm.models.places import Place, PlaceClosure, Workplace
from crm.models.search import SearchEntry
from crm.reads import people, search
from crm.reads.people import list_people
from crm.reads.search import find_people, fitting
from crm.web.db import db, unit_of_work
from tests import factories
from tests.factories import ALL, NOW, TODAY, Named, World


def _scope(user: Named, place: Named, role: Role = Role.REP) -> Scope:
    return Scope(actor_id=user.id, grants=(Grant(role, place.id),))


def _site(session: Any, place: Named) -> Any:
    return session.scalars(ALL.select(Workplace).where(Workplace.id == place.id)).one()


def _add(place: Named, *names: str, **more: Any) -> list[int]:
    with unit_of_work(ALL) as session:
        site = _site(session, place)
        return [factories.make_person(session, site, name, **more).id for name in names]


def _names(scope: Scope, text: str, as_at: date = TODAY) -> list[str]:
    with unit_of_work(scope, read_only=True) as session:
        return [row.name for row in list_people(session, scope, as_at=as_at, text=text).rows]


@pytest.fixture(params=["few lines", "through the index"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways that a search can go; which of them is a question of size alone."""
    if request.param == "through the index":
        monkeypatch.setattr(search, "_FEW_LINES", -1)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("tom", ["Tomasz K"]),
        ("masz", ["Tomasz K"]),
        ("popescu", ["Ioana P"]),
        ("packing", ["Ioana P", "Night packer 3"]),
        ("ioana packing", ["Ioana P"]),
        ("ioana yard", []),
        ("tomazs", ["Tomasz K"]),
        ("rukhsanna", ["Rukhsana A"]),
        ("ruksana", ["Rukhsana A"]),
        ("popesku ioanna", ["Ioana P"]),
        ("packer 3", ["Night packer 3"]),
        ("t", ["Tomasz K"]),
        ("bilal", []),
        ("bilall", []),
        ("gareth", []),
        ("dock", []),
        ("mill", []),
    ],
)
def test_people_are_found_by_name_area_and_with_slips(
    world: World, text: str, names: list[str]
) -> None:
    assert _names(_scope(world.rep, world.mill), text) == names


@pytest.mark.usefixtures("way")
def test_a_job_title_and_a_phone_find_somebody(world: World) -> None:
    (person,) = _add(world.mill, "Zosia", job_title="Forklift driver")
    with unit_of_work(ALL) as session:
        fact = {"kind": "phone", "value": "07700 900456", "value_key": "447700900456"}
        session.add(ContactPoint(contact_id=person, recorded_at=NOW, **fact))
    scope = _scope(world.rep, world.mill)

    for text in ("forklift", "FORK zosia", "07700 900456", "+44 7700 900 456", "zosia 0456"):
        assert _names(scope, text) == ["Zosia"], text


@pytest.mark.usefixtures("way")
def test_a_job_elsewhere_does_not_tell_of_itself(world: World) -> None:
    with unit_of_work(ALL) as session:
        ioana = session.scalars(ALL.select(Contact).where(Contact.id == world.ioana.id)).one()
        factories.make_job(session, ioana, _site(session, world.dock), job_title="Stevedore")

    assert _names(_scope(world.rep, world.mill), "stevedore") == []
    assert _names(_scope(world.rep, world.mill), "stevedor") == []
    assert _names(_scope(world.dock_rep, world.dock), "packing") == []
    assert _names(_scope(world.dock_rep, world.dock), "ioana stevedore") == ["Ioana P"]


@pytest.mark.usefixtures("way")
def test_somebody_who_left_is_found_as_at_a_day_when_they_were_there(world: World) -> None:
    scope = _scope(world.rep, world.mill)

    assert _names(scope, "gareth", date(2026, 2, 1)) == ["Gareth O"]
    assert _names(scope, "gareth", date(2026, 3, 1)) == []


@pytest.mark.usefixtures("way")
def test_whole_names_come_first_and_slips_last(world: World) -> None:
    _add(world.mill, "Denmark Z", "Markus B", "Mark C", "Marek D", "Mark A")
    _add(world.mill, "Olu E", job_title="Market hand")
    scope = _scope(world.rep, world.mill)

    with unit_of_work(scope, read_only=True) as session:
        page = list_people(session, scope, as_at=TODAY, text="mark")

    assert [row.name for row in page.rows] == [
        *("Mark A", "Mark C", "Markus B", "Denmark Z", "Olu E", "Marek D"),
    ]
    assert (page.total, page.near, page.at_least) == (6, 1, False)


@pytest.mark.usefixtures("way")
def test_those_i_talked_with_come_first_among_equals(world: World) -> None:
    ids = _add(world.mill, "Mark A", "Mark B", "Mark C", "Markus D")
    with unit_of_work(ALL) as session:
        for contact_id, user in ((ids[2], world.rep), (ids[3], world.rep), (ids[1], world.officer)):
            session.add(
                Conversation(
                    contact_id=contact_id,
                    place_id=world.mill.id,
                    held_by_id=user.id,
                    day=TODAY,
                    held_at=NOW,
                    recorded_at=NOW,
                )
            )

    assert _names(_scope(world.rep, world.mill), "mark") == [
        *("Mark C", "Mark A", "Mark B", "Markus D"),
    ]


@pytest.mark.usefixtures("way")
def test_names_that_are_only_nearly_the_same_are_left_out_where_many_fit(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _add(world.mill, "Mark A", "Mark B", "Mark C", "Marek D")
    scope = _scope(world.rep, world.mill)
    assert _names(scope, "mark")[-1] == "Marek D"

    monkeypatch.setattr(search, "_ENOUGH_AS_TYPED", 3)
    assert _names(scope, "mark") == ["Mark A", "Mark B", "Mark C"]
    # Whether slips count is a question of the text and the scope, not of the other filters.
    with unit_of_work(scope, read_only=True) as session:
        there = list_people(session, scope, as_at=TODAY, text="mark", place=world.packing.public_id)
    assert there.rows == []


@pytest.mark.usefixtures("way")
def test_too_many_are_counted_as_at_least_and_the_best_are_among_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _add(world.mill, *(f"Annabel {letter}" for letter in "abcdefgh"))
    _add(world.mill, "Ann Z")
    scope = _scope(world.rep, world.mill)

    with unit_of_work(scope, read_only=True) as session:
        few = find_people(session, scope, "ann", as_at=TODAY, most=3)
        all_of_them = find_people(session, scope, "ann", as_at=TODAY)
        first = session.scalars(scope.select(Contact.known_as).where(Contact.id == few.ids[0]))
        assert list(first) == ["Ann Z"]

    assert (len(few.ids), few.more) == (3, True)
    assert (len(all_of_them.ids), all_of_them.more) == (9, False)


@pytest.mark.usefixtures("way")
def test_a_search_inside_another_filter_gives_the_same_people(world: World) -> None:
    scope = _scope(world.organiser, world.branch, Role.ORGANISER)

    for text in ("a", "packing", "tomazs", "marta", "!!!"):
        with unit_of_work(scope, read_only=True) as session:
            found = find_people(session, scope, text, as_at=TODAY)
            inside = fitting(session, scope, text, as_at=TODAY)
            ids = session.scalars(scope.select(Contact.id).where(Contact.id.in_(inside)))
            assert set(ids) == set(found.ids), text


def test_a_right_that_holds_elsewhere_only_finds_nobody(world: World) -> None:
    scope = Scope(
        actor_id=world.rep.id,
        grants=(Grant(Role.REP, world.mill.id), Grant(Role.ORGANISER, world.depot.id)),
    )

    with unit_of_work(scope, read_only=True) as session:
        found = find_people(session, scope, "tomasz", as_at=TODAY, permission=Permission.NOTE_READ)
        here = find_people(session, scope, "marta", as_at=TODAY, permission=Permission.NOTE_READ)

    assert (found.ids, here.ids) == ((), (world.depot_worker.id,))


_GIVEN = ("Ana", "Anna", "Hanna", "Mark", "Marek", "Denmark", "Omar", "Siân", "Łukasz", "Zofia")
_FAMILY = ("Kowalski", "Kowalska", "Novak", "O’Neill", "Popescu", "Ali", "Alli")
_TITLES = ("Packer", "Market hand", "Driver", None)
_TYPED = (
    *("an", "ana", "anna", "mark", "omra", "kowalsky", "ali", "packer", "driver zofia", "yard"),
    *("packing", "0077", "447700900", "siian", "lukas", "nova mark", "z", "oneill hand"),
)


def _crowd(world: World, chance: random.Random) -> None:
    with unit_of_work(ALL) as session:
        sites = [_site(session, place) for place in (world.mill, world.depot, world.dock)]
        areas = {world.mill.id: [None, world.packing, world.yard]}
        for number in range(40):
            site = chance.choice(sites)
            name = f"{chance.choice(_GIVEN)} {chance.choice(_FAMILY)}"
            left = date(2026, 5, 1) if chance.random() < 0.2 else None
            area = chance.choice(areas.get(site.id, [None]))
            found = area and session.scalars(ALL.select(Place).where(Place.id == area.id)).one()
            title = chance.choice(_TITLES)
            person = factories.make_person(
                session, site, name, area=found, until=left, job_title=title
            )
            if chance.random() < 0.3:
                factories.make_job(session, person, chance.choice(sites), job_title="Steward")
            if chance.random() < 0.5:
                key = f"4477009{number:05}"
                fact = {"kind": "phone", "value": key, "value_key": key, "recorded_at": NOW}
                session.add(ContactPoint(contact_id=person.id, **fact))


def _held(scope: Scope) -> set[int]:
    with unit_of_work(ALL, read_only=True) as session:
        rows = session.execute(ALL.select(PlaceClosure.ancestor_id, PlaceClosure.descendant_id))
        nodes = {grant.place_id for grant in scope.grants}
        return {below for above, below in rows if above in nodes}


def _typed_fits(scope: Scope, text: str, day: date) -> set[int]:
    """The people who hold every term as typed, worked out line by line in Python."""
    held = _held(scope)
    terms = terms_of(text)
    with unit_of_work(ALL, read_only=True) as session:
        lines = session.scalars(ALL.select(SearchEntry)).all()
        return {
            line.contact_id
            for line in lines
            if line.place_id in held
            and line.valid_from <= day < line.valid_to
            and all(any(part in line.words for part in term.parts) for term in terms)
        }


def _may_see(scope: Scope) -> set[int]:
    held = _held(scope)
    with unit_of_work(ALL, read_only=True) as session:
        lines = session.scalars(ALL.select(SearchEntry)).all()
        return {line.contact_id for line in lines if line.place_id in held}


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("seed", [1, 2])
def test_random_grants_find_and_count_only_people_of_their_places(world: World, seed: int) -> None:
    chance = random.Random(seed)
    _crowd(world, chance)
    places = (world.mill, world.depot, world.dock, world.packing, world.yard, world.branch)
    for _ in range(4):
        some = chance.sample(places, chance.randint(1, 3))
        scope = Scope(
            actor_id=world.rep.id,
            grants=tuple(Grant(chance.choice([Role.REP, Role.ORGANISER]), p.id) for p in some),
        )
        visible = _may_see(scope)
        for text in chance.sample(_TYPED, 7):
            day = chance.choice([TODAY, date(2026, 4, 1)])
            with unit_of_work(scope, read_only=True) as session:
                page = list_people(session, scope, as_at=day, text=text, limit=1000)
                ids = set(find_people(session, scope, text, as_at=day).ids)
            exact = _typed_fits(scope, text, day)
            assert ids <= visible, text
            assert exact <= ids, text
            assert page.total == len(page.rows) == len(ids), text
            assert page.near == len(ids - exact), text
            if len(exact) >= 10:
                assert ids == exact, text


def test_a_search_asks_few_questions(world: World, count_statements: list[str]) -> None:
    scope = _scope(world.organiser, world.branch, Role.ORGANISER)
    for text, most in (("", 3), ("ioana", 8), ("packing", 8), ("tomazs", 8)):
        count_statements.clear()
        _names(scope, text)
        assert len(count_statements) <= most, text


def test_the_search_uses_the_index_of_trigrams(world: World, dialect: str) -> None:
    scope = Scope(
        actor_id=world.boss_of_all.id,
        grants=(Grant(Role.ORGANISER, 1, covers_everything=True),),
    )
    with unit_of_work(scope, read_only=True) as session:
        if dialect == "postgresql":
            # With seven people any index is a detour.
            session.connection().exec_driver_sql("SET LOCAL enable_seqscan = off")
        sent: list[Any] = []

        def _note(conn: Any, cursor: Any, statement: str, parameters: Any, *rest: Any) -> None:
            sent.append((statement, parameters))

        sa.event.listen(db.engine, "before_cursor_execute", _note)
        try:
            find_people(session, scope, "tomasz", as_at=TODAY)
        finally:
            sa.event.remove(db.engine, "before_cursor_execute", _note)
        statement, parameters = next(one for one in sent if "words" in one[0])
        explain = "EXPLAIN QUERY PLAN " if dialect == "sqlite" else "EXPLAIN "
        plan = "\n".join(
            str(tuple(row))
            for row in session.connection().exec_driver_sql(
                explain + statement, parameters, execution_options={"crm_scope": True}
            )
        )

    assert ("VIRTUAL TABLE INDEX" if dialect == "sqlite" else "ix_search_entry_words") in plan


@pytest.mark.parametrize("many", [2, 20_000])
def test_a_long_list_and_a_short_one_are_in_the_same_order(
    world: World, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr(people, "MANY", many)
    scope = _scope(world.organiser, world.branch, Role.ORGANISER)

    with unit_of_work(scope, read_only=True) as session:
        page = list_people(session, scope, as_at=TODAY)
        second = list_people(session, scope, as_at=TODAY, limit=2, offset=2)

    names = ["Ioana P", "Marta S", "Night packer 3", "Rukhsana A", "Tomasz K"]
    assert [row.name for row in page.rows] == names
    assert [row.name for row in second.rows] == names[2:4]
    assert (page.total, page.at_least) == ((3, True) if many == 2 else (5, False))
