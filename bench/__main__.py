"""``python -m bench``: measure, or only generate. See docs/benchmarks.md."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date
from functools import partial
from pathlib import Path

from flask import Flask

from bench import elections, generate, imports, likeness, measure, numbers, starting, twins
from bench.cluster import temporary_cluster
from bench.load import Loaded, load
from bench.pages import bench_app
from bench.timing import Times
from crm.web import clock
from crm.web.db import db

SEED = 23
REGISTER = Path(__file__).parents[1] / "tests/data/uk-employers-gpg-2019-20/gpg-2019-2020.csv.gz"
_TARGETS = {
    "Density page": (3.0, 60.0),
    "Log a talk, POST": (2.0, 60.0),
    # The milliseconds are for 500 people.
    "Wall chart by area": (3.0, 150.0),
    "Wall chart by leader": (3.0, 150.0),
    "Today": (3.0, 150.0),
    # The milliseconds are for 5,000 contacts; for 1.3 million they are 150.
    "Search for a name": (3.0, 50.0),
}


def main() -> None:
    """Run the command."""
    # Being asked to stop must not leave a database server behind: ends the with-blocks in order.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = parser.add_subparsers(dest="command")
    make = commands.add_parser("generate", help="fill an empty database with invented records")
    make.add_argument("--size", choices=sorted(generate.SIZES), default="branch")
    make.add_argument("--database", required=True, help="sqlite:///... or postgresql://...")
    make.add_argument("--seed", type=int, default=SEED)
    look = commands.add_parser("measure", help="measure a database that generate filled")
    look.add_argument("--size", choices=sorted(generate.SIZES), default="branch")
    look.add_argument("--database", required=True)
    look.add_argument("--rounds", type=int, default=40)
    figures = commands.add_parser("numbers", help="measure the figures of such a database")
    figures.add_argument("--size", choices=sorted(generate.SIZES), default="branch")
    figures.add_argument("--database", required=True)
    figures.add_argument("--rounds", type=int, default=12)
    figures.add_argument("--of", choices=["branch", "everything"], help="only these places")
    grow = commands.add_parser("growth", help="measure how the cost of figures grows")
    grow.add_argument("--folder", type=Path, help="where the databases go (removed afterwards)")
    alike = commands.add_parser("likeness", help="measure how well duplicates are found")
    alike.add_argument("--lists", type=Path, required=True, help="the folder of the public lists")
    judged = commands.add_parser("elections", help="judge published tallies by the rules")
    judged.add_argument("--file", type=Path, required=True, help="the file as its README names it")
    twice = commands.add_parser("twins", help="measure the look for people who are here twice")
    twice.add_argument("--people", type=int, default=100_000)
    twice.add_argument("--database", help="sqlite:///... or postgresql://..., empty")
    bring = commands.add_parser("imports", help="measure bringing a large list in")
    bring.add_argument("--people", type=int, default=100_000)
    bring.add_argument("--on", action="append", choices=["sqlite", "postgresql"])
    for one in (parser, make, look, figures, grow):
        one.add_argument(
            "--today",
            type=date.fromisoformat,
            default=clock.today("Europe/London"),
            help="the last day",
        )
    parser.add_argument("--size", action="append", dest="sizes", choices=sorted(generate.SIZES))
    parser.add_argument("--on", action="append", choices=["sqlite", "postgresql"])
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--folder", type=Path, help="where the databases go (removed afterwards)")
    parser.add_argument("--no-starts", action="store_true", help="leave out starts and registers")
    asked = parser.parse_args()
    if asked.command == "likeness":
        likeness.main(asked.lists)
        return
    if asked.command == "elections":
        elections.main(asked.file)
        return
    if asked.command == "twins":
        with tempfile.TemporaryDirectory(prefix="shopfloor-bench-") as folder:
            url = imports.database_of(Path(folder), asked.database)
            twins.main(bench_app(url, Path(folder)), asked.people, seed=SEED)
        return
    if asked.command == "growth":
        numbers.growth(asked.folder or Path(tempfile.gettempdir()), asked.today, seed=SEED)
        return
    if asked.command == "imports":
        with ExitStack() as stack:
            folder = Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix="shopfloor-bench-"))
            )
            for database in asked.on or ["sqlite", "postgresql"]:
                print(f"\n## {database}\n")
                make_url = (
                    stack.enter_context(temporary_cluster())
                    if database == "postgresql"
                    else (lambda name: f"sqlite:///{folder}/{name}.db")
                )
                imports.main(make_url, folder, asked.people)
        return
    if asked.command is not None:
        with tempfile.TemporaryDirectory(prefix="shopfloor-bench-") as folder:
            app = bench_app(asked.database, Path(folder))
            if asked.command == "numbers":
                _numbers(app, asked.size, asked.today, rounds=asked.rounds, only=asked.of)
            elif asked.command == "measure":
                _measure(app, asked.size, asked.today, rounds=asked.rounds)
            else:
                size = generate.SIZES[asked.size]
                _say_loaded(load(app, size, seed=asked.seed, today=asked.today))
        return
    _run(asked)


def _run(asked: argparse.Namespace) -> None:
    sizes = asked.sizes or ["group", "branch"]
    databases = asked.on or ["sqlite", "postgresql"]
    folder = Path(tempfile.mkdtemp(prefix="shopfloor-bench-", dir=asked.folder))
    try:
        with ExitStack() as stack:
            make_database = (
                stack.enter_context(temporary_cluster()) if "postgresql" in databases else None
            )
            for size in sizes:
                for database in databases:
                    if database == "postgresql" and make_database is not None:
                        url = make_database(f"bench_{size}")
                    else:
                        url = f"sqlite:///{folder}/{size}.db"
                    print(f"\n## {size}, {database}\n")
                    app = bench_app(url, folder)
                    loaded = load(app, generate.SIZES[size], seed=SEED, today=asked.today)
                    _say_loaded(loaded)
                    _measure(app, size, asked.today, rounds=asked.rounds)
                    with app.app_context():
                        db.engine.dispose()
            if not asked.no_starts:
                _starts(folder, make_database("bench_register") if make_database else "")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measure(app: Flask, size: str, today: date, *, rounds: int) -> None:
    # No app context stays open around requests: each must find its person anew, as on a server.
    with app.app_context():
        marks = measure.find_landmarks()
    national = size == "national"
    rounds = min(rounds, 10) if national else rounds
    for user, node in ((generate.ORGANISER, marks.branch_id), (generate.NATIONAL, marks.root_id)):
        if user == generate.NATIONAL and size == "group":
            continue
        print(f"\nAs {user}:\n")
        for of in (measure.density, measure.today, measure.search):
            _say_ratio(partial(of, app, today, user=user, node_id=node, rounds=rounds))
        if user == generate.ORGANISER:
            _say_ratio(lambda: measure.log_a_talk(app, marks, rounds=rounds))
            for by in ("area", "leader"):
                _say_ratio(
                    partial(
                        measure.wall,
                        app,
                        marks,
                        today,
                        node_id=node,
                        user=user,
                        rounds=rounds,
                        by=by,
                    )
                )
        found, missing = measure.pages(
            app, marks, user=user, rounds=rounds, at_most_seconds=20.0 if national else 60.0
        )
        with app.app_context():
            found += measure.reads(
                marks, today, rounds=rounds, everything=user == generate.NATIONAL
            )
        _say_pages(found, missing)
    with app.app_context():
        _say_scope_cost(marks)
        for name, plan in measure.plans(marks, today).items():
            print(f"\n{name}:\n\n```\n{plan}\n```", flush=True)


def _numbers(app: Flask, size: str, today: date, *, rounds: int, only: str | None) -> None:
    """Print the figures of the organiser's branch and of everything, or of one of them."""
    for everything in (False, True):
        if only is not None and everything is not (only == "everything"):
            continue
        rounds = 1 if size == "national" and everything else rounds
        print(f"\n{'Everything' if everything else 'One branch'}:\n")
        numbers.say(numbers.measure_all(app, today, everything=everything, rounds=rounds))
    numbers.say([numbers.projection(8)])


