"""The list of voters, and what people tell us while voting is open."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date
from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l

from crm.access.merging import living
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.ballot_days import Pace, Stage
from crm.domain.entitled import Missing
from crm.domain.errors import NotFound, Refusal
from crm.domain.vocabulary import NotEntitled, VoteWord
from crm.features.voting import queries, service
from crm.features.voting.forms import LeaveOutForm, ListForm
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.errors import sentence
from crm.web.expiry import expiry_rule
from crm.web.filters import chance_text, people, percent
from crm.web.guard import my_today, requires
from crm.web.labels import label
from crm.web.pages import address_of
from crm.web.taps import UUID_IN_PATH, About, KeptList, Kind, OnList, Over, Tap, offer

bp = Blueprint("voting", __name__)

PAGE = 50
_SHOWN = ("to_find", "entitled", "left_out")
MISSING: dict[Missing, Any] = {
    Missing.ADDRESS: lambda number: ngettext(
        "%(num)s has no home address", "%(num)s have no home address", number
    ),
    Missing.CATEGORY: lambda number: ngettext(
        "%(num)s has no job title", "%(num)s have no job title", number
    ),
    Missing.EMPLOYER: lambda number: ngettext(
        "of %(num)s nobody noted who pays the wages",
        "of %(num)s nobody noted who pays the wages",
        number,
    ),
}


def install(app: Flask) -> None:
    """Register the pages of this feature."""
    app.register_blueprint(bp)
    offer(
        app,
        Kind(
            name="ballots",
            address=re.compile(f"/ballots/{UUID_IN_PATH}/votes/{UUID_IN_PATH}"),
            lists=_lists_to_keep,
            take=_take_tap,
            about=_about_tap,
            # What a vote is told of is erased at the end: nothing of it waits on the server.
            keeps=False,
        ),
    )


@bp.get("/ballots/<uuid:ballot_id>/voters")
@requires(Permission.BALLOT_WRITE)
def voters(scope: Scope, ballot_id: UUID) -> Any:
    """Show who may vote, who may not and why, and what is still to be found out."""
    return _list_page(scope, ballot_id, ListForm(formdata=None, data={"day": my_today()}))


@bp.post("/ballots/<uuid:ballot_id>/voters")
@requires(Permission.BALLOT_WRITE)
def make_list(scope: Scope, ballot_id: UUID) -> Any:
    """Store the list of voters as records stand for a day."""
    form = ListForm()
    if not form.validate():
        return _list_page(scope, ballot_id, form, 422)
    try:
        with unit_of_work(scope) as session:
            number = service.make_list(
                session,
                scope,
                ballot_id,
                day=form.day.data,
                now=clock.now(),
                today=my_today(),
            )
    except Refusal as refusal:
        form.refuse(refusal, "day")
        return _list_page(scope, ballot_id, form, 422)
    flash(
        ngettext(
            "The list is made: %(num)s may vote.", "The list is made: %(num)s may vote.", number
        ),
        "done",
    )
    return redirect(url_for("voting.voters", ballot_id=ballot_id), 303)


@bp.post("/ballots/<uuid:ballot_id>/voters/forget")
@requires(Permission.BALLOT_WRITE)
def take_list_back(scope: Scope, ballot_id: UUID) -> Any:
    """Forget the list of voters and what people told us."""
    try:
        with unit_of_work(scope) as session:
            service.take_list_back(session, scope, ballot_id)
    except Refusal as refusal:
        flash(sentence(refusal), "error")
    else:
        flash(gettext("The list of voters is taken back."), "done")
    return redirect(url_for("voting.voters", ballot_id=ballot_id), 303)


def _list_page(scope: Scope, ballot_id: UUID, form: ListForm, status: int = 200) -> Any:
    with unit_of_work(scope, read_only=True) as session:
        found = queries.get_list(session, scope, ballot_id, today=my_today())
    show = request.args.get("show", "")
    show = show if show in _SHOWN else "to_find"
    rows = {
        "to_find": [one for one in found.voters if one.missing]
        + [one for one in found.voters if one.left_out is NotEntitled.NOT_KNOWN_TO_BE_A_MEMBER],
        "entitled": found.entitled,
        "left_out": [one for one in found.voters if one.left_out is not None],
    }
    page = min(max(request.args.get("page", 1, type=int) or 1, 1), 10_000)
    first = (page - 1) * PAGE
    chosen = rows[show][first : first + PAGE]
    parts = {part.id: part for part in found.ballot.parts}
    named = {
        key: sum(one.part_id == key and one.left_out is None for one in found.voters)
        for key in parts
    }
    over = found.ballot.stage(my_today()) in (Stage.DECLARED, Stage.CALLED_OFF)
    html = render_template(
        "voting/voters.html",
        form=form,
        found=found,
        ballot=found.ballot,
        over=over,
        reasons=[(label(reason), number) for reason, number in found.reasons().items()],
        lacking=[str(MISSING[what](number)) for what, number in found.lacking().items()],
        tabs=[
            (
                word,
                len(rows[name]),
                url_for("voting.voters", ballot_id=ballot_id, show=name),
                name == show,
            )
            for name, word in (
                ("to_find", gettext("To find out")),
                ("entitled", gettext("May vote")),
                ("left_out", gettext("No vote")),
            )
        ],
        rows=[
            {
                "name": one.name,
                "url": address_of("contacts.show", contact_id=one.contact_public_id),
                "more": " · ".join(
                    [
                        one.place_name,
                        one.category or gettext("job title not known"),
                        *([label(one.left_out)] if one.left_out else []),
                        *(label(what) for what in one.missing),
                    ]
                ),
                "change": url_for(
                    "voting.leave_out", ballot_id=ballot_id, contact_id=one.contact_public_id
                )
                if one.left_out in (None, *service.LEFT_OUT_BY_HAND)
                else None,
            }
            for one in chosen
        ],
        first=first + 1,
        last=first + len(chosen),
        total=len(rows[show]),
        earlier=url_for("voting.voters", ballot_id=ballot_id, show=show, page=page - 1)
        if page > 1
        else None,
        later=url_for("voting.voters", ballot_id=ballot_id, show=show, page=page + 1)
        if first + PAGE < len(rows[show])
        else None,
        parts=[
            (part.name, named[key], part.stated_members, found.on_record.get(part.place_id))
            for key, part in parts.items()
        ],
        workplaces_url=url_for("ballots.workplaces", ballot_id=ballot_id),
    )
    return html, status


@bp.route("/ballots/<uuid:ballot_id>/voters/<uuid:contact_id>", methods=["GET", "POST"])
@requires(Permission.BALLOT_WRITE)
def leave_out(scope: Scope, ballot_id: UUID, contact_id: UUID) -> Any:
    """Leave somebody out of the list, or take them in again."""
    form = LeaveOutForm()
    today = my_today()
    if request.method == "POST" and form.validate():
        try:
            with unit_of_work(scope) as session:
                service.leave_out(
                    session,
                    scope,
                    ballot_id,
                    contact_id,
                    form.chosen(),
                    now=clock.now(),
                    day=today,
                )
        except Refusal as refusal:
            form.refuse(refusal, "reason")
        else:
            flash(gettext("Saved."), "done")
            return redirect(url_for("voting.voters", ballot_id=ballot_id, show="entitled"), 303)
    with unit_of_work(scope, read_only=True) as session:
        ballot, voter = queries.get_voter(session, scope, ballot_id, contact_id, today=today)
    if request.method == "GET":
        by_hand = voter.left_out if voter.left_out in service.LEFT_OUT_BY_HAND else None
        form = LeaveOutForm(formdata=None, data={"reason": by_hand.value if by_hand else ""})
    page = render_template("voting/leave_out.html", form=form, ballot=ballot, voter=voter)
    return page, 422 if form.errors else 200


# Bringing out the vote


@bp.get("/ballots/<uuid:ballot_id>/votes")
@requires(Permission.CONVERSATION_WRITE)
def votes(scope: Scope, ballot_id: UUID) -> Any:
    """Show who of the reader's places may vote and what they told us of it. Never how."""
    today = my_today()
    with unit_of_work(scope, read_only=True) as session:
        drive = queries.get_drive(session, scope, ballot_id, today=today, expiry=expiry_rule())
    stage = drive.ballot.stage(today)
    page = min(max(request.args.get("page", 1, type=int) or 1, 1), 10_000)
    first = (page - 1) * PAGE
    rows = drive.rows[first : first + PAGE]
    speed = drive.speed
    return render_template(
        "voting/votes.html",
        drive=drive,
        ballot=drive.ballot,
        as_at=today,
        can_note=stage in (Stage.OPEN, Stage.CLOSED),
        over=stage in (Stage.DECLARED, Stage.CALLED_OFF),
        said={one.value: drive.counts.get(one, 0) for one in VoteWord},
        silent=drive.counts.get(None, 0),
        words=[(one.value, label(one)) for one in VoteWord],
        rows=rows,
        person_url=lambda contact_id: address_of("contacts.show", contact_id=contact_id),
        page_number=page,
        first=first + 1,
        last=first + len(rows),
        earlier=url_for("voting.votes", ballot_id=ballot_id, page=page - 1) if page > 1 else None,
        later=url_for("voting.votes", ballot_id=ballot_id, page=page + 1)
        if first + PAGE < len(drive.rows)
        else None,
        turnout=None if speed is None else _turnout_words(speed),
        likely=None if speed is None else _likely_words(speed),
        speed=None if speed is None or speed.pace is None else _pace_words(speed.pace),
        columns=[{"label": words, "numeric": at > 0} for at, words in enumerate(_SPEED)],
        speeds=[_speed_row(one) for one in drive.speeds],
    )


