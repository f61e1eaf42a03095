"""Reports that the worker makes, who may fetch them, and what is kept for the next meeting."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient

from crm.analysis import pdf
from crm.analysis.pdf import NoPdf, pdf_of
from crm.domain.assessment import DEFAULT_EXPIRY
from crm.domain.report import ALWAYS
from crm.features.reports import files
from crm.models.accounts import AccessGrant
from crm.models.audit import AuditEntry
from crm.models.places import Branch, Employer
from crm.models.reports import ReportFile, ReportRecipe
from crm.reads.report import build_report
from crm.web import clock, tasks
from crm.web.db import unit_of_work
from tests import factories
from tests.factories import ALL, NOW, TODAY, Named, World
from tests.features.reports.conftest import SINCE

Clients = Callable[[Named], FlaskClient]

pytestmark = pytest.mark.usefixtures("fixed_clock")


def _make(app: Flask, client: FlaskClient, place: Named, sort: str, query: str = "") -> str:
    """Ask for a file, let the worker make it, and return the address it is fetched at."""
    answer = client.post(f"/reports/{place.public_id}/make/{sort}?since={SINCE}{query}")
    assert answer.status_code == 303
    assert tasks.run_one(app)
    page = client.get(answer.headers["Location"]).get_data(as_text=True)
    found = re.search(r'href="(/reports/files/[^"]+)"', page)
    assert found is not None, page
    return found[1]


def _poppler(command: list[str], content: bytes) -> str:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    return subprocess.run(command, input=content, capture_output=True, check=True).stdout.decode()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing a PDF takes seconds; most rules are about who gets it, whatever is in it."""
    monkeypatch.setattr("crm.features.reports.files.pdf_of", lambda html, css: b"%PDF-1.7")


def test_a_pdf_says_what_the_screen_says_and_is_made_for_screen_readers(
    app: Flask, world: World, client_as: Clients
) -> None:
    officer = client_as(world.officer)
    answer = officer.get(_make(app, officer, world.mill, "pdf"))
    assert answer.headers["Content-Type"] == "application/pdf"
    assert 'filename="report-2026-11-23.pdf"' in answer.headers["Content-Disposition"]
    content = answer.get_data()
    facts = _poppler(["pdfinfo", "-"], content)
    assert re.search(r"Tagged: +yes", facts)
    assert re.search(r"Title: +Report: The Mill", facts)
    assert 2 <= int(re.findall(r"Pages: +(\d+)", facts)[0]) <= 8
    text = re.sub(r"\s+", " ", _poppler(["pdftotext", "-layout", "-", "-"], content))
    screen = officer.get(f"/reports/{world.mill.public_id}?since={SINCE}").get_data(as_text=True)
    for sentence in (
        "As many members as on 26 October 2026",
        "Density: 10% to 90%",
        "Hidden: too few people to hand round",
    ):
        assert sentence in text
        assert sentence in screen
    assert "Report: The Mill" in text
    assert "Contains union data: do not leave on a table." in text
    assert "Ioana" not in text


def test_a_branch_of_thirty_workplaces_fits_on_eight_sides_and_tells_what_it_leaves_out(
    app: Flask, world: World
) -> None:
    with unit_of_work(ALL) as session:
        employer = session.scalars(ALL.select(Employer)).first()
        branch = session.scalars(ALL.select(Branch).where(Branch.id == world.branch.id)).one()
        assert employer is not None
        for number in range(30):
            site = factories.make_workplace(session, employer, f"Site {number}", branches=(branch,))
            factories.make_person(session, site, f"Person {number}")
            if number % 2:
                factories.make_headcount(session, site, 20, 30)
    with unit_of_work(ALL, read_only=True) as session:
        pack = build_report(
            session,
            ALL,
            world.branch.public_id,
            since=SINCE,
            as_at=TODAY,
            day=TODAY,
            day_end=clock.end_of(TODAY, "UTC"),
            expiry=DEFAULT_EXPIRY,
            parts=ALWAYS,
        )
    with app.test_request_context():
        content = files.pdf_file(pack, files.Maker("Union", "Kasia", "today", practice=False))
    pages = int(re.findall(r"Pages: +(\d+)", _poppler(["pdfinfo", "-"], content))[0])
    assert 2 <= pages <= 8
    text = re.sub(r"\s+", " ", _poppler(["pdftotext", "-layout", "-", "-"], content))
    assert (
        "25 more lines are on the screen and in the files. In 16 of them something is not" in text
    )


