"""Which workplaces and names of unions are taken for one, and which must never be."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.likeness import chicago, measure_places, measure_unions
from crm.analysis.place_likeness import (
    compare_unions,
    find_like_places,
    find_place_pairs,
    union_named,
)
from crm.domain.likeness import Band
from crm.domain.place_likeness import KnownPlace, PlaceReason

DATA = Path(__file__).parents[1] / "data"


def _alike(one: KnownPlace, other: KnownPlace) -> Band | None:
    found = find_like_places(one, [other])
    assert bool(found) == bool(find_like_places(other, [one]))
    return found[0][1].band if found else None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            KnownPlace("Barnsley Depot", "12 Mill Lane, Barnsley"),
            KnownPlace("The Barnsley Depot Ltd", "12 Mill Ln", "S70 2AB"),
        ),
        (
            KnownPlace("St Mary's Hospital", "4-6 High Street"),
            KnownPlace("ST MARYS HOSP", "4 High St"),
        ),
    ],
)
def test_one_workplace_by_name_and_address_is_almost_sure(
    one: KnownPlace, other: KnownPlace
) -> None:
    assert _alike(one, other) is Band.SURE


@pytest.mark.parametrize(
    ("one", "other", "band"),
    [
        # Two firms in one building; one firm in two streets; the same name and nothing else.
        (KnownPlace("Anchor Foods", "1 Mill Lane"), KnownPlace("Zenith Print", "1 Mill Lane"), 1),
        (KnownPlace("Brightway", "1 Mill Lane"), KnownPlace("Brightway", "9 Dock Road"), None),
        (KnownPlace("Brightway Parcel Centre"), KnownPlace("Brightway Parcel Centre"), 1),
        (KnownPlace("Ward 1"), KnownPlace("Ward 2"), None),
    ],
)
def test_what_only_a_name_or_only_an_address_says_is_never_sure(
    one: KnownPlace, other: KnownPlace, band: int | None
) -> None:
    assert _alike(one, other) is (Band.MAYBE if band else None)


def test_places_far_apart_are_not_one_and_places_side_by_side_may_be() -> None:
    here = KnownPlace("Parcel Depot", latitude=53.55, longitude=-1.48)
    near = KnownPlace("Parcel Depot North", latitude=53.5505, longitude=-1.4805)
    far = KnownPlace("Parcel Depot", latitude=51.5, longitude=-0.1)
    ((first, _second, likeness),) = [
        (pair.first, pair.second, pair.likeness) for pair in find_place_pairs([here, near, far])
    ]
    assert first == 0
    assert PlaceReason.CLOSE_BY in likeness.reasons


@pytest.mark.parametrize(
    ("one", "other", "band"),
    [
        ("UVW", "United Voices of the World", Band.SURE),
        ("Fire Brigades Union", "FBU", Band.SURE),
        ("ironworkers local 8", "Iron Workers Local 008", Band.SURE),
        ("Barnsley", "Barnsley Branch", Band.SURE),
        ("seiu local 19", "Service Employees Local 79", None),
        ("Bakers and Food", "Bakers, Food and Allied Workers Union", Band.SURE),
        # One word of several, and a number that the branches of every union have.
        ("Bakers Union", "Bakers, Food and Allied Workers Union", Band.MAYBE),
        ("Teachers branch 12", "Catholic Teachers branch 12", Band.MAYBE),
        ("Teachers branch 12", "Teachers 012", Band.SURE),
        ("National Union of Journalists", "National Union of Seafarers", None),
    ],
)
def test_a_union_is_known_by_its_words_its_letters_and_its_number(
    one: str, other: str, band: Band | None
) -> None:
    assert compare_unions(one, other) is compare_unions(other, one) is band


def test_a_name_that_two_unions_fit_stands_for_neither() -> None:
    names = {"Leeds North branch": 1, "Leeds South branch": 2, "Hull": 3}
    assert union_named("Hull branch", names) == 3
    assert union_named("Leeds", names) is None


def test_the_public_lists_are_found_again_as_docs_benchmarks_say() -> None:
    sure, every = measure_places(chicago(DATA / "dedupe-chicago-sites"))
    assert sure.precision is not None
    assert sure.precision >= 0.99
    assert sure.recall >= 0.75
    assert every.recall >= 0.9
    for half in (None, 0, 1):
        sure, _every = measure_unions(DATA / "union-name-pairs", half)
        assert sure.precision is not None
        assert sure.precision >= 0.99
        assert sure.recall >= 0.59
    assert measure_unions(DATA / "union-name-pairs")[1].recall >= 0.89
