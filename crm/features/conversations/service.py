"""Storing a talk and what came of it, all at once or not at all."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from crm.access.facts import revise, withdraw
from crm.access.scope import Scope
from crm.access.spans import refresh_spans
from crm.domain.assessment import Basis
from crm.domain.errors import EditConflict, NotFound, Refusal
from crm.domain.sheet import Line
from crm.domain.vocabulary import NO_ASK, Answer, Channel, FieldGroup, LengthBand
from crm.features.conversations import queries
from crm.models.conversations import (
    Assessment,
    Conversation,
    ConversationIssue,
    ConversationNote,
    FollowUp,
    KeptTalk,
)
from crm.reads.people import get_contact, may_keep
from crm.reads.sheets import LineOnPaper, get_sheet

LONGEST_BACK = timedelta(days=366)
LONGEST_AHEAD = timedelta(days=732)


class TalkInTheFuture(Refusal):
    """The day of the talk has not come yet."""

    default_message = "This day has not come yet. Choose today or a day before."


class TalkTooLongAgo(Refusal):
    """The day of the talk is too far back to be anything but a slip."""

    default_message = "This day is more than a year ago. Check the year."


class AgainInThePast(Refusal):
    """The day to speak again is over."""

    default_message = "This day is over. Choose today or a later day to speak again."


class AgainTooFarAhead(Refusal):
    """The day to speak again is too far ahead to be anything but a slip."""

    default_message = "This day is more than two years ahead. Check the year."


class NotTheirPlace(Refusal):
    """The place is not one where this person works and the writer logs talks."""

    default_message = "Choose one of the places where they work."


class AnswerWithoutAsk(Refusal):
    """An answer is given, but nothing was asked."""

    default_message = "You asked nothing, so there is no answer. Change one of the two."


@dataclass(frozen=True, slots=True)
class Talk:
    """A talk as the writer tells it. None, or an empty tuple, means: not written down.

    id: made with the form, so that sending the form twice stores it once.
    place: the public id of the area or workplace; None = the first that is proposed.
    day: in the writer's time zone. issues, steps, asked: codes of the vocabulary.
    rating: 1 (strongest) to 5; None = where they stand was not asked, and basis is not used.
    """

    id: uuid.UUID
    day: date
    place: uuid.UUID | None = None
    rating: int | None = None
    basis: Basis = Basis.SAID
    issues: tuple[str, ...] = ()
    asked: str | None = None
    answer: Answer | None = None
    again_on: date | None = None
    channel: Channel | None = None
    length_band: LengthBand | None = None
    steps: tuple[str, ...] = ()
    their_words: str | None = None
    fears: str | None = None
    inoculation: str | None = None
    next_step: str | None = None
    # Where they stand on one ask, besides in general: a code of ASKS and 1 to 5, both or neither.
    about: str | None = None
    about_rating: int | None = None
    # The language of the notes, a code such as "pl".
    language: str | None = None

    @property
    def has_note(self) -> bool:
        """True when some words were written down."""
        return any((self.their_words, self.fears, self.inoculation, self.next_step))


@dataclass(frozen=True, slots=True)
class Logged:
    """The talk that is stored. created: False when it had been stored before.

    taken_back: it had been stored, and its writer took it back since; it stays so.
    """

    public_id: uuid.UUID
    person_name: str
    created: bool
    taken_back: bool = False


def log_talk(
    session: Session,
    scope: Scope,
    *,
    contact_id: uuid.UUID,
    talk: Talk,
    now: datetime,
    today: date,
    typed_at: datetime | None = None,
    speaker_id: int | None = None,
) -> Logged:
    """Store a talk with its issues, note, assessment and reminder; return what is stored.

    contact_id: the person's public id. today: the day it is, or was when it was typed, for the
    writer. typed_at: when it was typed, in UTC, for a talk that waited for a signal; None = now.
    speaker_id: inner id of the user who had the talk, where the writer types in a colleague's
    sheet; None = the writer.
    The writer's own open reminders about the person are done by the talk, unless they were made
    after it. A talk whose id the writer has stored for the same person changes nothing.
    Raises NotFound for a person outside the writer's places, or an id that belongs to another
    talk; TalkInTheFuture, TalkTooLongAgo, AgainInThePast, AgainTooFarAhead, NotTheirPlace,
    AnswerWithoutAsk.
    """
    person = queries.get_person(session, scope, contact_id, today=today, talk_id=talk.id)
    speaker = scope.actor_id if speaker_id is None else speaker_id
    if person.stored is not None:
        return _same(speaker, person, talk, person.stored)
    _check(talk, today)
    place_id = _place(person, talk.place)
    typed = now if typed_at is None else min(typed_at, now)
    held_at = typed if talk.day == today else datetime.combine(talk.day, time(12), tzinfo=UTC)
    conversation = Conversation(
        public_id=talk.id,
        contact_id=person.contact_id,
        place_id=place_id,
        held_by_id=speaker,
        day=talk.day,
        held_at=held_at,
        recorded_at=now,
        channel=talk.channel,
        length_band=talk.length_band,
        steps_reached=list(talk.steps) or None,
        asked=talk.asked,
        answer=talk.answer,
    )
    try:
        with _two_at_once(session):
            session.add(conversation)
            _add_what_came_of_it(session, scope, conversation, talk, now=now)
            _finish_reminders(session, scope, conversation, now=now)
            session.flush()
    except IntegrityError as error:
        if "public_id" not in str(error.orig):
            raise
        # Two taps at the same moment both found nothing stored; PostgreSQL lets one through.
        # On SQLite, where writers take turns, the id is that of a talk outside the scope.
        stored = queries.find_stored(session, scope, talk.id) if session.is_active else None
        if stored is None:
            raise NotFound(f"talk {talk.id}") from error
        return _same(speaker, person, talk, stored)
    if talk.rating is not None:
        refresh_spans(session, person.contact_id)
    return Logged(public_id=talk.id, person_name=person.name, created=True)


def correct_standing(
    session: Session,
    scope: Scope,
    talk_id: uuid.UUID,
    *,
    seen: str | None,
    rating: int | None,
    basis: Basis,
    now: datetime,
) -> None:
    """Put right where the person stood in a talk of the actor's own; what was believed is kept.

    seen: the public id of the assessment that was on the page, None for "not asked".
    rating: None takes the assessment back: it was not asked.
    Raises NotFound for a talk that the actor did not hold or may no longer log at its place;
    EditConflict when the assessment is not the one that was on the page.
    """
    talk = queries.own_talk(session, scope, talk_id, hold=True)
    stored = queries.find_standing(session, scope, talk.id)
    if (str(stored.public_id) if stored else None) != seen:
        raise EditConflict(
            current={"rating": stored.rating if stored else None},
            yours={"rating": rating},
        )
    if stored is not None and rating is not None:
        if (stored.rating, stored.basis) == (rating, basis):
            return
        revise(session, stored, now=now, actor_id=scope.actor_id, rating=rating, basis=basis)
    elif stored is not None:
        withdraw(stored, now=now)
    elif rating is not None:
        session.add(
            Assessment(
                conversation_id=talk.id,
                contact_id=talk.contact_id,
                place_id=talk.place_id,
                assessor_id=scope.actor_id,
                day=talk.day,
                rating=rating,
                basis=basis,
                recorded_at=now,
                recorded_by_id=scope.actor_id,
            )
        )
    refresh_spans(session, talk.contact_id)


def correct_talk(
    session: Session,
    scope: Scope,
    put_right: Talk,
    *,
    version: int,
    now: datetime,
    today: date,
) -> None:
    """Put right what was written down of a talk of the actor's own, all but where they stood.

    put_right: the whole talk as it should be; its id says which. Place, rating, basis and the
    day to speak again are not looked at. version: the one that the form was made from.
    With the day of the talk goes the day of the assessment that came of it. The note goes when
    nothing is left in it. Raises NotFound for a talk that the actor did not hold or may no longer
    log at its place; EditConflict; TalkInTheFuture, TalkTooLongAgo, AnswerWithoutAsk.
    """
    talk = queries.own_talk(session, scope, put_right.id, hold=True)
    stored = queries.said_in(session, scope, talk)
    yours = _said(put_right)
    if talk.version != version:
        raise EditConflict(current={"version": talk.version, **stored}, yours=yours)
    if yours == stored:
        return
    _check(put_right, today, day_before=talk.day)
    if put_right.day != talk.day:
        talk.held_at = datetime.combine(put_right.day, time(12), tzinfo=UTC)
        standing = queries.find_standing(session, scope, talk.id)
        if standing is not None:
            revise(session, standing, now=now, actor_id=scope.actor_id, day=put_right.day)
    _put_ask_right(session, scope, talk, put_right, now=now)
    for name in ("day", "asked", "answer", "channel", "length_band"):
        setattr(talk, name, getattr(put_right, name))
    talk.steps_reached = list(put_right.steps) or None
    talk.version += 1
    _put_issues_right(session, scope, talk, put_right)
    _put_note_right(session, scope, talk, put_right)
    refresh_spans(session, talk.contact_id)


def take_back(
    session: Session, scope: Scope, talk_id: uuid.UUID, *, now: datetime
) -> queries.TakenBack:
    """Take back a talk of the actor's own that was never held: it no longer counts anywhere.

    With it go where the person stood, what matters to them, the note and the reminders that
    came of it; reminders that the talk ticked off wait again. All of it stays in the history.
    Raises NotFound as correct_talk does, and when it was taken back before.
    """
    talk = queries.own_talk(session, scope, talk_id, hold=True)
    parts = queries.parts_of(session, scope, talk)
    for standing in parts.standings:
        withdraw(standing, now=now)
    for part in (*parts.issues, *parts.notes):
        session.delete(part)
    for reminder in parts.reminders:
        reminder.withdrawn_at = now
        reminder.version += 1
    for reminder in parts.ticked_off:
        reminder.done_at = None
        reminder.done_by_id = None
        reminder.version += 1
    talk.withdrawn_at = now
    talk.version += 1
    refresh_spans(session, talk.contact_id)
    return parts.told


def _said(talk: Talk) -> dict[str, object]:
    """Return what can be put right of a talk, by the names of the form."""
    names = queries.NOTE_FIELDS
    said: dict[str, object] = {
        "day": talk.day,
        "issues": tuple(sorted(set(talk.issues))),
        "steps": talk.steps,
        **{name: getattr(talk, name) for name in ("asked", "answer", "channel", "length_band")},
        **{name: getattr(talk, name) for name in ("about", "about_rating", *names)},
    }
    # Without words there is no language that they are in.
    said["language"] = talk.language if talk.has_note else None
    return said


def _put_issues_right(session: Session, scope: Scope, talk: Conversation, put_right: Talk) -> None:
    kept = set()
    for one in queries.issues_of(session, scope, talk.id):
        if one.issue in put_right.issues:
            kept.add(one.issue)
        else:
            session.delete(one)
    session.add_all(
        ConversationIssue(
            conversation_id=talk.id, contact_id=talk.contact_id, place_id=talk.place_id, issue=issue
        )
        for issue in dict.fromkeys(put_right.issues)
        if issue not in kept
    )


def _put_ask_right(
    session: Session, scope: Scope, talk: Conversation, put_right: Talk, *, now: datetime
) -> None:
    stored = queries.find_on_ask(session, scope, talk.id)
    right = (put_right.about, put_right.about_rating, put_right.day)
    if stored is None or (stored.ask, stored.rating, stored.day) == right:
        if stored is None and put_right.about_rating is not None:
            session.add(_on_ask(scope, talk, put_right, now=now))
        return
    if put_right.about_rating is None:
        withdraw(stored, now=now)
        return
    revise(
        session,
        stored,
        now=now,
        actor_id=scope.actor_id,
        ask=put_right.about,
        rating=put_right.about_rating,
        day=put_right.day,
    )


def _on_ask(scope: Scope, conversation: Conversation, talk: Talk, *, now: datetime) -> Assessment:
    return Assessment(
        conversation=conversation,
        contact_id=conversation.contact_id,
        place_id=conversation.place_id,
        assessor_id=scope.actor_id,
        day=talk.day,
        ask=talk.about,
        rating=talk.about_rating,
        basis=talk.basis,
        recorded_at=now,
        recorded_by_id=scope.actor_id,
    )


def _put_note_right(session: Session, scope: Scope, talk: Conversation, put_right: Talk) -> None:
    note = queries.find_note(session, scope, talk.id)
    if not put_right.has_note:
        if note is not None:
            session.delete(note)
        return
    if note is None:
        note = ConversationNote(
            conversation_id=talk.id,
            contact_id=talk.contact_id,
            place_id=talk.place_id,
            author_id=scope.actor_id,
        )
        session.add(note)
    for name in (*queries.NOTE_FIELDS, "language"):
        setattr(note, name, getattr(put_right, name))


@dataclass(frozen=True, slots=True)
class Judged:
    """Where somebody stands as the writer knows it without a talk.

    id: made with the form. place: the public id of the area or workplace, None = the first.
    about: a code of ASKS, None = in general.
    """

    id: uuid.UUID
    place: uuid.UUID | None
    about: str | None
    rating: int
    basis: Basis
    day: date


class NobodySpokeToThem(Refusal):
    """Where somebody stands may not be kept before the first talk without a ground for it."""

    default_message = (
        "Nobody has talked to this person yet. First write down why we may keep where they stand, "
        "or log a talk."
    )


def judge(
    session: Session,
    scope: Scope,
    contact_id: uuid.UUID,
    judged: Judged,
    *,
    now: datetime,
    today: date,
) -> str:
    """Store where a person stands, without a talk, as the actor's own judgement; return the name.

    Sending the same form twice stores it once. Raises NotFound for a person outside the writer's
    places; TalkInTheFuture, TalkTooLongAgo, NotTheirPlace, NobodySpokeToThem.
    """
    person = queries.get_person(session, scope, contact_id, today=today)
    _check(Talk(id=judged.id, day=judged.day), today)
    place_id = _place(person, judged.place)
    # The actor is mixed in, so that nobody can aim at an id of somebody else's form.
    public_id = uuid.uuid5(judged.id, str(scope.actor_id))
    contact = get_contact(session, scope, contact_id)
    if not may_keep(session, scope, contact, FieldGroup.VIEWS):
        raise NobodySpokeToThem()
    if queries.is_judged(session, scope, public_id):
        return person.name
    session.add(
        Assessment(
            public_id=public_id,
            contact_id=person.contact_id,
            place_id=place_id,
            assessor_id=scope.actor_id,
            day=judged.day,
            ask=judged.about,
            rating=judged.rating,
            basis=judged.basis,
            recorded_at=now,
            recorded_by_id=scope.actor_id,
        )
    )
    refresh_spans(session, person.contact_id)
    return person.name


def _two_at_once(session: Session) -> AbstractContextManager[object]:
    """Return the savepoint that a second talk of the same id falls back to.

    Only where two can write at the same moment: on SQLite the one lock on writing is taken
    before the first read, and a savepoint would cost a tenth of saving a talk.
    """
    one_writer = session.get_bind().dialect.name == "sqlite"
    return nullcontext() if one_writer else session.begin_nested()


def _same(
    speaker: int | None, person: queries.PersonToLog, talk: Talk, stored: queries.StoredTalk
) -> Logged:
    if stored.contact_id != person.contact_id or stored.held_by_id != speaker:
        raise NotFound(f"talk {talk.id}")
    return Logged(
        public_id=talk.id,
        person_name=person.name,
        created=False,
        taken_back=stored.taken_back,
    )


def _check(talk: Talk, today: date, *, day_before: date | None = None) -> None:
    """day_before: the day that was written down; it may stay, however long ago."""
    if talk.day > today:
        raise TalkInTheFuture()
    if talk.day < today - LONGEST_BACK and talk.day != day_before:
        raise TalkTooLongAgo()
    if talk.again_on is not None:
        if talk.again_on < today:
            raise AgainInThePast()
        if talk.again_on > today + LONGEST_AHEAD:
            raise AgainTooFarAhead()
    if talk.asked == NO_ASK and talk.answer is not None:
        raise AnswerWithoutAsk()


def _place(person: queries.PersonToLog, wanted: uuid.UUID | None) -> int:
    if wanted is None:
        return person.places[0].place_id
    for place in person.places:
        if place.public_id == wanted:
            return place.place_id
    raise NotTheirPlace()


def _add_what_came_of_it(
    session: Session, scope: Scope, conversation: Conversation, talk: Talk, *, now: datetime
) -> None:
    where = {"contact_id": conversation.contact_id, "place_id": conversation.place_id}
    session.add_all(
        ConversationIssue(conversation=conversation, issue=issue, **where)
        for issue in dict.fromkeys(talk.issues)
    )
    if talk.has_note:
        session.add(
            ConversationNote(
                conversation=conversation,
                author_id=scope.actor_id,
                their_words=talk.their_words,
                fears=talk.fears,
                inoculation=talk.inoculation,
                next_step=talk.next_step,
                language=talk.language,
                **where,
            )
        )
    if talk.rating is not None:
        session.add(
            Assessment(
                conversation=conversation,
                assessor_id=conversation.held_by_id,
                day=talk.day,
                rating=talk.rating,
                basis=talk.basis,
                recorded_at=now,
                recorded_by_id=scope.actor_id,
                **where,
            )
        )
    if talk.about_rating is not None:
        session.add(_on_ask(scope, conversation, talk, now=now))
    if talk.again_on is not None:
        session.add(
            FollowUp(
                conversation=conversation,
                owner_id=scope.actor_id,
                due_on=talk.again_on,
                created_at=now,
                **where,
            )
        )


def _finish_reminders(
    session: Session, scope: Scope, conversation: Conversation, *, now: datetime
) -> None:
    """Mark done what the writer had promised about this person before the talk."""
    waiting = session.scalars(
        scope.prepared(queries.waiting_reminders),
        {"contact": conversation.contact_id, "held_at": conversation.held_at},
    )
    for reminder in waiting:
        reminder.done_at = now
        reminder.done_by_id = scope.actor_id
        reminder.version += 1


# Sheets of paper


class LineRefused(Refusal):
    """One line of a sheet cannot be stored; then none is.

    number: of the line. reason: the refusal of that line.
    """

    default_message = "Line %(number)s cannot be saved."

    def __init__(self, number: int, reason: Refusal) -> None:
        super().__init__(number=number)
        self.number = number
        self.reason = reason


class NoLongerYours(Refusal):
    """The person left the writer's places after the sheet was printed."""

    default_message = "You can no longer log talks with this person. Leave the line empty."