class _Tables(HTMLParser):
    """Gathers the rows of the tables of a page: the text of each cell."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._in_cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"}:
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.rows[-1][-1] += data.strip()


def test_every_number_is_the_same_on_paper_in_the_pdf_the_workbook_and_the_plain_file(
    app: Flask, busy: World, client_as: Clients
) -> None:
    officer = client_as(busy.officer)
    # The plain file is compared with the raw tables in test_views.py.
    address, query = f"/reports/{busy.mill.public_id}", f"?since={SINCE}&as_at={TODAY}"
    paper = _Tables()
    paper.feed(officer.get(f"{address}/print{query}").get_data(as_text=True))
    screen = _Tables()
    screen.feed(officer.get(f"{address}{query}").get_data(as_text=True))
    assert screen.rows == paper.rows
    with zipfile.ZipFile(io.BytesIO(officer.get(_make(app, officer, busy.mill, "zip")).data)) as z:
        files = {name.rsplit(".", 1)[1]: z.read(name) for name in z.namelist()}
    text = re.sub(r"\s+", " ", _poppler(["pdftotext", "-layout", "-", "-"], files["pdf"]))
    numbers = [row for row in paper.rows if any(cell[:1].isdigit() for cell in row[1:])]
    assert len(numbers) > 20
    for row in numbers:
        assert " ".join(row) in text
    lines: dict[tuple[str, ...], list[str]] = {}
    for one in csv.DictReader(io.StringIO(files["csv"].decode("utf-8-sig"))):
        told = {
            "count": ("numerator",),
            "range": ("low", "high"),
            "share": ("numerator", "out_of_low", "out_of_high", "low", "high", "not_known"),
        }[one["kind"]]
        key = (one["part"], one["table"], one["place_id"], one["line"], one["as_at"])
        lines.setdefault(key, []).extend(one[name] for name in told)
    book = openpyxl.load_workbook(io.BytesIO(files["xlsx"]))
    cells = [
        [cell.value for cell in row[1:]]
        for sheet in book.worksheets[1:]
        for row in sheet.iter_rows(min_row=2)
        if row[1].value is not None
    ]
    assert len(cells) == len(lines)
    for held, plain in zip(cells, lines.values(), strict=True):
        held = held[: len(plain)]
        assert [str(one) if isinstance(one, str) else f"{one:g}" for one in held] == [
            one if one.startswith("[") else f"{float(one):g}" for one in plain
        ]


def test_a_zip_holds_all_three_files(
    app: Flask, world: World, client_as: Clients, quick: None
) -> None:
    officer = client_as(world.officer)
    content = officer.get(_make(app, officer, world.branch, "zip")).get_data()
    with zipfile.ZipFile(io.BytesIO(content)) as found:
        assert sorted(found.namelist()) == [
            "report-2026-11-23.csv",
            "report-2026-11-23.pdf",
            "report-2026-11-23.xlsx",
        ]
        direct = officer.get(f"/reports/{world.branch.public_id}.csv?since={SINCE}").get_data()
        assert found.read("report-2026-11-23.csv") == direct


def test_a_file_is_fetched_by_its_owner_alone_and_each_time_is_in_the_trail(
    app: Flask, world: World, client_as: Clients, quick: None
) -> None:
    address = _make(app, client_as(world.officer), world.mill, "pdf")
    assert client_as(world.organiser).get(address).status_code == 403
    with unit_of_work(ALL) as session:
        other = factories.make_user(session, "Other Officer", role="branch_officer", place=None)
        named = Named(other.id, other.public_id, other.name)
    assert client_as(named).get(address).status_code == 404
    assert client_as(world.officer).get(address).status_code == 200
    with unit_of_work(ALL, read_only=True) as session:
        entry = session.scalars(
            ALL.select(AuditEntry).where(AuditEntry.subject == "report_pdf")
        ).one()
        assert (entry.actor_id, entry.place_id) == (world.officer.id, world.mill.id)


def test_a_file_cannot_be_fetched_after_a_day_or_once_the_place_is_no_longer_held(
    app: Flask, world: World, client_as: Clients, quick: None
) -> None:
    officer = client_as(world.officer)
    address = _make(app, officer, world.mill, "pdf")
    with unit_of_work(ALL) as session:
        grant = session.query(AccessGrant).filter_by(user_id=world.officer.id).one()
        branch, grant.place_id = grant.place_id, world.dock.id
    assert officer.get(address).status_code == 404
    with unit_of_work(ALL) as session:
        session.query(AccessGrant).filter_by(user_id=world.officer.id).one().place_id = branch
    assert officer.get(address).status_code == 200
    _expire()
    assert officer.get(address).status_code == 404
    assert address not in officer.get("/reports").get_data(as_text=True)


def _expire() -> None:
    with unit_of_work(ALL) as session:
        for file in session.scalars(ALL.select(ReportFile)):
            file.expires_at = NOW


def test_what_has_expired_is_deleted_and_the_rest_stays(
    app: Flask, world: World, client_as: Clients, quick: None
) -> None:
    officer = client_as(world.officer)
    _make(app, officer, world.mill, "pdf")
    tasks.sweep(app)
    assert _files() == 1
    _expire()
    tasks.sweep(app)
    assert _files() == 0


def _files() -> int:
    with unit_of_work(ALL, read_only=True) as session:
        return len(session.scalars(ALL.select(ReportFile.id)).all())


def test_a_report_that_may_no_longer_be_made_ends_with_a_sentence(
    app: Flask, world: World, client_as: Clients
) -> None:
    officer = client_as(world.officer)
    answer = officer.post(f"/reports/{world.mill.public_id}/make/pdf?since={SINCE}")
    with unit_of_work(ALL) as session:
        session.query(AccessGrant).filter_by(
            user_id=world.officer.id
        ).one().place_id = world.dock.id
    assert tasks.run_one(app)
    page = officer.get(answer.headers["Location"]).get_data(as_text=True)
    assert "Your role does not allow this any more, so nothing was changed." in page
    assert _files() == 0


def test_without_pango_the_pdf_is_refused_and_the_zip_comes_without_it(
    app: Flask, world: World, client_as: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    def _refuse(html: str, css: str) -> bytes:
        raise NoPdf()

    monkeypatch.setattr("crm.features.reports.files.pdf_of", _refuse)
    officer = client_as(world.officer)
    answer = officer.post(f"/reports/{world.mill.public_id}/make/pdf?since={SINCE}")
    assert tasks.run_one(app)
    page = officer.get(answer.headers["Location"]).get_data(as_text=True)
    assert "This server cannot make PDFs." in page
    content = officer.get(_make(app, officer, world.mill, "zip")).get_data()
    with zipfile.ZipFile(io.BytesIO(content)) as found:
        assert len(found.namelist()) == 2


def test_a_pdf_follows_no_address(tmp_path: Any) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("do-not-read")
    content = pdf_of(
        f'<html lang="en"><title>A</title><img alt="" src="{secret.as_uri()}">'
        f'<link rel="attachment" href="{secret.as_uri()}"><p>Text</p></html>',
        f'p {{ background: url("{secret.as_uri()}") }}',
    )
    assert content.startswith(b"%PDF-")
    assert b"do-not-read" not in content
    assert b"EmbeddedFile" not in content
    assert pdf.__doc__


def test_a_rep_makes_no_files(world: World, client_as: Clients) -> None:
    rep = client_as(world.rep)
    assert rep.post(f"/reports/{world.mill.public_id}/make/pdf").status_code == 403
    page = rep.get(f"/reports/{world.mill.public_id}").get_data(as_text=True)
    assert "Make a PDF" not in page
    officer = client_as(world.officer)
    assert officer.post(f"/reports/{world.dock.public_id}/make/pdf").status_code == 404


def test_a_kept_report_starts_next_time_where_it_ended(world: World, client_as: Clients) -> None:
    officer = client_as(world.officer)
    address = f"/reports/{world.branch.public_id}"
    kept = officer.post(
        f"{address}/keep?since=2026-09-28&as_at={SINCE}&parts=density", data={"name": " Branch "}
    )
    assert (kept.status_code, kept.headers["Location"]) == (303, "/reports")
    page = officer.get("/reports").get_data(as_text=True)
    following = re.search(r'href="([^"]+)">The next one: since 26 October 2026', page)
    again = re.search(r'href="([^"]+)">The last one again: as at 26 October 2026', page)
    assert following is not None
    assert again is not None
    shown = officer.get(following[1].replace("&amp;", "&")).get_data(as_text=True)
    assert "As at 23 November 2026. Last meeting: 26 October 2026." in shown
    assert 'value="Branch"' in shown
    assert "Where people stand</h2>" not in shown
    old = officer.get(again[1].replace("&amp;", "&")).get_data(as_text=True)
    assert "As at 26 October 2026. Last meeting: 28 September 2026." in old
    # Kept again under the same name, it is the same one.
    officer.post(f"{address}/keep?since={SINCE}&as_at={TODAY}", data={"name": "Branch"})
    with unit_of_work(ALL, read_only=True) as session:
        one = session.scalars(ALL.select(ReportRecipe)).one()
        assert (one.since, one.owner_id) == (SINCE, world.officer.id)


def test_a_kept_report_needs_a_name_and_is_its_owners_own(world: World, client_as: Clients) -> None:
    rep = client_as(world.rep)
    address = f"/reports/{world.mill.public_id}/keep?since={SINCE}"
    empty = rep.post(address, data={"name": "  "})
    assert empty.status_code == 422
    assert "Give it a name, such as “Branch meeting”." in empty.get_data(as_text=True)
    assert rep.post(address, data={"name": "x" * 61}).status_code == 422
    assert rep.post(address, data={"name": "Shop meeting"}).status_code == 303
    with unit_of_work(ALL, read_only=True) as session:
        key = session.scalars(ALL.select(ReportRecipe.public_id)).one()
    other = client_as(world.officer)
    assert "Shop meeting" not in other.get("/reports").get_data(as_text=True)
    assert other.post(f"/reports/recipes/{key}/remove").status_code == 404
    assert rep.post(f"/reports/recipes/{key}/remove").status_code == 303
    with unit_of_work(ALL, read_only=True) as session:
        assert not session.scalars(ALL.select(ReportRecipe.id)).all()


def test_nobody_keeps_more_reports_than_a_list_can_show(world: World, client_as: Clients) -> None:
    rep = client_as(world.rep)
    with unit_of_work(ALL) as session:
        session.add_all(
            ReportRecipe(
                owner_id=world.rep.id,
                unit_id=world.mill.id,
                name=f"Meeting {number}",
                parts=["density"],
                since=SINCE,
                as_at=TODAY,
                saved_at=NOW,
            )
            for number in range(50)
        )
    answer = rep.post(f"/reports/{world.mill.public_id}/keep?since={SINCE}", data={"name": "One"})
    assert answer.status_code == 422
    assert "You keep 50 reports already. Remove one first." in answer.get_data(as_text=True)


def test_a_report_under_way_is_found_again_at_reports(
    app: Flask, world: World, client_as: Clients, quick: None
) -> None:
    officer = client_as(world.officer)
    started = officer.post(f"/reports/{world.branch.public_id}/make/zip?since={SINCE}")
    page = officer.get("/reports").get_data(as_text=True)
    assert started.headers["Location"] in page
    assert tasks.run_one(app)
    page = officer.get("/reports").get_data(as_text=True)
    assert started.headers["Location"] not in page
    assert "Barnsley branch (ZIP)" in page
