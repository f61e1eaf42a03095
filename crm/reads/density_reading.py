"""What the figures of a question are made of, each sort of rows read once: for all the days, all
the bases and all the unions that are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cached_property

from sqlalchemy.orm import Session

from crm.access.scope import Scope
from crm.analysis.people_counts import Counted, Jobs, UnionsAt, count_unions
from crm.domain.bases import PARTS, Basis, Roster
from crm.domain.headcount import Counts
from crm.reads.density_days import Bottom, DayFigures, Headcounts, pick_headcounts, pick_statements
from crm.reads.density_people import (
    Sayings,
    entitled,
    jobs_on,
    people_from_facts,
    people_from_spans,
    read_jobs,
    read_sayings,
)
from crm.reads.density_places import (
    Site,
    read_headcounts,
    read_sites,
    read_statements,
    read_statements_by_union,
)
from crm.reads.density_question import Question, StatedUsed


class Reading:
    """The figures of one question on some days, whatever it counts. Nothing is read twice."""

    def __init__(
        self,
        session: Session,
        scope: Scope,
        question: Question,
        days: Sequence[date],
        *,
        bases: Sequence[Basis] = (),
    ) -> None:
        """Read the places. days: in order, one at least. bases: those that will be asked for,
        beside that of the question. Raises ValueError for people of a list on another basis."""
        if (question.people is not None) != (question.counts is Roster.LIST):
            raise ValueError("The people of a list are asked for on the basis of a list.")
        self._session = session
        self._scope = scope
        self._question = question
        self._days = days
        self._bases = {question.counts, *bases}
        self._headcounts: dict[Basis, Headcounts] = {}
        self.sites: Sequence[Site] = read_sites(session, scope, question, days)

    def figures(self, counts: Basis) -> DayFigures:
        """Return the figures on a basis, of the union asked for or of any."""
        stated = {} if isinstance(counts, Roster) else self._stated
        return self._figures(counts, self._people(counts), stated)

    def by_union(self, counts: Basis) -> dict[int | None, DayFigures]:
        """Return the figures of each union that anything is known of, and of any (None).

        Out of those entitled in a ballot, each union is held against its own ballots: two
        statements more for each union.
        """
        stated: Mapping[int | None, Mapping[int, Sequence[StatedUsed]]] = {}
        if not isinstance(counts, Roster):
            stated = read_statements_by_union(
                self._session, self._scope, self._question, self.sites, until=self._days[-1]
            )
        jobs = self._jobs_on(counts, self._question.union_id)

        def _people(union: int | None) -> Counted:
            own = union is not None and counts is Roster.BALLOT
            of = self._jobs_on(counts, union) if own else jobs
            return people_from_facts(of, self._sayings, union, len(self._days))

        return {
            union: self._figures(counts, _people(union), stated.get(union, {}))
            for union in {None, *self._sayings.named(), *stated}
        }

    def unions_here(self, day: date) -> UnionsAt:
        """Return the members at each place on a day by union, whichever union is asked for."""
        said = self._sayings
        return count_unions(
            self._jobs, said.runs.of(said.member), said.unions[said.member], self._days.index(day)
        )

    def _figures(
        self, counts: Basis, people: Counted, stated: Mapping[int, Sequence[StatedUsed]]
    ) -> DayFigures:
        bottom = Bottom(
            self._headcount(counts),
            of_sites=self._headcount(Counts.SITE_ALL) if counts in PARTS else None,
            roster=counts if isinstance(counts, Roster) else None,
        )
        picked = pick_statements(stated, self.sites, self._days)
        return DayFigures(self.sites, self._days, people, bottom, picked)

    def _headcount(self, counts: Basis) -> Headcounts:
        found = self._headcounts.get(counts)
        if found is None:
            asked = replace(self._question, counts=counts)
            rows = read_headcounts(
                self._session, self._scope, asked, self.sites, until=self._days[-1]
            )
            found = pick_headcounts(rows, self.sites, self._days, counts)
            self._headcounts[counts] = found
        return found

    def _people(self, counts: Basis) -> Counted:
        union = self._question.union_id
        as_now = union is None and self._question.known_at is None
        # The spans are the shortest way, unless the facts are read for another basis anyway.
        if as_now and self._bases == {Counts.SITE_ALL} and len(self._days) == 1:
            return people_from_spans(self._session, self._scope, self._question, self._days[0])
        jobs = self._jobs_on(counts, union)
        return people_from_facts(jobs, self._sayings, union, len(self._days))

    def _jobs_on(self, counts: Basis, union: int | None) -> Jobs:
        if counts is Roster.BALLOT:
            asked = replace(self._question, counts=counts, union_id=union)
            return entitled(self._session, self._scope, asked, self._days)
        return jobs_on(self._jobs, counts)

    @cached_property
    def _stated(self) -> Mapping[int, Sequence[StatedUsed]]:
        return read_statements(
            self._session, self._scope, self._question, self.sites, until=self._days[-1]
        )

    @cached_property
    def _jobs(self) -> Jobs:
        of_staff = Counts.EMPLOYER_DIRECT in self._bases
        return read_jobs(self._session, self._scope, self._question, self._days, of_staff=of_staff)

    @cached_property
    def _sayings(self) -> Sayings:
        return read_sayings(self._session, self._scope, self._question, self._days)
