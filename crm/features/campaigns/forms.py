"""The forms of campaigns and tests."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from flask_babel import lazy_gettext as _
from wtforms import HiddenField, IntegerField, RadioField, SelectField, SelectMultipleField
from wtforms.validators import DataRequired, InputRequired, NumberRange, Optional
from wtforms.widgets import CheckboxInput, HiddenInput, ListWidget

from crm.domain.structure import RISK, Deed, Evidence, Rung, VotedHow, WhyNot
from crm.features.campaigns.service import CampaignFacts, Mark, Vote
from crm.reads.places import Choice
from crm.web.forms import (
    DayField,
    Form,
    TextField,
    WholeNumberField,
    WholePercentField,
    chosen_id,
    options,
)
from crm.web.labels import LABELS, choices, choices_or_unknown

CHOOSE = _("Choose one of the list.")
PER_CENT = _("Enter a whole number from 1 to 100, or leave it empty.")
COUNT = _("Enter a whole number, or leave it empty.")


class _OnceForm(Form):
    """A form whose record has its id from the start, so that sending it twice stores it once."""

    id = HiddenField()

    def record_id(self) -> uuid.UUID:
        """Return the id that was made with the form; a new one for a form without it."""
        return chosen_id(self.id.data) or uuid.uuid4()


class FindForm(Form):
    """Part of a name of a place."""

    q = TextField(_("Find a place by its name"), limit=80)


class KnownForm(Form):
    """As we knew on a day. It changes nothing, so that it needs no token."""

    class Meta(Form.Meta):
        """A form of a page that only looks."""

        csrf = False

    knew = DayField(_("As we knew at the end of"), [Optional()])


class CampaignForm(_OnceForm):
    """What a campaign is."""

    name = TextField(
        _("What do you call it?"),
        limit=120,
        validators=[DataRequired(_("Give the campaign a name."))],
        description=_("Such as “15 an hour”."),
    )
    from_day = DayField(_("From which day?"), [InputRequired(_("Enter the first day."))])
    to_day = DayField(
        _("Until which day?"), [Optional()], description=_("Leave it empty when nobody knows yet.")
    )
    target = WholePercentField(
        _("What share of everyone should take part in a test?"),
        [Optional(), NumberRange(1, 100, PER_CENT)],
        description=_("In per cent, as your group has decided. Leave it empty if it has not."),
    )
    units = SelectMultipleField(
        _("Whom is it about?"),
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
        # Which places there are is the service's to say.
        validate_choice=False,
        choices=[],
    )
    version = IntegerField(widget=HiddenInput(), validators=[Optional()])

    def offer(self, units: Iterable[Choice]) -> None:
        """Take these places as the choices."""
        self.units.choices = options((one.value, one.label) for one in units)

    def chosen(self) -> list[uuid.UUID]:
        """Return the public ids of the places chosen; what is no id stands for no place at all."""
        ids = [chosen_id(value) for value in self.units.data or []]
        return [one for one in ids if one is not None]

    def facts(self) -> CampaignFacts:
        """Return what was typed, once the form is valid."""
        return CampaignFacts(
            name=self.text("name") or "",
            from_day=self.from_day.data,
            to_day=self.to_day.data,
            target=self.target.data,
        )


class UnitsForm(Form):
    """Whom a campaign is about from now on."""

    units = SelectMultipleField(
        _("Whom is it about?"),
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
        # Which places there are is the service's to say.
        validate_choice=False,
        choices=[],
    )
    version = IntegerField(widget=HiddenInput(), validators=[Optional()])

    def offer(self, units: Iterable[Choice]) -> None:
        """Take these places as the choices."""
        self.units.choices = options((one.value, one.label) for one in units)

    def chosen(self) -> list[uuid.UUID]:
        """Return the public ids of the places chosen; what is no id stands for no place at all."""
        ids = [chosen_id(value) for value in self.units.data or []]
        return [one for one in ids if one is not None]


class DemandForm(_OnceForm):
    """Something a campaign asks for."""

    words = TextField(
        _("What do you ask for?"),
        limit=300,
        validators=[DataRequired(_("Say what you ask for."))],
        description=_("In the words that members voted on."),
    )
    voted_on = DayField(
        _("When did members vote on it?"),
        [Optional()],
        description=_("Leave it empty when they have not voted yet."),
    )
    voted_how = SelectField(
        _("How did they vote?"),
        choices=options(choices_or_unknown(VotedHow)),
        default="",
        invalid_choice_message=CHOOSE,
    )
    votes_for = WholeNumberField(_("Votes for it"), [Optional(), NumberRange(0, 10_000_000, COUNT)])
    votes_against = WholeNumberField(
        _("Votes against it"),
        [Optional(), NumberRange(0, 10_000_000, COUNT)],
        description=_("Leave both empty when nobody counted."),
    )

    def vote(self) -> Vote:
        """Return how members voted, once the form is valid."""
        return Vote(
            on=self.voted_on.data,
            how=VotedHow(self.voted_how.data) if self.voted_how.data else None,
            votes_for=self.votes_for.data,
            votes_against=self.votes_against.data,
        )


def _rungs() -> list[tuple[str, Any]]:
    return [
        (rung.value, _("%(risk)s · %(what)s", risk=RISK[rung], what=LABELS[rung])) for rung in Rung
    ]


class TestForm(_OnceForm):
    """A new test."""

    kind = SelectField(
        _("What do you ask everybody to do?"),
        choices=options(_rungs()),
        default=Rung.QUIET_PETITION.value,
        invalid_choice_message=CHOOSE,
        description=_("The number is the risk for whoever does it: 1 is least, 5 is most."),
    )
    name = TextField(
        _("What do you call it?"),
        limit=120,
        validators=[DataRequired(_("Give the test a name."))],
        description=_("Such as “Petition about the rota”. It names nobody."),
    )
    base = SelectField(_("Who is asked?"), choices=[], validate_choice=False)
    target = WholePercentField(
        _("What share of everyone should do it?"),
        [Optional(), NumberRange(1, 100, PER_CENT)],
        description=_("In per cent. Leave it empty to use the target of the campaign."),
    )
    closes_on = DayField(
        _("What is the last day?"),
        [Optional()],
        description=_("Leave it empty when there is none yet."),
    )

    def offer(self, pairs: Iterable[tuple[str, Any]]) -> None:
        """Take these places as the choices; "" stands for all units together."""
        self.base.choices = options(pairs)


class MarkForm(Form):
    """What somebody did, in the page of one person."""

    deed = RadioField(
        _("What did they do?"), choices=options(choices(Deed)), default=Deed.DID.value
    )
    why = SelectField(
        _("If they did not: why?"),
        choices=options(choices_or_unknown(WhyNot)),
        default="",
        invalid_choice_message=CHOOSE,
    )
    evidence = SelectField(
        _("How do we know?"),
        choices=options(choices_or_unknown(Evidence)),
        default="",
        invalid_choice_message=CHOOSE,
    )
    day = DayField(_("On which day?"), [InputRequired(_("Enter the day."))])

    def mark(self) -> Mark:
        """Return what is to be written down, once the form is valid."""
        deed = Deed(self.deed.data)
        return Mark(
            deed=deed,
            why=WhyNot(self.why.data) if self.why.data and deed is Deed.DID_NOT else None,
            evidence=Evidence(self.evidence.data) if self.evidence.data else None,
        )


class SheetForm(MarkForm):
    """The same for many people of a printed list."""

    numbers = TextField(
        _("Numbers from the sheet"),
        limit=4000,
        validators=[DataRequired(_("Type at least one number from the sheet."))],
        description=_("Each with its letter, with a space between: 3F 17K 204W."),
    )
