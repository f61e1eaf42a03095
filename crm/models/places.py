"""The place tree: everything, regions, unions, branches, employers, workplaces, areas.

One table of nodes with one id space, so that a grant, a scope and a group-by all speak of
"a place". The edges are dated; ``place_closure`` holds every (ancestor, descendant) pair that
holds now and is what makes the subtree test one indexed condition on both databases.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, validates

from crm.domain.headcount import Counts, HeadcountSource
from crm.domain.identity import fold
from crm.domain.vocabulary import AreaKind, PlaceKind, PlaceTieKind, Sector
from crm.models.base import (
    AtPlace,
    Base,
    Public,
    Recorded,
    Scoped,
    Spell,
    enum_of,
    spell_check,
)


def _key_of_inserted_name(context: Any) -> str:
    # Bulk inserts pass the mapped class by, so the column derives its own value there.
    return fold(context.get_current_parameters()["name"])[:400]


class Place(Public, Scoped, Base):
    """A node of the place tree. Subclasses add what is particular to each kind."""

    __tablename__ = "place"
    __mapper_args__ = {"polymorphic_on": "kind"}
    __table_args__ = (sa.Index("ix_place_kind_name", "kind", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[PlaceKind] = mapped_column(enum_of(PlaceKind))
    name: Mapped[str] = mapped_column(sa.String(200))
    # The folded name (accents, case, apostrophes away), for search. It follows the name.
    name_key: Mapped[str] = mapped_column(
        sa.String(400), default=_key_of_inserted_name, server_default=""
    )
    # Two-letter ISO 3166 code; null = not known.
    country: Mapped[str | None] = mapped_column(sa.String(2))
    created_at: Mapped[datetime]
    closed_on: Mapped[date | None]
    version: Mapped[int] = mapped_column(default=1)

    @validates("name")
    def _keep_the_name_key(self, attribute: str, name: str) -> str:
        self.name_key = fold(name)[:400]
        return name


class Everything(Place):
    """The root: the whole organisation's data. There is exactly one."""

    __mapper_args__ = {"polymorphic_identity": PlaceKind.EVERYTHING}


class Region(Place):
    """A geographical region that workplaces lie in."""

    __mapper_args__ = {"polymorphic_identity": PlaceKind.REGION}


class Union(Place):
    """A trade union."""

    __tablename__ = "trade_union"
    __mapper_args__ = {"polymorphic_identity": PlaceKind.UNION}

    id: Mapped[int] = mapped_column(sa.ForeignKey("place.id"), primary_key=True)
    abbreviation: Mapped[str | None] = mapped_column(sa.String(30))


class UnionAffiliation(Spell, Base):
    """A union's membership of a wider body (TUC, ITF), dated."""

    __tablename__ = "union_affiliation"
    __table_args__ = (spell_check(),)

    id: Mapped[int] = mapped_column(primary_key=True)
    union_id: Mapped[int] = mapped_column(sa.ForeignKey("trade_union.id"), index=True)
    body_name: Mapped[str] = mapped_column(sa.String(200))


class Branch(Place):
    """A local unit of a union."""

    __tablename__ = "branch"
    __mapper_args__ = {"polymorphic_identity": PlaceKind.BRANCH}

    id: Mapped[int] = mapped_column(sa.ForeignKey("place.id"), primary_key=True)
    union_id: Mapped[int] = mapped_column(sa.ForeignKey("trade_union.id"), index=True)
    abbreviation: Mapped[str | None] = mapped_column(sa.String(30))


class Employer(Place):
    """A legal entity that employs people; its parent employer is its parent place."""

    __tablename__ = "employer"
    __mapper_args__ = {"polymorphic_identity": PlaceKind.EMPLOYER}

    id: Mapped[int] = mapped_column(sa.ForeignKey("place.id"), primary_key=True)
    parent_employer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("employer.id"))
    # As in the companies register, upper case, eight characters in the UK; may start with letters.
    company_number: Mapped[str | None] = mapped_column(sa.String(20), index=True)
    sector: Mapped[Sector | None] = mapped_column(enum_of(Sector))
    # SIC 2007 codes as text of five digits: a leading zero matters.
    sic_codes: Mapped[list[str] | None]
    # The letter A to U of the first SIC code, kept so that density groups by it in one statement.
    sic_section: Mapped[str | None] = mapped_column(sa.String(1))
    address: Mapped[str | None] = mapped_column(sa.String(500))


class Workplace(Place):
    """Premises where people work for an employer."""

    __tablename__ = "workplace"

    id: Mapped[int] = mapped_column(sa.ForeignKey("place.id"), primary_key=True)
    employer_id: Mapped[int] = mapped_column(sa.ForeignKey("employer.id"), index=True)
    region_id: Mapped[int | None] = mapped_column(sa.ForeignKey("place.id"), index=True)
    __mapper_args__ = {  # Two keys lead to place; this one is the inheritance.
        "polymorphic_identity": PlaceKind.WORKPLACE,
        "inherit_condition": id == Place.id,
    }
    address: Mapped[str | None] = mapped_column(sa.String(500))
    postcode: Mapped[str | None] = mapped_column(sa.String(12))
    time_zone: Mapped[str] = mapped_column(sa.String(40))
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]


