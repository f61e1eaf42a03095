"""Doing one thing with many people of a list, all at once or not at all, and undoing it as one.

Giving people to a rep is a move of crm/access/turf.py and is undone there. Tags and reminders are
written down here: what somebody has changed since stays as it is, and is named.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.permissions import Permission
from crm.access.reminders import is_untouched, take_back
from crm.access.scope import Scope
from crm.access.speakers import Speaker, list_speakers
from crm.access.turf import AtSite, get_speaker, give_people, start_move
from crm.domain.assessment import ExpiryRule
from crm.domain.contact_filter import ContactFilter
from crm.domain.errors import NotFound, Refusal
from crm.domain.vocabulary import BulkKind, FieldSubject
from crm.models.contacts import Contact
from crm.models.conversations import FollowUp
from crm.models.lists import BulkAction, BulkEntry, ContactTag, Tag
from crm.models.places import PlaceClosure
from crm.reads.people import Match, list_matches

# As many as one page can show and one person can answer for.
MOST_AT_ONCE = 500
LONGEST_AHEAD = timedelta(days=366)
LONGEST_WORDS = 200


class TooManyAtOnce(Refusal):
    """The list is longer than one act may be."""

    default_message = (
        "More than %(most)s people are on this list. Choose a smaller place, or narrow the list."
    )


class NobodyTicked(Refusal):
    """Nobody was chosen."""

    default_message = "Tick at least one person, or choose all of them."


class ListChanged(Refusal):
    """The people are not those that the page showed."""

    default_message = (
        "This list has changed since you opened the page. Nothing was done. "
        "Look at the people below and send it again."
    )


class NothingToDo(Refusal):
    """It is so for everybody already."""

    default_message = (
        "There is nothing to do: it is so already for all of them, or it is not for them."
    )


class DueInThePast(Refusal):
    """The day is over."""

    default_message = "This day is over. Choose today or a later day."


class DueTooFarAhead(Refusal):
    """The day is too far ahead to be anything but a slip."""

    default_message = "This day is more than a year ahead. Check the year."


class AlreadyUndone(Refusal):
    """The same act twice."""

    default_message = "This was undone already."


@dataclass(frozen=True, slots=True)
class Shown:
    """The people of a page. mark: differs as soon as there is one more or one less of them."""

    people: tuple[Match, ...]
    mark: str


@dataclass(frozen=True, slots=True)
class Done:
    """What was done. act: the public id to look at it and undo it. left: people passed over."""

    act: uuid.UUID
    changed: int
    left: int


@dataclass(frozen=True, slots=True)
class Changed:
    """Somebody an act was about. untouched: undoing it would put back what was before.

    left: the act was undone, and this one stayed as it is.
    """

    public_id: uuid.UUID
    name: str
    untouched: bool
    left: bool


@dataclass(frozen=True, slots=True)
class Made:
    """An act of the reader's own. about: the tag, or whose reminders and by which day.

    rows: by name; people whom the reader may no longer see are only counted, in unseen.
    """

    public_id: uuid.UUID
    kind: BulkKind
    tag: str | None
    made_at: datetime
    undone_at: datetime | None
    rows: tuple[Changed, ...]
    unseen: int

    @property
    def untouched(self) -> int:
        """How many undoing it would put back."""
        return sum(one.untouched for one in self.rows)


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo put back, and how many stay because somebody changed them since."""

    put_back: int
    left: int


# --- Whom, and what ---------------------------------------------------------------------------


def show_people(
    session: Session, scope: Scope, chosen: ContactFilter, *, as_at: date, expiry: ExpiryRule
) -> Shown:
    """Return the people of a list whom the actor may change. Raises TooManyAtOnce."""
    found = list_matches(
        session,
        scope,
        chosen,
        as_at=as_at,
        most=MOST_AT_ONCE,
        permission=Permission.CONTACT_WRITE,
        expiry=expiry,
    )
    if found.more:
        raise TooManyAtOnce(most=MOST_AT_ONCE)
    ids = "\n".join(sorted(str(one.public_id) for one in found.people))
    return Shown(found.people, hashlib.sha256(ids.encode()).hexdigest()[:16])


def pick(shown: Shown, ticked: Collection[uuid.UUID] | None, mark: str) -> list[Match]:
    """Return the people chosen on a page. ticked: None = all of them. mark: of the page.

    Raises ListChanged when all are meant and they are others now, or somebody ticked is gone;
    NobodyTicked.
    """
    if ticked is None:
        if mark != shown.mark:
            raise ListChanged()
        picked = list(shown.people)
    else:
        wanted = set(ticked)
        picked = [one for one in shown.people if one.public_id in wanted]
        if len(picked) != len(wanted):
            raise ListChanged()
    if not picked:
        raise NobodyTicked()
    return picked


