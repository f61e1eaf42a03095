"""Reads of a list on its way in: its owner's alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, defer

from crm.access.audit import record_view
from crm.access.facts import known
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.access.tasks import Progress, progress_of
from crm.analysis.place_likeness import union_named
from crm.domain.columns import Target
from crm.domain.errors import NotFound
from crm.domain.identity import fold
from crm.domain.place_likeness import KnownPlace, PlaceReason, with_and_without_dots
from crm.domain.vocabulary import (
    ImportKind,
    ImportState,
    ListOrigin,
    PointKind,
    RowOutcome,
    RowState,
    TaskState,
)
from crm.models.ballots import Ballot
from crm.models.contacts import Contact, ContactPoint, Job
from crm.models.imports import ImportRecipe, ImportRow, ListImport
from crm.models.places import Area, Employer, Place, PlaceClosure, Shift, Union, Workplace
from crm.models.tasks import BackgroundTask
from crm.reads.people import shown_name
from crm.reads.place_likeness import (
    ShownWorkplace,
    like_each,
    like_employers_each,
    workplaces_shown,
)
from crm.reads.places import Choice, place_name_of

# More workplaces than this are not offered one by one; the list must name them.
MOST_OFFERED = 300
# Before the name of what a row says otherwise, and what stays as it is here.
KEPT = "kept:"
MAY_BE_KEPT = (
    *("full_name", "pronouns", "job", "started_on", "membership", "joined_on", "standing"),
)


@dataclass(frozen=True, slots=True)
class ImportView:
    """A list on its way in. rows: how many there are of each outcome and state."""

    id: UUID
    inner_id: int
    kind: ImportKind
    origin: ListOrigin
    file_name: str
    state: ImportState
    created_at: datetime
    expires_at: datetime
    finished_at: datetime | None
    settings: Mapping[str, Any]
    has_table: bool
    version: int
    rows: Mapping[tuple[RowOutcome, RowState], int]

    def count(self, *wanted: RowOutcome | RowState) -> int:
        """Return how many rows have one of these outcomes, or are in one of these states."""
        return sum(number for pair, number in self.rows.items() if set(pair) & set(wanted))

    @property
    def total(self) -> int:
        """Return how many rows were looked at."""
        return sum(self.rows.values())


@dataclass(frozen=True, slots=True)
class RowView:
    """A row that somebody must look at. faults: (column or None, message, number)."""

    row_no: int
    outcome: RowOutcome
    state: RowState
    faults: tuple[tuple[int | None, str, int | None], ...]
    candidates: tuple[CandidateView, ...]


@dataclass(frozen=True, slots=True)
class CandidateView:
    """Somebody whom a row could be about, as the person who brings the list may see them."""

    id: UUID
    name: str
    where: str
    phones: str
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LikeRow:
    """A row about a workplace that may be here. places: which it may be, and why."""

    row_no: int
    places: tuple[tuple[ShownWorkplace, tuple[PlaceReason, ...]], ...]


@dataclass(frozen=True, slots=True)
class LikeChoice:
    """What a value of a list may stand for, because the names are alike. more: whose it is."""

    value: str
    name: str
    more: str
    why: tuple[PlaceReason, ...]


def get_import(session: Session, scope: Scope, public_id: UUID) -> ImportView:
    """Return a list of the actor's own. Raises NotFound for anybody else's."""
    row = find_row(session, scope, public_id)
    counted = session.execute(
        scope.select(ImportRow.outcome, ImportRow.state, sa.func.count())
        .where(ImportRow.import_id == row.id)
        .group_by(ImportRow.outcome, ImportRow.state)
    )
    return _view(row, {(outcome, state): int(number) for outcome, state, number in counted})


_SEALED: tuple[Any, ...] = (
    ListImport.sealed_file,
    ListImport.sealed_table,
    ListImport.sealed_front,
)


def find_row(
    session: Session,
    scope: Scope,
    public_id: UUID,
    *,
    hold: bool = False,
    with_rules: bool = True,
) -> ListImport:
    """Return the stored list without its sealed parts. Raises NotFound.

    hold: wait for whoever works on it, and keep others out until the end of the unit of work.
    with_rules: False where nobody asks what was chosen for it. That lies behind the file, and
    SQLite walks through the whole file to get there: for each chunk of an import.
    """
    left: list[Any] = [*_SEALED]
    if not with_rules:
        left += [ListImport.settings, ListImport.version]
    statement = (
        scope.select(ListImport)
        .where(
            ListImport.public_id == public_id,
            # Also a scope over everything shows nobody the lists of others.
            ListImport.owner_id == scope.actor_id,
        )
        .options(*(defer(column) for column in left))
    )
    if hold:
        statement = statement.with_for_update(of=ListImport)
    row: ListImport | None = session.scalars(statement).one_or_none()
    if row is None:
        raise NotFound(f"ListImport {public_id}")
    return row


def get_sealed(
    session: Session, scope: Scope, public_id: UUID, *, file: bool = False, front: bool = False
) -> bytes | None:
    """Return the sealed rows of a list, its file, or what its pages show; None for what is gone."""
    column = ListImport.sealed_file if file else ListImport.sealed_table
    if front:
        column = ListImport.sealed_front
    found = session.execute(
        scope.select(column).where(
            ListImport.public_id == public_id, ListImport.owner_id == scope.actor_id
        )
    ).one_or_none()
    if found is None:
        raise NotFound(f"ListImport {public_id}")
    sealed: bytes | None = found[0]
    return sealed


_AT_WORK = frozenset({ImportState.IMPORTING, ImportState.STOPPING, ImportState.UNDOING})


def is_left_alone(session: Session, scope: Scope, row: ListImport) -> bool:
    """Return True when a list is at work, but no task of its owner's is: the server gave it up.

    Then its owner may hand the rest in again.
    """
    return row.state in _AT_WORK and _task_of(session, scope, row) is None


def work_on(session: Session, scope: Scope, row: ListImport, *, now: datetime) -> Progress | None:
    """Return whether anybody works on a list that is at work; None for one that is left alone."""
    task = _task_of(session, scope, row) if row.state in _AT_WORK else None
    return None if task is None else progress_of(session, task, now=now)


def _task_of(session: Session, scope: Scope, row: ListImport) -> BackgroundTask | None:
    tasks = session.scalars(
        scope.select(BackgroundTask)
        .where(
            BackgroundTask.owner_id == scope.actor_id,
            BackgroundTask.state.in_([TaskState.WAITING, TaskState.RUNNING]),
        )
        .order_by(BackgroundTask.id)
    )
    named = (one for one in tasks if one.payload.get("import") == str(row.public_id))
    return next(named, None)


def list_imports(session: Session, scope: Scope) -> list[ImportView]:
    """Return the actor's own lists, the newest first, at most fifty."""
    rows = session.scalars(
        scope.select(ListImport)
        .where(ListImport.owner_id == scope.actor_id)
        .order_by(ListImport.id.desc())
        .limit(50)
        .options(*(defer(column) for column in _SEALED))
    ).all()
    counts: dict[int, dict[tuple[RowOutcome, RowState], int]] = {}
    counted = session.execute(
        scope.select(ImportRow.import_id, ImportRow.outcome, ImportRow.state, sa.func.count())
        .where(ImportRow.import_id.in_([row.id for row in rows]))
        .group_by(ImportRow.import_id, ImportRow.outcome, ImportRow.state)
    )
    for import_id, outcome, state, number in counted:
        counts.setdefault(import_id, {})[outcome, state] = int(number)
    return [_view(row, counts.get(row.id, {})) for row in rows]


