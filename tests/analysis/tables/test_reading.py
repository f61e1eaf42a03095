"""Lists of every sort come out as the same rows of text."""

from __future__ import annotations

import json
import os
from datetime import date, datetime

import pytest

from crm.analysis.tables.apart import read_apart, read_here
from crm.analysis.tables.found import Asked, CannotRead, Table, table_of
from crm.analysis.tables.layout import find_heading_row, find_layout
from crm.analysis.tables.packed import Packed
from crm.analysis.tables.sheets import as_text
from crm.analysis.tables.texts import even, tidy
from crm.domain.signs import plain_signs
from tests.analysis.tables import making

ROWS = (("Name", "Phone"), ("Zoë Łęcka", "07700 900123"), ("Seán", ""))


def _read(content: bytes, **asked: str) -> Table:
    return read_here(content, Asked(**asked))


def _lines(delimiter: str = ",", end: str = "\r\n") -> str:
    return "".join(delimiter.join(row) + end for row in ROWS)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_a_csv_of_any_sign_and_alphabet_is_read(delimiter: str, encoding: str) -> None:
    found = _read(_lines(delimiter).encode(encoding))
    assert found.rows == ROWS
    assert found.delimiter == delimiter


def test_windows_letters_are_taken_for_what_they_are_and_can_be_corrected() -> None:
    assert _read("Name;Town\nRenée;Mâcon\n".encode("cp1252")).rows[1] == ("Renée", "Mâcon")
    polish = "Name;Town\nŁęcka;Łódź\n".encode("cp1250")
    assert _read(polish).rows[1] != ("Łęcka", "Łódź")
    assert _read(polish, encoding="cp1250").rows[1] == ("Łęcka", "Łódź")


def test_a_first_line_that_names_the_sign_is_not_a_row() -> None:
    assert _read(b"sep=;\nName;Phone\nIoana;1,5\n").rows == (("Name", "Phone"), ("Ioana", "1,5"))


def test_cells_over_several_lines_stay_one_cell() -> None:
    found = _read(b'Name,Address\n"Ioana","1 High St\r\n Barnsley"\nTomasz,x\n')
    assert found.rows[1] == ("Ioana", "1 High St\nBarnsley")
    assert len(found.rows) == 3


def test_an_open_quote_is_said_with_its_row() -> None:
    with pytest.raises(CannotRead) as refused:
        _read(b'Name\nIoana\n"Tomasz\n')
    assert (refused.value.key, refused.value.number) == ("open_quote", 3)


def test_a_spreadsheet_gives_what_a_person_sees_and_no_formula() -> None:
    content = making.xlsx(
        (
            "People",
            [
                ["Name", "Started", "Number", "Share", "Text number", "Sum"],
                ["Ioana", datetime(2026, 5, 14), 7700900123, 0.5, "00123", "=1+1"],  # noqa: DTZ001
            ],
        )
    )
    found = _read(content)
    assert found.kind == "xlsx"
    assert found.rows[1][:5] == ("Ioana", "2026-05-14", "7700900123", "0.5", "00123")
    assert "=" not in found.rows[1][5]


def test_a_sheet_can_be_chosen_and_a_cover_sheet_is_passed_by() -> None:
    content = making.xlsx(
        ("Cover", [["List of May"]]),
        ("People", [["Name", "Phone"], *[[f"P{n}", "1"] for n in range(40)]]),
    )
    assert _read(content).sheet == "People"
    assert _read(content, sheet="Cover").rows == (("List of May",),)
    with pytest.raises(CannotRead):
        _read(content, sheet="Other")


def test_row_numbers_are_those_of_the_spreadsheet() -> None:
    content = making.raw_xlsx(
        making.sheet_of(
            f'<row r="3">{making.cell("B3", "Name")}</row>'
            f'<row r="5">{making.cell("B5", "Ioana")}</row>'
        )
    )
    assert [row[1] for row in _read(content).rows] == ["", "", "Name", "", "Ioana"]


