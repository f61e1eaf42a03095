"""The forms about places: their shape is checked here, the world in the service."""

from __future__ import annotations

import math
import uuid
from typing import Any, ClassVar

from flask_babel import get_locale, gettext
from flask_babel import lazy_gettext as _
from wtforms import Field, FloatField, HiddenField, SelectField, TextAreaField, TimeField
from wtforms.validators import Length, NumberRange, Optional, StopValidation, ValidationError

from crm.domain.headcount import Counts, HeadcountSource
from crm.domain.sic import sic_codes, sic_description
from crm.domain.signs import cannot_be_shown, not_turned
from crm.domain.vocabulary import AreaKind, Sector
from crm.features.workplaces import service
from crm.web.clock import time_zones
from crm.web.forms import DayField, Form, TextField, options
from crm.web.labels import choices, choices_or_unknown

_NOT_NAMED = {"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"}


def country_name(code: str | None) -> str | None:
    """Return a country's name in the reader's language; the code where it has none."""
    if code is None:
        return None
    locale = get_locale()
    return str(locale.territories.get(code, code)) if locale else code


def _country_choices() -> list[tuple[str, Any]]:
    locale = get_locale()
    named = locale.territories if locale else {}
    found = [
        (code, name)
        for code, name in named.items()
        if len(code) == 2 and code.isalpha() and code not in _NOT_NAMED
    ]
    return [("", _("Not known")), *sorted(found, key=lambda pair: pair[1])]


class Needed:
    """A field that must hold something; 0 is something, and spaces are nothing."""

    # WTForms looks here for the attributes of the control.
    field_flags: ClassVar[dict[str, bool]] = {"required": True}

    def __init__(self, message: Any) -> None:
        self.message = message

    def __call__(self, form: Any, field: Field) -> None:
        """Raise StopValidation with the sentence, unless a better one was said already."""
        if field.process_errors:
            raise StopValidation()
        if field.data is None or (isinstance(field.data, str) and not field.data.strip()):
            raise StopValidation(str(self.message))


class NumberField(FloatField):
    """A number typed with or without commas: 1,200. Never infinite."""

    # The shared field macro asks for a numeric keyboard where this is set.
    places = None

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the number. An empty field is None: a required field says so itself."""
        text = valuelist[0].strip().replace(",", "").replace(" ", "") if valuelist else ""
        if not text:
            self.data = None
            return
        try:
            number = float(text)
        except ValueError as error:
            self.data = None
            raise ValueError(gettext("Enter a number, such as 120.")) from error
        if not math.isfinite(number) or "_" in text:
            self.data = None
            raise ValueError(gettext("Enter a number, such as 120."))
        self.data = number

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        if self.data is None:
            return ""
        return str(int(self.data)) if self.data == int(self.data) else str(self.data)


class ClockField(TimeField):
    """A time of day, such as 22:00."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the time. An empty field is None."""
        if not valuelist or not valuelist[0].strip():
            self.data = None
            return
        try:
            super().process_formdata([valuelist[0].strip()])
        except ValueError as error:
            raise ValueError(gettext("Enter a time like 22:00.")) from error


