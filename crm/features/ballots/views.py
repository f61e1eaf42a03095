"""Ballots: the list, one ballot, and a page for each thing that is written about it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from werkzeug.wrappers import Response

from crm.access import audit
from crm.access.ballots import (
    ClosesBeforeItOpens,
    NoLawKnown,
    NoQuestion,
    NotClosedYet,
    PostAfterItCloses,
)
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.analysis.calendars import WholeDay, calendar_file
from crm.analysis.projection import DEFAULT_ASSUMPTIONS, Belief, Stand
from crm.domain.ballot_days import Stage
from crm.domain.balloting import CountsDoNotAdd, QuestionCount, mandate_last_day
from crm.domain.errors import EditConflict, NotFound, Refusal
from crm.domain.rules import rule_books
from crm.domain.vocabulary import BallotKind
from crm.features.ballots import queries, service, wording
from crm.features.ballots.forms import (
    BallotForm,
    DeclareForm,
    DoneForm,
    ResultForm,
    question_words,
    result_form,
)
from crm.reads.ballot_holders import list_holders
from crm.reads.ballots import Part, WholeBallot, get_ballot, list_ballots
from crm.reads.forecasts import learn
from crm.web import clock
from crm.web.attempts import Work, attempt
from crm.web.db import unit_of_work
from crm.web.errors import sentence
from crm.web.expiry import expiry_rule
from crm.web.filters import day as day_words
from crm.web.filters import percent
from crm.web.forms import Form, chosen_id
from crm.web.guard import keyed_hash, my_today, requires
from crm.web.labels import NOT_KNOWN, label
from crm.web.law import law_choices, text_of, threshold_words
from crm.web.pages import address_of

bp = Blueprint("ballots", __name__)

# Up to so many workplaces are shown with every test; more would bury the page.
FEW_PARTS = 5

_FIELD_OF: dict[type[Refusal], tuple[str, ...]] = {
    ClosesBeforeItOpens: ("closes_on",),
    PostAfterItCloses: ("last_post_on",),
    NoQuestion: ("questions",),
    service.NoWorkplace: ("place",),
    service.TooManyWorkplaces: ("place",),
    NoLawKnown: ("jurisdiction",),
    service.NotYet: ("declared_on",),
    service.EndsBeforeItStarts: ("action_ended_on",),
    NotClosedYet: ("declared_on",),
}


def install(app: Flask) -> None:
    """Register the pages of this feature."""
    app.register_blueprint(bp)


@bp.get("/ballots")
@requires(Permission.CONTACT_READ)
def index(scope: Scope) -> str:
    """Show the ballots of the reader's places."""
    today = my_today()
    with unit_of_work(scope, read_only=True) as session:
        rows = list_ballots(session, scope, today=today)
    over = {Stage.DECLARED, Stage.CALLED_OFF}
    return render_template(
        "ballots/index.html",
        going_on=[_row(row) for row in rows if row.stage not in over],
        ended=[_row(row) for row in rows if row.stage in over],
        may_write=scope.may(Permission.BALLOT_WRITE),
        rules_url=address_of("law.rules"),
        sums_url=address_of("law.recognition"),
    )


def _row(row: Any) -> dict[str, Any]:
    days = [label(row.stage)]
    if row.stage is Stage.DECLARED:
        days = [gettext("Declared %(day)s", day=day_words(row.declared_on))]
    elif row.opens_on and row.closes_on:
        days.append(f"{day_words(row.opens_on)} – {day_words(row.closes_on)}")
    return {
        "url": url_for("ballots.show", ballot_id=row.public_id),
        "name": row.name,
        "more": " · ".join([label(row.kind), row.place_name, row.union_name, *days]),
    }


# A new ballot


