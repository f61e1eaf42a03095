"""The forms of a ballot: shape only; the service knows the rules."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import (
    BooleanField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    SelectMultipleField,
)
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, NumberRange, Optional, ValidationError
from wtforms.widgets import CheckboxInput, HiddenInput, ListWidget

from crm.access.ballots import Asked, BallotFacts
from crm.domain.balloting import COUNTED
from crm.domain.vocabulary import BallotKind, QuestionKind
from crm.features.ballots.service import DoneDays
from crm.reads.ballots import Question
from crm.web.forms import DayField, Form, TextField, WholeNumberField, chosen_id, options
from crm.web.labels import choices, question_name
from crm.web.law import law_choices

CHOOSE = _("Choose one from the list.")
_COUNT = _("Enter a whole number from 0 up, or leave it empty.")
_MOST = 10_000_000
# "Nobody has said", "yes", "no": three answers, so no check box.
_THREE = (("", _("Not known")), ("yes", _("Yes")), ("no", _("No")))
_TRUTH = {"yes": True, "no": False}


class _Ticks(SelectMultipleField):
    """Check boxes."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def pre_validate(self, form: Any) -> None:
        """Raise ValidationError for an answer that was not offered."""
        if not set(self.data or ()) <= {one.value for one in self.choices}:
            raise ValidationError(str(CHOOSE))


class BallotForm(Form):
    """What a ballot is."""

    id = HiddenField()
    version = IntegerField(widget=HiddenInput(), validators=[Optional()])
    place = SelectField(
        _("Whose ballot is it?"),
        choices=[],
        validate_choice=False,
        description=_("All open workplaces there are asked. You can leave some out afterwards."),
    )
    union = SelectField(_("Members of which union?"), choices=[], validate_choice=False)
    name = TextField(
        _("What do you call it?"),
        limit=120,
        validators=[InputRequired(_("Give the ballot a name, such as “Pay 2027”."))],
    )
    kind = RadioField(
        _("What sort of ballot?"),
        choices=options(choices(BallotKind)),
        default=BallotKind.ACTION.value,
        description=_(
            "Only a trade union can hold a ballot that counts in law. "
            "A vote held by members themselves is indicative."
        ),
    )
    questions = _Ticks(
        _("What is asked?"),
        choices=options(choices(one for one in QuestionKind if one is not QuestionKind.OTHER)),
        description=_("Each question is counted for itself."),
    )
    other_question = TextField(
        _("Another question"), limit=200, description=_("Leave it empty when there is none.")
    )
    jurisdiction = SelectField(
        _("Under the law of"), choices=[], validate_choice=False, default="GB"
    )
    separate = RadioField(
        _("How are the votes counted?"),
        choices=options(
            [
                ("", _("All workplaces together: one result for all")),
                ("separate", _("Each workplace for itself: one result for each")),
            ]
        ),
        default="",
    )
    important_public_service = RadioField(
        _("Is it in an important public service?"),
        choices=options(_THREE),
        default="",
        description=_("Some ballots before February 2026 had a second test there."),
    )
    employer_agreed = BooleanField(
        _("The employer has agreed to other periods, where the law allows that")
    )
    applied_on = DayField(
        _("Day of the application"), description=_("Only for a recognition ballot.")
    )
    opens_on = DayField(
        _("It opens on"),
        description=_("The first day any paper is sent out. Leave it empty if open."),
    )
    closes_on = DayField(_("Last day of voting"))
    last_post_on = DayField(
        _("Last safe day to post"),
        description=_("A paper posted later may come too late. Leave it empty if not by post."),
    )

    def offer(self, places: Iterable[Any], unions: Iterable[Any]) -> None:
        """Fill the lists of places, unions and laws."""
        self.place.choices = [SelectChoice(one.value, one.label) for one in places]
        self.union.choices = [SelectChoice(one.value, one.label) for one in unions]
        self.jurisdiction.choices = law_choices()

    def record_id(self) -> uuid.UUID:
        """Return the id that was made with the form; a new one for a form without it."""
        return chosen_id(self.id.data) or uuid.uuid4()

    def asked(self) -> list[Asked]:
        """Return the questions, in the order of the paper."""
        found = [Asked(QuestionKind(one)) for one in self.questions.data or ()]
        other = self.text("other_question")
        return found if other is None else [*found, Asked(QuestionKind.OTHER, other)]

    def facts(self) -> BallotFacts:
        """Return what was typed, once the form is valid."""
        return BallotFacts(
            name=self.text("name") or "",
            kind=BallotKind(self.kind.data),
            jurisdiction=self.jurisdiction.data or "",
            separate=self.separate.data == "separate",
            important_public_service=_TRUTH.get(self.important_public_service.data or ""),
            employer_agreed=bool(self.employer_agreed.data),
            applied_on=self.applied_on.data,
            opens_on=self.opens_on.data,
            closes_on=self.closes_on.data,
            last_post_on=self.last_post_on.data,
        )


