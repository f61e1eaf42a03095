"""Pages about ties: adding one, who leads, taking it off, and how far leaders reach."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.cover import FoundBy, NobodyListens, NotConfirmed, TieBasis
from crm.domain.errors import EditConflict, NotFound, Refusal
from crm.domain.vocabulary import GroupKind
from crm.features.ties import forms, queries, service
from crm.reads.people import PeoplePage, list_people
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.forms import chosen_id
from crm.web.guard import my_today, requires
from crm.web.pages import address_of

bp = Blueprint("ties", __name__)

# People to tick on one page; more are found by name.
OFFERED = 40
# Names in one list of the page of leaders; the wall chart has the rest.
NAMES_SHOWN = 60
_FIELD_OF: dict[type[Refusal], str] = {
    service.DayNotYet: "day",
    service.Themselves: "people",
    service.TellerNotFound: "teller",
    service.TellerUnclear: "teller",
    NotConfirmed: "people",
    NobodyListens: "people",
}


def install(app: Flask) -> None:
    """Register the pages of this feature."""
    app.register_blueprint(bp)


@bp.get("/places/<uuid:place_id>/leaders")
@requires(Permission.CONTACT_READ)
def cover(scope: Scope, place_id: UUID) -> str:
    """Show the leaders of a workplace by area and shift, and whom none of them reaches."""
    with unit_of_work(scope, read_only=True) as session:
        found = queries.get_cover(session, scope, place_id, as_at=my_today())
    return render_template(
        "ties/cover.html",
        found=found,
        person_url=_person,
        # The names behind every leader would weigh more than the page: the wall has them.
        with_names=sum(len(one.followers) for one in found.leaders) <= NAMES_SHOWN,
        leaders=found.leaders[:NAMES_SHOWN],
        uncovered=found.uncovered[:NAMES_SHOWN],
        wall_url=address_of("wallchart.show", place_id=place_id),
        sheet_url=address_of("sheets.new", place=place_id, by="leader")
        if scope.may(Permission.CONVERSATION_WRITE)
        else None,
        place_url=address_of("workplaces.show", place_id=place_id),
    )


@bp.route("/people/<uuid:contact_id>/ties/new", methods=["GET", "POST"])
@requires(Permission.CONTACT_WRITE)
def add(scope: Scope, contact_id: UUID) -> Any:
    """Write down whom somebody listens to; with ``way=from``, who listens to them."""
    to_them = request.args.get("way") != "from"
    text = request.args.get("q", "")[:80]
    today = my_today()
    with unit_of_work(scope, read_only=True) as session:
        subject = queries.get_subject(session, scope, contact_id, _workplace(), today=today)
        people = list_people(
            session,
            scope,
            as_at=today,
            text=text,
            place=subject.site.workplace_id,
            limit=OFFERED,
            permission=Permission.CONTACT_WRITE,
        )
    form = forms.TieForm()
    form.people.offer(
        (row.public_id, f"{row.name} · {row.area_name}" if row.area_name else row.name)
        for row in people.rows
        if row.public_id != contact_id
    )
    if request.method == "GET":
        form.day.data = today
    elif form.validate():
        made: list[int] = []

        def _add(session: Any) -> None:
            made.append(
                service.add_ties(
                    session,
                    scope,
                    contact_id,
                    subject.site.workplace_id,
                    form.people.chosen(),
                    service.Saying(TieBasis(form.basis.data), form.text("teller"), form.day.data),
                    to_them=to_them,
                    today=today,
                    now=clock.now(),
                )
            )

        if _done(scope, form, _add):
            flash(_("Saved.") if made[0] else _("This was written down already."), "done")
            return _back(contact_id)
    return _page(
        form,
        subject,
        title=_("Whom does %(name)s listen to?", name=subject.name)
        if to_them
        else _("Who listens to %(name)s?", name=subject.name),
        template="ties/add.html",
        text=text,
        more=_more(people),
        way=None if to_them else "from",
        find=forms.FindForm(formdata=None, data={"q": text}),
    )


@bp.route("/people/<uuid:contact_id>/leader", methods=["GET", "POST"])
@requires(Permission.CONTACT_WRITE)
def lead(scope: Scope, contact_id: UUID) -> Any:
    """Write down that somebody is a leader."""
    today = my_today()
    subject = _subject(scope, contact_id)
    form = forms.LeaderForm()
    if request.method == "GET":
        form.day.data = today
    elif form.validate() and _done(
        scope,
        form,
        lambda session: service.mark_leader(
            session,
            scope,
            contact_id,
            subject.site.workplace_id,
            FoundBy(form.found_by.data),
            day=form.day.data,
            today=today,
            now=clock.now(),
        ),
    ):
        flash(_("Saved."), "done")
        return _back(contact_id)
    return _page(
        form,
        subject,
        title=_("%(name)s is a leader", name=subject.name),
        lede=_(
            "A leader is somebody whom others follow. It does not matter whether they are for "
            "the union."
        ),
        fields=[form.found_by, form.day],
    )


@bp.route("/people/<uuid:contact_id>/leader/confirm", methods=["GET", "POST"])
@requires(Permission.CONTACT_WRITE)
def confirm(scope: Scope, contact_id: UUID) -> Any:
    """Write down the action that shows that people follow a leader."""
    today = my_today()
    subject = _subject(scope, contact_id)
    if not subject.site.whole:
        raise NotFound(f"whole workplace {subject.site.workplace_id}")
    form = forms.ConfirmForm()
    listeners = {one.person_id: one.name for one in subject.site.listened_by}
    form.people.offer(listeners.items())
    if request.method == "GET":
        form.day.data = today
    elif form.validate() and _done(
        scope,
        form,
        lambda session: service.confirm_leader(
            session,
            scope,
            contact_id,
            subject.site.workplace_id,
            action=form.text("action") or "",
            action_on=form.day.data,
            acted=form.people.chosen(),
            today=today,
            now=clock.now(),
        ),
    ):
        flash(_("Saved."), "done")
        return _back(contact_id)
    return _page(
        form,
        subject,
        title=_("Confirm that people follow %(name)s", name=subject.name),
        lede=_(
            "A leader is confirmed when at least 7 of 10 who listen to them did what they asked. "
            "Whoever you could not reach counts as not taking part."
        )
        if listeners
        else _(
            "Nobody is written down yet who listens to them. "
            "First write down who does, then confirm."
        ),
        fields=[form.action, form.day, form.people] if listeners else [],
    )


@bp.route("/ties/<uuid:tie_id>/end", methods=["GET", "POST"])
@requires(Permission.CONTACT_WRITE)
def end(scope: Scope, tie_id: UUID) -> Any:
    """Take a tie off."""
    with unit_of_work(scope, read_only=True) as session:
        fact = queries.get_tie(session, scope, tie_id)
    title = _("%(name)s listens to %(other)s", name=fact.of, other=fact.other)
    return _take_off(scope, fact, title, service.take_off_tie, tie_id)


@bp.route("/leading/<uuid:leading_id>/end", methods=["GET", "POST"])
@requires(Permission.CONTACT_WRITE)
def end_leading(scope: Scope, leading_id: UUID) -> Any:
    """Say that somebody leads no longer, or never did."""
    with unit_of_work(scope, read_only=True) as session:
        fact = queries.get_leading(session, scope, leading_id)
    title = _("%(name)s is a leader", name=fact.of)
    return _take_off(scope, fact, title, service.take_off_leading, leading_id)


@bp.route("/places/<uuid:place_id>/groups", methods=["GET", "POST"])
@requires(Permission.CONTACT_WRITE)
def groups(scope: Scope, place_id: UUID) -> Any:
    """Show the groups of a workplace; add one."""
    form = forms.GroupForm()
    made: list[UUID] = []
    if form.validate_on_submit() and _done(
        scope,
        form,
        lambda session: made.append(
            service.add_group(
                session,
                scope,
                place_id,
                form.text("name") or "",
                GroupKind(form.kind.data),
                need_to_know=form.need_to_know.data,
                now=clock.now(),
            )
        ),
    ):
        flash(_("Saved."), "done")
        return redirect(url_for("ties.group", group_id=made[0]), 303)
    with unit_of_work(scope, read_only=True) as session:
        found = queries.list_groups(session, scope, place_id, today=my_today())
    page = render_template("ties/groups.html", found=found, form=form, place_id=place_id)
    return page, 422 if form.errors or form.form_errors else 200


@bp.route("/groups/<uuid:group_id>", methods=["GET", "POST"])
@requires(Permission.CONTACT_WRITE)
def group(scope: Scope, group_id: UUID) -> Any:
    """Show who is in a group; put people in."""
    today = my_today()
    text = request.args.get("q", "")[:80]
    form = forms.MembersForm()
    if form.validate_on_submit() and _done(
        scope,
        form,
        lambda session: service.add_members(
            session, scope, group_id, form.people.chosen(), today=today, now=clock.now()
        ),
    ):
        flash(_("Saved."), "done")
        return redirect(url_for("ties.group", group_id=group_id), 303)
    with unit_of_work(scope, read_only=True) as session:
        found = queries.get_group(session, scope, group_id, today=today)
        people = list_people(
            session,
            scope,
            as_at=today,
            text=text,
            place=found.workplace_id,
            limit=OFFERED,
            permission=Permission.CONTACT_WRITE,
        )
    inside = {one.person_id for one in found.people}
    form.people.offer(
        (row.public_id, f"{row.name} · {row.area_name}" if row.area_name else row.name)
        for row in people.rows
        if row.public_id not in inside
    )
    page = render_template(
        "ties/group.html",
        found=found,
        form=form,
        group_id=group_id,
        person_url=_person,
        text=text,
        more=_more(people),
        find=forms.FindForm(formdata=None, data={"q": text}),
    )
    return page, 422 if form.errors or form.form_errors else 200


@bp.route("/groups/<uuid:group_id>/name", methods=["GET", "POST"])
@requires(Permission.CONTACT_WRITE)
def rename_group(scope: Scope, group_id: UUID) -> Any:
    """Give a group another name. Of two who do so at once, the later one sees both names."""
    with unit_of_work(scope, read_only=True) as session:
        found = queries.get_group(session, scope, group_id, today=my_today())
    form = forms.RenameForm()
    stored: str | None = None
    if request.method == "GET":
        form.version.data, form.name.data = found.version, found.name
    elif form.validate():
        try:
            with unit_of_work(scope) as session:
                service.rename_group(
                    session,
                    scope,
                    group_id,
                    form.text("name") or "",
                    version=form.version.data or 0,
                )
        except EditConflict as conflict:
            form.refuse(conflict)
            # Saving again, with this version, is a choice made with both in sight.
            form.version.data, form.version.raw_data = conflict.current["version"], None
            stored = str(conflict.current["name"])
        except Refusal as refusal:
            form.refuse(refusal, "name")
        else:
            flash(_("Saved."), "done")
            return redirect(url_for("ties.group", group_id=group_id), 303)
    page = render_template(
        "ties/rename.html",
        form=form,
        found=found,
        stored=stored,
        cancel=url_for("ties.group", group_id=group_id),
    )
    return page, 409 if stored else 422 if form.errors or form.form_errors else 200


@bp.post("/groups/<uuid:group_id>/close")
@requires(Permission.CONTACT_WRITE)
def close_group(scope: Scope, group_id: UUID) -> Any:
    """Say that a group is no more."""
    with unit_of_work(scope) as session:
        service.close_group(session, scope, group_id, today=my_today())
    flash(_("The group has ended."), "done")
    return redirect(url_for("ties.group", group_id=group_id), 303)


@bp.route("/groups/members/<uuid:member_id>/end", methods=["GET", "POST"])
@requires(Permission.CONTACT_WRITE)
def take_out(scope: Scope, member_id: UUID) -> Any:
    """Take somebody out of a group."""
    with unit_of_work(scope, read_only=True) as session:
        fact, group_id = queries.get_member(session, scope, member_id)
    title = _("%(name)s is in %(other)s", name=fact.of, other=fact.other)
    back = url_for("ties.group", group_id=group_id)
    return _take_off(scope, fact, title, service.take_out, member_id, back=back)


def _take_off(
    scope: Scope,
    fact: queries.Fact,
    title: str,
    act: Callable[..., object],
    public_id: UUID,
    *,
    back: str | None = None,
) -> Any:
    form = forms.TakeOffForm()
    if form.validate_on_submit() and _done(
        scope,
        form,
        lambda session: act(
            session,
            scope,
            public_id,
            wrong=form.how.data == "wrong",
            today=my_today(),
            now=clock.now(),
        ),
    ):
        flash(_("Saved."), "done")
        return redirect(back, 303) if back else _back(fact.of_id)
    page = render_template(
        "ties/form.html",
        form=form,
        title=_("Take this off: %(what)s", what=title),
        lede=None,
        fields=[form.how],
        name=fact.of,
        back_url=back or _person(fact.of_id),
        action=request.path,
        submit=_("Take it off"),
    )
    return page, 422 if form.errors or form.form_errors else 200


def _workplace() -> UUID | None:
    return chosen_id(request.args.get("at"))


def _subject(scope: Scope, contact_id: UUID) -> queries.Subject:
    with unit_of_work(scope, read_only=True) as session:
        return queries.get_subject(session, scope, contact_id, _workplace(), today=my_today())


def _done(scope: Scope, form: Any, work: Callable[[Any], object]) -> bool:
    """Do the work in one unit; put a refusal into the form. Return whether it was done."""
    try:
        with unit_of_work(scope) as session:
            work(session)
    except Refusal as refusal:
        form.refuse(refusal, _FIELD_OF.get(type(refusal)))
        return False
    return True


def _person(public_id: UUID) -> str | None:
    return address_of("contacts.show", contact_id=public_id, _anchor="ties")


def _back(contact_id: UUID) -> Any:
    return redirect(_person(contact_id) or url_for("today.show"), 303)


def _more(people: PeoplePage) -> str | None:
    if people.total <= len(people.rows):
        return None
    words: str = ngettext(
        "%(count)s of %(num)s person is shown. Write part of a name to find others.",
        "%(count)s of %(num)s people are shown. Write part of a name to find others.",
        people.total,
        count=len(people.rows),
    )
    return words


def _page(
    form: Any,
    subject: queries.Subject,
    *,
    title: str,
    template: str = "ties/form.html",
    lede: str | None = None,
    **more: Any,
) -> Any:
    values: dict[str, Any] = {
        "at": request.args.get("at"),
        "way": more.get("way"),
        "q": more.get("text") or None,
    }
    page = render_template(
        template,
        form=form,
        title=title,
        lede=lede or subject.site.workplace,
        name=subject.name,
        back_url=_person(subject.public_id),
        action=url_for(
            request.endpoint or "",
            contact_id=subject.public_id,
            **values,
        ),
        submit=_("Save"),
        **more,
    )
    return page, 422 if form.errors or form.form_errors else 200
