"""What all forms about places share: to show, to save, to set two versions side by side."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import DatesOutOfOrder, EditConflict, Refusal
from crm.features.workplaces import queries, service
from crm.reads.places import Choice
from crm.web.db import unit_of_work
from crm.web.filters import day, people


def may_everywhere(scope: Scope, permission: Permission) -> bool:
    """Return whether this may be done in all places, not only in some."""
    return scope.may(permission) and scope.nodes(permission) is None


Blame = Callable[[Refusal], str | None]


def form_page(
    scope: Scope,
    form: Any,
    *,
    title: str,
    save: Callable[[Any], Any],
    done: Callable[[Any], str],
    said: str,
    cancel: str,
    blame: Blame | None = None,
    lede: str | None = None,
    submit: str | None = None,
    withdraw_url: str | None = None,
) -> ResponseReturnValue:
    """Show a form, or save it and go on.

    save: one call of a service. done: the address to go to, from what it returned. said: what
    the next page says. blame: the field a refusal belongs to, None for the whole form.
    """
    status = 200
    conflict: list[tuple[str, str, str]] = []
    if form.is_submitted():
        status = 422
        try:
            saved = save_form(scope, form, save, blame)
        except EditConflict as meanwhile:
            status, conflict = 409, _compare(form, meanwhile)
        else:
            if saved is not None:
                flash(said, "success")
                return redirect(done(saved[0]), code=303)
    page = render_template(
        "workplaces/form.html",
        form=form,
        title=title,
        lede=lede,
        submit=submit,
        cancel=cancel,
        conflict=conflict,
        withdraw_url=withdraw_url,
    )
    return page, status


def save_form(
    scope: Scope, form: Any, save: Callable[[Any], Any], blame: Blame | None
) -> tuple[Any] | None:
    """Return what the service returned, in a tuple; None when the form now says what is wrong.

    Raises EditConflict.
    """
    if not form.validate():
        return None
    try:
        with unit_of_work(scope) as session:
            return (save(session),)
    except EditConflict:
        raise
    except Refusal as refusal:
        form.refuse(refusal, blame(refusal) if blame else None)
        return None


def _compare(form: Any, meanwhile: EditConflict) -> list[tuple[str, str, str]]:
    """Return (label, saved by the other, typed by you) of what differs; the next save wins."""
    form.refuse(meanwhile)
    form.version.data = str(meanwhile.current["version"])
    form.version.raw_data = None
    rows = []
    for one in form.fields_shown():
        if one.name in meanwhile.current:
            theirs, yours = _shown(one, meanwhile.current[one.name]), _shown(one, one.data)
            if theirs != yours:
                rows.append((str(one.label.text), theirs, yours))
    return rows


def _shown(field: Any, value: Any) -> str:
    if value is None or value == "":
        value = ""
    for one in field.iter_choices() if hasattr(field, "iter_choices") else ():
        if str(one.value) == str(value):
            return str(one.label)
    if isinstance(value, date):
        return day(value)
    if isinstance(value, float):
        return people(value) if value == int(value) else str(value)
    return str(value) or _("(empty)")


def at(endpoint: str, **values: Any) -> Callable[[Any], str]:
    """Return a function that gives one address whatever was saved."""
    return lambda saved: url_for(f"workplaces.{endpoint}", **values)


_SHOWN_AT = {
    "workplace": ("workplaces.show", "place_id"),
    "area": ("workplaces.area", "area_id"),
    "employer": ("workplaces.employer", "employer_id"),
}


def place_url(kind: str, public_id: UUID) -> str:
    """Return the address of the page of a workplace, an area or an employer."""
    endpoint, key = _SHOWN_AT[kind]
    values: dict[str, Any] = {key: public_id}
    return url_for(endpoint, **values)


def pairs(choices: list[Choice]) -> list[tuple[str, str]]:
    """Return choices as (value, word) for a field."""
    return [(choice.value, choice.label) for choice in choices]


def two_forms(
    title: str,
    lede: str,
    back: str,
    rows: tuple[queries.DatedLink, ...],
    *,
    add: Any,
    add_url: str,
    add_title: str,
    end: Any,
    end_url: str,
    end_title: str,
) -> ResponseReturnValue:
    """Show dated links with a form that begins one and, if any goes on, a form that ends one."""
    page = render_template(
        "workplaces/dated.html",
        title=title,
        lede=lede,
        back=back,
        rows=rows,
        add=add,
        add_url=add_url,
        add_title=add_title,
        end=end,
        end_url=end_url,
        end_title=end_title,
        going_on=any(row.valid_to is None for row in rows),
        has_errors=bool(add.errors or end.errors),
    )
    return page, 422 if add.errors or end.errors else 200


def going_on(rows: tuple[queries.DatedLink, ...]) -> list[tuple[str, str]]:
    """Return the links that have not ended, as (value, word) for a field."""
    return [(str(row.place.public_id), row.place.name) for row in rows if row.valid_to is None]


def blame_day(since: str, until: str | None = None) -> Blame:
    """Return the function that puts a refusal about days beside the day, others above."""

    def _find(refusal: Refusal) -> str | None:
        if isinstance(refusal, DatesOutOfOrder):
            return until or since
        return since if isinstance(refusal, service.FutureDay) else None

    return _find
