"""Reads for the log form: the person, where they work, and what was promised to them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from crm.access.audit import record_export, record_view
from crm.access.facts import known
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.assessment import Basis
from crm.domain.errors import NotFound
from crm.domain.vocabulary import Answer, Channel, LengthBand
from crm.models.contacts import Contact, Job
from crm.models.conversations import (
    Assessment,
    Conversation,
    ConversationIssue,
    ConversationNote,
    FollowUp,
    KeptTalk,
)
from crm.models.places import Place
from crm.reads.people import names_of_users, shown_name
from crm.reads.places import place_name_of
from crm.reads.sheets import SheetOnPaper

# The words of a note, by the names of its columns and of the form.
NOTE_FIELDS = ("their_words", "fears", "inoculation", "next_step")

# No talk has this id: ids are made at random.
NO_TALK = uuid.UUID(int=0)


@dataclass(frozen=True, slots=True)
class TalkPlace:
    """A place that a talk with this person can be logged at: an area, or a whole workplace."""

    place_id: int
    public_id: uuid.UUID
    workplace_name: str
    area_name: str | None
    now: bool

    @property
    def label(self) -> str:
        """The names of the workplace and of the area, as far as known."""
        return ", ".join(name for name in (self.workplace_name, self.area_name) if name)


@dataclass(frozen=True, slots=True)
class StoredTalk:
    """What is needed of a stored talk to know whether it was sent twice."""

    contact_id: int
    held_by_id: int | None
    taken_back: bool = False


@dataclass(frozen=True, slots=True)
class PersonToLog:
    """A person to log a talk with. places: never empty, the one to propose first.

    Each of the places holds a job of today; or, when there is none, the last one held.
    stored: the talk that was asked for beside the person, when it is stored already.
    """

    contact_id: int
    public_id: uuid.UUID
    name: str
    do_not_contact: bool
    places: tuple[TalkPlace, ...]
    stored: StoredTalk | None = None


def get_person(
    session: Session,
    scope: Scope,
    public_id: uuid.UUID,
    *,
    today: date,
    talk_id: uuid.UUID | None = None,
) -> PersonToLog:
    """Return the person with the places where the actor may log a talk with them.

    talk_id: also say whether a talk with this public id is stored, as find_stored does.
    Raises NotFound when there is no such person or none of their jobs lies where the actor logs
    talks. One statement: it runs at every talk that is saved.
    """
    rows = session.execute(
        scope.prepared(_person), {"person": public_id, "talk": talk_id or NO_TALK}
    ).all()
    if not rows:
        raise NotFound(f"contact {public_id}")
    first = rows[0]
    places: dict[int, TalkPlace] = {}
    for row in rows:
        works_now = row.valid_from <= today and (row.valid_to is None or row.valid_to > today)
        place = TalkPlace(
            place_id=row.place_id,
            public_id=row.place_public_id,
            workplace_name=row.workplace_name or "",
            area_name=None if row.area_id is None else row.place_name,
            now=works_now,
        )
        if works_now or row.place_id not in places:
            places[row.place_id] = place
    current = tuple(place for place in places.values() if place.now)
    return PersonToLog(
        contact_id=first.id,
        public_id=public_id,
        name=first.known_as or first.placeholder_label,
        do_not_contact=first.do_not_contact,
        places=current or (next(iter(places.values())),),
        stored=None
        if first.stored_contact_id is None
        else StoredTalk(
            first.stored_contact_id,
            first.stored_held_by_id,
            taken_back=first.stored_withdrawn_at is not None,
        ),
    )


def _person(scope: Scope) -> sa.Select[*tuple[Any, ...]]:
    return (
        scope.select(
            Contact.id,
            Contact.known_as,
            Contact.placeholder_label,
            Contact.do_not_contact,
            Job.place_id,
            Job.area_id,
            Job.valid_from,
            Job.valid_to,
            Place.public_id.label("place_public_id"),
            Place.name.label("place_name"),
            place_name_of(Job.workplace_id).label("workplace_name"),
            Conversation.contact_id.label("stored_contact_id"),
            Conversation.held_by_id.label("stored_held_by_id"),
            Conversation.withdrawn_at.label("stored_withdrawn_at"),
            # A talk that was taken back stays so, however often it is sent again.
            history=True,
        )
        .join(Job, Job.contact_id == Contact.id)
        .join(Place, Place.id == Job.place_id)
        .outerjoin(Conversation, Conversation.public_id == sa.bindparam("talk", type_=sa.Uuid()))
        .where(
            Contact.public_id == sa.bindparam("person", type_=sa.Uuid()),
            known(Job),
            scope.reach(Permission.CONVERSATION_WRITE, Job.place_id),
        )
        .order_by(Job.valid_from.desc(), Job.id)
    )


def my_reminders(session: Session, scope: Scope, contact_id: int) -> list[date]:
    """Return the days on which the actor's open reminders about a contact are due, in order."""
    return list(
        session.scalars(
            scope.select(FollowUp.due_on)
            .where(
                FollowUp.contact_id == contact_id,
                scope.reach(Permission.CONVERSATION_WRITE, FollowUp.place_id),
                FollowUp.owner_id == scope.actor_id,
                FollowUp.done_at.is_(None),
            )
            .order_by(FollowUp.due_on, FollowUp.id)
        )
    )


