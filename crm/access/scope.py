"""Scopes: what one person may see at this moment, and the SQL that holds them to it.

A scope is made from the grants in force. ``scope.select(X)`` adds one rule per scoped table to
the statement, so joins, aliases, subqueries and loaders are all filtered by the same line, and
marks the statement. Any SELECT that names a scoped table without that mark is refused by
``install_locks``; so are bulk updates and deletes. Which rows may be stored: access/storing.py.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState
from sqlalchemy.orm.interfaces import UserDefinedOption
from sqlalchemy.orm.util import LoaderCriteriaOption
from sqlalchemy.sql.cache_key import CacheConst

from crm.access.permissions import ROLE_PERMISSIONS, Permission
from crm.domain.errors import PermissionRefused
from crm.domain.roles import Role
from crm.domain.vocabulary import PlaceKind, Verb
from crm.models.audit import AuditEntry
from crm.models.ballots import (
    Ballot,
    BallotCount,
    BallotEntry,
    BallotExclusion,
    BallotPart,
    BallotQuestion,
    VoteTold,
)
from crm.models.base import AtPlace, Base, OfCase, OfContact, Scoped, table_of
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
from crm.models.likeness import DifferentPlaces, LikePair, PersonBlock, PersonLook
from crm.models.lists import (
    BulkAction,
    ContactAnswer,
    ContactTag,
    CustomField,
    FieldChoice,
    FileRecipe,
    PlaceAnswer,
    PlaceTag,
    SavedList,
    Tag,
)
from crm.models.member_lists import (
    MemberList,
    MemberListAct,
    MemberListChange,
    MemberListLine,
    MemberListPart,
)
from crm.models.merging import DifferentPeople
from crm.models.places import Place, PlaceClosure
from crm.models.readiness import ReadinessFinding, ReadinessTerms
from crm.models.reports import ReportFile, ReportRecipe
from crm.models.search import SQLITE_INDEX, SearchCut, SearchEntry
from crm.models.sheets import Sheet
from crm.models.talk_lists import TalkList, TalkListEntry
from crm.models.tasks import BackgroundTask, TaskFile
from crm.models.ties import GroupMember, Leading, SocialGroup, Tie
from crm.models.turf import FollowUpPass, Turf, TurfMove, TurfPerson

log = logging.getLogger(__name__)

MARK = "crm_scope"


class UnscopedQueryError(Exception):
    """A statement would read scoped rows without a scope. Always a defect, never a user's fault."""


class OutsideScopeError(Exception):
    """A row outside the writer's scope was about to be stored. Always a defect in a service."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A grant in force: the role it gives and the place it covers."""

    role: Role
    place_id: int
    covers_everything: bool = False


class _Mark(UserDefinedOption):
    """Travels with a scoped statement into the loads that follow from it."""

    propagate_to_loaders = True


@dataclass(frozen=True)
class Scope:
    """What one actor may see and do, fixed at one moment.

    actor_id: the user, or None for work that no user does. grants: those in force.
    reason: set only for ``everything``; says why the work needs all rows.
    """

    actor_id: int | None
    grants: tuple[Grant, ...]
    reason: str | None = None
    _memo: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @staticmethod
    def everything(reason: str, actor_id: int | None = None) -> Scope:
        """Return a scope over all rows, for work that truly needs them.

        reason: why, in a few words; it is logged. A test lists every caller.
        """
        log.info("scope over everything: %s", reason)
        return Scope(actor_id=actor_id, grants=(), reason=reason)

    @property
    def is_everything(self) -> bool:
        """True for a scope made by ``everything``."""
        return self.reason is not None

    def may(self, permission: Permission) -> bool:
        """Return True when some grant in force gives the permission somewhere."""
        if permission is Permission.ACCOUNT_OWN and self.actor_id is not None:
            # Also with no grant left a person may see their account, and sign out.
            return True
        return self.is_everything or any(
            permission in ROLE_PERMISSIONS[grant.role] for grant in self.grants
        )

    def require(self, permission: Permission) -> None:
        """Raise PermissionRefused unless some grant in force gives the permission."""
        if not self.may(permission):
            raise PermissionRefused(str(permission))

    def require_everywhere(self, permission: Permission) -> None:
        """Raise PermissionRefused unless the permission holds over the whole organisation."""
        if not self.may(permission) or self.nodes(permission) is not None:
            raise PermissionRefused(str(permission))

    def nodes(self, permission: Permission) -> tuple[int, ...] | None:
        """Return the ids of the places where the permission holds; None means everywhere."""
        key = ("nodes", permission)
        if key not in self._memo:
            holding = [grant for grant in self.grants if permission in ROLE_PERMISSIONS[grant.role]]
            everywhere = self.is_everything or any(grant.covers_everything for grant in holding)
            self._memo[key] = (
                None if everywhere else tuple(sorted({grant.place_id for grant in holding}))
            )
        found: tuple[int, ...] | None = self._memo[key]
        return found

    def reach(
        self, permission: Permission, column: sa.ColumnElement[Any] | Any
    ) -> sa.ColumnElement[bool]:
        """Return the condition that the place in ``column`` lies in the subtree of the nodes
        where the permission holds. One indexed condition on both databases.
        """
        nodes = self.nodes(permission)
        if nodes is None:
            return sa.true()
        if not nodes:
            return sa.false()
        closure = table_of(PlaceClosure)
        return column.in_(
            sa.select(closure.c.descendant_id).where(_one_of(closure.c.ancestor_id, nodes))
        )

    def select(
        self, *entities: Any, permission: Permission | None = None, history: bool = False
    ) -> sa.Select[*tuple[Any, ...]]:
        """Return a SELECT of the entities that can only bring rows of this scope.

        permission: narrows every rule to the places where this permission holds too, for a
        write that starts from a read (``PLACE_WRITE`` and so on).
        history: for the history of a record: talks and reminders that were taken back are seen
        as well, and so are the audit rows of whatever the scope may read.
        """
        return (
            sa.select(*entities)
            .options(*_options_of(self, permission, history))
            .execution_options(**{MARK: True})
        )

    def prepared(
        self, build: Callable[[Scope], sa.Select[*tuple[Any, ...]]]
    ) -> sa.Select[*tuple[Any, ...]]:
        """Return what ``build`` makes of this scope, made once for the same actor and grants.

        build: a function of a module that starts with ``scope.select`` and leaves what changes
        from call to call as bind parameters. For statements that run at every talk that is saved.
        """
        return _prepared(self, build)


