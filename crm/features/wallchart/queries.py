"""What the wall chart shows, as at a day. Every read runs under a scope."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access import speakers
from crm.access.facts import covers, known
from crm.access.many import one_of
from crm.access.permissions import Permission
from crm.access.reminders import is_untouched
from crm.access.scope import Scope
from crm.domain.assessment import DEFAULT_EXPIRY, ExpiryRule, Freshness, freshness_of
from crm.domain.contact_filter import ContactFilter
from crm.domain.cover import Cover
from crm.domain.errors import NotFound
from crm.domain.headcount import Headcount as Estimate
from crm.domain.identity import fold
from crm.domain.structure import Deed
from crm.domain.vocabulary import FieldKind, FieldSubject
from crm.domain.wallchart import (
    Gap,
    OnTheWall,
    Sums,
    blanks,
    has_gap,
    subtree,
    sums,
    talk_age,
    wall_order,
)
from crm.models.contacts import Contact, Job, StateSpan
from crm.models.conversations import Conversation, ConversationIssue, FollowUp
from crm.models.lists import ContactAnswer, ContactTag, CustomField, FieldChoice, Tag
from crm.models.places import Area, Place, PlaceClosure, Shift, Workplace
from crm.models.talk_lists import TalkList, TalkListEntry
from crm.reads.people import ids_on_list, names_of_users
from crm.reads.places import headcounts_on
from crm.reads.saved_lists import Saved, list_saved
from crm.reads.standing import seen_differently
from crm.reads.structure import last_deeds
from crm.reads.talks import has_open_reminder, said_yes
from crm.reads.ties import Following, get_following

Kept = TypeVar("Kept")

# The group of those of whom the area, shift, job or employer is not known.
NOT_KNOWN_KEY = "none"
# The group of those whose shift or employer is known, but not shown to this reader.
HIDDEN_KEY = "hidden"
# The columns of a field with yes and no.
YES_KEY = "yes"
NO_KEY = "no"
# A row of tabs with more than this cannot be read.
MOST_OWN = 12
# Saved lists to choose people by.
MOST_LISTS = 24


# How many of the last tests a tile has a sign for.
TESTS_SHOWN = 2
_SIGN: dict[Deed | None, str] = {
    Deed.DID: "d",
    Deed.DID_NOT: "n",
    Deed.WILL: "q",
    Deed.NOT_YET: "q",
    None: "q",
}


class GroupBy(enum.StrEnum):
    """What the wall has a column for."""

    AREA = "area"
    SHIFT = "shift"
    JOB = "job"
    EMPLOYER = "employer"
    LEADER = "leader"
    # A tag or a field of a branch.
    OWN = "own"


class Among(enum.StrEnum):
    """How people are chosen by a tag or a saved list: the letter before its id in addresses."""

    WITH = "t"
    WITHOUT = "n"
    ON_LIST = "l"


@dataclass(frozen=True, slots=True)
class Own:
    """A tag, or a field with a choice or yes and no (kind is then set), to have columns by."""

    public_id: uuid.UUID
    name: str
    kind: FieldKind | None


@dataclass(frozen=True, slots=True)
class Group:
    """One column. key: for addresses; NOT_KNOWN_KEY where the area, shift and so on is not known.

    label: the name as stored; None with the keys NOT_KNOWN_KEY and HIDDEN_KEY.
    people: the tiles, each person once. sums: over the people here; of an area also over those
    in the areas inside it (all_here holds them; inside is then True). blanks: workers that the
    headcount tells of and nobody has named.
    """

    key: str
    label: str | None
    area_id: uuid.UUID | None
    people: tuple[OnTheWall, ...]
    all_here: tuple[OnTheWall, ...]
    inside: bool
    sums: Sums
    headcount: Estimate | None
    blanks: int


@dataclass(frozen=True, slots=True)
class Wall:
    """The wall chart of a workplace. people: everybody on it, once, in the order of the tiles.

    whole: the reader holds the whole workplace, not only areas of it. own: the tags and fields it
    can have columns by; own_chosen: the one it has, with GroupBy.OWN. tests: the names of the last
    tests there, the oldest first. lists: the saved lists that the reader may open. among: the tag
    or list that people are chosen by, empty for none; kept: the keys of those who are on it, or,
    without a tag, who do not have it; None = everybody.
    """

    public_id: uuid.UUID
    name: str
    as_at: date
    by: GroupBy
    groups: tuple[Group, ...]
    people: tuple[OnTheWall, ...]
    sums: Sums
    headcount: Estimate | None
    blanks: int
    whole: bool
    may_add: bool
    may_log: bool
    tests: tuple[str, ...] = ()
    own: tuple[Own, ...] = ()
    own_chosen: Own | None = None
    lists: tuple[Own, ...] = ()
    among: str = ""
    kept: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody whom a short id stands for, and their jobs at the workplace that go on."""

    public_id: uuid.UUID
    name: str
    job_ids: tuple[uuid.UUID, ...]