class LongTextField(TextAreaField):
    """Some lines of text."""

    def __init__(self, label: Any, *, limit: int, **more: Any) -> None:
        message = _("Use %(limit)s letters or fewer.", limit=limit)
        super().__init__(label, [Length(max=limit, message=message)], **more)

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take the text without the signs that turn what follows."""
        super().process_formdata([not_turned(text) for text in valuelist])

    def pre_validate(self, form: Any) -> None:
        """Raise ValidationError for characters that cannot be stored or shown."""
        if cannot_be_shown(self.data or ""):
            raise ValidationError(gettext("Take out the characters that cannot be shown."))


class PickField(SelectField):
    """One of a list of places by public id; nothing chosen is None."""

    def __init__(self, label: Any, *, none: Any = None, **more: Any) -> None:
        self._none = none
        super().__init__(label, choices=[], **more)

    def offer(self, pairs: list[tuple[str, str]]) -> None:
        """Set what there is to pick."""
        self.choices = options([("", self._none or _("Choose one")), *pairs])

    def picked(self) -> uuid.UUID | None:
        """Return the public id picked, or None."""
        return uuid.UUID(self.data) if self.data else None

    def chosen(self) -> uuid.UUID:
        """Return the public id picked, of a field that needs one. ValueError when there is none."""
        return uuid.UUID(self.data or "")

    def pre_validate(self, form: Any) -> None:
        """Raise ValidationError for what is not in the list."""
        if all(one.value != (self.data or "") for one in self.choices):
            raise ValidationError(gettext("Choose one of the list."))


class WordField(SelectField):
    """One word of a closed list; "Not known" is None where it is offered.

    choices: pairs of value and words, or a function that returns them for the reader.
    """

    def __init__(self, label: Any, *, choices: Any, **more: Any) -> None:
        if callable(choices):
            super().__init__(label, choices=lambda: options(choices()), **more)
        else:
            super().__init__(label, choices=options(choices), **more)

    def pre_validate(self, form: Any) -> None:
        """Raise ValidationError for what is not in the list."""
        if all(str(one.value) != (self.data or "") for one in self.iter_choices()):
            raise ValidationError(gettext("Choose one of the list."))


class VersionedForm(Form):
    """A form that remembers which version of the record it was made from."""

    version = HiddenField()

    def seen(self) -> str:
        """Return the version the form was made from."""
        return str(self.version.data or "")

    def fields_shown(self) -> list[Field]:
        """Return the fields to draw, in order."""
        return [one for one in self if one.name not in {"csrf_token", "version", "looked_for"}]


def _name(label: Any, **more: Any) -> TextField:
    return TextField(label, limit=200, validators=[Needed(_("Enter a name."))], **more)


class EmployerForm(VersionedForm):
    """An employer."""

    name = _name(_("Name"))
    country = WordField(_("Country"), choices=_country_choices)
    company_number = TextField(
        _("Company number (if there is one)"),
        limit=20,
        description=_("As in the companies register. In the UK it has 8 letters or digits."),
    )
    sector = WordField(_("Sector"), choices=choices_or_unknown(Sector))
    sic_codes = TextField(
        _("SIC codes (if you know them)"),
        limit=120,
        description=_("5 digits each, with commas between: 52103, 49410. They say what it does."),
    )
    address = LongTextField(_("Address"), limit=500)
    parent = TextField(
        _("Part of a bigger employer"),
        limit=200,
        description=_("Type the bigger employer’s exact name or company number, or leave empty."),
    )

    def validate_sic_codes(self, field: Field) -> None:
        """Raise ValidationError for a code that is not in the list of SIC 2007."""
        for code in self.codes():
            if not (code.isascii() and code.isdigit() and len(code) == 5):
                raise ValidationError(gettext("Write each SIC code as 5 digits, such as 52103."))
            if sic_description(code) is None:
                raise ValidationError(
                    gettext("%(code)s is not a SIC 2007 code. Check it.", code=code)
                )

    def codes(self) -> tuple[str, ...]:
        """Return the SIC codes typed, each once, in order."""
        text = (self.sic_codes.data or "").replace(";", ",").replace(" ", ",")
        return tuple(dict.fromkeys(code for code in text.split(",") if code))

    def values(self) -> service.EmployerValues:
        """Return what was typed."""
        return service.EmployerValues(
            name=self.text("name") or "",
            country=self.country.data or None,
            company_number=self.text("company_number"),
            sector=Sector(self.sector.data) if self.sector.data else None,
            sic_codes=self.codes(),
            address=self.text("address"),
            parent=self.text("parent"),
        )


def sic_words(codes: tuple[str, ...]) -> str:
    """Return SIC codes with what they stand for, in words."""
    known = sic_codes()
    return "; ".join(f"{code} {known[code]}" if code in known else code for code in codes)


class WorkplaceForm(VersionedForm):
    """A workplace."""

    name = _name(_("Name"), description=_("What the people who work there call it."))
    address = LongTextField(_("Address"), limit=500)
    postcode = TextField(_("Postcode"), limit=12)
    region = PickField(_("Region"), none=_("Not known"))
    country = WordField(_("Country"), choices=_country_choices)
    time_zone = SelectField(
        _("Time zone"),
        choices=lambda: [(zone, zone.replace("_", " ")) for zone in time_zones()],
        validate_choice=False,
    )
    latitude = NumberField(
        _("Latitude (if you know it)"),
        [Optional(), NumberRange(-90, 90, _("Enter a number from -90 to 90."))],
        description=_("In degrees, such as 53.55. South is below 0."),
    )
    longitude = NumberField(
        _("Longitude (if you know it)"),
        [Optional(), NumberRange(-180, 180, _("Enter a number from -180 to 180."))],
        description=_("In degrees, such as -1.48. West is below 0."),
    )

    def validate_time_zone(self, field: Field) -> None:
        """Raise ValidationError for a zone that is not in the list."""
        if field.data not in time_zones():
            raise ValidationError(gettext("Choose one of the list."))

    def validate(self, extra_validators: Any = None) -> bool:
        """Return True when each field is right, and the coordinates are both there or neither."""
        right = bool(super().validate(extra_validators))
        pair = (self.latitude, self.longitude)
        one_only = (self.latitude.data is None) != (self.longitude.data is None)
        if one_only and not any(field.errors for field in pair):
            missing = self.latitude if self.latitude.data is None else self.longitude
            missing.errors = [gettext("Enter both latitude and longitude, or neither.")]
            right = False
        return right

    def values(self) -> service.WorkplaceValues:
        """Return what was typed."""
        return service.WorkplaceValues(
            name=self.text("name") or "",
            address=self.text("address"),
            postcode=self.text("postcode"),
            region=self.region.picked(),
            country=self.country.data or None,
            time_zone=self.time_zone.data,
            latitude=self.latitude.data,
            longitude=self.longitude.data,
        )


class NewWorkplaceForm(WorkplaceForm):
    """A new workplace, with the branch that organises there."""

    # What like workplaces were looked for by when they were shown: asked once, not for ever.
    looked_for = HiddenField()
    branch = PickField(
        _("Branch that organises there"),
        none=_("None yet"),
        description=_("Everyone with a role in the branch can then see this workplace."),
    )
    branch_since = DayField(
        _("Since"), description=_("Leave empty for today. It is used only with a branch.")
    )

    def asks_for(self) -> str:
        """Return what workplaces that may be here already are looked for by, as one text."""
        # A browser writes the ends of lines in its own way: they must not make another text.
        parts = (self.text(name) or "" for name in ("name", "address", "postcode"))
        return " | ".join(" ".join(part.split()) for part in parts)


class PlainForm(Form):
    """A form that changes no record, only adds a fact."""

    def fields_shown(self) -> list[Field]:
        """Return the fields to draw, in order."""
        return [one for one in self if one.short_name != "csrf_token"]


class BranchLinkForm(PlainForm):
    """A branch begins to organise at a workplace."""

    branch = PickField(
        _("Branch"),
        validators=[Needed(_("Choose a branch."))],
        description=_("Everyone with a role in the branch can then see this workplace."),
    )
    since = DayField(_("Since"), [Needed(_("Enter the day it began."))])


class BranchEndForm(PlainForm):
    """A branch stops organising at a workplace."""

    branch = PickField(
        _("Branch that stopped"),
        validators=[Needed(_("Choose a branch."))],
        description=_("People whose role is only in this branch will no longer see it."),
    )
    until = DayField(_("From which day"), [Needed(_("Enter the day it stopped."))])


class CloseForm(VersionedForm):
    """The day a place closed."""

    closed_on = DayField(
        _("Closed on"), description=_("Leave it empty if the place is open after all.")
    )


class AreaForm(VersionedForm):
    """An area's words."""

    name = _name(_("Name"))
    area_kind = WordField(_("What sort of area"), choices=choices(AreaKind))

    def values(self) -> service.AreaValues:
        """Return what was typed."""
        return service.AreaValues(
            name=self.text("name") or "", area_kind=AreaKind(self.area_kind.data)
        )


