"""Bringing a large list in: the wizard's check and import beside a bare read and a bare insert.

The bare way reads the same file and puts the same values into the same tables, with the same
indexes, in one statement a table: no rule, no right, no trail, no duplicate check.
"""

from __future__ import annotations

import io
import json
import resource
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from flask import Flask

from crm.analysis.tables.apart import read_apart, read_here
from crm.analysis.tables.found import Asked
from crm.domain.vocabulary import ImportKind, ImportState, ListOrigin, RowState
from crm.features.imports import queries, service
from crm.features.imports.rules import rules_of
from crm.models.contacts import Contact, ContactPoint, Job
from crm.web import migrating
from crm.web.db import db, unit_of_work
from tests import factories
from tests.factories import ALL

_GIVEN = ("Aneta", "Bilal", "Carys", "Dev", "Ewa", "Farah", "Gareth", "Hana", "Ivo", "Joy")
_LAST = ("Nowak", "Hussain", "Pugh", "Patel", "Zielinska", "Khan", "Owen", "Novak", "Ilic", "Ade")
DAY = date(2026, 11, 1)


def list_of(people: int) -> bytes:
    """Return a CSV file of so many invented people, each with a phone of their own."""
    file = io.StringIO()
    file.write("Name,Mobile,Email\r\n")
    for number in range(people):
        given = _GIVEN[number % 10]
        last = f"{_LAST[number // 10 % 10]}{number // 100}"
        # Not a number of anybody: nine letters of digits after 07700 never are.
        file.write(f"{given} {last},07700{number:07},{given.lower()}{number}@example.org\r\n")
    return file.getvalue().encode()


@contextmanager
def _timed(found: dict[str, float], name: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    found[name] = time.perf_counter() - started


def measure(app: Flask, people: int) -> dict[str, float]:
    """Return the seconds of each step on an empty database, and the most memory in MiB."""
    found: dict[str, float] = {}
    content = list_of(people)
    now = datetime.now(UTC)
    with app.app_context():
        migrating.upgrade()
        with unit_of_work(ALL) as session:
            employer = factories.make_employer(session)
            site = factories.make_workplace(session, employer)
            elsewhere = factories.make_employer(session, "Elsewhere")
            other = factories.make_workplace(session, elsewhere, "The Depot")
            user = factories.make_user(session, role=factories.Role.ORGANISER, place=employer)
            ids = (site.public_id, other.id, user.id)
        with _timed(found, "bare read"):
            bare = read_here(content, Asked())
        with _timed(found, "bare insert"):
            _insert_bare(bare.rows[1:], ids[1], now)
        with _timed(found, "read apart"):
            table = read_apart(content)
        scope = _scope(ids[2])
        public_id = uuid4()
        with _timed(found, "keep and match"), unit_of_work(scope) as session:
            service.add_import(
                session,
                scope,
                public_id=public_id,
                kind=ImportKind.PEOPLE,
                origin=ListOrigin.OUR_OWN,
                origin_note=None,
                file_name="bench.csv",
                table=table,
                sealed_file=content,
                sealed_table=zlib.compress(json.dumps(table.as_plain()).encode(), 1),
                today=DAY,
                now=now,
            )
        with _timed(found, "check"), unit_of_work(scope) as session:
            rules = rules_of(queries.get_import(session, scope, public_id).settings)
            rules = replace(rules, workplace=str(ids[0]), as_at=DAY)
            service.match(session, scope, public_id, rules, table, today=DAY)
            checked = service.look(
                session, scope, public_id, table, today=DAY, time_zone="Europe/London"
            )
            service.keep_look(session, scope, public_id, checked)
            view = queries.get_import(session, scope, public_id)
            service.start(session, scope, public_id, looked=True, version=view.version, now=now)
        longest = 0.0
        with _timed(found, "import"):
            with unit_of_work(scope, read_only=True) as session:
                work = service.prepare_to_store(
                    session, scope, public_id, table, today=DAY, time_zone="Europe/London"
                )
            rows, pace = 1, service.Pace()
            while rows:
                began = time.perf_counter()
                with unit_of_work(scope) as session:
                    rows = service.import_some(
                        session, scope, public_id, work, now=now, most=pace.rows
                    )
                taken = time.perf_counter() - began
                pace.took(taken, rows)
                longest = max(longest, taken)
        found["longest chunk"] = longest
        with unit_of_work(scope, read_only=True) as session:
            view = queries.get_import(session, scope, public_id)
            if view.state is not ImportState.DONE or view.count(RowState.STORED) != people:
                raise SystemExit(f"Only {view.count(RowState.STORED)} of {people} came in.")
    found["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return found


def _scope(user_id: int) -> Any:
    from crm.web.guard import scope_of

    with unit_of_work(read_only=True) as session:
        return scope_of(session, user_id, DAY)


def _insert_bare(rows: tuple[tuple[str, ...], ...], site: int, now: datetime) -> None:
    """Put the same values into the tables with one statement each."""
    contact, point, job = Contact.__table__, ContactPoint.__table__, Job.__table__
    with db.engine.begin() as connection:
        first = 1 + (connection.execute(_most(contact)).scalar() or 0)
        stamp = {"recorded_at": now}
        connection.execute(
            sa.insert(contact),
            [
                {
                    "id": first + at,
                    "public_id": uuid4(),
                    "known_as": row[0],
                    "full_name": row[0],
                    "name_key": row[0].lower(),
                    "do_not_contact": False,
                    "created_at": now,
                    "version": 1,
                }
                for at, row in enumerate(rows)
            ],
        )
        connection.execute(
            sa.insert(job),
            [
                {
                    "public_id": uuid4(),
                    "contact_id": first + at,
                    "place_id": site,
                    "workplace_id": site,
                    "valid_from": DAY,
                    "from_is_first_seen": True,
                    **stamp,
                }
                for at in range(len(rows))
            ],
        )
        connection.execute(
            sa.insert(point),
            [
                {
                    "public_id": uuid4(),
                    "contact_id": first + at,
                    "kind": kind,
                    "value": value,
                    "value_key": value,
                    **stamp,
                }
                for at, row in enumerate(rows)
                for kind, value in (("phone", row[1]), ("email", row[2]))
            ],
        )


def _most(table: Any) -> Any:
    return sa.select(sa.func.max(table.c.id)).execution_options(crm_scope=True)


def main(app: Flask, people: int) -> None:
    """Measure and print."""
    found = measure(app, people)
    bare = found["bare read"] + found["bare insert"]
    wizard = found["read apart"] + found["keep and match"] + found["check"] + found["import"]
    print(f"{people:,} people")
    for name, value in found.items():
        print(f"  {name:16} {value:8.2f} {'MiB' if name == 'memory' else 's'}")
    print(f"  wizard / bare    {wizard / bare:8.1f} x")


def database_of(folder: Path, database: str | None) -> str:
    """Return the address of the database to measure: a new file unless one is given."""
    return database or f"sqlite:///{folder / 'imports.db'}"