@dataclass(frozen=True, slots=True)
class Speaker:
    """A user who may log talks at the workplace or at a part of it.

    place_ids: the inner ids of the places of the workplace that they hold. whole: all of it.
    """

    user_id: int
    public_id: uuid.UUID
    name: str
    whole: bool
    place_ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class OpenGap:
    """People of one gap, in the order of the wall, each with the inner id of a place they are at.

    busy: people left out because somebody has promised to speak to them already.
    """

    workplace_id: int
    public_id: uuid.UUID
    name: str
    group_label: str | None
    people: tuple[tuple[OnTheWall, int], ...]
    busy: int


@dataclass(frozen=True, slots=True)
class Given:
    """Somebody on a talk list, and who is to speak to them now.

    untouched: nobody has ticked it off, put it off or passed it on since it was made.
    """

    person_id: uuid.UUID
    name: str
    owner: str
    done: bool
    untouched: bool


@dataclass(frozen=True, slots=True)
class MadeList:
    """A talk list of the reader's own. rows: the reminders that still stand, by owner and name.

    Left out of rows: people whom the reader may no longer see.
    """

    public_id: uuid.UUID
    place_id: uuid.UUID
    place_name: str
    made_at: datetime
    undone_at: datetime | None
    rows: tuple[Given, ...]

    @property
    def untouched(self) -> int:
        """How many reminders undoing the list would take back."""
        return sum(row.untouched for row in self.rows)


@dataclass(frozen=True, slots=True)
class _Site:
    workplace_id: int
    public_id: uuid.UUID
    name: str
    whole: bool
    may_add: bool
    may_log: bool
    areas: tuple[Any, ...]

    @property
    def parents(self) -> dict[int, int | None]:
        """The workplace and each area with what it lies in, inner ids."""
        found: dict[int, int | None] = {self.workplace_id: None}
        shown = {area.id for area in self.areas}
        for area in self.areas:
            above = area.parent_area_id
            found[area.id] = above if above in shown else self.workplace_id
        return found