def find_stored(session: Session, scope: Scope, public_id: uuid.UUID) -> StoredTalk | None:
    """Return the talk that carries this id, or None when there is none in the scope."""
    found = session.execute(scope.prepared(_stored), {"talk": public_id}).one_or_none()
    if found is None:
        return None
    return StoredTalk(found.contact_id, found.held_by_id, found.withdrawn_at is not None)


def _stored(scope: Scope) -> sa.Select[*tuple[Any, ...]]:
    return scope.select(
        Conversation.contact_id, Conversation.held_by_id, Conversation.withdrawn_at, history=True
    ).where(Conversation.public_id == sa.bindparam("talk", type_=sa.Uuid()))


@dataclass(frozen=True, slots=True)
class StandingThen:
    """Where the person stood in one talk."""

    public_id: uuid.UUID
    rating: int
    basis: Basis


@dataclass(frozen=True, slots=True)
class WholeTalk:
    """One talk with all that was written down and that this scope may read.

    standing: in general, None = not asked. on_ask: on the ask in ``about``.
    mine: the actor held it and may put it right.
    note_kept: there is a note that this scope may read.
    """

    public_id: uuid.UUID
    contact_id: int
    contact_public_id: uuid.UUID
    person_name: str
    place_name: str
    held_by: str | None
    mine: bool
    day: date
    recorded_at: datetime
    channel: Channel | None
    length_band: LengthBand | None
    steps: tuple[str, ...]
    issues: tuple[str, ...]
    asked: str | None
    answer: Answer | None
    note_kept: bool
    their_words: str | None
    fears: str | None
    inoculation: str | None
    next_step: str | None
    language: str | None
    version: int
    standing: StandingThen | None
    about: str | None
    on_ask: StandingThen | None


def get_talk(session: Session, scope: Scope, public_id: uuid.UUID) -> WholeTalk:
    """Return one talk. Raises NotFound if absent or out of scope. Four statements at most."""
    talk = session.execute(
        scope.select(
            Conversation,
            Contact.public_id,
            Contact.known_as,
            Contact.placeholder_label,
            Place.name,
            ConversationNote,
        )
        .join(Contact, Contact.id == Conversation.contact_id)
        .join(Place, Place.id == Conversation.place_id)
        .outerjoin(ConversationNote, ConversationNote.conversation_id == Conversation.id)
        .where(Conversation.public_id == public_id)
    ).one_or_none()
    if talk is None:
        raise NotFound(f"talk {public_id}")
    held = talk.Conversation
    note = talk.ConversationNote
    issues = [one.issue for one in issues_of(session, scope, held.id)]
    standings = _standings(session, scope, held.id)
    rated = next((one for one in standings if one.ask is None), None)
    on_ask = next((one for one in standings if one.ask is not None), None)
    names = names_of_users(session, {held.held_by_id} - {None})
    return WholeTalk(
        public_id=public_id,
        contact_id=held.contact_id,
        contact_public_id=talk.public_id,
        person_name=talk.known_as or talk.placeholder_label,
        place_name=talk.name,
        held_by=names.get(held.held_by_id),
        mine=held.held_by_id is not None and held.held_by_id == scope.actor_id,
        day=held.day,
        recorded_at=held.recorded_at,
        channel=held.channel,
        length_band=held.length_band,
        steps=tuple(held.steps_reached or ()),
        issues=tuple(issues),
        asked=held.asked,
        answer=held.answer,
        note_kept=note is not None,
        their_words=note.their_words if note else None,
        fears=note.fears if note else None,
        inoculation=note.inoculation if note else None,
        next_step=note.next_step if note else None,
        language=note.language if note else None,
        version=held.version,
        standing=_then(rated),
        about=on_ask.ask if on_ask else None,
        on_ask=_then(on_ask),
    )


def _then(rated: Assessment | None) -> StandingThen | None:
    return None if rated is None else StandingThen(rated.public_id, rated.rating, rated.basis)


def find_standing(session: Session, scope: Scope, conversation_id: int) -> Assessment | None:
    """Return where the person stood in general in a talk, as known now; None = not asked."""
    return next(
        (one for one in _standings(session, scope, conversation_id) if one.ask is None), None
    )


