"""The invented people: names, jobs, memberships, phones, and why each fact may be kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final

from crm.domain.identity import fold, phone_key
from crm.domain.timeline import MembershipStatus
from crm.domain.vocabulary import (
    ContractType,
    FieldGroup,
    HowKnown,
    LegalBasis,
    MembershipSource,
    PointKind,
    PointState,
)
from crm.features.practice.invented import ground, words
from crm.features.practice.invented.cast import Known
from crm.features.practice.invented.ground import Group
from crm.features.practice.invented.places import PlacesMaker
from crm.features.practice.invented.world import LIST_BEGAN, Person, Site
from crm.models.contacts import Contact, ContactPoint, FieldBasis, Job, Membership

_CONTACT_STATES: Final = (PointState.WORKS, PointState.BAD, None)


class PeopleMaker(PlacesMaker):
    """Makes the people of each workplace and what is known of them."""

    def _people_of(self, site: Site, groups: Sequence[Group], cast: Sequence[Known] = ()) -> None:
        for group in groups:
            slots = _slots(group)
            here = [one for one in cast if (one.area, one.shift) == (group.area, group.shift)]
            for role in here:
                slots.remove((role.asked, role.member))
                self._make_person(site, group, role.asked, role.member, role=role)
            for number in range(1, group.placeholders + 1):
                slots.remove((False, None))
                self._make_person(site, group, False, None, placeholder=number)
            for asked, member in slots:
                self._make_person(site, group, asked, member)

    def _make_person(
        self,
        site: Site,
        group: Group,
        asked: bool,
        member: bool | None,
        *,
        role: Known | None = None,
        placeholder: int | None = None,
    ) -> Person:
        first_talk = max((days for days, _, _ in role.talks), default=0) if role else 0
        listed = self._ago(self.rng.randint(max(125, first_talk), LIST_BEGAN - 5))
        since = self._ago(self.rng.randint(420, 4200))
        if role is None and self._chance(0.16):
            # Somebody who started in the last year.
            since = self._ago(self.rng.randint(12, 350))
            listed = max(listed, since)
        if placeholder is not None:
            since = listed
        title = group.title or self.rng.choice(site.titles)
        contact = self._contact(site, listed, role, placeholder, group)
        person = Person(
            contact=contact,
            site=site,
            area=group.area or None,
            shift=group.shift,
            title=title,
            asked=asked,
            member=member,
            since=since,
            listed=listed,
            role=role,
        )
        self.people.append(person)
        return person

    def _contact(
        self,
        site: Site,
        listed: date,
        role: Known | None,
        placeholder: int | None,
        group: Group,
    ) -> Contact:
        listed_at = self._moment(listed, 18)
        keeper = self.user_ids[self._pick(self._speakers(site, group.area))]
        how = site.how_known or self._pick(
            {
                HowKnown.MET: 45,
                HowKnown.TOLD_BY_COLLEAGUE: 30,
                HowKnown.CAME_TO_US: 10,
                HowKnown.UNION_LIST: 15,
            }
        )
        shared: dict[str, Any] = {
            "public_id": self._id(),
            "created_at": listed_at,
            "created_by_id": keeper,
        }
        if placeholder is not None:
            shift = {ground.NIGHTS: "Night", ground.TWILIGHT: "Twilight"}.get(
                group.shift or "", "Day"
            )
            label = f"{shift} {group.title.lower()} {placeholder}"
            return Contact(
                placeholder_label=label,
                name_key=fold(label),
                how_known=site.how_known or HowKnown.TOLD_BY_COLLEAGUE,
                **shared,
            )
        first, surname, language = (
            (role.first, role.surname, role.language) if role else self.names.next()
        )
        known_as = f"{first} {surname[0]}"
        full_name = f"{first} {surname}" if role or self._chance(0.7) else None
        languages = None
        if language != "English":
            languages = [language, "English"] if self._chance(0.7) else [language]
        return Contact(
            known_as=known_as,
            full_name=full_name,
            name_key=fold(" ".join(part for part in (known_as, full_name) if part)),
            pronouns=self._pick({None: 80, "she": 9, "he": 9, "they": 2}),
            languages=languages,
            how_known=how,
            do_not_contact=bool(role and role.do_not_contact),
            **shared,
        )

    def _leavers_of(self, site: Site, number: int) -> None:
        for _ in range(number):
            group = self.rng.choice(ground.DEARNE_VALLEY)
            member = self.rng.choices((True, False, None), (10, 6, 8))[0]
            person = self._make_person(site, group, asked=False, member=member)
            person.since = self._ago(self.rng.randint(500, 2500))
            person.listed = self._ago(self.rng.randint(366, LIST_BEGAN - 5))
            person.contact.created_at = self._moment(person.listed, 18)
            person.until = self._ago(self.rng.randint(12, 350))

    # What is known of them

    def _make_facts(self, wath: Site) -> None:
        rows: list[Any] = []
        for person in self.people:
            rows.append(self._job(person))
            rows += self._memberships(person)
            rows += self._points(person)
            rows += self._bases(person)
            if person.role is not None and person.role.second_workplace:
                rows.append(
                    Job(
                        public_id=self._id(),
                        contact_id=person.contact.id,
                        place_id=wath.areas["Outbound"],
                        workplace_id=wath.workplace_id,
                        area_id=wath.areas["Outbound"],
                        shift_id=wath.shifts[ground.NIGHTS],
                        job_title="Loader, weekends",
                        employer_of_record_id=self.agency_id,
                        contract_type=ContractType.ZERO_HOURS,
                        valid_from=self._ago(130),
                        recorded_at=self._moment(self._ago(120)),
                    )
                )
        self._add(rows)

    def _job(self, person: Person) -> Job:
        site = person.site
        role = person.role
        agency = role.agency if role else False
        if role is None and person.area in ground.AGENCY_AREAS and site is self.sites[0]:
            agency = self._chance(0.35)
        contract = self._pick(
            {
                ContractType.PERMANENT: 62,
                ContractType.FIXED_TERM: 9,
                ContractType.ZERO_HOURS: 5,
                None: 24,
            }
        )
        placeholder = person.contact.known_as is None
        return Job(
            public_id=self._id(),
            contact_id=person.contact.id,
            place_id=person.place_id,
            workplace_id=site.workplace_id,
            area_id=None if person.area is None else site.areas[person.area],
            shift_id=None if person.shift is None else site.shifts[person.shift],
            job_title=person.title,
            employer_of_record_id=(
                self.agency_id if agency else (None if contract is None else site.employer_id)
            ),
            contract_type=ContractType.AGENCY if agency else contract,
            valid_from=person.since,
            valid_to=person.until,
            from_is_first_seen=placeholder or person.since == person.listed,
            recorded_at=person.contact.created_at,
            recorded_by_id=person.contact.created_by_id,
        )

    def _memberships(self, person: Person) -> list[Membership]:
        if person.member is None:
            return self._half_known(person)
        shared: dict[str, Any] = {
            "contact_id": person.contact.id,
            "recorded_by_id": person.contact.created_by_id,
        }
        told = MembershipSource.THEY_SAID if person.asked else MembershipSource.TOLD_BY_COLLEAGUE
        if not person.member:
            not_member = Membership(
                public_id=self._id(),
                union_id=None,
                status=MembershipStatus.NOT_MEMBER,
                source=told,
                valid_from=person.listed,
                recorded_at=person.contact.created_at,
                **shared,
            )
            if person.role is None and person.until is None and self._chance(0.07):
                return self._who_left_the_union(person, not_member, shared)
            return [not_member]
        if self._chance(0.5):
            joined = max(person.since, self._ago(self.rng.randint(400, 3000)))
        else:
            last = (self.today - person.since).days
            joined = self._ago(self.rng.randint(5, max(6, min(350, last))))
            if person.until is not None:
                joined = min(joined, person.until - timedelta(days=3))
        union, branch = self._branch_of(person)
        return [
            Membership(
                public_id=self._id(),
                union_id=union,
                branch_id=branch,
                status=MembershipStatus.MEMBER,
                source=told if person.asked else MembershipSource.UNION_LIST,
                valid_from=joined,
                recorded_at=max(person.contact.created_at, self._moment(joined, 19)),
                **shared,
            )
        ]

    def _branch_of(self, person: Person) -> tuple[int, int | None]:
        if person.site.titles is ground.HOSPITAL_TITLES:
            return self.other_union.id, self.hospitals.id
        if person.role is not None and person.role.other_union:
            return self.other_union.id, None
        first, *others = person.site.branches
        branch: int | None = self._pick({first: 60, (others or [first])[0]: 30, None: 10})
        return self.union.id, branch

    def _half_known(self, person: Person) -> list[Membership]:
        """Somebody known not to be in one union may be in another: still not known."""
        if person.contact.known_as is None or person.role is not None or not self._chance(0.05):
            return []
        return [
            Membership(
                public_id=self._id(),
                contact_id=person.contact.id,
                union_id=self.union.id,
                status=MembershipStatus.NOT_MEMBER,
                source=MembershipSource.UNION_LIST,
                valid_from=person.listed,
                recorded_at=person.contact.created_at,
            )
        ]

    def _who_left_the_union(
        self, person: Person, after: Membership, shared: dict[str, Any]
    ) -> list[Membership]:
        left = max(person.listed, self._ago(self.rng.randint(30, 240)))
        after.valid_from = left
        after.source = MembershipSource.UNION_LIST
        after.recorded_at = max(person.contact.created_at, self._moment(left, 20))
        union, branch = self._branch_of(person)
        before = Membership(
            public_id=self._id(),
            union_id=union,
            branch_id=branch,
            status=MembershipStatus.MEMBER,
            source=MembershipSource.UNION_LIST,
            valid_from=left - timedelta(days=self.rng.randint(200, 900)),
            valid_to=left,
            recorded_at=person.contact.created_at,
            **shared,
        )
        return [before, after]

    def _points(self, person: Person) -> list[ContactPoint]:
        contact = person.contact
        if contact.known_as is None:
            return []
        shared: dict[str, Any] = {
            "contact_id": contact.id,
            "recorded_at": contact.created_at,
            "recorded_by_id": contact.created_by_id,
        }
        found = []
        if person.role is not None or self._chance(0.85 if person.asked else 0.45):
            number = f"07700 900{next(self.numbers):03d}"
            found.append(
                ContactPoint(
                    public_id=self._id(),
                    kind=PointKind.PHONE,
                    value=number,
                    value_key=phone_key(number) or "",
                    label=self._pick({None: 70, "mobile": 30}),
                    state=self.rng.choices(_CONTACT_STATES, (55, 10, 35))[0],
                    **shared,
                )
            )
        if contact.full_name is not None and self._chance(0.5 if person.asked else 0.15):
            mail = fold(contact.full_name).replace(" ", ".") + "@example.org"
            found.append(
                ContactPoint(
                    public_id=self._id(),
                    kind=PointKind.EMAIL,
                    value=mail,
                    value_key=mail,
                    state=self.rng.choices(_CONTACT_STATES, (45, 15, 40))[0],
                    **shared,
                )
            )
        return found

    def _bases(self, person: Person) -> list[FieldBasis]:
        contact = person.contact

        def _basis(group: FieldGroup, basis: LegalBasis, **more: Any) -> FieldBasis:
            return FieldBasis(
                public_id=self._id(),
                contact_id=contact.id,
                field_group=group,
                basis=basis,
                given_on=person.listed,
                recorded_at=contact.created_at,
                recorded_by_id=contact.created_by_id,
                **more,
            )

        if person.role is not None and person.role.do_not_contact:
            return [
                _basis(
                    FieldGroup.CONTACT_DETAILS,
                    LegalBasis.CONSENT,
                    wording=words.CONSENT[0],
                    withdrawn_on=self._ago(50),
                )
            ]
        if not person.asked and person.member is not None:
            # Nobody has talked to them yet, so the ground for keeping this is written down.
            ground_for_it = (
                LegalBasis.REGULAR_CONTACT if person.member else LegalBasis.LEGITIMATE_INTEREST
            )
            return [_basis(FieldGroup.MEMBERSHIP, ground_for_it)]
        if not person.asked or not self._chance(0.35):
            return []
        found = [_basis(FieldGroup.CONTACT_DETAILS, LegalBasis.CONSENT, wording=words.CONSENT[0])]
        if person.member:
            found.append(
                _basis(FieldGroup.MEMBERSHIP, LegalBasis.CONSENT, wording=words.CONSENT[1])
            )
        if self._chance(0.4):
            found.append(_basis(FieldGroup.VIEWS, LegalBasis.CONSENT, wording=words.CONSENT[2]))
        return found


def _slots(group: Group) -> list[tuple[bool, bool | None]]:
    """Return (asked, member) for each person of the group.

    Most of those whom nobody has asked are people whose membership is not known either.
    """
    not_known = min(group.not_known, max(group.placeholders, round(0.8 * group.never_asked)))
    rest = group.never_asked - not_known
    members = min(group.members, (rest + 1) // 2)
    not_members = rest - members
    return [
        *[(False, None)] * not_known,
        *[(False, True)] * members,
        *[(False, False)] * not_members,
        *[(True, None)] * (group.not_known - not_known),
        *[(True, True)] * (group.members - members),
        *[(True, False)] * (group.not_members - not_members),
    ]
