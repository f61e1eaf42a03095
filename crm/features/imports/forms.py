"""The forms of a list on its way in. Those with a field for each column are made for each list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask_babel import format_decimal, gettext, ngettext
from flask_babel import lazy_gettext as _
from flask_wtf.file import FileField
from wtforms import BooleanField, HiddenField, IntegerField, RadioField, SelectField, StringField
from wtforms import SelectMultipleField as ManyField
from wtforms.validators import InputRequired, NumberRange, Optional, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from crm.analysis.tables.found import DELIMITERS, ENCODINGS, MORE_ENCODINGS
from crm.domain.assessment import Basis
from crm.domain.columns import TARGETS, Target
from crm.domain.headcount import Counts, HeadcountSource
from crm.domain.vocabulary import ImportKind, ListOrigin
from crm.features.imports.places import ITS_OWN
from crm.features.imports.rules import ALL_MEMBERS
from crm.web.forms import DayField, Form, TextField, options
from crm.web.labels import LABELS

ENDINGS = (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".ods", ".vcf", ".vcard")

TARGET_WORDS: dict[Target, Any] = {
    Target.LEAVE_OUT: _("Leave out"),
    Target.FULL_NAME: _("Full name"),
    Target.LAST_NAME_FIRST: _("Full name, last name first"),
    Target.FIRST_NAME: _("First name"),
    Target.LAST_NAME: _("Last name"),
    Target.KNOWN_AS: _("The name they use"),
    Target.PRONOUNS: _("Pronouns"),
    Target.PHONE: _("Phone"),
    Target.EMAIL: _("Email"),
    Target.ADDRESS: _("Postal address"),
    Target.WORKPLACE: _("Workplace"),
    Target.AREA: _("Department or area"),
    Target.SHIFT: _("Shift"),
    Target.JOB_TITLE: _("Job title"),
    Target.CONTRACT: _("Contract"),
    Target.STARTED_ON: _("Started the job on"),
    Target.LEFT_ON: _("Left the job on"),
    Target.MEMBER: _("Union member?"),
    Target.UNION: _("Which union"),
    Target.JOINED_ON: _("Joined the union on"),
    Target.STANDING: _("Where they stand, 1 to 5"),
    Target.STANDING_ON: _("The day they were asked"),
    Target.NUMBER: _("Shopfloor number"),
    Target.TAGS: _("Tags"),
    Target.OWN_FIELD: _("The field of ours with this name"),
    Target.PLACE_NAME: _("Name of the workplace"),
    Target.EMPLOYER: _("Employer"),
    Target.PLACE_ADDRESS: _("Address"),
    Target.POSTCODE: _("Postcode"),
    Target.COUNTRY: _("Country"),
    Target.AREA_NAME: _("Department or area"),
    Target.HEADCOUNT: _("How many work there"),
    Target.MEMBERS: _("How many members"),
    Target.SUPPLIES: _("Whom it supplies"),
    Target.OTHER_PLACE: _("Name of the other workplace"),
    Target.HOW: _("What became of it"),
    Target.HAPPENED_ON: _("The day it happened"),
    Target.BALLOT_NAME: _("Name of the ballot"),
    Target.QUESTION: _("What was asked"),
    Target.ENTITLED: _("Entitled to vote"),
    Target.CAST: _("Papers that came back"),
    Target.VALID: _("Valid votes"),
    Target.YES: _("Yes"),
    Target.NO: _("No"),
    Target.SPOILED: _("Spoiled or blank"),
    Target.LAW: _("Under which law"),
    Target.OPENS_ON: _("Opened on"),
    Target.CLOSES_ON: _("Last day of voting"),
}
DELIMITER_WORDS: dict[str, Any] = {
    ",": _("Comma (,)"),
    ";": _("Semicolon (;)"),
    "\t": _("Tab"),
    "|": _("Bar (|)"),
    "¬": _("Not sign (¬)"),
}
ENCODING_WORDS: dict[str, Any] = {
    "utf-8": _("UTF-8 (usual)"),
    "cp1252": _("Windows, Western Europe"),
    "utf-16": _("UTF-16"),
    "cp1250": _("Windows, Central Europe"),
    "cp1251": _("Windows, Cyrillic"),
    "cp1253": _("Windows, Greek"),
    "cp1254": _("Windows, Turkish"),
    "mac_roman": _("Old Mac"),
}
CHOOSE = _("Choose")
LEFT_OUT_WORDS = _("Leave out: as if it were empty")


class ListField(FileField):
    """A list in any of the sorts that are read."""

    def __init__(self, label: Any, **more: Any) -> None:
        super().__init__(label, render_kw={"accept": ",".join(ENDINGS)}, **more)

    def pre_validate(self, form: Any) -> None:
        """Raise ValidationError when there is no file. What sort it is, its content says."""
        if not self.data:
            raise ValidationError(gettext("Choose a file."))


class UploadForm(Form):
    """A list, what it is about, and by what right it is here."""

    file = ListField(
        _("The list"),
        description=_("CSV, XLSX, XLS, ODS or vCard, up to 5 MB."),
    )
    kind = RadioField(
        _("What is each row about?"),
        choices=options((one.value, LABELS[one]) for one in ImportKind),
        default=ImportKind.PEOPLE.value,
        validators=[InputRequired(_("Choose what each row is about."))],
    )
    origin = RadioField(
        _("Where does this list come from?"),
        choices=options((one.value, LABELS[one]) for one in ListOrigin),
        validators=[InputRequired(_("Choose where this list comes from."))],
    )
    origin_note = TextField(
        _("Who gave it to you, and when? (you can leave this empty)"), limit=300
    )


def upload_form(kinds: Sequence[ImportKind]) -> UploadForm:
    """Return the form that offers these kinds."""
    form = UploadForm()
    form.kind.choices = options((one.value, LABELS[one]) for one in kinds)
    if ImportKind.PEOPLE not in kinds:
        form.kind.default = None
    return form


class TickField(ManyField):
    """Several boxes to tick."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class ReadForm(Form):
    """How a file is read, where a first guess was wrong."""

    sheet = SelectField(_("Sheet"), validate_choice=True)
    encoding = SelectField(
        _("How letters are written"),
        choices=options((one, ENCODING_WORDS[one]) for one in (*ENCODINGS, *MORE_ENCODINGS)),
    )
    delimiter = SelectField(
        _("What stands between cells"),
        choices=options((one, DELIMITER_WORDS[one]) for one in DELIMITERS),
    )
    heading_row = IntegerField(
        _("Row with the headings"),
        description=_("0 when the list has no headings."),
        validators=[
            InputRequired(_("Enter the number of a row, or 0.")),
            NumberRange(0, 200_000, _("Enter the number of a row, or 0.")),
        ],
    )
    left_out = TickField(
        _("Rows that are not part of the list"),
        description=_(
            "They look like totals, notes or more headings. Take the tick away to use one."
        ),
        coerce=int,
        validate_choice=False,
    )


