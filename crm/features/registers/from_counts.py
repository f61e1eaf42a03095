"""Places with members and workers that a union or a survey states, without names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from crm.access.scope import Scope
from crm.analysis.registers import member_counts
from crm.domain.errors import Refusal
from crm.domain.headcount import MOST_PEOPLE, Counts, HeadcountSource
from crm.domain.identity import fold
from crm.features.registers.loading import (
    SORTS,
    Count,
    Load,
    Loaded,
    Progress,
    fetch,
    find_known,
    parts,
    short_key,
    tell,
)
from crm.models.places import Employer, Workplace

STATED = "stated-counts"
TOO_MANY_PEOPLE = "Enter a count below 1,000,000,000."


@dataclass(frozen=True, slots=True)
class StatedCounts:
    """What the file of stated counts does not say itself.

    employer_name: the employer that the places are put under, such as "US counties, CPS 2016-2020".
    scheme: names the sort of ids in the file, such as "us-county". on_day: the day that the counts
    are true for. source_note: shown beside each figure; the employer's name when None.
    """

    employer_name: str
    scheme: str
    on_day: date
    country: str | None = None
    source_note: str | None = None


def load_member_counts(
    session: Session,
    scope: Scope,
    rows: Sequence[member_counts.StatedCountRow],
    *,
    stated: StatedCounts,
    now: datetime,
    time_zone: str = "Europe/London",
    progress: Progress | None = None,
) -> Loaded:
    """Stores a workplace for each row under one employer, with its stated workers and members.

    The members are those of all unions together. Errors and other arguments as in
    ``load_register``.
    """
    load = Load.start(session, scope, now=now, file="counts", sorts=(*SORTS, "member_counts"))
    employer = _stated_employer(load, stated)
    known = find_known(session, scope, (stated.scheme,))
    note = (stated.source_note or stated.employer_name)[:300]
    done = 0
    for part in parts(rows):
        fitting = [
            row
            for row in part
            if load.fits(row.row_number, "name", row.name) and _countable(load, row)
        ]
        new: list[tuple[str, Workplace]] = []
        for row in fitting:
            key = short_key(row.external_id)
            if (stated.scheme, key) in known:
                load.loaded.tally("workplaces").unchanged += 1
                continue
            place = Workplace(
                name=row.name,
                employer_id=employer.id,
                country=stated.country,
                time_zone=time_zone,
                created_at=now,
            )
            load.add("workplaces", place)
            new.append((key, place))
        session.flush()
        load.place_new(
            [(place.id, employer.id) for _, place in new],
            {place.id: stated.on_day for _, place in new},
        )
        for key, place in new:
            load.identify(known, stated.scheme, key, place.id)
        load.headcounts(
            [
                Count(
                    place_id=known[stated.scheme, short_key(row.external_id)],
                    on_day=stated.on_day,
                    counts=Counts.SITE_ALL,
                    low=row.workers,
                    best=row.workers,
                    high=row.workers,
                    rounded_to=row.rounded_to,
                    note=note,
                )
                for row in fitting
                if row.workers is not None
            ],
            HeadcountSource.SURVEY,
        )
        load.member_counts(
            [(known[stated.scheme, short_key(row.external_id)], row) for row in fitting],
            stated.on_day,
            note,
        )
        done += len(part)
        tell(progress, done, len(rows))
    return load.loaded


def _stated_employer(load: Load, stated: StatedCounts) -> Employer:
    """Returns the employer that the places are put under, made when there is none of the name."""
    session, scope = load.session, load.scope
    key = short_key(fold(stated.employer_name))
    known = find_known(session, scope, (STATED,))
    if (STATED, key) in known:
        load.loaded.tally("employers").unchanged += 1
        earlier: Employer = fetch(session, scope, Employer, [known[STATED, key]])[
            known[STATED, key]
        ]
        return earlier
    same_name = session.scalars(
        scope.select(Employer).where(Employer.name_key == fold(stated.employer_name)[:400])
    ).all()
    if len(same_name) > 1:
        raise Refusal(
            "More than one employer is called %(name)s. Give the places another employer's name.",
            name=stated.employer_name,
        )
    employer: Employer
    if same_name:
        employer = same_name[0]
        load.loaded.tally("employers").unchanged += 1
    else:
        employer = Employer(name=stated.employer_name, country=stated.country, created_at=load.now)
        load.add("employers", employer)
        session.flush()
        load.place_new([(employer.id, load.root_id)], {employer.id: stated.on_day})
    load.identify(known, STATED, key, employer.id)
    session.flush()
    return employer


def _countable(load: Load, row: member_counts.StatedCountRow) -> bool:
    for column, count in (("workers", row.workers), ("members", row.members)):
        if count is not None and count >= MOST_PEOPLE:
            load.leave_out(row.row_number, column, str(count), TOO_MANY_PEOPLE)
            return False
    return True
