"""Which rows a unit of work may store: only those of the writer's own places and people.

Rows that pass the session by (access/bulk.py) are held to the same rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session, UOWTransaction

from crm.access.permissions import Permission
from crm.access.scope import MARK, OutsideScopeError, Scope, on_team
from crm.domain.vocabulary import PlaceKind
from crm.models.audit import AuditEntry
from crm.models.ballots import (
    Ballot,
    BallotCount,
    BallotEntry,
    BallotExclusion,
    BallotForecast,
    BallotPart,
    BallotQuestion,
    VoteTold,
)
from crm.models.base import AtPlace, OfCase, OfContact, Scoped, table_of
from crm.models.campaigns import (
    BasePlace,
    Campaign,
    CampaignUnit,
    Demand,
    ListEntry,
    Participation,
    StructureTest,
)
from crm.models.cases import Case, CasePerson, CaseTeamMember
from crm.models.contacts import Contact, Job, StateSpan
from crm.models.conversations import (
    Assessment,
    Conversation,
    ConversationIssue,
    ConversationNote,
    FollowUp,
    KeptTalk,
)
from crm.models.imports import ImportRecipe, ImportRow, ListImport
from crm.models.likeness import DifferentPlaces
from crm.models.lists import BulkAction, FileRecipe, SavedList
from crm.models.member_lists import (
    MemberList,
    MemberListAct,
    MemberListChange,
    MemberListLine,
    MemberListPart,
)
from crm.models.merging import DifferentPeople
from crm.models.places import Area, Employer, Place, PlaceClosure, Workplace
from crm.models.readiness import ReadinessFinding, ReadinessTerms
from crm.models.reports import ReportFile, ReportRecipe
from crm.models.sheets import Sheet
from crm.models.talk_lists import TalkList, TalkListEntry
from crm.models.tasks import BackgroundTask, TaskFile
from crm.models.ties import GroupMember, Leading, SocialGroup, Tie
from crm.models.turf import FollowUpPass, Turf, TurfMove, TurfPerson

# The permission that writing a row of each table needs at the row's place.
_WRITES: dict[type[Any], Permission] = {
    Job: Permission.CONTACT_WRITE,
    StateSpan: Permission.CONTACT_READ,
    Conversation: Permission.CONVERSATION_WRITE,
    ConversationIssue: Permission.CONVERSATION_WRITE,
    ConversationNote: Permission.CONVERSATION_WRITE,
    Assessment: Permission.CONVERSATION_WRITE,
    FollowUp: Permission.CONVERSATION_WRITE,
    FollowUpPass: Permission.CONVERSATION_WRITE,
    Case: Permission.CONVERSATION_WRITE,
    Sheet: Permission.CONVERSATION_WRITE,
    **dict.fromkeys(
        (Ballot, BallotQuestion, BallotPart, BallotCount, BallotEntry, BallotExclusion),
        Permission.BALLOT_WRITE,
    ),
    BallotForecast: Permission.BALLOT_WRITE,
    VoteTold: Permission.CONVERSATION_WRITE,
    TalkListEntry: Permission.CONVERSATION_WRITE,
    Turf: Permission.TURF_WRITE,
    ReadinessTerms: Permission.DECISION_WRITE,
    ReadinessFinding: Permission.DECISION_WRITE,
    # A rep takes people on by themselves; the service asks for more to give them to others.
    TurfPerson: Permission.CONVERSATION_WRITE,
    SocialGroup: Permission.CONTACT_WRITE,
    GroupMember: Permission.CONTACT_WRITE,
    Campaign: Permission.CONVERSATION_WRITE,
    CampaignUnit: Permission.CONVERSATION_WRITE,
    Demand: Permission.CONVERSATION_WRITE,
    StructureTest: Permission.CONVERSATION_WRITE,
    BasePlace: Permission.CONVERSATION_WRITE,
    ListEntry: Permission.CONVERSATION_WRITE,
    Participation: Permission.CONVERSATION_WRITE,
}


# Rows that are one user's own, whatever places that user holds.
_OWNED = (
    *(BackgroundTask, TaskFile, TurfMove, TalkList, KeptTalk, SavedList, MemberList),
    *(ReportRecipe, ReportFile, FileRecipe, BulkAction),
    *(ListImport, ImportRow, ImportRecipe),
    *(MemberListPart, MemberListLine, MemberListAct, MemberListChange),
)


# Under this name a session keeps which places the writer was found to hold, or not.
_ASKED = "place_checks"
# Flushes of fewer rows ask for each by itself; people asked for in one statement.
_MANY = 8
_MOST_ASKED = 500


def install_checks(session_class: Any) -> None:
    """Have every flush of the session class refuse rows outside the scope of its unit of work."""
    if not event.contains(session_class, "before_flush", _refuse_foreign_rows):
        event.listen(session_class, "before_flush", _refuse_foreign_rows)


def forget_places(session: Session) -> None:
    """Ask anew, from now on, which places the writer holds: the tree has changed since."""
    session.info.pop(_ASKED, None)


def _refuse_foreign_rows(session: Session, context: UOWTransaction, instances: Any) -> None:
    """Refuse to store a scoped row that lies outside the scope of this unit of work."""
    rows = [
        row
        for row in (*session.new, *session.dirty, *session.deleted)
        if isinstance(row, Scoped) and not isinstance(row, AuditEntry)
    ]
    if not rows:
        return
    scope: Scope | None = session.info.get("scope")
    if scope is None:
        raise OutsideScopeError("Scoped rows are written without a scope.")
    if scope.is_everything:
        return
    new_contacts = {row for row in session.new if isinstance(row, Contact)}
    held = _held_people(session, scope, rows, new_contacts)
    for row in rows:
        _check_row(session, scope, row, new_contacts, held)


def _held_people(
    session: Session, scope: Scope, rows: Sequence[Any], new_contacts: set[Contact]
) -> set[int]:
    """Return which people of many rows the writer holds: asked once, not row by row."""
    if scope.nodes(Permission.CONTACT_WRITE) is None or len(rows) < _MANY:
        return set()
    people: set[int] = set()
    for row in rows:
        if isinstance(row, Contact):
            people |= set() if row in new_contacts else {row.id}
        elif isinstance(row, OfContact) and not isinstance(row, AtPlace):
            people.add(row.contact_id)
    wanted = sorted(people)
    job = table_of(Job)
    held: set[int] = set()
    for start in range(0, len(wanted), _MOST_ASKED):
        found = session.connection().execute(
            sa.select(job.c.contact_id)
            .where(
                job.c.contact_id.in_(wanted[start : start + _MOST_ASKED]),
                job.c.superseded_at.is_(None),
                scope.reach(Permission.CONTACT_WRITE, job.c.place_id),
            )
            .execution_options(**{MARK: True})
        )
        held.update(found.scalars())
    return held


def _check_row(
    session: Session, scope: Scope, row: Any, new_contacts: set[Contact], held: set[int]
) -> None:
    kind = type(row)
    if isinstance(row, _OWNED):
        if row.owner_id != scope.actor_id:
            raise OutsideScopeError(f"{kind.__name__} belongs to another user.")
        return
    if isinstance(row, OfCase) or (isinstance(row, Case) and row not in session.new):
        _check_of_case(session, scope, row)
        return
    if isinstance(row, Tie | Leading):
        _check_of_tie(session, scope, row)
        return
    anchor = _anchor(row)
    if anchor is not None:
        permission = _WRITES.get(kind) or _place_permission(row)
        if not _holds(session, scope, permission, anchor):
            raise OutsideScopeError(f"{kind.__name__} lies outside the writer's places.")
        _check_second(session, scope, row, permission)
        return
    if isinstance(row, Place):
        _check_top_place(scope, row)
        return
    if isinstance(row, DifferentPeople) and not _holds_contact(session, scope, row.other_id):
        raise OutsideScopeError("DifferentPeople is about a person outside the scope.")
    contact_id = row.id if isinstance(row, Contact) else row.contact_id
    if isinstance(row, Contact) and row in new_contacts:
        return  # Its first job, checked above, is what places it.
    if contact_id not in held and not _holds_contact(session, scope, contact_id):
        raise OutsideScopeError(f"{kind.__name__} is about a person outside the scope.")


def refuse_new_people(
    session: Session, rows: Mapping[type[Any], Sequence[Mapping[str, Any]]]
) -> None:
    """Refuse new rows about new people that lie outside the scope of this unit of work.

    What ``_refuse_foreign_rows`` is to rows of the session, for rows that pass the session by
    (access/bulk.py), and stricter: each row must be about a person who is among the rows and has
    a job among them, at a place where the writer may write about people. rows: columns by name,
    of contacts and of what is dated about them.
    """
    scope: Scope | None = session.info.get("scope")
    if scope is None:
        raise OutsideScopeError("Scoped rows are written without a scope.")
    new = {row["id"] for row in rows.get(Contact, ())}
    placed = {row["contact_id"] for row in rows.get(Job, ())}
    for model, some in rows.items():
        if model is Contact:
            if not new <= placed:
                raise OutsideScopeError("A new person has no job that puts them into a scope.")
            continue
        if not issubclass(model, OfContact) or not all(row["contact_id"] in new for row in some):
            raise OutsideScopeError(f"{model.__name__} is about a person who is not new here.")
        if not issubclass(model, AtPlace):
            continue
        if not _holds_all(session, scope, _WRITES[model], {row["place_id"] for row in some}):
            raise OutsideScopeError(f"{model.__name__} lies outside the writer's places.")


def _check_second(session: Session, scope: Scope, row: Any, permission: Permission) -> None:
    """Refuse a row at a place that also names a person or a place outside the scope."""
    if isinstance(row, GroupMember) and not _holds_contact(session, scope, row.contact_id):
        raise OutsideScopeError("GroupMember is about a person outside the scope.")
    if isinstance(row, DifferentPlaces) and not _holds(session, scope, permission, row.other_id):
        raise OutsideScopeError("DifferentPlaces is about a place outside the scope.")


def _check_of_tie(session: Session, scope: Scope, row: Tie | Leading) -> None:
    people = {row.contact_id, row.leader_id} if isinstance(row, Tie) else {row.contact_id}
    for person in people:
        if not _holds_contact(session, scope, person, workplace_id=row.workplace_id):
            kind = type(row)
            raise OutsideScopeError(f"{kind.__name__} is about a person outside the scope.")


def _check_of_case(session: Session, scope: Scope, row: Any) -> None:
    """Only the team writes in a case; the first on the team is whoever opened it, by themselves."""
    kind = type(row)
    case_id = row.id if isinstance(row, Case) else row.case_id
    connection = session.connection()
    team = table_of(CaseTeamMember)
    case = table_of(Case)
    mine = sa.select(on_team(scope, None, sa.literal(case_id)).label("found"))
    if not connection.execute(mine.execution_options(**{MARK: True})).scalar_one():
        opened = connection.execute(
            sa.select(
                case.c.created_by_id,
                sa.exists(sa.select(team.c.id).where(team.c.case_id == case.c.id)).label("has_one"),
            )
            .where(case.c.id == case_id)
            .execution_options(**{MARK: True})
        ).one_or_none()
        founding = (
            isinstance(row, CaseTeamMember)
            and opened is not None
            and not opened.has_one
            and opened.created_by_id == row.user_id == scope.actor_id
        )
        if not founding:
            raise OutsideScopeError(f"{kind.__name__} belongs to a case of others.")
    if isinstance(row, CasePerson) and not _holds_contact(session, scope, row.contact_id):
        raise OutsideScopeError(f"{kind.__name__} is about a person outside the scope.")


def _anchor(row: Any) -> int | None:
    """Return the id of the place whose holders may write the row, if it is at one."""
    if isinstance(row, AtPlace):
        return int(row.place_id)
    if isinstance(row, Area):
        return int(row.workplace_id)
    if isinstance(row, Workplace):
        return int(row.id or row.employer_id)
    if isinstance(row, Place) and row.id is not None:
        return int(row.id)
    return None


def _place_permission(row: Any) -> Permission:
    if isinstance(row, Employer):
        return Permission.EMPLOYER_WRITE
    if isinstance(row, Place) and row.kind in {
        PlaceKind.UNION,
        PlaceKind.BRANCH,
        PlaceKind.REGION,
    }:
        return Permission.UNION_WRITE
    return Permission.PLACE_WRITE


def _check_top_place(scope: Scope, row: Place) -> None:
    """A new employer, union, branch or region hangs under the whole organisation."""
    if scope.nodes(_place_permission(row)) is not None:
        raise OutsideScopeError("Only somebody who runs the whole server adds this place.")


# Put together once: it runs at every row that is stored.
_HELD: sa.Select[Any] = (
    sa.select(sa.literal_column("1"))
    .select_from(table_of(PlaceClosure))
    .where(
        table_of(PlaceClosure).c.descendant_id == sa.bindparam("at"),
        table_of(PlaceClosure).c.ancestor_id.in_(sa.bindparam("nodes", expanding=True)),
    )
    .limit(1)
)
_ALL_HELD: sa.Select[Any] = sa.select(table_of(PlaceClosure).c.descendant_id).where(
    table_of(PlaceClosure).c.descendant_id.in_(sa.bindparam("places", expanding=True)),
    table_of(PlaceClosure).c.ancestor_id.in_(sa.bindparam("nodes", expanding=True)),
)


def _holds(session: Session, scope: Scope, permission: Permission, place_id: int) -> bool:
    nodes = scope.nodes(permission)
    if nodes is None:
        return True
    memo: dict[Any, bool] = session.info.setdefault(_ASKED, {})
    key = (permission, place_id)
    if key not in memo:
        found = session.connection().execute(_HELD, {"at": place_id, "nodes": nodes})
        memo[key] = found.first() is not None
    return memo[key]


def _holds_all(session: Session, scope: Scope, permission: Permission, places: set[int]) -> bool:
    """Whether the writer holds each of the places: many are asked for in one statement."""
    nodes = scope.nodes(permission)
    if nodes is None:
        return True
    memo: dict[Any, bool] = session.info.setdefault(_ASKED, {})
    unknown = sorted(one for one in places if (permission, one) not in memo)
    for start in range(0, len(unknown), _MOST_ASKED):
        asked = unknown[start : start + _MOST_ASKED]
        found = session.connection().execute(_ALL_HELD, {"places": asked, "nodes": nodes})
        held = set(found.scalars())
        memo.update({(permission, one): one in held for one in asked})
    return all(memo[permission, one] for one in places)


def _holds_contact(
    session: Session, scope: Scope, contact_id: int, *, workplace_id: int | None = None
) -> bool:
    """Whether the writer holds a job that the person has or had, there if a workplace is given."""
    if scope.nodes(Permission.CONTACT_WRITE) is None:
        return True
    job = table_of(Job)
    there = sa.true() if workplace_id is None else job.c.workplace_id == workplace_id
    found = session.connection().execute(
        sa.select(sa.literal(1))
        .where(
            job.c.contact_id == contact_id,
            job.c.superseded_at.is_(None),
            there,
            scope.reach(Permission.CONTACT_WRITE, job.c.place_id),
        )
        .limit(1)
        .execution_options(**{MARK: True})
    )
    return found.first() is not None
