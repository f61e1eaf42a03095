"""Tables as pandas frames with declared columns and types, also when they are empty.

For notebooks and reports. No page imports this module: pandas takes longer to load than a page
may take to answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pandas as pd

from crm.analysis.exports import DENSITY_COLUMNS, Kind, density_value
from crm.domain.density_row import DensityRow
from crm.domain.numbers import NOT_APPLICABLE

_TYPES: Final = {
    Kind.TEXT: "string",
    Kind.DAY: "datetime64[s]",
    Kind.COUNT: "Float64",
    Kind.FRACTION: "Float64",
    Kind.PERCENT: "Int64",
}


def density_frame(rows: Iterable[DensityRow]) -> pd.DataFrame:
    """Return the rows as a frame with the columns of the exported files, in their order.

    Counts and fractions are nullable floats, per cents nullable whole numbers, days
    `datetime64[s]`, the rest nullable text. What is not known, and what does not apply, is NA
    (NaT for a day). With no rows the columns and types are the same.
    """
    listed = list(rows)
    columns: dict[str, pd.Series] = {}
    for column in DENSITY_COLUMNS:
        values = [density_value(row, column) for row in listed]
        cells = [None if value == NOT_APPLICABLE else value for value in values]
        if column.kind is Kind.PERCENT:
            cells = [None if cell is None else int(str(cell)) for cell in cells]
        if column.kind is Kind.DAY:
            columns[column.name] = pd.Series(cells, dtype="object").astype("datetime64[s]")
        else:
            columns[column.name] = pd.Series(cells, dtype=_TYPES[column.kind])
    return pd.DataFrame(columns)
