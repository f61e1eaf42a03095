"""Employers from the gender pay returns of one year, each with a workplace that stands in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from crm.access.scope import Scope
from crm.analysis.registers import gender_pay
from crm.domain.headcount import Counts, HeadcountSource
from crm.domain.sic import sic_section
from crm.domain.vocabulary import Sector
from crm.features.registers.loading import (
    EMPLOYER_WINS,
    NAME_LIMIT,
    NAME_WINS,
    SORTS,
    Count,
    Known,
    Load,
    Loaded,
    Progress,
    fetch,
    find_known,
    join_address,
    parts,
    short_key,
    tell,
)
from crm.models.places import Employer, ExternalId, Workplace

COMPANIES_HOUSE = "companies-house"
GENDER_PAY = "gpg"
GENDER_PAY_SITES = "gpg-workplace"


def load_gender_pay(
    session: Session,
    scope: Scope,
    rows: Sequence[gender_pay.Employer],
    *,
    now: datetime,
    time_zone: str = "Europe/London",
    progress: Progress | None = None,
) -> Loaded:
    """Stores employers, each with one workplace that stands for all its sites, and its size band.

    Errors and arguments as in ``load_register``.
    """
    load = Load.start(session, scope, now=now, file="employers", sorts=SORTS)
    known = find_known(session, scope, (COMPANIES_HOUSE, GENDER_PAY))
    by_number = _numbers(session, scope)
    listed = {place_id for (scheme, _), place_id in known.items() if scheme == COMPANIES_HOUSE}
    matching = _GenderPayMatching(
        known=known,
        by_number=by_number,
        numbered=listed | set(by_number.values()),
        # An employer that once came without a number is the same one, unless the file has both.
        without_number={row.match_key for row in rows if row.company_number is None},
        site_of=_stand_ins(session, scope),
    )
    done = 0
    for part in parts(rows):
        fitting = [r for r in part if load.fits(r.row_number, "CurrentName", r.current_name)]
        _store_gender_pay(load, matching, fitting, time_zone)
        done += len(part)
        tell(progress, done, len(rows))
    return load.loaded


@dataclass(slots=True)
class _GenderPayMatching:
    """Finds the employer that a row is about.

    known: places by the ids of the registers. by_number: employers by the company number that
    somebody typed. numbered: all employers with a number. without_number: the keys of the file's
    rows without one. site_of: the workplace that stands for an employer's sites.
    """

    known: Known
    by_number: dict[str, int]
    numbered: set[int]
    without_number: set[str]
    site_of: dict[int, int]

    def employer_id(self, row: gender_pay.Employer) -> int | None:
        """Returns the employer's inner id, or None when it is new."""
        if row.company_number is None:
            return self.known.get((GENDER_PAY, short_key(row.match_key)))
        number = row.company_number
        found = self.known.get((COMPANIES_HOUSE, number)) or self.by_number.get(number)
        if found is None:
            earlier = replace(row, company_number=None).match_key
            same_name = self.known.get((GENDER_PAY, short_key(earlier)))
            # An employer with another number already is another company of that name.
            if earlier not in self.without_number and same_name not in self.numbered:
                found = same_name
                # A later row of this file may not be taken for the same employer.
                self.without_number.add(earlier)
        return found