@bp.route("/ballots/new", methods=["GET", "POST"])
@requires(Permission.BALLOT_WRITE)
def new(scope: Scope) -> Any:
    """Plan a ballot."""
    form = BallotForm()
    with unit_of_work(scope, read_only=True) as session:
        holders = list_holders(session, scope)
        again = chosen_id(request.args.get("after")) if request.method == "GET" else None
        before = queries.get_before(session, scope, again) if again else None
    if before is not None:
        form = BallotForm(formdata=None, data=_held_again(before))
    if request.method == "GET":
        form.id.data = str(uuid.uuid4())
    form.offer(holders.places, holders.unions)
    status = 200
    if request.method == "POST":
        status = 422
        place, union = chosen_id(form.place.data), chosen_id(form.union.data)
        if form.validate():
            if place is None or union is None:
                raise NotFound("no place or union chosen")
            problem = _attempt(
                scope,
                form,
                lambda session: service.create_ballot(
                    session,
                    scope,
                    form.facts(),
                    form.asked(),
                    ballot_id=form.record_id(),
                    place=place,
                    union=union,
                    now=clock.now(),
                ),
            )
            if problem is None:
                return _saved(form.record_id())
    page = render_template(
        "ballots/form.html",
        form=form,
        title=gettext("Plan a ballot"),
        ballot=None,
        both=[],
        more=holders.more,
        cancel=url_for("ballots.index"),
    )
    return page, status


def _held_again(before: queries.Before) -> dict[str, Any]:
    """What a re-ballot takes over from the one whose mandate it renews: all but name and days."""
    ballot = before.ballot
    said = _typed(ballot)
    kept = ("jurisdiction", "separate", "important_public_service", "employer_agreed")
    return {name: said[name] for name in kept} | {
        "kind": BallotKind.REBALLOT.value,
        "place": None if before.place is None else str(before.place),
        "union": None if before.union is None else str(before.union),
        "questions": [one.kind.value for one in ballot.questions if one.words is None],
        "other_question": next((one.words for one in ballot.questions if one.words), ""),
    }


# One ballot


@bp.get("/ballots/<uuid:ballot_id>")
@requires(Permission.CONTACT_READ)
def show(scope: Scope, ballot_id: UUID) -> str:
    """Show a ballot: its days, its workplaces, and what its count comes to."""
    today = my_today()
    with unit_of_work(scope, read_only=True) as session:
        ballot = get_ballot(session, scope, ballot_id)
    law = {code: text_of(book.name) for code, book in rule_books().items()}
    return render_template(
        "ballots/show.html",
        ballot=ballot,
        law=law[ballot.jurisdiction],
        stage=label(ballot.stage(today)),
        stage_is=ballot.stage(today).value,
        questions=[question_words(one) for one in ballot.questions],
        result=wording.result_lines(ballot, ballot.together) if ballot.together else [],
        tallies=wording.tallies(ballot) if ballot.separate and _any_count(ballot) else [],
        parts=[
            (
                wording.part_line(ballot, part, law.get(part.jurisdiction, part.jurisdiction)),
                wording.result_lines(ballot, part.result)
                if part.result is not None and len(ballot.parts) <= FEW_PARTS
                else [],
            )
            for part in ballot.parts
        ],
        tests=[
            (text_of(rule.title), threshold_words(rule.threshold))
            for rule in ballot.tests()
            if rule.threshold is not None
        ],
        changes=[text_of(one.title) for one in ballot.open_changes()],
        unchecked=any(not ballot.is_checked(rule) for rule in ballot.tests()),
        days=wording.day_lines(ballot.milestones(today), today),
        mandate=_mandate_words(ballot, today),
        links=_links(scope, ballot),
        rules_url=address_of("law.rules", law=ballot.jurisdiction),
        today=today,
        can_count=ballot.days.closes_on is not None and today > ballot.days.closes_on,
    )


# A mandate for action ends after some time, and only a new ballot renews it.
_RENEWED = frozenset({BallotKind.ACTION, BallotKind.REBALLOT})


def _links(scope: Scope, ballot: WholeBallot) -> list[tuple[str, str]]:
    """Return the pages of the ballot that the reader may open, with their words."""
    own = ballot.may_write
    over = ballot.days.declared_on is not None or ballot.days.called_off_on is not None
    found = [
        (
            address_of("voting.voters", ballot_id=ballot.public_id) if own else None,
            gettext("Who may vote"),
        ),
        (
            url_for("ballots.plan", ballot_id=ballot.public_id) if own else None,
            gettext("One ballot or several?"),
        ),
        (
            address_of("letters.index", ballot_id=ballot.public_id) if own else None,
            gettext("Notices and letters"),
        ),
        (
            address_of("voting.votes", ballot_id=ballot.public_id)
            if scope.may(Permission.CONVERSATION_WRITE) and not over
            else None,
            gettext("Bring out the vote"),
        ),
        (
            url_for("ballots.new", after=ballot.public_id)
            if own and ballot.days.declared_on is not None and ballot.kind in _RENEWED
            else None,
            gettext("Plan a re-ballot"),
        ),
        (
            url_for("ballots.scores", ballot_id=ballot.public_id)
            if own and ballot.days.declared_on is not None
            else None,
            gettext("How near projections came"),
        ),
    ]
    return [(url, word) for url, word in found if url is not None]