def who_may_speak(session: Session, scope: Scope, shown: Shown, *, day: date) -> list[Speaker]:
    """Return the users who may log talks with some of the people, local ones first.

    day: in UTC, as the guard reckons grants.
    """
    places = sorted({place for one in shown.people for _workplace, place in one.places})
    return list_speakers(session, places, day=day) if places else []


# --- Doing it ---------------------------------------------------------------------------------


def give(
    session: Session,
    scope: Scope,
    people: Sequence[Match],
    *,
    to: uuid.UUID,
    today: date,
    now: datetime,
) -> Done:
    """Give the people to a rep from today on, as one move; ``act`` is the public id of the move.

    Passed over: people at places where the actor may not say whose people are whose.
    Raises NothingToDo, and what ``give_people`` raises.
    """
    sites = [
        AtSite(one.contact_id, workplace, place)
        for one in people
        for workplace, place in {pair[0]: pair for pair in one.places}.values()
    ]
    held = _held(session, scope, {one.place_id for one in sites}, Permission.TURF_WRITE)
    mine = [one for one in sites if one.place_id in held]
    if not mine:
        raise NothingToDo()
    move = start_move(session, scope, from_user_id=None, now=now)
    given = give_people(session, scope, mine, to=to, today=today, now=now, move=move)
    if not given.changed:
        raise NothingToDo()
    left = len(people) - len({one.contact_id for one in mine})
    return Done(move.public_id, given.changed, left)


def put_tag_on(
    session: Session, scope: Scope, people: Sequence[Match], tag: uuid.UUID, *, now: datetime
) -> Done:
    """Put a tag on the people. Passed over: who has it, and people it is not made for.

    Raises NotFound for a tag that is not the reader's or is retired, NothingToDo.
    """
    row = _tag(session, scope, tag, in_use=True)
    _hold(session, scope, people)
    inside = _inside(session, scope, people, row.place_id)
    has_it = _with_tag(session, scope, people, row.id)
    new = [one for one in people if one.contact_id not in has_it and one.contact_id in inside]
    by = {"set_at": now, "set_by_id": scope.actor_id}
    act = _start(session, scope, BulkKind.TAG, new, now=now, tag_id=row.id)
    session.add_all(ContactTag(tag_id=row.id, contact_id=one.contact_id, **by) for one in new)
    session.add_all(BulkEntry(action_id=act.id, contact_id=one.contact_id) for one in new)
    session.flush()
    return Done(act.public_id, len(new), len(people) - len(new))


def take_tag_off(
    session: Session, scope: Scope, people: Sequence[Match], tag: uuid.UUID, *, now: datetime
) -> Done:
    """Take a tag off the people. Passed over: who does not have it. Raises as put_tag_on."""
    row = _tag(session, scope, tag, in_use=False)
    _hold(session, scope, people)
    uses = _with_tag(session, scope, people, row.id)
    old = [one for one in people if one.contact_id in uses]
    act = _start(session, scope, BulkKind.UNTAG, old, now=now, tag_id=row.id)
    for one in old:
        use = uses[one.contact_id]
        session.add(
            BulkEntry(
                action_id=act.id,
                contact_id=one.contact_id,
                was_set_at=use.set_at,
                was_set_by_id=use.set_by_id,
            )
        )
        session.delete(use)
    session.flush()
    return Done(act.public_id, len(old), len(people) - len(old))


def remind(
    session: Session,
    scope: Scope,
    people: Sequence[Match],
    *,
    to: uuid.UUID,
    due_on: date,
    what: str | None,
    today: date,
    now: datetime,
) -> Done:
    """Give a user a reminder to speak to each of the people by a day.

    Passed over: who has an open reminder of anybody, so that sending it twice asks nobody twice,
    and who does not want to be contacted. what: in the words of the actor.
    Raises DueInThePast, DueTooFarAhead, NothingToDo; HoldsNoneOfThem and HoldsNotAllOfThem of
    crm.access.turf.
    """
    if due_on < today:
        raise DueInThePast()
    if due_on > today + LONGEST_AHEAD:
        raise DueTooFarAhead()
    _hold(session, scope, people)
    busy = set(
        session.scalars(
            scope.select(FollowUp.contact_id).where(
                FollowUp.contact_id.in_(_ids(people)), FollowUp.done_at.is_(None)
            )
        )
    )
    places = {place for one in people for _workplace, place in one.places}
    held = _held(session, scope, places, Permission.CONVERSATION_WRITE)
    at = {
        one.contact_id: AtSite(one.contact_id, workplace, place)
        for one in people
        for workplace, place in reversed(one.places)
        if place in held and one.contact_id not in busy and not one.do_not_contact
    }
    free = [one for one in people if one.contact_id in at]
    act = _start(session, scope, BulkKind.REMINDER, free, now=now)
    speaker = get_speaker(session, at.values(), to, day=now.date())
    reminders = [
        FollowUp(
            contact_id=one.contact_id,
            place_id=at[one.contact_id].place_id,
            owner_id=speaker.user_id,
            due_on=due_on,
            what=(what or "")[:LONGEST_WORDS] or None,
            created_at=now,
        )
        for one in free
    ]
    session.add_all(reminders)
    session.flush()
    session.add_all(
        BulkEntry(action_id=act.id, contact_id=one.contact_id, follow_up_id=one.id)
        for one in reminders
    )
    session.flush()
    return Done(act.public_id, len(free), len(people) - len(free))


