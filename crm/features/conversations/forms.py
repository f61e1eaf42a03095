"""The log form: shape only; the service knows the world."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import HiddenField, RadioField, SelectField, SelectMultipleField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget, TextArea

from crm.domain.assessment import Basis
from crm.domain.followup import SpeakAgain, due_day
from crm.domain.vocabulary import ASKS, ISSUES, NO_ASK, STEPS, Answer, Channel, LengthBand
from crm.features.conversations.service import Talk
from crm.web.forms import DayField, Form, TextField, options
from crm.web.labels import ASKS as ASK_WORDS
from crm.web.labels import ISSUES as ISSUE_WORDS
from crm.web.labels import NOT_ASKED, RATINGS, choices, language_choices, my_language
from crm.web.labels import STEPS as STEP_WORDS

# Four notes of this length, in any script, fit the limit on the size of a form.
NOTE_LIMIT = 1000

NOT_OFFERED = _("Choose one of the answers shown.")
ON_A_DAY = "day"


RATING_CHOICES = (*((str(step), word) for step, word in RATINGS.items()), ("", NOT_ASKED))
BASIS_CHOICES = (
    (Basis.ACTION.value, _("They did it")),
    (Basis.SAID.value, _("They said so")),
    (Basis.TOLD.value, _("Someone told me")),
    (Basis.INFERRED.value, _("A guess")),
)


class Choice(RadioField):
    """One of a few answers. The empty answer is always one of them, and means "not noted"."""

    def __init__(self, label: Any, *, offered: Iterable[tuple[str, Any]], **more: Any) -> None:
        super().__init__(label, choices=options(offered), **more)

    def pre_validate(self, form: Any) -> None:
        """Raise ValidationError for an answer that was not offered."""
        if self.data not in {one.value for one in self.choices}:
            raise ValidationError(str(NOT_OFFERED))


class Several(SelectMultipleField):
    """Any number of a few answers."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def __init__(self, label: Any, *, offered: Iterable[tuple[str, Any]], **more: Any) -> None:
        super().__init__(label, choices=options(offered), **more)

    def pre_validate(self, form: Any) -> None:
        """Raise ValidationError for an answer that was not offered."""
        if not set(self.data or ()) <= {one.value for one in self.choices}:
            raise ValidationError(str(NOT_OFFERED))


