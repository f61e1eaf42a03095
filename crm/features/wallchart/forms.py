"""The choices of the wall chart, which stand in its address, and the form of a talk list."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import date
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from wtforms import IntegerField, SelectField, SelectMultipleField
from wtforms.validators import InputRequired, NumberRange, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from crm.features.wallchart.queries import Among, Wall
from crm.web import contact_filter
from crm.web.forms import DayField, Form, options
from crm.web.labels import ISSUES, RATINGS

CHOOSE = _("Choose one from the list.")
NOT_YET = _("This day has not come yet. Choose today or a day before.")
MOST_EACH = 50

STANDS: tuple[tuple[str, Any], ...] = (
    ("", _("Everybody")),
    ("12", _("With us: 1 and 2")),
    *(
        (str(rating), _("%(rating)s: %(word)s", rating=rating, word=RATINGS[rating]))
        for rating in RATINGS
    ),
    ("asked", _("Asked")),
    ("none", _("Not asked")),
)
MEMBERS: tuple[tuple[str, Any], ...] = (
    ("", _("Everybody")),
    *((one.value, word) for one, word in contact_filter.MEMBERS),
)

LEADS: tuple[tuple[str, Any], ...] = (
    ("", _("Everybody")),
    ("yes", _("Leaders")),
    ("none", _("No leader yet")),
)


class _Choice(SelectField):
    """A select that takes what is not in the address as its first choice."""

    def __init__(self, label: Any, pairs: Iterable[tuple[str, Any]], **more: Any) -> None:
        values = {"default": "", "invalid_choice_message": CHOOSE, **more}
        super().__init__(label, choices=options(pairs), **values)


class WallForm(Form):
    """Which day, and which people stand out of the rest."""

    class Meta:
        """Nothing is changed by looking, and the address can be sent to somebody else."""

        csrf = False

    as_at = DayField(_("As at"))
    stands = _Choice(_("Where they stand"), STANDS)
    member = _Choice(_("In a union"), MEMBERS)
    leads = _Choice(_("Leaders"), LEADS)
    issue = _Choice(_("What matters to them"), [("", _("Anything")), *ISSUES.items()])

    among = _Choice(_("Tag or saved list"), [("", _("Everybody"))], validate_choice=False)

    def offer(self, wall: Wall) -> None:
        """Take the tags of the workplace and the reader's lists as what people are chosen by."""
        pairs: list[tuple[str, str]] = []
        for tag in wall.own:
            if tag.kind is None:
                pairs += [
                    (f"{Among.WITH}{tag.public_id.hex}", gettext("With: %(tag)s", tag=tag.name)),
                    (
                        f"{Among.WITHOUT}{tag.public_id.hex}",
                        gettext("Without: %(tag)s", tag=tag.name),
                    ),
                ]
        pairs += [
            (f"{Among.ON_LIST}{one.public_id.hex}", gettext("On the list: %(name)s", name=one.name))
            for one in wall.lists
        ]
        self.among.choices = [*self.among.choices, *options(pairs)]
        self.among.data = wall.among

    def check(self, today: date) -> date:
        """Validate and return the day to show; today where none, or none that can be, is given."""
        self.validate()
        day: date | None = self.as_at.data
        if day is not None and day > today:
            self.as_at.errors = [*self.as_at.errors, str(NOT_YET)]
            day = None
        return day or today

    def chosen(self, name: str) -> str:
        """Return the value picked in a select; empty for none, and for one that is not offered."""
        field = self[name]
        return "" if field.errors else str(field.data or "")


class TalkListForm(Form):
    """Between whom to share the people of a gap, and by when."""

    reps = SelectMultipleField(
        _("Who will talk to them?"),
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
        validate_choice=True,
    )
    each = IntegerField(
        _("At most how many people each?"),
        validators=[
            InputRequired(_("Enter a number from 1 to 50.")),
            NumberRange(1, MOST_EACH, _("Enter a number from 1 to 50.")),
        ],
    )
    due_on = DayField(_("By which day?"), [InputRequired(_("Enter the day they should do it by."))])

    def offer(self, pairs: Iterable[tuple[uuid.UUID, str]]) -> None:
        """Take these people as the choices."""
        self.reps.choices = options((str(value), name) for value, name in pairs)

    def validate_reps(self, field: Any) -> None:
        """Refuse a list for nobody."""
        if not field.data:
            raise ValidationError(gettext("Choose at least one person."))

    def chosen(self) -> list[uuid.UUID]:
        """Return the public ids of the people chosen, each once and in their order."""
        return [uuid.UUID(value) for value in dict.fromkeys(self.reps.data or [])]
