"""Rows of a list handed back as a file, with what is wrong in a column of its own."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from crm.analysis.exports import neutral


def problems_csv(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return a CSV file (UTF-8 with a byte order mark) that is safe to open in a spreadsheet."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow([neutral(one) for one in headings])
    for row in rows:
        writer.writerow([neutral(one) for one in row])
    return file.getvalue().encode("utf-8-sig")
