"""What is asked about a whole list that is not of people or workplaces, and the answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy.orm import Session
from wtforms import RadioField, SelectField

from crm.access.scope import Scope
from crm.domain.listed_successions import Became
from crm.domain.vocabulary import BallotKind, ImportKind, QuestionKind
from crm.features.imports import ballots, queries, successions
from crm.features.imports.forms import CHOOSE
from crm.features.imports.rules import Rules
from crm.reads.ballot_holders import list_holders
from crm.web.forms import DayField, TextField, options
from crm.web.labels import LABELS
from crm.web.law import law_choices


@dataclass(frozen=True, slots=True)
class Asking:
    """The fields of the questions, by name, and what they hold before anybody has touched them."""

    fields: Mapping[str, Any]
    held: Mapping[str, Any]


def questions_of(session: Session, scope: Scope, kind: ImportKind, rules: Rules) -> Asking:
    """Return what is asked about a whole list of a kind that is not of people or workplaces."""
    return _ASKING[kind](session, scope, rules)


def answers_of(form: Any, names: Sequence[str]) -> dict[str, str]:
    """Return the answers as text, without those that are empty. form: valid."""
    found: dict[str, str] = {}
    for name in names:
        data = form[name].data
        text = data.isoformat() if isinstance(data, date) else str(data or "").strip()
        if text:
            found[name] = text
    return found


def _of_ballots(session: Session, scope: Scope, rules: Rules) -> Asking:
    none = [("", CHOOSE)]
    holders = list_holders(session, scope)
    held: dict[str, Any] = dict(rules.answers)
    for name in (ballots.OPENS, ballots.CLOSES):
        held[name] = date.fromisoformat(held[name]) if held.get(name) else None
    for name, offered in ((ballots.HOLDER, holders.places), ("union", holders.unions)):
        if len(offered) == 1:
            held.setdefault(name, offered[0].value)
    if rules.union is not None:
        held["union"] = rules.union
    elsewhere = [(one.value, one.label) for one in queries.ballots_to_choose(session, scope)]
    fields: dict[str, Any] = {}
    if elsewhere:
        fields[ballots.BALLOT] = SelectField(
            _("Which ballot?"),
            choices=options([("", _("A new one")), *elsewhere]),
            description=_("Its days, its law and its union stay as they are."),
        )
    fields |= {
        ballots.NAME: TextField(
            _("Name of the new ballot"),
            limit=120,
            description=_(
                "Not needed when a column names the ballot of each row. Each workplace of it is "
                "judged alone. A count of all of them together is typed in on the ballot’s page."
            ),
        ),
        ballots.QUESTION: SelectField(
            _("What was asked?"),
            choices=options([*none, *((one.value, LABELS[one]) for one in QuestionKind)]),
            description=_("Not needed when a column says what was asked."),
        ),
        ballots.HOLDER: SelectField(
            _("Whose ballot is it?"),
            choices=options([*none, *((one.value, one.label) for one in holders.places)]),
            description=_("All workplaces of the list lie in this place."),
        ),
        "union": SelectField(
            _("Members of which union?"),
            choices=options([*none, *((one.value, one.label) for one in holders.unions)]),
        ),
        ballots.SORT: SelectField(
            _("What sort of ballot?"),
            choices=options((one.value, LABELS[one]) for one in BallotKind),
        ),
        ballots.LAW: SelectField(_("Under the law of"), choices=[*options(none), *law_choices()]),
        ballots.OPENS: DayField(_("It opened on")),
        ballots.CLOSES: DayField(
            _("Last day of voting"),
            description=_("Not needed when a column holds the days."),
        ),
    }
    return Asking(fields, held)


def _of_successions(session: Session, scope: Scope, rules: Rules) -> Asking:
    held: dict[str, Any] = dict(rules.answers)
    day = held.get(successions.DAY)
    held[successions.DAY] = date.fromisoformat(day) if day else None
    held.setdefault(successions.PEOPLE, "stay")
    fields = {
        successions.HOW: SelectField(
            _("What became of them?"),
            choices=options([("", CHOOSE), *((one.value, LABELS[one]) for one in Became)]),
            description=_("Not needed when a column says it."),
        ),
        successions.DAY: DayField(
            _("On which day?"), description=_("Not needed when a column holds the day.")
        ),
        successions.PEOPLE: RadioField(
            _("What of the people who work there?"),
            choices=options(
                [
                    ("stay", _("They stay written down there, so that a rep can ask them")),
                    (successions.MOVE, _("They went over: from that day they work at the new one")),
                ]
            ),
            description=_("People of a workplace that was split always stay to be asked."),
        ),
    }
    return Asking(fields, held)


_ASKING = {
    ImportKind.BALLOTS: _of_ballots,
    ImportKind.SUCCESSIONS: _of_successions,
}