def get_wall(
    session: Session,
    scope: Scope,
    public_id: uuid.UUID,
    *,
    as_at: date,
    by: GroupBy = GroupBy.AREA,
    own: uuid.UUID | None = None,
    issue: str | None = None,
    among: str = "",
    expiry: ExpiryRule = DEFAULT_EXPIRY,
) -> Wall:
    """Return the wall chart of a workplace as at a day, as we know now. 17 statements at most.

    own: the tag or field to have columns by, with GroupBy.OWN; without one that the workplace
    has, the columns are areas. Tags and answers have no days: they are those of now.
    expiry: how long an assessment counts.
    issue: a code of the vocabulary; it marks who raised that issue by then.
    among: a letter of Among and the id of a tag of the workplace, or of a saved list of the
    reader's; what is none of these chooses nobody out.
    Raises NotFound when the workplace is out of scope, or none of its people are the reader's.
    """
    site = _get_site(session, scope, public_id)
    rows = _rows(session, scope, site.workplace_id, as_at=as_at, issue=issue)
    following = get_following(session, scope, site.workplace_id, as_at=as_at)
    led = following.cover(row.contact_id for row in rows)
    here = sa.select(Job.contact_id).where(
        Job.workplace_id == site.workplace_id, known(Job), covers(Job, as_at)
    )
    apart = seen_differently(session, scope, here, as_at=as_at, expiry=expiry)
    tests, deeds = last_deeds(session, scope, site.workplace_id, as_at=as_at, tests=TESTS_SHOWN)
    everybody = {
        row.contact_id: _person(
            row, as_at, following, led, apart, expiry, _tests_of(row.contact_id, deeds)
        )
        for row in rows
    }
    estimates = headcounts_on(session, scope, set(site.parents), as_at)
    at_place = _people_by(rows, lambda row: row.place_id)
    empty = blanks(
        site.parents,
        {place: _likely(estimate) for place, estimate in estimates.items()},
        at_place,
    )
    owns = _owns(session, scope, site)
    saved = [one for one in list_saved(session, scope) if one.chosen is not None][:MOST_LISTS]
    chooses = _chooses(among, owns, saved)
    kept = None
    if chooses is not None:
        kept = ids_on_list(session, scope, chooses, here, as_at=as_at, expiry=expiry)
        if among.startswith(Among.WITHOUT):
            kept = frozenset(everybody) - kept
    chosen = next((one for one in owns if one.public_id == own), None)
    if by is GroupBy.OWN and chosen is None:
        by = GroupBy.AREA
    if by is GroupBy.AREA:
        groups = _by_area(site, everybody, at_place, estimates, empty, as_at)
    elif by is GroupBy.LEADER:
        groups = _by_leader(everybody, led, sum(empty.values()))
    elif by is GroupBy.OWN and chosen is not None:
        names, answers = _answers(session, scope, chosen, list(everybody))
        keyed = _people_by(rows, lambda row: answers.get(row.contact_id))
        groups = _by_other(keyed, everybody, names, sum(empty.values()))
    else:
        names = _names(session, scope, site, rows, by)
        keyed = _people_by(rows, _COLUMN[by])
        groups = _by_other(keyed, everybody, names, sum(empty.values()))
    people = tuple(sorted(everybody.values(), key=wall_order))
    return Wall(
        public_id=site.public_id,
        name=site.name,
        as_at=as_at,
        by=by,
        groups=tuple(groups),
        people=people,
        sums=sums(people),
        headcount=estimates.get(site.workplace_id),
        blanks=sum(empty.values()),
        whole=site.whole,
        may_add=site.may_add,
        may_log=site.may_log,
        tests=tuple(name for _key, name in tests),
        own=owns,
        own_chosen=chosen if by is GroupBy.OWN else None,
        lists=tuple(Own(one.public_id, one.name, None) for one in saved),
        among="" if chooses is None else among,
        kept=kept,
    )


def _chooses(among: str, owns: Iterable[Own], saved: Iterable[Saved]) -> ContactFilter | None:
    """Return the filter that a choice of people stands for; None where it stands for none."""
    if among.startswith(Among.ON_LIST):
        named = {f"{Among.ON_LIST}{one.public_id.hex}": one.chosen for one in saved}
        return named.get(among)
    return next(
        (
            ContactFilter(tag=one.public_id)
            for one in owns
            if one.kind is None
            and among in (f"{Among.WITH}{one.public_id.hex}", f"{Among.WITHOUT}{one.public_id.hex}")
        ),
        None,
    )


def _tests_of(contact_id: int, deeds: Mapping[int, Mapping[int, Deed | None]]) -> str:
    signs = "".join(
        _SIGN[of_test[contact_id]] if contact_id in of_test else "o" for of_test in deeds.values()
    )
    return "" if set(signs) <= {"o"} else signs