def read_form(sheets: Sequence[str], left_out: Sequence[tuple[int, str]], **more: Any) -> ReadForm:
    """Return the form for a file. sheets: their names. left_out: row numbers, and what is there."""
    form = ReadForm(**more)
    form.sheet.choices = options((one, one) for one in sheets)
    form.left_out.choices = options((str(number), words) for number, words in left_out)
    if not sheets:
        del form.sheet
    else:
        del form.encoding
        del form.delimiter
    if not left_out:
        del form.left_out
    return form


class _MatchForm(Form):
    """Where the columns go, and what is true of the whole list."""

    as_at = DayField(
        _("The day this list is true for"),
        description=_(
            "The day it was made, not the day you got it. Jobs and memberships that are new here "
            "start on this day. What is known from a later day stays."
        ),
    )


def match_form(
    kind: ImportKind,
    columns: Sequence[tuple[int, Any]],
    *,
    workplaces: Sequence[tuple[str, str]],
    employers: Sequence[tuple[str, str]],
    unions: Sequence[tuple[str, str]],
    buyers: Sequence[tuple[str, str]] = (),
    may_add_employers: bool = False,
    **more: Any,
) -> Any:
    """Return the form for a list, with a select for each column.

    columns: position and label. workplaces, employers, unions, buyers: values and words; empty
    ones are not asked. may_add_employers: a new workplace may come with an employer of its own.
    """
    fields: dict[str, Any] = {}
    words = options((one.value, TARGET_WORDS[one]) for one in TARGETS[kind])
    for place, label in columns:
        fields[f"to{place}"] = SelectField(label, choices=words)
    none = [("", CHOOSE)]
    if workplaces:
        fields["workplace"] = SelectField(
            _("Workplace of everybody on it"),
            choices=options([*none, *workplaces]),
            description=_("Not needed when a column names the workplace."),
        )
    if kind is not ImportKind.PEOPLE:
        _add_questions_of_places(fields, employers, unions, may_add=may_add_employers)
        if kind is ImportKind.SUPPLIERS:
            fields["buyer"] = SelectField(
                _("Whom do they supply?"),
                choices=options([*none, *buyers]),
                description=_("Not needed when a column names the buyer of each."),
            )
        return type("MatchForm", (_MatchForm,), fields)(**more)
    fields["union"] = SelectField(
        _("Union that the list speaks of"),
        choices=options([*none, *unions]),
        description=_("Needed when a column says who is a member."),
    )
    fields[ALL_MEMBERS] = BooleanField(
        _("Everybody on this list is a member of that union"),
        description=_("For a list of members that has no column for it."),
    )
    fields["strongest"] = RadioField(
        _("Which number means the strongest support?"),
        choices=options([("1", _("1 is the strongest")), ("5", _("5 is the strongest"))]),
        description=_("Needed when a column says where people stand. Unions count both ways."),
        validators=[Optional()],
    )
    fields["basis"] = SelectField(
        _("How do we know where they stand?"),
        choices=options((one.value, LABELS[one]) for one in Basis),
        default=Basis.TOLD.value,
    )
    made = type("MatchForm", (_MatchForm,), fields)
    return made(**more)


