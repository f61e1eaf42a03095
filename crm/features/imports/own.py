"""Tags and the fields that a branch makes for itself, as columns of a list of people.

A tag is put on and never taken off; an answer is written where the cell says something else than
what is known, unless that was written after the day of the list. A tag or a field is for the
people inside its place: a row finds those of its own workplace.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from crm.access import facts
from crm.access.scope import Scope
from crm.domain.custom_fields import NotThatKind, parse_answer
from crm.domain.identity import fold
from crm.domain.listed import TOO_LONG, Fault, Listed, read_day
from crm.domain.vocabulary import FieldKind, FieldSubject
from crm.models.contacts import Job
from crm.models.lists import ContactAnswer, ContactTag, CustomField, Tag
from crm.models.places import PlaceClosure
from crm.reads.fields import ChoiceSeen, choices_of

NO_SUCH_TAG = (
    "The people of this workplace have no such tag. Add it on the page of tags and fields, or "
    "take it out of this cell."
)
NO_SUCH_FIELD = "The people of this workplace do not have this field. Leave this cell empty."
NOT_IN_USE = "This is not in use any more. Leave this cell empty."
NO_FIELD_OF_THE_NAME = (
    "A column goes to a field of yours, and no field has its name. Add the field first, or leave "
    "the column out."
)
_AT_ONCE: Final = 500
_COLUMN: Final[Mapping[FieldKind, str]] = {
    FieldKind.TEXT: "text_value",
    FieldKind.NUMBER: "number_value",
    FieldKind.DAY: "day_value",
    FieldKind.YES_NO: "flag_value",
    FieldKind.CHOICE: "choice_id",
}
_VALUES: Final = tuple(_COLUMN.values())


@dataclass(frozen=True, slots=True)
class _Field:
    inner: int
    kind: FieldKind
    retired: bool
    choices: tuple[ChoiceSeen, ...]


@dataclass(slots=True)
class OwnColumns:
    """What the columns of a list may say of people at each workplace.

    names: folded headings of the columns that go to a field, by position. tags: inner id and
    whether it is retired, by workplace and folded name. fields: the same way. sites: those that
    were read already.
    """

    names: Mapping[int, str]
    has_tags: bool
    tags: dict[tuple[int, str], tuple[int, bool]] = field(default_factory=dict)
    fields: dict[tuple[int, str], _Field] = field(default_factory=dict)
    sites: set[int] = field(default_factory=set)

    def read(self, session: Session, scope: Scope, sites: Iterable[int]) -> None:
        """Read what is for the people of these workplaces, as far as the scope sees it."""
        wanted = sorted(set(sites) - self.sites)
        self.sites.update(wanted)
        for start in range(0, len(wanted), _AT_ONCE):
            some = wanted[start : start + _AT_ONCE]
            for model in (Tag, CustomField):
                rows = session.execute(
                    scope.select(model, PlaceClosure.descendant_id)
                    .join(PlaceClosure, PlaceClosure.ancestor_id == model.place_id)
                    .where(
                        PlaceClosure.descendant_id.in_(some), model.subject == FieldSubject.CONTACT
                    )
                    # Of two of one name the one in use counts.
                    .order_by(model.retired_on.is_not(None), model.id)
                ).all()
                self._keep(session, scope, rows)

    def _keep(self, session: Session, scope: Scope, rows: Sequence[Any]) -> None:
        asked = [one.id for one, _site in rows if getattr(one, "kind", None) is FieldKind.CHOICE]
        choices = choices_of(session, scope, asked) if asked else {}
        for one, site in rows:
            retired = one.retired_on is not None
            if isinstance(one, Tag):
                self.tags.setdefault((site, one.name_key), (one.id, retired))
            else:
                seen = _Field(one.id, one.kind, retired, choices.get(one.id, ()))
                self.fields.setdefault((site, one.name_key), seen)


def field_names(session: Session, scope: Scope) -> set[str]:
    """Return the folded names of the fields for people that the scope sees and that are in use."""
    return set(
        session.scalars(
            scope.select(CustomField.name_key).where(
                CustomField.subject == FieldSubject.CONTACT, CustomField.retired_on.is_(None)
            )
        )
    )


@dataclass(slots=True)
class OwnPlan:
    """What a row adds: inner ids of tags, and for fields the columns of the answer."""

    tags: list[int] = field(default_factory=list)
    answers: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    kept: bool = False

    @property
    def changes(self) -> list[str]:
        """Return the names of what changes."""
        return [*(["tags"] if self.tags else ()), *(["own"] if self.answers else ())]


def plan_own(
    session: Session,
    scope: Scope,
    rows: Sequence[tuple[Listed, int | None, int | None]],
    own: OwnColumns,
    as_at: date,
) -> list[OwnPlan]:
    """Return what the columns of tags and fields add for each row. Writes nothing.

    rows: what the row says, the inner id of whom it is about (None = new), and that of its
    workplace (None = it says none: then those where the person has a job count).
    """
    if not own.names and not own.has_tags:
        return [OwnPlan() for _ in rows]
    saying = [(listed, one, site) for listed, one, site in rows if listed.own]
    ids = sorted({one for _listed, one, _site in saying if one is not None})
    jobs = _jobs(session, scope, [one for _l, one, site in saying if one and site is None])
    own.read(
        session,
        scope,
        [
            *(site for _listed, _one, site in saying if site is not None),
            *(site for sites in jobs.values() for site in sites),
        ],
    )
    tags: set[tuple[int, int]] = set()
    answers: dict[tuple[int, int], Any] = {}
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        for put in session.scalars(scope.select(ContactTag).where(ContactTag.contact_id.in_(some))):
            tags.add((put.contact_id, put.tag_id))
        for held in session.scalars(
            scope.select(ContactAnswer).where(ContactAnswer.contact_id.in_(some))
        ):
            answers[held.contact_id, held.field_id] = held
    taken: set[tuple[int, str, int]] = set()
    found = []
    for listed, one, site in rows:
        sites = [site] if site is not None else sorted(jobs.get(one or 0, ()))
        plan = OwnPlan()
        for place, cell in listed.own.items():
            if place in own.names:
                _plan_answer(plan, place, cell, own, sites, answers, one, as_at)
            else:
                _plan_tags(plan, place, cell, own, sites, tags, one)
        if one is not None:
            # Our files have a row for each job of a person: what one row adds is added once.
            plan.tags = [tag for tag in plan.tags if (one, "tag", tag) not in taken]
            plan.answers = [said for said in plan.answers if (one, "own", said[0]) not in taken]
            taken.update((one, "tag", tag) for tag in plan.tags)
            taken.update((one, "own", said[0]) for said in plan.answers)
        found.append(plan)
    return found


def _jobs(session: Session, scope: Scope, ids: Sequence[int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for start in range(0, len(ids), _AT_ONCE):
        for one, site in session.execute(
            scope.select(Job.contact_id, Job.workplace_id).where(
                Job.contact_id.in_(ids[start : start + _AT_ONCE]), facts.known(Job)
            )
        ):
            found.setdefault(one, set()).add(site)
    return found


def _plan_tags(
    plan: OwnPlan,
    place: int,
    cell: str,
    own: OwnColumns,
    sites: Sequence[int],
    held: set[tuple[int, int]],
    contact_id: int | None,
) -> None:
    for word in re.split(r"[;,\n]", cell):
        key = fold(word)[:200]
        if not key:
            continue
        here = [own.tags[site, key] for site in sites if (site, key) in own.tags]
        if not here:
            plan.faults.append(Fault(place, NO_SUCH_TAG))
            return
        tag, retired = min(here, key=lambda one: (one[1], one[0]))
        if (contact_id or 0, tag) in held or tag in plan.tags:
            continue
        if retired:
            plan.faults.append(Fault(place, NOT_IN_USE))
            return
        plan.tags.append(tag)


def _plan_answer(
    plan: OwnPlan,
    place: int,
    cell: str,
    own: OwnColumns,
    sites: Sequence[int],
    held: Mapping[tuple[int, int], Any],
    contact_id: int | None,
    as_at: date,
) -> None:
    name = own.names[place]
    here = [own.fields[site, name] for site in sites if (site, name) in own.fields]
    if not here:
        plan.faults.append(Fault(place, NO_SUCH_FIELD))
        return
    one = min(here, key=lambda seen: (seen.retired, seen.inner))
    try:
        said = _answer(one, cell)
    except NotThatKind as refusal:
        plan.faults.append(Fault(place, TOO_LONG if refusal.params else refusal.message))
        return
    before = held.get((contact_id or 0, one.inner))
    if said is None or (before is not None and _columns_of(before) == said):
        return
    chosen = next((c for c in one.choices if c.choice_id == said["choice_id"]), None)
    if one.retired or (chosen is not None and chosen.retired):
        plan.faults.append(Fault(place, NOT_IN_USE))
    elif before is not None and before.set_at.date() > as_at:
        plan.kept = True
    else:
        plan.answers.append((one.inner, said))


def _answer(one: _Field, cell: str) -> dict[str, Any] | None:
    """Return the five columns of the answer in a cell. Raises NotThatKind."""
    value: Any = read_day(cell) if one.kind is FieldKind.DAY else None
    if value is None:
        names = {choice.public_id: choice.name for choice in one.choices}
        value = parse_answer(one.kind, cell, names)
    if isinstance(value, UUID):
        value = next(each.choice_id for each in one.choices if each.public_id == value)
    if value is None:
        return None
    return {**dict.fromkeys(_VALUES), _COLUMN[one.kind]: value}


def _columns_of(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _VALUES}


def store_own(
    session: Session,
    scope: Scope,
    plans: Sequence[tuple[int, int, OwnPlan]],
    *,
    now: datetime,
) -> dict[int, list[list[Any]]]:
    """Store what was planned; return what was stored by row, as ``people.store`` does.

    plans: number of the row, inner id of the person, and what is added. The inner id in what is
    returned is that of the tag or the field.
    """
    by = {"set_at": now, "set_by_id": scope.actor_id}
    wanted = {(one, said[0]) for _row, one, plan in plans for said in plan.answers}
    before = answers_of_people(session, scope, [one for one, _field in wanted])
    effects: dict[int, list[list[Any]]] = {}
    for row_no, one, plan in plans:
        stored: list[list[Any]] = []
        for tag in plan.tags:
            session.add(ContactTag(contact_id=one, tag_id=tag, **by))
            stored.append([ContactTag.__tablename__, tag, None, None])
        for inner, said in plan.answers:
            held = before.get((one, inner))
            old = None
            if held is None:
                session.add(ContactAnswer(contact_id=one, field_id=inner, **said, **by))
            else:
                old = {**_columns_of(held), "set_at": held.set_at, "set_by_id": held.set_by_id}
                for name, value in {**said, **by}.items():
                    setattr(held, name, value)
            stored.append([ContactAnswer.__tablename__, inner, None, old])
        if stored:
            effects[row_no] = stored
    session.flush()
    return effects


def answers_of_people(
    session: Session, scope: Scope, ids: Sequence[int]
) -> dict[tuple[int, int], Any]:
    """Return the answers about people, by inner ids of the person and the field."""
    wanted = sorted(set(ids))
    found: dict[tuple[int, int], Any] = {}
    for start in range(0, len(wanted), _AT_ONCE):
        for row in session.scalars(
            scope.select(ContactAnswer).where(
                ContactAnswer.contact_id.in_(wanted[start : start + _AT_ONCE])
            )
        ):
            found[row.contact_id, row.field_id] = row
    return found


def put_own_back(
    session: Session, scope: Scope, contact_id: int, stored: Sequence[Sequence[Any]]
) -> None:
    """Take back what ``store_own`` stored of a person whom nobody has changed since."""
    for table, inner, _before, old in stored:
        row: Any = None
        if table == ContactTag.__tablename__:
            row = session.scalars(
                scope.select(ContactTag).where(
                    ContactTag.contact_id == contact_id, ContactTag.tag_id == inner
                )
            ).one_or_none()
        elif table == ContactAnswer.__tablename__:
            row = answers_of_people(session, scope, [contact_id]).get((contact_id, inner))
        if row is None:
            continue
        if old is None:
            session.delete(row)
            continue
        for name, value in old.items():
            setattr(row, name, _as_was(name, value))


def _as_was(name: str, value: Any) -> Any:
    """Return a value that was kept as JSON in the type of its column."""
    if value is not None and name == "set_at":
        return datetime.fromisoformat(value)
    if value is not None and name == "day_value":
        return date.fromisoformat(value)
    return value
