"""What the worker does for lists: looks through a long one, stores its rows, takes them back."""

from __future__ import annotations

import json
import time
import zlib
from uuid import UUID

from flask import (
    current_app,
)

from crm.analysis.tables.found import table_of
from crm.domain.vocabulary import (
    ImportState,
    RowState,
)
from crm.features.imports import queries, service
from crm.features.imports.checking import SHOWN
from crm.features.imports.opened import sealed_rest, sealer, unseal
from crm.web import clock
from crm.web.db import db, unit_of_work
from crm.web.tasks import Work

# Each sign of life is a durable write of its own.
_BEAT_EVERY = 1.0  # seconds

IMPORTED = "The list is in."
LOOKED = "The list is checked. Go back to your lists to see what it would do."
TAKEN_BACK = "The import is undone."


def time_zone() -> str:
    """Return the time zone of workplaces that are new, an IANA name."""
    return str(current_app.config["TIME_ZONE"])


def run_import(work: Work) -> None:
    """Store the rows of a list chunk by chunk, until there is none left or somebody stops it."""
    import_id = UUID(work.payload["import"])
    with unit_of_work(work.scope, read_only=True) as session:
        view = queries.get_import(session, work.scope, import_id)
        sealed = queries.get_sealed(session, work.scope, import_id)
    done = view.total - view.count(RowState.WAITING)
    if view.state is ImportState.IMPORTING:
        table = table_of(json.loads(zlib.decompress(unseal(sealed, import_id))))
        with unit_of_work(work.scope) as session:
            since = service.people_so_far(session)
        with unit_of_work(work.scope, read_only=True) as session:
            prepared = service.prepare_to_store(
                session,
                work.scope,
                import_id,
                table,
                since=since,
                today=work.today,
                time_zone=time_zone(),
                alive=lambda: work.progress(done, view.total),
            )
        pace = service.Pace.on(db.engine.dialect.name)
        beaten = -_BEAT_EVERY
        counted, count_at = 0, service.COUNTED_ANEW
        while True:
            began = time.monotonic()
            if began - beaten >= _BEAT_EVERY:
                work.progress(done, view.total)
                beaten = began
            with unit_of_work(work.scope) as session:
                # Here it waits for others who write; at the end, for the disk. Neither grows with
                # the rows: fewer of them would make neither shorter, and only the import longer.
                service.wait_for_turn(session)
                held = time.monotonic()
                rows = service.import_some(
                    session,
                    work.scope,
                    import_id,
                    prepared,
                    now=clock.now(),
                    most=pace.rows,
                    keep=lambda rest_id, left: sealed_rest(table, view, rest_id, left),
                )
                taken = time.monotonic() - held
            if not rows:
                break
            done += rows
            pace.took(taken)
            time.sleep(pace.rest)
            counted += rows
            if counted >= count_at:
                count_at = counted * 4
                with unit_of_work(work.scope) as session:
                    service.count_anew(session)
    elif view.state is ImportState.STOPPING:
        with unit_of_work(work.scope) as session:
            service.stopped(session, work.scope, import_id)
    with work.saving() as session:
        work.end(session, message=IMPORTED, result={})


def run_check(work: Work) -> None:
    """Find out what each row of a long list would do, and keep that."""
    import_id = UUID(work.payload["import"])
    with unit_of_work(work.scope, read_only=True) as session:
        sealed = queries.get_sealed(session, work.scope, import_id)
    table = table_of(json.loads(zlib.decompress(unseal(sealed, import_id))))
    work.progress(0, len(table.rows))
    with unit_of_work(work.scope, read_only=True) as session:
        checking = service.prepare_to_look(
            session,
            work.scope,
            import_id,
            table,
            today=work.today,
            time_zone=time_zone(),
            alive=lambda: work.progress(0, len(table.rows)),
        )
    forgotten = 1
    while forgotten:
        with unit_of_work(work.scope) as session:
            forgotten = service.forget_look(session, work.scope, import_id)
        work.progress(0, len(table.rows))
    done = 0
    for some in service.read_in_parts(checking):
        with unit_of_work(work.scope, read_only=True) as session:
            rows = service.look(session, work.scope, checking, some)
        with unit_of_work(work.scope) as session:
            checking = service.keep_look(
                session, work.scope, import_id, checking, rows, first=not done, last=False
            )
        done += len(some) or len(rows)
        work.progress(done, len(table.rows))
    with unit_of_work(work.scope, read_only=True) as session:
        shown = queries.rows_on_pages(session, work.scope, import_id, limit=SHOWN)
        counts = queries.counts_of(session, work.scope, import_id)
    front = service.front(table, checking.rules, sealer(import_id), shown, counts)
    with work.saving() as session:
        service.keep_look(
            session,
            work.scope,
            import_id,
            checking,
            [],
            first=not done,
            last=True,
            sealed_front=front,
        )
        work.end(session, message=LOOKED, result={})


def run_undo(work: Work) -> None:
    """Take back what an import stored, chunk by chunk."""
    import_id = UUID(work.payload["import"])
    done = 0
    while True:
        work.progress(done)
        with unit_of_work(work.scope) as session:
            rows = service.undo_some(session, work.scope, import_id, now=clock.now())
        if not rows:
            break
        done += rows
    with work.saving() as session:
        work.end(session, message=TAKEN_BACK, result={})