def find_on_ask(session: Session, scope: Scope, conversation_id: int) -> Assessment | None:
    """Return where the person stood on one ask in a talk, as known now; None = not noted."""
    return next(
        (one for one in _standings(session, scope, conversation_id) if one.ask is not None), None
    )


def _standings(session: Session, scope: Scope, conversation_id: int) -> list[Assessment]:
    return list(
        session.scalars(
            scope.select(Assessment)
            .where(Assessment.conversation_id == conversation_id, known(Assessment))
            .order_by(Assessment.id)
        )
    )


def is_judged(session: Session, scope: Scope, public_id: uuid.UUID) -> bool:
    """Return True when an assessment with this public id is stored, believed or not."""
    found = session.execute(scope.select(Assessment.id).where(Assessment.public_id == public_id))
    return found.first() is not None


def find_note(session: Session, scope: Scope, conversation_id: int) -> ConversationNote | None:
    """Return the note of a talk, or None when there is none that this scope may read."""
    found: ConversationNote | None = session.scalars(
        scope.select(ConversationNote).where(ConversationNote.conversation_id == conversation_id)
    ).one_or_none()
    return found


def issues_of(session: Session, scope: Scope, conversation_id: int) -> list[ConversationIssue]:
    """Return what was raised in a talk, in the order it was written down."""
    return list(
        session.scalars(
            scope.select(ConversationIssue)
            .where(ConversationIssue.conversation_id == conversation_id)
            .order_by(ConversationIssue.id)
        )
    )


def said_in(session: Session, scope: Scope, talk: Conversation) -> dict[str, object]:
    """Return what can be put right of a talk, by the names of the form."""
    note = find_note(session, scope, talk.id)
    on_ask = find_on_ask(session, scope, talk.id)
    issues = {one.issue for one in issues_of(session, scope, talk.id)}
    return {
        "day": talk.day,
        "issues": tuple(sorted(issues)),
        "steps": tuple(talk.steps_reached or ()),
        **{name: getattr(talk, name) for name in ("asked", "answer", "channel", "length_band")},
        "about": on_ask.ask if on_ask else None,
        "about_rating": on_ask.rating if on_ask else None,
        **{name: getattr(note, name, None) for name in (*NOTE_FIELDS, "language")},
    }


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What goes with a talk that is taken back. rating: where they stood, None = not asked.

    issues and reminders: how many. waiting_again: reminders that the talk had ticked off.
    """

    contact_public_id: uuid.UUID
    person_name: str
    rating: int | None
    issues: int
    note: bool
    reminders: int
    waiting_again: int


@dataclass(frozen=True, slots=True)
class Parts:
    """The rows that came of a talk, and what they are in numbers."""

    standings: list[Assessment]
    issues: list[ConversationIssue]
    notes: list[ConversationNote]
    reminders: list[FollowUp]
    ticked_off: list[FollowUp]
    told: TakenBack


def parts_of(session: Session, scope: Scope, talk: Conversation) -> Parts:
    """Return what came of a talk of the actor's own. Six statements."""
    person = session.execute(
        scope.select(
            Contact.public_id,
            sa.func.coalesce(Contact.known_as, Contact.placeholder_label).label("name"),
        ).where(Contact.id == talk.contact_id)
    ).one_or_none()
    if person is None:
        raise NotFound("the person of the talk")
    standings = _standings(session, scope, talk.id)
    issues = issues_of(session, scope, talk.id)
    note = find_note(session, scope, talk.id)
    reminders = list(
        session.scalars(
            scope.select(FollowUp).where(FollowUp.conversation_id == talk.id).order_by(FollowUp.id)
        )
    )
    # Saving the talk ticked these off: it did so at the moment it was recorded.
    ticked_off = list(
        session.scalars(
            scope.select(FollowUp)
            .where(
                FollowUp.contact_id == talk.contact_id,
                FollowUp.done_by_id == talk.held_by_id,
                FollowUp.done_at == talk.recorded_at,
            )
            .order_by(FollowUp.id)
        )
    )
    return Parts(
        standings=standings,
        issues=issues,
        notes=[note] if note else [],
        reminders=reminders,
        ticked_off=ticked_off,
        told=TakenBack(
            contact_public_id=person.public_id,
            person_name=person.name,
            rating=next((one.rating for one in standings if one.ask is None), None),
            issues=len(issues),
            note=note is not None,
            reminders=len(reminders),
            waiting_again=len(ticked_off),
        ),
    )


def read_take_back(session: Session, scope: Scope, talk_id: uuid.UUID) -> TakenBack:
    """Return what would go with a talk of the actor's own. Raises NotFound for another's."""
    return parts_of(session, scope, own_talk(session, scope, talk_id)).told