def find_people(
    session: Session, scope: Scope, public_id: uuid.UUID, short: str, *, today: date
) -> tuple[str, list[Found]]:
    """Return the workplace's name and the people there whose public id starts with the letters.

    short: 1 to 32 hexadecimal letters. Also somebody who has left is found, so that letters
    which were good on an earlier wall never come to mean another person.
    Raises NotFound when the workplace is out of scope or nobody is found.
    """
    site = _get_site(session, scope, public_id)
    rows = session.execute(
        scope.select(
            Contact.public_id,
            sa.func.coalesce(Contact.known_as, Contact.placeholder_label).label("name"),
            Job.public_id.label("job_id"),
            covers(Job, today).label("goes_on"),
        )
        .join(Job, Job.contact_id == Contact.id)
        .where(
            Job.workplace_id == site.workplace_id,
            known(Job),
            Contact.public_id.between(
                uuid.UUID(short.ljust(32, "0")), uuid.UUID(short.ljust(32, "f"))
            ),
        )
        .order_by(Contact.name_key, Contact.id, Job.id)
    ).all()
    if not rows:
        raise NotFound(f"somebody {short} at workplace {public_id}")
    jobs: dict[uuid.UUID, list[uuid.UUID]] = {}
    for row in rows:
        jobs.setdefault(row.public_id, []).extend([row.job_id] if row.goes_on else [])
    names = {row.public_id: row.name for row in rows}
    return site.name, [Found(one, names[one], tuple(jobs[one])) for one in jobs]


def find_area(session: Session, scope: Scope, public_id: uuid.UUID, short: str) -> uuid.UUID | None:
    """Return the public id of the one area of a workplace whose id starts with these letters.

    None where several do, or none: whoever adds somebody then chooses the area themselves.
    Raises NotFound as get_wall does.
    """
    site = _get_site(session, scope, public_id)
    fitting = [one.public_id for one in site.areas if str(one.public_id).startswith(short)]
    return fitting[0] if short and len(fitting) == 1 else None


def find_by_key(found: Mapping[str, Kept], key: str) -> Kept:
    """Return the one whose key is this, or alone starts with it. Raises NotFound otherwise."""
    fitting = [one for name, one in found.items() if key and name.startswith(key)]
    if key in found:
        return found[key]
    if len(fitting) != 1:
        raise NotFound(f"column {key!r}")
    return fitting[0]


def get_gap(
    session: Session,
    scope: Scope,
    public_id: uuid.UUID,
    gap: Gap,
    *,
    group: str | None,
    today: date,
    expiry: ExpiryRule = DEFAULT_EXPIRY,
) -> OpenGap:
    """Return the people of a gap today at the places where the actor logs talks.

    group: the key of one area, or its first letters, with the areas inside it; None = the whole
    workplace.
    Left out: people who are not to be contacted, and those with an open follow-up of anybody.
    Raises NotFound as get_wall does, and for an area that is not the reader's.
    """
    site = _get_site(session, scope, public_id)
    area = None
    if group is not None and group != NOT_KNOWN_KEY:
        area = find_by_key({str(one.public_id): one for one in site.areas}, group)
    wanted = {site.workplace_id} if group == NOT_KNOWN_KEY else set(site.parents)
    if area is not None:
        wanted = subtree(site.parents, area.id)
    rows = _rows(
        session,
        scope,
        site.workplace_id,
        as_at=today,
        issue=None,
        permission=Permission.CONVERSATION_WRITE,
    )
    following = get_following(session, scope, site.workplace_id, as_at=today)
    present = {row.contact_id for row in rows}
    if gap is Gap.NO_LEADER:
        # Also people with whom the actor logs no talks can be on the way to a leader.
        present |= {
            row.contact_id
            for row in _rows(session, scope, site.workplace_id, as_at=today, issue=None)
        }
    led = following.cover(present)
    apart = seen_differently(
        session, scope, {row.contact_id for row in rows}, as_at=today, expiry=expiry
    )
    found: dict[int, tuple[OnTheWall, int]] = {}
    for row in rows:
        person = _person(row, today, following, led, apart, expiry)
        if row.place_id in wanted and has_gap(person, gap):
            found.setdefault(person.key, (person, row.place_id))
    return OpenGap(
        workplace_id=site.workplace_id,
        public_id=site.public_id,
        name=site.name,
        group_label=area.name if area else None,
        people=tuple(
            sorted(
                (one for one in found.values() if not one[0].has_task),
                key=lambda one: wall_order(one[0]),
            )
        ),
        busy=sum(person.has_task for person, _place in found.values()),
    )


