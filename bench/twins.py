"""How long the look for people who are here twice takes, and what memory it needs."""

from __future__ import annotations

import resource
import time
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa
from flask import Flask

from bench.generate import SIZES, Size
from bench.load import load
from crm.access.scope import Scope
from crm.features.duplicates import looking
from crm.models.base import table_of
from crm.models.contacts import Contact
from crm.models.likeness import LikePair, PersonBlock
from crm.web import clock
from crm.web.db import db, unit_of_work

_CHANGED = 100


def size_of(people: int) -> Size:
    """Return a size with so many people, and workplaces as a branch has them."""
    branch = SIZES["branch"]
    share = people / branch.contacts
    return replace(
        branch,
        name="twins",
        contacts=people,
        workplaces=max(2, round(branch.workplaces * share)),
        talks=0.1,
    )


def main(app: Flask, people: int, *, seed: int) -> None:
    """Fill the app's empty database, look through everybody, then at some who changed; print."""
    load(app, size_of(people), seed=seed, today=clock.today("Europe/London"))
    with app.app_context():
        before = _memory()
        steps = _look()
        whole = sum(steps)
        with unit_of_work(_everybody()) as session:
            numbers = {
                model.__tablename__: session.connection()
                .execute(_everybody().select(sa.func.count()).select_from(table_of(model)))
                .scalar_one()
                for model in (PersonBlock, LikePair)
            }
        some = _change()
        again = _look(later=timedelta(minutes=2))
        db.engine.dispose()
    steps.sort()
    print(
        f"{people:,} people, {app.config['DATABASE_URL'].split(':')[0]}: {whole:.0f} s in "
        f"{len(steps):,} steps of {looking.CHUNK} people, each {_at(steps, 0.5):.0f} ms, at most "
        f"{_at(steps, 0.99):.0f} ms for 99 in 100; memory {before:.0f} to {_memory():.0f} MiB; "
        + ", ".join(f"{name} {number:,}" for name, number in numbers.items())
        + f"; {some} people changed: {sum(again):.1f} s",
        flush=True,
    )


def _everybody() -> Scope:
    return Scope.everything("to measure the look for people who are here twice")


def _look(later: timedelta = timedelta()) -> list[float]:
    """Look until nobody is left; return the seconds of each step."""
    memory = looking.Memory()
    steps: list[float] = []
    scope = _everybody()
    while True:
        start = time.perf_counter()
        with unit_of_work(scope) as session:
            looked = looking.look_some(session, scope, memory, now=clock.now() + later)
        if not looked:
            return steps
        steps.append(time.perf_counter() - start)


def _change() -> int:
    scope = _everybody()
    with unit_of_work(scope) as session:
        people = session.scalars(
            scope.select(Contact).where(Contact.known_as.is_not(None)).limit(_CHANGED)
        ).all()
        for person in people:
            person.pronouns = "they"
        return len(people)


def _memory() -> float:
    """Return the most memory that the process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _at(steps: list[float], share: float) -> float:
    return steps[min(len(steps) - 1, int(len(steps) * share))] * 1000