# --- Looking at it, and undoing it ------------------------------------------------------------


def get_act(session: Session, scope: Scope, public_id: uuid.UUID) -> Made:
    """Return an act of the reader's own. Raises NotFound. Five statements at most."""
    act = _act(session, scope, public_id)
    entries = session.execute(
        scope.select(BulkEntry, Contact.public_id, Contact.known_as, Contact.placeholder_label)
        .join(Contact, Contact.id == BulkEntry.contact_id)
        .where(BulkEntry.action_id == act.id)
        .order_by(Contact.name_key, Contact.id)
    ).all()
    state = _State(session, scope, act, [row.BulkEntry for row in entries])
    name = None
    if act.tag_id is not None:
        name = session.execute(
            scope.select(Tag.name).where(Tag.id == act.tag_id)
        ).scalar_one_or_none()
    return Made(
        public_id=act.public_id,
        kind=act.kind,
        tag=name,
        made_at=act.made_at,
        undone_at=act.undone_at,
        rows=tuple(
            Changed(
                public_id=row.public_id,
                name=row.known_as or row.placeholder_label or "",
                untouched=act.undone_at is None and state.is_untouched(row.BulkEntry),
                left=row.BulkEntry.left_as_is,
            )
            for row in entries
        ),
        unseen=act.people - len(entries),
    )


def undo_act(session: Session, scope: Scope, public_id: uuid.UUID, *, now: datetime) -> Undone:
    """Put back what nobody has changed since; leave the rest as it is, and remember whom.

    Raises NotFound for an act of somebody else, AlreadyUndone.
    """
    act = _act(session, scope, public_id, hold=True)
    if act.undone_at is not None:
        raise AlreadyUndone()
    act.undone_at = now
    entries = session.scalars(
        scope.select(BulkEntry, permission=Permission.CONTACT_WRITE)
        .where(BulkEntry.action_id == act.id)
        .order_by(BulkEntry.contact_id)
    ).all()
    _hold_contacts(session, scope, [one.contact_id for one in entries])
    state = _State(session, scope, act, entries, hold=True)
    put_back = 0
    for entry in entries:
        if not state.is_untouched(entry):
            entry.left_as_is = True
            continue
        put_back += 1
        if act.kind is BulkKind.REMINDER:
            take_back(state.reminders[entry.follow_up_id or 0], now=now)
        elif act.kind is BulkKind.TAG:
            session.delete(state.uses[entry.contact_id])
        else:
            session.add(
                ContactTag(
                    tag_id=act.tag_id,
                    contact_id=entry.contact_id,
                    set_at=entry.was_set_at,
                    set_by_id=entry.was_set_by_id,
                )
            )
    session.flush()
    return Undone(put_back, act.people - put_back)