def _any_count(ballot: WholeBallot) -> bool:
    return any(part.result is not None for part in ballot.parts)


def _mandate_words(ballot: WholeBallot, today: date) -> str | None:
    """Return until when the result holds and how long that still is; None without a mandate."""
    days = ballot.days
    if ballot.is_indicative or not ballot.carried or not days.opens_on or not days.closes_on:
        return None
    book = rule_books()[ballot.jurisdiction]
    found = mandate_last_day(
        book, days.opens_on, days.closes_on, agreed=days.agreed, begun=ballot.begun
    )
    if found is None:
        return str(gettext("The law written down here sets no last day for the result."))
    left = (found.day - today).days
    if left < 0:
        return str(gettext("The mandate ended on %(day)s.", day=day_words(found.day)))
    if ballot.separate:
        first = gettext(
            "Where it is carried, the mandate holds until %(day)s.", day=day_words(found.day)
        )
    else:
        first = gettext("The mandate holds until %(day)s.", day=day_words(found.day))
    after = ngettext("%(num)s day is left after today.", "%(num)s days are left after today.", left)
    return f"{first} {after}"


@bp.route("/ballots/<uuid:ballot_id>/change", methods=["GET", "POST"])
@requires(Permission.BALLOT_WRITE)
def change(scope: Scope, ballot_id: UUID) -> Any:
    """Change what a ballot is."""
    form = BallotForm()
    form.offer([], [])
    conflict: Refusal | None = None
    status = 200
    if request.method == "POST":
        status = 422
        if form.validate():
            conflict = _attempt(
                scope,
                form,
                lambda session: service.change_ballot(
                    session, scope, ballot_id, form.facts(), version=form.version.data or 0
                ),
            )
            if conflict is None:
                return _saved(ballot_id)
    ballot = _own(scope, ballot_id)
    if request.method == "GET":
        form = BallotForm(formdata=None, data=_typed(ballot))
        form.offer([], [])
    both: list[tuple[str, str, str]] = []
    if isinstance(conflict, EditConflict):
        status = 409
        # Saving again, with this version, is a choice made with both in sight.
        form.version.data, form.version.raw_data = conflict.current["version"], None
        both = [
            (str(form[name].label.text), _said(conflict.current[name]), _said(conflict.yours[name]))
            for name in conflict.yours
            if conflict.current[name] != conflict.yours[name]
        ]
    page = render_template(
        "ballots/form.html",
        form=form,
        title=gettext("Change this ballot"),
        ballot=ballot,
        both=both,
        more=False,
        cancel=url_for("ballots.show", ballot_id=ballot_id),
    )
    return page, status


def _typed(ballot: WholeBallot) -> dict[str, Any]:
    service_word = {True: "yes", False: "no", None: ""}[ballot.important_public_service]
    return {
        "version": ballot.version,
        "name": ballot.name,
        "kind": ballot.kind.value,
        "jurisdiction": ballot.jurisdiction,
        "separate": "separate" if ballot.separate else "",
        "important_public_service": service_word,
        "employer_agreed": ballot.days.agreed,
        "applied_on": ballot.applied_on,
        "opens_on": ballot.days.opens_on,
        "closes_on": ballot.days.closes_on,
        "last_post_on": ballot.days.last_post_on,
    }


def _said(value: Any) -> str:
    if value is None:
        return str(NOT_KNOWN)
    if isinstance(value, bool):
        return str(gettext("Yes") if value else gettext("No"))
    if isinstance(value, date):
        return day_words(value)
    return str(label(value) if hasattr(value, "value") else value)


