"""The first page, the page to hide behind, and the page that says what this program is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.assessment import Freshness
from crm.domain.ballot_days import Stage as BallotStage
from crm.domain.errors import EditConflict, Refusal
from crm.domain.vocabulary import BallotKind, NoticeKind
from crm.features.today import queries, service
from crm.features.today.forms import ON_A_DAY, GiveForm, LaterForm
from crm.reads.ballots import list_ballots, list_due_steps
from crm.reads.cases import list_open_deadlines
from crm.reads.notices import Notice, list_notices
from crm.reads.structure import open_tests
from crm.reads.talks import (
    LastTalk,
    PersonAtWork,
    count_people_to_speak_to,
    people_to_speak_to,
)
from crm.reads.turf import own_people, something_stranded
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.expiry import freshness_on
from crm.web.filters import day as day_words
from crm.web.filters import due_text
from crm.web.guard import my_today, my_zone, public, requires, signed_in
from crm.web.labels import label
from crm.web.pages import address_of, render_kept

bp = Blueprint("today", __name__)

FIRST_FEW = 3
# Deadlines of cases come into sight so long before.
DUE_AHEAD = timedelta(days=14)
# Older ballots came in with a list of results, which says no day on which they were declared.
COUNTED_WITHIN = timedelta(days=91)
# "Show all" of a whole union is no list to speak from; the page says how many are left out.
MOST = 100
QUOTE_LENGTH = 140


def install(app: Flask) -> None:
    """Register the pages of this feature."""
    app.register_blueprint(bp)


@dataclass(frozen=True, slots=True)
class Row:
    """One person on the page. due: ready words; None for people without a reminder.

    language: the code of the language of the quote, None = not known.
    """

    name: str
    rating: int | None
    freshness: Freshness
    more: str
    said: str
    quote: str | None
    language: str | None
    log_url: str
    person_url: str | None
    due: str | None = None
    overdue: bool = False
    put_off: str | None = None
    done_url: str | None = None
    later_url: str | None = None
    undo_url: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """One thing an administrator does here."""

    url: str
    name: str
    more: str


@dataclass(frozen=True, slots=True)
class Told:
    """What somebody did to an account, in words, and where to say that one has seen it."""

    words: str
    seen_url: str


@dataclass(frozen=True, slots=True)
class Due:
    """A deadline of a case whose team the reader is on, or something to do for a ballot."""

    url: str | None
    reference: str
    what: str
    due: str
    overdue: bool


@bp.get("/")
@requires(Permission.ACCOUNT_OWN)
def index(scope: Scope) -> str:
    """Show the reader's day; to an administrator without places, the work of running the server."""
    if not scope.may(Permission.CONTACT_READ):
        with unit_of_work(scope, read_only=True) as session:
            notices = list_notices(session, scope)
        return render_template(
            "today/admin.html",
            jobs=_admin_jobs(scope),
            today=my_today(),
            notices=[_told(one) for one in notices],
        )
    today = my_today()
    everyone = request.args.get("show") == "all"
    with unit_of_work(scope, read_only=True) as session:
        reminders = queries.list_reminders(session, scope, today=today, day_began=_began(today))
        own = own_people(session, scope, today=today)
        to_speak = people_to_speak_to(
            session, scope, today=today, limit=MOST if everyone else FIRST_FEW, own=own
        )
        total = count_people_to_speak_to(session, scope, today=today)
        notices = list_notices(session, scope)
        week = queries.count_week(session, scope, today=today)
        asked = queries.count_asked(session, scope, today=today)
        dues = list_open_deadlines(session, scope, until=today + DUE_AHEAD)
        steps = list_due_steps(session, scope, today=today, ahead=DUE_AHEAD)
        ballots = list_ballots(session, scope, today=today)
        voting = [one for one in ballots if one.stage is BallotStage.OPEN]
        # What people told us of voting is kept until the result is declared.
        to_count = [
            one
            for one in ballots
            if one.stage is BallotStage.CLOSED
            and one.closes_on is not None
            and one.closes_on >= today - COUNTED_WITHIN
            and scope.may(Permission.BALLOT_WRITE)
        ]
        tests = open_tests(session, scope, today=today)
        stranded = scope.may(Permission.TURF_WRITE) and something_stranded(
            session, scope, today=today, day=clock.now().date()
        )
    return render_template(
        "today/index.html",
        today=today,
        notices=[_told(one) for one in notices],
        due=[_reminder_row(one, today) for one in reminders.due],
        coming=[_reminder_row(one, today) for one in reminders.coming],
        done=[_reminder_row(one, today) for one in reminders.done],
        to_speak=[_person_row(person) for person in to_speak],
        total=total,
        everyone=everyone,
        has_own=bool(own),
        week=week,
        asked=asked,
        may_log=scope.may(Permission.CONVERSATION_WRITE),
        log_url=address_of("conversations.who"),
        sheet_url=address_of("sheets.new", by="promised")
        if scope.may(Permission.CONVERSATION_WRITE)
        else None,
        mine_url=address_of("mine.index"),
        turf_url=address_of("turf.index") if stranded else None,
        ballots=[
            Due(
                url=address_of("voting.votes", ballot_id=one.public_id),
                reference=one.name,
                what=gettext("Indicative, no ballot in law. Voting is open: bring out the vote")
                if one.kind is BallotKind.INDICATIVE
                else gettext("Voting is open: bring out the vote"),
                due=""
                if one.closes_on is None
                else gettext("until %(day)s", day=day_words(one.closes_on)),
                overdue=False,
            )
            for one in voting
        ]
        + [
            Due(
                url=address_of("ballots.show", ballot_id=one.public_id),
                reference=one.name,
                what=gettext("Voting is over: type in the count, and declare the result"),
                due=""
                if one.closes_on is None
                else gettext("last day of voting: %(day)s", day=day_words(one.closes_on)),
                overdue=False,
            )
            for one in to_count
        ]
        + [
            Due(
                url=address_of("ballots.show", ballot_id=one.ballot_id),
                reference=one.name,
                what=label(one.milestone.step),
                due=due_text(one.milestone.day, today),
                overdue=one.milestone.day < today,
            )
            for one in steps
        ],
        ballots_url=address_of("ballots.index"),
        dues=[
            Due(
                url=address_of("cases.show", case_id=one.case_id),
                reference=one.reference,
                what=one.what,
                due=due_text(one.due_on, today),
                overdue=one.due_on < today,
            )
            for one in dues or ()
        ],
        cases_url=address_of("cases.index") if dues is not None else None,
        tests=[(address_of("campaigns.mine", test_id=one.public_id), one) for one in tests],
        add_url=address_of("contacts.add"),
    )


