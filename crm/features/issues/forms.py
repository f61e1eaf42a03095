"""Which day and how far back. It stands in the address, so it can be sent to others."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import SelectField
from wtforms.fields import SelectChoice

from crm.web.forms import DayField, Form, options
from crm.web.labels import ISSUES

CHOOSE = _("Choose one from the list.")
NOT_YET = _("This day has not come yet. Choose today or a day before.")

# Days back from the day, counted with it; the empty choice is the first one.
WINDOWS: dict[str, tuple[int, Any]] = {
    "": (91, _("The last 3 months")),
    "month": (30, _("The last 30 days")),
    "year": (365, _("The last year")),
    "all": (36500, _("All that is written down")),
}


class IssuesForm(Form):
    """Which talks are counted, and whose words are read."""

    class Meta:
        """Nothing is changed by looking, and the address can be sent to somebody else."""

        csrf = False

    as_at = DayField(_("As at"))
    back = SelectField(
        _("Talks in"),
        choices=options((value, word) for value, (_days, word) in WINDOWS.items()),
        default="",
        invalid_choice_message=CHOOSE,
    )
    issue = SelectField(
        _("Whose words to read"),
        choices=[
            SelectChoice("", _("Everybody’s")),
            *(SelectChoice(code, word) for code, word in ISSUES.items()),
        ],
        default="",
        invalid_choice_message=CHOOSE,
    )

    def check(self, today: date) -> tuple[date, date]:
        """Validate and return the first and the last day to count; today is the last by default."""
        self.validate()
        day: date | None = self.as_at.data
        if day is not None and day > today:
            self.as_at.errors = [*self.as_at.errors, str(NOT_YET)]
            day = None
        last = day or today
        days, _word = WINDOWS["" if self.back.errors else self.back.data or ""]
        return max(last - timedelta(days=days - 1), date(1900, 1, 1)), last

    def chosen_issue(self) -> str | None:
        """Return the code of the issue whose words are wanted, None for all."""
        return None if self.issue.errors else self.issue.data or None