@bp.route("/ballots/<uuid:ballot_id>/workplaces", methods=["GET", "POST"])
@requires(Permission.BALLOT_WRITE)
def workplaces(scope: Scope, ballot_id: UUID) -> Any:
    """Choose which workplaces are asked, and note how many members the union counts there."""
    ballot = _own(scope, ballot_id)
    with unit_of_work(scope, read_only=True) as session:
        offered = queries.list_workplaces(session, scope, ballot, my_today())
    problem: str | None = None
    sent = request.form if request.method == "POST" else None
    if sent is not None:
        chosen, problem = _read_workplaces(offered, ballot)
        if problem is None:
            try:
                with unit_of_work(scope) as session:
                    service.set_parts(session, scope, ballot_id, chosen)
            except Refusal as refusal:
                problem = sentence(refusal)
            else:
                return _saved(ballot_id)
    laws = {part.place_id: part.jurisdiction for part in ballot.parts}
    rows = [
        {
            "key": str(one.public_id),
            "name": one.name,
            "on_record": one.on_record,
            "taken": one.taken if sent is None else str(one.public_id) in sent.getlist("taken"),
            "members": (
                ("" if one.stated_members is None else str(one.stated_members))
                if sent is None
                else sent.get(f"members-{one.public_id}", "")
            ),
            "law": (
                laws.get(one.id, ballot.jurisdiction)
                if sent is None
                else sent.get(f"law-{one.public_id}", ballot.jurisdiction)
            ),
        }
        for one in offered
    ]
    page = render_template(
        "ballots/workplaces.html",
        ballot=ballot,
        rows=rows,
        laws=law_choices(),
        problem=problem,
        has_errors=problem is not None,
    )
    return page, 200 if problem is None else 422


def _read_workplaces(
    offered: list[queries.WorkplaceChoice], ballot: WholeBallot
) -> tuple[dict[UUID, tuple[int | None, str]], str | None]:
    chosen: dict[UUID, tuple[int | None, str]] = {}
    for key in request.form.getlist("taken"):
        public_id = chosen_id(key)
        if public_id is None or public_id not in {one.public_id for one in offered}:
            return {}, gettext("Choose workplaces from the list.")
        typed = request.form.get(f"members-{key}", "").strip()
        if typed and not (typed.isascii() and typed.isdigit() and len(typed) <= 7):
            return {}, gettext("Enter members as a whole number, or leave it empty.")
        code = request.form.get(f"law-{key}", ballot.jurisdiction)
        chosen[public_id] = (int(typed) if typed else None, code)
    return chosen, None


@bp.route("/ballots/<uuid:ballot_id>/days", methods=["GET", "POST"])
@requires(Permission.BALLOT_WRITE)
def days(scope: Scope, ballot_id: UUID) -> Any:
    """Write down when notices were received and people were told, and plan action."""
    form = DoneForm()
    if request.method == "POST" and form.validate():
        problem = _attempt(
            scope,
            form,
            lambda session: service.set_done_days(
                session, scope, ballot_id, form.days(), today=my_today()
            ),
        )
        if problem is None:
            return _saved(ballot_id)
    ballot = _own(scope, ballot_id)
    if request.method == "GET":
        known = ballot.days
        form = DoneForm(
            formdata=None,
            data={
                "ballot_notice_on": known.ballot_notice_on,
                "members_told_on": known.members_told_on,
                "employers_told_on": known.employers_told_on,
                "action_notice_on": known.action_notice_on,
                "action_starts_on": known.action_starts_on,
                "action_ended_on": known.action_ended_on,
                "action_continuous": {True: "yes", False: "no", None: ""}[ballot.action_continuous],
                "action_days": ballot.action_days,
            },
        )
    page = render_template("ballots/days.html", form=form, ballot=ballot)
    return page, 422 if form.errors else 200


# The result


@bp.route("/ballots/<uuid:ballot_id>/result", methods=["GET", "POST"])
@requires(Permission.BALLOT_WRITE)
def result(scope: Scope, ballot_id: UUID) -> Any:
    """Store the count of all workplaces together."""
    ballot = _own(scope, ballot_id)
    if ballot.separate:
        return redirect(url_for("ballots.show", ballot_id=ballot_id) + "#workplaces", 303)
    return _result_page(scope, ballot, None)


@bp.route("/ballots/<uuid:ballot_id>/parts/<uuid:part_id>/result", methods=["GET", "POST"])
@requires(Permission.BALLOT_WRITE)
def part_result(scope: Scope, ballot_id: UUID, part_id: UUID) -> Any:
    """Store the count of one workplace."""
    ballot = _own(scope, ballot_id)
    part = next((one for one in ballot.parts if one.public_id == part_id), None)
    if part is None:
        raise NotFound(f"part {part_id}")
    if not ballot.separate:
        return redirect(url_for("ballots.result", ballot_id=ballot_id), 303)
    return _result_page(scope, ballot, part)