def _one_of(column: sa.ColumnElement[int], nodes: tuple[int, ...]) -> sa.ColumnElement[bool]:
    # Most people hold one place. A list is written into the statement anew at each call, for
    # every rule of every statement.
    return column == nodes[0] if len(nodes) == 1 else column.in_(nodes)


class _Rule(LoaderCriteriaOption):
    """A loader criterion that also holds for an alias joined with an ON clause of its own.

    SQLAlchemy 2.1 puts a criterion given as an expression into such an ON clause as it stands:
    it then speaks of the table, not of the alias, and the alias is not filtered at all.
    """

    # The same parts make the cache key; without this line no scoped statement would be cached.
    _traverse_internals = LoaderCriteriaOption._traverse_internals  # noqa: SLF001

    # Worked out once for each rule: SQLAlchemy walks through all rules at every statement, and
    # took longer over that than over the statement itself.
    _own_key: tuple[Any, list[Any]] | None = None

    def _gen_cache_key(self, anon_map: Any, bindparams: list[Any]) -> Any:
        if self._own_key is None:
            # A rule shares no part with another, so its key can be made by itself.
            numbers = type(anon_map)()
            parameters: list[Any] = []
            key = super()._gen_cache_key(numbers, parameters)
            if key is None or any(isinstance(mark, CacheConst) for mark in numbers):
                return super()._gen_cache_key(anon_map, bindparams)
            self._own_key = key, parameters
        # Twice the same rule must not look like two rules: they could hold different places.
        number, seen = anon_map.get_anon(self)
        if seen:
            return number, type(self)
        key, parameters = self._own_key
        bindparams.extend(parameters)
        return number, key

    def _resolve_where_criteria(self, ext_info: Any) -> sa.ColumnElement[bool]:
        condition: sa.ColumnElement[bool] = super()._resolve_where_criteria(ext_info)
        if not ext_info.is_aliased_class:
            return condition
        adapted: sa.ColumnElement[bool] = ext_info._adapter.traverse(condition)  # noqa: SLF001
        return adapted


@lru_cache(maxsize=512)
def _prepared(
    scope: Scope, build: Callable[[Scope], sa.Select[*tuple[Any, ...]]]
) -> sa.Select[*tuple[Any, ...]]:
    return build(scope)


@lru_cache(maxsize=512)
def _options_of(scope: Scope, permission: Permission | None, history: bool) -> tuple[Any, ...]:
    # The same actor with the same grants has the same rules at the next request: building them
    # anew took longer than the statements they are for. Scopes are equal by actor and grants.
    return (_Mark(), *_criteria(scope, permission, history))


def _criteria(scope: Scope, narrower: Permission | None, history: bool) -> Iterable[Any]:
    """Yield one loader criterion for each scoped table."""
    model: Any
    for model in scoped_models():
        conditions: list[sa.ColumnElement[bool] | None] = []
        if not scope.is_everything:
            rule = (_HISTORY_RULES if history else {}).get(model) or _RULES.get(model)
            conditions.append((rule or _default_rule(model))(scope, narrower))
        if model in _TAKEN_BACK and not history:
            conditions.append(getattr(model, _TAKEN_BACK[model]).is_(None))
        held = [one for one in conditions if one is not None]
        if held:
            yield _Rule(model, sa.and_(*held), include_aliases=True)


Rule = Callable[[Scope, Permission | None], sa.ColumnElement[bool] | None]