def own_talk(
    session: Session, scope: Scope, talk_id: uuid.UUID, *, hold: bool = False
) -> Conversation:
    """Return a talk that the actor held, at a place where they still log talks.

    hold: keep others who write it waiting until this unit of work ends. Raises NotFound.
    """
    wanted = scope.select(Conversation, permission=Permission.CONVERSATION_WRITE).where(
        Conversation.public_id == talk_id, Conversation.held_by_id == scope.actor_id
    )
    if hold:
        wanted = wanted.with_for_update(of=Conversation)
    talk: Conversation | None = session.scalars(wanted).one_or_none()
    if talk is None or scope.actor_id is None:
        raise NotFound(f"talk {talk_id}")
    return talk


def note_view(session: Session, scope: Scope, talk: WholeTalk) -> None:
    """Record that the actor looked at what is known of the person in the talk."""
    record_view(session, contact_id=talk.contact_id, contact_public_id=talk.contact_public_id)


def waiting_reminders(scope: Scope) -> sa.Select[*tuple[Any, ...]]:
    """Return the statement for the actor's open reminders about ``contact`` made by ``held_at``."""
    return scope.select(FollowUp).where(
        FollowUp.contact_id == sa.bindparam("contact"),
        scope.reach(Permission.CONVERSATION_WRITE, FollowUp.place_id),
        FollowUp.owner_id == scope.actor_id,
        FollowUp.done_at.is_(None),
        FollowUp.created_at <= sa.bindparam("held_at", type_=FollowUp.created_at.type),
    )


# Talks that are not stored yet


@dataclass(frozen=True, slots=True)
class Kept:
    """A talk of the reader's own that is unfinished or was refused.

    reason: None = unfinished. name: None when the reader may no longer see the person.
    fields: what was typed, name by name. words: the notes among it, for reading.
    """

    public_id: uuid.UUID
    talk_id: uuid.UUID
    contact_public_id: uuid.UUID
    name: str | None
    reason: str | None
    typed_at: datetime
    fields: dict[str, list[str]]

    @property
    def page(self) -> str | None:
        """The list on which it was a tap; None for a talk."""
        return next(iter(self.fields.get("page", [])), None)

    @property
    def words(self) -> list[str]:
        """The notes that were typed, so that they can be copied by hand if all else fails."""
        return [text for name in NOTE_FIELDS for text in self.fields.get(name, []) if text.strip()]


def list_kept(session: Session, scope: Scope) -> list[Kept]:
    """Return the reader's own unfinished and refused talks, the newest first. Two statements."""
    rows = list(
        session.scalars(
            scope.select(KeptTalk).order_by(KeptTalk.typed_at.desc(), KeptTalk.id.desc())
        )
    )
    wanted = {row.contact_public_id for row in rows}
    seen = (
        session.scalars(
            scope.select(Contact, permission=Permission.CONVERSATION_WRITE).where(
                Contact.public_id.in_(sorted(wanted))
            )
        )
        if wanted
        else ()
    )
    names = {person.public_id: shown_name(person) for person in seen}
    return [_kept(row, names.get(row.contact_public_id)) for row in rows]


def count_kept(session: Session, scope: Scope) -> int:
    """Return how many talks of the reader's own wait to be finished or put right."""
    return int(session.scalar(scope.select(sa.func.count(KeptTalk.id))) or 0)


def find_kept(
    session: Session, scope: Scope, kept_id: uuid.UUID, contact_id: uuid.UUID
) -> Kept | None:
    """Return the reader's own kept talk with this person, or None when there is none."""
    row = session.scalars(
        scope.select(KeptTalk).where(
            KeptTalk.public_id == kept_id, KeptTalk.contact_public_id == contact_id
        )
    ).one_or_none()
    found = None if row is None else _kept(row, None)
    return None if found is None or found.page is not None else found


def _kept(row: KeptTalk, name: str | None) -> Kept:
    return Kept(
        public_id=row.public_id,
        talk_id=row.talk_id,
        contact_public_id=row.contact_public_id,
        name=name,
        reason=row.reason,
        typed_at=row.typed_at,
        fields={name: list(values) for name, values in row.fields.items()},
    )


def note_taken(session: Session, scope: Scope, people: int) -> None:
    """Record that the reader's phone took its list: how many people were on it."""
    record_export(session, what="phone_list", filters={}, rows=people, place_id=None)


def note_sheet(session: Session, scope: Scope, sheet: SheetOnPaper) -> None:
    """Record that the actor opened a sheet with people's names on it, as a list that was taken."""
    record_export(
        session,
        what="talk_sheet",
        filters={"sheet": sheet.public_id},
        rows=len(sheet.lines),
        place_id=sheet.place_id,
    )