def other_form(
    kind: ImportKind,
    columns: Sequence[tuple[int, Any]],
    questions: Mapping[str, Any],
    **more: Any,
) -> Any:
    """Return the form for a list that is not of people or workplaces.

    columns: position and label. questions: fields about the whole list, by name; ``asked`` of the
    form says these names.
    """
    words = options((one.value, TARGET_WORDS[one]) for one in TARGETS[kind])
    fields: dict[str, Any] = {
        f"to{place}": SelectField(label, choices=words) for place, label in columns
    }
    made = type("MatchForm", (Form,), {**fields, **questions, "asked": tuple(questions)})
    return made(**more)


def _add_questions_of_places(
    fields: dict[str, Any],
    employers: Sequence[tuple[str, str]],
    unions: Sequence[tuple[str, str]],
    *,
    may_add: bool,
) -> None:
    none = [("", CHOOSE)]
    own = [(ITS_OWN, _("Each one its own new employer, of the same name"))] if may_add else []
    if employers or own:
        fields["employer"] = SelectField(
            _("Employer of workplaces that are new"),
            choices=options([*none, *own, *employers]),
            description=_("Not needed when a column names the employer."),
        )
    fields["counts"] = SelectField(
        _("Whom does the headcount count?"),
        choices=options([*none, *((one.value, LABELS[one]) for one in Counts)]),
        description=_("Needed when a column says how many work there."),
    )
    fields["source"] = SelectField(
        _("Where do the numbers come from?"),
        choices=options([*none, *((one.value, LABELS[one]) for one in HeadcountSource)]),
        description=_("Needed when a column holds numbers of people."),
    )
    fields["union"] = SelectField(
        _("Whose members are counted?"),
        choices=options([("", _("All unions together")), *unions]),
    )


