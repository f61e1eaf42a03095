"""Pages about places: the list, and each kind of place."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Flask, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.domain.errors import NotFound
from crm.features.workplaces import count_pages as count_pages  # Puts its pages on the blueprint.
from crm.features.workplaces import forms, queries
from crm.features.workplaces import place_pages as place_pages  # So does this.
from crm.features.workplaces import union_pages as union_pages  # And this.
from crm.features.workplaces.blueprint import bp
from crm.features.workplaces.form_page import may_everywhere
from crm.reads.fields import extras_of_workplace
from crm.reads.figures import Part, Question, workplace_figure
from crm.reads.places import holds_place
from crm.web import filters
from crm.web.db import unit_of_work
from crm.web.expiry import expiry_rule
from crm.web.forms import chosen_id
from crm.web.guard import my_today, requires
from crm.web.pages import address_of


def install(app: Flask) -> None:
    """Add the pages about places to the app."""
    app.register_blueprint(bp)
    filters.add(app, "country", forms.country_name)


def _page_asked() -> int:
    """Return the page number in the address; 1 for anything that is not one."""
    text = request.args.get("page", "")
    return int(text) if text.isdecimal() and 0 < len(text) < 7 and int(text) > 0 else 1


def _pages(page: int, pages: int, endpoint: str, **values: Any) -> dict[str, str | None]:
    """Return the addresses of the page before and the page after, None at either end."""

    def _at(number: int) -> str:
        return url_for(endpoint, **values, page=number)

    return {
        "previous_url": _at(min(page - 1, pages)) if page > 1 else None,
        "next_url": _at(page + 1) if page < pages else None,
    }


@bp.get("")
@requires(Permission.PLACE_READ)
def index(scope: Scope) -> ResponseReturnValue:
    """Show the workplaces in scope, by employer."""
    text = request.args.get("q", "").strip()[:100]
    employer_asked = chosen_id(request.args.get("employer"))
    with unit_of_work(scope, read_only=True) as session:
        employer = queries.find_employer(session, scope, employer_asked) if employer_asked else None
        if employer_asked and employer is None:
            raise NotFound(f"employer {employer_asked}")
        found = queries.list_workplaces(
            session,
            scope,
            today=my_today(),
            text=text,
            employer_id=employer[0] if employer else None,
            page=_page_asked(),
        )
        choices = queries.list_employer_choices(session, scope)
    asked = {"q": text or None, "employer": str(employer_asked) if employer_asked else None}
    return render_template(
        "workplaces/index.html",
        found=found,
        text=text,
        employer=str(employer_asked or ""),
        employer_name=employer[1] if employer else None,
        choices=choices,
        pages=_pages(found.page, found.pages, "workplaces.index", **asked),
        today=my_today(),
        may_see_people=scope.may(Permission.CONTACT_READ),
        may_add_employer=may_everywhere(scope, Permission.EMPLOYER_WRITE),
        twice_url=address_of("duplicates.workplaces")
        if scope.may(Permission.PLACE_WRITE)
        else None,
    )


def _figures(session: Any, scope: Scope, place_id: UUID) -> Part | None:
    """Return a workplace's density as at today; None where its people are not the reader's."""
    if not scope.may(Permission.DENSITY_READ):
        return None
    inner = queries.density_place(session, scope, place_id)
    return None if inner is None else workplace_figure(session, scope, inner, Question(my_today()))


def _links(scope: Scope) -> dict[str, bool]:
    """Return which pages about people this reader can go on to."""
    known = current_app.view_functions
    return {
        "contact": "contacts.show" in known and scope.may(Permission.CONTACT_READ),
        "add": "contacts.add" in known and scope.may(Permission.CONTACT_WRITE),
        "wall": "wallchart.show" in known and scope.may(Permission.CONTACT_READ),
        "log": "conversations.log" in known and scope.may(Permission.CONVERSATION_WRITE),
    }


def _about_people(session: Any, scope: Scope, place_id: UUID) -> dict[str, str | None]:
    """Return the addresses of pages about all people of a place, where the reader holds it."""
    held = holds_place(session, scope, place_id, Permission.CONTACT_READ)
    may_log = held and scope.may(Permission.CONVERSATION_WRITE)
    counts = held and scope.may(Permission.DENSITY_READ)
    return {
        "issues": address_of("issues.show", place_id=place_id) if held else None,
        "case": address_of("cases.new", place=place_id) if may_log else None,
        "sheets": address_of("sheets.index", place=place_id) if may_log else None,
        "report": address_of("reports.show", place_id=place_id) if counts else None,
        "campaigns": address_of("campaigns.index", at=place_id) if held else None,
    }


def _about_figures(session: Any, scope: Scope, place_id: UUID, name: str) -> list[tuple[str, str]]:
    """Return the pages of figures about a place, where the reader holds all of it.

    name: what the filters of the density page call such a place.
    """
    if not holds_place(session, scope, place_id, Permission.DENSITY_READ):
        return []
    found = [
        (address_of("readiness.show", place_id=place_id), _("Strike-readiness")),
        (address_of("density.changes", **{name: place_id}), _("What changed, and why")),
    ]
    return [(url, str(words)) for url, words in found if url is not None]


@bp.get("/<uuid:place_id>")
@requires(Permission.PLACE_READ)
def show(scope: Scope, place_id: UUID) -> ResponseReturnValue:
    """Show a workplace."""
    with unit_of_work(scope, read_only=True) as session:
        view = queries.get_workplace_view(
            session,
            scope,
            place_id,
            today=my_today(),
            expiry=expiry_rule(),
            page=_page_asked(),
        )
        figures = _figures(session, scope, place_id)
        about_figures = _about_figures(session, scope, place_id, "workplace")
        about_people = _about_people(session, scope, place_id)
        extras = extras_of_workplace(session, scope, place_id)
    here = view.people
    return render_template(
        "workplaces/show.html",
        place=view,
        figures=figures,
        about_figures=about_figures,
        about_people=about_people,
        extras=extras,
        extras_url=address_of("fields.of_place", place_id=place_id) if view.may_write else None,
        today=my_today(),
        pages=(_pages(here.page, here.pages, "workplaces.show", place_id=place_id) if here else {}),
        links=_links(scope),
        history_url=address_of("history.place", place_id=place_id),
    )


@bp.get("/areas/<uuid:area_id>")
@requires(Permission.PLACE_READ)
def area(scope: Scope, area_id: UUID) -> ResponseReturnValue:
    """Show an area of a workplace."""
    with unit_of_work(scope, read_only=True) as session:
        view = queries.get_area_view(
            session,
            scope,
            area_id,
            today=my_today(),
            expiry=expiry_rule(),
            page=_page_asked(),
        )
        about_people = _about_people(session, scope, area_id)
    here = view.people
    return render_template(
        "workplaces/area.html",
        place=view,
        about_people=about_people,
        today=my_today(),
        pages=(_pages(here.page, here.pages, "workplaces.area", area_id=area_id) if here else {}),
        links=_links(scope),
    )


@bp.get("/employers/<uuid:employer_id>")
@requires(Permission.PLACE_READ)
def employer(scope: Scope, employer_id: UUID) -> ResponseReturnValue:
    """Show an employer."""
    with unit_of_work(scope, read_only=True) as session:
        view = queries.get_employer_view(
            session, scope, employer_id, today=my_today(), page=_page_asked()
        )
        about_figures = _about_figures(session, scope, employer_id, "employer")
    found = view.workplaces
    return render_template(
        "workplaces/employer.html",
        place=view,
        about_figures=about_figures,
        today=my_today(),
        pages=_pages(found.page, found.pages, "workplaces.employer", employer_id=employer_id),
        sic_words=forms.sic_words(view.sic_codes),
        may_see_people=scope.may(Permission.CONTACT_READ),
    )


@bp.get("/unions")
@requires(Permission.PLACE_READ)
def unions(scope: Scope) -> ResponseReturnValue:
    """Show all unions."""
    with unit_of_work(scope, read_only=True) as session:
        rows = queries.list_unions(session, scope)
    return render_template(
        "workplaces/unions.html", rows=rows, may_write=may_everywhere(scope, Permission.UNION_WRITE)
    )


@bp.get("/unions/<uuid:union_id>")
@requires(Permission.PLACE_READ)
def union(scope: Scope, union_id: UUID) -> ResponseReturnValue:
    """Show a union and its branches."""
    with unit_of_work(scope, read_only=True) as session:
        view = queries.get_union_view(session, scope, union_id)
    return render_template(
        "workplaces/union.html", place=view, may_write=may_everywhere(scope, Permission.UNION_WRITE)
    )


@bp.get("/branches/<uuid:branch_id>")
@requires(Permission.PLACE_READ)
def branch(scope: Scope, branch_id: UUID) -> ResponseReturnValue:
    """Show a branch and the workplaces in scope where it organises."""
    with unit_of_work(scope, read_only=True) as session:
        view = queries.get_branch_view(
            session, scope, branch_id, today=my_today(), page=_page_asked()
        )
        about_people = _about_people(session, scope, branch_id)
        about_figures = _about_figures(session, scope, branch_id, "branch")
        holds = holds_place(session, scope, branch_id, Permission.PLACE_WRITE)
    found = view.workplaces
    return render_template(
        "workplaces/branch.html",
        place=view,
        about_figures=about_figures,
        about_people=about_people,
        fields_url=address_of("fields.index") if holds else None,
        today=my_today(),
        pages=_pages(found.page, found.pages, "workplaces.branch", branch_id=branch_id),
        may_see_people=scope.may(Permission.CONTACT_READ),
        may_write=may_everywhere(scope, Permission.UNION_WRITE),
    )