def get_talk_list(session: Session, scope: Scope, public_id: uuid.UUID) -> MadeList:
    """Return a talk list that the actor made. Three statements.

    Raises NotFound for a list of somebody else, and when the workplace is out of scope now.
    """
    made = session.execute(
        scope.select(
            TalkList.id,
            TalkList.made_at,
            TalkList.undone_at,
            Workplace.public_id.label("place_id"),
            Workplace.name,
        )
        .join(Workplace, Workplace.id == TalkList.workplace_id)
        .where(TalkList.public_id == public_id)
    ).one_or_none()
    if made is None:
        raise NotFound(f"talk list {public_id}")
    found = session.execute(
        reminders_of(scope, made.id, FollowUp, Contact.public_id, Contact.known_as)
        .add_columns(Contact.placeholder_label)
        .join(Contact, Contact.id == FollowUp.contact_id)
        .order_by(Contact.name_key, Contact.id)
    ).all()
    owners = names_of_users(session, {row.FollowUp.owner_id for row in found})
    rows = [
        Given(
            person_id=row.public_id,
            name=row.known_as or row.placeholder_label or "",
            owner=owners.get(row.FollowUp.owner_id, ""),
            done=row.FollowUp.done_at is not None,
            untouched=is_untouched(row.FollowUp),
        )
        for row in found
    ]
    return MadeList(
        public_id=public_id,
        place_id=made.place_id,
        place_name=made.name,
        made_at=made.made_at,
        undone_at=made.undone_at,
        rows=tuple(sorted(rows, key=lambda row: row.owner.casefold())),
    )


def reminders_of(scope: Scope, talk_list_id: int, *columns: Any) -> sa.Select[Any]:
    """Return the statement for the reminders of a list that stand and that the actor may change.

    talk_list_id: inner id, of a list that the caller has already found in the scope.
    """
    return (
        scope.select(*columns, permission=Permission.CONVERSATION_WRITE)
        .join(TalkListEntry, TalkListEntry.follow_up_id == FollowUp.id)
        .where(TalkListEntry.talk_list_id == talk_list_id)
    )


def hold_place(session: Session, scope: Scope, public_id: uuid.UUID) -> None:
    """Make others who share out people of this workplace wait until this unit of work ends.

    Two who tap at the same moment would otherwise both find the same people without a list.
    """
    session.execute(
        scope.select(Place.id)
        .where(Place.public_id == public_id)
        .with_for_update(key_share=True, of=Place)
    )


def list_speakers(
    session: Session, scope: Scope, workplace_id: int, *, today: date
) -> list[Speaker]:
    """Return the users who may log talks at the workplace or a part of it today, by name.

    workplace_id: inner id, of a workplace that the caller has already found in the scope.
    Those who hold it, or a part of it, by itself come before those who hold more than it.
    """
    part = sa.orm.aliased(PlaceClosure)
    below = sa.select(part.descendant_id).where(part.ancestor_id == workplace_id).scalar_subquery()
    return [
        Speaker(
            user_id=one.user_id,
            public_id=one.public_id,
            name=one.name,
            whole=workplace_id in one.place_ids,
            place_ids=one.place_ids,
        )
        for one in speakers.list_speakers(session, below, day=today)
    ]


