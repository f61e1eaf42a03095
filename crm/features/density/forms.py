"""The filters of the density page. They stand in the address, so they can be sent to others."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import SelectField

from crm.domain.bases import CHOSEN, Roster
from crm.domain.headcount import Counts
from crm.domain.vocabulary import Sector
from crm.features.density.queries import Choices
from crm.reads.figures import GroupBy
from crm.web.forms import DayField, Form, options
from crm.web.labels import INDUSTRIES, LABELS

CHOOSE = _("Choose one from the list.")
NOT_YET = _("This day has not come yet. Choose today or a day before.")

GROUPS: dict[GroupBy, Any] = {
    GroupBy.WORKPLACE: _("Workplace"),
    GroupBy.AREA: _("Area of a workplace"),
    GroupBy.EMPLOYER: _("Employer"),
    GroupBy.UNION: _("Union"),
    GroupBy.BRANCH: _("Branch"),
    GroupBy.REGION: _("Region"),
    GroupBy.SECTOR: _("Sector"),
    GroupBy.INDUSTRY: _("Industry"),
}
# Full-time equivalents are hours, not people: no density stands on them.
BASES = CHOSEN
PLACES = ("union", "branch", "region", "employer", "workplace")


class _Choice(SelectField):
    """A select that takes what is not in the address as its first choice."""

    def __init__(self, label: Any, pairs: Iterable[tuple[str, Any]] = (), **more: Any) -> None:
        values = {"default": "", "invalid_choice_message": CHOOSE, **more}
        super().__init__(label, choices=options(pairs), **values)

    def offer(self, pairs: Iterable[tuple[str, Any]]) -> None:
        """Put what can be chosen into the list."""
        self.choices = options(pairs)


class FilterForm(Form):
    """What the density page shows."""

    class Meta:
        """Nothing is changed by looking, and the address can be sent to somebody else."""

        csrf = False

    by = _Choice(
        _("A line for each"),
        [(group.value, words) for group, words in GROUPS.items()],
        default=GroupBy.WORKPLACE.value,
    )
    as_at = DayField(_("As at"))
    compare = DayField(_("Compare with"))
    counts = _Choice(
        _("Out of"),
        [(basis.value, LABELS[basis]) for basis in BASES],
        default=Counts.SITE_ALL.value,
    )
    union = _Choice(_("Members of"), validate_choice=False)
    branch = _Choice(_("Branch"), validate_choice=False)
    region = _Choice(_("Region"), validate_choice=False)
    employer = _Choice(_("Employer"), validate_choice=False)
    sector = _Choice(
        _("Sector"),
        [("", _("Every sector")), *((one.value, LABELS[one]) for one in Sector)],
    )
    industry = _Choice(
        _("Industry"),
        [("", _("Every industry")), *INDUSTRIES.items()],
        description=_("By the employer's first SIC code."),
    )
    saved = _Choice(
        _("Only people on the list"),
        validate_choice=False,
        description=_("Then it is out of the people on that list, as you see it."),
    )
    knew = DayField(_("As we knew on"), description=_("Leave empty for what we know now."))

    def as_on_changes(self) -> None:
        """Call the two days as the page of what changed does."""
        self.compare.label.text = _("From")
        self.compare.description = _("Leave empty for a year before.")
        self.as_at.label.text = _("To")
        self.counts.offer([(one.value, LABELS[one]) for one in BASES if one != Roster.BALLOT])

    def as_on_more(self) -> None:
        """Leave out what the page of measures does not use: it shows every basis."""
        del self.compare
        del self.counts

    def offer(self, choices: Choices, *, employer_name: str | None) -> None:
        """Put what can be chosen into the selects."""
        self.union.offer([("", _("Any union")), *choices.unions])
        self.branch.offer([("", _("Every branch")), *choices.branches])
        self.region.offer([("", _("Every region")), *choices.regions])
        employers = choices.employers
        if employers is None:
            chosen = self.employer.data
            employers = ((chosen, employer_name),) if chosen and employer_name else ()
            self.employer.description = _(
                "There are too many to list. Show a line for each employer, then choose one."
            )
        self.employer.offer([("", _("Every employer")), *employers])
        self.saved.offer([("", _("Everybody")), *choices.lists])


def place_id(text: str | None) -> uuid.UUID | None:
    """Return the public id in the address; None when there is none.

    Raises ValueError for text that is no id.
    """
    return uuid.UUID(text) if text else None
