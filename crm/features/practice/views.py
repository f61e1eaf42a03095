"""The first page of the practice copy: choose whom to be. It exists in the practice copy only."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, current_app, redirect, render_template, request, url_for

from crm.domain.errors import NotFound
from crm.features.practice import queries, service
from crm.features.practice.forms import ChooseForm
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.guard import let_in, my_today, public
from crm.web.kept import as_hidden, kept_before, kept_of_stranger, safe_path
from crm.web.pages import page

bp = Blueprint("practice", __name__)


def install(app: Flask) -> None:
    """Register the page, and send strangers to it, when this is the practice copy."""
    if not app.config["PRACTICE"]:
        return
    app.register_blueprint(bp)
    app.extensions["crm_ask_to_sign_in"] = ask_whom_to_be
    app.before_request(_instead_of_signing_in)


@bp.route("/practice", methods=["GET", "POST"])
@public
def choose() -> Any:
    """Show the invented users, or become the one whose button was pressed."""
    _only_in_practice()
    if request.method == "POST":
        return _be(ChooseForm())
    return _choice()


def _choice(kept: list[tuple[str, str]] | None = None, path: str = "") -> str:
    """Show the users. kept: what was typed into the page at the path, to be sent again."""
    with unit_of_work(read_only=True) as session:
        visitors = queries.list_visitors(session, today=my_today())
    return render_template(
        "practice/choose.html", visitors=visitors, kept=as_hidden(kept or []), path=path
    )


def ask_whom_to_be() -> Any:
    """Answer a stranger at any other page: the choice comes first, and nothing typed is lost."""
    if request.method in {"GET", "HEAD"} or request.endpoint == "accounts.sign_out":
        return redirect(url_for("practice.choose"), 303)
    if request.endpoint == "practice.choose":
        # This page itself had waited too long: the same with a fresh token.
        return _choice(kept_before(), safe_path(request.form.get("next")) or ""), 400
    path = safe_path(request.full_path.rstrip("?")) or ""
    return _choice(kept_of_stranger(), path), 401


def _be(form: ChooseForm) -> Any:
    chosen = form.chosen() if form.validate_on_submit() else None
    if chosen is None:
        raise NotFound("practice user")
    with unit_of_work() as session:
        token = service.sign_in_as(session, chosen, now=clock.now())
    let_in(token)
    kept, path = kept_before(), safe_path(request.form.get("next"))
    if kept and path:
        # The page they were on is sent again by their own hand, under a fresh token.
        return render_template("errors/resend.html", action=path, kept=kept)
    return redirect(page()["home_url"], 303)


def _instead_of_signing_in() -> Any:
    # Nobody here has a passphrase, so the sign-in page would be a dead end.
    if request.endpoint == "accounts.sign_in" and request.method in {"GET", "HEAD"}:
        return redirect(url_for("practice.choose"), 303)
    return None


def _only_in_practice() -> None:
    # The page lets anybody in without a passphrase: it must never answer over real records,
    # not even when somebody registers it by mistake.
    if not current_app.config["PRACTICE"]:
        raise NotFound("practice")