def _get_site(session: Session, scope: Scope, public_id: uuid.UUID) -> _Site:
    """Return the workplace with the areas that hold people of the reader's."""
    row = session.execute(
        scope.select(
            Workplace.id,
            Workplace.name,
            scope.reach(Permission.CONTACT_READ, Workplace.id).label("whole"),
            scope.reach(Permission.CONTACT_WRITE, Workplace.id).label("may_add"),
            scope.reach(Permission.CONVERSATION_WRITE, Workplace.id).label("may_log"),
        ).where(Workplace.public_id == public_id)
    ).one_or_none()
    if row is None:
        raise NotFound(f"workplace {public_id}")
    areas = session.execute(
        scope.select(
            Area.id,
            Area.public_id,
            Area.name,
            Area.parent_area_id,
            Area.closed_on,
            scope.reach(Permission.CONTACT_WRITE, Area.id).label("may_add"),
            scope.reach(Permission.CONVERSATION_WRITE, Area.id).label("may_log"),
        )
        .where(Area.workplace_id == row.id, scope.reach(Permission.CONTACT_READ, Area.id))
        .order_by(Area.name, Area.id)
    ).all()
    if not row.whole and not areas:
        raise NotFound(f"people at workplace {public_id}")
    return _Site(
        workplace_id=row.id,
        public_id=public_id,
        name=row.name,
        whole=bool(row.whole),
        may_add=bool(row.may_add) or any(area.may_add for area in areas),
        may_log=bool(row.may_log) or any(area.may_log for area in areas),
        areas=tuple(areas),
    )


def _rows(
    session: Session,
    scope: Scope,
    workplace_id: int,
    *,
    as_at: date,
    issue: str | None,
    permission: Permission | None = None,
) -> Sequence[Any]:
    """Return a row for each job at the workplace on the day, with the person's state then."""
    of_them = Conversation.contact_id == Job.contact_id
    by_then = Conversation.day <= as_at
    last_talk = sa.select(sa.func.max(Conversation.day)).where(of_them, by_then).scalar_subquery()
    raised: Any = sa.literal(True)
    if issue is not None:
        raised = (
            sa.select(sa.literal(1))
            .where(
                ConversationIssue.contact_id == Job.contact_id,
                ConversationIssue.issue == issue,
                Conversation.id == ConversationIssue.conversation_id,
                by_then,
            )
            .exists()
        )
    return session.execute(
        scope.select(
            Job.contact_id,
            Job.place_id,
            Job.shift_id,
            Job.job_title,
            Job.employer_of_record_id,
            Contact.public_id,
            Contact.known_as,
            Contact.placeholder_label,
            Contact.do_not_contact,
            StateSpan.score,
            StateSpan.score_firm,
            StateSpan.scored_on,
            StateSpan.member,
            last_talk.label("last_talk_on"),
            said_yes(Job.contact_id, as_at).label("said_yes"),
            has_open_reminder(Job.contact_id).label("has_task"),
            raised.label("raised"),
            permission=permission,
        )
        .join(Contact, Contact.id == Job.contact_id)
        .join(
            StateSpan,
            sa.and_(
                StateSpan.contact_id == Job.contact_id,
                StateSpan.place_id == Job.place_id,
                StateSpan.from_day <= as_at,
                StateSpan.to_day > as_at,
            ),
        )
        .where(Job.workplace_id == workplace_id, known(Job), covers(Job, as_at))
        .order_by(Job.id)
    ).all()


def _person(
    row: Any,
    as_at: date,
    following: Following,
    led: Cover[int],
    apart: Collection[int],
    expiry: ExpiryRule,
    tests: str = "",
) -> OnTheWall:
    return OnTheWall(
        tests=tests,
        too_old=row.scored_on is not None
        and freshness_of((as_at - row.scored_on).days, expiry) is Freshness.EXPIRED,
        apart=row.contact_id in apart,
        key=row.contact_id,
        public_id=row.public_id,
        name=row.known_as or row.placeholder_label or "",
        placeholder=row.known_as is None,
        do_not_contact=row.do_not_contact,
        rating=row.score,
        firm=row.score_firm,
        scored_on=row.scored_on,
        member=row.member,
        last_talk_on=row.last_talk_on,
        talk_age=talk_age(row.last_talk_on, as_at),
        said_yes=bool(row.said_yes),
        has_task=bool(row.has_task),
        raised_issue=bool(row.raised),
        leads=following.stages.get(row.contact_id),
        led=row.contact_id in led.covered,
    )


def _likely(estimate: Estimate) -> float | None:
    return estimate.low if estimate.best is None else estimate.best