# Tables at a place whose rows are about people, and so need more than the right to see places.
_ABOUT_PEOPLE: frozenset[type[Any]] = frozenset(
    {
        *(Job, StateSpan, SearchEntry, Conversation, ConversationIssue, Assessment, FollowUp),
        *(FollowUpPass, Sheet, TalkListEntry),
        *(ListEntry, Participation),
        *(BallotEntry, BallotExclusion, VoteTold),
    }
)


def _default_rule(model: type[Any]) -> Rule:
    if issubclass(model, OfCase):
        return lambda scope, narrower: on_team(scope, narrower, model.case_id)
    if issubclass(model, AtPlace):
        read = Permission.CONTACT_READ if model in _ABOUT_PEOPLE else Permission.PLACE_READ
        return lambda scope, narrower: _both(scope, read, narrower, model.place_id)
    if issubclass(model, OfContact):
        return lambda scope, narrower: _of_seen_contact(scope, narrower, model.contact_id)
    raise TypeError(f"{model.__name__} is scoped but names no place, contact or rule of its own")


def _both(
    scope: Scope, read: Permission, narrower: Permission | None, column: Any
) -> sa.ColumnElement[bool] | None:
    if narrower is None or narrower == read:
        return None if scope.nodes(read) is None else scope.reach(read, column)
    if scope.nodes(read) == scope.nodes(narrower):
        # Both rights hold at the same places: asking twice would only cost time.
        return None if scope.nodes(read) is None else scope.reach(read, column)
    return sa.and_(scope.reach(read, column), scope.reach(narrower, column))


def _of_seen_contact(
    scope: Scope, narrower: Permission | None, column: Any, *, workplace: Any = None
) -> sa.ColumnElement[bool] | None:
    """A person is seen by those who hold a place where the person has, or had, a job.

    workplace: a column; then only jobs at that workplace count.
    """
    rights = {Permission.CONTACT_READ, narrower or Permission.CONTACT_READ}
    held = {nodes for nodes in map(scope.nodes, rights) if nodes is not None}
    if not held:
        return None
    if () in held:
        return sa.false()
    job = table_of(Job).alias("scope_job")
    seen = (
        sa.select(sa.literal(1))
        .select_from(job)
        .where(job.c.contact_id == column, job.c.superseded_at.is_(None))
    )
    if workplace is not None:
        seen = seen.where(job.c.workplace_id == workplace)
    for number, nodes in enumerate(sorted(held)):
        # Joined, not asked as a list: SQLite would look for a job at each place of the subtree
        # in turn, instead of looking up the one place of each job.
        reach = table_of(PlaceClosure).alias(f"scope_reach_{number}")
        seen = seen.join(
            reach,
            sa.and_(reach.c.descendant_id == job.c.place_id, _one_of(reach.c.ancestor_id, nodes)),
        )
    return sa.exists(seen)


def _place_rule(scope: Scope, narrower: Permission | None) -> sa.ColumnElement[bool] | None:
    """Places of the scope; and, to read, the names of what contains them and public bodies."""
    read = Permission.PLACE_READ
    inside = _both(scope, read, narrower, Place.id)
    if inside is None or narrower is not None:
        return inside
    up = table_of(PlaceClosure).alias("up")
    held = table_of(PlaceClosure).alias("held")
    nodes = scope.nodes(read) or ()
    # A branch that organises at a workplace must be able to say whose workplace it is: what
    # contains any place inside the nodes is named too, not only what contains the nodes.
    above = sa.exists(
        sa.select(sa.literal(1))
        .select_from(up)
        .join(held, held.c.descendant_id == up.c.descendant_id)
        .where(up.c.ancestor_id == Place.id, _one_of(held.c.ancestor_id, nodes))
    )
    # Unions, branches and regions are public knowledge; employers and workplaces are where we are.
    public = Place.kind.in_([PlaceKind.UNION, PlaceKind.BRANCH, PlaceKind.REGION])
    return sa.or_(inside, public, above)


def _note_rule(scope: Scope, narrower: Permission | None) -> sa.ColumnElement[bool] | None:
    """Notes are read where NOTE_READ holds; elsewhere one's own, at places still held."""
    if scope.nodes(Permission.NOTE_READ) is None:
        return None
    note = ConversationNote
    everyone = scope.reach(Permission.NOTE_READ, note.place_id)
    own = sa.and_(
        note.author_id == scope.actor_id, scope.reach(Permission.CONTACT_READ, note.place_id)
    )
    return sa.or_(everyone, own)


def _turf_rule(scope: Scope, narrower: Permission | None) -> sa.ColumnElement[bool] | None:
    """Who looks after a place is known there, inside it, and around it.

    Whoever holds one area only must know that somebody has the whole workplace.
    """
    inside = _both(scope, Permission.CONTACT_READ, narrower, Turf.place_id)
    if inside is None or narrower is not None:
        return inside
    closure = table_of(PlaceClosure)
    around = sa.select(closure.c.ancestor_id).where(
        closure.c.descendant_id.in_(scope.nodes(Permission.CONTACT_READ) or ())
    )
    return sa.or_(inside, Turf.place_id.in_(around))


