"""Tables as pandas frames with declared columns and types, also when they are empty.

For notebooks and reports. No page imports this module: pandas takes longer to load than a page
may take to answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final, TypeAlias

import pandas as pd

from crm.analysis.exports import DENSITY_COLUMNS, Kind, density_value
from crm.analysis.report_files import FIGURE_COLUMNS, figure_value
from crm.domain.density_row import DensityRow
from crm.domain.numbers import NOT_APPLICABLE
from crm.domain.report import FigureRow

# What these functions return, for those who may not import pandas themselves.
Frame: TypeAlias = pd.DataFrame

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


def report_frame(rows: Iterable[FigureRow]) -> pd.DataFrame:
    """Return the figures of a report as a frame, one row each, with the columns of its CSV file.

    `numerator` to `not_known` are nullable floats, days `datetime64[s]`, the rest nullable text.
    What is not known, does not apply or is hidden is NA: the CSV file tells them apart.
    """
    listed = list(rows)
    columns: dict[str, pd.Series] = {}
    for name in FIGURE_COLUMNS:
        cells = [figure_value(row, name) for row in listed]
        if name in _REPORT_DAYS:
            days = [cell if isinstance(cell, date) else None for cell in cells]
            columns[name] = pd.Series(days, dtype="object").astype("datetime64[s]")
        elif name in _REPORT_NUMBERS:
            numbers = [cell if isinstance(cell, int | float) else None for cell in cells]
            columns[name] = pd.Series(numbers, dtype="Float64")
        else:
            words = [None if cell == NOT_APPLICABLE else cell for cell in cells]
            columns[name] = pd.Series(words, dtype="string")
    return pd.DataFrame(columns)


_REPORT_DAYS: Final = frozenset({"after", "as_at"})
_REPORT_NUMBERS: Final = frozenset(
    {"numerator", "out_of_low", "out_of_high", "low", "high", "not_known"}
)
