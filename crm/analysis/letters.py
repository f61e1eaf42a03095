"""Letters as Word files (Office Open XML)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from crm.domain.signs import plain_signs


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a letter: a heading, sentences, and a table whose first row is its heading."""

    title: str
    lines: tuple[str, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class LetterText:
    """A whole letter. stamp: stands at the head of every page."""

    title: str
    stamp: str
    opening: tuple[str, ...]
    sections: tuple[Section, ...]
    closing: tuple[str, ...]
    language: str = "en"


def letter_docx(letter: LetterText) -> bytes:
    """Return the letter as the bytes of a .docx file. It says nothing of who or what made it."""
    # Only where a letter is made: it would be a tenth of what the server takes to start.
    from docx import Document
    from docx.shared import Pt

    # A sign that XML does not take would keep the whole letter from being made.
    letter = _plain(letter)
    document = Document()
    normal = document.styles["Normal"]
    normal.font.size = Pt(11)
    for section in document.sections:
        section.header.paragraphs[0].text = letter.stamp
    document.add_heading(letter.title, level=1)
    for line in letter.opening:
        document.add_paragraph(line)
    for part in letter.sections:
        document.add_heading(part.title, level=2)
        for line in part.lines:
            document.add_paragraph(line)
        if part.table:
            _add_table(document, part.table)
    for line in letter.closing:
        document.add_paragraph(line)
    about = document.core_properties
    about.author, about.last_modified_by, about.comments = "", "", ""
    about.title, about.language = letter.title, letter.language
    # The moment would tell when it was made; the day of a letter stands in the letter.
    about.created = about.modified = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    packed = io.BytesIO()
    document.save(packed)
    return packed.getvalue()


def _plain(letter: LetterText) -> LetterText:
    return LetterText(
        title=plain_signs(letter.title),
        stamp=plain_signs(letter.stamp),
        opening=tuple(map(plain_signs, letter.opening)),
        sections=tuple(
            Section(
                plain_signs(part.title),
                tuple(map(plain_signs, part.lines)),
                tuple(tuple(map(plain_signs, row)) for row in part.table),
            )
            for part in letter.sections
        ),
        closing=tuple(map(plain_signs, letter.closing)),
        language=letter.language,
    )


def _add_table(document: object, rows: Sequence[Sequence[str]]) -> None:
    table = document.add_table(rows=0, cols=len(rows[0]))  # type: ignore[attr-defined]
    table.style = "Table Grid"
    for number, row in enumerate(rows):
        cells = table.add_row().cells
        for cell, text in zip(cells, row, strict=True):
            cell.text = text
            if number == 0:
                for run in cell.paragraphs[0].runs:
                    run.bold = True
