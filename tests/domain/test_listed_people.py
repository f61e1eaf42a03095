"""How many people a cell of a list says: a number or a range, never a made-up middle."""

from __future__ import annotations

import pytest

from crm.domain.countries import country_code
from crm.domain.listed import People, read_people


@pytest.mark.parametrize(
    ("cell", "people"),
    [
        ("1,204", People(1204, 1204, 1204)),
        ("1001-5000", People(1001, None, 5000)),
        ("250 to 499", People(250, None, 499)),
        ("1,000 – 4,999 workers", People(1000, None, 4999)),
        ("20,000 or more", People(20000, None, None)),
        ("500+", People(500, None, None)),
        ("More than 10,000", People(10001, None, None)),
        ("Less than 250", People(0, None, 249)),
        ("5000-1001", None),
        ("about fifty", None),
        ("-", None),
    ],
)
def test_a_range_has_two_ends_and_no_middle(cell: str, people: People | None) -> None:
    assert read_people(cell) == people


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Viet Nam", "VN"),
        ("Türkiye", "TR"),
        ("turkey", "TR"),
        ("Côte d’Ivoire", "CI"),
        ("Bosnia & Herzegovina", "BA"),
        ("uk", "GB"),
        ("kh", "KH"),
        ("Atlantis", None),
        ("XX", None),
    ],
)
def test_a_country_is_known_by_any_of_its_names(name: str, code: str | None) -> None:
    assert country_code(name) == code