class Place(Choice):
    """The places that a person works at; the service knows which those are."""

    data: str | None

    def offer(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Offer these places, the first of them chosen unless another of them was."""
        self.choices = options(pairs)
        if self.data not in {one.value for one in self.choices}:
            self.data = self.choices[0].value

    def pre_validate(self, form: Any) -> None:
        """Let every place through."""


class Words(TextField):
    """Some lines of text."""

    widget = TextArea()


def _languages() -> list[SelectChoice]:
    return options(language_choices())


class WhatWasSaid(Form):
    """The parts of a talk that its writer can put right afterwards."""

    issues = Several(
        _("What matters to them?"), offered=[(code, ISSUE_WORDS[code]) for code in ISSUES]
    )
    asked = Choice(
        _("What did you ask?"),
        offered=[
            *((code, ASK_WORDS[code]) for code in ASKS),
            (NO_ASK, ASK_WORDS[NO_ASK]),
            ("", _("Not noted")),
        ],
        default="",
    )
    answer = Choice(
        _("What did they say?"),
        offered=[*choices((Answer.YES, Answer.NOT_YET, Answer.NO)), ("", _("Not noted"))],
        default="",
    )
    about = Choice(
        _("Where do they stand on one ask?"),
        offered=[*((code, ASK_WORDS[code]) for code in ASKS), ("", _("Not noted"))],
        default="",
    )
    about_rating = Choice(_("Where on that ask?"), offered=RATING_CHOICES, default="")
    day = DayField(_("When did you talk?"))
    channel = Choice(
        _("How did you talk?"), offered=[*choices(Channel), ("", _("Not noted"))], default=""
    )
    length_band = Choice(
        _("How long was it?"), offered=[*choices(LengthBand), ("", _("Not noted"))], default=""
    )
    steps = Several(_("How far did you get?"), offered=[(code, STEP_WORDS[code]) for code in STEPS])
    their_words = Words(_("Their words"), limit=NOTE_LIMIT)
    fears = Words(_("What are they afraid of?"), limit=NOTE_LIMIT)
    inoculation = Words(_("What did you say about how the boss may answer?"), limit=NOTE_LIMIT)
    next_step = Words(_("What happens next?"), limit=NOTE_LIMIT)
    language = SelectField(
        _("Which language are the notes in?"), choices=_languages, default=my_language
    )

    def validate_about_rating(self, field: Choice) -> None:
        """Raise ValidationError when only one of the ask and the number was chosen."""
        if bool(field.data) != bool(self.about.data):
            raise ValidationError(gettext("Choose both the ask and where they stand on it."))

    def said(self) -> dict[str, Any]:
        """Return what was typed in these fields but the day, by the names of a Talk."""
        return {
            "about": self.about.data or None,
            "about_rating": int(self.about_rating.data) if self.about_rating.data else None,
            "issues": tuple(self.issues.data or ()),
            "asked": self.asked.data or None,
            "answer": Answer(self.answer.data) if self.answer.data else None,
            "channel": Channel(self.channel.data) if self.channel.data else None,
            "length_band": LengthBand(self.length_band.data) if self.length_band.data else None,
            "steps": tuple(self.steps.data or ()),
            "their_words": self.text("their_words"),
            "fears": self.text("fears"),
            "inoculation": self.text("inoculation"),
            "next_step": self.text("next_step"),
            "language": self.language.data or None,
        }


class CorrectionForm(WhatWasSaid):
    """Puts right what was written down of a talk."""

    # The version that the form was made from: another one by now means somebody was faster.
    version = HiddenField()

    def validate_day(self, field: DayField) -> None:
        """Raise ValidationError when the day was taken out."""
        if field.data is None and not field.errors:
            raise ValidationError(gettext("Enter the day of the talk."))

    def seen_version(self) -> int:
        """Return the version that the form was made from; 0, which none is, when damaged."""
        text = self.version.data or ""
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


class TalkForm(WhatWasSaid):
    """A talk with one person. Everything may be left as it is: then only "we spoke" is stored."""

    id = HiddenField()
    place = Place(_("Where do they work?"), offered=(), default="")
    rating = Choice(
        _("Where do they stand?"),
        offered=RATING_CHOICES,
        default="",
    )
    basis = Choice(
        _("How do we know?"),
        offered=BASIS_CHOICES,
        default=Basis.SAID.value,
    )
    again = Choice(
        _("When will you speak again?"),
        offered=[
            (SpeakAgain.TOMORROW.value, _("Tomorrow")),
            (SpeakAgain.THIS_WEEK.value, _("This week")),
            (SpeakAgain.NEXT_WEEK.value, _("Next week")),
            (SpeakAgain.IN_A_MONTH.value, _("In a month")),
            (ON_A_DAY, _("On a day")),
            ("", _("Not set")),
        ],
        default="",
    )
    again_on = DayField(_("The day to speak again"))

    def validate_id(self, field: HiddenField) -> None:
        """Refuse an id that is none, and put a new one in its place. Raises ValidationError."""
        try:
            uuid.UUID(field.data or str(uuid.uuid4()))
        except ValueError as error:
            field.data = str(uuid.uuid4())
            raise ValidationError(
                gettext("This form was damaged on its way. Check it and save it again.")
            ) from error

    def validate_again_on(self, field: DayField) -> None:
        """Raise ValidationError when the day is missing, or a word is chosen beside it."""
        if self.again.data == ON_A_DAY and field.data is None and not field.errors:
            raise ValidationError(gettext("Enter the day to speak again."))
        if field.data is not None and self.again.data not in {"", ON_A_DAY}:
            raise ValidationError(gettext("You chose both a word and a day. Keep one of them."))

    def talk(self, today: date) -> Talk:
        """Return what was typed, for the service. today: the day it is for the writer."""
        return Talk(
            id=uuid.UUID(self.id.data) if self.id.data else uuid.uuid4(),
            place=_uuid(self.place.data),
            day=self.day.data or today,
            rating=int(self.rating.data) if self.rating.data else None,
            basis=Basis(self.basis.data),
            again_on=self._again_on(today),
            **self.said(),
        )

    def _again_on(self, today: date) -> date | None:
        if self.again_on.data is not None:
            chosen: date = self.again_on.data
            return chosen
        return due_day(SpeakAgain(self.again.data), today) if self.again.data else None


class StandingForm(Form):
    """Puts right where somebody stood in a talk."""

    # The judgement that was on the page: another one by now means that somebody was faster.
    seen = HiddenField()
    rating = Choice(_("Where did they stand?"), offered=RATING_CHOICES, default="")
    basis = Choice(_("How do we know?"), offered=BASIS_CHOICES, default=Basis.SAID.value)

    def standing(self) -> tuple[int | None, Basis]:
        """Return the rating, None for "not asked", and the basis."""
        return (int(self.rating.data) if self.rating.data else None), Basis(self.basis.data)


class StandForm(Form):
    """Writes down where somebody stands without a talk: from what we know, or were told."""

    # Made with the form, so that sending it twice stores it once.
    id = HiddenField()
    place = Place(_("Where do they work?"), offered=(), default="")
    about = Choice(
        _("About what?"),
        offered=[("", _("In general")), *((code, ASK_WORDS[code]) for code in ASKS)],
        default="",
    )
    rating = Choice(
        _("Where do they stand?"), offered=[(str(step), word) for step, word in RATINGS.items()]
    )
    basis = Choice(_("How do we know?"), offered=BASIS_CHOICES)
    day = DayField(_("On which day was it so?"))

    def form_id(self) -> uuid.UUID:
        """Return the id the form was made with; a new one when it was damaged."""
        return _uuid_or_new(self.id.data)

    def place_id(self) -> uuid.UUID | None:
        """Return the place that was chosen, None for the first of them."""
        return _uuid(self.place.data)


class TakeBackForm(Form):
    """The one button that takes a talk back."""


def _uuid_or_new(text: str | None) -> uuid.UUID:
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return uuid.uuid4()


def _uuid(text: str | None) -> uuid.UUID | None:
    """Return the id; one that is not an id becomes one that no place has."""
    if not text:
        return None
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.UUID(int=0)


class CodeForm(Form):
    """The code of a sheet."""

    code = TextField(
        _("The code on the sheet"),
        limit=20,
        validators=[InputRequired(_("Type the code that stands at the top of the sheet."))],
    )


# Whose talks a sheet tells of: those of the one who carried it, or the writer's.
CARRIER = "carrier"
ME = "me"


class SheetForm(Form):
    """What goes for all lines of a sheet; the lines themselves are read by crm/domain/sheet.py."""

    day = DayField(_("When were these talks?"), [InputRequired(_("Enter the day of the talks."))])
    who = Choice(_("Who had these talks?"), offered=(), default=CARRIER)

    def offer(self, carrier: str, *, mine: bool) -> None:
        """Take the one who carried the sheet, and the writer, as the choices."""
        pairs = [(CARRIER, carrier)] if mine else [(CARRIER, carrier), (ME, _("I had them"))]
        self.who.choices = [SelectChoice(*pair) for pair in pairs]
        if self.who.data is None:
            self.who.data = CARRIER
