"""The forms of a case: shape only; the service knows the rules."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import HiddenField, IntegerField, RadioField, SelectField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, NumberRange, Optional
from wtforms.widgets import HiddenInput, TextArea

from crm.domain.vocabulary import CaseKind, CaseMatter, CaseOutcome, CaseRole, CaseStep
from crm.features.cases.service import CaseFacts
from crm.web.forms import DayField, Form, TextField, WholeNumberField, chosen_id
from crm.web.labels import LABELS

CHOOSE = _("Choose one from the list.")
# The longest note, in any script, fits the limit on the size of a form.
LONGEST_NOTE = 3000


def _pairs(members: Iterable[Any]) -> list[SelectChoice]:
    return [SelectChoice(member.value, LABELS[member]) for member in members]


class _Words(TextField):
    """Some lines of text."""

    widget = TextArea()


class _OnceForm(Form):
    """A form whose record has its id from the start, so that sending it twice stores it once."""

    id = HiddenField()

    def record_id(self) -> uuid.UUID:
        """Return the id that was made with the form; a new one for a form without it."""
        return chosen_id(self.id.data) or uuid.uuid4()


class CaseForm(_OnceForm):
    """What a case is."""

    place = SelectField(
        _("Where is it?"),
        choices=[],
        validate_choice=False,
        description=_("The area, if it is one area’s."),
    )
    reference = TextField(
        _("What do you call it?"),
        limit=80,
        validators=[InputRequired(_("Give the case a name that names nobody."))],
        description=_(
            "Words that name nobody, such as “Rota, autumn” or “Case 14”. They stand on Today."
        ),
    )
    kind = RadioField(
        _("Whose case is it?"),
        choices=_pairs(CaseKind),
        default=CaseKind.INDIVIDUAL.value,
        validate_choice=True,
    )
    matter = SelectField(
        _("What is it about?"),
        choices=_pairs(CaseMatter),
        default=CaseMatter.GRIEVANCE.value,
        invalid_choice_message=CHOOSE,
    )
    opened_on = DayField(
        _("When did it start?"), [InputRequired(_("Enter the day the case started."))]
    )
    affected = WholeNumberField(
        _("How many workers is it about?"),
        [Optional(), NumberRange(1, 1_000_000, _("Enter a number from 1 up, or leave it empty."))],
        description=_("Leave it empty when you do not know."),
    )
    role = SelectField(
        _("What part do they have?"),
        choices=_pairs(CaseRole),
        default=CaseRole.WHOSE_CASE.value,
        invalid_choice_message=CHOOSE,
    )
    version = IntegerField(widget=HiddenInput(), validators=[Optional()])

    def facts(self) -> CaseFacts:
        """Return what was typed, once the form is valid."""
        return CaseFacts(
            reference=self.text("reference") or "",
            kind=CaseKind(self.kind.data),
            matter=CaseMatter(self.matter.data),
            opened_on=self.opened_on.data,
            affected=self.affected.data,
        )


class EntryForm(_OnceForm):
    """What happened, or a note."""

    step = SelectField(
        _("What is it?"),
        choices=_pairs(CaseStep),
        default=CaseStep.NOTE.value,
        invalid_choice_message=CHOOSE,
    )
    day = DayField(_("On which day?"), [InputRequired(_("Enter the day."))])
    words = _Words(_("What happened, or what to remember"), limit=LONGEST_NOTE)


class DeadlineForm(_OnceForm):
    """Something to be done by a day."""

    due_on = DayField(_("By which day?"), [InputRequired(_("Enter the day."))])
    what = TextField(
        _("What has to be done?"),
        limit=120,
        validators=[InputRequired(_("Say what has to be done."))],
        description=_("Words that name nobody: they stand on Today. Such as “Send the appeal”."),
    )


class FindForm(Form):
    """Somebody to look for."""

    q = TextField(
        _("Find a person"), limit=100, description=_("Part of a name, or a phone number.")
    )


class PersonForm(Form):
    """Somebody to give a part in the case."""

    person = HiddenField()
    role = SelectField(
        _("What part do they have?"),
        choices=_pairs(CaseRole),
        default=CaseRole.WHOSE_CASE.value,
        invalid_choice_message=CHOOSE,
    )


class TeamForm(Form):
    """Somebody to put on the team."""

    user = SelectField(_("Who else should work on it?"), choices=[], validate_choice=False)

    def offer(self, pairs: Iterable[tuple[uuid.UUID, str]]) -> None:
        """Take these users as the choices."""
        self.user.choices = [SelectChoice(str(value), name) for value, name in pairs]


class CloseForm(Form):
    """How a case ended."""

    closed_on = DayField(_("When did it end?"), [InputRequired(_("Enter the day it ended."))])
    outcome = SelectField(
        _("How did it end?"),
        choices=_pairs(CaseOutcome),
        default=CaseOutcome.WON.value,
        invalid_choice_message=CHOOSE,
    )
    words = _Words(_("What was won or learned?"), limit=LONGEST_NOTE)
