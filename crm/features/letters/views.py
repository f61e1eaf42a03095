"""The drafts of a ballot's letters, on paper and as a Word file."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, current_app, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.analysis.letters import letter_docx
from crm.analysis.safe_files import PRACTICE
from crm.domain.errors import NotFound
from crm.domain.notices import Letter
from crm.features.letters import queries, wording
from crm.web.db import unit_of_work
from crm.web.filters import day as day_words
from crm.web.forms import chosen_id
from crm.web.guard import my_today, requires
from crm.web.labels import my_language
from crm.web.law import text_of

bp = Blueprint("letters", __name__)

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_LETTERS = "any(ballot_notice, action_notice, result_notice)"


def install(app: Flask) -> None:
    """Register the pages of this feature."""
    app.register_blueprint(bp)


@bp.get("/ballots/<uuid:ballot_id>/letters")
@requires(Permission.BALLOT_WRITE)
def index(scope: Scope, ballot_id: UUID) -> str:
    """Show which letters a ballot needs, to whom, and what the law asks each to say."""
    today = my_today()
    with unit_of_work(scope, read_only=True) as session:
        drafts = [
            queries.get_draft(session, scope, ballot_id, letter, employer=None, today=today)
            for letter in Letter
        ]
    first = drafts[0]
    return render_template(
        "letters/index.html",
        ballot=first.ballot,
        differs=first.differs,
        nameless=sum(number for name, number in first.categories if not name),
        letters=[
            {
                "title": wording.TITLES[one.letter],
                "text": None if one.rule is None else text_of(one.rule.text),
                "source": None if one.rule is None else one.rule.source,
                "checked": one.rule is not None and one.ballot.is_checked(one.rule),
                "to": [
                    (
                        name,
                        url_for(
                            "letters.show",
                            ballot_id=ballot_id,
                            letter=one.letter.value,
                            employer=key,
                        ),
                        url_for(
                            "letters.docx",
                            ballot_id=ballot_id,
                            letter=one.letter.value,
                            employer=key,
                        ),
                    )
                    for key, name in one.employers
                ]
                if one.items
                else [],
            }
            for one in drafts
        ],
    )


@bp.get(f"/ballots/<uuid:ballot_id>/letters/<{_LETTERS}:letter>")
@requires(Permission.BALLOT_WRITE)
def show(scope: Scope, ballot_id: UUID, letter: str) -> str:
    """Show a draft as a sheet for paper."""
    with unit_of_work(scope, read_only=True) as session:
        draft = _draft(session, scope, ballot_id, letter)
    text = wording.letter_text(draft, my_language())
    return render_template(
        "letters/show.html",
        text=text,
        sheet={
            "title": text.title,
            "sub": draft.ballot.union_name,
            "as_at": day_words(draft.as_at),
            "base": gettext("Counted: members who may vote, as records stood for that day."),
            "back_url": url_for("letters.index", ballot_id=ballot_id),
        },
    )


@bp.get(f"/ballots/<uuid:ballot_id>/letters/<{_LETTERS}:letter>.docx")
@requires(Permission.BALLOT_WRITE)
def docx(scope: Scope, ballot_id: UUID, letter: str) -> Response:
    """Hand out a draft as a Word file."""
    with unit_of_work(scope) as session:
        draft = _draft(session, scope, ballot_id, letter)
        queries.note_taken_out(session, scope, draft)
    text = wording.letter_text(draft, my_language())
    mark = ""
    if current_app.config["PRACTICE"]:
        text, mark = replace(text, stamp=f"{PRACTICE} · {text.stamp}"), f"{PRACTICE}-"
    answer = Response(letter_docx(text), mimetype=DOCX)
    answer.headers["Content-Disposition"] = f'attachment; filename="{mark}{letter}.docx"'
    return answer


def _draft(session: Any, scope: Scope, ballot_id: UUID, letter: str) -> queries.Draft:
    asked = request.args.get("employer")
    employer = chosen_id(asked)
    if asked and employer is None:
        raise NotFound("no such employer")
    draft = queries.get_draft(
        session, scope, ballot_id, Letter(letter), employer=employer, today=my_today()
    )
    if not draft.items:
        # No row of this law says what it must contain: a draft would be our invention.
        raise NotFound(f"{letter} of ballot {ballot_id}")
    return draft