class NothingOnIt(Refusal):
    """No line was typed."""

    default_message = "Nothing is typed yet. Type at least one line."


@dataclass(frozen=True, slots=True)
class Stored:
    """What came of typing a sheet in: talks stored now, and talks that had been stored before."""

    new: int
    before: int


def log_sheet(
    session: Session,
    scope: Scope,
    sheet_id: uuid.UUID,
    lines: Mapping[int, Line],
    *,
    day: date,
    speaker_id: int | None,
    now: datetime,
    today: date,
) -> Stored:
    """Store a talk for each line that was typed, all of them or none.

    lines: by the number on the sheet. A line carries the id of its talk: one that was typed in
    before changes nothing. day: of the talks. speaker_id: the one who carried the sheet, None =
    the writer had the talks.
    Raises NotFound for a sheet out of scope, NothingOnIt, LineRefused.
    """
    sheet = get_sheet(session, scope, sheet_id)
    if speaker_id not in {None, sheet.carrier_id}:
        raise NotFound(f"carrier of sheet {sheet_id}")
    people = {one.number: one for one in sheet.lines}
    if not lines:
        raise NothingOnIt()
    new = before = 0
    for number, line in sorted(lines.items()):
        person = people.get(number)
        if person is None:
            raise LineRefused(number, NoLongerYours())
        if person.typed:
            before += 1
            continue
        talk = Talk(
            id=person.talk_id,
            day=day,
            rating=line.rating,
            issues=line.issues,
            # Without an answer ticked nobody knows whether the ask was made.
            asked=sheet.ask if line.answer is not None else None,
            answer=line.answer,
        )
        logged = _log_line(session, scope, number, person, talk, now, today, speaker_id)
        new, before = new + logged.created, before + (not logged.created)
    return Stored(new=new, before=before)


