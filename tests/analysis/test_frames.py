"""Frames of densities: declared columns and types, the same digits as the file."""

from __future__ import annotations

import io
import subprocess
import sys

import pandas as pd

from crm.analysis.exports import DENSITY_COLUMNS, density_csv
from crm.analysis.frames import density_frame
from tests.analysis.test_exports import _row


def test_an_empty_frame_has_the_same_columns_and_types() -> None:
    empty, full = density_frame([]), density_frame([_row(), _row(workforce=None)])
    assert len(empty) == 0
    assert [*empty.columns] == [column.name for column in DENSITY_COLUMNS]
    assert empty.dtypes.to_dict() == full.dtypes.to_dict()
    assert str(full.dtypes["members"]) == "Float64"
    assert str(full.dtypes["as_at"]) == "datetime64[s]"


def test_what_is_not_known_is_missing_and_not_0() -> None:
    frame = density_frame([_row(workforce=None)])
    assert frame["workers_high"].isna().all()
    assert frame["headcount_on"].isna().all()
    assert frame["members"].tolist() == [127.0]


def test_the_frame_and_the_file_have_the_same_digits() -> None:
    rows = [_row(), _row(workforce=None)]
    file = pd.read_csv(io.BytesIO(density_csv(rows, practice=False)), na_values=["[x]", "[z]"])
    frame = density_frame(rows)
    for name in ("low_fraction", "high_fraction", "workers_high", "low_percent"):
        assert file[name].fillna(-1).tolist() == frame[name].fillna(-1).tolist()


def test_the_web_app_does_not_load_pandas() -> None:
    code = "import sys, crm.features.density.views; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