@bp.post("/follow-ups/<uuid:follow_up_id>/done")
@requires(Permission.CONVERSATION_WRITE)
def done(scope: Scope, follow_up_id: UUID) -> Any:
    """Tick a reminder off."""
    with unit_of_work(scope) as session:
        name = service.finish(session, scope, follow_up_id, now=clock.now())
    flash(gettext("Done: %(name)s. You can undo this below.", name=name), "done")
    return redirect(url_for("today.index"), 303)


@bp.post("/follow-ups/<uuid:follow_up_id>/undo")
@requires(Permission.CONVERSATION_WRITE)
def undo(scope: Scope, follow_up_id: UUID) -> Any:
    """Put a reminder back that was ticked off."""
    with unit_of_work(scope) as session:
        name = service.reopen(session, scope, follow_up_id)
    flash(gettext("Back on your list: %(name)s.", name=name), "done")
    return redirect(url_for("today.index"), 303)


@bp.get("/follow-ups/<uuid:follow_up_id>/later")
@requires(Permission.CONVERSATION_WRITE)
def later(scope: Scope, follow_up_id: UUID) -> Any:
    """Ask when a reminder should come instead."""
    return _later_page(scope, follow_up_id)


@bp.post("/follow-ups/<uuid:follow_up_id>/later")
@requires(Permission.CONVERSATION_WRITE)
def put_off(scope: Scope, follow_up_id: UUID) -> Any:
    """Move a reminder to another day."""
    form = LaterForm()
    if not form.validate_on_submit():
        return _later_page(scope, follow_up_id, form=form, status=422)
    today = my_today()
    due_on = form.due(today)
    try:
        with unit_of_work(scope) as session:
            name = service.put_off(
                session,
                scope,
                follow_up_id,
                due_on=due_on,
                version=form.version.data or 0,
                today=today,
            )
    except EditConflict as conflict:
        return _later_page(scope, follow_up_id, form=form, conflict=conflict, status=409)
    except Refusal as refusal:
        form.refuse(refusal, "day" if form.when.data == ON_A_DAY else "when")
        return _later_page(scope, follow_up_id, form=form, status=422)
    flash(gettext("%(name)s: put off to %(day)s.", name=name, day=day_words(due_on)), "done")
    return redirect(url_for("today.index"), 303)


