"""Bringing a large list in, as on a server: pages in one process, the work in another, and a third
in which somebody else goes on working.

Seconds are by the clock; work is the processor's own time in our processes, which says more on a
machine that others use. It is held beside a bare read of the same file and a bare insert of the
same values into the same tables of an empty database, with the same indexes, in one statement a
table for each thousand rows: no rule, no right, no trail, no duplicate check, nothing derived.
"""

from __future__ import annotations

import io
import itertools
import json
import random
import select
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from flask import Flask
from sqlalchemy import event

from bench import names
from bench.pages import bench_app, get, post, sign_in
from crm.analysis.tables.apart import read_here
from crm.analysis.tables.found import Asked
from crm.domain.roles import Role
from crm.domain.vocabulary import RowState
from crm.models.audit import AuditEntry
from crm.models.base import table_of
from crm.models.contacts import Contact, ContactPoint, Job, StateSpan
from crm.models.imports import ImportRow
from crm.models.search import SearchCut, SearchEntry
from crm.web import migrating, tasks
from crm.web.db import db, unit_of_work
from tests import factories
from tests.factories import ALL
from tests.features.imports import wizard

DAY = date(2026, 11, 1)
A_SITE = 500  # people
_AT_ONCE = 1000
_ORGANISER, _REP = "bench-organiser", "bench-rep"
_TALKED_TO = 40