class DoneForm(Form):
    """When notices were received and people were told, and the action that is planned."""

    ballot_notice_on = DayField(_("The employer had the notice of the ballot on"))
    members_told_on = DayField(_("Members were told the result on"))
    employers_told_on = DayField(_("Every employer was told the result on"))
    action_notice_on = DayField(_("The employer had the notice of action on"))
    action_starts_on = DayField(_("First day of action, as planned"))
    action_ended_on = DayField(_("Last day of action, when it is over"))
    action_continuous = RadioField(
        _("What sort of action?"),
        choices=options(
            [
                ("", _("Not decided")),
                ("yes", _("Without a break")),
                ("no", _("On single days")),
            ]
        ),
        default="",
    )
    action_days = TextField(
        _("On which days, or from which day?"),
        limit=300,
        description=_("It stands in the notice of action."),
    )

    def days(self) -> DoneDays:
        """Return what was typed, once the form is valid."""
        return DoneDays(
            ballot_notice_on=self.ballot_notice_on.data,
            members_told_on=self.members_told_on.data,
            employers_told_on=self.employers_told_on.data,
            action_notice_on=self.action_notice_on.data,
            action_starts_on=self.action_starts_on.data,
            action_ended_on=self.action_ended_on.data,
            action_continuous=_TRUTH.get(self.action_continuous.data or ""),
            action_days=self.text("action_days"),
        )


class DeclareForm(Form):
    """The day the result is declared."""

    declared_on = DayField(
        _("Declared on"), [InputRequired(_("Enter the day the result was declared."))]
    )


def _count(label: Any, hint: Any = "") -> WholeNumberField:
    return WholeNumberField(label, [Optional(), NumberRange(0, _MOST, _COUNT)], description=hint)


def question_words(question: Question) -> str:
    """Return a question as the screen says it."""
    return question_name(question.kind, question.words)


class ResultForm(Form):
    """The counts of one paper, five numbers a question. Made by `result_form`."""

    def groups(self, questions: Iterable[Question]) -> list[tuple[str, list[Any]]]:
        """Return the fields question by question, for the page."""
        return [
            (question_words(one), [self[f"q{one.number}_{name}"] for name in COUNTED])
            for one in questions
        ]

    def numbers(self, question: Question) -> dict[str, int | None] | None:
        """Return what was entered of a question; None when nothing was."""
        found = {name: self[f"q{question.number}_{name}"].data for name in COUNTED}
        return None if all(value is None for value in found.values()) else found


def result_form(questions: Iterable[Question], **given: Any) -> ResultForm:
    """Return the form for the counts of these questions."""
    made: dict[str, Any] = {}
    for one in questions:
        made |= {
            f"q{one.number}_entitled": _count(_("Entitled to vote")),
            f"q{one.number}_cast": _count(_("Papers that came back"), _("Spoiled ones too.")),
            f"q{one.number}_yes": _count(_("Yes")),
            f"q{one.number}_no": _count(_("No")),
            f"q{one.number}_spoiled": _count(_("Spoiled or blank")),
        }
    form: ResultForm = type("_ResultForm", (ResultForm,), made)(**given)
    return form