def _log_line(
    session: Session,
    scope: Scope,
    number: int,
    person: LineOnPaper,
    talk: Talk,
    now: datetime,
    today: date,
    speaker_id: int | None,
) -> Logged:
    try:
        return log_talk(
            session,
            scope,
            contact_id=person.contact_id,
            talk=talk,
            now=now,
            today=today,
            speaker_id=speaker_id,
        )
    except NotFound as error:
        raise LineRefused(number, NoLongerYours()) from error
    except (TalkInTheFuture, TalkTooLongAgo):
        raise  # Of the whole sheet, not of this line.
    except Refusal as refusal:
        raise LineRefused(number, refusal) from refusal


# Talks that are not stored yet


@dataclass(frozen=True, slots=True)
class Typed:
    """A talk as it was typed and not yet stored.

    fields: what the form held, name by name. reason: why it was refused, None = only unfinished.
    typed_at: by the writer's own clock, in UTC.
    """

    talk_id: uuid.UUID
    contact_id: uuid.UUID
    fields: Mapping[str, Sequence[str]]
    reason: str | None
    typed_at: datetime


def keep(session: Session, scope: Scope, typed: Typed, *, now: datetime) -> uuid.UUID:
    """Keep a talk for its writer to finish or put right; return the id of what is kept.

    The same talk kept again takes the place of what was kept before.
    """
    if scope.actor_id is None:
        raise NotFound("writer")
    kept: KeptTalk | None = session.scalars(
        scope.select(KeptTalk).where(KeptTalk.talk_id == typed.talk_id)
    ).one_or_none()
    if kept is None:
        kept = KeptTalk(
            owner_id=scope.actor_id,
            talk_id=typed.talk_id,
            contact_public_id=typed.contact_id,
            typed_at=min(typed.typed_at, now),
        )
        session.add(kept)
    kept.contact_public_id = typed.contact_id
    kept.fields = {name: list(values) for name, values in typed.fields.items()}
    kept.reason = typed.reason
    kept.kept_at = now
    session.flush()
    return kept.public_id


def throw_away(session: Session, scope: Scope, kept_id: uuid.UUID) -> None:
    """Throw away what was kept of a talk. Raises NotFound for another's, or when it is gone."""
    kept = session.scalars(
        scope.select(KeptTalk).where(KeptTalk.public_id == kept_id)
    ).one_or_none()
    if kept is None:
        raise NotFound(f"kept talk {kept_id}")
    session.delete(kept)


def forget_kept(session: Session, scope: Scope, talk_id: uuid.UUID) -> None:
    """Forget what was kept of a talk that is stored now; nothing may have been kept."""
    for kept in session.scalars(scope.select(KeptTalk).where(KeptTalk.talk_id == talk_id)):
        session.delete(kept)
