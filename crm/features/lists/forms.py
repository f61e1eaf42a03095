"""The forms about lists: what people to look for, and a name for the list."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any

from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _
from wtforms import BooleanField, HiddenField, RadioField, SelectField, SelectMultipleField
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, InputRequired, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from crm.domain.contact_filter import (
    LONGEST_SEARCH,
    MOST_QUIET_DAYS,
    Compare,
    ContactFilter,
    FieldTest,
    MemberFilter,
    Reminder,
    Stand,
)
from crm.domain.custom_fields import LONGEST_TEXT, NotThatKind, answer_text, parse_answer
from crm.domain.people_columns import ColumnGroup, FileKind
from crm.domain.vocabulary import FieldKind
from crm.features.lists.queries import Offered
from crm.reads.places import Choice
from crm.web.contact_filter import COMPARES, MEMBERS, REMINDERS, STANDS
from crm.web.errors import sentence
from crm.web.forms import DayField, Form, TextField, chosen_id
from crm.web.labels import ISSUES, choices


class Act(StrEnum):
    """What can be done with many people of a list at once."""

    REMINDER = "reminder"
    TAG = "tag"
    UNTAG = "untag"
    GIVE = "give"


CHOOSE = _("Choose one from the list.")
ANYBODY = _("Anybody")
DAYS = _("Enter a number of days from 1 to %(most)s.", most=MOST_QUIET_DAYS)
# The kinds of answer that can be more or less than another.
_ORDERED = (FieldKind.NUMBER, FieldKind.DAY)


class Select(SelectField):
    """A select that takes what was left out as its first, empty choice."""

    def __init__(self, label: Any, pairs: Iterable[tuple[str, Any]] = (), **more: Any) -> None:
        values = {"default": "", "invalid_choice_message": CHOOSE, **more}
        super().__init__(label, choices=[SelectChoice(*pair) for pair in pairs], **values)

    def offer(self, found: Iterable[Choice], first: Any) -> None:
        """Take these as the choices, after an empty one."""
        self.choices = [
            SelectChoice("", first),
            *(SelectChoice(one.value, one.label) for one in found),
        ]


class PlainRadio(RadioField):
    """Radio buttons whose refusal says what to do."""

    def __init__(self, label: Any, pairs: Iterable[tuple[str, Any]], **more: Any) -> None:
        values = {"invalid_choice_message": CHOOSE, "validators": [InputRequired(CHOOSE)], **more}
        super().__init__(label, choices=[SelectChoice(*pair) for pair in pairs], **values)


class Ticks(SelectMultipleField):
    """Choices to tick, any number of them."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def __init__(self, label: Any, pairs: Iterable[tuple[str, Any]] = (), **more: Any) -> None:
        super().__init__(
            label,
            choices=[SelectChoice(*pair) for pair in pairs],
            **{"invalid_choice_message": CHOOSE, **more},
        )