class NewAreaForm(AreaForm):
    """A new area."""

    parent = PickField(_("Inside"), none=_("The workplace itself"))


class MoveAreaForm(VersionedForm):
    """Where an area lies."""

    parent = PickField(
        _("Inside"),
        none=_("The workplace itself"),
        description=_("The people move with the area, and so do the areas inside it."),
    )


class ShiftForm(VersionedForm):
    """A shift."""

    name = TextField(_("Name"), limit=80, validators=[Needed(_("Enter a name."))])
    starts_at = ClockField(_("Starts at"), [Optional()], description=_("Such as 22:00."))
    ends_at = ClockField(_("Ends at"), [Optional()], description=_("Such as 06:00."))

    def values(self) -> service.ShiftValues:
        """Return what was typed."""
        closed = self["closed_on"].data if "closed_on" in self else None
        return service.ShiftValues(
            name=self.text("name") or "",
            starts_at=self.starts_at.data,
            ends_at=self.ends_at.data,
            closed_on=closed,
        )


class EditShiftForm(ShiftForm):
    """A shift that may have ended."""

    closed_on = DayField(
        _("No longer worked since"), description=_("Leave it empty if it is still worked.")
    )


class _SourceForm(VersionedForm):
    on_day = DayField(_("On which day"), [Needed(_("Enter the day the count was true."))])


def _source_kind() -> WordField:
    return WordField(_("Where it comes from"), choices=choices(HeadcountSource))


def _source_note() -> TextField:
    return TextField(
        _("More about the source"), limit=300, description=_("Such as its title or page.")
    )


def _rounded_to() -> NumberField:
    return NumberField(
        _("Rounded to"),
        [Optional()],
        description=_("100 if the source rounds to hundreds. Empty if it does not round."),
    )