def _turf_person_rule(scope: Scope, narrower: Permission | None) -> sa.ColumnElement[bool] | None:
    """Whose somebody is at a workplace is known where they have, or had, a job at it.

    Not at the place of the row: people move on to other areas, and their rep goes with them.
    """
    return _of_seen_contact(
        scope, narrower, TurfPerson.contact_id, workplace=TurfPerson.workplace_id
    )


def _tie_rule(scope: Scope, narrower: Permission | None) -> sa.ColumnElement[bool] | None:
    """A tie is read by those who see both people at its workplace: else it would tell of one.

    By their jobs, not by the place of the row, as whose people they are: people change areas.
    """
    return _all_of(
        _of_seen_contact(scope, narrower, Tie.contact_id, workplace=Tie.workplace_id),
        _of_seen_contact(scope, narrower, Tie.leader_id, workplace=Tie.workplace_id),
    )


def _leading_rule(scope: Scope, narrower: Permission | None) -> sa.ColumnElement[bool] | None:
    return _of_seen_contact(scope, narrower, Leading.contact_id, workplace=Leading.workplace_id)


def _different_rule(scope: Scope, narrower: Permission | None) -> sa.ColumnElement[bool] | None:
    """That two people are not one is read by those who see both: else it would tell of one."""
    return _all_of(
        _of_seen_contact(scope, narrower, DifferentPeople.contact_id),
        _of_seen_contact(scope, narrower, DifferentPeople.other_id),
    )


def _pair_rule(scope: Scope, narrower: Permission | None) -> sa.ColumnElement[bool] | None:
    """That two people may be one is read by those who see both."""
    return _all_of(
        _of_seen_contact(scope, narrower, LikePair.contact_id),
        _of_seen_contact(scope, narrower, LikePair.other_id),
    )


def _different_places_rule(
    scope: Scope, narrower: Permission | None
) -> sa.ColumnElement[bool] | None:
    return _all_of(
        _both(scope, Permission.PLACE_READ, narrower, DifferentPlaces.place_id),
        _both(scope, Permission.PLACE_READ, narrower, DifferentPlaces.other_id),
    )


def _group_rule(scope: Scope, narrower: Permission | None) -> sa.ColumnElement[bool] | None:
    """Groups that tell of belief or origin are read as notes are; the others with the people."""
    return _all_of(
        _both(scope, Permission.CONTACT_READ, narrower, SocialGroup.place_id),
        _need_to_know(scope, table_of(SocialGroup).c, SocialGroup.place_id),
    )


def _group_member_rule(scope: Scope, narrower: Permission | None) -> sa.ColumnElement[bool] | None:
    group = table_of(SocialGroup).alias("scope_group")
    known = _need_to_know(scope, group.c, group.c.place_id)
    return _all_of(
        _both(scope, Permission.CONTACT_READ, narrower, GroupMember.place_id),
        _of_seen_contact(scope, narrower, GroupMember.contact_id),
        None
        if known is None
        else sa.exists(
            sa.select(sa.literal(1))
            .select_from(group)
            .where(group.c.id == GroupMember.group_id, known)
        ),
    )


def _need_to_know(scope: Scope, group: Any, place: Any) -> sa.ColumnElement[bool] | None:
    if scope.nodes(Permission.NOTE_READ) is None:
        return None
    return sa.or_(
        group.need_to_know.is_(False),
        group.created_by_id == scope.actor_id,
        scope.reach(Permission.NOTE_READ, place),
    )


def _meeting(
    scope: Scope, narrower: Permission | None, column: Any
) -> sa.ColumnElement[bool] | None:
    """The place in the column lies in the reader's places, or has some of them inside it.

    Whoever holds one area takes part in what is done at the whole workplace.
    """
    rights = {Permission.CONTACT_READ, narrower or Permission.CONTACT_READ}
    conditions: list[sa.ColumnElement[bool] | None] = []
    for right in sorted(rights):
        nodes = scope.nodes(right)
        if nodes is None:
            continue
        inside = table_of(PlaceClosure).alias(f"scope_inside_{len(conditions)}")
        held = table_of(PlaceClosure).alias(f"scope_held_{len(conditions)}")
        conditions.append(
            sa.exists(
                sa.select(sa.literal(1))
                .select_from(inside)
                .join(held, held.c.descendant_id == inside.c.descendant_id)
                .where(inside.c.ancestor_id == column, held.c.ancestor_id.in_(nodes))
            )
        )
    return _all_of(*conditions)