def _people_by(rows: Iterable[Any], key: Any) -> dict[Any, set[int]]:
    found: dict[Any, set[int]] = {}
    for row in rows:
        found.setdefault(key(row), set()).add(row.contact_id)
    return found


def _sorted(everybody: Mapping[int, OnTheWall], keys: Iterable[int]) -> tuple[OnTheWall, ...]:
    return tuple(sorted((everybody[key] for key in keys), key=wall_order))


def _by_area(
    site: _Site,
    everybody: Mapping[int, OnTheWall],
    at_place: Mapping[int, set[int]],
    estimates: Mapping[int, Estimate],
    empty: Mapping[int, int],
    as_at: date,
) -> list[Group]:
    groups = []
    for area in site.areas:
        inside = subtree(site.parents, area.id)
        here = at_place.get(area.id, set())
        all_here = set().union(*(at_place.get(one, set()) for one in inside))
        closed = area.closed_on is not None and area.closed_on <= as_at
        if closed and not all_here:
            continue
        people = _sorted(everybody, all_here)
        groups.append(
            Group(
                key=str(area.public_id),
                label=area.name,
                area_id=area.public_id,
                people=_sorted(everybody, here),
                all_here=people,
                inside=len(inside) > 1,
                sums=sums(people),
                headcount=estimates.get(area.id),
                blanks=0 if closed else empty[area.id],
            )
        )
    rest = _sorted(everybody, at_place.get(site.workplace_id, set()))
    if rest or empty[site.workplace_id] or (site.whole and not groups):
        groups.append(_unknown(rest, empty[site.workplace_id]))
    return groups


def _by_leader(everybody: Mapping[int, OnTheWall], led: Cover[int], empty: int) -> list[Group]:
    """Return a column for each leader by name, then those whom no leader reaches."""
    at_home: dict[int, set[int]] = {}
    for person, leader in led.home.items():
        at_home.setdefault(leader, set()).add(person)
    groups = []
    for key in sorted(at_home, key=lambda one: (everybody[one].name.casefold(), one)):
        people = _sorted(everybody, at_home[key])
        groups.append(
            Group(
                key=str(everybody[key].public_id),
                label=everybody[key].name,
                area_id=None,
                people=people,
                all_here=people,
                inside=False,
                sums=sums(people),
                headcount=None,
                blanks=0,
            )
        )
    rest = _sorted(everybody, led.uncovered)
    return [*groups, _unknown(rest, empty)] if rest or empty else groups


def _unknown(people: tuple[OnTheWall, ...], empty: int, key: str = NOT_KNOWN_KEY) -> Group:
    return Group(
        key=key,
        label=None,
        area_id=None,
        people=people,
        all_here=people,
        inside=False,
        sums=sums(people),
        headcount=None,
        blanks=empty,
    )


def _names(
    session: Session, scope: Scope, site: _Site, rows: Iterable[Any], by: GroupBy
) -> dict[Any, tuple[str, str | None]]:
    """Return the key for addresses and the name of each shift, job or employer, in their order."""
    if by is GroupBy.SHIFT:
        shifts = session.execute(
            scope.select(Shift.id, Shift.public_id, Shift.name)
            .where(Shift.place_id == site.workplace_id)
            .order_by(Shift.starts_at.is_(None), Shift.starts_at, Shift.name, Shift.id)
        )
        return {shift.id: (str(shift.public_id), shift.name) for shift in shifts}
    if by is GroupBy.EMPLOYER:
        ids = {row.employer_of_record_id for row in rows} - {None}
        if not ids:
            return {}
        employers = session.execute(
            scope.select(Place.id, Place.public_id, Place.name)
            .where(Place.id.in_(sorted(ids)))
            .order_by(Place.name, Place.id)
        )
        return {one.id: (str(one.public_id), one.name) for one in employers}
    titles: dict[str, str] = {}
    for row in rows:
        if row.job_title:
            titles.setdefault(fold(row.job_title), row.job_title)
    return {key: (f"j-{key}", titles[key]) for key in sorted(titles)}


