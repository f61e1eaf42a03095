"""Figures for a notebook, as pandas frames, under one user's scope. See docs/reports.md.

Only what this user may take out comes, and each frame is in the trail as an export of theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from flask import Flask

from crm.access import audit
from crm.access.permissions import Permission
from crm.access.scope import Scope
from crm.analysis.frames import Frame, density_frame, report_frame
from crm.app import create_app, load_settings
from crm.domain.bases import basis_of
from crm.domain.errors import PermissionRefused
from crm.domain.report import ALWAYS, PartName, figure_rows
from crm.features.density.queries import Filters, read_answer
from crm.features.reports.queries import FOUR_WEEKS, unit_key
from crm.reads.figures import GroupBy
from crm.reads.people import find_user_id
from crm.reads.report import build_report
from crm.web import clock
from crm.web.db import unit_of_work
from crm.web.expiry import expiry_rule
from crm.web.guard import scope_of


@dataclass(frozen=True, slots=True)
class Figures:
    """What one user may take out, as frames. Made by ``figures_as``.

    A notebook stays open for days: each frame is made with the rights of its moment, and every
    method raises PermissionRefused once they have ended.
    """

    _user_id: int
    _zone: str

    def density(
        self,
        *,
        as_at: date | None = None,
        by: str = "workplace",
        counts: str = "site_all",
        compare: date | None = None,
    ) -> Frame:
        """Return the densities of the user's places: see crm/analysis/frames.py for the columns.

        as_at: None = today. by: workplace, area, employer, union, branch, region, sector or
        industry. counts: out of whom: site_all, employer_direct, bargaining_unit or ballot.
        compare: another day, whose rows then follow; `members_change` is how many more members
        there are than on it, and `no_change` says why that cannot be told.
        ValueError for anything else, and for a day that has not come yet.
        """
        scope, today = self._rights()
        day = as_at or today
        last = max(day, compare or day)
        if last > today:
            raise ValueError(f"{last} has not come yet.")
        filters = Filters(as_at=day, by=GroupBy(by), counts=basis_of(counts), compare=compare)
        with unit_of_work(scope, read_only=True) as session:
            answer = read_answer(session, scope, filters, permission=Permission.EXPORT_MAKE)
        self._record(
            scope,
            "density_frame",
            {
                "as_at": str(day),
                "by": by,
                "counts": counts,
                **({} if compare is None else {"compare": str(compare)}),
            },
            len(answer.everything),
            None,
        )
        return density_frame(answer.everything)

    def report(
        self,
        place: UUID | str,
        *,
        since: date | None = None,
        as_at: date | None = None,
        parts: Sequence[str] = ALWAYS,
    ) -> Frame:
        """Return every figure of the report of a place, one row each.

        place: its id as it stands in the address of its page. since: the last meeting, None = four
        weeks before. as_at: None = today. parts: see PartName in crm/domain/report.py; ValueError
        for any other, and for days that are out of order or have not come yet. Raises NotFound
        unless the user may take files out of the whole place.
        """
        scope, today = self._rights()
        last = as_at or today
        first = since or last - FOUR_WEEKS
        if last > today:
            raise ValueError(f"{last} has not come yet.")
        if first >= last:
            raise ValueError(f"{first} is not before {last}.")
        unit = UUID(str(place))
        with unit_of_work(scope, read_only=True) as session:
            pack = build_report(
                session,
                scope,
                unit,
                since=first,
                as_at=last,
                day=clock.now().date(),
                day_end=clock.end_of(last, self._zone),
                expiry=expiry_rule(),
                parts=[PartName(part) for part in parts],
                permission=Permission.EXPORT_MAKE,
            )
            inner = unit_key(session, scope, unit)
        rows = figure_rows(pack)
        asked = {"since": str(first), "as_at": str(last), "parts": list(parts)}
        self._record(scope, "report_frame", asked, len(rows), inner)
        return report_frame(rows)

    def readiness(self, place: UUID | str, *, as_at: date | None = None) -> Frame:
        """Return the strike-readiness of a place: that part of its report, as `report` does."""
        return self.report(place, as_at=as_at, parts=[PartName.READINESS.value])

    def _rights(self) -> tuple[Scope, date]:
        """Return what the user may take out at this moment, and which day it is."""
        today = clock.today(self._zone)
        with unit_of_work(read_only=True) as session:
            scope = scope_of(session, self._user_id, today)
        scope.require(Permission.EXPORT_MAKE)
        return scope, today

    def _record(
        self, scope: Scope, what: str, asked: dict[str, Any], rows: int, place: int | None
    ) -> None:
        with unit_of_work(scope) as session:
            noted = {**asked, "way": "notebook"}
            if place is None:
                audit.record_export_of_all(session, scope, what=what, filters=noted, rows=rows)
            else:
                audit.record_export(session, what=what, filters=noted, rows=rows, place_id=place)


@contextmanager
def figures_as(sign_in_name: str, *, app: Flask | None = None) -> Iterator[Figures]:
    """Yield the figures of the user who signs in under this name, as far as they may have them.

    app: None = with the settings of the environment, as the crm command.
    Raises PermissionRefused when nobody does, or they may not take files out.
    """
    app = app or create_app(load_settings())
    with app.app_context():
        with unit_of_work(read_only=True) as session:
            user_id = find_user_id(session, sign_in_name)
        if user_id is None:
            raise PermissionRefused("sign-in name")
        figures = Figures(user_id, str(app.config["TIME_ZONE"]))
        figures._rights()  # noqa: SLF001 - its own module
        yield figures