def test_an_open_document_list_is_read() -> None:
    found = _read(making.ods(ROWS))
    assert (found.kind, found.rows) == ("ods", ROWS)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "yes"),
        (12.0, "12"),
        (12.5, "12.5"),
        (date(2026, 5, 14), "2026-05-14"),
        (datetime(2026, 5, 14, 6, 30), "2026-05-14 06:30"),  # noqa: DTZ001
        (" a\xa0 b ", "a b"),
    ],
)
def test_a_cell_is_written_as_a_person_would_type_it(value: object, text: str) -> None:
    assert as_text(value) == text


CARD_21 = (
    b"BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:O=E2=80=99Neill;=\r\n"
    b"Siobh=C3=A1n\r\nTEL;CELL:07700900123\r\nTEL;HOME:07700 900124\r\nEND:VCARD\r\n"
)
CARD_3 = (
    b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ioana Popescu\r\nitem1.EMAIL;type=INTERNET:\r\n"
    b" ioana@example.org\r\nORG:Brightway;Packing\\, nights\r\nTITLE:Packer\r\n"
    b"PHOTO;ENCODING=b:AAAA\r\nEND:VCARD\r\n"
)
CARD_4 = (
    b'BEGIN:VCARD\nVERSION:4.0\nFN:Tomasz K\nTEL;VALUE=uri;TYPE="voice,home":tel:+44-7700-900125;'
    b'ext=1\nADR;LABEL="a:b":;;1 High St;Barnsley;;S70 1AA;UK\nEND:VCARD\n'
)


def test_address_books_of_every_version_are_read() -> None:
    found = _read(CARD_21 + CARD_3 + CARD_4)
    people = [dict(zip(found.rows[0], row, strict=True)) for row in found.rows[1:]]
    assert people[0]["Full name"] == "Siobhán O’Neill"
    assert (people[0]["Phone"], people[0]["Phone 2"]) == ("07700900123", "07700 900124")
    assert people[1]["Email"] == "ioana@example.org"
    assert people[1]["Department"] == "Packing, nights"
    assert people[1]["Job title"] == "Packer"
    assert people[2]["Phone"] == "+44-7700-900125"
    assert people[2]["Address"] == "1 High St, Barnsley, S70 1AA, UK"


@pytest.mark.parametrize(
    "charset", ["unicode_escape", "raw_unicode_escape", "utf-7", "undefined", "idna", "rot13", "x"]
)
def test_a_card_that_names_a_strange_alphabet_brings_no_half_signs(charset: str) -> None:
    said = f"FN;CHARSET={charset};ENCODING=QUOTED-PRINTABLE:Ewa =5Cud800+2AA-=EF=BF=BF=E2=80=AE"
    found = _read(f"BEGIN:VCARD\r\nVERSION:2.1\r\n{said}\r\nEND:VCARD\r\n".encode())
    name = found.rows[1][0]
    assert name.startswith("Ewa")
    assert name.encode() == plain_signs(name).encode()


def test_signs_that_turn_what_follows_are_left_out_of_a_list() -> None:
    found = _read("Name,Phone\nEwa\u202e\uffff,\u202a07700 900123\u202c\n".encode())
    assert found.rows[1] == ("Ewa", "07700 900123")


def test_a_card_with_one_name_alone_keeps_it_as_a_first_name() -> None:
    found = _read(
        b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ewa nights\r\nTEL:07700 900162\r\nEND:VCARD\r\n"
    )
    person = dict(zip(*found.rows, strict=True))
    assert (person["Full name"], person["First name"], person["Last name"]) == (
        *("Ewa nights", "Ewa nights", ""),
    )


def test_the_heading_row_is_found_below_titles_and_the_totals_below_the_list() -> None:
    rows = [
        ["Ballot of branches", "", ""],
        ["", "", ""],
        ["Branch", "Members", "Yes"],
        ["Hull", "1,204", "300"],
        ["", "", ""],
        ["Barnsley", "90", "50"],
        ["Total", "1,294", "350"],
        ["Source: scrutineer", "", ""],
    ]
    found = find_layout(rows)
    assert found.heading_row == 3
    assert found.left_out == (7, 8)


