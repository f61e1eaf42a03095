"""What the figures cost beside the least they could: density in full, readiness, what changed,
projections and the report pack; and how the cost grows with people, history and workplaces.

    python -m bench numbers --size branch --database sqlite:///practice-load.db
    python -m bench growth
"""

from __future__ import annotations

import math
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Final

from flask import Flask

from bench import by_hand, generate
from bench.load import load
from bench.measure import SEARCHED, Landmarks, ask_by_hand, find_landmarks
from bench.numbers_by_hand import full_sql, project_by_hand, ready_sql
from bench.pages import EMPTY, bench_app, get, sign_in
from bench.timing import Times, in_turn, statements_of
from crm.access.scope import Grant, Scope
from crm.analysis.projection import DEFAULT_ASSUMPTIONS, Stand, project
from crm.domain.assessment import DEFAULT_EXPIRY
from crm.domain.roles import Role
from crm.domain.vocabulary import PlaceKind
from crm.features.density.queries import month_ends, year_before
from crm.features.reports import files
from crm.reads import figures
from crm.reads.decisions import Unit
from crm.reads.measures import measures
from crm.reads.movement import movement
from crm.reads.readiness import get_readiness
from crm.reads.report import build_report
from crm.web import clock
from crm.web.db import db, unit_of_work

AREAS: Final = 60
_PEAK = Path("/proc/self/clear_refs")


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure as it was measured. floor: None where nothing by hand stands for it.

    statements: SQL of one answer. peak_mb: what this process held at its highest meanwhile, all
    told; None where the system does not say.
    """

    name: str
    taken: Times
    floor: Times | None
    statements: int
    peak_mb: float | None


def measure_all(
    app: Flask, today: date, *, everything: bool, rounds: int, at_most_seconds: float = 120.0
) -> Iterator[Figure]:
    """Yield each figure of the organiser's branch, or of everything, once it is measured."""
    with app.app_context():
        marks = find_landmarks()
        for name, (run, floor) in _cases(app, marks, today, everything).items():
            yield _measured(name, run, floor, rounds, at_most_seconds)


Case = tuple[Callable[[], object], Callable[[], object] | None]


def _cases(app: Flask, marks: Landmarks, today: date, everything: bool) -> dict[str, Case]:
    node, public = (marks.root_id, marks.root) if everything else (marks.branch_id, marks.branch)
    grant = Grant(role=Role.ORGANISER, place_id=node, covers_everything=everything)
    question = figures.Question(as_at=today)
    year_ago = year_before(today)
    unit = Unit(node, public, PlaceKind.BRANCH, "")
    dialect = db.engine.dialect.name

    def by_scope(read: Callable[[Any, Scope], object]) -> Callable[[], object]:
        def run() -> object:
            # A scope is made anew for each request, so it is here.
            scope = Scope(actor_id=1, grants=(grant,))
            with unit_of_work(scope, read_only=True) as session:
                return read(session, scope)

        return run

    def hand(*statements: str) -> Callable[[], object]:
        pooled = db.engine.raw_connection()

        def run() -> None:
            for one in statements:
                ask_by_hand(pooled, one, may_be_empty=True)()
            pooled.rollback()

        return run

    def report(session: Any, scope: Scope) -> Any:
        return build_report(
            session,
            scope,
            public,
            since=year_ago,
            as_at=today,
            day=today,
            day_end=clock.end_of(today, "Europe/London"),
            expiry=DEFAULT_EXPIRY,
        )

    maker = files.Maker(organisation="", made_by="", made_at="", practice=False)
    table, again = by_hand.table_sql(node, today), by_hand.table_sql(node, year_ago)
    moves = by_hand.moves_sql(node, year_ago, today)
    trend = by_hand.trend_sql(node, month_ends(today), dialect)
    cases: dict[str, Case] = {
        "Density by workplace, one day": (
            by_scope(partial(figures.density_table, question=question)),
            hand(table),
        ),
        "Density and its trend of a year": (
            by_scope(partial(figures.survey, question=question, days=month_ends(today))),
            hand(table, trend),
        ),
        "Density in full": (
            by_scope(partial(measures, question=question, expiry=DEFAULT_EXPIRY, day=today)),
            hand(*full_sql(node, today)),
        ),
        "What changed in a year": (
            by_scope(partial(movement, question=question, since=year_ago)),
            hand(table, again, moves),
        ),
        "Readiness with its workplaces": (
            by_scope(
                partial(get_readiness, unit=unit, as_at=today, day=today, expiry=DEFAULT_EXPIRY)
            ),
            hand(*ready_sql(node, today)),
        ),
        "Report pack, gathered": (by_scope(report), hand(table, again, moves, trend)),
    }
    if everything:
        return cases
    kept: list[Any] = []

    def pack() -> Any:
        if not kept:
            kept.append(by_scope(report)())
        return kept[0]

    def in_words(make: Callable[[Any], object]) -> Callable[[], object]:
        def run() -> object:
            with app.test_request_context():
                return make(pack())

        return run

    cases["Report pack, as XLSX"] = (in_words(lambda one: files.xlsx_of(one, maker)), None)
    cases["Report pack, as PDF"] = (in_words(lambda one: files.pdf_file(one, maker)), None)
    return cases


def _measured(
    name: str,
    run: Callable[[], object],
    floor: Callable[[], object] | None,
    rounds: int,
    at_most_seconds: float,
) -> Figure:
    things = {"it": run} | ({} if floor is None else {"floor": floor})
    if rounds == 1:
        # What takes minutes is asked for once.
        with statements_of(db.engine) as sent, _peak() as peak:
            taken = in_turn({"it": run}, rounds=1, warm_up=0)
        by_hand_ = {} if floor is None else in_turn({"floor": floor}, rounds=1, warm_up=0)
        return Figure(name, taken["it"], by_hand_.get("floor"), len(sent), peak[0])
    times = in_turn(things, rounds=rounds, warm_up=1, at_most_seconds=at_most_seconds)
    with statements_of(db.engine) as sent, _peak() as peak:
        run()
    return Figure(name, times["it"], times.get("floor"), len(sent), peak[0])


