"""A report as files: sheets with numbers in their cells, a PDF like the paper, and all in one.

Nothing here needs a request, so that the worker can call it too.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flask import current_app
from flask_babel import get_locale
from flask_babel import gettext as _

from crm.analysis.pdf import NoPdf, pdf_of
from crm.analysis.report_files import (
    Cell,
    Sheet,
    SheetChart,
    SheetColumn,
    figures_csv,
    workbook,
)
from crm.analysis.safe_files import About
from crm.domain.report import (
    Figure,
    FigureKind,
    Line,
    LineKind,
    PartName,
    ReportPack,
    ReportTable,
    Value,
    figure_rows,
    written,
)
from crm.features.reports import wording
from crm.features.reports.forms import PARTS
from crm.web.filters import day as day_text


def about(pack: ReportPack, maker: Maker) -> About:
    """Return the first sheet: what it is, the answer of each part, and what they stand on."""
    parts = wording.show(pack, lines=0)
    return About(
        name=_("About"),
        title=_("Report: %(name)s", name=wording.unit_name(pack)),
        lines=(
            (_("As at"), day_text(pack.as_at)),
            (_("Last meeting"), day_text(pack.since)),
            (_("Made by"), maker.made_by),
            (_("Made at"), maker.made_at),
            (_("Organisation"), maker.organisation),
            *(
                (part.name, " ".join([f"{part.title}.", *part.reading, part.base]))
                for part in parts
            ),
        ),
        words=(
            _("Contains union data: do not leave on a table."),
            _("Counts only, no names."),
            _("“Not known” is never counted as “no”."),
            _("[x] means not known. [z] means does not apply. [c] means hidden to protect people."),
        ),
    )


@dataclass(frozen=True, slots=True)
class Maker:
    """What a file says of its making. made_at: ready to print. practice: everyone is invented."""

    organisation: str
    made_by: str
    made_at: str
    practice: bool


def csv_of(pack: ReportPack, maker: Maker) -> bytes:
    """Return every figure of the report as one row."""
    return figures_csv(figure_rows(pack), practice=maker.practice)


def xlsx_of(pack: ReportPack, maker: Maker) -> bytes:
    """Return the report as a workbook."""
    return workbook(about(pack, maker), sheets(pack), practice=maker.practice)


def pdf_file(pack: ReportPack, maker: Maker) -> bytes:
    """Return the report as a PDF of the same parts, charts and tables. Raises NoPdf."""
    locale = get_locale()
    templates = current_app.jinja_env
    page = templates.get_template("reports/pdf.html").render(
        lang=str(locale or "en").replace("_", "-"),
        dir=locale.text_direction if locale else "ltr",
        title=_("Report: %(name)s", name=wording.unit_name(pack)),
        organisation=maker.organisation,
        as_at=pack.as_at,
        since=pack.since,
        made_by=maker.made_by,
        made_at=maker.made_at,
        practice=maker.practice,
        parts=wording.show(pack, lines=wording.PAPER_LINES, open_tables=True),
    )
    return pdf_of(page, templates.get_template("reports/pdf.css").render())


def zip_of(pack: ReportPack, maker: Maker, stem: str) -> tuple[bytes, bool]:
    """Return the report in all its sorts of file, and whether a PDF is among them.

    stem: the names of the files without their ending.
    """
    try:
        pdf = pdf_file(pack, maker)
    except NoPdf:
        pdf = None
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as together:
        if pdf is not None:
            together.writestr(f"{stem}.pdf", pdf)
        together.writestr(f"{stem}.xlsx", xlsx_of(pack, maker))
        together.writestr(f"{stem}.csv", csv_of(pack, maker))
    return file.getvalue(), pdf is not None


def sheets(pack: ReportPack) -> list[Sheet]:
    """Return a sheet for each table of the report."""
    return [
        _sheet(pack, part.name, table, alone=len(part.tables) == 1)
        for part in pack.parts
        for table in part.tables
        if table.lines
    ]


def _sheet(pack: ReportPack, part: PartName, table: ReportTable, *, alone: bool) -> Sheet:
    columns = [SheetColumn(wording.first_column(table))]
    at: dict[str, int] = {}
    for measure in table.measures:
        at[measure] = len(columns)
        words = wording.measure_label(pack, measure)
        kind = table.lines[0][measure].kind
        columns += [
            SheetColumn(_("%(measure)s: %(end)s", measure=words, end=end) if end else words, share)
            for end, share in _ends(kind)
        ]
    rows = tuple(
        (
            line.as_at if line.kind is LineKind.DAY else wording.line_name(pack, line),
            *(cell for measure in table.measures for cell in _cells(line[measure])),
        )
        for line in table.lines
    )
    name = str(PARTS[part]) if alone else wording.caption(table)
    return Sheet(name, tuple(columns), rows, _chart(table, rows, at))


def _ends(kind: FigureKind) -> Iterator[tuple[str, bool]]:
    """Yield the columns of a figure: what stands behind its name, and whether it is a share."""
    if kind is FigureKind.COUNT:
        yield "", False
    else:
        share = kind is FigureKind.SHARE
        if share:
            yield _("people"), False
            yield _("out of, at least"), False
            yield _("out of, at most"), False
        yield _("at least"), share
        yield _("at most"), share
        if share:
            yield _("not known"), False


def _cells(figure: Figure) -> list[Value]:
    if figure.kind is FigureKind.COUNT:
        return [figure.numerator]
    ends = [written(figure, figure.low), written(figure, figure.high)]
    if figure.kind is FigureKind.RANGE:
        return ends
    return [figure.numerator, figure.out_of_low, figure.out_of_high, *ends, figure.not_known]


# The first column of a share that is a share, behind the people and what they are out of.
_SHARE_AT = 3


def _chart(
    table: ReportTable, rows: Sequence[tuple[Cell, ...]], at: dict[str, int]
) -> SheetChart | None:
    """Return the chart of a sheet; None where nothing of it is a number. Only lines whose numbers
    are known are drawn: a spreadsheet would draw what is not known as nothing."""
    if not table.drawn:
        return None
    if table.name == "support":
        columns = tuple(at[measure] for measure in table.drawn)
        whole = all(isinstance(rows[0][column], int | float) for column in columns)
        return (
            SheetChart(wording.caption(table), "column", columns, (0, 0), True) if whole else None
        )
    first = table.lines[0]
    columns = tuple(
        column
        for measure in table.drawn
        for column in (
            [at[measure] + _SHARE_AT, at[measure] + _SHARE_AT + 1]
            if first[measure].kind is FigureKind.SHARE
            else [at[measure]]
        )
    )
    lines = _longest_known(table.lines, rows, columns)
    if lines is None:
        return None
    kind = "line" if table.lines[0].kind is LineKind.DAY else "bar"
    return SheetChart(wording.caption(table), kind, columns, lines)


def _longest_known(
    lines: Sequence[Line], rows: Sequence[tuple[Cell, ...]], columns: Sequence[int]
) -> tuple[int, int] | None:
    best: tuple[int, int] | None = None
    start: int | None = None
    for number in range(len(rows) + 1):
        known = number < len(rows) and all(
            isinstance(rows[number][column], int | float) for column in columns
        )
        # A bar of all together would dwarf those of its places.
        if known and lines[number].kind is LineKind.WHOLE and len(lines) > 1:
            known = False
        if known and start is None:
            start = number
        if not known and start is not None:
            if best is None or number - start > best[1] - best[0] + 1:
                best = (start, number - 1)
            start = None
    return best
