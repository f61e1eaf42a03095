"""The measurements of one database that ``bench.load`` filled. Each returns rows for the report."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import psycopg
import sqlalchemy as sa
import sqlcipher3.dbapi2 as sqlcipher
from flask import Flask

from bench import by_hand, generate, names
from bench.pages import EMPTY, get, post, sign_in
from bench.timing import Times, in_turn, statements_of
from crm.access.permissions import Permission
from crm.access.scope import Grant, Scope
from crm.domain.assessment import DEFAULT_EXPIRY
from crm.domain.roles import Role
from crm.domain.vocabulary import PlaceKind
from crm.features.density.queries import month_ends, year_before
from crm.models.contacts import Contact, Job, StateSpan
from crm.models.places import Place, Workplace
from crm.reads import figures
from crm.reads.decisions import Unit
from crm.reads.measures import measures
from crm.reads.movement import movement, year_of_change
from crm.reads.readiness import get_readiness
from crm.web.db import db, unit_of_work

_READ = {"crm_scope": True}
SEARCHED = "marta"


@dataclass(frozen=True, slots=True)
class Landmarks:
    """The records that the measurements look at."""

    root_id: int
    branch_id: int
    workplace_id: int
    workplace: uuid.UUID
    branch: uuid.UUID
    root: uuid.UUID
    # People of the first rep's workplace with a job now.
    people: tuple[uuid.UUID, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """One page as it was measured. statements: SQL of one request; weight: its bytes."""

    name: str
    path: str
    times: Times
    statements: int
    weight: int


@dataclass(frozen=True, slots=True)
class Ratio:
    """A page or a POST against the sum of the least that it could take."""

    name: str
    taken: Times
    floor: dict[str, Times]

    @property
    def ratio(self) -> float:
        """Times the floor, of medians of one run."""
        return self.taken.median / sum(times.median for times in self.floor.values())

    @property
    def work_ratio(self) -> float:
        """Times the floor, of this process's own work alone."""
        return self.taken.work / sum(times.work for times in self.floor.values())


def find_landmarks() -> Landmarks:
    """Return the records to look at."""
    with db.engine.connect().execution_options(**_READ) as connection:
        root_id = connection.exec_driver_sql(
            "SELECT id FROM place WHERE kind = 'everything'"
        ).scalar_one()
        branch_id, workplace_id = connection.execute(
            sa.text(
                "SELECT b.place_id, r.place_id FROM access_grant b, access_grant r"
                " WHERE b.user_id = (SELECT id FROM user_account WHERE sign_in_name = :organiser)"
                " AND r.user_id = (SELECT id FROM user_account WHERE sign_in_name = :rep)"
            ),
            {"organiser": generate.ORGANISER, "rep": generate.REP},
        ).one()
        workplace = connection.execute(
            sa.select(Workplace.public_id).where(Workplace.id == workplace_id)
        ).scalar_one()
        branch, root = (
            connection.execute(sa.select(Place.public_id).where(Place.id == one)).scalar_one()
            for one in (branch_id, root_id)
        )
        people = connection.execute(
            sa.select(Contact.public_id)
            .join(Job, Job.contact_id == Contact.id)
            .where(Job.workplace_id == workplace_id, Job.valid_to.is_(None))
            .order_by(Contact.id)
            .limit(40)
        ).scalars()
        return Landmarks(root_id, branch_id, workplace_id, workplace, branch, root, tuple(people))


def density(app: Flask, today: date, *, user: str, node_id: int, rounds: int) -> Ratio:
    """Return the density page of this user against its statements by hand and an empty page."""
    client = sign_in(app, user)
    with app.app_context():
        dialect = db.engine.dialect.name
        pooled = db.engine.raw_connection()
    table = by_hand.table_sql(node_id, today)
    trend = by_hand.trend_sql(node_id, month_ends(today), dialect)

    times = in_turn(
        {
            "page": get(client, "/dash"),
            "its table by hand": ask_by_hand(pooled, table),
            "its trend by hand": ask_by_hand(pooled, trend),
            "an empty page": get(client, EMPTY),
        },
        rounds=rounds,
    )
    pooled.rollback()
    pooled.close()
    taken = times.pop("page")
    return Ratio("Density page", taken, times)


def wall(
    app: Flask, marks: Landmarks, today: date, *, node_id: int, user: str, rounds: int, by: str
) -> Ratio:
    """Return the wall chart of the rep's workplace against its statements by hand and an empty
    page. by: what it has a column for, as its address says it."""
    client = sign_in(app, user)
    with app.app_context():
        pooled = db.engine.raw_connection()
    people = by_hand.wall_sql(node_id, marks.workplace_id, today)
    ties = by_hand.ties_sql(marks.workplace_id, today)
    times = in_turn(
        {
            "page": get(client, f"/places/{marks.workplace}/wall?by={by}"),
            "its people by hand": ask_by_hand(pooled, people),
            "its ties by hand": ask_by_hand(pooled, ties),
            "an empty page": get(client, EMPTY),
        },
        rounds=rounds,
    )
    pooled.rollback()
    pooled.close()
    taken = times.pop("page")
    return Ratio(f"Wall chart by {by}", taken, times)


