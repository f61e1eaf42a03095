"""The day to look at, what was found, the terms of a group, and by when reps should go."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import RadioField, SelectField
from wtforms.validators import DataRequired, InputRequired, NumberRange

from crm.domain.readiness import DEFAULT_TARGETS, BadTerms, Finding, GateLimits, Part, Target, Terms
from crm.web.forms import DayField, Form, ShareField, TextField, WholeNumberField, options
from crm.web.labels import choices

CHOOSE = _("Choose one from the list.")
NOT_YET = _("This day has not come yet. Choose today or a day before.")
SHARE = _("Enter a number from 0 to 100.")
WEIGHT = _("Enter a number above 0 and up to 100.")
BELOW = _("“Counts as nothing” must be below “counts as enough”.")
WORDS = _("Say who decided or checked it, and where it is written down.")


class DayForm(Form):
    """As at which day. It stands in the address."""

    class Meta:
        """Nothing is changed by looking."""

        csrf = False

    as_at = DayField(_("As at"))

    def check(self, today: date) -> date:
        """Validate and return the day; today for none and for one that cannot be."""
        self.validate()
        day: date | None = self.as_at.data
        if day is not None and day > today:
            self.as_at.errors = [*self.as_at.errors, str(NOT_YET)]
            day = None
        self.as_at.data = self.as_at.data or today
        return day or today


class FindingForm(Form):
    """What a group found or decided."""

    kind = SelectField(
        _("What was checked or decided?"),
        choices=options(choices(Finding)),
        invalid_choice_message=CHOOSE,
    )
    answer = RadioField(
        _("What was found?"),
        choices=options([("yes", _("Yes")), ("no", _("No"))]),
        validators=[InputRequired(_("Choose yes or no."))],
    )
    on_day = DayField(_("On which day?"), [InputRequired(_("Enter the day."))])
    words = TextField(
        _("Who says so?"),
        limit=300,
        validators=[DataRequired(WORDS)],
        description=_("For example: branch meeting, 41 present, minute 6. No names of members."),
    )


class RemindForm(Form):
    """By when the reps should go and see them."""

    due_on = DayField(_("By which day?"), [InputRequired(_("Enter the day they should do it by."))])


def _percent(label: Any) -> ShareField:
    return ShareField(
        label,
        places=None,
        validators=[InputRequired(SHARE), NumberRange(0, 100, SHARE)],
    )


class TermsForm(Form):
    """Floor, target and weight of each part, and the limits of the gates. All in per cent."""

    from_day = DayField(_("From which day?"), [InputRequired(_("Enter the day."))])
    decided_by = TextField(
        _("Who decided?"),
        limit=200,
        validators=[DataRequired(WORDS)],
        description=_("For example: branch meeting of 3 November, minute 6."),
    )
    list_age_days = WholeNumberField(
        _("The list was gone through in the last … days"),
        validators=[
            InputRequired(_("Enter a number of days from 1 to 365.")),
            NumberRange(1, 365, _("Enter a number of days from 1 to 365.")),
        ],
    )
    verified_share = _percent(_("Members whose address is known to be right, at least (per cent)"))
    chance = _percent(_("Chance that the ballot passes, at least (per cent)"))
    test_share = _percent(_("Took part in the last test, at least (per cent)"))
    area_share = _percent(_("And in every area, at least (per cent)"))

    def fill(self, terms: Terms) -> None:
        """Show these terms."""
        limits = terms.limits
        self.list_age_days.data = limits.list_age_days
        for name in ("verified_share", "chance", "test_share", "area_share"):
            self[name].data = _as_percent(getattr(limits, name))
        for part, target in terms.targets.items():
            for name in ("floor", "target", "weight"):
                self[field_name(part, name)].data = _as_percent(getattr(target, name))

    def validate(self, extra_validators: Any = None) -> bool:
        """Return whether all can be used; what is wrong with a part is said beside it."""
        fine = bool(super().validate(extra_validators))
        for part in DEFAULT_TARGETS:
            floor, target, weight = (
                self[field_name(part, name)] for name in ("floor", "target", "weight")
            )
            if None in (floor.data, target.data, weight.data):
                continue
            if floor.data >= target.data:
                floor.errors = [*floor.errors, str(BELOW)]
                fine = False
            if weight.data <= 0:
                weight.errors = [*weight.errors, str(WEIGHT)]
                fine = False
        return fine

    def terms(self) -> Terms:
        """Return what was typed. Raises BadTerms when it cannot be used."""
        try:
            targets = {
                part: Target(
                    *(
                        float(self[field_name(part, name)].data) / 100
                        for name in ("floor", "target", "weight")
                    )
                )
                for part in DEFAULT_TARGETS
            }
        except ValueError as error:
            raise BadTerms() from error
        limits = GateLimits(
            list_age_days=self.list_age_days.data,
            **{
                name: float(self[name].data) / 100
                for name in ("verified_share", "chance", "test_share", "area_share")
            },
        )
        return Terms.from_json(Terms(targets, limits).as_json())


def field_name(part: Part, name: str) -> str:
    """Return the name of the field for the floor, target or weight of a part."""
    return f"{part.value}_{name}"


def _as_percent(share: float) -> Decimal:
    return Decimal(repr(round(share * 100, 4))).normalize() + 0


for _part in DEFAULT_TARGETS:
    setattr(TermsForm, field_name(_part, "floor"), _percent(_("Counts as nothing (per cent)")))
    setattr(TermsForm, field_name(_part, "target"), _percent(_("Counts as enough (per cent)")))
    setattr(TermsForm, field_name(_part, "weight"), _percent(_("Weight (per cent)")))