def site_names(people: int) -> list[str]:
    """Return the names of the workplaces of a list of so many people."""
    return [f"Mill {number:04}" for number in range(max(people // A_SITE, 2))]


def list_of(people: int, seed: int = 23) -> bytes:
    """Return a CSV file of so many invented people, in no order, each with a phone of their own."""
    dice = random.Random(seed)
    sites = site_names(people)
    file = io.StringIO()
    file.write("Name,Mobile,Email,Workplace\r\n")
    for number in range(people):
        name = f"{dice.choice(names.FIRST)} {dice.choice(names.LAST)}"
        mail = f"{name.split()[1].lower()}{number}@example.org"
        # Not a number of anybody: thirteen digits after 07700 never are.
        file.write(f"{name},07700{number:08},{mail},{dice.choice(sites)}\r\n")
    return file.getvalue().encode()


@contextmanager
def _timed(found: dict[str, float], name: str) -> Iterator[None]:
    started, worked = time.perf_counter(), time.process_time()
    yield
    found[name] = time.perf_counter() - started
    found[f"{name}, work"] = time.process_time() - worked


def most_memory() -> float:
    """Return the most memory that this process has held, in MiB."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measure(make_url: Callable[[str], str], folder: Path, people: int) -> dict[str, float]:
    """Return the seconds of each step, and what else was measured, by name.

    make_url: gives the address of an empty database of a name.
    """
    found: dict[str, float] = {}
    content = list_of(people)
    found["file, MiB"] = len(content) / 1024 / 1024
    url = make_url("imports")
    bare_url = make_url("bare")
    app = bench_app(url, folder)
    with app.app_context():
        migrating.upgrade()
        _settle(people)
    _measure_bare(found, bench_app(bare_url, folder), content, people)
    client = sign_in(app, _ORGANISER)
    app.config["WTF_CSRF_ENABLED"] = False
    with _timed(found, "upload and match"):
        path = wizard.upload(client, content).location
        # The day is said in the form; all else is guessed from the headings.
        answer = wizard.match(client, path, as_at=DAY.isoformat())
        if answer.location.endswith("/values"):
            data = wizard.form_of(client, answer.location, "values")
            client.post(answer.location, data=data)
        path = path.removesuffix("/match")
    found["memory of the web, MiB"] = most_memory()
    quiet = _Others(url, folder)
    time.sleep(20)
    found |= {f"{name}, quiet": value for name, value in quiet.ended().items()}
    found |= {f"check: {k}": v for k, v in _work(url, folder).items()}
    data = wizard.form_of(client, f"{path}/check", "start")
    if client.post(f"{path}/start", data={**data, "looked": "y"}).status_code != 303:
        raise SystemExit("The import did not start.")
    others = _Others(url, folder)
    found |= {f"import: {k}": v for k, v in _work(url, folder).items()}
    found |= {f"{name}, meanwhile": value for name, value in others.ended().items()}
    with app.app_context():
        _count_rows(found, people)
    for what, of in (("seconds", ""), ("work", ", work")):
        found[f"wizard, {what}"] = sum(
            found[name] for name in (f"upload and match{of}", f"check: {what}", f"import: {what}")
        )
        found[f"bare, {what}"] = found[f"bare read{of}"] + found[f"bare insert{of}"]
        found[f"wizard / bare, {what}"] = found[f"wizard, {what}"] / found[f"bare, {what}"]
        found[f"import / bare insert, {what}"] = (
            found[f"import: {what}"] / found[f"bare insert{of}"]
        )
    found["rows a second, import"] = people / found["import: seconds"]
    found["rows a second, whole"] = people / found["wizard, seconds"]
    return found


def _settle(people: int) -> None:
    """Store the workplaces of the list and their organiser, and elsewhere a rep with colleagues."""
    with unit_of_work(ALL) as session:
        employer = factories.make_employer(session)
        for name in site_names(people):
            factories.make_workplace(session, employer, name)
        factories.make_user(
            session,
            "Olive",
            role=Role.ORGANISER,
            place=employer,
            sign_in_name=_ORGANISER,
        )
        elsewhere = factories.make_workplace(
            session, factories.make_employer(session, "Elsewhere"), "The Depot"
        )
        for number in range(200):
            factories.make_person(session, elsewhere, f"{names.FIRST[number % 50]} Known{number}")
        factories.make_user(session, "Rhys", role=Role.REP, place=elsewhere, sign_in_name=_REP)


# --- The work -----------------------------------------------------------------------------------


def work(url: str, folder: Path) -> None:
    """Do the next task of the queue, and print how long it took and held the database."""
    app = bench_app(url, folder)
    app.config["WTF_CSRF_ENABLED"] = False
    held: list[float] = []
    with app.app_context():
        engine = db.engine

    @event.listens_for(engine, "begin")
    def _began(connection: sa.Connection) -> None:
        # After the app's own listener, which waits for the lock.
        if not connection.get_execution_options().get("read_only"):
            connection.info["held_since"] = time.perf_counter()

    @event.listens_for(engine, "checkin")
    def _ended(dbapi_connection: Any, record: Any) -> None:
        since = record.info.pop("held_since", None)
        if since is not None:
            held.append(time.perf_counter() - since)

    started, worked = time.perf_counter(), time.process_time()
    if not tasks.run_one(app):
        raise SystemExit("There is no task.")
    taken = time.perf_counter() - started
    worked = time.process_time() - worked
    held.sort()
    print(
        json.dumps(
            {
                "seconds": taken,
                "work": worked,
                "memory, MiB": most_memory(),
                "writes": len(held),
                "lock, p50 ms": 1000 * held[len(held) // 2],
                "lock, p95 ms": 1000 * held[len(held) * 95 // 100],
                "lock, longest ms": 1000 * held[-1],
            }
        )
    )


def _work(url: str, folder: Path) -> dict[str, float]:
    answer = _start("work", url, folder).communicate()[0]
    found: dict[str, float] = json.loads(answer.splitlines()[-1])
    return found


def _start(what: str, url: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "bench.imports", what, url, str(folder)],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    )


# --- Everybody else -----------------------------------------------------------------------------


class _Others:
    """Somebody who goes on working in a process of their own, until ``ended``."""

    def __init__(self, url: str, folder: Path) -> None:
        self._process = _start("others", url, folder)
        assert self._process.stdout is not None  # noqa: S101 - asked for
        self._process.stdout.readline()  # It is ready.

    def ended(self) -> dict[str, float]:
        """Stop them; return the median and the 95th percentile of each request, in ms."""
        answer = self._process.communicate("stop\n")[0]
        found: dict[str, float] = json.loads(answer.splitlines()[-1])
        return found


def others(url: str, folder: Path) -> None:
    """Ask for pages and save talks as a rep elsewhere, ten a second, until a line is sent."""
    app = bench_app(url, folder)
    client = sign_in(app, _REP)
    with app.app_context(), unit_of_work(ALL, read_only=True) as session:
        people = session.scalars(
            ALL.select(Contact.public_id).where(Contact.known_as.like("% Known%"))
        ).all()[:_TALKED_TO]

    def talk() -> dict[str, Any]:
        return {"id": str(uuid4()), "rating": "2", "basis": "said", "issues": ["pay"]}

    senders = itertools.cycle([post(client, f"/log/{person}", talk) for person in people])
    asked: dict[str, Callable[[], None]] = {
        "Today": get(client, "/"),
        "People": get(client, "/people"),
        "Save a talk": lambda: next(senders)(),
    }
    for one in asked.values():
        one()
    times: dict[str, list[float]] = {name: [] for name in asked}
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], 0)[0]:
        for name, one in asked.items():
            started = time.perf_counter()
            one()
            times[name].append(1000 * (time.perf_counter() - started))
            time.sleep(0.1)
    found = {}
    for name, some in times.items():
        some.sort()
        found[f"{name}, p50 ms"] = statistics.median(some)
        found[f"{name}, p95 ms"] = some[len(some) * 95 // 100]
    print(json.dumps(found))


# --- The bare way -------------------------------------------------------------------------------


def _measure_bare(found: dict[str, float], app: Flask, content: bytes, people: int) -> None:
    with app.app_context():
        migrating.upgrade()
        with unit_of_work(ALL) as session:
            employer = factories.make_employer(session)
            sites = {
                name: factories.make_workplace(session, employer, name).id
                for name in site_names(people)
            }
        with _timed(found, "bare read"):
            rows = read_here(content, Asked()).rows
        with _timed(found, "bare insert"):
            _insert_bare(rows, sites)


def _insert_bare(rows: Any, sites: dict[str, int]) -> None:
    now = datetime.now(UTC)
    stamp = {"recorded_at": now}
    contact, point, job = table_of(Contact), table_of(ContactPoint), table_of(Job)
    listed = iter(rows)
    next(listed)
    first = 1
    with db.engine.begin() as connection:
        while some := list(itertools.islice(listed, _AT_ONCE)):
            numbered = list(enumerate(some, start=first))
            first += len(some)
            connection.execute(
                sa.insert(contact),
                [
                    {
                        "id": key,
                        "public_id": uuid4(),
                        "known_as": row[0],
                        "full_name": row[0],
                        "name_key": row[0].lower(),
                        "do_not_contact": False,
                        "created_at": now,
                        "version": 1,
                    }
                    for key, row in numbered
                ],
            )
            connection.execute(
                sa.insert(job),
                [
                    {
                        "public_id": uuid4(),
                        "contact_id": key,
                        "place_id": sites[row[3]],
                        "workplace_id": sites[row[3]],
                        "valid_from": DAY,
                        "from_is_first_seen": True,
                        **stamp,
                    }
                    for key, row in numbered
                ],
            )
            connection.execute(
                sa.insert(point),
                [
                    {
                        "public_id": uuid4(),
                        "contact_id": key,
                        "kind": kind,
                        "value": value,
                        "value_key": value,
                        **stamp,
                    }
                    for key, row in numbered
                    for kind, value in (("phone", row[1]), ("email", row[2]))
                ],
            )


_TABLES: tuple[Any, ...] = (
    *(Contact, Job, ContactPoint, AuditEntry, StateSpan, SearchEntry, SearchCut, ImportRow),
)


def _count_rows(found: dict[str, float], people: int) -> None:
    """Count what is left behind. Ends the program unless everybody is in."""
    marked = {"crm_scope": True}
    with db.engine.connect().execution_options(read_only=True) as connection:
        for model in _TABLES:
            table = table_of(model)
            count = sa.select(sa.func.count()).select_from(table).execution_options(**marked)
            found[f"rows of {table.name}"] = connection.execute(count).scalar_one()
        stored = sa.select(sa.func.count()).where(table_of(ImportRow).c.state == RowState.STORED)
        in_it = connection.execute(stored.execution_options(**marked)).scalar_one()
        if in_it < people * 0.97:
            raise SystemExit(f"Only {in_it} of {people} came in.")
        found["people stored"] = in_it


def main(make_url: Callable[[str], str], folder: Path, people: int) -> None:
    """Measure and print."""
    found = measure(make_url, folder, people)
    print(f"{people:,} people")
    for name, value in found.items():
        print(f"  {name:32} {value:12,.2f}", flush=True)


def database_of(folder: Path, database: str | None) -> str:
    """Return the address of the database to measure: a new file unless one is given."""
    return database or f"sqlite:///{folder / 'imports.db'}"


if __name__ == "__main__":
    {"work": work, "others": others}[sys.argv[1]](sys.argv[2], Path(sys.argv[3]))
