"""The extracts are cut from the published files, unchanged, and say whose they are."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pytest

from crm.analysis.registers import gender_pay, nhs
from crm.features.practice.service import EXTRACTS

DATA = Path(__file__).parents[2] / "data"


def _rows(content: bytes, encoding: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(encoding), newline="")))


@pytest.mark.parametrize(
    ("extract", "published", "encoding"),
    [
        ("gender_pay_extract.csv", "uk-employers-gpg-2019-20/gpg-2019-2020.csv.gz", "utf-8"),
        ("nhs_sites_extract.csv", "nhs-england-workforce/etrust_sites.csv.gz", "latin-1"),
        ("nhs_staff_extract.csv", "nhs-england-workforce/hchs_2018-06.csv.gz", "utf-8"),
    ],
)
def test_every_row_is_one_of_the_published_rows(
    extract: str, published: str, encoding: str
) -> None:
    cut = _rows((EXTRACTS / extract).read_bytes(), encoding)
    whole = {
        tuple(row) for row in _rows(gzip.decompress((DATA / published).read_bytes()), encoding)
    }
    assert len(cut) > 10
    assert [row for row in cut if tuple(row) not in whole] == []


def test_the_readers_find_employers_one_trust_and_its_sites_without_a_problem() -> None:
    with (EXTRACTS / "gender_pay_extract.csv").open("rb") as stream:
        employers, problems = gender_pay.read_employers(stream)
    assert (len(employers), problems) == (32, [])
    assert [row.current_name for row in employers if row.renamed] == [
        "TILNEY SMITH & WILLIAMSON LIMITED"
    ]
    with (EXTRACTS / "nhs_sites_extract.csv").open("rb") as stream:
        places, problems = nhs.read_trusts_and_sites(stream)
    assert (len(places), problems) == (16, [])
    with (EXTRACTS / "nhs_staff_extract.csv").open("rb") as stream:
        staff, problems = nhs.read_staff(stream)
    assert ([row.code for row in staff], problems) == (["RHQ"], [])


def test_the_readme_gives_source_and_licence() -> None:
    text = (EXTRACTS / "README.md").read_text(encoding="utf-8")
    assert "Open Government Licence v3.0" in text
    assert "Contains public sector information licensed under the Open Government Licence" in text
    for extract in EXTRACTS.glob("*.csv"):
        assert extract.name in text