@bp.get("/follow-ups/<uuid:follow_up_id>/give")
@requires(Permission.CONVERSATION_WRITE)
def give(scope: Scope, follow_up_id: UUID) -> Any:
    """Ask who takes a reminder over."""
    return _give_page(scope, follow_up_id)


@bp.post("/follow-ups/<uuid:follow_up_id>/give")
@requires(Permission.CONVERSATION_WRITE)
def hand_on(scope: Scope, follow_up_id: UUID) -> Any:
    """Give a reminder to another rep."""
    form = GiveForm()
    if not form.validate_on_submit():
        return _give_page(scope, follow_up_id, form=form, status=422)
    try:
        with unit_of_work(scope) as session:
            passed = service.hand_on(
                session,
                scope,
                follow_up_id,
                to=form.chosen(),
                version=form.version.data or 0,
                now=clock.now(),
            )
    except EditConflict as conflict:
        return _give_page(scope, follow_up_id, form=form, conflict=conflict, status=409)
    except Refusal as refusal:
        form.refuse(refusal, "to")
        return _give_page(scope, follow_up_id, form=form, status=422)
    flash(
        gettext(
            "%(to)s has the reminder about %(name)s now.",
            to=passed.to_name,
            name=passed.person_name,
        ),
        "done",
    )
    return redirect(url_for("today.index"), 303)


def _later_page(
    scope: Scope,
    follow_up_id: UUID,
    *,
    form: LaterForm | None = None,
    conflict: EditConflict | None = None,
    status: int = 200,
) -> tuple[str, int]:
    with unit_of_work(scope, read_only=True) as session:
        one = queries.get_reminder(session, scope, follow_up_id, day=clock.now().date())
    if form is None:
        form = LaterForm(formdata=None, data={"version": one.version})
    if conflict is not None:
        _let_the_next_save_win(form, conflict)
    page = render_template("today/later.html", form=form, one=one, conflict=conflict)
    return page, status


def _give_page(
    scope: Scope,
    follow_up_id: UUID,
    *,
    form: GiveForm | None = None,
    conflict: EditConflict | None = None,
    status: int = 200,
) -> tuple[str, int]:
    with unit_of_work(scope, read_only=True) as session:
        one = queries.get_reminder(session, scope, follow_up_id, day=clock.now().date())
    if form is None:
        form = GiveForm(formdata=None, data={"version": one.version})
    form.offer(one.others)
    if conflict is not None:
        _let_the_next_save_win(form, conflict)
    chosen = next((name for key, name in one.others if str(key) == form.to.data), None)
    page = render_template("today/give.html", form=form, one=one, conflict=conflict, chosen=chosen)
    return page, status


def _let_the_next_save_win(form: LaterForm | GiveForm, conflict: EditConflict) -> None:
    form.refuse(conflict)
    form.version.data = conflict.current["version"]
    form.version.raw_data = None  # What was sent would be written into the page again.


@bp.get("/hide")
@public
def hide() -> str:
    """Show a page with nothing of ours on it, for when somebody looks over a shoulder."""
    return render_kept("today/hide.html")


@bp.get("/about")
@public
def about() -> str:
    """Say what this program is, its licence, and what Hide does and does not do."""
    return render_template(
        "today/about.html",
        version=_version(),
        # The licence obliges whoever runs a changed version to say where its source is.
        source_url=current_app.config.get("SOURCE_URL"),
        sign_in_url=None if signed_in() else address_of("accounts.sign_in"),
    )


def _began(today: date) -> datetime:
    """Return the moment the reader's day began."""
    return datetime.combine(today, time(0), tzinfo=ZoneInfo(my_zone()))


def _reminder_row(one: queries.Reminder, today: date) -> Row:
    late = (today - one.due_on).days
    if one.done:
        due = None
    elif late > 0:
        due = ngettext("Due %(num)s day ago", "Due %(num)s days ago", late)
    elif late == 0:
        due = gettext("Due today")
    elif late == -1:
        due = gettext("Due tomorrow")
    else:
        due = ngettext("Due in %(num)s day", "Due in %(num)s days", -late)
    more = [one.place_name, one.what]
    if one.do_not_contact:
        more.append(gettext("asked us not to contact them"))
    return Row(
        name=one.name,
        rating=one.rating,
        freshness=freshness_on(my_today(), one.scored_on),
        more=" · ".join(part for part in more if part),
        said=_said(one.last_talk, today),
        quote=_quote(one.last_talk),
        language=one.last_talk.language if one.last_talk else None,
        log_url=_log_url(one.contact_public_id),
        person_url=address_of("contacts.show", contact_id=one.contact_public_id),
        due=due,
        overdue=late > 0,
        put_off=_put_off(one),
        later_url=None if one.done else url_for("today.later", follow_up_id=one.public_id),
        done_url=None if one.done else url_for("today.done", follow_up_id=one.public_id),
        undo_url=url_for("today.undo", follow_up_id=one.public_id) if one.done else None,
    )


