"""Upkeep of what a search for people reads: after a flush that changes names, phones, jobs or
areas, the lines of those people are derived anew in the same transaction.

What a line holds is crm/domain/search.py. Rows that are written past the session (a load of many)
need ``rebuild``, as they need ``spans.refresh_many``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session, UOWTransaction

from crm.access import loading
from crm.access.scope import MARK
from crm.access.spans import STILL_SO
from crm.domain.search import cuts, entry_text, grams, own_cut, words_to_guess
from crm.domain.vocabulary import PointKind
from crm.models.base import table_of
from crm.models.contacts import Contact, ContactPoint, Job
from crm.models.places import Area, Place
from crm.models.search import SQLITE_INDEX, SearchCut, SearchEntry

# People of one batch: few enough for the parameters of one statement on either database.
_AT_ONCE = 1000

_contact = table_of(Contact)
_point = table_of(ContactPoint)
_job = table_of(Job)
_place = table_of(Place)
_entry = table_of(SearchEntry)
_cut = table_of(SearchCut)
_fts = sa.table(SQLITE_INDEX, sa.column("rowid", sa.Integer), sa.column(SQLITE_INDEX, sa.String))
# The lines of a person depend on all of their jobs, also on those at places the writer does not
# hold: this module hands nothing of what it reads back.
_WHOLE_PERSON = {MARK: True}

_PEOPLE: sa.BindParameter[Any] = sa.bindparam("people", expanding=True)
_NAMES = (
    sa.select(
        _contact.c.id, _contact.c.known_as, _contact.c.full_name, _contact.c.placeholder_label
    )
    .where(_contact.c.id.in_(_PEOPLE))
    .execution_options(**_WHOLE_PERSON)
)
_PHONES = (
    sa.select(_point.c.contact_id, _point.c.value_key)
    .where(
        _point.c.contact_id.in_(_PEOPLE),
        _point.c.kind == PointKind.PHONE,
        _point.c.superseded_at.is_(None),
    )
    .execution_options(**_WHOLE_PERSON)
)
_JOBS = (
    sa.select(
        _job.c.id,
        _job.c.contact_id,
        _job.c.place_id,
        _job.c.job_title,
        _place.c.name.label("area"),
        _job.c.valid_from,
        sa.func.coalesce(_job.c.valid_to, STILL_SO).label("valid_to"),
    )
    .select_from(_job.outerjoin(_place, _place.c.id == _job.c.area_id))
    .where(_job.c.contact_id.in_(_PEOPLE), _job.c.superseded_at.is_(None))
    .execution_options(**_WHOLE_PERSON)
)
_STORED = (
    sa.select(_entry).where(_entry.c.contact_id.in_(_PEOPLE)).execution_options(**_WHOLE_PERSON)
)
# Under this name a session keeps whose lines are derived later.
_WAITING = "search_waiting"
_KEPT = ("contact_id", "place_id", "valid_from", "valid_to", "words")


# Pairs of a number and a word, handed over as one value: a JSON list of [number, word].
_PAIRS: sa.BindParameter[str] = sa.bindparam("pairs", type_=sa.Text)
_each = sa.func.json_each(_PAIRS).table_valued("value")
_element = sa.func.json_array_elements(sa.cast(_PAIRS, sa.JSON)).table_valued("value")
_PAIR: dict[str, tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]] = {
    "sqlite": (
        sa.func.json_extract(_each.c.value, "$[0]"),
        sa.func.json_extract(_each.c.value, "$[1]"),
    ),
    "postgresql": (
        sa.cast(_element.c.value.op("->>")(0), sa.BigInteger),
        _element.c.value.op("->>")(1),
    ),
}
_KNOWN = {
    dialect: sa.select(_cut.c.word)
    .where(_cut.c.cut == cut, _cut.c.word == word)
    .execution_options(**_WHOLE_PERSON)
    for dialect, (cut, word) in _PAIR.items()
}
_KEEP = (
    postgresql.insert(_cut)
    .from_select(["cut", "word"], sa.select(*_PAIR["postgresql"]))
    .on_conflict_do_nothing()
)


def install_search(session_class: Any) -> None:
    """Make every flush of the session class bring the lines of changed people up to date."""
    if not event.contains(session_class, "after_flush", _refresh_flushed):
        event.listen(session_class, "after_flush", _refresh_flushed)


@contextmanager
def at_once(session: Session) -> Iterator[None]:
    """Bring the lines of whoever changes in the block up to date once, at its end.

    Each flush would do it anew; to change a line in SQLite's index takes a millisecond. Whatever
    reads the lines of these people inside the block sees them as they were.
    """
    waiting: set[int] = session.info.setdefault(_WAITING, set())
    try:
        yield
        session.flush()
        _refresh(session.connection(), waiting)
    finally:
        del session.info[_WAITING]


def add_new(
    connection: sa.Connection,
    *,
    people: Sequence[Mapping[str, Any]],
    jobs: Sequence[Mapping[str, Any]],
    points: Sequence[Mapping[str, Any]],
) -> None:
    """Store the lines of people who have none, from all that was just stored about them.

    people, jobs, points: the columns of the rows. Only the names of areas are read. For
    access/bulk.py.
    """
    names = {row["id"]: _names_of(row) for row in people}
    phones: dict[int, list[str]] = {}
    for row in points:
        if row["kind"] == PointKind.PHONE:
            phones.setdefault(row["contact_id"], []).append(row["value_key"])
    areas = _area_names(connection, {row["area_id"] for row in jobs} - {None})
    lines = [
        {
            "job_id": row["id"],
            "contact_id": row["contact_id"],
            "place_id": row["place_id"],
            "valid_from": row["valid_from"],
            "valid_to": row["valid_to"] or STILL_SO,
            "words": entry_text(
                names[row["contact_id"]],
                (row["job_title"], areas.get(row["area_id"])),
                phones.get(row["contact_id"], ()),
            ),
        }
        for row in jobs
    ]
    loading.put(connection, _entry, loading.dicts(lines))
    _learn(connection, _words(line["words"] for line in lines))


def _names_of(row: Mapping[str, Any]) -> tuple[str | None, ...]:
    return tuple(row.get(name) for name in ("known_as", "full_name", "placeholder_label"))


def _area_names(connection: sa.Connection, areas: set[int]) -> dict[int, str]:
    names: dict[int, str] = {}
    wanted = sorted(areas)
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        found = connection.execute(
            sa.select(_place.c.id, _place.c.name)
            .where(_place.c.id.in_(some))
            .execution_options(**_WHOLE_PERSON)
        )
        names |= {row.id: row.name for row in found}
    return names


def refresh_many(session: Session, contact_ids: Iterable[int]) -> int:
    """Derive the lines of these people anew; return how many lines were not as they should be."""
    session.flush()
    return _refresh(session.connection(), contact_ids)


def is_missing(session: Session) -> bool:
    """Return True when the last person with a job has no line: the tables were filled never, or
    not to the end. They are filled in the order of the people's ids.
    """
    last = (
        sa.select(_job.c.id)
        .where(_job.c.superseded_at.is_(None))
        .order_by(_job.c.contact_id.desc(), _job.c.id)
        .limit(1)
    )
    connection = session.connection()
    job_id = connection.execute(last.execution_options(**_WHOLE_PERSON)).scalar()
    if job_id is None:
        return False
    line = sa.select(_entry.c.id).where(_entry.c.job_id == job_id)
    return connection.execute(line.execution_options(**_WHOLE_PERSON)).first() is None


def sweep_words(session: Session) -> int:
    """Forget the words that stand in no line any more; return how many.

    A word stays behind only where two people changed at the same moment.
    """
    connection = session.connection()
    stored = connection.execute(
        sa.select(_cut.c.word).distinct().execution_options(**_WHOLE_PERSON)
    ).scalars()
    return _forget_unused(connection, set(stored))


def holds(
    dialect: str, line_id: Any, ways: Sequence[Sequence[str]]
) -> sa.ColumnElement[bool] | None:
    """Return the condition, answered by the trigram index alone, that a line may hold each.

    line_id: the column of the line's id. ways: for each thing that must be found, the texts of
    which the line must hold one. The lines found must still be compared with the texts. None when
    the texts are too short for the index, and on PostgreSQL, whose index takes part in the
    comparison itself.
    """
    if dialect != "sqlite":
        return None
    asked = []
    for texts in ways:
        some = [grams(text) for text in texts]
        if all(some):
            each = (" AND ".join(f'"{gram}"' for gram in one) for one in some)
            asked.append("(" + " OR ".join(f"({one})" for one in each) + ")")
    if not asked:
        return None
    words = " AND ".join(asked)
    found = sa.select(_fts.c.rowid).where(_fts.c[SQLITE_INDEX].op("MATCH")(words))
    condition: sa.ColumnElement[bool] = line_id.in_(found)
    return condition


def has_text(dialect: str, column: Any, text: str) -> sa.ColumnElement[bool]:
    """Return the condition that the column holds the folded text."""
    if dialect == "sqlite":
        return sa.func.instr(column, text) > 0
    # No sign of a folded text means anything to LIKE, so none needs escaping. The whole pattern
    # is one value: the database sees how rare it is.
    found: sa.ColumnElement[bool] = column.like(f"%{text}%")
    return found


def _refresh_flushed(session: Session, context: UOWTransaction) -> None:
    people: set[int] = set()
    areas: set[int] = set()
    gone: set[str] = set()
    for row in (*session.new, *session.deleted):
        if isinstance(row, Job | ContactPoint):
            people.add(row.contact_id)
    for row in session.dirty:
        if isinstance(row, Contact) and _changed(row, "known_as", "full_name", "placeholder_label"):
            # A new one has no job yet: its first job brings its name.
            people.add(row.id)
        elif isinstance(row, Job | ContactPoint):
            # Given to another record of the same person, it changes the lines of both.
            people.update(_both(row, "contact_id"))
        elif isinstance(row, Area) and _changed(row, "name"):
            areas.add(row.id)
    for row in session.deleted:
        if isinstance(row, Contact):
            names = (row.known_as, row.full_name, row.placeholder_label)
            gone |= words_to_guess(entry_text(names, (), ()))
    if areas:
        found = session.connection().execute(
            sa.select(_job.c.contact_id)
            .where(_job.c.area_id.in_(sorted(areas)), _job.c.superseded_at.is_(None))
            .execution_options(**_WHOLE_PERSON)
        )
        people.update(found.scalars())
    _refresh_or_wait(session, people)
    if gone:
        _forget_unused(session.connection(), gone)


def _refresh_or_wait(session: Session, people: set[int]) -> None:
    if _WAITING in session.info:
        session.info[_WAITING].update(people)
    elif people:
        _refresh(session.connection(), people)


def _both(row: Any, name: str) -> Iterable[int]:
    """Return the value that the row had before this flush and the one it has now."""
    found: Iterable[int] = sa.inspect(row).attrs[name].history.sum()
    return found


def _changed(row: Any, *names: str) -> bool:
    attributes = sa.inspect(row).attrs
    return any(attributes[name].history.has_changes() for name in names)


def _refresh(connection: sa.Connection, contact_ids: Iterable[int]) -> int:
    wanted = sorted(set(contact_ids))
    return sum(
        _refresh_some(connection, wanted[start : start + _AT_ONCE])
        for start in range(0, len(wanted), _AT_ONCE)
    )


def _refresh_some(connection: sa.Connection, contact_ids: list[int]) -> int:
    people = {"people": contact_ids}
    stored = {row["job_id"]: row for row in connection.execute(_STORED, people).mappings()}
    wanted = {row["job_id"]: row for row in _lines(connection, people)}
    new = [row for job_id, row in wanted.items() if job_id not in stored]
    old = [row for job_id, row in stored.items() if job_id not in wanted]
    changed = [
        {**row, "line_id": stored[job_id]["id"]}
        for job_id, row in wanted.items()
        if job_id in stored and any(row[key] != stored[job_id][key] for key in _KEPT)
    ]
    if old:
        ids = [row["id"] for row in old]
        connection.execute(sa.delete(_entry).where(_entry.c.id.in_(ids)))
    if changed:
        connection.execute(
            sa.update(_entry)
            .where(_entry.c.id == sa.bindparam("line_id"))
            .values({key: sa.bindparam(key) for key in _KEPT}),
            [{key: row[key] for key in ("line_id", *_KEPT)} for row in changed],
        )
    if new:
        connection.execute(sa.insert(_entry), new)
    had = _words(row["words"] for row in stored.values())
    have = _words(row["words"] for row in wanted.values())
    _learn(connection, have - had)
    _forget_unused(connection, had - have)
    return len(old) + len(changed) + len(new)


def _lines(connection: sa.Connection, people: dict[str, list[int]]) -> list[dict[str, Any]]:
    names = {row.id: row for row in connection.execute(_NAMES, people)}
    phones: dict[int, list[str]] = {}
    for contact_id, key in connection.execute(_PHONES, people):
        phones.setdefault(contact_id, []).append(key)
    lines = []
    for job in connection.execute(_JOBS, people):
        person = names[job.contact_id]
        lines.append(
            {
                "job_id": job.id,
                "contact_id": job.contact_id,
                "place_id": job.place_id,
                "valid_from": job.valid_from,
                "valid_to": job.valid_to,
                "words": entry_text(
                    (person.known_as, person.full_name, person.placeholder_label),
                    (job.job_title, job.area),
                    phones.get(job.contact_id, ()),
                ),
            }
        )
    return lines


def _words(lines: Iterable[str]) -> set[str]:
    return {word for line in lines for word in words_to_guess(line)}


def _learn(connection: sa.Connection, words: set[str]) -> None:
    """Keep the words that are not kept yet, under all of their numbers."""
    if not words:
        return
    # A word is always under the number of its own first letters. Asked for as pairs: two lists of
    # a thousand each would be tried out against each other.
    own = json.dumps([(own_cut(word), word) for word in sorted(words)])
    known = connection.execute(_KNOWN[connection.dialect.name], {"pairs": own})
    # In the order of the index: a list of people brings some twenty rows for each new word.
    new = words - set(known.scalars())
    rows = sorted((cut, word) for word in new for cut in cuts(word))
    if rows and connection.dialect.name == "sqlite":
        loading.put_missing(
            connection,
            _cut,
            {"cut": [cut for cut, _ in rows], "word": [word for _, word in rows]},
        )
    elif rows:
        connection.execute(_KEEP, {"pairs": json.dumps(rows)})


def _forget_unused(connection: sa.Connection, words: set[str]) -> int:
    """Take out those of the words that stand in no line any more; return how many."""
    dialect = connection.dialect.name
    gone = 0
    for word in sorted(words):
        text = f" {word} "
        used = sa.select(_entry.c.id).where(has_text(dialect, _entry.c.words, text)).limit(1)
        narrower = holds(dialect, _entry.c.id, ((text,),))
        if narrower is not None:
            used = used.where(narrower)
        if connection.execute(used.execution_options(**_WHOLE_PERSON)).first() is None:
            mine = sa.and_(_cut.c.word == word, _cut.c.cut.in_(sorted(cuts(word))))
            connection.execute(sa.delete(_cut).where(mine))
            gone += 1
    return gone