class FilterForm(Form):
    """Everything that a list of people can be narrowed by."""

    class Meta:
        """Nothing is changed by looking."""

        csrf = False

    q = TextField(_("Name, phone, job, area or tag"), limit=LONGEST_SEARCH)
    place = Select(_("Where"))
    shift = Select(_("Shift"))
    employer = Select(_("Who pays their wages"))
    stand = Ticks(
        _("Where they stand"),
        [(stand.value, word) for stand, word in STANDS],
        description=_("Tick none for everybody."),
    )
    member = Select(_("In a union"), [("", ANYBODY), *((one.value, word) for one, word in MEMBERS)])
    union = Select(_("Member of this union"))
    leader = BooleanField(_("Only leaders"))
    quiet = TextField(
        _("No talk in the last days"),
        limit=4,
        description=_("A number of days, such as 60. People we never talked to are kept too."),
    )
    reminder = Select(
        _("Reminders"), [("", ANYBODY), *((one.value, word) for one, word in REMINDERS)]
    )
    issue = Select(_("What matters to them"), [("", ANYBODY), *ISSUES.items()])
    no_task = BooleanField(_("Only people who said yes, and nobody follows it up"))
    tag = Select(_("Tag"))
    field = Select(_("Field"))
    how = Select(_("Its answer"), [(one.value, word) for one, word in COMPARES], default="is")
    value = TextField(
        _("This answer"),
        limit=LONGEST_TEXT,
        description=_("Yes or no, a number, a date like 14/05/2026, a choice, or the words."),
    )

    offered: Offered

    def offer(self, offered: Offered) -> None:
        """Take these as what can be asked for."""
        self.offered = offered
        self.place.offer(offered.places, _("Everywhere"))
        self.shift.offer(offered.shifts, ANYBODY)
        self.employer.offer(offered.employers, ANYBODY)
        self.union.offer(offered.unions, ANYBODY)
        self.tag.offer(offered.tags, ANYBODY)
        self.field.offer(offered.fields, ANYBODY)

    def show(self, chosen: ContactFilter) -> None:
        """Fill the fields with a filter."""
        words = chosen.words()
        for name, some in words.items():
            self[name].data = some if name == "stand" else some[0]
        for name in ("leader", "no_task"):
            self[name].data = name in words
        if chosen.field is not None:
            names = self.offered.choices.get(str(chosen.field.field), {})
            by_text = {str(public_id): name for public_id, name in names.items()}
            self.value.data = by_text.get(chosen.field.value, chosen.field.value)

    def validate_quiet(self, field: Any) -> None:
        """Refuse what is no number of days."""
        text = (field.data or "").strip()
        if text and not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_QUIET_DAYS):
            raise ValidationError(str(DAYS))

    def validate_value(self, field: Any) -> None:
        """Refuse an answer that is not of the kind of the field."""
        if not self.field.data or self.field.data not in self.offered.kinds:
            return
        how = Compare(self.how.data) if self.how.data in set(Compare) else Compare.IS
        text = (field.data or "").strip()
        if how is Compare.NOT_KNOWN:
            return
        if not text:
            raise ValidationError(gettext("Write the answer to look for."))
        kind = self.offered.kinds[self.field.data]
        if how is not Compare.IS and kind not in _ORDERED:
            raise ValidationError(gettext("Only numbers and dates can be more or less."))
        try:
            parse_answer(kind, text, self.offered.choices.get(self.field.data))
        except NotThatKind as refusal:
            raise ValidationError(sentence(refusal)) from refusal

    def chosen(self) -> ContactFilter:
        """Return the filter. Only after ``validate`` found nothing to refuse."""
        quiet = self.text("quiet")
        return ContactFilter(
            text=self.text("q") or "",
            place=chosen_id(self.place.data),
            shift=chosen_id(self.shift.data),
            employer=chosen_id(self.employer.data),
            union=chosen_id(self.union.data),
            stands=frozenset(map(Stand, self.stand.data or ())),
            member=MemberFilter(self.member.data) if self.member.data else None,
            leader=bool(self.leader.data),
            tag=chosen_id(self.tag.data),
            field=self._field(),
            quiet_days=int(quiet) if quiet else None,
            reminder=Reminder(self.reminder.data) if self.reminder.data else None,
            issue=self.issue.data or None,
            no_task=bool(self.no_task.data),
        )

    def _field(self) -> FieldTest | None:
        field = chosen_id(self.field.data)
        if field is None:
            return None
        how = Compare(self.how.data or Compare.IS)
        if how is Compare.NOT_KNOWN:
            return FieldTest(field, how)
        kind = self.offered.kinds[str(field)]
        names = self.offered.choices.get(str(field))
        answer = parse_answer(kind, self.value.data or "", names)
        return None if answer is None else FieldTest(field, how, answer_text(answer))


