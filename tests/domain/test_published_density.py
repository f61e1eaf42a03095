"""Published tables come out: rounded inputs as a range, weighted inputs as sum over sum."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest

from crm.domain.density import Density, StatedMembers, density, sums_of, total
from crm.domain.headcount import Workforce
from crm.domain.numbers import people_text, percent_text, share_text

_DATA = Path(__file__).parent.parent / "data"


def _read(path: str) -> list[dict[str, str]]:
    with (_DATA / path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _states() -> list[dict[str, str]]:
    return _read("bls-union-table5-2018/table5_2018.csv")


def _rounded(members: int, workers: int) -> Density:
    return density(
        members=0,
        not_members=0,
        not_known_named=0,
        workforce=Workforce.rounded(workers * 1000, 1000),
        stated=StatedMembers.rounded(members * 1000, 1000),
    )


def test_three_of_21_states_cannot_be_had_from_rounded_thousands() -> None:
    states = _states()
    missed = [
        row["state"]
        for row in states
        if share_text(int(row["members_thousands"]), int(row["employed_thousands"]))
        != row["members_pct"]
    ]
    assert (len(states), len(missed)) == (21, 3)


@pytest.mark.parametrize("column", ["members", "represented"])
def test_the_published_rate_of_every_state_is_inside_its_range(column: str) -> None:
    for row in _states():
        found = _rounded(int(row[f"{column}_thousands"]), int(row["employed_thousands"]))
        assert found.fraction_range is not None
        published = Decimal(row[f"{column}_pct"])
        low = Decimal(percent_text(found.fraction_range.low))
        high = Decimal(percent_text(found.fraction_range.high))
        assert low <= published <= high, row["state"]


@pytest.mark.parametrize(("file", "places"), [("county", 280), ("metro", 260), ("city", 97)])
def test_the_total_of_weighted_counts_is_sum_over_sum(file: str, places: int) -> None:
    rows = _read(f"us-union-density/{file}_density.csv")
    parts = [
        density(
            members=0,
            not_members=0,
            not_known_named=0,
            workforce=Workforce.exactly(float(row["employment"])),
            stated=StatedMembers.exactly(float(row["members"])),
        )
        for row in rows
    ]
    found = total(
        sums_of(parts), distinct_members=0, distinct_not_members=0, distinct_not_known_named=0
    )
    exact = sum(Decimal(row["members"]) for row in rows) / sum(
        Decimal(row["employment"]) for row in rows
    )
    assert (found.counted_places, found.all_places) == (places, places)
    assert percent_text(found.confirmed_fraction, 6) == percent_text(exact, 6)
    assert found.fraction_range is not None
    assert percent_text(found.fraction_range.low, 6) == percent_text(exact, 6)
    assert percent_text(found.fraction_range.high, 6) == percent_text(exact, 6)


def test_the_counties_give_11_886_percent() -> None:
    rows = _read("us-union-density/county_density.csv")
    members = sum(Decimal(row["members"]) for row in rows)
    assert share_text(members, sum(Decimal(row["employment"]) for row in rows), 3) == "11.886"
    assert people_text(float(rows[0]["employment"])) == "62,182.0"