def _campaign_rule(column: Any) -> Rule:
    """A campaign is read by those who hold its place, and those who hold some of its units."""

    def rule(scope: Scope, narrower: Permission | None) -> sa.ColumnElement[bool] | None:
        unit = table_of(CampaignUnit).alias("scope_unit")
        met = _meeting(scope, None, unit.c.place_id)
        if met is None and narrower is None:
            return None
        owner = table_of(Campaign).alias("scope_campaign")
        right = narrower or Permission.CONTACT_READ
        held = sa.exists(
            sa.select(sa.literal(1))
            .select_from(owner)
            .where(owner.c.id == column, scope.reach(right, owner.c.place_id))
        )
        if narrower is not None or met is None:
            return held
        part = sa.exists(
            sa.select(sa.literal(1)).select_from(unit).where(unit.c.campaign_id == column, met)
        )
        return sa.or_(held, part)

    return rule


def _test_rule(scope: Scope, narrower: Permission | None) -> sa.ColumnElement[bool] | None:
    """A test is read by those who hold some of the places of its list; run where it is held."""
    base = table_of(BasePlace).alias("scope_base")
    met = _meeting(scope, None, base.c.place_id)
    if narrower is not None and scope.nodes(narrower) is not None:
        return scope.reach(narrower, StructureTest.place_id)
    if met is None:
        return None
    return sa.exists(
        sa.select(sa.literal(1)).select_from(base).where(base.c.test_id == StructureTest.id, met)
    )


def _all_of(*conditions: sa.ColumnElement[bool] | None) -> sa.ColumnElement[bool] | None:
    """Return the condition that all of them hold; None, which asks nothing, where all are None."""
    some = [condition for condition in conditions if condition is not None]
    return sa.and_(*some) if some else None


def on_team(scope: Scope, narrower: Permission | None, column: Any) -> sa.ColumnElement[bool]:
    """A case is read by those on its team who still hold its place. No role stands above that."""
    member = table_of(CaseTeamMember).alias("scope_team")
    case = table_of(Case).alias("scope_case")
    rights = {Permission.CONVERSATION_WRITE, narrower or Permission.CONVERSATION_WRITE}
    return sa.exists(
        sa.select(sa.literal(1))
        .select_from(member)
        .join(case, case.c.id == member.c.case_id)
        .where(
            member.c.case_id == column,
            member.c.user_id == scope.actor_id,
            member.c.left_at.is_(None),
            *(scope.reach(right, case.c.place_id) for right in sorted(rights)),
        )
    )


def _ballot_rule(
    scope: Scope, narrower: Permission | None, column: Any, place: Any
) -> sa.ColumnElement[bool] | None:
    """A ballot is read at the place that holds it, and by whoever holds one of its workplaces.

    To change it is for those who hold its own place: `narrower` asks for no less.
    """
    inside = _both(scope, Permission.CONTACT_READ, narrower, place)
    if inside is None or narrower is not None:
        return inside
    part = table_of(BallotPart).alias("scope_part")
    theirs = sa.exists(
        sa.select(sa.literal(1))
        .select_from(part)
        .where(part.c.ballot_id == column, scope.reach(Permission.CONTACT_READ, part.c.place_id))
    )
    return sa.or_(inside, theirs)


def _ballot_count_rule(scope: Scope, narrower: Permission | None) -> sa.ColumnElement[bool] | None:
    """The count of a part is read at the part; the one of all parts together with the ballot."""
    count = BallotCount
    inside = _both(scope, Permission.CONTACT_READ, narrower, count.place_id)
    whole = _ballot_rule(scope, narrower, count.ballot_id, count.place_id)
    if inside is None or whole is None:
        return inside
    return sa.or_(inside, sa.and_(count.part_id.is_(None), whole))


def _case_person_rule(scope: Scope, narrower: Permission | None) -> sa.ColumnElement[bool]:
    """Who has a part in a case is read by its team, as far as they may see the person."""
    team = on_team(scope, narrower, CasePerson.case_id)
    person = _of_seen_contact(scope, narrower, CasePerson.contact_id)
    return team if person is None else sa.and_(team, person)


def _definition_rule(model: type[Any]) -> Rule:
    """A tag or field is seen where it is in use: by who holds its place, or a place inside it.

    To change it somebody must hold its very place.
    """

    def _rule(scope: Scope, narrower: Permission | None) -> sa.ColumnElement[bool] | None:
        if narrower is Permission.PLACE_WRITE:
            nodes = scope.nodes(narrower)
            return None if nodes is None else scope.reach(narrower, model.place_id)
        return _defined_for(scope, model.place_id)

    return _rule


def _of_group_rule(model: type[Any]) -> Rule:
    """What a group decided holds for all inside its place: whoever holds figures of a place inside
    reads it, so that nobody counts by other terms. To write it somebody must hold its very place.
    """

    def _rule(scope: Scope, narrower: Permission | None) -> sa.ColumnElement[bool] | None:
        if narrower is Permission.DECISION_WRITE:
            nodes = scope.nodes(narrower)
            return None if nodes is None else scope.reach(narrower, model.place_id)
        return _defined_for(scope, model.place_id, Permission.DENSITY_READ)

    return _rule