class ListForm(Form):
    """The name of a list, and who may use it too."""

    version = HiddenField()
    name = TextField(
        _("Name of the list"),
        limit=80,
        validators=[InputRequired(_("Fill this in."))],
        description=_("Do not write a person’s name. Everybody you share the list with reads it."),
    )
    share = Select(
        _("Who else may use it?"),
        description=_(
            "They get the same question, with the people they look after. Not your people."
        ),
    )

    def offer(self, places: Iterable[Choice]) -> None:
        """Take these as the places that a list can be shared with."""
        self.share.choices = [
            SelectChoice("", _("Only me")),
            *(
                SelectChoice(
                    one.value, gettext("Everybody who looks after %(place)s", place=one.label)
                )
                for one in places
            ),
        ]


class FileForm(Form):
    """What goes into a file of people, and why it is taken."""

    kind = PlainRadio(
        _("What kind of file?"),
        choices((FileKind.XLSX, FileKind.CSV, FileKind.VCARD)),
        default=FileKind.XLSX.value,
    )
    columns = Ticks(
        _("What goes in, besides the names?"),
        [
            (ColumnGroup.WORK.value, _("Workplace, area, shift and job")),
            (ColumnGroup.DETAILS.value, _("Phones, email and address")),
            (ColumnGroup.MEMBERSHIP.value, _("Union membership")),
            (ColumnGroup.STANDING.value, _("Where they stand")),
            (ColumnGroup.TALKS.value, _("The day of the last talk")),
            (ColumnGroup.OWN.value, _("Tags and fields")),
        ],
        description=_("Take as little as you need. Cards hold names, phones and email only."),
    )
    reason = TextField(
        _("What do you need it for?"),
        limit=200,
        validators=[DataRequired(_("Write what you need the file for."))],
        description=_("Others who look after these places can read this in the trail."),
    )

    def groups(self) -> tuple[ColumnGroup, ...]:
        """Return the columns asked for; a card has its own."""
        if self.kind.data == FileKind.VCARD:
            return (ColumnGroup.DETAILS,)
        return tuple(map(ColumnGroup, self.columns.data or ()))


class ActForm(Form):
    """One thing to do with many people of a list."""

    mark = HiddenField()
    act = PlainRadio(_("What do you want to do?"), [])
    to = Select(_("Who is it for?"))
    due_on = DayField(_("By which day?"))
    what = TextField(
        _("What about"),
        limit=200,
        description=_("A few words for whoever speaks to them. Leave empty if it is plain."),
    )
    tag = Select(_("Which tag?"))
    who = PlainRadio(_("With whom?"), [])
    people = Ticks(_("People"))

    def offer(
        self,
        acts: Iterable[tuple[str, Any]],
        speakers: Iterable[Choice],
        tags: Iterable[Choice],
        people: Sequence[tuple[str, str]],
    ) -> None:
        """Take these as the choices. people: (public id, name)."""
        self.act.choices = [SelectChoice(*pair) for pair in acts]
        self.to.offer(speakers, _("Choose"))
        self.tag.offer(tags, _("Choose"))
        self.people.choices = [SelectChoice(*pair) for pair in people]
        self.who.choices = [
            SelectChoice("ticked", gettext("Only the people ticked below")),
            SelectChoice(
                "all",
                ngettext(
                    "The %(num)s person on this list",
                    "All %(num)s people on this list",
                    len(people),
                ),
            ),
        ]

    def ticked(self) -> list[uuid.UUID] | None:
        """Return the public ids ticked; None when all are meant."""
        if self.who.data == "all":
            return None
        return [one for value in self.people.data or () if (one := chosen_id(value))]

    def validate_to(self, field: Any) -> None:
        """A reminder, and people, are given to somebody."""
        if self.act.data in (Act.REMINDER, Act.GIVE) and not field.data:
            raise ValidationError(str(CHOOSE))

    def validate_tag(self, field: Any) -> None:
        """A tag is chosen."""
        if self.act.data in (Act.TAG, Act.UNTAG) and not field.data:
            raise ValidationError(str(CHOOSE))

    def validate_due_on(self, field: Any) -> None:
        """A reminder has a day."""
        if self.act.data == Act.REMINDER and field.data is None and not field.errors:
            raise ValidationError(gettext("Enter the day they should do it by."))


class ConfirmForm(Form):
    """Nothing but a button and its token."""