def _result_page(scope: Scope, ballot: WholeBallot, part: Part | None) -> Any:
    form = result_form(ballot.questions)
    stored = ballot.together if part is None else part.result
    if request.method == "POST" and form.validate():
        counts = _read_counts(form, ballot)
        if counts is not None:
            problem = _attempt(
                scope,
                form,
                lambda session: service.record_result(
                    session,
                    scope,
                    ballot.public_id,
                    counts,
                    part_id=None if part is None else part.public_id,
                    now=clock.now(),
                    today=my_today(),
                ),
            )
            if problem is None:
                return _saved(ballot.public_id)
    elif request.method == "GET" and stored is not None:
        values = {
            f"q{one.number}_{name}": getattr(stored.counts[one.id], name)
            for one in ballot.questions
            if one.id in stored.counts
            for name in ("entitled", "cast", "yes", "no", "spoiled")
        }
        form = result_form(ballot.questions, formdata=None, data=values)
    page = render_template(
        "ballots/result.html",
        form=form,
        ballot=ballot,
        part=part,
        groups=form.groups(ballot.questions),
        lines=wording.result_lines(ballot, stored) if stored else [],
    )
    return page, 422 if form.errors else 200


def _read_counts(form: ResultForm, ballot: WholeBallot) -> dict[UUID, QuestionCount] | None:
    """Return the counts entered; None when some cannot be true, said beside the field."""
    found: dict[UUID, QuestionCount] = {}
    for question in ballot.questions:
        numbers = form.numbers(question)
        if numbers is None:
            continue
        try:
            found[question.public_id] = QuestionCount(**numbers).check_written()
        except CountsDoNotAdd as refusal:
            form.refuse(refusal, f"q{question.number}_cast")
    if form.errors:
        return None
    if not found:
        form.refuse(service.NothingCounted())
        return None
    return found


@bp.route("/ballots/<uuid:ballot_id>/declare", methods=["GET", "POST"])
@requires(Permission.BALLOT_WRITE)
def declare(scope: Scope, ballot_id: UUID) -> Any:
    """Declare the result, which erases who told us that they voted."""
    form = DeclareForm(data={"declared_on": my_today()})
    if request.method == "POST" and form.validate():
        erased: list[int] = []
        problem = _attempt(
            scope,
            form,
            lambda session: erased.append(
                service.declare(
                    session,
                    scope,
                    ballot_id,
                    declared_on=form.declared_on.data,
                    now=clock.now(),
                    today=my_today(),
                )
            ),
        )
        if problem is None:
            return _saved(
                ballot_id,
                ngettext(
                    "Declared. What %(num)s person told us of voting is erased.",
                    "Declared. What %(num)s people told us of voting is erased.",
                    erased[0],
                ),
            )
    ballot = _own(scope, ballot_id)
    return render_template("ballots/declare.html", form=form, ballot=ballot), (
        422 if form.errors else 200
    )


@bp.route("/ballots/<uuid:ballot_id>/call-off", methods=["GET", "POST"])
@requires(Permission.BALLOT_WRITE)
def call_off(scope: Scope, ballot_id: UUID) -> Any:
    """Call a ballot off."""
    form = Form()
    if request.method == "POST" and form.validate():
        problem = _attempt(
            scope,
            form,
            lambda session: service.call_off(session, scope, ballot_id, on=my_today()),
        )
        if problem is None:
            return _saved(ballot_id, gettext("The ballot is called off."))
    ballot = _own(scope, ballot_id)
    return render_template("ballots/call_off.html", form=form, ballot=ballot), (
        422 if form.errors else 200
    )


# Planning


# Whom people not asked are taken to be like; "" = the weak belief that is written down.
_LIKE = {"3": Stand.THREE, "4": Stand.FOUR}