def values_form(
    questions: Iterable[tuple[str, str, Sequence[tuple[str, Any]], str]],
    new: Iterable[tuple[str, int, Target]],
    **more: Any,
) -> Any:
    """Return the form that asks what values stand for.

    questions: the name of the field, the value as the list writes it, what it may stand for, and
    a hint or "". new: for a column of areas or of employers the name of a box that makes all words
    without a meaning new ones, how many these are, and where the column goes.
    """
    fields: dict[str, Any] = {
        name: SelectField(
            value,
            choices=options([("?", CHOOSE), ("", LEFT_OUT_WORDS), *choices]),
            description=hint,
        )
        for name, value, choices, hint in questions
    }
    fields |= {
        name: BooleanField(
            ngettext(
                "Make the %(count)s word that I have not chosen a new area",
                "Make all %(count)s words that I have not chosen new areas",
                number,
                count=format_decimal(number),
            )
            if target is Target.AREA
            else ngettext(
                "Make the %(count)s word that I have not chosen a new employer",
                "Make all %(count)s words that I have not chosen new employers",
                number,
                count=format_decimal(number),
            )
        )
        for name, number, target in new
    }
    return type("ValuesForm", (Form,), fields)(**more)


class VersionForm(Form):
    """A button of the check. version: of the check that it stands on."""

    version = HiddenField()

    @property
    def number(self) -> int:
        """Return the version, -1 for one that was tampered with."""
        text = str(self.version.data or "")
        return int(text) if text.isdecimal() and len(text) < 9 else -1


class StartForm(VersionForm):
    """The import, with a tick that the warning was seen."""

    looked = BooleanField(_("I have looked at this, and it is right"))


def fix_form(
    fixes: Iterable[tuple[str, Any]],
    people: Mapping[str, Sequence[tuple[str, Any]]],
    skips: Iterable[tuple[str, Any]],
    places: Mapping[str, Sequence[tuple[str, Any]]],
    alike: int,
    employers: Sequence[tuple[str, Any]],
    meant: Mapping[str, Sequence[tuple[str, Any]]],
    **more: Any,
) -> Any:
    """Return the form of the check.

    fixes: name and label of each cell to put right. skips: name and label of each row to skip.
    people: for each row that could be about somebody we know, whom it could be. places: the same
    for each name that could mean a workplace that is here. alike: how many such names there are,
    those that are not shown too. employers: of all workplaces of the list that are new, where none
    was said yet; empty when that is not the question. meant: for each name of a workplace that
    nobody has, which it could mean.
    """
    fields: dict[str, Any] = {name: StringField(label) for name, label in fixes}
    fields |= {name: BooleanField(label) for name, label in skips}
    fields |= {
        name: RadioField(_("Is it one of these?"), choices=options(choices), default="ask")
        for name, choices in meant.items()
    }
    if employers:
        fields["employer"] = SelectField(
            _("Employer of the workplaces that are new"),
            choices=options([("", CHOOSE), *employers]),
        )
    fields |= {
        name: RadioField(_("Same person?"), choices=options(choices), default="ask")
        for name, choices in people.items()
    }
    if len(people) > 1:
        fields["others"] = BooleanField(
            ngettext(
                "Of this %(count)s, unless I have chosen, it is somebody new",
                "Of these %(count)s, all whom I have not chosen are somebody new",
                len(people),
                count=format_decimal(len(people)),
            ),
            description=_("If one of them is here after all, “Here twice?” finds both later."),
        )
    fields |= {
        name: RadioField(_("Same workplace?"), choices=options(choices), default="ask")
        for name, choices in places.items()
    }
    if places:
        fields["all_new"] = BooleanField(
            ngettext(
                "Unless I have chosen, it is a new workplace",
                "All of these %(count)s that I have not chosen are new workplaces",
                alike,
                count=format_decimal(alike),
            )
        )
    return type("FixForm", (VersionForm,), fields)(**more)