def _say_loaded(loaded: Loaded) -> None:
    seconds = loaded.rows_seconds + loaded.index_seconds
    print(
        f"Loaded {loaded.total_rows:,} rows ({loaded.rows['contact']:,} contacts, "
        f"{loaded.rows['place']:,} places) in {seconds:.1f} s: rows {loaded.rows_seconds:.1f} s, "
        f"indexes and keys {loaded.index_seconds:.1f} s; "
        f"{loaded.total_rows / seconds:,.0f} rows a second. Lines for the search: "
        f"{loaded.search_seconds:.1f} s.",
        flush=True,
    )


def _say_ratio(measured: Callable[[], measure.Ratio]) -> None:
    try:
        one = measured()
    except RuntimeError as error:
        print(f"(not measured: {error})\n")
        return
    print("| what | ms (work) | 95 % under | floor, ms (work) | ratio (of work) | target |")
    print("|---|---|---|---|---|---|")
    floor = " + ".join(f"{name} {_both(times)}" for name, times in one.floor.items())
    most_times, most_ms = _TARGETS[one.name]
    print(
        f"| {one.name} | {_both(one.taken)} | {one.taken.slow:.1f} | {floor} "
        f"| {one.ratio:.1f} ({one.work_ratio:.1f}) | {most_times:.0f}x, {most_ms:.0f} ms |\n",
        flush=True,
    )


def _both(times: Times) -> str:
    return f"{times.median:.1f} ({times.work:.1f})"


def _say_pages(found: list[measure.Page], missing: list[str]) -> None:
    print("| page | ms (work) | 95 % under | statements | KB |")
    print("|---|---|---|---|---|")
    for page in found:
        print(
            f"| {page.name} | {_both(page.times)} | {page.times.slow:.1f} "
            f"| {page.statements} | {page.weight / 1000:.0f} |"
        )
    for line in missing:
        print(f"\n(not measured: {line})")
    print(flush=True)


def _say_scope_cost(marks: measure.Landmarks) -> None:
    print("\nOne statement for one person:\n\n| with | ms | of it work |\n|---|---|---|")
    for name, times in measure.scope_cost(marks).items():
        print(f"| {name} | {times.median:.2f} | {times.work:.2f} |")


def _starts(folder: Path, postgres_url: str) -> None:
    print("\n## Starts and registers\n\n| what | seconds |\n|---|---|")
    instance = folder / "start"
    first = starting.seconds_to_first_page(instance)
    print(f"| First start to first page, making the database | {first:.1f} |", flush=True)
    print(f"| Second start to first page | {starting.seconds_to_first_page(instance):.1f} |")
    taken = starting.seconds_to_load_register(instance, REGISTER)
    print(f"| Register of 6,031 employers, SQLite | {taken:.1f} |")
    again = starting.seconds_to_load_register(instance, REGISTER)
    print(f"| The same again, nothing new, SQLite | {again:.1f} |")
    if postgres_url:
        starting.migrate(folder / "start-pg", postgres_url)
        taken = starting.seconds_to_load_register(folder / "start-pg", REGISTER, postgres_url)
        print(f"| Register of 6,031 employers, PostgreSQL | {taken:.1f} |")


if __name__ == "__main__":
    main()