@bp.get("/ballots/<uuid:ballot_id>/plan")
@requires(Permission.BALLOT_WRITE)
def plan(scope: Scope, ballot_id: UUID) -> str:
    """Show what the ballot may come to: all together, each for itself, and the best mix."""
    like = request.args.get("like", "")
    like = like if like in _LIKE else ""
    with unit_of_work(scope, read_only=True) as session:
        found = queries.get_plan(
            session,
            scope,
            ballot_id,
            not_asked_like=_LIKE.get(like),
            expiry=expiry_rule(),
            today=my_today(),
        )
    return render_template(
        "ballots/plan.html",
        plan=found,
        ballot=found.ballot,
        like=like,
        choices=[
            (word, url_for("ballots.plan", ballot_id=ballot_id, like=value or None), value == like)
            for value, word in (
                ("", gettext("as we believe of people not asked")),
                ("3", gettext("as those who are unsure")),
                ("4", gettext("as those against")),
            )
        ],
        words=None if found.compared is None else wording.plan_words(found),
        swing=wording.swing_words(found.learned),
        beliefs=[
            (
                gettext("Not asked")
                if stand is Stand.NOT_ASKED
                else f"{stand.value} {label(int(stand.value))}",
                percent(belief.turnout),
                percent(belief.yes),
            )
            for stand, belief in _beliefs(like).items()
        ],
    )


def _beliefs(like: str) -> Mapping[Stand, Belief]:
    stand = _LIKE.get(like)
    if stand is None:
        return DEFAULT_ASSUMPTIONS.beliefs
    return DEFAULT_ASSUMPTIONS.treating_not_asked_as(stand).beliefs


@bp.post("/ballots/<uuid:ballot_id>/plan/keep")
@requires(Permission.BALLOT_WRITE)
def keep_plan(scope: Scope, ballot_id: UUID) -> Any:
    """Keep the projection of today, to be scored when the result is known."""
    today = my_today()
    kept: list[int] = []
    try:
        with unit_of_work(scope) as session:
            found = queries.get_plan(
                session,
                scope,
                ballot_id,
                expiry=expiry_rule(),
                today=today,
            )
            kept.append(service.keep_forecasts(session, scope, found, now=clock.now(), today=today))
    except Refusal as refusal:
        flash(sentence(refusal), "error")
        return redirect(url_for("ballots.plan", ballot_id=ballot_id), 303)
    flash(ngettext("%(num)s projection is kept.", "%(num)s projections are kept.", kept[0]), "done")
    return redirect(url_for("ballots.scores", ballot_id=ballot_id), 303)


@bp.get("/ballots/<uuid:ballot_id>/scores")
@requires(Permission.BALLOT_WRITE)
def scores(scope: Scope, ballot_id: UUID) -> str:
    """Show how near the kept projections came."""
    with unit_of_work(scope, read_only=True) as session:
        ballot = queries.get_own(session, scope, ballot_id)
        found = queries.list_scores(session, scope, [ballot])
        every = queries.list_all_scores(session, scope)
        learned = learn(session, scope)
    return render_template(
        "ballots/scores.html",
        ballot=ballot,
        words=wording.score_words(found),
        calibration=wording.calibration(every),
        swing=wording.swing_words(learned),
    )


@bp.get("/ballots/<uuid:ballot_id>/days.ics", endpoint="ics")
@requires(Permission.CONTACT_READ)
def calendar(scope: Scope, ballot_id: UUID) -> Response:
    """Hand out the days of a ballot as a calendar file that names nobody and no place."""
    with unit_of_work(scope) as session:
        ballot = get_ballot(session, scope, ballot_id)
        steps = ballot.milestones(my_today())
        audit.record_export(
            session,
            what="ballot_days",
            filters={"ballot": ballot.public_id},
            rows=len(steps),
            place_id=ballot.place_id,
        )
    prefix = gettext("Indicative: ") if ballot.is_indicative else ""
    body = calendar_file(
        [
            WholeDay(one.day, one.step.value, prefix + str(wording.PLAIN_STEPS[one.step]))
            for one in steps
        ],
        name=str(gettext("Dates")),
        seed=keyed_hash(f"ballot {ballot.public_id}"),
        made_at=clock.now(),
    )
    answer = Response(body, mimetype="text/calendar")
    answer.headers["Content-Disposition"] = 'attachment; filename="dates.ics"'
    return answer


# What several pages need


def _own(scope: Scope, ballot_id: UUID) -> WholeBallot:
    with unit_of_work(scope, read_only=True) as session:
        return queries.get_own(session, scope, ballot_id)


def _attempt(scope: Scope, form: Form, work: Work) -> Refusal | None:
    """Do the work in one unit; a refusal is said in the form and handed back."""
    return attempt(scope, form, work, _FIELD_OF)


def _saved(ballot_id: UUID, words: str | None = None) -> Any:
    flash(words or gettext("Saved."), "done")
    return redirect(url_for("ballots.show", ballot_id=ballot_id), 303)
