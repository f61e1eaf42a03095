"""The forms that take the files of each register."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from flask_wtf.file import FileField
from wtforms.validators import InputRequired, ValidationError

from crm.web.forms import DayField, Form, TextField
from crm.web.guard import my_today

ENDINGS = (".csv", ".csv.gz")


class CsvField(FileField):
    """A CSV file, packed with gzip or not. needed: False for one that may be left out."""

    def __init__(self, label: Any, *, needed: bool = True, **more: Any) -> None:
        render = {"accept": ".csv,.gz,text/csv,application/gzip"}
        super().__init__(label, render_kw=render, **more)
        self.needed = needed

    def pre_validate(self, form: Any) -> None:
        """Raise ValidationError for a missing file, or one of another sort by its name."""
        if not self.data:
            if self.needed:
                raise ValidationError(gettext("Choose a file."))
            return
        if not str(self.data.filename).lower().endswith(ENDINGS):
            raise ValidationError(gettext("Choose a file whose name ends in .csv or .csv.gz."))


class FilesForm(Form):
    """A form that hands over files by the names that the service knows them by."""

    def contents(self) -> Mapping[str, bytes]:
        """Return the content of each file that was chosen, by name."""
        return {
            field.short_name: field.data.read()
            for field in self
            if isinstance(field, CsvField) and field.data
        }


class GenderPayForm(FilesForm):
    """One year of gender pay gap returns."""

    employers = CsvField(_("The file of employers"))


class NhsForm(FilesForm):
    """NHS trusts and sites, and their staff."""

    sites = CsvField(_("Trusts and sites"))
    staff = CsvField(_("Staff of each organisation"))
    hospitals = CsvField(
        _("Hospitals, if you have it"),
        needed=False,
        description=_("It adds where sites lie on a map."),
    )


class MemberCountsForm(FilesForm):
    """Members and workers stated for each place."""

    counts = CsvField(
        _("The file of counts"),
        description=_(
            "The first row holds the headings: name, workers, members. You can add id and covered."
        ),
    )
    employer_name = TextField(
        _("Put the places under"),
        limit=200,
        validators=[InputRequired(_("Enter a name to put the places under."))],
        description=_("The name of an employer or of a group of places, like US counties."),
    )
    scheme = TextField(
        _("What sort of ids the file has"),
        limit=40,
        validators=[InputRequired(_("Enter a short name for the sort of ids."))],
        description=_(
            "A short name, like us-county. Use the same one next time, so that places are found."
        ),
    )
    on_day = DayField(
        _("The day the counts are true for"),
        validators=[InputRequired(_("Enter the day the counts are true for."))],
    )

    def validate_on_day(self, field: DayField) -> None:
        """Raise ValidationError for a day that has not come yet."""
        day: date | None = field.data
        if day is not None and day > my_today():
            raise ValidationError(gettext("Enter a day that is not in the future."))