class HeadcountForm(_SourceForm):
    """A count of workers."""

    counts = WordField(_("Who is counted"), choices=choices(Counts))
    low = NumberField(_("Lowest it can be"), [Needed(_("Enter the lowest number it can be."))])
    best = NumberField(_("Likeliest"), [Optional()], description=_("Leave empty if not known."))
    high = NumberField(
        _("Highest it can be"),
        [Optional()],
        description=_("The same as the lowest if counted. Empty means no upper limit known."),
    )
    rounded_to = _rounded_to()
    source_kind = _source_kind()
    source_note = _source_note()

    def values(self) -> service.HeadcountValues:
        """Return what was typed."""
        return service.HeadcountValues(
            on_day=self.on_day.data,
            counts=Counts(self.counts.data),
            low=self.low.data or 0.0,
            best=self.best.data,
            high=self.high.data,
            rounded_to=self.rounded_to.data,
            source_kind=HeadcountSource(self.source_kind.data),
            source_note=self.text("source_note"),
        )


class MemberCountForm(_SourceForm):
    """A number of members stated without names."""

    union = PickField(_("Union"), none=_("All unions together"))
    members = NumberField(_("Members"), [Needed(_("Enter how many members there are."))])
    covered = NumberField(
        _("Covered by an agreement"),
        [Optional()],
        description=_("People whose pay and hours the union bargains for. Empty if not known."),
    )
    rounded_to = _rounded_to()
    source_kind = _source_kind()
    source_note = _source_note()

    def values(self) -> service.MemberCountValues:
        """Return what was typed."""
        return service.MemberCountValues(
            union=self.union.picked(),
            on_day=self.on_day.data,
            members=self.members.data or 0.0,
            covered=self.covered.data,
            rounded_to=self.rounded_to.data,
            source_kind=HeadcountSource(self.source_kind.data),
            source_note=self.text("source_note"),
        )


class UnitForm(VersionedForm):
    """A bargaining unit's words."""

    name = _name(_("Name"))
    covers = LongTextField(
        _("Who it covers"), limit=500, description=_("Such as: all warehouse staff.")
    )

    def values(self) -> service.UnitValues:
        """Return what was typed."""
        return service.UnitValues(name=self.text("name") or "", covers=self.text("covers"))


class NewUnitForm(UnitForm):
    """A new bargaining unit with the union recognised for it."""

    union = PickField(_("Recognised union"), none=_("None yet, or not known"))
    since = DayField(_("Recognised since"), description=_("Leave empty for today."))


class RecognitionForm(PlainForm):
    """A union is recognised."""

    union = PickField(_("Union"), validators=[Needed(_("Choose a union."))])
    since = DayField(_("Recognised since"), [Needed(_("Enter the day it began."))])
    until = DayField(_("Until"), description=_("Leave empty if it is still recognised."))


class RecognitionEndForm(PlainForm):
    """A recognition ends."""

    union = PickField(
        _("Union that is no longer recognised"), validators=[Needed(_("Choose a union."))]
    )
    until = DayField(_("From which day"), [Needed(_("Enter the day it ended."))])


class UnionForm(VersionedForm):
    """A union."""

    name = _name(_("Name"))
    abbreviation = TextField(_("Short name"), limit=30)
    country = WordField(_("Country"), choices=_country_choices)

    def values(self) -> service.UnionValues:
        """Return what was typed."""
        return service.UnionValues(
            name=self.text("name") or "",
            abbreviation=self.text("abbreviation"),
            country=self.country.data or None,
        )


class RegionForm(PlainForm):
    """A region that workplaces lie in."""

    name = _name(_("Name"), description=_("Such as: East Midlands."))
    country = WordField(_("Country"), choices=_country_choices)

    def values(self) -> service.RegionValues:
        """Return what was typed."""
        return service.RegionValues(name=self.text("name") or "", country=self.country.data or None)


class AffiliationForm(PlainForm):
    """A union belongs to a wider body."""

    body_name = _name(_("Body"), description=_("Such as TUC or ITF."))
    since = DayField(_("Since"), [Needed(_("Enter the day it began."))])
    until = DayField(_("Until"), description=_("Leave empty if it still belongs to it."))


class AffiliationEndForm(PlainForm):
    """A union leaves a wider body."""

    body_name = WordField(_("Body that it left"), choices=[])
    until = DayField(_("From which day"), [Needed(_("Enter the day it left."))])


class BranchForm(VersionedForm):
    """A branch."""

    name = _name(_("Name"))
    abbreviation = TextField(_("Short name"), limit=30)
    parent = PickField(_("Inside"), none=_("The union itself"))

    def values(self) -> service.BranchValues:
        """Return what was typed."""
        return service.BranchValues(
            name=self.text("name") or "",
            abbreviation=self.text("abbreviation"),
            parent=self.parent.picked(),
        )
