"""Which days and which parts a report has. They stand in the address, so they can be sent on."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import SelectMultipleField
from wtforms.validators import InputRequired
from wtforms.widgets import CheckboxInput, ListWidget

from crm.domain.report import ALWAYS, PartName
from crm.features.reports.queries import FOUR_WEEKS
from crm.web.forms import DayField, Form, TextField, options

CHOOSE = _("Choose from the list.")
NOT_YET = _("This day has not come yet. Choose today or a day before.")
NOT_BEFORE = _("The last meeting must be before the day of the report. Choose an earlier day.")
PARTS: dict[PartName, Any] = {
    PartName.CHANGES: _("Since the last meeting"),
    PartName.DENSITY: _("Density"),
    PartName.SUPPORT: _("Where people stand"),
    PartName.TESTS: _("Structure tests"),
    PartName.READINESS: _("Strike-readiness"),
    PartName.LEADERS: _("Leaders"),
    PartName.BALLOTS: _("Ballots"),
    PartName.ISSUES: _("What matters to people"),
    PartName.REMINDERS: _("Reminders"),
    PartName.CASES: _("Deadlines of your cases"),
}


class MakeForm(Form):
    """Asks for a file, or removes what is kept: nothing but its token."""


class RecipeForm(Form):
    """Keeps the parts and days of a report for the next meeting."""

    name = TextField(
        _("Name"),
        limit=60,
        validators=[InputRequired(message=_("Give it a name, such as “Branch meeting”."))],
    )


class ReportForm(Form):
    """What a report shows."""

    class Meta:
        """Nothing is changed by looking, and the address can be sent to somebody else."""

        csrf = False

    since = DayField(
        _("Last meeting"), description=_("What happened after this day counts as new.")
    )
    as_at = DayField(_("As at"))
    parts = SelectMultipleField(
        _("Parts"),
        choices=options((part.value, words) for part, words in PARTS.items()),
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )

    def check(self, today: date) -> tuple[date, date, tuple[PartName, ...]]:
        """Validate, and return the day of the last meeting, the day of the report and its parts.

        Without days it is a report of the four weeks up to today; without parts it has those
        that are always shown. What is wrong is said beside its field and left out.
        """
        self.validate()
        as_at = today if self.as_at.errors or self.as_at.data is None else self.as_at.data
        if as_at > today:
            self.as_at.errors = [*self.as_at.errors, str(NOT_YET)]
            as_at = today
        since = (
            as_at - FOUR_WEEKS if self.since.errors or self.since.data is None else self.since.data
        )
        if since >= as_at:
            self.since.errors = [*self.since.errors, str(NOT_BEFORE)]
            since = as_at - FOUR_WEEKS
        known = {part.value for part in PartName}
        chosen = [part for part in self.parts.data or [] if part in known]
        parts = tuple(part for part in PartName if part.value in chosen) or ALWAYS
        if self.parts.errors:
            self.parts.errors = [str(CHOOSE)]
        # The fields show the days and parts that are on the screen.
        if self.as_at.data is None and not self.as_at.errors:
            self.as_at.data = as_at
        if self.since.data is None and not self.since.errors:
            self.since.data = since
        self.parts.data = [part.value for part in parts]
        return since, as_at, parts
