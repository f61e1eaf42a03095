"""New people past the session: the same rows, the same trail and the same locks as through it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access import bulk, search_index, spans
from crm.access.scope import Grant, OutsideScopeError, Scope
from crm.domain.assessment import Basis
from crm.domain.roles import Role
from crm.domain.timeline import MembershipStatus
from crm.domain.vocabulary import ContractType, HowKnown, MembershipSource, PointKind, Verb
from crm.models.audit import AuditEntry
from crm.models.base import Base, table_of
from crm.models.contacts import (
    Contact,
    ContactPoint,
    FieldBasis,
    Job,
    Membership,
    StateSpan,
)
from crm.models.conversations import Assessment
from crm.models.search import SearchCut, SearchEntry
from crm.web.db import unit_of_work
from tests.factories import ALL, NOW, TODAY, Named, World

Rows = dict[type[Base], list[dict[str, Any]]]
_PEOPLE = ("Aneta Nowak", "Zoë Ilić", "陳大文")


def _scope(user: Named, role: Role, place: Named) -> Scope:
    return Scope(user.id, (Grant(role, place.id),))


def _rows(world: World, keys: list[int], place: int, actor: int | None) -> Rows:
    """Three people at the Mill: one of whom only the job is known, two of whom more is."""
    stamp = {"recorded_at": NOW, "recorded_by_id": actor}
    rows: Rows = {model: [] for model in bulk.KINDS}
    for number, (key, name) in enumerate(zip(keys, _PEOPLE, strict=True)):
        mine = {"contact_id": key, **stamp}
        rows[Contact].append(
            {
                "id": key,
                "known_as": name,
                "full_name": name if number else None,
                "name_key": name.lower(),
                "pronouns": "she" if number == 1 else None,
                "how_known": HowKnown.MET if number else None,
                "created_at": NOW,
                "created_by_id": actor,
            }
        )
        rows[Job].append(
            {
                **mine,
                "workplace_id": world.mill.id,
                "place_id": place,
                "area_id": place if place != world.mill.id else None,
                "shift_id": None,
                # What COPY takes for an empty column, for the next one and for the next row.
                "job_title": (None, "\\N", 'Packer\t"5"\n\\.')[number],
                "contract_type": ContractType.AGENCY if number == 2 else None,
                "employer_of_record_id": None,
                "valid_from": TODAY,
                "valid_to": None,
                "from_is_first_seen": number == 1,
            }
        )
        if not number:
            continue
        rows[ContactPoint] += [
            {**mine, "kind": kind, "value": value, "value_key": value}
            for kind, value in ((PointKind.PHONE, "07700 900150"), (PointKind.EMAIL, "a@b.org"))
        ]
        rows[Membership].append(
            {
                **mine,
                "union_id": world.union.id if number == 1 else None,
                "branch_id": None,
                "status": MembershipStatus.MEMBER if number == 1 else MembershipStatus.NOT_MEMBER,
                "source": MembershipSource.UNION_LIST,
                "valid_from": TODAY,
                "valid_to": None,
            }
        )
        rows[Assessment].append(
            {
                **mine,
                "place_id": place,
                "day": TODAY,
                "rating": 2,
                "basis": Basis.TOLD,
                "ask": None,
                "assessor_id": None,
                "conversation_id": None,
            }
        )
    return rows


def _through_the_session(session: Session, world: World, actor: int) -> list[int]:
    people: list[int] = []
    rows = _rows(world, [0, 0, 0], world.packing.id, actor)
    for values in rows[Contact]:
        person = Contact(**{key: value for key, value in values.items() if key != "id"})
        session.add(person)
        session.flush()
        people.append(person.id)
    rows = _rows(world, people, world.packing.id, actor)
    for model in bulk.KINDS[1:]:
        session.add_all([model(**values) for values in rows[model]])
        session.flush()
    return people


def _past_the_session(session: Session, world: World, actor: int) -> list[int]:
    people = bulk.reserve_people(session, len(_PEOPLE))
    bulk.store_people(session, _rows(world, people, world.packing.id, actor))
    return people


def _stored(session: Session, people: list[int]) -> list[tuple[Any, ...]]:
    """Every column of the rows of these people, and their trail, but for keys and moments."""
    found: list[tuple[Any, ...]] = []
    own: set[tuple[str, Any, Any]] = set()
    connection = session.connection()
    for model in bulk.KINDS:
        table = table_of(model)
        person = table.c.id if model is Contact else table.c.contact_id
        # As the database holds it: an empty column and one that says "null" are two things.
        text = [sa.cast(column, sa.Text).label(column.key) for column in table.columns]
        asked = sa.select(*text, person.label("of")).where(person.in_(people))
        asked = asked.order_by(table.c.id).execution_options(crm_scope=True)
        for row in connection.execute(asked).mappings():
            own.add((table.name, int(row["id"]), row["public_id"].replace("-", "")))
            values = {k: v for k, v in row.items() if k not in {"id", "public_id", "contact_id"}}
            found.append((table.name, {**values, "of": people.index(row["of"])}))
    trail = connection.execute(
        sa.select(table_of(AuditEntry))
        .where(AuditEntry.contact_id.in_(people))
        .execution_options(crm_scope=True)
    ).mappings()
    for entry in trail:
        new = dict(entry["new"])
        assert (entry["subject"], new.pop("id"), new.pop("public_id").replace("-", "")) in own
        assert (entry["subject"], entry["subject_id"], entry["subject_public_id"].hex) in own
        of = new.pop("contact_id", entry["contact_id"])
        assert of == entry["contact_id"]
        left = {k: v for k, v in entry.items() if k not in {"id", "at", "contact_id", "new"}}
        left.pop("subject_id")
        left.pop("subject_public_id")
        found.append(("trail", {**left, "of": people.index(of), "new": new}))
    return sorted(found, key=str)


def test_rows_and_trail_are_those_of_the_session_row_for_row(world: World) -> None:
    scope = _scope(world.organiser, Role.ORGANISER, world.branch)
    stores: tuple[Callable[..., list[int]], ...] = (_through_the_session, _past_the_session)
    both = []
    for store in stores:
        with unit_of_work(scope) as session:
            session.info["request_id"] = "the same"
            people = store(session, world, scope.actor_id)
        with unit_of_work(ALL, read_only=True) as session:
            both.append(_stored(session, people))
    assert len(both[0]) == 2 * (3 + 3 + 4 + 2 + 2)
    assert both[0] == both[1]


def test_spans_and_lines_of_the_search_are_those_of_the_stored_facts(world: World) -> None:
    scope = _scope(world.organiser, Role.ORGANISER, world.branch)
    with unit_of_work(scope) as session:
        people = _past_the_session(session, world, world.organiser.id)
    with unit_of_work(ALL) as session:
        assert spans.rebuild(session, people, store=False) == 0
        assert search_index.refresh_many(session, people) == 0
        for table, count in ((table_of(StateSpan), 3), (table_of(SearchEntry), 3)):
            held = sa.select(sa.func.count()).where(table.c.contact_id.in_(people))
            held = held.execution_options(crm_scope=True)
            assert session.connection().execute(held).scalar() == count
        # The words can be guessed, and the name of the area is among them.
        words = sa.select(table_of(SearchCut).c.word).distinct().execution_options(crm_scope=True)
        assert {"nowak", "ilic", "packing"} <= set(session.connection().execute(words).scalars())


def _refused(
    scope: Scope | None, rows: Callable[[list[int]], Rows], error: type[Exception]
) -> None:
    count = sa.select(sa.func.count()).select_from(table_of(AuditEntry))
    count = count.execution_options(crm_scope=True)
    with unit_of_work(ALL, read_only=True) as session:
        before = session.connection().execute(count).scalar()
    with pytest.raises(error), unit_of_work(scope) as session:
        bulk.store_people(session, rows(bulk.reserve_people(session, 3)))
    with unit_of_work(ALL, read_only=True) as session:
        connection = session.connection()
        assert connection.execute(count).scalar() == before


def test_what_lies_outside_the_scope_is_refused_and_nothing_is_stored(world: World) -> None:
    scope = _scope(world.organiser, Role.ORGANISER, world.branch)

    def fine(keys: list[int]) -> Rows:
        return _rows(world, keys, world.packing.id, scope.actor_id)

    def elsewhere(keys: list[int]) -> Rows:
        return _rows(world, keys, world.dock.id, scope.actor_id)

    def without_a_job(keys: list[int]) -> Rows:
        return {**fine(keys), Job: fine(keys)[Job][1:]}

    def of_somebody_known(keys: list[int]) -> Rows:
        rows = fine(keys)
        rows[ContactPoint][0]["contact_id"] = world.docker.id
        return rows

    def standing_elsewhere(keys: list[int]) -> Rows:
        rows = fine(keys)
        rows[Assessment][0]["place_id"] = world.dock.id
        return rows

    for rows in (elsewhere, without_a_job, of_somebody_known, standing_elsewhere):
        _refused(scope, rows, OutsideScopeError)
    _refused(None, fine, OutsideScopeError)
    # A rep may look at people of the Mill, and not add any at the Dock; nobody stores other tables.
    _refused(_scope(world.dock_rep, Role.REP, world.dock), fine, OutsideScopeError)
    _refused(scope, lambda keys: {**fine(keys), FieldBasis: [{}]}, ValueError)


def test_a_key_that_the_trail_has_seen_is_not_used_again(world: World) -> None:
    with unit_of_work(ALL) as session:
        last = bulk.reserve_people(session, 1)[0]
        session.add(
            AuditEntry(
                at=NOW, verb=Verb.DELETE, subject="contact", subject_id=last, contact_id=last
            )
        )
    with unit_of_work(ALL) as session:
        keys = bulk.reserve_people(session, 3)
        bulk.store_people(session, _rows(world, keys, world.mill.id, None))
        assert bulk.store_people(session, {Contact: [], Job: []}) == {}
        session.add(
            person := Contact(known_as="Bo", name_key="bo", created_at=NOW, created_by_id=None)
        )
        session.flush()
        # Both ways draw from one count.
        assert len({last, *keys, person.id}) == 5
        assert person.id > max(keys) > min(keys) > last