def _defined_for(
    scope: Scope, column: Any, permission: Permission = Permission.PLACE_READ
) -> sa.ColumnElement[bool] | None:
    nodes = scope.nodes(permission)
    if nodes is None:
        return None
    above = table_of(PlaceClosure).alias("defined_above")
    held = table_of(PlaceClosure).alias("defined_held")
    condition: sa.ColumnElement[bool] = column.in_(
        sa.select(above.c.ancestor_id)
        .select_from(above)
        .join(held, held.c.descendant_id == above.c.descendant_id)
        .where(held.c.ancestor_id.in_(nodes))
    )
    return condition


def _use_rule(model: type[Any], definition: type[Base], key: str) -> Rule:
    """What a tag or field says is seen by who sees both the tag or field and whom it is about."""
    about = _default_rule(model)
    table = table_of(definition).alias(f"of_{definition.__tablename__}")

    def _rule(scope: Scope, narrower: Permission | None) -> sa.ColumnElement[bool] | None:
        seen = about(scope, narrower)
        defined = _defined_for(scope, table.c.place_id)
        if defined is None:
            return seen
        known = getattr(model, key).in_(sa.select(table.c.id).where(defined))
        return known if seen is None else sa.and_(seen, known)

    return _rule


def _saved_list_rule(scope: Scope, narrower: Permission | None) -> sa.ColumnElement[bool] | None:
    """A list is its owner's; a shared one is read where its place is held, or a part of that."""
    own = SavedList.owner_id == scope.actor_id
    shared = _defined_for(scope, SavedList.shared_with_id)
    return sa.or_(own, SavedList.shared_with_id.is_not(None) if shared is None else shared)


def _owner_rule(model: type[Any]) -> Rule:
    return lambda scope, narrower: model.owner_id == scope.actor_id


_READ_AS_NOTES = sorted(
    model.__tablename__ for model in (ConversationNote, SocialGroup, GroupMember)
)


def _living(column: Any) -> sa.ColumnElement[int]:
    """The contact in the column, or the one that it was put into: their trail is one."""
    contact = table_of(Contact).alias("scope_living")
    into = (
        sa.select(contact.c.merged_into_id)
        .where(contact.c.id == column)
        # It stands two levels deep: left to itself it would ask for the entries anew, all of them.
        .correlate_except(contact)
        .scalar_subquery()
    )
    found: sa.ColumnElement[int] = sa.func.coalesce(into, column)
    return found


def _audit_rule(scope: Scope, narrower: Permission | None) -> sa.ColumnElement[bool] | None:
    """Nothing of a case stands in the trail: it would tell others that there is one."""
    no_case = AuditEntry.case_id.is_(None)
    rest = _audit_of_the_rest(scope, narrower)
    return no_case if rest is None else sa.and_(no_case, rest)


def _audit_of_the_rest(scope: Scope, narrower: Permission | None) -> sa.ColumnElement[bool] | None:
    """What was written at a place is read there; the rest with the person it is about.

    The trail holds the words of talks too: they need the same right as the notes themselves, and
    so do the groups. What it tells of a tie is for those who may see both people. Asked for with
    USER_WRITE, it is what was done to accounts and by the machine, and nothing of any person.
    Asked for with EXPORT_MAKE, it is what may be read and may leave the system in a file.
    """
    entry = AuditEntry
    if narrower is Permission.USER_WRITE:
        return sa.and_(entry.contact_id.is_(None), entry.subject.in_(sorted(OF_ACCOUNTS)))
    about = _of_seen_contact(scope, Permission.AUDIT_READ, _living(entry.contact_id))
    seen = None
    if about is not None:
        at = scope.reach(Permission.AUDIT_READ, entry.place_id)
        seen = sa.or_(at, sa.and_(entry.place_id.is_(None), about))
        tie = table_of(Tie).alias("scope_tie")
        other = _of_seen_contact(scope, Permission.AUDIT_READ, tie.c.leader_id)
        if other is not None:
            both = sa.exists(sa.select(sa.literal(1)).where(tie.c.id == entry.subject_id, other))
            seen = sa.and_(seen, sa.or_(entry.subject != Tie.__tablename__, both))
    if narrower is Permission.EXPORT_MAKE:
        person = _of_seen_contact(scope, narrower, entry.contact_id)
        taken_out = scope.reach(narrower, entry.place_id)
        if person is not None:
            taken_out = sa.or_(taken_out, sa.and_(entry.place_id.is_(None), person))
        seen = _all_of(seen, taken_out)
    seen = _all_of(seen, _defined_entry(scope))
    if scope.nodes(Permission.NOTE_READ) is None:
        return seen
    words = sa.or_(
        entry.subject.not_in(_READ_AS_NOTES),
        scope.reach(Permission.NOTE_READ, entry.place_id),
        entry.actor_id == scope.actor_id,
    )
    return words if seen is None else sa.and_(seen, words)


