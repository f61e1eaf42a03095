"""The wall chart, the same as a table, for a meeting and on paper; and talk lists from its gaps."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext, ngettext

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import NotFound, Refusal
from crm.domain.sheet import LINES, MOST_SHEETS
from crm.domain.wallchart import Gap, OnTheWall, has_gap, short_names
from crm.features.wallchart import forms, queries, service, wording
from crm.features.wallchart.queries import GroupBy, Wall
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.expiry import expiry_rule
from crm.web.forms import Form, chosen_id
from crm.web.guard import my_today, requires
from crm.web.pages import address_of

bp = Blueprint("wallchart", __name__)

ROWS_A_PAGE = 500
# How far back the slider goes.
SLIDER_WEEKS = 104
_DUE_IN = timedelta(days=7)
_EACH = 10
_SHORT = re.compile(r"[0-9a-f]{1,32}")
_GROUPS: dict[GroupBy, Any] = {
    GroupBy.AREA: lazy_gettext("Area"),
    GroupBy.SHIFT: lazy_gettext("Shift"),
    GroupBy.JOB: lazy_gettext("Job"),
    GroupBy.EMPLOYER: lazy_gettext("Employer"),
    GroupBy.LEADER: lazy_gettext("Leader"),
}
_FIELD_OF: dict[type[Refusal], str] = {
    service.DueInThePast: "due_on",
    service.DueTooFarAhead: "due_on",
    service.NobodyToShareWith: "reps",
}


def install(app: Flask) -> None:
    """Register the pages of the wall chart."""
    app.register_blueprint(bp)


class _Links:
    """Addresses of this wall that keep what was chosen."""

    def __init__(self, place_id: UUID, kept: dict[str, str]) -> None:
        self.place_id = place_id
        self.kept = {name: value for name, value in kept.items() if value}

    def __call__(self, **changes: Any) -> str:
        """Return the address of the wall; what is not changed stays, an empty value leaves."""
        return self._here({**self.kept, **changes})

    def base(self, **changes: Any) -> str:
        """Return the address without the filters of people: for the lists behind the figures."""
        kept = {name: self.kept.get(name) for name in ("by", "own", "as_at")}
        return self._here({**kept, **changes})

    def _here(self, values: dict[str, Any]) -> str:
        # Only the query: a wall holds many such links, and each letter of them goes over the line.
        some = {name: value for name, value in values.items() if value}
        return f"?{urlencode(some)}" if some else request.path

    def to(self, endpoint: str, **values: Any) -> str:
        """Return an address of a page about this workplace."""
        some = {name: value for name, value in values.items() if value}
        return url_for(endpoint, place_id=self.place_id, **some)


@bp.get("/places/<uuid:place_id>/wall")
@requires(Permission.CONTACT_READ)
def show(scope: Scope, place_id: UUID) -> Any:
    """Show the wall chart; or, from a tile, go on to the person's log, page or move; or, from the
    squares of an area (``add``: letters of its key), to adding somebody there."""
    if "p" in request.args:
        return _go(scope, place_id, request.args["p"])
    if "add" in request.args:
        return _go_add(scope, place_id, request.args["add"])
    today = my_today()
    form = forms.WallForm(formdata=request.args)
    as_at = form.check(today)
    if form.as_at.data is None or form.as_at.errors:
        form.as_at.data = as_at
    by = _word(GroupBy, request.args.get("by")) or GroupBy.AREA
    own = chosen_id(request.args.get("own")) if by is GroupBy.OWN else None
    shown = wording.Shown(
        form.chosen("stands"), form.chosen("member"), form.chosen("issue"), form.chosen("leads")
    )
    if request.args.get("not_asked"):
        shown = wording.Shown("none", shown.member, shown.issue, shown.leads)
        form.stands.data = "none"
    with unit_of_work(scope, read_only=True) as session:
        wall = queries.get_wall(
            session,
            scope,
            place_id,
            as_at=as_at,
            by=by,
            own=own,
            issue=shown.issue or None,
            among=request.args.get("among", ""),
            expiry=expiry_rule(),
        )
    by = wall.by
    form.offer(wall)
    shown = replace(shown, among=wall.kept)
    links = _Links(
        place_id,
        {
            "by": "" if by is GroupBy.AREA else by.value,
            "own": str(wall.own_chosen.public_id) if wall.own_chosen else "",
            "as_at": "" if as_at == today else as_at.isoformat(),
            "stands": shown.stands,
            "member": shown.member,
            "issue": shown.issue,
            "leads": shown.leads,
            "among": wall.among,
        },
    )
    look = {"table": _table, "meeting": _meeting, "print": _paper}.get(
        request.args.get("view", ""), _screen
    )
    return look(wall, links, shown, form, today)


def _screen(
    wall: Wall, links: _Links, shown: wording.Shown, form: forms.WallForm, today: date
) -> str:
    on_today = wall.as_at == today
    return render_template(
        "wallchart/show.html",
        tests_drawn=wording.tests_drawn(wall, shown),
        **_common(wall, links, shown, fold=True),
        form=form,
        today=today,
        on_today=on_today,
        has_errors=bool(form.errors),
        tabs=[
            *(
                (
                    str(words),
                    links(by="" if by is GroupBy.AREA else by.value, own=""),
                    by is wall.by,
                )
                for by, words in _GROUPS.items()
            ),
            *(
                (one.name, links(by=GroupBy.OWN.value, own=one.public_id), one == wall.own_chosen)
                for one in wall.own
            ),
        ],
        kept={"by": links.kept.get("by", ""), "own": links.kept.get("own", "")},
        folded=len(wall.people) > wording.OPEN_UP_TO
        or len(wall.groups) > wording.COLUMNS_DRAWN_UP_TO,
        total=wording.figures(wall.sums, wall.headcount, links.base),
        gaps=wording.gaps(
            wall, address=links.base, talk_address=_talk_address(links) if wall.may_log else None
        )
        if on_today
        else None,
        weeks=SLIDER_WEEKS,
    )


def _common(
    wall: Wall, links: _Links, shown: wording.Shown, *, fold: bool = False
) -> dict[str, Any]:
    """Return what every drawing of the wall needs. fold: a large one draws a column at a time."""
    found = wording.columns(
        wall,
        short_names(person.public_id for person in wall.people),
        shown,
        address=links.base,
        add_address=_add_address(wall) if wall.may_add else None,
        open_address=links if fold else None,
        opened=request.args.get("open", ""),
    )
    kept = sum(shown.keeps(person) for person in wall.people)
    return {
        "wall": wall,
        "columns": found,
        "links": links,
        "filtered": not shown.everybody,
        "kept_count": kept,
        "place_url": address_of("workplaces.show", place_id=wall.public_id),
        "cover_url": address_of("ties.cover", place_id=wall.public_id),
    }


def _add_address(wall: Wall) -> Any:
    whole = address_of("contacts.add", workplace=wall.public_id)

    def _address(area: str = "") -> str | None:
        # The whole id of each area in each column would be a hundredth of the page.
        return f"?{urlencode({'add': area})}" if whole and area else whole

    return _address


def _go_add(scope: Scope, place_id: UUID, short: str) -> Any:
    """Go on from the squares of an area to adding somebody there."""
    with unit_of_work(scope, read_only=True) as session:
        area = queries.find_area(session, scope, place_id, short)
    return redirect(url_for("contacts.add", workplace=place_id, area=area), 303)


def _talk_address(links: _Links) -> Any:
    def _address(**values: Any) -> str:
        return links.to("wallchart.talk_list", **values)

    return _address


def _word(kind: type[Any], text: str | None) -> Any:
    return next((one for one in kind if one.value == text), None)


def _meeting(
    wall: Wall, links: _Links, shown: wording.Shown, form: forms.WallForm, today: date
) -> str:
    return render_template("wallchart/meeting.html", **_common(wall, links, shown))


def _paper(
    wall: Wall, links: _Links, shown: wording.Shown, form: forms.WallForm, today: date
) -> str:
    a3 = request.args.get("paper") == "a3"
    named = request.args.get("names") == "full"
    mark = hashlib.sha256(f"{wall.public_id}{wall.as_at}{wall.by}".encode()).hexdigest()[:4].upper()
    return render_template(
        "wallchart/print.html",
        **_common(wall, links, shown),
        a3=a3,
        named=named,
        mark=mark,
        total=wording.figures(wall.sums, wall.headcount, links.base),
        other_paper=links(view="print", paper="" if a3 else "a3", names="full" if named else ""),
        other_names=links(view="print", paper="a3" if a3 else "", names="" if named else "full"),
    )


def _table(
    wall: Wall, links: _Links, shown: wording.Shown, form: forms.WallForm, today: date
) -> str:
    asked = request.args.get("group", "")
    gap = _word(Gap, request.args.get("gap"))
    columns = {one.key: one for one in wall.groups}
    group = queries.find_by_key(columns, asked) if asked else None

    def _keeps(person: OnTheWall) -> bool:
        return shown.keeps(person) and (gap is None or has_gap(person, gap))

    groups = [
        (
            wording.group_title(one, wall.by, wall.own_chosen),
            list(filter(_keeps, one.all_here if group is not None else one.people)),
        )
        for one in ([group] if group is not None else wall.groups)
    ]
    shorts = short_names(person.public_id for person in wall.people)
    rows = wording.table_rows(groups, shorts, wall.as_at, expiry_rule())
    first = (_page(len(rows)) - 1) * ROWS_A_PAGE
    here = {**links.kept, "view": "table", "group": asked, "gap": gap.value if gap else ""}
    return render_template(
        "wallchart/table.html",
        wall=wall,
        links=links,
        rows=rows[first : first + ROWS_A_PAGE],
        people_count=len({person.key for _title, some in groups for person in some}),
        title=wording.gap_title(gap, groups[0][0] if group else None)
        if gap
        else (groups[0][0] if group else None),
        filtered=gap is not None or group is not None or not shown.everybody,
        column=wall.own_chosen.name if wall.own_chosen else str(_GROUPS[wall.by]),
        pages=_pages(links, here, first, len(rows)),
        place_url=address_of("workplaces.show", place_id=wall.public_id),
    )


def _page(total: int) -> int:
    number = request.args.get("page", 1, type=int)
    return min(max(number, 1), max(1, -(-total // ROWS_A_PAGE)))


def _pages(
    links: _Links, here: dict[str, str], first: int, total: int
) -> dict[str, str | None] | None:
    if total <= ROWS_A_PAGE:
        return None
    number = first // ROWS_A_PAGE + 1
    last = min(first + ROWS_A_PAGE, total)
    return {
        "previous": links(**here, page=number - 1) if number > 1 else None,
        "next": links(**here, page=number + 1) if last < total else None,
        "text": _("%(first)s to %(last)s of %(total)s", first=first + 1, last=last, total=total),
    }


# The names of the buttons of a tile are one letter: there are hundreds of tiles on a wall.
_BUTTONS = (("o", "open"), ("m", "move"))


def _go(scope: Scope, place_id: UUID, short: str) -> Any:
    """Go on from a tile to the log, to the person, or to the move of their job."""
    if not _SHORT.fullmatch(short):
        raise NotFound(f"somebody {short!r}")
    with unit_of_work(scope, read_only=True) as session:
        name, found = queries.find_people(session, scope, place_id, short, today=my_today())
    named = next((act for key, act in _BUTTONS if key in request.args), "log")
    act = request.args.get("do", named)
    if len(found) == 1:
        return redirect(_address_of(found[0], act, place_id), 303)
    # Two people whose ids start alike: the reader says which of them was meant.
    return render_template(
        "wallchart/which.html",
        place_name=name,
        place_id=place_id,
        people=[{"name": one.name, "url": _address_of(one, act, place_id)} for one in found],
    )


def _address_of(person: queries.Found, act: str, place_id: UUID) -> str:
    if act == "log":
        return url_for(
            "conversations.log", contact_id=person.public_id, next="wall", place=place_id
        )
    if act == "move" and len(person.job_ids) == 1:
        return url_for("contacts.job_move", contact_id=person.public_id, job_id=person.job_ids[0])
    return url_for("contacts.show", contact_id=person.public_id)


@bp.route("/places/<uuid:place_id>/talk-list", methods=["GET", "POST"])
@requires(Permission.CONVERSATION_WRITE)
def talk_list(scope: Scope, place_id: UUID) -> Any:
    """Share the people of a gap between some reps, as follow-ups."""
    gap = _word(Gap, request.args.get("gap")) or Gap.NOT_ASKED
    group = request.args.get("group") or None
    today = my_today()
    with unit_of_work(scope, read_only=True) as session:
        found = queries.get_gap(
            session, scope, place_id, gap, group=group, today=today, expiry=expiry_rule()
        )
        speakers = queries.list_speakers(session, scope, found.workplace_id, today=today)
    form = forms.TalkListForm()
    form.offer((one.public_id, _speaker_name(one)) for one in speakers)
    if request.method == "POST" and form.validate():
        try:
            with unit_of_work(scope) as session:
                shared = service.share_gap(
                    session,
                    scope,
                    place_id,
                    gap,
                    group=group,
                    owners=form.chosen(),
                    each=form.each.data or _EACH,
                    due_on=form.due_on.data,
                    what=wording.gap_task(gap),
                    now=clock.now(),
                    today=today,
                    expiry=expiry_rule(),
                )
        except Refusal as refusal:
            form.refuse(refusal, _FIELD_OF.get(type(refusal)))
        else:
            _say(shared)
            return redirect(url_for("wallchart.made_list", talk_list_id=shared.list_id), 303)
    elif request.method == "GET":
        form.each.data = _EACH
        form.due_on.data = today + _DUE_IN
    page = render_template(
        "wallchart/talk_list.html",
        form=form,
        gap=gap,
        found=found,
        title=wording.gap_title(gap, _group_label(found, group)),
        task=wording.gap_task(gap),
        today=today,
        wall_url=url_for("wallchart.show", place_id=place_id),
        action=url_for("wallchart.talk_list", place_id=place_id, gap=gap.value, group=group),
        speakers=speakers,
        sheet_url=address_of("sheets.new") if len(found.people) <= LINES * MOST_SHEETS else None,
    )
    return page, 422 if form.errors or form.form_errors else 200


@bp.get("/talk-lists/<uuid:talk_list_id>")
@requires(Permission.CONVERSATION_WRITE)
def made_list(scope: Scope, talk_list_id: UUID) -> Any:
    """Show a talk list to whoever made it: who is to speak to whom, and the way to undo it."""
    with unit_of_work(scope, read_only=True) as session:
        made = queries.get_talk_list(session, scope, talk_list_id)
    return _made_page(made, Form()), 200


@bp.post("/talk-lists/<uuid:talk_list_id>/undo")
@requires(Permission.CONVERSATION_WRITE)
def undo_list(scope: Scope, talk_list_id: UUID) -> Any:
    """Take back what nobody has acted on of a talk list."""
    form = Form()
    with unit_of_work(scope, read_only=True) as session:
        made = queries.get_talk_list(session, scope, talk_list_id)
    if form.validate():
        try:
            with unit_of_work(scope) as session:
                undone = service.undo_list(session, scope, talk_list_id, now=clock.now())
        except Refusal as refusal:
            form.refuse(refusal)
        else:
            _say_undone(undone)
            return redirect(url_for("wallchart.made_list", talk_list_id=talk_list_id), 303)
    return _made_page(made, form), 422


def _made_page(made: queries.MadeList, form: Form) -> str:
    return render_template(
        "wallchart/made_list.html",
        made=made,
        form=form,
        wall_url=url_for("wallchart.show", place_id=made.place_id),
        person_url=lambda row: url_for("contacts.show", contact_id=row.person_id),
        sheet_url=address_of("sheets.new"),
        undo_url=url_for("wallchart.undo_list", talk_list_id=made.public_id),
    )


def _say_undone(undone: service.Undone) -> None:
    flash(
        ngettext(
            "Undone: %(num)s person taken off the list.",
            "Undone: %(num)s people taken off the list.",
            undone.taken_back,
        ),
        "done",
    )
    if undone.left:
        flash(
            ngettext(
                "%(num)s person stays: something was done since. See below.",
                "%(num)s people stay: something was done since. See below.",
                undone.left,
            ),
            "warning",
        )


def _group_label(found: queries.OpenGap, group: str | None) -> str | None:
    if group is None or found.group_label is not None:
        return found.group_label
    return str(_("Area not known"))


def _speaker_name(one: queries.Speaker) -> str:
    if one.whole:
        return one.name
    return str(_("%(name)s (holds a part of it)", name=one.name))


def _say(shared: service.Shared) -> None:
    names: Sequence[str] = [f"{name} {count}" for name, count in shared.by_name]
    words = ngettext(
        "Talk list made: %(num)s person. %(names)s.",
        "Talk list made: %(num)s people. %(names)s.",
        shared.people,
        names=", ".join(names),
    )
    flash(words, "done")
    if shared.too_many:
        flash(
            ngettext(
                "%(num)s more person is left. Make another list for them.",
                "%(num)s more people are left. Make another list for them.",
                shared.too_many,
            ),
            "warning",
        )
    if shared.left_out:
        flash(
            ngettext(
                "%(num)s person is left out: nobody you chose holds their area.",
                "%(num)s people are left out: nobody you chose holds their area.",
                shared.left_out,
            ),
            "warning",
        )