def today(app: Flask, day: date, *, user: str, node_id: int, rounds: int) -> Ratio:
    """Return Today of this user against its three long statements by hand and an empty page."""
    statements = {
        "its people by hand": by_hand.to_speak_to_sql(node_id, user, day),
        "its week by hand": by_hand.week_sql(node_id, user, day),
        "its count of the asked by hand": by_hand.asked_sql(node_id, day),
    }
    return _page_against(app, "Today", "/", statements, user=user, rounds=rounds)


def search(app: Flask, day: date, *, user: str, node_id: int, rounds: int) -> Ratio:
    """Return the search for a common name against its statement by hand and an empty page."""
    statements = {"its people by hand": by_hand.search_sql(node_id, SEARCHED, day)}
    path = f"/people?q={SEARCHED}"
    return _page_against(app, "Search for a name", path, statements, user=user, rounds=rounds)


def _page_against(
    app: Flask, name: str, path: str, statements: Mapping[str, str], *, user: str, rounds: int
) -> Ratio:
    client = sign_in(app, user)
    with app.app_context():
        pooled = db.engine.raw_connection()
    times = in_turn(
        {
            "page": get(client, path),
            **{part: ask_by_hand(pooled, statement) for part, statement in statements.items()},
            "an empty page": get(client, EMPTY),
        },
        rounds=rounds,
    )
    pooled.rollback()
    pooled.close()
    taken = times.pop("page")
    return Ratio(name, taken, times)


def ask_by_hand(pooled: Any, statement: str, *, may_be_empty: bool = False) -> Callable[[], None]:
    """Return a function that asks the statement on a connection and takes all rows.

    It raises RuntimeError when nothing is found, unless that may be.
    """

    def run() -> None:
        cursor = pooled.cursor()
        cursor.execute(statement)
        if not cursor.fetchall() and not may_be_empty:
            raise RuntimeError("The statement by hand found nothing.")
        cursor.close()

    return run


def log_a_talk(app: Flask, marks: Landmarks, *, rounds: int) -> Ratio:
    """Return the POST that saves a talk against an empty POST and one durable insert."""
    client = sign_in(app, generate.REP)

    def talk() -> dict[str, Any]:
        return {
            "id": str(uuid.uuid4()),
            "rating": "2",
            "basis": "said",
            "issues": ["pay", "shifts"],
            "asked": "meeting",
            "answer": "yes",
            "again": "next_week",
        }

    # Each person in turn: the pages differ by their id, so the address changes with the body.
    senders = [post(client, f"/log/{person}", talk) for person in marks.people]
    turn = itertools.cycle(senders)
    times = in_turn(
        {
            "post": lambda: next(turn)(),
            "an empty POST": post(client, EMPTY, dict),
            "one durable insert": _durable_insert(app),
        },
        rounds=rounds,
    )
    taken = times.pop("post")
    return Ratio("Log a talk, POST", taken, times)


def _durable_insert(app: Flask) -> Callable[[], None]:
    """Return a function that stores one row for good, on a connection of its own."""
    make = "CREATE TABLE IF NOT EXISTS bench_row (id INTEGER PRIMARY KEY, words TEXT)"
    url = str(app.config["DATABASE_URL"])
    numbers = itertools.count(1)
    words = names.WORDS[0]
    if url.startswith("sqlite"):
        connection: Any = sqlcipher.connect(url.removeprefix("sqlite:///"), timeout=10)
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(make)
        connection.execute("DELETE FROM bench_row")

        def insert() -> None:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO bench_row VALUES (?, ?)", (next(numbers), words))
            connection.execute("COMMIT")

        return insert
    server = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)
    server.execute(make)
    server.execute("DELETE FROM bench_row")

    def insert_there() -> None:
        server.execute("INSERT INTO bench_row VALUES (%s, %s)", (next(numbers), words))

    return insert_there


def pages(
    app: Flask, marks: Landmarks, *, user: str, rounds: int, at_most_seconds: float = 60.0
) -> tuple[list[Page], list[str]]:
    """Return each page as measured for this user, and a line for each that does not answer."""
    client = sign_in(app, user)
    person = marks.people[0]
    wanted = {
        "Empty page": EMPTY,
        "Today": "/",
        "People": "/people",
        "People, search for a name": f"/people?q={SEARCHED}",
        "People, search for a phone": "/people?q=07700900123",
        "Who to log": "/log",
        "Log form": f"/log/{person}",
        "Contact": f"/people/{person}",
        "Places": "/places",
        "Workplace": f"/places/{marks.workplace}",
        "Wall chart": f"/places/{marks.workplace}/wall",
        "Wall chart, by leader": f"/places/{marks.workplace}/wall?by=leader",
        "Leaders of a workplace": f"/places/{marks.workplace}/leaders",
        "Density": "/dash",
        "Report": f"/reports/{marks.branch if user == generate.ORGANISER else marks.root}",
    }
    with app.app_context():
        engine = db.engine
    found: list[Page] = []
    missing: list[str] = []
    for name, path in wanted.items():
        try:
            times = in_turn(
                {name: get(client, path)}, rounds=rounds, at_most_seconds=at_most_seconds
            )
        except RuntimeError as error:
            missing.append(str(error))
            continue
        with statements_of(engine) as sent:
            weight = len(client.get(path).get_data())
        found.append(Page(name, path, times[name], len(sent), weight))
    return found, missing