class Area(Place):
    """A department or part of a site, inside a workplace or inside another area."""

    __tablename__ = "area"
    __mapper_args__ = {"polymorphic_identity": PlaceKind.AREA}

    id: Mapped[int] = mapped_column(sa.ForeignKey("place.id"), primary_key=True)
    workplace_id: Mapped[int] = mapped_column(sa.ForeignKey("workplace.id"), index=True)
    parent_area_id: Mapped[int | None] = mapped_column(sa.ForeignKey("area.id"))
    area_kind: Mapped[AreaKind] = mapped_column(enum_of(AreaKind), default=AreaKind.DEPARTMENT)


class PlaceEdge(Spell, Base):
    """A dated link from a place to a place that contains it.

    A workplace hangs under its employer, its region and every branch that organises there.
    """

    __tablename__ = "place_edge"
    __table_args__ = (
        spell_check(),
        sa.CheckConstraint("child_id <> parent_id", name="not_itself"),
        sa.Index("ix_place_edge_parent_child", "parent_id", "child_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    child_id: Mapped[int] = mapped_column(sa.ForeignKey("place.id"), index=True)
    parent_id: Mapped[int] = mapped_column(sa.ForeignKey("place.id"))


class PlaceTie(Public, Spell, AtPlace, Base):
    """What a workplace is to another place for some days: whom it supplies.

    It belongs to the workplace; whoever sees only the other place learns nothing of it.
    source_note: the list or person that said so.
    """

    __tablename__ = "place_tie"
    __table_args__ = (spell_check(), sa.Index("ix_place_tie_other_kind", "other_id", "kind"))

    id: Mapped[int] = mapped_column(primary_key=True)
    other_id: Mapped[int] = mapped_column(sa.ForeignKey("place.id"))
    kind: Mapped[PlaceTieKind] = mapped_column(enum_of(PlaceTieKind))
    source_note: Mapped[str | None] = mapped_column(sa.String(300))


class PlaceClosure(Base):
    """Every pair (ancestor, descendant) that holds now, a place being its own ancestor too."""

    __tablename__ = "place_closure"
    __table_args__ = (
        sa.Index("ix_place_closure_descendant_ancestor", "descendant_id", "ancestor_id"),
    )
    audited = False  # Derived from place_edge, which is audited.

    ancestor_id: Mapped[int] = mapped_column(sa.ForeignKey("place.id"), primary_key=True)
    descendant_id: Mapped[int] = mapped_column(sa.ForeignKey("place.id"), primary_key=True)


class ExternalId(AtPlace, Base):
    """The id another register gives a place, such as an NHS site code."""

    __tablename__ = "external_id"
    __table_args__ = (sa.UniqueConstraint("scheme", "value"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    scheme: Mapped[str] = mapped_column(sa.String(40))
    value: Mapped[str] = mapped_column(sa.String(80))


class Shift(Public, AtPlace, Base):
    """A shift worked at a workplace."""

    __tablename__ = "shift"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(80))
    starts_at: Mapped[time | None]
    ends_at: Mapped[time | None]
    closed_on: Mapped[date | None]
    version: Mapped[int] = mapped_column(default=1)


class BargainingUnit(Public, AtPlace, Base):
    """Workers covered by recognition at a workplace or across an employer."""

    __tablename__ = "bargaining_unit"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    covers: Mapped[str | None] = mapped_column(sa.String(500))
    version: Mapped[int] = mapped_column(default=1)


class Recognition(Spell, AtPlace, Base):
    """A union recognised for a bargaining unit, dated."""

    __tablename__ = "recognition"
    __table_args__ = (spell_check(),)

    id: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(sa.ForeignKey("bargaining_unit.id"), index=True)
    union_id: Mapped[int] = mapped_column(sa.ForeignKey("trade_union.id"), index=True)


class Headcount(Public, Recorded, AtPlace, Base):
    """A dated estimate of how many people work at a place. Null high = no upper limit known."""

    __tablename__ = "headcount"
    __table_args__ = (
        sa.CheckConstraint("low >= 0", name="low_not_negative"),
        sa.CheckConstraint("high IS NULL OR high >= low", name="high_not_below_low"),
        sa.CheckConstraint("best IS NULL OR best >= low", name="best_not_below_low"),
        sa.CheckConstraint(
            "best IS NULL OR high IS NULL OR best <= high", name="best_not_above_high"
        ),
        sa.Index("ix_headcount_place_counts_day", "place_id", "counts", "on_day"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    on_day: Mapped[date]
    counts: Mapped[Counts] = mapped_column(enum_of(Counts))
    # People; a survey may give weighted fractions of people.
    low: Mapped[float]
    best: Mapped[float | None]
    high: Mapped[float | None]
    # The step the source rounded to (1000 for "in thousands"); null = as counted.
    rounded_to: Mapped[float | None]
    source_kind: Mapped[HeadcountSource] = mapped_column(enum_of(HeadcountSource))
    source_note: Mapped[str | None] = mapped_column(sa.String(300))


class MemberCount(Public, Recorded, AtPlace, Base):
    """A number of members stated without names. Null union = all unions together."""

    __tablename__ = "member_count"
    __table_args__ = (
        sa.CheckConstraint("members >= 0", name="members_not_negative"),
        sa.Index("ix_member_count_place_union_day", "place_id", "union_id", "on_day"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    union_id: Mapped[int | None] = mapped_column(sa.ForeignKey("trade_union.id"))
    on_day: Mapped[date]
    members: Mapped[float]
    # People covered by a collective agreement, when the source states it: not the same as members.
    covered: Mapped[float | None]
    rounded_to: Mapped[float | None]
    source_kind: Mapped[HeadcountSource] = mapped_column(enum_of(HeadcountSource))
    source_note: Mapped[str | None] = mapped_column(sa.String(300))