def _put_off(one: queries.Reminder) -> str | None:
    if not one.times_put_off or one.first_due_on is None:
        return None
    return str(
        ngettext(
            "Put off once, first due %(day)s",
            "Put off %(num)s times, first due %(day)s",
            one.times_put_off,
            day=day_words(one.first_due_on),
        )
    )


def _person_row(person: PersonAtWork) -> Row:
    words = [name for name in (person.workplace_name, person.area_name) if name]
    if person.own:
        words.append(str(gettext("one of your people")))
    return Row(
        name=person.name,
        rating=person.rating,
        freshness=freshness_on(my_today(), person.scored_on),
        more=" · ".join(words),
        said=_said(person.last_talk, my_today()),
        quote=_quote(person.last_talk),
        language=person.last_talk.language if person.last_talk else None,
        log_url=_log_url(person.public_id),
        person_url=address_of("contacts.show", contact_id=person.public_id),
    )


def _said(talk: LastTalk | None, today: date) -> str:
    """Return the last talk in a line: how long ago, what was asked, what they said."""
    if talk is None:
        return str(gettext("No talk written down yet"))
    days = (today - talk.day).days
    if days <= 0:
        when = gettext("Talk today")
    else:
        when = ngettext("Last talk %(num)s day ago", "Last talk %(num)s days ago", days)
    if talk.asked is None:
        return str(when)
    words = gettext("asked: %(ask)s", ask=label(talk.asked))
    if talk.answer is not None:
        words = f"{words} → {label(talk.answer)}"
    return f"{when} · {words}"


def _quote(talk: LastTalk | None) -> str | None:
    if talk is None or talk.their_words is None:
        return None
    words = " ".join(talk.their_words.split())
    return words if len(words) <= QUOTE_LENGTH else words[: QUOTE_LENGTH - 1].rstrip() + "…"


def _log_url(contact_public_id: UUID) -> str:
    address = address_of("conversations.log", contact_id=contact_public_id, next="today")
    return address or url_for("today.index")


def _told(notice: Notice) -> Told:
    actor = notice.actor_name or gettext("Somebody at the server’s command line")
    if notice.about_reader:
        whom = gettext("you")
    elif notice.by_themselves:
        whom = gettext("themselves")
    else:
        whom = notice.about_name
    day = day_words(notice.made_at.astimezone(ZoneInfo(my_zone())).date())
    if notice.kind is NoticeKind.ROLE_GIVEN and notice.role is not None:
        words = gettext(
            "%(actor)s gave %(whom)s the role “%(role)s” at %(place)s on %(day)s.",
            actor=actor,
            whom=whom,
            role=label(notice.role),
            place=notice.place_name or gettext("a place that you do not see"),
            day=day,
        )
    else:
        words = gettext(
            "%(actor)s made a sign-in link for %(whom)s on %(day)s. Whoever opens it "
            "chooses a new passphrase.",
            actor=actor,
            whom=whom,
            day=day,
        )
    return Told(
        words=words, seen_url=address_of("accounts.see_notice", notice_id=notice.public_id) or ""
    )


def _admin_jobs(scope: Scope) -> list[Job]:
    jobs = (
        (
            Permission.USER_WRITE,
            "accounts.users",
            gettext("Users"),
            gettext("Invite people, and say which places they hold."),
        ),
        (
            Permission.PLACE_READ,
            "workplaces.index",
            gettext("Places"),
            gettext("Employers, workplaces, unions and branches."),
        ),
        (
            Permission.REGISTER_LOAD,
            "registers.index",
            gettext("Public registers"),
            gettext("Load published lists of employers and sites."),
        ),
    )
    return [
        Job(url=address, name=name, more=more)
        for permission, endpoint, name, more in jobs
        if scope.may(permission) and (address := address_of(endpoint)) is not None
    ]


def _version() -> str | None:
    try:
        return version("shopfloor")
    except PackageNotFoundError:
        return None
