"""NHS trusts as employers, their sites as workplaces, and their staff as full-time equivalents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from crm.access.scope import Scope
from crm.analysis.registers import nhs
from crm.domain.headcount import Counts, HeadcountSource
from crm.domain.vocabulary import Sector
from crm.features.registers.loading import (
    EMPLOYER_WINS,
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
    tell,
)
from crm.models.places import Employer, Workplace

ODS = "ods"


def load_nhs(
    session: Session,
    scope: Scope,
    *,
    places: Sequence[nhs.TrustOrSite],
    staff: Sequence[nhs.OrganisationStaff],
    hospitals: Sequence[nhs.Hospital] = (),
    now: datetime,
    time_zone: str = "Europe/London",
    progress: Progress | None = None,
) -> Loaded:
    """Stores trusts as employers, sites as their workplaces, and staff as FTE of the employer.

    An organisation with staff but no row of its own becomes an employer too. A hospital gives its
    position to the site with its code. Errors and other arguments as in ``load_register``.
    """
    load = Load.start(session, scope, now=now, file="sites", sorts=SORTS)
    known = find_known(session, scope, (ODS,))
    positions = {
        hospital.code: (hospital.latitude, hospital.longitude)
        for hospital in hospitals
        if hospital.latitude is not None
    }
    trusts = [row for row in places if row.trust_code is None]
    listed = {row.code for row in trusts}
    others = list({row.code: row for row in staff if row.code not in listed}.values())
    total = len(places) + len(staff)
    done = 0
    bodies: list[nhs.TrustOrSite | nhs.OrganisationStaff] = [*trusts, *others]
    for part in parts(bodies):
        done += _store_nhs_employers(load, known, part)
        tell(progress, done, total)
    sites = [row for row in places if row.trust_code is not None]
    for site_part in parts(sites):
        _store_nhs_sites(load, known, site_part, positions, time_zone)
        done += len(site_part)
        tell(progress, done, total)
    for staff_part in parts(staff):
        load.headcounts(
            [
                Count(
                    place_id=known[ODS, row.code],
                    on_day=row.as_at,
                    counts=Counts.FTE,
                    low=float(row.fte),
                    best=float(row.fte),
                    high=float(row.fte),
                    note="NHS Digital workforce figures",
                )
                for row in staff_part
                if (ODS, row.code) in known
            ],
            HeadcountSource.PUBLISHED_REGISTER,
        )
        done += len(staff_part)
        tell(progress, min(done, total), total)
    return load.loaded


def _store_nhs_employers(
    load: Load,
    known: Known,
    rows: Sequence[nhs.TrustOrSite | nhs.OrganisationStaff],
) -> int:
    """Stores trusts and other organisations as employers; returns how many rows of sites."""
    fitting = [
        row
        for row in rows
        if load.fits(
            row.row_number,
            "name",
            row.name,
            file="sites" if isinstance(row, nhs.TrustOrSite) else "staff",
        )
    ]
    held = fetch(load.session, load.scope, Employer, [known.get((ODS, r.code)) for r in fitting])
    new: list[tuple[nhs.TrustOrSite | nhs.OrganisationStaff, Employer]] = []
    for row in fitting:
        values: dict[str, Any] = {"name": row.name, "sector": Sector.PUBLIC}
        if isinstance(row, nhs.TrustOrSite):
            values["address"] = join_address([*row.address_lines, row.postcode])
            values["closed_on"] = _closed_on(row)
        employer = held.get(known.get((ODS, row.code), 0))
        if employer is None:
            employer = Employer(country="GB", created_at=load.now, **values)
            load.add("employers", employer)
            new.append((row, employer))
        else:
            load.update("employers", employer, values, wins=EMPLOYER_WINS)
    load.session.flush()
    load.place_new(
        [(employer.id, load.root_id) for _, employer in new],
        {employer.id: day for row, employer in new if (day := _since(row)) is not None},
    )
    for row, employer in new:
        load.identify(known, ODS, row.code, employer.id)
    return sum(isinstance(row, nhs.TrustOrSite) for row in rows)


def _store_nhs_sites(
    load: Load,
    known: Known,
    rows: Sequence[nhs.TrustOrSite],
    positions: Mapping[str, tuple[float | None, float | None]],
    time_zone: str,
) -> None:
    fitting = []
    for row in rows:
        if (ODS, str(row.trust_code)) not in known:
            load.leave_out(row.row_number, "code", row.code, nhs.TRUST_MISSING)
        elif load.fits(row.row_number, "name", row.name):
            fitting.append(row)
    held = fetch(load.session, load.scope, Workplace, [known.get((ODS, r.code)) for r in fitting])
    new: list[tuple[nhs.TrustOrSite, Workplace]] = []
    for row in fitting:
        latitude, longitude = positions.get(row.code, (None, None))
        values = {
            "name": row.name,
            "address": join_address(row.address_lines),
            "postcode": row.postcode,
            "closed_on": _closed_on(row),
            "latitude": latitude,
            "longitude": longitude,
        }
        site = held.get(known.get((ODS, row.code), 0))
        if site is None:
            site = Workplace(
                employer_id=known[ODS, str(row.trust_code)],
                country="GB",
                time_zone=time_zone,
                created_at=load.now,
                **values,
            )
            load.add("workplaces", site)
            new.append((row, site))
        else:
            load.update("workplaces", site, values, wins=frozenset())
    load.session.flush()
    load.place_new(
        [(site.id, site.employer_id) for _, site in new],
        {site.id: row.opened_on for row, site in new if row.opened_on is not None},
    )
    for row, site in new:
        load.identify(known, ODS, row.code, site.id)


def _closed_on(row: nhs.TrustOrSite) -> date | None:
    # The register gives the last day of use; here a place is closed from a day on.
    return row.last_open_on + timedelta(days=1) if row.last_open_on is not None else None


def _since(row: nhs.TrustOrSite | nhs.OrganisationStaff) -> date | None:
    return row.opened_on if isinstance(row, nhs.TrustOrSite) else row.as_at
