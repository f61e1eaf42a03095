"""The invented places and users, and the real workplaces that invented people are put at."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import time
from typing import Any, Final

from crm.domain.headcount import Counts, HeadcountSource
from crm.domain.identity import fold
from crm.domain.roles import Role
from crm.domain.vocabulary import (
    HowKnown,
    Sector,
)
from crm.features.practice.invented import ground
from crm.features.practice.invented.ground import Group
from crm.features.practice.invented.world import LIST_BEGAN, Maker, Site
from crm.features.practice.queries import RegisterWorkplace, list_register_workplaces
from crm.models.accounts import AccessGrant, UserAccount
from crm.models.places import (
    Area,
    BargainingUnit,
    Branch,
    Employer,
    Headcount,
    MemberCount,
    Recognition,
    Region,
    Shift,
    Union,
    UnionAffiliation,
    Workplace,
)

_MOST_REGISTER_WORKPLACES: Final = 5
_INVENTED: Final = "Invented for practice."
_TIME_ZONE: Final = "Europe/London"
_SHIFT_TIMES: Final = {
    ground.DAYS: (time(6), time(14)),
    ground.TWILIGHT: (time(14), time(22)),
    ground.NIGHTS: (time(22), time(6)),
}


class PlacesMaker(Maker):
    """Makes unions, employers, workplaces, counts of workers, and the users with their roles."""

    def _make_unions(self) -> None:
        self.union = self._place(
            Union, "Warehouse, Transport and Care Workers", abbreviation="WTCW"
        )
        self.other_union = self._place(Union, "Public Workers Together", abbreviation="PWT")
        self.yorkshire = self._place(Region, "Yorkshire and the Humber")
        self.midlands = self._place(Region, "East Midlands")
        self._add([self.union, self.other_union, self.yorkshire, self.midlands])
        self.barnsley = self._place(Branch, "Barnsley", union_id=self.union.id)
        self.dearne = self._place(Branch, "Dearne Valley", union_id=self.union.id)
        self.hospitals = self._place(Branch, "Sheffield Hospitals", union_id=self.other_union.id)
        self._add([self.barnsley, self.dearne, self.hospitals])
        edges = [
            edge
            for top in (self.union, self.other_union, self.yorkshire, self.midlands)
            for edge in self._edge(top.id, self.root)
        ]
        edges += self._edge(self.barnsley.id, self.union.id)
        edges += self._edge(self.dearne.id, self.union.id)
        edges += self._edge(self.hospitals.id, self.other_union.id)
        affiliations = [
            UnionAffiliation(
                union_id=union.id,
                body_name="TUC",
                valid_from=self._ago(4000),
                recorded_at=self._long_ago(),
            )
            for union in (self.union, self.other_union)
        ]
        self._add([*edges, *affiliations])

    def _make_invented_sites(self) -> None:
        employers = {
            name: self._place(Employer, name, sector=sector, sic_codes=[sic], sic_section=section)
            for name, sector, sic, section in (
                ("Brightway", Sector.PRIVATE, "52103", "H"),
                ("Tempus Hands", Sector.PRIVATE, "78200", "N"),
                ("Hoyland Care", Sector.CHARITY, "87100", "Q"),
                ("Metro Vale Buses", Sector.PRIVATE, "49319", "H"),
            )
        }
        self._add(employers.values())
        self.agency_id: int = employers["Tempus Hands"].id
        self._add(edge for one in employers.values() for edge in self._edge(one.id, self.root))
        both = (self.barnsley, self.dearne)
        mostly_danuta = {"Danuta": 55, "Ana": 25, "Kasia": 20}
        plan: tuple[tuple[str, str, Any, Sequence[Any], Sequence[Group], dict[str, int]], ...] = (
            (
                "Dearne Valley DC",
                "Brightway",
                self.yorkshire,
                both,
                ground.DEARNE_VALLEY,
                mostly_danuta,
            ),
            ("Wath DC", "Brightway", self.yorkshire, both, ground.WATH, {"Marek": 70, "Ana": 30}),
            (
                "Hoyland Care Home",
                "Hoyland Care",
                self.yorkshire,
                (self.barnsley,),
                ground.HOYLAND,
                {"Kasia": 60, "Ana": 40},
            ),
            (
                "Metro Bus Depot",
                "Metro Vale Buses",
                self.midlands,
                (self.barnsley,),
                ground.METRO,
                {"Priya": 80, "Ana": 20},
            ),
        )
        for name, employer, region, branches, groups, speakers in plan:
            self._make_site(
                name,
                employers[employer].id,
                region.id,
                [one.id for one in branches],
                groups,
                speakers,
            )
        self._make_counts()

    def _make_site(
        self,
        name: str,
        employer_id: int,
        region_id: int,
        branch_ids: list[int],
        groups: Sequence[Group],
        speakers: dict[str, int],
    ) -> None:
        workplace = self._place(
            Workplace,
            name,
            employer_id=employer_id,
            region_id=region_id,
            time_zone=_TIME_ZONE,
        )
        self._add([workplace])
        areas = {
            area: self._place(Area, area, workplace_id=workplace.id)
            for area in dict.fromkeys(group.area for group in groups)
        }
        shifts = {
            shift: Shift(
                public_id=self._id(),
                name=shift,
                place_id=workplace.id,
                starts_at=_SHIFT_TIMES[shift][0],
                ends_at=_SHIFT_TIMES[shift][1],
            )
            for shift in _SHIFT_TIMES
            if any(group.shift == shift for group in groups)
        }
        self._add([*areas.values(), *shifts.values()])
        edges = self._edge(workplace.id, employer_id, region_id, *branch_ids)
        for area in areas.values():
            edges += self._edge(area.id, workplace.id)
        self._add(edges)
        self.sites.append(
            Site(
                workplace_id=workplace.id,
                public_id=workplace.public_id,
                name=name,
                employer_id=employer_id,
                speakers=speakers,
                branches=tuple(branch_ids),
                areas={area: row.id for area, row in areas.items()},
                shifts={shift: row.id for shift, row in shifts.items()},
            )
        )

    def _headcount(
        self,
        place_id: int,
        days_ago: int,
        low: int,
        high: int,
        *,
        counts: Counts = Counts.SITE_ALL,
        source: HeadcountSource = HeadcountSource.ORGANISER_COUNT,
        note: str | None = None,
    ) -> Headcount:
        day = self._ago(days_ago)
        return Headcount(
            public_id=self._id(),
            place_id=place_id,
            on_day=day,
            counts=counts,
            low=low,
            high=high,
            source_kind=source,
            source_note=note,
            recorded_at=self._moment(day, 18, 0),
        )

    def _stated(self, place_id: int, days_ago: int, members: int, union_id: int | None) -> Any:
        day = self._ago(days_ago)
        return MemberCount(
            public_id=self._id(),
            place_id=place_id,
            union_id=union_id,
            on_day=day,
            members=members,
            source_kind=HeadcountSource.UNION_LIST,
            source_note="Read out at the branch meeting. No names were given.",
            recorded_at=self._moment(day, 19, 0),
        )

    def _make_counts(self) -> None:
        dearne, wath, hoyland, metro = self.sites
        rows: list[Any] = [
            self._headcount(
                dearne.workplace_id, 400, 255, 300, note="From the rota on the wall and the bus."
            ),
            self._headcount(dearne.workplace_id, 170, 265, 300, note="Counted at both gates."),
            self._headcount(
                dearne.workplace_id, 24, 280, 310, note="Counted at shift change, three shifts."
            ),
            self._headcount(
                dearne.workplace_id,
                90,
                205,
                225,
                counts=Counts.EMPLOYER_DIRECT,
                source=HeadcountSource.EMPLOYER_TOLD,
                note="Said at the site forum.",
            ),
            # How many work at Wath in all is not known; only the employer's own staff are.
            self._headcount(
                wath.workplace_id,
                90,
                60,
                80,
                counts=Counts.EMPLOYER_DIRECT,
                source=HeadcountSource.EMPLOYER_TOLD,
                note="Said at the site forum.",
            ),
            self._headcount(hoyland.workplace_id, 390, 8, 9),
            self._headcount(hoyland.workplace_id, 45, 9, 9, note="We know everyone by name."),
            self._headcount(metro.workplace_id, 380, 90, 96),
            self._headcount(metro.workplace_id, 40, 88, 92, note="From the duty roster."),
        ]
        for area, (low, high) in ground.DEARNE_VALLEY_COUNTS.items():
            rows.append(self._headcount(dearne.areas[area], 24, low, high))
        for days_ago, members in ((390, 49), (205, 52), (35, 56)):
            rows.append(self._stated(metro.workplace_id, days_ago, members, self.union.id))
            # It is the only union there, so its number is the number for all unions too.
            rows.append(self._stated(metro.workplace_id, days_ago, members, None))
        unit = BargainingUnit(
            public_id=self._id(),
            place_id=metro.workplace_id,
            name="Drivers and engineering staff",
            covers="Everyone but managers and the office",
        )
        self._add([*rows, unit])
        self._add(
            [
                Recognition(
                    place_id=metro.workplace_id,
                    unit_id=unit.id,
                    union_id=self.union.id,
                    valid_from=self._ago(3300),
                    recorded_at=self._long_ago(),
                )
            ]
        )

    def _choose_register_sites(self) -> list[Site]:
        """Return up to five real workplaces, from as many registers as there are."""
        found = list_register_workplaces(self.session, self.scope)
        hospitals = [one for one in found if one.scheme == "ods"]
        others = [one for one in found if one.scheme != "ods"]
        wanted = min(_MOST_REGISTER_WORKPLACES, len(found))
        of_hospitals = min(len(hospitals), max(2, wanted - len(others)), wanted)
        chosen = self.rng.sample(hospitals, of_hospitals)
        chosen += self.rng.sample(others, wanted - of_hospitals)
        return [self._register_site(one) for one in sorted(chosen, key=lambda one: one.name)]

    def _register_site(self, found: RegisterWorkplace) -> Site:
        hospital = found.scheme == "ods"
        branch = self.hospitals if hospital else self.barnsley
        self._add(self._edge(found.id, branch.id))
        return Site(
            workplace_id=found.id,
            public_id=uuid.UUID(int=0),
            name=found.name,
            employer_id=found.employer_id,
            speakers={"Ana": 100} if hospital else {"Ana": 60, "Kasia": 40},
            branches=(branch.id,),
            titles=ground.HOSPITAL_TITLES if hospital else ground.EMPLOYER_TITLES,
            how_known=HowKnown.OTHER,
        )

    def _register_group(self, site: Site) -> Group:
        people = self.rng.randint(14, 32)
        members = round(people * self.rng.uniform(0.25, 0.55))
        not_members = round(people * self.rng.uniform(0.15, 0.3))
        self._add(
            [
                self._headcount(site.workplace_id, days_ago, low, people + 12, note=_INVENTED)
                for days_ago, low in ((385, people - 4), (30, people))
            ]
        )
        return Group("", None, people, round(people * 0.35), members, not_members, "")

    # Users

    def _make_users(self) -> list[tuple[str, str, uuid.UUID]]:
        """Store the users and their grants; return name, role in words, and public id of each."""
        dearne, wath, _, metro = self.sites[:4]
        plan: tuple[tuple[str, tuple[tuple[Role, int], ...], str], ...] = (
            ("Danuta", ((Role.REP, dearne.workplace_id),), "Rep, Dearne Valley DC"),
            ("Owen", ((Role.REP, dearne.areas["Pack"]),), "Rep, Pack at Dearne Valley DC"),
            (
                "Ana",
                (
                    (Role.ORGANISER, self.barnsley.id),
                    (Role.ORGANISER, self.hospitals.id),
                ),
                "Organiser, Barnsley and Sheffield Hospitals branches",
            ),
            ("Kasia", ((Role.BRANCH_OFFICER, self.barnsley.id),), "Branch officer, Barnsley"),
            ("Priya", ((Role.REP, metro.workplace_id),), "Rep, Metro Bus Depot"),
            ("Marek", ((Role.REP, wath.workplace_id),), "Rep, Wath DC"),
            ("Ade", ((Role.ADMINISTRATOR, self.root),), "Administrator"),
        )
        users = [
            UserAccount(
                public_id=self._id(),
                name=name,
                sign_in_name=fold(name),
                created_at=self._long_ago(),
            )
            for name, _, _ in plan
        ]
        self._add(users)
        self.user_ids = {user.name: user.id for user in users}
        self._add(
            AccessGrant(
                public_id=self._id(),
                user_id=self.user_ids[name],
                role=role,
                place_id=place_id,
                valid_from=self._ago(LIST_BEGAN),
                recorded_at=self._long_ago(),
            )
            for name, grants, _ in plan
            for role, place_id in grants
        )
        return [
            (user.name, label, user.public_id)
            for user, (_, _, label) in zip(users, plan, strict=True)
        ]