_SPEED = (
    _l("Workplace"),
    _l("May vote"),
    _l("Told us that they voted"),
    _l("More are needed"),
    _l("A day"),
    _l("Turnout we may expect"),
    _l("Chance to reach the test"),
)


def _speed_row(one: queries.Speed) -> list[str | None]:
    """Return how votes come in at one workplace. A dash: nothing to say."""
    asked = one.pace
    if asked is None:
        needed, a_day = "–", "–"
    else:
        needed = people(asked.missing)
        a_day = "–" if asked.missing == 0 or asked.per_day is None else people(asked.per_day)
    return [
        one.name,
        people(one.entitled),
        people(one.voted),
        needed,
        a_day,
        _turnout_words(one, with_middle=False) or "–",
        _likely_words(one) or "–",
    ]


def _turnout_words(one: queries.Speed, *, with_middle: bool = True) -> str | None:
    if one.running is None:
        return None
    turnout = one.running.turnout
    low, high = percent(turnout.low), percent(turnout.high)
    if not with_middle:
        return str(gettext("%(low)s to %(high)s", low=low, high=high))
    return str(
        gettext(
            "%(low)s to %(high)s, in the middle %(median)s",
            low=low,
            high=high,
            median=percent(turnout.median),
        )
    )


def _likely_words(one: queries.Speed) -> str | None:
    return None if one.running is None or one.pace is None else chance_text(one.running.chance)