def _defined_entry(scope: Scope) -> sa.ColumnElement[bool] | None:
    """What tags and fields say of somebody is told only to who may see the tag or field too."""
    entry = AuditEntry
    conditions = []
    for definition, uses in _DEFINED.items():
        table = table_of(definition).alias(f"of_{definition.__tablename__}")
        defined = _defined_for(scope, table.c.place_id)
        if defined is None:
            return None
        conditions.append(
            sa.or_(
                entry.subject.not_in([use.__tablename__ for use in uses]),
                entry.subject_id.in_(sa.select(table.c.id).where(defined)),
            )
        )
    return sa.and_(*conditions)


_DEFINED: dict[type[Base], tuple[type[Base], ...]] = {
    Tag: (ContactTag, PlaceTag),
    CustomField: (ContactAnswer, PlaceAnswer),
}


def _trail_rule(scope: Scope, narrower: Permission | None) -> sa.ColumnElement[bool] | None:
    """The audit rows of the records that the scope may read, each by the record's own rule.

    A table that is not named here has no history for anybody, until somebody has thought about
    who may read it. Looks and exports are not part of it: those need AUDIT_READ.
    """
    entry = AuditEntry
    person = _of_seen_contact(scope, narrower, _living(entry.contact_id))
    about = scope.reach(Permission.CONTACT_READ, entry.place_id)
    wider = [about] if narrower is None else [about, scope.reach(narrower, entry.place_id)]
    mine = sa.and_(*wider, entry.actor_id == scope.actor_id)
    note = sa.and_(*wider, scope.reach(Permission.NOTE_READ, entry.place_id))
    ways = [
        sa.and_(entry.subject.in_(_OF_PEOPLE), sa.true() if person is None else person),
        sa.and_(entry.subject.in_(_ABOUT_PEOPLE_AT_PLACES), *wider),
        sa.and_(entry.subject == ConversationNote.__tablename__, sa.or_(mine, note)),
        sa.and_(
            entry.subject.in_(_OF_PLACES),
            scope.reach(Permission.PLACE_READ, entry.place_id),
            sa.true() if narrower is None else scope.reach(narrower, entry.place_id),
        ),
    ]
    ways.append(on_team(scope, narrower, entry.case_id))
    return sa.and_(entry.verb.in_([Verb.CREATE, Verb.UPDATE, Verb.DELETE]), sa.or_(*ways))


# The tables whose rows have a history on screen, by the rule that says who may read them.
_OF_PEOPLE = (
    "contact",
    "contact_point",
    "different_people",
    "field_basis",
    "membership",
    "merged_person",
)
_ABOUT_PEOPLE_AT_PLACES = (
    "assessment",
    "conversation",
    "conversation_issue",
    "follow_up",
    "job",
)
_OF_PLACES = (
    "area",
    "bargaining_unit",
    "branch",
    "employer",
    "headcount",
    "member_count",
    "place",
    "recognition",
    "shift",
    "trade_union",
    "workplace",
)
# Rows that their writer took back, or that were put into another: only their history shows them.
# The column is null in all the others.
_TAKEN_BACK: dict[type[Any], str] = {
    Conversation: "withdrawn_at",
    FollowUp: "withdrawn_at",
    Contact: "merged_into_id",
}

# What an administrator answers for, in the trail of accounts: sign-ins and long work too.
OF_ACCOUNTS = frozenset(
    {
        "user_account",
        "access_grant",
        "invitation",
        "user_session",
        "calendar_feed",
        "background_task",
        "phone_list",
    }
)


