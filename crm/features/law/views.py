"""The page of rules, what is written down about them, and the counts of a recognition claim."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.balloting import RuleOutcome, outcomes_of_numbers
from crm.domain.errors import Refusal
from crm.domain.rules import Confidence, KeyDate, Subject, rule_books
from crm.features.law import queries, service
from crm.features.law.forms import BeganForm, RecognitionForm, RulesForm
from crm.reads.law import begun_changes, check_of, checks_of_rows
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.errors import sentence
from crm.web.filters import day as day_words
from crm.web.filters import people, percent
from crm.web.guard import my_today, requires
from crm.web.labels import NOT_KNOWN, label
from crm.web.law import SAID, counted_words, span_words, text_of, threshold_words, value_words
from crm.web.pages import address_of

bp = Blueprint("law", __name__)

# Tests of a claim for recognition; France measures the strength of unions instead.
_SAID_OF_CLAIMS = ("railway_or_airline", "construction")


def install(app: Flask) -> None:
    """Register the pages of this feature."""
    app.register_blueprint(bp)


@dataclass(frozen=True, slots=True)
class Shown:
    """A row as the page draws it. key: what the form sends. checked: words, None = nobody has."""

    key: str
    id: str
    title: str
    text: str
    value: str | None
    span: str
    only_if: str | None
    key_date: str
    source: str
    sure: bool
    checked: str | None
    due: bool
    review: str | None


@bp.get("/ballots/rules")
@requires(Permission.PLACE_READ)
def rules(scope: Scope) -> Any:
    """Show every rule of one jurisdiction with its source and who has checked it."""
    return _page(scope)


@bp.post("/ballots/rules/checked")
@requires(Permission.UNION_WRITE)
def check(scope: Scope) -> Any:
    """Write down that the sources of the ticked rows were read again today."""
    try:
        with unit_of_work(scope) as session:
            number = service.check_rows(
                session,
                scope,
                request.form.getlist("rows"),
                now=clock.now(),
                today=my_today(),
            )
    except Refusal as refusal:
        return _page(scope, problem=sentence(refusal))
    flash(
        ngettext(
            "Saved: you checked %(num)s rule today.",
            "Saved: you checked %(num)s rules today.",
            number,
        ),
        "done",
    )
    return redirect(url_for("law.rules", law=_law_asked()), 303)


@bp.post("/ballots/rules/began")
@requires(Permission.UNION_WRITE)
def began(scope: Scope) -> Any:
    """Write down on which day a change of law began."""
    form = BeganForm()
    if not form.validate():
        return _page(scope, began=form)
    try:
        with unit_of_work(scope) as session:
            change = service.say_when_it_began(
                session,
                scope,
                form.change.data or "",
                began_on=form.began_on.data,
                source=form.text("source"),
                now=clock.now(),
            )
    except Refusal as refusal:
        form.refuse(refusal, "source" if isinstance(refusal, service.NoSource) else "began_on")
        return _page(scope, began=form)
    flash(gettext("Saved: %(change)s.", change=text_of(change.title)), "done")
    return redirect(url_for("law.rules", law=change.jurisdiction), 303)


def _law_asked() -> str:
    asked = request.args.get("law", "")
    return asked if asked in rule_books() else "GB"


def _page(
    scope: Scope, *, problem: str | None = None, began: BeganForm | None = None
) -> tuple[str, int]:
    books = rule_books()
    form = RulesForm(formdata=request.args)
    form.offer(books, text_of)
    form.validate()
    book = form.chosen(books)
    today = my_today()
    with unit_of_work(scope, read_only=True) as session:
        found = queries.read_book(session, scope, book, on=form.day(), today=today)
    begun = {one.change.id: one.began_on for one in found.changes if one.began_on is not None}
    groups = [
        (
            label(subject),
            [_shown(row, found, begun) for row in found.rows if row.rule.subject is subject],
        )
        for subject in Subject
    ]
    if problem is not None:
        form.form_errors.append(problem)
    page = render_template(
        "law/rules.html",
        form=form,
        book=found,
        name=text_of(found.name),
        note=text_of(found.note) if found.note else None,
        groups=[(title, rows) for title, rows in groups if rows],
        changes=[
            (one, text_of(one.change.title), text_of(one.change.text), _began_form(one, began))
            for one in found.changes
        ],
        refused=began if began is not None and began.errors else None,
        has_errors=bool(form.errors or (began is not None and began.errors)),
        ballots_url=address_of("ballots.index"),
        action=url_for("law.check", law=found.code),
        began_url=url_for("law.began", law=found.code),
    )
    return page, 422 if form.errors or problem or (began and began.errors) else 200


def _began_form(one: queries.ChangeRow, sent: BeganForm | None) -> BeganForm:
    if sent is not None and sent.change.data == one.change.id:
        return sent
    return BeganForm(
        formdata=None,
        prefix="",
        data={"change": one.change.id, "began_on": one.began_on, "source": one.source},
    )


def _shown(row: queries.Row, book: queries.Book, begun: dict[str, date]) -> Shown:
    rule = row.rule
    checked = None
    if row.checked is not None:
        checked = gettext(
            "Checked %(day)s by %(name)s",
            day=day_words(row.checked.on),
            name=row.checked.by or str(NOT_KNOWN),
        )
    return Shown(
        key=service.row_key(rule),
        id=rule.id,
        title=text_of(rule.title),
        text=text_of(rule.text),
        value=value_words(rule),
        span=span_words(rule, [one.change for one in book.changes], begun),
        only_if=None if rule.only_if is None else str(SAID.get(rule.only_if, rule.only_if)),
        key_date=label(rule.key_date),
        source=rule.source,
        sure=rule.confidence is Confidence.SURE,
        checked=checked,
        due=row.due,
        review=None if rule.review_by is None else day_words(rule.review_by),
    )


# Recognition


@dataclass(frozen=True, slots=True)
class Outcome:
    """One test of a claim as the page draws it. result: "done", "error" or "unknown"."""

    title: str
    asks: str
    reading: str
    needed: str
    result: str
    word: str
    source: str


@bp.get("/ballots/recognition")
@requires(Permission.PLACE_READ)
def recognition(scope: Scope) -> Any:
    """Hold the counts of a recognition claim against the rules of a day."""
    books = {
        code: book
        for code, book in rule_books().items()
        if any(rule.subject is Subject.RECOGNITION and rule.threshold for rule in book.rules)
    }
    form = RecognitionForm(formdata=request.args if request.args else None)
    form.offer(books, text_of)
    if not request.args:
        form.on.data = my_today()
    status = 200 if not request.args or form.validate() else 422
    book = form.chosen(books)
    on = form.on.data or my_today()
    said = [one for one in request.args.getlist("said") if one in _SAID_OF_CLAIMS]
    with unit_of_work(scope, read_only=True) as session:
        begun = begun_changes(session, scope)
        checks = checks_of_rows(session, scope)
    days = {KeyDate.APPLICATION: on, KeyDate.REQUEST: on, KeyDate.BALLOT_OPENING: on}
    found = outcomes_of_numbers(
        book,
        form.numbers() if status == 200 else {},
        days,
        subject=Subject.RECOGNITION,
        said=said,
        begun=begun,
    )
    page = render_template(
        "law/recognition.html",
        form=form,
        name=text_of(book.name),
        on=on,
        said=[
            (one, str(SAID[one]), one in said)
            for one in _SAID_OF_CLAIMS
            if any(rule.only_if == one for rule in book.rules)
        ],
        outcomes=[_outcome(one) for one in found],
        periods=[
            (text_of(rule.title), text_of(rule.text), value_words(rule))
            for rule in book.all_in_force(days, subject=Subject.RECOGNITION, begun=begun, said=said)
            if rule.threshold is None
        ],
        unchecked=sum(check_of(one.rule, checks) is None for one in found),
        rules_url=url_for("law.rules", law=book.code),
        ballots_url=address_of("ballots.index"),
    )
    return page, status


def _outcome(one: RuleOutcome) -> Outcome:
    threshold = one.rule.threshold
    if threshold is None:
        raise ValueError(f"{one.rule.id} is not a test.")
    if one.share is None:
        reading = gettext("A number is missing.")
    else:
        reading = gettext(
            "%(part)s of %(whole)s: %(share)s.",
            part=people(one.numerator),
            whole=people(one.denominator),
            share=percent(float(one.share), 1),
        )
    needed = ""
    if one.needed is not None:
        needed = gettext(
            "Needed: %(count)s (%(what)s).",
            count=people(one.needed),
            what=counted_words(threshold.numerator),
        )
        if one.short_by:
            short = ngettext("%(num)s more.", "%(num)s more.", one.short_by)
            needed = f"{needed} {short}"
    kinds = {
        True: ("done", gettext("Met")),
        False: ("error", gettext("Not met")),
        None: ("unknown", gettext("Not known")),
    }
    result, word = kinds[one.passed]
    return Outcome(
        title=text_of(one.rule.title),
        asks=threshold_words(threshold),
        reading=reading,
        needed=needed,
        result=result,
        word=word,
        source=one.rule.source,
    )