class _State:
    """How things are now for the people of an act."""

    def __init__(
        self,
        session: Session,
        scope: Scope,
        act: BulkAction,
        entries: Sequence[BulkEntry],
        *,
        hold: bool = False,
    ) -> None:
        self.act = act
        self.uses: dict[int, ContactTag] = {}
        self.reminders: dict[int, FollowUp] = {}
        self.tag_seen = True
        ids = [entry.contact_id for entry in entries]
        if act.kind is BulkKind.REMINDER:
            wanted = scope.select(FollowUp, permission=Permission.CONVERSATION_WRITE).where(
                FollowUp.id.in_([entry.follow_up_id for entry in entries])
            )
            if hold:
                # One that is ticked off at this very moment is not taken back under the hand.
                wanted = wanted.order_by(FollowUp.id).with_for_update(of=FollowUp)
            self.reminders = {row.id: row for row in session.scalars(wanted)}
            return
        self.tag_seen = (
            session.execute(scope.select(Tag.id).where(Tag.id == act.tag_id)).first() is not None
        )
        rows = session.scalars(
            scope.select(ContactTag, permission=Permission.CONTACT_WRITE).where(
                ContactTag.tag_id == act.tag_id, ContactTag.contact_id.in_(ids)
            )
        )
        self.uses = {row.contact_id: row for row in rows}

    def is_untouched(self, entry: BulkEntry) -> bool:
        """Return True when everything is still as the act left it."""
        if self.act.kind is BulkKind.REMINDER:
            reminder = self.reminders.get(entry.follow_up_id or 0)
            return reminder is not None and is_untouched(reminder)
        use = self.uses.get(entry.contact_id)
        if self.act.kind is BulkKind.UNTAG:
            return use is None and self.tag_seen
        # Taken off and put on again by somebody, it is theirs.
        return (
            use is not None
            and use.set_at == self.act.made_at
            and use.set_by_id == self.act.owner_id
        )


# --- Shared -----------------------------------------------------------------------------------


def _ids(people: Iterable[Match]) -> list[int]:
    return [one.contact_id for one in people]


def _start(
    session: Session,
    scope: Scope,
    kind: BulkKind,
    people: Sequence[Match],
    *,
    now: datetime,
    tag_id: int | None = None,
) -> BulkAction:
    if scope.actor_id is None:
        raise NotFound("no user in this scope")
    if not people:
        raise NothingToDo()
    act = BulkAction(
        public_id=uuid.uuid4(),
        owner_id=scope.actor_id,
        kind=kind,
        tag_id=tag_id,
        people=len(people),
        made_at=now,
    )
    session.add(act)
    session.flush()
    return act


def _act(session: Session, scope: Scope, public_id: uuid.UUID, *, hold: bool = False) -> BulkAction:
    wanted = scope.select(BulkAction).where(BulkAction.public_id == public_id)
    if hold:
        wanted = wanted.with_for_update(of=BulkAction)
    act: BulkAction | None = session.scalars(wanted).one_or_none()
    if act is None:
        raise NotFound(f"act {public_id}")
    return act


def _tag(session: Session, scope: Scope, public_id: uuid.UUID, *, in_use: bool) -> Tag:
    tag: Tag | None = session.scalars(
        scope.select(Tag).where(Tag.public_id == public_id, Tag.subject == FieldSubject.CONTACT)
    ).one_or_none()
    if tag is None or (in_use and tag.retired_on is not None):
        raise NotFound(f"tag {public_id}")
    return tag


def _hold(session: Session, scope: Scope, people: Iterable[Match]) -> None:
    _hold_contacts(session, scope, _ids(people))


def _hold_contacts(session: Session, scope: Scope, contact_ids: list[int]) -> None:
    """Make others who save about these people wait until this unit of work ends."""
    session.execute(
        scope.select(Contact.id, permission=Permission.CONTACT_WRITE)
        .where(Contact.id.in_(contact_ids))
        .order_by(Contact.id)
        .with_for_update(of=Contact)
    ).all()


def _with_tag(
    session: Session, scope: Scope, people: Iterable[Match], tag_id: int
) -> dict[int, ContactTag]:
    rows = session.scalars(
        scope.select(ContactTag, permission=Permission.CONTACT_WRITE).where(
            ContactTag.tag_id == tag_id, ContactTag.contact_id.in_(_ids(people))
        )
    )
    return {row.contact_id: row for row in rows}


def _inside(session: Session, scope: Scope, people: Iterable[Match], place_id: int) -> set[int]:
    """Return who of the people works at the place or inside it, by inner ids."""
    at: dict[int, list[int]] = {}
    for one in people:
        for _workplace, place in one.places:
            at.setdefault(place, []).append(one.contact_id)
    rows = session.scalars(
        scope.select(PlaceClosure.descendant_id).where(
            PlaceClosure.ancestor_id == place_id, PlaceClosure.descendant_id.in_(sorted(at))
        )
    )
    return {contact_id for place in rows for contact_id in at[place]}


def _held(
    session: Session, scope: Scope, places: Collection[int], permission: Permission
) -> set[int]:
    """Return the places where the actor has the right, of those that were found in the scope."""
    column: Any = PlaceClosure.descendant_id
    rows = session.scalars(
        scope.select(column)
        .where(
            PlaceClosure.ancestor_id == PlaceClosure.descendant_id,
            column.in_(sorted(places)),
            scope.reach(permission, column) if scope.may(permission) else sa.false(),
        )
        .distinct()
    )
    return set(rows)