def test_a_second_line_of_headings_is_no_row_of_the_list() -> None:
    rows = [
        ["Name", "Started", "Phone", "Stands"],
        ["(first last)", "dd/mm/yyyy", "", "1-5"],
        *([f"P {n}", f"0{n}/02/2024", f"07700 90010{n}", str(n)] for n in range(1, 6)),
    ]
    assert find_layout(rows).left_out == (2,)
    # One slip, or two beside a value that is right, is a row like any other.
    assert find_layout([rows[0], ["P 0", "soon", "", ""], *rows[2:]]).left_out == ()
    assert find_layout([rows[0], ["P 0", "soon", "ask Jo", "3"], *rows[2:]]).left_out == ()


def test_a_list_without_headings_has_none() -> None:
    assert find_heading_row([["Ioana", "07700 900123"], ["Tomasz", "07700 900124"]]) == 0
    assert find_heading_row([["Ioana", "Ioana"], ["Tomasz", "x"]]) == 0


def test_a_table_survives_being_written_down() -> None:
    found = _read(making.ods(ROWS))
    assert table_of(found.as_plain()) == found


def test_the_reading_process_sees_no_key_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, str] = {}
    from crm.analysis.tables import apart

    real = apart.subprocess.Popen

    def _note(*args: object, **more: object) -> object:
        seen.update(more["env"])  # type: ignore[call-overload]
        return real(*args, **more)  # type: ignore[call-overload]

    monkeypatch.setenv("SECRET_KEY", "not for readers")
    monkeypatch.setattr(apart.subprocess, "Popen", _note)
    assert read_apart(_lines().encode()).rows == ROWS
    assert "not for readers" not in seen.values()
    assert set(seen) == {"PYTHONPATH", "LC_ALL"}
    assert os.environ["SECRET_KEY"] == "not for readers"


def test_a_quote_mark_inside_a_cell_does_not_stop_a_list_that_is_otherwise_whole() -> None:
    found = _read(b'Name,Unit\nIoana,"the "old" mill"\nTomasz,"yard"\n')
    assert len(found.rows) == 3
    assert found.rows[2] == ("Tomasz", "yard")
    # Here the first quote mark swallows the second person.
    with pytest.raises(CannotRead) as refused:
        _read(b'Name,Unit\n"Ioana,mill\nTomasz,"yard" x\nCarys,"depot"\n')
    assert refused.value.key == "open_quote"


def test_a_firm_called_total_is_no_total() -> None:
    rows = [["Firm", "Members"], ["Total Gas", "3"], *([f"F{n}", "1"] for n in range(9))]
    assert find_layout([*rows, ["Total members", "12"]]).left_out == (12,)


def test_a_long_list_is_kept_packed_and_reads_as_a_short_one_does() -> None:
    lines = [["Name", "Phone", ""], ["", "", ""]]
    lines += [
        [f"Łucja {number}", f" 07700  {number}", ""][: 1 + number % 3] for number in range(21_234)
    ]
    lines += [["", "", ""]] * 700
    content = "\n".join(",".join(one) for one in lines).encode()
    found = read_here(content, Asked())
    rows = even([[tidy(cell) for cell in line] for line in lines])
    assert isinstance(found.rows, Packed)
    assert (len(found.rows), found.width) == (21_236, 2)
    assert tuple(found.rows) == rows
    assert found.rows[-3:] == rows[-3:]
    assert found.rows[20_001] == rows[20_001]
    assert read_apart(content) == found
    again = table_of(json.loads(json.dumps(found.as_plain())))
    assert again == found
    other = again.with_cells({(20_002, 0): "Somebody", (2, 1): "first"})
    assert len(other.rows) == len(rows)
    differ = {place for place, row in enumerate(other.rows) if row != rows[place]}
    assert differ == {1, 20_001}
    assert other.rows[20_001][0] == "Somebody"
    with pytest.raises(IndexError):
        found.rows[21_236]


def test_an_inner_quote_that_is_not_doubled_is_forgiven_in_a_long_list_too() -> None:
    content = b"Name,Town\n" + b'"Ann "Bo" Lee",Hull\n' * 25_000
    found = read_here(content, Asked())
    assert len(found.rows) == 25_001
    assert found.rows[25_000] == ('Ann Bo" Lee"', "Hull")
    with pytest.raises(CannotRead):
        read_here(content + b'"Cy,Hull\n', Asked())
