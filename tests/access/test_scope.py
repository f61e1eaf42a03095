"""The scope: what each person sees, and the locks that cannot be forgotten."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased, selectinload

from crm.access.permissions import Permission
from crm.access.scope import (
    Grant,
    OutsideScopeError,
    Scope,
    UnscopedQueryError,
    reads_scoped_table,
    scoped_models,
    scoped_tables,
)
from crm.domain.roles import Role
from crm.models.audit import AuditEntry
from crm.models.base import Base, Public, table_of
from crm.models.contacts import Contact, ContactPoint, Job, Membership, StateSpan
from crm.models.conversations import Assessment, Conversation, ConversationNote
from crm.models.places import Area, Employer, Headcount, Place, Workplace
from crm.models.tasks import BackgroundTask, TaskFile
from crm.web.db import db, unit_of_work
from tests import factories
from tests.factories import ALL, NOW, TODAY, World


def _scope(user: factories.Named, role: Role, *places: factories.Named) -> Scope:
    return Scope(user.id, tuple(Grant(role, place.id) for place in places))


@pytest.fixture
def rep(world: World) -> Scope:
    return _scope(world.rep, Role.REP, world.mill)


def _names(session: Session, scope: Scope, statement: sa.Select[tuple[Contact]]) -> set[str]:
    return {one.known_as or one.placeholder_label or "" for one in session.scalars(statement)}


_AT_THE_MILL = {"Ioana P", "Tomasz K", "Rukhsana A", "Gareth O", "Night packer 3"}


# What each person sees


def test_a_rep_sees_the_people_who_have_or_had_a_job_in_their_places(
    world: World, rep: Scope
) -> None:
    with unit_of_work(rep, read_only=True) as session:
        assert _names(session, rep, rep.select(Contact)) == _AT_THE_MILL


def test_an_area_grant_covers_the_area_and_not_the_rest_of_the_workplace(world: World) -> None:
    scope = _scope(world.rep, Role.REP, world.packing)
    with unit_of_work(scope, read_only=True) as session:
        assert _names(session, scope, scope.select(Contact)) == {"Ioana P", "Night packer 3"}


@pytest.mark.parametrize(
    ("node", "people"),
    [
        ("mill", 5),
        ("depot", 1),
        ("brightway", 6),
        ("saltway", 1),
        ("branch", 6),
        ("other_branch", 1),
        ("union", 6),
        ("region", 6),
        ("yard", 1),
    ],
)
def test_a_grant_covers_the_subtree_of_every_sort_of_place(
    world: World, node: str, people: int
) -> None:
    scope = _scope(world.rep, Role.REP, getattr(world, node))
    with unit_of_work(scope, read_only=True) as session:
        assert len(session.scalars(scope.select(Contact)).all()) == people


def test_an_administrator_without_a_place_sees_places_and_no_people_or_notes(
    world: World,
) -> None:
    scope = Scope(world.admin.id, (Grant(Role.ADMINISTRATOR, 1, covers_everything=True),))
    with unit_of_work(scope, read_only=True) as session:
        assert len(session.scalars(scope.select(Workplace)).all()) == 3
        for model in (Contact, Job, Membership, ContactPoint, Assessment, StateSpan):
            assert session.execute(scope.select(model)).all() == []
        for model in (Conversation, ConversationNote):
            assert session.execute(scope.select(model)).all() == []


def test_no_grants_see_nothing(world: World) -> None:
    scope = Scope(world.rep.id, ())
    with unit_of_work(scope, read_only=True) as session:
        assert session.execute(scope.select(Contact)).all() == []
        assert session.execute(scope.select(Workplace)).all() == []
        assert session.execute(scope.select(Headcount)).all() == []


def test_a_rep_reads_the_name_of_the_employer_above_and_not_of_another(
    world: World, rep: Scope
) -> None:
    with unit_of_work(rep, read_only=True) as session:
        names = {one.name for one in session.scalars(rep.select(Employer))}
    assert names == {"Brightway"}


def _note(session: Session, contact: factories.Named, place: factories.Named, author: int) -> None:
    talk = Conversation(
        contact_id=contact.id,
        place_id=place.id,
        held_by_id=author,
        day=TODAY,
        held_at=NOW,
        recorded_at=NOW,
    )
    session.add(talk)
    session.flush()
    session.add(
        ConversationNote(
            conversation_id=talk.id,
            contact_id=contact.id,
            place_id=place.id,
            author_id=author,
            their_words=f"words to {author}",
        )
    )


def test_a_rep_reads_their_own_notes_and_nobody_elses(world: World, rep: Scope) -> None:
    with unit_of_work(ALL) as session:
        _note(session, world.ioana, world.mill, world.rep.id)
        _note(session, world.ioana, world.mill, world.organiser.id)
    with unit_of_work(rep, read_only=True) as session:
        found = [note.author_id for note in session.scalars(rep.select(ConversationNote))]
    assert found == [world.rep.id]
    organiser = _scope(world.organiser, Role.ORGANISER, world.branch)
    with unit_of_work(organiser, read_only=True) as session:
        assert len(session.scalars(organiser.select(ConversationNote)).all()) == 2
    officer = _scope(world.officer, Role.BRANCH_OFFICER, world.branch)
    with unit_of_work(officer, read_only=True) as session:
        assert session.scalars(officer.select(ConversationNote)).all() == []


def test_a_talk_at_another_place_is_not_seen_with_the_person(world: World, rep: Scope) -> None:
    with unit_of_work(ALL) as session:
        ioana = session.scalars(ALL.select(Contact).where(Contact.id == world.ioana.id)).one()
        dock = session.scalars(ALL.select(Workplace).where(Workplace.id == world.dock.id)).one()
        factories.make_job(session, ioana, dock)
        _note(session, world.ioana, world.dock, world.dock_rep.id)
    with unit_of_work(rep, read_only=True) as session:
        assert session.scalars(rep.select(Conversation)).all() == []
        assert {job.workplace_id for job in session.scalars(rep.select(Job))} == {world.mill.id}


def test_a_narrower_right_narrows_every_rule(world: World) -> None:
    scope = Scope(
        world.rep.id,
        (Grant(Role.REP, world.mill.id), Grant(Role.ORGANISER, world.dock.id)),
    )
    with unit_of_work(scope, read_only=True) as session:
        seen = {one.name for one in session.scalars(scope.select(Workplace))}
        writes = {
            one.name
            for one in session.scalars(scope.select(Workplace, permission=Permission.PLACE_WRITE))
        }
    assert seen == {"The Mill", "The Dock"}
    assert writes == {"The Dock"}


def test_two_scopes_in_a_row_do_not_share_a_cached_statement(world: World, rep: Scope) -> None:
    dock = _scope(world.dock_rep, Role.REP, world.dock)
    for _ in range(3):
        with unit_of_work(rep, read_only=True) as session:
            assert len(session.scalars(rep.select(Contact)).all()) == 5
        with unit_of_work(dock, read_only=True) as session:
            assert len(session.scalars(dock.select(Contact)).all()) == 1


def test_a_statement_is_made_ready_once_for_everybody_with_rules_of_the_same_shape(
    world: World, rep: Scope
) -> None:
    hits: list[str] = []

    def _note(conn, cursor, statement, parameters, context, many):  # type: ignore[no-untyped-def]
        if statement.startswith("SELECT"):
            hits.append(context.cache_hit.name)

    dock = _scope(world.dock_rep, Role.REP, world.dock)
    sa.event.listen(db.engine, "after_cursor_execute", _note)
    try:
        for scope in (rep, dock, rep):
            with unit_of_work(scope, read_only=True) as session:
                session.execute(scope.select(Contact.known_as, Contact.version)).all()
    finally:
        sa.event.remove(db.engine, "after_cursor_execute", _note)

    assert hits[1:] == ["CACHE_HIT", "CACHE_HIT"]


# Every shape of query is filtered by the same line


def test_joins_aliases_subqueries_and_exists_are_filtered(world: World, rep: Scope) -> None:
    other = aliased(Contact)
    with unit_of_work(rep, read_only=True) as session:
        joined = rep.select(Job.id, Contact.known_as).join(Contact, Contact.id == Job.contact_id)
        assert len(session.execute(joined).all()) == 5
        assert len(session.execute(rep.select(other)).all()) == 5
        inner = rep.select(Contact.id).subquery()
        assert session.execute(rep.select(sa.func.count()).select_from(inner)).scalar() == 5
        plain = sa.select(Contact.id).scalar_subquery()
        assert len(session.execute(rep.select(Contact.id).where(Contact.id.in_(plain))).all()) == 5
        some = sa.exists().where(Contact.known_as == "Bilal H")
        assert session.execute(rep.select(Workplace.id).where(some)).all() == []
        counted = session.execute(rep.select(sa.func.count(Contact.id))).scalar()
        assert counted == 5


def test_a_union_of_scoped_queries_is_refused_because_the_rules_do_not_reach_into_it(
    world: World, rep: Scope
) -> None:
    united = sa.union_all(rep.select(Contact.known_as), rep.select(Contact.known_as))
    with unit_of_work(rep, read_only=True) as session, pytest.raises(UnscopedQueryError):
        session.execute(united)


# The refusals


@pytest.mark.parametrize(
    "query",
    [
        lambda session: session.execute(sa.select(Contact)),
        lambda session: session.execute(sa.select(Contact.known_as)),
        lambda session: session.execute(sa.select(sa.func.count()).select_from(Contact)),
        lambda session: session.execute(sa.select(table_of(Contact))),
        lambda session: session.execute(sa.text("SELECT known_as FROM contact")),
        lambda session: session.execute(sa.text("WITH x AS (SELECT * FROM job) SELECT * FROM x")),
        lambda session: session.execute(sa.text('select "known_as" from "contact"')),
        lambda session: session.get(Contact, 1),
        lambda session: session.query(Contact).all(),
        lambda session: db.session.query(Place).first(),
        lambda session: pd.read_sql("SELECT * FROM membership", session.connection()),
        lambda session: session.execute(
            sa.select(AuditEntry.id).options(selectinload("*"))  # An option is not a scope.
        ),
    ],
)
def test_a_read_without_a_scope_is_refused(world: World, query) -> None:  # type: ignore[no-untyped-def]
    with unit_of_work(ALL, read_only=True) as session, pytest.raises(UnscopedQueryError):
        query(session)


@pytest.mark.parametrize(
    "write",
    [
        sa.update(Contact).values(known_as="x"),
        sa.delete(Job),
    ],
)
def test_a_bulk_write_is_refused(world: World, write: sa.Update | sa.Delete) -> None:
    with unit_of_work(ALL) as session, pytest.raises(UnscopedQueryError):
        session.execute(write)


def test_without_the_refusal_an_unscoped_read_would_leak(world: World) -> None:
    """Break the lock on purpose: it is the listener, and nothing else, that holds."""
    from crm.access import scope as module

    sa.event.remove(db.engine, "before_cursor_execute", module._refuse_unscoped)
    try:
        with unit_of_work(ALL, read_only=True) as session:
            assert len(session.scalars(sa.select(Contact)).all()) == 7
    finally:
        sa.event.listen(db.engine, "before_cursor_execute", module._refuse_unscoped)


def test_every_scoped_table_is_known_to_the_refusal() -> None:
    for table in scoped_tables():
        assert reads_scoped_table(f"SELECT 1 FROM {table}"), table
        assert reads_scoped_table(f'SELECT 1 FROM x JOIN "{table}" ON true'), table
    assert not reads_scoped_table("SELECT 1 FROM place_closure")
    assert not reads_scoped_table("INSERT INTO contact (id) VALUES (1)")


def test_every_scoped_model_has_a_rule() -> None:
    scope = Scope(1, (Grant(Role.REP, 1),))
    assert len(scope.select(Contact)._with_options) >= len(scoped_models())


# Rows outside the scope cannot be stored


def _foreign_rows(world: World) -> list[object]:
    moment = datetime.now(UTC)
    at_dock = {"contact_id": world.docker.id, "place_id": world.dock.id}
    return [
        Job(**at_dock, workplace_id=world.dock.id, valid_from=TODAY, recorded_at=moment),
        Conversation(**at_dock, day=TODAY, held_at=moment, recorded_at=moment),
        Assessment(**at_dock, rating=1, day=TODAY, basis="said", recorded_at=moment),
        Membership(
            contact_id=world.docker.id,
            union_id=world.union.id,
            status="member",
            valid_from=TODAY,
            recorded_at=moment,
        ),
        ContactPoint(
            contact_id=world.docker.id, kind="phone", value="1", value_key="1", recorded_at=moment
        ),
        Headcount(
            place_id=world.mill.id,
            on_day=TODAY,
            counts="site_all",
            low=1,
            high=1,
            source_kind="other",
            recorded_at=moment,
        ),
        Area(name="New", workplace_id=world.dock.id, created_at=moment),
        Workplace(
            name="New", employer_id=world.saltway.id, time_zone="Europe/London", created_at=moment
        ),
        Employer(name="New", created_at=moment),
        BackgroundTask(owner_id=world.organiser.id, kind="x", payload={}, created_at=moment),
        TaskFile(owner_id=world.organiser.id, task_id=1, name="x", content=b""),
    ]


def _store(scope: Scope | None, row: object) -> None:
    with unit_of_work(scope) as session:
        session.add(row)
        session.flush()


def _rename_docker(scope: Scope, world: World) -> None:
    with unit_of_work(scope) as session:
        docker = session.scalars(ALL.select(Contact).where(Contact.id == world.docker.id)).one()
        docker.known_as = "Somebody else"
        session.flush()


@pytest.mark.parametrize("which", range(11))
def test_a_row_outside_the_scope_is_not_stored(world: World, rep: Scope, which: int) -> None:
    with pytest.raises(OutsideScopeError):
        _store(rep, _foreign_rows(world)[which])


def test_changing_a_row_outside_the_scope_is_refused(world: World, rep: Scope) -> None:
    with pytest.raises(OutsideScopeError):
        _rename_docker(rep, world)


def test_scoped_rows_are_not_stored_without_a_scope(world: World) -> None:
    with pytest.raises(OutsideScopeError):
        _store(None, Contact(known_as="x", name_key="x", created_at=NOW))


# The subtree test is one indexed condition


def test_the_subtree_condition_uses_an_index_on_both_databases(
    world: World, rep: Scope, dialect: str
) -> None:
    statement = rep.select(Job.id).where(Job.contact_id == world.ioana.id)
    compiled = str(statement.compile(db.engine, compile_kwargs={"literal_binds": True}))
    assert compiled.count("place_closure") == 3  # One subquery: two columns and the table.
    with unit_of_work(ALL, read_only=True) as session:
        if dialect == "postgresql":
            session.execute(sa.text("SET LOCAL enable_seqscan = off"))
        explain = "EXPLAIN QUERY PLAN " if dialect == "sqlite" else "EXPLAIN "
        rows = session.execute(
            sa.text(explain + compiled.replace(":", r"\:")), execution_options={"crm_scope": True}
        ).all()
    plan = "\n".join(str(row) for row in rows)
    assert "place_closure" in plan
    assert "SCAN place_closure" not in plan
    assert "Seq Scan on place_closure" not in plan


def test_every_public_id_is_random() -> None:
    columns = [
        mapper.local_table.c.public_id
        for mapper in Base.registry.mappers
        if issubclass(mapper.class_, Public) and "public_id" in mapper.local_table.c
    ]
    assert len(columns) > 10
    for column in columns:
        first, second = column.default.arg(None), column.default.arg(None)
        assert (first.version, second.version) == (4, 4), column
        assert first != second, column