def _store_gender_pay(
    load: Load,
    matching: _GenderPayMatching,
    rows: Sequence[gender_pay.Employer],
    time_zone: str,
) -> None:
    """Stores one part of the employers, their stand-in workplaces, ids, links and size bands."""
    session = load.session
    matches = [matching.employer_id(row) for row in rows]
    held = fetch(session, load.scope, Employer, matches)
    site_ids = [matching.site_of.get(match) for match in matches if match is not None]
    held_sites = fetch(session, load.scope, Workplace, site_ids)
    employers: list[Employer] = []
    old_names: list[str | None] = []
    for row, match in zip(rows, matches, strict=True):
        employer = held.get(match) if match is not None else None
        values = _gender_pay_values(row)
        if employer is None:
            employer = Employer(name=row.current_name, country="GB", created_at=load.now, **values)
            load.add("employers", employer)
            old_names.append(None)
        else:
            old_names.append(employer.name)
            values["name"] = row.current_name
            load.update("employers", employer, values, wins=EMPLOYER_WINS)
        employers.append(employer)
    session.flush()
    sites: list[Workplace] = []
    links: list[tuple[int, int]] = []
    since: dict[int, date] = {}
    for employer, match, old_name in zip(employers, matches, old_names, strict=True):
        if match is None:
            links.append((employer.id, load.root_id))
        name = _sites_name(employer.name)
        site = held_sites.get(matching.site_of.get(employer.id, 0))
        if site is None:
            site = Workplace(
                name=name,
                employer_id=employer.id,
                country="GB",
                time_zone=time_zone,
                created_at=load.now,
            )
            load.add("workplaces", site)
        else:
            # A name that somebody gave the workplace by hand stays.
            follows = old_name is not None and site.name == _sites_name(old_name)
            load.update("workplaces", site, {"name": name} if follows else {}, wins=NAME_WINS)
        sites.append(site)
    session.flush()
    for row, employer, site in zip(rows, employers, sites, strict=True):
        scheme, value = _gender_pay_id(row)
        if (scheme, value) not in matching.known:
            load.identify(matching.known, scheme, value, employer.id)
        if employer.id not in matching.site_of:
            matching.site_of[employer.id] = site.id
            links.append((site.id, employer.id))
            session.add(
                ExternalId(
                    place_id=site.id, scheme=GENDER_PAY_SITES, value=short_key(row.match_key)
                )
            )
        if row.headcount_on is not None:
            since[employer.id] = since[site.id] = row.headcount_on
    load.place_new(links, since)
    load.headcounts(
        [
            Count(
                place_id=site.id,
                on_day=row.headcount_on,
                counts=Counts.EMPLOYER_DIRECT,
                low=row.headcount_low,
                best=None,
                high=row.headcount_high,
                note=f"Gender pay gap return: {row.size_band}",
            )
            for row, site in zip(rows, sites, strict=True)
            if row.headcount_low is not None and row.headcount_on is not None
        ],
        HeadcountSource.GENDER_PAY_RETURN,
    )


def _gender_pay_values(row: gender_pay.Employer) -> dict[str, Any]:
    section = sic_section(row.sic_codes[0]) if row.sic_codes else None
    return {
        "company_number": row.company_number,
        "sic_codes": list(row.sic_codes) or None,
        "sic_section": section[0] if section else None,
        "address": join_address([row.address, row.postcode]),
        # Without the publisher's mark the sector is not known: many public bodies lack it.
        "sector": Sector.PUBLIC if row.public_sector else None,
    }


def _gender_pay_id(row: gender_pay.Employer) -> tuple[str, str]:
    if row.company_number is not None:
        return COMPANIES_HOUSE, row.company_number
    return GENDER_PAY, short_key(row.match_key)


def _sites_name(employer_name: str) -> str:
    return f"All sites of {employer_name}"[:NAME_LIMIT]


def _numbers(session: Session, scope: Scope) -> dict[str, int]:
    """Returns employers by company number, in the form of the register."""
    rows = session.execute(
        scope.select(Employer.company_number, Employer.id).where(
            Employer.company_number.is_not(None)
        )
    )
    found = ((gender_pay.company_number(number), employer_id) for number, employer_id in rows)
    return {number: employer_id for number, employer_id in found if number is not None}


def _stand_ins(session: Session, scope: Scope) -> dict[int, int]:
    """Returns the workplace that stands for all sites of an employer, by employer."""
    rows = session.execute(
        scope.select(Workplace.employer_id, Workplace.id)
        .join(ExternalId, ExternalId.place_id == Workplace.id)
        .where(ExternalId.scheme == GENDER_PAY_SITES)
    )
    return {int(employer_id): int(place_id) for employer_id, place_id in rows}