def _view(row: ListImport, counted: Mapping[tuple[RowOutcome, RowState], int]) -> ImportView:
    open_states = {ImportState.MATCHING, ImportState.CHECKED, ImportState.STOPPED}
    return ImportView(
        id=row.public_id,
        inner_id=row.id,
        kind=row.kind,
        origin=row.origin,
        file_name=row.file_name,
        state=row.state,
        created_at=row.created_at,
        expires_at=row.expires_at,
        finished_at=row.finished_at,
        settings=row.settings,
        has_table=row.state in open_states,
        version=row.version,
        rows=counted,
    )


def find_recipe(
    session: Session, scope: Scope, kind: ImportKind, headings: str | None
) -> Mapping[str, Any] | None:
    """Return what the actor chose for the last list of this kind with the same headings."""
    if headings is None:
        return None
    found: ImportRecipe | None = session.scalars(
        scope.select(ImportRecipe).where(
            ImportRecipe.owner_id == scope.actor_id,
            ImportRecipe.kind == kind,
            ImportRecipe.headings_hash == headings,
        )
    ).one_or_none()
    return None if found is None else found.settings


def list_rows(
    session: Session,
    scope: Scope,
    public_id: UUID,
    outcome: RowOutcome,
    *,
    limit: int | None,
    states: Sequence[RowState] = (RowState.WAITING,),
) -> list[RowView]:
    """Return the rows with an outcome, in the order of the file.

    Whoever is named as a possible same person is recorded as looked at.
    """
    head = find_row(session, scope, public_id)
    rows = session.scalars(
        scope.select(ImportRow)
        .where(
            ImportRow.import_id == head.id,
            ImportRow.outcome == outcome,
            ImportRow.state.in_(states),
        )
        .order_by(ImportRow.row_no)
        .limit(limit)
    ).all()
    # What other lists are about is no person: see list_like_rows.
    of_people = head.kind is ImportKind.PEOPLE
    people = _candidates(session, scope, rows) if of_people else {}
    return [
        RowView(
            row_no=row.row_no,
            outcome=row.outcome,
            state=row.state,
            faults=tuple(
                (column, message, number)
                for column, message, number in (row.faults or {}).get("faults", ())
            ),
            candidates=tuple(
                CandidateView(**people[inner], why=tuple(why))
                for inner, why in (row.candidates or {}).get("people", ())
                if inner in people
            ),
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class RecordView:
    """A row and the person or workplace it is about.

    changes: the names of what it changes. kept: of what it says otherwise, and what stays as it is
    here. id, name: None where the record is gone or out of the actor's reach.
    """

    row_no: int
    id: UUID | None
    name: str | None
    changes: tuple[str, ...]
    kept: tuple[str, ...]


def list_records(
    session: Session,
    scope: Scope,
    public_id: UUID,
    *,
    limit: int,
    outcomes: Sequence[RowOutcome] = tuple(RowOutcome),
    states: Sequence[RowState] = tuple(RowState),
    keeps: bool = False,
) -> list[RecordView]:
    """Return rows with the record each is about, in the order of the file; see RecordView.

    keeps: only rows that say something otherwise which stays as it is here.
    """
    head = find_row(session, scope, public_id)
    rows = session.execute(
        scope.select(ImportRow.row_no, ImportRow.record_id, ImportRow.changes)
        .where(
            ImportRow.import_id == head.id,
            ImportRow.outcome.in_(outcomes),
            ImportRow.state.in_(states),
            *([_said(KEPT)] if keeps else []),
        )
        .order_by(ImportRow.row_no)
        .limit(limit)
    ).all()
    inner = sorted({record_id for _row, record_id, _changes in rows if record_id is not None})
    named: dict[int, tuple[UUID, str]] = {}
    if head.kind is ImportKind.PEOPLE:
        people = session.scalars(scope.select(Contact).where(Contact.id.in_(inner)))
        named = {one.id: (one.public_id, shown_name(one)) for one in people}
    else:
        sites = session.scalars(scope.select(Workplace).where(Workplace.id.in_(inner)))
        named = {one.id: (one.public_id, one.name) for one in sites}
    none: tuple[UUID | None, str | None] = (None, None)
    return [
        RecordView(
            row_no,
            *named.get(record_id or 0, none),
            tuple(name for name in changes or () if not name.startswith(KEPT)),
            tuple(name.removeprefix(KEPT) for name in changes or () if name.startswith(KEPT)),
        )
        for row_no, record_id, changes in rows
    ]


def rows_on_pages(session: Session, scope: Scope, public_id: UUID, *, limit: int) -> list[int]:
    """Return the numbers of the rows that the page of a check can show.

    The first of each outcome that is shown, of those that keep what is here, and all those about a
    workplace that may be here: their names are put together.
    """
    head = find_row(session, scope, public_id)
    mine = scope.select(ImportRow.row_no).where(ImportRow.import_id == head.id)
    first = mine.order_by(ImportRow.row_no).limit(limit)
    asked = [
        first.where(ImportRow.outcome == outcome)
        for outcome in (RowOutcome.PROBLEM, RowOutcome.POSSIBLE, RowOutcome.CHANGED)
    ]
    asked.append(first.where(_said(KEPT)))
    if head.kind is not ImportKind.PEOPLE:
        asked.append(mine.where(ImportRow.outcome == RowOutcome.POSSIBLE))
    return sorted({number for one in asked for number in session.scalars(one)})


def list_like_rows(session: Session, scope: Scope, public_id: UUID) -> list[LikeRow]:
    """Return the rows about a workplace that may be here, in the order of the file.

    Only workplaces that the scope may change still.
    """
    head = find_row(session, scope, public_id)
    rows = session.execute(
        scope.select(ImportRow.row_no, ImportRow.candidates)
        .where(ImportRow.import_id == head.id, ImportRow.outcome == RowOutcome.POSSIBLE)
        .order_by(ImportRow.row_no)
    ).all()
    found = {row_no: (said or {}).get("people", ()) for row_no, said in rows}
    shown = workplaces_shown(
        session,
        scope,
        {inner for each in found.values() for inner, _why in each},
        permission=Permission.PLACE_WRITE,
    )
    return [
        LikeRow(
            row_no,
            tuple(
                (shown[inner], tuple(PlaceReason(one) for one in why))
                for inner, why in each
                if inner in shown
            ),
        )
        for row_no, each in found.items()
    ]


def where_is(one: ShownWorkplace) -> str:
    """Return what tells a workplace from another of its name: employer, address, postcode."""
    return ", ".join(part for part in (one.employer, one.address, one.postcode) if part)


def chosen_names(
    session: Session, scope: Scope, target: Target, public_ids: Sequence[str]
) -> list[Choice]:
    """Return the names of workplaces or employers that values were matched to."""
    model: Any = Workplace if target is Target.WORKPLACE else Employer
    wanted = [UUID(one) for one in public_ids if one]
    rows = session.execute(
        scope.select(model.public_id, model.name).where(model.public_id.in_(wanted))
    )
    return [Choice(str(public_id), name) for public_id, name in rows]


def like_choices(
    session: Session, scope: Scope, target: Target, values: Sequence[str]
) -> list[list[LikeChoice]]:
    """Return for each value of a column of workplaces or employers what it may stand for.

    Only what may be chosen for such a column. Three statements.
    """
    if target is Target.WORKPLACE:
        write = Permission.CONTACT_WRITE
        asked = [KnownPlace(value) for value in values]
        found = like_each(session, scope, asked, permission=write)
        ids = {inner for each in found for inner, _likeness in each}
        shown = workplaces_shown(session, scope, ids, permission=write)
        named = {
            inner: (str(one.public_id), one.name, where_is(one)) for inner, one in shown.items()
        }
    else:
        right = Permission.PLACE_WRITE if target is Target.EMPLOYER else Permission.PLACE_READ
        found = like_employers_each(session, scope, values, permission=right)
        named = {}
        ids = {inner for each in found for inner, _likeness in each}
        for inner, public_id, name in session.execute(
            scope.select(Employer.id, Employer.public_id, Employer.name, permission=right).where(
                Employer.id.in_(sorted(ids))
            )
        ):
            named[inner] = (str(public_id), name, "")
    return [
        [
            LikeChoice(*named[inner], why=likeness.reasons)
            for inner, likeness in each
            if inner in named
        ]
        for each in found
    ]


def like_places(
    session: Session,
    scope: Scope,
    kind: ImportKind,
    names: Sequence[str],
    *,
    holder: str | None = None,
) -> list[list[LikeChoice]]:
    """Return for each name of a list of ballots or mergers which workplaces it may mean.

    Only those that such a list may be about. holder: the public id of the place whose ballot it
    is: then only workplaces inside it.
    """
    write = Permission.BALLOT_WRITE if kind is ImportKind.BALLOTS else Permission.PLACE_WRITE
    found = like_each(session, scope, [KnownPlace(name) for name in names], permission=write)
    ids = {inner for each in found for inner, _likeness in each}
    if holder is not None and ids:
        at = sa.select(Place.id).where(Place.public_id == UUID(holder)).scalar_subquery()
        inside = sa.select(PlaceClosure.descendant_id).where(PlaceClosure.ancestor_id == at)
        ids = set(
            session.scalars(
                scope.select(Workplace.id, permission=write).where(
                    Workplace.id.in_(sorted(ids)), Workplace.id.in_(inside)
                )
            )
        )
    shown = workplaces_shown(session, scope, ids, permission=write)
    return [
        [
            LikeChoice(
                str(shown[inner].public_id),
                shown[inner].name,
                where_is(shown[inner]),
                likeness.reasons,
            )
            for inner, likeness in each
            if inner in shown
        ]
        for each in found
    ]


def _said(words: str) -> sa.ColumnElement[bool]:
    return sa.cast(ImportRow.changes, sa.String).contains(words, autoescape=True)


def count_kept(session: Session, scope: Scope, public_id: UUID) -> dict[str, int]:
    """Return in how many rows each sort of thing is said otherwise, and stays as it is here."""
    head = find_row(session, scope, public_id)
    counted = session.execute(
        scope.select(
            *(sa.func.count(sa.case((_said(f'"{KEPT}{name}"'), 1))) for name in MAY_BE_KEPT)
        ).where(ImportRow.import_id == head.id, _said(KEPT))
    ).one()
    return {name: number for name, number in zip(MAY_BE_KEPT, counted, strict=True) if number}


def counts_of(session: Session, scope: Scope, public_id: UUID) -> dict[str, dict[str, int]]:
    """Return what ``count_changes`` and ``count_kept`` do: all rows are read for them."""
    return {
        "changes": count_changes(session, scope, public_id),
        "kept": count_kept(session, scope, public_id),
    }


def count_changes(session: Session, scope: Scope, public_id: UUID) -> dict[str, int]:
    """Return for how many known people each sort of thing would change."""
    head = find_row(session, scope, public_id)
    found: dict[str, int] = {}
    changed = session.scalars(
        scope.select(ImportRow.changes).where(
            ImportRow.import_id == head.id, ImportRow.outcome == RowOutcome.CHANGED
        ),
        execution_options={"yield_per": 1000},
    )
    for names in changed:
        for name in set(names or ()):
            if not name.startswith(KEPT):
                found[name] = found.get(name, 0) + 1
    return found


def row_numbers(
    session: Session,
    scope: Scope,
    public_id: UUID,
    *,
    outcomes: Sequence[RowOutcome] = (),
    states: Sequence[RowState] = (),
) -> list[int]:
    """Return the numbers of the rows with one of the outcomes and in one of the states."""
    head = find_row(session, scope, public_id)
    wanted = scope.select(ImportRow.row_no).where(ImportRow.import_id == head.id)
    if outcomes:
        wanted = wanted.where(ImportRow.outcome.in_(outcomes))
    if states:
        wanted = wanted.where(ImportRow.state.in_(states))
    return list(session.scalars(wanted.order_by(ImportRow.row_no)))


def _candidates(
    session: Session, scope: Scope, rows: Sequence[ImportRow]
) -> dict[int, dict[str, Any]]:
    ids = sorted({inner for row in rows for inner, _ in (row.candidates or {}).get("people", ())})
    if not ids:
        return {}
    where = place_name_of(Job.place_id)
    jobs = session.execute(
        scope.select(Job.contact_id, where)
        .where(Job.contact_id.in_(ids), known(Job))
        .order_by(Job.valid_from, Job.id)
    )
    at: dict[int, str | None] = {contact_id: name for contact_id, name in jobs}  # noqa: C416 - rows are not pairs to mypy
    phones: dict[int, list[str]] = {}
    for contact_id, value in session.execute(
        scope.select(ContactPoint.contact_id, ContactPoint.value)
        .where(
            ContactPoint.contact_id.in_(ids),
            known(ContactPoint),
            ContactPoint.kind.in_([PointKind.PHONE, PointKind.EMAIL]),
        )
        .order_by(ContactPoint.id)
    ):
        phones.setdefault(contact_id, []).append(value)
    found: dict[int, dict[str, Any]] = {}
    for person in session.scalars(
        scope.select(Contact, permission=Permission.CONTACT_WRITE).where(Contact.id.in_(ids))
    ):
        record_view(session, contact_id=person.id, contact_public_id=person.public_id)
        name = shown_name(person)
        if person.full_name and person.full_name != name:
            name = f"{name} ({person.full_name})"
        found[person.id] = {
            "id": person.public_id,
            "name": name,
            "where": at.get(person.id) or "",
            "phones": ", ".join(phones.get(person.id, ())),
        }
    return found


def people_by_public_id(
    session: Session, scope: Scope, public_ids: Sequence[str]
) -> dict[str, int]:
    """Return the inner ids of people that the scope may write about."""
    wanted = [UUID(one) for one in public_ids]
    if not wanted:
        return {}
    rows = session.execute(
        scope.select(Contact.public_id, Contact.id, permission=Permission.CONTACT_WRITE).where(
            Contact.public_id.in_(wanted)
        )
    )
    return {str(public_id): inner for public_id, inner in rows}


# --- What a list may name ---------------------------------------------------------------------


def workplaces_to_choose(session: Session, scope: Scope) -> list[Choice]:
    """Return the workplaces over which the scope may write about people, by name.

    At most MOST_OFFERED and one more, so that the caller sees that there are too many.
    """
    rows = session.execute(
        scope.select(Workplace.public_id, Workplace.name, permission=Permission.CONTACT_WRITE)
        .where(Workplace.closed_on.is_(None))
        .order_by(Workplace.name, Workplace.id)
        .limit(MOST_OFFERED + 1)
    )
    return [Choice(str(public_id), name) for public_id, name in rows]


def workplaces_by_name(session: Session, scope: Scope, names: Sequence[str]) -> dict[str, str]:
    """Return the public ids of workplaces by folded name, as far as the name is theirs alone.

    A name that nobody has counts as the same with dots in its abbreviations, or without.
    """
    return _by_name(session, scope, Workplace, Permission.CONTACT_WRITE, names)


def _by_name(
    session: Session, scope: Scope, model: Any, permission: Permission, names: Sequence[str]
) -> dict[str, str]:
    keys = {fold(name) for name in names}
    having = _having(session, scope, model, permission, keys)
    dots = {key: with_and_without_dots(key) for key in keys - set(having)}
    dotted = _having(
        session, scope, model, permission, {one for some in dots.values() for one in some}
    )
    for key, some in dots.items():
        having[key] = {public_id for one in some for public_id in dotted.get(one, ())}
    return {key: next(iter(ids)) for key, ids in having.items() if len(ids) == 1}


def _having(
    session: Session, scope: Scope, model: Any, permission: Permission, keys: Set[str]
) -> dict[str, set[str]]:
    """Return the public ids of those that have one of these folded names, by name."""
    found: dict[str, set[str]] = {}
    wanted = sorted(keys)
    for start in range(0, len(wanted), 500):
        rows = session.execute(
            scope.select(model.public_id, model.name_key, permission=permission).where(
                model.name_key.in_(wanted[start : start + 500]), model.closed_on.is_(None)
            )
        )
        for public_id, key in rows:
            found.setdefault(key, set()).add(str(public_id))
    return found


def employers_to_choose(session: Session, scope: Scope) -> list[Choice]:
    """Return the employers under which the scope may add a workplace, by name; at most
    MOST_OFFERED and one more.
    """
    rows = session.execute(
        scope.select(Employer.public_id, Employer.name, permission=Permission.PLACE_WRITE)
        .where(Employer.closed_on.is_(None))
        .order_by(Employer.name, Employer.id)
        .limit(MOST_OFFERED + 1)
    )
    return [Choice(str(public_id), name) for public_id, name in rows]


def employers_by_name(session: Session, scope: Scope, names: Sequence[str]) -> dict[str, str]:
    """Return the public ids of employers by folded name, as far as the name is theirs alone."""
    return _by_name(session, scope, Employer, Permission.PLACE_WRITE, names)


def buyers_to_choose(session: Session, scope: Scope) -> list[Choice]:
    """Return the employers that a workplace may be said to supply, by name, at most MOST_OFFERED.

    All that the scope sees: nothing is written of them but that somebody supplies them.
    """
    rows = session.execute(
        scope.select(Employer.public_id, Employer.name)
        .where(Employer.closed_on.is_(None))
        .order_by(Employer.name, Employer.id)
        .limit(MOST_OFFERED)
    )
    return [Choice(str(public_id), name) for public_id, name in rows]


def buyers_by_name(session: Session, scope: Scope, names: Sequence[str]) -> dict[str, str]:
    """Return the public ids of employers by folded name, as far as the name is theirs alone."""
    return _by_name(session, scope, Employer, Permission.PLACE_READ, names)


def unions_to_choose(session: Session, scope: Scope) -> list[Choice]:
    """Return the unions by name, at most MOST_OFFERED."""
    rows = session.execute(
        scope.select(Union.public_id, Union.name).order_by(Union.name).limit(MOST_OFFERED)
    )
    return [Choice(str(public_id), name) for public_id, name in rows]


def ballots_to_choose(session: Session, scope: Scope) -> list[Choice]:
    """Return the ballots whose counts a list may bring, the latest first, at most MOST_OFFERED.

    Those of the actor's to write in which each workplace is counted for itself.
    """
    rows = session.execute(
        scope.select(Ballot.public_id, Ballot.name, permission=Permission.BALLOT_WRITE)
        .where(Ballot.separate.is_(True), Ballot.called_off_on.is_(None))
        .order_by(Ballot.closes_on.desc(), Ballot.id.desc())
        .limit(MOST_OFFERED)
    )
    return [Choice(str(public_id), name) for public_id, name in rows]


def union_names(session: Session, scope: Scope, asked: Iterable[str] = ()) -> dict[str, str]:
    """Return the public ids of unions by folded name and abbreviation.

    asked: names as a list has them; those that surely stand for one union are in it too.
    """
    found: dict[str, str] = {}
    for public_id, name, short in session.execute(
        scope.select(Union.public_id, Union.name, Union.abbreviation).order_by(Union.id)
    ):
        found.setdefault(fold(name), str(public_id))
        if short:
            found.setdefault(fold(short), str(public_id))
    known = dict(found)
    for name in asked:
        meant = None if fold(name) in known else union_named(name, known)
        if meant is not None:
            found[fold(name)] = str(meant)
    return found


def may_change_one(session: Session, scope: Scope, workplaces: Sequence[str]) -> bool:
    """Return True when the scope may change one of these workplaces at least."""
    wanted = [UUID(one) for one in workplaces]
    found = session.scalars(
        scope.select(Workplace.id, permission=Permission.PLACE_WRITE)
        .where(Workplace.public_id.in_(wanted[:500]))
        .limit(1)
    )
    return found.first() is not None


def parts_of(
    session: Session, scope: Scope, workplaces: Sequence[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the names of areas and of shifts at these workplaces, by folded name.

    Two areas of one name at two workplaces are one choice: each row finds its own.
    """
    wanted = [UUID(one) for one in workplaces]
    inner = session.scalars(
        scope.select(Workplace.id, permission=Permission.CONTACT_WRITE).where(
            Workplace.public_id.in_(wanted[:500])
        )
    ).all()
    areas: dict[str, str] = {}
    for name in session.scalars(
        scope.select(Area.name, permission=Permission.CONTACT_WRITE)
        .where(Area.workplace_id.in_(inner), Area.closed_on.is_(None))
        .order_by(Area.name)
    ):
        areas.setdefault(fold(name), name)
    shifts: dict[str, str] = {}
    for name in session.scalars(
        scope.select(Shift.name)
        .where(Shift.place_id.in_(inner), Shift.closed_on.is_(None))
        .order_by(Shift.name)
    ):
        shifts.setdefault(fold(name), name)
    return areas, shifts
