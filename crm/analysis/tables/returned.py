"""Rows of a list handed back as a file, with what is wrong in a column of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from crm.analysis.safe_files import csv_bytes, neutral


def problems_csv(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return a CSV file (UTF-8 with a byte order mark) that is safe to open in a spreadsheet."""
    return csv_bytes([[*map(neutral, headings)], *([*map(neutral, row)] for row in rows)])