_RULES: dict[type[Any], Rule] = {
    Place: _place_rule,
    ReadinessTerms: _of_group_rule(ReadinessTerms),
    ReadinessFinding: _of_group_rule(ReadinessFinding),
    Contact: lambda scope, narrower: _of_seen_contact(scope, narrower, Contact.id),
    ConversationNote: _note_rule,
    Tie: _tie_rule,
    Leading: _leading_rule,
    DifferentPeople: _different_rule,
    LikePair: _pair_rule,
    DifferentPlaces: _different_places_rule,
    PersonLook: lambda scope, narrower: _of_seen_contact(scope, narrower, PersonLook.contact_id),
    # Only the look through everybody reads it, which has no rule to pass.
    PersonBlock: lambda scope, narrower: sa.false(),
    SocialGroup: _group_rule,
    GroupMember: _group_member_rule,
    BackgroundTask: _owner_rule(BackgroundTask),
    TaskFile: _owner_rule(TaskFile),
    ListImport: _owner_rule(ListImport),
    ImportRow: _owner_rule(ImportRow),
    ImportRecipe: _owner_rule(ImportRecipe),
    AuditEntry: _audit_rule,
    Case: lambda scope, narrower: on_team(scope, narrower, Case.id),
    Ballot: lambda scope, narrower: _ballot_rule(scope, narrower, Ballot.id, Ballot.place_id),
    BallotQuestion: lambda scope, narrower: _ballot_rule(
        scope, narrower, BallotQuestion.ballot_id, BallotQuestion.place_id
    ),
    BallotCount: _ballot_count_rule,
    CasePerson: _case_person_rule,
    Turf: _turf_rule,
    TurfPerson: _turf_person_rule,
    TurfMove: _owner_rule(TurfMove),
    TalkList: _owner_rule(TalkList),
    ReportRecipe: _owner_rule(ReportRecipe),
    ReportFile: _owner_rule(ReportFile),
    KeptTalk: _owner_rule(KeptTalk),
    MemberList: _owner_rule(MemberList),
    MemberListPart: _owner_rule(MemberListPart),
    MemberListLine: _owner_rule(MemberListLine),
    MemberListAct: _owner_rule(MemberListAct),
    MemberListChange: _owner_rule(MemberListChange),
    SavedList: _saved_list_rule,
    BulkAction: _owner_rule(BulkAction),
    FileRecipe: _owner_rule(FileRecipe),
    Tag: _definition_rule(Tag),
    CustomField: _definition_rule(CustomField),
    FieldChoice: _definition_rule(FieldChoice),
    ContactTag: _use_rule(ContactTag, Tag, "tag_id"),
    PlaceTag: _use_rule(PlaceTag, Tag, "tag_id"),
    ContactAnswer: _use_rule(ContactAnswer, CustomField, "field_id"),
    PlaceAnswer: _use_rule(PlaceAnswer, CustomField, "field_id"),
    Campaign: _campaign_rule(Campaign.id),
    CampaignUnit: lambda scope, narrower: _meeting(scope, narrower, CampaignUnit.place_id),
    Demand: _campaign_rule(Demand.campaign_id),
    StructureTest: _test_rule,
    BasePlace: lambda scope, narrower: _meeting(scope, narrower, BasePlace.place_id),
}

_HISTORY_RULES: dict[type[Any], Rule] = {AuditEntry: _trail_rule}


@lru_cache(maxsize=1)
def scoped_models() -> tuple[type[Any], ...]:
    """Return the scoped mapped classes that carry a rule, base classes of a hierarchy only."""
    mapped = [mapper.class_ for mapper in Base.registry.mappers]
    scoped = [model for model in mapped if issubclass(model, Scoped)]
    tops = [
        model
        for model in scoped
        if not any(other is not model and issubclass(model, other) for other in scoped)
    ]
    return tuple(sorted(tops, key=lambda model: str(model.__name__)))


# Words of names that stand by themselves, without the people they belong to: only the search for
# people reads them, and compares what it finds with lines of its scope.
_LOCKED_TOO = frozenset({SearchCut.__tablename__, SQLITE_INDEX})


@lru_cache(maxsize=1)
def scoped_tables() -> frozenset[str]:
    """Return the names of all tables that only a scope may select from."""
    return frozenset(
        table.name
        for mapper in Base.registry.mappers
        if issubclass(mapper.class_, Scoped)
        for table in mapper.tables
        if isinstance(table, sa.Table)
    )


@lru_cache(maxsize=1)
def _scoped_names() -> re.Pattern[str]:
    names = "|".join(sorted(scoped_tables() | _LOCKED_TOO, key=len, reverse=True))
    return re.compile(rf"(?<![\w:])(?:{names})(?!\w)", re.IGNORECASE)


@lru_cache(maxsize=4096)
def reads_scoped_table(statement: str) -> bool:
    """Return True when the SQL text is a read that names a scoped table."""
    start = statement.lstrip(" (\n\t").split(None, 1)[:1]
    if not start or start[0].upper() not in {"SELECT", "WITH", "EXPLAIN", "TABLE", "VALUES"}:
        return False
    return bool(re.search(_scoped_names(), statement))


def install_locks(session_class: Any, engine: sa.Engine) -> None:
    """Put the refusals in place: unmarked reads, and bulk writes."""
    event.listen(engine, "before_cursor_execute", _refuse_unscoped)
    # Several apps of one process (tests) share the session class: each lock is put on it once.
    if not event.contains(session_class, "do_orm_execute", _carry_mark):
        event.listen(session_class, "do_orm_execute", _carry_mark)


def _refuse_unscoped(
    conn: sa.Connection,
    cursor: Any,
    statement: str,
    parameters: Any,
    context: Any,
    executemany: bool,
) -> None:
    options = context.execution_options if context is not None else {}
    if options.get(MARK):
        return
    if reads_scoped_table(statement):
        raise UnscopedQueryError(
            "This SELECT names a scoped table without a scope. Start it with scope.select(...)."
        )


def _carry_mark(state: ORMExecuteState) -> None:
    if state.is_update or state.is_delete:
        if not state.execution_options.get(MARK):
            raise UnscopedQueryError(
                "Bulk UPDATE and DELETE pass the scope and the audit by. Change rows one by one."
            )
        return
    if any(isinstance(option, _Mark) for option in state.user_defined_options):
        state.update_execution_options(**{MARK: True})