def reads(marks: Landmarks, today: date, *, rounds: int, everything: bool = False) -> list[Page]:
    """Return the reads behind the pages of figures, without HTTP and templates; and what the
    decomposition of a year must ask at the least, by hand."""
    node = marks.root_id if everything else marks.branch_id
    grant = Grant(role=Role.ORGANISER, place_id=node, covers_everything=everything)
    question = figures.Question(as_at=today)
    answers: dict[str, Callable[[], object]] = {}

    def asked(read: Callable[..., object], *more: Any) -> Callable[[], None]:
        def run() -> None:
            # A scope is made anew for each request, so it is here.
            scope = Scope(actor_id=1, grants=(grant,))
            with unit_of_work(scope, read_only=True) as session:
                read(session, scope, question, *more)

        return run

    answers["Density table, read only"] = asked(figures.density_table)
    answers["Trend of a year, read only"] = asked(figures.trend, month_ends(today))
    year_ago = year_before(today)
    unit = Unit(node, uuid.UUID(int=0), PlaceKind.BRANCH, "")
    answers["Moves of a year, by hand"] = ask_by_hand(
        db.engine.raw_connection(), by_hand.moves_sql(node, year_ago, today)
    )
    answers["What changed in a year, read only"] = asked(partial(movement, since=year_ago))
    answers["Leavers of a year, read only"] = asked(
        partial(year_of_change, since=year_ago, month_ends=month_ends(today)[:-1])
    )
    answers["Density in full, read only"] = asked(
        partial(measures, expiry=DEFAULT_EXPIRY, day=today)
    )

    def ready() -> None:
        scope = Scope(actor_id=1, grants=(grant,))
        with unit_of_work(scope, read_only=True) as session:
            get_readiness(session, scope, unit, as_at=today, day=today, expiry=DEFAULT_EXPIRY)

    answers["Readiness with its workplaces, read only"] = ready
    found = []
    for name, answer in answers.items():
        times = in_turn({name: answer}, rounds=rounds, at_most_seconds=60.0)
        with statements_of(db.engine) as sent:
            answer()
        found.append(Page(name, "", times[name], len(sent), 0))
    return found


def scope_cost(marks: Landmarks, *, rounds: int = 300) -> dict[str, Times]:
    """Return what it takes to make and run a statement with the rules of a scope, and without."""
    grant = Grant(role=Role.ORGANISER, place_id=marks.branch_id)
    kept = Scope(actor_id=1, grants=(grant,))
    everything = Scope(actor_id=None, grants=(), reason="measuring")
    person = marks.people[0]
    plain = sa.select(Contact.id).where(Contact.public_id == person)

    with unit_of_work(kept, read_only=True) as session:

        def scoped(scope: Scope) -> None:
            session.execute(scope.select(Contact.id).where(Contact.public_id == person)).all()

        return in_turn(
            {
                "a new scope": lambda: scoped(Scope(actor_id=1, grants=(grant,))),
                "the same scope again": lambda: scoped(kept),
                "a scope over everything": lambda: scoped(everything),
                "no scope": lambda: session.execute(plain.execution_options(**_READ)).all(),
            },
            rounds=rounds,
        )


def plans(marks: Landmarks, today: date, *, everything: bool = False) -> dict[str, str]:
    """Return the database's own plan of the statements that the subtree condition decides."""
    node = marks.root_id if everything else marks.branch_id
    scope = Scope(
        actor_id=1,
        grants=(Grant(role=Role.ORGANISER, place_id=node, covers_everything=everything),),
    )
    on_day = (StateSpan.from_day <= today, StateSpan.to_day > today)
    asked: dict[str, Any] = {
        "Jobs in a subtree": scope.select(sa.func.count(Job.id)),
        "One person, if in the subtree": scope.select(Contact.id).where(
            Contact.public_id == marks.people[0]
        ),
        "People by state in a subtree as at a day": scope.select(
            StateSpan.workplace_id,
            StateSpan.member,
            sa.func.count(sa.distinct(StateSpan.contact_id)),
            permission=Permission.DENSITY_READ,
        )
        .where(*on_day)
        .group_by(StateSpan.workplace_id, StateSpan.member),
    }
    found = {}
    with unit_of_work(scope, read_only=True) as session:
        sqlite = session.get_bind().dialect.name == "sqlite"
        explain = "EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) "
        for name, statement in asked.items():
            with statements_of(db.engine) as sent:
                session.execute(statement).all()
            text, parameters = sent[-1]
            rows = session.connection().exec_driver_sql(
                explain + text, parameters, execution_options=_READ
            )
            found[name] = "\n".join(str(row[3] if sqlite else row[0]) for row in rows)
    return found
