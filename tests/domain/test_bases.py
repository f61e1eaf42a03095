"""Members of a part of a place: the bounds hold every truth that fits what is known."""

from __future__ import annotations

import random

import pytest

from crm.domain.bases import Known, PartDensity, part_density, together
from crm.domain.density import PeopleRange, Range
from crm.domain.headcount import Workforce


def test_people_who_perhaps_belong_are_counted_when_they_cannot_all_be_outside() -> None:
    # 100 on site, 90 direct: at most 10 are not. 40 members of unknown employer: 30 at least are.
    found = part_density(Known(), Known(members=40), Workforce.exactly(90), Workforce.exactly(100))
    assert found is not None
    assert found.members == PeopleRange(30, 90)
    assert found.share == Range(30 / 90, 1.0)


def test_without_the_whole_place_only_those_who_surely_belong_count() -> None:
    found = part_density(
        Known(members=4, not_members=2), Known(members=40), Workforce(10, None, 20), None
    )
    assert found is not None
    assert found.share == Range(4 / 20, 18 / 20)


def test_nobody_in_the_part_has_no_share() -> None:
    assert part_density(Known(), Known(), Workforce.exactly(0), None) is None


def test_the_high_end_never_counts_more_than_can_be_members() -> None:
    # 10 of 12 named and known; only one more could be a member in a part of 5 to 12.
    found = part_density(
        Known(members=1, not_members=3),
        Known(members=1),
        Workforce(5, None, 12),
        Workforce.exactly(12),
    )
    assert found is not None
    assert found.members.high == 9


@pytest.mark.parametrize("seed", range(40))
def test_bounds_always_hold_the_hidden_truth(seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(25):
        parts: list[PartDensity] = []
        true_members = true_workers = 0
        for _site in range(draw.randint(1, 4)):
            people = [
                (draw.random() < 0.6, draw.random() < draw.random())
                for _ in range(draw.randint(1, 30))
            ]
            inside = [member for belongs, member in people if belongs]
            counts = {True: [0, 0, 0], None: [0, 0, 0]}
            for belongs, member in people:
                if draw.random() < 0.4:
                    continue  # Not named.
                knows_place = draw.random() < 0.5
                if knows_place and not belongs:
                    continue  # Surely outside: not of the part.
                state = (0 if member else 1) if draw.random() < 0.7 else 2
                counts[True if knows_place else None][state] += 1
            spread = draw.randint(0, 5)
            part = Workforce(max(0, len(inside) - spread), None, len(inside) + draw.randint(0, 5))
            site = (
                None
                if draw.random() < 0.3
                else Workforce(max(0, len(people) - spread), None, len(people) + draw.randint(0, 5))
            )
            found = part_density(Known(*counts[True]), Known(*counts[None]), part, site)
            if found is None:
                assert not inside
                continue
            assert found.members.low <= sum(inside) <= found.members.high
            if inside:
                assert found.share.low <= sum(inside) / len(inside) + 1e-12
                assert sum(inside) / len(inside) <= found.share.high + 1e-12
            parts.append(found)
            true_members += sum(inside)
            true_workers += len(inside)
        whole = together(parts)
        if whole is not None and true_workers:
            assert whole.low - 1e-12 <= true_members / true_workers <= whole.high + 1e-12
