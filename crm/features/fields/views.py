"""Pages that make tags and fields, and the form for what they say of somebody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import EditConflict, NotFound, Refusal
from crm.domain.vocabulary import FieldKind, FieldSubject
from crm.features.fields import forms, queries, service
from crm.reads.places import Choice
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.filters import answer as answer_text
from crm.web.forms import chosen_id
from crm.web.guard import my_today, requires
from crm.web.labels import NOT_KNOWN
from crm.web.pages import address_of

bp = Blueprint("fields", __name__)

_FIELD_OF: dict[type[Refusal], str] = {
    service.NameNeeded: "name",
    service.NameTaken: "name",
    service.ChoicesNeeded: "options",
}


def install(app: Flask) -> None:
    """Register the pages of this feature."""
    app.register_blueprint(bp)


# --- Tags and fields --------------------------------------------------------------------------


@bp.get("/fields")
@requires(Permission.PLACE_WRITE)
def index(scope: Scope) -> str:
    """Show the tags and fields that the reader may change."""
    with unit_of_work(scope, read_only=True) as session:
        made = queries.list_definitions(session, scope)
        places = queries.places_to_define(session, scope)
    return render_template("fields/index.html", made=made, may_add=bool(places))


@bp.route("/fields/tags/new", methods=["GET", "POST"])
@requires(Permission.PLACE_WRITE)
def add_tag(scope: Scope) -> Any:
    """Make a tag."""
    form = forms.TagForm()
    form.offer(_places(scope))
    if _sent(
        scope,
        form,
        lambda session: service.add_tag(
            session,
            scope,
            form.place_id(),
            FieldSubject(form.subject.data),
            form.text("name") or "",
            now=clock.now(),
        ),
    ):
        return _to_index()
    return _form_page(form, _("Add a tag"), [form.name, form.subject, form.place])


@bp.route("/fields/new", methods=["GET", "POST"])
@requires(Permission.PLACE_WRITE)
def add_field(scope: Scope) -> Any:
    """Make a field."""
    form = forms.FieldForm()
    form.offer(_places(scope))
    if _sent(
        scope,
        form,
        lambda session: service.add_field(
            session,
            scope,
            form.place_id(),
            FieldSubject(form.subject.data),
            FieldKind(form.kind.data),
            form.text("name") or "",
            hint=form.text("hint"),
            choices=form.lines(),
            now=clock.now(),
        ),
    ):
        return _to_index()
    shown = [form.name, form.kind, form.options, form.hint, form.subject, form.place]
    return _form_page(form, _("Add a field"), shown)


@bp.route("/fields/tags/<uuid:tag_id>", methods=["GET", "POST"])
@requires(Permission.PLACE_WRITE)
def tag(scope: Scope, tag_id: UUID) -> Any:
    """Rename a tag."""
    with unit_of_work(scope, read_only=True) as session:
        one = queries.read_tag(session, scope, tag_id)
    form = forms.NameForm()
    if _sent(
        scope,
        form,
        lambda session: service.rename_tag(
            session, scope, tag_id, form.text("name") or "", version=_version(form)
        ),
        one,
    ):
        return _to_index()
    return _form_page(
        form,
        one.name,
        [form.name],
        one=one,
        retire_url=url_for("fields.retire_tag", tag_id=tag_id),
        retired=one.retired,
    )


@bp.route("/fields/<uuid:field_id>", methods=["GET", "POST"])
@requires(Permission.PLACE_WRITE)
def field(scope: Scope, field_id: UUID) -> Any:
    """Rename a field, and show its choices."""
    with unit_of_work(scope, read_only=True) as session:
        one = queries.read_field(session, scope, field_id)
    form = forms.FieldNameForm()
    if _sent(
        scope,
        form,
        lambda session: service.rename_field(
            session,
            scope,
            field_id,
            form.text("name") or "",
            hint=form.text("hint"),
            version=_version(form),
        ),
        one,
    ):
        return _to_index()
    return _field_page(one, form)


def _field_page(
    one: queries.Definition, form: Any, more: forms.ChoiceForm | None = None
) -> tuple[str, int]:
    return _form_page(
        form,
        one.name,
        [form.name, form.hint],
        one=one,
        more=(more or forms.ChoiceForm(formdata=None)) if one.kind is FieldKind.CHOICE else None,
        retire_url=url_for("fields.retire_field", field_id=one.public_id),
        retired=one.retired,
    )


@bp.post("/fields/<uuid:field_id>/choices")
@requires(Permission.PLACE_WRITE)
def add_choice(scope: Scope, field_id: UUID) -> Any:
    """Offer one more choice."""
    with unit_of_work(scope, read_only=True) as session:
        one = queries.read_field(session, scope, field_id)
    more = forms.ChoiceForm()
    if _sent(
        scope,
        more,
        lambda session: service.add_choice(session, scope, field_id, more.text("name") or ""),
    ):
        return redirect(url_for("fields.field", field_id=field_id), 303)
    form = forms.FieldNameForm(formdata=None)
    _fill(form, one)
    page, _status = _field_page(one, form, more)
    return page, 422


@bp.route("/fields/choices/<uuid:choice_id>", methods=["GET", "POST"])
@requires(Permission.PLACE_WRITE)
def choice(scope: Scope, choice_id: UUID) -> Any:
    """Rename a choice."""
    with unit_of_work(scope, read_only=True) as session:
        one, seen, version = queries.read_choice(session, scope, choice_id)
    form = forms.NameForm()
    if request.method == "GET":
        form.name.data = seen.name
        form.version.data = str(version)
    elif _sent(
        scope,
        form,
        lambda session: service.rename_choice(
            session, scope, choice_id, form.text("name") or "", version=_version(form)
        ),
    ):
        return redirect(url_for("fields.field", field_id=one.public_id), 303)
    return _form_page(
        form,
        _("Rename a choice"),
        [form.name],
        lede=one.name,
        cancel=url_for("fields.field", field_id=one.public_id),
        retire_url=url_for("fields.retire_choice", choice_id=choice_id),
        retired=seen.retired,
    )


@bp.post("/fields/tags/<uuid:tag_id>/retire")
@requires(Permission.PLACE_WRITE)
def retire_tag(scope: Scope, tag_id: UUID) -> Any:
    """Offer a tag no longer, or again."""
    with unit_of_work(scope) as session:
        service.retire_tag(session, scope, tag_id, _retired(), today=my_today())
    return _retired_now(url_for("fields.index"))


@bp.post("/fields/<uuid:field_id>/retire")
@requires(Permission.PLACE_WRITE)
def retire_field(scope: Scope, field_id: UUID) -> Any:
    """Ask a field no longer, or again."""
    with unit_of_work(scope) as session:
        service.retire_field(session, scope, field_id, _retired(), today=my_today())
    return _retired_now(url_for("fields.index"))


@bp.post("/fields/choices/<uuid:choice_id>/retire")
@requires(Permission.PLACE_WRITE)
def retire_choice(scope: Scope, choice_id: UUID) -> Any:
    """Offer a choice no longer, or again."""
    with unit_of_work(scope, read_only=True) as session:
        one, _seen, _number = queries.read_choice(session, scope, choice_id)
    with unit_of_work(scope) as session:
        service.retire_choice(session, scope, choice_id, _retired(), today=my_today())
    return _retired_now(url_for("fields.field", field_id=one.public_id))


def _retired() -> bool:
    return request.form.get("retired") != "no"


def _retired_now(back: str) -> Any:
    flash(_("Retired. What is written down stays.") if _retired() else _("In use again."), "done")
    return redirect(back, 303)


# --- What they say of somebody ----------------------------------------------------------------


@bp.route("/people/<uuid:contact_id>/fields", methods=["GET", "POST"])
@requires(Permission.CONTACT_WRITE)
def of_contact(scope: Scope, contact_id: UUID) -> Any:
    """Change the tags and answers about a person."""
    with unit_of_work(scope) as session:
        about = queries.read_of_contact(session, scope, contact_id, note=request.method == "GET")

    def _read_again() -> queries.About:
        # The other version is shown: that is a look.
        with unit_of_work(scope) as session:
            return queries.read_of_contact(session, scope, contact_id, note=True)

    return _answers(
        scope,
        about,
        lambda session, typed: service.set_of_contact(
            session, scope, contact_id, typed, now=clock.now()
        ),
        _read_again,
        back=address_of("contacts.show", contact_id=contact_id) or "/",
    )


@bp.route("/places/<uuid:place_id>/fields", methods=["GET", "POST"])
@requires(Permission.PLACE_WRITE)
def of_place(scope: Scope, place_id: UUID) -> Any:
    """Change the tags and answers about a workplace."""

    def _read() -> queries.About:
        with unit_of_work(scope, read_only=True) as session:
            return queries.read_of_place(session, scope, place_id)

    return _answers(
        scope,
        _read(),
        lambda session, typed: service.set_of_place(
            session, scope, place_id, typed, now=clock.now()
        ),
        _read,
        back=address_of("workplaces.show", place_id=place_id) or "/",
    )


def _answers(
    scope: Scope,
    about: queries.About,
    save: Callable[[Any, service.Typed], bool],
    read_again: Callable[[], queries.About],
    *,
    back: str,
) -> Any:
    form = forms.AnswersForm.of(about.extras)()
    status = 200
    both: list[tuple[str, str, str]] = []
    if request.method == "GET":
        form.fill()
    elif form.validate():
        typed = service.Typed(form.ticked(), form.answers, form.version.data or "")
        try:
            with unit_of_work(scope) as session:
                changed = save(session, typed)
        except EditConflict as conflict:
            form.refuse(conflict)
            # Saving again, with this mark, is a choice made with both in sight.
            form.version.data = str(conflict.current["mark"])
            both = _both(read_again(), conflict)
            status = 409
        else:
            flash(_("Saved.") if changed else _("Nothing was changed."), "done")
            return redirect(back, 303)
    else:
        status = 422
    return render_template(
        "fields/answers.html",
        form=form,
        fields=form.fields_shown(),
        name=about.name,
        both=both,
        back_url=back,
        make_url=url_for("fields.index") if scope.may(Permission.PLACE_WRITE) else None,
    ), status


def _both(now: queries.About, conflict: EditConflict) -> list[tuple[str, str, str]]:
    lines = [(_("Tags"), "tags"), *((one.name, str(one.public_id)) for one in now.extras.fields)]
    rows = [
        (name, _said(conflict.current.get(key)), _said(conflict.yours.get(key)))
        for name, key in lines
    ]
    return [row for row in rows if row[1] != row[2]]


def _said(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(value) or str(_("none"))
    return answer_text(value) if value is not None else str(NOT_KNOWN)


# --- Shared -----------------------------------------------------------------------------------


def _places(scope: Scope) -> list[Choice]:
    """Return where a tag may be made; the one in the address first. Raises NotFound for none."""
    chosen = chosen_id(request.args.get("at"))
    with unit_of_work(scope, read_only=True) as session:
        found = queries.places_to_define(session, scope)
        if chosen is not None:
            place = queries.get_definition_place(session, scope, chosen)
            one = Choice(str(chosen), place.name)
            found = [one, *(other for other in found if other != one)]
    if not found:
        raise NotFound("a branch to make tags for")
    return found


def _sent(
    scope: Scope,
    form: Any,
    work: Callable[[Any], object],
    one: queries.Definition | None = None,
) -> bool:
    """Do the work of a form that was sent; return True when it is done."""
    if request.method == "GET":
        if one is not None:
            _fill(form, one)
        return False
    if not form.validate():
        return False
    try:
        with unit_of_work(scope) as session:
            work(session)
    except Refusal as refusal:
        field_name = _FIELD_OF.get(type(refusal))
        form.refuse(refusal, field_name if field_name in form else None)
        if isinstance(refusal, EditConflict):
            form.version.data = str(refusal.current["version"])
            form.stored = str(refusal.current["name"])
        return False
    flash(_("Saved."), "done")
    return True


def _fill(form: Any, one: queries.Definition) -> None:
    form.name.data = one.name
    form.version.data = str(one.version)
    if "hint" in form:
        form.hint.data = one.hint


def _version(form: Any) -> int:
    text = form.version.data or ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _to_index() -> Any:
    return redirect(url_for("fields.index"), 303)


def _form_page(form: Any, title: str, shown: list[Any], **more: Any) -> tuple[str, int]:
    values = {
        "one": None,
        "more": None,
        "lede": None,
        "cancel": url_for("fields.index"),
        "retire_url": None,
        "retired": False,
        "stored": getattr(form, "stored", None),
        **more,
    }
    page = render_template("fields/form.html", form=form, title=title, fields=shown, **values)
    if values["stored"] is not None:
        return page, 409
    return page, 422 if form.errors else 200