_COLUMN: dict[GroupBy, Any] = {
    GroupBy.SHIFT: lambda row: row.shift_id,
    GroupBy.JOB: lambda row: fold(row.job_title) if row.job_title else None,
    GroupBy.EMPLOYER: lambda row: row.employer_of_record_id,
}


def _owns(session: Session, scope: Scope, site: _Site) -> tuple[Own, ...]:
    """Return the tags, then the fields with few answers, that are offered at the workplace."""
    above = sa.select(PlaceClosure.ancestor_id).where(
        PlaceClosure.descendant_id == site.workplace_id
    )
    about = FieldSubject.CONTACT
    tags = session.execute(
        scope.select(Tag.public_id, Tag.name)
        .where(Tag.subject == about, Tag.retired_on.is_(None), Tag.place_id.in_(above))
        .order_by(Tag.name_key, Tag.id)
        .limit(MOST_OWN)
    )
    fields = session.execute(
        scope.select(CustomField.public_id, CustomField.name, CustomField.kind)
        .where(
            CustomField.subject == about,
            CustomField.kind.in_([FieldKind.CHOICE, FieldKind.YES_NO]),
            CustomField.retired_on.is_(None),
            CustomField.place_id.in_(above),
        )
        .order_by(CustomField.name_key, CustomField.id)
        .limit(MOST_OWN)
    )
    return (
        *(Own(public_id, name, None) for public_id, name in tags),
        *(Own(public_id, name, kind) for public_id, name, kind in fields),
    )


def _answers(
    session: Session, scope: Scope, own: Own, contact_ids: list[int]
) -> tuple[dict[Any, tuple[str, str | None]], dict[int, Any]]:
    """Return the columns of a tag or field, and the column of each person who has one.

    Whoever has no answer is in no column of these: it is not known, and never "no".
    """
    if own.kind is None:
        tagged = session.scalars(
            scope.select(ContactTag.contact_id)
            .join(Tag, Tag.id == ContactTag.tag_id)
            .where(Tag.public_id == own.public_id, one_of(ContactTag.contact_id, contact_ids))
        )
        return {True: (YES_KEY, own.name)}, dict.fromkeys(tagged, True)
    rows = session.execute(
        scope.select(ContactAnswer.contact_id, ContactAnswer.choice_id, ContactAnswer.flag_value)
        .join(CustomField, CustomField.id == ContactAnswer.field_id)
        .where(
            CustomField.public_id == own.public_id, one_of(ContactAnswer.contact_id, contact_ids)
        )
    ).all()
    if own.kind is FieldKind.YES_NO:
        # Their words are the screen's: crm/features/wallchart/wording.py.
        names: dict[Any, tuple[str, str | None]] = {True: (YES_KEY, None), False: (NO_KEY, None)}
        return names, {row.contact_id: row.flag_value for row in rows}
    choices = session.execute(
        scope.select(FieldChoice.id, FieldChoice.public_id, FieldChoice.name)
        .join(CustomField, CustomField.id == FieldChoice.field_id)
        .where(CustomField.public_id == own.public_id)
        .order_by(FieldChoice.id)
    )
    names = {one.id: (str(one.public_id), one.name) for one in choices}
    return names, {row.contact_id: row.choice_id for row in rows}


def _by_other(
    keyed: dict[Any, set[int]],
    everybody: Mapping[int, OnTheWall],
    names: Mapping[Any, tuple[str, str | None]],
    empty: int,
) -> list[Group]:
    groups = []
    for inner, (key, label) in names.items():
        people = _sorted(everybody, keyed.pop(inner, set()))
        if people:
            groups.append(
                Group(
                    key=key,
                    label=label,
                    area_id=None,
                    people=people,
                    all_here=people,
                    inside=False,
                    sums=sums(people),
                    headcount=None,
                    blanks=0,
                )
            )
    unknown = _sorted(everybody, keyed.pop(None, set()))
    hidden = _sorted(everybody, set().union(*keyed.values()))
    if hidden:
        groups.append(_unknown(hidden, 0, key=HIDDEN_KEY))
    if unknown or empty:
        groups.append(_unknown(unknown, empty))
    return groups