def _pace_words(speed: Pace) -> str:
    if speed.missing == 0:
        return str(gettext("Enough people told us that they voted. Some may be wrong: go on."))
    if speed.per_day is None:
        return str(
            gettext(
                "%(number)s more are needed, and no day is left to post.",
                number=people(speed.missing),
            )
        )
    return str(
        ngettext(
            "%(more)s more are needed: %(pace)s a day on the %(num)s day that is left to post.",
            "%(more)s more are needed: %(pace)s a day on the %(num)s days that are left to post.",
            speed.days_left,
            more=people(speed.missing),
            pace=people(speed.per_day),
        )
    )


@bp.post("/ballots/<uuid:ballot_id>/votes/<uuid:contact_id>")
@requires(Permission.CONVERSATION_WRITE)
def note(scope: Scope, ballot_id: UUID, contact_id: UUID) -> Any:
    """Note what one person told us of whether they vote, or of a new paper."""
    word, paper = request.form.get("said", ""), request.form.get("paper", "")
    offered = {one.value for one in VoteWord}
    back = redirect(
        url_for("voting.votes", ballot_id=ballot_id, page=request.args.get("page", 1, type=int))
        + f"#p-{contact_id}",
        303,
    )
    try:
        with unit_of_work(scope) as session:
            if word in offered or word == "nothing":
                service.note_told(
                    session,
                    scope,
                    ballot_id,
                    contact_id,
                    VoteWord(word) if word in offered else None,
                    today=my_today(),
                )
            elif paper in {one.value for one in service.Paper}:
                service.note_paper(
                    session,
                    scope,
                    ballot_id,
                    contact_id,
                    service.Paper(paper),
                    today=my_today(),
                )
            else:
                raise NotFound("nothing was chosen")
    except Refusal as refusal:
        flash(sentence(refusal), "error")
    return back


# Without signal


def _lists_to_keep(
    session: Any, scope: Scope, today: date, own: Collection[int], limit: int
) -> list[KeptList]:
    return [
        KeptList(
            url_for("voting.votes", ballot_id=ballot_id),
            name,
            [
                OnList(str(contact_id), contact_id, shown)
                for contact_id, shown in queries.voters_to_ask(
                    session, scope, ballot_id, own=own, limit=limit
                )
            ],
        )
        for ballot_id, name in queries.ballots_to_keep(session, scope, today=today)
    ]


def _take_tap(session: Any, scope: Scope, sent: Tap) -> None:
    """Note what was tapped without signal; once the ballot is over it is dropped, with a word."""
    ballot_id, known_as = sent.ids
    # The phone may know a record that was put into another since.
    contact_id = living(session, scope, known_as) or known_as
    word, paper = ("".join(sent.fields.get(name, [])) for name in ("said", "paper"))
    try:
        if word in {one.value for one in VoteWord}:
            service.note_told(
                session,
                scope,
                ballot_id,
                contact_id,
                VoteWord(word),
                today=sent.today,
                late=True,
            )
        elif paper in {one.value for one in service.Paper}:
            service.note_paper(
                session,
                scope,
                ballot_id,
                contact_id,
                service.Paper(paper),
                today=sent.today,
                late=True,
            )
        else:
            raise NotFound("nothing was chosen")
    except service.NotOpen as refusal:
        raise Over(
            gettext(
                "Voting is not open any more, so this tap is dropped. "
                "What people told us is erased when the result is declared."
            )
        ) from refusal


def _about_tap(session: Any, scope: Scope, sent: Tap) -> About:
    ballot_id, contact_id = sent.ids
    return About(url_for("voting.votes", ballot_id=ballot_id), "", contact_id)