@contextmanager
def _peak() -> Iterator[list[float | None]]:
    """Yield a list whose one value becomes the megabytes that the process held at its highest."""
    found: list[float | None] = [None]
    if _PEAK.exists():
        _PEAK.write_text("5")
    yield found
    if _PEAK.exists():
        found[0] = _resident("VmHWM")


def _resident(name: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"The system does not say {name}.")


def projection(rounds: int) -> Figure:
    """Return the projection of one ballot over 60 areas, 20,000 draws, against plain NumPy."""
    wanted = (10, 18, 12, 4, 3, 14)
    areas = [
        {stand: number + at % 3 for stand, number in zip(Stand, wanted, strict=True)}
        for at in range(AREAS)
    ]
    times = in_turn(
        {
            "it": lambda: project(areas, seed=1),
            "floor": lambda: project_by_hand(areas, DEFAULT_ASSUMPTIONS, 1),
        },
        rounds=rounds,
        warm_up=1,
    )
    with _peak() as peak:
        project(areas, seed=1)
    return Figure("Projection, 60 areas", times["it"], times["floor"], 0, peak[0])


def say(found: Iterable[Figure]) -> None:
    """Print the figures as a table."""
    print("| what | ms (work) | floor by hand, ms (work) | ratio (of work) | statements | MB |")
    print("|---|---|---|---|---|---|")
    for one in found:
        floor = ratio = ""
        if one.floor is not None:
            floor = f"{one.floor.median:.0f} ({one.floor.work:.0f})"
            of_work = one.taken.work / max(one.floor.work, 0.1)
            ratio = f"{one.taken.median / one.floor.median:.1f} ({of_work:.1f})"
        peak = "" if one.peak_mb is None else f"{one.peak_mb:.0f}"
        print(
            f"| {one.name} | {one.taken.median:.0f} ({one.taken.work:.0f}) | {floor} | {ratio} "
            f"| {one.statements or ''} | {peak} |",
            flush=True,
        )
    print(flush=True)


# How the cost grows

_MIDDLE = generate.Size(
    "middle", 6_000, 160, 60, 2, 2, areas=1, reps=40, years=4, talks=4, issues=0.2, notes=0.1
)
GROWTH: Final[Mapping[str, Sequence[generate.Size]]] = {
    "contacts": [replace(_MIDDLE, contacts=number) for number in (2_000, 6_000, 18_000)],
    "talks of each": [replace(_MIDDLE, talks=number) for number in (1, 4, 16)],
    "workplaces": [replace(_MIDDLE, workplaces=number) for number in (40, 160, 640)],
}


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """Return e where the cost grows as the size to the power of e, fitted over all points."""
    logs = [
        (math.log(one), math.log(max(other, 0.01))) for one, other in zip(sizes, costs, strict=True)
    ]
    x, y = (sum(one[at] for one in logs) / len(logs) for at in (0, 1))
    return sum((a - x) * (b - y) for a, b in logs) / sum((a - x) ** 2 for a, _ in logs)


def growth(folder: Path, today: date, *, seed: int, rounds: int = 3) -> None:
    """Print how the work of each figure grows: three sizes of each, on SQLite, over everything."""
    costs: dict[generate.Size, dict[str, float]] = {}
    for sizes in GROWTH.values():
        for size in sizes:
            if size not in costs:
                costs[size] = _costs_of(folder, size, today, seed, rounds)
    for what, sizes in GROWTH.items():
        numbers = [_amount(what, size) for size in sizes]
        print(
            f"\n| work in ms by {what} | {' | '.join(f'{one:,.0f}' for one in numbers)} | power |"
        )
        print("|---|---|---|---|---|")
        for name in costs[sizes[0]]:
            works = [costs[size][name] for size in sizes]
            shown = " | ".join(f"{one:.0f}" for one in works)
            print(f"| {name} | {shown} | {exponent(numbers, works):.2f} |")
    print(flush=True)


def _amount(what: str, size: generate.Size) -> float:
    return {"contacts": size.contacts, "talks of each": size.talks, "workplaces": size.workplaces}[
        what
    ]


def _costs_of(
    folder: Path, size: generate.Size, today: date, seed: int, rounds: int
) -> dict[str, float]:
    """Load this size, measure it, and remove it again."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="shopfloor-grow-", dir=folder) as place:
        app = bench_app(f"sqlite:///{place}/{uuid.uuid4().hex}.db", Path(place))
        load(app, size, seed=seed, today=today)
        found = measure_all(app, today, everything=True, rounds=rounds, at_most_seconds=8)
        works = {one.name: one.taken.work for one in found}
        client = sign_in(app, generate.NATIONAL)
        with app.app_context():
            marks = find_landmarks()
        pages = {
            "Today": "/",
            "Search for a name": f"/people?q={SEARCHED}",
            "Who to log": "/log",
            "Wall chart": f"/places/{marks.workplace}/wall",
        }
        times = in_turn(
            {name: get(client, path) for name, path in {**pages, "Empty page": EMPTY}.items()},
            rounds=rounds,
            warm_up=1,
            at_most_seconds=30,
        )
        works |= {name: one.work for name, one in times.items()}
        with app.app_context():
            db.engine.dispose()
    print(
        f"({size.contacts:,} contacts, {size.talks:g} talks each, {size.workplaces} workplaces: "
        f"{time.perf_counter() - started:.0f} s)",
        flush=True,
    )
    return works
